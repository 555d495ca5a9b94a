/* test_doctor.c - each check when all is well, and when something is to be mended. */
#include "support.h"

#include "shell/certificate_make.h"
#include "shell/command_doctor.h"
#include "shell/listen.h"
#include "shell/turn_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct visit {
    char folder[64];
    struct settings settings;
    char *text;
    size_t size;
};

static const struct address any_port = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };

static void prepare(struct visit *visit)
{
    *visit = (struct visit){ 0 };
    snprintf(visit->folder, sizeof(visit->folder), "/tmp/moim-doctor-XXXXXX");
    assert_non_null(mkdtemp(visit->folder));
    settings_default(&visit->settings);
    visit->settings.workers = 1;
    visit->settings.http_listen = (struct listen_list){ { any_port }, 1 };
    visit->settings.https_listen = (struct listen_list){ { any_port }, 1 };
    visit->settings.turn_listen = (struct listen_list){ { any_port }, 1 };
    visit->settings.turn_tls_listen = (struct listen_list){ { any_port }, 1 };
    visit->settings.rtc_port = 0;
    visit->settings.rtc_public_ip = (struct listen_list){ { any_port }, 1 };
    snprintf(visit->settings.state_dir, SETTINGS_PATH_MAX, "%s/state", visit->folder);
}

static int see(struct visit *visit)
{
    free(visit->text);
    FILE *out = open_memstream(&visit->text, &visit->size);
    assert_non_null(out);
    int code = command_doctor(&visit->settings, "x.yaml", out);
    assert_int_equal(fclose(out), 0);
    return code;
}

static void check_line(const struct visit *visit, const char *beginning)
{
    const char *at = strstr(visit->text, beginning);
    if (!at || (at > visit->text && at[-1] != '\n'))
        fail_msg("no line begins with \"%s\" in:\n%s", beginning, visit->text);
}

static void finish(struct visit *visit)
{
    char path[CERTIFICATE_PATH_SIZE];
    certificate_path(&visit->settings, path);
    unlink(path);
    rmdir(visit->settings.state_dir);
    assert_int_equal(rmdir(visit->folder), 0);
    free(visit->text);
}

static void test_well(void **state)
{
    (void)state;
    struct visit visit;
    char error[SETTINGS_ERROR_MAX];
    prepare(&visit);
    assert_int_equal(
        settings_read_text(VIEW("endpoints: [{path: /chat}]"), "x.yaml", &visit.settings, error),
        OK);
    assert_int_equal(see(&visit), 0);
    settings_clear(&visit.settings);
    check_line(&visit, "ok    endpoint /chat: relay over websocket\n");
    check_line(&visit, "ok    configuration x.yaml\n");
    check_line(&visit, "ok    http.listen 127.0.0.1 (TCP)\n");
    check_line(&visit, "ok    https.listen 127.0.0.1 (TCP)\n");
    check_line(&visit, "ok    turn.listen 127.0.0.1 (UDP)\n");
    check_line(&visit, "ok    turn.listen 127.0.0.1 (TCP)\n");
    check_line(&visit, "ok    turn.tls_listen 127.0.0.1 (UDP)\n");
    check_line(&visit, "ok    turn.tls_listen 127.0.0.1 (TCP)\n");
    check_line(&visit, "ok    turn.relay_ports 49152-65535 (UDP)\n");
    check_line(&visit, "ok    turn.secret: one will be made at the start\n");
    check_line(&visit, "ok    certificate: a self-signed one will be made at the start\n");
    check_line(&visit, "ok    public address: 127.0.0.1 (rtc.public_ip)\n");
    check_line(&visit, "ok    rtc.port: the system chooses (UDP, TCP)\n");
    check_line(&visit, "ok    media is sent to 127.0.0.1");
    check_line(&visit, "ok    media is encrypted by ");
    check_line(&visit, "ok    state.dir /tmp/");
    assert_null(strstr(visit.text, "fail"));
    assert_int_not_equal(access(visit.settings.state_dir, F_OK), 0); /* nothing was made */
    finish(&visit);
}

static void test_turn(void **state)
{
    (void)state;
    struct visit visit;
    struct settings *settings = &visit.settings;
    char path[STATE_PATH_SIZE];
    char wanted[STATE_PATH_SIZE + 64];
    prepare(&visit);
    settings->turn.relay_ports = (struct port_range){ 50000, 50099 };
    settings->turn.secrets.count = 1;
    snprintf(settings->turn.secrets.items[0], SETTINGS_TEXT_MAX, "0123456789abcdef");
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "warn  turn.relay_ports 50000-50099 (UDP)  -> 100 relays at once");
    check_line(&visit, "ok    turn.secret is set\n");

    settings->turn.secrets.count = 0;
    settings->turn.relay_ports.min = 1024;
    settings->turn_listen.items[0].port = 50099;
    assert_int_equal(mkdir(settings->state_dir, 0700), 0);
    state_file_path(settings, TURN_SECRET_FILE, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("0123456789abcdef\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    see(&visit);
    check_line(&visit, "warn  turn.relay_ports 1024-50099 (UDP)  -> turn.listen has 50099, which "
                       "is one of them: set others\n");
    check_line(&visit, "ok    turn.secret is kept in state.dir\n");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(see(&visit), 1);
    snprintf(wanted, sizeof(wanted), "fail  turn.secret: %.200s: others may read or write it",
             path);
    check_line(&visit, wanted);
    unlink(path);

    settings->turn_listen.count = 0;
    settings->turn_tls_listen.count = 0;
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "warn  turn.listen and turn.tls_listen are empty  -> ");
    assert_null(strstr(visit.text, "turn.secret"));
    settings->turn.servers.count = 1;
    snprintf(settings->turn.servers.items[0], SETTINGS_TEXT_MAX, "stun:a.example");
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "ok    clients are told of stun:a.example\n");
    assert_null(strstr(visit.text, "turn.listen"));
    finish(&visit);
}

static void test_ports(void **state)
{
    (void)state;
    static const enum listen_transport transports[] = { LISTEN_TCP, LISTEN_UDP };
    struct visit visit;
    for (int i = 0; i < 2; i++) {
        char wanted[160];
        int fd;
        prepare(&visit);
        assert_int_equal(listen_open(&any_port, transports[i], &fd), OK);
        visit.settings.turn_listen.items[0].port = listen_port(fd);
        assert_int_equal(see(&visit), 1);
        snprintf(wanted, sizeof(wanted),
                 "fail  turn.listen 127.0.0.1:%u (%s)  -> %s (pid %ld) has it: stop that, "
                 "or set another port in turn.listen\n",
                 listen_port(fd), i ? "UDP" : "TCP", program_invocation_short_name, (long)getpid());
        check_line(&visit, wanted);
        close(fd);
        finish(&visit);
    }
    prepare(&visit);
    assert_int_equal(address_read(VIEW("192.0.2.199:1"), &visit.settings.http_listen.items[0]), OK);
    assert_int_equal(see(&visit), 1);
    check_line(&visit, "fail  http.listen 192.0.2.199:1 (TCP)  -> this machine doesn't have that "
                       "address");
    visit.settings.http_listen.count = 0;
    visit.settings.https_listen.count = 0;
    assert_int_equal(see(&visit), 1);
    check_line(&visit, "warn  https.listen is empty  -> ");
    check_line(&visit, "fail  nothing listens  -> set http.listen or https.listen\n");
    assert_null(strstr(visit.text, "certificate"));
    finish(&visit);
}

static void test_media(void **state)
{
    (void)state;
    struct visit visit;
    struct address any = { .family = ADDRESS_IPV4 };
    char wanted[160];
    int fd;
    prepare(&visit);
    visit.settings.rtc_port = RTC_PORT_OFF;
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "ok    rtc.port is off: ");
    assert_null(strstr(visit.text, "encrypted"));

    assert_int_equal(listen_open(&any, LISTEN_TCP, &fd), OK);
    uint16_t taken = listen_port(fd);
    visit.settings.rtc_port = taken - 1u;
    visit.settings.workers = 2;
    assert_int_equal(see(&visit), 1);
    snprintf(wanted, sizeof(wanted),
             "fail  rtc.port %u (TCP)  -> %s (pid %ld) has it: stop that, or set another port in "
             "rtc.port\n",
             taken, program_invocation_short_name, (long)getpid());
    check_line(&visit, wanted);
    snprintf(wanted, sizeof(wanted), "ok    media is sent to 127.0.0.1:%u", taken - 1u);
    check_line(&visit, wanted);
    close(fd);
    finish(&visit);
}

static void test_certificate(void **state)
{
    (void)state;
    struct visit visit;
    char error[SETTINGS_ERROR_MAX];
    char path[CERTIFICATE_PATH_SIZE];
    prepare(&visit);
    assert_int_equal(certificate_make(&visit.settings, (int64_t)time(NULL), error), OK);
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "ok    certificate ");
    assert_non_null(strstr(visit.text, ", self-signed\n"));

    certificate_path(&visit.settings, path);
    assert_in_range(strlen(path), 1, SETTINGS_PATH_MAX - 1);
    memcpy(visit.settings.https_cert, path, strlen(path) + 1);
    snprintf(visit.settings.https_key, SETTINGS_PATH_MAX, "/nonexistent/key");
    assert_int_equal(see(&visit), 1);
    check_line(&visit, "fail  certificate: https.key: /nonexistent/key: No such file or directory"
                       "  -> ");

    memcpy(visit.settings.https_key, path, strlen(path) + 1);
    assert_int_equal(certificate_make(&visit.settings, 0, error), OK);
    assert_int_equal(see(&visit), 0);
    check_line(&visit, "warn  certificate ");
    assert_non_null(strstr(visit.text, "-> the certificate expired on 1979-12-30: replace"));
    finish(&visit);
}

static void test_state(void **state)
{
    (void)state;
    struct visit visit;
    char path[SETTINGS_PATH_MAX];
    prepare(&visit);
    memcpy(path, visit.settings.state_dir, sizeof(path));
    snprintf(visit.settings.state_dir, SETTINGS_PATH_MAX, "/nonexistent/a/");
    assert_int_equal(see(&visit), 1);
    check_line(&visit,
               "fail  state.dir /nonexistent/a/  -> it can't be made (/nonexistent: No such "
               "file or directory)");
    snprintf(visit.settings.state_dir, SETTINGS_PATH_MAX, "moim-no-such-folder");
    assert_int_equal(see(&visit), 0);
    snprintf(visit.settings.state_dir, SETTINGS_PATH_MAX, "/dev/null");
    assert_int_equal(see(&visit), 1);
    check_line(&visit, "fail  state.dir /dev/null  -> it is no folder: set another path\n");
    memcpy(visit.settings.state_dir, path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(see(&visit), 0);
    finish(&visit);
}

static void test_refused(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(command_doctor_refused("x.yaml:3: a: b 100%", out), 1);
    fclose(out);
    assert_string_equal(text, "fail  configuration  -> x.yaml:3: a: b 100%\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well),        cmocka_unit_test(test_turn),
        cmocka_unit_test(test_ports),       cmocka_unit_test(test_media),
        cmocka_unit_test(test_certificate), cmocka_unit_test(test_state),
        cmocka_unit_test(test_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
