/* The speech of bare messages: JSON text with the event's name in a field, or anything at all. */
#include "front/relay/relay_plain.h"
#include "front/relay/relay_inside.h"
#include "wire/json_text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 128

/* An endpoint's. */
struct hall {
    struct relay *relay;
    struct relay_space space;
};

/* ---- the voice ---- */

static void append(struct buffer *buffer, struct view bytes)
{
    if (bytes.size)
        memcpy(buffer->bytes + buffer->size, bytes.at, bytes.size);
    buffer->size += (uint32_t)bytes.size;
}

/* Puts the name into the object: in the place of the one that it has, or as its first field. */
static int write_named(struct server *server, struct view object, struct view field,
                       struct view name, struct buffer **out)
{
    struct view members;
    struct view old;
    if (!json_text_members(object, &members))
        return ERR_MALFORMED;
    int status = buffers_take(server->buffers, object.size + field.size + name.size + 8, out);
    if (status != OK)
        return status;
    struct buffer *text = *out;
    struct view after = members;
    bool is_found = json_text_find(object, field, &old);
    if (is_found) {
        size_t before = (size_t)(old.at - object.at);
        append(text, view_slice(object, 0, before));
        after = view_slice(object, before + old.size, object.size);
    } else {
        append(text, VIEW("{\""));
        append(text, field);
        append(text, VIEW("\":"));
    }
    append(text, VIEW("\""));
    append(text, name);
    append(text, VIEW("\""));
    if (!is_found && json_text_next_member(&members, &old, &old))
        append(text, VIEW(","));
    append(text, after);
    append(text, is_found ? VIEW("") : VIEW("}"));
    return OK;
}

static int write_event(struct server *server, const struct relay_space *space,
                       const struct relay_event *event, struct relay_words *words)
{
    const char *field = space->relay->rules->event_field;
    struct view body = event->arguments;
    if (!event->is_changed) {
        body = event->original;
    } else if (field && event->name.size && !event->is_own) {
        int status = write_named(server, body, view_of(field), event->name, &words->text);
        if (status != OK)
            return status;
        body = buffer_view(words->text);
    }
    words->count = 1;
    words->messages[0] = message_make(body, event->is_binary);
    return OK;
}

static const struct relay_voice PLAIN_VOICE = { .write = write_event };

/* ---- the speech ---- */

static void opened(struct server *server, usec now, struct session *session)
{
    struct hall *hall = session->endpoint->context;
    struct relay_party *party = session->state;
    party->session = session;
    party->id = view_of(session->id);
    int status = relay_enter(server, now, &hall->space, party);
    if (status != OK)
        session_close(server, session, 1013, "the server is full");
}

static void heard(struct server *server, usec now, struct session *session, struct view body,
                  bool is_binary)
{
    struct relay_party *party = session->state;
    const struct hall *hall = session->endpoint->context;
    const char *field = session->endpoint->config->rules.event_field;
    uint8_t name[NAME_MAX_BYTES];
    struct view value;
    struct relay_event event = { .arguments = body, .is_binary = is_binary, .original = body };
    if (!party->space)
        return;
    if (field && !is_binary && relay_reads_names(hall->relay) &&
        json_text_find(body, view_of(field), &value) &&
        json_text_string(value, name, sizeof name, &event.name) != OK)
        event.name = (struct view){ NULL, 0 };
    relay_hear(server, now, party, &event);
}

static void closed(struct server *server, usec now, struct session *session, bool clean)
{
    (void)clean;
    relay_leave(server, now, session->state);
}

static int start(struct server *server, struct endpoint *endpoint)
{
    struct hall *hall = calloc(1, sizeof *hall);
    if (!hall)
        return ERR_MEMORY;
    int status =
        relay_new(server, endpoint, &PLAIN_VOICE, endpoint->config->limits.sessions, &hall->relay);
    if (status != OK) {
        free(hall);
        return status;
    }
    relay_space_init(&hall->space, hall->relay, NULL);
    endpoint->context = hall;
    return OK;
}

static void stop(struct server *server, struct endpoint *endpoint)
{
    struct hall *hall = endpoint->context;
    relay_free(server, hall->relay);
    free(hall);
}

const struct speech relay_speech = {
    .name = "relay",
    .opened = opened,
    .message = heard,
    .closed = closed,
    .start = start,
    .stop = stop,
    .state_size = sizeof(struct relay_party),
};
