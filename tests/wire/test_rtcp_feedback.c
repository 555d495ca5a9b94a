/* test_rtcp_feedback.c - NACK, PLI, FIR and REMB by hand, and what the writers make of them. */
#include "support.h"

#include "wire/rtcp_feedback.h"

/* The FCI is in a block of exactly its size. */
static uint8_t *block;

static int free_block(void **state)
{
    (void)state;
    free(block);
    block = NULL;
    return 0;
}

static struct rtcp_feedback from_hex(const char *hex)
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    free(block);
    block = test_copy(view_make(bytes, size));
    struct view rest = view_make(block, size);
    assert_int_equal(rtcp_next(&rest, &packet), OK);
    assert_int_equal(rest.size, 0);
    assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
    return feedback;
}

static void check_written(const struct rtcp_writer *writer, const char *hex)
{
    uint8_t bytes[512];
    size_t size = test_read_hex(hex, bytes);
    assert_false(writer->overflow);
    assert_int_equal(writer->size, size);
    assert_memory_equal(writer->at, bytes, size);
}

static void test_too_short(void **state)
{
    (void)state;
    struct rtcp_packet packet = { .type = RTCP_PSFB, .count = RTCP_PLI, .body = VIEW("1234567") };
    struct rtcp_feedback feedback = { .format = 77 };
    assert_int_equal(rtcp_read_feedback(&packet, &feedback), ERR_MALFORMED);
    assert_int_equal(feedback.format, 77);
}

static void test_pli(void **state)
{
    (void)state;
    uint8_t out[64];
    struct rtcp_writer writer;
    struct rtcp_feedback feedback = from_hex("81 ce 0002 00000001 00000002");
    assert_int_equal(feedback.format, RTCP_PLI);
    assert_int_equal(feedback.sender_ssrc, 1);
    assert_int_equal(feedback.media_ssrc, 2);
    assert_int_equal(feedback.fci.size, 0);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_pli(&writer, 1, 2);
    check_written(&writer, "81 ce 0002 00000001 00000002");
}

static void test_fir(void **state)
{
    (void)state;
    uint8_t out[64];
    struct rtcp_writer writer;
    struct rtcp_fir fir;
    struct rtcp_feedback feedback =
        from_hex("84 ce 0006 00000001 00000000 00000009 07 000000 fffffffe ff 000000");
    assert_true(rtcp_fir_at(&feedback, 0, &fir));
    assert_int_equal(fir.ssrc, 9);
    assert_int_equal(fir.sequence_number, 7);
    assert_true(rtcp_fir_at(&feedback, 1, &fir));
    assert_int_equal(fir.ssrc, 0xfffffffe);
    assert_int_equal(fir.sequence_number, 255);
    assert_false(rtcp_fir_at(&feedback, 2, &fir));
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_fir(&writer, 1, (struct rtcp_fir){ 9, 7 });
    check_written(&writer, "84 ce 0004 00000001 00000000 00000009 07 000000");
}

static void test_nack(void **state)
{
    (void)state;
    static const uint16_t WANTED[] = {
        65530, 65531, 65535, 10,  200, 201, 202, 203, 204, 205, 206,
        207,   208,   209,   210, 211, 212, 213, 214, 215, 216, 500
    };
    static const char HEX[] = "81 cd 0006 00000001 00000002 fffa 8011 00c8 ffff 01f4 0000"
                              "0001 0000";
    uint8_t out[64];
    struct rtcp_writer writer;
    struct rtcp_nack nack;
    uint16_t sequence_number = 0;
    struct rtcp_feedback feedback = from_hex(HEX);
    rtcp_nack_begin(&feedback, &nack);
    for (size_t i = 0; i < sizeof(WANTED) / sizeof(WANTED[0]); i++) {
        assert_true(rtcp_nack_next(&nack, &sequence_number));
        assert_int_equal(sequence_number, WANTED[i]);
    }
    assert_true(rtcp_nack_next(&nack, &sequence_number));
    assert_int_equal(sequence_number, 1);
    assert_false(rtcp_nack_next(&nack, &sequence_number));
    rtcp_begin(&writer, out, sizeof(out));
    assert_int_equal(rtcp_add_nack(&writer, 1, 2, WANTED, 22), 22);
    check_written(&writer, "81 cd 0005 00000001 00000002 fffa 8011 00c8 ffff 01f4 0000");
}

/* An entry reaches 16 behind its first. */
static void test_nack_of_distances(void **state)
{
    (void)state;
    static const uint16_t WITHIN[] = { 10, 26 };
    static const uint16_t BEHIND[] = { 10, 27 };
    uint8_t out[64];
    struct rtcp_writer writer;
    rtcp_begin(&writer, out, sizeof(out));
    assert_int_equal(rtcp_add_nack(&writer, 1, 2, WITHIN, 2), 2);
    assert_int_equal(rtcp_add_nack(&writer, 1, 2, BEHIND, 2), 2);
    check_written(&writer, "81 cd 0003 00000001 00000002 000a 8000"
                           "81 cd 0004 00000001 00000002 000a 0000 001b 0000");
}

static void test_nack_in_small_datagrams(void **state)
{
    (void)state;
    uint16_t lost[300];
    for (unsigned i = 0; i < 300; i++)
        lost[i] = (uint16_t)(65000 + 7 * i);
    for (size_t capacity = 0; capacity < 400; capacity++) {
        uint8_t *out = malloc(capacity + 1);
        struct rtcp_writer writer;
        size_t done = 0;
        size_t used = 1;
        while (done < 300 && used) {
            struct rtcp_packet packet;
            struct rtcp_feedback feedback;
            struct rtcp_nack nack;
            uint16_t seen;
            rtcp_begin(&writer, out, capacity);
            used = rtcp_add_nack(&writer, 1, 2, lost + done, 300 - done);
            assert_int_equal(writer.overflow, used == 0);
            struct view rest = view_make(out, writer.size);
            if (used == 0)
                break;
            assert_int_equal(rtcp_next(&rest, &packet), OK);
            assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
            rtcp_nack_begin(&feedback, &nack);
            for (size_t i = 0; i < used; i++) {
                assert_true(rtcp_nack_next(&nack, &seen));
                assert_int_equal(seen, lost[done + i]);
            }
            assert_false(rtcp_nack_next(&nack, &seen));
            done += used;
        }
        assert_int_equal(done, capacity < 16 ? 0 : 300);
        free(out);
    }
}

/* The draft, section 2.2: 18 bits of mantissa, 6 of exponent. */
static void test_remb(void **state)
{
    (void)state;
    static const uint32_t SSRCS[] = { 0x48484848, 0x52525252 };
    static const char HEX[] = "8f ce 0006 00000001 00000000 52454d42 02 0b d090 48484848 52525252";
    uint8_t out[64];
    struct rtcp_writer writer;
    struct rtcp_remb remb;
    struct rtcp_feedback feedback = from_hex(HEX);
    assert_int_equal(feedback.format, RTCP_ALFB);
    assert_int_equal(rtcp_read_remb(&feedback, &remb), OK);
    assert_true(remb.bitrate_bps == 1000000);
    assert_int_equal(remb.ssrc_count, 2);
    assert_int_equal(rtcp_ssrc_at(remb.ssrcs, 1), 0x52525252);
    rtcp_begin(&writer, out, sizeof(out));
    rtcp_add_remb(&writer, 1, 1000003, SSRCS, 2);
    check_written(&writer, HEX);
}

static void test_remb_of_any_rate(void **state)
{
    (void)state;
    static const uint64_t RATES[] = { 0, 1, 0x3ffff, 0x40000, 1ull << 40, UINT64_MAX };
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
        uint8_t out[64];
        struct rtcp_writer writer;
        struct rtcp_packet packet;
        struct rtcp_feedback feedback;
        struct rtcp_remb remb;
        rtcp_begin(&writer, out, sizeof(out));
        rtcp_add_remb(&writer, 1, RATES[i], NULL, 0);
        struct view rest = view_make(out, writer.size);
        assert_int_equal(rtcp_next(&rest, &packet), OK);
        assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
        assert_int_equal(rtcp_read_remb(&feedback, &remb), OK);
        assert_true(remb.bitrate_bps <= RATES[i]);
        assert_true(RATES[i] - remb.bitrate_bps <= RATES[i] >> 17);
    }
    struct rtcp_remb remb;
    struct rtcp_feedback feedback = from_hex("8f ce 0004 00000001 00000000 52454d42 00 ff ffff");
    assert_int_equal(rtcp_read_remb(&feedback, &remb), OK);
    assert_true(remb.bitrate_bps == UINT64_MAX);
}

static void test_what_is_not_remb(void **state)
{
    (void)state;
    struct rtcp_remb remb;
    struct rtcp_feedback feedback = from_hex("8f ce 0003 00000001 00000000 52454d43");
    assert_int_equal(rtcp_read_remb(&feedback, &remb), ERR_UNSUPPORTED);
    feedback = from_hex("8f ce 0002 00000001 00000000");
    assert_int_equal(rtcp_read_remb(&feedback, &remb), ERR_UNSUPPORTED);
    feedback = from_hex("8f ce 0003 00000001 00000000 52454d42");
    assert_int_equal(rtcp_read_remb(&feedback, &remb), ERR_MALFORMED);
    feedback = from_hex("8f ce 0005 00000001 00000000 52454d42 02 0f d090 48484848");
    assert_int_equal(rtcp_read_remb(&feedback, &remb), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_pli),
        cmocka_unit_test(test_fir),
        cmocka_unit_test(test_nack),
        cmocka_unit_test(test_nack_of_distances),
        cmocka_unit_test(test_nack_in_small_datagrams),
        cmocka_unit_test(test_remb),
        cmocka_unit_test(test_remb_of_any_rate),
        cmocka_unit_test(test_what_is_not_remb),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
