#include "front/meet/seat.h"

#include "media/sfu.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct seat_source_kind seat_source_kinds[SEAT_SOURCES] = {
#define SEAT_SOURCE_ROW(name, text, is_video, other) { text, is_video, SEAT_##other },
    SEAT_SOURCE_TABLE(SEAT_SOURCE_ROW)
#undef SEAT_SOURCE_ROW
};

int seats_new(struct server *server)
{
    return pool_init(&server->seats, sizeof(struct seat), server->config.rtc->transports_max);
}

/* ---- its end ---- */

void seat_close(struct seat *seat, usec now)
{
    struct server *server = seat->server;
    wheel_cancel(&server->wheel, &seat->timer);
    peer_close(seat->peer, now);
    if (seat->member)
        seat->member->seat = NULL;
    pool_give(&server->seats, seat);
}

/* The connection ends while its member stays. */
static void end(struct seat *seat, usec now, struct view reason)
{
    struct server *server = seat->server;
    struct member *member = seat->member;
    seat_close(seat, now);
    rooms_tell(&server->rooms, member, ROOM_SFU_CLOSED, reason);
    meet_drain(server, now);
    seats_point(server, now, member->room);
}

static struct view reason_of(const struct peer *peer)
{
    switch (peer->end) {
    case RTC_END_CLOSED:
    case RTC_END_BY_PEER:
        return VIEW("closed");
    case RTC_END_NO_CONSENT:
        return VIEW("lost");
    default:
        return VIEW("failed");
    }
}

static void peer_changed(struct server *server, usec now, struct peer *peer)
{
    struct seat *seat = peer->owner;
    (void)server;
    if (peer->state == PEER_ENDED)
        end(seat, now, reason_of(peer));
}

static void name_of(const struct peer *peer, struct media_name *name)
{
    const struct seat *seat = peer->owner;
    const struct member *member = seat->member;
    if (!member)
        return;
    name->room = member->room;
    name->member = member;
    name->room_name = room_name(member->room);
    name->member_name = member_name(member);
    name->id_size = (uint8_t)snprintf(name->id, sizeof name->id, "m%u", member->number);
}

static struct view source_of(const struct peer *peer, const struct track *track)
{
    const struct seat *seat = peer->owner;
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        if (seat->tracks[i] == track)
            return view_of(seat_source_kinds[i].name);
    return view_make(NULL, 0);
}

void seat_expired(struct server *server, usec now, struct timer *timer)
{
    (void)server;
    end(LIST_ENTRY(timer, struct seat, timer), now, VIEW("mesh"));
}

void seat_leave(struct meet_call *call)
{
    struct seat *seat = call->member->seat;
    if (!seat)
        return;
    seat_close(seat, call->now);
    seats_point(call->server, call->now, call->member->room);
}

void seats_follow(struct server *server, usec now, struct room *room)
{
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (!seat)
            continue;
        if (room->topology == TOPOLOGY_SFU)
            wheel_cancel(&server->wheel, &seat->timer);
        else
            wheel_set(&server->wheel, &seat->timer, now + SEAT_OVERLAP);
    }
}

/* ---- an offer ---- */

struct offer {
    struct view sdp;
    struct view mids[SEAT_SOURCES]; /* empty: that source is not there */
    bool is_new;
};

static bool read_track(const cJSON *item, struct offer *offer)
{
    struct view mid = json_get_string(item, "mid");
    struct view source = json_get_string(item, "source");
    if (mid.size == 0 || mid.size > DESCRIPTION_MID_MAX)
        return false;
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        if (view_equal(source, view_of(seat_source_kinds[i].name)) && offer->mids[i].size == 0) {
            offer->mids[i] = mid;
            return true;
        }
    return false;
}

/* False: refused. */
static bool read_offer(struct meet_call *call, struct offer *offer)
{
    const cJSON *tracks = cJSON_GetObjectItemCaseSensitive(call->message, "tracks");
    const cJSON *item;
    bool is_right = true;
    offer->sdp = json_get_string(call->message, "sdp");
    if (offer->sdp.size == 0 || offer->sdp.size > MEET_SDP_MAX) {
        meet_refuse(call, "bad-message", "\"sdp\" must be a string of 1 to 60000 bytes");
        return false;
    }
    if (json_get_bool(call->message, "new", &offer->is_new) == ERR_MALFORMED) {
        meet_refuse(call, "bad-message", "\"new\" must be true or false");
        return false;
    }
    cJSON_ArrayForEach(item, tracks)
    {
        is_right &= read_track(item, offer);
    }
    if (!is_right || (tracks && !cJSON_IsArray(tracks)))
        meet_refuse(call, "bad-message",
                    "\"tracks\" must be a list with a \"mid\" and a \"source\" in each, and no "
                    "source twice");
    return is_right && (!tracks || cJSON_IsArray(tracks));
}

static void refuse_sdp(struct meet_call *call, const struct description_error *error)
{
    char text[200];
    int size = 0;
    if (error->line)
        size = snprintf(text, sizeof text, "line %u: ", (unsigned)error->line);
    else if (error->section != DESCRIPTION_WHOLE)
        size = snprintf(text, sizeof text, "section %u: ", (unsigned)error->section);
    snprintf(text + size, sizeof text - (size_t)size, "%s", error->what);
    meet_refuse(call, "bad-sdp", text);
}

/* The seat that the offer is for; NULL: refused. */
static struct seat *find_seat(struct meet_call *call, const struct offer *offer)
{
    struct server *server = call->server;
    struct member *member = call->member;
    struct seat *seat = member->seat;
    if (offer->is_new ? member->room->topology != TOPOLOGY_SFU : !seat) {
        meet_refuse(call, "no-sfu",
                    offer->is_new ? "the room is a mesh"
                                  : "there is no connection: begin one with \"new\":true");
        return NULL;
    }
    if (!offer->is_new)
        return seat;
    if (seat)
        seat_close(seat, call->now);
    seat = pool_take(&server->seats);
    if (!seat) {
        meet_refuse(call, "sfu-full", "the server has no place for more connections");
        return NULL;
    }
    seat->owner = (struct media_owner){ peer_changed, name_of, source_of };
    const struct peer_config config = { .owner = seat, .policy = &media_policy };
    if (peer_open(server->sfu, call->now, &config, &seat->peer) != OK) {
        pool_give(&server->seats, seat);
        meet_refuse(call, "sfu-full", "the server has no place for more connections");
        return NULL;
    }
    seat->server = server;
    seat->member = member;
    seat->timer.kind = TIMER_SEAT;
    member->seat = seat;
    if (member->pass.permissions & TOKEN_SUBSCRIBE)
        peer_join_circle(seat->peer, call->now, &member->room->data,
                         member->pass.permissions & TOKEN_PUBLISH);
    return seat;
}

/* The n-th of a kind, in one stream with the n-th of the other. */
static void name_slot(struct seat *seat, struct transceiver *slot)
{
    char stream[16];
    char track[16];
    uint32_t number = ++seat->named[slot->is_video];
    snprintf(stream, sizeof stream, "slot%u", (unsigned)number);
    snprintf(track, sizeof track, "%c%u", slot->is_video ? 'v' : 'a', (unsigned)number);
    transceiver_announce(slot, view_of(stream), view_of(track));
}

/* What is received of the member, and what will be sent to it. */
static void arrange(struct seat *seat, usec now, const struct offer *offer)
{
    struct negotiation *negotiation = &seat->peer->negotiation;
    uint8_t permissions = seat->member->pass.permissions;
    struct transceiver *at = NULL;
    while ((at = peer_next(seat->peer, at)) != NULL) {
        const struct negotiation_section *section = negotiation_find_owner(negotiation, at);
        bool is_named = false;
        for (unsigned i = 0; section && i < SEAT_SOURCES; i++)
            is_named |= seat_source_kinds[i].is_video == at->is_video &&
                        view_equal(offer->mids[i], view_make(section->mid, section->mid_size));
        if (at->receiving && !(is_named && permissions & TOKEN_PUBLISH))
            transceiver_refuse(at, now);
        if (section && section->direction == SDP_SENDONLY && permissions & TOKEN_SUBSCRIBE &&
            !at->is_announced && seat->named[at->is_video] < SEAT_KIND_MAX[at->is_video])
            name_slot(seat, at);
    }
}

static void note_tracks(struct seat *seat, const struct offer *offer)
{
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        const struct transceiver *from =
            offer->mids[i].size ? peer_find_mid(seat->peer, offer->mids[i]) : NULL;
        bool is_right = from && from->is_video == seat_source_kinds[i].is_video;
        seat->tracks[i] = is_right ? from->receiving : NULL;
    }
}

/* Gives the answer in a buffer of the server's: ERR_LIMIT, it is longer than a message may be;
 * ERR_MEMORY. */
static int write_answer(struct seat *seat, usec now, struct buffer **out)
{
    struct buffers *buffers = seat->server->buffers;
    struct buffer *buffer;
    size_t size;
    int status = buffers_take(buffers, MEET_SDP_MAX, &buffer);
    if (status != OK)
        return ERR_MEMORY;
    struct span room = { buffer->bytes, MEET_SDP_MAX };
    status = peer_write_answer(seat->peer, now, room, &size);
    if (status == OK) {
        buffer->size = (uint32_t)size;
        if (!meet_fits(seat->server, buffer_view(buffer)))
            status = ERR_LIMIT;
    }
    if (status == OK)
        *out = buffer;
    else
        buffer_give(buffers, buffer);
    return status;
}

static void answer(struct meet_call *call, struct seat *seat, const struct offer *offer)
{
    struct server *server = call->server;
    struct buffer *text;
    arrange(seat, call->now, offer);
    int status = write_answer(seat, call->now, &text);
    if (status != OK) {
        meet_refuse(call, status == ERR_LIMIT ? "bad-sdp" : "sfu-full",
                    status == ERR_LIMIT ? "its answer would be too long: offer less"
                                        : "the server has no memory for the answer");
        end(seat, call->now, VIEW("failed"));
        return;
    }
    note_tracks(seat, offer);
    rooms_tell(&server->rooms, call->member, ROOM_SFU_ANSWER, buffer_view(text));
    meet_drain(server, call->now); /* the event borrows the text */
    buffer_give(server->buffers, text);
    seats_point(server, call->now, call->member->room);
}

void seat_offer(struct meet_call *call)
{
    struct offer offer = { .is_new = false };
    struct description_error error;
    if (!read_offer(call, &offer))
        return;
    struct seat *seat = find_seat(call, &offer);
    if (!seat)
        return;
    int status = peer_take_offer(seat->peer, call->now, offer.sdp, &error);
    if (status == OK) {
        answer(call, seat, &offer);
        return;
    }
    if (status == ERR_MEMORY)
        meet_refuse(call, "sfu-full", "the server has no memory for it");
    else
        refuse_sdp(call, &error);
    if (!offer.is_new)
        return;
    seat_close(seat, call->now); /* nothing has come of it; and the one before is no more */
    seats_point(call->server, call->now, call->member->room);
}
