/* pacer.h - when what goes to one peer may go: so that a line is not given in a moment what it
 * takes in a while, and what goes, goes in runs that the kernel takes as one (UDP_SEGMENT).
 *
 * Credit grows with the time, at PACER_FACTOR times what the line is thought to take; what is sent
 * uses it up.  When it is used up nothing goes until there is enough for a run again: PACER_RUN, or
 * what goes in PACER_RUN_TIME where that is less.  A line with room never waits: PACER_BURST of
 * credit is kept.  Audio never waits, but costs; then come pictures, then packets that are sent
 * again, then padding, each only when none of those before it waits.  The credit grows faster when
 * otherwise what waits would wait for more than PACER_DELAY; where that would be far more than the
 * line takes, pacer_is_over says so: pictures are then better left out, up to the next key frame.
 *
 * A probe is paced by itself: at its rate, with what there is to send, and padding for the rest.
 *
 * It decides, and neither holds packets nor knows them: what may not go yet stays where it is.
 * Some 5 ns a packet.  One thread.
 */
#ifndef MOIM_MEDIA_PACER_H
#define MOIM_MEDIA_PACER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/usec.h"

#define PACER_FACTOR(bps) ((bps)*3 / 2)
#define PACER_RUN         9600 /* bytes: eight packets */
#define PACER_RUN_TIME    (10 * USEC_MS)
#define PACER_BURST       (40 * USEC_MS)
#define PACER_DELAY       (250 * USEC_MS)
#define PACER_OVER        4 /* times as fast as the line would be too much */
#define PACER_LEAST_BPS   30000
#define PACER_HOLD        (150 * USEC_MS)
#define PACER_REPEATED    2 /* the part of the line that packets sent again take ... */
#define PACER_REPEAT_TIME (250 * USEC_MS) /* ... but as much as it takes in that time at once */

/* In the order in which they go. */
enum pacer_kind { PACER_AUDIO, PACER_VIDEO, PACER_REPEAT, PACER_PADDING };

struct pacer_probe {
    uint8_t cluster; /* 0: none */
    uint8_t packets; /* that are still to go, at least ... */
    uint16_t size;   /* bytes that one which is made for it should have; 0: any */
    uint32_t bytes;  /* ... and of so many bytes */
    uint64_t bps;
};

/* Its members are pacer.c's.  Zeroed, it is one of a line that is not known: all may go. */
struct pacer {
    uint64_t line_bps;
    uint64_t bps;   /* at which credit grows */
    int64_t credit; /* millionths of a bit, as is the other one */
    usec at;        /* up to which it has grown */
    uint32_t waiting[PACER_PADDING];
    bool is_shut;         /* until there is enough for a run */
    struct list *callers; /* where it is put when something waits, by its node */
    struct list node;
    int64_t repeat_credit;
    usec repeat_at;
    struct pacer_probe probe;
    int64_t probe_credit;
    usec probe_at;
};

/* Something waits: whoever drives it is to look, who has set `callers`. */
static inline void pacer_call(struct pacer *pacer)
{
    if (list_empty(&pacer->node))
        list_append(pacer->callers, &pacer->node);
}

/* What the line is thought to take. */
void pacer_set_line(struct pacer *pacer, usec now, uint64_t bps);

/* The line has broken in, and for so long packets wait before it: pictures stay here while half of
 * these go through, PACER_HOLD at most.  They don't come later for it, and find room there. */
void pacer_hold(struct pacer *pacer, usec now, usec queue);

/* May a packet of this kind go now?  When it does: pacer_sent, which gives the cluster of the probe
 * that it is a part of, or 0. */
bool pacer_may(struct pacer *pacer, usec now, enum pacer_kind kind);
uint8_t pacer_sent(struct pacer *pacer, usec now, enum pacer_kind kind, size_t bytes);

/* May a packet of so many bytes be sent again now?  It is counted then, besides pacer_sent.  More
 * of them than that part of the line would push out what is new, which is then asked for again,
 * too: so that it would end with nothing but these. */
bool pacer_may_repeat(struct pacer *pacer, usec now, size_t bytes);

/* So much of a kind (pictures, or what is sent again) waits now, the oldest of it since then.
 * Nothing does: 0. */
void pacer_waits(struct pacer *pacer, usec now, enum pacer_kind kind, uint32_t bytes, usec since);
/* So much waits that the line will not take it in time: leave pictures out. */
static inline bool pacer_is_over(const struct pacer *pacer)
{
    return pacer->bps > pacer->line_bps * PACER_OVER;
}

/* A probe is to be sent, instead of the one there may be. */
void pacer_begin_probe(struct pacer *pacer, usec now, const struct pacer_probe *probe);
static inline bool pacer_is_probing(const struct pacer *pacer)
{
    return pacer->probe.cluster > 0;
}
/* There is nothing that the rest of it could be made of. */
static inline void pacer_end_probe(struct pacer *pacer)
{
    pacer->probe.cluster = 0;
}
/* How much padding, in bytes, is to go now for the probe; 0: none. */
uint32_t pacer_padding(struct pacer *pacer, usec now);

/* When something of what waits may go; USEC_NEVER: nothing waits. */
usec pacer_until(const struct pacer *pacer);

#endif
