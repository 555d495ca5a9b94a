/* check.h - what must come about in whole rooms when the network is calm. */
#ifndef MOIM_SIM_SFU_CHECK_H
#define MOIM_SIM_SFU_CHECK_H

#include "guest.h"

struct check {
    struct world *world;
    struct net *net;
    struct guest *guests;
    unsigned guest_count;
};

/* Whether everyone sees and hears everyone whom it should; else *why says who does not. */
bool check_settled(const struct check *check, char why[100]);
/* Of each room one speaks, who is to be seen and heard whatever rules the room has. */
void check_talk(const struct check *check);
/* That nothing came in a slot of whom it was not told. */
void check_told(const struct check *check);

#endif
