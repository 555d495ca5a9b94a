/* Whose track is in which slot of a member. */
#include "front/meet/seat.h"

#include <assert.h>
#include <string.h>

#define WANTS_MAX  (2 * ROOM_MEMBERS_MAX) /* of a kind: each member has two sources of it */
#define NOWHERE    UINT32_MAX
#define TRACKS_MAX ((size_t)16384) /* the text of them */

/* A track that a member would get. */
struct want {
    struct track *track;
    uint32_t member; /* its index in the room */
    uint8_t source;
    bool is_on;     /* as its member says */
    bool is_chosen; /* there is a slot for it */
    uint32_t slot;  /* NOWHERE: in none */
};

/* Of one kind. */
struct half {
    struct want wants[WANTS_MAX];
    struct transceiver *slots[SEAT_VIDEO_MAX > SEAT_AUDIO_MAX ? SEAT_VIDEO_MAX : SEAT_AUDIO_MAX];
    uint32_t want_count;
    uint32_t slot_count;
};

struct plan {
    struct half halves[2]; /* audio, video */
};

static bool is_on(const struct member *member, enum seat_source source)
{
    switch (source) {
    case SEAT_MICROPHONE:
        return member->audio;
    case SEAT_CAMERA:
        return member->video;
    default:
        return member->screen;
    }
}

static void gather_wants(const struct member *member, struct plan *plan)
{
    const struct room *room = member->room;
    if (!(member->pass.permissions & TOKEN_SUBSCRIBE))
        return;
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct member *other = room->members[i];
        const struct seat *seat = other->seat;
        for (unsigned source = 0; seat && other != member && source < SEAT_SOURCES; source++) {
            if (!seat->tracks[source])
                continue;
            struct half *half = &plan->halves[seat_source_kinds[source].is_video];
            half->wants[half->want_count++] =
                (struct want){ .track = seat->tracks[source],
                               .member = i,
                               .source = (uint8_t)source,
                               .is_on = is_on(other, (enum seat_source)source),
                               .slot = NOWHERE };
        }
    }
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

/* As many as there are slots: those that are on before those that are off. */
static void choose(struct half *half)
{
    uint32_t left = half->slot_count;
    for (int on = 1; on >= 0; on--)
        for (uint32_t i = 0; i < half->want_count && left > 0; i++)
            if (half->wants[i].is_on == on) {
                half->wants[i].is_chosen = true;
                left--;
            }
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
            if (!want->is_chosen || want->slot != NOWHERE)
                continue;
            uint32_t slot = find_slot(plan, kind, want);
            if (slot == NOWHERE)
                continue;
            /* in a format that this one does not take there is nothing to be had */
            if (transceiver_subscribe(half->slots[slot], now, want->track) == OK)
                want->slot = slot;
        }
    }
}

static uint32_t count_wanted(const struct half *half, unsigned kind)
{
    return half->want_count < SEAT_KIND_MAX[kind] ? half->want_count : SEAT_KIND_MAX[kind];
}

/* What `tracks` says behind the key of that name. */
static void write_tracks(const struct plan *plan, const struct room *room,
                         struct json_writer *writer)
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
            meet_write_number(writer, "member", room->members[want->member]->number);
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

static void tell(struct server *server, usec now, struct seat *seat, const struct plan *plan)
{
    char text[TRACKS_MAX];
    struct json_writer writer = json_writer_make(text, sizeof text);
    write_tracks(plan, seat->member->room, &writer);
    assert(!writer.overflow);
    uint64_t told = siphash(json_written(&writer), server->config.room_secret) | 1;
    if (told == seat->told)
        return;
    seat->told = told;
    rooms_tell(&server->rooms, seat->member, ROOM_TRACKS, json_written(&writer));
    meet_drain_events(server, now); /* the event borrows the text */
}

static void point(struct server *server, usec now, struct seat *seat)
{
    struct plan plan;
    for (unsigned kind = 0; kind < 2; kind++)
        plan.halves[kind].want_count = plan.halves[kind].slot_count = 0;
    gather_wants(seat->member, &plan);
    gather_slots(seat, &plan);
    for (unsigned kind = 0; kind < 2; kind++) {
        choose(&plan.halves[kind]);
        keep(&plan.halves[kind], now);
    }
    place_rest(&plan, now);
    tell(server, now, seat, &plan);
}

void seats_point(struct server *server, usec now, struct room *room)
{
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room->members[i]->seat)
            point(server, now, room->members[i]->seat);
}
