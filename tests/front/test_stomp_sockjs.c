/* test_stomp_sockjs.c - STOMP over SockJS as the mobile client speaks it: a WebSocket below the
 * endpoint's path, CONNECT before the "o", never an /info; and beside it a page that polls. */
#include "house_stomp.h"

#define MOBILE_UPGRADE                                                                             \
    "GET /signaling/%s/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"                   \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static struct endpoint_config config = STOMP_ENDPOINT;
static const struct endpoint_configs CONFIGS = { &config, 1 };

static struct house *build(void)
{
    config.carrier = CARRIER_SOCKJS;
    config.sockjs = (struct sockjs_config){ .heartbeat = 25 * USEC_S,
                                            .disconnect = 5 * USEC_S,
                                            .response_max = 128 * 1024,
                                            .websocket = true,
                                            .client_url = "https://cdn.example/sockjs.js" };
    return house_of_stomp(&CONFIGS);
}

/* The handshake and CONNECT in one piece: the client waits for nothing. */
static struct wire *mobile(struct house *house, const char *session)
{
    char upgrade[400];
    struct bytes bytes = { NULL, 0, 0 };
    struct wire *wire = house_connect(house);
    snprintf(upgrade, sizeof upgrade, MOBILE_UPGRADE, session);
    bytes_add(&bytes, view_of(upgrade));
    ws_write(
        &bytes, WEBSOCKET_TEXT, true, false,
        VIEW("[\"CONNECT\\naccept-version:1.0,1.1,1.2\\nheart-beat:5000,5000\\n\\n\\u0000\"]"));
    wire_send(wire, bytes_view(&bytes));
    free(bytes.at);
    size_t head = view_find(bytes_view(&wire->got), VIEW("\r\n\r\n")) + 4;
    assert_true(view_starts(bytes_view(&wire->got), VIEW("HTTP/1.1 101 ")));
    bytes_used(&wire->got, head);
    assert_heard(wire, "o");
    assert_frame(wire, "a[\"CONNECTED\\nversion:1.2\\nheart-beat:10000,10000\\nsession:",
                 "\\n\\n\\u0000\"]");
    return wire;
}

static void say(struct wire *wire, const char *text)
{
    ws_send(wire, WEBSOCKET_TEXT, true, view_of(text));
}

static void test_mobile(void **state)
{
    struct house *house = build();
    struct wire *a = mobile(house, "042/5b8aa5a2-7b4c");
    struct wire *b = mobile(house, "917/c0ffee00-1111");
    (void)state;
    say(a, "[\"SUBSCRIBE\\nid:sub-0\\ndestination:/topic/call/key\\n\\n\\u0000\"]");
    say(a, "[\"SUBSCRIBE\\nid:sub-1\\ndestination:/topic/peer/offer/ka/r1\\n\\n\\u0000\"]");
    say(b, "[\"SUBSCRIBE\\nid:sub-1\\ndestination:/topic/peer/offer/kb/r1\\n\\n\\u0000\"]");
    say(b, "[\"SEND\\ndestination:/app/call/key\\ncontent-length:2\\n\\n{}\\u0000\"]");
    /* a text without a type would be dropped */
    assert_heard(a, "a[\"MESSAGE\\ndestination:/topic/call/key\\ncontent-type:application/json\\n"
                    "subscription:sub-0\\nmessage-id:1\\ncontent-length:2\\n\\n{}\\u0000\"]");
    say(b, "[\"SEND\\ndestination:/app/peer/offer/ka/r1\\n\\n{\\\"key\\\":\\\"kb\\\"}\\u0000\"]");
    assert_frame(a, "a[\"MESSAGE\\n", "\\n\\n{\\\"key\\\":\\\"kb\\\"}\\u0000\"]");
    say(a, "[\"\\n\"]");
    house_wait(house, 10 * USEC_S + USEC_MS * 100);
    assert_heard(a, "a[\"\\n\"]");
    assert_heard(b, "a[\"\\n\"]");
    say(a, "[\"DISCONNECT\\nreceipt:disconnect-0\\n\\n\\u0000\"]");
    assert_heard(a, "a[\"RECEIPT\\nreceipt-id:disconnect-0\\n\\n\\u0000\"]");
    /* an error is told, then SockJS's own end */
    say(b, "[\"SEND\\n\\n\\u0000\"]");
    assert_frame(b, "a[\"ERROR\\nmessage:SEND needs a destination\\n", "\\u0000\"]");
    assert_heard(b, "c[1002,\"SEND needs a destination\"]");
    house_close(house);
}

static void post(struct wire *wire, const char *path, const char *body)
{
    char request[600];
    snprintf(request, sizeof request,
             "POST /signaling/%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", path,
             strlen(body), body);
    wire_write(wire, request);
}

/* The answer, whose body may come in one chunk, has this in it. */
static void assert_answered(struct wire *wire, const char *wanted)
{
    struct view got = bytes_view(&wire->got);
    if (view_find(got, view_of(wanted)) == got.size)
        fail_msg("came \"%.*s\", wanted \"%s\"", VIEW_ARGS(got), wanted);
    bytes_used(&wire->got, got.size);
}

static void test_polling(void **state)
{
    struct house *house = build();
    struct wire *a = mobile(house, "042/x");
    struct wire *poll = house_connect(house);
    struct wire *send = house_connect(house);
    (void)state;
    post(poll, "000/page/xhr", "");
    assert_answered(poll, "o\n");
    post(send, "000/page/xhr_send",
         "[\"CONNECT\\naccept-version:1.1,1.0\\n\\n\\u0000\",\"SUBSCRIBE\\nid:sub-0\\n"
         "destination:/topic/a\\n\\n\\u0000\"]");
    assert_answered(send, "HTTP/1.1 204 ");
    post(poll, "000/page/xhr", "");
    assert_answered(poll, "a[\"CONNECTED\\nversion:1.1\\n");
    post(poll, "000/page/xhr", "");
    assert_answered(poll, "Transfer-Encoding: chunked\r\n"); /* the head, and no more */
    assert_quiet(poll);
    say(a, "[\"SEND\\ndestination:/app/a\\ncontent-type:text/plain\\n\\nhi\\u0000\"]");
    house_wait(house, 2 * USEC_MS); /* what comes together goes together */
    assert_answered(poll, "a[\"MESSAGE\\ndestination:/topic/a\\ncontent-type:text/plain\\n"
                          "subscription:sub-0\\nmessage-id:1\\ncontent-length:2\\n\\nhi"
                          "\\u0000\"]\n");
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mobile),
        cmocka_unit_test(test_polling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
