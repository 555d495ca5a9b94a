/* test_websocket.c - frames in both directions, and the opening handshake (RFC 6455). */
#include "support.h"

#include "wire/websocket.h"

#define HELLO        "48656c6c6f"
#define MASKED_HELLO "37fa213d 7f9f4d5158"
#define PAYLOAD_MAX  100000

/* A frame out of hexadecimal digits, in memory of exactly its size. */
struct read {
    uint8_t *bytes;
    size_t size;
    int status;
    struct websocket_frame frame;
    size_t used;
};

static struct read read_hex(const char *hex, enum websocket_role role)
{
    uint8_t bytes[512];
    struct read read = { .size = test_read_hex(hex, bytes) };
    read.bytes = test_copy(view_make(bytes, read.size));
    read.status = websocket_read((struct span){ read.bytes, read.size }, role, PAYLOAD_MAX,
                                 &read.frame, &read.used);
    return read;
}

static void check_status(const char *hex, enum websocket_role role, int wanted)
{
    struct read read = read_hex(hex, role);
    assert_int_equal(read.status, wanted);
    free(read.bytes);
}

static void check_frame(const char *hex, enum websocket_role role, uint8_t opcode, bool fin,
                        const char *payload)
{
    struct read read = read_hex(hex, role);
    assert_int_equal(read.status, OK);
    assert_int_equal(read.used, read.size);
    assert_int_equal(read.frame.opcode, opcode);
    assert_int_equal(read.frame.fin, fin);
    assert_false(read.frame.deflated);
    assert_view(view_of_span(read.frame.payload), payload);
    free(read.bytes);
}

/* RFC 6455, section 5.7 */
static void test_examples(void **state)
{
    (void)state;
    check_frame("8105" HELLO, WEBSOCKET_CLIENT, WEBSOCKET_TEXT, true, "Hello");
    check_frame("8185" MASKED_HELLO, WEBSOCKET_SERVER, WEBSOCKET_TEXT, true, "Hello");
    check_frame("0103 48656c", WEBSOCKET_CLIENT, WEBSOCKET_TEXT, false, "Hel");
    check_frame("8002 6c6f", WEBSOCKET_CLIENT, WEBSOCKET_CONTINUATION, true, "lo");
    check_frame("8905" HELLO, WEBSOCKET_CLIENT, WEBSOCKET_PING, true, "Hello");
    check_frame("8a85" MASKED_HELLO, WEBSOCKET_SERVER, WEBSOCKET_PONG, true, "Hello");
}

static void test_masked_the_wrong_way(void **state)
{
    (void)state;
    check_status("8105" HELLO, WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("8185" MASKED_HELLO, WEBSOCKET_CLIENT, ERR_MALFORMED);
    check_status("8100", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("8180 00000000", WEBSOCKET_SERVER, OK);
}

/* All first bytes: reserved bits, opcodes, and what holds for control frames (section 5.5). */
static void test_every_first_byte(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t bytes[6] = { (uint8_t)first, 0x80 };
        struct websocket_frame frame;
        size_t used;
        unsigned opcode = first & 15;
        bool is_control = opcode >= 8;
        bool wanted = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        wanted = wanted && !(first & 0x30);
        if (is_control)
            wanted = wanted && first & 0x80 && !(first & 0x40);
        if (opcode == WEBSOCKET_CONTINUATION)
            wanted = wanted && !(first & 0x40);
        int status = websocket_read((struct span){ bytes, sizeof(bytes) }, WEBSOCKET_SERVER,
                                    PAYLOAD_MAX, &frame, &used);
        assert_int_equal(status, wanted ? OK : ERR_MALFORMED);
        if (wanted) {
            assert_int_equal(frame.deflated, (first & 0x40) != 0);
            assert_int_equal(frame.fin, first >> 7);
            assert_int_equal(frame.opcode, opcode);
        }
    }
}

static void test_long_control_frames(void **state)
{
    (void)state;
    check_status("89fd", WEBSOCKET_SERVER, ERR_MORE); /* 125 */
    check_status("89fe", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("89fe 007e", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("88ff", WEBSOCKET_SERVER, ERR_MALFORMED);
}

static void test_lengths_not_in_the_shortest_form(void **state)
{
    (void)state;
    check_status("82fe 0000", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("82fe 007d", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("82fe 007e", WEBSOCKET_SERVER, ERR_MORE);
    check_status("82ff 0000000000000000", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("82ff 000000000000ffff", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("82ff 0000000000010000", WEBSOCKET_SERVER, ERR_MORE);
}

static void test_lengths_over_the_limit(void **state)
{
    (void)state;
    check_status("82ff 00000000000186a0", WEBSOCKET_SERVER, ERR_MORE);
    check_status("82ff 00000000000186a1", WEBSOCKET_SERVER, ERR_LIMIT);
    check_status("82ff 0000000100000000", WEBSOCKET_SERVER, ERR_LIMIT);
    check_status("82ff 7fffffffffffffff", WEBSOCKET_SERVER, ERR_LIMIT);
    check_status("82ff 8000000000000000", WEBSOCKET_SERVER, ERR_MALFORMED);
    check_status("82ff ffffffffffffffff", WEBSOCKET_SERVER, ERR_MALFORMED);
}

/* A client's frame of `size` bytes and two bytes behind it, in memory of its own. */
static uint8_t *make_frame(uint8_t *payload, size_t size, size_t *frame_size)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t header[WEBSOCKET_HEADER_MAX];
    uint8_t *masked = test_copy(view_make(payload, size));
    size_t header_size = websocket_write_masked(WEBSOCKET_BINARY, true, false, mask,
                                                (struct span){ masked, size }, header);
    uint8_t *bytes = calloc(1, header_size + size + 2);
    memcpy(bytes, header, header_size);
    memcpy(bytes + header_size, masked, size);
    free(masked);
    *frame_size = header_size + size;
    return bytes;
}

/* Sizes at which the header grows, and around the eight bytes that are unmasked at once. */
static void test_every_interesting_size(void **state)
{
    (void)state;
    static const size_t SIZES[] = { 0,  1,  2,   3,   4,   5,   7,     8,     9,     15,   16,
                                    17, 31, 124, 125, 126, 127, 65534, 65535, 65536, 65537 };
    uint64_t seed = 1;
    uint8_t *payload = malloc(65537);
    test_random_fill(&seed, payload, 65537);
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        size_t frame_size, used;
        struct websocket_frame frame;
        uint8_t *bytes = make_frame(payload, SIZES[i], &frame_size);
        assert_int_equal(frame_size - SIZES[i], SIZES[i] <= 125 ? 6 : SIZES[i] <= 65535 ? 8 : 14);
        int status = websocket_read((struct span){ bytes, frame_size + 2 }, WEBSOCKET_SERVER,
                                    SIZES[i], &frame, &used);
        assert_int_equal(status, OK);
        assert_int_equal(used, frame_size);
        assert_int_equal(frame.payload.size, SIZES[i]);
        assert_memory_equal(frame.payload.at, payload, SIZES[i]);
        free(bytes);
    }
    free(payload);
}

/* ERR_MORE changes nothing, and the sizes that it asks for lead to the whole frame. */
static void test_every_cut(void **state)
{
    (void)state;
    static const size_t SIZES[] = { 0, 5, 125, 126, 65536 };
    uint8_t *payload = calloc(1, 65536);
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        size_t frame_size, used;
        struct websocket_frame frame = { .opcode = 77 };
        uint8_t *bytes = make_frame(payload, SIZES[i], &frame_size);
        for (size_t cut = 0; cut < frame_size; cut += cut < 20 ? 1 : 1 + frame_size / 64) {
            uint8_t *copy = test_copy(view_make(bytes, cut));
            int status = websocket_read((struct span){ copy, cut }, WEBSOCKET_SERVER, PAYLOAD_MAX,
                                        &frame, &used);
            assert_int_equal(status, ERR_MORE);
            assert_in_range(used, cut + 1, frame_size);
            assert_memory_equal(copy, bytes, cut);
            assert_int_equal(frame.opcode, 77);
            free(copy);
        }
        free(bytes);
    }
    free(payload);
}

static void test_two_frames(void **state)
{
    (void)state;
    struct read read = read_hex("8185" MASKED_HELLO "8180 11223344", WEBSOCKET_SERVER);
    assert_int_equal(read.status, OK);
    assert_int_equal(read.used, 11);
    struct span rest = { read.bytes + read.used, read.size - read.used };
    int status = websocket_read(rest, WEBSOCKET_SERVER, PAYLOAD_MAX, &read.frame, &read.used);
    assert_int_equal(status, OK);
    assert_int_equal(read.used, 6);
    assert_int_equal(read.frame.payload.size, 0);
    free(read.bytes);
}

static void check_header(uint8_t opcode, bool fin, bool deflated, size_t size, const char *hex)
{
    uint8_t out[WEBSOCKET_HEADER_MAX];
    uint8_t wanted[WEBSOCKET_HEADER_MAX];
    size_t wanted_size = test_read_hex(hex, wanted);
    assert_int_equal(websocket_write_header(opcode, fin, deflated, size, out), wanted_size);
    assert_memory_equal(out, wanted, wanted_size);
}

static void test_headers_of_a_server(void **state)
{
    (void)state;
    check_header(WEBSOCKET_TEXT, true, false, 0, "8100");
    check_header(WEBSOCKET_TEXT, false, true, 125, "417d");
    check_header(WEBSOCKET_CONTINUATION, true, false, 126, "807e 007e");
    check_header(WEBSOCKET_BINARY, true, false, 256, "827e 0100");
    check_header(WEBSOCKET_BINARY, true, false, 65535, "827e ffff");
    check_header(WEBSOCKET_BINARY, true, false, 65536, "827f 0000000000010000");
    check_header(WEBSOCKET_CLOSE, true, false, 2, "8802");
}

/* Section 7.4, and what the registry of close codes has since. */
static void test_close_codes(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 65536; code++) {
        bool wanted = (code >= 1000 && code < 5000);
        if (code >= 1015 && code < 3000) /* 1015 is never sent, the others are nobody's */
            wanted = false;
        if (code >= 1004 && code <= 1006) /* reserved; "none came"; "it broke" */
            wanted = false;
        assert_int_equal(websocket_close_code_valid((uint16_t)code), wanted);
    }
}

/* Section 1.3 */
static void test_accept(void **state)
{
    (void)state;
    char out[WEBSOCKET_ACCEPT_SIZE];
    websocket_accept(VIEW("dGhlIHNhbXBsZSBub25jZQ=="), out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    websocket_accept(VIEW(""), out);
    assert_int_equal(strlen(out), WEBSOCKET_ACCEPT_SIZE - 1);
    uint8_t long_key[500] = { 0 };
    websocket_accept(view_make(long_key, sizeof(long_key)), out);
    assert_int_equal(strlen(out), WEBSOCKET_ACCEPT_SIZE - 1);
}

static void test_keys(void **state)
{
    (void)state;
    assert_true(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_true(websocket_key_valid(VIEW("++++////AAAAzzzz000099==")));
    assert_false(websocket_key_valid(VIEW("")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25jZQ=")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25jZQ=A")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25jZQA=")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25j-_==")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhb BsZSBub25jZQ==")));
    assert_false(websocket_key_valid(VIEW("dGhlIHNhbXBsZSBub25jZQ==A")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_masked_the_wrong_way),
        cmocka_unit_test(test_every_first_byte),
        cmocka_unit_test(test_long_control_frames),
        cmocka_unit_test(test_lengths_not_in_the_shortest_form),
        cmocka_unit_test(test_lengths_over_the_limit),
        cmocka_unit_test(test_every_interesting_size),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_two_frames),
        cmocka_unit_test(test_headers_of_a_server),
        cmocka_unit_test(test_close_codes),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_keys),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
