/* sockaddr.h - transport addresses as the system's calls want them. */
#ifndef MOIM_SHELL_SOCKADDR_H
#define MOIM_SHELL_SOCKADDR_H

#include "base/address.h"

#include <sys/socket.h>

/* Gives the size that bind and its kin want. */
socklen_t sockaddr_from(const struct address *address, struct sockaddr_storage *out);

/* An IPv4 address that came mapped into IPv6 becomes IPv4 again.  Of any other family than the two
 * the result is ADDRESS_NONE. */
void sockaddr_read(const struct sockaddr_storage *from, struct address *out);

#endif
