/* test_turn_inward.c - what became CVE-2020-26262 and CVE-2026-27624 elsewhere, on each of the four
 * ways on which a client can have us send somewhere: CreatePermission, ChannelBind, Send, Connect.
 * Which addresses are refused is test_turn_policy.c's; that each way asks is this one's. */
#include "turn_house.h"
#include "turn_inward.h"

#define PORT 50000 /* among the relays' own, where it may be our own host even */

static struct caller udp, tcp, tcp6;

static void allocate(struct caller *caller, const char *client, enum turn_protocol protocol,
                     enum address_family family)
{
    *caller = caller_at(client);
    caller->flow.transport = TURN_OVER_TCP;
    caller_meet(caller);
    caller_begin(caller, STUN_ALLOCATE);
    stun_add_protocol(&caller->writer, protocol);
    if (protocol == TURN_UDP)
        stun_add_family(&caller->writer, STUN_ADDITIONAL_ADDRESS_FAMILY, ADDRESS_IPV6);
    else
        stun_add_family(&caller->writer, STUN_REQUESTED_ADDRESS_FAMILY, family);
    assert_int_equal(caller_ask(caller), 200);
}

static int setup(void **state)
{
    house_setup(state);
    allocate(&udp, "1.2.3.4:1", TURN_UDP, ADDRESS_IPV4);
    allocate(&tcp, "1.2.3.4:2", TURN_TCP, ADDRESS_IPV4);
    allocate(&tcp6, "1.2.3.4:3", TURN_TCP, ADDRESS_IPV6);
    return 0;
}

static unsigned ask(struct caller *caller, uint16_t method, const struct address *peer)
{
    caller_begin(caller, method);
    if (method == STUN_CHANNEL_BIND)
        stun_add_channel(&caller->writer, 0x4000);
    stun_add_xor_address(&caller->writer, STUN_XOR_PEER_ADDRESS, peer);
    return caller_ask(caller);
}

/* Neither by Send, nor by the channel that was not bound. */
static unsigned count_sent(const struct address *peer)
{
    char text[ADDRESS_TEXT_SIZE];
    address_write(peer, text);
    caller_send_data(&udp, text, VIEW("x"));
    unsigned count = house.peer_count;
    caller_channel_data(&udp, 0x4000, VIEW("x"));
    return count + house.peer_count;
}

static void refuse(const struct address *peer)
{
    char text[ADDRESS_TEXT_SIZE];
    address_write(peer, text);
    unsigned permission = ask(&udp, STUN_CREATE_PERMISSION, peer);
    unsigned channel = ask(&udp, STUN_CHANNEL_BIND, peer);
    unsigned connection = ask(peer->family == ADDRESS_IPV4 ? &tcp : &tcp6, STUN_CONNECT, peer);
    unsigned sent = count_sent(peer);
    if (permission != 403 || channel != 403 || connection != 403 || house.connects || sent)
        fail_msg("%s: CreatePermission %u, ChannelBind %u, Connect %u, sent %u", text, permission,
                 channel, connection, sent);
}

static void refuse_host(const char *text)
{
    struct address forms[INWARD_FORMS];
    struct address peer;
    assert_int_equal(address_read_host(view_of(text), &peer), OK);
    peer.port = PORT;
    refuse(&peer);
    if (peer.family != ADDRESS_IPV4)
        return;
    forms_of(text, forms);
    for (size_t i = 0; i < INWARD_FORMS; i++)
        refuse(&forms[i]);
}

static void test_inward(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(INWARD); i++)
        refuse_host(INWARD[i]);
    for (size_t i = 0; i < COUNT(INWARD_6); i++)
        refuse_host(INWARD_6[i]);
    assert_int_equal(house.turn.peers.used, 0);
}

/* 198.41.0.4 is the house's own: by itself on the ports of relays alone, in another form never. */
static void test_own(void **state)
{
    struct address forms[INWARD_FORMS];
    struct address own = house_address("198.41.0.4:22");
    (void)state;
    forms_of("198.41.0.4", forms);
    for (size_t i = 0; i < INWARD_FORMS; i++)
        refuse(&forms[i]);
    assert_int_equal(ask(&udp, STUN_CREATE_PERMISSION, &own), 200); /* has no port */
    assert_int_equal(count_sent(&own), 0);
    assert_int_equal(ask(&udp, STUN_CHANNEL_BIND, &own), 403);
    assert_int_equal(ask(&tcp, STUN_CONNECT, &own), 403);
    assert_int_equal(count_sent(&own), 0);
}

/* A public host among them: the four ways do work, else nothing above were shown. */
static void test_public(void **state)
{
    struct address peer = house_address("8.8.8.8:50000");
    struct address peer6 = house_address("[2600::1]:50000");
    (void)state;
    assert_int_equal(count_sent(&peer), 0);
    assert_int_equal(ask(&udp, STUN_CREATE_PERMISSION, &peer), 200);
    assert_int_equal(count_sent(&peer), 1);
    assert_int_equal(ask(&udp, STUN_CHANNEL_BIND, &peer), 200);
    assert_int_equal(count_sent(&peer), 2);
    assert_int_equal(ask(&udp, STUN_CREATE_PERMISSION, &peer6), 200);
    assert_int_equal(ask(&tcp, STUN_CONNECT, &peer), 0);
    assert_int_equal(house.connects, 1);
    turn_connected(&house.turn, house.now, house.connect.relay, ERR_CLOSED);
    house.relays[house.connect.relay] = 4;
    house_drain();
    assert_int_equal(ask(&tcp6, STUN_CONNECT, &peer6), 0);
    assert_int_equal(house.connects, 1);
    turn_connected(&house.turn, house.now, house.connect.relay, ERR_CLOSED);
    house.relays[house.connect.relay] = 4;
    house_drain();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inward, setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_own, setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_public, setup, house_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
