/* test_settings.c - every key from every source, and the one line that each mistake gets. */
#include "repository_file.h"
#include "support.h"

#include "front/endpoint.h"
#include "shell/settings.h"
#include "shell/settings_value.h"
#include "shell/terms.h"
#include "shell/yaml_outline.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME "moim.yaml"

static void check_list(const struct listen_list *list, const char *wanted)
{
    char seen[SETTINGS_LISTEN_MAX * (ADDRESS_TEXT_SIZE + 1)] = "";
    char text[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < list->count; i++) {
        address_write(&list->items[i], text);
        strcat(seen, i ? " " : "");
        strcat(seen, text);
    }
    assert_string_equal(seen, wanted);
}

static void read_yaml(const char *yaml, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    settings_default(settings);
    int status = settings_read_text(view_of(yaml), NAME, settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
}

/* The text is refused with that line, and nothing is set. */
static void refuse_bytes(struct view yaml, const char *wanted)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    struct settings before;
    memset(&settings, 0, sizeof(settings));
    settings_default(&settings);
    memcpy(&before, &settings, sizeof(before));
    int status = settings_read_text(yaml, NAME, &settings, error);
    assert_string_equal(error, wanted);
    assert_int_equal(status, ERR_CONFIG);
    assert_memory_equal(&settings, &before, sizeof(before));
}

static void refuse_yaml(const char *yaml, const char *wanted)
{
    refuse_bytes(view_of(yaml), wanted);
}

static void read_all(char *const *environment, char *const *sets, int set_count,
                     struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    int status = settings_read(NULL, environment, sets, set_count, settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    settings_clear(settings); /* test_endpoints.c looks at them */
}

static void refuse_variable(const char *variable, const char *wanted)
{
    char *environment[] = { (char *)variable, NULL };
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    int status = settings_read(NULL, environment, NULL, 0, &settings, error);
    assert_string_equal(error, wanted);
    assert_int_equal(status, ERR_CONFIG);
}

static void refuse_set(const char *set, const char *wanted)
{
    char *sets[] = { (char *)set };
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    int status = settings_read(NULL, NULL, sets, 1, &settings, error);
    assert_string_equal(error, wanted);
    assert_int_equal(status, ERR_CONFIG);
}

static void check_defaults(const struct settings *settings)
{
    check_list(&settings->http_listen, "0.0.0.0:8080");
    check_list(&settings->https_listen, "0.0.0.0:8443");
    check_list(&settings->turn_listen, "0.0.0.0:3478");
    check_list(&settings->turn_tls_listen, "0.0.0.0:5349");
    assert_int_equal(settings->turn.relay_ports.min, 49152);
    assert_int_equal(settings->turn.relay_ports.max, 65535);
    assert_int_equal(settings->turn.secrets.count, 0);
    assert_int_equal(settings->turn.users.count, 0);
    assert_int_equal(settings->turn.servers.count, 0);
    assert_int_equal(settings->turn.allow_peers.count, 0);
    assert_string_equal(settings->turn.realm, "moim");
    assert_int_equal(settings->turn.allocations_per_user, 256);
    assert_int_equal(settings->turn.allocations_per_prefix, 1024);
    assert_int_equal(settings->turn.bandwidth_allocation, 4 * 1024 * 1024);
    assert_int_equal(settings->turn.bandwidth_all, 0);
    assert_int_equal(settings->turn.lifetime, 3600 * USEC_S);
    assert_int_equal(settings->turn.credential_lifetime, 12 * 3600 * USEC_S);
    check_list(&settings->rtc_public_ip, "");
    assert_string_equal(settings->https_cert, "");
    assert_string_equal(settings->https_key, "");
    assert_string_equal(settings->state_dir, "./moim-state");
    assert_in_range(settings->workers, 1, WORKERS_MAX);
    assert_int_equal(settings->log_level, TRACE_INFO);
    assert_int_equal(settings->log_format, LOG_TEXT);
}

static void test_defaults(void **state)
{
    (void)state;
    static const char *const empty[] = {
        "", "# nothing\n", "---\n", "{}\n", "http:\nlog: ~\nhttps: null\n", "\xef\xbb\xbf", "\r\n",
    };
    struct settings settings;
    read_all(NULL, NULL, 0, &settings);
    check_defaults(&settings);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        read_yaml(empty[i], &settings);
        check_defaults(&settings);
    }
}

static void test_every_key(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("http:\n"
              "  listen: [127.0.0.1:80, \"[::1]:8080\", '10.0.0.1:0']\n"
              "https:\n"
              "  listen: []\n"
              "  cert: /etc/moim/cert.pem\n"
              "  key: \"/etc/moim/a key.pem\"\n"
              "rtc:\n"
              "  public_ip:\n"
              "    - 198.51.100.7\n"
              "    - 2001:db8::7\n"
              "turn: {listen: [\"[::]:3478\"]}\n"
              "state: {dir: /var/lib/moim}\n"
              "workers: 64\n"
              "log:\n"
              "  level: debug\n"
              "  format: json\n",
              &settings);
    check_list(&settings.http_listen, "127.0.0.1:80 [::1]:8080 10.0.0.1");
    check_list(&settings.https_listen, "");
    check_list(&settings.rtc_public_ip, "198.51.100.7 2001:db8::7");
    check_list(&settings.turn_listen, "[::]:3478");
    assert_string_equal(settings.https_cert, "/etc/moim/cert.pem");
    assert_string_equal(settings.https_key, "/etc/moim/a key.pem");
    assert_string_equal(settings.state_dir, "/var/lib/moim");
    assert_int_equal(settings.workers, 64);
    assert_int_equal(settings.log_level, TRACE_DEBUG);
    assert_int_equal(settings.log_format, LOG_JSON);
}

static void check_texts(const struct text_list *list, const char *wanted)
{
    char seen[SETTINGS_TEXTS_MAX * (SETTINGS_TEXT_MAX + 1)] = "";
    for (uint32_t i = 0; i < list->count; i++) {
        strcat(seen, i ? " " : "");
        strcat(seen, list->items[i]);
    }
    assert_string_equal(seen, wanted);
}

#define SECRET_A "0123456789abcdef"
#define SECRET_B "a secret, old one"

static void test_every_turn_key(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("turn:\n"
              "  tls_listen: [\"0.0.0.0:5350\"]\n"
              "  relay_ports: 50000 - 50099\n"
              "  secret: [" SECRET_A ", \"" SECRET_B "\"]\n"
              "  users:\n    - camera:pass:word\n    - \"door:p, w\"\n"
              "  realm: meet.example.com\n"
              "  allow_peers: [10.0.0.0/8, 192.0.2.1, \"fd00::/8\"]\n"
              "  servers: [stun:a.example, \"turn:[2001:db8::1]:1?transport=udp\",\n"
              "            turns:b-1.example:443?transport=tcp]\n"
              "  allocations_per_user: 1\n"
              "  allocations_per_prefix: 65536\n"
              "  bandwidth_allocation: 64KiB\n"
              "  bandwidth_all: 125MiB\n"
              "  lifetime: 10m\n"
              "  credential_lifetime: 2h\n",
              &settings);
    const struct turn_settings *turn = &settings.turn;
    check_list(&settings.turn_tls_listen, "0.0.0.0:5350");
    assert_int_equal(turn->relay_ports.min, 50000);
    assert_int_equal(turn->relay_ports.max, 50099);
    check_texts(&turn->secrets, SECRET_A " " SECRET_B);
    check_texts(&turn->users, "camera:pass:word door:p, w");
    assert_string_equal(turn->realm, "meet.example.com");
    assert_int_equal(turn->allow_peers.count, 3);
    assert_int_equal(turn->allow_peers.items[0].bits, 8);
    assert_int_equal(turn->allow_peers.items[1].bits, 32);
    check_texts(&turn->servers, "stun:a.example turn:[2001:db8::1]:1?transport=udp "
                                "turns:b-1.example:443?transport=tcp");
    assert_int_equal(turn->allocations_per_user, 1);
    assert_int_equal(turn->allocations_per_prefix, 65536);
    assert_int_equal(turn->bandwidth_allocation, 64 * 1024);
    assert_int_equal(turn->bandwidth_all, 125 * 1024 * 1024);
    assert_int_equal(turn->lifetime, 600 * USEC_S);
    assert_int_equal(turn->credential_lifetime, 7200 * USEC_S);

    read_yaml("turn: {secret: " SECRET_A ", bandwidth_all: 0}", &settings);
    check_texts(&turn->secrets, SECRET_A);
    assert_int_equal(turn->bandwidth_all, 0);
    read_yaml("turn:\n  secret: []\n", &settings);
    check_texts(&turn->secrets, "");
}

static void test_bad_turn_values(void **state)
{
    (void)state;
    static const char *const ports[] = { "1", "1-", "1023-2000", "2000-1999", "1024-65536", "a-b" };
    static const char *const users[] = { "\"a\"", "\":a\"", "\"a:\"", "\"a:b\\nc\"" };
    static const char *const servers[] = {
        "a.example", "turn:",        "http:a.example",        "turn:a b",
        "turn:a:0",  "turn:a:65536", "turn:a?transport=sctp", "stun:a?transport=udp",
        "turn:[::1", "turn:[a]:1",   "turn://a.example"
    };
    char yaml[256];
    char wanted[SETTINGS_ERROR_MAX];
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        snprintf(yaml, sizeof(yaml), "turn:\n  relay_ports: %s\n", ports[i]);
        snprintf(wanted, sizeof(wanted),
                 NAME ":2: turn.relay_ports: \"%s\" is not a range of ports from 1024 to 65535, "
                      "like 49152-65535",
                 ports[i]);
        refuse_yaml(yaml, wanted);
    }
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        snprintf(yaml, sizeof(yaml), "turn:\n  users:\n    - %s\n", users[i]);
        refuse_yaml(yaml, NAME ":3: turn.users: a user is name:password, up to 255 bytes together, "
                               "without control characters");
    }
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        snprintf(yaml, sizeof(yaml), "turn: {servers: [\"%s\"]}", servers[i]);
        snprintf(wanted, sizeof(wanted),
                 NAME ":1: turn.servers: \"%s\" is not like "
                      "turn:turn.example.com:3478?transport=udp (or stun:, stuns:, turns:)",
                 servers[i]);
        refuse_yaml(yaml, wanted);
    }
    refuse_yaml("turn: {users: [\"a:b\", \"a:c\"]}",
                NAME ":1: turn.users: \"a\" stands twice in the list");
    refuse_yaml("turn: {users: [\"1763:b\"]}",
                NAME ":1: turn.users: \"1763\" is no name of a user: digits alone are the time of "
                     "TURN REST");
    refuse_yaml("turn: {realm: 'a\"b'}",
                NAME ":1: turn.realm: \"a\"b\" is not 1 to 64 bytes without "
                     "control characters and quotes");
    refuse_yaml("turn:\n  allow_peers:\n  - 10.0.0.1/8\n",
                NAME ":3: turn.allow_peers: \"10.0.0.1/8\" is not a network like 10.0.0.0/8 (its "
                     "bits behind the prefix are 0)");
    refuse_yaml("turn: {allocations_per_user: 0}",
                NAME ":1: turn.allocations_per_user: \"0\" is not a number from 1 to 65536");
    refuse_yaml("turn: {bandwidth_allocation: 1}",
                NAME ":1: turn.bandwidth_allocation: \"1\" is not a size (like 4096 or 64KiB) from "
                     "4KiB to 1024MiB, or 0");
    refuse_yaml("turn: {lifetime: 9m}",
                NAME ":1: turn.lifetime: \"9m\" is not a duration (like 300ms, 25s or 2m) from 10m "
                     "to 24h");
    refuse_yaml("turn: {servers: [stun:a, turn:b]}",
                NAME ":1: turn.servers: turn.secret is missing: the one that these servers have");
}

/* No message shows a secret. */
static void test_bad_secrets(void **state)
{
    (void)state;
    static const char reason[] =
        "a secret has 16 to 255 bytes without control characters (\"openssl "
        "rand -hex 32\" makes one)";
    char wanted[SETTINGS_ERROR_MAX];
    snprintf(wanted, sizeof(wanted), NAME ":2: turn.secret: %s", reason);
    refuse_yaml("turn:\n  secret: 0123456789abcde\n", wanted);
    snprintf(wanted, sizeof(wanted), NAME ":4: turn.secret: %s", reason);
    refuse_yaml("turn:\n  secret:\n    - " SECRET_A "\n    - ''\n", wanted);
    snprintf(wanted, sizeof(wanted), "MOIM_TURN_SECRET: turn.secret: %s", reason);
    refuse_variable("MOIM_TURN_SECRET=short", wanted);
    refuse_yaml("turn: {secret: [" SECRET_A "," SECRET_A "]}",
                NAME ":1: turn.secret: a secret stands twice in the list");
    refuse_yaml("turn: {secret: [" SECRET_A "1," SECRET_A "2," SECRET_A "3," SECRET_A "4," SECRET_A
                "5]}",
                NAME ":1: turn.secret: more than 4 entries");
    refuse_yaml("turn: {secret: {a: b}}", NAME
                ":1: turn.secret: not a list, like [\"9f86d081884c7d65\"]; [] is the empty one");
    refuse_yaml("auth: {secret: 0123456789abcdef0123456789abcde}",
                NAME ":1: auth.secret: a secret has 32 to 255 bytes without control characters "
                     "(\"openssl rand -hex 32\" makes one)");
}

/* One section's may be a list while the other's is a text. */
static void test_secrets(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("auth:\n  secret: [" SECRET_A SECRET_A ", " SECRET_A SECRET_A "1"
              "]\n"
              "turn:\n  secret: " SECRET_A "\n",
              &settings);
    check_texts(&settings.auth_secrets, SECRET_A SECRET_A " " SECRET_A SECRET_A "1");
    check_texts(&settings.turn.secrets, SECRET_A);
    read_yaml("auth: {secret: " SECRET_A SECRET_A "}", &settings);
    check_texts(&settings.auth_secrets, SECRET_A SECRET_A);
}

static void test_unknown_keys(void **state)
{
    (void)state;
    refuse_yaml("# a\nhttp:\n  listen: []\n\n  lisen: [3]\n", NAME ":5: http.lisen: unknown key");
    refuse_yaml("log:\n  level: info\nhttp2:\n\n\n  a: b\n", NAME ":3: http2: unknown key");
    refuse_yaml("cert:\n  a\n", NAME ":1: cert: unknown key");
    refuse_yaml("a\x01"
                "b: 1\n",
                NAME ":1: not valid UTF-8 text (control characters are not "
                     "allowed)");
    refuse_yaml("\"a\\nb\": 1\n", NAME ":1: a?b: unknown key");
    refuse_yaml("http: {listen: [], <<: {a: b}}\n", NAME ":1: http.<<: unknown key");
    refuse_yaml("\n? [a]\n: b\n", NAME ":2: a key must be a word");
    refuse_yaml("http.listen: []\n",
                NAME ":1: \"http.listen\" is not a key: what follows a dot is a key of its own, "
                     "indented on the next line");
}

static void test_duplicate_keys(void **state)
{
    (void)state;
    refuse_yaml("workers: 1\n\nworkers: 2\n", NAME ":3: workers: the key stands on line 1 already");
    refuse_yaml("https:\n  cert: a\n  key: b\n  cert: c\n",
                NAME ":4: https.cert: the key stands on line 2 already");
    refuse_yaml("http: {listen: []}\nlog:\nhttp: {}\n",
                NAME ":3: http: the key stands on line 1 already");
}

static void test_wrong_types(void **state)
{
    (void)state;
    refuse_yaml("http:\n  listen: 0.0.0.0:80\n",
                NAME ":2: http.listen: not a list, like [\"0.0.0.0:8080\"]; [] is the empty one");
    refuse_yaml("rtc:\n  public_ip:\n\nlog:\n",
                NAME ":2: rtc.public_ip: not a list, like [\"192.0.2.1\"]; [] is the empty one");
    refuse_yaml("http:\n  listen:\n    a: b\n",
                NAME ":2: http.listen: not a list, like [\"0.0.0.0:8080\"]; [] is the empty one");
    refuse_yaml("http:\n  listen:\n    - 0.0.0.0:80\n    - {a: b}\n",
                NAME ":4: http.listen: entry 2 is not a text (an IPv6 address needs quotes around "
                     "it)");
    refuse_yaml("http:\n  listen:\n    -\n", NAME ":3: http.listen: entry 1 is empty");
    refuse_yaml("workers: [1]\n", NAME ":1: workers: not a single value");
    refuse_yaml("workers:\n", NAME ":1: workers: no value");
    refuse_yaml("\nhttps: yes\n",
                NAME ":2: https: its keys belong on lines of their own, indented");
    refuse_yaml("log:\n  - level\n",
                NAME ":1: log: its keys belong on lines of their own, indented");
    refuse_yaml("- http\n", NAME ":1: not a map of keys, like \"http:\"");
    refuse_yaml("http\n", NAME ":1: not a map of keys, like \"http:\"");
}

static void test_bad_values(void **state)
{
    (void)state;
    refuse_yaml("https:\n  listen:\n    - 0.0.0.0:8443\n\n    - \"0.0.0.0:99999\"\n",
                NAME ":5: https.listen: \"0.0.0.0:99999\" is not an address with a port from 0 to "
                     "65535");
    refuse_yaml("http: {listen: [localhost:80]}\n",
                NAME ":1: http.listen: \"localhost:80\" is not an address with a port from 0 to "
                     "65535");
    refuse_yaml("http: {listen: [1.2.3.4]}\n",
                NAME ":1: http.listen: \"1.2.3.4\" is not an address with a port from 0 to 65535");
    refuse_yaml("http: {listen: [\"224.0.0.1:80\"]}\n",
                NAME ":1: http.listen: \"224.0.0.1:80\" is a multicast or broadcast address");
    refuse_yaml("http: {listen: [\"[ff02::1]:80\"]}\n",
                NAME ":1: http.listen: \"[ff02::1]:80\" is a multicast or broadcast address");
    refuse_yaml("turn: {listen: [\"1.2.3.4:1\", \"1.2.3.4:1\"]}\n",
                NAME ":1: turn.listen: \"1.2.3.4:1\" stands twice in the list");
    refuse_yaml("rtc: {public_ip: [1.2.3.4:80]}\n",
                NAME ":1: rtc.public_ip: \"1.2.3.4:80\" is not an IP address (without a port)");
    refuse_yaml("rtc: {public_ip: [\"::\"]}\n",
                NAME ":1: rtc.public_ip: \"::\" is no address that others can reach");
    refuse_yaml("workers: 0\n", NAME ":1: workers: \"0\" is not a number from 1 to 64");
    refuse_yaml("workers: 65\n", NAME ":1: workers: \"65\" is not a number from 1 to 64");
    refuse_yaml("workers:\n  two\n", NAME ":2: workers: \"two\" is not a number from 1 to 64");
    refuse_yaml("\n\nlog:\n  level: loud\n",
                NAME ":4: log.level: \"loud\" is not one of error, warn, info, debug");
    refuse_yaml("log: {format: xml}\n", NAME ":1: log.format: \"xml\" is not one of text, json");
    refuse_yaml("state: {dir: \"\"}\n", NAME ":1: state.dir: \"\" is no path");
    refuse_yaml("state: {dir: \"a\\0b\"}\n", NAME ":1: a value holds a NUL character");
    refuse_yaml("log: {level: \"a\\nb\"}\n",
                NAME ":1: log.level: \"a?b\" is not one of error, warn, info, debug");
}

static void test_keys_together(void **state)
{
    (void)state;
    struct settings settings;
    read_yaml("https: {cert: '', key: ''}\n", &settings);
    refuse_yaml("https:\n  cert: a\n",
                NAME ":2: https.cert: https.key is missing: a certificate and its key go together");
    refuse_yaml("https:\n  cert: ''\n  key: a\n",
                NAME ":3: https.key: https.cert is missing: a certificate and its key go together");
    refuse_yaml("http: {listen: ['0.0.0.0:8443']}\n",
                NAME ":1: http.listen: 0.0.0.0:8443 is in https.listen, too");
    refuse_yaml("http: {listen: ['1.2.3.4:1']}\nturn: {listen: ['1.2.3.4:1']}\n",
                NAME ":2: turn.listen: 1.2.3.4:1 is in http.listen, too");
    read_yaml("http: {listen: ['1.2.3.4:0']}\nturn: {listen: ['1.2.3.4:0']}\n", &settings);
}

static void test_broken_yaml(void **state)
{
    (void)state;
    refuse_yaml("http:\n\tlisten: []\n",
                NAME ":2: not valid YAML: found character that cannot start any token, while "
                     "scanning for the next token");
    refuse_yaml("http: {}\nlog: [a,\nb", NAME ":3: not valid YAML: did not find expected ',' or "
                                              "']', while parsing a flow sequence");
    refuse_yaml("a: 1\nb: \xff\n", NAME ":2: not valid UTF-8 text (invalid leading UTF-8 octet)");
    refuse_yaml("\xff\xfe", NAME ":1: not valid UTF-8 text (invalid leading UTF-8 octet)");
    refuse_yaml("---\nworkers: 1\n---\nworkers: 2\n", NAME ":3: a second document begins here");
    refuse_yaml("https: &a\n  cert: x\nhttp:\n  *a\n",
                NAME ":4: aliases (*name) are not supported");
    refuse_yaml("http:\n [[[[[[[[[[[[1]]]]]]]]]]]]\n", NAME ":2: nested too deeply");
    refuse_bytes(VIEW("workers: 1\n\0"), NAME ":2: not valid UTF-8 text (control characters are "
                                              "not allowed)");
}

static void test_limits(void **state)
{
    (void)state;
    static char yaml[YAML_NODES_MAX * 32] = "http:\n  listen:\n";
    char wanted[SETTINGS_ERROR_MAX];
    struct settings settings;
    for (int i = 0; i < SETTINGS_LISTEN_MAX; i++)
        sprintf(yaml + strlen(yaml), "    - 10.0.0.1:%d\n", i + 1);
    read_yaml(yaml, &settings);
    assert_int_equal(settings.http_listen.count, SETTINGS_LISTEN_MAX);
    strcat(yaml, "    - 10.0.0.1:99\n");
    refuse_yaml(yaml, NAME ":19: http.listen: more than 16 addresses");
    char *end = yaml + strlen(yaml);
    for (int i = 0; i < YAML_NODES_MAX; i++)
        end += sprintf(end, "    - 10.0.0.1:99\n");
    refuse_yaml(yaml, NAME ":4096: more than 4096 keys and values");

    char path[SETTINGS_PATH_MAX + 1];
    memset(path, 'a', SETTINGS_PATH_MAX);
    path[SETTINGS_PATH_MAX] = '\0';
    snprintf(yaml, sizeof(yaml), "state: {dir: %s}", path + 1);
    read_yaml(yaml, &settings);
    assert_string_equal(settings.state_dir, path + 1);
    snprintf(yaml, sizeof(yaml), "state: {dir: %s}", path);
    snprintf(wanted, sizeof(wanted), NAME ":1: state.dir: \"%.76s...\" is longer than 1023 bytes",
             path);
    refuse_yaml(yaml, wanted);
}

static void test_environment(void **state)
{
    (void)state;
    struct settings settings;
    char *environment[] = { "PATH=/bin",
                            "MOIM_HTTP_LISTEN=127.0.0.1:1, [::1]:2 ,10.0.0.1:3",
                            "MOIM_HTTPS_LISTEN=",
                            "MOIM_HTTPS_CERT=a=b",
                            "MOIM_HTTPS_KEY=/k, y",
                            "MOIM_RTC_PUBLIC_IP=[\"2001:db8::1\", 192.0.2.1]",
                            "MOIM_TURN_LISTEN=[::]:3478",
                            "MOIM_WORKERS=3",
                            "MOIM_STATE_DIR=/s",
                            "MOIM_LOG_LEVEL=warn",
                            "MOIM_LOG_FORMAT=json",
                            NULL };
    read_all(environment, NULL, 0, &settings);
    check_list(&settings.http_listen, "127.0.0.1:1 [::1]:2 10.0.0.1:3");
    check_list(&settings.https_listen, "");
    check_list(&settings.rtc_public_ip, "2001:db8::1 192.0.2.1");
    check_list(&settings.turn_listen, "[::]:3478");
    assert_string_equal(settings.https_cert, "a=b");
    assert_string_equal(settings.https_key, "/k, y");
    assert_string_equal(settings.state_dir, "/s");
    assert_int_equal(settings.workers, 3);
    assert_int_equal(settings.log_level, TRACE_WARN);
    assert_int_equal(settings.log_format, LOG_JSON);

    refuse_variable("MOIM_HTP_LISTEN=", "MOIM_HTP_LISTEN: no key is set by this variable");
    refuse_variable("MOIM_=", "MOIM_: no key is set by this variable");
    refuse_variable("MOIM_HTTP_LISTEN=1.2.3.4:1,,",
                    "MOIM_HTTP_LISTEN: http.listen: \"\" is not an address with a port from 0 to "
                    "65535");
    refuse_variable("MOIM_HTTP_LISTEN=[\"1.2.3.4:1\", [a]]",
                    "MOIM_HTTP_LISTEN: http.listen: entry 2 is not a text");
    refuse_variable("MOIM_HTTP_LISTEN=[a]: [b]",
                    "MOIM_HTTP_LISTEN: http.listen: a key must be a word");
    refuse_variable("MOIM_HTTP_LISTEN=[\"a]",
                    "MOIM_HTTP_LISTEN: http.listen: not valid YAML: found unexpected end of "
                    "stream, while scanning a quoted scalar");
    refuse_variable("MOIM_WORKERS=", "MOIM_WORKERS: workers: \"\" is not a number from 1 to 64");
    refuse_variable("MOIM_HTTPS_KEY=a", "MOIM_HTTPS_KEY: https.key: https.cert is missing: a "
                                        "certificate and its key go together");
}

static void test_sets(void **state)
{
    (void)state;
    struct settings settings;
    char *environment[] = { "MOIM_WORKERS=3", "MOIM_LOG_LEVEL=warn", NULL };
    char *sets[] = { "http.listen=127.0.0.1:1,127.0.0.1:2",
                     "turn.listen=[]",
                     "workers=4",
                     "workers=5",
                     "https.listen=",
                     "turn.secret=" SECRET_A "," SECRET_A "b",
                     "turn.users=[\"a:b,c\"]" };
    read_all(environment, sets, 7, &settings);
    check_texts(&settings.turn.secrets, SECRET_A " " SECRET_A "b");
    check_texts(&settings.turn.users, "a:b,c");
    check_list(&settings.http_listen, "127.0.0.1:1 127.0.0.1:2");
    check_list(&settings.turn_listen, "");
    check_list(&settings.https_listen, "");
    assert_int_equal(settings.workers, 5);
    assert_int_equal(settings.log_level, TRACE_WARN);

    refuse_set("endpoints=[]", "--set: endpoints: a list of maps belongs into a file (--config)");
    refuse_set("workers", "--set: \"workers\" is not key.path=value");
    refuse_set("worker=1", "--set: worker: unknown key");
    refuse_set("=1", "--set: : unknown key");
    refuse_set("http=1", "--set: http: unknown key");
    refuse_set("log.format=xml", "--set: log.format: \"xml\" is not one of text, json");
}

/* Writes `size` bytes of `text` over and over. */
static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(text[i % strlen(text)], file);
    assert_int_equal(fclose(file), 0);
}

static void refuse_file(const char *path, const char *reason)
{
    char error[SETTINGS_ERROR_MAX] = "";
    char wanted[SETTINGS_ERROR_MAX];
    struct settings settings;
    int status = settings_read(path, NULL, NULL, 0, &settings, error);
    snprintf(wanted, sizeof(wanted), "%s%s", path, reason);
    assert_string_equal(error, wanted);
    assert_int_equal(status, ERR_CONFIG);
}

static void test_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/moim-settings-XXXXXX";
    char path[64];
    char error[SETTINGS_ERROR_MAX];
    char *environment[] = { "MOIM_WORKERS=3", NULL };
    struct settings settings;
    const char *text = "workers: 2\nlog: {level: error}\n";

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/moim.yaml", folder);
    refuse_file(path, ": No such file or directory");
    refuse_file(folder, ": Is a directory");
    write_file(path, text, strlen(text));
    assert_int_equal(settings_read(path, environment, NULL, 0, &settings, error), OK);
    settings_clear(&settings);
    assert_int_equal(settings.workers, 3); /* the environment wins over the file */
    assert_int_equal(settings.log_level, TRACE_ERROR);
    write_file(path, "workers: 2\nworkers: 3\n", 22);
    refuse_file(path, ":2: workers: the key stands on line 1 already");
    write_file(path, "#2345678901234567890123456789012345678901234567\n", SETTINGS_FILE_MAX);
    assert_int_equal(settings_read(path, NULL, NULL, 0, &settings, error), OK);
    settings_clear(&settings);
    write_file(path, "#2345678901234567890123456789012345678901234567\n", SETTINGS_FILE_MAX + 1);
    refuse_file(path, ": larger than 1 MiB");
    unlink(path);
    rmdir(folder);
}

/* Every truncation and every changed byte of a text: it is read, or the error tells a line, which
 * is to say that libcyaml refuses nothing that the outline let through. */
static void test_damaged(void **state)
{
    (void)state;
    static const char yaml[] =
        "http:\n  listen: [127.0.0.1:80, \"[::1]:8080\"]\n"
        "https: {cert: a, key: 'b'}\nrtc:\n  public_ip:\n    - 192.0.2.1\n"
        "turn:\n  secret: " SECRET_A "\n  users: ['a:b']\nworkers: 4\nlog: ~\n";
    static const char bytes[] = "\0\n\t :-?,[]{}#&*!|>'\"%@`~.a1\\\xff\xc3";
    char damaged[sizeof(yaml)];
    for (size_t at = 0; at < sizeof(yaml) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            struct settings settings;
            char error[SETTINGS_ERROR_MAX] = "";
            size_t size = i == sizeof(bytes) - 1 ? at : sizeof(yaml) - 1;
            memcpy(damaged, yaml, sizeof(yaml));
            if (i < sizeof(bytes) - 1)
                damaged[at] = bytes[i];
            settings_default(&settings);
            int status = settings_read_text(view_make(damaged, size), NAME, &settings, error);
            if (status == OK)
                continue;
            assert_int_equal(status, ERR_CONFIG);
            if (strncmp(error, NAME ":", sizeof(NAME)) != 0 || error[sizeof(NAME)] < '1' ||
                error[sizeof(NAME)] > '9' || strchr(error, '\n'))
                fail_msg("\"%.*s\" gave \"%s\"", (int)size, damaged, error);
        }
    }
}

/* ---- what the repository tells of the settings ---- */

/* Takes away the '#' of lines that would be settings without it. */
static void uncomment(char *text)
{
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        char *at = line + strspn(line, " ");
        if (at[0] == '#' && ((at[1] >= 'a' && at[1] <= 'z') || at[1] == '-'))
            memmove(at, at + 1, strlen(at));
    }
}

static void test_example(void **state)
{
    (void)state;
    char text[16 * 1024];
    struct settings settings;
    read_repository_file("moim.example.yaml", text, sizeof(text));
    read_yaml(text, &settings);
    check_defaults(&settings);
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        const char *key = strrchr(settings_table[i].name, '.');
        if (!strstr(text, key ? key + 1 : settings_table[i].name))
            fail_msg("the example lacks %s", settings_table[i].name);
    }
    uncomment(text);
    read_yaml(text, &settings);
    assert_string_equal(settings.https_cert, "/etc/moim/fullchain.pem");
    assert_string_equal(settings.https_key, "/etc/moim/privkey.pem");
    check_list(&settings.rtc_public_ip, "203.0.113.7");
    assert_int_equal(settings.turn.secrets.count, 1);
    assert_int_equal(settings.auth_secrets.count, 1);
    assert_int_equal(settings.admin_tokens.count, 1);
    assert_int_equal(settings.workers, 4);
    assert_int_equal(settings_endpoints(&settings)->count, 5);
    settings_clear(&settings);
}

static void test_manual(void **state)
{
    (void)state;
    char text[32 * 1024];
    read_repository_file("docs/CONFIGURATION.md", text, sizeof(text));
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        char row[128] = "| `";
        size_t size = strlen(row);
        size += (size_t)sprintf(row + size, "%s` | `MOIM_", settings_table[i].name);
        for (const char *c = settings_table[i].name; *c; c++)
            row[size++] = *c == '.' ? '_' : *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
        memcpy(row + size, "` |", 4);
        const char *found = strstr(text, row);
        if (!found)
            fail_msg("the manual lacks \"%s\"", row);
        struct view line = view_slice(view_of(found), 0, strcspn(found, "\n"));
        bool is_again = view_find(line, VIEW("| read again |")) < line.size;
        if (is_again != terms_include(settings_table[i].name))
            fail_msg("the manual is wrong of %s after SIGHUP", settings_table[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_every_turn_key), cmocka_unit_test(test_bad_turn_values),
        cmocka_unit_test(test_bad_secrets),    cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_unknown_keys),   cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_wrong_types),    cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_keys_together),  cmocka_unit_test(test_broken_yaml),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_environment),
        cmocka_unit_test(test_sets),           cmocka_unit_test(test_file),
        cmocka_unit_test(test_damaged),        cmocka_unit_test(test_example),
        cmocka_unit_test(test_manual),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
