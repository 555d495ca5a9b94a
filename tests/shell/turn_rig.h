/* turn_rig.h - worker threads with TURN on a port of 127.0.0.1, a peer beside them, and what a
 * client says to it. */
#ifndef MOIM_TESTS_SHELL_TURN_RIG_H
#define MOIM_TESTS_SHELL_TURN_RIG_H

#include "turn_client.h"

#include "shell/log.h"
#include "shell/workers.h"

#include <fcntl.h>

#define CHANNEL 0x4000

struct turn_rig {
    char folder[64];
    int log_fd;
    struct log log;
    struct settings settings;
    struct workers *workers;
    struct address server;
    int peer;
    struct address peer_address;
};

static inline void rig_open(struct turn_rig *rig, unsigned worker_count)
{
    static const char YAML[] = "http: {listen: []}\n"
                               "https: {listen: []}\n"
                               "rtc: {port: off}\n"
                               "turn:\n"
                               "  listen: [\"127.0.0.1:0\"]\n"
                               "  tls_listen: []\n"
                               "  realm: " TURN_CLIENT_REALM "\n"
                               "  users: [\"" TURN_CLIENT_USER ":" TURN_CLIENT_PASSWORD "\"]\n"
                               "  allow_peers: [\"127.0.0.0/8\"]\n";
    char error[SETTINGS_ERROR_MAX] = "";
    memset(rig, 0, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "/tmp/moim-turn-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    settings_default(&rig->settings);
    int status = settings_read_text(view_of(YAML), "test", &rig->settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    rig->settings.workers = worker_count;
    snprintf(rig->settings.state_dir, sizeof rig->settings.state_dir, "%s", rig->folder);
    rig->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&rig->log, rig->log_fd, LOG_JSON, TRACE_DEBUG);
    status = workers_start(&rig->settings, NULL, &rig->log, NULL, &rig->workers, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    rig->server = workers_settings(rig->workers)->turn_listen.items[0];
    rig->peer = udp_open(&rig->peer_address);
}

static inline int rig_close(struct turn_rig *rig)
{
    char command[128];
    workers_stop(rig->workers, 5 * USEC_S);
    settings_clear(&rig->settings);
    close(rig->peer);
    close(rig->log_fd);
    snprintf(command, sizeof command, "rm -r %s", rig->folder);
    return system(command);
}

/* To the peer, which hears it from `relayed`, and back: nothing is lost. */
static inline void rig_talk(struct turn_rig *rig, struct turn_client *client,
                            const struct address *relayed, struct view data)
{
    uint8_t got[64];
    struct sockaddr_storage name;
    struct address from;
    socklen_t size = sizeof name;
    client_say(client, CHANNEL, data);
    ssize_t count = recvfrom(rig->peer, got, sizeof got, 0, (struct sockaddr *)&name, &size);
    assert_true(count > 0);
    assert_true(view_equal(view_make(got, (size_t)count), data));
    sockaddr_read(&name, &from);
    assert_true(address_equal(&from, relayed));
    assert_int_equal(sendto(rig->peer, got, (size_t)count, 0, (struct sockaddr *)&name, size),
                     count);
    client_expect(client, CHANNEL, data);
}

#endif
