#include "bwe/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bwe/plot.h"

#define NAMED_MAX     64
#define RECORDING_MAX (64 << 20) /* bytes */

static struct {
    bool is_checked;
    const char *plots;
    bool is_named[NAMED_MAX];
    unsigned named;
    uint64_t first, count;
    bool has_recording;
    struct capacity recording;
    struct play play;
    unsigned tests, failed;
} command = { .first = 1, .count = 1 };

static const char USAGE[] =
    "[--check] [--plots FOLDER] [--recording FILE] [COURSE ...] [FIRST [COUNT]]\n";

/* ---- what it is told ---- */

static bool read_recording(const char *name)
{
    unsigned line = 0;
    uint8_t *text = malloc(RECORDING_MAX);
    FILE *file = fopen(name, "r");
    if (!text || !file) {
        perror(name);
        exit(2);
    }
    size_t size = fread(text, 1, RECORDING_MAX, file);
    int status = capacity_read(view_make(text, size), &command.recording, &line);
    fclose(file);
    free(text);
    if (status != OK)
        fprintf(stderr, "%s:%u: %s\n", name, line, status_text(status));
    return status == OK;
}

static bool read_name(const char *word)
{
    for (unsigned i = 0; i < COURSE_COUNT; i++) {
        if (strcmp(COURSES[i].name, word) != 0)
            continue;
        command.is_named[i] = true;
        command.named++;
        return true;
    }
    return false;
}

static bool read_options(int argc, char **argv)
{
    unsigned numbers = 0;
    for (int i = 1; i < argc; i++) {
        uint64_t number;
        bool is_known = true;
        if (strcmp(argv[i], "--check") == 0)
            command.is_checked = true;
        else if (strcmp(argv[i], "--plots") == 0 && i + 1 < argc)
            command.plots = argv[++i];
        else if (strcmp(argv[i], "--recording") == 0 && i + 1 < argc)
            is_known = command.has_recording = read_recording(argv[++i]);
        else if (view_read_number(view_of(argv[i]), UINT32_MAX, &number) && numbers < 2)
            *(numbers++ ? &command.count : &command.first) = number;
        else
            is_known = read_name(argv[i]);
        if (!is_known)
            return false;
    }
    return command.count > 0 && COURSE_COUNT <= NAMED_MAX;
}

/* ---- what came of it ---- */

static FILE *open_plot(const struct course *course, uint64_t seed, const char *ending)
{
    char name[400];
    snprintf(name, sizeof name, "%s/%s-%s-%llu.%s", command.plots, course->name,
             command.play.kind->name, (unsigned long long)seed, ending);
    FILE *file = fopen(name, "w");
    if (!file) {
        perror(name);
        exit(2);
    }
    return file;
}

static void draw(const struct course *course, uint64_t seed)
{
    FILE *drawing = open_plot(course, seed, "svg");
    FILE *table = open_plot(course, seed, "txt");
    plot_course(drawing, &command.play, seed);
    plot_rows(table, &command.play);
    fclose(drawing);
    fclose(table);
}

static void add(struct outcome *sum, const struct outcome *one, double part)
{
    sum->use += one->use * part;
    sum->queue_ms += one->queue_ms * part;
    sum->queue_95 += one->queue_95 * part;
    sum->loss += one->loss * part;
    sum->reach_s += one->reach_s * part;
    sum->padding += one->padding * part;
    sum->over += one->over * part;
}

static struct outcome play_all(const struct course *course, const struct follower_kind *kind)
{
    const struct capacity *recording = command.has_recording ? &command.recording : NULL;
    struct outcome mean = { 0 }, one;
    for (uint64_t seed = command.first; seed < command.first + command.count; seed++) {
        play_run(&command.play, course, seed, kind, recording, &one);
        add(&mean, &one, 1.0 / (double)command.count);
        if (command.plots && seed == command.first)
            draw(course, seed);
    }
    return mean;
}

static void print_head(void)
{
    printf("%s%-13s %-10s %5s %9s %8s %6s %8s %8s %6s\n", command.is_checked ? "# " : "", "course",
           "who", "use %", "queue ms", "95 % ms", "lost %", "to 80% s", "padded %", "over %");
}

static void print_row(const struct course *course, const struct follower_kind *kind,
                      const struct outcome *outcome)
{
    printf("%s%-13s %-10s %5.1f %9.1f %8.0f %6.2f %8.1f %8.2f %6.1f\n",
           command.is_checked ? "# " : "", course->name, kind->name, outcome->use * 100,
           outcome->queue_ms, outcome->queue_95, outcome->loss * 100, outcome->reach_s,
           outcome->padding * 100, outcome->over * 100);
}

static bool hold(const char *what, double value, double least, double most)
{
    if (value >= least && value <= most)
        return true;
    printf("# %s is %.4g, wanted: %.4g to %.4g\n", what, value, least, most);
    return false;
}

static void check(const struct course *course, const struct outcome *outcome)
{
    bool is_good = hold("use", outcome->use, course->use_least, 1.1);
    is_good &= hold("queue (ms)", outcome->queue_ms, 0, course->queue_most_ms);
    is_good &= hold("95 % of the queue (ms)", outcome->queue_95, 0, course->queue_95_most);
    is_good &= hold("loss", outcome->loss, 0, course->loss_most);
    is_good &= hold("time to 80 % (s)", outcome->reach_s, 0, course->reach_most);
    command.failed += !is_good;
    printf("%sok %u - %s: %s\n", is_good ? "" : "not ", ++command.tests, course->name,
           course->what);
}

static void play_course(const struct course *course, const struct follower_kind *const *kinds,
                        unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        struct outcome outcome = play_all(course, kinds[k]);
        print_row(course, kinds[k], &outcome);
        if (command.is_checked && k == 0)
            check(course, &outcome);
    }
}

int command_run(int argc, char **argv, const struct follower_kind *const *kinds, unsigned count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_options(argc, argv)) {
        fprintf(stderr, "%s %s", argv[0], USAGE);
        return 2;
    }
    print_head();
    if (command.has_recording) {
        struct course course = COURSE_OF_RECORDING;
        if (command.recording.count > course.seconds * 1000)
            course.seconds = (command.recording.count + 999) / 1000;
        play_course(&course, kinds, count);
        return 0;
    }
    for (unsigned i = 0; i < COURSE_COUNT; i++)
        if (command.named == 0 || command.is_named[i])
            play_course(&COURSES[i], kinds, count);
    if (command.is_checked)
        printf("1..%u\n", command.tests);
    return command.failed > 0;
}
