/* scenarios.h - the table of scenarios: what happens, and what must hold of it.
 */
#ifndef MOIM_SIM_QUALITY_SCENARIOS_H
#define MOIM_SIM_QUALITY_SCENARIOS_H

#include "quality/stage.h"

#define SCENARIO_THRESHOLDS_MAX 8

/* What is measured, in the seconds [from, to), and within what bounds it must be. */
struct threshold {
    const char *name; /* NULL: no more */
    double (*measure)(const struct stage *stage, double from, double to);
    double from, to;
    double min, max;
};

struct scenario {
    const char *name;
    const char *what;
    unsigned seconds;
    const char *down, *up;    /* the viewers' lines */
    const char *publisher_up; /* NULL: one that does no harm */
    uint8_t publishers;       /* 0: one */
    uint8_t viewers;          /* 0: one, of all that is published */
    bool is_audio_only;
    bool obeys; /* publishers send what the server says is wanted */
    bool holds; /* today: ./test holds it to that */
    /* before it begins; another line for this viewer, perhaps */
    void (*line)(struct stage *stage, unsigned viewer, struct netem_script *down);
    void (*begin)(struct stage *stage);
    void (*turn)(struct stage *stage); /* each step */
    struct threshold thresholds[SCENARIO_THRESHOLDS_MAX];
};

extern const struct scenario SCENARIOS[];
extern const unsigned SCENARIO_COUNT;

#endif
