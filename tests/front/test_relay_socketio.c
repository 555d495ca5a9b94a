/* test_relay_socketio.c - what the existing clients of Socket.IO say, in the order in which they
 * say it, through whole servers: two of an Express server, and the rooms of a mesh. */
#include "relay_tables.h"

/* A client that is connected, over a WebSocket. */
static struct wire *come(struct house *house, unsigned worker, const char *path)
{
    char target[100];
    struct frame frame;
    struct wire *wire = house_dial(house, worker, STREAM_HTTP);
    assert_non_null(wire);
    snprintf(target, sizeof target, "%s/?EIO=4&transport=websocket", path);
    ws_ask(wire, target, "");
    ws_expect_open(wire, "");
    ws_hear(wire, &frame);
    assert_int_equal(frame.payload[0], '0');
    ws_say(wire, "40");
    ws_hear(wire, &frame);
    assert_true(view_starts(view_of(frame.payload), VIEW("40{\"sid\":\"")));
    return wire;
}

static void an_offer_and_its_answer(void **state)
{
    (void)state;
    struct house *house = open_clients(2);
    struct wire *a = come(house, 0, "/socket.io");
    struct wire *b = come(house, 1, "/socket.io");
    ws_say(a, "42['offer',{'type':'offer','sdp':'v=0\\r\\n'}]");
    expect_text(b, "42['offer',{'type':'offer','sdp':'v=0\\r\\n'}]");
    ws_say(b, "42['answer',{'type':'answer','sdp':'v=0\\r\\n'}]");
    expect_text(a, "42['answer',{'type':'answer','sdp':'v=0\\r\\n'}]");
    ws_say(a, "42['candidate',{'candidate':'x','sdpMLineIndex':0}]");
    expect_text(b, "42['candidate',{'candidate':'x','sdpMLineIndex':0}]");
    expect_nothing(a);
    expect_nothing(b);
    house_close(house);
}

static void a_mesh_finds_together(void **state)
{
    (void)state;
    struct house *house = open_clients(2);
    struct wire *a = come(house, 0, "/rooms.io");
    struct wire *b = come(house, 1, "/rooms.io");
    struct wire *other = come(house, 0, "/rooms.io");
    ws_say(other, "42['join',{'roomId':'r2'}]");
    ws_say(a, "42['join',{'roomId':'r1'}]");
    expect_nothing(a);
    ws_say(b, "42['join',{'roomId':'r1'}]");
    expect_text(b, "42['remote-offer',{}]"); /* without an offer: make one */
    ws_say(b, "42['new-offer',{'offer':{'type':'offer','sdp':'v=0'},'roomId':'r1'}]");
    expect_text(a, "42['remote-offer',{'offer':{'type':'offer','sdp':'v=0'}}]");
    ws_say(a, "42['new-answer',{'answer':{'type':'answer','sdp':'v=0'},'roomId':'r1'}]");
    expect_text(b, "42['remote-answer',{'answer':{'type':'answer','sdp':'v=0'}}]");
    ws_say(b, "42['new-ice',{'iceCandidates':[{'candidate':'x'},null],'roomId':'r1'}]");
    expect_text(a, "42['remote-ice',{'iceCandidates':[{'candidate':'x'},null]}]");
    expect_nothing(a);
    expect_nothing(b);
    expect_nothing(other);
    assert_int_equal(house_metric(house, METRIC_RELAY_ROOMS), 2);
    ws_say(b, "41"); /* it leaves the namespace, and with it the room */
    ws_say(a, "42['new-ice',{'iceCandidates':[],'roomId':'r1'}]");
    expect_nothing(b);
    wire_drop(a);
    assert_int_equal(house_metric(house, METRIC_RELAY_ROOMS), 1);
    house_close(house);
}

/* Six in each of two rooms: all others in the room hear each, once. */
static void two_rooms_never_hear_each_other(void **state)
{
    struct wire *wires[12];
    char text[100];
    (void)state;
    struct house *house = open_clients(1);
    for (unsigned i = 0; i < 12; i++) {
        wires[i] = come(house, 0, "/rooms.io");
        snprintf(text, sizeof text, "42['join',{'roomId':'%u'}]", i % 2);
        ws_say(wires[i], text);
        if (i >= 2)
            expect_text(wires[i], "42['remote-offer',{}]");
    }
    for (unsigned i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "42['new-answer',{'answer':%u,'roomId':'%u'}]", i, i % 2);
        ws_say(wires[i], text);
        snprintf(text, sizeof text, "42['remote-answer',{'answer':%u}]", i);
        for (unsigned other = 0; other < 12; other++) {
            if (other != i && other % 2 == i % 2)
                expect_text(wires[other], text);
            expect_nothing(wires[other]);
        }
    }
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_and_its_answer),
        cmocka_unit_test(a_mesh_finds_together),
        cmocka_unit_test(two_rooms_never_hear_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
