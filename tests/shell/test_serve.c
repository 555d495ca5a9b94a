/* test_serve.c - the whole program in a child process: what it prints, and what signals do. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/command_serve.h"
#include "shell/listen.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a test waits at most, so that a fault ends it. */
#define PATIENCE_MS 20000

struct child {
    char folder[64];
    struct settings settings;
    const struct command_line *line;
    pid_t pid;
    int output; /* stdout and stderr of the child */
    char text[16 * 1024];
    size_t size;
};

static void prepare(struct child *child)
{
    static const struct address any = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    *child = (struct child){ 0 };
    snprintf(child->folder, sizeof(child->folder), "/tmp/moim-serve-XXXXXX");
    assert_non_null(mkdtemp(child->folder));
    settings_default(&child->settings);
    child->settings.workers = 2;
    child->settings.http_listen = (struct listen_list){ { any }, 1 };
    child->settings.https_listen = (struct listen_list){ { any }, 1 };
    child->settings.turn_listen = (struct listen_list){ { any }, 1 };
    child->settings.turn_tls_listen = (struct listen_list){ { any }, 1 };
    child->settings.rtc_port = 0;
    snprintf(child->settings.state_dir, SETTINGS_PATH_MAX, "%s", child->folder);
}

static void start(struct child *child)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        _exit(command_serve(&child->settings, child->line, NULL));
    }
    close(ends[1]);
    child->output = ends[0];
}

static void add_endpoint(struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX];
    assert_int_equal(settings_read_text(VIEW("endpoints: [{path: /chat, speak: stomp}]"), "x.yaml",
                                        settings, error),
                     OK);
}

/* Reads on until the child has written `wanted`, or its output ends. */
static void read_until(struct child *child, const char *wanted)
{
    while (!wanted || !strstr(child->text, wanted)) {
        struct pollfd wait = { .fd = child->output, .events = POLLIN };
        if (poll(&wait, 1, PATIENCE_MS) != 1)
            fail_msg("waited in vain for \"%s\" in \"%s\"", wanted, child->text);
        ssize_t got =
            read(child->output, child->text + child->size, sizeof(child->text) - 1 - child->size);
        if (got <= 0 && wanted)
            fail_msg("ended without \"%s\": \"%s\"", wanted, child->text);
        if (got <= 0)
            return;
        child->size += (size_t)got;
        child->text[child->size] = '\0';
    }
}

static int finish(struct child *child)
{
    char path[128];
    int result;
    read_until(child, NULL);
    close(child->output);
    assert_int_equal(waitpid(child->pid, &result, 0), child->pid);
    snprintf(path, sizeof(path), "%s/certificate.pem", child->folder);
    unlink(path);
    rmdir(child->folder);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result);
}

static void write_broken_certificate(const struct child *child)
{
    FILE *file = fopen(child->settings.https_cert, "w");
    assert_non_null(file);
    fputs("broken", file);
    fclose(file);
}

static void test_people(void **state)
{
    (void)state;
    struct child child;
    prepare(&child);
    add_endpoint(&child.settings);
    start(&child);
    settings_clear(&child.settings);
    read_until(&child, "SHA-256 fingerprint is\n");
    assert_non_null(strstr(child.text, "\n    /chat                    stomp over websocket\n"));
    assert_non_null(strstr(child.text, "http://localhost:"));
    assert_non_null(strstr(child.text, "https://localhost:"));
    assert_null(strstr(child.text, ":0/"));
    const char *media = strstr(child.text, "\nMedia comes and goes on port ");
    unsigned first = 0, last = 0;
    assert_non_null(media);
    assert_int_equal(
        sscanf(media, "\nMedia comes and goes on port %u to %u, by UDP and TCP", &first, &last), 2);
    assert_int_not_equal(first, 0);
    assert_int_equal(last, first + 1);
    assert_null(strstr(child.text, "server.listening"));
    kill(child.pid, SIGINT);
    read_until(&child, "server.stopping signal=SIGINT");
    assert_int_equal(finish(&child), 0);
}

static void test_programs(void **state)
{
    (void)state;
    struct child child;
    prepare(&child);
    child.settings.log_format = LOG_JSON;
    add_endpoint(&child.settings);
    start(&child);
    settings_clear(&child.settings);
    read_until(&child, "\"path\":\"/chat\",\"carry\":\"websocket\",\"speak\":\"stomp\"}");
    read_until(&child, "\"event\":\"certificate.in_use\",\"sha256\":\"");
    assert_non_null(
        strstr(child.text, "\"event\":\"server.listening\",\"url\":\"http://localhost:"));
    assert_non_null(strstr(child.text, "\"event\":\"rtc.listening\",\"port\":"));
    assert_int_equal(child.text[0], '{');
    kill(child.pid, SIGTERM);
    read_until(&child, "\"event\":\"server.stopping\",\"signal\":\"SIGTERM\"");
    assert_int_equal(finish(&child), 0);
}

static void test_reload(void **state)
{
    (void)state;
    struct child child;
    struct certificate made;
    char error[SETTINGS_ERROR_MAX];
    char path[128];
    prepare(&child);
    /* the user's own: what the server would make for itself */
    assert_int_equal(certificate_open(&child.settings, time(NULL), true, &made, error), OK);
    certificate_close(&made);
    snprintf(path, sizeof(path), "%s/certificate.pem", child.folder);
    snprintf(child.settings.https_cert, SETTINGS_PATH_MAX, "%s/own.pem", child.folder);
    snprintf(child.settings.https_key, SETTINGS_PATH_MAX, "%s/own.pem", child.folder);
    assert_int_equal(rename(path, child.settings.https_cert), 0);
    start(&child);
    read_until(&child, "The certificate's SHA-256 fingerprint is");
    kill(child.pid, SIGHUP);
    read_until(&child, "certificate.reloaded sha256=");

    write_broken_certificate(&child);
    kill(child.pid, SIGHUP);
    read_until(&child, "certificate.reload_failed reason=\"https.cert: ");
    kill(child.pid, SIGTERM);
    unlink(child.settings.https_cert);
    assert_int_equal(finish(&child), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    struct child child;
    char wanted[160];
    int fd;
    prepare(&child);
    assert_int_equal(listen_open(&child.settings.http_listen.items[0], LISTEN_TCP, &fd), OK);
    child.settings.http_listen.items[0].port = listen_port(fd);
    start(&child);
    snprintf(wanted, sizeof(wanted),
             "http.listen: can't listen on 127.0.0.1:%u: Address already in use\n",
             listen_port(fd));
    assert_int_equal(finish(&child), 1);
    assert_string_equal(child.text, wanted);
    close(fd);

    prepare(&child);
    snprintf(child.settings.https_cert, SETTINGS_PATH_MAX, "/nonexistent/a");
    start(&child);
    assert_int_equal(finish(&child), 2);
    assert_string_equal(child.text, "https.cert: /nonexistent/a: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_refusals),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
