/* Fuzzes the estimate of a line: packets that go out, and feedback, reports and REMB that say
 * whatever they want of them.
 *
 * Input: steps.  Each is a byte of what is done and one of how much time passes before (in units of
 * 4 ms, or, of those from 0xf0 on, in units of 4 s); then what that step wants.
 */
#include "media/bwe.h"

#include "input.h"

#define BODY_MAX 256

static const struct bwe_settings SETTINGS = { 20000, 500000, 10000000 };

static uint32_t number_32(struct view *input)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < 4; i++)
        number = number << 8 | input_byte(input);
    return number;
}

/* Its matter as it comes: what twcc_read does not refuse. */
static void hear_anything(struct bwe *bwe, usec now, struct view *input)
{
    struct span copy = input_copy(input_take(input, input_byte(input)));
    struct rtcp_feedback feedback = { .fci = view_of_span(copy), .format = RTCP_TRANSPORT_CC };
    struct twcc twcc;
    if (twcc_read(&feedback, &twcc) == OK)
        CHECK(bwe_feedback(bwe, now, &twcc) == (twcc.status_count <= BWE_STATUSES_MAX));
    free(copy.at);
}

/* Of the last packets that went out: a byte each, of whether and when it came. */
static void hear_of_last(struct bwe *bwe, usec now, struct view *input, uint32_t *reference)
{
    uint8_t chunks[2 * BODY_MAX], deltas[2 * BODY_MAX];
    struct view body = input_take(input, input_byte(input));
    size_t delta_size = 0;
    *reference = (*reference + input_byte(input)) % TWCC_REFERENCE_MAX;
    for (size_t i = 0; i < body.size; i++) {
        unsigned symbol = body.at[i] & 3; /* 3: lost, too */
        chunks[2 * i] = (uint8_t)((symbol == 3 ? 0 : symbol) << 5);
        chunks[2 * i + 1] = 1;
        if (symbol == 2)
            deltas[delta_size++] = (uint8_t)(body.at[i] >> 5);
        if (symbol == 1 || symbol == 2)
            deltas[delta_size++] = body.at[i];
    }
    const struct twcc twcc = { .base_sequence_number = (uint16_t)(bwe->history.count - body.size),
                               .status_count = (uint16_t)body.size,
                               .reference_time = *reference,
                               .chunks = view_make(chunks, 2 * body.size),
                               .deltas = view_make(deltas, delta_size) };
    if (body.size > 0)
        CHECK(bwe_feedback(bwe, now, &twcc));
}

static void check(struct bwe *bwe, usec now)
{
    struct bwe_estimate estimate;
    bwe_estimate(bwe, now, &estimate);
    CHECK(bwe->target_bps >= SETTINGS.min_bps && bwe->target_bps <= SETTINGS.max_bps);
    CHECK(bwe->rate.bps >= 0 && bwe->rate.bps < 1e12); /* nor is it no number */
    CHECK(bwe->acknowledged.bps >= 0 && bwe->acknowledged.bps < 1e15);
    CHECK(bwe->sent_bps >= 0 && bwe->sent_bps < 1e15);
    CHECK(bwe->loss.inherent >= 0 && bwe->loss.inherent <= 1);
    CHECK(bwe->delay.threshold >= 0 && bwe->delay.threshold <= 600);
    CHECK(bwe->delay.smoothed == bwe->delay.smoothed && bwe->delay.trend == bwe->delay.trend);
    CHECK(estimate.loss >= 0 && estimate.loss <= 1);
    CHECK(estimate.round_trip <= now);
    CHECK(bwe_limit_name(estimate.limit));
}

static void send(struct bwe *bwe, usec *now, struct view *input, uint8_t cluster)
{
    unsigned count = input_byte(input);
    size_t size = (size_t)input_byte(input) * 8;
    for (unsigned i = 0; i < count; i++) {
        uint64_t before = bwe->history.count;
        CHECK(bwe_sent(bwe, *now, size, cluster) == (uint16_t)before);
        *now += 100;
    }
}

static void take_probe(struct bwe *bwe, usec now, uint8_t *cluster)
{
    struct bwe_probe probe;
    if (!bwe_probe_wanted(bwe, now, &probe))
        return;
    CHECK(probe.cluster > 0 && probe.packets > 0 && probe.size >= 100 && probe.size <= 1200);
    CHECK(probe.bps > 0 && probe.bps <= 2 * SETTINGS.max_bps);
    CHECK(probe.bytes >= probe.size && probe.bytes < 1000000);
    *cluster = probe.cluster;
}

static void send_untold(struct bwe *bwe, usec now, struct view *input, uint8_t cluster)
{
    uint32_t size = number_32(input);
    uint8_t how = input_byte(input);
    bwe_sent_untold(bwe, now, size, how & 1, how & 2 ? cluster : 0);
}

static void want(struct bwe *bwe, usec now, struct view *input)
{
    uint64_t bps = number_32(input);
    bwe_want(bwe, now, bps, bps << (input_byte(input) & 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bwe bwe;
    struct view input = view_make(data, size);
    usec now = 1000 * USEC_S;
    uint32_t reference = 0;
    uint8_t cluster = 0;
    bwe_init(&bwe, now, &SETTINGS);
    while (input.size > 0) {
        uint8_t step = input_byte(&input);
        uint8_t time = input_byte(&input);
        now += time < 0xf0 ? time * 4 * USEC_MS : (time - 0xefu) * 4 * USEC_S;
        if (step == 's')
            send(&bwe, &now, &input, 0);
        else if (step == 'p')
            send(&bwe, &now, &input, cluster);
        else if (step == 'f')
            hear_of_last(&bwe, now, &input, &reference);
        else if (step == 'x')
            hear_anything(&bwe, now, &input);
        else if (step == 'r')
            bwe_reported(&bwe, now, number_32(&input), number_32(&input),
                         input_byte(&input) * 1000);
        else if (step == 'm')
            bwe_remb(&bwe, now, (uint64_t)number_32(&input) << (input_byte(&input) & 31));
        else if (step == 'w')
            want(&bwe, now, &input);
        else if (step == 'u')
            send_untold(&bwe, now, &input, cluster);
        else
            bwe_tick(&bwe, now);
        take_probe(&bwe, now, &cluster);
        check(&bwe, now);
    }
    return 0;
}
