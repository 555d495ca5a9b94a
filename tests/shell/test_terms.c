/* test_terms.c - what may change while the server runs, and what stays as it was. */
#include "support.h"

#include "agent/turn.h"
#include "shell/terms.h"

#define SECRET_A "0123456789abcdef0123456789abcdef"
#define SECRET_B "fedcba9876543210fedcba9876543210"

static void read_settings(const char *yaml, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    settings_default(settings);
    int status = settings_read_text(view_of(yaml), "a", settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    settings->workers = 2;
}

static struct terms *make(const struct settings *in_force, const char *yaml)
{
    struct settings fresh;
    struct terms *terms;
    char error[SETTINGS_ERROR_MAX] = "";
    read_settings(yaml, &fresh);
    int status = terms_new(in_force, &fresh, &terms, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    settings_clear(&fresh);
    return terms;
}

static void test_told(void **state)
{
    struct settings in_force;
    struct server_terms told;
    struct view password;
    (void)state;
    read_settings("auth: {secret: " SECRET_A "}\n"
                  "turn: {secret: " SECRET_A ", realm: a.example, relay_ports: 50000-50009}",
                  &in_force);
    in_force.turn_listen.items[0].port = 7777; /* the kernel's choice */
    struct terms *terms = make(&in_force, "auth: {secret: [" SECRET_B "," SECRET_A "]}\n"
                                          "turn:\n"
                                          "  secret: [" SECRET_B "," SECRET_A "]\n"
                                          "  users: ['camera:its password']\n"
                                          "  realm: b.example\n"
                                          "  relay_ports: 60000-61000\n"
                                          "  listen: ['0.0.0.0:1']\n"
                                          "  allow_peers: [10.0.0.0/8]\n"
                                          "  allocations_per_user: 3\n"
                                          "  allocations_per_prefix: 4\n"
                                          "  bandwidth_allocation: 8192\n"
                                          "  bandwidth_all: 128KiB\n"
                                          "  lifetime: 20m\n"
                                          "  credential_lifetime: 2h\n");
    terms_tell(terms, &told);
    assert_int_equal(told.auth.count, 2);
    assert_view(told.auth.items[0], SECRET_B);
    assert_view(told.auth.items[1], SECRET_A);
    assert_int_equal(told.ice.port, 7777);
    assert_int_equal(told.ice.lifetime_s, 7200);
    assert_view(told.ice.secret, SECRET_B);
    const struct turn_config *turn = told.turn;
    assert_int_equal(turn->secret_count, 2);
    assert_view(turn->secrets[0], SECRET_B);
    assert_int_equal(turn->users.by_name(turn->users.context, VIEW("camera"), &password), OK);
    assert_view(password, "its password");
    assert_int_equal(turn->policy->allowed_count, 1);
    assert_int_equal(turn->allocations_per_user_max, 3);
    assert_int_equal(turn->allocations_per_prefix_max, 4);
    assert_int_equal(turn->bytes_per_s_allocation, 8192);
    assert_int_equal(turn->lifetime_s_max, 1200);
    /* as it was */
    assert_view(turn->realm, "a.example");
    assert_int_equal(turn->policy->relay_port_min, 50000);
    assert_int_equal(turn->policy->relay_port_max, 50009);
    assert_int_equal(turn->allocations_max, 10);

    /* the last reference frees them */
    assert_ptr_equal(terms_share(terms), terms);
    terms_give(terms);
    terms_tell(terms, &told);
    assert_view(told.auth.items[0], SECRET_B);
    terms_give(terms);
    terms_give(NULL);
}

/* Where nothing relays there is no secret to be read or made. */
static void test_no_turn(void **state)
{
    struct settings in_force;
    struct server_terms told;
    (void)state;
    read_settings("turn: {listen: [], tls_listen: []}", &in_force);
    struct terms *terms = make(&in_force, "auth: {secret: " SECRET_A "}\n"
                                          "turn: {servers: ['stun:a.example']}");
    terms_tell(terms, &told);
    assert_null(told.turn);
    assert_int_equal(told.auth.count, 1);
    assert_int_equal(told.ice.server_count, 1);
    assert_view(told.ice.servers[0], "stun:a.example");
    terms_give(terms);
    terms = make(&in_force, "");
    terms_tell(terms, &told);
    assert_int_equal(told.auth.count, 0);
    assert_int_equal(told.ice.server_count, 0);
    terms_give(terms);
}

static void test_refused(void **state)
{
    struct settings in_force;
    struct terms *terms = NULL;
    char error[SETTINGS_ERROR_MAX] = "";
    (void)state;
    read_settings("", &in_force);
    snprintf(in_force.state_dir, sizeof in_force.state_dir, "/proc/nowhere");
    int status = terms_new(&in_force, &in_force, &terms, error);
    assert_int_equal(status, ERR_IO);
    assert_memory_equal(error, "state.dir: ", 11);
    assert_null(terms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_no_turn),
        cmocka_unit_test(test_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
