/* Events of a room, written once and sent to those who hear them. */
#include "front/meet/meet.h"

#include "front/meet/seat.h"

void meet_write_number(struct json_writer *writer, const char *key, uint32_t number)
{
    char id[16];
    struct json_writer text = json_writer_make(id, sizeof id);
    json_raw(&text, VIEW("m"));
    text.needs_comma = false;
    json_number(&text, number);
    json_key(writer, key);
    json_string(writer, json_written(&text));
}

static void write_media(struct json_writer *writer, const struct member *member)
{
    json_key(writer, "audio");
    json_bool(writer, member->audio);
    json_key(writer, "video");
    json_bool(writer, member->video);
    json_key(writer, "screen");
    json_bool(writer, member->screen);
}

void meet_write_member(struct json_writer *writer, const struct member *member)
{
    json_open(writer, '{');
    meet_write_number(writer, "id", member->number);
    json_key(writer, "name");
    json_string(writer, member_name(member));
    write_media(writer, member);
    json_key(writer, "hand");
    json_bool(writer, member->hand);
    json_key(writer, "away");
    json_bool(writer, member->away);
    json_close(writer, '}');
}

void meet_write_topology(struct json_writer *writer, const struct room *room)
{
    json_key(writer, "topology");
    json_string(writer, room->topology == TOPOLOGY_SFU ? VIEW("sfu") : VIEW("mesh"));
}

static void write_joined(struct json_writer *writer, const struct room_event *event)
{
    json_key(writer, "member");
    meet_write_member(writer, event->member);
}

static void write_left(struct json_writer *writer, const struct room_event *event)
{
    static const char *const REASONS[] = {
        [LEAVE_LEFT] = "left", [LEAVE_LOST] = "lost", [LEAVE_REPLACED] = "replaced"
    };
    meet_write_number(writer, "member", event->number);
    json_key(writer, "reason");
    json_string(writer, view_of(REASONS[event->reason]));
}

static void write_presence(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "member", event->number);
}

static void write_description(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "from", event->number);
    json_key(writer, "sdp");
    json_string(writer, event->body);
}

static void write_candidate(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "from", event->number);
    json_key(writer, "candidate");
    json_raw(writer, event->body);
}

static void write_media_event(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "from", event->number);
    write_media(writer, event->member);
}

static void write_hand(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "from", event->number);
    json_key(writer, "raised");
    json_bool(writer, event->member->hand);
}

static void write_chat(struct json_writer *writer, const struct room_event *event)
{
    meet_write_number(writer, "from", event->number);
    if (event->audience.kind == AUDIENCE_PAIR)
        meet_write_number(writer, "to", event->audience.to);
    json_key(writer, "text");
    json_string(writer, event->body);
}

static void write_topology(struct json_writer *writer, const struct room_event *event)
{
    meet_write_topology(writer, event->room);
}

static void write_answer(struct json_writer *writer, const struct room_event *event)
{
    json_key(writer, "sdp");
    json_string(writer, event->body);
}

static void write_closed(struct json_writer *writer, const struct room_event *event)
{
    json_key(writer, "reason");
    json_string(writer, event->body);
}

/* The body is the rest of the object. */
static void write_tracks(struct json_writer *writer, const struct room_event *event)
{
    json_key(writer, "tracks");
    json_raw(writer, event->body);
}

struct form {
    const char *type;
    void (*write)(struct json_writer *writer, const struct room_event *event);
};

static const struct form FORMS[] = {
    [ROOM_JOINED] = { "member-joined", write_joined },
    [ROOM_LEFT] = { "member-left", write_left },
    [ROOM_AWAY] = { "member-away", write_presence },
    [ROOM_BACK] = { "member-back", write_presence },
    [ROOM_OFFER] = { "offer", write_description },
    [ROOM_ANSWER] = { "answer", write_description },
    [ROOM_CANDIDATE] = { "candidate", write_candidate },
    [ROOM_MEDIA] = { "media", write_media_event },
    [ROOM_HAND] = { "hand", write_hand },
    [ROOM_CHAT] = { "chat", write_chat },
    [ROOM_TOPOLOGY] = { "topology", write_topology },
    [ROOM_SFU_ANSWER] = { "sfu-answer", write_answer },
    [ROOM_SFU_CLOSED] = { "sfu-closed", write_closed },
    [ROOM_TRACKS] = { "tracks", write_tracks },
};

static void send_to(struct server *server, usec now, struct member *member, struct buffer *frame,
                    uint64_t seq)
{
    struct stream *stream = member->link;
    if (!stream)
        return;
    metrics_add(server->metrics, METRIC_MEET_OUT, 1);
    websocket_send(server, now, stream, frame);
    if (seq % MEET_PING_EVERY == 0)
        meet_ping(server, now, stream);
}

/* An event that can't be written for want of memory counts as dropped.  Whoever should have heard
 * it must not believe that it has all: those are closed, and join anew. */
static void lose_event(struct server *server, const struct room_event *event)
{
    struct room *room = event->room;
    history_clear(&room->history, &server->rooms.history);
    room->history.dropped = event->seq;
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room->members[i]->link && room_event_reaches(event, room->members[i]))
            stream_fail(server, room->members[i]->link);
}

static void send_event(struct server *server, usec now, const struct room_event *event)
{
    const struct form *form = &FORMS[event->kind];
    struct room *room = event->room;
    struct json_writer writer = meet_begin(server, form->type);
    struct buffer *frame;

    json_key(&writer, "seq");
    json_number(&writer, event->seq);
    form->write(&writer, event);
    json_close(&writer, '}');
    if (writer.overflow ||
        ws_frame(server->buffers, WEBSOCKET_TEXT, json_written(&writer), &frame) != OK) {
        lose_event(server, event);
        return;
    }
    history_add(&room->history, &server->rooms.history, event->seq, &event->audience, frame);
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room_event_reaches(event, room->members[i]))
            send_to(server, now, room->members[i], frame, event->seq);
    buffer_give(server->buffers, frame);
}

void meet_drain_events(struct server *server, usec now)
{
    struct room_event event;
    while (rooms_poll(&server->rooms, &event))
        send_event(server, now, &event);
}

void meet_drain(struct server *server, usec now)
{
    struct room_event event;
    struct room *changed = NULL; /* who is there, or what of them is on */
    struct seat *seat;
    while ((seat = rooms_poll_seat(&server->rooms)) != NULL) {
        seat->member = NULL; /* is no more */
        seat_close(seat, now);
    }
    while (rooms_poll(&server->rooms, &event)) {
        send_event(server, now, &event);
        if (event.kind == ROOM_TOPOLOGY)
            seats_follow(server, now, event.room);
        if (event.kind == ROOM_LEFT || event.kind == ROOM_MEDIA)
            changed = event.room;
    }
    if (changed)
        seats_point(server, now, changed);
}

void meet_replay(struct server *server, usec now, struct stream *stream,
                 const struct member *member, uint64_t seq)
{
    const struct history_entry *entry = NULL;
    while ((entry = history_next(&member->room->history, entry, seq, member->number)) != NULL) {
        metrics_add(server->metrics, METRIC_MEET_OUT, 1);
        websocket_send(server, now, stream, entry->buffer);
    }
}
