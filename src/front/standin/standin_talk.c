/* Offers and answers. */
#include "front/standin/standin_inside.h"

#include <stdio.h>

/* ---- what is told ---- */

static void tell(const struct standin *standin, usec now, enum standin_kind kind, size_t size)
{
    const struct standins *standins = standin->standins;
    const struct standin_text text = { .kind = kind, .sdp = view_make(standins->sdp, size) };
    standins->config.voice->tell(standins->server, now, standin, &text);
}

static struct span scratch(const struct standin *standin)
{
    return (struct span){ standin->standins->sdp, STANDIN_SDP_MAX };
}

bool standin_offer(struct standin *standin, usec now)
{
    size_t size;
    if (peer_write_offer(standin->peer, now, scratch(standin), &size) != OK) {
        standin_refuse(standin->standins);
        return false;
    }
    standin->offered_at = now;
    tell(standin, now, STANDIN_OFFER, size);
    return true;
}

/* ---- names ---- */

/* Of a stream and one of its tracks: pages take the stream's for somebody's. */
struct names {
    char stream[PEER_NAME_MAX];
    char track[PEER_NAME_MAX];
    struct view views[2];
};

/* Where one sees whoever publishes, the stream is the stand-in's. */
static void name(const struct standin *standin, uint32_t index, bool is_video, struct names *names)
{
    const struct standin_client *named = standin->far ? standin->far : standin->client;
    int sizes[2];
    sizes[0] = snprintf(names->stream, sizeof names->stream, "%s-%llu",
                        standin->far ? "from" : "for", (unsigned long long)named->number);
    sizes[1] = snprintf(names->track, sizeof names->track, "%s-%lu", is_video ? "video" : "audio",
                        (unsigned long)index);
    names->views[0] = view_make(names->stream, (size_t)sizes[0]);
    names->views[1] = view_make(names->track, (size_t)sizes[1]);
}

/* ---- their offer ---- */

/* Whether the other end would take what we send on it, as its offer has it. */
static bool is_wanted(struct peer *peer, const struct transceiver *transceiver)
{
    const struct negotiation_section *section =
        negotiation_find_owner(&peer->negotiation, transceiver);
    return section && section->direction & SDP_SENDONLY;
}

/* Answers what was offered: promises to send wherever that is taken, for there may be somebody to
 * be seen later. */
static bool answer(struct standin *standin, usec now, bool receives)
{
    struct peer *peer = standin->peer;
    struct transceiver *at = NULL;
    struct names names;
    uint32_t index = 0;
    size_t size;
    while ((at = peer_next(peer, at)) != NULL) {
        if (!receives)
            transceiver_refuse(at, now);
        if (!at->is_announced && is_wanted(peer, at)) {
            name(standin, index, at->is_video, &names);
            transceiver_announce(at, names.views[0], names.views[1]);
        }
        index++;
    }
    if (peer_write_answer(peer, now, scratch(standin), &size) != OK)
        return false;
    tell(standin, now, STANDIN_ANSWER, size);
    return true;
}

/* Takes their offer on this stand-in, and answers it; false: the stand-in is as it was, or (one
 * that has an offer without an answer) of no use any more. */
static bool take_offer(struct standin *standin, usec now, struct view sdp, bool receives)
{
    struct description_error error;
    return peer_take_offer(standin->peer, now, sdp, &error) == OK &&
           standin->peer->negotiation.described > 0 && answer(standin, now, receives);
}

static bool is_useless(const struct standin *standin)
{
    return standin->peer->negotiation.state == NEGOTIATION_REMOTE_OFFER;
}

/* A connection that is new, at their end, too: a page that was not left, and began again. */
static struct standin *begin(struct standin_client *client, usec now, struct standin_client *far,
                             struct standin *old, struct view sdp)
{
    bool receives = standin_is_vacant(client, now) || (old && standin_receives(old, now));
    struct standin *standin = standin_open(client, now, far);
    if (!standin)
        return NULL;
    if (!take_offer(standin, now, sdp, receives)) {
        standin_close(standin, now);
        return NULL;
    }
    if (old)
        standin_close(old, now);
    if (receives && !client->source)
        client->heir = standin;
    return standin;
}

static bool is_glaring(const struct standin *standin, usec now)
{
    return standin->peer->negotiation.state == NEGOTIATION_LOCAL_OFFER &&
           now < standin->offered_at + STANDIN_GLARE_TIME;
}

bool standin_hear_offer(struct standin_client *client, usec now, struct standin_client *far,
                        struct view sdp)
{
    struct standin *old = standin_of(client, far);
    struct standin *standin = old;
    if (old && is_glaring(old, now)) {
        standin_refuse(old->standins);
        return false;
    }
    if (old && old->peer->negotiation.state == NEGOTIATION_LOCAL_OFFER)
        peer_rollback(old->peer);
    if (!old || !old->is_settled || !take_offer(old, now, sdp, standin_receives(old, now)))
        standin = begin(client, now, far, old, sdp);
    if (standin) {
        standin_settle(standin, now);
        return true;
    }
    standin_refuse(client->room->standins);
    if (old && is_useless(old)) {
        standin_close(old, now);
        standin_elect(client, now);
    }
    return false;
}

/* ---- our offers, and their answers ---- */

bool standin_call(struct standin *standin, usec now, const struct peer *model, bool may_receive)
{
    struct transceiver *at = NULL;
    struct names names;
    uint32_t index = 0;
    while ((at = peer_next(model, at)) != NULL && index < STANDIN_SECTIONS_MAX) {
        struct transceiver *made;
        struct peer_adding adding = { .is_video = at->is_video, .may_receive = may_receive };
        if (!at->is_agreed)
            continue;
        name(standin, index, at->is_video, &names);
        adding.stream_name = names.views[0];
        adding.track_name = names.views[1];
        if (peer_add(standin->peer, now, &adding, &made) != OK)
            return false;
        index++;
    }
    standin->is_apart = !may_receive;
    if (peer_has_data(model) && peer_add_data(standin->peer) != OK)
        return false;
    return index > 0 && standin_offer(standin, now);
}

void standin_invite(struct standin_client *client, usec now, struct standin_client *from)
{
    bool is_each = client->room->standins->config.is_each;
    struct standin_client *far = is_each ? from : NULL;
    const struct standin *model = from->source;
    struct standin *standin = standin_of(client, far);
    if (!model)
        model = standin_of(from, is_each ? client : NULL);
    if (standin || !model || client == from)
        return;
    bool may_receive = standin_is_vacant(client, now);
    standin = standin_open(client, now, far);
    if (!standin)
        return;
    if (may_receive)
        client->heir = standin;
    if (standin_call(standin, now, model->peer, may_receive))
        return;
    standin_close(standin, now);
}

void standin_hear_answer(struct standin_client *client, usec now, struct standin_client *far,
                         struct view sdp)
{
    struct standin *standin = standin_of(client, far);
    struct description_error error;
    int status = ERR_OLD;
    if (standin && standin->peer->negotiation.state == NEGOTIATION_LOCAL_OFFER)
        status = peer_take_answer(standin->peer, now, sdp, &error);
    if (status == OK) {
        standin_settle(standin, now);
        return;
    }
    standin_refuse(client->room->standins);
    if (status == ERR_OLD || !standin)
        return;
    if (standin->is_settled) {
        peer_rollback(standin->peer);
        return;
    }
    standin_close(standin, now);
    standin_elect(client, now);
}
