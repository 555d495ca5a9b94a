/* socketio_json.c - skips one JSON value, without a tree and without recursion. */
#include "wire/socketio.h"

#include "base/hex.h"

#include <string.h>

/* What is known of the value that is open at one depth. */
struct level {
    uint8_t bracket;     /* '{' or '[' */
    bool is_placeholder; /* "_placeholder" is true */
    bool has_num;        /* "num" names an attachment */
};

enum key { KEY_OTHER, KEY_PLACEHOLDER, KEY_NUM };

struct scan {
    struct view text;
    size_t at;
    int attachments;
    size_t depth;
    struct level levels[SOCKETIO_DEPTH_MAX];
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The byte that comes next; 0 (which is no JSON outside of strings) at the end. */
static uint8_t next(const struct scan *scan)
{
    return scan->at < scan->text.size ? scan->text.at[scan->at] : 0;
}

static void skip_space(struct scan *scan)
{
    while (is_space(next(scan)))
        scan->at++;
}

/* The escape at the place, of which the backslash is next; false when it is none. */
static bool skip_escape(struct scan *scan)
{
    scan->at++;
    uint8_t c = next(scan);
    if (c == 0 || !strchr("\"\\/bfnrtu", c))
        return false;
    scan->at++;
    for (int i = 0; c == 'u' && i < 4; i++, scan->at++)
        if (hex_digit(next(scan)) < 0)
            return false;
    return true;
}

/* Section 7; `string` is without the quotes. */
static bool skip_string(struct scan *scan, struct view *string)
{
    size_t from = scan->at + 1;
    if (next(scan) != '"')
        return false;
    scan->at++;
    while (next(scan) != '"') {
        if (next(scan) < 0x20)
            return false;
        if (next(scan) != '\\')
            scan->at++;
        else if (!skip_escape(scan))
            return false;
    }
    *string = view_slice(scan->text, from, scan->at - from);
    scan->at++;
    return true;
}

static bool skip_digits(struct scan *scan)
{
    size_t from = scan->at;
    while (next(scan) >= '0' && next(scan) <= '9')
        scan->at++;
    return scan->at > from;
}

/* Section 6. */
static bool skip_number(struct scan *scan)
{
    if (next(scan) == '-')
        scan->at++;
    if (next(scan) == '0')
        scan->at++;
    else if (!skip_digits(scan))
        return false;
    if (next(scan) == '.') {
        scan->at++;
        if (!skip_digits(scan))
            return false;
    }
    if (next(scan) == 'e' || next(scan) == 'E') {
        scan->at++;
        if (next(scan) == '+' || next(scan) == '-')
            scan->at++;
        return skip_digits(scan);
    }
    return true;
}

/* A value that opens no bracket. */
static bool skip_plain(struct scan *scan, struct view *value)
{
    static const char *const WORDS[] = { "true", "false", "null" };
    struct view rest = view_slice(scan->text, scan->at, scan->text.size);
    size_t from = scan->at;
    struct view string;
    *value = rest;
    if (next(scan) == '"')
        return skip_string(scan, &string);
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (view_starts(rest, view_of(WORDS[i]))) {
            value->size = strlen(WORDS[i]);
            scan->at += value->size;
            return true;
        }
    if (!skip_number(scan))
        return false;
    value->size = scan->at - from;
    return true;
}

/* Whether a string, with its escapes, says `name`.  Only \u can hide plain letters. */
static bool says(struct view string, const char *name)
{
    size_t at = 0;
    for (; *name; name++) {
        uint8_t c = at < string.size ? string.at[at] : 0;
        if (c == '\\' && string.at[at + 1] == 'u') {
            unsigned code = 0;
            for (size_t i = 2; i < 6; i++)
                code = code << 4 | (unsigned)hex_digit(string.at[at + i]);
            c = code < 0x80 ? (uint8_t)code : 0;
            at += 5;
        }
        if (c != (uint8_t)*name)
            return false;
        at++;
    }
    return at == string.size;
}

/* A member's name and its colon. */
static bool skip_key(struct scan *scan, enum key *key)
{
    struct view name;
    skip_space(scan);
    if (!skip_string(scan, &name))
        return false;
    skip_space(scan);
    if (next(scan) != ':')
        return false;
    scan->at++;
    skip_space(scan);
    *key = KEY_OTHER;
    if (scan->attachments >= 0)
        *key = says(name, "_placeholder") ? KEY_PLACEHOLDER
               : says(name, "num")        ? KEY_NUM
                                          : KEY_OTHER;
    return true;
}

/* The last of two members of one name counts, as for JSON.parse. */
static void note_member(struct scan *scan, enum key key, struct view value)
{
    struct level *level = &scan->levels[scan->depth - 1];
    uint64_t number;
    if (key == KEY_PLACEHOLDER)
        level->is_placeholder = view_equal(value, VIEW("true"));
    if (key == KEY_NUM)
        level->has_num = view_read_number(value, SOCKETIO_ATTACHMENTS_MAX, &number) &&
                         number < (uint64_t)scan->attachments;
}

/* Closes what may be closed here; false when a placeholder names no attachment. */
static bool skip_closing(struct scan *scan)
{
    while (scan->depth) {
        const struct level *level = &scan->levels[scan->depth - 1];
        skip_space(scan);
        if (next(scan) != (level->bracket == '{' ? '}' : ']'))
            return true;
        if (level->is_placeholder && !level->has_num)
            return false;
        scan->at++;
        scan->depth--;
    }
    return true;
}

/* Opens brackets up to a plain value, or up to an empty pair, and skips that. */
static int skip_one(struct scan *scan)
{
    for (;;) {
        enum key key = KEY_OTHER;
        struct view value;
        bool in_object = scan->depth && scan->levels[scan->depth - 1].bracket == '{';
        skip_space(scan);
        if (in_object && !skip_key(scan, &key))
            return ERR_MALFORMED;
        uint8_t c = next(scan);
        if (c != '{' && c != '[') {
            if (!skip_plain(scan, &value))
                return ERR_MALFORMED;
            if (in_object)
                note_member(scan, key, value);
            return OK;
        }
        if (in_object)
            note_member(scan, key, VIEW(""));
        if (scan->depth == SOCKETIO_DEPTH_MAX)
            return ERR_LIMIT;
        scan->levels[scan->depth++] = (struct level){ .bracket = c };
        scan->at++;
        skip_space(scan);
        if (next(scan) == (c == '{' ? '}' : ']'))
            return OK;
    }
}

int socketio_skip_value(struct view *rest, int attachments, struct view *value)
{
    struct scan scan;
    scan.text = *rest;
    scan.at = 0;
    scan.attachments = attachments;
    scan.depth = 0;
    skip_space(&scan);
    size_t from = scan.at;
    for (;;) {
        int status = skip_one(&scan);
        if (status != OK)
            return status;
        if (!skip_closing(&scan))
            return ERR_MALFORMED;
        if (scan.depth == 0)
            break;
        if (next(&scan) != ',')
            return ERR_MALFORMED;
        scan.at++;
    }
    *value = view_slice(*rest, from, scan.at - from);
    skip_space(&scan);
    *rest = view_slice(*rest, scan.at, rest->size);
    return OK;
}
