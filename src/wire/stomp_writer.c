#include "wire/stomp.h"

#include <stdio.h>
#include <string.h>

static void add_bytes(struct stomp_writer *writer, const void *at, size_t size)
{
    if (size > writer->capacity - writer->size) {
        writer->overflow = true;
        return;
    }
    if (size)
        memcpy(writer->at + writer->size, at, size);
    writer->size += size;
}

void stomp_begin(struct stomp_writer *writer, void *out, size_t capacity,
                 enum stomp_version version, enum stomp_command command)
{
    const char *word = stomp_command_word(command);
    *writer = (struct stomp_writer){ .at = out, .capacity = capacity, .version = version };
    writer->escapes = command != STOMP_COMMAND_CONNECT && command != STOMP_COMMAND_CONNECTED;
    add_bytes(writer, word, strlen(word));
    add_bytes(writer, "\n", 1);
}

/* The letter behind the backslash; 0: the byte stands for itself; ' ': it can't be said. */
static char escape_of(const struct stomp_writer *writer, uint8_t byte)
{
    bool escapes = writer->escapes && writer->version >= STOMP_1_1;
    switch (byte) {
    case '\n':
        return escapes ? 'n' : ' ';
    case '\r':
        return escapes && writer->version == STOMP_1_2 ? 'r' : ' ';
    case ':':
        return escapes ? 'c' : 0;
    case '\\':
        return escapes ? '\\' : 0;
    case 0:
        return ' ';
    default:
        return 0;
    }
}

static void add_escaped(struct stomp_writer *writer, struct view text)
{
    size_t plain = 0; /* what stands for itself is added in runs */
    for (size_t at = 0; at < text.size; at++) {
        char letter = escape_of(writer, text.at[at]);
        if (letter == 0)
            continue;
        add_bytes(writer, text.at + plain, at - plain);
        plain = at + 1;
        if (letter == ' ')
            add_bytes(writer, " ", 1);
        else
            add_bytes(writer, (char[2]){ '\\', letter }, 2);
    }
    if (text.size)
        add_bytes(writer, text.at + plain, text.size - plain);
}

/* Whether the name can be said: a colon that is not escaped would end it. */
static bool name_fits(const struct stomp_writer *writer, struct view name)
{
    for (size_t i = 0; i < name.size; i++) {
        char letter = escape_of(writer, name.at[i]);
        if (letter == ' ' || (letter == 0 && name.at[i] == ':'))
            return false;
    }
    return name.size > 0;
}

void stomp_add_view(struct stomp_writer *writer, struct view name, struct view value)
{
    size_t begin = writer->size;
    if (!name_fits(writer, name))
        return;
    add_escaped(writer, name);
    add_bytes(writer, ":", 1);
    add_escaped(writer, value);
    add_bytes(writer, "\n", 1);
    if (writer->overflow)
        writer->size = begin;
}

void stomp_add(struct stomp_writer *writer, const char *name, struct view value)
{
    stomp_add_view(writer, view_of(name), value);
}

void stomp_add_number(struct stomp_writer *writer, const char *name, uint64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    stomp_add(writer, name, view_make(text, (size_t)size));
}

void stomp_end(struct stomp_writer *writer, struct view body)
{
    stomp_add_number(writer, "content-length", body.size);
    add_bytes(writer, "\n", 1);
    add_bytes(writer, body.at, body.size);
    add_bytes(writer, "", 1);
}

void stomp_end_empty(struct stomp_writer *writer)
{
    add_bytes(writer, "\n", 1);
    add_bytes(writer, "", 1);
}
