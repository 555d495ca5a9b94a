/* WebSocket on a stream: the opening handshake, frames, heartbeats, the end. */
#include "house_http.h"
#include "house_ws.h"

#define HOST  "Host: moim.example\r\n"
#define START "GET /api/v1/meet HTTP/1.1\r\n" HOST
#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

#define PING "{'type':'ping'}"
#define PONG "{'type':'pong'}"

static void test_refused_upgrades(void **state)
{
    static const struct {
        unsigned code;
        const char *request;
    } CASES[] = {
        { 426, START "\r\n" },
        { 426, START "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n" },
        { 426, START "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n" },
        { 426, START "Connection: upgrade\r\nUpgrade: h2c\r\n" KEY "\r\n" },
        { 426, START "Connection: upgrade\r\nUpgrade: websocket\r\n" KEY "\r\n" },
        { 426, START "Connection: upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 8\r\n" KEY "\r\n" },
        { 400, START "Connection: upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n" },
        { 400, START "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n" },
        /* an Upgrade of HTTP/1.0 is to be ignored (RFC 9110, section 7.8) */
        { 426, "GET /api/v1/meet HTTP/1.0\r\n" HOST "Connection: upgrade, keep-alive\r\n"
               "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n" },
        /* and where no WebSocket is, it is a request like any other */
        { 200, "GET /healthz HTTP/1.1\r\n" HOST "Connection: upgrade\r\n"
               "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n" },
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    struct answer answer = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct wire *wire = house_connect(house);
        wire_ask(wire, CASES[i].request, &answer);
        if (answer.code != CASES[i].code)
            fail_msg("%u for %s", answer.code, CASES[i].request);
        if (answer.code == 426)
            assert_header(&answer, "Upgrade", "websocket");
        /* the connection is as good as before */
        ws_open(wire, "");
        ws_say(wire, PING);
        expect_text(wire, PONG);
        wire_drop(wire);
    }
    struct wire *wire = house_connect(house);
    wire_ask(wire, CASES[5].request, &answer);
    assert_header(&answer, "Sec-WebSocket-Version", "13");
    assert_int_equal(house_metric(house, METRIC_WEBSOCKETS), 0);
    answer_free(&answer);
    house_close(house);
}

/* Any case of the words, lists of them, and bytes behind the request, cut anywhere. */
static void test_upgrade(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct bytes text = { NULL, 0, 0 };
    (void)state;
    bytes_add(&text, VIEW("GET /healthz HTTP/1.1\r\n" HOST "\r\nGET /api/v1/meet HTTP/1.1\r\n" HOST
                          "connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n"
                          "sec-websocket-version: 13\r\n" KEY "\r\n"));
    ws_write(&text, WEBSOCKET_TEXT, true, false, VIEW("{\"type\":\"ping\"}"));
    ws_write(&text, WEBSOCKET_PING, true, false, VIEW("hello"));
    for (size_t cut = 0; cut <= text.size; cut++) {
        struct answer answer = { 0 };
        struct frame frame;
        struct wire *wire = house_connect(house);
        wire_send(wire, view_make(text.at, cut));
        wire_send(wire, view_make(text.at + cut, text.size - cut));
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 200);
        assert_true(view_starts(bytes_view(&wire->got), VIEW(UPGRADED "\r\n")));
        bytes_used(&wire->got, sizeof UPGRADED "\r\n" - 1);
        expect_text(wire, PONG);
        ws_hear(wire, &frame);
        assert_int_equal(frame.opcode, WEBSOCKET_PONG);
        assert_string_equal(frame.payload, "hello");
        expect_nothing(wire);
        assert_int_equal(house_metric(house, METRIC_WEBSOCKETS), 1);
        wire_drop(wire);
        assert_int_equal(house_metric(house, METRIC_WEBSOCKETS), 0);
        answer_free(&answer);
    }
    free(text.at);
    house_close(house);
}

static void test_idle_costs_little(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct wire *wire = house_ws(house);
        ws_say(wire, PING);
        expect_text(wire, PONG);
    }
    /* its place, and its Host until it has joined */
    assert_true(sizeof(struct stream) + buffers_used(house->servers[0]->buffers) / 10 < 1024);
    house_close(house);
}

/* A message of the longest size, as a text that the server does not know. */
static void fill_message(char *text, size_t size)
{
    static const char BEGIN[] = "{\"type\":\"pin\",\"x\":\"";
    memset(text, 'x', size);
    memcpy(text, BEGIN, sizeof BEGIN - 1);
    memcpy(text + size - 2, "\"}", 2);
}

static void test_sizes(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    char *text = malloc(WS_MESSAGE_MAX + 1);
    assert_non_null(text);
    (void)state;
    fill_message(text, WS_MESSAGE_MAX);
    struct wire *wire = house_ws(house);
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(text, WS_MESSAGE_MAX));
    expect_text(wire, "{'type':'error','code':'unknown-type','message':'no message has that type',"
                      "'re':'pin'}");
    /* in two parts, and with a ping between them */
    ws_send(wire, WEBSOCKET_TEXT, false, view_make(text, 30000));
    ws_send(wire, WEBSOCKET_PING, true, VIEW(""));
    struct frame frame;
    ws_hear(wire, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_PONG);
    ws_send(wire, WEBSOCKET_CONTINUATION, true, view_make(text + 30000, WS_MESSAGE_MAX - 30000));
    expect_text(wire, "{'type':'error','code':'unknown-type','message':'no message has that type',"
                      "'re':'pin'}");
    /* one byte more, in one part and in two */
    fill_message(text, WS_MESSAGE_MAX + 1);
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(text, WS_MESSAGE_MAX + 1));
    expect_close(wire, 1009, "");
    wire = house_ws(house);
    ws_send(wire, WEBSOCKET_TEXT, false, view_make(text, 30000));
    ws_send(wire, WEBSOCKET_CONTINUATION, true, view_make(text + 30000, WS_MESSAGE_MAX - 29999));
    expect_close(wire, 1009, "");
    assert_int_equal(house_metric(house, METRIC_CLOSED_PROTOCOL), 2);
    free(text);
    house_close(house);
}

static void test_fragments(void **state)
{
    static const char TEXT[] = "{\"type\":\"ping\",\"x\":\"\xeb\xaa\xa8\xec\x9e\x84\"}";
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    size_t size = sizeof TEXT - 1;
    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        ws_send(wire, WEBSOCKET_TEXT, false, view_make(TEXT, cut));
        ws_send(wire, WEBSOCKET_CONTINUATION, false, VIEW(""));
        expect_nothing(wire);
        ws_send(wire, WEBSOCKET_CONTINUATION, true, view_make(TEXT + cut, size - cut));
        expect_text(wire, PONG);
    }
    house_close(house);
}

static void test_failures(void **state)
{
    static const struct {
        unsigned code;
        struct view bytes; /* with a mask of zeros */
    } CASES[] = {
        { 1002, VIEW("\x81\x02{}") },                       /* not masked */
        { 1002, VIEW("\xc1\x82\0\0\0\0{}") },               /* deflated, not agreed */
        { 1002, VIEW("\x83\x80\0\0\0\0") },                 /* no such opcode */
        { 1002, VIEW("\x80\x80\0\0\0\0") },                 /* continues nothing */
        { 1002, VIEW("\x01\x80\0\0\0\0\x81\x80\0\0\0\0") }, /* begins twice */
        { 1002, VIEW("\x09\x80\0\0\0\0") },                 /* half a ping */
        { 1002, VIEW("\x88\x81\0\0\0\0\x03") },             /* half a code */
        { 1002, VIEW("\x88\x82\0\0\0\0\x03\xed") },         /* 1005 is not to be sent */
        { 1007, VIEW("\x88\x83\0\0\0\0\x03\xe8\xff") },     /* a reason of no UTF-8 */
        { 1003, VIEW("\x82\x82\0\0\0\0{}") },               /* binary */
        { 1007, VIEW("\x81\x83\0\0\0\0\xed\xa0\x80") },     /* half a pair */
        { 1007, VIEW("\x81\x81\0\0\0\0\xc0") },
        { 1009, VIEW("\x81\xff\0\0\0\0\0\x01\0\x01") }, /* said by the length alone */
        { 1009, VIEW("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff") },
        { 1002, VIEW("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
    };
    struct house *house = house_build(&(struct wishes){ 0 });
    size_t count = sizeof CASES / sizeof CASES[0];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct wire *wire = house_ws(house);
        wire_send(wire, CASES[i].bytes);
        wire_write(wire, "\x81\x82");
        expect_close(wire, CASES[i].code, "");
        wire_drop(wire);
    }
    assert_int_equal(house_metric(house, METRIC_CLOSED_PROTOCOL), count);
    house_close(house);
}

static void test_close(void **state)
{
    struct house *house = house_build(&(struct wishes){ 0 });
    struct wire *wire = house_ws(house);
    (void)state;
    ws_send_close(wire, 1000, "bye");
    expect_close(wire, 1000, "");
    wire = house_ws(house);
    ws_send_close(wire, 4321, "");
    expect_close(wire, 4321, "");
    wire = house_ws(house);
    ws_send(wire, WEBSOCKET_CLOSE, true, VIEW(""));
    expect_close(wire, 0, "");

    /* what comes behind it is not read, not even what is broken */
    wire = house_ws(house);
    struct bytes bytes = { NULL, 0, 0 };
    ws_write(&bytes, WEBSOCKET_CLOSE, true, false, VIEW("\x03\xe9"));
    ws_write(&bytes, WEBSOCKET_BINARY, true, false, VIEW("x"));
    wire_send(wire, bytes_view(&bytes));
    expect_close(wire, 1001, "");
    free(bytes.at);
    assert_int_equal(house_metric(house, METRIC_CLOSED_PROTOCOL), 0);

    /* a client that ends its side without a word */
    wire = house_ws(house);
    wire_end(wire);
    assert_true(wire_is_closed(wire));
    assert_int_equal(house_metric(house, METRIC_WEBSOCKETS), 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_upgrades),
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_idle_costs_little),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
