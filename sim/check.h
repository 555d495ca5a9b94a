/* check.h - what must hold over all that the clients heard. */
#ifndef MOIM_SIM_CHECK_H
#define MOIM_SIM_CHECK_H

#include "client.h"

/* - In one life of a room an event number means the same to all who heard it.
 * - A session heard everything that was for it between its welcome and the last it heard, once; and
 *   to the very last event when it is in the room in a calm time.
 * - What a session said to all, and knows to have been received, was heard once and in its order.
 * Prints the first breach and gives false. */
bool check_all(struct client *clients, uint32_t count);

#endif
