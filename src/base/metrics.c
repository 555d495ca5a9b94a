#include "base/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct description {
    const char *exposed;
    const char *labels;
    const char *kind;
    const char *help;
};

static const struct description TABLE[METRIC_COUNT] = {
#define METRICS_ROW(name, exposed, labels, kind, help) { exposed, labels, #kind, help },
    METRICS_TABLE(METRICS_ROW)
#undef METRICS_ROW
};

unsigned metrics_write(struct metrics *all, unsigned count, char out[METRICS_TEXT_MAX])
{
    size_t n = 0;
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct description *d = &TABLE[m];
        uint64_t sum = 0;
        for (unsigned i = 0; i < count; i++)
            sum += metrics_read(&all[i], (enum metric)m);
        if (m == 0 || strcmp(TABLE[m - 1].exposed, d->exposed) != 0)
            n += (size_t)snprintf(out + n, METRICS_TEXT_MAX - n, "# HELP %s %s\n# TYPE %s %s\n",
                                  d->exposed, d->help, d->exposed, d->kind);
        assert(n < METRICS_TEXT_MAX);
        n += (size_t)snprintf(out + n, METRICS_TEXT_MAX - n, "%s%s%s%s %llu\n", d->exposed,
                              d->labels[0] ? "{" : "", d->labels, d->labels[0] ? "}" : "",
                              (unsigned long long)sum);
        assert(n < METRICS_TEXT_MAX);
    }
    return (unsigned)n;
}
