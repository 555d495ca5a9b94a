/* turn_policy.h - which addresses a relay may be made to send to.
 *
 * A relay sits inside, and whoever has credentials decides where it sends: so all that is not the
 * public internet is refused unless it was allowed by name (turn.allow_peers), in whatever form it
 * is written.  IPv6 addresses that carry an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo,
 * ISATAP) are judged by both.
 *
 * Pure functions.  What was connected is what was judged: there are no names to look up here.
 */
#ifndef MOIM_AGENT_TURN_POLICY_H
#define MOIM_AGENT_TURN_POLICY_H

#include "base/address.h"

#define TURN_NETWORKS_MAX 32
#define TURN_OWN_MAX      64

struct turn_network {
    struct address address; /* port not looked at */
    uint8_t bits;           /* 0 to 32 or 128 */
};

struct turn_policy {
    struct turn_network allowed[TURN_NETWORKS_MAX];
    uint32_t allowed_count;
    /* Addresses of this machine, public ones included.  They are refused, however they are written,
     * but for the ports below: two clients that both relay through here meet on our relay ports,
     * and meetings on the media ports. */
    struct address own[TURN_OWN_MAX]; /* ports not looked at */
    uint32_t own_count;
    uint16_t relay_port_min, relay_port_max; /* 0 and 0: none */
    uint16_t media_port_min, media_port_max;
};

/* Reads "10.0.0.0/8", "fd00::/8", or an address alone for just itself.  ERR_MALFORMED, also where
 * bits beyond the prefix are set: *network is untouched. */
MUST_USE int turn_network_read(struct view text, struct turn_network *network);

/* Whether a permission may name the address: its port is not looked at. */
bool turn_policy_allows_host(const struct turn_policy *policy, const struct address *peer);

/* Whether something may be sent to the address and port. */
bool turn_policy_allows(const struct turn_policy *policy, const struct address *peer);

#endif
