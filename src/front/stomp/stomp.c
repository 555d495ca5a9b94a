#include "front/stomp/stomp.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is said to a client ---- */

void stomp_say(struct server *server, usec now, struct stomp_session *stomp,
               const struct stomp_writer *writer)
{
    struct view bytes = stomp_written(writer);
    if (writer->overflow)
        return;
    struct message message = message_make(bytes, !utf8_valid(bytes));
    metrics_add(server->metrics, METRIC_STOMP_OUT, 1);
    session_send(server, now, stomp->session, &message);
    message_done(server, &message);
    stomp->said_at = now;
}

void stomp_refuse(struct stomp_call *call, const char *what)
{
    struct stomp_writer writer;
    uint8_t bytes[1024];
    struct view receipt = { NULL, 0 };
    if (call->frame)
        receipt = stomp_header(call->frame, "receipt");
    stomp_begin(&writer, bytes, sizeof bytes, call->stomp->version, STOMP_COMMAND_ERROR);
    stomp_add(&writer, "message", view_of(what));
    if (receipt.at)
        stomp_add(&writer, "receipt-id", view_slice(receipt, 0, STOMP_NAME_MAX));
    stomp_end(&writer, (struct view){ NULL, 0 });
    metrics_add(call->server->metrics, METRIC_STOMP_ERRORS, 1);
    stomp_say(call->server, call->now, call->stomp, &writer);
    session_close(call->server, call->stomp->session, 1002, what);
    call->stomp->phase = STOMP_OVER;
}

/* ---- what a client says ---- */

static const char *read_error(int status)
{
    switch (status) {
    case ERR_LIMIT:
        return "too large";
    case ERR_UNSUPPORTED:
        return "unknown command";
    default:
        return "malformed frame";
    }
}

/* One frame more: false when it is too many.  A message may hold very many, and what a SEND costs
 * is multiplied by those who hear it. */
static bool take_token(struct stomp_session *stomp, usec now)
{
    uint64_t tokens = stomp->tokens + (now - stomp->tokens_at) / FLOOD_EACH;
    if (tokens < FLOOD_BURST) {
        stomp->tokens_at = now - (now - stomp->tokens_at) % FLOOD_EACH;
    } else {
        tokens = FLOOD_BURST;
        stomp->tokens_at = now;
    }
    stomp->tokens = (uint16_t)(tokens ? tokens - 1 : 0);
    return tokens > 0;
}

static void handle_frame(struct stomp_call *call)
{
    enum stomp_command command = call->frame->command;
    bool connects = command == STOMP_COMMAND_CONNECT || command == STOMP_COMMAND_STOMP;
    if (command == STOMP_COMMAND_BEAT)
        return;
    metrics_add(call->server->metrics, METRIC_STOMP_IN, 1);
    if (!take_token(call->stomp, call->now)) {
        metrics_add(call->server->metrics, METRIC_CLOSED_FLOOD, 1);
        stomp_refuse(call, "too many frames");
    } else if (connects && call->stomp->phase == STOMP_FRESH) {
        stomp_connect(call);
    } else if (connects) {
        stomp_refuse(call, "connected already");
    } else if (call->stomp->phase == STOMP_FRESH) {
        stomp_refuse(call, "CONNECT comes first");
    } else {
        stomp_handle(call);
    }
}

/* Reads all frames that are whole; what is left waits for the next message. */
static void read_frames(struct stomp_call *call)
{
    struct stomp_session *stomp = call->stomp;
    struct buffers *buffers = call->server->buffers;
    struct stomp_frame frame;
    while (stomp->phase != STOMP_OVER) {
        size_t used = 0;
        call->frame = NULL;
        int status = stomp_read(&stomp->reader, inbox_bytes(&stomp->inbox), stomp->version,
                                STOMP_BODY_MAX, &frame, &used);
        if (status == ERR_MORE)
            return;
        if (status != OK) {
            stomp_refuse(call, read_error(status));
            return;
        }
        call->frame = &frame;
        handle_frame(call);
        inbox_used(&stomp->inbox, buffers, used);
    }
}

static void hear(struct server *server, usec now, struct session *session, struct view body,
                 bool is_binary)
{
    struct stomp_session *stomp = session->state;
    struct stomp_call call = { .server = server,
                               .now = now,
                               .stomp = stomp,
                               .house = session->endpoint->context,
                               .config = session->endpoint->config };
    (void)is_binary;
    stomp->heard_at = now;
    if (stomp->phase == STOMP_OVER)
        return;
    if (inbox_add(&stomp->inbox, server->buffers, body) != OK)
        stomp_refuse(&call, "too large");
    else
        read_frames(&call);
    if (stomp->phase == STOMP_OVER)
        inbox_clear(&stomp->inbox, server->buffers);
}

/* ---- times ---- */

void stomp_set_timer(struct server *server, struct stomp_session *stomp)
{
    usec next = USEC_NEVER;
    if (stomp->beat_ms)
        next = stomp->said_at + stomp->beat_ms * USEC_MS;
    if (stomp->silence_ms && stomp->heard_at + stomp->silence_ms * USEC_MS < next)
        next = stomp->heard_at + stomp->silence_ms * USEC_MS;
    if (next != USEC_NEVER)
        wheel_set(&server->wheel, &stomp->session->speech_timer, next);
}

static void expired(struct server *server, usec now, struct session *session)
{
    struct stomp_session *stomp = session->state;
    if (stomp->phase == STOMP_FRESH) {
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
        session_close(server, session, 1002, "CONNECT did not come");
        return;
    }
    if (stomp->phase == STOMP_OVER) {
        session_close(server, session, 1000, "disconnected");
        return;
    }
    if (stomp->silence_ms && now >= stomp->heard_at + stomp->silence_ms * USEC_MS) {
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
        session_close(server, session, 1002, "no heart-beat");
        return;
    }
    if (stomp->beat_ms && now >= stomp->said_at + stomp->beat_ms * USEC_MS) {
        struct message message = message_make(VIEW("\n"), false);
        session_send(server, now, session, &message);
        message_done(server, &message);
        stomp->said_at = now;
    }
    stomp_set_timer(server, stomp);
}

/* ---- the beginning and the end ---- */

static void opened(struct server *server, usec now, struct session *session)
{
    struct stomp_session *stomp = session->state;
    stomp->session = session;
    stomp->heard_at = now;
    stomp->said_at = now;
    stomp->tokens = FLOOD_BURST;
    stomp->tokens_at = now;
    broker_member_init(&stomp->member);
    list_init(&stomp->transactions);
    list_init(&stomp->callers);
    wheel_set(&server->wheel, &session->speech_timer, now + STOMP_CONNECT_TIME);
}

/* Gives back all memory, without a word to anyone. */
static void forget(struct server *server, struct stomp_session *stomp)
{
    struct stomp_house *house = stomp->session->endpoint->context;
    metrics_subtract(server->metrics, METRIC_STOMP_SUBSCRIPTIONS, stomp->member.count);
    broker_leave(&house->broker, &stomp->member);
    stomp_drop_transactions(server, stomp);
    stomp_drop_callers(server, stomp);
    buffer_give(server->buffers, stomp->user);
    buffer_give(server->buffers, stomp->cam);
    stomp->user = NULL;
    stomp->cam = NULL;
}

void stomp_leave(struct server *server, usec now, struct stomp_session *stomp)
{
    struct stomp_house *house = stomp->session->endpoint->context;
    const struct broker_room *home = stomp->member.home.room;
    uint8_t name[BROKER_ROOM_MAX];
    struct view room = { NULL, 0 };
    struct view cam_key = { NULL, 0 };
    struct buffer *cam = stomp->cam;
    stomp->cam = NULL;
    if (home) {
        memcpy(name, home->name.at, home->name.size);
        room = view_make(name, home->name.size);
    }
    if (cam)
        cam_key = buffer_view(cam);
    stomp_hang_up(server, now, stomp);
    forget(server, stomp);
    if (house->door.is_open && room.size)
        door_tell_left(&house->door, server, now, room, cam_key,
                       broker_count_room(&house->broker, room));
    buffer_give(server->buffers, cam);
}

static void closed(struct server *server, usec now, struct session *session, bool clean)
{
    struct stomp_session *stomp = session->state;
    (void)clean;
    stomp_leave(server, now, stomp);
    inbox_clear(&stomp->inbox, server->buffers);
}

static int start(struct server *server, struct endpoint *endpoint)
{
    uint32_t sessions = endpoint->config->limits.sessions;
    struct stomp_house *house = calloc(1, sizeof *house);
    if (!house)
        return ERR_MEMORY;
    struct broker_config config = { .subscriptions_max = sessions * 12 + 64,
                                    .topics_max = sessions * 6 + 64,
                                    .rooms_max = sessions + 64,
                                    .buffers = server->buffers,
                                    .random = server->config.random };
    int status = broker_init(&house->broker, &config);
    if (status != OK)
        goto free_house;
    status = pool_init(&house->transactions, sizeof(struct stomp_transaction), sessions / 16 + 64);
    if (status != OK)
        goto free_broker;
    status = stomp_standins_new(server, house, endpoint->config);
    if (status != OK)
        goto free_transactions;
    if (endpoint->config->stomp.door)
        status = door_init(&house->door, server, sessions);
    if (status != OK)
        goto free_standins;
    endpoint->context = house;
    return OK;

free_standins:
    stomp_standins_free(house);
free_transactions:
    pool_free(&house->transactions);
free_broker:
    broker_free(&house->broker);
free_house:
    free(house);
    return status;
}

static void stop(struct server *server, struct endpoint *endpoint)
{
    struct stomp_house *house = endpoint->context;
    for (struct list *at = endpoint->sessions.next; at != &endpoint->sessions; at = at->next) {
        struct session *session = LIST_ENTRY(at, struct session, of_endpoint);
        struct stomp_session *stomp = session->state;
        if (!session->is_open)
            continue;
        forget(server, stomp);
        inbox_clear(&stomp->inbox, server->buffers);
    }
    stomp_standins_free(house);
    door_free(&house->door);
    pool_free(&house->transactions);
    broker_free(&house->broker);
    free(house);
    endpoint->context = NULL;
}

static bool has_paths(const struct endpoint_config *config)
{
    return config->stomp.door;
}

static void request(struct server *server, usec now, struct stream *stream,
                    struct endpoint *endpoint, struct view path, struct view body)
{
    struct stomp_house *house = endpoint->context;
    door_request(&house->door, server, now, stream, path, body);
}

static const char *const PROTOCOLS[] = { "v12.stomp", "v11.stomp", "v10.stomp", NULL };

const struct speech stomp_speech = {
    .name = "stomp",
    .opened = opened,
    .message = hear,
    .closed = closed,
    .timer = expired,
    .paths = DOOR_PATHS,
    .has_paths = has_paths,
    .request = request,
    .protocols = PROTOCOLS,
    .start = start,
    .stop = stop,
    .state_size = sizeof(struct stomp_session),
};
