#include "front/standin/standin_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- an endpoint's ---- */

int standins_init(struct standins *standins, struct server *server,
                  const struct standins_config *config)
{
    uint32_t clients = config->clients_max;
    uint32_t peers = server->sfu->config.peers_max;
    *standins = (struct standins){ .server = server, .config = *config };
    standins->sdp = malloc(STANDIN_SDP_MAX);
    int status = standins->sdp ? OK : ERR_MEMORY;
    if (status == OK)
        status = pool_init(&standins->rooms, sizeof(struct standin_room), clients);
    if (status == OK)
        status = pool_init(&standins->clients, sizeof(struct standin_client), clients);
    if (status == OK)
        status = pool_init(&standins->all, sizeof(struct standin), peers);
    if (status != OK)
        standins_free(standins);
    return status;
}

void standins_free(struct standins *standins)
{
    if (standins->server)
        metrics_subtract(standins->server->metrics, METRIC_STANDINS, standins->all.used);
    pool_free(&standins->rooms);
    pool_free(&standins->clients);
    pool_free(&standins->all);
    free(standins->sdp);
    *standins = (struct standins){ .server = NULL };
}

void standin_refuse(const struct standins *standins)
{
    metrics_add(standins->server->metrics, METRIC_STANDIN_REFUSED, 1);
}

/* ---- rooms ---- */

int standin_room_open(struct standins *standins, void *owner, struct standin_room **out)
{
    struct standin_room *room = pool_take(&standins->rooms);
    if (!room)
        return ERR_LIMIT;
    *room = (struct standin_room){ .standins = standins, .owner = owner };
    list_init(&room->clients);
    list_init(&room->publishers);
    data_circle_init(&room->data);
    *out = room;
    return OK;
}

void standin_room_close(struct standin_room *room)
{
    assert(room->client_count == 0);
    pool_give(&room->standins->rooms, room);
}

struct standin_client *standin_find(const struct standin_room *room, struct view key)
{
    for (struct list *at = room->clients.next; at != &room->clients; at = at->next) {
        struct standin_client *client = LIST_ENTRY(at, struct standin_client, of_room);
        if (view_equal(standin_key(client), key))
            return client;
    }
    return NULL;
}

/* ---- clients ---- */

int standin_enter(struct standin_room *room, void *owner, struct view key,
                  struct standin_client **out)
{
    struct standin_client *client = NULL;
    if (key.size <= STANDIN_KEY_MAX)
        client = pool_take(&room->standins->clients);
    if (!client)
        return ERR_LIMIT;
    *client = (struct standin_client){ .owner = owner,
                                       .room = room,
                                       .number = ++room->standins->number,
                                       .key_size = (uint8_t)key.size };
    if (key.size)
        memcpy(client->key, key.at, key.size);
    list_init(&client->publishing);
    list_init(&client->standins);
    list_append(&room->clients, &client->of_room);
    room->client_count++;
    *out = client;
    return OK;
}

/* Those in whose place nobody is any more end; but one that is its client's source goes on until
 * another is. */
static void leave_places(struct standin_client *client, usec now, const struct standin_client *gone)
{
    for (struct list *at = client->standins.next; at != &client->standins;) {
        struct standin *standin = LIST_ENTRY(at, struct standin, of_client);
        at = at->next;
        if (standin->far != gone)
            continue;
        standin->far = NULL;
        if (client->source != standin)
            standin_close(standin, now);
    }
    standin_elect(client, now);
}

void standin_leave(struct standin_client *client, usec now)
{
    struct standin_room *room = client->room;
    list_remove(&client->of_room);
    room->client_count--;
    while (!list_empty(&client->standins))
        standin_close(LIST_ENTRY(client->standins.next, struct standin, of_client), now);
    standin_unpublish(client, now);
    if (room->standins->config.is_each)
        for (struct list *at = room->clients.next; at != &room->clients; at = at->next)
            leave_places(LIST_ENTRY(at, struct standin_client, of_room), now, client);
    pool_give(&room->standins->clients, client);
}

bool standin_has_publisher(const struct standin_client *client, struct standin_client **from)
{
    const struct list *all = &client->room->publishers;
    for (struct list *at = all->prev; at != all; at = at->prev) {
        struct standin_client *other = LIST_ENTRY(at, struct standin_client, publishing);
        if (other == client)
            continue;
        *from = other;
        return true;
    }
    return false;
}

struct standin_client *standin_sees(const struct standin *standin)
{
    struct standin_client *seen = NULL;
    if (standin->standins->config.is_each)
        return standin->far;
    (void)standin_has_publisher(standin->client, &seen);
    return seen;
}

/* ---- stand-ins ---- */

/* What has become of the peer. */
static void changed(struct server *server, usec now, struct peer *peer)
{
    struct standin *standin = peer->owner;
    struct standin_client *client = standin->client;
    (void)server;
    if (peer->state != PEER_ENDED) {
        standin_settle(standin, now);
        return;
    }
    standin_close(standin, now);
    standin_elect(client, now);
}

/* A client has a name, or at least a number. */
static void name_of(const struct peer *peer, struct media_name *name)
{
    const struct standin *standin = peer->owner;
    const struct standin_client *client = standin->client;
    const struct standin_voice *voice = standin->standins->config.voice;
    _Static_assert(STANDIN_KEY_MAX <= MEDIA_ID_MAX, "a client's name is an id");
    name->member = client;
    if (client->key_size > 0)
        memcpy(name->id, client->key, client->key_size);
    else
        snprintf(name->id, sizeof name->id, "%llu", (unsigned long long)client->number);
    name->id_size = client->key_size ? client->key_size : (uint8_t)strlen(name->id);
    if (voice->name)
        voice->name(standin, name);
}

/* Its data channels are joined with those of whom it stands in for. */
static void join_data(struct standin *standin, usec now)
{
    const struct standin_client *client = standin->client;
    struct data_circle *circle = &client->room->data;
    data_circle_init(&standin->pair);
    if (standin->standins->config.is_each) {
        struct standin *other = standin->far ? standin_of(standin->far, client) : NULL;
        circle = other ? other->peer->circle : &standin->pair;
    }
    peer_join_circle(standin->peer, now, circle, true);
}

/* It takes its circle along: who is left there goes on in another one's. */
static void leave_data(struct standin *standin, usec now)
{
    const struct list *peers = &standin->pair.peers;
    struct data_circle *next = NULL;
    peer_leave_circle(standin->peer, now);
    while (!list_empty(peers)) {
        struct peer *peer = LIST_ENTRY(peers->next, struct peer, of_circle);
        if (!next)
            next = &((struct standin *)peer->owner)->pair;
        peer_join_circle(peer, now, next, true);
    }
}

struct standin *standin_open(struct standin_client *client, usec now, struct standin_client *far)
{
    struct standins *standins = client->room->standins;
    struct standin *standin = NULL;
    if (client->standin_count < STANDIN_EACH_MAX)
        standin = pool_take(&standins->all);
    const struct peer_config config = { .owner = standin, .policy = &media_policy };
    if (!standin || peer_open(standins->server->sfu, now, &config, &standin->peer) != OK) {
        pool_give(&standins->all, standin);
        standin_refuse(standins);
        return NULL;
    }
    standin->owner = (struct media_owner){ .changed = changed, .name = name_of };
    standin->standins = standins;
    standin->client = client;
    standin->far = far;
    list_append(&client->standins, &standin->of_client);
    client->standin_count++;
    join_data(standin, now);
    metrics_add(standins->server->metrics, METRIC_STANDINS, 1);
    return standin;
}

void standin_close(struct standin *standin, usec now)
{
    struct standin_client *client = standin->client;
    list_remove(&standin->of_client);
    client->standin_count--;
    if (client->heir == standin)
        client->heir = NULL;
    leave_data(standin, now);
    peer_close(standin->peer, now);
    if (client->source == standin)
        standin_unpublish(client, now);
    metrics_subtract(standin->standins->server->metrics, METRIC_STANDINS, 1);
    pool_give(&standin->standins->all, standin);
}

struct standin *standin_of(const struct standin_client *client, const struct standin_client *far)
{
    for (struct list *at = client->standins.prev; at != &client->standins; at = at->prev) {
        struct standin *standin = LIST_ENTRY(at, struct standin, of_client);
        if (standin->far == far)
            return standin;
    }
    return NULL;
}
