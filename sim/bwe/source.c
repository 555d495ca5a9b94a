#include "bwe/source.h"

#define PICTURES   30
#define KEY_EACH   300
#define KEY_SIZE   4
#define SMALLEST   100 /* bytes: less goes with the next picture */
#define WANT_EACH  (100 * USEC_MS)
#define OF_LINE    0.95 /* of an estimate, a camera takes */
#define LEAST_BPS  30000.0
#define BYTES_A_MS (1.0 / 8000) /* of a bit/s */

static const double LAYERS[] = { 0.08, 0.28, 1 };
#define LAYER_COUNT (sizeof LAYERS / sizeof LAYERS[0])

double source_most(const struct source *source, double bps)
{
    double rate = bps < source->camera_bps ? bps : source->camera_bps;
    rate = rate > LEAST_BPS ? rate : LEAST_BPS;
    for (unsigned i = LAYER_COUNT; source->is_layered && i-- > 0;)
        if (LAYERS[i] * source->camera_bps <= bps || i == 0)
            return LAYERS[i] * source->camera_bps;
    return rate;
}

/* With so much the next better layer would be sent. */
static double next_bps(const struct source *source, double estimate)
{
    unsigned i = 0;
    while (i + 1 < LAYER_COUNT && LAYERS[i] * source->camera_bps <= estimate * OF_LINE)
        i++;
    return LAYERS[i] * source->camera_bps / OF_LINE;
}

static double take_picture(struct source *source, usec now, struct chance *chance, double rate)
{
    double size = rate / 8 / PICTURES;
    size *= 0.75 + chance_pick(chance, 1000) / 2000.0;
    size *= source->pictures++ % KEY_EACH ? 1 : KEY_SIZE;
    source->picture_at = now + USEC_S / PICTURES;
    return size;
}

static double produce(struct source *source, usec now, struct chance *chance, uint64_t estimate)
{
    if (source->camera_bps == 0)
        return (double)estimate * BYTES_A_MS;
    if (now < source->picture_at)
        return 0;
    double line = source->is_fixed ? source->camera_bps : (double)estimate * OF_LINE;
    return take_picture(source, now, chance, source_most(source, line));
}

/* A packet that is full, or the end of a picture. */
static size_t next_size(const struct source *source)
{
    if (source->waiting >= FOLLOWER_PACKET)
        return FOLLOWER_PACKET;
    bool is_end = source->camera_bps > 0 && source->waiting >= SMALLEST;
    return is_end ? (size_t)source->waiting : 0;
}

static void want(const struct source *source, usec now, const struct follower_kind *kind,
                 struct follower *follower)
{
    uint64_t now_bps = kind->estimate(follower);
    uint64_t bps = source->camera_bps ? source->most_bps : now_bps * 3 / 2;
    if (source->is_layered)
        bps = (uint64_t)next_bps(source, (double)now_bps);
    kind->want(follower, now, bps < source->most_bps ? bps : source->most_bps, source->most_bps);
}

void source_turn(struct source *source, usec now, struct chance *chance,
                 const struct follower_kind *kind, struct follower *follower)
{
    if (now % WANT_EACH == 0)
        want(source, now, kind, follower);
    if (source->waiting < 1)
        source->since = now;
    source->waiting += produce(source, now, chance, kind->estimate(follower));
    for (size_t size; (size = next_size(source)) > 0 && kind->may(follower, now);) {
        kind->send(follower, now, size);
        source->waiting -= (double)size;
        source->since = now;
    }
    size_t size = next_size(source);
    if (!kind->waits(follower, now, size ? (uint32_t)source->waiting : 0, source->since)) {
        source->waiting = 0;
        source->left_out++;
    }
}
