/* test_turn_network.c - clients over a network that loses, doubles and reorders: whoever keeps
 * asking gets through, whoever vanishes leaves nothing, and no one gets two allocations. */
#include "turn_house.h"

#define CLIENTS     8
#define PACKETS_MAX 512
#define PEER        "8.8.8.8:5000"

struct packet {
    usec at; /* when it arrives; 0: the place is free */
    unsigned client;
    bool is_up;
    size_t size;
    uint8_t bytes[600];
};

enum step { MEETING, ALLOCATING, BINDING, TALKING, LEAVING, DONE };

struct client {
    struct caller caller;
    enum step step;
    usec next;     /* when it sends (again) */
    bool vanishes; /* instead of leaving */
    unsigned sent; /* data */
    unsigned echoed;
    uint16_t relayed_port;
};

static struct network {
    struct client clients[CLIENTS];
    struct packet packets[PACKETS_MAX];
    unsigned loss; /* in 100 */
} network;

static unsigned chance(unsigned below)
{
    uint32_t value;
    random_fill(&house.random, &value, sizeof value);
    return value % below;
}

static void put(unsigned client, bool is_up, struct view bytes)
{
    if (chance(100) < network.loss)
        return;
    unsigned copies = 1 + (chance(10) == 0);
    for (unsigned i = 0; i < PACKETS_MAX && copies; i++) {
        struct packet *packet = &network.packets[i];
        if (packet->at)
            continue;
        assert_in_range(bytes.size, 1, sizeof packet->bytes);
        *packet = (struct packet){ house.now + USEC_MS * (1 + chance(chance(8) ? 40 : 900)),
                                   client,
                                   is_up,
                                   bytes.size,
                                   { 0 } };
        memcpy(packet->bytes, bytes.at, bytes.size);
        copies--;
    }
}

/* All that the agent has said goes into the network; the peer echoes at once. */
static void forward(void)
{
    struct house_message peers[HOUSE_SENT];
    unsigned peer_count = house.peer_count;
    memcpy(peers, house.peers, sizeof peers);
    for (unsigned round = 0; round <= peer_count; round++) {
        for (unsigned i = 0; i < house.client_count; i++)
            for (unsigned c = 0; c < CLIENTS; c++)
                if (address_equal(&house.clients[i].flow.client,
                                  &network.clients[c].caller.flow.client))
                    put(c, false, view_make(house.clients[i].bytes, house.clients[i].size));
        if (round < peer_count)
            house_feed_peer(peers[round].relay, PEER,
                            view_make(peers[round].bytes, peers[round].size));
    }
}

static void send_signed(struct client *client, unsigned number)
{
    caller_sign(&client->caller);
    put(number, true, view_make(client->caller.bytes, client->caller.writer.size));
}

/* What the client sends at its step: the same request until it is answered. */
static void act(struct client *client, unsigned number, bool is_new)
{
    struct caller *caller = &client->caller;
    struct address peer = house_address(PEER);
    if (!is_new && client->step != TALKING) {
        put(number, true, view_make(caller->bytes, caller->writer.size));
    } else if (client->step == MEETING) {
        caller_begin_allocate(caller);
        put(number, true, view_make(caller->bytes, caller->writer.size));
    } else if (client->step == ALLOCATING) {
        caller_begin_allocate(caller);
        send_signed(client, number);
    } else if (client->step == BINDING) {
        caller_begin(caller, STUN_CHANNEL_BIND);
        stun_add_channel(&caller->writer, 0x4000);
        stun_add_xor_address(&caller->writer, STUN_XOR_PEER_ADDRESS, &peer);
        send_signed(client, number);
    } else if (client->step == LEAVING) {
        caller_begin(caller, STUN_REFRESH);
        stun_add_32(&caller->writer, STUN_LIFETIME, 0);
        send_signed(client, number);
    } else if (client->step == TALKING) {
        uint8_t data[8] = { 0x40, 0, 0, 4, 'd', 'a', 't', 'a' };
        put(number, true, view_make(data, sizeof data));
        client->sent++;
    }
    client->next = house.now + (client->step == TALKING ? 20 : 500) * USEC_MS;
}

static void step_to(struct client *client, unsigned number, enum step step)
{
    client->step = step;
    if (step != DONE)
        act(client, number, true);
    else
        client->next = USEC_NEVER;
}

static void hear_answer(struct client *client, unsigned number, const struct packet *packet)
{
    struct caller *caller = &client->caller;
    struct stun_msg *msg = &caller->answer;
    struct address relayed;
    assert_int_equal(stun_read(view_make(packet->bytes, packet->size), msg), OK);
    if (memcmp(msg->transaction.at, caller->transaction, STUN_TRANSACTION_SIZE) != 0)
        return; /* of an earlier request */
    if (client->step == MEETING) {
        const struct stun_attr *nonce = stun_find(msg, STUN_NONCE);
        assert_non_null(nonce);
        memcpy(caller->nonce, nonce->value.at, nonce->value.size);
        caller->nonce_size = nonce->value.size;
        step_to(client, number, ALLOCATING);
        return;
    }
    if (client->step == TALKING || client->step == DONE)
        return; /* doubled */
    assert_true(caller_trusts(caller));
    /* a Refresh that was doubled finds nothing any more: that is as good (section 8.3) */
    assert_true(msg->class == STUN_SUCCESS || client->step == LEAVING);
    if (client->step == ALLOCATING) {
        const struct stun_attr *attr = stun_find(msg, STUN_XOR_RELAYED_ADDRESS);
        assert_int_equal(stun_read_xor_address(msg, attr, &relayed), OK);
        client->relayed_port = relayed.port;
    }
    step_to(client, number, client->step + 1);
}

static void arrive(struct packet *packet)
{
    struct client *client = &network.clients[packet->client];
    struct packet taken = *packet;
    packet->at = 0;
    if (taken.is_up) {
        house_feed(&client->caller.flow, view_make(taken.bytes, taken.size));
        forward();
    } else if (taken.bytes[0] == 0x40) {
        client->echoed++;
    } else {
        hear_answer(client, taken.client, &taken);
    }
}

/* Runs to the next thing that happens; false: nothing does. */
static bool run_one(void)
{
    struct packet *packet = NULL;
    unsigned next = CLIENTS;
    usec at = USEC_NEVER;
    for (unsigned i = 0; i < PACKETS_MAX; i++)
        if (network.packets[i].at && network.packets[i].at < at) {
            packet = &network.packets[i];
            at = packet->at;
        }
    for (unsigned i = 0; i < CLIENTS; i++)
        if (network.clients[i].next < at) {
            next = i;
            at = network.clients[i].next;
        }
    if (at == USEC_NEVER)
        return false;
    house_forget();
    house.now = at > house.now ? at : house.now;
    house_wait(0);
    forward();
    if (next == CLIENTS) {
        arrive(packet);
        return true;
    }
    struct client *client = &network.clients[next];
    if (client->step != TALKING || client->sent < 100)
        act(client, next, false);
    else
        step_to(client, next, client->vanishes ? DONE : LEAVING);
    return true;
}

static void run(uint64_t seed, unsigned loss)
{
    memset(&network, 0, sizeof network);
    house.seed = seed;
    network.loss = loss;
    for (unsigned i = 0; i < CLIENTS; i++) {
        char text[32];
        snprintf(text, sizeof text, "1.2.%u.4:99", i);
        network.clients[i].caller = caller_at(text);
        network.clients[i].caller.transaction[1] = (uint8_t)i;
        network.clients[i].next = house.now + USEC_MS * chance(2000);
        network.clients[i].vanishes = chance(3) == 0;
        network.clients[i].caller.name = i % 2 ? VIEW("alice") : VIEW("bob");
        caller_begin_allocate(&network.clients[i].caller);
    }
    usec end = house.now + 590 * USEC_S;
    while (run_one() && house.now < end)
        ;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &network.clients[i];
        unsigned least = loss == 0 ? 90 : (100 - loss) * (100 - loss) / 100 * 2 / 3;
        if (client->step != DONE || client->echoed < least)
            fail_msg("seed %u: client %u at step %d, %u of %u echoed", (unsigned)seed, i,
                     (int)client->step, client->echoed, client->sent);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(client->relayed_port, network.clients[j].relayed_port);
    }
}

/* The last packets may overtake the first, but nothing is lost. */
static void test_no_loss(void **state)
{
    (void)state;
    run(1, 0);
}

static void test_loss(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        run(seed, 10 + 3 * (unsigned)seed);
        house_teardown(state);
        house_setup(state);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_no_loss),
        TEST(test_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
