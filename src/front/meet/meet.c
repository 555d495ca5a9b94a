#include "front/meet/meet.h"

#include "front/meet/seat.h"

struct json_writer meet_begin(struct server *server, const char *type)
{
    struct json_writer writer = json_writer_make(server->scratch, sizeof server->scratch);
    json_open(&writer, '{');
    json_key(&writer, "type");
    json_string(&writer, view_of(type));
    return writer;
}

void meet_send(struct server *server, usec now, struct stream *stream, struct json_writer *writer)
{
    struct buffer *frame;
    json_close(writer, '}');
    if (writer->overflow ||
        ws_frame(server->buffers, WEBSOCKET_TEXT, json_written(writer), &frame) != OK) {
        stream_fail(server, stream);
        return;
    }
    metrics_add(server->metrics, METRIC_MEET_OUT, 1);
    websocket_send(server, now, stream, frame);
    buffer_give(server->buffers, frame);
}

/* At most `most` bytes of valid UTF-8, and whole characters alone. */
static struct view cut_text(struct view text, size_t most)
{
    if (text.size <= most)
        return text;
    while (most > 0 && (text.at[most] & 0xc0) == 0x80)
        most--;
    return view_slice(text, 0, most);
}

void meet_refuse(struct meet_call *call, const char *code, const char *what)
{
    struct json_writer writer = meet_begin(call->server, "error");
    json_key(&writer, "code");
    json_string(&writer, view_of(code));
    json_key(&writer, "message");
    json_string(&writer, view_of(what));
    if (call->type.at) {
        json_key(&writer, "re");
        json_string(&writer, cut_text(call->type, 64));
    }
    if (call->id) {
        json_key(&writer, "id");
        json_number(&writer, call->id);
    }
    metrics_add(call->server->metrics, METRIC_MEET_ERRORS, 1);
    meet_send(call->server, call->now, call->stream, &writer);
}

/* A member's id, "m" and its number: 0 when it can't be one. */
static uint32_t read_member(struct view id)
{
    uint64_t number;
    if (id.size < 2 || id.at[0] != 'm' ||
        !view_read_number(view_slice(id, 1, id.size), UINT32_MAX, &number))
        return 0;
    return (uint32_t)number;
}

/* Relays `body`; `to` is read from the message, and may be absent where all can be told. */
static void say(struct meet_call *call, enum room_event_kind kind, struct view body)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->message, "to");
    uint32_t to = 0;
    if (item || kind != ROOM_CHAT) {
        struct view id = json_get_string(call->message, "to");
        if (!id.at) {
            meet_refuse(call, "bad-message", "\"to\" must be a member's id");
            return;
        }
        to = read_member(id);
        if (to == 0) {
            meet_refuse(call, "no-such-member", "nobody here has that id");
            return;
        }
    }
    if (rooms_say(&call->server->rooms, call->member, kind, to, body) != OK)
        meet_refuse(call, "no-such-member", "nobody else here has that id");
}

bool meet_fits(struct server *server, struct view text)
{
    struct json_writer writer = json_writer_make(server->scratch, MEET_WRITTEN_MAX);
    json_string(&writer, text);
    return !writer.overflow;
}

static void handle_description(struct meet_call *call)
{
    struct view sdp = json_get_string(call->message, "sdp");
    bool is_offer = view_equal(call->type, VIEW("offer"));
    if (sdp.size == 0 || sdp.size > MEET_SDP_MAX)
        meet_refuse(call, "bad-message", "\"sdp\" must be a string of 1 to 60000 bytes");
    else if (!meet_fits(call->server, sdp))
        meet_refuse(call, "bad-message", "\"sdp\" is over 65000 bytes when written as JSON");
    else
        say(call, is_offer ? ROOM_OFFER : ROOM_ANSWER, sdp);
}

static void handle_candidate(struct meet_call *call)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(call->message, "candidate");
    char text[MEET_CANDIDATE_MAX];
    if (!item || !(cJSON_IsObject(item) || cJSON_IsNull(item)))
        meet_refuse(call, "bad-message", "\"candidate\" must be an object or null");
    else if (!cJSON_PrintPreallocated(item, text, sizeof text, false))
        meet_refuse(call, "bad-message", "\"candidate\" is over 4 KiB");
    else
        say(call, ROOM_CANDIDATE, view_of(text));
    meet_drain(call->server, call->now); /* the event borrows `text` */
}

static void handle_chat(struct meet_call *call)
{
    struct view text = json_get_string(call->message, "text");
    if (text.size == 0 || text.size > MEET_CHAT_MAX)
        meet_refuse(call, "bad-message", "\"text\" must be a string of 1 to 8000 bytes");
    else
        say(call, ROOM_CHAT, text);
}

static void handle_media(struct meet_call *call)
{
    struct member *member = call->member;
    bool audio = member->audio;
    bool video = member->video;
    bool screen = member->screen;
    int a = json_get_bool(call->message, "audio", &audio);
    int v = json_get_bool(call->message, "video", &video);
    int s = json_get_bool(call->message, "screen", &screen);
    if (a == ERR_MALFORMED || v == ERR_MALFORMED || s == ERR_MALFORMED ||
        (a != OK && v != OK && s != OK)) {
        meet_refuse(call, "bad-message",
                    "one of \"audio\", \"video\" and \"screen\" must be there; all are booleans");
        return;
    }
    member->audio = audio;
    member->video = video;
    member->screen = screen;
    rooms_tell_media(&call->server->rooms, member);
}

static void handle_hand(struct meet_call *call)
{
    if (json_get_bool(call->message, "raised", &call->member->hand) != OK)
        meet_refuse(call, "bad-message", "\"raised\" must be true or false");
    else
        rooms_tell_hand(&call->server->rooms, call->member);
}

static void handle_leave(struct meet_call *call)
{
    websocket_close(call->server, call->now, call->stream, 1000, VIEW("left"), true);
}

static void handle_ping(struct meet_call *call)
{
    struct json_writer writer = meet_begin(call->server, "pong");
    meet_send(call->server, call->now, call->stream, &writer);
}

struct handler {
    const char *type;
    enum { ANY_TIME, WHILE_OUT, WHILE_IN } when;
    void (*handle)(struct meet_call *call);
};

static const struct handler HANDLERS[] = {
    { "candidate", WHILE_IN, handle_candidate }, { "chat", WHILE_IN, handle_chat },
    { "offer", WHILE_IN, handle_description },   { "answer", WHILE_IN, handle_description },
    { "media", WHILE_IN, handle_media },         { "hand", WHILE_IN, handle_hand },
    { "leave", WHILE_IN, handle_leave },         { "join", WHILE_OUT, meet_join },
    { "resume", WHILE_OUT, meet_resume },        { "ping", ANY_TIME, handle_ping },
    { "sfu-offer", WHILE_IN, seat_offer },       { "sfu-close", WHILE_IN, seat_leave },
    { "sfu-wish", WHILE_IN, seat_wish },         { "sfu-why", WHILE_IN, seat_why },
    { "sfu-quality", WHILE_IN, seat_quality },
};

static const struct handler *find_handler(struct view type)
{
    for (size_t i = 0; i < sizeof HANDLERS / sizeof HANDLERS[0]; i++)
        if (view_equal(type, view_of(HANDLERS[i].type)))
            return &HANDLERS[i];
    return NULL;
}

static void send_ack(struct server *server, usec now, struct stream *stream, struct member *member)
{
    struct json_writer writer = meet_begin(server, "ack");
    member->confirmed = member->received;
    json_key(&writer, "id");
    json_number(&writer, member->received);
    meet_send(server, now, stream, &writer);
}

/* Reads the message's number.  True: it is to be handled. */
static bool take_id(struct meet_call *call)
{
    struct member *member = call->member;
    int status = json_get_number(call->message, "id", &call->id);
    if (status == ERR_MALFORMED) {
        meet_refuse(call, "bad-message", "\"id\" must be a whole number");
        return false;
    }
    if (status == ERR_NOT_FOUND || !member)
        return true;
    if (call->id > 0 && call->id <= member->received)
        return false; /* it came before */
    if (call->id != member->received + 1) {
        meet_refuse(call, "bad-id", "\"id\" must be one more than the last");
        return false;
    }
    member->received = call->id;
    if (call->id % MEET_ACK_EVERY == 0)
        send_ack(call->server, call->now, call->stream, member);
    return true;
}

static void dispatch(struct meet_call *call)
{
    call->type = json_get_string(call->message, "type");
    if (!take_id(call))
        return;
    if (!call->type.at) {
        meet_refuse(call, "bad-message", "\"type\" must be a string");
        return;
    }
    const struct handler *handler = find_handler(call->type);
    if (!handler)
        meet_refuse(call, "unknown-type", "no message has that type");
    else if (handler->when == WHILE_IN && !call->member)
        meet_refuse(call, "not-joined", "join a room first");
    else if (handler->when == WHILE_OUT && call->member)
        meet_refuse(call, "already-joined", "this connection is in a room");
    else
        handler->handle(call);
}

static void meet_message(struct server *server, usec now, struct stream *stream, struct view text)
{
    cJSON *message;
    struct meet_call call = {
        .server = server, .now = now, .stream = stream, .member = stream->context, .text = text
    };
    metrics_add(server->metrics, METRIC_MEET_IN, 1);
    int status = json_read_object(text, &message);
    if (status != OK) {
        meet_refuse(&call, "bad-json",
                    status == ERR_LIMIT ? "nested too deeply" : "not a JSON object");
        return;
    }
    call.message = message;
    dispatch(&call);
    meet_drain(server, now);
    cJSON_Delete(message);
}

static void meet_opened(struct server *server, usec now, struct stream *stream)
{
    wheel_set(&server->wheel, &stream->timer, now + MEET_JOIN_TIME);
}

static void meet_ponged(struct server *server, struct stream *stream, struct view payload)
{
    uint64_t seq = 0;
    if (!stream->context || payload.size != sizeof seq)
        return;
    for (size_t i = 0; i < sizeof seq; i++)
        seq = seq << 8 | payload.at[i];
    rooms_acked(&server->rooms, stream->context, seq);
}

static size_t write_seq(const struct member *member, uint8_t *payload)
{
    for (int i = 0; i < 8; i++)
        payload[i] = (uint8_t)(member->room->seq >> (56 - 8 * i));
    return 8;
}

static size_t meet_heartbeat(struct server *server, usec now, struct stream *stream,
                             uint8_t payload[WEBSOCKET_CONTROL_MAX])
{
    struct member *member = stream->context;
    if (!member) {
        struct meet_call call = { .server = server, .now = now, .stream = stream };
        metrics_add(server->metrics, METRIC_CLOSED_TIMEOUT, 1);
        meet_refuse(&call, "timeout", "nothing was joined in time");
        websocket_close(server, now, stream, 1008, VIEW("timeout"), true);
        return 0;
    }
    if (member->received > member->confirmed)
        send_ack(server, now, stream, member);
    return write_seq(member, payload);
}

void meet_ping(struct server *server, usec now, struct stream *stream)
{
    uint8_t payload[8];
    struct buffer *frame;
    size_t size = write_seq(stream->context, payload);
    if (ws_frame(server->buffers, WEBSOCKET_PING, view_make(payload, size), &frame) == OK)
        stream_send_give(server, now, stream, frame);
}

static void meet_too_fast(struct server *server, usec now, struct stream *stream)
{
    struct meet_call call = { .server = server, .now = now, .stream = stream };
    meet_refuse(&call, "too-fast", "over 200 messages a second");
}

static void meet_closed(struct server *server, usec now, struct stream *stream, bool clean)
{
    struct member *member = stream->context;
    stream->context = NULL;
    if (!member)
        return;
    if (clean)
        rooms_leave(&server->rooms, now, member, LEAVE_LEFT);
    else
        rooms_away(&server->rooms, now, member);
    meet_drain(server, now);
}

void meet_member_expired(struct server *server, usec now, struct timer *timer)
{
    rooms_expired(&server->rooms, now, timer);
    meet_drain(server, now);
}

void meet_topology_expired(struct server *server, usec now, struct timer *timer)
{
    rooms_topology_expired(&server->rooms, timer);
    meet_drain(server, now);
}

const struct dialect meet_dialect = {
    .name = "meet",
    .wants_host = true,
    .opened = meet_opened,
    .message = meet_message,
    .ponged = meet_ponged,
    .heartbeat = meet_heartbeat,
    .too_fast = meet_too_fast,
    .closed = meet_closed,
};
