/* address.h - a transport address: IPv4 or IPv6 and a port, as bytes that no system header
 * defines. */
#ifndef MOIM_BASE_ADDRESS_H
#define MOIM_BASE_ADDRESS_H

#include "base/status.h"
#include "base/view.h"

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

struct address {
    uint8_t family;    /* enum address_family */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four */
    uint16_t port;     /* host order */
};

/* "[" 39 characters "]:" 5 digits NUL */
#define ADDRESS_TEXT_SIZE 48

/* "192.0.2.1:80" or "[2001:db8::1]:80"; without a port when port is 0.  Gives the length. */
size_t address_write(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

/* Reads "192.0.2.1:80" or "[2001:db8::1]:80" (RFC 4291 forms, no zone); the port is required.
 * ERR_MALFORMED leaves *address untouched. */
MUST_USE int address_read(struct view text, struct address *address);

/* Reads an address without a port ("192.0.2.1", "2001:db8::1"); the port becomes 0. */
MUST_USE int address_read_host(struct view text, struct address *address);

/* 0.0.0.0, or ::, with any port. */
bool address_is_unspecified(const struct address *address);

bool address_equal(const struct address *a, const struct address *b);

#endif
