/* endpoints_options.h - the single values of an endpoint: their tables, and how text becomes them.
 *
 * For endpoints_*.c and settings_turn.c alone.  Pure.
 */
#ifndef MOIM_SHELL_ENDPOINTS_OPTIONS_H
#define MOIM_SHELL_ENDPOINTS_OPTIONS_H

#include "base/status.h"
#include "base/view.h"
#include "front/endpoint.h"

#define OPTION_REASON_MAX 160

enum option_kind {
    OPTION_NUMBER,   /* uint32_t */
    OPTION_SIZE,     /* uint32_t, bytes: "4096", "64KiB", "1MiB" */
    OPTION_DURATION, /* usec: "300ms", "25s", "2m", "1h", "0" */
    OPTION_SWITCH,   /* bool: "true", "false" */
};

struct option {
    const char *name;
    enum option_kind kind;
    size_t text;  /* where the group of texts has its char * */
    size_t value; /* where struct endpoint_config has the value */
    uint64_t least;
    uint64_t most;
    uint64_t fallback; /* when it is not set */
};

/* A group of options: one of an endpoint's maps. */
struct option_group {
    const char *name; /* its key */
    const struct option *options;
    uint32_t count;
};

enum option_group_kind {
    GROUP_LIMITS,
    GROUP_SOCKJS,
    GROUP_ENGINE,
    GROUP_SOCKETIO,
    GROUP_STOMP,
    GROUP_COUNT
};

extern const struct option_group option_groups[GROUP_COUNT];

/* Reads "true" or "false".  ERR_CONFIG: `reason` says why not. */
MUST_USE int option_read_switch(const char *text, bool *value, char reason[OPTION_REASON_MAX]);

/* Reads a number, a size or a duration between two bounds.  ERR_CONFIG: `reason` says why not. */
MUST_USE int option_read_amount(enum option_kind kind, uint64_t least, uint64_t most,
                                struct view text, uint64_t *value, char reason[OPTION_REASON_MAX]);

/* Sets one option from its text, or, when that is NULL, to its fallback.  ERR_CONFIG: `reason` says
 * why not. */
MUST_USE int option_put(const struct option *option, const char *text,
                        struct endpoint_config *config, char reason[OPTION_REASON_MAX]);

#endif
