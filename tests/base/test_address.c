/* test_address.c - transport addresses as text: the forms of RFC 4291 in, those of RFC 5952 out. */
#include "support.h"

#include "base/address.h"

static const struct address UNTOUCHED = { .family = 9, .bytes = { 1, 2, 3 }, .port = 77 };

static void assert_written(const struct address *address, const char *text)
{
    char out[ADDRESS_TEXT_SIZE];
    memset(out, 'x', sizeof(out));
    size_t size = address_write(address, out);
    assert_int_equal(size, strlen(text));
    assert_string_equal(out, text);
}

/* Reads `text` from memory of exactly its size. */
static int read_copy(const char *text, bool is_host, struct address *address)
{
    struct view v = view_of(text);
    uint8_t *copy = test_copy(v);
    v = view_make(copy, v.size);
    int status = is_host ? address_read_host(v, address) : address_read(v, address);
    free(copy);
    return status;
}

static void assert_host(const char *text, const char *written)
{
    struct address address = UNTOUCHED;
    assert_int_equal(read_copy(text, true, &address), OK);
    assert_int_equal(address.port, 0);
    assert_written(&address, written);
}

static void assert_no_host(const char *text)
{
    struct address address = UNTOUCHED;
    if (read_copy(text, true, &address) != ERR_MALFORMED)
        print_error("\"%s\" was read\n", text);
    assert_int_equal(read_copy(text, true, &address), ERR_MALFORMED);
    assert_true(address_equal(&address, &UNTOUCHED));
}

static void test_ipv4(void **state)
{
    (void)state;
    static const uint8_t BYTES[16] = { 192, 0, 2, 1 };
    struct address address = UNTOUCHED;
    assert_int_equal(read_copy("192.0.2.1:65535", false, &address), OK);
    assert_int_equal(address.family, ADDRESS_IPV4);
    assert_memory_equal(address.bytes, BYTES, sizeof(BYTES));
    assert_int_equal(address.port, 65535);
    assert_written(&address, "192.0.2.1:65535");
    assert_host("0.0.0.0", "0.0.0.0");
    assert_host("255.255.255.255", "255.255.255.255");

    static const char *const BAD[] = {
        "",           "1",         "1.2.3",      "1.2.3.",     "1.2.3.4.",  ".1.2.3.4",
        "1..3.4",     "1.2.3.4.5", "256.2.3.4",  "1.2.3.256",  "01.2.3.4",  "1.2.3.04",
        "1.2.3.0x4",  "1.2.3.-4",  "1.2.3.+4",   " 1.2.3.4",   "1.2.3.4 ",  "1.2.3.4:5",
        "1.2.3.1000", "127.1",     "2130706433", "0x7f000001", "1.2.3.4/8", "a.b.c.d",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_no_host(BAD[i]);
}

/* The examples of RFC 4291, section 2.2, and RFC 5952, sections 1 and 4. */
static void test_ipv6(void **state)
{
    (void)state;
    assert_host("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
                "abcd:ef01:2345:6789:abcd:ef01:2345:6789");
    assert_host("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a");
    assert_host("2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a");
    assert_host("FF01:0:0:0:0:0:0:101", "ff01::101");
    assert_host("0:0:0:0:0:0:0:1", "::1");
    assert_host("::", "::");
    assert_host("1::", "1::");
    assert_host("0:0:0:0:0:0:13.1.68.3", "::d01:4403");
    assert_host("::FFFF:129.144.52.38", "::ffff:8190:3426");
    assert_host("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
    assert_host("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304");
    assert_host("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1");
    assert_host("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_host("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    assert_host("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    assert_host("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
    assert_host("1:2:3:4:5:6::", "1:2:3:4:5:6::");

    static const char *const BAD[] = {
        ":",
        ":::",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8:",
        ":1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "1::2::3",
        "1:::2",
        "::1:",
        ":1::",
        "12345::",
        "::g",
        "::1%eth0",
        "[::1]",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.256",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6::1.2.3.4",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1.2.3.4::5",
        "1:1.2.3.4::5",
        "1:2:3:4:5:6:7:8:1.2.3.4",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_no_host(BAD[i]);
}

static void test_ports(void **state)
{
    (void)state;
    struct address address = UNTOUCHED;
    assert_int_equal(read_copy("[2001:db8::1]:80", false, &address), OK);
    assert_int_equal(address.family, ADDRESS_IPV6);
    assert_written(&address, "[2001:db8::1]:80");
    assert_int_equal(read_copy("0.0.0.0:0", false, &address), OK);
    assert_written(&address, "0.0.0.0");

    static const char *const BAD[] = {
        "",           ":",           ":80",       "1.2.3.4",     "1.2.3.4:",     "1.2.3.4:65536",
        "1.2.3.4:-1", "1.2.3.4:80 ", "[::1]",     "[::1]:",      "[::1]80",      "[::1:80",
        "::1:80",     "[]:80",       "[",         "[]",          "[1.2.3.4]:80", "[::1]:80]:80",
        "]:80",       "[[::1]]:80",  "1.2.3.4::", "1.2.3.4:8:8", "1.2.3.4:0x50", "localhost:80",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        address = UNTOUCHED;
        if (read_copy(BAD[i], false, &address) != ERR_MALFORMED)
            print_error("\"%s\" was read\n", BAD[i]);
        assert_int_equal(read_copy(BAD[i], false, &address), ERR_MALFORMED);
        assert_true(address_equal(&address, &UNTOUCHED));
    }
}

static void test_longest(void **state)
{
    (void)state;
    struct address address = { .family = ADDRESS_IPV6, .port = 65535 };
    memset(address.bytes, 0xff, sizeof(address.bytes));
    assert_written(&address, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    assert_written(&(struct address){ .family = ADDRESS_NONE }, "none");
}

/* Addresses with zero words at all places are read back as they were. */
static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned zeros = 0; zeros < 256; zeros++) {
        struct address address = { .family = ADDRESS_IPV6, .port = (uint16_t)(zeros * 257) };
        struct address back = UNTOUCHED;
        char text[ADDRESS_TEXT_SIZE];
        for (unsigned i = 0; i < 8; i++)
            if (zeros & 1u << i)
                address.bytes[2 * i + (zeros + i) % 2] = (uint8_t)(0x11 * (i + 1));
        size_t size = address_write(&address, text);
        if (address.port)
            assert_int_equal(address_read(view_make(text, size), &back), OK);
        else
            assert_int_equal(address_read_host(view_make(text, size), &back), OK);
        assert_true(address_equal(&address, &back));
    }
}

static void test_equal(void **state)
{
    (void)state;
    struct address a = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 }, .port = 80 };
    struct address b = a;
    b.bytes[15] = 1; /* an IPv4 address has four */
    assert_true(address_equal(&a, &b));
    b.port = 81;
    assert_false(address_equal(&a, &b));
    b = a;
    b.bytes[3] = 2;
    assert_false(address_equal(&a, &b));
    b = a;
    b.family = ADDRESS_IPV6;
    assert_false(address_equal(&a, &b));
    a.family = ADDRESS_IPV6;
    assert_true(address_equal(&a, &b));
    b.bytes[15] = 1;
    assert_false(address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4),       cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_ports),      cmocka_unit_test(test_longest),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_equal),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
