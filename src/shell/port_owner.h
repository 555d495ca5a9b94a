/* port_owner.h - who has a port, as far as /proc lets us see. */
#ifndef MOIM_SHELL_PORT_OWNER_H
#define MOIM_SHELL_PORT_OWNER_H

#include "shell/listen.h"

#define PORT_OWNER_SIZE 64

/* The process that listens on the port (of whatever address), as "nginx (pid 12)".  False: nobody
 * does, or the process isn't ours to look at. */
bool port_owner_find(uint16_t port, enum listen_transport transport, char out[PORT_OWNER_SIZE]);

#endif
