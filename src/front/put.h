/* put.h - members of a JSON object, a key and its value at once: for answers that have many.
 */
#ifndef MOIM_FRONT_PUT_H
#define MOIM_FRONT_PUT_H

#include "base/utf8.h"
#include "wire/json.h"

#include <stdio.h>

static inline void put_number(struct json_writer *writer, const char *key, uint64_t number)
{
    json_key(writer, key);
    json_number(writer, number);
}

static inline void put_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}

/* One that is not UTF-8, as a peer may have said it, is "?". */
static inline void put_text(struct json_writer *writer, const char *key, struct view text)
{
    json_key(writer, key);
    json_string(writer, utf8_valid(text) ? text : VIEW("?"));
}

/* A part of 1, in thousandths. */
static inline void put_part(struct json_writer *writer, const char *key, unsigned thousandths)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%03u", thousandths / 1000, thousandths % 1000);
    json_key(writer, key);
    json_raw(writer, view_of(text));
}

#endif
