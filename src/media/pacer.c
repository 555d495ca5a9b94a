#include "media/pacer.h"

#include <assert.h>

#define BYTE      ((int64_t)8 * (int64_t)USEC_S) /* of credit */
#define SOON      (20 * USEC_MS) /* what waits too long already is to go within that */
#define PROBE_RUN (2 * USEC_MS)  /* a probe goes in pieces of this time */

static int64_t credit_in(uint64_t bps, usec time)
{
    return (int64_t)(bps * time);
}

/* How long it takes to grow so much, rounded up. */
static usec time_for(uint64_t bps, int64_t credit)
{
    return credit <= 0 ? 0 : ((uint64_t)credit + bps - 1) / bps;
}

/* ---- credit ---- */

/* Enough to go on with: a run, or what goes in some milliseconds, where that is less. */
static int64_t run_of(const struct pacer *pacer)
{
    int64_t run = credit_in(pacer->bps, PACER_RUN_TIME);
    return run < PACER_RUN * BYTE ? run : PACER_RUN * BYTE;
}

static void grow(struct pacer *pacer, usec now)
{
    int64_t most = credit_in(pacer->bps, PACER_BURST);
    usec passed = now - pacer->at;
    if (passed == 0)
        return;
    pacer->at = now;
    if (passed > time_for(pacer->bps, most - pacer->credit))
        pacer->credit = most;
    else
        pacer->credit += credit_in(pacer->bps, passed);
    if (pacer->credit >= run_of(pacer))
        pacer->is_shut = false;
}

/* The rate at which it all goes in time, where that is more than the line's. */
static uint64_t rate_for(const struct pacer *pacer, usec now, uint32_t bytes, usec since)
{
    uint64_t own = PACER_FACTOR(pacer->line_bps);
    usec age = now - since;
    usec left = age + SOON < PACER_DELAY ? PACER_DELAY - age : SOON;
    uint64_t needed = (uint64_t)bytes * 8 * USEC_S / left;
    return needed > own ? needed : own;
}

void pacer_set_line(struct pacer *pacer, usec now, uint64_t bps)
{
    bool is_new = pacer->line_bps == 0;
    if (!is_new)
        grow(pacer, now);
    pacer->line_bps = bps > PACER_LEAST_BPS ? bps : PACER_LEAST_BPS;
    pacer->bps = PACER_FACTOR(pacer->line_bps);
    int64_t most = credit_in(pacer->bps, PACER_BURST);
    if (is_new || pacer->credit > most)
        pacer->credit = most;
    pacer->at = now;
}

void pacer_hold(struct pacer *pacer, usec now, usec queue)
{
    usec time = queue / 2 < PACER_HOLD ? queue / 2 : PACER_HOLD;
    if (pacer->line_bps == 0)
        return;
    grow(pacer, now);
    pacer->credit = -credit_in(pacer->bps, time);
    pacer->is_shut = true;
}

void pacer_waits(struct pacer *pacer, usec now, enum pacer_kind kind, uint32_t bytes, usec since)
{
    assert(kind == PACER_VIDEO || kind == PACER_REPEAT);
    pacer->waiting[kind] = bytes;
    if (pacer->line_bps == 0 || kind != PACER_VIDEO)
        return;
    grow(pacer, now);
    pacer->bps = rate_for(pacer, now, bytes, since);
}

/* ---- probes ---- */

void pacer_begin_probe(struct pacer *pacer, usec now, const struct pacer_probe *probe)
{
    assert(probe->bps > 0);
    pacer->probe = *probe;
    pacer->probe_credit = 0;
    pacer->probe_at = now;
}

static void grow_probe(struct pacer *pacer, usec now)
{
    usec passed = now - pacer->probe_at;
    if (passed > PACER_BURST)
        passed = PACER_BURST; /* whoever asks so late has the rest at its rate, not at once */
    pacer->probe_credit += credit_in(pacer->probe.bps, passed);
    pacer->probe_at = now;
}

static void send_of_probe(struct pacer *pacer, usec now, size_t bytes)
{
    grow_probe(pacer, now);
    pacer->probe_credit -= (int64_t)bytes * BYTE;
    struct pacer_probe *probe = &pacer->probe;
    probe->bytes -= bytes < probe->bytes ? (uint32_t)bytes : probe->bytes;
    if (probe->packets > 0)
        probe->packets--;
    if (probe->bytes == 0 && probe->packets == 0)
        *probe = (struct pacer_probe){ .cluster = 0 };
}

uint32_t pacer_padding(struct pacer *pacer, usec now)
{
    if (pacer->probe.cluster == 0 || pacer->waiting[PACER_VIDEO] || pacer->waiting[PACER_REPEAT])
        return 0;
    grow_probe(pacer, now);
    if (pacer->probe_credit < credit_in(pacer->probe.bps, PROBE_RUN))
        return 0;
    uint64_t due = (uint64_t)(pacer->probe_credit / BYTE) + 1;
    uint32_t most = pacer->probe.bytes ? pacer->probe.bytes : 1; /* a packet more */
    return due < most ? (uint32_t)due : most;
}

/* ---- what goes ---- */

bool pacer_may(struct pacer *pacer, usec now, enum pacer_kind kind)
{
    if (kind == PACER_AUDIO || pacer->line_bps == 0)
        return true;
    grow(pacer, now);
    for (unsigned before = PACER_VIDEO; before < kind; before++)
        if (pacer->waiting[before] > 0)
            return false;
    if (pacer->probe.cluster > 0) {
        grow_probe(pacer, now);
        return pacer->probe_credit >= 0 || !pacer->is_shut;
    }
    return !pacer->is_shut;
}

bool pacer_may_repeat(struct pacer *pacer, usec now, size_t bytes)
{
    if (pacer->line_bps == 0)
        return true;
    int64_t most = credit_in(pacer->line_bps, PACER_REPEAT_TIME);
    usec passed = now - pacer->repeat_at;
    if (passed > time_for(pacer->line_bps / PACER_REPEATED, most - pacer->repeat_credit))
        pacer->repeat_credit = most;
    else
        pacer->repeat_credit += credit_in(pacer->line_bps / PACER_REPEATED, passed);
    pacer->repeat_at = now;
    if (pacer->repeat_credit < 0)
        return false;
    pacer->repeat_credit -= (int64_t)bytes * BYTE;
    return true;
}

uint8_t pacer_sent(struct pacer *pacer, usec now, enum pacer_kind kind, size_t bytes)
{
    uint8_t cluster = pacer->probe.cluster;
    if (cluster > 0)
        send_of_probe(pacer, now, bytes);
    if (pacer->line_bps == 0 || kind == PACER_PADDING)
        return cluster;
    grow(pacer, now);
    int64_t left = pacer->credit - (int64_t)bytes * BYTE;
    int64_t least = -credit_in(pacer->bps, PACER_BURST);
    /* audio goes on without credit: what it costs then, pictures don't pay for longer than that */
    if (kind != PACER_AUDIO || left >= least)
        pacer->credit = left;
    pacer->is_shut = pacer->is_shut || pacer->credit <= 0;
    return cluster;
}

usec pacer_until(const struct pacer *pacer)
{
    usec until = USEC_NEVER;
    if (pacer->waiting[PACER_VIDEO] || pacer->waiting[PACER_REPEAT])
        until = pacer->is_shut ? pacer->at + time_for(pacer->bps, run_of(pacer) - pacer->credit)
                               : pacer->at;
    if (pacer->probe.cluster == 0)
        return until;
    int64_t due = credit_in(pacer->probe.bps, PROBE_RUN);
    usec probe = pacer->probe_at + time_for(pacer->probe.bps, due - pacer->probe_credit);
    return probe < until ? probe : until;
}
