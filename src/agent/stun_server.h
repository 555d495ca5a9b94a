/* stun_server.h - answers STUN binding requests (RFC 8489): "this is the address you come from".
 *
 * It keeps nothing, and an answer holds nothing that was not asked for: no SOFTWARE, no reason
 * text, FINGERPRINT only where the request bore one.
 */
#ifndef MOIM_AGENT_STUN_SERVER_H
#define MOIM_AGENT_STUN_SERVER_H

#include "base/metrics.h"
#include "wire/stun.h"

/* A message over a stream may have up to this size; what is longer ends the stream. */
#define STUN_STREAM_MESSAGE_MAX 2048

/* Gives the size of the answer written to out; 0: there is none. */
size_t stun_server_datagram(struct view datagram, const struct address *from,
                            struct metrics *metrics, uint8_t *out, size_t capacity);

/* NAT behavior discovery (RFC 5780): a client asks to be answered from other places, and learns
 * what its translators make of it.  `primary` and `alternate` are of one family, and differ in
 * address and in port; the server answers at all four combinations of them. */
struct stun_behavior {
    struct address primary; /* ADDRESS_NONE: off */
    struct address alternate;
};

/* Where an answer goes from and to. */
struct stun_way {
    struct address from, to;
};

/* Whether the address and port are one of the four. */
bool stun_behavior_has(const struct stun_behavior *behavior, const struct address *at);

/* As stun_server_datagram, for what has come from `from` to `at`, one of the four: with
 * OTHER-ADDRESS and RESPONSE-ORIGIN in each answer.  Of a datagram CHANGE-REQUEST and RESPONSE-PORT
 * decide *way, and PADDING comes back, no longer than it was.  (Whoever sends under another's
 * address can have answers go to any port of that: what goes out must be bounded by what came.) */
size_t stun_behavior_answer(const struct stun_behavior *behavior, struct view bytes,
                            const struct address *from, const struct address *at, bool is_datagram,
                            struct metrics *metrics, uint8_t *out, size_t capacity,
                            struct stun_way *way);

/* Takes one message off the front of a stream's bytes (section 6.2.2).
 *   OK             *used bytes were taken; *size bytes of answer were written, perhaps 0.
 *   ERR_MORE       it is not whole.
 *   ERR_MALFORMED  not STUN, or too long: end the stream. */
MUST_USE int stun_server_stream(struct view bytes, const struct address *from,
                                struct metrics *metrics, uint8_t *out, size_t capacity,
                                size_t *used, size_t *size);

#endif
