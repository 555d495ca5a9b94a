#include "check.h"

#include "front/meet/seat.h"

#include <stdio.h>
#include <string.h>

#define FRESH (1 * USEC_S) /* a picture that is not older goes on */
#define REST  (5 * USEC_S) /* of two, before their room is a mesh */
#define CROSS (2 * USEC_S) /* for all in a room to hear that it is of the other kind */

static bool is_seen(const struct guest *guest, const struct guest *other, bool is_video)
{
    const struct far_watch *watch = guest_find(guest, other->member, is_video);
    return watch && watch->watch.shown_life && watch->watch.shown_whose == other->number &&
           watch->watch.shown_at + FRESH >= guest->net->now;
}

/* One that the rules of the room may leave out: it doesn't speak. */
static bool may_miss(const struct check *check, const struct guest *other, bool is_video)
{
    const struct world_wishes *wishes = check->world->wishes;
    uint32_t most = is_video ? wishes->last_n : wishes->loudest_n;
    return most > 0 && !other->far.speaks;
}

/* Whether it gets more than these rules let it. */
static bool gets_too_much(const struct check *check, const struct guest *guest, bool is_video)
{
    const struct world_wishes *wishes = check->world->wishes;
    uint32_t most = is_video ? wishes->last_n : wishes->loudest_n;
    uint32_t count = 0;
    for (unsigned i = 0; i < check->guest_count; i++) {
        const struct guest *other = &check->guests[i];
        if (other != guest && other->state == GUEST_IN && strcmp(guest->room, other->room) == 0)
            count += is_seen(guest, other, is_video);
    }
    return most > 0 && count > most;
}

void check_talk(const struct check *check)
{
    for (unsigned i = 0; i < check->guest_count; i++) {
        struct guest *guest = &check->guests[i];
        bool is_first = guest->state == GUEST_IN;
        for (unsigned j = 0; j < i; j++)
            if (check->guests[j].state == GUEST_IN &&
                strcmp(guest->room, check->guests[j].room) == 0)
                is_first = false;
        guest->far.speaks = is_first;
    }
}

/* One that has fewer slots than it needs: all of them bear something. */
static bool is_full(const struct guest *guest, unsigned kind)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < guest->slot_count; i++)
        count += guest->slots[i][kind].member != 0;
    return count ==
           (guest->wanted[kind] < guest->slot_count ? guest->wanted[kind] : guest->slot_count);
}

/* NULL: all is well between them. */
static const char *complaint_of_pair(const struct check *check, const struct guest *guest,
                                     const struct guest *other)
{
    if (guest->is_sfu != other->is_sfu)
        return "is in a room of another kind than";
    if (!guest->is_sfu)
        return NULL;
    if (guest->far.state != FAR_CONNECTED || other->far.state != FAR_CONNECTED)
        return "has no connection, to get or for";
    if (guest->is_poor && guest->wanted[0] > guest->slot_count)
        return is_full(guest, 0) && is_full(guest, 1) ? NULL : "has slots free for";
    if (!may_miss(check, other, false) && !is_seen(guest, other, false))
        return "does not hear";
    if (guest->is_poor && guest->wanted[1] > guest->slot_count)
        return is_full(guest, 1) ? NULL : "has slots free for";
    if (!other->has_camera || may_miss(check, other, true))
        return NULL;
    return is_seen(guest, other, true) ? NULL : "does not see";
}

/* Of a room that is left to itself. */
static bool is_of_wrong_kind(const struct check *check, const struct guest *guest)
{
    unsigned count = 1;
    usec since = guest->net->now - guest->crowd_at;
    if (check->world->wishes->topology.wish != TOPOLOGY_AUTO)
        return !guest->is_sfu;
    for (unsigned i = 0; i < check->guest_count; i++)
        if (check->guests[i].was_odd)
            return false; /* it may have been there in the room's time, and decided */
    for (unsigned i = 0; i < GUEST_MEMBERS_MAX; i++)
        count += guest->people[i] && !guest->is_gone[i];
    if (count > TOPOLOGY_PAIR)
        return !guest->is_sfu;
    return guest->is_sfu && since > REST + CROSS;
}

/* Whether a slot is still said to bear what somebody sends who has left. */
static bool has_stale_slot(const struct guest *guest)
{
    for (unsigned i = 0; i < 2 * guest->slot_count; i++)
        if (guest->is_gone[guest->slots[i / 2][i & 1].member])
            return true;
    return false;
}

/* NULL: all is well with it. */
static const char *complaint(const struct check *check, const struct guest *guest)
{
    usec now = guest->net->now;
    if (guest->state != GUEST_IN || guest->offer.is_under_way)
        return "is not in its room";
    if (is_of_wrong_kind(check, guest))
        return "is in a room of the wrong kind";
    if (has_stale_slot(guest))
        return "is told to see who is not there";
    if (guest->is_sfu && gets_too_much(check, guest, false))
        return "hears more than may be heard";
    if (guest->is_sfu && gets_too_much(check, guest, true))
        return "sees more than may be seen";
    if (!guest->is_sfu && guest->slot_count && now - guest->kind_at > SEAT_OVERLAP + CROSS)
        return "still has a connection, in a mesh";
    return NULL;
}

bool check_settled(const struct check *check, char why[100])
{
    for (unsigned i = 0; i < check->guest_count; i++) {
        const struct guest *guest = &check->guests[i];
        const char *what = complaint(check, guest);
        if (what) {
            snprintf(why, 100, "%u %s", i, what);
            return false;
        }
        for (unsigned j = 0; j < check->guest_count; j++) {
            const struct guest *other = &check->guests[j];
            if (i == j || other->state != GUEST_IN || strcmp(guest->room, other->room) != 0)
                continue;
            what = complaint_of_pair(check, guest, other);
            if (what) {
                snprintf(why, 100, "%u %s %u", i, what, j);
                return false;
            }
        }
    }
    return true;
}

void check_told(const struct check *check)
{
    for (unsigned i = 0; i < check->guest_count; i++) {
        const struct guest *guest = &check->guests[i];
        for (unsigned k = 0; k < 2 * guest->slot_count; k++) {
            uint32_t seen = guest->far.watches[k / 2][k & 1].watch.seen;
            uint32_t told = guest->slots[k / 2][k & 1].told;
            if (seen & ~told)
                net_fail(check->net, "%u got in slot %u what it was not told of: %x, not %x", i, k,
                         seen, told);
        }
    }
}
