#include "front/stomp/stomp.h"

#include <string.h>

/* ---- subscriptions ---- */

/* The id of a subscription; in 1.0 the destination stands for one that was not given. */
static struct view read_id(const struct stomp_call *call)
{
    struct view id = stomp_header(call->frame, "id");
    if (!id.at && call->stomp->version == STOMP_1_0)
        id = stomp_header(call->frame, "destination");
    return id;
}

static void drop_subscription(struct stomp_call *call, struct view id)
{
    struct broker_subscription *one = broker_find(&call->stomp->member, id);
    if (!one)
        return;
    broker_unsubscribe(&call->house->broker, one);
    metrics_subtract(call->server->metrics, METRIC_STOMP_SUBSCRIPTIONS, 1);
}

static void handle_subscribe(struct stomp_call *call)
{
    struct stomp_session *stomp = call->stomp;
    struct view destination = stomp_header(call->frame, "destination");
    struct view ack = stomp_header(call->frame, "ack");
    struct view id = read_id(call);
    struct broker_subscription *one;
    struct stomp_route route;
    if (destination.size == 0 || id.size == 0) {
        stomp_refuse(call, "SUBSCRIBE needs an id and a destination");
        return;
    }
    stomp_route_subscribe(destination, stomp_user(stomp), &route);
    struct broker_wish wish = { .id = id,
                                .destination = route.destination,
                                .room = stomp_route_room(&call->config->stomp, destination) };
    if (route.kind == ROUTE_USER)
        wish.kind |= STOMP_SUBSCRIBED_AS_USER;
    if (ack.at && !view_equal(ack, VIEW("auto")))
        wish.kind |= STOMP_SUBSCRIBED_WITH_ACK;
    drop_subscription(call, id); /* an id that is used again takes the place of the old */
    if (route.kind == ROUTE_NOWHERE || stomp->member.count >= call->config->limits.subscriptions ||
        broker_subscribe(&call->house->broker, &stomp->member, &wish, &one) != OK) {
        stomp_refuse(call, "too many or too long subscriptions");
        return;
    }
    metrics_add(call->server->metrics, METRIC_STOMP_SUBSCRIPTIONS, 1);
    if (one->place.room &&
        broker_rooms_of(&call->house->broker, &stomp->member) > call->config->limits.rooms)
        stomp_refuse(call, "too many rooms");
}

static void handle_unsubscribe(struct stomp_call *call)
{
    struct view id = read_id(call);
    if (id.size == 0)
        stomp_refuse(call, "UNSUBSCRIBE needs an id");
    else
        drop_subscription(call, id);
    stomp_check_callers(call);
}

/* ---- transactions ---- */

static struct stomp_transaction *find_transaction(const struct stomp_session *stomp,
                                                  struct view name)
{
    const struct list *head = &stomp->transactions;
    for (struct list *at = head->next; at != head; at = at->next) {
        struct stomp_transaction *one = LIST_ENTRY(at, struct stomp_transaction, node);
        if (view_equal(view_make(one->name, one->name_size), name))
            return one;
    }
    return NULL;
}

static void drop_transaction(struct server *server, struct stomp_house *house,
                             struct stomp_transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->count; i++)
        buffer_give(server->buffers, transaction->held[i]);
    list_remove(&transaction->node);
    pool_give(&house->transactions, transaction);
}

void stomp_drop_transactions(struct server *server, struct stomp_session *stomp)
{
    struct stomp_house *house = stomp->session->endpoint->context;
    while (!list_empty(&stomp->transactions))
        drop_transaction(server, house,
                         LIST_ENTRY(stomp->transactions.next, struct stomp_transaction, node));
}

/* The transaction that the frame names; refuses the frame where there is none. */
static struct stomp_transaction *named_transaction(struct stomp_call *call)
{
    struct stomp_transaction *one =
        find_transaction(call->stomp, stomp_header(call->frame, "transaction"));
    if (!one)
        stomp_refuse(call, "no such transaction");
    return one;
}

static void handle_begin(struct stomp_call *call)
{
    struct view name = stomp_header(call->frame, "transaction");
    struct stomp_transaction *one = NULL;
    unsigned open = 0;
    for (struct list *at = call->stomp->transactions.next; at != &call->stomp->transactions;
         at = at->next)
        open++;
    if (name.size == 0 || name.size > STOMP_NAME_MAX || find_transaction(call->stomp, name)) {
        stomp_refuse(call, "BEGIN needs a new transaction");
        return;
    }
    if (open < STOMP_TRANSACTIONS_MAX)
        one = pool_take(&call->house->transactions);
    if (!one) {
        stomp_refuse(call, "too many transactions");
        return;
    }
    memcpy(one->name, name.at, name.size);
    one->name_size = (uint8_t)name.size;
    list_append(&call->stomp->transactions, &one->node);
}

/* Keeps the frame, written anew: what was read goes away. */
static void hold_send(struct stomp_call *call, struct stomp_transaction *transaction)
{
    const struct stomp_frame *frame = call->frame;
    struct stomp_writer writer;
    struct buffer *buffer = NULL;
    size_t size = frame->body.size + 2 * STOMP_HEAD_MAX;
    if (transaction->count == STOMP_HELD_MAX ||
        transaction->bytes + frame->body.size > STOMP_HELD_BYTES_MAX ||
        buffers_take(call->server->buffers, size < BUFFER_SIZE_MAX ? size : BUFFER_SIZE_MAX,
                     &buffer) != OK) {
        stomp_refuse(call, "the transaction is too large");
        return;
    }
    stomp_begin(&writer, buffer->bytes, buffer->capacity, STOMP_1_2, STOMP_COMMAND_SEND);
    for (uint32_t i = 0; i < frame->header_count; i++)
        if (!view_equal(frame->headers[i].name, VIEW("content-length")))
            stomp_add_view(&writer, frame->headers[i].name, frame->headers[i].value);
    stomp_end(&writer, frame->body);
    if (writer.overflow) {
        buffer_give(call->server->buffers, buffer);
        stomp_refuse(call, "the transaction is too large");
        return;
    }
    buffer->size = (uint32_t)writer.size;
    transaction->bytes += (uint32_t)frame->body.size;
    transaction->held[transaction->count++] = buffer;
}

static void handle_commit(struct stomp_call *call)
{
    struct stomp_transaction *one = named_transaction(call);
    if (!one)
        return;
    for (uint32_t i = 0; i < one->count; i++) {
        struct stomp_reader reader = { 0 };
        struct stomp_frame frame;
        size_t used;
        struct span bytes = { one->held[i]->bytes, one->held[i]->size };
        if (stomp_read(&reader, bytes, STOMP_1_2, STOMP_BODY_MAX, &frame, &used) == OK)
            stomp_publish(call, &frame);
    }
    drop_transaction(call->server, call->house, one);
}

static void handle_abort(struct stomp_call *call)
{
    struct stomp_transaction *one = named_transaction(call);
    if (one)
        drop_transaction(call->server, call->house, one);
}

/* ---- the rest ---- */

static void handle_send(struct stomp_call *call)
{
    const struct stomp_frame *frame = call->frame;
    if (stomp_header(frame, "destination").size == 0) {
        stomp_refuse(call, "SEND needs a destination");
    } else if (!stomp_fits_when_written(frame->body)) {
        stomp_refuse(call, "too large");
    } else if (stomp_header(frame, "transaction").size == 0) {
        stomp_publish(call, frame);
    } else {
        struct stomp_transaction *one = named_transaction(call);
        if (one)
            hold_send(call, one);
    }
}

/* Every message counts as taken when it was sent: there is nothing to do.  Which of the two names
 * it bears is the version's affair, to which not all clients keep. */
static void handle_ack(struct stomp_call *call)
{
    if (stomp_header(call->frame, "id").size == 0 &&
        stomp_header(call->frame, "message-id").size == 0)
        stomp_refuse(call, "ACK and NACK need a message's id");
}

static void handle_disconnect(struct stomp_call *call)
{
    stomp_leave(call->server, call->now, call->stomp);
    call->stomp->phase = STOMP_OVER;
    /* the client closes, when it has its receipt */
    wheel_set(&call->server->wheel, &call->stomp->session->speech_timer,
              call->now + STOMP_LEAVE_TIME);
}

static void send_receipt(struct stomp_call *call, struct view id)
{
    struct stomp_writer writer;
    uint8_t bytes[1024];
    stomp_begin(&writer, bytes, sizeof bytes, call->stomp->version, STOMP_COMMAND_RECEIPT);
    stomp_add(&writer, "receipt-id", id);
    stomp_end_empty(&writer);
    stomp_say(call->server, call->now, call->stomp, &writer);
}

void stomp_handle(struct stomp_call *call)
{
    static void (*const HANDLERS[STOMP_COMMAND_COUNT])(struct stomp_call *) = {
        [STOMP_COMMAND_SEND] = handle_send,
        [STOMP_COMMAND_SUBSCRIBE] = handle_subscribe,
        [STOMP_COMMAND_UNSUBSCRIBE] = handle_unsubscribe,
        [STOMP_COMMAND_ACK] = handle_ack,
        [STOMP_COMMAND_NACK] = handle_ack,
        [STOMP_COMMAND_BEGIN] = handle_begin,
        [STOMP_COMMAND_COMMIT] = handle_commit,
        [STOMP_COMMAND_ABORT] = handle_abort,
        [STOMP_COMMAND_DISCONNECT] = handle_disconnect,
    };
    struct view receipt = stomp_header(call->frame, "receipt");
    void (*handle)(struct stomp_call *) = HANDLERS[call->frame->command];
    if (!handle) {
        stomp_refuse(call, "a server's command");
        return;
    }
    handle(call);
    bool is_refused = call->stomp->session->is_closing;
    if (receipt.at && !is_refused)
        send_receipt(call, receipt);
}
