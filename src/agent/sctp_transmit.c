/* Packets: what goes into the next one (RFC 9260, sections 6.1, 6.9, 6.10). */
#include "agent/sctp_internal.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define FRAGMENT_MIN 400 /* a shorter one is not worth its header: the next packet takes more */

static struct sctp_sent *sent_at(struct list *node)
{
    return LIST_ENTRY(node, struct sctp_sent, node);
}

static struct sctp_outgoing *first_queued(struct sctp_association *association)
{
    return LIST_ENTRY(association->queue.next, struct sctp_outgoing, node);
}

/* ---- chunks ---- */

/* False: no room for it. */
static bool add_data(struct sctp_writer *writer, const struct sctp_sent *sent)
{
    const struct sctp_outgoing *message = sent->message;
    size_t size = SCTP_DATA_HEADER_SIZE - SCTP_CHUNK_HEADER_SIZE + sent->size;
    uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_DATA, sent->flags, size);
    if (!at)
        return false;
    bytes_write_32(at, sent->tsn);
    bytes_write_16(at + 4, message->channel->stream);
    bytes_write_16(at + 6, message->ssn);
    bytes_write_32(at + 8, message->ppid);
    memcpy(at + 12, message->bytes->bytes + sent->offset, sent->size);
    return true;
}

static void note_sent(struct sctp *sctp, struct sctp_association *association,
                      struct sctp_sent *sent)
{
    sent->sent_at = sctp->now;
    sent->sends++;
    association->flight += sent->size;
    if (association->retransmit_at == USEC_NEVER)
        association->retransmit_at = sctp->now + association->rto;
}

/* What is lost, and not to be sent again, is given up. */
static void give_up(struct sctp *sctp, struct sctp_association *association)
{
    struct list *node = association->sent.next;
    if (!association->has_forward_tsn || association->lost_count == 0)
        return;
    while (node != &association->sent) {
        struct sctp_sent *sent = sent_at(node);
        /* chunks are but marked: the list stays as it is */
        if (sent->is_lost && sctp_is_given_up(sctp, sent->message, sent->sends))
            (void)sctp_abandon(sctp, association, sent->message);
        node = node->next;
    }
}

/* NULL: nothing is lost. */
static struct sctp_sent *next_lost(struct sctp_association *association)
{
    struct list *node = association->sent.next;
    if (association->lost_count == 0)
        return NULL;
    while (!sent_at(node)->is_lost)
        node = node->next;
    return sent_at(node);
}

static bool has_window(const struct sctp_association *association)
{
    return association->flight < association->cwnd;
}

static void add_lost(struct sctp *sctp, struct sctp_association *association,
                     struct sctp_writer *writer)
{
    struct sctp_sent *sent;
    while ((association->is_fast_due || has_window(association)) &&
           (sent = next_lost(association))) {
        if (!add_data(writer, sent))
            break;
        sent->is_lost = false;
        association->lost_count--;
        metrics_add(sctp->config.metrics, METRIC_SCTP_RETRANSMITTED, 1);
        note_sent(sctp, association, sent);
    }
    association->is_fast_due = false; /* that was the one packet */
}

/* How much of the first message goes into this packet; 0: nothing, or nothing now. */
static size_t fragment_size(const struct sctp_association *association,
                            const struct sctp_outgoing *message, const struct sctp_writer *writer)
{
    size_t rest = message->size - message->offset;
    size_t room = sctp_room(writer);
    size_t header = SCTP_DATA_HEADER_SIZE - SCTP_CHUNK_HEADER_SIZE;
    size_t size;
    room = room > header ? room - header : 0;
    size = rest < room ? rest : room;
    if (size < rest && (rest <= SCTP_PAYLOAD_MAX || size < FRAGMENT_MIN))
        return 0;
    /* beyond the window, one is let go to see whether it has opened (section 6.1, A) */
    if (association->flight && association->flight + size > association->remote_window)
        return 0;
    return size;
}

/* False: the pool is empty. */
static bool add_fragment(struct sctp *sctp, struct sctp_association *association,
                         struct sctp_outgoing *message, size_t size, struct sctp_writer *writer)
{
    struct sctp_sent *sent = pool_take(&sctp->chunks);
    if (!sent) {
        if (association->retransmit_at == USEC_NEVER)
            association->retransmit_at = sctp->now + SCTP_SHORT_DELAY;
        return false;
    }
    if (message->offset == 0 && !message->is_unordered)
        message->ssn = message->channel->next_ssn_out++;
    sent->message = message;
    sent->tsn = association->next_tsn++;
    sent->offset = message->offset;
    sent->size = (uint16_t)size;
    if (message->is_unordered)
        sent->flags |= SCTP_DATA_U;
    if (message->offset == 0)
        sent->flags |= SCTP_DATA_B;
    message->offset += (uint32_t)size;
    message->chunks++;
    if (message->offset == message->size) {
        sent->flags |= SCTP_DATA_E;
        list_remove(&message->node);
        message->is_queued = false;
    }
    list_append(&association->sent, &sent->node);
    bool is_written = add_data(writer, sent);
    assert(is_written);
    note_sent(sctp, association, sent);
    return true;
}

static void add_new(struct sctp *sctp, struct sctp_association *association,
                    struct sctp_writer *writer)
{
    while (!list_empty(&association->queue) && has_window(association)) {
        struct sctp_outgoing *message = first_queued(association);
        size_t size;
        if (association->has_forward_tsn && sctp_is_given_up(sctp, message, 0) &&
            sctp_abandon(sctp, association, message))
            continue;
        size = fragment_size(association, message, writer);
        if (size == 0 || !add_fragment(sctp, association, message, size, writer))
            break;
    }
}

/* ---- packets ---- */

static bool has_data_to_send(struct sctp_association *association)
{
    return association->lost_count || !list_empty(&association->queue);
}

static void add_established(struct sctp *sctp, struct sctp_association *association,
                            struct sctp_writer *writer)
{
    bool is_sack_waiting = association->sack_at != USEC_NEVER;
    if (association->is_sack_due ||
        (is_sack_waiting && association->burst && has_data_to_send(association)))
        sctp_write_sack(sctp, association, writer);
    if (association->is_request_due)
        sctp_write_reset(sctp, association, writer);
    if (association->burst == 0)
        return;
    /* all that is not data stands before it (section 6.10) */
    give_up(sctp, association);
    if (association->is_forward_due)
        sctp_write_forward_tsn(association, writer);
    add_lost(sctp, association, writer);
    if (association->lost_count == 0)
        add_new(sctp, association, writer);
}

bool sctp_write_packet(struct sctp *sctp, struct sctp_association *association)
{
    struct sctp_writer *writer = &sctp->writer;
    bool is_alone = sctp->reply_to == association && sctp->is_reply_alone;
    if (sctp->reply_to != association) {
        if (association->end != SCTP_OPEN)
            return false;
        sctp_begin(writer, sctp->packet, sizeof sctp->packet, association->terms.local_port,
                   association->terms.remote_port,
                   association->state == SCTP_COOKIE_WAIT ? 0 : association->remote_tag);
    }
    sctp->reply_to = NULL;
    if (!is_alone && association->end == SCTP_OPEN) {
        if (association->state == SCTP_ESTABLISHED)
            add_established(sctp, association, writer);
        else
            sctp_write_handshake(sctp, association, writer);
    }
    if (writer->size == SCTP_HEADER_SIZE)
        return false;
    if (association->burst)
        association->burst--;
    sctp_seal(writer);
    return true;
}
