/* test_sctp.c - SCTP packets as RFC 9260 draws them: checksums, chunks, what is too short, and what
 * the writer makes. */
#include "support.h"

#include "base/bytes.h"
#include "wire/sctp.h"

/* bit by bit, as appendix A says it */
static uint32_t slow_crc(const uint8_t *at, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void test_crc_vectors(void **state)
{
    /* RFC 3720, appendix B.4 */
    static const struct {
        uint8_t first;
        int8_t step;
        uint32_t crc;
    } VECTORS[] = {
        { 0, 0, 0x8a9136aa },
        { 0xff, 0, 0x62a8ab43 },
        { 0, 1, 0x46dd794e },
        { 31, -1, 0x113fdb5c },
    };
    (void)state;
    for (size_t v = 0; v < sizeof VECTORS / sizeof VECTORS[0]; v++) {
        uint8_t bytes[32];
        for (int i = 0; i < 32; i++)
            bytes[i] = (uint8_t)(VECTORS[v].first + i * VECTORS[v].step);
        assert_int_equal(sctp_crc32c(view_make(bytes, 32), 32), VECTORS[v].crc);
    }
}

static void test_crc_sizes(void **state)
{
    uint8_t bytes[300];
    uint64_t seed = 7;
    (void)state;
    test_random_fill(&seed, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint8_t *copy = test_copy(view_make(bytes, size));
        assert_int_equal(sctp_crc32c(view_make(copy, size), size), slow_crc(copy, size));
        free(copy);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t one = (uint8_t)byte;
        assert_int_equal(sctp_crc32c(view_make(&one, 1), 1), slow_crc(&one, 1));
    }
    uint32_t whole = sctp_crc32c(view_make(bytes, 100), 8);
    memset(bytes + 8, 0, 4);
    assert_int_equal(whole, slow_crc(bytes, 100));
}

static uint8_t out[1200];
static struct sctp_writer writer;

static void begin(size_t capacity)
{
    sctp_begin(&writer, out, capacity, 5000, 5001, 0xa1b2c3d4);
}

static struct view written(void)
{
    sctp_seal(&writer);
    return view_make(out, writer.size);
}

/* an INIT, a DATA of five bytes, a SACK with one gap, and a FORWARD TSN */
static struct view example(void)
{
    uint8_t *at;
    begin(sizeof out);
    at = sctp_add_chunk(&writer, SCTP_CHUNK_INIT, 0, 16);
    test_read_hex("01020304 00010000 ffff 0040 00000009", at);
    at = sctp_add_parameter(&writer, SCTP_PARAMETER_EXTENSIONS, 2);
    test_read_hex("c0 82", at);
    at = sctp_add_parameter(&writer, SCTP_PARAMETER_FORWARD_TSN, 0);
    assert_non_null(at);
    at = sctp_add_chunk(&writer, SCTP_CHUNK_DATA, SCTP_DATA_B | SCTP_DATA_E, 17);
    test_read_hex("00000009 0002 0003 00000033 68656c6c6f", at);
    at = sctp_add_chunk(&writer, SCTP_CHUNK_SACK, 0, 20);
    test_read_hex("00000008 00020000 0001 0001 0002 0005 00000007", at);
    at = sctp_add_chunk(&writer, SCTP_CHUNK_FORWARD_TSN, 0, 8);
    test_read_hex("0000000b 0001 0007", at);
    return written();
}

static void test_write(void **state)
{
    uint8_t wanted[200];
    size_t size = test_read_hex("1388 1389 a1b2c3d4 00000000"
                                "01 00 0020 01020304 00010000 ffff 0040 00000009"
                                "8008 0006 c082 0000 c000 0004"
                                "00 03 0015 00000009 0002 0003 00000033 68656c6c6f 000000"
                                "03 00 0018 00000008 00020000 0001 0001 0002 0005 00000007"
                                "c0 00 000c 0000000b 0001 0007",
                                wanted);
    struct view packet = example();
    (void)state;
    uint32_t crc = slow_crc(wanted, size);
    for (int i = 0; i < 4; i++)
        wanted[8 + i] = (uint8_t)(crc >> 8 * i);
    assert_int_equal(packet.size, size);
    assert_memory_equal(packet.at, wanted, size);
}

static void test_read(void **state)
{
    struct sctp_packet packet;
    struct sctp_chunk chunk;
    struct sctp_init_chunk init;
    struct sctp_parameter parameter;
    struct sctp_data data;
    struct sctp_sack sack;
    struct sctp_forward_tsn forward;
    (void)state;
    assert_int_equal(sctp_read_packet(example(), &packet), OK);
    assert_int_equal(packet.source_port, 5000);
    assert_int_equal(packet.destination_port, 5001);
    assert_int_equal(packet.tag, 0xa1b2c3d4);

    assert_int_equal(sctp_next_chunk(&packet.chunks, &chunk), OK);
    assert_int_equal(sctp_read_init(chunk.value, &init), OK);
    assert_int_equal(init.tag, 0x01020304);
    assert_int_equal(init.streams_in, 64);
    assert_int_equal(init.initial_tsn, 9);
    assert_int_equal(sctp_next_parameter(&init.parameters, &parameter), OK);
    assert_int_equal(parameter.type, SCTP_PARAMETER_EXTENSIONS);
    assert_int_equal(parameter.value.size, 2);
    assert_int_equal(sctp_next_parameter(&init.parameters, &parameter), OK);
    assert_int_equal(parameter.type, SCTP_PARAMETER_FORWARD_TSN);
    assert_int_equal(sctp_next_parameter(&init.parameters, &parameter), ERR_NOT_FOUND);

    assert_int_equal(sctp_next_chunk(&packet.chunks, &chunk), OK);
    assert_int_equal(chunk.flags, SCTP_DATA_B | SCTP_DATA_E);
    assert_int_equal(sctp_read_data(chunk.value, &data), OK);
    assert_int_equal(data.stream, 2);
    assert_int_equal(data.ssn, 3);
    assert_int_equal(data.ppid, 51);
    assert_view(data.payload, "hello");

    assert_int_equal(sctp_next_chunk(&packet.chunks, &chunk), OK);
    assert_int_equal(sctp_read_sack(chunk.value, &sack), OK);
    assert_int_equal(sack.cumulative_tsn, 8);
    assert_int_equal(sack.gap_count, 1);
    assert_int_equal(sctp_gap_at(sack.gaps, 0).start, 2);
    assert_int_equal(sctp_gap_at(sack.gaps, 0).end, 5);

    assert_int_equal(sctp_next_chunk(&packet.chunks, &chunk), OK);
    assert_int_equal(sctp_read_forward_tsn(chunk.value, &forward), OK);
    assert_int_equal(forward.new_cumulative_tsn, 11);
    assert_int_equal(forward.skip_count, 1);
    assert_int_equal(sctp_skip_at(forward.skips, 0).ssn, 7);
    assert_int_equal(sctp_next_chunk(&packet.chunks, &chunk), ERR_NOT_FOUND);
}

static void read_all(struct view datagram)
{
    struct sctp_packet packet;
    struct sctp_chunk chunk;
    struct sctp_init_chunk init;
    struct sctp_parameter parameter;
    struct sctp_data data;
    struct sctp_sack sack;
    struct sctp_forward_tsn forward;
    if (sctp_read_packet(datagram, &packet) != OK)
        return;
    while (sctp_next_chunk(&packet.chunks, &chunk) == OK) {
        if (sctp_read_init(chunk.value, &init) == OK)
            while (sctp_next_parameter(&init.parameters, &parameter) == OK)
                assert_true(parameter.value.size <= chunk.value.size);
        if (sctp_read_data(chunk.value, &data) == OK)
            assert_true(data.payload.size > 0);
        if (sctp_read_sack(chunk.value, &sack) == OK)
            for (unsigned i = 0; i < sack.gap_count; i++)
                (void)sctp_gap_at(sack.gaps, i);
        if (sctp_read_forward_tsn(chunk.value, &forward) == OK)
            for (unsigned i = 0; i < forward.skip_count; i++)
                (void)sctp_skip_at(forward.skips, i);
    }
}

/* with the checksum put right again, so that readers get to see the damage */
static void read_damaged(struct view damaged)
{
    uint8_t *copy = test_copy(damaged);
    if (damaged.size >= SCTP_HEADER_SIZE) {
        uint32_t crc = sctp_crc32c(view_make(copy, damaged.size), 8);
        for (unsigned i = 0; i < 4; i++)
            copy[8 + i] = (uint8_t)(crc >> 8 * i);
    }
    read_all(view_make(copy, damaged.size));
    free(copy);
}

static void test_truncations(void **state)
{
    struct view packet = example();
    struct sctp_packet read;
    (void)state;
    for (size_t size = 0; size < packet.size; size++) {
        read_damaged(view_make(packet.at, size));
        assert_int_not_equal(sctp_read_packet(view_make(packet.at, size), &read), OK);
    }
}

static void test_bit_flips(void **state)
{
    struct view packet = example();
    struct sctp_packet read;
    (void)state;
    for (size_t bit = 0; bit < packet.size * 8; bit++) {
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sctp_read_packet(packet, &read), ERR_FORGED);
        read_damaged(packet);
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_too_short(void **state)
{
    static const uint8_t ZEROES[20];
    struct sctp_chunk chunk;
    struct sctp_parameter parameter;
    struct sctp_data data;
    struct sctp_init_chunk init;
    struct sctp_sack sack;
    struct sctp_forward_tsn forward;
    (void)state;
    struct view rest = view_make("\0\0\0\3", 4);
    assert_int_equal(sctp_next_chunk(&rest, &chunk), ERR_MALFORMED);
    rest = view_make("\0\0\0\5", 4);
    assert_int_equal(sctp_next_parameter(&rest, &parameter), ERR_MALFORMED);
    assert_int_equal(rest.size, 4);
    assert_int_equal(sctp_read_data(view_make(ZEROES, 12), &data), ERR_MALFORMED);
    assert_int_equal(sctp_read_data(view_make(ZEROES, 13), &data), OK);
    assert_int_equal(sctp_read_init(view_make(ZEROES, 20), &init), ERR_MALFORMED);
    assert_int_equal(sctp_read_sack(view_make(ZEROES, 11), &sack), ERR_MALFORMED);
    assert_int_equal(sctp_read_sack(view_make("\0\0\0\0\0\0\0\0\0\0\0\1", 12), &sack),
                     ERR_MALFORMED);
    assert_int_equal(sctp_read_forward_tsn(view_make(ZEROES, 3), &forward), ERR_MALFORMED);
}

static void test_no_room(void **state)
{
    (void)state;
    begin(32);
    assert_int_equal(sctp_room(&writer), 16);
    assert_null(sctp_add_chunk(&writer, SCTP_CHUNK_ERROR, 0, 17));
    assert_non_null(sctp_add_chunk(&writer, SCTP_CHUNK_ERROR, 0, 9));
    assert_int_equal(writer.size, 28);
    assert_int_equal(sctp_room(&writer), 0);
    assert_null(sctp_add_parameter(&writer, 1, 1));
    assert_non_null(sctp_add_parameter(&writer, 1, 0));
    assert_int_equal(bytes_read_16(out + 14), 20); /* with what pads the value before it */
    assert_int_equal(writer.size, 32);
}

static void test_print(void **state)
{
    char line[300];
    char cut[20];
    (void)state;
    size_t size = sctp_print(example(), line, sizeof line);
    assert_int_equal(size, strlen(line));
    assert_string_equal(line, "SCTP 5000>5001 INIT(tsn=9 window=65536 out=65535 in=64)"
                              " DATA(tsn=9 stream=2 ssn=3 ppid=51 size=5 B E)"
                              " SACK(tsn=8 window=131072 gaps=1) FORWARD-TSN(tsn=11 skips=1)");
    assert_int_equal(sctp_print(example(), cut, sizeof cut), sizeof cut - 1);
    out[20] ^= 1;
    sctp_print(view_make(out, writer.size), line, sizeof line);
    assert_string_equal(line, "SCTP: not authentic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vectors), cmocka_unit_test(test_crc_sizes),
        cmocka_unit_test(test_write),       cmocka_unit_test(test_read),
        cmocka_unit_test(test_truncations), cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_too_short),   cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
