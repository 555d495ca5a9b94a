#include "media/stream.h"

#include <assert.h>

void rtp_stream_init(struct rtp_stream *stream, void *memory, uint32_t size, uint32_t count,
                     uint32_t clock_rate, bool is_video)
{
    *stream = (struct rtp_stream){ .clock_rate = clock_rate, .is_video = is_video };
    stream->reception.clock_rate = clock_rate;
    packet_ring_init(&stream->ring, memory, size, count);
    list_init(&stream->sinks);
    list_init(&stream->pumping);
}

void rtp_stream_end(struct rtp_stream *stream)
{
    while (!list_empty(&stream->sinks)) {
        struct sink *sink = LIST_ENTRY(stream->sinks.next, struct sink, node);
        rtp_stream_remove_sink(sink);
        sink->kind->ended(sink);
    }
    list_remove(&stream->pumping);
}

/* ---- packets ---- */

/* Behind packets that were kept back elsewhere, any number of them: where numbers were half the
 * circle on, they would be taken for late ones. */
static void pass_silence(struct rtp_stream *stream, uint16_t number)
{
    uint64_t *highest = &stream->unwrapper.highest;
    if (*highest > 0)
        *highest += (uint16_t)(number - (uint16_t)*highest);
}

/* Whether there is more of its picture to come.  (What comes late is a part of an earlier one.) */
static void note_part(struct rtp_stream *stream, usec now, const struct packet *packet)
{
    if (stream->ring.arrived == stream->pumped + 1)
        stream->fresh_at = now;
    if (packet->sequence == stream->unwrapper.highest)
        stream->is_in_part = stream->is_video && !packet->rtp.marker;
}

int rtp_stream_feed(struct rtp_stream *stream, usec now, const struct packet *kind,
                    struct view bytes, bool *needs_key)
{
    struct packet packet = *kind;
    const struct packet *stored;
    if (kind->begins_talk)
        pass_silence(stream, packet.rtp.sequence_number);
    packet.sequence = rtp_unwrap_sequence(&stream->unwrapper, packet.rtp.sequence_number);
    if (stream->unwrapper.highest - packet.sequence >= RTP_STREAM_LATE_MAX)
        return ERR_OLD; /* in the ring it would stand in a newer one's place */
    packet.received_at = now;
    packet.begins_talk |= stream->was_mute && !stream->is_mute;
    packet.rtp.marker |= packet.begins_talk; /* RFC 3551, section 4.1 */
    int status = stream->is_mute ? OK : packet_ring_add(&stream->ring, &packet, bytes, &stored);
    if (status != OK)
        return status;
    stream->was_mute = stream->is_mute;
    note_part(stream, now, &packet);
    reception_packet(&stream->reception, now, packet.sequence, packet.rtp.timestamp,
                     packet.rtp.payload_size);
    if (packet.begins_key_frame)
        key_requests_came(&stream->key_requests);
    *needs_key = !missing_arrived(&stream->missing, now, packet.sequence) && stream->is_video;
    return OK;
}

/* False: the batch is full. */
static bool pump_sink(struct rtp_stream *stream, usec now, struct sink *sink)
{
    uint64_t end = stream->ring.arrived;
    for (; sink->next < end; sink->next++) {
        const struct packet *packet = packet_ring_arrival(&stream->ring, sink->next);
        if (packet && !sink->kind->take(sink, now, stream, packet))
            return sink->is_waiting;
    }
    return true;
}

usec rtp_stream_held_until(const struct rtp_stream *stream)
{
    uint64_t count = stream->ring.arrived - stream->pumped;
    bool is_held = stream->is_in_part && stream->sink_count >= RTP_STREAM_MANY && !stream->at &&
                   count < RTP_STREAM_HOLD_MAX;
    return is_held ? stream->fresh_at + RTP_STREAM_HOLD : 0;
}

bool rtp_stream_pump(struct rtp_stream *stream, usec now)
{
    struct list *node = stream->at ? &stream->at->node : stream->sinks.next;
    while (node != &stream->sinks) {
        struct sink *sink = LIST_ENTRY(node, struct sink, node);
        struct list *next = node->next;
        if (!sink->is_waiting && !pump_sink(stream, now, sink)) {
            stream->at = sink;
            return false;
        }
        node = next;
    }
    stream->at = NULL;
    stream->pumped = stream->ring.arrived;
    return true;
}

bool rtp_stream_go_on(struct sink *sink, usec now)
{
    sink->is_waiting = false;
    return pump_sink(sink->stream, now, sink);
}

/* ---- sinks ---- */

void rtp_stream_add_sink(struct rtp_stream *stream, struct sink *sink)
{
    assert(!sink->stream);
    sink->stream = stream;
    sink->next = stream->pumped;
    sink->is_waiting = false;
    list_append(&stream->sinks, &sink->node);
    stream->sink_count++;
}

void rtp_stream_remove_sink(struct sink *sink)
{
    struct rtp_stream *stream = sink->stream;
    if (!stream)
        return;
    if (stream->at == sink) {
        bool is_last = sink->node.next == &stream->sinks;
        stream->at = is_last ? NULL : LIST_ENTRY(sink->node.next, struct sink, node);
        if (is_last)
            stream->pumped = stream->ring.arrived;
    }
    list_remove(&sink->node);
    sink->stream = NULL;
    sink->is_waiting = false;
    stream->sink_count--;
}
