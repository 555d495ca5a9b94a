/* test_turn_setup.c - the secret that is made and kept, and what agents are told of settings. */
#include "support.h"

#include "shell/state_file.h"
#include "shell/turn_setup.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64];
    char path[STATE_PATH_SIZE];
    struct settings settings;
    char error[SETTINGS_ERROR_MAX];
};

static void prepare(struct place *place)
{
    memset(place, 0, sizeof(*place));
    snprintf(place->folder, sizeof(place->folder), "/tmp/moim-turn-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    settings_default(&place->settings);
    snprintf(place->settings.state_dir, SETTINGS_PATH_MAX, "%s/state", place->folder);
    state_file_path(&place->settings, TURN_SECRET_FILE, place->path);
}

static void finish(struct place *place)
{
    unlink(place->path);
    rmdir(place->settings.state_dir);
    assert_int_equal(rmdir(place->folder), 0);
}

static struct turn_setup *make(struct place *place, bool may_make)
{
    struct turn_setup *setup = NULL;
    int status = turn_setup_new(&place->settings, may_make, &setup, place->error);
    assert_string_equal(place->error, "");
    assert_int_equal(status, OK);
    return setup;
}

static void refuse(struct place *place, int wanted, const char *reason)
{
    struct turn_setup *setup = NULL;
    char line[SETTINGS_ERROR_MAX] = "";
    if (reason)
        snprintf(line, sizeof(line), "turn.secret: %.100s: %s", place->path, reason);
    memset(place->error, 'x', sizeof(place->error) - 1);
    assert_int_equal(turn_setup_new(&place->settings, false, &setup, place->error), wanted);
    assert_string_equal(place->error, line);
    assert_null(setup);
}

static void keep(struct place *place, const char *text, mode_t mode)
{
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->path, mode), 0);
}

static void check_secret(const struct turn_setup *setup, uint32_t i, const char *wanted)
{
    assert_true(i < setup->config.secret_count);
    assert_view(setup->config.secrets[i], wanted);
}

static void test_made(void **state)
{
    struct place place;
    struct stat info;
    (void)state;
    prepare(&place);
    refuse(&place, ERR_NOT_FOUND, NULL);
    place.error[0] = '\0';
    struct turn_setup *first = make(&place, true);
    assert_true(first->is_secret_new);
    assert_int_equal(first->config.secret_count, 1);
    assert_int_equal(first->config.secrets[0].size, 43);
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(place.settings.state_dir, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);

    struct turn_setup *again = make(&place, true); /* a new start */
    assert_false(again->is_secret_new);
    assert_int_equal(again->config.secret_count, 1);
    assert_true(view_equal(again->config.secrets[0], first->config.secrets[0]));
    turn_setup_free(again);

    assert_int_equal(unlink(place.path), 0);
    struct turn_setup *other = make(&place, true);
    assert_false(view_equal(other->config.secrets[0], first->config.secrets[0]));
    turn_setup_free(other);
    turn_setup_free(first);
    finish(&place);
}

static void test_kept(void **state)
{
    struct place place;
    (void)state;
    prepare(&place);
    assert_int_equal(mkdir(place.settings.state_dir, 0700), 0);
    keep(&place, "the newest secret of all\n\n  an older secret, kept \n", 0600);
    struct turn_setup *setup = make(&place, false);
    assert_int_equal(setup->config.secret_count, 2);
    check_secret(setup, 0, "the newest secret of all");
    check_secret(setup, 1, "an older secret, kept");
    turn_setup_free(setup);

    keep(&place, "the newest secret of all", 0400);
    turn_setup_free(make(&place, false));

    static const char others[] = "others may read or write it: \"chmod 600\" it, and if they may "
                                 "have, remove it, so that a new one is made";
    keep(&place, "the newest secret of all", 0640);
    refuse(&place, ERR_CONFIG, others);
    keep(&place, "the newest secret of all", 0604);
    refuse(&place, ERR_CONFIG, others);
    keep(&place, "\n \n", 0600);
    refuse(&place, ERR_CONFIG, "holds no secret: remove it, and one is made");
    keep(&place, "0123456789abcdef\nshort\n", 0600);
    refuse(&place, ERR_CONFIG,
           "a secret has 16 to 255 bytes without control characters (\"openssl rand -hex 32\" "
           "makes one)");
    FILE *file = fopen(place.path, "w");
    for (int i = 0; i < 200; i++)
        fputs("0123456789abcdef\n", file);
    fclose(file);
    refuse(&place, ERR_CONFIG, "is too long");
    unlink(place.path);
    assert_int_equal(mkdir(place.path, 0700), 0);
    refuse(&place, ERR_CONFIG, "is no file");
    rmdir(place.path);
    finish(&place);
}

/* Secrets that are set are in force alone, and nothing is written. */
static void test_set(void **state)
{
    struct place place;
    (void)state;
    prepare(&place);
    assert_int_equal(
        settings_read_text(VIEW("turn: {secret: [0123456789abcdef, fedcba9876543210]}"), "a",
                           &place.settings, place.error),
        OK);
    struct turn_setup *setup = make(&place, true);
    assert_int_equal(setup->config.secret_count, 2);
    check_secret(setup, 0, "0123456789abcdef");
    check_secret(setup, 1, "fedcba9876543210");
    assert_int_equal(access(place.settings.state_dir, F_OK), -1);
    turn_setup_free(setup);
    finish(&place);
}

static void test_users(void **state)
{
    struct place place;
    uint8_t hash[STUN_USERHASH_SIZE];
    struct view name;
    struct view password;
    (void)state;
    prepare(&place);
    struct turn_setup *nobody = make(&place, true);
    assert_null(nobody->config.users.by_name);
    turn_setup_free(nobody);
    assert_int_equal(
        settings_read_text(VIEW("turn: {users: [\"a:b:c\", \"ab:d\"], realm: r.example}"), "a",
                           &place.settings, place.error),
        OK);
    struct turn_setup *setup = make(&place, true);
    const struct turn_users *users = &setup->config.users;
    assert_view(setup->config.realm, "r.example");
    assert_int_equal(users->by_name(users->context, VIEW("a"), &password), OK);
    assert_view(password, "b:c");
    assert_int_equal(users->by_name(users->context, VIEW("ab"), &password), OK);
    assert_view(password, "d");
    assert_int_equal(users->by_name(users->context, VIEW("a:b"), &password), ERR_NOT_FOUND);
    assert_int_equal(users->by_name(users->context, VIEW(""), &password), ERR_NOT_FOUND);
    assert_int_equal(stun_userhash(VIEW("ab"), VIEW("r.example"), hash), OK);
    assert_int_equal(
        users->by_hash(users->context, view_make(hash, sizeof(hash)), &name, &password), OK);
    assert_view(name, "ab");
    assert_view(password, "d");
    hash[0] ^= 1;
    assert_int_equal(
        users->by_hash(users->context, view_make(hash, sizeof(hash)), &name, &password),
        ERR_NOT_FOUND);
    turn_setup_free(setup);
    finish(&place);
}

static void check_peer(const struct turn_setup *setup, const char *text, bool is_allowed)
{
    struct address peer;
    assert_int_equal(address_read(view_of(text), &peer), OK);
    if (turn_policy_allows(&setup->policy, &peer) != is_allowed)
        fail_msg("%s is %s", text, is_allowed ? "refused" : "allowed");
}

static void test_rules(void **state)
{
    struct place place;
    (void)state;
    prepare(&place);
    assert_int_equal(settings_read_text(
                         VIEW("rtc: {public_ip: [203.0.114.7]}\n"
                              "workers: 2\n"
                              "turn: {allow_peers: [10.0.0.0/8], relay_ports: 50000-50099,\n"
                              "  bandwidth_all: 1MiB, bandwidth_allocation: 8KiB, lifetime: 20m,\n"
                              "  allocations_per_user: 7, allocations_per_prefix: 9}"),
                         "a", &place.settings, place.error),
                     OK);
    struct turn_setup *setup = make(&place, true);
    check_peer(setup, "10.1.2.3:1", true);
    check_peer(setup, "192.168.1.1:1", false);
    check_peer(setup, "203.0.114.7:22", false); /* ours */
    check_peer(setup, "203.0.114.7:49999", false);
    check_peer(setup, "203.0.114.7:50000", true);
    check_peer(setup, "203.0.114.7:50099", true);
    check_peer(setup, "203.0.114.7:50100", false);
    check_peer(setup, "203.0.114.7:6999", false);
    check_peer(setup, "203.0.114.7:7000", true); /* media, one port a worker */
    check_peer(setup, "203.0.114.7:7001", true);
    check_peer(setup, "203.0.114.7:7002", false);
    assert_int_equal(setup->config.allocations_max, 100);
    assert_in_range(setup->config.relays_max, 100, TURN_RELAYS_MAX);
    assert_int_equal(setup->config.bytes_per_s_all, 1024 * 1024); /* of all workers */
    assert_int_equal(setup->config.bytes_per_s_allocation, 8192);
    assert_int_equal(setup->config.lifetime_s_max, 1200);
    assert_int_equal(setup->config.allocations_per_user_max, 7);
    assert_int_equal(setup->config.allocations_per_prefix_max, 9);
    turn_setup_free(setup);

    place.settings.rtc_port = RTC_PORT_OFF;
    setup = make(&place, true);
    check_peer(setup, "203.0.114.7:7000", false);
    check_peer(setup, "203.0.114.7:50000", true);
    turn_setup_free(setup);
    finish(&place);
}

static void tell(struct place *place, const char *yaml, struct turn_setup *setup,
                 struct ice_config *ice)
{
    int status = settings_read_text(view_of(yaml), "a", &place->settings, place->error);
    assert_string_equal(place->error, "");
    assert_int_equal(status, OK);
    turn_setup_tell(setup, &place->settings, ice);
}

static void test_told(void **state)
{
    struct place place;
    struct ice_config ice;
    (void)state;
    prepare(&place);
    struct turn_setup *setup = make(&place, true);
    tell(&place, "", NULL, &ice);
    assert_int_equal(ice.port, 3478);
    assert_false(ice.relays);

    tell(&place, "turn: {listen: ['1.2.3.4:7', '1.2.3.4:8'], credential_lifetime: 2h}", setup,
         &ice);
    assert_int_equal(ice.port, 7);
    assert_int_equal(ice.tls_port, 0); /* self-signed */
    assert_int_equal(ice.https_port, 8443);
    assert_true(ice.relays);
    assert_true(view_equal(ice.secret, setup->config.secrets[0]));
    assert_int_equal(ice.lifetime_s, 7200);
    assert_int_equal(ice.server_count, 0);
    tell(&place, "https: {cert: a, key: b}", setup, &ice);
    assert_int_equal(ice.tls_port, 5349);
    assert_int_equal(ice.https_port, 8443);
    tell(&place, "https: {listen: ['0.0.0.0:8443', '0.0.0.0:443']}", setup, &ice);
    assert_int_equal(ice.tls_port, 443);
    assert_int_equal(ice.https_port, 443);
    tell(&place, "{https: {listen: ['0.0.0.0:8444']}, turn: {tls_listen: []}}", setup, &ice);
    assert_int_equal(ice.tls_port, 8444);
    assert_int_equal(ice.https_port, 8444);
    tell(&place, "https: {listen: []}", setup, &ice);
    assert_int_equal(ice.tls_port, 0);
    assert_int_equal(ice.https_port, 0);

    tell(&place,
         "{https: {listen: ['0.0.0.0:443']}, turn: {tls_listen: ['1.2.3.4:5349'], listen: []}}",
         setup, &ice);
    assert_int_equal(ice.port, 0);
    assert_int_equal(ice.tls_port, 443);
    assert_int_equal(ice.https_port, 443);
    assert_true(ice.relays);
    tell(&place, "turn: {tls_listen: []}", setup, &ice);
    assert_int_equal(ice.port, 0);
    assert_int_equal(ice.tls_port, 0);
    assert_int_equal(ice.https_port, 0);
    assert_false(ice.relays);
    tell(&place, "turn: {servers: ['stun:a', 'turn:b'], secret: 0123456789abcdef}", setup, &ice);
    assert_int_equal(ice.server_count, 2);
    assert_view(ice.servers[1], "turn:b");
    turn_setup_free(setup);
    finish(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),  cmocka_unit_test(test_kept),  cmocka_unit_test(test_set),
        cmocka_unit_test(test_users), cmocka_unit_test(test_rules), cmocka_unit_test(test_told),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
