/* rtc_sockets.h - the sockets of media ports: for each worker a number of its own, on all addresses
 * of the machine, by UDP and by TCP.
 */
#ifndef MOIM_SHELL_RTC_SOCKETS_H
#define MOIM_SHELL_RTC_SOCKETS_H

#include "shell/settings.h"

/* One worker's, IPv4 first; -1: none (the machine has no IPv6), or given away. */
struct rtc_sockets {
    int udp[2];
    int tcp[2];
    uint16_t port;
};

/* Opens those of `count` workers: the first one's port is `port`, the next one's the one behind it,
 * and so on.  0: some that are free.  ERR_IO: `error` is one line, and none is open. */
MUST_USE int rtc_sockets_open(uint32_t port, uint32_t count, struct rtc_sockets *out,
                              char error[SETTINGS_ERROR_MAX]);
/* Closes what has not been given away. */
void rtc_sockets_close(struct rtc_sockets *sockets);

#endif
