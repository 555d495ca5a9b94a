/* net_check.h - what must hold for each packet of the simulation.
 *
 * The net notes what every request that is delivered may permit at the most, whatever the agent
 * makes of it; whatever the agent sends must be within that.
 */
#ifndef MOIM_SIM_TURN_NET_CHECK_H
#define MOIM_SIM_TURN_NET_CHECK_H

#include "net.h"

/* A message is about to be delivered to the agent. */
void net_check_note(struct net *net, const struct net_packet *packet);
/* The agent sends: while net->feeding is what it was fed. */
void net_check_to_peer(struct net *net, const struct net_packet *packet);
/* A peer has been let in. */
void net_check_accepted(struct net *net, const struct address *peer);
void net_check_to_client(struct net *net, const struct net_packet *packet);

#endif
