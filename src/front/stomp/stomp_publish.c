#include "base/utf8.h"
#include "front/stomp/stomp.h"

#include <string.h>

#define ENCODED_MAX 4 /* forms of one message that are kept while it goes round */

/* Headers that a MESSAGE has of its own, or that mean something to us alone. */
static const char *const OWN_HEADERS[] = {
    "destination", "content-length", "content-type",   "subscription", "message-id",
    "ack",         "receipt",        "transaction",    "id",           "login",
    "passcode",    "host",           "accept-version", "heart-beat",   "user-name",
};

/* A MESSAGE as those get it whose subscriptions have one id and one version. */
struct encoded {
    struct buffer *buffer; /* NULL: the place is free */
    struct view id;
    uint8_t version;
    bool with_ack;
    struct message message;
};

struct publication {
    struct stomp_call *call;
    const struct stomp_frame *frame;
    struct view destination; /* as the receivers are told */
    uint64_t number;
    unsigned next; /* the place that is used again */
    struct encoded encoded[ENCODED_MAX];
};

static bool is_own(struct view name)
{
    for (size_t i = 0; i < sizeof OWN_HEADERS / sizeof OWN_HEADERS[0]; i++)
        if (view_equal(name, view_of(OWN_HEADERS[i])))
            return true;
    return false;
}

/* What a body without a type is: clients exist that drop text whose type they are not told. */
static struct view guess_type(struct view body)
{
    uint8_t first = body.size ? body.at[0] : 0;
    if (!utf8_valid(body))
        return VIEW("application/octet-stream");
    if (first == '{' || first == '[' || first == '"')
        return VIEW("application/json");
    return VIEW("text/plain;charset=UTF-8");
}

static void write_message(const struct publication *publication, const struct encoded *encoded,
                          struct stomp_writer *writer)
{
    const struct stomp_frame *frame = publication->frame;
    struct view type = stomp_header(frame, "content-type");
    struct buffer *buffer = encoded->buffer;
    stomp_begin(writer, buffer->bytes, buffer->capacity, encoded->version, STOMP_COMMAND_MESSAGE);
    stomp_add(writer, "destination", publication->destination);
    stomp_add(writer, "content-type", type.size ? type : guess_type(frame->body));
    stomp_add(writer, "subscription", encoded->id);
    stomp_add_number(writer, "message-id", publication->number);
    if (encoded->with_ack)
        stomp_add_number(writer, "ack", publication->number);
    for (uint32_t i = 0; i < frame->header_count; i++)
        if (!is_own(frame->headers[i].name))
            stomp_add_view(writer, frame->headers[i].name, frame->headers[i].value);
    stomp_end(writer, frame->body);
}

static void give_encoded(struct server *server, struct encoded *encoded)
{
    if (!encoded->buffer)
        return;
    message_done(server, &encoded->message);
    buffer_give(server->buffers, encoded->buffer);
    encoded->buffer = NULL;
}

/* The form for this subscription; NULL: it can't be made. */
static struct encoded *encode(struct publication *publication,
                              const struct broker_subscription *subscription, uint8_t version)
{
    struct server *server = publication->call->server;
    bool with_ack = version == STOMP_1_2 && (subscription->kind & STOMP_SUBSCRIBED_WITH_ACK);
    for (unsigned i = 0; i < ENCODED_MAX; i++) {
        struct encoded *one = &publication->encoded[i];
        if (one->buffer && one->version == version && one->with_ack == with_ack &&
            view_equal(one->id, subscription->id))
            return one;
    }
    struct encoded *one = &publication->encoded[publication->next];
    publication->next = (publication->next + 1) % ENCODED_MAX;
    give_encoded(server, one);
    *one = (struct encoded){ .id = subscription->id, .version = version, .with_ack = with_ack };

    struct stomp_writer writer;
    size_t size = publication->frame->body.size + STOMP_MESSAGE_HEAD;
    if (buffers_take(server->buffers, size, &one->buffer) != OK)
        return NULL;
    write_message(publication, one, &writer);
    if (writer.overflow) {
        /* rare: long headers of the sender's */
        buffer_give(server->buffers, one->buffer);
        one->buffer = NULL;
        if (buffers_take(server->buffers, BUFFER_SIZE_MAX, &one->buffer) != OK)
            return NULL;
        write_message(publication, one, &writer);
    }
    struct view bytes = stomp_written(&writer);
    if (writer.overflow || !stomp_fits_when_written(bytes)) {
        buffer_give(server->buffers, one->buffer);
        one->buffer = NULL;
        return NULL;
    }
    one->message = message_make(bytes, !utf8_valid(bytes));
    return one;
}

static void deliver(struct publication *publication, const struct broker_subscription *subscription)
{
    struct stomp_call *call = publication->call;
    struct stomp_session *to = STOMP_OF_MEMBER(subscription->member);
    struct encoded *encoded = encode(publication, subscription, to->version);
    /* bytes that are no text can't be said over SockJS */
    if (!encoded || (encoded->message.is_binary && to->session->carrier->kind == CARRIER_SOCKJS)) {
        metrics_add(call->server->metrics, METRIC_STOMP_DROPPED, 1);
        return;
    }
    metrics_add(call->server->metrics, METRIC_STOMP_OUT, 1);
    session_send(call->server, call->now, to->session, &encoded->message);
    to->said_at = call->now;
}

/* What bears no room stays among those who share one with the sender. */
static enum broker_reach reach_of(const struct stomp_call *call, const struct stomp_route *route)
{
    const struct stomp_config *config = &call->config->stomp;
    if (route->kind == ROUTE_USER || !config->room_rule ||
        stomp_route_room(config, route->destination).size)
        return BROKER_ALL;
    return BROKER_ROOM;
}

void stomp_publish(struct stomp_call *call, const struct stomp_frame *frame)
{
    struct stomp_route route;
    struct broker_walk walk;
    struct broker_subscription *one;
    uint8_t told[BROKER_NAME_MAX];
    struct publication publication = { .call = call, .frame = frame };

    stomp_route_send(&call->config->stomp, stomp_header(frame, "destination"), &route);
    if (route.kind == ROUTE_NOWHERE) {
        metrics_add(call->server->metrics, METRIC_STOMP_DROPPED, 1);
        return;
    }
    if (stomp_signal(call, frame, route.destination))
        return;
    publication.number = ++call->house->last_message;
    publication.destination = route.destination;
    if (route.kind == ROUTE_USER)
        publication.destination = stomp_route_user_told(&route, told);
    broker_walk_begin(&call->house->broker, &walk, route.destination, reach_of(call, &route),
                      &call->stomp->member);
    while ((one = broker_walk_next(&walk)) != NULL) {
        /* nobody hears what is for a user by a pattern that only happens to match */
        bool as_user = one->kind & STOMP_SUBSCRIBED_AS_USER;
        if (as_user == (route.kind == ROUTE_USER))
            deliver(&publication, one);
    }
    for (unsigned i = 0; i < ENCODED_MAX; i++)
        give_encoded(call->server, &publication.encoded[i]);
}

void stomp_tell(struct stomp_call *call, struct view destination, struct view body)
{
    const struct stomp_frame frame = { .command = STOMP_COMMAND_SEND, .body = body };
    struct publication publication = { .call = call, .frame = &frame, .destination = destination };
    struct broker_walk walk;
    struct broker_subscription *one;
    publication.number = ++call->house->last_message;
    broker_walk_begin(&call->house->broker, &walk, destination, BROKER_ALL, NULL);
    while ((one = broker_walk_next(&walk)) != NULL)
        if (one->member == &call->stomp->member && !(one->kind & STOMP_SUBSCRIBED_AS_USER))
            deliver(&publication, one);
    for (unsigned i = 0; i < ENCODED_MAX; i++)
        give_encoded(call->server, &publication.encoded[i]);
}
