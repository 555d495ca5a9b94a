/* DATA and FORWARD TSN that come, and the SACKs of them (RFC 9260, section 6; RFC 3758). */
#include "agent/sctp_internal.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define GAPS_MAX 64 /* of one SACK; those behind are told when these are closed */

/* ---- which have come ---- */

static bool has_come(const struct sctp_association *association, uint32_t tsn)
{
    uint32_t bit = tsn % SCTP_TSNS_MAX;
    if (!sctp_tsn_before(association->cumulative_in, tsn))
        return true;
    if (sctp_tsn_before(association->highest_in, tsn))
        return false;
    return association->come[bit / 64] >> bit % 64 & 1;
}

/* tsn is up to SCTP_TSNS_MAX behind cumulative_in. */
static void note_come(struct sctp_association *association, uint32_t tsn)
{
    uint32_t bit = tsn % SCTP_TSNS_MAX;
    association->come[bit / 64] |= (uint64_t)1 << bit % 64;
    if (sctp_tsn_before(association->highest_in, tsn))
        association->highest_in = tsn;
}

static void close_gaps(struct sctp_association *association)
{
    while (association->cumulative_in != association->highest_in &&
           has_come(association, association->cumulative_in + 1)) {
        uint32_t bit = ++association->cumulative_in % SCTP_TSNS_MAX;
        association->come[bit / 64] &= ~((uint64_t)1 << bit % 64);
    }
}

/* ---- DATA ---- */

/* Whether there is room for it.  What is missing first of all is let in beyond the window, since
 * all that is held may be waiting for it. */
static bool has_room(const struct sctp *sctp, const struct sctp_association *association,
                     const struct sctp_data *data)
{
    size_t held = association->held + data->payload.size + SCTP_PIECE_COST;
    size_t most = sctp->config.receive_max;
    if (data->tsn - association->cumulative_in > SCTP_TSNS_MAX)
        return false;
    return held <= most || (data->tsn == association->cumulative_in + 1 && held <= 2 * most);
}

/* Stands where its TSN says among those of its channel. */
static void put_in_order(struct sctp_channel *channel, struct sctp_piece *piece)
{
    struct list *behind = channel->pieces.prev;
    while (behind != &channel->pieces &&
           sctp_tsn_before(piece->tsn, LIST_ENTRY(behind, struct sctp_piece, node)->tsn))
        behind = behind->prev;
    list_append(behind->next, &piece->node);
}

/* NULL: there is no memory, and the chunk has not come as far as the other end hears. */
static struct sctp_piece *new_piece(struct sctp *sctp, struct sctp_channel *channel,
                                    const struct sctp_data *data, uint8_t flags)
{
    struct buffer *bytes;
    if (buffers_take(sctp->config.buffers, data->payload.size, &bytes) != OK)
        return NULL;
    struct sctp_piece *piece = pool_take(&sctp->pieces);
    if (!piece) {
        buffer_give(sctp->config.buffers, bytes);
        return NULL;
    }
    memcpy(bytes->bytes, data->payload.at, data->payload.size);
    bytes->size = (uint32_t)data->payload.size;
    *piece = (struct sctp_piece){
        .channel = channel,
        .bytes = bytes,
        .tsn = data->tsn,
        .ppid = data->ppid,
        .ssn = data->ssn,
        .flags = flags,
    };
    channel->association->held += (uint32_t)data->payload.size + SCTP_PIECE_COST;
    channel->association->piece_count++;
    return piece;
}

/* Takes back the last of what has come behind a gap, as a receiver may (section 6.2): without
 * memory for what fills the gap, all behind it would wait for ever.  False: there is none. */
static bool renege(struct sctp *sctp, struct sctp_association *association)
{
    struct sctp_piece *last = NULL;
    struct list *node = association->records.next;
    for (; node != &association->records; node = node->next) {
        struct sctp_channel *channel = LIST_ENTRY(node, struct sctp_channel, record);
        struct sctp_piece *piece = LIST_ENTRY(channel->pieces.prev, struct sctp_piece, node);
        if (!list_empty(&channel->pieces) && (!last || sctp_tsn_before(last->tsn, piece->tsn)))
            last = piece;
    }
    if (!last || !sctp_tsn_before(association->cumulative_in, last->tsn))
        return false;
    uint32_t bit = last->tsn % SCTP_TSNS_MAX;
    association->come[bit / 64] &= ~((uint64_t)1 << bit % 64);
    while (association->highest_in != association->cumulative_in &&
           !has_come(association, association->highest_in))
        association->highest_in--;
    sctp_drop_piece(sctp, last);
    return true;
}

static bool keep_data(struct sctp *sctp, struct sctp_association *association,
                      const struct sctp_data *data, uint8_t flags)
{
    struct sctp_channel *channel = sctp_find_channel(association, data->stream);
    if (channel && channel->is_reset_in && channel->reset_out == SCTP_RESET_REQUESTED) {
        sctp_end_reset(sctp, channel);
        channel = NULL;
    }
    if (!channel && data->stream <= SCTP_STREAM_MAX)
        channel = sctp_new_channel(sctp, association, data->stream);
    if (!channel) {
        /* there will be no room for this stream: what it says has come, and is not heard */
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_LIMIT);
        return true;
    }
    struct sctp_piece *piece = new_piece(sctp, channel, data, flags);
    while (!piece && data->tsn == association->cumulative_in + 1 && renege(sctp, association))
        piece = new_piece(sctp, channel, data, flags);
    if (!piece) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_LIMIT);
        return false;
    }
    put_in_order(channel, piece);
    sctp_assemble(sctp, piece);
    return true;
}

void sctp_take_data(struct sctp *sctp, struct sctp_association *association,
                    const struct sctp_chunk *chunk)
{
    struct sctp_data data;
    if (sctp_read_data(chunk->value, &data) != OK) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    association->has_data = true;
    if (chunk->flags & SCTP_DATA_I)
        association->is_sack_due = true;
    if (has_come(association, data.tsn)) {
        association->is_sack_due = true; /* our last one may have been lost (section 6.2) */
        return;
    }
    if (!has_room(sctp, association, &data)) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_LIMIT);
        association->is_sack_due = true;
        return;
    }
    if (!keep_data(sctp, association, &data, chunk->flags))
        return;
    note_come(association, data.tsn);
    close_gaps(association);
}

/* ---- FORWARD TSN ---- */

static void drop_unordered(struct sctp *sctp, struct sctp_association *association, uint32_t upto)
{
    struct list *at = association->records.next;
    for (; at != &association->records; at = at->next) {
        struct sctp_channel *channel = LIST_ENTRY(at, struct sctp_channel, record);
        struct list *node = channel->pieces.next;
        while (node != &channel->pieces) {
            struct sctp_piece *piece = LIST_ENTRY(node, struct sctp_piece, node);
            node = node->next;
            if (sctp_tsn_before(upto, piece->tsn))
                break;
            /* those that were whole are no longer here */
            if (piece->flags & SCTP_DATA_U)
                sctp_drop_piece(sctp, piece);
        }
    }
}

/* All up to `tsn` counts as come. */
static void move_cumulative(struct sctp_association *association, uint32_t tsn)
{
    if (!sctp_tsn_before(tsn, association->highest_in)) {
        memset(association->come, 0, sizeof association->come);
        association->highest_in = tsn;
        association->cumulative_in = tsn;
        return;
    }
    while (association->cumulative_in != tsn) {
        uint32_t bit = ++association->cumulative_in % SCTP_TSNS_MAX;
        association->come[bit / 64] &= ~((uint64_t)1 << bit % 64);
    }
    close_gaps(association);
}

void sctp_take_forward_tsn(struct sctp *sctp, struct sctp_association *association,
                           const struct sctp_chunk *chunk)
{
    struct sctp_forward_tsn forward;
    if (sctp_read_forward_tsn(chunk->value, &forward) != OK) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    association->is_sack_due = true;
    if (!sctp_tsn_before(association->cumulative_in, forward.new_cumulative_tsn))
        return;
    drop_unordered(sctp, association, forward.new_cumulative_tsn);
    move_cumulative(association, forward.new_cumulative_tsn);
    for (unsigned i = 0; i < forward.skip_count; i++) {
        struct sctp_skip skip = sctp_skip_at(forward.skips, i);
        struct sctp_channel *channel = sctp_find_channel(association, skip.stream);
        if (channel)
            sctp_skip_ordered(sctp, channel, skip.ssn);
    }
}

/* ---- SACK ---- */

/* With nothing missing, all that is held is the beginning of one message. */
static bool is_too_long(const struct sctp *sctp, const struct sctp_association *association)
{
    uint32_t bytes = association->held - association->piece_count * SCTP_PIECE_COST;
    return association->cumulative_in == association->highest_in &&
           bytes >= sctp->config.message_max;
}

void sctp_data_read(struct sctp *sctp, struct sctp_association *association)
{
    if (!association->has_data)
        return;
    if (is_too_long(sctp, association))
        sctp_end(sctp, association, SCTP_END_PROTOCOL);
    association->has_data = false;
    /* at once for every second packet, and as long as something is missing (section 6.2) */
    if (++association->unsacked >= 2 || association->cumulative_in != association->highest_in)
        association->is_sack_due = true;
    else if (association->sack_at == USEC_NEVER)
        association->sack_at = sctp->now + SCTP_SACK_DELAY;
}

static unsigned find_gaps(const struct sctp_association *association, struct sctp_gap *gaps,
                          unsigned most)
{
    unsigned count = 0;
    uint32_t reach = association->highest_in - association->cumulative_in;
    assert(reach <= SCTP_TSNS_MAX);
    for (uint32_t offset = 1; offset <= reach && count < most; offset++) {
        if (!has_come(association, association->cumulative_in + offset))
            continue;
        gaps[count].start = (uint16_t)offset;
        while (offset < reach && has_come(association, association->cumulative_in + offset + 1))
            offset++;
        gaps[count++].end = (uint16_t)offset;
    }
    return count;
}

void sctp_write_sack(struct sctp *sctp, struct sctp_association *association,
                     struct sctp_writer *writer)
{
    struct sctp_gap gaps[GAPS_MAX];
    unsigned count = find_gaps(association, gaps, GAPS_MAX);
    uint32_t most = sctp->config.receive_max;
    uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_SACK, 0, 12 + 4 * (size_t)count);
    if (!at)
        return;
    bytes_write_32(at, association->cumulative_in);
    bytes_write_32(at + 4, association->held < most ? most - association->held : 0);
    bytes_write_16(at + 8, count);
    bytes_write_16(at + 10, 0);
    for (unsigned i = 0; i < count; i++) {
        bytes_write_16(at + 12 + 4 * (size_t)i, gaps[i].start);
        bytes_write_16(at + 14 + 4 * (size_t)i, gaps[i].end);
    }
    association->is_sack_due = false;
    association->unsacked = 0;
    association->sack_at = USEC_NEVER;
}
