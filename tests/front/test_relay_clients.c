/* test_relay_clients.c - what the existing clients of bare WebSockets and of plain rules say, in
 * the order in which they say it, through whole servers. */
#include "relay_tables.h"

#define OFFER     "{'type':'offer','sdp':'v=0\\r\\n'}"
#define ANSWER    "{'type':'answer','sdp':'v=0\\r\\na=answer\\r\\n'}"
#define CANDIDATE "{'type':'candidate','candidate':{'candidate':'candidate:1','sdpMid':'0'}}"

static void everybody_hears_the_others(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *a = house_ws_at(house, 0, "/signaling");
    struct wire *b = house_ws_at(house, 0, "/signaling");
    struct wire *c = house_ws_at(house, 0, "/signaling");
    ws_say(a, "{'type':'offer','sdp':{'type':'offer','sdp':'v=0\\r\\n'}}");
    expect_text(b, "{'type':'offer','sdp':{'type':'offer','sdp':'v=0\\r\\n'}}");
    expect_text(c, "{'type':'offer','sdp':{'type':'offer','sdp':'v=0\\r\\n'}}");
    expect_nothing(a);
    ws_say(b, "{'type':'ice-candidate','candidate':{}}");
    ws_say(b, " not even JSON ");
    expect_text(a, "{'type':'ice-candidate','candidate':{}}");
    expect_text(a, " not even JSON ");
    expect_text(c, "{'type':'ice-candidate','candidate':{}}");
    expect_text(c, " not even JSON ");
    expect_nothing(b);
    house_close(house);
}

static void binary_messages_stay_binary(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *a = house_ws_at(house, 0, "/ws");
    struct wire *b = house_ws_at(house, 0, "/ws");
    struct frame frame;
    ws_send(a, WEBSOCKET_BINARY, true, view_make("\0\xff{\"type\":\"offer\"}", 18));
    ws_hear(b, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_BINARY);
    assert_int_equal(frame.size, 18);
    assert_memory_equal(frame.payload, "\0\xff{\"type\":\"offer\"}", 18);
    struct wire *late = house_ws_at(house, 0, "/ws");
    expect_nothing(late); /* bytes have no name: nothing was kept */
    house_close(house);
}

static void endpoints_do_not_hear_each_other(void **state)
{
    (void)state;
    struct house *house = open_clients(2);
    struct wire *a = house_ws_at(house, 0, "/ws");
    struct wire *b = house_ws_at(house, 1, "/signaling");
    struct wire *c = house_ws_at(house, 1, "/original");
    struct wire *d = house_ws_at(house, 1, "/ws");
    ws_say(a, OFFER);
    expect_text(d, OFFER);
    expect_nothing(b);
    expect_nothing(c);
    house_close(house);
}

static void a_late_viewer_gets_the_offer_and_its_candidates(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *streamer = house_ws_at(house, 0, "/ws");
    ws_say(streamer, OFFER);
    ws_say(streamer, CANDIDATE);
    ws_say(streamer, "{'type':'candidate','candidate':null}");
    struct wire *viewer = house_ws_at(house, 0, "/ws");
    expect_text(viewer, OFFER);
    expect_text(viewer, CANDIDATE);
    expect_text(viewer, "{'type':'candidate','candidate':null}");
    ws_say(viewer, ANSWER);
    ws_say(viewer, CANDIDATE); /* it made no offer: its candidates are for those who are there */
    expect_text(streamer, ANSWER);
    expect_text(streamer, CANDIDATE);
    struct wire *next = house_ws_at(house, 0, "/ws");
    expect_text(next, OFFER);
    expect_text(next, CANDIDATE);
    expect_text(next, "{'type':'candidate','candidate':null}");
    expect_nothing(next);
    house_close(house);
}

static void a_new_offer_takes_the_place_of_the_old(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *streamer = house_ws_at(house, 0, "/ws");
    ws_say(streamer, CANDIDATE); /* before any offer: it belongs to none */
    ws_say(streamer, OFFER);
    ws_say(streamer, CANDIDATE);
    ws_say(streamer, "{'type':'offer','sdp':'second'}");
    ws_say(streamer, "{'type':'candidate','candidate':{}}");
    struct wire *viewer = house_ws_at(house, 0, "/ws");
    expect_text(viewer, "{'type':'offer','sdp':'second'}");
    expect_text(viewer, "{'type':'candidate','candidate':{}}");
    expect_nothing(viewer);
    house_close(house);
}

static void what_a_streamer_kept_goes_with_it(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *streamer = house_ws_at(house, 0, "/ws");
    struct wire *other = house_ws_at(house, 0, "/ws");
    ws_say(streamer, OFFER);
    ws_say(streamer, CANDIDATE);
    ws_say(other, "{'type':'offer','sdp':'other'}");
    assert_int_equal(house_metric(house, METRIC_RELAY_KEPT), 3);
    wire_drop(streamer);
    assert_int_equal(house_metric(house, METRIC_RELAY_KEPT), 1);
    struct wire *viewer = house_ws_at(house, 0, "/ws");
    expect_text(viewer, "{'type':'offer','sdp':'other'}");
    expect_nothing(viewer);
    ws_send_close(other, 1000, "");
    assert_int_equal(house_metric(house, METRIC_RELAY_KEPT), 0);
    house_close(house);
}

static void the_original_keeps_nothing_and_knows_no_rooms(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *streamer = house_ws_at(house, 0, "/original");
    ws_say(streamer, OFFER);
    struct wire *viewer = house_ws_at(house, 0, "/original");
    expect_nothing(viewer);
    ws_say(streamer, CANDIDATE);
    expect_text(viewer, CANDIDATE);
    house_close(house);
}

/* ---- rooms ---- */

static void a_mesh_finds_together(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *a = house_ws_at(house, 0, "/mesh");
    struct wire *b = house_ws_at(house, 0, "/mesh");
    ws_say(a, "{'type':'join','roomId':'r1'}");
    expect_nothing(a);
    ws_say(b, "{'type':'join','roomId':'r1'}");
    expect_nothing(a);
    expect_text(b, "{'type':'remote-offer'}");
    ws_say(b, "{'type':'new-offer','offer':{'sdp':'v=0'},'roomId':'r1'}");
    expect_text(a, "{'type':'remote-offer','offer':{'sdp':'v=0'}}");
    ws_say(a, "{'type':'new-answer','roomId':'r1','answer':{'sdp':'v=0 '}}");
    expect_text(b, "{'type':'remote-answer','answer':{'sdp':'v=0 '}}");
    ws_say(a, "{'type':'new-ice','iceCandidates':[{},null],'roomId':'r1'}");
    expect_text(b, "{'type':'remote-ice','iceCandidates':[{},null]}");
    expect_nothing(a);
    expect_nothing(b);
    house_close(house);
}

static void two_rooms_never_hear_each_other(void **state)
{
    (void)state;
    struct house *house = open_clients(1);
    struct wire *wires[6];
    char text[100];
    for (unsigned i = 0; i < 6; i++) {
        wires[i] = house_ws_at(house, 0, "/mesh");
        snprintf(text, sizeof text, "{'type':'join','roomId':%u}", i % 2);
        ws_say(wires[i], text);
        if (i >= 2)
            expect_text(wires[i], "{'type':'remote-offer'}");
    }
    assert_int_equal(house_metric(house, METRIC_RELAY_ROOMS), 2);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "{'type':'new-ice','iceCandidates':[%u],'roomId':%u}", i,
                 i % 2);
        ws_say(wires[i], text);
        snprintf(text, sizeof text, "{'type':'remote-ice','iceCandidates':[%u]}", i);
        for (unsigned other = 0; other < 6; other++)
            if (other != i && other % 2 == i % 2)
                expect_text(wires[other], text);
        for (unsigned other = 0; other < 6; other++)
            expect_nothing(wires[other]);
    }
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_hears_the_others),
        cmocka_unit_test(binary_messages_stay_binary),
        cmocka_unit_test(endpoints_do_not_hear_each_other),
        cmocka_unit_test(a_late_viewer_gets_the_offer_and_its_candidates),
        cmocka_unit_test(a_new_offer_takes_the_place_of_the_old),
        cmocka_unit_test(what_a_streamer_kept_goes_with_it),
        cmocka_unit_test(the_original_keeps_nothing_and_knows_no_rooms),
        cmocka_unit_test(a_mesh_finds_together),
        cmocka_unit_test(two_rooms_never_hear_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
