/* test_rtcp_twcc.c - transport-wide feedback: the draft's chunks, and arrivals there and back. */
#include "support.h"

#include "wire/rtcp_twcc.h"

static uint8_t *block;

static int free_block(void **state)
{
    (void)state;
    free(block);
    block = NULL;
    return 0;
}

static int read_view(struct view datagram, struct twcc *twcc)
{
    struct rtcp_packet packet;
    struct rtcp_feedback feedback;
    assert_int_equal(rtcp_next(&datagram, &packet), OK);
    assert_int_equal(datagram.size, 0);
    assert_int_equal(packet.type, RTCP_RTPFB);
    assert_int_equal(rtcp_read_feedback(&packet, &feedback), OK);
    assert_int_equal(feedback.format, RTCP_TRANSPORT_CC);
    return twcc_read(&feedback, twcc);
}

static int read_fci(const char *hex, struct twcc *twcc)
{
    uint8_t bytes[512];
    struct rtcp_feedback feedback = { .format = RTCP_TRANSPORT_CC };
    feedback.fci.size = test_read_hex(hex, bytes);
    free(block);
    feedback.fci.at = block = test_copy(view_make(bytes, feedback.fci.size));
    return twcc_read(&feedback, twcc);
}

/* '.' lost, 'r' received, in order. */
static void check_symbols(const struct twcc *twcc, const char *wanted)
{
    struct twcc_reader reader;
    struct twcc_status status;
    twcc_reader_begin(twcc, &reader);
    for (size_t i = 0; wanted[i]; i++) {
        assert_true(twcc_reader_next(&reader, &status));
        assert_int_equal(status.sequence_number, (uint16_t)(twcc->base_sequence_number + i));
        assert_int_equal(status.received, wanted[i] == 'r');
    }
    assert_false(twcc_reader_next(&reader, &status));
}

/* Section 3.1.3 and 3.1.4: 221 lost in a run; 1 lost, 5 received, 3 lost, 3 received, 2 lost. */
static void test_chunks_of_the_draft(void **state)
{
    (void)state;
    char lost[222];
    struct twcc twcc;
    memset(lost, '.', 221);
    lost[221] = 0;
    assert_int_equal(read_fci("0001 00dd 000000 00 00dd", &twcc), OK);
    check_symbols(&twcc, lost);
    assert_int_equal(read_fci("0001 000e 000000 00 9f1c 0000000000000000", &twcc), OK);
    check_symbols(&twcc, ".rrrrr...rrr..");
    /* of two bits, the draft's second symbol (reserved now) being large here */
    assert_int_equal(read_fci("fffe 0007 000000 00 e550 0102 030405", &twcc), ERR_MALFORMED);
    assert_int_equal(read_fci("fffe 0007 000000 00 c950 0102 030405 00", &twcc), OK);
    check_symbols(&twcc, ".rrrr..");
}

static void test_times(void **state)
{
    (void)state;
    static const int64_t TIMES[] = { 1 * 250, 0, (1 + 255) * 250, (256 + 32767) * 250,
                                     (33023 - 32768) * 250 };
    struct twcc twcc;
    struct twcc_reader reader;
    struct twcc_status status;
    assert_int_equal(read_fci("0005 0005 fffffe 09 d1a8 01 ff 7fff 8000 0000", &twcc), OK);
    assert_int_equal(twcc.reference_time, 0xfffffe);
    assert_int_equal(twcc.feedback_count, 9);
    twcc_reader_begin(&twcc, &reader);
    for (size_t i = 0; i < 5; i++) {
        assert_true(twcc_reader_next(&reader, &status));
        assert_int_equal(status.received, i != 1);
        if (status.received)
            assert_int_equal(status.at_us, TIMES[i]);
    }
}

static void test_symbols_behind_the_last_are_nothing(void **state)
{
    (void)state;
    struct twcc twcc;
    assert_int_equal(read_fci("0001 0002 000000 00 bfff 0102", &twcc), OK);
    check_symbols(&twcc, "rr");
    assert_int_equal(read_fci("0001 0002 000000 00 3fff 0102", &twcc), OK);
    check_symbols(&twcc, "rr");
    assert_int_equal(read_fci("0001 0002 000000 00 2000 0000 2002 0102", &twcc), OK);
    check_symbols(&twcc, "rr");
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "0001 0001 000000",              /* no header */
        "0001 0000 000000 00",           /* no statuses */
        "0001 0001 000000 00",           /* no chunks */
        "0001 0009 000000 00 2008 0000", /* a chunk too few */
        "0001 0002 000000 00 2002 00",   /* a delta too few */
        "0001 0002 000000 00 4002 000000",
        "0001 0002 000000 00 6002 0000", /* reserved */
        "0001 ffff 000000 00 3fff 3fff", /* many */
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        struct twcc twcc = { .feedback_count = 77 };
        assert_int_equal(read_fci(BROKEN[i], &twcc), ERR_MALFORMED);
        assert_int_equal(twcc.feedback_count, 77);
    }
}

/* By hand: 5 was lost; 6, 7 and 8 came, 8 before 7. */
static void test_written_bytes(void **state)
{
    (void)state;
    static const struct twcc_arrival ARRIVALS[] = { { 0x10006, 193000 },
                                                    { 0x10007, 256600 },
                                                    { 0x10008, 256000 } };
    uint8_t wanted[64], out[64];
    size_t size = test_read_hex("8f cd 0006 00000001 00000002 0005 0004 000003 07 c580"
                                "04 fe fffe 0000",
                                wanted);
    struct rtcp_writer writer;
    rtcp_begin(&writer, out, sizeof(out));
    assert_int_equal(twcc_add(&writer, 1, 2, 7, 0x10005, ARRIVALS, 3), 3);
    assert_int_equal(writer.size, size);
    assert_memory_equal(out, wanted, size);
}

struct expected {
    const struct twcc_arrival *arrivals;
    size_t count;
    uint64_t base;
};

/* What a feedback says is what arrived, to 250 us; gives the number behind its last. */
static uint64_t check_feedback(struct view datagram, const struct expected *expected)
{
    struct twcc twcc;
    struct twcc_reader reader;
    struct twcc_status status;
    size_t i = 0;
    assert_int_equal(read_view(datagram, &twcc), OK);
    uint64_t sequence_number = expected->base;
    if (expected->arrivals[0].sequence_number - sequence_number >= TWCC_STATUSES_MAX)
        sequence_number = expected->arrivals[0].sequence_number;
    uint64_t wrap = (uint64_t)TWCC_REFERENCE_MAX * TWCC_REFERENCE_US;
    uint64_t reference = (uint64_t)twcc.reference_time * TWCC_REFERENCE_US;
    twcc_reader_begin(&twcc, &reader);
    while (twcc_reader_next(&reader, &status)) {
        bool came = expected->arrivals[i].sequence_number == sequence_number;
        assert_int_equal(status.sequence_number, (uint16_t)sequence_number);
        assert_int_equal(status.received, came);
        if (came) {
            uint64_t at = (reference + (uint64_t)status.at_us) % wrap;
            uint64_t behind = (expected->arrivals[i].at % wrap - at) % wrap;
            assert_in_range(behind, 0, TWCC_DELTA_US - 1);
            i++;
        }
        sequence_number++;
    }
    assert_int_equal(i, expected->count);
    return sequence_number;
}

static uint32_t draw(uint64_t *random, uint32_t below)
{
    uint32_t value;
    test_random_fill(random, &value, sizeof(value));
    return value % below;
}

/* Losses alone and in bursts, reordering, silences of over eight seconds, any room. */
static void check_stream(uint64_t seed, size_t capacity)
{
    struct twcc_arrival arrivals[600];
    uint64_t random = seed;
    uint64_t sequence_number = 0x10000 + draw(&random, 0x10000);
    uint64_t base = sequence_number;
    usec now = draw(&random, UINT32_MAX) * 1000ull;
    unsigned loss = draw(&random, 30);
    size_t count = 1 + draw(&random, 600);
    for (size_t i = 0; i < count; i++) {
        if (draw(&random, 100) < loss)
            sequence_number += 1 + draw(&random, draw(&random, 10) ? 3 : 2500);
        now += draw(&random, 50) ? draw(&random, 3000) : draw(&random, 12000000);
        usec back = draw(&random, 10) ? 0 : draw(&random, 30000);
        arrivals[i] = (struct twcc_arrival){ sequence_number++, now > back ? now - back : now };
    }
    size_t done = 0;
    while (done < count) {
        uint8_t *out = malloc(capacity);
        struct rtcp_writer writer;
        rtcp_begin(&writer, out, capacity);
        size_t used = twcc_add(&writer, 1, 2, 3, base, arrivals + done, count - done);
        assert_in_range(used, 1, count - done);
        struct expected expected = { arrivals + done, used, base };
        base = check_feedback(view_make(out, writer.size), &expected);
        done += used;
        free(out);
    }
}

static void test_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        check_stream(seed, seed % 3 ? 1200 : 330 + seed);
}

/* 14 or more of one kind are one chunk. */
static void test_runs_are_short(void **state)
{
    (void)state;
    struct twcc_arrival arrivals[500];
    uint8_t out[1200];
    struct rtcp_writer writer;
    for (unsigned i = 0; i < 500; i++)
        arrivals[i] = (struct twcc_arrival){ 0x10000 + i, 64000 + 250 * i };
    rtcp_begin(&writer, out, sizeof(out));
    assert_int_equal(twcc_add(&writer, 1, 2, 0, 0x10000, arrivals, 500), 500);
    assert_int_equal(writer.size, 4 + 8 + 8 + 2 + 500 + 2);
}

static void test_no_room_or_nothing(void **state)
{
    (void)state;
    static const struct twcc_arrival ONE = { 0x10000, 64000 };
    for (size_t capacity = 0; capacity < 40; capacity++) {
        uint8_t *out = malloc(capacity + 1);
        struct rtcp_writer writer;
        rtcp_begin(&writer, out, capacity);
        assert_int_equal(twcc_add(&writer, 1, 2, 0, 0x10000, &ONE, 0), 0);
        assert_false(writer.overflow);
        assert_int_equal(twcc_add(&writer, 1, 2, 0, 0x10000, &ONE, 1), capacity >= 24);
        assert_int_equal(writer.overflow, capacity < 24);
        free(out);
    }
}

static void test_every_truncation_and_bit_flip(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_read_hex("0005 0013 fffffe 09 d1a8 9f1c 2005"
                                "01 ff 7fff 8000 0102030405060708 0102030405",
                                bytes);
    for (size_t cut = 0; cut <= size; cut++) {
        struct twcc twcc;
        uint8_t *copy = test_copy(view_make(bytes, cut));
        struct rtcp_feedback feedback = { .format = 15, .fci = view_make(copy, cut) };
        assert_int_equal(twcc_read(&feedback, &twcc), cut < 14 + 6 + 8 ? ERR_MALFORMED : OK);
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct twcc twcc;
        struct twcc_reader reader;
        struct twcc_status status;
        uint8_t *copy = test_copy(view_make(bytes, size));
        struct rtcp_feedback feedback = { .format = 15, .fci = view_make(copy, size) };
        unsigned seen = 0;
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (twcc_read(&feedback, &twcc) == OK) {
            twcc_reader_begin(&twcc, &reader);
            while (twcc_reader_next(&reader, &status))
                seen++;
            assert_int_equal(seen, twcc.status_count);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_of_the_draft),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_symbols_behind_the_last_are_nothing),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_written_bytes),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_runs_are_short),
        cmocka_unit_test(test_no_room_or_nothing),
        cmocka_unit_test(test_every_truncation_and_bit_flip),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, free_block);
}
