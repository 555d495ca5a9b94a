/* What goes out of a sender though it is not new: packets that were lost, and those that only try
 * the line. */
#include "media/sender_inside.h"

#include <string.h>

#define PADDED_OF     8 /* the last packets, which padding is made of */
#define PADDING_SIZE  224
#define PADDING_BELOW 600 /* bytes: nearer to padding than to a whole packet */

static bool may_repeat(struct sender *sender, usec now, const struct packet *packet)
{
    uint64_t more = (now - sender->repeats_at) / SENDER_REPEAT_EACH;
    if (more > 0) {
        uint64_t left = sender->repeats_left + more;
        sender->repeats_left = (uint16_t)(left < SENDER_REPEATS_MAX ? left : SENDER_REPEATS_MAX);
        sender->repeats_at = now;
    }
    if (sender->repeats_left == 0)
        return false;
    if (sender->config.pacer && !pacer_may_repeat(sender->config.pacer, now, packet->size))
        return false;
    sender->repeats_left--;
    return true;
}

/* Whether it can be sent again: as it was, only as long as SRTP knows that it was sent. */
static bool can_repeat(const struct sender *sender, const struct packet *packet, int distance)
{
    return sender->formats.payload_types[packet->format] != SENDER_NO_PAYLOAD &&
           (sender->formats.rtx_payload_types[packet->format] != SENDER_NO_PAYLOAD ||
            (-distance < SECURE_WINDOW && !sender->plan.transport_cc_at &&
             !sender->plan.abs_send_time_at));
}

/* The packet that went out under that number, if it is still there. */
static const struct packet *find(const struct sender *sender, uint64_t number)
{
    uint64_t sequence;
    if (!sender->stream || number < sender->repeat_from ||
        !renumbering_in(&sender->numbers, number, &sequence))
        return NULL;
    return packet_ring_find(&sender->stream->ring, sequence);
}

static int distance_of(const struct sender *sender, uint16_t number)
{
    return rtp_sequence_distance(number, (uint16_t)sender->highest);
}

/* is_asked: it counts among those that may be. */
static bool repeat(struct sender *sender, usec now, uint16_t number, bool is_asked)
{
    int distance = distance_of(sender, number);
    struct outgoing outgoing = { .is_repeat = true };
    const struct packet *packet = find(sender, sender->highest + (uint64_t)(int64_t)distance);
    if (!packet || rtc_is_full(sender->config.rtc) || !can_repeat(sender, packet, distance) ||
        sender_describe(sender, packet, &outgoing) == SELECTION_FORGOTTEN ||
        (is_asked && !may_repeat(sender, now, packet)))
        return false;
    sender_put(sender, now, packet, &outgoing);
    sender->repeated++;
    metrics_add(sender->config.rtc->config.metrics, METRIC_MEDIA_REPEATED, 1);
    return true;
}

#define AGAIN_SHIFT 12             /* of microseconds */
#define AGAIN_EARLY (20 * USEC_MS) /* feedback is behind what it tells of by that, about */

/* Who asks does not know yet that it was sent again. */
static bool is_under_way(const struct sender *sender, usec now, uint16_t number)
{
    const struct sender_again *again = &sender->again[number % SENDER_AGAIN_MAX];
    uint16_t passed = (uint16_t)((now >> AGAIN_SHIFT) - again->at);
    return sender->config.bwe && again->number == number &&
           ((usec)passed << AGAIN_SHIFT) + AGAIN_EARLY < bwe_round_trip(sender->config.bwe);
}

void sender_nack(struct sender *sender, usec now, uint16_t number)
{
    if (!sender->has_begun || distance_of(sender, number) > 0)
        return; /* it was never sent */
    if (is_under_way(sender, now, number))
        return;
    if ((sender->config.is_video && sender->is_waiting) || !repeat(sender, now, number, true)) {
        sender->not_repeated++;
        return;
    }
    sender->again[number % SENDER_AGAIN_MAX] =
        (struct sender_again){ .number = number, .at = (uint16_t)(now >> AGAIN_SHIFT) };
}

/* Padding alone, under the RTX SSRC: for receivers that is no packet of the stream. */
static bool put_padding(struct sender *sender, usec now, uint8_t rtx)
{
    static const struct rtp_packet NONE;
    const struct sender_config *config = &sender->config;
    uint8_t *at = rtc_begin_rtp(config->rtc, config->transport);
    struct rtp_written written;
    const struct rtp_values values = { .ssrc = config->rtx_ssrc,
                                       .timestamp = sender->last_timestamp,
                                       .sequence_number = sender->rtx_sequence,
                                       .payload_type = rtx,
                                       .has_padding = true };
    if (!at)
        return false;
    sender->rtx_sequence++;
    rtp_write_header(&sender->plan, &NONE, at, &values, at, &written);
    memset(at + written.size, 0, PADDING_SIZE - 1);
    at[written.size + PADDING_SIZE - 1] = PADDING_SIZE;
    struct rtc_rtp rtp = { .header_size = written.size,
                           .own_size = PADDING_SIZE,
                           .payload = view_make(at, 0),
                           .sent = &sender->rtx_sent };
    sender_stamp(sender, now, &written, &rtp, at);
    rtc_end_rtp(config->rtc, config->transport, &rtp);
    return true;
}

bool sender_pad(struct sender *sender, usec now, size_t size)
{
    bool is_small = size > 0 && size < PADDING_BELOW;
    uint8_t rtx = SENDER_NO_PAYLOAD;
    for (unsigned i = 0; i < PACKET_FORMATS_MAX && rtx == SENDER_NO_PAYLOAD; i++)
        rtx = sender->formats.rtx_payload_types[i];
    if (rtx == SENDER_NO_PAYLOAD || !sender->has_begun)
        return false;
    if (is_small)
        return put_padding(sender, now, rtx);
    uint16_t number = (uint16_t)(sender->highest - sender->padded++ % PADDED_OF);
    return repeat(sender, now, number, false) || put_padding(sender, now, rtx);
}
