/* listen.h - sockets that wait: for TCP connections, or for UDP datagrams.
 *
 * Every worker opens sockets of its own on the same addresses (SO_REUSEPORT), and the kernel
 * spreads what comes over them.
 */
#ifndef MOIM_SHELL_LISTEN_H
#define MOIM_SHELL_LISTEN_H

#include "base/address.h"

enum listen_transport { LISTEN_TCP, LISTEN_UDP };

/* Whether the address is free: nobody has it, this program included.  (Sockets that share a port
 * would not notice another program of the same user.)  ERR_IO: errno says why not. */
MUST_USE int listen_probe(const struct address *address, enum listen_transport transport);

/* Opens a non-blocking socket.  Port 0 lets the kernel choose; listen_port tells what it chose.
 * ERR_IO: errno says why. */
MUST_USE int listen_open(const struct address *address, enum listen_transport transport, int *fd);

/* The same for a port that is one worker's alone: nobody else can open it, of this program or
 * another.  For media: datagrams are not fragmented, come in runs (udp.h), and many may wait; on
 * connections little may. */
MUST_USE int listen_open_own(const struct address *address, enum listen_transport transport,
                             int *fd);

uint16_t listen_port(int fd);

#endif
