#include "bwe/plot.h"

#define WIDTH  960
#define LEFT   60
#define RIGHT  20
#define TOP    60
#define HEIGHT 240 /* of the rates */
#define BELOW  340 /* where the queue begins, and how high it is */
#define LOW    110

struct panel {
    unsigned top, height;
    double most;
};

typedef double value_of(const struct play_sample *sample);

static double capacity(const struct play_sample *sample)
{
    return sample->capacity / 1e6;
}
static double estimate(const struct play_sample *sample)
{
    return sample->estimate / 1e6;
}
static double come(const struct play_sample *sample)
{
    return sample->come / 1e6;
}
static double queue(const struct play_sample *sample)
{
    return sample->queue;
}

static double x_of(const struct play *play, double sample)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * sample / play->sample_count;
}

static double y_of(const struct panel *panel, double value)
{
    double part = value / panel->most;
    return panel->top + panel->height * (1 - (part > 1 ? 1 : part));
}

static double highest(const struct play *play, value_of *value)
{
    double most = 0.01;
    for (unsigned i = 0; i < play->sample_count; i++)
        most = value(&play->samples[i]) > most ? value(&play->samples[i]) : most;
    return most;
}

/* A step of 1, 2 or 5 that makes three to eight lines. */
static double step_for(double most)
{
    double step = 0.001;
    for (unsigned i = 0; most / step > 6; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

static void draw_panel(FILE *file, const struct play *play, const struct panel *panel,
                       const char *title)
{
    unsigned seconds = play->sample_count * PLAY_SAMPLE_MS / 1000;
    unsigned step = seconds / 6 > 0 ? seconds / 6 : 1;
    double line = step_for(panel->most);
    fprintf(file, "<text x=\"%u\" y=\"%u\" class=\"title\">%s</text>\n", LEFT, panel->top - 8,
            title);
    for (double value = 0; value <= panel->most * 1.001; value += line)
        fprintf(file,
                "<path class=\"grid\" d=\"M%u %.1fH%u\"/><text x=\"%u\" y=\"%.1f\" class=\"y\">%g"
                "</text>\n",
                LEFT, y_of(panel, value), WIDTH - RIGHT, LEFT - 8, y_of(panel, value) + 4, value);
    for (unsigned at = 0; at <= seconds; at += step)
        fprintf(file, "<text x=\"%.1f\" y=\"%u\" class=\"x\">%u</text>\n",
                x_of(play, at * 1000.0 / PLAY_SAMPLE_MS), panel->top + panel->height + 16, at);
}

static void draw_line(FILE *file, const struct play *play, const struct panel *panel,
                      const char *class, value_of *value)
{
    fprintf(file, "<path class=\"%s\" d=\"", class);
    for (unsigned i = 0; i < play->sample_count; i++)
        fprintf(file, "%c%.1f %.1f", i ? 'L' : 'M', x_of(play, i + 1),
                y_of(panel, value(&play->samples[i])));
    fprintf(file, "\"/>\n");
}

static void draw_key(FILE *file)
{
    static const char *const NAMES[] = { "capacity", "come", "estimate", "queue" };
    for (unsigned i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        fprintf(file, "<path class=\"%s\" d=\"M%u 36h24v1\"/><text x=\"%u\" y=\"40\">%s</text>\n",
                NAMES[i], LEFT + 130 * i + 130, LEFT + 130 * i + 160, NAMES[i]);
}

static const char STYLE[] =
    "<style>text{font:12px sans-serif}.title{font-weight:bold}.y{text-anchor:end}"
    ".x{text-anchor:middle}path{fill:none;stroke-width:1.5}.grid{stroke:#ddd;stroke-width:1}"
    ".capacity{stroke:#888;stroke-width:2.5}.estimate{stroke:#e69f00}.come{stroke:#009e73}"
    ".queue{stroke:#cc79a7}</style>";

void plot_course(FILE *file, const struct play *play, uint64_t seed)
{
    double most = highest(play, capacity);
    double queues = highest(play, queue);
    const struct panel rates = { TOP + 10, HEIGHT, most * 1.2 };
    const struct panel waits = { BELOW + 10, LOW, queues < 1000 ? queues : 1000 };
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\">%s"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%u\" y=\"20\" class=\"title\">%s: %s (%s, seed %llu)</text>\n",
            WIDTH, BELOW + LOW + 40, STYLE, LEFT, play->course->name, play->course->what,
            play->kind->name, (unsigned long long)seed);
    draw_key(file);
    draw_panel(file, play, &rates, "Mbit/s");
    draw_line(file, play, &rates, "capacity", capacity);
    draw_line(file, play, &rates, "come", come);
    draw_line(file, play, &rates, "estimate", estimate);
    draw_panel(file, play, &waits, "ms that packets waited");
    draw_line(file, play, &waits, "queue", queue);
    fprintf(file, "</svg>\n");
}

void plot_rows(FILE *file, const struct play *play)
{
    fprintf(file, "# kbit/s, and ms\n#    s capacity estimate   come queue\n");
    for (unsigned i = 0; i < play->sample_count; i++) {
        const struct play_sample *at = &play->samples[i];
        fprintf(file, "%6.1f %8.0f %8.0f %6.0f %5.0f\n", (i + 1) * PLAY_SAMPLE_MS / 1000.0,
                at->capacity / 1000, at->estimate / 1000, at->come / 1000, at->queue);
    }
}
