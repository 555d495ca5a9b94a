/* Whose tracks go where, and on which stand-in a client uploads. */
#include "front/standin/standin_inside.h"

#include <stdio.h>

/* ---- what a client sees ---- */

/* The index-th track of its kind that the client publishes; NULL: there are not so many. */
static struct track *track_of(const struct standin_client *client, bool is_video, uint32_t index)
{
    struct transceiver *at = NULL;
    if (!client || !client->source)
        return NULL;
    while ((at = peer_next(client->source->peer, at)) != NULL)
        if (at->receiving && at->is_video == is_video && index-- == 0)
            return at->receiving;
    return NULL;
}

/* Adds sections for tracks that have none; true: there is something to offer. */
static bool grow(struct standin *standin, usec now, const struct standin_client *seen,
                 const uint32_t counts[2])
{
    struct peer *peer = standin->peer;
    for (unsigned kind = 0; kind < 2; kind++) {
        for (uint32_t i = counts[kind]; track_of(seen, kind == 1, i); i++) {
            struct transceiver *made;
            char name[PEER_NAME_MAX];
            int size = snprintf(name, sizeof name, "more-%llu",
                                (unsigned long long)++standin->standins->number);
            const struct peer_adding adding = { .is_video = kind == 1,
                                                .stream_name = view_make(name, (size_t)size),
                                                .track_name = view_make(name, (size_t)size) };
            if (peer->transceiver_count >= STANDIN_SECTIONS_MAX ||
                peer_add(peer, now, &adding, &made) != OK)
                return false;
        }
    }
    return peer_needs_offer(peer);
}

/* The n-th of each kind goes out on the n-th section of it. */
static void point(struct standin *standin, usec now, const struct standin_client *seen,
                  uint32_t counts[2])
{
    struct transceiver *at = NULL;
    while ((at = peer_next(standin->peer, at)) != NULL) {
        if (!at->is_announced)
            continue;
        struct track *track = track_of(seen, at->is_video, counts[at->is_video ? 1 : 0]++);
        if (track != at->subscription && transceiver_subscribe(at, now, track) != OK)
            standin_refuse(standin->standins);
    }
}

void standin_aim(struct standin *standin, usec now)
{
    const struct standin_client *seen = standin_sees(standin);
    uint32_t counts[2] = { 0, 0 };
    point(standin, now, seen, counts);
    /* a page that makes a new connection for each offer sees what it saw when it made this one */
    if (standin->standins->config.is_renewed || !standin->is_settled ||
        standin->peer->negotiation.state != NEGOTIATION_STABLE)
        return;
    if (grow(standin, now, seen, counts) && standin_offer(standin, now))
        point(standin, now, seen, (uint32_t[2]){ 0, 0 });
}

/* ---- what a client publishes ---- */

/* Those who see the client, or saw or will see it. */
static void aim_others(const struct standin_client *client, usec now)
{
    const struct standin_room *room = client->room;
    bool is_each = room->standins->config.is_each;
    for (struct list *at = room->clients.next; at != &room->clients; at = at->next) {
        struct standin_client *other = LIST_ENTRY(at, struct standin_client, of_room);
        if (other == client)
            continue;
        for (struct list *one = other->standins.next; one != &other->standins; one = one->next) {
            struct standin *standin = LIST_ENTRY(one, struct standin, of_client);
            if (!is_each || standin->far == client)
                standin_aim(standin, now);
        }
    }
}

static void publish(struct standin *standin, usec now)
{
    struct standin_client *client = standin->client;
    client->source = standin;
    client->heir = NULL;
    for (struct list *at = client->standins.next; at != &client->standins; at = at->next)
        LIST_ENTRY(at, struct standin, of_client)->is_tried = false;
    list_remove(&client->publishing);
    list_append(&client->room->publishers, &client->publishing);
    aim_others(client, now);
}

void standin_unpublish(struct standin_client *client, usec now)
{
    if (!client->source)
        return;
    client->source = NULL;
    list_remove(&client->publishing);
    aim_others(client, now);
}

/* An heir that does not answer is none. */
bool standin_is_vacant(const struct standin_client *client, usec now)
{
    const struct standin *heir = client->heir;
    bool is_lost = heir && heir->peer->negotiation.state == NEGOTIATION_LOCAL_OFFER &&
                   now >= heir->offered_at + STANDIN_GLARE_TIME;
    return !client->source && (!heir || is_lost);
}

bool standin_receives(const struct standin *standin, usec now)
{
    const struct standin_client *client = standin->client;
    return client->source == standin || client->heir == standin || standin_is_vacant(client, now);
}

static bool has_tracks(const struct standin *standin)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(standin->peer, at)) != NULL)
        if (at->receiving)
            return true;
    return false;
}

/* The heir's connection stands: it takes the place of the source, which ends if it is in nobody's
 * place. */
static void inherit(struct standin *heir, usec now)
{
    struct standin *former = heir->client->source;
    publish(heir, now);
    if (former && !former->far)
        standin_close(former, now);
}

/* The client uploads here as well, for it has answered later than it was waited for. */
static void turn_down(struct standin *standin, usec now)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(standin->peer, at)) != NULL)
        transceiver_refuse(at, now);
    if (!standin->standins->config.is_renewed && peer_needs_offer(standin->peer))
        (void)standin_offer(standin, now);
}

void standin_settle(struct standin *standin, usec now)
{
    struct standin_client *client = standin->client;
    bool has_any = has_tracks(standin);
    standin->is_settled = true;
    if (client->source == standin && !has_any) {
        standin_unpublish(client, now);
    } else if (client->source == standin || (!client->source && has_any)) {
        publish(standin, now);
    } else if (client->heir == standin && !has_any) {
        client->heir = NULL;
        standin->is_tried = true;
        standin_elect(client, now);
    } else if (client->heir == standin && standin->peer->state == PEER_CONNECTED) {
        inherit(standin, now);
    } else if (client->heir != standin && has_any) {
        turn_down(standin, now);
    }
    standin_aim(standin, now);
}

/* ---- the next source ---- */

/* Ends those that were before in the place of the same: a page may still show what comes on the
 * last one, but not on those before it. */
static void end_former(const struct standin *standin, usec now)
{
    const struct standin_client *client = standin->client;
    for (struct list *at = client->standins.next; at != &client->standins;) {
        struct standin *former = LIST_ENTRY(at, struct standin, of_client);
        at = at->next;
        if (former != standin && former->far == standin->far && client->source != former)
            standin_close(former, now);
    }
}

static bool renew(struct standin *standin, usec now)
{
    struct standin_client *client = standin->client;
    end_former(standin, now);
    struct standin *next = standin_open(client, now, standin->far);
    if (!next)
        return false;
    client->heir = next;
    if (standin_call(next, now, standin->peer, true))
        return true;
    standin_close(next, now);
    return false;
}

/* A browser does not send on a section of ours that it was not asked to send on at first, not even
 * when it is asked later (RFC 8829, section 5.10: the section has got a transceiver of its own):
 * its tracks need new ones. */
static bool make_places(struct standin *standin, usec now)
{
    struct peer *peer = standin->peer;
    uint32_t count = peer->transceiver_count;
    struct transceiver *at = NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct transceiver *made;
        at = peer_next(peer, at);
        const struct peer_adding adding = { .is_video = at->is_video, .may_receive = true };
        if (peer_add(peer, now, &adding, &made) != OK)
            return false;
    }
    standin->is_apart = false;
    return true;
}

/* Asks the client to upload on a stand-in on which it has not. */
static bool take_over(struct standin *standin, usec now)
{
    struct transceiver *at = NULL;
    if (standin->standins->config.is_renewed)
        return renew(standin, now);
    if (standin->peer->negotiation.state != NEGOTIATION_STABLE)
        return false;
    if (!standin->is_apart)
        while ((at = peer_next(standin->peer, at)) != NULL)
            transceiver_allow(at);
    else if (!make_places(standin, now))
        return false;
    if (!standin_offer(standin, now))
        return false;
    standin->client->heir = standin;
    return true;
}

static struct standin *find_heir(const struct standin_client *client)
{
    for (struct list *at = client->standins.next; at != &client->standins; at = at->next) {
        struct standin *standin = LIST_ENTRY(at, struct standin, of_client);
        if (standin->far && standin->is_settled && !standin->is_tried &&
            standin->peer->state != PEER_ENDED)
            return standin;
    }
    return NULL;
}

void standin_elect(struct standin_client *client, usec now)
{
    struct standin *heir;
    if (client->heir || (client->source && client->source->far))
        return;
    if (!client->room->standins->config.is_each)
        return;
    while ((heir = find_heir(client)) != NULL) {
        heir->is_tried = true;
        if (take_over(heir, now))
            return;
    }
    if (client->source)
        standin_close(client->source, now);
}
