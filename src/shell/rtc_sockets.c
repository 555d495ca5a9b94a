#include "shell/rtc_sockets.h"

#include "shell/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES_MAX 64 /* of ports that the kernel chooses, for all of their neighbours to be free */

static const uint8_t FAMILIES[2] = { ADDRESS_IPV4, ADDRESS_IPV6 };

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void rtc_sockets_close(struct rtc_sockets *sockets)
{
    for (int i = 0; i < 2; i++) {
        close_one(&sockets->udp[i]);
        close_one(&sockets->tcp[i]);
    }
}

static bool has_no_ipv6(int reason)
{
    return reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL || reason == EPFNOSUPPORT;
}

/* On failure `at` and `transport` say where, and errno why. */
static int open_one(struct rtc_sockets *sockets, struct address *at,
                    enum listen_transport *transport)
{
    for (int i = 0; i < 2; i++) {
        *at = (struct address){ .family = FAMILIES[i], .port = sockets->port };
        *transport = LISTEN_UDP;
        int status = listen_open_own(at, *transport, &sockets->udp[i]);
        if (status != OK && FAMILIES[i] == ADDRESS_IPV6 && has_no_ipv6(errno))
            return OK;
        if (status != OK)
            return status;
        if (sockets->port == 0)
            at->port = sockets->port = listen_port(sockets->udp[i]);
        *transport = LISTEN_TCP;
        status = listen_open_own(at, *transport, &sockets->tcp[i]);
        if (status != OK)
            return status;
    }
    return OK;
}

static int open_all(uint32_t port, uint32_t count, struct rtc_sockets *out, struct address *at,
                    enum listen_transport *transport)
{
    int status = OK;
    for (uint32_t i = 0; i < count; i++)
        out[i] = (struct rtc_sockets){ .udp = { -1, -1 }, .tcp = { -1, -1 } };
    for (uint32_t i = 0; i < count && status == OK; i++) {
        /* at the end of all ports: there is none behind it */
        uint32_t next = i == 0 ? port : out[0].port + i;
        errno = EADDRNOTAVAIL;
        out[i].port = (uint16_t)next;
        status = next > UINT16_MAX ? ERR_IO : open_one(&out[i], at, transport);
    }
    int reason = errno;
    for (uint32_t i = 0; i < count && status != OK; i++)
        rtc_sockets_close(&out[i]);
    errno = reason;
    return status;
}

int rtc_sockets_open(uint32_t port, uint32_t count, struct rtc_sockets *out,
                     char error[SETTINGS_ERROR_MAX])
{
    struct address at = { .family = ADDRESS_IPV4 };
    enum listen_transport transport = LISTEN_UDP;
    char text[ADDRESS_TEXT_SIZE];
    int tries = port == 0 ? TRIES_MAX : 1;
    int status = ERR_IO;
    while (status != OK && tries-- > 0)
        status = open_all(port, count, out, &at, &transport);
    if (status == OK)
        return OK;
    int reason = errno;
    address_write(&at, text);
    snprintf(error, SETTINGS_ERROR_MAX, "rtc.port: can't listen on %s (%s): %s", text,
             transport == LISTEN_UDP ? "UDP" : "TCP", strerror(reason));
    return status;
}
