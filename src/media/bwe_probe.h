/* bwe_probe.h - probes: short clusters of packets, sent faster than the estimate, that show whether
 * the line takes more.
 *
 * An estimate can't grow beyond what is sent, and where layers are chosen by it, what is sent does
 * not grow before it does.  So while more is wanted than the estimate, every few seconds some 20 ms
 * are filled up with packets that are sent again, or with padding; a probe that went well is
 * followed by one twice as fast.  One at a time.
 *
 * Who sends asks bwe_probe_wanted (media/bwe.h), sends that much at that rate, and says of each of
 * these packets, media or not, of which cluster it is.  No memory of its own; zeroed at first.
 */
#ifndef MOIM_MEDIA_BWE_PROBE_H
#define MOIM_MEDIA_BWE_PROBE_H

#include "base/usec.h"

#include <stdbool.h>
#include <stddef.h>

/* What is to be sent. */
struct bwe_probe {
    uint8_t cluster; /* 1 to 255 */
    uint8_t packets; /* at least */
    uint16_t size;   /* bytes of a packet that is made for it */
    uint32_t bytes;  /* at least */
    uint64_t bps;    /* at this rate, as evenly as can be */
};

/* What came of the cluster, so far. */
struct bwe_cluster {
    uint32_t count;
    uint64_t bytes;
    int64_t first_sent;
    int64_t last_sent;
    int64_t first_arrival;
    int64_t last_arrival;
    uint32_t last_sent_size;
    uint32_t first_arrival_size;
    uint32_t lost_count;
    uint64_t lost_bytes;
};

enum bwe_probe_state {
    BWE_PROBE_IDLE,
    BWE_PROBE_READY, /* nobody has taken it yet */
    BWE_PROBE_OUT    /* it is being sent, or told of */
};

/* Its members are bwe_probe.c's, but for the counts. */
struct bwe_prober {
    uint8_t state; /* enum bwe_probe_state */
    uint8_t last_cluster;
    struct bwe_probe probe;
    struct bwe_cluster cluster;
    usec until; /* READY: nobody takes it; OUT: it has failed when nothing is known then */
    usec next_at;
    double target_bps; /* the estimate when it was made */
    usec pause;        /* between one that failed and the next */
    bool is_open;      /* the last one came as fast as it was sent */
    bool has_rival;    /* when it was made */
    uint64_t sent;     /* that were taken, ever */
    uint64_t succeeded;
};

/* What the next probe may be. */
struct bwe_probe_terms {
    double target_bps;
    double wanted_bps; /* so much would be of use next ... */
    double most_bps;   /* ... and for more than this there is no use, nor is it tried before it has
                        * been seen that the line takes what was tried last */
    double step;       /* how many times the estimate */
    double jitter_ms;  /* of the line: a probe is to be longer than that */
    bool is_calm;      /* no queue grows, nor is feedback missing */
    bool has_rival;    /* who gives way only to what comes */
};

/* Makes a probe where it is time to; after each feedback and tick. */
void bwe_prober_look(struct bwe_prober *prober, usec now, const struct bwe_probe_terms *terms);
/* When to look again; USEC_NEVER: not before the next feedback. */
usec bwe_prober_until(const struct bwe_prober *prober);
/* The line has changed, or more is wanted: a probe is due soon. */
void bwe_prober_hurry(struct bwe_prober *prober, usec now);

/* False: none is to be sent. */
bool bwe_prober_take(struct bwe_prober *prober, usec now, struct bwe_probe *probe);

/* A packet of a cluster came. */
void bwe_prober_packet(struct bwe_prober *prober, uint8_t cluster, int64_t sent_at,
                       int64_t arrived_at, uint32_t size);
/* One did not come. */
void bwe_prober_lost(struct bwe_prober *prober, uint8_t cluster, uint32_t size);
/* After a feedback: what the line has shown to take, bits/s; 0: nothing is known yet. */
double bwe_prober_result(struct bwe_prober *prober, usec now);

#endif
