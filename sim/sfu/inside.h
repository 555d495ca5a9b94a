/* inside.h - what must hold of what the servers send, and of what is left of them in the end.
 *
 * It looks into the servers, and changes nothing there.
 */
#ifndef MOIM_SIM_SFU_INSIDE_H
#define MOIM_SIM_SFU_INSIDE_H

#include "far.h"
#include "world.h"

/* A worker's media port sends this to a guest.  Gives its net.run. */
uint32_t inside_check_out(struct world *world, struct net *net, unsigned worker,
                          const struct ice_flow *flow, struct view packet);
/* That nothing is left, when all have gone. */
void inside_check_empty(struct world *world, struct net *net);

#endif
