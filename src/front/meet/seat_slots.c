/* Whose track is in which slot of a member. */
#include "front/meet/links.h"
#include "front/meet/spread.h"
#include "front/meet/stage.h"
#include "front/meet/voices.h"

#include <assert.h>
#include <string.h>

#define WANTS_MAX  (2 * ROOM_MEMBERS_MAX) /* of a kind: each member has two sources of it */
#define NOWHERE    UINT32_MAX
#define TRACKS_MAX ((size_t)16384) /* the text of them */

/* A track that a member would get. */
struct want {
    struct track *track; /* NULL: it is at another worker, and not linked yet */
    struct show *show;   /* whose it is, there; NULL: it is here */
    uint32_t member;     /* its number */
    uint8_t source;
    bool is_left_out; /* it is not shown, by the rules of the room */
    bool is_chosen;   /* there is a slot for it */
    uint64_t rank;    /* higher ones first */
    uint32_t slot;    /* NOWHERE: in none */
};

/* Of one kind. */
struct half {
    struct want wants[WANTS_MAX];
    struct transceiver *slots[SEAT_VIDEO_MAX > SEAT_AUDIO_MAX ? SEAT_VIDEO_MAX : SEAT_AUDIO_MAX];
    uint32_t want_count;
    uint32_t slot_count;
};

struct plan {
    struct seat *seat;
    struct half halves[2]; /* audio, video */
};

static uint8_t bits_on(const struct member *member)
{
    const bool on[SEAT_SOURCES] = { [SEAT_MICROPHONE] = member->audio,
                                    [SEAT_CAMERA] = member->video,
                                    [SEAT_SCREEN] = member->screen,
                                    [SEAT_SCREEN_AUDIO] = member->screen };
    uint8_t bits = 0;
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        bits |= (uint8_t)(on[i] << i);
    return bits;
}

struct show_row seat_row(const struct seat *seat)
{
    struct show_row row = seat->show.row;
    const struct speaker *voice = &seat->voice;
    row.member = seat->number;
    row.on = bits_on(seat->member);
    row.is_seen = voice->is_seen || !voice->of || voice->of->last_n == 0;
    row.is_loud = voice->is_loud;
    row.turn = (uint32_t)voice->turn;
    for (unsigned i = 0; i < SEAT_SOURCES && seat->peer; i++)
        row.serials[i] = seat->tracks[i] ? seat->serials[i] : 0;
    return row;
}

/* What is on before what is off; then what goes by the rules of the room; then screens, and who
 * spoke last. */
static uint64_t rank_of(const struct show_row *row, uint8_t source)
{
    bool is_on = row->on >> source & 1;
    bool is_screen = source == SEAT_SCREEN || source == SEAT_SCREEN_AUDIO;
    bool goes = is_screen || (source == SEAT_CAMERA ? row->is_seen : row->is_loud);
    return (uint64_t)is_on << 33 | (uint64_t)goes << 32 | (is_screen ? UINT32_MAX : row->turn);
}

static void add_want(struct plan *plan, const struct show_row *row, struct want want)
{
    struct half *half = &plan->halves[seat_source_kinds[want.source].is_video];
    want.member = row->member;
    want.is_left_out = want.source == SEAT_CAMERA && !row->is_seen;
    want.rank = rank_of(row, want.source);
    want.slot = NOWHERE;
    half->wants[half->want_count++] = want;
}

/* What is published by a seat whose peer is here. */
static void gather_here(const struct seat *of, const struct show_row *row, struct plan *plan)
{
    for (uint8_t i = 0; i < SEAT_SOURCES; i++)
        if (of->tracks[i])
            add_want(plan, row, (struct want){ .track = of->tracks[i], .source = i });
}

static void gather_there(struct show *show, const struct show_row *row, struct plan *plan)
{
    for (uint8_t i = 0; i < SEAT_SOURCES; i++)
        if (row->serials[i])
            add_want(plan, row, (struct want){ .show = show, .source = i });
}

static void gather_of_room(const struct room *room, struct plan *plan)
{
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (!seat || seat == plan->seat)
            continue;
        const struct show_row row = seat_row(seat);
        if (seat->peer)
            gather_here(seat, &row, plan);
        else
            gather_there(&seat->show, &row, plan);
    }
}

static void gather_of_stage(struct stage *stage, struct plan *plan)
{
    for (uint32_t i = 0; i < stage->show_count; i++) {
        struct show *show = &stage->shows[i];
        if (show->row.member == plan->seat->number)
            continue;
        if (show->here)
            gather_here(show->here, &show->row, plan);
        else if (show->row.worker != stage->server->config.worker)
            gather_there(show, &show->row, plan);
    }
}

static void gather_wants(struct plan *plan)
{
    if (!(plan->seat->permissions & TOKEN_SUBSCRIBE))
        return;
    if (plan->seat->stage)
        gather_of_stage(plan->seat->stage, plan);
    else
        gather_of_room(plan->seat->member->room, plan);
}

static void gather_slots(const struct seat *seat, struct plan *plan)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(seat->peer, at)) != NULL) {
        struct half *half = &plan->halves[at->is_video];
        if (at->is_announced && at->is_agreed && at->may_send)
            if (half->slot_count < SEAT_KIND_MAX[at->is_video])
                half->slots[half->slot_count++] = at;
    }
}

/* As many as there are slots: those of the highest rank, and of these who came first. */
static void choose(struct half *half)
{
    bool is_enough = half->want_count <= half->slot_count;
    for (uint32_t i = 0; i < half->want_count && is_enough; i++)
        half->wants[i].is_chosen = true;
    for (uint32_t left = half->slot_count; left > 0 && !is_enough; left--) {
        struct want *best = NULL;
        for (uint32_t i = 0; i < half->want_count; i++) {
            struct want *want = &half->wants[i];
            if (!want->is_chosen && (!best || want->rank > best->rank))
                best = want;
        }
        best->is_chosen = true;
    }
}

/* What a link brings of a track; NULL: nothing yet. */
static struct track *find_track(const struct seat *seat, usec now, const struct want *want)
{
    struct server *server = seat->server;
    struct inlet *inlet = want->show->inlets[want->source];
    struct room *room = seat->stage ? NULL : seat->member->room;
    if (!inlet)
        inlet = inlet_open(want->show, now, want->source, server, seat->stage, room);
    if (!inlet)
        return NULL;
    inlet->pass = server->spread->pass;
    return inlet->in.track->terms.format_count ? inlet->in.track : NULL;
}

/* What is at another worker is brought here. */
static void bring(struct half *half, usec now, const struct seat *seat)
{
    for (uint32_t i = 0; i < half->want_count; i++)
        if (half->wants[i].is_chosen && half->wants[i].show)
            half->wants[i].track = find_track(seat, now, &half->wants[i]);
}

/* What is in a slot already stays there; what is not wanted any more goes. */
static void keep(struct half *half, usec now)
{
    for (uint32_t slot = 0; slot < half->slot_count; slot++) {
        const struct track *track = half->slots[slot]->subscription;
        bool is_kept = false;
        for (uint32_t i = 0; track && i < half->want_count; i++) {
            struct want *want = &half->wants[i];
            if (want->track != track || !want->is_chosen)
                continue;
            want->slot = slot;
            is_kept = true;
        }
        if (!is_kept && transceiver_subscribe(half->slots[slot], now, NULL) != OK)
            continue; /* nothing can be sent everywhere */
    }
}

static bool is_free(const struct half *half, uint32_t slot)
{
    return slot < half->slot_count && !half->slots[slot]->subscription;
}

/* What sounds or looks together with it; NULL: it is not there, or has no slot. */
static const struct want *find_other(const struct plan *plan, const struct want *want)
{
    const struct seat_source_kind *kind = &seat_source_kinds[want->source];
    const struct half *half = &plan->halves[!kind->is_video];
    for (uint32_t i = 0; i < half->want_count; i++)
        if (half->wants[i].member == want->member && half->wants[i].source == kind->other)
            return half->wants[i].is_chosen ? &half->wants[i] : NULL;
    return NULL;
}

/* Beside its other, or where there is a place for the other, too; else in any. */
static uint32_t find_slot(const struct plan *plan, unsigned kind, const struct want *want)
{
    const struct half *half = &plan->halves[kind];
    const struct half *others = &plan->halves[!kind];
    const struct want *other = find_other(plan, want);
    uint32_t any = NOWHERE;
    if (other && other->slot != NOWHERE && is_free(half, other->slot))
        return other->slot;
    for (uint32_t slot = 0; slot < half->slot_count; slot++) {
        if (!is_free(half, slot))
            continue;
        if (!other || other->slot != NOWHERE || is_free(others, slot))
            return slot;
        if (any == NOWHERE)
            any = slot;
    }
    return any;
}

static void place_rest(struct plan *plan, usec now)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct half *half = &plan->halves[kind];
        for (uint32_t i = 0; i < half->want_count; i++) {
            struct want *want = &half->wants[i];
            if (!want->is_chosen || !want->track || want->slot != NOWHERE)
                continue;
            uint32_t slot = find_slot(plan, kind, want);
            if (slot == NOWHERE)
                continue;
            seat_forget_wish(half->slots[slot], now, want->is_left_out);
            /* in a format that this one does not take there is nothing to be had */
            if (transceiver_subscribe(half->slots[slot], now, want->track) == OK)
                want->slot = slot;
        }
    }
}

/* Who is shown may have changed. */
static void leave_out(const struct half *half, usec now)
{
    for (uint32_t i = 0; i < half->want_count; i++) {
        const struct want *want = &half->wants[i];
        struct transceiver *slot = want->slot == NOWHERE ? NULL : half->slots[want->slot];
        if (!slot || slot->wish.is_left_out == want->is_left_out)
            continue;
        struct transceiver_wish wish = slot->wish;
        wish.is_left_out = want->is_left_out;
        transceiver_want(slot, now, &wish);
    }
}

static uint32_t count_wanted(const struct half *half, unsigned kind)
{
    return half->want_count < SEAT_KIND_MAX[kind] ? half->want_count : SEAT_KIND_MAX[kind];
}

/* What `tracks` says behind the key of that name. */
static void write_tracks(const struct plan *plan, struct json_writer *writer)
{
    json_open(writer, '[');
    for (unsigned kind = 0; kind < 2; kind++) {
        const struct half *half = &plan->halves[kind];
        for (uint32_t i = 0; i < half->want_count; i++) {
            const struct want *want = &half->wants[i];
            if (want->slot == NOWHERE)
                continue;
            json_open(writer, '{');
            json_key(writer, "mid");
            json_string(writer, transceiver_mid(half->slots[want->slot]));
            meet_write_number(writer, "member", want->member);
            json_key(writer, "source");
            json_string(writer, view_of(seat_source_kinds[want->source].name));
            json_close(writer, '}');
        }
    }
    json_close(writer, ']');
    json_key(writer, "wanted");
    json_open(writer, '{');
    json_key(writer, "audio");
    json_number(writer, count_wanted(&plan->halves[0], 0));
    json_key(writer, "video");
    json_number(writer, count_wanted(&plan->halves[1], 1));
    json_close(writer, '}');
}

static void tell(usec now, const struct plan *plan)
{
    struct seat *seat = plan->seat;
    struct server *server = seat->server;
    char text[TRACKS_MAX];
    struct json_writer writer = json_writer_make(text, sizeof text);
    write_tracks(plan, &writer);
    assert(!writer.overflow);
    uint64_t told = siphash(json_written(&writer), server->config.room_secret) | 1;
    if (told == seat->told)
        return;
    seat->told = told;
    if (seat->stage) {
        stage_tell(seat, json_written(&writer));
        return;
    }
    rooms_tell(&server->rooms, seat->member, ROOM_TRACKS, json_written(&writer));
    meet_drain_events(server, now); /* the event borrows the text */
}

static void point(struct seat *seat, usec now)
{
    struct plan plan;
    plan.seat = seat;
    for (unsigned kind = 0; kind < 2; kind++)
        plan.halves[kind].want_count = plan.halves[kind].slot_count = 0;
    gather_wants(&plan);
    gather_slots(seat, &plan);
    for (unsigned kind = 0; kind < 2; kind++) {
        choose(&plan.halves[kind]);
        bring(&plan.halves[kind], now, seat);
        keep(&plan.halves[kind], now);
    }
    place_rest(&plan, now);
    leave_out(&plan.halves[1], now);
    tell(now, &plan);
}

void seats_point(struct server *server, usec now, struct room *room)
{
    if (server->spread)
        server->spread->pass++;
    voices_show(room, now);
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (seat && seat->peer)
            point(seat, now);
    }
    if (!server->spread)
        return;
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (seat && !seat->peer)
            inlets_close(&seat->show, now, true);
    }
    seats_tell_bill(server, room);
}

void stage_point(struct stage *stage, usec now)
{
    stage->server->spread->pass++;
    for (struct list *node = stage->seats.next; node != &stage->seats; node = node->next)
        point(LIST_ENTRY(node, struct seat, of_stage), now);
    for (uint32_t i = 0; i < stage->show_count; i++)
        inlets_close(&stage->shows[i], now, true);
}
