/* hearer.h - what a peer receives: streams, found by their SSRCs; and what it says of them, as a
 * browser would: reports, feedback for congestion control, NACKs, PLIs.
 */
#ifndef MOIM_BENCH_SFU_HEARER_H
#define MOIM_BENCH_SFU_HEARER_H

#include "tally.h"
#include "track.h"

#include "media/arrivals.h"
#include "media/missing.h"
#include "media/reception.h"

#define HEARER_FORMATS_MAX 128
#define HEARER_REPORT      USEC_S
#define HEARER_PLI         (500 * USEC_MS)

struct heard {
    uint32_t ssrc;
    bool is_video, has_key;
    struct rtp_unwrapper unwrapper;
    struct reception reception;
    struct missing missing;
    usec pli_at;
};

/* What a payload type means, by what was agreed. */
struct heard_format {
    bool is_known, is_video, is_rtx;
    uint8_t original; /* of RTX */
};

struct hearer {
    struct peer *peer;
    struct tally *tally;
    struct heard_format formats[HEARER_FORMATS_MAX];
    uint8_t transport_cc; /* id of the extension; 0: not agreed */
    bool is_silent;       /* says nothing: nobody hears it */
    uint32_t ssrc;        /* ours, in what we say */
    struct heard *streams[SECURE_SOURCES_MAX];
    unsigned stream_count;
    struct arrivals arrivals;
    usec report_at;
    bool has_nack; /* asks again for what is missing */
    double loss;   /* of what comes, so much is thrown away: 0 to 1 */
};

void hearer_init(struct hearer *hearer, struct peer *peer, struct tally *tally);
void hearer_free(struct hearer *hearer);

/* As agreed; again for each section. */
void hearer_describe(struct hearer *hearer, const struct description_section *section);

/* A packet that was opened, and when the kernel had it. */
void hearer_feed(struct hearer *hearer, usec now, uint64_t at_ns, struct span bytes);
/* A sender report came. */
void hearer_feed_sr(struct hearer *hearer, usec now, const struct rtcp_sr *sr);

/* Says what is due.  `own` are the peer's tracks, whose sender reports it goes with. */
void hearer_tick(struct hearer *hearer, usec now, struct track *const *own, unsigned own_count);

#endif
