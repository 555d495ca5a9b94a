/* Seats whose connection is at another worker, where their members are: what is said goes there as
 * notes, and what comes back is told to the member. */
#include "front/meet/seat.h"

#include "front/meet/data.h"
#include "front/meet/links.h"
#include "front/meet/spread.h"

#include <assert.h>
#include <string.h>

_Static_assert(SEAT_PICTURES == 2, "a sum has all of a member's pictures");
_Static_assert(SEAT_SOURCES == NOTE_SOURCES, "a note has all of a member's tracks");

/* ---- where ---- */

/* Peers at the worker, with those of the room that are still to be opened there: many may come at
 * once. */
static uint64_t load_of(const struct server *server, unsigned worker, const struct room *room)
{
    uint64_t load = metrics_read(&server->config.metrics[worker], METRIC_MEDIA_PEERS);
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        load += seat_is_elsewhere(seat) && !seat->is_answered && seat->show.row.worker == worker;
    }
    return load;
}

unsigned seat_place(const struct server *server, const struct room *room)
{
    const struct server_config *config = &server->config;
    unsigned best = config->worker;
    uint32_t seats = 0;
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        seats += seat && seat->peer;
    }
    if (!server->spread || seats < config->spread_from)
        return best;
    uint64_t least = load_of(server, best, room);
    for (unsigned i = 0; i < config->worker_count; i++) {
        uint64_t load = load_of(server, i, room);
        if (load >= least)
            continue;
        least = load;
        best = i;
    }
    return best;
}

/* ---- there ---- */

static void name(struct note_offer *offer, unsigned which, struct view text)
{
    assert(text.size <= sizeof offer->names[which]);
    memcpy(offer->names[which], text.at, text.size);
    offer->name_sizes[which] = (uint8_t)text.size;
}

static void fill(struct note *note, const struct seat *seat, const struct seat_offer *offer)
{
    struct note_offer *to = &note->offer;
    const struct room *room = seat->member->room;
    note->seat = seat->id;
    note->room = room->serial;
    to->member = seat->number;
    to->permissions = seat->permissions;
    to->is_new = offer->is_new;
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        struct view mid = offer->mids[i];
        to->mid_sizes[i] = (uint8_t)mid.size;
        if (mid.size)
            memcpy(to->mids[i], mid.at, mid.size);
    }
    name(to, 0, room_name(room));
    name(to, 1, member_name(seat->member));
}

void seat_far_offer(struct meet_call *call, struct seat *seat, const struct seat_offer *offer)
{
    struct note *note = NULL;
    if (seat->is_asked) {
        meet_refuse(call, "bad-message", "an offer before this one has not been answered yet");
        return;
    }
    if (seat->id)
        note = note_new(call->server, seat->show.row.worker, NOTE_OFFER, offer->sdp);
    if (!note) {
        meet_refuse(call, "sfu-full", "the server has no memory for it");
        if (offer->is_new)
            seat_refused(seat, call->now, false);
        return;
    }
    fill(note, seat, offer);
    note_send(call->server, note);
    if (offer->is_new)
        data_greet(call->server, seat->member->room, seat->show.row.worker);
    seat->is_asked = true;
    seat->asked_id = call->id;
}

void seat_far_wish(struct seat *seat, const struct seat_tile *tiles, size_t count)
{
    struct view bytes = view_make((const uint8_t *)tiles, count * sizeof tiles[0]);
    struct note *note = note_new(seat->server, seat->show.row.worker, NOTE_WISH, bytes);
    if (!note)
        return; /* the next one is another try */
    note->seat = seat->id;
    note_send(seat->server, note);
}

void seat_far_close(struct seat *seat, usec now)
{
    struct server *server = seat->server;
    struct note *note = NULL;
    inlets_close(&seat->show, now, false);
    if (!seat->is_gone)
        note = note_new(server, seat->show.row.worker, NOTE_CLOSE, view_make(NULL, 0));
    if (!note)
        return;
    note->seat = seat->id;
    note_send(server, note);
}

uint64_t seats_elsewhere(const struct room *room)
{
    uint64_t workers = 0;
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        if (seat && !seat->peer)
            workers |= UINT64_C(1) << seat->show.row.worker;
    }
    return workers;
}

void seats_tell_bill(struct server *server, const struct room *room)
{
    struct show_row rows[ROOM_MEMBERS_MAX];
    uint32_t count = 0;
    uint64_t workers = seats_elsewhere(room);
    for (uint32_t i = 0; i < room->member_count && workers; i++) {
        const struct seat *seat = room->members[i]->seat;
        if (seat)
            rows[count++] = seat_row(seat);
    }
    for (; workers; workers &= workers - 1) {
        unsigned to = (unsigned)__builtin_ctzll(workers);
        struct note *note =
            note_new(server, to, NOTE_BILL, view_make((uint8_t *)rows, count * sizeof rows[0]));
        if (!note)
            continue; /* the next one says all of it again */
        note->room = room->serial;
        note_send(server, note);
    }
}

void seat_far_tell_again(const struct seat *seat)
{
    struct note *note =
        note_new(seat->server, seat->show.row.worker, NOTE_AGAIN, view_make(NULL, 0));
    if (!note)
        return;
    note->seat = seat->id;
    note_send(seat->server, note);
}

void seat_far_ask_why(const struct seat *seat)
{
    struct note *note = note_new(seat->server, seat->show.row.worker, NOTE_WHY, view_make(NULL, 0));
    if (!note)
        return; /* it asks again */
    note->seat = seat->id;
    note_send(seat->server, note);
}

/* ---- back ---- */

/* What is said to a member that is away is lost, like all errors. */
static void refuse(struct seat *seat, usec now, const char *code, const char *words)
{
    struct meet_call call = { .server = seat->server,
                              .now = now,
                              .stream = seat->member->link,
                              .type = VIEW("sfu-offer"),
                              .id = seat->asked_id };
    seat->is_asked = false;
    if (call.stream)
        meet_refuse(&call, code, words);
}

static void tell(struct seat *seat, usec now, enum room_event_kind kind, const struct note *note)
{
    rooms_tell(&seat->server->rooms, seat->member, kind, note_view(note));
    meet_drain(seat->server, now); /* the event borrows the text */
}

static void answered(struct seat *seat, usec now, const struct note *note)
{
    struct show *show = &seat->show;
    seat->is_asked = false;
    seat->is_answered = true;
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        if (show->row.serials[i] == note->serials[i])
            continue;
        show->row.serials[i] = note->serials[i];
        if (show->inlets[i])
            inlet_close(show->inlets[i], now);
        show->inlets[i] = NULL;
    }
    tell(seat, now, ROOM_SFU_ANSWER, note);
    seats_point(seat->server, now, seat->member->room);
}

/* How pictures come in is told to all other workers, as often as the first of them says how it is
 * with its own. */
static void take_sums(struct server *server, usec now, const struct note *note)
{
    const struct room *room = NULL;
    struct note_sum sum;
    for (size_t at = 0; at + sizeof sum <= note->size; at += sizeof sum) {
        memcpy(&sum, note->bytes + at, sizeof sum);
        struct seat *seat = spread_find(server, sum.seat);
        if (!seat || seat->peer)
            continue;
        seat->sum = sum.sum;
        memcpy(seat->show.looks, sum.looks, sizeof sum.looks);
        room = seat->member->room;
    }
    if (room && (unsigned)__builtin_ctzll(seats_elsewhere(room)) == note->from)
        seats_tell_looks(server, now, room);
}

void seats_sum(const struct room *room, const struct member *member, struct media_sum *sum)
{
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct seat *seat = room->members[i]->seat;
        if (!seat_is_elsewhere(seat) || (member && member != room->members[i]))
            continue;
        sum->connections += seat->sum.connections;
        sum->connected += seat->sum.connected;
        sum->tracks += seat->sum.tracks;
        sum->subscriptions += seat->sum.subscriptions;
        sum->in_bps += seat->sum.in_bps;
    }
}

void seat_far_note(struct server *server, usec now, const struct note *note)
{
    struct seat *seat;
    if (note->kind == NOTE_SUMS) {
        take_sums(server, now, note);
        return;
    }
    seat = spread_find(server, note->seat);
    if (!seat || seat->peer)
        return; /* it was closed while this was on its way */
    switch (note->kind) {
    case NOTE_ANSWER:
        answered(seat, now, note);
        break;
    case NOTE_REFUSED:
        refuse(seat, now, note->refused.code, note->refused.words);
        seat->is_gone = note->refused.is_over;
        if (note->refused.is_over)
            seat_refused(seat, now, note->refused.is_told);
        break;
    case NOTE_TRACKS:
        tell(seat, now, ROOM_TRACKS, note);
        break;
    case NOTE_STATE:
        seat_tell_state(seat, now, note_view(note));
        break;
    case NOTE_BECAUSE:
        seat_tell_why(seat, now, note_view(note));
        break;
    case NOTE_WANTED:
        seat_tell_wanted(seat, now, note_view(note));
        break;
    default: /* NOTE_ENDED */
        if (seat->is_asked)
            refuse(seat, now, "no-sfu", "the connection has ended: begin one with \"new\":true");
        seat->is_gone = true;
        seat_end(seat, now, note_view(note));
        break;
    }
}
