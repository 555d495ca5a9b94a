/* test_ws_frame.c - the frames that a server makes: one form for all, deflated once for those who
 * take it, and closes.  They are read back as a client would. */
#include "support.h"

#include "agent/ws_session.h"

static struct buffers *buffers;
static struct ws_workshop workshop;
static uint8_t bytes[WS_MESSAGE_MAX + 1];

static int setup(void **state)
{
    (void)state;
    uint64_t seed = 7;
    if (buffers_new(4 * 1024 * 1024, &buffers) != OK)
        return -1;
    workshop.buffers = buffers;
    test_random_fill(&seed, bytes, sizeof(bytes));
    return deflate_new(&workshop.deflater);
}

static int teardown(void **state)
{
    (void)state;
    deflate_free(workshop.deflater);
    if (buffers_used(buffers)) /* a leak, or the test stopped halfway */
        return -1;
    buffers_free(buffers);
    return 0;
}

static void make_compressible(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)('a' + i % 7);
}

static struct websocket_frame read_frame(struct buffer *buffer)
{
    struct websocket_frame frame;
    size_t used;
    struct span span = { buffer->bytes, buffer->size };
    assert_int_equal(websocket_read(span, WEBSOCKET_CLIENT, sizeof(bytes), &frame, &used), OK);
    assert_int_equal(used, buffer->size);
    assert_true(frame.fin);
    return frame;
}

static const size_t SIZES[] = { 0, 1, 125, 126, 127, 1000, 65535, WS_MESSAGE_MAX };
#define SIZE_COUNT (sizeof(SIZES) / sizeof(SIZES[0]))

static void test_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct buffer *buffer = NULL;
        assert_int_equal(
            ws_frame(buffers, WEBSOCKET_BINARY, view_make(i ? bytes : NULL, SIZES[i]), &buffer),
            OK);
        struct websocket_frame frame = read_frame(buffer);
        assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
        assert_false(frame.deflated);
        assert_int_equal(frame.payload.size, SIZES[i]);
        if (SIZES[i])
            assert_memory_equal(frame.payload.at, bytes, SIZES[i]);
        buffer_give(buffers, buffer);
    }
    struct buffer *untouched = NULL;
    assert_int_equal(
        ws_frame(buffers, WEBSOCKET_TEXT, view_make(bytes, WS_FRAME_MAX + 1), &untouched),
        ERR_LIMIT);
    assert_null(untouched);
}

static struct buffer *make_frame(enum websocket_opcode opcode, size_t size)
{
    struct buffer *buffer;
    assert_int_equal(ws_frame(buffers, opcode, view_make(bytes, size), &buffer), OK);
    return buffer;
}

/* The deflated form is made once, is smaller, and is what the message was. */
static void test_deflated_once(void **state)
{
    (void)state;
    struct ws_session plain = { 0 }, a = { .deflate = true }, b = { .deflate = true };
    make_compressible();
    for (size_t size = WS_DEFLATE_MIN; size <= WS_MESSAGE_MAX; size = size * 2 - size % 3) {
        size_t inflated_size;
        struct buffer *buffer = make_frame(WEBSOCKET_TEXT, size);
        assert_ptr_equal(ws_frame_for(&plain, &workshop, buffer), buffer);
        assert_null(buffer->deflated); /* nobody asked for it */
        struct buffer *deflated = ws_frame_for(&a, &workshop, buffer);
        assert_ptr_equal(ws_frame_for(&b, &workshop, buffer), deflated);
        assert_ptr_equal(ws_frame_for(&plain, &workshop, buffer), buffer);
        assert_ptr_equal(buffer->deflated, deflated);
        assert_true(deflated->size < buffer->size);

        struct websocket_frame frame = read_frame(deflated);
        assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
        assert_true(frame.deflated);
        assert_int_equal(deflate_read(workshop.deflater, view_of_span(frame.payload),
                                      workshop.inflated, sizeof(workshop.inflated), &inflated_size),
                         OK);
        assert_int_equal(inflated_size, size);
        assert_memory_equal(workshop.inflated, bytes, size);
        buffer_give(buffers, buffer); /* and the deflated form with it */
        assert_int_equal(buffers_used(buffers), 0);
    }
}

/* Messages whose deflated size is around where the header grows (125 and 126 bytes). */
static void test_deflated_headers(void **state)
{
    (void)state;
    struct ws_session session = { .deflate = true };
    uint8_t noise[200];
    unsigned short_headers = 0, long_headers = 0;
    memcpy(noise, bytes, sizeof(noise));
    for (size_t noisy = 20; noisy < sizeof(noise); noisy++) {
        size_t size;
        memset(bytes, 'a', 2000);
        memcpy(bytes, noise, noisy);
        struct buffer *buffer = make_frame(WEBSOCKET_BINARY, 2000);
        struct websocket_frame frame = read_frame(ws_frame_for(&session, &workshop, buffer));
        assert_true(frame.deflated);
        frame.payload.size <= 125 ? short_headers++ : long_headers++;
        assert_int_equal(deflate_read(workshop.deflater, view_of_span(frame.payload),
                                      workshop.inflated, sizeof(workshop.inflated), &size),
                         OK);
        assert_int_equal(size, 2000);
        assert_memory_equal(workshop.inflated, bytes, 2000);
        buffer_give(buffers, buffer);
    }
    assert_true(short_headers > 0 && long_headers > 0);
}

/* What is small, a control frame, or not to be made smaller goes as it is. */
static void test_not_deflated(void **state)
{
    (void)state;
    struct ws_session session = { .deflate = true };
    for (size_t i = 0; i < SIZE_COUNT; i++) { /* noise */
        struct buffer *buffer = make_frame(WEBSOCKET_BINARY, SIZES[i]);
        assert_ptr_equal(ws_frame_for(&session, &workshop, buffer), buffer);
        buffer_give(buffers, buffer);
        assert_int_equal(buffers_used(buffers), 0);
    }
    make_compressible();
    struct buffer *ping = make_frame(WEBSOCKET_PING, 125);
    struct buffer *small = make_frame(WEBSOCKET_TEXT, WS_DEFLATE_MIN - 5);
    assert_ptr_equal(ws_frame_for(&session, &workshop, ping), ping);
    assert_ptr_equal(ws_frame_for(&session, &workshop, small), small);
    buffer_give(buffers, small);
    buffer_give(buffers, ping);
}

/* Without memory for the deflated form, the message goes as it is. */
static void test_no_memory(void **state)
{
    (void)state;
    struct ws_session session = { .deflate = true };
    struct buffers *store = buffers, *empty;
    struct buffer *untouched = NULL;
    make_compressible();
    struct buffer *buffer = make_frame(WEBSOCKET_TEXT, 5000);
    assert_int_equal(buffers_new(0, &empty), OK);
    workshop.buffers = empty;
    assert_ptr_equal(ws_frame_for(&session, &workshop, buffer), buffer);
    assert_int_equal(ws_frame(empty, WEBSOCKET_TEXT, VIEW("a"), &untouched), ERR_LIMIT);
    assert_int_equal(ws_close(&session, empty, 1000, VIEW(""), &untouched), ERR_LIMIT);
    assert_null(untouched);
    assert_false(session.close_sent);
    workshop.buffers = store;
    buffer_give(buffers, buffer);
    buffers_free(empty);
}

static void assert_close(uint16_t code, struct view reason, const char *payload, size_t size)
{
    struct ws_session session = { 0 };
    struct buffer *buffer;
    assert_int_equal(ws_close(&session, buffers, code, reason, &buffer), OK);
    assert_true(session.close_sent);
    struct websocket_frame frame = read_frame(buffer);
    assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
    assert_int_equal(frame.payload.size, size);
    if (size)
        assert_memory_equal(frame.payload.at, payload, size);
    buffer_give(buffers, buffer);
}

static void test_closes(void **state)
{
    (void)state;
    assert_close(1000, VIEW(""), "\x03\xe8", 2);
    assert_close(1001, VIEW("going"), "\x03\xe9going", 7);
    assert_close(1005, VIEW("not sent"), NULL, 0); /* RFC 6455, section 7.4.1 */

    /* a long reason is cut to what fits, between two characters */
    char payload[2 + 200] = "\x03\xe8";
    struct view reason = view_make(payload + 2, 200);
    memset(payload + 2, 'r', 200);
    assert_close(1000, reason, payload, 125);
    assert_close(1000, view_slice(reason, 0, 123), payload, 125);
    memcpy(payload + 2 + 119, "\xf0\x9f\x98\x80", 4);
    assert_close(1000, reason, payload, 125); /* it just fits */
    for (size_t cut = 1; cut < 4; cut++) {
        memset(payload + 2, 'r', 200);
        memcpy(payload + 2 + 119 + cut, "\xf0\x9f\x98\x80", 4);
        assert_close(1000, reason, payload, 125 - (4 - cut));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deflated_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deflated_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_deflated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closes, setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
