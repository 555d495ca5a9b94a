/* test_sockjs_chaos.c - clients that do anything in any order, on few names, with connections that
 * break and sockets that take nothing: nothing is left behind, whatever the order.
 *
 * A seed is a run: TEST_SEED=n runs that one alone. */
#include "house_endpoint.h"
#include "house_sockjs.h"

#define SEEDS 60
#define STEPS 400
#define WIRES 12

static uint64_t chance;

static uint32_t any(uint32_t below)
{
    uint32_t value;
    test_random_fill(&chance, &value, sizeof value);
    return value % below;
}

static const char *const SERVICES[] = { "/echo", "/close", "/others", "/amplify", "/endless" };

static void ask(struct wire *wire)
{
    static const struct {
        const char *method;
        const char *transport;
    } ASKS[] = {
        { "POST", "xhr" },        { "POST", "xhr_streaming" }, { "GET", "eventsource" },
        { "GET", "jsonp?c=f" },   { "GET", "htmlfile?c=f" },   { "POST", "xhr_send" },
        { "POST", "jsonp_send" }, { "OPTIONS", "xhr_send" },   { "POST", "xhr_send" },
    };
    static const char *const BODIES[] = {
        "[\"a\"]", "[\"12\",\"b\"]", "[\"17\"]", "[\"19\"]", "[\"", "[]", "", "x"
    };
    char path[100];
    size_t i = any(sizeof ASKS / sizeof ASKS[0]);
    snprintf(path, sizeof path, "%s/0/%u/%s", SERVICES[any(5)], any(4), ASKS[i].transport);
    wire_request(wire, ASKS[i].method, path, any(8) ? "" : "Connection: close\r\n",
                 ASKS[i].method[0] == 'P' ? BODIES[any(8)] : "");
}

static void open_websocket(struct wire *wire)
{
    char path[100];
    snprintf(path, sizeof path, any(3) ? "%s/0/1/websocket" : "%s/websocket", SERVICES[any(5)]);
    ws_ask(wire, path, any(2) ? OFFER_DEFLATE : "");
}

struct guest {
    struct wire *wire;
    bool is_websocket;
};

static void act(struct house *house, struct guest *guest)
{
    static const char *const SAID[] = { "['a']", "['18']", "['19','1']", "'b'", "['", "" };
    if (!guest->wire || wire_is_closed(guest->wire)) {
        if (guest->wire)
            wire_drop(guest->wire);
        *guest = (struct guest){ .wire = house_connect(house), .is_websocket = any(3) == 0 };
        if (guest->is_websocket)
            open_websocket(guest->wire);
        return;
    }
    switch (any(8)) {
    case 0:
        wire_drop(guest->wire);
        guest->wire = NULL;
        break;
    case 1:
        wire_give_room(guest->wire, any(2) ? 0 : any(5000));
        break;
    case 2:
        wire_give_room(guest->wire, SIZE_MAX);
        guest->wire->got.size = 0;
        break;
    case 3:
        if (any(4) == 0)
            wire_end(guest->wire);
        break;
    default:
        if (guest->is_websocket)
            ws_say(guest->wire, SAID[any(6)]);
        else
            ask(guest->wire);
    }
}

static void run(uint64_t seed)
{
    struct house *house = sockjs_house();
    struct guest guests[WIRES] = { 0 };
    chance = seed;
    for (unsigned step = 0; step < STEPS; step++) {
        act(house, &guests[any(WIRES)]);
        if (any(3) == 0)
            house_wait(house, any(12) ? any(4000) : any(12 * (uint32_t)USEC_S));
    }
    if (any(4) == 0)
        server_stop(house->servers[0], house->now);
    house_drain(house);
    house_close(house);
}

static void test_any_order(void **state)
{
    const char *one = getenv("TEST_SEED");
    (void)state;
    if (one) {
        run(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("# TEST_SEED=%llu\n", (unsigned long long)seed);
        run(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
