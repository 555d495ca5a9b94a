/* worker_sieve.c - when strangers come faster than a worker can read: see sieve.h. */
#include "shell/worker.h"

#include "shell/sieve.h"

#define WINDOW    (20 * USEC_MS) /* that strangers are counted over, at the least */
#define SIEVED    (1 * USEC_S)   /* then it is judged anew */
#define FEW_PER_S 1000           /* it is not strangers that fill the buffer */

static bool is_open_to_all(const struct listener *listener)
{
    return listener->kind == LISTENER_STUN_UDP;
}

/* Of whom it is not known that they are anybody's. */
static uint64_t count_strangers(const struct worker *worker)
{
    return metrics_read(worker->metrics, METRIC_TURN_REFUSED_UNAUTHENTICATED) +
           metrics_read(worker->metrics, METRIC_STUN_ANSWERED) +
           metrics_read(worker->metrics, METRIC_STUN_REFUSED);
}

static uint32_t count_dropped(const struct worker *worker)
{
    uint32_t dropped = 0;
    for (uint32_t i = 0; i < worker->config.listener_count; i++)
        if (is_open_to_all(&worker->config.listeners[i]))
            dropped += sieve_dropped(worker->config.listeners[i].fd);
    return dropped;
}

static void begin_window(struct worker *worker)
{
    worker->sieve.since = worker->now;
    worker->sieve.strangers = count_strangers(worker);
    worker->sieve.dropped = count_dropped(worker);
}

static void set_all(struct worker *worker, uint32_t keep)
{
    for (uint32_t i = 0; i < worker->config.listener_count; i++) {
        if (!is_open_to_all(&worker->config.listeners[i]))
            continue;
        int status = sieve_set(worker->config.listeners[i].fd, keep);
        (void)status; /* then all get in, as before */
    }
    if (worker->sieve.keep == SIEVE_ALL && keep != SIEVE_ALL) {
        metrics_add(worker->metrics, METRIC_TURN_FLOODS, 1);
        trace_add(server_trace(worker->server), worker->now, TRACE_WARN, "turn.flood");
    }
    worker->sieve.keep = keep;
    begin_window(worker);
}

void worker_start_sieve(struct worker *worker)
{
    worker->sieve.keep = SIEVE_ALL;
    begin_window(worker);
}

void worker_sieve_behind(struct worker *worker)
{
    const struct sieve *sieve = &worker->sieve;
    usec passed = worker->now - sieve->since;
    if (sieve->keep != SIEVE_ALL || passed < WINDOW)
        return;
    uint64_t strangers = count_strangers(worker) - sieve->strangers;
    uint32_t dropped = count_dropped(worker) - sieve->dropped;
    if (dropped == 0 || strangers * USEC_S / passed < FEW_PER_S || passed > SIEVED)
        begin_window(worker);
    else
        set_all(worker, sieve_keep((strangers + dropped) * USEC_S / passed));
}

usec worker_sieve_until(const struct worker *worker)
{
    return worker->sieve.keep == SIEVE_ALL ? USEC_NEVER : worker->sieve.since + SIEVED;
}

void worker_sieve_tick(struct worker *worker)
{
    const struct sieve *sieve = &worker->sieve;
    if (worker->now < worker_sieve_until(worker))
        return;
    uint64_t strangers = count_strangers(worker) - sieve->strangers;
    uint32_t dropped = count_dropped(worker) - sieve->dropped; /* by the sieve, too */
    set_all(worker, sieve_keep((strangers + dropped) * USEC_S / (worker->now - sieve->since)));
}
