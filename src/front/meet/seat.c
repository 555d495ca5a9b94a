#include "front/meet/seat.h"

#include "front/meet/data.h"
#include "front/meet/spread.h"
#include "front/meet/stage.h"
#include "front/meet/voices.h"

#include <stdio.h>

const struct seat_source_kind seat_source_kinds[SEAT_SOURCES] = {
#define SEAT_SOURCE_ROW(name, text, is_video, other) { text, is_video, SEAT_##other },
    SEAT_SOURCE_TABLE(SEAT_SOURCE_ROW)
#undef SEAT_SOURCE_ROW
};

int seats_new(struct server *server)
{
    uint32_t most = server->config.rtc->transports_max;
    /* those whose peers are elsewhere, too */
    return pool_init(&server->seats, sizeof(struct seat), server->spread ? 2 * most : most);
}

/* ---- its end ---- */

void seat_close(struct seat *seat, usec now)
{
    struct server *server = seat->server;
    wheel_cancel(&server->wheel, &seat->timer);
    spread_forget(server, seat);
    if (seat->peer)
        peer_close(seat->peer, now);
    else
        seat_far_close(seat, now);
    voices_leave(seat, now);
    if (seat->stage)
        stage_leave(seat, now);
    if (seat->member)
        seat->member->seat = NULL;
    pool_give(&server->seats, seat);
}

void seat_end(struct seat *seat, usec now, struct view reason)
{
    struct server *server = seat->server;
    struct member *member = seat->member;
    seat_close(seat, now);
    rooms_tell(&server->rooms, member, ROOM_SFU_CLOSED, reason);
    meet_drain(server, now);
    seats_point(server, now, member->room);
}

static void peer_changed(struct server *server, usec now, struct peer *peer)
{
    struct seat *seat = peer->owner;
    (void)server;
    if (peer->state == PEER_ENDED)
        seat_end(seat, now, seat_reason(peer));
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

void seat_expired(struct server *server, usec now, struct timer *timer)
{
    (void)server;
    seat_end(LIST_ENTRY(timer, struct seat, timer), now, VIEW("mesh"));
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

static bool read_track(const cJSON *item, struct seat_offer *offer)
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
static bool read_offer(struct meet_call *call, struct seat_offer *offer)
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

static void refuse_full(struct meet_call *call)
{
    meet_refuse(call, "sfu-full", "the server has no place for more connections");
}

/* NULL: refused. */
static struct seat *new_seat(struct meet_call *call)
{
    struct server *server = call->server;
    struct member *member = call->member;
    unsigned worker = seat_place(server, member->room);
    struct seat *seat = pool_take(&server->seats);
    if (!seat) {
        refuse_full(call);
        return NULL;
    }
    seat->owner = (struct media_owner){ peer_changed, name_of,   seat_source_of,
                                        seat_shared,  seat_look, seat_wanted };
    seat->server = server;
    seat->number = member->number;
    seat->permissions = member->pass.permissions;
    seat->timer.kind = TIMER_SEAT;
    seat->show.row.worker = (uint8_t)worker;
    list_init(&seat->of_stage);
    data_serve_room(server, member->room);
    if (worker == server->config.worker &&
        seat_open_peer(seat, call->now, &member->room->data) != OK) {
        pool_give(&server->seats, seat);
        refuse_full(call);
        return NULL;
    }
    seat->member = member;
    member->seat = seat;
    spread_name(server, seat);
    voices_join(seat, call->now);
    return seat;
}

/* The seat that the offer is for; NULL: refused. */
static struct seat *find_seat(struct meet_call *call, const struct seat_offer *offer)
{
    const struct member *member = call->member;
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
    return new_seat(call);
}

void seat_offer(struct meet_call *call)
{
    struct server *server = call->server;
    struct seat_offer offer = { .is_new = false };
    struct note_refused refused;
    struct buffer *text;
    if (!read_offer(call, &offer))
        return;
    struct seat *seat = find_seat(call, &offer);
    if (!seat)
        return;
    if (!seat->peer) {
        seat_far_offer(call, seat, &offer);
        return;
    }
    if (seat_take_offer(seat, call->now, &offer, &text, &refused) == OK) {
        rooms_tell(&server->rooms, call->member, ROOM_SFU_ANSWER, buffer_view(text));
        meet_drain(server, call->now); /* the event borrows the text */
        buffer_give(server->buffers, text);
        seats_point(server, call->now, call->member->room);
        return;
    }
    meet_refuse(call, refused.code, refused.words);
    if (refused.is_over)
        seat_refused(seat, call->now, refused.is_told);
}

void seat_refused(struct seat *seat, usec now, bool is_told)
{
    struct server *server = seat->server;
    struct room *room = seat->member->room;
    if (is_told) {
        seat_end(seat, now, VIEW("failed"));
        return;
    }
    seat_close(seat, now); /* the one before is no more, either */
    seats_point(server, now, room);
}
