/* What the other end says it has: acknowledgement, retransmission, congestion control (RFC 9260,
 * sections 6.2.1, 6.3 and 7). */
#include "agent/sctp_internal.h"

#include <assert.h>

#define MISSING_MAX  3 /* reports until it is sent again (section 7.2.4) */
#define SSTHRESH_MIN (4 * SCTP_PACKET_MAX)

static struct sctp_sent *sent_at(struct list *node)
{
    return LIST_ENTRY(node, struct sctp_sent, node);
}

void sctp_mark_lost(struct sctp_association *association, struct sctp_sent *sent)
{
    assert(sctp_in_flight(sent));
    association->flight -= sent->size;
    association->lost_count++;
    sent->is_lost = true;
    sent->missing = 0;
}

void sctp_release_sent(struct sctp *sctp, struct sctp_association *association,
                       struct sctp_sent *sent)
{
    struct sctp_outgoing *message = sent->message;
    if (sctp_in_flight(sent))
        association->flight -= sent->size;
    if (sent->is_lost)
        association->lost_count--;
    list_remove(&sent->node);
    pool_give(&sctp->chunks, sent);
    if (--message->chunks == 0 && !message->is_queued)
        sctp_release_message(sctp, message);
}

/* ---- round trips (section 6.3.1) ---- */

static void measure(struct sctp_association *association, usec round_trip)
{
    if (association->srtt == 0) {
        association->srtt = round_trip;
        association->rttvar = round_trip / 2;
    } else {
        usec srtt = association->srtt;
        usec off = srtt > round_trip ? srtt - round_trip : round_trip - srtt;
        association->rttvar = (3 * association->rttvar + off) / 4;
        association->srtt = (7 * srtt + round_trip) / 8;
    }
    usec rto = association->srtt + 4 * association->rttvar;
    association->rto = rto < SCTP_RTO_MIN ? SCTP_RTO_MIN : rto > SCTP_RTO_MAX ? SCTP_RTO_MAX : rto;
}

/* ---- congestion (section 7.2) ---- */

static void shrink(struct sctp_association *association)
{
    uint32_t half = association->cwnd / 2;
    association->ssthresh = half < SSTHRESH_MIN ? SSTHRESH_MIN : half;
    association->partial_acked = 0;
}

/* `flight`: what was on the way before the SACK came. */
static void grow(struct sctp_association *association, uint32_t acked, uint32_t flight)
{
    uint32_t step = acked < SCTP_PACKET_MAX ? acked : SCTP_PACKET_MAX;
    bool is_used = flight + SCTP_PACKET_MAX > association->cwnd;
    if (association->in_recovery || association->cwnd >= SCTP_CWND_MAX)
        return;
    if (association->cwnd <= association->ssthresh) {
        if (is_used)
            association->cwnd += step;
        return;
    }
    association->partial_acked += acked;
    if (association->partial_acked < association->cwnd)
        return;
    /* not more than one window's, however long it went unused */
    association->partial_acked =
        is_used ? association->partial_acked - association->cwnd : association->cwnd;
    if (is_used)
        association->cwnd += SCTP_PACKET_MAX;
}

static void fast_retransmit(struct sctp_association *association)
{
    if (association->in_recovery)
        return;
    association->is_fast_due = true;
    shrink(association);
    association->cwnd = association->ssthresh;
    association->in_recovery = true;
    association->recovery_exit = association->next_tsn - 1;
}

/* ---- SACK ---- */

/* What a SACK has told. */
struct told {
    uint32_t acked;   /* bytes */
    uint32_t highest; /* TSN that was acknowledged for the first time */
    uint32_t last;    /* TSN in a gap block */
    usec sent_at;     /* of one that was sent but once; USEC_NEVER: none */
    bool is_news;     /* some were */
    bool has_moved;   /* the cumulative TSN */
};

static void note_acked(struct sctp_association *association, struct sctp_sent *sent,
                       struct told *told)
{
    if (sent->is_acked)
        return;
    if (sctp_in_flight(sent))
        association->flight -= sent->size;
    if (sent->is_lost) {
        association->lost_count--;
        sent->is_lost = false;
    }
    sent->is_acked = true;
    if (sent->is_abandoned)
        return;
    told->acked += sent->size;
    if (!told->is_news || sctp_tsn_before(told->highest, sent->tsn))
        told->highest = sent->tsn;
    told->is_news = true;
    if (sent->sends == 1)
        told->sent_at = sent->sent_at;
}

static void take_cumulative(struct sctp *sctp, struct sctp_association *association, uint32_t tsn,
                            struct told *told)
{
    told->has_moved = sctp_tsn_before(association->cumulative_out, tsn);
    association->cumulative_out = tsn;
    while (!list_empty(&association->sent)) {
        struct sctp_sent *sent = sent_at(association->sent.next);
        if (sctp_tsn_before(tsn, sent->tsn))
            break;
        note_acked(association, sent, told);
        sctp_release_sent(sctp, association, sent);
    }
}

/* The blocks are in order, or some are passed over. */
static void take_gaps(struct sctp_association *association, const struct sctp_sack *sack,
                      struct told *told)
{
    struct list *node = association->sent.next;
    unsigned i = 0;
    for (; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        uint32_t offset = sent->tsn - sack->cumulative_tsn;
        while (i < sack->gap_count && sctp_gap_at(sack->gaps, i).end < offset)
            i++;
        bool is_in = i < sack->gap_count && sctp_gap_at(sack->gaps, i).start <= offset;
        if (is_in) {
            note_acked(association, sent, told);
            told->last = sent->tsn;
        } else if (sent->is_acked && !sent->is_abandoned) {
            /* it has thought better of it, as it may (section 6.2.1, D iv) */
            sent->is_acked = false;
            association->flight += sent->size;
            sctp_mark_lost(association, sent);
        }
    }
}

static void count_missing(struct sctp_association *association, const struct told *told)
{
    struct list *node = association->sent.next;
    bool is_any = false;
    /* in recovery, all that go on being missing are counted (section 7.2.4) */
    uint32_t before = association->in_recovery && told->has_moved ? told->last : told->highest;
    for (; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        if (!sctp_tsn_before(sent->tsn, before))
            break;
        if (!sctp_in_flight(sent) || sent->was_fast)
            continue;
        if (++sent->missing >= MISSING_MAX) {
            sent->was_fast = true;
            sctp_mark_lost(association, sent);
            is_any = true;
        }
    }
    if (is_any)
        fast_retransmit(association);
}

static void set_retransmit(struct sctp *sctp, struct sctp_association *association,
                           const struct told *told)
{
    if (list_empty(&association->sent))
        association->retransmit_at = USEC_NEVER;
    else if (told->has_moved)
        association->retransmit_at = sctp->now + association->rto;
}

void sctp_take_sack(struct sctp *sctp, struct sctp_association *association,
                    const struct sctp_chunk *chunk)
{
    struct sctp_sack sack;
    struct told told = { .sent_at = USEC_NEVER, .last = association->cumulative_out };
    uint32_t flight = association->flight;
    if (sctp_read_sack(chunk->value, &sack) != OK ||
        !sctp_tsn_before(sack.cumulative_tsn, association->next_tsn)) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    if (sctp_tsn_before(sack.cumulative_tsn, association->cumulative_out))
        return; /* overtaken by a later one */
    take_cumulative(sctp, association, sack.cumulative_tsn, &told);
    take_gaps(association, &sack, &told);
    association->remote_window = sack.window;
    association->retransmits = 0;
    if (told.sent_at != USEC_NEVER)
        measure(association, sctp->now - told.sent_at);
    if (association->in_recovery &&
        !sctp_tsn_before(association->cumulative_out, association->recovery_exit))
        association->in_recovery = false;
    if (told.is_news)
        count_missing(association, &told);
    if (told.has_moved)
        grow(association, told.acked, flight);
    set_retransmit(sctp, association, &told);
    sctp_advance(sctp, association);
}

/* ---- time (section 6.3.3) ---- */

void sctp_retransmit_timeout(struct sctp *sctp, struct sctp_association *association)
{
    struct list *node;
    association->retransmit_at = USEC_NEVER;
    if (list_empty(&association->sent))
        return; /* it was but a pool that was empty */
    if (!sctp_back_off(sctp, association))
        return;
    shrink(association);
    association->cwnd = SCTP_PAYLOAD_MAX; /* one packet: what is counted is payload */
    association->in_recovery = false;
    for (node = association->sent.next; node != &association->sent; node = node->next) {
        struct sctp_sent *sent = sent_at(node);
        sent->was_fast = false;
        if (sctp_in_flight(sent))
            sctp_mark_lost(association, sent);
    }
    sctp_advance(sctp, association);
}
