#include "shell/urls.h"

#include <stdio.h>
#include <string.h>

struct scheme {
    const char *name;
    uint16_t port; /* left out of addresses */
};

static void add(struct urls *urls, const struct scheme *scheme, const char *host, uint16_t port)
{
    char url[URL_SIZE];
    int size = snprintf(url, sizeof(url), "%s://%s", scheme->name, host);
    if (port == scheme->port)
        snprintf(url + size, sizeof(url) - (size_t)size, "/");
    else
        snprintf(url + size, sizeof(url) - (size_t)size, ":%u/", port);
    for (uint32_t i = 0; i < urls->count; i++)
        if (strcmp(urls->items[i], url) == 0)
            return;
    if (urls->count < URLS_MAX)
        memcpy(urls->items[urls->count++], url, sizeof(url));
}

static void add_address(struct urls *urls, const struct scheme *scheme,
                        const struct address *address, uint16_t port)
{
    struct address alone = *address;
    char text[ADDRESS_TEXT_SIZE];
    char host[ADDRESS_TEXT_SIZE + 2];
    alone.port = 0;
    address_write(&alone, text);
    snprintf(host, sizeof(host), address->family == ADDRESS_IPV6 ? "[%s]" : "%s", text);
    add(urls, scheme, host, port);
}

static bool is_wildcard(const struct address *address)
{
    static const uint8_t zeros[16];
    return memcmp(address->bytes, zeros, sizeof(zeros)) == 0;
}

static bool is_loopback(const struct address *address)
{
    static const uint8_t ipv6[16] = { [15] = 1 };
    return address->family == ADDRESS_IPV4 ? address->bytes[0] == 127
                                           : memcmp(address->bytes, ipv6, sizeof(ipv6)) == 0;
}

static void add_family(struct urls *urls, const struct scheme *scheme,
                       const struct address *listening, const struct address *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (from[i].family == listening->family)
            add_address(urls, scheme, &from[i], listening->port);
}

void urls_list(const struct settings *settings, const struct address *machine, uint32_t count,
               struct urls *out)
{
    static const struct scheme http = { "http", 80 };
    static const struct scheme https = { "https", 443 };

    out->count = 0;
    for (uint32_t i = 0; i < settings->http_listen.count; i++) {
        const struct address *at = &settings->http_listen.items[i];
        if (is_wildcard(at) || is_loopback(at))
            add(out, &http, "localhost", at->port);
        else
            add_address(out, &http, at, at->port);
    }
    for (uint32_t i = 0; i < settings->https_listen.count; i++) {
        const struct address *at = &settings->https_listen.items[i];
        const struct listen_list *public = &settings->rtc_public_ip;
        uint32_t before = out->count;
        if (is_wildcard(at)) {
            add_family(out, &https, at, public->items, public->count);
            add_family(out, &https, at, machine, count);
        } else if (!is_loopback(at)) {
            add_address(out, &https, at, at->port);
        }
        if (out->count == before)
            add(out, &https, "localhost", at->port);
    }
}
