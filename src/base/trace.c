#include "base/trace.h"

#include <string.h>

struct trace_event *trace_add(struct trace *trace, usec now, enum trace_level level,
                              const char *name)
{
    struct trace_event *event = &trace->scratch;
    if (level >= trace->level && trace->count < TRACE_EVENTS_MAX)
        event = &trace->events[(trace->first + trace->count++) % TRACE_EVENTS_MAX];
    else if (level >= trace->level)
        trace->dropped++;
    event->at = now;
    event->level = level;
    event->name = name;
    event->field_count = 0;
    event->text_size = 0;
    return event;
}

static struct trace_field *add_field(struct trace_event *event, const char *name)
{
    if (event->field_count == TRACE_FIELDS_MAX)
        event->field_count--;
    struct trace_field *field = &event->fields[event->field_count++];
    *field = (struct trace_field){ .name = name };
    return field;
}

void trace_text(struct trace_event *event, const char *name, struct view text)
{
    struct trace_field *field = add_field(event, name);
    text = view_slice(text, 0, TRACE_TEXT_MAX - event->text_size);
    if (text.size == 0)
        return;
    memcpy(event->text + event->text_size, text.at, text.size);
    field->text = view_make(event->text + event->text_size, text.size);
    event->text_size += (uint32_t)text.size;
}

void trace_number(struct trace_event *event, const char *name, uint64_t number)
{
    struct trace_field *field = add_field(event, name);
    field->is_number = true;
    field->number = number;
}

void trace_address(struct trace_event *event, const char *name, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t size = address_write(address, text);
    trace_text(event, name, view_make(text, size));
}

const struct trace_event *trace_take(struct trace *trace)
{
    if (trace->count == 0)
        return NULL;
    const struct trace_event *event = &trace->events[trace->first];
    trace->first = (trace->first + 1) % TRACE_EVENTS_MAX;
    trace->count--;
    return event;
}
