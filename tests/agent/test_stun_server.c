/* test_stun_server.c - binding requests and their answers, byte by byte; what is not answered; and
 * streams of them cut at every place. */
#include "support.h"

#include "agent/stun_server.h"

static struct metrics metrics;

static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                                            0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae };
/* as in RFC 5769, sections 2.2 and 2.3 */
static const struct address IPV4 = { .family = ADDRESS_IPV4,
                                     .bytes = { 192, 0, 2, 1 },
                                     .port = 32853 };
static const struct address IPV6 = { .family = ADDRESS_IPV6,
                                     .bytes = { 0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0,
                                                0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 },
                                     .port = 32853 };

static int setup(void **state)
{
    (void)state;
    memset(&metrics, 0, sizeof(metrics));
    return 0;
}

static void assert_counted(unsigned answered, unsigned refused, unsigned dropped)
{
    assert_int_equal(metrics_read(&metrics, METRIC_STUN_ANSWERED), answered);
    assert_int_equal(metrics_read(&metrics, METRIC_STUN_REFUSED), refused);
    assert_int_equal(metrics_read(&metrics, METRIC_STUN_DROPPED), dropped);
    memset(&metrics, 0, sizeof(metrics));
}

/* The size of the answer to a request that lies in memory of exactly its size. */
static size_t answer(struct view request, const struct address *from, uint8_t *out, size_t capacity)
{
    uint8_t *copy = test_copy(request);
    size_t size =
        stun_server_datagram(view_make(copy, request.size), from, &metrics, out, capacity);
    free(copy);
    assert_in_range(size, 0, capacity);
    return size;
}

static void begin(struct stun_writer *writer, uint8_t *out, size_t capacity)
{
    stun_begin(writer, out, capacity, STUN_REQUEST, STUN_BINDING, TRANSACTION);
}

static void assert_answer(struct view request, const struct address *from, const char *hex)
{
    uint8_t out[256], wanted[256];
    size_t wanted_size = test_read_hex(hex, wanted);
    size_t size = answer(request, from, out, sizeof(out));
    assert_int_equal(size, wanted_size);
    assert_memory_equal(out, wanted, wanted_size);
}

static void test_answers(void **state)
{
    (void)state;
    uint8_t request[64];
    size_t size = test_read_hex("0001 0000 2112a442 b7e7a701bc34d686fa87dfae", request);
    assert_answer(view_make(request, size), &IPV4,
                  "0101 000c 2112a442 b7e7a701bc34d686fa87dfae"
                  "0020 0008 0001 a147 e112a643");
    assert_answer(view_make(request, size), &IPV6,
                  "0101 0018 2112a442 b7e7a701bc34d686fa87dfae"
                  "0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9");
    assert_counted(2, 0, 0);
}

/* FINGERPRINT is there where the request bore it, and is right. */
static void test_fingerprint(void **state)
{
    (void)state;
    uint8_t request[64], out[64];
    struct stun_writer writer;
    struct stun_msg msg;
    struct address seen;
    begin(&writer, request, sizeof(request));
    stun_add_fingerprint(&writer);
    size_t size = answer(view_make(request, writer.size), &IPV4, out, sizeof(out));
    assert_int_equal(size, 20 + 12 + 8);
    assert_int_equal(stun_read(view_make(out, size), &msg), OK);
    assert_true(msg.has_fingerprint);
    assert_int_equal(msg.attr_count, 2);
    assert_int_equal(stun_read_xor_address(&msg, &msg.attrs[0], &seen), OK);
    assert_true(address_equal(&seen, &IPV4));
    request[writer.size - 1] ^= 1;
    assert_int_equal(answer(view_make(request, writer.size), &IPV4, out, sizeof(out)), 0);
    assert_counted(1, 0, 1);
}

/* Section 6.3.1: unknown attributes below 0x8000 are named in a 420, each once; others are passed
 * over, as are those that other uses of STUN bring. */
static void test_unknown_attributes(void **state)
{
    (void)state;
    uint8_t request[256];
    struct stun_writer writer;
    begin(&writer, request, sizeof(request));
    stun_add(&writer, STUN_USERNAME, VIEW("a:b"));
    stun_add(&writer, STUN_SOFTWARE, VIEW("test"));
    stun_add(&writer, 0xbfff, VIEW(""));
    stun_add(&writer, STUN_PRIORITY, VIEW("\x01\x02\x03\x04"));
    stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, VIEW("key"));
    assert_false(writer.overflow);
    assert_answer(view_make(request, writer.size), &IPV4,
                  "0101 000c 2112a442 b7e7a701bc34d686fa87dfae"
                  "0020 0008 0001 a147 e112a643");

    begin(&writer, request, sizeof(request));
    stun_add(&writer, 0x7fff, VIEW("abc"));
    assert_answer(view_make(request, writer.size), &IPV4,
                  "0111 0010 2112a442 b7e7a701bc34d686fa87dfae"
                  "0009 0004 00000414"
                  "000a 0002 7fff 0000");
    stun_add(&writer, STUN_SOFTWARE, VIEW("test"));
    stun_add(&writer, 0x0003, VIEW("\0\0\0\2")); /* CHANGE-REQUEST: no answers to elsewhere */
    stun_add(&writer, 0x7fff, VIEW(""));
    assert_answer(view_make(request, writer.size), &IPV4,
                  "0111 0010 2112a442 b7e7a701bc34d686fa87dfae"
                  "0009 0004 00000414"
                  "000a 0004 7fff 0003");
    assert_counted(1, 2, 0);
}

/* As many unknown attributes as a message may have, and one more. */
static void test_many_attributes(void **state)
{
    (void)state;
    uint8_t request[512], out[256];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, request, sizeof(request));
    for (unsigned i = 0; i < STUN_ATTRS_MAX; i++)
        stun_add(&writer, (uint16_t)(0x4000 + i), VIEW(""));
    size_t size = answer(view_make(request, writer.size), &IPV4, out, sizeof(out));
    assert_int_equal(stun_read(view_make(out, size), &msg), OK);
    const struct stun_attr *unknown = stun_find(&msg, STUN_UNKNOWN_ATTRIBUTES);
    assert_non_null(unknown);
    assert_int_equal(unknown->value.size, 2 * STUN_ATTRS_MAX);
    assert_true(size <= writer.size);
    stun_add(&writer, 0x4fff, VIEW(""));
    assert_int_equal(answer(view_make(request, writer.size), &IPV4, out, sizeof(out)), 0);
    assert_counted(0, 1, 1);
}

/* Only binding requests are answered: two servers can't be made to talk with one another. */
static void test_not_answered(void **state)
{
    (void)state;
    uint8_t request[64], out[64];
    struct stun_writer writer;
    unsigned answered = 0, dropped = 0;
    for (unsigned method = 0; method < 0x1000; method++) {
        for (int class = STUN_REQUEST; class <= STUN_ERROR; class ++) {
            stun_begin(&writer, request, sizeof(request), (enum stun_class) class, (uint16_t)method,
                       TRANSACTION);
            size_t size = answer(view_make(request, writer.size), &IPV4, out, sizeof(out));
            bool is_ours = method == STUN_BINDING && class == STUN_REQUEST;
            assert_int_equal(size > 0, is_ours);
            answered += is_ours;
            dropped += !is_ours;
        }
    }
    assert_counted(answered, 0, dropped);
    assert_int_equal(answered, 1);
}

/* Every beginning of a request, and every bit of it turned: an answer bears the request's own
 * transaction, and is never much larger than what asked for it. */
static void test_broken(void **state)
{
    (void)state;
    uint8_t request[128], out[256];
    struct stun_writer writer;
    struct stun_msg msg;
    begin(&writer, request, sizeof(request));
    stun_add(&writer, STUN_USERNAME, VIEW("abc"));
    stun_add(&writer, 0x7fff, VIEW("x"));
    for (size_t size = 0; size < writer.size; size++)
        assert_int_equal(answer(view_make(request, size), &IPV4, out, sizeof(out)), 0);
    assert_counted(0, 0, (unsigned)writer.size);
    for (size_t bit = 0; bit < 8 * writer.size; bit++) {
        request[bit / 8] ^= (uint8_t)(1u << bit % 8);
        size_t size = answer(view_make(request, writer.size), &IPV6, out, sizeof(out));
        assert_true(size <= writer.size + 24);
        if (size) {
            assert_int_equal(stun_read(view_make(out, size), &msg), OK);
            assert_memory_equal(out + 4, request + 4, 16);
        }
        request[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* An answer that does not fit is none, and nothing is written past the end. */
static void test_small_answer_memory(void **state)
{
    (void)state;
    uint8_t request[64];
    struct stun_writer writer;
    begin(&writer, request, sizeof(request));
    stun_add_fingerprint(&writer);
    for (size_t capacity = 20; capacity <= 40; capacity++) {
        uint8_t *out = malloc(capacity);
        size_t size = answer(view_make(request, writer.size), &IPV4, out, capacity);
        assert_int_equal(size, capacity < 40 ? 0 : 40);
        free(out);
    }
    assert_counted(1, 0, 20);
}

/* A stream of messages, a dead one among them, in pieces that end at the cuts; gives the answers
 * one behind the other. */
static size_t feed(struct view bytes, size_t a, size_t b, uint8_t out[512])
{
    const size_t cuts[] = { a, b, bytes.size };
    size_t from = 0, out_size = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *copy = test_copy(view_slice(bytes, from, cuts[i] - from));
        struct view rest = view_make(copy, cuts[i] - from);
        int status = OK;
        while (status == OK) {
            size_t used = SIZE_MAX, size = SIZE_MAX;
            status = stun_server_stream(rest, &IPV4, &metrics, out + out_size, 512 - out_size,
                                        &used, &size);
            if (status != OK)
                break;
            out_size += size;
            from += used;
            rest = view_slice(rest, used, rest.size);
        }
        assert_int_equal(status, ERR_MORE);
        free(copy);
    }
    assert_int_equal(from, bytes.size);
    return out_size;
}

static void test_stream_cut_everywhere(void **state)
{
    (void)state;
    uint8_t bytes[256], whole[512], cut[512];
    struct stun_writer writer;
    begin(&writer, bytes, sizeof(bytes));
    stun_add(&writer, STUN_SOFTWARE, VIEW("abcde"));
    size_t size = writer.size;
    stun_begin(&writer, bytes + size, sizeof(bytes) - size, STUN_INDICATION, STUN_BINDING,
               TRANSACTION);
    size += writer.size;
    begin(&writer, bytes + size, sizeof(bytes) - size);
    stun_add(&writer, 0x7fff, VIEW(""));
    size += writer.size;
    size_t whole_size = feed(view_make(bytes, size), 0, 0, whole);
    assert_int_equal(whole_size, 20 + 12 + 20 + 8 + 8);
    assert_counted(1, 1, 1);
    for (size_t a = 0; a <= size; a++) {
        for (size_t b = a; b <= size; b++) {
            assert_int_equal(feed(view_make(bytes, size), a, b, cut), whole_size);
            assert_memory_equal(cut, whole, whole_size);
        }
    }
}

/* A stream ends with the first bytes that are no STUN, and with a length over the limit, which is
 * known as soon as the header is there. */
static void test_stream_that_ends(void **state)
{
    (void)state;
    static uint8_t bytes[STUN_STREAM_MESSAGE_MAX + 4];
    static const uint8_t SOFTWARE[STUN_STREAM_MESSAGE_MAX - 24] = "long";
    uint8_t out[64];
    size_t used = 0, size = 0;
    struct stun_writer writer;
    int status = stun_server_stream(VIEW("GET /"), &IPV4, &metrics, out, 64, &used, &size);
    assert_int_equal(status, ERR_MALFORMED);
    assert_counted(0, 0, 1);
    status = stun_server_stream(view_make(NULL, 0), &IPV4, &metrics, out, 64, &used, &size);
    assert_int_equal(status, ERR_MORE);

    begin(&writer, bytes, sizeof(bytes));
    stun_add(&writer, STUN_SOFTWARE, view_make(SOFTWARE, sizeof(SOFTWARE)));
    assert_int_equal(writer.size, STUN_STREAM_MESSAGE_MAX);
    status = stun_server_stream(view_make(bytes, writer.size - 1), &IPV4, &metrics, out, 64, &used,
                                &size);
    assert_int_equal(status, ERR_MORE);
    assert_counted(0, 0, 0);
    status =
        stun_server_stream(view_make(bytes, writer.size), &IPV4, &metrics, out, 64, &used, &size);
    assert_int_equal(status, OK);
    assert_int_equal(used, STUN_STREAM_MESSAGE_MAX);
    assert_int_equal(size, 32);
    assert_counted(1, 0, 0);

    stun_add(&writer, STUN_SOFTWARE, VIEW(""));
    assert_false(writer.overflow);
    status = stun_server_stream(view_make(bytes, STUN_HEADER_SIZE), &IPV4, &metrics, out, 64, &used,
                                &size);
    assert_int_equal(status, ERR_MALFORMED);
    assert_counted(0, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers, setup),
        cmocka_unit_test_setup(test_fingerprint, setup),
        cmocka_unit_test_setup(test_unknown_attributes, setup),
        cmocka_unit_test_setup(test_many_attributes, setup),
        cmocka_unit_test_setup(test_not_answered, setup),
        cmocka_unit_test_setup(test_broken, setup),
        cmocka_unit_test_setup(test_small_answer_memory, setup),
        cmocka_unit_test_setup(test_stream_cut_everywhere, setup),
        cmocka_unit_test_setup(test_stream_that_ends, setup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
