#include "quality/measure.h"

#include <stdlib.h>

#define PER_SECOND  10.0 /* samples */
#define MAY_BE_USED 0.85 /* of a line: the rest is for what is sent again, and for chance */

/* Samples from *first to below *last. */
static void find(const struct stage_viewer *who, double from, double to, unsigned *first,
                 unsigned *last)
{
    *first = (unsigned)(from * PER_SECOND + 0.5);
    *last = (unsigned)(to * PER_SECOND + 0.5);
    *last = *last < who->sample_count ? *last : who->sample_count;
}

typedef double measure_one(const struct stage_viewer *who, unsigned first, unsigned last);

/* The lowest (sign 1) or highest (-1) of all viewers. */
static double worst(const struct stage *stage, double from, double to, measure_one *one, int sign)
{
    double found = 0;
    for (unsigned i = 0; i < stage->viewer_count; i++) {
        const struct stage_viewer *who = &stage->viewers[i];
        unsigned first, last;
        find(who, from, to, &first, &last);
        double value = one(who, first, last);
        if (i == 0 || sign * value < sign * found)
            found = value;
    }
    return found;
}

static double use(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sent = 0, capacity = 0;
    for (unsigned i = first; i < last; i++) {
        sent += who->samples[i].sent;
        capacity += who->samples[i].capacity;
    }
    return capacity > 0 ? sent / capacity : 0;
}

double measure_use(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, use, 1);
}

static double uplink_use(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sent = 0, capacity = 0;
    for (unsigned i = first; i < last; i++) {
        sent += who->samples[i].up_sent;
        capacity += who->samples[i].up_capacity;
    }
    return capacity > 0 ? sent / capacity : 0;
}

double measure_uplink_use(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, uplink_use, 1);
}

static double upload(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sent = 0;
    for (unsigned i = first; i < last; i++)
        sent += who->samples[i].up_sent;
    return last > first ? sent / 1e6 / (last - first) : 0;
}

double measure_upload(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, upload, 1);
}

static double fps(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double shown = 0;
    for (unsigned i = first; i < last; i++)
        shown += who->samples[i].shown;
    return last > first ? shown * PER_SECOND / (last - first) : 0;
}

double measure_fps(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, fps, 1);
}

static double freeze(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double most = 0;
    for (unsigned i = first; i < last; i++)
        most = who->samples[i].frozen > most ? who->samples[i].frozen : most;
    return most / 1000;
}

double measure_freeze(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, freeze, -1);
}

static double frozen(const struct stage_viewer *who, unsigned first, unsigned last)
{
    unsigned count = 0;
    for (unsigned i = first; i < last; i++)
        count += who->samples[i].frozen > 0;
    return count / PER_SECOND;
}

double measure_frozen(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, frozen, -1);
}

static double seconds_until(const struct stage_viewer *who, unsigned first, unsigned last,
                            unsigned window, bool is_down)
{
    for (unsigned i = first; i + window <= last; i++) {
        double part = use(who, i, i + window);
        if (is_down ? part <= 1.05 : part >= 0.8)
            return (i + window - first) / PER_SECOND;
    }
    return (last - first) / PER_SECOND;
}

static double down(const struct stage_viewer *who, unsigned first, unsigned last)
{
    return seconds_until(who, first, last, 5, true);
}

static double up(const struct stage_viewer *who, unsigned first, unsigned last)
{
    return seconds_until(who, first, last, 10, false);
}

double measure_down(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, down, -1);
}

double measure_up(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, up, -1);
}

static double queue(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sum = 0;
    for (unsigned i = first; i < last; i++)
        sum += who->samples[i].queue;
    return last > first ? sum / (last - first) : 0;
}

double measure_queue(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, queue, -1);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double queue_95(const struct stage_viewer *who, unsigned first, unsigned last)
{
    float all[STAGE_SAMPLES];
    unsigned count = 0;
    for (unsigned i = first; i < last; i++)
        all[count++] = who->samples[i].queue;
    qsort(all, count, sizeof all[0], compare);
    return count ? all[count * 95 / 100] : 0;
}

double measure_queue_95(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, queue_95, -1);
}

static double layer(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sum = 0;
    for (unsigned i = first; i < last; i++)
        sum += who->samples[i].layer;
    return last > first ? sum / (last - first) : 0;
}

double measure_layer(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, layer, 1);
}

static double speaker(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sum = 0;
    for (unsigned i = first; i < last; i++)
        sum += who->samples[i].speaker;
    return last > first ? sum / (last - first) : 0;
}

double measure_speaker(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, speaker, 1);
}

double measure_turns(const struct stage *stage, double from, double to)
{
    (void)from;
    (void)to;
    return (double)stage->speakers.turns;
}

static double freeze_of_all(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double most = 0;
    for (unsigned i = first; i < last; i++)
        most = who->samples[i].frozen_any > most ? who->samples[i].frozen_any : most;
    return most / 1000;
}

double measure_freeze_of_all(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, freeze_of_all, -1);
}

static double share(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double ours = 0, others = 0;
    for (unsigned i = first; i < last; i++) {
        ours += who->samples[i].received;
        others += who->samples[i].others;
    }
    return ours + others > 0 ? ours / (ours + others) : 0;
}

double measure_share(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, share, 1);
}

/* Bits/s on the line of a packet's payload of `bps`, in packets of the model's size. */
static double on_line(double bps)
{
    const double HEADERS = 24 + WORLD_SEALED + WORLD_OVERHEAD;
    return bps * (MODEL_PAYLOAD_MAX + HEADERS) / MODEL_PAYLOAD_MAX;
}

/* Of the lowest encoding any of its temporal layers, of others all: a picture of more lines and a
 * quarter of the frames is no better one. */
static double best_of(double capacity)
{
    static const double TEMPORAL[] = { 0.4, 0.6, 1 };
    const double sound = (MODEL_SOUND_SIZE + 24 + WORLD_SEALED + WORLD_OVERHEAD) * 8 *
                         ((double)USEC_S / MODEL_SOUND_EACH);
    double best = sound;
    for (unsigned i = 0; i < MODEL_ENCODINGS; i++)
        for (unsigned t = i == 0 ? 0 : 2; t < 3; t++) {
            double rate = sound + on_line(MODEL_SIZES[i].bps * TEMPORAL[t]);
            if (rate <= capacity * MAY_BE_USED && rate > best)
                best = rate;
        }
    return best;
}

static double ladder(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double received = 0, best = 0;
    for (unsigned i = first; i < last; i++) {
        received += who->samples[i].received;
        best += best_of(who->samples[i].capacity);
    }
    return best > 0 ? received / best : 0;
}

double measure_ladder(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, ladder, 1);
}

static double sound(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double count = 0;
    for (unsigned i = first; i < last; i++)
        count += who->samples[i].sounds;
    return last > first ? count / ((last - first) * 5.0) : 0;
}

double measure_sound(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, sound, 1);
}

static double sound_gap(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double longest = 0;
    for (unsigned i = first; i < last; i++)
        if (who->samples[i].sound_gap / 1000 > longest)
            longest = who->samples[i].sound_gap / 1000;
    return longest;
}

static double rung(const struct stage_viewer *who, unsigned first, unsigned last)
{
    double sum = 0;
    for (unsigned i = first; i < last; i++)
        sum += who->samples[i].rung;
    return last > first ? sum / (last - first) : 0;
}

double measure_rung(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, rung, -1);
}

double measure_sound_gap(const struct stage *stage, double from, double to)
{
    return worst(stage, from, to, sound_gap, -1);
}

double measure_corrupt(const struct stage *stage, double from, double to)
{
    double count = 0;
    (void)from;
    (void)to;
    for (unsigned i = 0; i < stage->viewer_count; i++)
        for (unsigned k = 0; k < stage->viewers[i].viewer.stream_count; k++)
            if (stage->viewers[i].viewer.streams[k].decoder)
                count += (double)stage->viewers[i].viewer.streams[k].decoder->corrupt;
    return count;
}

double measure_switches(const struct stage *stage, double from, double to)
{
    double most = 0;
    (void)from;
    (void)to;
    for (unsigned i = 0; i < stage->viewer_count; i++)
        for (unsigned k = 0; k < stage->viewers[i].viewer.stream_count; k++) {
            const struct decoder *decoder = stage->viewers[i].viewer.streams[k].decoder;
            if (decoder && (double)decoder->switches > most)
                most = (double)decoder->switches;
        }
    return most;
}
