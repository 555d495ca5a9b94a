#include "bwe/play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STORE_MAX  16384
#define OTHER_SIZE 1200
#define SOURCES    2   /* times what the line ever takes: as much there is to send */
#define REACHED    0.8 /* of the line ... */
#define REACHED_IN 5   /* ... for so many samples */
#define SSRC       77

enum tag { OWN, OTHERS };

/* ---- down ---- */

/* Whether the policer lets it pass. */
static bool take_tokens(struct play *play, size_t size)
{
    double bits = (double)(size + PLAY_OVERHEAD) * 8;
    if (!play->course->is_policed)
        return true;
    if (play->tokens < bits)
        return false;
    play->tokens -= bits;
    return true;
}

static void put(void *to, usec now, uint16_t number, size_t size, bool is_padding)
{
    struct play *play = to;
    uint8_t bytes[NETEM_PACKET_MAX] = { (uint8_t)(number >> 8), (uint8_t)number, is_padding };
    play->sent++;
    play->all_bytes += size;
    play->padding += is_padding ? size : 0;
    if (take_tokens(play, size))
        netem_send(&play->down, now, view_make(bytes, size), OWN);
}

static void hear_own(struct play *play, const struct netem_packet *packet)
{
    double queue = (double)(packet->at - packet->sent_at - play->course->way) / USEC_MS;
    play->come++;
    play->queue_sum += queue;
    play->queues[queue < PLAY_QUEUE_MAX ? (unsigned)queue : PLAY_QUEUE_MAX - 1]++;
    if (!packet->bytes[2])
        play->sample_bits += (packet->size + PLAY_OVERHEAD) * 8;
    play->sample_queue += queue;
    play->sample_come++;
    arrivals_note(&play->arrivals, packet->at,
                  (uint16_t)(packet->bytes[0] << 8 | packet->bytes[1]));
}

static void take_down(struct play *play)
{
    for (struct netem_packet *packet; (packet = netem_take(&play->down, play->now));) {
        if (packet->tag == OWN)
            hear_own(play, packet);
        else
            play->sample_others += (packet->size + PLAY_OVERHEAD) * 8;
        netem_give(&play->down, packet);
    }
}

/* By chance, each independent of all others (Poisson). */
static void send_others(struct play *play)
{
    static const uint8_t BYTES[OTHER_SIZE];
    double mean = (OTHER_SIZE + PLAY_OVERHEAD) * 8e6 / play->course->others;
    while (play->other_at <= play->now) {
        netem_send(&play->down, play->now, view_make(BYTES, sizeof BYTES), OTHERS);
        play->other_at += (usec)(-log((chance_pick(&play->chance, 1000000) + 1) / 1e6) * mean) + 1;
    }
}

/* ---- up ---- */

static void give_feedback(struct play *play)
{
    uint8_t bytes[1300];
    struct rtcp_writer writer;
    while (arrivals_until(&play->arrivals) <= play->now) {
        rtcp_begin(&writer, bytes, sizeof bytes);
        if (!arrivals_write(&play->arrivals, play->now, SSRC, SSRC, &writer))
            break;
        netem_send(&play->up, play->now, view_make(bytes, writer.size), OWN);
    }
    for (struct netem_packet *packet; (packet = netem_take(&play->up, play->now));) {
        play->kind->hear(play->follower, play->now, view_make(packet->bytes, packet->size));
        netem_give(&play->up, packet);
    }
}

/* ---- its course ---- */

static void go_on(struct play *play, uint64_t ms)
{
    const struct course *course = play->course;
    double bps = capacity_at(&play->capacity, ms);
    if (course->is_policed)
        play->tokens = fmin(play->tokens + bps / 1000, bps * (double)course->queue / USEC_S);
    else
        capacity_apply(&play->capacity, ms, &play->down, play->now);
    play->now += USEC_MS;
    if (course->others)
        send_others(play);
    take_down(play);
    give_feedback(play);
    play->kind->turn(play->follower, play->now);
    source_turn(&play->source, play->now, &play->chance, play->kind, play->follower);
}

static void sample(struct play *play, uint64_t ms)
{
    if (play->sample_count == PLAY_SAMPLES_MAX)
        abort();
    double capacity = capacity_bits(&play->capacity, ms - PLAY_SAMPLE_MS, ms);
    capacity = fmax(capacity - play->sample_others, 0);
    play->samples[play->sample_count++] = (struct play_sample){
        .capacity = capacity * 1000 / PLAY_SAMPLE_MS,
        .estimate = (double)play->kind->estimate(play->follower) *
                    (FOLLOWER_PACKET + PLAY_OVERHEAD) / FOLLOWER_PACKET,
        .come = play->sample_bits * 1000 / PLAY_SAMPLE_MS,
        .queue = play->sample_come ? play->sample_queue / play->sample_come : 0,
    };
    play->sample_bits = play->sample_others = play->sample_queue = 0;
    play->sample_come = 0;
}

/* ---- what came of it ---- */

/* Of this much use can be made. */
static double usable(const struct play *play, const struct play_sample *sample)
{
    const double all = (double)(FOLLOWER_PACKET + PLAY_OVERHEAD) / FOLLOWER_PACKET;
    return play->course->source ? source_most(&play->source, sample->capacity / all) * all
                                : sample->capacity;
}

static double find_reached(const struct play *play)
{
    for (unsigned i = 0; i + REACHED_IN <= play->sample_count; i++) {
        double come = 0, line = 0;
        for (unsigned k = i; k < i + REACHED_IN; k++) {
            come += play->samples[k].come;
            line += usable(play, &play->samples[k]);
        }
        if (come >= REACHED * line)
            return (i + REACHED_IN) * PLAY_SAMPLE_MS / 1000.0;
    }
    return play->course->seconds;
}

static double find_queue_95(const struct play *play)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < PLAY_QUEUE_MAX; i++)
        if ((seen += play->queues[i]) >= play->come * 95 / 100)
            return i;
    return PLAY_QUEUE_MAX;
}

static void judge(const struct play *play, struct outcome *outcome)
{
    double come = 0, line = 0;
    unsigned over = 0;
    uint64_t ended = play->sent - play->down.queue_count - play->down.way_count;
    for (unsigned i = 0; i < play->sample_count; i++) {
        const struct play_sample *at = &play->samples[i];
        over += at->estimate > at->capacity;
        if (i < PLAY_WARM_S * 1000 / PLAY_SAMPLE_MS)
            continue;
        come += at->come;
        line += usable(play, at);
    }
    *outcome = (struct outcome){
        .use = come / line,
        .queue_ms = play->come ? play->queue_sum / (double)play->come : 0,
        .queue_95 = find_queue_95(play),
        .loss = ended > play->come ? 1 - (double)play->come / (double)ended : 0,
        .reach_s = find_reached(play),
        .padding = (double)play->padding / (double)(play->all_bytes ? play->all_bytes : 1),
        .over = (double)over / play->sample_count,
    };
}

/* ---- from beginning to end ---- */

static double highest(const struct capacity *capacity)
{
    double most = 0;
    for (uint32_t ms = 0; ms + PLAY_SAMPLE_MS <= capacity->count; ms += PLAY_SAMPLE_MS)
        most = fmax(most, capacity_bits(capacity, ms, ms + PLAY_SAMPLE_MS) * 1000 / PLAY_SAMPLE_MS);
    return most > 0 ? most : capacity_mean(capacity);
}

static void begin(struct play *play, const struct course *course, uint64_t seed,
                  const struct follower_kind *kind, const struct capacity *recording)
{
    const struct follower_road road = { put, play };
    memset(play, 0, offsetof(struct play, capacity));
    play->capacity.count = 0;
    play->course = course;
    play->kind = kind;
    play->begin = play->now = CHANCE_BEGIN;
    play->other_at = play->now;
    chance_init(&play->chance, seed);
    if (recording)
        play->capacity = *recording;
    else
        course->make(&play->chance, &play->capacity);
    if (netem_store_init(&play->store, STORE_MAX) != OK)
        abort();
    netem_init(&play->down, &play->store, chance_random(&play->chance), PLAY_OVERHEAD, play->now);
    netem_init(&play->up, &play->store, chance_random(&play->chance), PLAY_OVERHEAD, play->now);
    double queue = capacity_mean(&play->capacity) / 8 * (double)course->queue / USEC_S;
    const struct netem_setting down = { .delay = course->way,
                                        .loss = course->loss,
                                        .queue_bytes =
                                            course->is_policed ? 0 : (uint32_t)fmax(queue, 4000) };
    const struct netem_setting up = { .delay = course->way };
    netem_set(&play->down, play->now, &down);
    netem_set(&play->up, play->now, &up);
    play->source.camera_bps = course->source;
    play->source.is_layered = course->is_layered;
    play->source.is_fixed = course->is_fixed;
    play->source.most_bps =
        course->source ? course->source * 11 / 10 : (uint64_t)(SOURCES * highest(&play->capacity));
    play->follower = kind->open(play->now, &road);
}

void play_run(struct play *play, const struct course *course, uint64_t seed,
              const struct follower_kind *kind, const struct capacity *recording,
              struct outcome *outcome)
{
    begin(play, course, seed, kind, recording);
    uint64_t last = (uint64_t)course->seconds * 1000;
    for (uint64_t ms = 0; ms < last; ms++) {
        go_on(play, ms);
        if ((ms + 1) % PLAY_SAMPLE_MS == 0)
            sample(play, ms + 1);
    }
    judge(play, outcome);
    kind->close(play->follower);
    netem_free(&play->down);
    netem_free(&play->up);
    pool_free(&play->store);
}
