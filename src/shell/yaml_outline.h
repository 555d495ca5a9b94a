/* yaml_outline.h - where everything stands in a YAML text: each value's path, kind and line.
 *
 * libcyaml fills structs but can't say on which line a key stands that it refuses, and forgets the
 * lines of what it took.  An outline has them, and is strict where YAML invites mistakes: a key may
 * stand once, there is one document, no alias, no NUL, no key with a dot or a '[', a bounded depth.
 * Pure: no file, no global.
 */
#ifndef MOIM_SHELL_YAML_OUTLINE_H
#define MOIM_SHELL_YAML_OUTLINE_H

#include "base/status.h"
#include "base/view.h"

#define YAML_NODES_MAX  4096
#define YAML_PATH_MAX   64
#define YAML_DEPTH_MAX  8
#define YAML_REASON_MAX 192

enum yaml_kind { YAML_KIND_NONE, YAML_KIND_TEXT, YAML_KIND_LIST, YAML_KIND_MAP };

/* item of a node that is no entry of a list */
#define YAML_NO_ITEM UINT32_MAX

struct yaml_node {
    /* "https.listen"; an entry has its list's path, and what stands in the entry begins with
     * "endpoints[2]."; "" is the whole */
    char path[YAML_PATH_MAX];
    uint32_t item;       /* which entry of the list, from 0; YAML_NO_ITEM */
    uint32_t key_line;   /* from 1; where the key stands */
    uint32_t line;       /* from 1; where the value stands (a list or a map: its key) */
    enum yaml_kind kind; /* NONE: nothing was written, or null */
};

struct yaml_outline {
    struct yaml_node nodes[YAML_NODES_MAX]; /* in the order of the text */
    uint32_t count;
};

struct yaml_problem {
    uint32_t line; /* from 1 */
    char reason[YAML_REASON_MAX];
};

/* Reads UTF-8 text.  An empty text gives an empty outline.
 *   ERR_MALFORMED   *problem says what and where.
 *   ERR_MEMORY
 * On error *outline has no meaning. */
MUST_USE int yaml_outline_read(struct view text, struct yaml_outline *outline,
                               struct yaml_problem *problem);

/* The node of that path (and entry, or YAML_NO_ITEM); NULL when there is none. */
const struct yaml_node *yaml_outline_find(const struct yaml_outline *outline, const char *path,
                                          uint32_t item);

/* Writes text so that it stays one line of a message: what doesn't print becomes '?', what is too
 * long is cut.  out[size] gets a NUL. */
void yaml_printable(struct view text, char *out, size_t size);

#endif
