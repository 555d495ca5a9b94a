/* test_ws_session.c - one end of a WebSocket: frames cut at every place, messages in fragments, the
 * rules that a peer can break, and limits. */
#include "support.h"

#include "agent/ws_session.h"

static struct buffers *buffers;
static struct ws_workshop workshop;

/* The client's frames of the test that runs. */
static uint8_t frames[WS_MESSAGE_MAX + 64 * 1024];
static size_t frames_size;

static int setup(void **state)
{
    (void)state;
    frames_size = 0;
    if (buffers_new(4 * 1024 * 1024, &buffers) != OK)
        return -1;
    workshop.buffers = buffers;
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

#define FIN     0x80
#define DEFLATE 0x40

/* Adds a client's frame; first is its opcode and FIN and DEFLATE. */
static void add_frame(unsigned first, struct view payload)
{
    static uint8_t copy[WS_MESSAGE_MAX + 1];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    uint8_t mask[4] = { 0x5a, 0xc3, 0x01, 0xff };
    assert_in_range(payload.size, 0, sizeof(copy));
    if (payload.size)
        memcpy(copy, payload.at, payload.size);
    mask[2] = (uint8_t)frames_size; /* another for each */
    size_t size = websocket_write_masked(first & 0x0f, first & FIN, first & DEFLATE, mask,
                                         (struct span){ copy, payload.size }, header);
    assert_in_range(frames_size + size + payload.size, 0, sizeof(frames));
    memcpy(frames + frames_size, header, size);
    memcpy(frames + frames_size + size, copy, payload.size);
    frames_size += size + payload.size;
}

/* What a session told, as text: "text abc; ping x; close 1000 bye". */
struct told {
    char text[2048];
    size_t size;
    bool failed;
};

static void tell_event(struct told *told, const struct ws_event *event)
{
    static const char *const KINDS[] = {
        "wait", "text", "binary", "ping", "pong", "close", "failed"
    };
    char code[16] = "";
    bool has_code = event->kind == WS_CLOSE || event->kind == WS_FAILED;
    struct view payload = event->kind == WS_FAILED ? VIEW("") : event->payload;
    if (has_code)
        snprintf(code, sizeof(code), " %u", event->code);
    else
        assert_int_equal(event->code, 0);
    int size = snprintf(told->text + told->size, sizeof(told->text) - told->size, "%s%s%s%s%.*s",
                        told->size ? "; " : "", KINDS[event->kind], code, payload.size ? " " : "",
                        VIEW_ARGS(payload));
    told->size += (size_t)size;
    assert_in_range(told->size, 1, sizeof(told->text) - 1);
    told->failed = event->kind == WS_FAILED;
}

/* Gives a session the frames in pieces that end at the cuts; what it does not use is given again
 * with the next piece, in other memory of exactly its size. */
static void feed(struct view bytes, bool deflate, const size_t *cuts, size_t cut_count,
                 struct told *told)
{
    struct ws_session session = { .deflate = deflate };
    size_t from = 0;
    *told = (struct told){ 0 };
    for (size_t i = 0; i <= cut_count && !told->failed; i++) {
        size_t to = i < cut_count ? cuts[i] : bytes.size;
        uint8_t *copy = test_copy(view_slice(bytes, from, to - from));
        struct span rest = { copy, to - from };
        struct ws_event event = { .kind = WS_PONG };
        while (event.kind != WS_WAIT && !told->failed) {
            size_t used;
            ws_session_read(&session, &workshop, rest, &used, &event);
            assert_in_range(used, 0, rest.size);
            rest = span_behind(rest, used);
            from += used;
            if (event.kind != WS_WAIT)
                tell_event(told, &event);
        }
        free(copy);
    }
    if (!told->failed && session.message_opcode == 0)
        assert_int_equal(buffers_used(buffers), 0); /* an idle session owns nothing */
    ws_session_clear(&session, buffers);
    assert_int_equal(buffers_used(buffers), 0);
}

/* The same is told however the frames are cut; without their end, the beginning of it. */
static void assert_told(bool deflate, const char *wanted)
{
    struct told told;
    struct view bytes = view_make(frames, frames_size);
    feed(bytes, deflate, NULL, 0, &told);
    assert_string_equal(told.text, wanted);
    for (size_t a = 0; a <= bytes.size; a++) {
        for (size_t b = a; b <= bytes.size; b++) {
            feed(bytes, deflate, (size_t[]){ a, b }, 2, &told);
            assert_string_equal(told.text, wanted);
        }
        feed(view_slice(bytes, 0, a), deflate, NULL, 0, &told);
        assert_memory_equal(told.text, wanted, told.size);
    }
    size_t each[1024];
    assert_in_range(bytes.size, 1, 1024);
    for (size_t i = 0; i < bytes.size; i++)
        each[i] = i + 1;
    feed(bytes, deflate, each, bytes.size, &told);
    assert_string_equal(told.text, wanted);
    frames_size = 0;
}

static void test_messages(void **state)
{
    (void)state;
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("abc"));
    add_frame(FIN | WEBSOCKET_BINARY, VIEW("\xff\xfe"));
    add_frame(FIN | WEBSOCKET_TEXT, VIEW(""));
    add_frame(FIN | WEBSOCKET_PING, VIEW("p"));
    add_frame(FIN | WEBSOCKET_PONG, VIEW(""));
    add_frame(FIN | WEBSOCKET_CLOSE, VIEW("\x03\xe8\x62ye"));
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("behind the close"));
    add_frame(3, VIEW("nonsense"));
    assert_told(false, "text abc; binary \xff\xfe; text; ping p; pong; close 1000 bye");
}

/* Control frames may stand between fragments, but not a message (RFC 6455, section 5.4). */
static void test_fragments(void **state)
{
    (void)state;
    add_frame(WEBSOCKET_TEXT, VIEW("\xea\xb0")); /* a character cut in two */
    add_frame(FIN | WEBSOCKET_PING, VIEW("p"));
    add_frame(WEBSOCKET_CONTINUATION, VIEW(""));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW("\x80!"));
    add_frame(WEBSOCKET_BINARY, VIEW(""));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW(""));
    add_frame(WEBSOCKET_TEXT, VIEW(""));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW("x"));
    add_frame(WEBSOCKET_TEXT, VIEW("a"));
    add_frame(FIN | WEBSOCKET_CLOSE, VIEW(""));
    assert_told(false, "ping p; text \xea\xb0\x80!; binary; text x; close 1005");
}

static void assert_fault(bool deflate, const char *wanted)
{
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("not told"));
    assert_told(deflate, wanted);
}

static void test_faults(void **state)
{
    (void)state;
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW("a"));
    assert_fault(false, "failed 1002");
    add_frame(WEBSOCKET_TEXT, VIEW("a"));
    assert_fault(false, "failed 1002");
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("a"));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW("a"));
    assert_fault(false, "text a; failed 1002");
    add_frame(WEBSOCKET_PING, VIEW("a")); /* control frames are whole */
    assert_fault(false, "failed 1002");
    add_frame(FIN | 3, VIEW("a"));
    assert_fault(false, "failed 1002");
    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("a"));
    assert_fault(false, "failed 1002");
    add_frame(FIN | DEFLATE | WEBSOCKET_PING, VIEW("a"));
    assert_fault(true, "failed 1002");
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("\xed\xa0\x80")); /* half a surrogate pair */
    assert_fault(false, "failed 1007");
    add_frame(WEBSOCKET_TEXT, VIEW("\xea\xb0"));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW(""));
    assert_fault(false, "failed 1007");
}

/* RFC 6455, sections 5.5.1 and 7.4. */
static void test_bad_closes(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        const char *told;
    } CASES[] = {
        { "\x03", "failed 1002" },         { "\x03\xe7", "failed 1002" }, /* 999 */
        { "\x03\xed", "failed 1002" },                                    /* 1005 */
        { "\x03\xee", "failed 1002" },                                    /* 1006 */
        { "\x03\xf7", "failed 1002" },                                    /* 1015 */
        { "\x13\x88", "failed 1002" },                                    /* 5000 */
        { "\x03\xe8\xff", "failed 1007" },                                /* no UTF-8 */
        { "\x03\xe9", "close 1001" },      { "\x0b\xb8", "close 3000" },
        { "\x13\x87go", "close 4999 go" },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        add_frame(FIN | WEBSOCKET_CLOSE, view_of(CASES[i].payload));
        assert_fault(false, CASES[i].told);
    }
}

/* The messages of RFC 7692, section 7.2.3. */
static void test_deflated(void **state)
{
    (void)state;
    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00"));
    add_frame(DEFLATE | WEBSOCKET_TEXT, VIEW("\xf2\x48\xcd")); /* the same in fragments */
    add_frame(FIN | WEBSOCKET_PING, VIEW("p"));
    add_frame(FIN | WEBSOCKET_CONTINUATION, VIEW("\xc9\xc9\x07\x00"));
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("plain"));
    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("\x00\x05\x00\xfa\xffHello\x00"));
    add_frame(FIN | DEFLATE | WEBSOCKET_BINARY, VIEW("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"));
    assert_told(true, "text Hello; ping p; text Hello; text plain; text Hello; binary Hello");

    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("\xf2\x48\xcd")); /* ends within a block */
    assert_fault(true, "failed 1007");
    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("\xff\xff\xff"));
    assert_fault(true, "failed 1007");
    add_frame(DEFLATE | WEBSOCKET_TEXT, VIEW("\xf2\x48\xcd"));
    add_frame(FIN | DEFLATE | WEBSOCKET_CONTINUATION, VIEW("\xc9\xc9\x07\x00"));
    assert_fault(true, "failed 1002");
    add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, VIEW("\x00\x01\x00\xfe\xff\xff\x00")); /* text? */
    assert_fault(true, "failed 1007");
}

/* Reads the frames in pieces of `step` bytes until there is an event. */
static struct ws_event read_pieces(struct ws_session *session, size_t step)
{
    struct ws_event event = { .kind = WS_WAIT };
    size_t end = 0, from = 0;
    while (event.kind == WS_WAIT && end < frames_size) {
        size_t used;
        end = end + step < frames_size ? end + step : frames_size;
        ws_session_read(session, &workshop, (struct span){ frames + from, end - from }, &used,
                        &event);
        from += used;
    }
    frames_size = 0;
    return event;
}

static uint8_t letters[WS_MESSAGE_MAX + 1];

/* Adds a message of `size` letters in fragments of `part`. */
static void add_message(size_t size, size_t part)
{
    memset(letters, 'm', sizeof(letters));
    for (size_t at = 0; at < size; at += part) {
        size_t left = size - at;
        add_frame((at ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT) | (left <= part ? FIN : 0),
                  view_make(letters, left < part ? left : part));
    }
}

static void test_largest_message(void **state)
{
    (void)state;
    static const size_t PARTS[] = { WS_MESSAGE_MAX + 1, WS_MESSAGE_MAX, 40000, 1000, 125 };
    for (size_t i = 0; i < 2 * sizeof(PARTS) / sizeof(PARTS[0]); i++) {
        struct ws_session session = { 0 };
        size_t step = i % 2 ? 1000 : sizeof(frames);
        add_message(WS_MESSAGE_MAX, PARTS[i / 2]);
        struct ws_event event = read_pieces(&session, step);
        assert_int_equal(event.kind, WS_TEXT);
        assert_int_equal(event.payload.size, WS_MESSAGE_MAX);
        assert_memory_equal(event.payload.at, letters, WS_MESSAGE_MAX);
        ws_session_clear(&session, buffers);

        session = (struct ws_session){ 0 };
        add_message(WS_MESSAGE_MAX + 1, PARTS[i / 2]);
        event = read_pieces(&session, step);
        assert_int_equal(event.kind, WS_FAILED);
        assert_int_equal(event.code, 1009);
        ws_session_clear(&session, buffers);
    }
}

/* A session may have a limit of its own, above the usual one or below it. */
static void test_own_limit(void **state)
{
    (void)state;
    static const uint32_t LIMITS[] = { 10, WS_MESSAGE_MAX + 40000 };
    for (size_t i = 0; i < 2; i++) {
        size_t most = LIMITS[i];
        for (size_t more = 0; more < 2; more++) {
            struct ws_session session = { .message_max = LIMITS[i] };
            frames_size = 0;
            add_frame(WEBSOCKET_TEXT, view_make(letters, most / 2));
            add_frame(WEBSOCKET_CONTINUATION | FIN, view_make(letters, most - most / 2 + more));
            struct ws_event event = read_pieces(&session, 1000);
            assert_int_equal(event.kind, more ? WS_FAILED : WS_TEXT);
            assert_int_equal(event.code, more ? 1009 : 0);
            assert_int_equal(event.payload.size, more ? 0 : most);
            assert_int_equal(ws_session_room(&session), most + WEBSOCKET_HEADER_MAX);
            ws_session_clear(&session, buffers);
        }
    }
}

/* A length over the limit is refused before its payload comes. */
static void test_long_length_alone(void **state)
{
    (void)state;
    struct ws_session session = { 0 };
    static const uint8_t HEAD[] = { FIN | WEBSOCKET_BINARY, 0xff, 0, 0, 0, 0, 0, 1, 0, 1 };
    memcpy(frames, HEAD, sizeof(HEAD));
    frames_size = sizeof(HEAD);
    struct ws_event event = read_pieces(&session, 1);
    assert_int_equal(event.kind, WS_FAILED);
    assert_int_equal(event.code, 1009);
}

/* A small frame that inflates to the largest message, and one that inflates to a byte more. */
static void test_largest_inflated(void **state)
{
    (void)state;
    static uint8_t deflated[4096];
    memset(letters, 'm', sizeof(letters));
    for (size_t extra = 0; extra < 2; extra++) {
        struct ws_session session = { .deflate = true };
        size_t size;
        assert_int_equal(deflate_write(workshop.deflater,
                                       view_make(letters, WS_MESSAGE_MAX + extra), deflated,
                                       sizeof(deflated), &size),
                         OK);
        add_frame(FIN | DEFLATE | WEBSOCKET_TEXT, view_make(deflated, size));
        struct ws_event event = read_pieces(&session, 10);
        assert_int_equal(event.kind, extra ? WS_FAILED : WS_TEXT);
        assert_int_equal(event.code, extra ? 1009 : 0);
        assert_int_equal(event.payload.size, extra ? 0 : WS_MESSAGE_MAX);
    }
}

/* Any number of empty fragments costs no memory. */
static void test_empty_fragments(void **state)
{
    (void)state;
    struct ws_session session = { 0 };
    add_frame(WEBSOCKET_TEXT, VIEW(""));
    for (unsigned i = 0; i < 10000; i++)
        add_frame(WEBSOCKET_CONTINUATION, VIEW(""));
    assert_int_equal(read_pieces(&session, 1000).kind, WS_WAIT);
    assert_int_equal(buffers_used(buffers), 0);
}

/* Fragments need memory, whole messages don't. */
static void test_no_memory(void **state)
{
    (void)state;
    struct ws_session session = { 0 };
    struct buffers *empty;
    assert_int_equal(buffers_new(0, &empty), OK);
    workshop.buffers = empty;
    add_frame(FIN | WEBSOCKET_TEXT, VIEW("abc"));
    struct ws_event event = read_pieces(&session, 1);
    assert_int_equal(event.kind, WS_TEXT);
    assert_view(event.payload, "abc");
    add_frame(WEBSOCKET_TEXT, VIEW("abc"));
    event = read_pieces(&session, 1);
    assert_int_equal(event.kind, WS_FAILED);
    assert_int_equal(event.code, 1013); /* try again later */
    ws_session_clear(&session, empty);
    buffers_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_closes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deflated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_length_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_inflated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
