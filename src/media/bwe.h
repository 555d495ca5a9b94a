/* bwe.h - what the line to one peer takes: the sending side's estimate of its bandwidth, from
 * transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), after
 * draft-ietf-rmcat-gcc-02 and what libwebrtc does today.
 *
 * bwe_history  what was sent                 bwe_rate   how the estimate goes up and down
 * bwe_delay    whether a queue grows         bwe_probe  how it is tried whether there is more
 * bwe_loss     what loss says, and does not  bwe_rival  whether somebody else fills the queue
 * bwe_busy     what the line takes while it is busy, and what waits before it
 * bwe_remb     what the receiver says by itself
 *
 * How to use it.  bwe_sent is told of every RTP packet that goes to the peer, and gives it its
 * transport-wide number.  Feedback goes to bwe_feedback, reports to bwe_reported, REMB to bwe_remb;
 * bwe_tick when bwe_until has come.  After each of these the estimate may be another one:
 * bwe_estimate.  Who sends, and paces, asks bwe_probe_wanted meanwhile.
 *
 * A peer that gives no transport-wide feedback is estimated by its REMB and its reports; what goes
 * out is told of then, too, by bwe_sent_untold.
 *
 * Rates are in bits/s of RTP packets as they are sent (headers, SRTP's tag and padding included,
 * IP's and UDP's headers not).  3.4 KiB a peer, of which 2 are its history, and 8 of a store more
 * where much is sent.  With 500 peers, most of it in no cache, some 25 ns a packet sent and 150 one
 * told of.  One thread; no clock, no chance.
 */
#ifndef MOIM_MEDIA_BWE_H
#define MOIM_MEDIA_BWE_H

#include "media/bwe_busy.h"
#include "media/bwe_delay.h"
#include "media/bwe_history.h"
#include "media/bwe_loss.h"
#include "media/bwe_probe.h"
#include "media/bwe_rate.h"
#include "media/bwe_remb.h"
#include "media/bwe_rival.h"
#include "wire/rtcp_twcc.h"

#define BWE_MIN_BPS      10000
#define BWE_START_BPS    600000
#define BWE_MAX_BPS      30000000
#define BWE_STATUSES_MAX 4096 /* of one feedback: one that tells of more is dropped */

struct bwe_settings {
    uint32_t min_bps;
    uint32_t start_bps;
    uint32_t max_bps;
};

/* What keeps the estimate from being higher. */
enum bwe_limit {
    BWE_UNKNOWN,        /* nothing has been heard yet */
    BWE_BY_NOTHING,     /* it grows */
    BWE_BY_DELAY,       /* a queue grew, a few seconds ago at most */
    BWE_BY_LOSS,        /* more than the line loses of its own */
    BWE_BY_RIVAL,       /* somebody else fills the line, and takes as much */
    BWE_BY_SILENCE,     /* feedback does not come */
    BWE_BY_RECEIVER,    /* REMB */
    BWE_BY_APPLICATION, /* less is sent, and no more wanted */
    BWE_BY_SETTING      /* max_bps */
};

/* What is known of the line; bits/s. */
struct bwe_estimate {
    uint64_t target_bps;       /* so much may be sent, all together */
    uint64_t acknowledged_bps; /* so much comes; 0: not known */
    uint64_t sent_bps;
    double loss;     /* of the last seconds: 0 to 1 */
    usec round_trip; /* 0: not known */
    enum bwe_limit limit;
    bool is_limited;      /* less is sent than might be: an application-limited period */
    bool has_feedback;    /* by transport-wide feedback, not by reports */
    uint64_t probes;      /* that were sent */
    uint64_t probes_well; /* ... and showed that there is more */
};

/* Its members are bwe.c's. */
struct bwe {
    struct bwe_settings settings;
    struct bwe_busy busy;
    struct bwe_delay delay;
    struct bwe_acknowledged acknowledged;
    struct bwe_demand demand;
    struct bwe_rate rate;
    struct bwe_rival rival;
    struct bwe_loss loss;
    struct bwe_prober prober;
    struct bwe_reports reports;
    struct bwe_remb remb;
    double target_bps;
    double wanted_bps;
    double most_bps;
    double sent_bps;     /* 0: not known yet */
    double told_loss;    /* by reports: 0 to 1 */
    uint64_t sent_bytes; /* of its window */
    usec sent_since;
    usec round_trip;          /* 0: not known */
    usec feedback_round_trip; /* the same, with the time that feedback took to be made */
    int64_t reference;        /* of the last feedback, unwrapped: in TWCC_REFERENCE_US */
    usec unanswered_since;    /* the first packet that was sent behind the last feedback; 0: none */
    usec silence_at;          /* when silence makes it go down again; 0: it does not */
    double before_silence;    /* the estimate; 0: it is not silent */
    double before_fall;       /* the estimate before it last went down by delay ... */
    usec fell_at;             /* ... which began then; 0: never */
    usec looked_at;
    usec heard_at; /* the last feedback */
    bool has_feedback;
    struct bwe_history history;
};

void bwe_init(struct bwe *bwe, usec now, const struct bwe_settings *settings);

/* A packet goes out, of `size` bytes as above; `cluster` is the probe's that it is a part of, or 0.
 * Gives its transport-wide sequence number. */
uint16_t bwe_sent(struct bwe *bwe, usec now, size_t size, uint8_t cluster);

/* The same of a packet that bears no number; `is_timed`: but says when it leaves. */
void bwe_sent_untold(struct bwe *bwe, usec now, size_t size, bool is_timed, uint8_t cluster);

/* Feedback that twcc_read has read.  False: it tells of too many packets, and is dropped. */
bool bwe_feedback(struct bwe *bwe, usec now, const struct twcc *twcc);

/* Reports tell of `expected` packets more, of which `lost` did not come (0 and 0: of none), and how
 * long the way there and back is (0: they don't). */
void bwe_reported(struct bwe *bwe, usec now, uint32_t expected, uint32_t lost, usec round_trip);

/* The receiver says what it thinks of its line: the estimate is never more.  0: nothing again.
 * Where that is all that is known, it is brought to say more by probes (bwe_remb.h). */
void bwe_remb(struct bwe *bwe, usec now, uint64_t bps);

/* With an estimate of `bps` more would be sent than is, and with `most_bps` all that there is: for
 * the first it is probed, and for the second as long as probes find no end of the line.  At first:
 * as much as there is. */
void bwe_want(struct bwe *bwe, usec now, uint64_t bps, uint64_t most_bps);

/* USEC_NEVER: nothing that was sent is waited for, and no more is wanted than may be sent. */
usec bwe_until(const struct bwe *bwe);
void bwe_tick(struct bwe *bwe, usec now);

/* A probe that is to be sent now; it is the caller's then, who sends it (media that waits, packets
 * again, padding) and tells of its packets with probe->cluster.  False: none.  Ask after each
 * bwe_feedback and bwe_tick: one that is not taken in two seconds is no more. */
bool bwe_probe_wanted(struct bwe *bwe, usec now, struct bwe_probe *probe);

void bwe_estimate(const struct bwe *bwe, usec now, struct bwe_estimate *out);
static inline uint64_t bwe_target_bps(const struct bwe *bwe)
{
    return (uint64_t)bwe->target_bps;
}

/* How long packets wait before the line, at least, by the last feedback. */
static inline usec bwe_queue(const struct bwe *bwe)
{
    int64_t queue = bwe_busy_queue(&bwe->busy);
    return queue > 0 ? (usec)queue : 0;
}

/* The way there and back, with what waits before the line, as it was last; 0: not known. */
static inline usec bwe_round_trip(const struct bwe *bwe)
{
    return bwe->feedback_round_trip ? bwe->feedback_round_trip : bwe->round_trip;
}

/* Stable, for programs: "delay". */
const char *bwe_limit_name(enum bwe_limit limit);

#endif
