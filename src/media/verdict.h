/* verdict.h - why a picture does not look as good as it might: one answer, from figures.
 *
 * Pure functions: who asks has gathered the figures (front/why.h).  An answer names what is to be
 * mended first, so the graver one wins: where a line loses packets it does not matter that the
 * window is small, too.
 */
#ifndef MOIM_MEDIA_VERDICT_H
#define MOIM_MEDIA_VERDICT_H

#include "base/view.h"
#include "media/allocation.h"
#include "media/bwe.h"

/* Of 1000 packets: with fewer, repeats and concealment make up for it. */
#define VERDICT_LOSS 40
/* What a queue, or packets that come unevenly, may cost before talk becomes hard. */
#define VERDICT_QUEUE  (200 * USEC_MS)
#define VERDICT_JITTER (120 * USEC_MS)

/* From the least grave to the gravest; the name is what clients are told. */
#define VERDICTS(X)                                                                                \
    X(VERDICT_NOTHING, "nothing") /* it is as good as it is sent */                                \
    X(VERDICT_SILENT, "silent")   /* its publisher sends nothing */                                \
    X(VERDICT_WINDOW, "window")   /* more would not be seen in its window, or it is hidden */      \
    X(VERDICT_POLICY, "policy")   /* the room's rules: last-n, a pause */                          \
    X(VERDICT_SENDER_CPU, "sender-cpu") /* its publisher's machine codes no better */              \
    X(VERDICT_UPLINK, "uplink")         /* the line from its publisher to here */                  \
    X(VERDICT_DOWNLINK, "downlink")     /* the line from here to who receives it */

enum verdict {
#define VERDICT_ENUM(name, text) name,
    VERDICTS(VERDICT_ENUM)
#undef VERDICT_ENUM
        VERDICT_KINDS
};

/* What keeps a publisher's encoder from coding better, as it says of itself
 * (RTCOutboundRtpStreamStats.qualityLimitationReason). */
#define VERDICT_LIMITS(X)                                                                          \
    X(VERDICT_UNTOLD, "unknown")                                                                   \
    X(VERDICT_UNLIMITED, "none")                                                                   \
    X(VERDICT_BY_CPU, "cpu")                                                                       \
    X(VERDICT_BY_BANDWIDTH, "bandwidth")                                                           \
    X(VERDICT_BY_OTHER, "other")

enum verdict_limit {
#define VERDICT_LIMIT_ENUM(name, text) name,
    VERDICT_LIMITS(VERDICT_LIMIT_ENUM)
#undef VERDICT_LIMIT_ENUM
        VERDICT_LIMIT_KINDS
};

/* A picture as its publisher's comes in; of its best encoding, where it has several. */
struct verdict_source {
    bool is_known;
    uint8_t limit; /* enum verdict_limit */
    uint8_t encodings;
    uint8_t active;   /* of these: heard of late */
    uint8_t unwanted; /* of these: not heard of, and nobody has use for them */
    uint8_t fps;      /* 0: not known, as are the next two */
    uint16_t width;
    uint16_t height;
    uint16_t loss;      /* thousandths, of the last seconds */
    uint32_t jitter_us; /* RFC 3550's */
    uint64_t bps;       /* of all encodings */
    usec round_trip;    /* to its publisher; 0: not known */
};

/* The line to a receiver, and all that goes over it. */
struct verdict_line {
    bool is_known;    /* something was heard of it from its other end */
    bool is_followed; /* what is sent follows the estimate */
    uint8_t limit;    /* enum bwe_limit: what the estimate is held down by */
    uint16_t loss;    /* thousandths, of the last seconds */
    uint64_t estimate_bps;
    uint64_t sent_bps;
    uint64_t given_bps;  /* what costs what goes to it ... */
    uint64_t wanted_bps; /* ... and would, if its line were wide enough */
    usec round_trip;     /* 0: not known */
    usec queue;          /* of these packets here, and of the round trip above its least of late */
};

/* A picture that is received. */
struct verdict_picture {
    uint8_t reason; /* enum allocation_reason */
    struct verdict_source source;
};

/* Static. */
const char *verdict_name(enum verdict verdict);
const char *verdict_limit_name(enum verdict_limit limit);
/* False: no limit has that name. */
bool verdict_limit_read(struct view name, enum verdict_limit *limit);

/* VERDICT_DOWNLINK, or VERDICT_NOTHING. */
enum verdict verdict_of_line(const struct verdict_line *line);
/* Of a picture that is sent: never VERDICT_DOWNLINK. */
enum verdict verdict_of_source(const struct verdict_source *source);
enum verdict verdict_of_picture(const struct verdict_picture *picture,
                                const struct verdict_line *line);

static inline enum verdict verdict_graver(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

#endif
