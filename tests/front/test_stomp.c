/* test_stomp.c - STOMP sessions: coming in, subscribing, sending, receipts, transactions,
 * errors. */
#include "house_stomp.h"

static const struct endpoint_config ENDPOINT = STOMP_ENDPOINT;
static const struct endpoint_configs ENDPOINTS = { &ENDPOINT, 1 };

static void test_connect(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_open(house);
    (void)state;
    /* as stompjs 2 does it */
    stomp_write(wire, "CONNECT\naccept-version:1.1,1.0\nheart-beat:10000,10000\n\n^");
    assert_frame(wire,
                 "CONNECTED\nversion:1.1\nheart-beat:10000,10000\nsession:", "\nserver:moim\n\n^");
    stomp_write(wire, "CONNECT\naccept-version:1.1\n\n^");
    assert_refused(wire, "connected already");

    wire = stomp_open(house);
    stomp_write(wire, "\r\nSTOMP\r\naccept-version:1.0,1.1,1.2\r\nlogin:kim\r\npasscode:x\r\n"
                      "host:a\r\n\r\n^\n");
    assert_frame(wire, "CONNECTED\nversion:1.2\n", "\nuser-name:kim\n\n^");

    wire = stomp_open(house);
    stomp_write(wire, "CONNECT\nheart-beat:10000,10000\n\n^");
    assert_frame(wire, "CONNECTED\nversion:1.0\nheart-beat:0,0\n", "\n\n^");

    wire = stomp_open(house);
    stomp_write(wire, "CONNECT\naccept-version:3.0\n\n^");
    assert_frame(wire, "ERROR\nversion:1.0,1.1,1.2\n", "1.0 1.1 1.2^");
    assert_heard(wire, "closed");

    wire = stomp_open(house);
    stomp_write(wire, "CONNECT\naccept-version:1.2\nheart-beat:x\n\n^");
    assert_refused(wire, "malformed heart-beat");

    wire = stomp_open(house);
    stomp_write(wire, "SEND\ndestination:/topic/a\n\n^");
    assert_refused(wire, "CONNECT comes first");
    house_close(house);
}

static void test_send(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.2");
    struct wire *b = stomp_connected(house, "1.1");
    (void)state;
    stomp_subscribe(a, "sub-0", "/topic/call/key");
    stomp_subscribe(b, "sub-0", "/topic/call/key");
    stomp_subscribe(b, "sub-1", "/topic/**");
    stomp_send(a, "/app/call/key", "{}");
    assert_heard(a, "MESSAGE\ndestination:/topic/call/key\ncontent-type:application/json\n"
                    "subscription:sub-0\nmessage-id:1\ncontent-length:2\n\n{}^");
    assert_frame(b, "MESSAGE\n", "subscription:sub-0\nmessage-id:1\ncontent-length:2\n\n{}^");
    assert_frame(b, "MESSAGE\n", "subscription:sub-1\nmessage-id:1\ncontent-length:2\n\n{}^");

    /* straight, with headers of the sender's own */
    stomp_write(b, "SEND\ndestination:/topic/call/key\ncontent-type:text/x\nfrom:a\\cb\n"
                   "receipt:r\n\nhello^");
    assert_heard(a, "MESSAGE\ndestination:/topic/call/key\ncontent-type:text/x\n"
                    "subscription:sub-0\nmessage-id:2\nfrom:a\\cb\ncontent-length:5\n\nhello^");
    assert_frame(b, "MESSAGE\n", "hello^");
    assert_frame(b, "MESSAGE\n", "hello^");
    assert_heard(b, "RECEIPT\nreceipt-id:r\n\n^");

    stomp_send(a, "/topic/x", "plain");
    assert_frame(b, "MESSAGE\ndestination:/topic/x\ncontent-type:text/plain;charset=UTF-8\n",
                 "subscription:sub-1\nmessage-id:3\ncontent-length:5\n\nplain^");
    stomp_write(b, "UNSUBSCRIBE\nid:sub-1\n\n^");
    stomp_send(a, "/topic/x", "plain");
    stomp_send(a, "/elsewhere", "plain");
    stomp_send(a, "/application", "plain");
    assert_int_equal(house_metric(house, METRIC_STOMP_DROPPED), 2);
    expect_nothing(a);
    expect_nothing(b);
    house_close(house);
}

static void test_bodies(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.2");
    (void)state;
    stomp_subscribe(a, "s", "/topic/a");
    stomp_write(a, "SEND\ndestination:/topic/a\ncontent-length:5\n\na^b^c^");
    assert_frame(a, "MESSAGE\n", "content-length:5\n\na^b^c^");
    /* two frames in one message, one over several */
    stomp_write(a, "SEND\ndestination:/topic/a\n\n1^\n\nSEND\ndestination:/topic/a\n\n2^\nSEN");
    stomp_write(a, "D\ndestination:/top");
    stomp_write(a, "ic/a\n");
    stomp_write(a, "\n");
    stomp_write(a, "3");
    assert_frame(a, "MESSAGE\n", "\n\n1^");
    assert_frame(a, "MESSAGE\n", "\n\n2^");
    expect_nothing(a);
    stomp_write(a, "^");
    assert_frame(a, "MESSAGE\n", "\n\n3^");
    /* bytes that are no text */
    ws_send(a, WEBSOCKET_BINARY, true, view_make("SEND\ndestination:/topic/a\n\n\xff", 29));
    assert_frame(a, "MESSAGE\ndestination:/topic/a\ncontent-type:application/octet-stream\n",
                 "\n\n\xff^");
    house_close(house);
}

static void test_versions(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.2");
    struct wire *b = stomp_open(house);
    (void)state;
    stomp_write(b, "CONNECT\n\n^");
    assert_frame(b, "CONNECTED\nversion:1.0\n", "^");
    /* 1.0 needs no id */
    stomp_write(b, "SUBSCRIBE\ndestination: /topic/a\n\n^");
    stomp_write(a, "SEND\ndestination:/topic/a\nx:a\\cb\\nc\n\n^");
    assert_heard(b, "MESSAGE\ndestination:/topic/a\ncontent-type:text/plain;charset=UTF-8\n"
                    "subscription:/topic/a\nmessage-id:1\nx:a:b c\ncontent-length:0\n\n^");
    stomp_write(b, "UNSUBSCRIBE\ndestination:/topic/a\n\n^");
    stomp_send(a, "/topic/a", "");
    expect_nothing(b);
    /* who acknowledges is told how, in 1.2 */
    stomp_write(a, "SUBSCRIBE\nid:1\nack:client\ndestination:/queue/q\n\n^");
    stomp_send(b, "/queue/q", "x");
    assert_heard(a, "MESSAGE\ndestination:/queue/q\ncontent-type:text/plain;charset=UTF-8\n"
                    "subscription:1\nmessage-id:3\nack:3\ncontent-length:1\n\nx^");
    stomp_write(a, "ACK\nid:3\nreceipt:a\n\n^NACK\nid:4\n\n^ACK\nmessage-id:3\n\n^");
    assert_heard(a, "RECEIPT\nreceipt-id:a\n\n^");
    expect_nothing(a);
    house_close(house);
}

static void test_transactions(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.1");
    (void)state;
    stomp_subscribe(a, "s", "/topic/a");
    stomp_write(a, "BEGIN\ntransaction:t\n\n^BEGIN\ntransaction:u\nreceipt:1\n\n^"
                   "SEND\ntransaction:t\ndestination:/app/a\nx:a\\cb\n\n1^"
                   "SEND\ntransaction:u\ndestination:/app/a\n\n2^"
                   "SEND\ntransaction:t\ndestination:/app/a\ncontent-length:3\n\n3^3^");
    assert_heard(a, "RECEIPT\nreceipt-id:1\n\n^");
    expect_nothing(a);
    stomp_write(a, "ABORT\ntransaction:u\n\n^COMMIT\ntransaction:t\nreceipt:2\n\n^");
    assert_frame(a, "MESSAGE\n", "x:a\\cb\ncontent-length:1\n\n1^");
    assert_frame(a, "MESSAGE\n", "content-length:3\n\n3^3^");
    assert_heard(a, "RECEIPT\nreceipt-id:2\n\n^");
    expect_nothing(a);
    stomp_write(a, "COMMIT\ntransaction:t\n\n^");
    assert_refused(a, "no such transaction");

    /* one that is open when the session ends is given back */
    a = stomp_connected(house, "1.1");
    stomp_write(a, "BEGIN\ntransaction:t\n\n^SEND\ntransaction:t\ndestination:/app/a\n\n1^");
    stomp_write(a, "BEGIN\ntransaction:t\n\n^");
    assert_refused(a, "BEGIN needs a new transaction");
    a = stomp_connected(house, "1.1");
    for (int i = 0; i < STOMP_TRANSACTIONS_MAX; i++) {
        char text[60];
        snprintf(text, sizeof text, "BEGIN\ntransaction:%d\n\n^", i);
        stomp_write(a, text);
    }
    expect_nothing(a);
    stomp_write(a, "BEGIN\ntransaction:x\n\n^");
    assert_refused(a, "too many transactions");
    a = stomp_connected(house, "1.1");
    stomp_write(a, "BEGIN\ntransaction:t\n\n^");
    for (int i = 0; i <= STOMP_HELD_MAX; i++)
        stomp_write(a, "SEND\ntransaction:t\ndestination:/app/a\n\n1^");
    assert_refused(a, "the transaction is too large");
    house_close(house);
}

static void test_disconnect(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *a = stomp_connected(house, "1.2");
    struct wire *b = stomp_connected(house, "1.2");
    (void)state;
    stomp_subscribe(a, "s", "/topic/a");
    stomp_write(a, "DISCONNECT\nreceipt:77\n\n^");
    assert_heard(a, "RECEIPT\nreceipt-id:77\n\n^");
    assert_int_equal(house_metric(house, METRIC_STOMP_SUBSCRIPTIONS), 0);
    stomp_send(b, "/topic/a", "x");
    stomp_send(a, "/topic/a", "x");
    expect_nothing(a);
    /* the client closes; if it does not, we do */
    house_wait(house, STOMP_LEAVE_TIME + USEC_S);
    assert_heard(a, "closed");
    assert_true(wire_is_closed(a));
    house_close(house);
}

static void refused(struct house *house, const char *text, const char *message)
{
    struct wire *wire = stomp_connected(house, "1.2");
    stomp_write(wire, text);
    assert_refused(wire, message);
    wire_drop(wire);
}

static void test_errors(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    (void)state;
    refused(house, "HELLO\n\n^", "unknown command");
    refused(house, "MESSAGE\n\n^", "a server's command");
    refused(house, "SEND\nno colon\n\n^", "malformed frame");
    refused(house, "SEND\na:\\t\n\n^", "malformed frame");
    refused(house, "SEND\n\nx^", "SEND needs a destination");
    refused(house, "SEND\ndestination:/a\ntransaction:t\n\nx^", "no such transaction");
    refused(house, "SEND\ncontent-length:60001\n\n", "too large");
    refused(house, "ACK\n\n^", "ACK and NACK need a message's id");
    refused(house, "NACK\nsubscription:1\n\n^", "ACK and NACK need a message's id");
    refused(house, "SUBSCRIBE\nid:1\n\n^", "SUBSCRIBE needs an id and a destination");
    refused(house, "SUBSCRIBE\ndestination:/a\n\n^", "SUBSCRIBE needs an id and a destination");
    refused(house, "UNSUBSCRIBE\n\n^", "UNSUBSCRIBE needs an id");
    refused(house, "ABORT\n\n^", "no such transaction");
    /* frames behind the one that was refused are not read */
    struct wire *a = stomp_connected(house, "1.2");
    struct wire *b = stomp_connected(house, "1.2");
    stomp_subscribe(b, "s", "/topic/a");
    stomp_write(a, "SEND\n\n^SEND\ndestination:/topic/a\n\nx^");
    expect_nothing(b);
    /* an ERROR says which receipt will not come */
    stomp_write(b, "SEND\nreceipt:9\n\n^");
    assert_frame(b, "ERROR\nmessage:SEND needs a destination\nreceipt-id:9\n", "^");
    house_close(house);
}

static void test_subscription_limit(void **state)
{
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_connected(house, "1.2");
    char id[20];
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "%u", i);
        stomp_subscribe(wire, id, "/topic/a");
    }
    stomp_subscribe(wire, "3", "/topic/b"); /* in place of the old */
    stomp_send(wire, "/topic/b", "x");
    assert_frame(wire, "MESSAGE\n", "x^");
    expect_nothing(wire);
    stomp_subscribe(wire, "10", "/topic/a");
    assert_refused(wire, "too many or too long subscriptions");
    house_close(house);
}

/* What would be too long for others as a JSON string is refused to its sender. */
static void test_body_limit(void **state)
{
    static char text[65000];
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_connected(house, "1.2");
    (void)state;
    stomp_subscribe(wire, "s", "/topic/a");
    int size = snprintf(text, sizeof text, "SEND\ndestination:/topic/a\n\n");
    memset(text + size, 'x', STOMP_BODY_MAX);
    text[size + STOMP_BODY_MAX] = '^';
    stomp_write(wire, text);
    assert_frame(wire, "MESSAGE\n", "xxx^");
    memset(text + size, '"', STOMP_BODY_MAX);
    stomp_write(wire, text);
    assert_refused(wire, "too large");
    house_close(house);
}

/* 200 frames a second over a burst, however many messages they come in. */
static void test_flood(void **state)
{
    static char text[FLOOD_BURST * 26 + 1];
    struct house *house = house_of_stomp(&ENDPOINTS);
    struct wire *wire = stomp_connected(house, "1.2");
    (void)state;
    for (size_t i = 0; i < FLOOD_BURST; i++)
        memcpy(text + i * 26, "SEND\ndestination:/app/a\n\n^", 27);
    text[(size_t)26 * (FLOOD_BURST - 1)] = 0; /* CONNECT was one */
    stomp_write(wire, text);
    expect_nothing(wire);
    house_wait(house, USEC_S);
    text[26 * 200] = 0;
    stomp_write(wire, text);
    expect_nothing(wire);
    stomp_write(wire, "SEND\ndestination:/app/a\n\n^");
    assert_refused(wire, "too many frames");
    assert_int_equal(house_metric(house, METRIC_CLOSED_FLOOD), 1);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),      cmocka_unit_test(test_send),
        cmocka_unit_test(test_bodies),       cmocka_unit_test(test_versions),
        cmocka_unit_test(test_transactions), cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_subscription_limit),
        cmocka_unit_test(test_body_limit),   cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
