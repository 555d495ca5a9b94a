/* test_rtp.c - RTP packets and their header extensions, as RFC 3550 and RFC 8285 draw them. */
#include "support.h"

#include "wire/rtp.h"

/* Reads a packet from memory of exactly its size; the bytes stay in `keep` for later looks. */
static uint8_t keep[256];
static size_t keep_size;

static int read_hex(const char *hex, struct rtp_packet *packet)
{
    keep_size = test_read_hex(hex, keep);
    uint8_t *copy = test_copy(view_make(keep, keep_size));
    int status = rtp_read(view_make(copy, keep_size), packet);
    free(copy);
    return status;
}

static void test_fixed_header(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("80 e0 fffe 01020304 a0b0c0d0 6869", &packet), OK);
    assert_true(packet.marker);
    assert_int_equal(packet.payload_type, 96);
    assert_int_equal(packet.sequence_number, 0xfffe);
    assert_int_equal(packet.timestamp, 0x01020304);
    assert_int_equal(packet.ssrc, 0xa0b0c0d0);
    assert_int_equal(packet.header_size, 12);
    assert_int_equal(packet.csrc_count, 0);
    assert_int_equal(packet.extension_count, 0);
    assert_false(packet.has_padding);
    assert_view(rtp_payload(&packet, keep), "hi");
    assert_int_equal(read_hex("80 60 0000 00000000 00000000", &packet), OK);
    assert_false(packet.marker);
    assert_int_equal(packet.payload_size, 0);
}

static void test_other_versions(void **state)
{
    (void)state;
    struct rtp_packet packet = { .ssrc = 77 };
    assert_int_equal(read_hex("00 60 0000 00000000 00000000", &packet), ERR_MALFORMED);
    assert_int_equal(read_hex("40 60 0000 00000000 00000000", &packet), ERR_MALFORMED);
    assert_int_equal(read_hex("c0 60 0000 00000000 00000000", &packet), ERR_MALFORMED);
    assert_int_equal(packet.ssrc, 77);
}

static void test_csrcs(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("82 60 0000 00000000 00000000 00000001 fffffffe 68", &packet), OK);
    assert_int_equal(packet.csrc_count, 2);
    assert_int_equal(packet.header_size, 20);
    assert_int_equal(rtp_csrc(&packet, keep, 0), 1);
    assert_int_equal(rtp_csrc(&packet, keep, 1), 0xfffffffe);
    assert_view(rtp_payload(&packet, keep), "h");
    assert_int_equal(read_hex("82 60 0000 00000000 00000000 00000001 fffffe", &packet),
                     ERR_MALFORMED);
}

static void test_padding(void **state)
{
    (void)state;
    struct rtp_packet packet = { .ssrc = 77 };
    assert_int_equal(read_hex("a0 60 0000 00000000 00000000 6869 000003", &packet), OK);
    assert_int_equal(packet.padding_size, 3);
    assert_view(rtp_payload(&packet, keep), "hi");
    /* nothing but padding: what probes for bandwidth */
    assert_int_equal(read_hex("a0 60 0000 00000000 00000000 000003", &packet), OK);
    assert_int_equal(packet.payload_size, 0);
    packet.ssrc = 77;
    assert_int_equal(read_hex("a0 60 0000 00000000 00000000", &packet), ERR_MALFORMED);
    assert_int_equal(read_hex("a0 60 0000 00000000 00000000 6800", &packet), ERR_MALFORMED);
    assert_int_equal(read_hex("a0 60 0000 00000000 00000000 6803", &packet), ERR_MALFORMED);
    assert_int_equal(packet.ssrc, 77);
}

static void test_padding_of_what_was_encrypted(void **state)
{
    (void)state;
    struct rtp_packet packet;
    keep_size = test_read_hex("a0 60 0000 00000000 00000000 ffffff", keep);
    assert_int_equal(rtp_read_header(view_make(keep, keep_size), &packet), OK);
    assert_int_equal(packet.payload_size, 3);
    assert_int_equal(packet.padding_size, 0);
    assert_int_equal(rtp_read_padding(&packet, keep), ERR_MALFORMED);
    keep[14] = 2;
    assert_int_equal(rtp_read_padding(&packet, keep), OK);
    assert_int_equal(packet.payload_size, 1);
    assert_int_equal(rtp_read_padding(&packet, keep), OK); /* once is enough */
    assert_int_equal(packet.payload_size, 1);
}

static void check_value(const struct rtp_packet *packet, unsigned id, const char *text)
{
    struct view value;
    assert_true(rtp_extension_value(packet, keep, id, &value));
    assert_view(value, text);
}

/* RFC 8285, section 4.2: L is one less than the size; padding between and behind. */
static void test_one_byte_form(void **state)
{
    (void)state;
    struct rtp_packet packet;
    struct view value = VIEW("untouched");
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0003"
                              "10 61 21 6263 00 e3 64656667 00 6869",
                              &packet),
                     OK);
    assert_int_equal(packet.header_size, 12 + 4 + 12);
    assert_int_equal(packet.extension_count, 3);
    check_value(&packet, 1, "a");
    check_value(&packet, 2, "bc");
    check_value(&packet, 14, "defg");
    assert_false(rtp_extension_value(&packet, keep, 3, &value));
    assert_view(value, "untouched");
    assert_view(rtp_payload(&packet, keep), "hi");
}

static void test_what_ends_the_one_byte_form(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(
        read_hex("90 60 0000 00000000 00000000 bede 0002 1061 f0 00 2062 0000", &packet), OK);
    assert_int_equal(packet.extension_count, 1);
    assert_int_equal(
        read_hex("90 60 0000 00000000 00000000 bede 0002 1061 01 00 2062 0000", &packet), OK);
    assert_int_equal(packet.extension_count, 1);
    assert_int_equal(packet.header_size, 24);
}

/* RFC 8285, section 4.3; the low four bits of the profile are anything. */
static void test_two_byte_form(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 100f 0004"
                              "0100 00 0f02 6162 ff05 6364656667 00 05 6869",
                              &packet),
                     ERR_MALFORMED); /* the last is an id without a length */
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 100f 0004"
                              "0100 00 0f02 6162 ff05 6364656667 00 00 6869",
                              &packet),
                     OK);
    assert_int_equal(packet.extension_count, 3);
    check_value(&packet, 1, "");
    check_value(&packet, 15, "ab");
    check_value(&packet, 255, "cdefg");
    assert_view(rtp_payload(&packet, keep), "hi");
}

static void test_elements_past_the_end(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0001 13 616263", &packet),
                     ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 1000 0001 0103 6162 63", &packet),
                     ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 1000 0001 0101 61 01", &packet),
                     ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0002 13 61626364 000000", &packet),
                     OK);
}

static void test_extension_past_the_end(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 00", &packet), ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0001 1061 00", &packet),
                     ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede ffff 1061 0000", &packet),
                     ERR_MALFORMED);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0000", &packet), OK);
    assert_int_equal(packet.header_size, 16);
}

static void test_other_profiles_are_skipped(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 beef 0001 ffffffff 68", &packet), OK);
    assert_int_equal(packet.extension_count, 0);
    assert_int_equal(packet.header_size, 20);
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 1010 0001 ffffffff 68", &packet), OK);
    assert_int_equal(packet.extension_count, 0);
}

static void test_count_of_elements(void **state)
{
    (void)state;
    for (unsigned count = RTP_EXTENSIONS_MAX; count <= RTP_EXTENSIONS_MAX + 1; count++) {
        uint8_t bytes[12 + 4 + 64] = { 0x90, 96 };
        struct rtp_packet packet;
        bytes[12] = 0xbe;
        bytes[13] = 0xde;
        bytes[15] = 16;
        for (unsigned i = 0; i < count; i++)
            bytes[16 + 2 * i] = 0x10;
        int wanted = count > RTP_EXTENSIONS_MAX ? ERR_LIMIT : OK;
        assert_int_equal(rtp_read(view_make(bytes, sizeof(bytes)), &packet), wanted);
        bytes[12] = 0x10;
        bytes[13] = 0;
        for (unsigned i = 0; i < count; i++)
            bytes[16 + 2 * i] = 7;
        assert_int_equal(rtp_read(view_make(bytes, sizeof(bytes)), &packet), wanted);
    }
}

static void test_of_two_alike_the_first_counts(void **state)
{
    (void)state;
    struct rtp_packet packet;
    assert_int_equal(read_hex("90 60 0000 00000000 00000000 bede 0001 1061 1062", &packet), OK);
    check_value(&packet, 1, "a");
}

#define EVERYTHING                                                                                 \
    "b2 e0 1234 01020304 a0b0c0d0 00000001 00000002 bede 0003"                                     \
    "10 61 21 6263 00 e3 64656667 00 6869 000003"

static void test_every_truncation(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t size = test_read_hex(EVERYTHING, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        struct rtp_packet packet = { .ssrc = 77 };
        uint8_t *copy = test_copy(view_make(bytes, cut));
        int status = rtp_read(view_make(copy, cut), &packet);
        /* behind the header, the last byte is taken as the size of padding */
        if (status == OK)
            assert_in_range(cut, 36 + 1, size - 1);
        else
            assert_int_equal(packet.ssrc, 77);
        free(copy);
    }
}

static void test_every_bit_flip(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t size = test_read_hex(EVERYTHING, bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct rtp_packet packet;
        uint8_t *copy = test_copy(view_make(bytes, size));
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (rtp_read(view_make(copy, size), &packet) == OK) {
            assert_int_equal(packet.header_size + packet.payload_size + packet.padding_size, size);
            for (unsigned i = 0; i < packet.extension_count; i++) {
                const struct rtp_extension *extension = &packet.extensions[i];
                assert_in_range(extension->at + extension->size, 16, packet.header_size);
            }
        }
        free(copy);
    }
}

static void test_longer_than_a_datagram(void **state)
{
    (void)state;
    struct rtp_packet packet;
    uint8_t *bytes = calloc(1, 65536);
    bytes[0] = 0x80;
    assert_int_equal(rtp_read(view_make(bytes, 65535), &packet), OK);
    assert_int_equal(packet.payload_size, 65535 - 12);
    assert_int_equal(rtp_read(view_make(bytes, 65536), &packet), ERR_MALFORMED);
    free(bytes);
}

/* RFC 5761, section 4: 192 to 223 are RTCP's, so types 64 to 95 with a marker are not RTP. */
static void test_rtcp_on_the_same_port(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t bytes[2] = { 0x80, (uint8_t)type };
        assert_int_equal(rtp_is_rtcp(view_make(bytes, 2)), type >= 192 && type <= 223);
    }
    assert_false(rtp_is_rtcp(VIEW("\x80")));
    assert_false(rtp_is_rtcp(VIEW("")));
}

static void test_print(void **state)
{
    (void)state;
    static const char LINE[] =
        "rtp ssrc=a0b0c0d0 pt=96 seq=4660 ts=16909060 marker payload=2 padding=3 1(1) 2(2) 14(4)";
    struct rtp_packet packet;
    assert_int_equal(read_hex(EVERYTHING, &packet), OK);
    for (size_t capacity = 1; capacity < sizeof(LINE) + 10; capacity++) {
        char *out = malloc(capacity);
        size_t size = rtp_print(&packet, out, capacity);
        assert_int_equal(size, capacity < sizeof(LINE) ? capacity - 1 : sizeof(LINE) - 1);
        assert_memory_equal(out, LINE, size);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_header),
        cmocka_unit_test(test_other_versions),
        cmocka_unit_test(test_csrcs),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_padding_of_what_was_encrypted),
        cmocka_unit_test(test_one_byte_form),
        cmocka_unit_test(test_what_ends_the_one_byte_form),
        cmocka_unit_test(test_two_byte_form),
        cmocka_unit_test(test_elements_past_the_end),
        cmocka_unit_test(test_extension_past_the_end),
        cmocka_unit_test(test_other_profiles_are_skipped),
        cmocka_unit_test(test_count_of_elements),
        cmocka_unit_test(test_of_two_alike_the_first_counts),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_longer_than_a_datagram),
        cmocka_unit_test(test_rtcp_on_the_same_port),
        cmocka_unit_test(test_print),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
