/* Data channels: a peer's association, and what goes round in its circle. */
#include "media/peer_inside.h"

#include "media/data_circle.h"

#include <string.h>

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

static struct sctp_channel_terms terms_of(const struct sctp_channel *channel)
{
    return (struct sctp_channel_terms){
        .label = channel->label,
        .protocol = channel->protocol,
        .reliability = channel->reliability,
        .is_unordered = channel->is_unordered,
        .parameter = channel->parameter,
    };
}

static struct sctp_channel *find_channel(const struct peer *peer,
                                         const struct sctp_channel_terms *like)
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

static void open_like(struct peer *peer, usec now, const struct sctp_channel_terms *like)
{
    struct sctp_channel *channel;
    if (peer->data && !find_channel(peer, like) &&
        sctp_open_channel(&peer->sfu->sctp, now, peer->data, like, NULL, &channel) != OK)
        count(peer->sfu, METRIC_MEDIA_DATA_LOST);
}

/* ---- circles ---- */

void data_circle_init(struct data_circle *circle)
{
    list_init(&circle->peers);
    list_init(&circle->far);
}

/* A channel that is open elsewhere. */
struct data_far {
    struct list node;
    uint64_t workers; /* a bit for each, where somebody has opened it */
    struct sctp_channel_terms terms;
    uint8_t text[DATA_FAR_TEXT_MAX];
};

size_t data_far_size(void)
{
    return sizeof(struct data_far);
}

static struct data_far *find_far(const struct data_circle *circle,
                                 const struct sctp_channel_terms *like)
{
    for (struct list *node = circle->far.next; node != &circle->far; node = node->next) {
        struct data_far *far = LIST_ENTRY(node, struct data_far, node);
        if (view_equal(far->terms.label, like->label) &&
            view_equal(far->terms.protocol, like->protocol))
            return far;
    }
    return NULL;
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
    struct list *far = peer->circle ? &peer->circle->far : NULL;
    for (struct list *at = far ? far->next : NULL; at != far; at = at->next)
        open_like(peer, now, &LIST_ENTRY(at, struct data_far, node)->terms);
    while (peer->data && (other = next_other(peer, &node)))
        for (struct list *at = other->data ? other->data->channels.next : NULL;
             at && at != &other->data->channels; at = at->next) {
            const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
            const struct sctp_channel_terms terms = terms_of(channel);
            if (is_opener(channel))
                open_like(peer, now, &terms);
        }
}

static void open_to_all(const struct peer *peer, usec now, const struct sctp_channel *channel)
{
    const struct sctp_channel_terms terms = terms_of(channel);
    struct list *node = first_of(peer);
    struct peer *other;
    while ((other = next_other(peer, &node)))
        open_like(other, now, &terms);
    if (peer->circle && peer->circle->way.opened)
        peer->circle->way.opened(peer->circle->way.context, &terms);
}

/* Whether the peer has opened one; it may have another one, that was opened to it, beside. */
static bool is_opened_by(const struct peer *peer, const struct sctp_channel_terms *like)
{
    for (struct list *at = peer->data ? peer->data->channels.next : NULL;
         at && at != &peer->data->channels; at = at->next) {
        const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
        if (is_opener(channel) && sctp_is_open(channel) &&
            view_equal(channel->label, like->label) &&
            view_equal(channel->protocol, like->protocol))
            return true;
    }
    return false;
}

/* Whether one of the circle here has opened it, but for `but` (NULL: any). */
static bool has_opener(const struct data_circle *circle, const struct peer *but,
                       const struct sctp_channel_terms *like)
{
    for (struct list *node = circle->peers.next; node != &circle->peers; node = node->next) {
        const struct peer *peer = LIST_ENTRY(node, struct peer, of_circle);
        if (peer != but && is_opened_by(peer, like))
            return true;
    }
    return false;
}

static void close_to_all(const struct data_circle *circle, usec now, const struct peer *but,
                         const struct sctp_channel_terms *like)
{
    struct sctp_channel *channel;
    for (struct list *node = circle->peers.next; node != &circle->peers; node = node->next) {
        struct peer *peer = LIST_ENTRY(node, struct peer, of_circle);
        if (peer != but && (channel = find_channel(peer, like)))
            sctp_close_channel(&peer->sfu->sctp, now, channel);
    }
}

/* One who opened it has gone: without another one, it is closed to all. */
static void closed_by_opener(const struct peer *peer, usec now, const struct sctp_channel *channel)
{
    const struct data_circle *circle = peer->circle;
    const struct sctp_channel_terms terms = terms_of(channel);
    if (!circle || has_opener(circle, peer, &terms))
        return;
    if (circle->way.closed)
        circle->way.closed(circle->way.context, &terms);
    if (!find_far(circle, &terms))
        close_to_all(circle, now, peer, &terms);
}

static void say_to(struct peer *peer, usec now, const struct sctp_channel_terms *like,
                   uint8_t message_kind, struct buffer *message)
{
    struct sfu *sfu = peer->sfu;
    struct sctp_channel *channel = find_channel(peer, like);
    int status = channel ? sctp_send(&sfu->sctp, now, channel, message_kind, message) : ERR_CLOSED;
    if (status != OK)
        count(sfu, METRIC_MEDIA_DATA_LOST);
    if (channel && status == ERR_AGAIN && channel->reliability == DCEP_RELIABLE)
        sctp_close_channel(&sfu->sctp, now, channel);
}

static void say_to_all(const struct peer *peer, usec now, const struct sctp_out *out)
{
    const struct sctp_channel_terms terms = terms_of(out->channel);
    const struct data_circle *circle = peer->circle;
    struct list *node = first_of(peer);
    struct peer *other;
    while ((other = next_other(peer, &node)))
        say_to(other, now, &terms, out->message_kind, out->message);
    if (circle && circle->way.said)
        circle->way.said(circle->way.context, &terms, out->message_kind, out->message);
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

/* ---- what is elsewhere ---- */

static void give_far(struct data_circle *circle, struct data_far *far)
{
    list_remove(&far->node);
    circle->far_count--;
    pool_give(circle->far_pool, far);
}

void data_circle_end(struct data_circle *circle)
{
    while (!list_empty(&circle->peers)) {
        struct peer *peer = LIST_ENTRY(circle->peers.next, struct peer, of_circle);
        list_remove(&peer->of_circle);
        peer->circle = NULL;
    }
    while (!list_empty(&circle->far))
        give_far(circle, LIST_ENTRY(circle->far.next, struct data_far, node));
}

static struct data_far *add_far(struct data_circle *circle, struct sfu *sfu,
                                const struct sctp_channel_terms *terms)
{
    size_t size = terms->label.size + terms->protocol.size;
    bool has_place = size <= DATA_FAR_TEXT_MAX && circle->far_count < DATA_FAR_MAX;
    struct data_far *far = has_place ? pool_take(&sfu->data_far) : NULL;
    if (!far)
        return NULL;
    circle->far_pool = &sfu->data_far;
    far->terms = *terms;
    far->terms.label = view_make(far->text, terms->label.size);
    far->terms.protocol = view_make(far->text + terms->label.size, terms->protocol.size);
    if (terms->label.size)
        memcpy(far->text, terms->label.at, terms->label.size);
    if (terms->protocol.size)
        memcpy(far->text + terms->label.size, terms->protocol.at, terms->protocol.size);
    list_init(&far->node);
    list_append(&circle->far, &far->node);
    circle->far_count++;
    return far;
}

void data_circle_opened(struct data_circle *circle, struct sfu *sfu, usec now, unsigned worker,
                        const struct sctp_channel_terms *terms)
{
    struct data_far *far = find_far(circle, terms);
    if (!far)
        far = add_far(circle, sfu, terms);
    if (!far) {
        count(sfu, METRIC_MEDIA_DATA_LOST);
        return;
    }
    far->workers |= UINT64_C(1) << worker;
    for (struct list *node = circle->peers.next; node != &circle->peers; node = node->next)
        open_like(LIST_ENTRY(node, struct peer, of_circle), now, terms);
    peer_drain_data(sfu, now);
}

void data_circle_closed(struct data_circle *circle, struct sfu *sfu, usec now, unsigned worker,
                        const struct sctp_channel_terms *terms)
{
    struct data_far *far = find_far(circle, terms);
    if (!far)
        return;
    far->workers &= ~(UINT64_C(1) << worker);
    if (far->workers)
        return;
    give_far(circle, far);
    if (!has_opener(circle, NULL, terms))
        close_to_all(circle, now, NULL, terms);
    peer_drain_data(sfu, now);
}

void data_circle_broken(struct data_circle *circle, struct sfu *sfu, usec now,
                        const struct sctp_channel_terms *terms)
{
    close_to_all(circle, now, NULL, terms);
    peer_drain_data(sfu, now);
}

void data_circle_said(struct data_circle *circle, struct sfu *sfu, usec now,
                      const struct sctp_channel_terms *terms, uint8_t message_kind,
                      struct buffer *message)
{
    for (struct list *node = circle->peers.next; node != &circle->peers; node = node->next)
        say_to(LIST_ENTRY(node, struct peer, of_circle), now, terms, message_kind, message);
    peer_drain_data(sfu, now);
}

bool data_circle_far(const struct data_circle *circle, unsigned n, uint64_t *workers,
                     struct sctp_channel_terms *terms)
{
    for (struct list *node = circle->far.next; node != &circle->far; node = node->next, n--) {
        const struct data_far *far = LIST_ENTRY(node, struct data_far, node);
        if (n > 0)
            continue;
        *workers = far->workers;
        *terms = far->terms;
        return true;
    }
    return false;
}

void data_circle_tell(const struct data_circle *circle)
{
    for (struct list *node = circle->peers.next; node != &circle->peers; node = node->next) {
        const struct peer *peer = LIST_ENTRY(node, struct peer, of_circle);
        for (struct list *at = peer->data ? peer->data->channels.next : NULL;
             at && at != &peer->data->channels; at = at->next) {
            const struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, node);
            const struct sctp_channel_terms terms = terms_of(channel);
            if (is_opener(channel))
                circle->way.opened(circle->way.context, &terms);
        }
    }
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
