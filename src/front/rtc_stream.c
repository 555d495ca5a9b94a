/* ICE-TCP (RFC 6544): streams at the media port, in frames of RFC 4571. */
#include "front/rtc.h"

#include <assert.h>
#include <string.h>

#define LENGTH_SIZE 2 /* of a frame's length, which stands before it */

static struct ice_flow flow_of(const struct server *server, const struct stream *stream)
{
    return (struct ice_flow){
        .remote = stream->peer,
        .local = stream->local,
        .stream = stream_number(server, stream),
    };
}

/* ---- strangers ---- */

void rtc_door_open(struct server *server, struct stream *stream)
{
    struct rtc_door *door = server->rtc;
    assert(door);
    list_append(&door->strangers, &stream->rtc.node);
    list_init(&stream->rtc.known);
    door->stranger_count++;
}

/* A transport has ICE_PAIRS_MAX flows: with one more, another one's stream is nobody's any more,
 * and says nothing perhaps, by which that would be noticed.  For each stream that comes some are
 * looked at in turn, so that those are never many. */
static void sweep(struct server *server, usec now)
{
    struct rtc_door *door = server->rtc;
    for (int i = 0; i < RTC_SWEEP && !list_empty(&door->known); i++) {
        struct stream *stream = LIST_ENTRY(door->known.next, struct stream, rtc.known);
        struct ice_flow flow = flow_of(server, stream);
        list_remove(&stream->rtc.known);
        if (rtc_knows(&door->port, &flow))
            list_append(&door->known, &stream->rtc.known);
        else
            stream_end(server, now, stream);
    }
}

static void let_in(struct server *server, usec now, struct stream *stream)
{
    if (stream->rtc.is_known)
        return;
    stream->rtc.is_known = true;
    list_remove(&stream->rtc.node);
    server->rtc->stranger_count--;
    metrics_add(server->metrics, METRIC_RTC_STREAMS, 1);
    sweep(server, now);
    list_append(&server->rtc->known, &stream->rtc.known);
}

/* What comes on it waits until all is said that there is to say: strangers bring nothing that
 * anybody has to answer at length. */
static void wait(struct server *server, struct stream *stream)
{
    list_remove(&stream->rtc.node);
    list_append(&server->rtc->waiting, &stream->rtc.node);
    stream->is_paused = true;
}

bool rtc_door_read_on(struct server *server, usec now)
{
    struct list waiting;
    struct rtc_door *door = server->rtc;
    if (list_empty(&door->waiting))
        return false;
    list_init(&waiting);
    while (!list_empty(&door->waiting)) {
        struct list *node = door->waiting.next;
        list_remove(node);
        list_append(&waiting, node);
    }
    while (!list_empty(&waiting)) {
        struct stream *stream = LIST_ENTRY(waiting.next, struct stream, rtc.node);
        list_remove(&stream->rtc.node);
        stream_read_on(server, now, stream); /* it may be among them again */
    }
    return true;
}

void rtc_door_gone(struct server *server, usec now, struct stream *stream)
{
    if (stream->phase != PHASE_RTC || stream->rtc.is_gone)
        return;
    struct ice_flow flow = flow_of(server, stream);
    stream->rtc.is_gone = true;
    list_remove(&stream->rtc.node);
    list_remove(&stream->rtc.known);
    if (!stream->rtc.is_known) {
        server->rtc->stranger_count--;
        metrics_add(server->metrics, METRIC_RTC_STRANGERS, 1);
        return;
    }
    metrics_subtract(server->metrics, METRIC_RTC_STREAMS, 1);
    rtc_stream_gone(&server->rtc->port, now, &flow);
}

void rtc_door_make_room(struct server *server, usec now)
{
    struct rtc_door *door = server->rtc;
    if (!door || door->stranger_count < RTC_STRANGERS_MAX)
        return;
    metrics_add(server->metrics, METRIC_CLOSED_LIMIT, 1);
    stream_end(server, now, LIST_ENTRY(door->strangers.next, struct stream, rtc.node));
}

/* ---- in ---- */

static bool is_too_long(const struct stream *stream, size_t size)
{
    return size > (stream->rtc.is_known ? RTC_FRAME_MAX : RTC_CHECK_MAX);
}

/* One frame.  False: the stream is nobody's, and ends. */
static bool hear(struct server *server, usec now, struct stream *stream, struct span frame)
{
    struct rtc_door *door = server->rtc;
    struct ice_flow flow = flow_of(server, stream);
    if (frame.size == 0)
        return stream->rtc.is_known; /* says nothing (RFC 4571, section 2), but for strangers */
    rtc_feed(&door->port, now, &flow, frame);
    bool is_known = rtc_knows(&door->port, &flow);
    if (is_known)
        let_in(server, now, stream);
    rtc_door_hear(server, now);
    return is_known;
}

size_t rtc_door_consume(struct server *server, usec now, struct stream *stream, struct span bytes)
{
    size_t used = 0;
    while (bytes.size - used >= LENGTH_SIZE && !stream->is_ending) {
        const uint8_t *at = bytes.at + used;
        size_t size = (size_t)at[0] << 8 | at[1];
        if (is_too_long(stream, size)) {
            stream_end(server, now, stream);
            break;
        }
        if (bytes.size - used < LENGTH_SIZE + size)
            break;
        used += LENGTH_SIZE + size;
        if (!hear(server, now, stream, (struct span){ bytes.at + used - size, size }))
            stream_end(server, now, stream);
        else if (server_rtc_is_full(server) && stream->rtc.is_known) {
            wait(server, stream);
            break;
        }
    }
    return used;
}

/* ---- out ---- */

/* The stream of a flow; NULL: it has ended. */
static struct stream *stream_of(struct server *server, const struct ice_flow *flow)
{
    if (flow->stream >= server->streams.touched)
        return NULL;
    struct stream *stream = pool_at(&server->streams, flow->stream);
    bool is_it = stream->is_open && stream->phase == PHASE_RTC && !stream->is_ending &&
                 !stream->is_failing && address_equal(&stream->peer, &flow->remote);
    return is_it ? stream : NULL;
}

/* Whether too much waits there, or everywhere. */
static bool is_full(const struct server *server, const struct stream *stream)
{
    const struct pool *entries = &server->outboxes.entries;
    return stream->outbox.size > RTC_QUEUE_MAX ||
           stream->outbox.count >= (entries->count_max - entries->used) / 2;
}

static void add_frame(struct buffer *buffer, struct view packet)
{
    uint8_t *at = buffer->bytes + buffer->size;
    at[0] = (uint8_t)(packet.size >> 8);
    at[1] = (uint8_t)packet.size;
    memcpy(at + LENGTH_SIZE, packet.at, packet.size);
    buffer->size += (uint32_t)(LENGTH_SIZE + packet.size);
}

void rtc_door_send(struct server *server, usec now, const struct rtc_run *run)
{
    struct buffer *buffer;
    struct stream *stream = stream_of(server, run->flow);
    size_t size = run->bytes.size + (size_t)LENGTH_SIZE * run->count;
    if (!stream || is_full(server, stream) || buffers_take(server->buffers, size, &buffer) != OK) {
        metrics_add(server->metrics, METRIC_RTC_NOT_SENT, run->count);
        return;
    }
    for (size_t at = 0; at < run->bytes.size; at += run->segment)
        add_frame(buffer, view_slice(run->bytes, at, run->segment));
    stream_send_give(server, now, stream, buffer);
}

void rtc_door_end_streams(struct server *server, usec now)
{
    for (uint32_t i = 0; i < server->streams.touched; i++) {
        struct stream *stream = pool_at(&server->streams, i);
        if (stream->is_open && stream->phase == PHASE_RTC)
            stream_end(server, now, stream);
    }
}
