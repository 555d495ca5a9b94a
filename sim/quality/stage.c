#include "quality/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quality/scenarios.h"

static const char GOOD_LINE[] = "at 0s rate 100M queue 100ms delay 10ms";

void stage_script(struct netem_script *script, const char *text)
{
    struct netem_script_error error;
    if (netem_script_read(view_of(text), script, &error) == OK)
        return;
    fprintf(stderr, "%s\nline %u: %s\n", text, error.line, error.what);
    abort();
}

double stage_estimate(const struct peer *peer)
{
    const double HEADERS = 1 + WORLD_OVERHEAD / 1190.0; /* below RTP, of packets of video */
    return peer->bwe ? (double)bwe_target_bps(peer->bwe) * HEADERS : 0;
}

/* ---- samples ---- */

static struct viewer_stream *first_stream(struct viewer *viewer, bool is_video)
{
    for (unsigned i = 0; i < viewer->stream_count; i++)
        if (viewer->streams[i].is_video == is_video)
            return &viewer->streams[i];
    return NULL;
}

static const struct viewer_stream *nth_picture(const struct viewer *viewer, unsigned n)
{
    for (unsigned i = 0; i < viewer->stream_count; i++)
        if (viewer->streams[i].is_video && n-- == 0)
            return &viewer->streams[i];
    return NULL;
}

static float rate_since(uint64_t *before, uint64_t now)
{
    double bps = (double)(now - *before) * 8 * USEC_S / STAGE_EACH;
    *before = now;
    return (float)bps;
}

static uint16_t count_since(uint64_t *before, uint64_t now)
{
    uint16_t count = (uint16_t)(now - *before);
    *before = now;
    return count;
}

static void sample_picture(struct stage_viewer *who, const struct decoder *decoder, usec now,
                           struct sample *sample)
{
    usec frozen = decoder_frozen(decoder, now);
    if (decoder->frozen_to > who->frozen_to) {
        usec gap = decoder->frozen_to - decoder->frozen_from;
        frozen = gap > frozen ? gap : frozen;
        who->frozen_to = decoder->frozen_to;
    }
    sample->frozen = (float)frozen / USEC_MS;
    sample->shown = count_since(&who->shown, decoder->shown);
    sample->layer = decoder->has_picture ? (float)(decoder->encoding + 1) : 0;
}

static void take_sample(struct stage *stage, struct stage_viewer *who)
{
    struct viewer *viewer = &who->viewer;
    usec now = stage->world.now;
    const struct viewer_stream *picture = first_stream(viewer, true);
    struct viewer_stream *sound = first_stream(viewer, false);
    if (who->sample_count == STAGE_SAMPLES)
        return;
    struct sample *sample = &who->samples[who->sample_count++];
    *sample = (struct sample){
        .capacity = (float)viewer->end.down.setting.rate_bps,
        .estimate = (float)stage_estimate(viewer->end.peer),
        .sent = rate_since(&who->sent, viewer->end.sent_bytes),
        .received = rate_since(&who->received, viewer->received_bytes),
        .queue = (float)netem_queue_time(&viewer->end.down, now) / USEC_MS,
    };
    struct bwe_estimate estimate;
    if (peer_estimate(viewer->end.peer, now, &estimate)) {
        sample->acknowledged = (float)estimate.acknowledged_bps;
        sample->limit = (uint8_t)estimate.limit;
    }
    sample->up_capacity = (float)stage->publishers[0].end.up.setting.rate_bps;
    sample->up_estimate = (float)bwe_target_bps(&stage->publishers[0].uplink.bwe);
    sample->up_sent = rate_since(&who->up_sent, stage->publishers[0].sent_bytes);
    if (stage->has_tcp && stage->tcp.end == &viewer->end)
        sample->others = rate_since(&who->others, stage->tcp.delivered_bytes);
    if (picture)
        sample_picture(who, picture->decoder, now, sample);
    for (unsigned i = 0; i < viewer->stream_count; i++) {
        const struct decoder *decoder = viewer->streams[i].decoder;
        float frozen = decoder ? (float)decoder_frozen(decoder, now) / USEC_MS : 0;
        sample->frozen_any = frozen > sample->frozen_any ? frozen : sample->frozen_any;
    }
    const struct viewer_stream *speaker = nth_picture(viewer, stage->speaker);
    if (speaker && speaker->decoder->has_picture)
        sample->speaker = (float)(speaker->decoder->encoding + 1);
    if (sound) {
        sample->sounds = count_since(&who->sounds, sound->frames);
        sample->rung = viewer->end.peer->sound.rung;
        sample->sound_gap = (float)sound->longest_gap / USEC_MS;
        sound->longest_gap = 0;
    }
}

/* ---- the course ---- */

static void join(struct stage *stage)
{
    const struct scenario *scenario = stage->scenario;
    struct netem_script down;
    stage->publisher_count = scenario->publishers ? scenario->publishers : 1;
    stage->viewer_count = scenario->viewers ? scenario->viewers : 1;
    stage_script(&stage->publisher_up, scenario->publisher_up ? scenario->publisher_up : GOOD_LINE);
    stage_script(&stage->publisher_down, GOOD_LINE);
    for (unsigned i = 0; i < stage->publisher_count; i++)
        publisher_join(&stage->publishers[i], &stage->world, !scenario->is_audio_only,
                       &stage->publisher_up, &stage->publisher_down);
    for (unsigned i = 0; i < stage->publisher_count; i++)
        stage->publishers[i].obeys = scenario->obeys;
    for (unsigned i = 0; i < stage->viewer_count; i++) {
        struct stage_viewer *who = &stage->viewers[i];
        stage_script(&who->up, scenario->up ? scenario->up : GOOD_LINE);
        stage_script(&down, scenario->down ? scenario->down : GOOD_LINE);
        who->down = down;
        if (scenario->line)
            scenario->line(stage, i, &who->down);
        viewer_join(&who->viewer, &stage->world, &who->up, &who->down);
        for (unsigned k = 0; k < stage->publisher_count; k++) {
            viewer_watch(&who->viewer, stage->publishers[k].audio->receiving);
            if (stage->publishers[k].video)
                viewer_watch(&who->viewer, stage->publishers[k].video->receiving);
        }
    }
}

void stage_play(struct stage *stage, const struct scenario *scenario, uint64_t seed)
{
    memset(stage, 0, sizeof *stage);
    stage->scenario = scenario;
    world_init(&stage->world, seed);
    join(stage);
    if (scenario->begin)
        scenario->begin(stage);
    usec end = stage->world.now + scenario->seconds * USEC_S;
    usec sample_at = stage->world.now + STAGE_EACH;
    while (stage->world.now < end && !stage->world.chance.error[0]) {
        world_step(&stage->world);
        for (unsigned i = 0; i < stage->publisher_count; i++)
            publisher_turn(&stage->publishers[i]);
        for (unsigned i = 0; i < stage->viewer_count; i++)
            viewer_turn(&stage->viewers[i].viewer);
        if (stage->has_tcp)
            tcp_turn(&stage->tcp);
        if (scenario->turn)
            scenario->turn(stage);
        if (stage->world.now < sample_at)
            continue;
        for (unsigned i = 0; i < stage->viewer_count; i++)
            take_sample(stage, &stage->viewers[i]);
        sample_at += STAGE_EACH;
    }
}

void stage_free(struct stage *stage)
{
    world_free(&stage->world);
    for (unsigned i = 0; i < stage->viewer_count; i++)
        viewer_free(&stage->viewers[i].viewer);
}
