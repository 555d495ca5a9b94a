#include "front/meet/voices.h"

#include "front/meet/spread.h"
#include "front/meet/stage.h"

#include <assert.h>
#include <string.h>

#define LEVEL_STEP 5 /* levels are told so roughly: they change all the time */

static struct speaker *speaker_at(const struct list *node)
{
    return LIST_ENTRY(node, struct speaker, node);
}

/* Looks again in a while. */
static void look_soon(struct server *server, usec now, struct room_voices *voices)
{
    voices->timer.kind = TIMER_VOICES;
    if (!voices->timer.is_set)
        wheel_set(&server->wheel, &voices->timer, now + SPEAKERS_EACH);
}

/* ---- who there is ---- */

void voices_join(struct seat *seat, usec now)
{
    const struct server_config *config = &seat->server->config;
    struct room_voices *voices = seat->stage ? &seat->stage->voices : &seat->member->room->voices;
    if (!seat->stage) {
        voices->speakers.last_n = config->last_n;
        voices->speakers.loudest_n = config->loudest_n;
    }
    seat->voice.owner = seat;
    voices->speakers.changes |= speakers_add(&voices->speakers, now, &seat->voice);
}

void voices_leave(struct seat *seat, usec now)
{
    struct speakers *speakers = seat->voice.of;
    if (!speakers)
        return; /* its room has ended */
    speakers->changes |= speakers_remove(&seat->voice, now);
    look_soon(seat->server, now, LIST_ENTRY(speakers, struct room_voices, speakers));
}

void voices_show(const struct room *room, usec now)
{
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (!seat)
            continue;
        const struct show_row row = seat_row(seat);
        bool is_shown = row.serials[SEAT_CAMERA] && row.on >> SEAT_CAMERA & 1;
        (void)speakers_show(&seat->voice, now, is_shown); /* the slots are pointed anyway */
    }
}

/* ---- what members are told ---- */

static void write_speaker(struct json_writer *writer, usec now, const struct speaker *speaker)
{
    const struct seat *seat = speaker->owner;
    json_open(writer, '{');
    meet_write_number(writer, "member", seat->number);
    json_key(writer, "level");
    json_number(writer, speaker_level(speaker, now) / LEVEL_STEP * LEVEL_STEP);
    json_close(writer, '}');
}

/* Gives whether there is anything to be said. */
static bool write_speakers(struct json_writer *writer, usec now, const struct speakers *speakers)
{
    bool is_any = speakers->dominant != NULL;
    if (speakers->dominant) {
        const struct seat *seat = speakers->dominant->owner;
        meet_write_number(writer, "dominant", seat->number);
    }
    json_key(writer, "speaking");
    json_open(writer, '[');
    for (const struct list *node = speakers->all.next; node != &speakers->all; node = node->next)
        if (speaker_talks(speaker_at(node), now)) {
            write_speaker(writer, now, speaker_at(node));
            is_any = true;
        }
    json_close(writer, ']');
    return is_any;
}

static void send_to_all(struct server *server, usec now, const struct room *room,
                        struct json_writer *writer)
{
    struct buffer *frame;
    json_close(writer, '}');
    assert(!writer->overflow);
    if (ws_frame(server->buffers, WEBSOCKET_TEXT, json_written(writer), &frame) != OK)
        return; /* the next one says it again */
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct stream *stream = room->members[i]->link;
        if (!stream)
            continue;
        metrics_add(server->metrics, METRIC_MEET_OUT, 1);
        websocket_send(server, now, stream, frame);
    }
    buffer_give(server->buffers, frame);
}

/* False: there is something to be told, but it is too soon. */
static bool tell(struct server *server, usec now, struct room *room)
{
    struct room_voices *voices = &room->voices;
    struct json_writer writer = meet_begin(server, "speakers");
    bool is_any = write_speakers(&writer, now, &voices->speakers);
    uint64_t hash = siphash(json_written(&writer), server->config.room_secret) | 1;
    if (hash == voices->told || (!is_any && voices->told == 0))
        return true;
    if (voices->told && now - voices->told_at < VOICES_TELL_EACH)
        return false;
    voices->told = hash;
    voices->told_at = now;
    send_to_all(server, now, room, &writer);
    return true;
}

void voices_greet(struct server *server, usec now, const struct member *member)
{
    const struct room_voices *voices = &member->room->voices;
    if (!voices->told)
        return;
    struct json_writer writer = meet_begin(server, "speakers");
    (void)write_speakers(&writer, now, &voices->speakers);
    meet_send(server, now, member->link, &writer);
}

/* ---- where the room is ---- */

static bool is_anybody_heard(const struct speakers *speakers, usec now)
{
    for (const struct list *node = speakers->all.next; node != &speakers->all; node = node->next)
        if (speaker_speaks(speaker_at(node), now))
            return true;
    return false;
}

/* Whether somebody may have to be sent something else. */
static bool moves_slots(const struct speakers *speakers, unsigned changes)
{
    return changes & SPEAKERS_DOMINANT || (changes & SPEAKERS_SEEN && speakers->last_n > 0) ||
           (changes & SPEAKERS_LOUD && speakers->loudest_n > 0);
}

static void look_at_room(struct server *server, usec now, struct room_voices *voices)
{
    struct room *room = LIST_ENTRY(voices, struct room, voices);
    struct speakers *speakers = &voices->speakers;
    unsigned changes = speakers->changes;
    if (now - speakers->looked_at >= SPEAKERS_EACH)
        changes |= speakers_look(speakers, now);
    speakers->changes = 0;
    if (moves_slots(speakers, changes))
        seats_point(server, now, room);
    if (!tell(server, now, room) || is_anybody_heard(speakers, now))
        look_soon(server, now, voices);
}

/* ---- where it is not ---- */

/* Of those who have spoken in the time that a report is of, and those of whom nothing was known. */
static void report(struct stage *stage, usec now)
{
    struct note_voice rows[ROOM_MEMBERS_MAX];
    size_t count = 0;
    for (struct list *node = stage->seats.next; node != &stage->seats; node = node->next) {
        struct seat *seat = LIST_ENTRY(node, struct seat, of_stage);
        struct note_voice *row = &rows[count];
        *row = (struct note_voice){ .seat = seat->id };
        speaker_report(&seat->voice, now, &row->report);
        if (!row->report.has_level || (row->report.spoken == 0 && seat->is_voice_told))
            continue;
        seat->is_voice_told = true;
        count++;
    }
    if (count == 0)
        return;
    struct note *note = note_new(stage->server, stage->home, NOTE_VOICES,
                                 view_make((uint8_t *)rows, count * sizeof rows[0]));
    look_soon(stage->server, now, &stage->voices);
    if (!note)
        return;
    note->room = stage->room;
    note_send(stage->server, note);
}

static void look_at_stage(struct server *server, usec now, struct room_voices *voices)
{
    if (now - voices->told_at < SPEAKERS_EACH) {
        look_soon(server, now, voices);
        return;
    }
    voices->told_at = now;
    report(LIST_ENTRY(voices, struct stage, voices), now);
}

void voices_note(struct server *server, usec now, const struct note *note)
{
    struct room *room = rooms_of_serial(&server->rooms, note->room);
    struct note_voice row;
    if (!room)
        return; /* it ended while this was on its way */
    for (size_t at = 0; at + sizeof row <= note->size; at += sizeof row) {
        memcpy(&row, note->bytes + at, sizeof row);
        struct seat *seat = spread_find(server, row.seat);
        if (seat && seat->voice.of == &room->voices.speakers)
            room->voices.speakers.changes |= speakers_told(&seat->voice, now, &row.report);
    }
    look_at_room(server, now, &room->voices);
}

/* ---- both ---- */

static void look(struct server *server, usec now, struct room_voices *voices)
{
    if (voices->speakers.is_listening)
        look_at_stage(server, now, voices);
    else
        look_at_room(server, now, voices);
}

void voices_settle(struct server *server, usec now)
{
    struct speakers *speakers;
    while ((speakers = sfu_poll_speakers(server->sfu)))
        look(server, now, LIST_ENTRY(speakers, struct room_voices, speakers));
}

void voices_expired(struct server *server, usec now, struct timer *timer)
{
    look(server, now, LIST_ENTRY(timer, struct room_voices, timer));
}
