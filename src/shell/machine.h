/* machine.h - what the machine tells of itself: its name and its addresses. */
#ifndef MOIM_SHELL_MACHINE_H
#define MOIM_SHELL_MACHINE_H

#include "base/address.h"

#define MACHINE_ADDRESSES_MAX 32
#define MACHINE_NAME_SIZE     256

/* The addresses of the interfaces that are up, without ports, IPv4 first; no loopback addresses and
 * none that are valid on one link only.  Gives how many; 0 too when the system doesn't tell. */
uint32_t machine_addresses(struct address out[MACHINE_ADDRESSES_MAX]);

/* The host's name, or "" when it has none that can stand in a certificate. */
void machine_name(char out[MACHINE_NAME_SIZE]);

/* Whether it is reached over the open internet, as far as the number alone tells: not private,
 * shared (RFC 6598), link-local, unique local (RFC 4193), loopback, for documentation, unspecified
 * or a group. */
bool machine_is_public(const struct address *address);

#endif
