/* test_rtp_header.c - headers as a forwarder writes them, RTX, and what neither may lose. */
#include "support.h"

#include "wire/rtp_header.h"

static const struct rtp_values VALUES = {
    .ssrc = 0xa0b0c0d0,
    .timestamp = 0x01020304,
    .sequence_number = 0xfffe,
    .payload_type = 100,
    .marker = true,
};

/* A packet read from memory of exactly its size; free(bytes). */
struct source {
    uint8_t *bytes;
    size_t size;
    struct rtp_packet packet;
};

static struct source read_source(const char *hex)
{
    uint8_t bytes[1024];
    struct source source = { .size = test_read_hex(hex, bytes) };
    source.bytes = test_copy(view_make(bytes, source.size));
    assert_int_equal(rtp_read(view_make(source.bytes, source.size), &source.packet), OK);
    return source;
}

/* Writes into memory of exactly the room that is asked for, and compares. */
static struct rtp_written check_written(const struct rtp_plan *plan, const char *from,
                                        const char *wanted)
{
    uint8_t bytes[RTP_HEADER_MAX];
    size_t size = test_read_hex(wanted, bytes);
    struct rtp_written written;
    uint8_t *out = malloc(RTP_HEADER_MAX);
    struct source source = read_source(from);
    memset(out, 0xee, RTP_HEADER_MAX);
    rtp_write_header(plan, &source.packet, source.bytes, &VALUES, out, &written);
    assert_int_equal(written.size, size);
    assert_memory_equal(out, bytes, size);
    free(source.bytes);
    free(out);
    return written;
}

#define FIXED_0 "80 e4 fffe 01020304 a0b0c0d0"
#define FIXED_X "90 e4 fffe 01020304 a0b0c0d0"
#define SOURCE  "60 0001 00000002 00000003"

static void test_nothing_negotiated(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, true);
    struct rtp_written written = check_written(&plan, "80" SOURCE "68", FIXED_0);
    assert_int_equal(written.transport_cc_at, 0);
    assert_int_equal(written.abs_send_time_at, 0);
    check_written(&plan, "90" SOURCE "bede 0001 1061 0000 68", FIXED_0);
    check_written(&plan, "b0" SOURCE "1000 0002 ff06 616263646566 0001", FIXED_0);
}

static void test_mapped_and_dropped(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, false);
    assert_int_equal(rtp_plan_map(&plan, 1, 9), OK);
    assert_int_equal(rtp_plan_map(&plan, 14, 1), OK);
    check_written(&plan, "90" SOURCE "bede 0003 1061 216263 e3 64656667 0000",
                  FIXED_X "bede 0002 9061 13 64656667 00");
    /* what comes in the two-byte form and fits goes in the one-byte form */
    check_written(&plan, "90" SOURCE "1000 0004 010161 0f02 6263 0e04 01020304 000000",
                  FIXED_X "bede 0002 9061 13 01020304 00");
    check_written(&plan, "90" SOURCE "1000 0002 0100 0e04 01020304 68",
                  FIXED_X "bede 0002 13 01020304 000000");
}

static void test_own_values(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, false);
    assert_int_equal(rtp_plan_add(&plan, 4, VIEW("17")), OK);
    assert_int_equal(rtp_plan_add_transport_cc(&plan, 5), OK);
    assert_int_equal(rtp_plan_add_abs_send_time(&plan, 6), OK);
    assert_int_equal(rtp_plan_map(&plan, 2, 2), OK);
    struct rtp_written written = check_written(&plan, "90" SOURCE "bede 0001 2162 63 00",
                                               FIXED_X "bede 0004 413137 510000 62000000 216263"
                                                       "000000");
    assert_int_equal(written.transport_cc_at, 12 + 4 + 4);
    assert_int_equal(written.abs_send_time_at, 12 + 4 + 7);
    written = check_written(&plan, "80" SOURCE, FIXED_X "bede 0003 413137 510000 62000000 0000");
    assert_int_equal(written.transport_cc_at, 12 + 4 + 4);
}

#define LONG_17 "0102030405060708090a0b0c0d0e0f1011"

static void test_two_byte_form_where_it_must_be(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, true);
    assert_int_equal(rtp_plan_add(&plan, 4, VIEW("17")), OK);
    assert_int_equal(rtp_plan_add_transport_cc(&plan, 5), OK);
    assert_int_equal(rtp_plan_add_abs_send_time(&plan, 6), OK);
    assert_int_equal(rtp_plan_map(&plan, 3, 7), OK);
    static const char FROM[] = "90" SOURCE "1000 0005 0311" LONG_17 "00";
    struct rtp_written written = check_written(
        &plan, FROM, FIXED_X "1000 0008 0402 3137 0502 0000 0603 000000 0711" LONG_17);
    assert_int_equal(written.transport_cc_at, 12 + 4 + 6);
    assert_int_equal(written.abs_send_time_at, 12 + 4 + 10);
    check_written(&plan, "90" SOURCE "1000 0001 0300 0000",
                  FIXED_X "1000 0004 0402 3137 0502 0000 0603 000000 0700 00");
    /* a receiver that does not know it is spared the element */
    plan.has_two_byte = false;
    check_written(&plan, FROM, FIXED_X "bede 0003 413137 510000 62000000 0000");
    /* what is dropped does not change the form */
    rtp_plan_begin(&plan, true);
    assert_int_equal(rtp_plan_map(&plan, 1, 1), OK);
    check_written(&plan, "90" SOURCE "1000 0006 0311" LONG_17 "0101 61 0000",
                  FIXED_X "bede 0001 1061 0000");
}

static void test_the_watched_value_is_told_of(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, true);
    assert_int_equal(rtp_plan_add(&plan, 4, VIEW("17")), OK);
    assert_int_equal(rtp_plan_map(&plan, 1, 1), OK);
    assert_int_equal(rtp_plan_map(&plan, 2, 9), OK);
    rtp_plan_watch(&plan, 2);
    struct rtp_written written = check_written(&plan, "90" SOURCE "bede 0002 1061 216263 000000",
                                               FIXED_X "bede 0002 413137 1061 916263");
    assert_int_equal(written.watched_at, 12 + 4 + 6);
    written = check_written(&plan, "90" SOURCE "1000 0006 0211" LONG_17 "010161 0000",
                            FIXED_X "1000 0007 04023137 0911" LONG_17 "010161 0000");
    assert_int_equal(written.watched_at, 12 + 4 + 6);
    /* not there, not mapped, or not watched any more */
    written = check_written(&plan, "90" SOURCE "bede 0001 1061 0000",
                            FIXED_X "bede 0002 413137 1061 000000");
    assert_int_equal(written.watched_at, 0);
    rtp_plan_watch(&plan, 3);
    written = check_written(&plan, "90" SOURCE "bede 0001 3061 0000", FIXED_X "bede 0001 41313700");
    assert_int_equal(written.watched_at, 0);
    rtp_plan_watch(&plan, 0);
    written = check_written(&plan, "90" SOURCE "bede 0001 216263 00",
                            FIXED_X "bede 0002 413137 916263 0000");
    assert_int_equal(written.watched_at, 0);
}

static void test_csrcs_are_kept(void **state)
{
    (void)state;
    struct rtp_plan plan;
    rtp_plan_begin(&plan, false);
    check_written(&plan, "82" SOURCE "00000001 fffffffe 68",
                  "82 e4 fffe 01020304 a0b0c0d0 00000001 fffffffe");
    assert_int_equal(rtp_plan_add_transport_cc(&plan, 1), OK);
    struct rtp_written written =
        check_written(&plan, "82" SOURCE "00000001 fffffffe 68",
                      "92 e4 fffe 01020304 a0b0c0d0 00000001 fffffffe bede 0001 11 0000 00");
    assert_int_equal(written.transport_cc_at, 12 + 8 + 5);
}

static void test_packet_of_our_own(void **state)
{
    (void)state;
    static const uint8_t WANTED[] = { 0xa0, 5, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 };
    struct rtp_values values = {
        .ssrc = 3, .timestamp = 2, .sequence_number = 1, .payload_type = 5, .has_padding = true
    };
    struct rtp_packet none = { 0 };
    struct rtp_plan plan;
    struct rtp_written written;
    uint8_t out[RTP_HEADER_MAX];
    rtp_plan_begin(&plan, true);
    rtp_write_header(&plan, &none, NULL, &values, out, &written);
    assert_int_equal(written.size, sizeof(WANTED));
    assert_memory_equal(out, WANTED, sizeof(WANTED));
}

static void test_what_a_plan_refuses(void **state)
{
    (void)state;
    struct rtp_plan plan;
    uint8_t value[32] = { 0 };
    rtp_plan_begin(&plan, true);
    assert_int_equal(rtp_plan_map(&plan, 0, 1), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_map(&plan, 1, 0), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_map(&plan, 15, 1), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_map(&plan, 1, 15), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_add(&plan, 15, VIEW("a")), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_add(&plan, 1, VIEW("")), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_add(&plan, 1, view_make(value, 17)), ERR_UNSUPPORTED);
    assert_int_equal(rtp_plan_add(&plan, 1, view_make(value, 16)), OK);
    assert_int_equal(rtp_plan_add(&plan, 2, view_make(value, 15)), ERR_LIMIT);
    assert_int_equal(rtp_plan_add(&plan, 2, view_make(value, 12)), OK);
    assert_int_equal(rtp_plan_add_transport_cc(&plan, 3), ERR_LIMIT);
    assert_int_equal(plan.transport_cc_at, 0);
    assert_int_equal(rtp_plan_add(&plan, 3, VIEW("a")), OK);
    assert_int_equal(plan.own_size, RTP_OWN_SIZE);
    assert_int_equal(rtp_plan_add_abs_send_time(&plan, 3), ERR_LIMIT);
    assert_int_equal(plan.abs_send_time_at, 0);
}

/* Any number of elements of any sizes: what is read back is what was mapped, cut at the room. */
static void check_many(uint64_t *random, bool has_two_byte)
{
    uint8_t bytes[12 + 60 + 4 + 16 * 257 + 4] = { 0x90, 96 };
    uint8_t choice[64];
    struct rtp_plan plan;
    struct rtp_packet packet, again;
    struct rtp_written written;
    test_random_fill(random, choice, sizeof(choice));
    unsigned csrcs = choice[0] & 15;
    size_t start = 12 + 4 * (size_t)csrcs;
    size_t at = start + 4;
    bytes[0] = (uint8_t)(0x90 | csrcs);
    bytes[start] = 0x10;
    for (unsigned i = 0; i < (choice[1] & 15); i++) {
        bytes[at++] = (uint8_t)(1 + choice[2 + i] % 16);
        size_t size = choice[20 + i] % (choice[63] & 1 ? 20u : 256u);
        bytes[at++] = (uint8_t)size;
        test_random_fill(random, bytes + at, size);
        at += size;
    }
    at = start + 4 + (at - start - 4 + 3) / 4 * 4;
    bytes[start + 2] = (uint8_t)((at - start - 4) / 4 >> 8);
    bytes[start + 3] = (uint8_t)((at - start - 4) / 4);
    uint8_t *copy = test_copy(view_make(bytes, at));
    assert_int_equal(rtp_read(view_make(copy, at), &packet), OK);
    rtp_plan_begin(&plan, has_two_byte);
    for (unsigned id = 1; id <= RTP_ID_MAX; id++)
        if (choice[40 + id] & 1)
            assert_int_equal(rtp_plan_map(&plan, id, 15 - id), OK);
    uint8_t *out = malloc(RTP_HEADER_MAX);
    rtp_write_header(&plan, &packet, copy, &VALUES, out, &written);
    rtp_write_osn(out, &written, 0x4142);
    assert_in_range(written.size, 14, RTP_HEADER_MAX);
    assert_int_equal(rtp_read(view_make(out, written.size), &again), OK);
    assert_view(rtp_payload(&again, out), "AB");
    unsigned seen = 0;
    for (unsigned i = 0; i < packet.extension_count; i++) {
        const struct rtp_extension *old = &packet.extensions[i];
        const struct rtp_extension *new = &again.extensions[seen];
        bool fits = old->size >= 1 && old->size <= 16;
        if (old->id > 14 || !plan.to[old->id] || (!has_two_byte && !fits))
            continue;
        if (seen == again.extension_count) {
            /* no room any more, and not before it was used up */
            assert_in_range(written.size + old->size + 2u, RTP_HEADER_MAX - 16, 600);
            break;
        }
        assert_int_equal(new->id, 15 - old->id);
        assert_int_equal(new->size, old->size);
        assert_memory_equal(out + new->at, copy + old->at, old->size);
        seen++;
    }
    assert_int_equal(seen, again.extension_count);
    free(out);
    free(copy);
}

static void test_many_elements(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned i = 0; i < 3000; i++)
        check_many(&random, i & 1);
}

static void test_rtx_there_and_back(void **state)
{
    (void)state;
    static const char PACKET[] = "92 e0 1234 01020304 0a0b0c0d 00000001 00000002 bede 0001"
                                 "1061 0000 68656c6c6f";
    uint8_t sent[RTP_HEADER_MAX + 5];
    struct rtp_plan plan;
    struct rtp_written written;
    struct source source = read_source(PACKET);
    struct rtp_values values = { .ssrc = 0xbbbbbbbb,
                                 .timestamp = source.packet.timestamp,
                                 .sequence_number = 77,
                                 .payload_type = 97,
                                 .marker = true };
    rtp_plan_begin(&plan, false);
    assert_int_equal(rtp_plan_map(&plan, 1, 1), OK);
    rtp_write_header(&plan, &source.packet, source.bytes, &values, sent, &written);
    rtp_write_osn(sent, &written, source.packet.sequence_number);
    memcpy(sent + written.size, "hello", 5);

    struct span bytes = { test_copy(view_make(sent, written.size + 5u)), written.size + 5u };
    uint8_t *block = bytes.at;
    struct rtp_packet packet, whole;
    assert_int_equal(rtp_read(view_of_span(bytes), &packet), OK);
    assert_int_equal(packet.sequence_number, 77);
    assert_int_equal(packet.payload_size, 7);
    assert_int_equal(rtp_unwrap_rtx(&bytes, &packet, 0x0a0b0c0d, 96), OK);
    assert_int_equal(bytes.size, source.size);
    assert_memory_equal(bytes.at, source.bytes, source.size);
    /* and *packet says what reading it anew would */
    assert_int_equal(rtp_read(view_of_span(bytes), &whole), OK);
    assert_int_equal(packet.sequence_number, whole.sequence_number);
    assert_int_equal(packet.ssrc, whole.ssrc);
    assert_int_equal(packet.payload_type, whole.payload_type);
    assert_int_equal(packet.header_size, whole.header_size);
    assert_int_equal(packet.payload_size, whole.payload_size);
    assert_int_equal(packet.extensions[0].at, whole.extensions[0].at);
    free(block);
    free(source.bytes);
}

static void test_rtx_without_an_original(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int wanted;
    } CASES[] = {
        { "80" SOURCE, ERR_NOT_FOUND },      { "a0" SOURCE "000003", ERR_NOT_FOUND },
        { "80" SOURCE "12", ERR_MALFORMED }, { "a0" SOURCE "12 01", ERR_MALFORMED },
        { "80" SOURCE "1234", OK },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct source source = read_source(CASES[i].hex);
        struct span bytes = { source.bytes, source.size };
        assert_int_equal(rtp_unwrap_rtx(&bytes, &source.packet, 9, 96), CASES[i].wanted);
        if (CASES[i].wanted != OK) {
            assert_ptr_equal(bytes.at, source.bytes);
            assert_int_equal(source.packet.ssrc, 3);
        }
        free(source.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_negotiated),
        cmocka_unit_test(test_mapped_and_dropped),
        cmocka_unit_test(test_own_values),
        cmocka_unit_test(test_two_byte_form_where_it_must_be),
        cmocka_unit_test(test_the_watched_value_is_told_of),
        cmocka_unit_test(test_csrcs_are_kept),
        cmocka_unit_test(test_packet_of_our_own),
        cmocka_unit_test(test_what_a_plan_refuses),
        cmocka_unit_test(test_many_elements),
        cmocka_unit_test(test_rtx_there_and_back),
        cmocka_unit_test(test_rtx_without_an_original),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
