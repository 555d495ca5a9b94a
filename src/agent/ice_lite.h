/* ice_lite.h - the lite end of ICE (RFC 8445) for one transport, sans-IO.
 *
 * A lite agent has host candidates alone and sends no checks: it answers those of the full agent at
 * the other end, which is the controlling one, and sends where that one nominates (section 8.2).
 * Checks are also the consent to send (RFC 7675): ICE_CONSENT_TIME after the last one it is over.
 *
 * It answers nothing but requests that bear its ufrag and are signed with its password: to anybody
 * else the port is silent.  One thread; no memory of its own.
 */
#ifndef MOIM_AGENT_ICE_LITE_H
#define MOIM_AGENT_ICE_LITE_H

#include "base/address.h"
#include "base/random.h"
#include "base/usec.h"
#include "wire/stun.h"

#define ICE_UFRAG_SIZE   8  /* of ours: 48 bits of chance */
#define ICE_PWD_SIZE     24 /* 144 bits */
#define ICE_PAIRS_MAX    8  /* ways on which the other end has been heard */
#define ICE_ANSWER_MAX   128
#define ICE_CONSENT_TIME (30 * USEC_S)
/* So long after the first nomination, the other end may be nominating every pair that works and
 * mean the one of the highest priority (aggressive nomination); later it means the last one. */
#define ICE_SETTLE_TIME (2 * USEC_S)
/* A selected pair that is silent for so long gives way to one on which media comes. */
#define ICE_SILENCE_TIME (2 * USEC_S)

#define ICE_UDP UINT32_MAX

/* A way between us and the other end. */
struct ice_flow {
    struct address remote;
    struct address local;
    uint32_t stream; /* a TCP connection, by the caller's number; ICE_UDP */
};

/* Letters and digits, '+' and '/', not terminated. */
struct ice_credentials {
    uint8_t ufrag[ICE_UFRAG_SIZE];
    uint8_t pwd[ICE_PWD_SIZE];
};

struct ice_pair {
    struct ice_flow flow;
    usec heard_at;
    uint32_t priority; /* as the check said */
    bool is_nominated;
};

struct ice_lite {
    struct ice_credentials local;
    struct ice_credentials former; /* till a pair is nominated with the ones above */
    bool has_former;
    uint8_t pair_count;
    uint8_t selected;  /* among pairs; pair_count: none yet */
    usec nominated_at; /* the first one with these credentials; 0: none */
    usec consent_at;   /* when a check was last answered, or when it began */
    struct ice_pair pairs[ICE_PAIRS_MAX];
};

void ice_lite_init(struct ice_lite *ice, usec now, const struct random *random);

/* New credentials; the old ones and the pairs serve until one is nominated with the new ones, so
 * that nothing stops meanwhile (section 2.4). */
void ice_lite_restart(struct ice_lite *ice, usec now, const struct random *random);

/* Whether a check with that USERNAME ("ours:theirs") is for this agent; *former: with what it had
 * before the restart. */
bool ice_lite_is_for(const struct ice_lite *ice, struct view username, bool *former);

struct ice_result {
    size_t answer_size; /* bytes of the answer; 0: none */
    bool is_checked;    /* the flow is one of the pairs now */
    bool is_new;        /* ... and was not before */
    bool has_evicted;   /* another one is none any more, to make place */
    bool is_selected_new;
    struct ice_flow evicted;
};

/* A request that bears our ufrag.  What is not signed, or wrongly, is dropped without an answer.
 * An end that thinks itself controlled, too, is told 487: a full agent is the controlling one
 * (section 6.1.1). */
void ice_lite_feed(struct ice_lite *ice, usec now, const struct ice_flow *flow,
                   const struct stun_msg *msg, uint8_t answer[ICE_ANSWER_MAX],
                   struct ice_result *result);

/* Something else that is known to come from the other end came on a pair's flow.  True: it is the
 * selected one now, and was not. */
bool ice_lite_heard(struct ice_lite *ice, usec now, const struct ice_flow *flow);

/* A TCP connection is gone: its pairs, too. */
void ice_lite_stream_gone(struct ice_lite *ice, uint32_t stream);

/* Where to send; NULL: nowhere yet. */
static inline const struct ice_flow *ice_lite_selected(const struct ice_lite *ice)
{
    return ice->selected < ice->pair_count ? &ice->pairs[ice->selected].flow : NULL;
}

/* The pair that was heard last; NULL: none was. */
const struct ice_flow *ice_lite_any(const struct ice_lite *ice);

/* When consent is over unless a check comes before. */
static inline usec ice_lite_until(const struct ice_lite *ice)
{
    return ice->consent_at + ICE_CONSENT_TIME;
}

bool ice_flow_equal(const struct ice_flow *a, const struct ice_flow *b);

#endif
