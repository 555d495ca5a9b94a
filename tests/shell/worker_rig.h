/* worker_rig.h - one worker with real sockets, driven in the test's own thread. */
#ifndef MOIM_TESTS_SHELL_WORKER_RIG_H
#define MOIM_TESTS_SHELL_WORKER_RIG_H

#include "support.h"

#include "shell/entropy.h"
#include "shell/listen.h"
#include "shell/worker.h"

#include <fcntl.h>
#include <unistd.h>

struct worker_rig {
    struct log log;
    struct metrics metrics;
    struct mailbox mailbox;
    struct worker *worker;
};

/* What every such worker is; the caller adds to it, then has it made by worker_new. */
static struct worker_config worker_rig_open(struct worker_rig *rig, const struct turn_config *turn)
{
    log_init(&rig->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT, TRACE_ERROR);
    assert_int_equal(mailbox_init(&rig->mailbox, 2), OK);
    return (struct worker_config){
        .server = { .worker_count = 1,
                    .streams_max = 64,
                    .rooms_max = 8,
                    .members_max = 8,
                    .buffer_bytes = 4 << 20,
                    .random = entropy_random(),
                    .metrics = &rig->metrics,
                    .trace_level = TRACE_ERROR,
                    .turn = turn },
        .mailboxes = &rig->mailbox,
        .log = &rig->log,
    };
}

static void worker_rig_close(struct worker_rig *rig)
{
    worker_free(rig->worker);
    mailbox_free(&rig->mailbox);
    close(rig->log.fd);
}

static inline void worker_rig_listen(struct worker_config *config, enum listener_kind kind, int fd)
{
    config->listeners[config->listener_count++] =
        (struct listener){ .kind = kind, .fd = fd, .port = listen_port(fd) };
}

#endif
