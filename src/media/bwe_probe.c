#include "media/bwe_probe.h"

#define LENGTH       (20 * USEC_MS)
#define LENGTH_MAX   (100 * USEC_MS)
#define JITTERS      2 /* as long as so many, and LENGTH */
#define PACKETS      5
#define BYTES_MIN    200
#define BYTES_MAX    1200
#define TAKE_TIME    (2 * USEC_S)
#define RESULT_TIME  (2 * USEC_S) /* with the way there and back, and feedback's own pace */
#define PAUSE_FIRST  (1 * USEC_S)
#define PAUSE_MIN    (3 * USEC_S)
#define PAUSE_MAX    (4 * USEC_S)
#define SOON         (200 * USEC_MS)
#define ENOUGH       0.8 /* of what was to be sent, for a result */
#define WANTED_OVER  1.3 /* of what is wanted: surely enough to move a layer up */
#define RIVAL_ENOUGH 1.2
#define RIVAL_OVER   2.0 /* the same, where a rival takes a part of it */
#define WELL         0.7 /* of the rate: so that a faster one follows */
#define SPAN_US_MAX  1000000
#define SPAN_US_MIN  1000
#define OVER_SENT    2.0  /* faster than it was sent: clocks, or a burst, but not the line */
#define SLOWER       0.9  /* than it was sent: that is the line's rate ... */
#define SLOWER_SHARE 0.95 /* ... of which so much is taken */
#define GAIN         1.1  /* of a probe, over the estimate */
#define WORTH        1.05 /* of the estimate */

/* ---- when, and how fast ---- */

static void make(struct bwe_prober *prober, usec now, double bps, double jitter_ms)
{
    double length = (double)LENGTH + JITTERS * jitter_ms * (double)USEC_MS;
    if (length > (double)LENGTH_MAX)
        length = (double)LENGTH_MAX;
    double bytes = bps / 8 * length / (double)USEC_S;
    double size = bytes / PACKETS;
    size = size < BYTES_MIN ? BYTES_MIN : size > BYTES_MAX ? BYTES_MAX : size;
    prober->last_cluster++;
    if (prober->last_cluster == 0)
        prober->last_cluster = 1;
    if (bytes < size * PACKETS)
        bytes = size * PACKETS;
    prober->probe = (struct bwe_probe){
        .cluster = prober->last_cluster,
        .packets = PACKETS,
        .size = (uint16_t)size,
        .bytes = (uint32_t)bytes,
        .bps = (uint64_t)bps,
    };
    prober->cluster = (struct bwe_cluster){ 0 };
    prober->state = BWE_PROBE_READY;
    prober->until = now + TAKE_TIME;
}

static void rest(struct bwe_prober *prober, usec now)
{
    prober->state = BWE_PROBE_IDLE;
    prober->next_at = now + prober->pause;
}

static void fail(struct bwe_prober *prober, usec now)
{
    prober->is_open = false;
    prober->pause = prober->pause < PAUSE_MIN ? PAUSE_MIN : prober->pause + prober->pause / 2;
    if (prober->pause > PAUSE_MAX)
        prober->pause = PAUSE_MAX;
    rest(prober, now);
}

/* Beside a rival what comes of a probe is its part of all that does, so it is to be the greater. */
static double how_much(const struct bwe_prober *prober, const struct bwe_probe_terms *terms)
{
    bool is_all = prober->is_open && terms->most_bps > terms->wanted_bps;
    if (terms->has_rival)
        return terms->wanted_bps * RIVAL_ENOUGH > terms->target_bps ? terms->wanted_bps * RIVAL_OVER
                                                                    : 0;
    return (is_all ? terms->most_bps : terms->wanted_bps) * WANTED_OVER;
}

void bwe_prober_look(struct bwe_prober *prober, usec now, const struct bwe_probe_terms *terms)
{
    if (prober->pause == 0)
        prober->pause = PAUSE_FIRST;
    if (prober->state == BWE_PROBE_READY && (now >= prober->until || !terms->is_calm))
        rest(prober, now);
    if (prober->state == BWE_PROBE_OUT && now >= prober->until)
        fail(prober, now);
    double most = how_much(prober, terms);
    if (prober->state != BWE_PROBE_IDLE || now < prober->next_at || !terms->is_calm ||
        most < terms->target_bps * WORTH)
        return;
    double bps = terms->target_bps * terms->step;
    prober->target_bps = terms->target_bps;
    prober->has_rival = terms->has_rival;
    make(prober, now, bps < most ? bps : most, terms->jitter_ms);
}

usec bwe_prober_until(const struct bwe_prober *prober)
{
    return prober->state == BWE_PROBE_IDLE ? prober->next_at : prober->until;
}

void bwe_prober_hurry(struct bwe_prober *prober, usec now)
{
    prober->pause = PAUSE_FIRST;
    if (prober->state == BWE_PROBE_IDLE && prober->next_at > now + SOON)
        prober->next_at = now + SOON;
}

bool bwe_prober_take(struct bwe_prober *prober, usec now, struct bwe_probe *probe)
{
    if (prober->state != BWE_PROBE_READY)
        return false;
    prober->state = BWE_PROBE_OUT;
    prober->until = now + RESULT_TIME;
    prober->sent++;
    *probe = prober->probe;
    return true;
}

/* ---- what came of it ---- */

void bwe_prober_packet(struct bwe_prober *prober, uint8_t cluster, int64_t sent_at,
                       int64_t arrived_at, uint32_t size)
{
    struct bwe_cluster *of = &prober->cluster;
    if (prober->state != BWE_PROBE_OUT || cluster != prober->probe.cluster)
        return;
    if (of->count == 0 || sent_at < of->first_sent)
        of->first_sent = sent_at;
    if (of->count == 0 || sent_at >= of->last_sent) {
        of->last_sent = sent_at;
        of->last_sent_size = size;
    }
    if (of->count == 0 || arrived_at < of->first_arrival) {
        of->first_arrival = arrived_at;
        of->first_arrival_size = size;
    }
    if (of->count == 0 || arrived_at > of->last_arrival)
        of->last_arrival = arrived_at;
    of->count++;
    of->bytes += size;
}

void bwe_prober_lost(struct bwe_prober *prober, uint8_t cluster, uint32_t size)
{
    if (prober->state != BWE_PROBE_OUT || cluster != prober->probe.cluster)
        return;
    prober->cluster.lost_count++;
    prober->cluster.lost_bytes += size;
}

/* Whether enough of it has been told of. */
static bool is_told(const struct bwe_prober *prober)
{
    const struct bwe_cluster *of = &prober->cluster;
    double enough = ENOUGH * prober->probe.bytes;
    return of->count + of->lost_count >= ENOUGH * prober->probe.packets &&
           (double)(of->bytes + of->lost_bytes) >= enough;
}

/* What went between the first and the last of them, a second; 0: that says nothing. */
static double rate_of(uint64_t bytes, uint32_t but, int64_t span_us)
{
    if (span_us > SPAN_US_MAX || bytes <= but)
        return 0;
    if (span_us < SPAN_US_MIN)
        span_us = SPAN_US_MIN;
    return (double)(bytes - but) * 8e6 / (double)span_us;
}

/* How fast they came.  That they lie no wider apart than they were sent says nothing of the line,
 * though the first of them was larger than the last. */
static double came_of(const struct bwe_cluster *of, double sent)
{
    int64_t span = of->last_arrival - of->first_arrival;
    double came = rate_of(of->bytes, of->first_arrival_size, span);
    bool is_wider = (double)span * SLOWER > (double)(of->last_sent - of->first_sent);
    return is_wider || came == 0 || came > sent ? came : sent;
}

double bwe_prober_result(struct bwe_prober *prober, usec now)
{
    const struct bwe_cluster *of = &prober->cluster;
    if (prober->state != BWE_PROBE_OUT || !is_told(prober))
        return 0;
    double sent = rate_of(of->bytes, of->last_sent_size, of->last_sent - of->first_sent);
    double came = came_of(of, sent);
    if (sent == 0 || came == 0 || came > OVER_SENT * sent) {
        fail(prober, now);
        return 0;
    }
    bool is_line = came < SLOWER * sent && !prober->has_rival;
    double result = is_line ? SLOWER_SHARE * came : came < sent ? came : sent;
    if (result > (double)prober->probe.bps)
        result = (double)prober->probe.bps; /* sent at once, it may have come so, too */
    if (result < WELL * (double)prober->probe.bps || of->lost_bytes > of->bytes / 4) {
        fail(prober, now);
        return result;
    }
    prober->succeeded++;
    prober->is_open = result >= SLOWER * (double)prober->probe.bps || came >= SLOWER * sent;
    if (result < GAIN * prober->target_bps && prober->succeeded > 1) {
        prober->pause = PAUSE_MIN; /* as much as was known: it is not worth going on */
        rest(prober, now);
        return result;
    }
    prober->pause = PAUSE_FIRST;
    prober->state = BWE_PROBE_IDLE;
    prober->next_at = now;
    return result;
}
