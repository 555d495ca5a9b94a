/* capture.h - what goes between the server and one member, opened, as a capture file (wire/pcap.h)
 * that is sent while it is made: for POST .../members/{member}/pcap (docs/OPERATION.md).
 *
 * It is off unless config.has_pcap, and then for the admin alone: there is what people say to one
 * another in it.  Nothing is kept; a client that reads too slowly misses packets.
 */
#ifndef MOIM_FRONT_CAPTURE_H
#define MOIM_FRONT_CAPTURE_H

#include "front/core.h"

#define CAPTURES_MAX     4                            /* under way, on one worker */
#define CAPTURE_S_MAX    300                          /* seconds */
#define CAPTURE_S        10                           /* unless more are asked for */
#define CAPTURE_SIZE_MAX ((uint64_t)64 * 1024 * 1024) /* bytes of one file */

/* Begins to answer server->request with a file of that member's packets: of the peers that
 * media_name says this room and member of, now or later.  `seconds` is 1 to CAPTURE_S_MAX.  When as
 * many as may be are under way, or there is no memory, 503 is the answer. */
void capture_begin(struct server *server, usec now, struct stream *stream, const void *room,
                   const void *member, unsigned seconds);

/* For a server that is freed: none are told. */
void captures_free(struct server *server);

/* Sends what came; ends those whose time is over. */
void captures_tick(struct server *server, usec now);
/* When that is to be called at the latest; USEC_NEVER: there are none. */
usec captures_until(const struct server *server);

#endif
