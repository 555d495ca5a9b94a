/* Why a member's pictures look as they do: what is known of them at this worker and at others, and
 * who asks. */
#include "front/meet/seat.h"

#include "front/errand.h"
#include "front/meet/links.h"
#include "front/meet/spread.h"
#include "front/meet/stage.h"

#include <stdio.h>
#include <string.h>

/* ---- what is known ---- */

/* What is told of a seat: at its room's worker, or at the one where its peer is. */
static const struct show *show_of(const struct seat *seat)
{
    const struct stage *stage = seat->stage;
    if (!stage)
        return &seat->show;
    for (uint32_t i = 0; i < stage->show_count; i++)
        if (stage->shows[i].row.seat == seat->id)
            return &stage->shows[i];
    return NULL; /* it is still to be told */
}

static void look_here(const struct seat *of, const struct track *track, struct media_look *look)
{
    const struct show *show = show_of(of);
    for (unsigned i = 0; show && i < SEAT_SOURCES; i++)
        if (of->tracks[i] == track)
            look->how.limit = show->row.limits[seat_picture(i)];
}

/* False: the track is none of the show's. */
static bool look_there(const struct show *show, const struct track *track, struct media_look *look)
{
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        if (!show->inlets[i] || show->inlets[i]->in.track != track)
            continue;
        look->id_size =
            (uint8_t)snprintf(look->id, sizeof look->id, "m%u", (unsigned)show->row.member);
        look->source = view_of(seat_source_kinds[i].name);
        look->how = show->looks[seat_picture(i)];
        look->how.limit = show->row.limits[seat_picture(i)];
        return true;
    }
    return false;
}

void seat_look(const struct peer *peer, const struct track *track, struct media_look *look)
{
    const struct seat *seat = peer->owner;
    const struct transceiver *from = transceiver_of(track);
    bool is_found = from != NULL;
    look->last_n = seat->server->config.last_n;
    if (from)
        look_here(from->peer->owner, track, look);
    for (uint32_t i = 0; seat->stage && !is_found && i < seat->stage->show_count; i++)
        is_found = look_there(&seat->stage->shows[i], track, look);
    if (!seat->member)
        return;
    const struct room *room = seat->member->room;
    for (uint32_t i = 0; !is_found && i < room->member_count; i++) {
        const struct seat *other = room->members[i]->seat;
        if (seat_is_elsewhere(other))
            is_found = look_there(&other->show, track, look);
    }
}

void seat_measure(const struct seat *seat, usec now, struct verdict_source looks[SEAT_PICTURES])
{
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        if (seat_source_kinds[i].is_video && seat->tracks[i])
            why_measure(seat->tracks[i], now, &looks[seat_picture(i)]);
}

void seats_tell_looks(struct server *server, usec now, const struct room *room)
{
    struct seat_looks rows[ROOM_MEMBERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        if (!seat)
            continue;
        struct seat_looks *row = &rows[count++];
        memset(row, 0, sizeof *row);
        row->seat = seat->id;
        if (seat->peer)
            seat_measure(seat, now, row->looks);
        else
            memcpy(row->looks, seat->show.looks, sizeof row->looks);
    }
    for (uint64_t workers = seats_elsewhere(room); workers; workers &= workers - 1) {
        unsigned to = (unsigned)__builtin_ctzll(workers);
        struct note *note =
            note_new(server, to, NOTE_LOOKS, view_make((uint8_t *)rows, count * sizeof rows[0]));
        if (!note)
            continue; /* the next one says all of it again */
        note->room = room->serial;
        note_send(server, note);
    }
}

void stage_take_looks(struct stage *stage, struct view bytes)
{
    struct seat_looks row;
    for (size_t at = 0; at + sizeof row <= bytes.size; at += sizeof row) {
        memcpy(&row, bytes.at + at, sizeof row);
        for (uint32_t i = 0; i < stage->show_count; i++)
            if (stage->shows[i].row.seat == row.seat)
                memcpy(stage->shows[i].looks, row.looks, sizeof row.looks);
    }
}

/* ---- who asks ---- */

bool seat_report_why(struct server *server, usec now, struct errand *errand)
{
    const struct seat *seat = spread_find(server, errand->serial);
    const struct peer *peer = seat ? seat->peer : NULL;
    why_write(&errand->writer, now, &peer, peer ? 1 : 0);
    json_close(&errand->writer, '}');
    return true;
}

/* The beginning of what its member is told; NULL: it is told when it is back, and asks again. */
static struct stream *begin(const struct seat *seat, struct json_writer *writer)
{
    struct stream *stream = seat->member ? seat->member->link : NULL;
    *writer = meet_begin(seat->server, "sfu-why");
    json_key(writer, "why");
    return stream;
}

void seat_tell_why(const struct seat *seat, usec now, struct view why)
{
    struct json_writer writer;
    struct stream *stream = begin(seat, &writer);
    if (!stream)
        return;
    json_raw(&writer, why);
    meet_send(seat->server, now, stream, &writer);
}

static void write_why(const struct seat *seat, usec now, struct json_writer *writer)
{
    const struct peer *peer = seat->peer;
    json_open(writer, '{');
    why_write(writer, now, &peer, 1);
    json_close(writer, '}');
}

void seat_answer_why(struct seat *seat, usec now)
{
    struct server *server = seat->server;
    struct json_writer writer = json_writer_make(server->scratch, sizeof server->scratch);
    if (seat->stage) {
        write_why(seat, now, &writer);
        stage_tell_why(seat, json_written(&writer));
        return;
    }
    struct stream *stream = begin(seat, &writer);
    write_why(seat, now, &writer);
    if (stream)
        meet_send(server, now, stream, &writer);
}

/* False: it was refused, for it was done less than `each` ago. */
static bool is_in_time(struct meet_call *call, usec *last, usec each)
{
    if (*last > 0 && call->now - *last < each) {
        meet_refuse(call, "too-often", "ask again later");
        return false;
    }
    *last = call->now;
    return true;
}

void seat_why(struct meet_call *call)
{
    struct seat *seat = call->member->seat;
    if (!seat)
        meet_refuse(call, "no-sfu", "there is no connection: begin one with \"new\":true");
    else if (!is_in_time(call, &seat->asked_why_at, SEAT_WHY_EACH))
        return;
    else if (seat->peer)
        seat_answer_why(seat, call->now);
    else
        seat_far_ask_why(seat);
}

/* ---- what a member says of its encoders ---- */

/* False: it is no limit.  What is not there stays as it was. */
static bool read_limit(const cJSON *limits, const char *source, uint8_t *out)
{
    enum verdict_limit limit;
    if (!cJSON_GetObjectItemCaseSensitive(limits, source))
        return true;
    if (!verdict_limit_read(json_get_string(limits, source), &limit))
        return false;
    *out = (uint8_t)limit;
    return true;
}

void seat_quality(struct meet_call *call)
{
    const cJSON *limits = cJSON_GetObjectItemCaseSensitive(call->message, "limits");
    struct seat *seat = call->member->seat;
    uint8_t read[SEAT_PICTURES] = { 0 };
    if (!seat) {
        meet_refuse(call, "no-sfu", "there is no connection: begin one with \"new\":true");
        return;
    }
    uint8_t *told = seat->show.row.limits;
    memcpy(read, told, sizeof read);
    if (!cJSON_IsObject(limits) || !read_limit(limits, "camera", &read[0]) ||
        !read_limit(limits, "screen", &read[1])) {
        meet_refuse(call, "bad-message",
                    "\"limits\" must have \"camera\" or \"screen\": \"none\", \"cpu\", "
                    "\"bandwidth\", \"other\" or \"unknown\"");
        return;
    }
    if (!memcmp(told, read, sizeof read) ||
        !is_in_time(call, &seat->told_limits_at, SEAT_QUALITY_EACH))
        return;
    memcpy(told, read, sizeof read);
    seats_tell_bill(call->server, call->member->room);
}
