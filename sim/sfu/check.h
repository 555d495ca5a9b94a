/* check.h - what must hold of whole rooms: of what is sent, of what comes about when the network is
 * calm, and of the end.
 *
 * It looks into the servers, and changes nothing there.
 */
#ifndef MOIM_SIM_SFU_CHECK_H
#define MOIM_SIM_SFU_CHECK_H

#include "guest.h"

struct check {
    struct world *world;
    struct net *net;
    struct guest *guests;
    unsigned guest_count;
};

/* A worker's media port sends this to a guest. */
void check_out(const struct check *check, unsigned worker, const struct ice_flow *flow,
               struct view packet);
/* Whether everyone sees and hears everyone whom it should; else *why says who does not. */
bool check_settled(const struct check *check, char why[100]);
/* That nothing came in a slot of whom it was not told. */
void check_told(const struct check *check);
/* That nothing is left, when all have gone. */
void check_empty(const struct check *check);

#endif
