/* stage.h - a scenario while it is played: who takes part, and what is noted of each viewer ten
 * times a second.
 */
#ifndef MOIM_SIM_QUALITY_STAGE_H
#define MOIM_SIM_QUALITY_STAGE_H

#include "quality/tcp.h"
#include "quality/viewer.h"

#define STAGE_PUBLISHERS  30
#define STAGE_VIEWERS     50
#define STAGE_SECONDS_MAX 140
#define STAGE_EACH        (100 * USEC_MS)
#define STAGE_SAMPLES     (STAGE_SECONDS_MAX * 10)

/* Of one viewer in a tenth of a second; bits/s, with everything below RTP. */
struct sample {
    float capacity;     /* of its line, at the end */
    float estimate;     /* the server's, at the end; 0: it has none */
    float acknowledged; /* what the server knows to come; without what is below RTP */
    float sent;         /* to it by the server */
    float received;
    float others;      /* what came of who shares the line */
    float queue;       /* ms that the line's queue takes, at the end */
    float frozen;      /* ms: the longest gap of its first picture that was a freeze then */
    float frozen_any;  /* ms: the longest gap of any of its pictures, that is a freeze at the end */
    float up_capacity; /* of the first publisher's line, as are the next two */
    float up_estimate; /* its own */
    float up_sent;
    float layer;     /* of the encoding that is shown, from 1 on; 0: none */
    float speaker;   /* the same of who is dominant */
    uint16_t shown;  /* frames of its first picture */
    uint16_t sounds; /* frames of its first sound */
    uint8_t rung;    /* on which its sound is (media/sound.h) */
    float sound_gap; /* ms: the longest time that it was not heard, of what ended in this sample */
    uint8_t limit;   /* enum bwe_limit */
};

struct stage_viewer {
    struct viewer viewer;
    struct netem_script up, down;
    unsigned sample_count;
    struct sample samples[STAGE_SAMPLES];
    /* as of the last sample */
    uint64_t sent, received, others, shown, sounds, up_sent;
    usec frozen_to;
};

struct scenario;

struct stage {
    struct world world;
    const struct scenario *scenario;
    unsigned publisher_count, viewer_count;
    struct netem_script publisher_up, publisher_down;
    struct publisher publishers[STAGE_PUBLISHERS];
    struct stage_viewer viewers[STAGE_VIEWERS];
    struct tcp tcp;
    bool has_tcp;
    unsigned speaker; /* among the publishers: the dominant one, by what the server hears */
    struct speakers speakers;
    struct speaker voices[STAGE_PUBLISHERS];
};

/* Plays it from beginning to end.  `stage` is large, and need not be initialized. */
void stage_play(struct stage *stage, const struct scenario *scenario, uint64_t seed);
void stage_free(struct stage *stage);

/* A script in words; abort() when it is none. */
void stage_script(struct netem_script *script, const char *text);

/* What the server believes that the line to it takes, as bits/s with everything below RTP; 0: it
 * has no belief. */
double stage_estimate(const struct peer *peer);

#endif
