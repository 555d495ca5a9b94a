#include "base/utf8.h"
#include "front/stomp/stomp.h"

#include <stdio.h>
#include <string.h>

/* A copy of a header's value, where it may stand in a name. */
static struct buffer *keep(struct server *server, struct view value)
{
    struct buffer *buffer = NULL;
    if (value.size == 0 || value.size > STOMP_NAME_MAX || !utf8_valid(value) ||
        buffers_take(server->buffers, value.size, &buffer) != OK)
        return NULL;
    memcpy(buffer->bytes, value.at, value.size);
    buffer->size = (uint32_t)value.size;
    return buffer;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Each direction has a beat where both sides want it, at the slower one's pace. */
static void agree_on_beats(struct stomp_call *call, uint32_t offered_ms)
{
    struct stomp_session *stomp = call->stomp;
    struct view header = stomp_header(call->frame, "heart-beat");
    uint32_t sends_ms = 0;
    uint32_t wants_ms = 0;
    if (header.at && stomp->version != STOMP_1_0 &&
        stomp_read_heart_beat(header, &sends_ms, &wants_ms) != OK) {
        stomp_refuse(call, "malformed heart-beat");
        return;
    }
    if (offered_ms && wants_ms)
        stomp->beat_ms = larger(offered_ms, wants_ms);
    if (offered_ms && sends_ms && sends_ms < UINT32_MAX / STOMP_BEATS_MISSED)
        stomp->silence_ms = larger(offered_ms, sends_ms) * STOMP_BEATS_MISSED;
}

/* Room and camera for the door.  A name that can't be one counts as not told. */
static void keep_place(struct stomp_call *call)
{
    struct view room = stomp_header(call->frame, "roomId");
    if (room.size == 0 || room.size > BROKER_ROOM_MAX || !utf8_valid(room))
        return;
    call->stomp->cam = keep(call->server, stomp_header(call->frame, "camKey"));
    if (broker_enter(&call->house->broker, &call->stomp->member, room) != OK)
        stomp_refuse(call, "the server is full");
}

static void refuse_version(struct stomp_call *call)
{
    struct stomp_writer writer;
    uint8_t bytes[256];
    stomp_begin(&writer, bytes, sizeof bytes, STOMP_UNKNOWN, STOMP_COMMAND_ERROR);
    stomp_add(&writer, "version", VIEW("1.0,1.1,1.2"));
    stomp_add(&writer, "message", VIEW("no version in common"));
    stomp_add(&writer, "content-type", VIEW("text/plain"));
    stomp_end(&writer, VIEW("Supported protocol versions are 1.0 1.1 1.2"));
    metrics_add(call->server->metrics, METRIC_STOMP_ERRORS, 1);
    stomp_say(call->server, call->now, call->stomp, &writer);
    session_close(call->server, call->stomp->session, 1002, "no version in common");
    call->stomp->phase = STOMP_OVER;
}

void stomp_connect(struct stomp_call *call)
{
    struct stomp_session *stomp = call->stomp;
    uint32_t offered_ms = (uint32_t)(call->config->stomp.heartbeat / USEC_MS);
    struct view login = stomp_header(call->frame, "login");
    struct stomp_writer writer;
    uint8_t bytes[1024];
    char beats[32];

    enum stomp_version version = stomp_choose_version(stomp_header(call->frame, "accept-version"));
    if (version == STOMP_UNKNOWN) {
        refuse_version(call);
        return;
    }
    stomp->version = (uint8_t)version;
    agree_on_beats(call, offered_ms);
    if (stomp->phase == STOMP_FRESH)
        keep_place(call);
    if (stomp->phase == STOMP_OVER)
        return;
    if (stomp_user_valid(login))
        stomp->user = keep(call->server, login);
    stomp->phase = STOMP_CONNECTED;

    if (version == STOMP_1_0)
        offered_ms = 0;
    snprintf(beats, sizeof beats, "%u,%u", (unsigned)offered_ms, (unsigned)offered_ms);
    stomp_begin(&writer, bytes, sizeof bytes, version, STOMP_COMMAND_CONNECTED);
    stomp_add(&writer, "version", view_of(stomp_version_text(version)));
    stomp_add(&writer, "heart-beat", view_of(beats));
    stomp_add(&writer, "session", view_of(stomp->session->id));
    stomp_add(&writer, "server", VIEW("moim"));
    if (stomp->user)
        stomp_add(&writer, "user-name", buffer_view(stomp->user));
    stomp_end_empty(&writer);
    stomp_say(call->server, call->now, stomp, &writer);
    wheel_cancel(&call->server->wheel, &stomp->session->speech_timer);
    stomp_set_timer(call->server, stomp);
}
