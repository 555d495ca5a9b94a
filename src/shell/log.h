/* log.h - log lines: one event, one line, one write(2), from any thread.
 *
 * Text, for people:     2026-11-21T04:30:00.123Z info  room.joined room=standup members=2
 * JSON, for programs:   {"time":"...","level":"info","event":"room.joined","room":"standup",...}
 *
 * Whatever a value holds, it can neither end its line nor pretend to be another field: in text it
 * is quoted and escaped when it is more than one plain word, in JSON always.
 */
#ifndef MOIM_SHELL_LOG_H
#define MOIM_SHELL_LOG_H

#include "base/trace.h"
#include "shell/settings.h"

/* A line is never longer, and so never torn apart by another one in a pipe (PIPE_BUF). */
#define LOG_LINE_MAX 4096

/* For lines that no worker wrote. */
#define LOG_NO_WORKER UINT32_MAX

/* Set up once, then only read: that is what makes it safe to share. */
struct log {
    int fd;
    enum log_format format;
    enum trace_level level; /* what is below is left out */
    usec unix_at_zero;      /* the time of day, since 1970, when the monotonic clock was 0 */
};

/* Lines go to `fd`, which stays the caller's.  Takes the offset between the clocks now. */
void log_init(struct log *log, int fd, enum log_format format, enum trace_level level);

/* Writes one line.  `worker` is told in JSON alone.  What the system doesn't take is lost. */
void log_event(const struct log *log, unsigned worker, const struct trace_event *event);

/* Writes the line, its line feed included, without a NUL, into out; gives its length. */
size_t log_format_event(const struct log *log, unsigned worker, const struct trace_event *event,
                        char out[LOG_LINE_MAX]);

/* Begins an event of the shell's own, now.  Add fields with trace_text and trace_number, then give
 * it to log_event. */
void log_begin(struct trace_event *event, enum trace_level level, const char *name);

#endif
