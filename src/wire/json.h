/* json.h - reads JSON text (RFC 8259) through cJSON, and writes it into caller memory.
 *
 * Reading makes a tree on the heap that lives for the handling of one message; writing needs none.
 */
#ifndef MOIM_WIRE_JSON_H
#define MOIM_WIRE_JSON_H

#include "base/status.h"
#include "base/view.h"

#include <cjson/cJSON.h>

#define JSON_DEPTH_MAX 16

/* Reads one object and nothing else but white space.
 *   OK             *out is the caller's to free with cJSON_Delete.
 *   ERR_MALFORMED  not JSON, not an object, or a string holds U+0000 (which C strings can't).
 *   ERR_LIMIT      nested deeper than JSON_DEPTH_MAX.
 *   ERR_MEMORY     is told as ERR_MALFORMED: cJSON does not tell them apart. */
MUST_USE int json_read_object(struct view text, cJSON **out);

/* A member of an object that is a string; an empty view with at == NULL when there is none. */
struct view json_get_string(const cJSON *object, const char *name);

/* A member that is a whole number from 0 to 2^53: OK, ERR_NOT_FOUND, ERR_MALFORMED. */
MUST_USE int json_get_number(const cJSON *object, const char *name, uint64_t *number);

/* A member that is true or false; absent leaves *value: OK, ERR_NOT_FOUND, ERR_MALFORMED. */
MUST_USE int json_get_bool(const cJSON *object, const char *name, bool *value);

/* Writes text piece by piece, with the commas.  What does not fit sets `overflow` and is left
 * out. */
struct json_writer {
    uint8_t *at;
    size_t size;
    size_t capacity;
    bool overflow;
    bool needs_comma;
};

static inline struct json_writer json_writer_make(void *at, size_t capacity)
{
    return (struct json_writer){ .at = (uint8_t *)at, .capacity = capacity };
}

void json_open(struct json_writer *writer, char bracket);       /* '{' or '[' */
void json_close(struct json_writer *writer, char bracket);      /* '}' or ']' */
void json_key(struct json_writer *writer, const char *name);    /* plain ASCII */
void json_string(struct json_writer *writer, struct view text); /* valid UTF-8 */
void json_number(struct json_writer *writer, uint64_t number);
void json_bool(struct json_writer *writer, bool value);
void json_raw(struct json_writer *writer, struct view json); /* a whole value */

static inline struct view json_written(const struct json_writer *writer)
{
    return view_make(writer->at, writer->size);
}

#endif
