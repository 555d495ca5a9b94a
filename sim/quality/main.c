/* How well it looks on bad lines: sim_quality [--held] [--known] [--plots FOLDER]
 * [SCENARIO ...] [FIRST [COUNT]] plays each scenario (of those named, or all) with so many seeds
 * from the first on.
 *
 * For each it prints what was measured over all seeds (the median, the least and the most), and
 * whether it is within its bounds; ends with 1 when something is not.  --held: those only that are
 * held to it today.  --plots: an SVG and a table of each scenario's first seed, and of each that
 * failed.  --known: what is sent follows not what lines are estimated to take, but what they take.
 */
#include "quality/plot.h"
#include "quality/scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_MAX 64

struct options {
    bool held_alone;
    const char *plots;
    bool is_named[FIXED_MAX];
    unsigned named;
    uint64_t first, count;
};

/* What became of one threshold over all seeds. */
struct tally {
    double *values; /* of each seed */
    uint64_t count;
    uint64_t failed, failed_seed;
};

static struct stage stage;

static bool read_name(struct options *options, const char *word)
{
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        if (strcmp(SCENARIOS[i].name, word) != 0)
            continue;
        options->is_named[i] = true;
        options->named++;
        return true;
    }
    return false;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    unsigned numbers = 0;
    for (int i = 1; i < argc; i++) {
        uint64_t number;
        if (strcmp(argv[i], "--held") == 0)
            options->held_alone = true;
        else if (strcmp(argv[i], "--known") == 0)
            world_knows_lines = true;
        else if (strcmp(argv[i], "--plots") == 0 && i + 1 < argc)
            options->plots = argv[++i];
        else if (view_read_number(view_of(argv[i]), UINT32_MAX, &number) && numbers < 2)
            *(numbers++ ? &options->count : &options->first) = number;
        else if (!read_name(options, argv[i]))
            return false;
    }
    return options->count > 0;
}

static FILE *open_plot(const struct options *options, uint64_t seed, const char *ending)
{
    char name[400];
    snprintf(name, sizeof name, "%s/%s-%llu.%s", options->plots, stage.scenario->name,
             (unsigned long long)seed, ending);
    FILE *file = fopen(name, "w");
    if (!file) {
        perror(name);
        exit(2);
    }
    return file;
}

static void draw(const struct options *options, uint64_t seed)
{
    FILE *drawing = open_plot(options, seed, "svg");
    FILE *table = open_plot(options, seed, "txt");
    plot_write(drawing, &stage, seed);
    plot_rows(table, &stage);
    fclose(drawing);
    fclose(table);
}

/* False: something was not as it must be. */
static bool play(const struct options *options, const struct scenario *scenario, uint64_t seed,
                 struct tally *tallies)
{
    bool is_good = true;
    stage_play(&stage, scenario, seed);
    for (unsigned i = 0; i < SCENARIO_THRESHOLDS_MAX && scenario->thresholds[i].name; i++) {
        const struct threshold *threshold = &scenario->thresholds[i];
        struct tally *tally = &tallies[i];
        double value = threshold->measure(&stage, threshold->from, threshold->to);
        tally->values[tally->count++] = value;
        if (value >= threshold->min && value <= threshold->max)
            continue;
        tally->failed_seed = tally->failed++ ? tally->failed_seed : seed;
        is_good = false;
    }
    if (stage.world.chance.error[0]) {
        printf("# seed %llu: %s\n", (unsigned long long)seed, stage.world.chance.error);
        is_good = false;
    }
    if (options->plots && (seed == options->first || !is_good))
        draw(options, seed);
    stage_free(&stage);
    return is_good;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void begin_tallies(const struct options *options, struct tally *tallies)
{
    for (unsigned i = 0; i < SCENARIO_THRESHOLDS_MAX; i++)
        if (!(tallies[i].values = malloc(options->count * sizeof(double))))
            exit(2);
}

/* The median, and from where to where. */
static void tell(const struct scenario *scenario, const struct tally *tallies)
{
    for (unsigned i = 0; i < SCENARIO_THRESHOLDS_MAX && scenario->thresholds[i].name; i++) {
        const struct threshold *threshold = &scenario->thresholds[i];
        const struct tally *tally = &tallies[i];
        char bounds[80], failure[80] = "";
        qsort(tally->values, tally->count, sizeof(double), compare);
        snprintf(bounds, sizeof bounds, "%.3g to %.3g", threshold->min, threshold->max);
        if (tally->failed)
            snprintf(failure, sizeof failure, "   MISSED %llu times, first by %llu",
                     (unsigned long long)tally->failed, (unsigned long long)tally->failed_seed);
        printf("#   %-28s %7.2f  (%.2f to %.2f)  wanted: %s%s\n", threshold->name,
               tally->values[tally->count / 2], tally->values[0], tally->values[tally->count - 1],
               bounds, failure);
    }
}

int main(int argc, char **argv)
{
    struct options options = { .first = 1, .count = 1 };
    unsigned tests = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (SCENARIO_COUNT > FIXED_MAX || !read_options(argc, argv, &options)) {
        fprintf(stderr, "sim_quality [--held] [--plots FOLDER] [SCENARIO ...] [FIRST [COUNT]]\n");
        return 2;
    }
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        const struct scenario *scenario = &SCENARIOS[i];
        struct tally tallies[SCENARIO_THRESHOLDS_MAX] = { 0 };
        bool is_good = true;
        if ((options.named && !options.is_named[i]) || (options.held_alone && !scenario->holds))
            continue;
        begin_tallies(&options, tallies);
        for (uint64_t seed = options.first; seed < options.first + options.count; seed++)
            is_good &= play(&options, scenario, seed, tallies);
        failed += !is_good;
        printf("%sok %u - %s: %s\n", is_good ? "" : "not ", ++tests, scenario->name,
               scenario->what);
        tell(scenario, tallies);
        for (unsigned k = 0; k < SCENARIO_THRESHOLDS_MAX; k++)
            free(tallies[k].values);
    }
    printf("1..%u\n", tests);
    return failed > 0;
}
