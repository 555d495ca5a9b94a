/* test_large.c - endpoints that take messages of up to 1 MiB, beside others that don't. */
#include "front/session.h"
#include "house_endpoint.h"

#define LARGEST 1000000

static const struct rule ECHO[] = { { .on = "*", .to = TO_SENDER } };

#define LIMITS(size)                                                                               \
    {                                                                                              \
        .sessions = 8, .message_bytes = (size), .queue_bytes = ENDPOINT_QUEUE_MAX, .rooms = 1,     \
        .subscriptions = 1, .kept = 1                                                              \
    }

static const struct endpoint_config ENDPOINTS[] = {
    {
        .path = "/large",
        .carrier = CARRIER_WEBSOCKET,
        .speech = SPEECH_RELAY,
        .limits = LIMITS(LARGEST),
        .rules = { .items = ECHO, .count = 1 },
    },
    {
        .path = "/usual",
        .carrier = CARRIER_WEBSOCKET,
        .speech = SPEECH_RELAY,
        .limits = LIMITS(WS_MESSAGE_MAX),
        .rules = { .items = ECHO, .count = 1 },
    },
    {
        .path = "/poll",
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_RELAY,
        .limits = LIMITS(LARGEST),
        .engine = { .ping_interval = 25 * USEC_S, .ping_timeout = 20 * USEC_S },
        .rules = { .items = ECHO, .count = 1 },
    },
};
static const struct endpoint_configs CONFIGS_OF_ALL = CONFIGS(ENDPOINTS);

static char letters[2 * LARGEST + 3];

static struct house *build(unsigned workers)
{
    for (size_t i = 0; i < sizeof letters; i++)
        letters[i] = (char)('a' + i % 23);
    return house_build(&(struct wishes){ .workers = workers, .endpoints = &CONFIGS_OF_ALL });
}

/* Takes a whole message off the wire: its frame may have come in any number of runs. */
static void expect_letters(struct wire *wire, size_t size)
{
    struct websocket_frame frame;
    size_t used;
    int status = websocket_read((struct span){ wire->got.at, wire->got.size }, WEBSOCKET_CLIENT,
                                sizeof letters, &frame, &used);
    assert_int_equal(status, OK);
    assert_true(frame.fin);
    assert_false(frame.deflated);
    assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
    assert_int_equal(frame.payload.size, size);
    assert_memory_equal(frame.payload.at, letters, size);
    bytes_used(&wire->got, used);
}

/* As one frame, and as fragments; and a small one behind it. */
static void test_websocket(void **state)
{
    (void)state;
    struct house *house = build(2);
    struct wire *wire = house_dial(house, 0, STREAM_HTTP);
    ws_ask(wire, "/large", OFFER_DEFLATE);
    ws_expect_open(wire, ""); /* not deflated */
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(letters, LARGEST));
    expect_letters(wire, LARGEST);
    ws_send(wire, WEBSOCKET_TEXT, false, view_make(letters, 300000));
    ws_send(wire, WEBSOCKET_CONTINUATION, false, view_make(letters + 300000, 1));
    ws_send(wire, WEBSOCKET_CONTINUATION, true, view_make(letters + 300001, LARGEST - 300001));
    expect_letters(wire, LARGEST);
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(letters, 10));
    expect_letters(wire, 10);
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(letters, LARGEST + 1));
    expect_close(wire, 1009, "the message is too long");
    house_close(house);
}

/* Over twice the limit it is refused by its header alone. */
static void test_refused_early(void **state)
{
    (void)state;
    struct house *house = build(1);
    struct wire *wire = house_ws_at(house, 0, "/large");
    struct bytes bytes = { NULL, 0, 0 };
    ws_write(&bytes, WEBSOCKET_TEXT, true, false, view_make(letters, 2 * LARGEST + 1));
    wire_send(wire, view_make(bytes.at, 100));
    expect_close(wire, 1009, "");
    free(bytes.at);
    house_close(house);
}

static void test_others_as_before(void **state)
{
    (void)state;
    struct house *house = build(1);
    struct wire *wire = house_ws_at(house, 0, "/usual");
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(letters, WS_MESSAGE_MAX));
    expect_letters(wire, WS_MESSAGE_MAX);
    ws_send(wire, WEBSOCKET_TEXT, true, view_make(letters, WS_MESSAGE_MAX + 1));
    expect_close(wire, 1009, "");
    house_close(house);
}

/* Head and body of a POST. */
static void write_post(struct wire *wire, const char *path, size_t size)
{
    char head[200];
    struct bytes request = { NULL, 0, 0 };
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", path,
             size);
    bytes_add(&request, view_of(head));
    bytes_add(&request, VIEW("4"));
    bytes_add(&request, view_make(letters, size - 1));
    wire_send(wire, bytes_view(&request));
    free(request.at);
}

static void read_path(struct wire *wire, char path[100])
{
    struct answer answer = { 0 };
    wire_ask(wire, "GET /poll/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    const char *sid = memmem(answer.body.at, answer.body.size, "\"sid\":\"", 7);
    assert_non_null(sid);
    snprintf(path, 100, "/poll/?EIO=4&transport=polling&sid=%.20s", sid + 7);
    answer_free(&answer);
}

/* There and back by long polling, on whichever worker the connection begins. */
static void test_polling(void **state)
{
    (void)state;
    struct house *house = build(2);
    for (unsigned worker = 0; worker < 2; worker++) {
        struct wire *wire = house_dial(house, worker, STREAM_HTTP);
        struct answer answer = { 0 };
        char path[100];
        char request[200];
        read_path(wire, path);
        write_post(wire, path, LARGEST);
        wire_answer(wire, &answer);
        assert_int_equal(answer.code, 200);
        answer_free(&answer);
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
        wire_ask(wire, request, &answer);
        assert_int_equal(answer.code, 200);
        assert_int_equal(answer.body.size, LARGEST);
        assert_memory_equal(answer.body.at + 1, letters, LARGEST - 1);
        answer_free(&answer);
        wire_drop(wire);
    }
    house_wait(house, 60 * USEC_S); /* nobody polls: the sessions end */
    house_close(house);
}

/* A body over the limit of its endpoint is refused before it comes. */
static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t size;
    } CASES[] = { { "/poll/x", 2 * LARGEST + 1 },
                  { "/usual", HTTP_BODY_MAX + 1 },
                  { "/metrics", HTTP_BODY_MAX + 1 } };
    struct house *house = build(2);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct wire *wire = house_connect(house);
        struct answer answer = { 0 };
        char head[200];
        char path[100];
        read_path(wire, path); /* what was allowed before counts no more */
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                 CASES[i].path, CASES[i].size);
        wire_ask(wire, head, &answer);
        assert_int_equal(answer.code, 413);
        answer_free(&answer);
        wire_drop(wire);
    }
    house_wait(house, 60 * USEC_S);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_websocket),        cmocka_unit_test(test_refused_early),
        cmocka_unit_test(test_others_as_before), cmocka_unit_test(test_polling),
        cmocka_unit_test(test_bodies),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
