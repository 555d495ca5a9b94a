/* bwe_line.h - a line for the tests of the estimate: a narrow place with a queue, a delay each way,
 * jitter, losses; at one end a sender that sends what it may, at the other a receiver that gives
 * feedback.  All in steps of 250 us of a clock of its own; the same at every run. */
#ifndef MOIM_TESTS_MEDIA_BWE_LINE_H
#define MOIM_TESTS_MEDIA_BWE_LINE_H

#include "media/arrivals.h"
#include "media/bwe.h"

#define LINE_STEP     250 /* us */
#define LINE_QUEUE    4096
#define LINE_FLIGHT   8192
#define LINE_SIZE     1200 /* bytes of a packet of media */
#define LINE_OVERHEAD 28   /* of IP and UDP */
#define LINE_SECONDS  128

enum line_kind { LINE_MEDIA, LINE_TCP, LINE_ACK, LINE_FEEDBACK };

struct line_packet {
    usec at; /* sent, then: due at the other end */
    uint16_t number;
    uint16_t size;
    uint8_t kind;
    uint8_t feedback; /* which of line.feedbacks */
};

/* A flow that fills the queue until it loses, then halves its window (RFC 5681). */
struct line_tcp {
    bool is_on;
    double window; /* packets */
    double threshold;
    unsigned in_flight;
    usec halved_at;
};

struct line {
    struct bwe bwe;
    struct arrivals arrivals;
    uint64_t seed;
    usec now;
    /* what it is like; may be changed between runs */
    double bps;
    usec delay; /* each way */
    usec jitter;
    double loss;         /* 0 to 1, before the queue */
    usec queue;          /* how long it may grow */
    double app_bps;      /* what there is to send; 0: anything */
    double pace;         /* times the estimate, that may be sent at; 0: 1 */
    bool is_no_feedback; /* none gets through */
    bool is_no_probes;
    bool is_quiet; /* nothing is sent but probes */
    struct line_tcp tcp;
    /* its state */
    struct line_packet waiting[LINE_QUEUE];
    uint32_t first, last;
    uint64_t queued_bytes;
    double credit;
    struct line_packet flight[LINE_FLIGHT];
    uint32_t flight_count;
    usec way_free_at; /* without jitter, what was sent first comes first */
    struct {
        uint8_t bytes[1200];
        size_t size;
    } feedbacks[256];
    uint8_t feedback_count;
    double budget; /* bytes that may be sent now */
    struct bwe_probe probe;
    uint32_t probe_left;
    double probe_budget;
    /* what was seen, by seconds */
    uint64_t media_bytes[LINE_SECONDS];
    uint64_t tcp_bytes[LINE_SECONDS];
    uint64_t probe_bytes[LINE_SECONDS];
    double target[LINE_SECONDS]; /* at each one's end */
    usec longest[LINE_SECONDS];  /* in the queue */
    uint8_t limit[LINE_SECONDS]; /* enum bwe_limit, at each one's end */
};

static struct line line;

static double line_chance(void)
{
    uint64_t z = line.seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / (double)(1ull << 53);
}

static void line_begin(double bps, usec delay)
{
    static const struct bwe_settings SETTINGS = { BWE_MIN_BPS, BWE_START_BPS, BWE_MAX_BPS };
    memset(&line, 0, sizeof line);
    line.now = 5000 * USEC_S;
    line.bps = bps;
    line.delay = delay;
    line.queue = 300 * USEC_MS;
    line.seed = 1;
    bwe_init(&line.bwe, line.now, &SETTINGS);
}

static unsigned line_second(void)
{
    return (unsigned)(line.now / USEC_S - 5000);
}

static usec line_queue_time(void)
{
    return (usec)((double)line.queued_bytes * 8e6 / line.bps);
}

static void line_fly(struct line_packet packet, usec delay)
{
    assert_true(line.flight_count < LINE_FLIGHT);
    packet.at = line.now + delay;
    line.flight[line.flight_count++] = packet;
}

/* Into the queue, or lost. */
static bool line_enter(struct line_packet packet)
{
    unsigned size = packet.size + LINE_OVERHEAD;
    bool is_full = line_queue_time() > line.queue || line.last - line.first == LINE_QUEUE;
    if (is_full || (packet.kind == LINE_MEDIA && line_chance() < line.loss))
        return false;
    packet.at = line.now;
    line.waiting[line.last++ % LINE_QUEUE] = packet;
    line.queued_bytes += size;
    return true;
}

/* ---- the sender ---- */

static void line_send(size_t size, uint8_t cluster)
{
    uint16_t number = bwe_sent(&line.bwe, line.now, size, cluster);
    line_enter((struct line_packet){ .number = number, .size = (uint16_t)size });
    if (cluster)
        line.probe_bytes[line_second()] += size;
}

static void line_send_probe(void)
{
    if (line.probe_left == 0 && !line.is_no_probes &&
        bwe_probe_wanted(&line.bwe, line.now, &line.probe)) {
        line.probe_left = line.probe.bytes;
        line.probe_budget = line.probe.size;
    }
    if (line.probe_left == 0)
        return;
    line.probe_budget += (double)line.probe.bps / 8 * LINE_STEP / 1e6;
    while (line.probe_budget >= line.probe.size && line.probe_left > 0) {
        line_send(line.probe.size, line.probe.cluster);
        line.probe_budget -= line.probe.size;
        line.probe_left -= line.probe_left < line.probe.size ? line.probe_left : line.probe.size;
    }
}

static void line_send_media(void)
{
    if (line.is_quiet)
        return;
    double bps = (double)bwe_target_bps(&line.bwe) * (line.pace > 0 ? line.pace : 1);
    if (line.app_bps > 0 && line.app_bps < bps)
        bps = line.app_bps;
    line.budget += bps / 8 * LINE_STEP / 1e6;
    if (line.now % (5 * USEC_MS) != 0) /* a pacer's turn */
        return;
    size_t size = bps < 100000 ? 160 : LINE_SIZE;
    while (line.budget >= (double)size) {
        line_send(size, 0);
        line.budget -= (double)size;
    }
}

static void line_send_tcp(void)
{
    struct line_tcp *tcp = &line.tcp;
    if (!tcp->is_on)
        return;
    if (tcp->window < 1)
        *tcp = (struct line_tcp){ .is_on = true, .window = 10, .threshold = 1e9 };
    while (tcp->in_flight < (unsigned)tcp->window) {
        if (line_enter((struct line_packet){ .size = 1472, .kind = LINE_TCP })) {
            tcp->in_flight++;
            continue;
        }
        if (line.now - tcp->halved_at > 2 * line.delay + line.queue) {
            tcp->threshold = tcp->window = tcp->window > 4 ? tcp->window / 2 : 2;
            tcp->halved_at = line.now;
        }
        return;
    }
}

/* ---- the other end ---- */

static void line_give_feedback(void)
{
    struct rtcp_writer writer;
    while (line.now >= arrivals_until(&line.arrivals)) {
        uint8_t *bytes = line.feedbacks[line.feedback_count].bytes;
        rtcp_begin(&writer, bytes, sizeof line.feedbacks[0].bytes);
        if (!arrivals_write(&line.arrivals, line.now + 77777, 1, 2, &writer))
            return;
        line.feedbacks[line.feedback_count].size = writer.size;
        if (!line.is_no_feedback)
            line_fly((struct line_packet){ .kind = LINE_FEEDBACK, .feedback = line.feedback_count },
                     line.delay);
        line.feedback_count++;
    }
}

static void line_hear(uint8_t which)
{
    struct view rest = view_make(line.feedbacks[which].bytes, line.feedbacks[which].size);
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    struct twcc twcc;
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
    assert_int_equal(twcc_read(&feedback, &twcc), OK);
    assert_true(bwe_feedback(&line.bwe, line.now, &twcc));
}

static void line_acked(void)
{
    struct line_tcp *tcp = &line.tcp;
    tcp->in_flight--;
    tcp->window += tcp->window < tcp->threshold ? 1 : 1 / tcp->window;
}

static void line_arrive(const struct line_packet *packet)
{
    switch (packet->kind) {
    case LINE_MEDIA:
        arrivals_note(&line.arrivals, line.now, packet->number);
        line.media_bytes[line_second()] += packet->size + LINE_OVERHEAD;
        break;
    case LINE_TCP:
        line.tcp_bytes[line_second()] += packet->size + LINE_OVERHEAD;
        line_fly((struct line_packet){ .kind = LINE_ACK }, line.delay);
        break;
    case LINE_ACK:
        line_acked();
        break;
    default:
        line_hear(packet->feedback);
        break;
    }
}

/* ---- time ---- */

static void line_drain(void)
{
    line.credit += line.bps / 8 * LINE_STEP / 1e6;
    while (line.first != line.last) {
        struct line_packet packet = line.waiting[line.first % LINE_QUEUE];
        unsigned size = packet.size + LINE_OVERHEAD;
        usec waited = line.now - packet.at;
        if (line.credit < size)
            return;
        if (waited > line.longest[line_second()])
            line.longest[line_second()] = waited;
        line.credit -= size;
        line.queued_bytes -= size;
        line.first++;
        line_fly(packet, line.delay + (usec)(line_chance() * (double)line.jitter));
    }
    line.credit = 0; /* what was not used is gone */
}

/* What is due arrives, in the order in which it is due. */
static void line_land(void)
{
    for (uint32_t i = 0; i < line.flight_count;) {
        struct line_packet packet = line.flight[i];
        if (packet.at > line.now) {
            i++;
            continue;
        }
        line.flight_count--;
        memmove(&line.flight[i], &line.flight[i + 1],
                (line.flight_count - i) * sizeof line.flight[0]);
        line_arrive(&packet);
    }
}

static void line_run(usec time)
{
    struct bwe_estimate estimate;
    for (usec end = line.now + time; line.now < end; line.now += LINE_STEP) {
        line_send_media();
        line_send_probe();
        line_send_tcp();
        line_drain();
        line_land();
        line_give_feedback();
        if (line.now >= bwe_until(&line.bwe))
            bwe_tick(&line.bwe, line.now);
        bwe_estimate(&line.bwe, line.now, &estimate);
        line.target[line_second()] = (double)estimate.target_bps;
        line.limit[line_second()] = (uint8_t)estimate.limit;
    }
}

/* ---- what was seen ---- */

/* Bits/s that came, from one second up to another. */
static double line_came(const uint64_t *bytes, unsigned from, unsigned until)
{
    uint64_t sum = 0;
    for (unsigned i = from; i < until; i++)
        sum += bytes[i];
    return (double)sum * 8 / (until - from);
}

static inline usec line_longest(unsigned from, unsigned until)
{
    usec most = 0;
    for (unsigned i = from; i < until; i++)
        most = line.longest[i] > most ? line.longest[i] : most;
    return most;
}

/* For who looks at a run: MOIM_BWE_SHOW=1. */
static void line_show(const char *name)
{
    if (!getenv("MOIM_BWE_SHOW"))
        return;
    print_message("%s\n  s  target   media    tcp  probes  queue limit\n", name);
    for (unsigned i = 0; i < line_second() && i < LINE_SECONDS; i++)
        print_message("%3u %6.0fk %6.0fk %5.0fk %6.0fk %4.0fms %s\n", i, line.target[i] / 1000,
                      (double)line.media_bytes[i] * 8 / 1000, (double)line.tcp_bytes[i] * 8 / 1000,
                      (double)line.probe_bytes[i] * 8 / 1000, (double)line.longest[i] / 1000,
                      bwe_limit_name(line.limit[i]));
}

#endif
