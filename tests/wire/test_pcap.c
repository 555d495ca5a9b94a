/* test_pcap.c - capture files: what stands before packets in them. */
#include "support.h"

#include "wire/pcap.h"

#define NOW (1700000000 * USEC_S + 123456)

static uint8_t record[PCAP_RECORD_MAX];

static void test_header(void **state)
{
    (void)state;
    uint8_t out[PCAP_HEADER_SIZE];
    pcap_write_header(out);
    assert_memory_equal(out, "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65",
                        sizeof out);
}

/* The sum of 16-bit words, as a receiver checks it (RFC 1071): 0xffff when it is right. */
static unsigned sum_of(uint32_t sum, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum += (uint32_t)at[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The header that is widely shown as an example of the checksum: 0xb861. */
static void test_ipv4(void **state)
{
    (void)state;
    static const uint8_t PAYLOAD[115 - 28] = { 1, 2, 3 };
    const struct address from = { ADDRESS_IPV4, { 192, 168, 0, 1 }, 5000 };
    const struct address to = { ADDRESS_IPV4, { 192, 168, 0, 199 }, 7000 };
    size_t size = pcap_write_record(record, NOW, &from, &to, view_make(PAYLOAD, sizeof PAYLOAD));
    assert_int_equal(size, 16 + 20 + 8);
    assert_memory_equal(record, "\x65\x53\xf1\0\0\1\xe2\x40\0\0\0\x73\0\0\0\x73", 16);
    assert_memory_equal(record + 16,
                        "\x45\0\0\x73\0\0\x40\0\x40\x11\xb8\x61\xc0\xa8\0\1\xc0\xa8\0\xc7", 20);
    assert_memory_equal(record + 36, "\x13\x88\x1b\x58\0\x5f", 6);
    unsigned sum = sum_of(17 + 95, record + 28, 8);
    sum = sum_of(sum, record + 36, 8);
    assert_int_equal(sum_of(sum, PAYLOAD, sizeof PAYLOAD), 0xffff);
}

static void test_ipv6(void **state)
{
    (void)state;
    static const uint8_t PAYLOAD[] = { 0x80, 0xff, 7 }; /* an odd number of bytes */
    struct address from = { ADDRESS_IPV6, { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 65535 };
    struct address to = { ADDRESS_IPV6, { 0x20, 1, 0xd, 0xb8, [15] = 2 }, 1 };
    size_t size = pcap_write_record(record, NOW, &from, &to, view_make(PAYLOAD, sizeof PAYLOAD));
    assert_int_equal(size, 16 + 40 + 8);
    assert_memory_equal(record + 8, "\0\0\0\x33\0\0\0\x33\x60\0\0\0\0\x0b\x11\x40", 16);
    assert_memory_equal(record + 24, from.bytes, 16);
    assert_memory_equal(record + 40, to.bytes, 16);
    unsigned sum = sum_of(17 + 11, record + 24, 40);
    assert_int_equal(sum_of(sum, PAYLOAD, sizeof PAYLOAD), 0xffff);
}

/* A checksum that comes out as 0 is written as 0xffff (RFC 768): 0 means that there is none. */
static void test_zero_checksum(void **state)
{
    (void)state;
    const struct address from = { ADDRESS_IPV4, { 0 }, 0 };
    const struct address to = { ADDRESS_IPV4, { 0 }, 0 };
    const unsigned rest = 0xffff - 17 - 2 * 10;
    const uint8_t payload[] = { (uint8_t)(rest >> 8), (uint8_t)rest };
    assert_true(pcap_write_record(record, NOW, &from, &to, view_make(payload, 2)) > 0);
    assert_memory_equal(record + 42, "\xff\xff", 2);
}

static void test_no_address(void **state)
{
    (void)state;
    const struct address none = { 0 };
    assert_int_equal(pcap_write_record(record, NOW, &none, &none, VIEW("x")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),     cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_ipv6),       cmocka_unit_test(test_zero_checksum),
        cmocka_unit_test(test_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
