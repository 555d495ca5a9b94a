/* Channels and their messages (RFC 8831, 8832). */
#include "agent/sctp_internal.h"

#include <assert.h>
#include <string.h>

/* ---- records of streams ---- */

struct sctp_channel *sctp_find_channel(struct sctp_association *association, uint16_t stream)
{
    struct list *node = association->records.next;
    for (; node != &association->records; node = node->next) {
        struct sctp_channel *channel = LIST_ENTRY(node, struct sctp_channel, record);
        if (channel->stream == stream)
            return channel;
    }
    return NULL;
}

struct sctp_channel *sctp_new_channel(struct sctp *sctp, struct sctp_association *association,
                                      uint16_t stream)
{
    if (association->channel_count >= SCTP_CHANNELS_MAX)
        return NULL;
    struct sctp_channel *channel = pool_take(&sctp->channels);
    if (!channel)
        return NULL;
    channel->association = association;
    channel->stream = stream;
    list_init(&channel->pieces);
    list_init(&channel->node);
    list_append(&association->records, &channel->record);
    association->channel_count++;
    return channel;
}

void sctp_free_channel(struct sctp *sctp, struct sctp_channel *channel)
{
    if (channel->is_known)
        metrics_subtract(sctp->config.metrics, METRIC_SCTP_CHANNELS, 1);
    while (!list_empty(&channel->pieces))
        sctp_drop_piece(sctp, LIST_ENTRY(channel->pieces.next, struct sctp_piece, node));
    buffer_give(sctp->config.buffers, channel->open);
    list_remove(&channel->node);
    list_remove(&channel->record);
    channel->association->channel_count--;
    pool_give(&sctp->channels, channel);
}

static void know_channel(struct sctp *sctp, struct sctp_channel *channel,
                         const struct dcep_open *open)
{
    channel->label = open->label;
    channel->protocol = open->protocol;
    channel->reliability = open->reliability;
    channel->is_unordered = open->is_unordered;
    channel->parameter = open->parameter;
    channel->is_known = true;
    list_append(&channel->association->channels, &channel->node);
    metrics_add(sctp->config.metrics, METRIC_SCTP_CHANNELS, 1);
}

/* ---- messages that go ---- */

/* OK, or ERR_LIMIT.  Takes a reference. */
static int queue_message(struct sctp *sctp, struct sctp_channel *channel, uint32_t ppid,
                         struct buffer *bytes)
{
    struct sctp_association *association = channel->association;
    struct sctp_outgoing *message = pool_take(&sctp->messages);
    if (!message)
        return ERR_LIMIT;
    bool is_dcep = ppid == DCEP_PPID;
    *message = (struct sctp_outgoing){
        .channel = channel,
        .bytes = buffer_share(bytes),
        .size = bytes->size,
        .ppid = ppid,
        .expires_at = USEC_NEVER,
        .is_queued = true,
        /* nothing may overtake the OPEN (RFC 8832, section 6) */
        .is_unordered = channel->is_unordered && channel->is_acked && !is_dcep,
    };
    if (channel->reliability == DCEP_LIFETIME && !is_dcep)
        message->expires_at = sctp->now + channel->parameter * USEC_MS;
    message->is_reliable = is_dcep || channel->reliability == DCEP_RELIABLE;
    list_append(&association->queue, &message->node);
    association->queued += message->size;
    association->burst = SCTP_BURST_MAX;
    channel->waiting++;
    sctp_touch(sctp, association);
    return OK;
}

void sctp_release_message(struct sctp *sctp, struct sctp_outgoing *message)
{
    struct sctp_channel *channel = message->channel;
    assert(message->chunks == 0 && channel->waiting > 0);
    channel->association->queued -= message->size;
    channel->waiting--;
    if (message->is_queued)
        list_remove(&message->node);
    buffer_give(sctp->config.buffers, message->bytes);
    pool_give(&sctp->messages, message);
    if (channel->waiting == 0 && channel->reset_out == SCTP_RESET_WANTED)
        sctp_want_reset(sctp, channel->association);
}

/* A short one of our own: of DCEP, or the byte that stands for an empty message. */
static int queue_short(struct sctp *sctp, struct sctp_channel *channel, uint32_t ppid, uint8_t byte)
{
    struct buffer *bytes;
    int status = buffers_take(sctp->config.buffers, 1, &bytes);
    if (status != OK)
        return status;
    bytes->bytes[0] = byte;
    bytes->size = 1;
    status = queue_message(sctp, channel, ppid, bytes);
    buffer_give(sctp->config.buffers, bytes);
    return status;
}

int sctp_send(struct sctp *sctp, usec now, struct sctp_channel *channel, enum sctp_kind kind,
              struct buffer *message)
{
    struct sctp_association *association = channel->association;
    uint32_t most = association->terms.remote_message_max;
    int status;
    sctp->now = now;
    assert(channel->is_known);
    if (association->end != SCTP_OPEN || channel->reset_out != SCTP_RESET_NONE)
        return ERR_CLOSED;
    if (most && message->size > most)
        return ERR_LIMIT;
    /* the first is let in whatever its size */
    if (association->queued && association->queued + message->size > sctp->config.send_max) {
        association->is_full = true;
        return ERR_AGAIN;
    }
    if (message->size == 0)
        status =
            queue_short(sctp, channel,
                        kind == SCTP_STRING ? SCTP_PPID_STRING_EMPTY : SCTP_PPID_BINARY_EMPTY, 0);
    else
        status = queue_message(sctp, channel,
                               kind == SCTP_STRING ? SCTP_PPID_STRING : SCTP_PPID_BINARY, message);
    if (status == OK)
        metrics_add(sctp->config.metrics, METRIC_SCTP_OUT, 1);
    return status;
}

/* ---- messages that come ---- */

/* Whoever opens a channel in a way that can't be is told so by its end. */
static void refuse(struct sctp *sctp, struct sctp_channel *channel)
{
    sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
    if (channel->reset_out == SCTP_RESET_NONE)
        channel->reset_out = SCTP_RESET_WANTED;
    sctp_want_reset(sctp, channel->association);
}

/* True: the piece is an event. */
static bool take_open(struct sctp *sctp, struct sctp_piece *piece)
{
    struct sctp_channel *channel = piece->channel;
    struct dcep_open open;
    if (channel->is_known || channel->reset_out != SCTP_RESET_NONE) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return false;
    }
    if (dcep_read_open(buffer_view(piece->bytes), &open) != OK ||
        open.label.size + open.protocol.size > SCTP_LABEL_MAX ||
        queue_short(sctp, channel, DCEP_PPID, DCEP_ACK) != OK) {
        refuse(sctp, channel);
        return false;
    }
    know_channel(sctp, channel, &open);
    channel->is_acked = true;
    channel->open = buffer_share(piece->bytes);
    piece->is_open = true;
    return true;
}

static bool take_dcep(struct sctp *sctp, struct sctp_piece *piece)
{
    enum dcep_type type;
    if (dcep_read_type(buffer_view(piece->bytes), &type) != OK) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return false;
    }
    if (type == DCEP_OPEN)
        return take_open(sctp, piece);
    piece->channel->is_acked = true;
    return false;
}

static bool take_message(struct sctp *sctp, struct sctp_piece *piece)
{
    switch (piece->ppid) {
    case SCTP_PPID_STRING_EMPTY:
    case SCTP_PPID_BINARY_EMPTY:
        piece->bytes->size = 0; /* the byte is there because SCTP has no empty messages */
        break;
    case SCTP_PPID_STRING:
    case SCTP_PPID_BINARY:
        break;
    default:
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return false;
    }
    if (!piece->channel->is_known) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return false;
    }
    /* whoever sends has got our OPEN, even if its ACK was lost on the way */
    piece->channel->is_acked = true;
    metrics_add(sctp->config.metrics, METRIC_SCTP_IN, 1);
    return true;
}

void sctp_deliver(struct sctp *sctp, struct sctp_piece *piece)
{
    bool is_event = piece->ppid == DCEP_PPID ? take_dcep(sctp, piece) : take_message(sctp, piece);
    if (is_event)
        list_append(&piece->channel->association->events, &piece->node);
    else
        sctp_drop_piece(sctp, piece);
}

/* ---- opening and closing ---- */

/* The first that is free and of our half (RFC 8832, section 6). */
static uint16_t free_stream(struct sctp_association *association)
{
    uint16_t stream = SCTP_OWN_STREAMS + !association->terms.is_dtls_client;
    /* more than SCTP_CHANNELS_MAX are never taken */
    while (sctp_find_channel(association, stream))
        stream = (uint16_t)(stream + 2);
    return stream;
}

/* The record that a new channel is to have.  OK, ERR_LIMIT or ERR_EXISTS. */
static int take_stream(struct sctp *sctp, struct sctp_association *association,
                       const struct sctp_channel_terms *terms, struct sctp_channel **out)
{
    uint16_t stream = terms->is_negotiated ? terms->stream : free_stream(association);
    struct sctp_channel *channel = sctp_find_channel(association, stream);
    if (stream > SCTP_STREAM_MAX)
        return ERR_EXISTS;
    /* one that was agreed upon may have been heard already */
    if (channel && (channel->is_known || channel->reset_out != SCTP_RESET_NONE))
        return ERR_EXISTS;
    if (!channel)
        channel = sctp_new_channel(sctp, association, stream);
    if (!channel)
        return ERR_LIMIT;
    *out = channel;
    return OK;
}

/* The OPEN, which holds the texts even if it is not to be sent. */
static int write_open(struct sctp *sctp, const struct sctp_channel_terms *terms,
                      struct buffer **out)
{
    struct dcep_open open = {
        .reliability = terms->reliability,
        .is_unordered = terms->is_unordered,
        .priority = terms->priority,
        .parameter = terms->reliability == DCEP_RELIABLE ? 0 : terms->parameter,
        .label = terms->label,
        .protocol = terms->protocol,
    };
    if (terms->label.size > SCTP_LABEL_MAX || terms->protocol.size > SCTP_LABEL_MAX ||
        terms->label.size + terms->protocol.size > SCTP_LABEL_MAX)
        return ERR_LIMIT;
    size_t size = dcep_open_size(&open);
    struct buffer *bytes;
    int status = buffers_take(sctp->config.buffers, size, &bytes);
    if (status != OK)
        return status;
    dcep_write_open(&open, bytes->bytes);
    bytes->size = (uint32_t)size;
    *out = bytes;
    return OK;
}

int sctp_open_channel(struct sctp *sctp, usec now, struct sctp_association *association,
                      const struct sctp_channel_terms *terms, void *owner,
                      struct sctp_channel **out)
{
    struct sctp_channel *channel;
    struct buffer *bytes;
    struct dcep_open open;
    int status;
    sctp->now = now;
    if (association->end != SCTP_OPEN)
        return ERR_CLOSED;
    status = write_open(sctp, terms, &bytes);
    if (status != OK)
        return status;
    status = dcep_read_open(buffer_view(bytes), &open);
    assert(status == OK); /* the caller's texts are UTF-8 */
    status = take_stream(sctp, association, terms, &channel);
    if (status != OK)
        goto give_bytes;
    if (!terms->is_negotiated) {
        status = queue_message(sctp, channel, DCEP_PPID, bytes);
        if (status != OK)
            goto free_channel;
    }
    know_channel(sctp, channel, &open);
    channel->is_acked = terms->is_negotiated;
    channel->open = bytes;
    channel->owner = owner;
    *out = channel;
    return OK;

free_channel:
    sctp_free_channel(sctp, channel);
give_bytes:
    buffer_give(sctp->config.buffers, bytes);
    return status;
}

void sctp_close_channel(struct sctp *sctp, usec now, struct sctp_channel *channel)
{
    struct sctp_association *association = channel->association;
    sctp->now = now;
    if (association->end != SCTP_OPEN || channel->reset_out != SCTP_RESET_NONE)
        return;
    channel->reset_out = SCTP_RESET_WANTED;
    sctp_want_reset(sctp, association);
    sctp_touch(sctp, association);
}
