/* Partial reliability: what is not sent again, and how the other end hears of it (RFC 3758). */
#include "agent/sctp_internal.h"

#include "base/bytes.h"

#define SKIPS_MAX SCTP_CHANNELS_MAX

bool sctp_is_given_up(const struct sctp *sctp, const struct sctp_outgoing *message, uint32_t sends)
{
    const struct sctp_channel *channel = message->channel;
    if (message->is_reliable)
        return false;
    if (channel->reliability == DCEP_LIFETIME)
        return message->expires_at <= sctp->now;
    return sends > channel->parameter;
}

static struct sctp_sent *sent_at(struct list *node)
{
    return LIST_ENTRY(node, struct sctp_sent, node);
}

/* Stands for the rest of a message that has begun to be sent: a number that is never seen, so that
 * the message ends for the other end, too.  False: the pool is empty. */
static bool add_stand_in(struct sctp *sctp, struct sctp_association *association,
                         struct sctp_outgoing *message)
{
    struct sctp_sent *sent = pool_take(&sctp->chunks);
    if (!sent)
        return false;
    sent->message = message;
    sent->tsn = association->next_tsn++;
    sent->flags = SCTP_DATA_E;
    sent->is_abandoned = true;
    message->chunks++;
    list_remove(&message->node);
    message->is_queued = false;
    list_append(&association->sent, &sent->node);
    return true;
}

bool sctp_abandon(struct sctp *sctp, struct sctp_association *association,
                  struct sctp_outgoing *message)
{
    struct list *node;
    if (message->offset == 0) {
        sctp_release_message(sctp, message); /* nobody has heard of it */
        return true;
    }
    if (message->is_queued && !add_stand_in(sctp, association, message))
        return false;
    for (node = association->sent.next; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        if (sent->message != message || sent->is_abandoned)
            continue;
        if (sctp_in_flight(sent))
            association->flight -= sent->size;
        if (sent->is_lost)
            association->lost_count--;
        sent->is_lost = false;
        sent->is_abandoned = true;
    }
    sctp_advance(sctp, association);
    return true;
}

void sctp_advance(struct sctp *sctp, struct sctp_association *association)
{
    struct list *node;
    if (sctp_tsn_before(association->advanced, association->cumulative_out))
        association->advanced = association->cumulative_out;
    for (node = association->sent.next; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        if (!sent->is_abandoned && !sent->is_acked)
            break;
        /* what was acknowledged by a gap block alone is not worth a FORWARD TSN */
        if (sent->is_abandoned && sctp_tsn_before(association->advanced, sent->tsn))
            association->advanced = sent->tsn;
    }
    association->is_forward_due =
        sctp_tsn_before(association->cumulative_out, association->advanced);
    if (association->is_forward_due && association->retransmit_at == USEC_NEVER)
        association->retransmit_at = sctp->now + association->rto;
}

void sctp_write_forward_tsn(struct sctp_association *association, struct sctp_writer *writer)
{
    struct sctp_skip skips[SKIPS_MAX];
    unsigned count = 0;
    uint32_t upto = association->cumulative_out;
    struct list *node;
    for (node = association->sent.next; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        const struct sctp_outgoing *message = sent->message;
        unsigned i = 0;
        if (sctp_tsn_before(association->advanced, sent->tsn))
            break;
        if (sent->is_abandoned && !message->is_unordered) {
            while (i < count && skips[i].stream != message->channel->stream)
                i++;
            if (i == SKIPS_MAX)
                break;
            count += i == count;
            skips[i] = (struct sctp_skip){ message->channel->stream, message->ssn };
        }
        upto = sent->tsn;
    }
    uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_FORWARD_TSN, 0, 4 + 4 * (size_t)count);
    if (!at)
        return; /* the next packet */
    bytes_write_32(at, upto);
    for (unsigned i = 0; i < count; i++) {
        bytes_write_16(at + 4 + 4 * (size_t)i, skips[i].stream);
        bytes_write_16(at + 6 + 4 * (size_t)i, skips[i].ssn);
    }
    association->is_forward_due = false;
}
