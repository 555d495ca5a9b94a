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

/* Takes one message off the front of a stream's bytes (section 6.2.2).
 *   OK             *used bytes were taken; *size bytes of answer were written, perhaps 0.
 *   ERR_MORE       it is not whole.
 *   ERR_MALFORMED  not STUN, or too long: end the stream. */
MUST_USE int stun_server_stream(struct view bytes, const struct address *from,
                                struct metrics *metrics, uint8_t *out, size_t capacity,
                                size_t *used, size_t *size);

#endif
