#include "shell/log.h"

#include "shell/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct line {
    char *at;
    size_t size;
};

/* What does not fit is left out; the last byte is kept for the line feed. */
static void put(struct line *line, const char *text, size_t size)
{
    if (size > LOG_LINE_MAX - 1 - line->size)
        return;
    memcpy(line->at + line->size, text, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_number(struct line *line, uint64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%" PRIu64, number);
    put(line, text, (size_t)size);
}

/* The length of the character that v begins with, and its code point; 0 when it is not valid UTF-8
 * (RFC 3629). */
static size_t read_character(struct view v, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = v.at[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (size == 0 || size > v.size || first > 0xf4)
        return 0;
    uint32_t read = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((v.at[i] & 0xc0) != 0x80)
            return 0;
        read = read << 6 | (v.at[i] & 0x3f);
    }
    if (read < least[size] || (read >= 0xd800 && read <= 0xdfff) || read > 0x10ffff)
        return 0;
    *code = read;
    return size;
}

/* Controls, line ends, and what makes a terminal show text in another order or not at all. */
static bool is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
           code == 0xfeff;
}

/* Both formats escape alike, but for bytes that are no UTF-8: JSON can't hold those. */
static void put_escaped(struct line *line, struct view text, enum log_format format)
{
    char escape[16];
    while (text.size > 0) {
        uint32_t code = 0;
        size_t size = read_character(text, &code);
        escape[0] = '\0';
        if (size == 0 && format == LOG_JSON)
            put_text(line, "\xef\xbf\xbd"); /* U+FFFD, the replacement character */
        else if (size == 0)
            snprintf(escape, sizeof(escape), "\\x%02x", text.at[0]);
        else if (code == '"' || code == '\\')
            snprintf(escape, sizeof(escape), "\\%c", (char)code);
        else if (code == '\n')
            snprintf(escape, sizeof(escape), "\\n");
        else if (is_unsafe(code))
            snprintf(escape, sizeof(escape), "\\u%04x", code & 0xffff);
        else
            put(line, (const char *)text.at, size);
        put_text(line, escape);
        text = view_slice(text, size ? size : 1, text.size);
    }
}

static void put_quoted(struct line *line, struct view text, enum log_format format)
{
    put_text(line, "\"");
    put_escaped(line, text, format);
    put_text(line, "\"");
}

static bool is_plain_word(struct view text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return text.size > 0;
}

static const char *level_name(enum trace_level level)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    return names[level];
}

static void write_time(usec at, char out[32])
{
    time_t seconds = (time_t)(at / USEC_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + size, 32 - size, ".%03uZ", (unsigned)(at % USEC_S / USEC_MS));
}

static void put_event_as_text(struct line *line, const char *time, const struct trace_event *event)
{
    char head[48];
    snprintf(head, sizeof(head), "%s %-5s ", time, level_name(event->level));
    put_text(line, head);
    put_text(line, event->name);
    for (uint32_t i = 0; i < event->field_count; i++) {
        const struct trace_field *field = &event->fields[i];
        put_text(line, " ");
        put_text(line, field->name);
        put_text(line, "=");
        if (field->is_number)
            put_number(line, field->number);
        else if (is_plain_word(field->text))
            put(line, (const char *)field->text.at, field->text.size);
        else
            put_quoted(line, field->text, LOG_TEXT);
    }
}

static void put_event_as_json(struct line *line, const char *time, unsigned worker,
                              const struct trace_event *event)
{
    put_text(line, "{\"time\":\"");
    put_text(line, time);
    put_text(line, "\",\"level\":\"");
    put_text(line, level_name(event->level));
    put_text(line, "\",\"event\":");
    put_quoted(line, view_of(event->name), LOG_JSON);
    if (worker != LOG_NO_WORKER) {
        put_text(line, ",\"worker\":");
        put_number(line, worker);
    }
    for (uint32_t i = 0; i < event->field_count; i++) {
        const struct trace_field *field = &event->fields[i];
        put_text(line, ",");
        put_quoted(line, view_of(field->name), LOG_JSON);
        put_text(line, ":");
        if (field->is_number)
            put_number(line, field->number);
        else
            put_quoted(line, field->text, LOG_JSON);
    }
    put_text(line, "}");
}

size_t log_format_event(const struct log *log, unsigned worker, const struct trace_event *event,
                        char out[LOG_LINE_MAX])
{
    struct line line = { out, 0 };
    char time[32];
    write_time(log->unix_at_zero + event->at, time);
    if (log->format == LOG_JSON)
        put_event_as_json(&line, time, worker, event);
    else
        put_event_as_text(&line, time, event);
    out[line.size++] = '\n';
    return line.size;
}

void log_event(const struct log *log, unsigned worker, const struct trace_event *event)
{
    char line[LOG_LINE_MAX];
    if (event->level < log->level)
        return;
    size_t size = log_format_event(log, worker, event, line);
    while (write(log->fd, line, size) < 0 && errno == EINTR)
        ;
}

void log_init(struct log *log, int fd, enum log_format format, enum trace_level level)
{
    *log = (struct log){ .fd = fd, .format = format, .level = level };
    log->unix_at_zero = clock_unix_at_zero();
}

void log_begin(struct trace_event *event, enum trace_level level, const char *name)
{
    event->at = clock_now();
    event->level = level;
    event->name = name;
    event->field_count = 0;
    event->text_size = 0;
}
