/* The media port's batch: packets that wait to be encrypted and sent together. */
#include "agent/rtc_internal.h"
#include "agent/rtc_tap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One packet of the batch. */
struct queued {
    const struct ice_flow *flow;
    struct rtc_transport *transport; /* NULL: of none, or of none any more */
    uint8_t *at;
    uint16_t size;
    uint16_t job; /* NO_JOB: it is as it is */
};
#define NO_JOB UINT16_MAX

struct rtc_batch {
    uint32_t count;
    uint32_t job_count;
    uint32_t flow_count;
    uint32_t run_count;
    bool is_sealed;
    uint8_t *end; /* of what is used of the arena */
    struct queued packets[RTC_BATCH_MAX];
    struct secure_outgoing jobs[RTC_BATCH_MAX];
    struct ice_flow flows[RTC_BATCH_MAX]; /* of what is no transport's, or not for long */
    struct rtc_run runs[RTC_BATCH_MAX];
    uint8_t arena[RTC_ARENA_SIZE];
};

int rtc_batch_new(struct rtc_batch **out)
{
    struct rtc_batch *batch = malloc(sizeof *batch);
    if (!batch)
        return ERR_MEMORY;
    batch->count = batch->job_count = batch->flow_count = batch->run_count = 0;
    batch->is_sealed = false;
    batch->end = batch->arena;
    *out = batch;
    return OK;
}

void rtc_batch_free(struct rtc_batch *batch)
{
    free(batch);
}

/* Room for one packet more, whatever its size. */
static bool has_room(const struct rtc_batch *batch)
{
    size_t used = (size_t)(batch->end - batch->arena);
    return batch->count < RTC_BATCH_MAX && used + RTC_PACKET_MAX + RTC_HEADER_MAX <= RTC_ARENA_SIZE;
}

bool rtc_is_full(const struct rtc *rtc)
{
    return !has_room(rtc->batch);
}

bool rtc_is_busy(const struct rtc *rtc)
{
    return rtc->has_packet || !list_empty(&rtc->touched) || rtc->batch->count > 0;
}

static struct queued *put(struct rtc_batch *batch, const struct ice_flow *flow,
                          struct rtc_transport *transport, size_t size)
{
    assert(!batch->is_sealed);
    struct queued *queued = &batch->packets[batch->count++];
    *queued = (struct queued){ .flow = flow,
                               .transport = transport,
                               .at = batch->end,
                               .size = (uint16_t)size,
                               .job = NO_JOB };
    batch->end += size;
    return queued;
}

static void lost(struct rtc *rtc)
{
    metrics_add(rtc->config.metrics, METRIC_RTC_NOT_SENT, 1);
}

/* ---- RTP ---- */

uint8_t *rtc_begin_rtp(struct rtc *rtc, struct rtc_transport *transport)
{
    if (!transport->is_connected || transport->end != RTC_OPEN || !transport->has_way ||
        !has_room(rtc->batch))
        return NULL;
    return rtc->batch->end;
}

void rtc_end_rtp(struct rtc *rtc, struct rtc_transport *transport, const struct rtc_rtp *rtp)
{
    struct rtc_batch *batch = rtc->batch;
    size_t size = rtp->header_size + rtp->own_size + rtp->payload.size + transport->overhead;
    if (size > RTC_PACKET_MAX) {
        lost(rtc);
        return;
    }
    struct queued *queued = put(batch, &transport->way, transport, size);
    queued->job = (uint16_t)batch->job_count;
    batch->jobs[batch->job_count++] = (struct secure_outgoing){
        .key = transport->secure.rtp_out,
        .sent = rtp->sent,
        .at = queued->at,
        .payload = rtp->payload,
        .header_size = (uint16_t)rtp->header_size,
        .own_size = (uint16_t)rtp->own_size,
        .is_repeat = rtp->is_repeat,
    };
    if (transport->tap)
        rtc_tap_note_out(transport->tap, rtc->now, &transport->way,
                         view_make(queued->at, rtp->header_size + rtp->own_size), rtp->payload);
}

/* ---- the rest ---- */

void rtc_send_rtcp(struct rtc *rtc, struct rtc_transport *transport, struct view packet)
{
    struct rtc_batch *batch = rtc->batch;
    size_t size;
    if (!transport->is_connected || transport->end != RTC_OPEN || !transport->has_way ||
        !has_room(batch) || packet.size + SECURE_RTCP_OVERHEAD > RTC_PACKET_MAX) {
        lost(rtc);
        return;
    }
    if (transport->tap)
        rtc_tap_note_out(transport->tap, rtc->now, &transport->way, packet, VIEW(""));
    memcpy(batch->end, packet.at, packet.size);
    if (secure_protect_rtcp(&transport->secure, batch->end, packet.size, &size) != OK) {
        lost(rtc);
        return;
    }
    put(batch, &transport->way, transport, size);
}

/* The flow may be nobody's, or not for long: it is copied. */
void rtc_send_plain(struct rtc *rtc, const struct ice_flow *flow, struct view bytes)
{
    struct rtc_batch *batch = rtc->batch;
    if (!has_room(batch) || bytes.size > RTC_PACKET_MAX + RTC_HEADER_MAX) {
        lost(rtc);
        return;
    }
    batch->flows[batch->flow_count] = *flow;
    memcpy(batch->end, bytes.at, bytes.size);
    put(batch, &batch->flows[batch->flow_count++], NULL, bytes.size);
}

/* The transport goes: what it has queued can't be encrypted any more. */
void rtc_drop_queued(struct rtc *rtc, const struct rtc_transport *transport)
{
    struct rtc_batch *batch = rtc->batch;
    bool is_found = false;
    for (uint32_t i = 0; i < batch->count; i++)
        is_found = is_found || batch->packets[i].transport == transport;
    if (!is_found)
        return;
    uint32_t kept = 0;
    uint32_t kept_jobs = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct queued packet = batch->packets[i];
        if (packet.transport == transport)
            continue;
        if (packet.job != NO_JOB) {
            batch->jobs[kept_jobs] = batch->jobs[packet.job];
            packet.job = (uint16_t)kept_jobs++;
        }
        batch->packets[kept++] = packet;
    }
    batch->count = kept;
    batch->job_count = kept_jobs;
}

/* ---- runs ---- */

/* Whether the packet goes on where the run ends: behind it, as long as those in it. */
static bool continues(const struct rtc_run *run, const struct queued *packet)
{
    return run->flow == packet->flow && run->bytes.at + run->bytes.size == packet->at &&
           run->count < RTC_RUN_MAX && packet->size <= run->segment &&
           run->bytes.size == (size_t)run->segment * run->count;
}

static void add_to_runs(struct rtc_batch *batch, const struct queued *packet)
{
    struct rtc_run *last = batch->run_count ? &batch->runs[batch->run_count - 1] : NULL;
    if (last && continues(last, packet)) {
        last->bytes.size += packet->size;
        last->count++;
        return;
    }
    batch->runs[batch->run_count++] = (struct rtc_run){
        .flow = packet->flow,
        .bytes = view_make(packet->at, packet->size),
        .segment = packet->size,
        .count = 1,
    };
}

const struct rtc_run *rtc_seal(struct rtc *rtc, uint32_t *count)
{
    struct rtc_batch *batch = rtc->batch;
    batch->is_sealed = true;
    batch->run_count = 0;
    secure_protect(rtc->config.secure, batch->jobs, batch->job_count);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct queued *packet = &batch->packets[i];
        const struct secure_outgoing *job =
            packet->job == NO_JOB ? NULL : &batch->jobs[packet->job];
        assert(!job || job->status != OK || job->size == packet->size);
        if (job && job->status != OK)
            lost(rtc);
        else
            add_to_runs(batch, packet);
    }
    *count = batch->run_count;
    return batch->runs;
}

void rtc_sent(struct rtc *rtc)
{
    struct rtc_batch *batch = rtc->batch;
    batch->count = batch->job_count = batch->flow_count = batch->run_count = 0;
    batch->is_sealed = false;
    batch->end = batch->arena;
}
