/* test_mediasoup_recovery.c - a page whose connection broke off, and that comes back as who it was:
 * what it sends and gets goes on meanwhile. */
#include "house_mediasoup.h"

#define RECOVERY (20 * USEC_S)

struct page {
    struct wire *wire;
    char sid[SID_SIZE + 1];
    char pid[SID_SIZE + 1];
};

static struct page page_come(const char *connect)
{
    struct page page = { .wire = socket_open(house, "/socket.io/?EIO=4") };
    socket_say(page.wire, connect);
    const char *heard = socket_hear(page.wire);
    const char *pid = strstr(heard, "\",\"pid\":\"");
    read_sid(heard, page.sid);
    assert_non_null(pid);
    memcpy(page.pid, pid + 9, SID_SIZE);
    return page;
}

static struct page page_join(void)
{
    struct page page = page_come("40");
    assert_non_null(strstr(socket_hear(page.wire), "connection-success"));
    cJSON_Delete(ask(page.wire, "joinRoom", "{'roomName':'one'}"));
    return page;
}

static void test_comes_back(void **state)
{
    (void)state;
    char id[64], connect[200];
    ENDPOINT.socketio.recovery = RECOVERY;
    open_house(4);
    struct page ada = page_join();
    struct page mina = page_join();
    create(ada.wire, false, id);
    produce(ada.wire, id, false);
    assert_non_null(strstr(socket_hear(mina.wire), "new-producer"));

    wire_drop(ada.wire);
    house_wait(house, RECOVERY / 2);
    socket_expect(mina.wire, "");
    assert_int_equal(count_producers(mina.wire), 1);
    snprintf(connect, sizeof connect, "40{\"pid\":\"%s\",\"offset\":\"1\"}", ada.pid);
    struct page again = page_come(connect);
    assert_string_equal(again.sid, ada.sid);
    /* it is not told that it has come: it did not go, and its transport is still there */
    expect_error(again.wire, "transport-produce", PRODUCE,
                 "rtpParameters.encodings: another track has that SSRC");

    wire_drop(again.wire);
    house_wait(house, RECOVERY + USEC_S);
    assert_int_equal(count_producers(mina.wire), 0);
    assert_true(list_empty(&server->sfu->all));
    wire_drop(mina.wire);
    house_wait(house, RECOVERY + USEC_S);
    house_close(house);
    port_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_comes_back) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
