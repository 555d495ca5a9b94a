#include "shell/machine.h"

#include "shell/sockaddr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

struct prefix {
    uint8_t family;
    uint8_t bits;
    uint8_t bytes[16];
};

static const struct prefix loopbacks[] = {
    { ADDRESS_IPV4, 8, { 127 } },
    { ADDRESS_IPV6, 128, { [15] = 1 } },
};

static const struct prefix links[] = {
    { ADDRESS_IPV4, 16, { 169, 254 } },
    { ADDRESS_IPV6, 10, { 0xfe, 0x80 } },
};

static const struct prefix inward[] = {
    { ADDRESS_IPV4, 8, { 0 } },
    { ADDRESS_IPV4, 8, { 10 } },
    { ADDRESS_IPV4, 10, { 100, 64 } },
    { ADDRESS_IPV4, 12, { 172, 16 } },
    { ADDRESS_IPV4, 24, { 192, 0, 0 } },
    { ADDRESS_IPV4, 24, { 192, 0, 2 } },
    { ADDRESS_IPV4, 16, { 192, 168 } },
    { ADDRESS_IPV4, 15, { 198, 18 } },
    { ADDRESS_IPV4, 24, { 198, 51, 100 } },
    { ADDRESS_IPV4, 24, { 203, 0, 113 } },
    { ADDRESS_IPV4, 3, { 224 } },
    { ADDRESS_IPV6, 128, { 0 } },
    { ADDRESS_IPV6, 7, { 0xfc } },
    { ADDRESS_IPV6, 8, { 0xff } },
    { ADDRESS_IPV6, 32, { 0x20, 0x01, 0x0d, 0xb8 } },
};

static bool is_within(const struct address *address, const struct prefix *prefix)
{
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8u;
    if (address->family != prefix->family || memcmp(address->bytes, prefix->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    return ((address->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest)) == 0;
}

#define IS_AMONG(address, prefixes)                                                                \
    is_among(address, prefixes, sizeof(prefixes) / sizeof((prefixes)[0]))

static bool is_among(const struct address *address, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_within(address, &prefixes[i]))
            return true;
    return false;
}

bool machine_is_public(const struct address *address)
{
    return !IS_AMONG(address, loopbacks) && !IS_AMONG(address, links) && !IS_AMONG(address, inward);
}

static struct address address_of(const struct ifaddrs *interface)
{
    struct sockaddr_storage name = { 0 };
    struct address address = { 0 };
    const struct sockaddr *from = interface->ifa_addr;
    if (from && from->sa_family == AF_INET)
        memcpy(&name, from, sizeof(struct sockaddr_in));
    else if (from && from->sa_family == AF_INET6)
        memcpy(&name, from, sizeof(struct sockaddr_in6));
    sockaddr_read(&name, &address);
    address.port = 0;
    return address;
}

static bool is_in(const struct address *list, uint32_t count, const struct address *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (address_equal(&list[i], address))
            return true;
    return false;
}

uint32_t machine_addresses(struct address out[MACHINE_ADDRESSES_MAX])
{
    static const uint8_t families[] = { ADDRESS_IPV4, ADDRESS_IPV6 };
    struct ifaddrs *all;
    uint32_t count = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (int pass = 0; pass < 2; pass++) {
        for (struct ifaddrs *i = all; i && count < MACHINE_ADDRESSES_MAX; i = i->ifa_next) {
            struct address address = address_of(i);
            if (address.family == families[pass] && (i->ifa_flags & IFF_UP) &&
                !IS_AMONG(&address, loopbacks) && !IS_AMONG(&address, links) &&
                !is_in(out, count, &address))
                out[count++] = address;
        }
    }
    freeifaddrs(all);
    return count;
}

void machine_name(char out[MACHINE_NAME_SIZE])
{
    if (gethostname(out, MACHINE_NAME_SIZE) != 0)
        out[0] = '\0';
    out[MACHINE_NAME_SIZE - 1] = '\0';
    for (size_t i = 0; out[i]; i++) {
        char c = out[i];
        bool is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_allowed)
            out[0] = '\0';
    }
}
