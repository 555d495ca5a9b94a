#include "agent/turn_policy.h"

#include <string.h>

struct prefix {
    uint8_t bytes[16];
    uint8_t bits;
};

/* What is not the public internet (the registries of RFC 6890), or is not one host of it. */
static const struct prefix REFUSED_IPV4[] = {
    { { 0 }, 8 },             /* "this network" */
    { { 10 }, 8 },            /* RFC 1918 */
    { { 100, 64 }, 10 },      /* carriers' NAT */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local, where clouds keep their metadata */
    { { 172, 16 }, 12 },      /* RFC 1918 */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 31, 196 }, 24 }, /* AS112 */
    { { 192, 52, 193 }, 24 }, /* AMT */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays, given up */
    { { 192, 168 }, 16 },     /* RFC 1918 */
    { { 192, 175, 48 }, 24 }, /* AS112 */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 3 },           /* multicast, reserved, broadcast */
};

/* Within 2000::/3, outside of which there is no public host at all. */
static const struct prefix REFUSED_IPV6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* Teredo, ORCHID, protocol assignments */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff }, 20 },             /* documentation */
};

static bool has_prefix(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool is_in(const struct address *address, const struct turn_network *network)
{
    return address->family == network->address.family &&
           has_prefix(address->bytes, network->address.bytes, network->bits);
}

static void set_ipv4(struct address *out, const uint8_t *bytes, uint8_t invert, uint16_t port)
{
    *out = (struct address){ .family = ADDRESS_IPV4, .port = port };
    for (int i = 0; i < 4; i++)
        out->bytes[i] = bytes[i] ^ invert;
}

static const uint8_t NAT64[12] = { 0x00, 0x64, 0xff, 0x9b }; /* RFC 6052; 64:ff9b:1:: is local */

/* The forms in which an IPv6 address stands for an IPv4 one, and where a packet may end up there.
 * At most two of them hold at once (an ISATAP host behind another prefix). */
static unsigned find_ipv4(const struct address *a, struct address found[2])
{
    static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };
    static const uint8_t TRANSLATED[12] = { [8] = 0xff, [9] = 0xff }; /* ::ffff:0:a.b.c.d */
    static const uint8_t COMPATIBLE[12] = { 0 };
    const uint8_t *b = a->bytes;
    unsigned count = 0;
    if (a->family != ADDRESS_IPV6)
        return 0;
    if (!memcmp(b, MAPPED, 12) || !memcmp(b, COMPATIBLE, 12) || !memcmp(b, TRANSLATED, 12) ||
        !memcmp(b, NAT64, 12))
        set_ipv4(&found[count++], b + 12, 0, a->port);
    else if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        set_ipv4(&found[count++], b + 2, 0, a->port);
    else if (has_prefix(b, (const uint8_t[4]){ 0x20, 0x01 }, 32)) /* Teredo */
        set_ipv4(&found[count++], b + 12, 0xff, a->port);
    if ((b[8] & 0xfd) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe) /* ISATAP */
        set_ipv4(&found[count++], b + 12, 0, a->port);
    return count;
}

static bool is_refused_range(const struct address *a)
{
    bool is_4 = a->family == ADDRESS_IPV4;
    if (!is_4 && a->bytes[0] >> 5 != 1)
        return true;
    const struct prefix *all = is_4 ? REFUSED_IPV4 : REFUSED_IPV6;
    size_t count = is_4 ? sizeof REFUSED_IPV4 / sizeof all[0] : sizeof REFUSED_IPV6 / sizeof all[0];
    for (size_t i = 0; i < count; i++)
        if (has_prefix(a->bytes, all[i].bytes, all[i].bits))
            return true;
    return false;
}

static bool is_own(const struct turn_policy *policy, const struct address *a)
{
    size_t size = a->family == ADDRESS_IPV4 ? 4 : 16;
    for (uint32_t i = 0; i < policy->own_count; i++)
        if (policy->own[i].family == a->family && !memcmp(policy->own[i].bytes, a->bytes, size))
            return true;
    return false;
}

static bool is_allowed_range(const struct turn_policy *policy, const struct address *a)
{
    for (uint32_t i = 0; i < policy->allowed_count; i++)
        if (is_in(a, &policy->allowed[i]))
            return true;
    return false;
}

/* ::1 has the shape of an IPv4-compatible address, and is none.  Whoever allows a wider network by
 * a careless hand does not mean it, so it must be named by itself. */
static bool is_loopback_6(const struct address *a)
{
    static const uint8_t LOOPBACK[16] = { [15] = 1 };
    return a->family == ADDRESS_IPV6 && !memcmp(a->bytes, LOOPBACK, sizeof LOOPBACK);
}

static bool is_named(const struct turn_policy *policy, const struct address *a)
{
    for (uint32_t i = 0; i < policy->allowed_count; i++)
        if (policy->allowed[i].bits == 128 && is_in(a, &policy->allowed[i]))
            return true;
    return false;
}

static bool is_own_port(const struct turn_policy *policy, uint16_t port)
{
    bool is_relay = port >= policy->relay_port_min && port <= policy->relay_port_max;
    bool is_media = port >= policy->media_port_min && port <= policy->media_port_max;
    return port != 0 && (is_relay || is_media);
}

static bool allows(const struct turn_policy *policy, const struct address *peer, bool any_port)
{
    struct address within[2];
    if (peer->family != ADDRESS_IPV4 && peer->family != ADDRESS_IPV6)
        return false;
    if (is_own(policy, peer))
        return any_port || is_own_port(policy, peer->port);
    if (is_loopback_6(peer))
        return is_named(policy, peer);
    unsigned count = find_ipv4(peer, within);
    for (unsigned i = 0; i < count; i++) {
        /* our own relays are reached by their own name, never by another form of it */
        if (is_own(policy, &within[i]))
            return false;
        if (is_refused_range(&within[i]) && !is_allowed_range(policy, &within[i]))
            return false;
    }
    /* a gateway takes the packet to the IPv4 host that was judged above */
    bool is_gateway = peer->family == ADDRESS_IPV6 && !memcmp(peer->bytes, NAT64, 12);
    return is_gateway || is_allowed_range(policy, peer) || !is_refused_range(peer);
}

bool turn_policy_allows_host(const struct turn_policy *policy, const struct address *peer)
{
    return allows(policy, peer, true);
}

bool turn_policy_allows(const struct turn_policy *policy, const struct address *peer)
{
    return peer->port != 0 && allows(policy, peer, false);
}

int turn_network_read(struct view text, struct turn_network *network)
{
    struct turn_network read;
    struct view host = view_slice(text, 0, view_find_byte(text, '/'));
    if (address_read_host(host, &read.address) != OK)
        return ERR_MALFORMED;
    uint64_t most = read.address.family == ADDRESS_IPV4 ? 32 : 128;
    uint64_t bits = most;
    if (host.size < text.size &&
        !view_read_number(view_slice(text, host.size + 1, text.size), most, &bits))
        return ERR_MALFORMED;
    read.bits = (uint8_t)bits;
    for (uint64_t bit = bits; bit < most; bit++)
        if (read.address.bytes[bit / 8] & 0x80 >> bit % 8)
            return ERR_MALFORMED;
    *network = read;
    return OK;
}
