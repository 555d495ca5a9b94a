#include "quality/plot.h"

#include "quality/scenarios.h"

#define RATE_MOST 20.0 /* Mbit/s: what is over that is not looked at */

#define WIDTH 960
#define LEFT  70
#define RIGHT 20
#define TOP   50
#define GAP   34

/* One of the pictures, that stand under one another. */
struct panel {
    const char *title;
    unsigned top, height;
    double most; /* what the upper edge is */
    double step; /* between lines */
};

struct plot {
    FILE *file;
    const struct stage_viewer *who;
    double seconds;
};

/* Of a sample, behind which there are others from the first on. */
typedef double value_of(const struct sample *sample, const struct sample *first);

static double x_of(const struct plot *plot, double seconds)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / plot->seconds;
}

static double y_of(const struct panel *panel, double value)
{
    double part = value / panel->most;
    part = part > 1 ? 1 : part < 0 ? 0 : part;
    return panel->top + panel->height * (1 - part);
}

static void draw_panel(const struct plot *plot, const struct panel *panel)
{
    unsigned step = plot->seconds > 45 ? 10 : 5;
    fprintf(plot->file, "<text x=\"%u\" y=\"%u\" class=\"title\">%s</text>\n", LEFT, panel->top - 8,
            panel->title);
    for (double value = 0; value <= panel->most * 1.001; value += panel->step)
        fprintf(plot->file,
                "<path class=\"grid\" d=\"M%u %.1fH%u\"/><text x=\"%u\" y=\"%.1f\" class=\"y\">%g"
                "</text>\n",
                LEFT, y_of(panel, value), WIDTH - RIGHT, LEFT - 8, y_of(panel, value) + 4, value);
    for (unsigned at = 0; at <= plot->seconds; at += step)
        fprintf(plot->file,
                "<path class=\"grid\" d=\"M%.1f %uV%u\"/><text x=\"%.1f\" y=\"%u\" class=\"x\">%u"
                "</text>\n",
                x_of(plot, at), panel->top, panel->top + panel->height, x_of(plot, at),
                panel->top + panel->height + 14, at);
}

static void draw_line(const struct plot *plot, const struct panel *panel, const char *class,
                      value_of *value)
{
    fprintf(plot->file, "<path class=\"%s\" d=\"", class);
    for (unsigned i = 0; i < plot->who->sample_count; i++)
        fprintf(plot->file, "%c%.1f %.1f", i ? 'L' : 'M', x_of(plot, (i + 1) / 10.0),
                y_of(panel, value(&plot->who->samples[i], plot->who->samples)));
    fprintf(plot->file, "\"/>\n");
}

static void draw_freezes(const struct plot *plot, const struct panel *panel)
{
    for (unsigned i = 0; i < plot->who->sample_count; i++)
        if (plot->who->samples[i].frozen > 0)
            fprintf(plot->file,
                    "<rect class=\"frozen\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\"/>\n",
                    x_of(plot, i / 10.0), panel->top, x_of(plot, 0.1) - x_of(plot, 0),
                    panel->height);
}

static void draw_key(const struct plot *plot)
{
    static const char *const NAMES[] = { "capacity", "estimate", "sent",
                                         "received", "others",   "frozen" };
    for (unsigned i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        fprintf(plot->file,
                "<path class=\"%s\" d=\"M%u 36h24v1\"/><text x=\"%u\" y=\"40\">%s</text>\n",
                NAMES[i], LEFT + 130 * i, LEFT + 130 * i + 30, NAMES[i]);
}

/* ---- values ---- */

static double capacity(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->capacity / 1e6;
}
static double estimate(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->estimate / 1e6;
}
static double sent(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->sent / 1e6;
}
static double received(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->received / 1e6;
}
static double others(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->others / 1e6;
}
static double up_capacity(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->up_capacity / 1e6;
}
static double up_estimate(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->up_estimate / 1e6;
}
static double up_sent(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->up_sent / 1e6;
}
static double queue(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->queue;
}
static double layer(const struct sample *sample, const struct sample *first)
{
    (void)first;
    return sample->layer;
}
/* Over a second. */
static double fps(const struct sample *sample, const struct sample *first)
{
    double shown = 0;
    unsigned count = 0;
    for (; count < 10 && sample >= first; count++, sample--)
        shown += sample->shown;
    return shown * 10 / count;
}

static double highest(const struct plot *plot)
{
    double most = 0.1;
    for (unsigned i = 0; i < plot->who->sample_count; i++) {
        const struct sample *sample = &plot->who->samples[i];
        double rates[] = { sample->sent / 1e6, sample->estimate / 1e6, sample->capacity / 1e6 };
        for (unsigned k = 0; k < 3; k++)
            most = rates[k] > most && rates[k] < RATE_MOST ? rates[k] : most;
    }
    return most;
}

/* A step of 1, 2 or 5 that makes four to eight lines. */
static double step_for(double most)
{
    double step = 0.01;
    for (unsigned i = 0; most / step > 6; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

static const char STYLE[] =
    "<style>text{font:12px sans-serif}.title{font-weight:bold}.y{text-anchor:end}"
    ".x{text-anchor:middle}path{fill:none;stroke-width:1.5}.grid{stroke:#ddd;stroke-width:1}"
    ".capacity{stroke:#888;stroke-width:2.5}.estimate{stroke:#e69f00}.sent{stroke:#0072b2}"
    ".received{stroke:#009e73}.others{stroke:#d55e00}.queue{stroke:#cc79a7}.layer{stroke:#333}"
    ".fps{stroke:#0072b2}.frozen{fill:#d55e00;fill-opacity:.35;stroke:#d55e00;stroke-opacity:.4}"
    "</style>";

void plot_write(FILE *file, const struct stage *stage, uint64_t seed)
{
    const struct plot plot = { file, &stage->viewers[0], stage->scenario->seconds };
    double most = highest(&plot);
    struct panel rates = { "Mbit/s", TOP + 20, 220, most, step_for(most) };
    struct panel layers = { "encoding shown (1 to 3)", rates.top + 220 + GAP, 60, 3, 1 };
    struct panel queues = { "queue (ms), and freezes", layers.top + 60 + GAP, 90, 300, 100 };
    struct panel frames = { "pictures a second", queues.top + 90 + GAP, 70, 40, 10 };
    struct panel uplink = { "Mbit/s of the publisher", frames.top + 70 + GAP, 120, 5, 1 };
    bool has_uplink = stage->scenario->publisher_up != NULL;
    unsigned height = has_uplink ? uplink.top + 120 + GAP : frames.top + 70 + GAP;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\">%s"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%u\" y=\"20\" class=\"title\">%s: %s (seed %llu)</text>\n",
            WIDTH, height, STYLE, LEFT, stage->scenario->name, stage->scenario->what,
            (unsigned long long)seed);
    draw_key(&plot);
    draw_panel(&plot, &rates);
    draw_line(&plot, &rates, "capacity", capacity);
    draw_line(&plot, &rates, "sent", sent);
    draw_line(&plot, &rates, "received", received);
    if (stage->has_tcp)
        draw_line(&plot, &rates, "others", others);
    draw_line(&plot, &rates, "estimate", estimate);
    draw_panel(&plot, &layers);
    draw_line(&plot, &layers, "layer", layer);
    draw_panel(&plot, &queues);
    draw_freezes(&plot, &queues);
    draw_line(&plot, &queues, "queue", queue);
    draw_panel(&plot, &frames);
    draw_line(&plot, &frames, "fps", fps);
    if (has_uplink) {
        draw_panel(&plot, &uplink);
        draw_line(&plot, &uplink, "capacity", up_capacity);
        draw_line(&plot, &uplink, "sent", up_sent);
        draw_line(&plot, &uplink, "estimate", up_estimate);
    }
    fprintf(file, "</svg>\n");
}

void plot_rows(FILE *file, const struct stage *stage)
{
    const struct stage_viewer *who = &stage->viewers[0];
    fprintf(file,
            "# kbit/s; queue and freeze in ms\n"
            "#    s capacity estimate  acked   sent    got others queue layer freeze limit\n");
    for (unsigned i = 0; i < who->sample_count; i++) {
        const struct sample *at = &who->samples[i];
        fprintf(file, "%6.1f %8.0f %8.0f %6.0f %6.0f %6.0f %6.0f %5.0f %5.0f %6.0f %s\n",
                (i + 1) / 10.0, at->capacity / 1e3, at->estimate / 1e3, at->acknowledged / 1e3,
                at->sent / 1e3, at->received / 1e3, at->others / 1e3, at->queue, at->layer,
                at->frozen, bwe_limit_name((enum bwe_limit)at->limit));
    }
}
