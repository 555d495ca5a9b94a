/* sieve.h - has the kernel drop most of a flood before it gets into a socket's buffer.
 *
 * All clients of a UDP port share one buffer a worker, and when strangers come faster than they can
 * be read, what overflows is everyone's.  So while that is so, requests that are too short to be
 * signed get in by chance alone, of so many a second as one can well answer; all else gets in:
 * what relays carry, and the requests of those who have credentials.
 */
#ifndef MOIM_SHELL_SIEVE_H
#define MOIM_SHELL_SIEVE_H

#include "base/status.h"

#include <stdint.h>

#define SIEVE_ALL        256   /* nothing is dropped */
#define SIEVE_LEAST      4     /* of 256: some always get in */
#define SIEVE_PER_S      20000 /* strangers to let in */
#define SIEVE_SIGNED_MIN 56    /* bytes behind its header that a signed request has at the least */

/* How many of 256 to let in, when so many strangers come in a second. */
uint32_t sieve_keep(uint64_t strangers_per_s);

/* Lets `keep` of 256 in from now on.  ERR_IO: the system has no such filters; all get in. */
MUST_USE int sieve_set(int fd, uint32_t keep);

/* How many datagrams the kernel has dropped for the socket so far, modulo 2^32; 0 where the system
 * does not tell. */
uint32_t sieve_dropped(int fd);

#endif
