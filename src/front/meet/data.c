#include "front/meet/data.h"

#include "front/meet/spread.h"
#include "media/sfu.h"

#include <assert.h>
#include <string.h>

/* A message, on its way; its bytes are behind it. */
struct data_record {
    uint64_t link; /* 0: it is no link's */
    uint64_t room;
    bool is_from_home;
    uint8_t reliability;
    uint8_t message_kind; /* enum sctp_kind */
    uint8_t label_size;
    uint8_t protocol_size;
    uint8_t text[DATA_FAR_TEXT_MAX];
};

/* Of either kind of circle. */
struct place {
    struct server *server;
    uint64_t room;
    uint64_t workers; /* that are to be told: a bit each */
    bool is_home;
};

static struct place place_of_room(const struct room *room)
{
    return (struct place){ room->front, room->serial, seats_elsewhere(room), true };
}

static struct place place_of_stage(const struct stage *stage)
{
    return (struct place){ stage->server, stage->room, UINT64_C(1) << stage->home, false };
}

/* ---- there ---- */

static void send_note(const struct place *place, enum note_kind kind, unsigned origin,
                      const struct sctp_channel_terms *terms)
{
    uint8_t text[DATA_FAR_TEXT_MAX];
    struct view label = terms->label;
    struct view protocol = terms->protocol;
    if (label.size + protocol.size > sizeof text)
        return; /* such are not known elsewhere */
    if (label.size)
        memcpy(text, label.at, label.size);
    if (protocol.size)
        memcpy(text + label.size, protocol.at, protocol.size);
    for (uint64_t left = place->workers; left; left &= left - 1) {
        struct note *note = note_new(place->server, (unsigned)__builtin_ctzll(left), kind,
                                     view_make(text, label.size + protocol.size));
        if (!note)
            continue;
        note->room = place->room;
        note->data = (struct note_data){ .is_from_home = place->is_home,
                                         .worker = (uint8_t)origin,
                                         .reliability = terms->reliability,
                                         .is_unordered = terms->is_unordered,
                                         .parameter = terms->parameter,
                                         .label_size = (uint16_t)label.size };
        note_send(place->server, note);
    }
}

static void send_message(const struct place *place, const struct sctp_channel_terms *terms,
                         uint8_t message_kind, struct view message)
{
    const struct server_road *road = &place->server->config.road;
    struct data_record record = { .room = place->room,
                                  .is_from_home = place->is_home,
                                  .reliability = terms->reliability,
                                  .message_kind = message_kind,
                                  .label_size = (uint8_t)terms->label.size,
                                  .protocol_size = (uint8_t)terms->protocol.size };
    if (terms->label.size + terms->protocol.size > sizeof record.text)
        return;
    if (terms->label.size)
        memcpy(record.text, terms->label.at, terms->label.size);
    if (terms->protocol.size)
        memcpy(record.text + terms->label.size, terms->protocol.at, terms->protocol.size);
    for (uint64_t left = place->workers; left; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);
        struct view head = view_make((const uint8_t *)&record, sizeof record);
        if (road->put(road->context, to, head, message))
            continue;
        metrics_add(place->server->metrics, METRIC_MEDIA_DATA_LOST, 1);
        struct place one = *place;
        one.workers = UINT64_C(1) << to;
        if (terms->reliability == DCEP_RELIABLE)
            send_note(&one, NOTE_DATA_BROKEN, 0, terms);
    }
}

static void room_opened(void *context, const struct sctp_channel_terms *terms)
{
    struct place place = place_of_room(context);
    send_note(&place, NOTE_DATA_OPENED, place.server->config.worker, terms);
}

static void room_closed(void *context, const struct sctp_channel_terms *terms)
{
    struct place place = place_of_room(context);
    send_note(&place, NOTE_DATA_CLOSED, place.server->config.worker, terms);
}

static void room_said(void *context, const struct sctp_channel_terms *terms, uint8_t message_kind,
                      const struct buffer *message)
{
    struct place place = place_of_room(context);
    send_message(&place, terms, message_kind, buffer_view(message));
}

static void stage_opened(void *context, const struct sctp_channel_terms *terms)
{
    struct place place = place_of_stage(context);
    send_note(&place, NOTE_DATA_OPENED, place.server->config.worker, terms);
}

static void stage_closed(void *context, const struct sctp_channel_terms *terms)
{
    struct place place = place_of_stage(context);
    send_note(&place, NOTE_DATA_CLOSED, place.server->config.worker, terms);
}

static void stage_said(void *context, const struct sctp_channel_terms *terms, uint8_t message_kind,
                       const struct buffer *message)
{
    struct place place = place_of_stage(context);
    send_message(&place, terms, message_kind, buffer_view(message));
}

void data_serve_room(struct server *server, struct room *room)
{
    if (!server->spread)
        return;
    room->front = server;
    room->data.way = (struct data_way){ room_opened, room_closed, room_said, room };
}

void data_serve_stage(struct stage *stage)
{
    stage->data.way = (struct data_way){ stage_opened, stage_closed, stage_said, stage };
}

void data_greet(struct server *server, struct room *room, unsigned worker)
{
    struct place place = { server, room->serial, UINT64_C(1) << worker, true };
    struct sctp_channel_terms terms;
    uint64_t workers;
    for (unsigned n = 0; data_circle_far(&room->data, n, &workers, &terms); n++)
        for (workers &= ~place.workers; workers; workers &= workers - 1)
            send_note(&place, NOTE_DATA_OPENED, (unsigned)__builtin_ctzll(workers), &terms);
    data_circle_tell(&room->data); /* to the others again */
}

/* ---- here ---- */

/* The circle that something is for, and who else is to be told of it; NULL: it is no more. */
static struct data_circle *find_circle(struct server *server, unsigned from, uint64_t room,
                                       bool is_from_home, struct place *others)
{
    *others = (struct place){ .server = server, .room = room, .is_home = true };
    if (is_from_home) {
        struct stage *stage = stage_find(server, from, room);
        return stage ? &stage->data : NULL;
    }
    struct room *found = rooms_of_serial(&server->rooms, room);
    if (!found)
        return NULL;
    others->workers = seats_elsewhere(found) & ~(UINT64_C(1) << from);
    return &found->data;
}

void data_note(struct server *server, usec now, const struct note *note)
{
    const struct note_data *data = &note->data;
    struct place others;
    struct data_circle *circle =
        find_circle(server, note->from, note->room, data->is_from_home, &others);
    const struct sctp_channel_terms terms = {
        .label = view_slice(note_view(note), 0, data->label_size),
        .protocol = view_slice(note_view(note), data->label_size, note->size),
        .reliability = data->reliability,
        .is_unordered = data->is_unordered,
        .parameter = data->parameter,
    };
    if (!circle || !server->sfu)
        return;
    if (note->kind == NOTE_DATA_OPENED)
        data_circle_opened(circle, server->sfu, now, data->worker, &terms);
    else if (note->kind == NOTE_DATA_CLOSED)
        data_circle_closed(circle, server->sfu, now, data->worker, &terms);
    else
        data_circle_broken(circle, server->sfu, now, &terms);
    send_note(&others, note->kind, data->worker, &terms);
}

void data_record(struct server *server, usec now, unsigned from, struct view bytes)
{
    struct data_record record;
    struct place others;
    struct buffer *message;
    assert(bytes.size >= sizeof record);
    memcpy(&record, bytes.at, sizeof record);
    struct view text = view_make(record.text, sizeof record.text);
    struct view body = view_slice(bytes, sizeof record, bytes.size);
    const struct sctp_channel_terms terms = {
        .label = view_slice(text, 0, record.label_size),
        .protocol = view_slice(text, record.label_size, record.protocol_size),
        .reliability = record.reliability,
    };
    struct data_circle *circle =
        find_circle(server, from, record.room, record.is_from_home, &others);
    if (!circle)
        return;
    send_message(&others, &terms, record.message_kind, body);
    if (buffers_take(server->buffers, body.size, &message) != OK) {
        metrics_add(server->metrics, METRIC_MEDIA_DATA_LOST, 1);
        if (record.reliability == DCEP_RELIABLE)
            data_circle_broken(circle, server->sfu, now, &terms);
        return;
    }
    if (body.size)
        memcpy(message->bytes, body.at, body.size);
    message->size = (uint32_t)body.size;
    data_circle_said(circle, server->sfu, now, &terms, record.message_kind, message);
    buffer_give(server->buffers, message);
}
