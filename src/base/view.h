/* view.h - borrowed bytes: where they are and how many, never who owns them.
 *
 * A view lives as long as what it points into.  An empty view may have at == NULL.
 */
#ifndef MOIM_BASE_VIEW_H
#define MOIM_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const uint8_t *at;
    size_t size;
};

/* The same, for bytes that the receiver may change in place. */
struct span {
    uint8_t *at;
    size_t size;
};

/* A view of a string literal, without its NUL. */
#define VIEW(literal) ((struct view){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/* For printf's "%.*s": VIEW_ARGS(v) gives the length (an int) and the pointer. */
#define VIEW_ARGS(v) ((int)((v).size)), ((const char *)((v).at))

/* A view of a C string, without its NUL; text may be NULL. */
struct view view_of(const char *text);

static inline struct view view_make(const void *at, size_t size)
{
    return (struct view){ (const uint8_t *)at, size };
}

static inline struct view view_of_span(struct span span)
{
    return (struct view){ span.at, span.size };
}

/* The bytes from `from` on, at most `size` of them; bounds are cut to what is there. */
struct view view_slice(struct view v, size_t from, size_t size);

/* What follows the first `size` bytes, of which there are at least so many. */
static inline struct span span_behind(struct span span, size_t size)
{
    return (struct span){ size ? span.at + size : span.at, span.size - size };
}

bool view_equal(struct view a, struct view b);
/* The same, with ASCII letters of either case alike. */
bool view_equal_nocase(struct view a, struct view b);
bool view_starts(struct view v, struct view prefix);

/* In time that depends on the sizes alone: for secrets. */
bool view_equal_secret(struct view a, struct view b);

/* The place of the first `byte`; v.size when there is none. */
size_t view_find_byte(struct view v, uint8_t byte);
/* The place of the first `needle`; v.size when there is none. */
size_t view_find(struct view v, struct view needle);

/* Without spaces and tabs at either end. */
struct view view_trim(struct view v);

/* Takes what stands before the next `separator` off the front of *rest (and the separator).
 * False, with *part untouched, when *rest was used up: an empty last part is given once. */
bool view_split(struct view *rest, uint8_t separator, struct view *part);

/* A decimal number of one or more digits and nothing else.  False: not one, or over `most`. */
bool view_read_number(struct view v, uint64_t most, uint64_t *number);

#endif
