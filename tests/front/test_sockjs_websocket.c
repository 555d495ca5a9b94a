/* test_sockjs_websocket.c - SockJS over WebSockets, framed and raw, and what it refuses. */
#include "house_endpoint.h"
#include "house_sockjs.h"

#include "wire/sockjs.h"

static struct wire *sockjs_ws(struct house *house, const char *path)
{
    struct wire *wire = house_ws_at(house, 0, path);
    expect_text(wire, "o");
    return wire;
}

static void check_refused(struct house *house, const char *path, const char *headers, unsigned code,
                          const char *words)
{
    struct answer answer = { 0 };
    get(house, path, headers, &answer);
    assert_int_equal(answer.code, code);
    if (words)
        assert_view(bytes_view(&answer.body), words);
    answer_free(&answer);
}

static void test_refuses(void **state)
{
    struct house *house = sockjs_house();
    (void)state;
    check_refused(house, "/echo/0/0/websocket", "", 400, "Can \"Upgrade\" only to \"WebSocket\".");
    check_refused(house, "/echo/0/0/websocket", "Upgrade: WebSocket\r\nConnection: close\r\n", 400,
                  "\"Connection\" must be \"Upgrade\".");
    check_refused(house, "/disabled_websocket_echo/0/0/websocket", "", 404, NULL);
    check_refused(house, "/disabled_websocket_echo/websocket", "", 404, NULL);
    check_refused(house, "/echo/0/a.b/websocket", "", 404, NULL);
    house_close(house);
}

/* The protocol's suite opens them as the drafts before RFC 6455 did, too. */
static void test_drafts(void **state)
{
    static const struct {
        const char *path;
        const char *version;
        bool is_taken;
    } ASKED[] = {
        { "/echo/0/0/websocket", "7", true },     { "/echo/0/0/websocket", "8", true },
        { "/echo/0/0/websocket", "13", true },    { "/echo/0/0/websocket", "6", false },
        { "/guarded/0/0/websocket", "13", true }, { "/guarded/0/0/websocket", "8", false },
    };
    struct house *house = sockjs_house();
    (void)state;
    for (size_t i = 0; i < sizeof ASKED / sizeof ASKED[0]; i++) {
        struct wire *wire = house_connect(house);
        char request[500];
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: %s\r\n"
                 "Sec-WebSocket-Origin: http://asd\r\n"
                 "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
                 ASKED[i].path, ASKED[i].version);
        wire_write(wire, request);
        struct view got = bytes_view(&wire->got);
        struct view accept = VIEW("Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n");
        assert_int_equal(view_starts(got, VIEW("HTTP/1.1 101 ")), ASKED[i].is_taken);
        assert_int_equal(view_find(got, accept) < got.size, ASKED[i].is_taken);
        wire_drop(wire);
    }
    house_close(house);
}

static void test_transport(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = sockjs_ws(house, "/echo/000/s/websocket");
    (void)state;
    ws_say(wire, ""); /* is not heard */
    ws_say(wire, "['a']");
    expect_text(wire, "a['a']");
    ws_say(wire, "'b'");
    expect_text(wire, "a['b']");
    ws_say(wire, "['c','d']");
    expect_text(wire, "a['c']");
    expect_text(wire, "a['d']");
    ws_say(wire, "[]");
    ws_say(wire, "['\xe2\x80\xa8']");
    expect_text(wire, "a['\\u2028']");
    expect_nothing(wire);
    ws_send_close(wire, 1000, "");
    expect_close(wire, 1000, "");
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

static void test_close(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = sockjs_ws(house, "/close/000/s/websocket");
    (void)state;
    /* not in one piece with the answer to the handshake: there are clients that would lose it */
    assert_quiet(wire);
    ws_say(wire, "['too late']");
    assert_quiet(wire);
    house_wait(house, 11 * USEC_MS);
    expect_text(wire, "c[3000,'Go away!']");
    expect_close(wire, 1000, "");

    /* a client that goes meanwhile, and a server that does */
    wire_drop(sockjs_ws(house, "/close/000/s/websocket"));
    house_wait(house, 11 * USEC_MS);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    sockjs_ws(house, "/close/000/s/websocket");
    house_close(house);
}

/* Names mean nothing here: two may have one, and polls are others'. */
static void test_same_name(void **state)
{
    struct house *house = sockjs_house();
    struct wire *first = sockjs_ws(house, "/echo/000/s/websocket");
    struct wire *second = sockjs_ws(house, "/echo/000/s/websocket");
    (void)state;
    ws_say(first, "['a']");
    expect_text(first, "a['a']");
    ws_say(second, "['b']");
    expect_text(second, "a['b']");
    post(house, "/echo/000/s/xhr_send", "", "[\"a\"]", 404, "no such session\n");
    wire_drop(first);
    ws_say(second, "['c']");
    expect_text(second, "a['c']");
    wire_drop(second);
    first = sockjs_ws(house, "/echo/000/s/websocket");
    house_close(house);
}

static void test_broken_json(void **state)
{
    static const char *const BROKEN[] = { "['a", "[1]", "{}", "null" };
    struct house *house = sockjs_house();
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct wire *wire = sockjs_ws(house, "/echo/000/s/websocket");
        ws_say(wire, BROKEN[i]);
        expect_close(wire, 1007, "Broken JSON encoding.");
        wire_drop(wire);
    }
    house_close(house);
}

/* What the mobile client does: it speaks before it has heard "o". */
static void test_speaks_first(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = house_connect(house);
    struct bytes bytes = { NULL, 0, 0 };
    (void)state;
    bytes_add(&bytes, VIEW("GET /echo/123/abcd/websocket HTTP/1.1\r\nHost: a\r\n"
                           "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                           "Sec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    ws_write(&bytes, WEBSOCKET_TEXT, true, false, VIEW("[\"CONNECT\"]"));
    wire_send(wire, bytes_view(&bytes));
    free(bytes.at);
    ws_expect_open(wire, "");
    expect_text(wire, "o");
    expect_text(wire, "a['CONNECT']");
    house_close(house);
}

/* One who speaks to others over every transport: each hears it in its own way. */
static void test_mixed(void **state)
{
    struct house *house = sockjs_house();
    struct wire *framed = sockjs_ws(house, "/others/000/a/websocket");
    struct wire *raw = house_ws_at(house, 0, "/others/websocket");
    struct wire *framed_too = sockjs_ws(house, "/others/000/b/websocket");
    (void)state;
    xhr(house, "/others/000/c/xhr", "o\n");
    xhr(house, "/others/000/d/xhr", "o\n");
    ws_say(raw, "say 'it'\n");
    expect_text(framed, "a['say \\'it\\'\\n']");
    expect_text(framed_too, "a['say \\'it\\'\\n']");
    xhr(house, "/others/000/c/xhr", "a[\"say \\\"it\\\"\\n\"]\n");
    xhr(house, "/others/000/d/xhr", "a[\"say \\\"it\\\"\\n\"]\n");
    post(house, "/others/000/c/xhr_send", "", "[\"\xea\xb0\x80\"]", 204, "");
    expect_text(raw, "\xea\xb0\x80");
    expect_text(framed, "a['\xea\xb0\x80']");
    xhr(house, "/others/000/d/xhr", "a[\"\xea\xb0\x80\"]\n");
    house_close(house);
}

/* Binary messages of others are told as text, for SockJS has nothing else. */
static void test_binary(void **state)
{
    struct house *house = sockjs_house();
    struct wire *framed = sockjs_ws(house, "/others/000/a/websocket");
    struct wire *raw = house_ws_at(house, 0, "/others/websocket");
    (void)state;
    ws_send(raw, WEBSOCKET_BINARY, true, VIEW("a\xff\0"));
    expect_text(framed, "a['a\\ufffd\\u0000']");
    house_close(house);
}

static void test_raw(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = house_ws_at(house, 0, "/echo/websocket");
    (void)state;
    ws_say(wire, "Hello world!\xef\xbf\xbf");
    expect_text(wire, "Hello world!\xef\xbf\xbf");
    wire_drop(wire);
    wire = house_ws_at(house, 0, "/close/websocket");
    expect_close(wire, 3000, "Go away!");
    house_close(house);
}

/* Answers pings, and counts the texts "h"; nothing else comes. */
static unsigned count_heartbeats(struct wire *wire)
{
    struct frame frame;
    unsigned count = 0;
    while (ws_poll(wire, &frame)) {
        if (frame.opcode == WEBSOCKET_PING) {
            ws_send(wire, WEBSOCKET_PONG, true, view_make(frame.payload, frame.size));
            continue;
        }
        assert_string_equal(frame.payload, "h");
        count++;
    }
    return count;
}

static void test_heartbeats(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = sockjs_ws(house, "/echo/000/s/websocket");
    unsigned count = 0;
    (void)state;
    for (unsigned second = 1; second < 25; second++) {
        house_wait(house, USEC_S);
        count += count_heartbeats(wire);
    }
    assert_int_equal(count, 0);
    for (unsigned second = 25; second <= 76; second++) {
        house_wait(house, USEC_S);
        count += count_heartbeats(wire);
    }
    assert_int_equal(count, 3);
    house_close(house);
}

/* Longer than a buffer, and just around what one frame of one buffer holds. */
static void test_long_messages(void **state)
{
    struct house *house = sockjs_house();
    struct wire *raw = house_ws_at(house, 0, "/others/websocket");
    struct wire *framed = sockjs_ws(house, "/others/000/a/websocket");
    static char message[60001];
    static char wanted[200 * 1024];
    (void)state;
    for (size_t quotes = 5000; quotes <= 60000; quotes += 55000 / 50) {
        memset(message, '\n', quotes);
        memset(message + quotes, 'x', 60000 - quotes);
        ws_send(raw, WEBSOCKET_TEXT, true, view_make(message, 60000));
        struct websocket_frame frame;
        size_t used;
        assert_int_equal(websocket_read((struct span){ framed->got.at, framed->got.size },
                                        WEBSOCKET_CLIENT, sizeof wanted, &frame, &used),
                         OK);
        assert_true(frame.fin);
        assert_int_equal(frame.payload.size, 60000 + quotes + 5);
        struct sockjs_reader reader;
        struct view heard;
        struct view text = view_slice(view_of_span(frame.payload), 1, frame.payload.size);
        assert_int_equal(sockjs_read(text, &reader), OK);
        assert_true(sockjs_next(&reader, (uint8_t *)wanted, &heard));
        assert_true(view_equal(heard, view_make(message, 60000)));
        bytes_used(&framed->got, used);
    }
    house_close(house);
}

static void test_deflated(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = house_connect(house);
    struct frame frame;
    static char message[2100] = "[\"";
    (void)state;
    ws_ask(wire, "/echo/000/s/websocket", OFFER_DEFLATE);
    ws_expect_open(wire, ACCEPT_DEFLATE);
    expect_text(wire, "o");
    memset(message + 2, 'x', 2000);
    memcpy(message + 2002, "\"]", 3);
    ws_say(wire, message);
    ws_hear(wire, &frame);
    assert_true(frame.deflated);
    assert_true(frame.size < 100);
    house_close(house);
}

static void test_full(void **state)
{
    struct house *house = sockjs_house();
    struct answer answer = { 0 };
    char path[64];
    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/echo/000/s%d/xhr", i);
        xhr(house, path, "o\n");
    }
    struct wire *wire = house_connect(house);
    wire_request(wire, "POST", "/echo/000/another/xhr", "", "");
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, 503);
    answer_free(&answer);
    wire_drop(wire);
    wire = house_ws_at(house, 0, "/echo/000/another/websocket");
    expect_close(wire, 1013, "the server is full");
    assert_int_equal(house_metric(house, METRIC_SESSIONS_REFUSED), 2);
    house_wait(house, 6 * USEC_S);
    xhr(house, "/echo/000/another/xhr", "o\n");
    house_close(house);
}

static void test_slow_reader(void **state)
{
    struct house *house = sockjs_house();
    struct wire *wire = sockjs_ws(house, "/amplify/000/s/websocket");
    (void)state;
    wire_give_room(wire, 0);
    ws_say(wire, "['19','18','17']");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 0);
    ws_say(wire, "['17']");
    assert_int_equal(house_metric(house, METRIC_CLOSED_SLOW), 1);
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses),      cmocka_unit_test(test_drafts),
        cmocka_unit_test(test_transport),    cmocka_unit_test(test_close),
        cmocka_unit_test(test_same_name),    cmocka_unit_test(test_broken_json),
        cmocka_unit_test(test_speaks_first), cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_binary),       cmocka_unit_test(test_raw),
        cmocka_unit_test(test_heartbeats),   cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_deflated),     cmocka_unit_test(test_full),
        cmocka_unit_test(test_slow_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
