/* Data channels: a peer's association, and what goes round in its circle. */
#include "media/peer_inside.h"

#include "media/data_circle.h"

/* What channel->owner points to where the other end opened it. */
static const char OPENER;

static bool is_opener(const struct sctp_channel *channel)
{
    const struct peer *peer = channel->association->owner;
    return channel->owner == &OPENER && peer->is_heard;
}

static void count(struct sfu *sfu, enum metric metric)
{
    metrics_add(sfu->metrics, metric, 1);
}

/* ---- channels of the same name ---- */

static struct sctp_channel *find_channel(const struct peer *peer, const struct sctp_channel *like)
{
    if (!peer->data)
        return NULL;
    for (struct list *node = peer->data->channels.next; node != &peer->data->channels;
         node = node->next) {
        struct sctp_channel *channel = LIST_ENTRY(node, struct sctp_channel, node);
        if (sctp_is_open(channel) && view_equal(channel->label, like->label) &&
            view_equal(channel->protocol, like->protocol))
            return channel;
    }
    return NULL;
}

static void open_like(struct peer *peer, usec now, const struct sctp_channel *like)
{
    struct sctp_channel *channel;
    const struct sctp_channel_terms terms = {
        .label = like->label,
        .protocol = like->protocol,
        .reliability = like->reliability,
        .is_unordered = like->is_unordered,
        .parameter = like->parameter,
    };
    if (peer->data && !find_channel(peer, like) &&
        sctp_open_channel(&peer->sfu->sctp, now, peer->data, &terms, NULL, &channel) != OK)
        count(peer->sfu, METRIC_MEDIA_DATA_LOST);
}

/* ---- circles ---- */

void data_circle_init(struct data_circle *circle)
{
    list_init(&circle->peers);
}

/* The next one but `peer`, after `node`; NULL: that was all. */
static struct peer *next_other(const struct peer *peer, struct list **node)
{
    struct peer *other;
    do {
        if (!peer->circle || *node == &peer->circle->peers)
            return NULL;
        other = LIST_ENTRY(*node, struct peer, of_circle);
        *node = (*node)->next;
    } while (other == peer);
    return other;
}

static struct list *first_of(const struct peer *peer)
{
    return peer->circle ? peer->circle->peers.next : NULL;
}

/* Each channel that someone has opened, to one who comes. */
static void open_all_to(struct peer *peer, usec now)
{
    struct list *node = first_of(peer);
    struct peer *other;
    while (peer->data && (other = next_other(peer, &node)))
        for (struct list *at = other->data ? other->data->channels.next : NULL;
             at && at != &other->data->channels; at = at->next) {
            const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
            if (is_opener(channel))
                open_like(peer, now, channel);
        }
}

static void open_to_all(const struct peer *peer, usec now, const struct sctp_channel *channel)
{
    struct list *node = first_of(peer);
    struct peer *other;
    while ((other = next_other(peer, &node)))
        open_like(other, now, channel);
}

/* One who opened it has gone: without another one, it is closed to all. */
static void closed_by_opener(const struct peer *peer, usec now, const struct sctp_channel *channel)
{
    struct list *node = first_of(peer);
    struct peer *other;
    struct sctp_channel *theirs;
    while ((other = next_other(peer, &node)))
        if ((theirs = find_channel(other, channel)) && is_opener(theirs))
            return;
    node = first_of(peer);
    while ((other = next_other(peer, &node)))
        if ((theirs = find_channel(other, channel)))
            sctp_close_channel(&peer->sfu->sctp, now, theirs);
}

static void say_to_all(const struct peer *peer, usec now, const struct sctp_out *out)
{
    struct sfu *sfu = peer->sfu;
    struct list *node = first_of(peer);
    struct peer *other;
    while ((other = next_other(peer, &node))) {
        struct sctp_channel *channel = find_channel(other, out->channel);
        int status = channel ? sctp_send(&sfu->sctp, now, channel, out->message_kind, out->message)
                             : ERR_CLOSED;
        if (status != OK)
            count(sfu, METRIC_MEDIA_DATA_LOST);
        if (channel && status == ERR_AGAIN && channel->reliability == DCEP_RELIABLE)
            sctp_close_channel(&sfu->sctp, now, channel);
    }
}

static void open_its_own(const struct peer *peer, usec now)
{
    for (struct list *at = peer->data ? peer->data->channels.next : NULL;
         at && at != &peer->data->channels; at = at->next) {
        const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
        if (is_opener(channel))
            open_to_all(peer, now, channel);
    }
}

void peer_join_circle(struct peer *peer, usec now, struct data_circle *circle, bool is_heard)
{
    peer_leave_circle(peer, now);
    peer->circle = circle;
    peer->is_heard = is_heard;
    list_append(&circle->peers, &peer->of_circle);
    open_all_to(peer, now);
    open_its_own(peer, now);
    peer_drain_data(peer->sfu, now);
}

/* The same of all its channels. */
static void gone(const struct peer *peer, usec now)
{
    for (struct list *at = peer->data ? peer->data->channels.next : NULL;
         at && at != &peer->data->channels; at = at->next) {
        const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
        if (is_opener(channel))
            closed_by_opener(peer, now, channel);
    }
}

void peer_leave_circle(struct peer *peer, usec now)
{
    if (!peer->circle)
        return;
    gone(peer, now);
    list_remove(&peer->of_circle);
    peer->circle = NULL;
    peer_drain_data(peer->sfu, now);
}

/* ---- associations ---- */

static const struct negotiation_section *find_section(const struct peer *peer)
{
    const struct negotiation *negotiation = &peer->negotiation;
    for (uint32_t i = 0; i < negotiation->described; i++) {
        const struct negotiation_section *section = &negotiation->sections[i];
        if (section->kind == SDP_APPLICATION && section->state == NEGOTIATION_AGREED)
            return section;
    }
    return NULL;
}

bool peer_has_data(const struct peer *peer)
{
    return find_section(peer) != NULL;
}

static void close_data(struct peer *peer, usec now)
{
    struct sfu *sfu = peer->sfu;
    gone(peer, now);
    struct view goodbye = sctp_close(&sfu->sctp, now, peer->data);
    if (goodbye.size > 0)
        rtc_send_data(sfu->config.rtc, now, peer->transport, goodbye);
    peer->data = NULL;
}

void peer_settle_data(struct peer *peer, usec now)
{
    struct sfu *sfu = peer->sfu;
    const struct negotiation_section *section = find_section(peer);
    if (!sfu->config.buffers || peer->state != PEER_CONNECTED || !section == !peer->data)
        return;
    if (section) {
        const struct sctp_terms terms = {
            .is_dtls_client = peer->negotiation.setup == SDP_SETUP_ACTIVE,
            .local_port =
                section->protocol == DESCRIPTION_SCTP ? section->sctp_port : DESCRIPTION_SCTP_PORT,
            .remote_port = section->sctp_port,
            .remote_message_max = section->message_size_max,
        };
        if (sctp_open(&sfu->sctp, now, &terms, peer, &peer->data) != OK)
            count(sfu, METRIC_MEDIA_DATA_LOST);
    } else {
        close_data(peer, now);
    }
    peer_drain_data(sfu, now);
}

void peer_end_data(struct peer *peer, usec now)
{
    peer_leave_circle(peer, now);
    if (peer->data)
        close_data(peer, now);
    peer_drain_data(peer->sfu, now);
}

static void take(struct sfu *sfu, usec now, const struct sctp_out *out)
{
    struct peer *peer = out->association->owner;
    switch (out->kind) {
    case SCTP_SEND:
        rtc_send_data(sfu->config.rtc, now, peer->transport, out->packet);
        break;
    case SCTP_UP:
        open_all_to(peer, now);
        break;
    case SCTP_CHANNEL_OPENED:
        out->channel->owner = (void *)&OPENER;
        if (is_opener(out->channel))
            open_to_all(peer, now, out->channel);
        break;
    case SCTP_MESSAGE:
        if (peer->is_heard)
            say_to_all(peer, now, out);
        break;
    case SCTP_CHANNEL_CLOSED:
        if (is_opener(out->channel))
            closed_by_opener(peer, now, out->channel);
        break;
    case SCTP_ENDED:
        close_data(peer, now);
        break;
    default: /* SCTP_WRITABLE: what found no room is lost */
        break;
    }
}

void peer_drain_data(struct sfu *sfu, usec now)
{
    struct sctp_out out;
    if (!sfu->config.buffers)
        return;
    for (sctp_poll(&sfu->sctp, &out); out.kind != SCTP_WAIT; sctp_poll(&sfu->sctp, &out))
        take(sfu, now, &out);
    sfu->data_until = out.until;
}

void peer_data(struct peer *peer, usec now, struct view datagram)
{
    if (!peer->data)
        return;
    sctp_feed(&peer->sfu->sctp, now, peer->data, datagram);
    peer_drain_data(peer->sfu, now);
}
