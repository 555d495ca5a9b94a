/* relay.h - the sockets of TURN relays: opened on ports of a range, and what is set on them.
 *
 * Pure system calls: who a relay is for, and what is sent on it, is the TURN agent's matter.
 */
#ifndef MOIM_SHELL_RELAY_H
#define MOIM_SHELL_RELAY_H

#include "base/random.h"
#include "wire/stun_turn.h"

/* Ports that are tried for one relay before it is refused. */
#define RELAY_TRIES_MAX 512

struct relay_wish {
    struct address host; /* to bind to; the port is not looked at */
    enum turn_protocol protocol;
    uint16_t port_min, port_max;
    bool even;
    bool pair; /* and another one on the next port */
    const struct random *random;
};

/* Opens a non-blocking socket on a port of chance (or two, of a pair: fds[1], else -1).  Of TCP it
 * listens.
 *   OK       *local is what fds[0] is bound to.
 *   ERR_IO   no port is free, or the address isn't ours. */
MUST_USE int relay_open(const struct relay_wish *wish, int fds[2], struct address *local);

/* Begins to connect from the address and port of a relay that listens.
 *   OK       *fd is writable when it has succeeded or failed: then relay_connect_result.
 *   ERR_IO   it can't even begin. */
MUST_USE int relay_connect(const struct address *local, const struct address *peer, int *fd);
MUST_USE int relay_connect_result(int fd);

/* Whether what is sent from now on bears DF. */
void relay_set_dont_fragment(int fd, enum address_family family, bool dont_fragment);

/* The next ICMP error for what a UDP relay has sent; false: there is none. */
bool relay_read_icmp(int fd, struct address *peer, struct stun_icmp *icmp);

#endif
