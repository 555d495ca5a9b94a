/* turn_inward.h - addresses that no relay may be made to send to, and the forms that an IPv4 one
 * can be hidden in. */
#ifndef MOIM_TESTS_AGENT_TURN_INWARD_H
#define MOIM_TESTS_AGENT_TURN_INWARD_H

#include "support.h"

#include "base/address.h"

#define INWARD_FORMS 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const INWARD[] = {
    "0.0.0.0",        "0.0.0.1",         "0.100.255.155", "10.0.0.1",        "10.255.255.255",
    "100.64.0.1",     "100.127.255.255", "127.0.0.1",     "127.255.255.254", "169.254.169.254",
    "172.16.0.1",     "172.31.255.255",  "192.0.0.8",     "192.168.0.1",     "198.18.0.1",
    "198.19.255.255", "224.0.0.1",       "239.1.1.1",     "240.0.0.1",       "255.255.255.255"
};

static const char *const INWARD_6[] = { "::",
                                        "::1",
                                        "::2",
                                        "100::1",
                                        "fc00::1",
                                        "fdff::1",
                                        "fe80::1",
                                        "febf::1",
                                        "fec0::1",
                                        "ff02::1",
                                        "ff0e::1",
                                        "2001::1",
                                        "2001:db8::1",
                                        "2001:20::1",
                                        "3fff::1",
                                        "5f00::1",
                                        "64:ff9b:1::808:808",
                                        "4000::1",
                                        "e000::1" };

/* Each IPv4 host in all the forms that an IPv6 address can carry it in. */
static inline void forms_of(const char *text, struct address forms[INWARD_FORMS])
{
    static const uint8_t HEADS[][12] = {
        { 0 },                                        /* compatible */
        { [10] = 0xff, [11] = 0xff },                 /* mapped */
        { [8] = 0xff, [9] = 0xff },                   /* translated */
        { 0x00, 0x64, 0xff, 0x9b },                   /* NAT64 */
        { 0x26, 0x00, [8] = 0x00, 0x00, 0x5e, 0xfe }, /* ISATAP */
        { 0x26, 0x00, [8] = 0x02, 0x00, 0x5e, 0xfe }, /* ISATAP, of a public one */
    };
    struct address inner;
    assert_int_equal(address_read_host(view_of(text), &inner), OK);
    for (size_t i = 0; i < INWARD_FORMS; i++)
        forms[i] = (struct address){ .family = ADDRESS_IPV6, .port = 50000 };
    for (size_t i = 0; i < COUNT(HEADS); i++) {
        memcpy(forms[i].bytes, HEADS[i], 12);
        memcpy(forms[i].bytes + 12, inner.bytes, 4);
    }
    forms[6].bytes[0] = 0x20; /* 6to4 */
    forms[6].bytes[1] = 0x02;
    memcpy(forms[6].bytes + 2, inner.bytes, 4);
    forms[7].bytes[0] = 0x20; /* Teredo */
    forms[7].bytes[1] = 0x01;
    for (int i = 0; i < 4; i++)
        forms[7].bytes[12 + i] = (uint8_t)~inner.bytes[i];
}

#endif
