#include "netem/capacity.h"

#include <string.h>

#define STANDSTILL 1 /* bit/s: netem knows no slower line */

/* Goes through the times of a text. */
struct times {
    struct view rest;
    unsigned line; /* of the last */
    uint64_t last; /* ms; 0: there was none */
    unsigned of_last;
};

/* False: there are no more, or *status says why not. */
static bool next_time(struct times *times, int *status)
{
    struct view part;
    uint64_t ms = 0;
    *status = OK;
    while (times->rest.size > 0 && view_split(&times->rest, '\n', &part)) {
        times->line++;
        part = view_slice(part, 0, view_find_byte(part, '\r'));
        part = view_trim(view_slice(part, 0, view_find_byte(part, '#')));
        if (part.size == 0)
            continue;
        bool is_number = view_read_number(part, UINT32_MAX, &ms);
        ms = ms ? ms : 1;
        if (!is_number || ms < times->last)
            *status = ERR_MALFORMED;
        else if (ms > CAPACITY_MS_MAX || (ms == times->last && times->of_last == CAPACITY_MOST))
            *status = ERR_LIMIT;
        if (*status != OK)
            return false;
        times->of_last = ms == times->last ? times->of_last + 1 : 1;
        times->last = ms;
        return true;
    }
    return false;
}

static int check(struct view text, uint32_t *count, unsigned *line)
{
    struct times times = { .rest = text };
    int status;
    while (next_time(&times, &status))
        ;
    if (status == OK && times.last == 0) {
        *line = 0;
        return ERR_MALFORMED;
    }
    *line = times.line;
    *count = (uint32_t)times.last;
    return status;
}

int capacity_read(struct view text, struct capacity *capacity, unsigned *line)
{
    struct times times = { .rest = text };
    uint32_t count;
    int status = check(text, &count, line);
    if (status != OK)
        return status;
    capacity->count = count;
    memset(capacity->bps, 0, count * sizeof capacity->bps[0]);
    while (next_time(&times, &status))
        capacity->bps[times.last - 1] += CAPACITY_DELIVERY * 8 * 1000;
    return OK;
}

double capacity_bits(const struct capacity *capacity, uint64_t from, uint64_t to)
{
    double bits = 0;
    for (uint64_t ms = from; ms < to; ms++)
        bits += capacity_at(capacity, ms) / 1000.0;
    return bits;
}

void capacity_apply(const struct capacity *capacity, uint64_t ms, struct netem *line, usec now)
{
    uint32_t bps = capacity_at(capacity, ms);
    struct netem_setting setting = line->setting;
    setting.rate_bps = bps ? bps : STANDSTILL;
    if (setting.rate_bps != line->setting.rate_bps)
        netem_set(line, now, &setting);
}
