/* test_turn_policy.c - the addresses that a relay never sends to, in every form that they can be
 * written in: what became CVE-2020-26262 and CVE-2026-27624 elsewhere. */
#include "turn_inward.h"

#include "agent/turn_policy.h"

static struct turn_policy policy;

static void own(const char *text)
{
    assert_int_equal(address_read_host(view_of(text), &policy.own[policy.own_count++]), OK);
}

static void allow(const char *text)
{
    assert_int_equal(turn_network_read(view_of(text), &policy.allowed[policy.allowed_count++]), OK);
}

static int setup(void **state)
{
    (void)state;
    policy = (struct turn_policy){ .relay_port_min = 49152,
                                   .relay_port_max = 65535,
                                   .media_port_min = 7000,
                                   .media_port_max = 7003 };
    own("198.41.0.4");
    own("10.1.2.3");
    own("2a00:1450::5");
    return 0;
}

static bool allowed(const char *text, uint16_t port)
{
    struct address address;
    assert_int_equal(address_read_host(view_of(text), &address), OK);
    address.port = port;
    bool is_allowed = turn_policy_allows(&policy, &address);
    /* whoever may be sent to, may be permitted */
    assert_true(turn_policy_allows_host(&policy, &address) || !is_allowed);
    return is_allowed;
}

static bool host_allowed(const char *text)
{
    struct address address;
    assert_int_equal(address_read_host(view_of(text), &address), OK);
    return turn_policy_allows_host(&policy, &address);
}

static const char *const PUBLIC[] = { "8.8.8.8",
                                      "1.1.1.1",
                                      "11.0.0.1",
                                      "100.63.255.255",
                                      "100.128.0.1",
                                      "172.15.0.1",
                                      "172.32.0.1",
                                      "192.0.1.1",
                                      "192.167.1.1",
                                      "198.17.0.1",
                                      "198.20.0.1",
                                      "223.255.255.255",
                                      "2001:4860:4860::8888",
                                      "2600::1",
                                      "2400:cb00::1" };

static void test_public_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(PUBLIC); i++) {
        if (!allowed(PUBLIC[i], 1))
            fail_msg("%s is refused", PUBLIC[i]);
        assert_false(allowed(PUBLIC[i], 0));
    }
}

static void test_inward_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(INWARD); i++)
        if (host_allowed(INWARD[i]))
            fail_msg("%s is allowed", INWARD[i]);
    for (size_t i = 0; i < COUNT(INWARD_6); i++)
        if (host_allowed(INWARD_6[i]))
            fail_msg("%s is allowed", INWARD_6[i]);
}

static void refuse_all_forms(const char *text)
{
    struct address forms[INWARD_FORMS];
    forms_of(text, forms);
    for (size_t i = 0; i < INWARD_FORMS; i++) {
        char seen[ADDRESS_TEXT_SIZE];
        address_write(&forms[i], seen);
        if (turn_policy_allows_host(&policy, &forms[i]))
            fail_msg("%s (%s) is allowed", seen, text);
    }
}

static void test_inward_hosts_in_other_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(INWARD); i++)
        refuse_all_forms(INWARD[i]);
    refuse_all_forms("198.41.0.4"); /* our own */
    for (size_t i = 0; i < COUNT(INWARD); i++) {
        allow("::/0"); /* all of IPv6, by a careless hand: what it carries is still judged */
        refuse_all_forms(INWARD[i]);
        policy.allowed_count = 0;
    }
}

static void test_gateways_to_public_hosts(void **state)
{
    (void)state;
    assert_true(allowed("64:ff9b::8.8.8.8", 53));
    assert_true(allowed("2002:808:808::1", 53));
    assert_false(host_allowed("::ffff:8.8.8.8")); /* IPv4 is asked for as IPv4 */
    assert_false(host_allowed("::8.8.8.8"));
}

static void test_own_addresses_on_their_ports(void **state)
{
    (void)state;
    static const char *const OWN[] = { "198.41.0.4", "10.1.2.3", "2a00:1450::5" };
    allow("10.0.0.0/8");
    allow("198.41.0.0/16");
    for (size_t i = 0; i < COUNT(OWN); i++) {
        assert_true(host_allowed(OWN[i])); /* a permission has no port */
        assert_true(allowed(OWN[i], 49152));
        assert_true(allowed(OWN[i], 65535));
        assert_true(allowed(OWN[i], 7000));
        assert_true(allowed(OWN[i], 7003));
        assert_false(allowed(OWN[i], 7004));
        assert_false(allowed(OWN[i], 6999));
        assert_false(allowed(OWN[i], 49151));
        assert_false(allowed(OWN[i], 22));
        assert_false(allowed(OWN[i], 0));
    }
    policy.relay_port_min = policy.relay_port_max = 0;
    policy.media_port_min = policy.media_port_max = 0;
    assert_false(allowed(OWN[0], 49152));
    assert_false(allowed(OWN[0], 0));
}

static void test_allowed_networks(void **state)
{
    (void)state;
    allow("10.9.0.0/16");
    allow("fd00:1::/32");
    allow("127.0.0.1");
    assert_true(allowed("10.9.255.1", 1));
    assert_false(allowed("10.8.255.1", 1));
    assert_true(allowed("fd00:1:2::3", 1));
    assert_false(allowed("fd00:2::3", 1));
    assert_true(allowed("127.0.0.1", 1));
    assert_false(allowed("127.0.0.2", 1));
    assert_true(allowed("64:ff9b::10.9.0.1", 1));
    assert_false(allowed("64:ff9b::10.8.0.1", 1));
}

static void test_loopback_of_ipv6_is_named_by_itself(void **state)
{
    (void)state;
    allow("::/64");
    assert_false(host_allowed("::1"));
    allow("::1");
    assert_true(allowed("::1", 50000));
    assert_false(host_allowed("::"));
    assert_false(host_allowed("::2"));
    assert_false(host_allowed("127.0.0.1"));
}

static void test_no_family(void **state)
{
    (void)state;
    struct address none = { .port = 1 };
    assert_false(turn_policy_allows(&policy, &none));
    assert_false(turn_policy_allows_host(&policy, &none));
}

static void test_reading_networks(void **state)
{
    (void)state;
    static const char *const BAD[] = { "",           "/",          "10.0.0.0/",  "10.0.0.0/33",
                                       "10.0.0.1/8", "::/129",     "fe80::1/64", "10.0.0.0/8/8",
                                       "a/8",        "10.0.0.0/-1" };
    struct turn_network network = { .bits = 77 };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        if (turn_network_read(view_of(BAD[i]), &network) != ERR_MALFORMED)
            fail_msg("%s is read", BAD[i]);
        assert_int_equal(network.bits, 77);
    }
    assert_int_equal(turn_network_read(VIEW("0.0.0.0/0"), &network), OK);
    assert_int_equal(network.bits, 0);
    assert_int_equal(turn_network_read(VIEW("::1"), &network), OK);
    assert_int_equal(network.bits, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_public_hosts, setup),
        cmocka_unit_test_setup(test_inward_hosts, setup),
        cmocka_unit_test_setup(test_inward_hosts_in_other_forms, setup),
        cmocka_unit_test_setup(test_gateways_to_public_hosts, setup),
        cmocka_unit_test_setup(test_own_addresses_on_their_ports, setup),
        cmocka_unit_test_setup(test_allowed_networks, setup),
        cmocka_unit_test_setup(test_loopback_of_ipv6_is_named_by_itself, setup),
        cmocka_unit_test_setup(test_no_family, setup),
        cmocka_unit_test_setup(test_reading_networks, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
