/* Data channels: associations, what comes, what is due, what is told. */
#include "agent/sctp_internal.h"

#include <assert.h>

int sctp_init(struct sctp *sctp, const struct sctp_config *config, usec now)
{
    assert(config->message_max > 0 && config->message_max <= BUFFER_LARGE_MAX);
    assert(config->receive_max / 2 >= config->message_max);
    *sctp = (struct sctp){ .config = *config, .now = now };
    if (pool_init(&sctp->associations, sizeof(struct sctp_association), config->associations_max) !=
        OK)
        return ERR_MEMORY;
    if (pool_init(&sctp->channels, sizeof(struct sctp_channel), config->channels_max) != OK)
        goto free_associations;
    if (pool_init(&sctp->messages, sizeof(struct sctp_outgoing), config->messages_max) != OK)
        goto free_channels;
    if (pool_init(&sctp->chunks, sizeof(struct sctp_sent), config->chunks_max) != OK)
        goto free_messages;
    if (pool_init(&sctp->pieces, sizeof(struct sctp_piece), config->pieces_max) != OK)
        goto free_chunks;
    wheel_init(&sctp->wheel, now);
    list_init(&sctp->touched);
    list_init(&sctp->all);
    return OK;

free_chunks:
    pool_free(&sctp->chunks);
free_messages:
    pool_free(&sctp->messages);
free_channels:
    pool_free(&sctp->channels);
free_associations:
    pool_free(&sctp->associations);
    return ERR_MEMORY;
}

void sctp_free(struct sctp *sctp)
{
    while (!list_empty(&sctp->all))
        sctp_close(sctp, sctp->now, LIST_ENTRY(sctp->all.next, struct sctp_association, all));
    pool_free(&sctp->pieces);
    pool_free(&sctp->chunks);
    pool_free(&sctp->messages);
    pool_free(&sctp->channels);
    pool_free(&sctp->associations);
}

/* ---- small things that all use ---- */

void sctp_touch(struct sctp *sctp, struct sctp_association *association)
{
    if (list_empty(&association->touched))
        list_append(&sctp->touched, &association->touched);
}

void sctp_count_dropped(struct sctp *sctp, enum metric metric)
{
    metrics_add(sctp->config.metrics, metric, 1);
}

void sctp_end(struct sctp *sctp, struct sctp_association *association, enum sctp_end end)
{
    if (association->end != SCTP_OPEN)
        return;
    association->end = (uint8_t)end;
    wheel_cancel(&sctp->wheel, &association->timer);
    sctp_touch(sctp, association);
}

bool sctp_back_off(struct sctp *sctp, struct sctp_association *association)
{
    if (++association->retransmits > SCTP_RETRANSMITS_MAX) {
        sctp_end(sctp, association, SCTP_END_TIMEOUT);
        return false;
    }
    usec rto = association->rto * 2;
    association->rto = rto < SCTP_RTO_MAX ? rto : SCTP_RTO_MAX;
    return true;
}

uint8_t *sctp_reply(struct sctp *sctp, struct sctp_association *association, uint8_t type,
                    uint8_t flags, size_t size)
{
    if (sctp->reply_to != association) {
        sctp->reply_to = association;
        sctp->is_reply_alone = false;
        sctp_begin(&sctp->writer, sctp->packet, sizeof sctp->packet, association->terms.local_port,
                   association->terms.remote_port, association->remote_tag);
    }
    return sctp_add_chunk(&sctp->writer, type, flags, size);
}

/* What the last output borrowed is no longer looked at. */
static void enter(struct sctp *sctp, usec now)
{
    sctp->now = now;
    if (sctp->told_piece) {
        sctp_drop_piece(sctp, sctp->told_piece);
        sctp->told_piece = NULL;
    }
    if (sctp->told_channel) {
        sctp_free_channel(sctp, sctp->told_channel);
        sctp->told_channel = NULL;
    }
}

/* ---- associations ---- */

int sctp_open(struct sctp *sctp, usec now, const struct sctp_terms *terms, void *owner,
              struct sctp_association **out)
{
    enter(sctp, now);
    struct sctp_association *association = pool_take(&sctp->associations);
    if (!association)
        return ERR_LIMIT;
    association->owner = owner;
    association->terms = *terms;
    association->sack_at = USEC_NEVER;
    association->retransmit_at = USEC_NEVER;
    association->reset_at = USEC_NEVER;
    association->rto = SCTP_RTO_INITIAL;
    list_init(&association->touched);
    list_init(&association->channels);
    list_init(&association->records);
    list_init(&association->events);
    list_init(&association->closed);
    list_init(&association->queue);
    list_init(&association->sent);
    list_append(&sctp->all, &association->all);
    sctp_begin_handshake(sctp, association);
    sctp_touch(sctp, association);
    *out = association;
    return OK;
}

static void free_events(struct sctp *sctp, struct sctp_association *association)
{
    while (!list_empty(&association->events)) {
        struct list *node = association->events.next;
        sctp_drop_piece(sctp, LIST_ENTRY(node, struct sctp_piece, node));
    }
}

struct view sctp_close(struct sctp *sctp, usec now, struct sctp_association *association)
{
    struct view packet = { 0 };
    enter(sctp, now);
    sctp->reply_to = NULL;
    if (association->end != SCTP_END_BY_PEER && association->remote_tag) {
        sctp_reply(sctp, association, SCTP_CHUNK_ABORT, 0, 0);
        sctp_seal(&sctp->writer);
        packet = view_make(sctp->packet, sctp->writer.size);
        sctp->reply_to = NULL;
    }
    while (!list_empty(&association->sent))
        sctp_release_sent(sctp, association,
                          LIST_ENTRY(association->sent.next, struct sctp_sent, node));
    while (!list_empty(&association->queue))
        sctp_release_message(sctp, LIST_ENTRY(association->queue.next, struct sctp_outgoing, node));
    while (!list_empty(&association->records))
        sctp_free_channel(sctp, LIST_ENTRY(association->records.next, struct sctp_channel, record));
    while (!list_empty(&association->closed))
        sctp_free_channel(sctp, LIST_ENTRY(association->closed.next, struct sctp_channel, record));
    free_events(sctp, association);
    buffer_give(sctp->config.buffers, association->cookie);
    wheel_cancel(&sctp->wheel, &association->timer);
    list_remove(&association->touched);
    list_remove(&association->all);
    pool_give(&sctp->associations, association);
    return packet;
}

/* ---- in ---- */

static void heartbeat(struct sctp *sctp, struct sctp_association *association,
                      const struct sctp_chunk *chunk)
{
    uint8_t *at = sctp_reply(sctp, association, SCTP_CHUNK_HEARTBEAT_ACK, 0, chunk->value.size);
    for (size_t i = 0; at && i < chunk->value.size; i++)
        at[i] = chunk->value.at[i];
}

static void take_shutdown(struct sctp *sctp, struct sctp_association *association)
{
    sctp_reply(sctp, association, SCTP_CHUNK_SHUTDOWN_ACK, 0, 0);
    sctp_end(sctp, association, SCTP_END_BY_PEER);
}

/* Those that are heard only when the handshake is done.  False: the rest of the packet is not to
 * be read (section 3.2). */
static bool feed_established(struct sctp *sctp, struct sctp_association *association,
                             const struct sctp_chunk *chunk)
{
    switch (chunk->type) {
    case SCTP_CHUNK_DATA:
        sctp_take_data(sctp, association, chunk);
        break;
    case SCTP_CHUNK_SACK:
        /* a second one says nothing new, and each may cost a walk over all that is on the way */
        if (!association->has_sack)
            sctp_take_sack(sctp, association, chunk);
        association->has_sack = true;
        break;
    case SCTP_CHUNK_FORWARD_TSN:
        sctp_take_forward_tsn(sctp, association, chunk);
        break;
    case SCTP_CHUNK_RE_CONFIG:
        sctp_take_reconfig(sctp, association, chunk);
        break;
    case SCTP_CHUNK_HEARTBEAT:
        heartbeat(sctp, association, chunk);
        break;
    case SCTP_CHUNK_SHUTDOWN:
        take_shutdown(sctp, association);
        break;
    case SCTP_CHUNK_HEARTBEAT_ACK:
    case SCTP_CHUNK_ERROR:
    case SCTP_CHUNK_SHUTDOWN_ACK:
        break;
    default:
        return chunk->type & SCTP_CHUNK_SKIP;
    }
    return true;
}

static bool feed_chunk(struct sctp *sctp, struct sctp_association *association, uint32_t tag,
                       const struct sctp_chunk *chunk)
{
    bool is_reflected = (chunk->flags & 1) && tag == association->remote_tag; /* section 8.5.1 */
    bool is_ours = tag == association->local_tag;
    switch (chunk->type) {
    case SCTP_CHUNK_INIT:
    case SCTP_CHUNK_INIT_ACK:
    case SCTP_CHUNK_COOKIE_ECHO:
    case SCTP_CHUNK_COOKIE_ACK:
        sctp_read_handshake(sctp, association, tag, chunk);
        return true;
    case SCTP_CHUNK_ABORT:
    case SCTP_CHUNK_SHUTDOWN_COMPLETE:
        if (is_ours || is_reflected)
            sctp_end(sctp, association, SCTP_END_BY_PEER);
        return true;
    default:
        if (!is_ours || association->state != SCTP_ESTABLISHED)
            return false;
        return feed_established(sctp, association, chunk);
    }
}

void sctp_feed(struct sctp *sctp, usec now, struct sctp_association *association,
               struct view datagram)
{
    struct sctp_packet packet;
    struct sctp_chunk chunk;
    int status;
    enter(sctp, now);
    sctp->reply_to = NULL;
    if (association->end != SCTP_OPEN)
        return;
    sctp_touch(sctp, association);
    association->burst = SCTP_BURST_MAX;
    association->has_sack = false;
    status = sctp_read_packet(datagram, &packet);
    if (status != OK || packet.source_port != association->terms.remote_port ||
        packet.destination_port != association->terms.local_port) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    while ((status = sctp_next_chunk(&packet.chunks, &chunk)) == OK && !association->end)
        if (!feed_chunk(sctp, association, packet.tag, &chunk))
            break;
    if (status == ERR_MALFORMED)
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
    sctp_data_read(sctp, association);
}

/* ---- time ---- */

static usec least(usec a, usec b)
{
    return a < b ? a : b;
}

static void set_timer(struct sctp *sctp, struct sctp_association *association)
{
    usec at = least(least(association->handshake_at, association->sack_at),
                    least(association->retransmit_at, association->reset_at));
    if (association->end != SCTP_OPEN || at == USEC_NEVER)
        wheel_cancel(&sctp->wheel, &association->timer);
    else
        wheel_set(&sctp->wheel, &association->timer, at);
}

static void due(struct sctp *sctp, struct sctp_association *association)
{
    association->burst = SCTP_BURST_MAX;
    sctp_touch(sctp, association);
    if (association->handshake_at <= sctp->now)
        sctp_handshake_timeout(sctp, association);
    if (association->sack_at <= sctp->now) {
        association->sack_at = USEC_NEVER;
        association->is_sack_due = true;
    }
    if (association->retransmit_at <= sctp->now)
        sctp_retransmit_timeout(sctp, association);
    if (association->reset_at <= sctp->now)
        sctp_reset_timeout(sctp, association);
}

void sctp_tick(struct sctp *sctp, usec now)
{
    struct timer *timer;
    enter(sctp, now);
    while ((timer = wheel_expired(&sctp->wheel, now)))
        due(sctp, LIST_ENTRY(timer, struct sctp_association, timer));
}

/* ---- out ---- */

/* What comes of the association next, but packets.  False: nothing. */
static bool tell(struct sctp *sctp, struct sctp_association *association, struct sctp_out *out)
{
    if (association->state == SCTP_ESTABLISHED && !association->is_up_told) {
        association->is_up_told = true;
        out->kind = SCTP_UP;
        return true;
    }
    if (!list_empty(&association->events)) {
        struct sctp_piece *piece = LIST_ENTRY(association->events.next, struct sctp_piece, node);
        list_remove(&piece->node);
        sctp->told_piece = piece;
        out->kind = piece->is_open ? SCTP_CHANNEL_OPENED : SCTP_MESSAGE;
        out->channel = piece->channel;
        out->message = piece->bytes;
        out->message_kind = piece->ppid == SCTP_PPID_STRING || piece->ppid == SCTP_PPID_STRING_EMPTY
                                ? SCTP_STRING
                                : SCTP_BINARY;
        return true;
    }
    if (!list_empty(&association->closed)) {
        sctp->told_channel = LIST_ENTRY(association->closed.next, struct sctp_channel, record);
        list_remove(&sctp->told_channel->record);
        out->kind = SCTP_CHANNEL_CLOSED;
        out->channel = sctp->told_channel;
        return true;
    }
    return false;
}

/* After the packets: the end, and that there is room again. */
static bool tell_last(struct sctp *sctp, struct sctp_association *association, struct sctp_out *out)
{
    if (association->end != SCTP_OPEN) {
        if (association->is_end_told)
            return false;
        association->is_end_told = true;
        out->kind = SCTP_ENDED;
        out->end = association->end;
        return true;
    }
    if (association->is_full && association->queued < sctp->config.send_max / 2) {
        association->is_full = false;
        out->kind = SCTP_WRITABLE;
        return true;
    }
    return false;
}

static bool poll_association(struct sctp *sctp, struct sctp_association *association,
                             struct sctp_out *out)
{
    out->association = association;
    if (tell(sctp, association, out))
        return true;
    if (sctp_write_packet(sctp, association)) {
        out->kind = SCTP_SEND;
        out->packet = view_make(sctp->packet, sctp->writer.size);
        return true;
    }
    return tell_last(sctp, association, out);
}

void sctp_poll(struct sctp *sctp, struct sctp_out *out)
{
    enter(sctp, sctp->now);
    while (!list_empty(&sctp->touched)) {
        struct sctp_association *association =
            LIST_ENTRY(sctp->touched.next, struct sctp_association, touched);
        *out = (struct sctp_out){ 0 };
        if (poll_association(sctp, association, out))
            return;
        set_timer(sctp, association);
        list_remove(&association->touched);
    }
    *out = (struct sctp_out){ .kind = SCTP_WAIT, .until = wheel_next(&sctp->wheel) };
}
