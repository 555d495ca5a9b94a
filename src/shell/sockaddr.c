#include "shell/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_from(const struct address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->family == ADDRESS_IPV4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address->port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof *in6;
}

void sockaddr_read(const struct sockaddr_storage *from, struct address *out)
{
    *out = (struct address){ .family = ADDRESS_NONE };
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        out->family = ADDRESS_IPV4;
        out->port = ntohs(in->sin_port);
        memcpy(out->bytes, &in->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        out->family = is_mapped ? ADDRESS_IPV4 : ADDRESS_IPV6;
        out->port = ntohs(in6->sin6_port);
        memcpy(out->bytes, &in6->sin6_addr.s6_addr[is_mapped ? 12 : 0], is_mapped ? 4 : 16);
    }
}
