#include "room/pattern.h"

#include <string.h>

bool pattern_is(struct view text)
{
    return text.size && (memchr(text.at, '*', text.size) || memchr(text.at, '?', text.size));
}

/* Only the last '*' need ever be tried again. */
static bool segment_matches(struct view pattern, struct view name)
{
    size_t p = 0, n = 0;
    size_t star = SIZE_MAX, from = 0;
    while (n < name.size) {
        if (p < pattern.size && pattern.at[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.size && (pattern.at[p] == '?' || pattern.at[p] == name.at[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.at[p] == '*')
        p++;
    return p == pattern.size;
}

/* Segments left to read. */
struct path {
    struct view rest;
    bool is_over;
};

static struct path path_of(struct view text)
{
    return (struct path){ .rest = text };
}

static struct view take_segment(struct path *path)
{
    size_t size = view_find_byte(path->rest, '/');
    struct view segment = view_slice(path->rest, 0, size);
    path->is_over = size == path->rest.size;
    path->rest = view_slice(path->rest, size + 1, path->rest.size);
    return segment;
}

/* Here, too, only the last "**" need ever be tried again. */
bool pattern_matches(struct view pattern, struct view name)
{
    struct path p = path_of(pattern);
    struct path n = path_of(name);
    struct path after = { .is_over = true }; /* the pattern behind the last "**" ... */
    struct path from = { .is_over = true };  /* ... and the name where it was last tried */
    bool has_deep = false;
    for (;;) {
        struct path before = p;
        struct view want = p.is_over ? (struct view){ NULL, 0 } : take_segment(&p);
        if (!before.is_over && view_equal(want, VIEW("**"))) {
            has_deep = true;
            after = p;
            from = n;
            continue;
        }
        if (before.is_over && n.is_over)
            return true;
        if (!before.is_over && !n.is_over && segment_matches(want, take_segment(&n)))
            continue;
        if (!has_deep || from.is_over)
            return false;
        take_segment(&from);
        p = after;
        n = from;
    }
}
