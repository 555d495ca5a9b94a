#include "quality/scenarios.h"

#include <math.h>
#include <stdio.h>

#include "quality/measure.h"

#define ANY_LESS (-INFINITY)
#define ANY_MORE INFINITY

#define NO_CORRUPT                                                                                 \
    {                                                                                              \
        "corrupt pictures", measure_corrupt, 0, 0, 0, 0                                            \
    }

/* ---- what happens in some ---- */

/* Fifty lines from 300 kbit/s to 5 Mbit/s, each with a delay of its own. */
static void line_of_its_own(struct stage *stage, unsigned viewer, struct netem_script *down)
{
    char text[100];
    double rate = 300 * pow(5000.0 / 300, viewer / 49.0);
    (void)stage;
    snprintf(text, sizeof text, "at 0s rate %.0fk queue 200ms delay %ums", rate,
             10 + viewer * 7 % 60);
    stage_script(down, text);
}

static void begin_tcp(struct stage *stage)
{
    stage->has_tcp = false;
}

/* It begins after ten seconds. */
static void turn_tcp(struct stage *stage)
{
    if (!stage->has_tcp && world_seconds(&stage->world) >= 10) {
        tcp_begin(&stage->tcp, &stage->viewers[0].viewer.end, 20 * USEC_MS);
        stage->has_tcp = true;
    }
}

/* A window of that size for one of the first viewer's pictures. */
static void want(struct stage *stage, unsigned picture, uint16_t width, uint16_t height,
                 uint8_t priority)
{
    struct viewer *viewer = &stage->viewers[0].viewer;
    const struct transceiver_wish wish = { .width = width, .height = height, .priority = priority };
    for (unsigned i = 0; i < viewer->stream_count; i++)
        if (viewer->streams[i].is_video && picture-- == 0)
            transceiver_want(viewer->streams[i].transceiver, stage->world.now, &wish);
}

static void turn_tile(struct stage *stage)
{
    static const struct {
        double at;
        uint16_t width, height;
    } SIZES[] = { { 0, 1280, 720 }, { 15, 160, 90 }, { 30, 640, 360 }, { 45, 1280, 720 } };
    double now = world_seconds(&stage->world);
    for (unsigned i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
        if (now >= SIZES[i].at && now < SIZES[i].at + 0.0005)
            want(stage, 0, SIZES[i].width, SIZES[i].height, 0);
}

static void begin_speakers(struct stage *stage)
{
    usec now = stage->world.now;
    speakers_init(&stage->speakers, 0, 0);
    for (unsigned i = 0; i < stage->publisher_count; i++) {
        (void)speakers_add(&stage->speakers, now, &stage->voices[i]);
        stage->publishers[i].audio->receiving->voice = &stage->voices[i];
        want(stage, i, 160, 90, 0);
    }
}

/* Each second another one, from the fifth on; whom the server finds dominant is shown large. */
static void turn_speaker(struct stage *stage)
{
    usec now = stage->world.now;
    double seconds = world_seconds(&stage->world);
    unsigned speaker = seconds < 5 ? 0 : (unsigned)(seconds - 4) * 7 % stage->publisher_count;
    for (unsigned i = 0; i < stage->publisher_count; i++)
        stage->publishers[i].is_speaking = i == speaker;
    if (now - stage->speakers.looked_at < SPEAKERS_EACH ||
        !(speakers_look(&stage->speakers, now) & SPEAKERS_DOMINANT))
        return;
    want(stage, stage->speaker, 160, 90, 0);
    stage->speaker = (unsigned)(stage->speakers.dominant - stage->voices);
    want(stage, stage->speaker, 1280, 720, 1);
}

/* ---- the table ---- */

const struct scenario SCENARIOS[] = {
    { .name = "steady",
      .what = "a line of 3 Mbit/s is used",
      .seconds = 60,
      .down = "at 0s rate 3M queue 200ms delay 20ms",
      .holds = true,
      .thresholds = { { "use", measure_use, 20, 60, 0.8, 1 },
                      { "frames a second", measure_fps, 15, 60, 25, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 2, 60, ANY_LESS, 0.5 },
                      { "queue of 95 % (ms)", measure_queue_95, 20, 60, ANY_LESS, 100 },
                      { "switches of the most", measure_switches, 0, 0, 0, 4 },
                      NO_CORRUPT } },
    { .name = "breakdown",
      .what = "from 3 Mbit/s to 300 kbit/s for half a minute, and back",
      .seconds = 80,
      .down = "at 0s rate 3M queue 300ms delay 20ms\nat 20s rate 300k\nat 50s rate 3M",
      .holds = true,
      .thresholds = { { "down (s)", measure_down, 20, 50, ANY_LESS, 2 },
                      { "up (s)", measure_up, 50, 80, ANY_LESS, 10 },
                      { "longest freeze (s)", measure_freeze, 2, 80, ANY_LESS, 1 },
                      { "frames a second while down", measure_fps, 25, 50, 10, ANY_MORE },
                      { "frames a second at the end", measure_fps, 70, 80, 25, ANY_MORE },
                      { "switches of the most", measure_switches, 0, 0, 0, 12 },
                      NO_CORRUPT } },
    { .name = "loss",
      .what = "5 % are lost, 100 ms there and back",
      .seconds = 40,
      .down = "at 0s rate 4M queue 200ms delay 50ms loss 5%",
      .up = "at 0s rate 10M queue 200ms delay 50ms",
      .holds = true,
      .thresholds = { { "frames a second", measure_fps, 10, 40, 25, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 5, 40, ANY_LESS, 1 },
                      NO_CORRUPT } },
    { .name = "bursts",
      .what = "1 % are lost, ten at a time",
      .seconds = 40,
      .down = "at 0s rate 4M queue 200ms delay 20ms burst 0.1% 10%",
      .holds = true,
      .thresholds = { { "frames a second", measure_fps, 10, 40, 25, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 5, 40, ANY_LESS, 1 },
                      NO_CORRUPT } },
    { .name = "jitter",
      .what = "packets take up to 50 ms longer, by chance",
      .seconds = 40,
      .down = "at 0s rate 4M queue 200ms delay 20ms jitter 50ms",
      .holds = true,
      .thresholds = { { "use", measure_use, 20, 40, 0.6, 1 },
                      { "frames a second", measure_fps, 10, 40, 25, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 5, 40, ANY_LESS, 0.5 },
                      { "switches of the most", measure_switches, 0, 0, 0, 12 },
                      NO_CORRUPT } },
    { .name = "many",
      .what = "50 subscribers on lines from 300 kbit/s to 5 Mbit/s",
      .seconds = 40,
      .viewers = 50,
      .line = line_of_its_own,
      .holds = true,
      .thresholds = { { "of the best that fits", measure_ladder, 20, 40, 0.8, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 15, 40, ANY_LESS, 1 },
                      { "frames a second", measure_fps, 15, 40, 6, ANY_MORE },
                      { "switches of the most", measure_switches, 0, 0, 0, 12 },
                      NO_CORRUPT } },
    { .name = "tcp",
      .what = "a download shares a line of 4 Mbit/s from the 10th second on",
      .seconds = 70,
      .down = "at 0s rate 4M queue 150ms delay 20ms",
      .begin = begin_tcp,
      .turn = turn_tcp,
      .holds = true,
      .thresholds = { { "share of the line", measure_share, 20, 70, 0.33, 0.67 },
                      { "longest freeze (s)", measure_freeze, 5, 70, ANY_LESS, 1 },
                      { "frames a second", measure_fps, 20, 70, 14, ANY_MORE },
                      { "switches of the most", measure_switches, 0, 0, 0, 12 },
                      NO_CORRUPT } },
    { .name = "uplink",
      .what = "the publisher's line of 3.6 Mbit/s halves for 25 seconds",
      .seconds = 70,
      .publisher_up = "at 0s rate 3.6M queue 300ms delay 20ms\nat 20s rate 1.8M\nat 45s rate 3.6M",
      .holds = true,
      .thresholds = { { "use before", measure_uplink_use, 10, 20, 0.7, 1.05 },
                      { "use meanwhile", measure_uplink_use, 25, 45, 0.7, 1.05 },
                      { "use afterwards", measure_uplink_use, 60, 70, 0.7, 1.05 },
                      { "longest freeze (s)", measure_freeze, 2, 70, ANY_LESS, 1 },
                      { "frames a second", measure_fps, 25, 45, 25, ANY_MORE },
                      NO_CORRUPT } },
    { .name = "tile",
      .what = "a window of 720, 90, 360 and again 720 lines",
      .seconds = 60,
      .down = "at 0s rate 4M queue 200ms delay 20ms",
      .turn = turn_tile,
      .holds = true,
      .thresholds = { { "encoding of 720", measure_layer, 10, 15, 3, 3 },
                      { "encoding of 90", measure_layer, 18, 30, 1, 1 },
                      { "encoding of 360", measure_layer, 34, 45, 2, 2 },
                      { "encoding of 720 again", measure_layer, 50, 60, 3, 3 },
                      { "longest freeze (s)", measure_freeze, 2, 60, ANY_LESS, 0.5 },
                      { "frames a second", measure_fps, 5, 60, 28, ANY_MORE },
                      NO_CORRUPT } },
    { .name = "wanted",
      .what = "the same, of who sends only what is wanted",
      .seconds = 60,
      .down = "at 0s rate 4M queue 200ms delay 20ms",
      .turn = turn_tile,
      .obeys = true,
      .holds = true,
      .thresholds = { { "encoding of 90", measure_layer, 18, 30, 1, 1 },
                      { "encoding of 360", measure_layer, 34, 45, 2, 2 },
                      { "encoding of 720 again", measure_layer, 50, 60, 3, 3 },
                      { "upload of 720 (Mbit/s)", measure_upload, 10, 15, 2.5, ANY_MORE },
                      { "upload of 90 (Mbit/s)", measure_upload, 20, 30, 0.1, 0.3 },
                      { "longest freeze (s)", measure_freeze, 2, 60, ANY_LESS, 0.5 },
                      { "frames a second", measure_fps, 5, 60, 28, ANY_MORE },
                      NO_CORRUPT } },
    { .name = "speaker",
      .what = "a room of 30, of whom each second another one speaks, on 10 Mbit/s",
      .seconds = 35,
      .publishers = 30,
      .down = "at 0s rate 10M queue 200ms delay 20ms",
      .begin = begin_speakers,
      .turn = turn_speaker,
      .holds = true,
      .thresholds = { { "encoding of who is dominant", measure_speaker, 15, 35, 2, 3 },
                      { "who was (31 spoke)", measure_turns, 0, 35, 30, 31 },
                      { "longest freeze of all (s)", measure_freeze_of_all, 15, 35, ANY_LESS, 1 },
                      { "sound that comes", measure_sound, 6, 35, 0.99, ANY_MORE },
                      { "queue of 95 % (ms)", measure_queue_95, 6, 35, ANY_LESS, 100 },
                      NO_CORRUPT } },
    { .name = "sound",
      .what = "sound alone on 64 kbit/s, of which Opus at 32 kbit/s takes 59",
      .seconds = 30,
      .is_audio_only = true,
      .down = "at 0s rate 64k queue 200ms delay 20ms",
      .holds = true,
      .thresholds = { { "sound that comes", measure_sound, 5, 30, 0.99, ANY_MORE },
                      { "queue of 95 % (ms)", measure_queue_95, 5, 30, ANY_LESS, 60 } } },
    { .name = "thin",
      .what = "sound alone on 30 kbit/s, of which the headers of Opus would take 28",
      .seconds = 60,
      .is_audio_only = true,
      .obeys = true,
      .down = "at 0s rate 30k queue 400ms delay 20ms",
      .holds = true,
      .thresholds = { { "sound that comes", measure_sound, 5, 60, 0.97, ANY_MORE },
                      { "longest gap (s)", measure_sound_gap, 5, 60, ANY_LESS, 0.4 },
                      { "queue of 95 % (ms)", measure_queue_95, 5, 60, ANY_LESS, 80 } } },
    { .name = "choir",
      .what = "four microphones on 40 kbit/s, of which each second another one is spoken into",
      .seconds = 60,
      .publishers = 4,
      .is_audio_only = true,
      .obeys = true,
      .down = "at 0s rate 40k queue 400ms delay 20ms",
      .begin = begin_speakers,
      .turn = turn_speaker,
      .holds = true,
      .thresholds = { { "queue of 95 % (ms)", measure_queue_95, 10, 60, ANY_LESS, 120 } } },
    { .name = "widens",
      .what = "sound alone on 30 kbit/s, which after 20 seconds are 3 Mbit/s",
      .seconds = 130,
      .is_audio_only = true,
      .obeys = true,
      .down = "at 0s rate 30k queue 400ms delay 20ms\nat 20s rate 3M",
      .holds = true,
      .thresholds = { { "rung while it is narrow", measure_rung, 5, 20, 4, 5 },
                      { "rung in the end", measure_rung, 120, 130, 0, 0 },
                      { "sound that comes", measure_sound, 5, 130, 0.97, ANY_MORE },
                      { "longest gap (s)", measure_sound_gap, 5, 130, ANY_LESS, 0.4 } } },
    { .name = "narrow",
      .what = "a line of 100 kbit/s, which takes sound and no picture",
      .seconds = 40,
      .down = "at 0s rate 100k queue 300ms delay 20ms",
      .holds = true,
      .thresholds = { { "sound that comes", measure_sound, 10, 40, 0.97, ANY_MORE },
                      { "queue of 95 % (ms)", measure_queue_95, 15, 40, ANY_LESS, 200 },
                      NO_CORRUPT } },
    { .name = "stall",
      .what = "every ten seconds all waits for 300 ms, then comes at once",
      .seconds = 60,
      .down = "at 0s rate 3M queue 300kB delay 20ms\n"
              "at 12s rate 1k\nat 12.3s rate 100M\nat 12.32s rate 3M\n"
              "at 22s rate 1k\nat 22.3s rate 100M\nat 22.32s rate 3M\n"
              "at 32s rate 1k\nat 32.3s rate 100M\nat 32.32s rate 3M\n"
              "at 42s rate 1k\nat 42.3s rate 100M\nat 42.32s rate 3M",
      .holds = true,
      .thresholds = { { "frames a second", measure_fps, 12, 60, 25, ANY_MORE },
                      { "longest freeze (s)", measure_freeze, 2, 60, ANY_LESS, 0.5 },
                      { "up (s)", measure_up, 43, 60, ANY_LESS, 4 },
                      NO_CORRUPT } },
    { .name = "silence",
      .what = "feedback is blocked for two seconds",
      .seconds = 40,
      .down = "at 0s rate 3M queue 200ms delay 20ms",
      .up = "at 0s rate 10M queue 200ms delay 20ms\nat 20s block\nat 22s open",
      .holds = true,
      .thresholds = { { "longest freeze (s)", measure_freeze, 2, 40, ANY_LESS, 0.5 },
                      { "up (s)", measure_up, 22, 40, ANY_LESS, 10 },
                      { "queue of 95 % (ms)", measure_queue_95, 20, 24, ANY_LESS, 200 },
                      NO_CORRUPT } },
};
const unsigned SCENARIO_COUNT = sizeof SCENARIOS / sizeof SCENARIOS[0];
