/* trace.h - what the core tells of itself: typed events that the shell turns into log lines.
 *
 * Field names are the JSON names.  Secrets and media are never put into a field.  The core writes
 * into a bounded queue and the shell drains it; an event that finds it full is counted as
 * dropped, so that a flood can't become a flood of log lines.  One thread.
 */
#ifndef MOIM_BASE_TRACE_H
#define MOIM_BASE_TRACE_H

#include "base/address.h"
#include "base/usec.h"

enum trace_level { TRACE_DEBUG, TRACE_INFO, TRACE_WARN, TRACE_ERROR };

#define TRACE_FIELDS_MAX 6
#define TRACE_TEXT_MAX   192 /* bytes of text in one event; what is longer is cut */
#define TRACE_EVENTS_MAX 128

struct trace_field {
    const char *name; /* static */
    bool is_number;
    uint64_t number;
    struct view text; /* into the event's own text */
};

struct trace_event {
    usec at;
    enum trace_level level;
    const char *name; /* static; "room.joined": what happened to what */
    uint32_t field_count;
    uint32_t text_size;
    struct trace_field fields[TRACE_FIELDS_MAX];
    char text[TRACE_TEXT_MAX];
};

struct trace {
    enum trace_level level; /* events below it are not kept */
    uint32_t first;
    uint32_t count;
    uint64_t dropped;
    struct trace_event events[TRACE_EVENTS_MAX];
    struct trace_event scratch; /* takes the fields of events that are not kept */
};

/* Begins an event; its fields are added next.  Never NULL. */
struct trace_event *trace_add(struct trace *trace, usec now, enum trace_level level,
                              const char *name);
void trace_text(struct trace_event *event, const char *name, struct view text);
void trace_number(struct trace_event *event, const char *name, uint64_t number);
void trace_address(struct trace_event *event, const char *name, const struct address *address);

/* The oldest event, borrowed until the next trace_add; NULL when there is none. */
const struct trace_event *trace_take(struct trace *trace);

#endif
