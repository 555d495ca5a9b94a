#include "media/sender_inside.h"

#include "base/bytes.h"
#include "wire/dependency_descriptor.h"
#include "wire/payload.h"
#include "wire/payload_audio.h"
#include "wire/rtp_extensions.h"

#include <assert.h>
#include <string.h>

static bool take(struct sink *sink, usec now, const struct rtp_stream *stream,
                 const struct packet *packet);
static void ended(struct sink *sink);
/* Two that are alike, so that a sink is known by its kind. */
static const struct sink_kind KINDS[2] = { { .take = take, .ended = ended },
                                           { .take = take, .ended = ended } };

static struct sender *sender_of(struct sink *sink)
{
    return sink->kind == &KINDS[0] ? LIST_ENTRY(sink, struct sender, sinks[0])
                                   : LIST_ENTRY(sink, struct sender, sinks[1]);
}

void sender_formats_init(struct sender_formats *formats)
{
    memset(formats->payload_types, SENDER_NO_PAYLOAD, sizeof formats->payload_types);
    memset(formats->rtx_payload_types, SENDER_NO_PAYLOAD, sizeof formats->rtx_payload_types);
    formats->unwrapped = 0;
    formats->opus = SENDER_NO_PAYLOAD;
    formats->level = 0;
}

void sender_init(struct sender *sender, const struct sender_config *config)
{
    /* a first number far from wrapping: a receiver that loses some still counts the turns right */
    assert(config->sequence - 1u < 32767 && config->rtx_sequence - 1u < 32767);
    *sender = (struct sender){ .config = *config,
                               .highest = 0x10000u + config->sequence - 1,
                               .is_waiting = true,
                               .rtx_sequence = config->rtx_sequence,
                               .repeats_left = SENDER_REPEATS_MAX };
    for (unsigned i = 0; i < 2; i++) {
        sender->sinks[i].kind = &KINDS[i];
        list_init(&sender->sinks[i].node);
    }
    sender_set_layers(sender, LAYER_BEST, LAYER_BEST);
    rtp_plan_begin(&sender->plan, false);
    sender_formats_init(&sender->formats);
}

void sender_free(struct sender *sender)
{
    rtp_stream_remove_sink(&sender->sinks[0]);
    rtp_stream_remove_sink(&sender->sinks[1]);
}

void sender_set_plan(struct sender *sender, const struct rtp_plan *plan,
                     const struct sender_formats *formats)
{
    sender_joins_none(sender);
    sender->plan = *plan;
    sender->formats = *formats;
    sender->repeat_from = sender->highest + 1;
}

/* ---- switching ---- */

void sender_wants_key(struct sender *sender)
{
    struct rtp_stream *stream = sender_stream(sender);
    if (stream && sender->config.is_video && !sender->is_paused)
        key_requests_want(&stream->key_requests);
}

/* A key frame is needed for other layers of the stream: for lower ones soon. */
static void wants_layer(struct sender *sender)
{
    struct key_requests *requests = &sender_stream(sender)->key_requests;
    if (sender->selection.wanted < sender->selection.at)
        key_requests_want(requests);
    else
        key_requests_hope(requests);
}

static void wait_for_key(struct sender *sender)
{
    sender->is_waiting = true;
    sender_wants_key(sender);
}

void sender_switch(struct sender *sender, struct rtp_stream *stream)
{
    rtp_stream_remove_sink(&sender->sinks[!sender->current]);
    if (sender_stream(sender) == stream)
        return;
    rtp_stream_remove_sink(&sender->sinks[sender->current]);
    sender_joins_none(sender);
    sender->stream = NULL;
    if (!stream)
        return;
    rtp_stream_add_sink(stream, &sender->sinks[sender->current]);
    wait_for_key(sender);
}

void sender_go_over(struct sender *sender, struct rtp_stream *stream, bool is_urgent)
{
    struct sink *next = &sender->sinks[!sender->current];
    bool is_flowing = sender_stream(sender) && !sender->is_waiting && !sender->is_paused;
    if (!sender->config.is_video || !is_flowing || sender_stream(sender) == stream) {
        sender_switch(sender, stream);
        return;
    }
    if (is_urgent) /* fewer frames of what is left are less at once, and can be decoded */
        selection_want(&sender->selection, sender->selection.wanted / LAYERS_TEMPORAL, 0);
    if (is_urgent)
        key_requests_want(&stream->key_requests);
    else
        key_requests_hope(&stream->key_requests);
    if (next->stream == stream)
        return;
    rtp_stream_remove_sink(next);
    rtp_stream_add_sink(stream, next);
}

static void want_layers(struct sender *sender)
{
    unsigned spatial = sender->has_one_size ? 0 : sender->spatial;
    selection_want(&sender->selection, spatial, sender->temporal);
}

void sender_set_layers(struct sender *sender, unsigned spatial, unsigned temporal)
{
    sender->spatial = (uint8_t)spatial;
    sender->temporal = (uint8_t)temporal;
    if (!sender->sinks[!sender->current].stream)
        want_layers(sender);
}

/* The key frame has come, or nobody would see where it is missing. */
static void arrive(struct sender *sender)
{
    rtp_stream_remove_sink(&sender->sinks[sender->current]);
    sender->current = !sender->current;
    sender->stream = NULL;
    sender->is_waiting = true;
}

void sender_pause(struct sender *sender, bool is_paused)
{
    if (sender->is_paused == is_paused)
        return;
    sender_joins_none(sender);
    sender->is_paused = is_paused;
    if (!is_paused)
        wait_for_key(sender);
}

static void ended(struct sink *sink)
{
    struct sender *sender = sender_of(sink);
    if (sink != &sender->sinks[sender->current])
        return;
    sender_joins_none(sender);
    sender->is_waiting = true;
    sender->stream = NULL;
}

/* Timestamps go on by the time that has passed, and at least by one. */
static uint32_t next_timestamp(const struct sender *sender, usec now)
{
    uint64_t units = (now - sender->last_at) * sender->config.clock_rate / USEC_S;
    return sender->last_timestamp + (uint32_t)(units ? units : 1);
}

/* Our numbers go on with this packet, whatever its own is. */
static void begin_numbers(struct sender *sender, const struct packet *packet)
{
    sender->from = packet->sequence;
    sender->repeat_from = sender->highest + 1;
    renumbering_begin(&sender->numbers, packet->sequence - 1, sender->highest);
}

static void begin_stream(struct sender *sender, usec now, struct rtp_stream *stream,
                         const struct packet *packet)
{
    uint32_t timestamp = sender->has_begun ? next_timestamp(sender, now) : sender->config.timestamp;
    sender->stream = stream;
    sender->config.clock_rate = stream->clock_rate;
    begin_numbers(sender, packet);
    sender->has_one_size = packet->codec == PAYLOAD_AV1 && sender->plan.watched == 0;
    want_layers(sender);
    selection_begin(&sender->selection, packet->sequence);
    pictures_begin(&sender->pictures, packet);
    sender->timestamp_offset = timestamp - packet->rtp.timestamp;
    sender->has_begun = true;
    sender->is_waiting = false;
}

/* ---- packets ---- */

struct view sender_payload(const struct sender *sender, const struct packet *packet)
{
    struct view payload = packet_payload(&sender->stream->ring, packet);
    struct red red;
    if (!sender_unwraps(sender, packet) || payload.size == 0)
        return payload;
    if (red_read(payload, &red) != OK) /* was refused when it came */
        return view_make(payload.at, 0);
    return red.blocks[red.block_count - 1].payload;
}

void sender_stamp(const struct sender *sender, usec now, const struct rtp_written *written,
                  const struct rtc_rtp *rtp, uint8_t *at)
{
    const struct sender_config *config = &sender->config;
    size_t size =
        rtp->header_size + rtp->own_size + rtp->payload.size + config->transport->overhead;
    if (written->abs_send_time_at)
        bytes_write_24(at + written->abs_send_time_at, rtp_abs_send_time_of(now));
    if (!config->bwe)
        return;
    uint8_t cluster = config->pacer ? pacer_sent(config->pacer, now, PACER_VIDEO, size) : 0;
    if (written->transport_cc_at)
        bytes_write_16(at + written->transport_cc_at, bwe_sent(config->bwe, now, size, cluster));
    else
        bwe_sent_untold(config->bwe, now, size, written->abs_send_time_at > 0, cluster);
}

/* Gives how much of the payload stands behind the header; the rest is *payload, where it lies. */
static size_t write_own(const struct sender *sender, const struct packet *packet,
                        const struct outgoing *outgoing, uint8_t *at, struct view *payload)
{
    if (outgoing->joined > 1) {
        *payload = view_make(payload->at, 0);
        return sender_write_joined(sender, packet, outgoing->joined, at);
    }
    if (outgoing->is_empty) {
        at[0] = 1; /* padding: its size */
        *payload = view_make(payload->at, 0);
        return 1;
    }
    size_t size = pictures_write(&sender->pictures, packet, *payload, at);
    *payload = view_slice(*payload, size, payload->size);
    return size;
}

static const struct rtp_packet NONE;

static uint8_t type_of(const struct sender *sender, const struct packet *packet)
{
    if (packet->codec == PAYLOAD_RED && sender_unwraps(sender, packet))
        return sender->formats.opus;
    return sender->formats.payload_types[packet->format];
}

/* Of which it has its extensions. */
static const struct packet *header_of(const struct sender *sender, const struct packet *packet,
                                      const struct outgoing *outgoing)
{
    return outgoing->joined > 1 ? sender_loudest(sender, packet, outgoing->joined) : packet;
}

size_t sender_put(struct sender *sender, usec now, const struct packet *packet,
                  const struct outgoing *outgoing)
{
    const struct sender_config *config = &sender->config;
    const struct packet_ring *ring = &sender->stream->ring;
    uint8_t rtx = sender->formats.rtx_payload_types[packet->format];
    bool is_rtx = outgoing->is_repeat && rtx != SENDER_NO_PAYLOAD;
    struct rtp_written written;
    uint8_t *at = rtc_begin_rtp(config->rtc, config->transport);
    if (!at)
        return 0;
    const struct packet *header = header_of(sender, packet, outgoing);
    const struct rtp_values values = {
        .ssrc = is_rtx ? config->rtx_ssrc : config->ssrc,
        .timestamp = packet->rtp.timestamp + sender->timestamp_offset,
        .sequence_number = is_rtx ? sender->rtx_sequence++ : outgoing->number,
        .payload_type = is_rtx ? rtx : type_of(sender, packet),
        .marker = !outgoing->is_empty && (packet->rtp.marker || outgoing->is_last),
        .has_padding = outgoing->is_empty,
    };
    rtp_write_header(&sender->plan, outgoing->is_empty ? &NONE : &header->rtp,
                     packet_bytes(ring, header), &values, at, &written);
    if (written.watched_at && packet->has_frame_number)
        dd_rewrite(at + written.watched_at, pictures_frame(&sender->pictures, packet));
    struct rtc_rtp rtp = { .header_size = written.size,
                           .payload = sender_payload(sender, packet),
                           .sent = is_rtx ? &sender->rtx_sent : &sender->sent,
                           .is_repeat = outgoing->is_repeat && !is_rtx };
    if (is_rtx) {
        rtp_write_osn(at, &written, outgoing->number);
        rtp.own_size = RTX_OSN_SIZE;
    }
    rtp.own_size += write_own(sender, packet, outgoing, at + written.size, &rtp.payload);
    sender_stamp(sender, now, &written, &rtp, at);
    rtc_end_rtp(config->rtc, config->transport, &rtp);
    return outgoing->is_empty ? 0 : rtp.own_size + rtp.payload.size;
}

/* From before what has gone out of its stream: to go on with it would be to go back. */
static bool is_behind(const struct sender *sender, const struct packet *packet)
{
    bool is_same = sender->stream && sender->stream == sender_stream(sender);
    return is_same && packet->sequence <= sender->numbers.in;
}

static bool must_wait(const struct sender *sender, const struct packet *packet)
{
    return sender->is_waiting &&
           (is_behind(sender, packet) || (sender->config.is_video && !packet->begins_key_frame));
}

/* One that is later than all before.  False: it does not go on. */
static bool come_next(struct sender *sender, usec now, const struct packet *packet)
{
    bool has_gap = packet->sequence - sender->numbers.in > 1;
    unsigned temporal = sender->selection.at % LAYERS_TEMPORAL; /* of what is missing, too */
    bool goes = !sender->config.is_video || selection_next(&sender->selection, packet, has_gap);
    renumbering_add(&sender->numbers, packet->sequence, goes);
    pictures_next(&sender->pictures, packet, goes, temporal);
    sender->highest = sender->numbers.out;
    if (goes) {
        sender->last_timestamp = packet->rtp.timestamp + sender->timestamp_offset;
        sender->last_at = now;
    } else if (sender->selection.needs_key) {
        wants_layer(sender);
    }
    return goes;
}

enum selection_fate sender_describe(const struct sender *sender, const struct packet *packet,
                                    struct outgoing *outgoing)
{
    uint64_t number;
    enum selection_fate fate = SELECTION_GOES;
    if (!renumbering_out(&sender->numbers, packet->sequence, &number))
        return SELECTION_FORGOTTEN;
    if (sender->config.is_video)
        fate = selection_of(&sender->selection, packet, &outgoing->is_last);
    else
        outgoing->joined = sender_joined(sender, packet);
    outgoing->number = (uint16_t)number;
    outgoing->is_empty = fate == SELECTION_STAYS || !pictures_have(&sender->pictures, packet);
    return fate;
}

/* It goes on, and with it those that are joined to it. */
static bool go_next(struct sender *sender, usec now, const struct packet *packet, uint8_t joined)
{
    if (!come_next(sender, now, packet))
        return false;
    for (unsigned i = 1; i < joined; i++)
        renumbering_add(&sender->numbers, packet->sequence + i, false);
    return true;
}

void sender_begin(struct sender *sender, usec now, const struct packet *packet)
{
    if (sender->is_waiting)
        begin_stream(sender, now, sender_stream(sender), packet);
    else if (packet->begins_talk && packet->sequence > sender->numbers.in)
        begin_numbers(sender, packet);
}

bool sender_pass_on(struct sender *sender, usec now, const struct packet *packet, uint8_t joined)
{
    struct outgoing outgoing = { .is_repeat = false };
    if (rtc_is_full(sender->config.rtc))
        return false;
    sender_begin(sender, now, packet);
    if (packet->sequence < sender->from)
        return true; /* late, from before the switch */
    if (packet->sequence > sender->numbers.in && !go_next(sender, now, packet, joined))
        return true;
    if (sender_describe(sender, packet, &outgoing) == SELECTION_FORGOTTEN)
        return true;
    size_t size = sender_put(sender, now, packet, &outgoing);
    sender->packets++;
    if (outgoing.is_empty)
        return true;
    sender->bytes += size;
    metrics_add(sender->config.rtc->config.metrics, METRIC_MEDIA_PACKETS_OUT, 1);
    metrics_add(sender->config.rtc->config.metrics, METRIC_MEDIA_BYTES_OUT,
                packet->rtp.header_size + size);
    return true;
}

/* Its line has been given enough for now: it waits until the pacer says more. */
static bool is_too_soon(const struct sender *sender, struct sink *sink, usec now)
{
    struct pacer *pacer = sender->config.pacer;
    if (!pacer || !sender->config.is_video || pacer_may(pacer, now, PACER_VIDEO))
        return false;
    sink->is_waiting = true;
    pacer_call(pacer);
    return true;
}

bool sender_go_on(struct sender *sender, usec now)
{
    struct sink *sink = &sender->sinks[sender->current];
    return !sink->is_waiting || rtp_stream_go_on(sink, now);
}

uint32_t sender_waits(const struct sender *sender, usec *since)
{
    const struct sink *sink = &sender->sinks[sender->current];
    const struct packet *first = NULL;
    if (!sink->is_waiting)
        return 0;
    for (uint64_t at = sink->next; !first && at < sink->stream->ring.arrived; at++)
        first = packet_ring_arrival(&sink->stream->ring, at);
    if (!first)
        return 0;
    *since = first->received_at;
    return (uint32_t)(sink->stream->ring.written - first->position);
}

void sender_leave_out(struct sender *sender)
{
    struct sink *sink = &sender->sinks[sender->current];
    struct rtp_stream *target = sender_target(sender);
    sink->is_waiting = false;
    sink->next = sink->stream->pumped;
    sender->is_waiting = true;
    key_requests_want(&target->key_requests);
}

static bool go_on_with(struct sender *sender, struct sink *sink, usec now,
                       const struct packet *packet)
{
    if (is_too_soon(sender, sink, now))
        return false;
    return sender_is_joining(sender) ? sender_joins(sender, now, packet)
                                     : sender_pass_on(sender, now, packet, 1);
}

static bool take(struct sink *sink, usec now, const struct rtp_stream *stream,
                 const struct packet *packet)
{
    struct sender *sender = sender_of(sink);
    bool is_next = sink != &sender->sinks[sender->current];
    bool is_taken = sender->formats.payload_types[packet->format] != SENDER_NO_PAYLOAD;
    (void)stream;
    if (is_next && !(is_taken && (packet->begins_key_frame || sender->is_paused)))
        return true;
    if (is_next)
        arrive(sender);
    if (!is_taken) {
        sender_joins_none(sender);
        sender->is_waiting = true; /* until it goes on in another one */
    } else if (!sender->is_paused && !must_wait(sender, packet)) {
        return go_on_with(sender, sink, now, packet);
    }
    return true;
}

/* ---- reports ---- */

bool sender_report(const struct sender *sender, usec now, struct rtcp_sr *sr)
{
    uint64_t ntp;
    if (!sender->has_begun || !sender->stream)
        return false;
    /* what would be sampled now */
    uint32_t timestamp = next_timestamp(sender, now);
    if (!reception_ntp_of(&sender->stream->reception, timestamp - sender->timestamp_offset, &ntp))
        return false;
    *sr = (struct rtcp_sr){ .ssrc = sender->config.ssrc,
                            .ntp = ntp,
                            .rtp_timestamp = timestamp,
                            .packet_count = (uint32_t)sender->packets,
                            .octet_count = (uint32_t)sender->bytes };
    return true;
}
