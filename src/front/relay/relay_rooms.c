/* Rooms and who is in them.  A party without a room is in the lobby of its space. */
#include "front/relay/relay_inside.h"

#include <assert.h>
#include <string.h>

void relay_room_init(struct relay_room *room)
{
    *room = (struct relay_room){ .count = 0 };
    list_init(&room->memberships);
}

void relay_come_in(struct relay_party *party, struct relay_membership *membership,
                   struct relay_room *room)
{
    membership->party = party;
    membership->room = room;
    list_init(&membership->kept);
    list_init(&membership->of_party);
    list_append(&room->memberships, &membership->of_room);
    room->count++;
}

void relay_go_out(struct server *server, usec now, struct relay *relay,
                  struct relay_membership *membership)
{
    relay_hang_up(server, now, membership->party, membership->room);
    relay_forget(server, relay, membership);
    list_remove(&membership->of_room);
    list_remove(&membership->of_party);
    membership->room->count--;
    membership->room = NULL;
}

/* ---- names ---- */

/* A room's key: its space and its name. */
static struct view make_key(const struct relay_space *space, struct view name,
                            uint8_t key[4 + RELAY_ROOM_NAME_MAX])
{
    memcpy(key, &space->number, 4);
    if (name.size)
        memcpy(key + 4, name.at, name.size);
    return view_make(key, 4 + name.size);
}

struct relay_room *relay_find_room(struct relay *relay, const struct relay_space *space,
                                   struct view name)
{
    uint8_t key[4 + RELAY_ROOM_NAME_MAX];
    if (!relay->has_rooms || name.size > RELAY_ROOM_NAME_MAX)
        return NULL;
    return map_find(&relay->rooms_by_key, make_key(space, name, key));
}

struct relay_membership *relay_find_membership(const struct relay_party *party,
                                               const struct relay_room *room)
{
    for (const struct list *at = party->memberships.next; at != &party->memberships;
         at = at->next) {
        struct relay_membership *membership = LIST_ENTRY(at, struct relay_membership, of_party);
        if (membership->room == room)
            return membership;
    }
    return NULL;
}

/* ---- joining ---- */

static struct relay_room *make_room(struct server *server, struct relay *relay,
                                    const struct relay_space *space, struct view name)
{
    struct relay_room *room = pool_take(&relay->rooms);
    if (!room)
        return NULL;
    relay_room_init(room);
    struct view key = make_key(space, name, room->key);
    room->key_size = (uint32_t)key.size;
    int status = map_add(&relay->rooms_by_key, key, room);
    assert(status == OK); /* there are as many places as rooms */
    (void)status;
    metrics_add(server->metrics, METRIC_RELAY_ROOMS, 1);
    return room;
}

static void end_room(struct server *server, struct relay *relay, struct relay_room *room)
{
    if (room->count > 0)
        return;
    map_remove(&relay->rooms_by_key, view_make(room->key, room->key_size));
    pool_give(&relay->rooms, room);
    metrics_subtract(server->metrics, METRIC_RELAY_ROOMS, 1);
}

int relay_join(struct server *server, usec now, struct relay_party *party, struct view name)
{
    struct relay *relay = party->space->relay;
    if (name.size > RELAY_ROOM_NAME_MAX)
        return ERR_LIMIT;
    struct relay_room *room = relay_find_room(relay, party->space, name);
    if (room && relay_find_membership(party, room))
        return OK;
    if (party->room_count >= relay->limits->rooms)
        return ERR_LIMIT;
    struct relay_membership *membership = pool_take(&relay->memberships);
    if (!membership)
        return ERR_LIMIT;
    if (!room)
        room = make_room(server, relay, party->space, name);
    if (!room) {
        pool_give(&relay->memberships, membership);
        return ERR_LIMIT;
    }
    party->room_count++;
    if (party->in_lobby.room)
        relay_go_out(server, now, relay, &party->in_lobby);
    relay_come_in(party, membership, room);
    list_append(&party->memberships, &membership->of_party);
    relay_tell_kept(server, now, party, room);
    return OK;
}

static void quit_one(struct server *server, usec now, struct relay *relay,
                     struct relay_membership *membership)
{
    struct relay_room *room = membership->room;
    membership->party->room_count--;
    relay_go_out(server, now, relay, membership);
    pool_give(&relay->memberships, membership);
    end_room(server, relay, room);
}

void relay_quit(struct server *server, usec now, struct relay_party *party,
                const struct relay_room *room)
{
    struct relay *relay = party->space->relay;
    for (struct list *at = party->memberships.next; at != &party->memberships;) {
        struct relay_membership *membership = LIST_ENTRY(at, struct relay_membership, of_party);
        at = at->next;
        if (!room || membership->room == room)
            quit_one(server, now, relay, membership);
    }
}

void relay_come_back(struct server *server, usec now, struct relay_party *party)
{
    if (party->room_count > 0 || party->in_lobby.room)
        return;
    relay_come_in(party, &party->in_lobby, &party->space->lobby);
    relay_tell_kept(server, now, party, &party->space->lobby);
}
