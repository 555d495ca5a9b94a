#include "wire/json_text.h"

#include "base/hex.h"

#include <string.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view behind(struct view text, size_t size)
{
    return view_slice(text, size, text.size);
}

static struct view skip_space(struct view text)
{
    size_t at = 0;
    while (at < text.size && is_space(text.at[at]))
        at++;
    return behind(text, at);
}

/* The bytes of the string at the front of `text`, with its quotes; 0: it does not end.  Strings are
 * long (an SDP), and quotes in them rare. */
static size_t string_size(struct view text)
{
    size_t at = 1;
    for (;;) {
        struct view rest = behind(text, at);
        size_t quote = view_find_byte(rest, '"');
        if (quote == rest.size)
            return 0;
        size_t slashes = 0;
        while (slashes < quote && rest.at[quote - 1 - slashes] == '\\')
            slashes++;
        at += quote + 1;
        if (slashes % 2 == 0)
            return at;
    }
}

/* The same of an object or an array. */
static size_t nest_size(struct view text)
{
    size_t depth = 0;
    for (size_t at = 0; at < text.size;) {
        uint8_t c = text.at[at];
        size_t size = 1;
        if (c == '"')
            size = string_size(behind(text, at));
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (size == 0)
            return 0;
        at += size;
        if (depth == 0)
            return at;
    }
    return 0;
}

/* The same of a number or a word. */
static size_t plain_size(struct view text)
{
    size_t at = 0;
    while (at < text.size && !is_space(text.at[at]) && !strchr(",:]}[{\"", text.at[at]))
        at++;
    return at;
}

/* Takes a value and the white space around it off the front. */
static bool take_value(struct view *rest, struct view *value)
{
    struct view text = skip_space(*rest);
    size_t size = 0;
    if (text.size == 0)
        return false;
    if (text.at[0] == '"')
        size = string_size(text);
    else if (text.at[0] == '{' || text.at[0] == '[')
        size = nest_size(text);
    else
        size = plain_size(text);
    if (size == 0)
        return false;
    *value = view_slice(text, 0, size);
    *rest = skip_space(behind(text, size));
    return true;
}

/* Takes the separator off the front; false: something else is there. */
static bool take_separator(struct view *rest, uint8_t separator)
{
    if (rest->size == 0 || rest->at[0] != separator)
        return false;
    *rest = behind(*rest, 1);
    return true;
}

bool json_text_next(struct view *list, struct view *value)
{
    struct view rest = *list;
    struct view found;
    if (!take_value(&rest, &found))
        return false;
    if (!take_separator(&rest, ',') && rest.size)
        return false;
    *list = rest;
    *value = found;
    return true;
}

bool json_text_members(struct view value, struct view *members)
{
    struct view text = skip_space(value);
    while (text.size && is_space(text.at[text.size - 1]))
        text.size--;
    if (text.size < 2 || text.at[0] != '{' || text.at[text.size - 1] != '}')
        return false;
    *members = view_slice(text, 1, text.size - 2);
    return true;
}

bool json_text_next_member(struct view *members, struct view *name, struct view *value)
{
    struct view rest = skip_space(*members);
    struct view written;
    struct view found;
    if (rest.size == 0 || rest.at[0] != '"')
        return false;
    if (!take_value(&rest, &written) || !take_separator(&rest, ':') || !take_value(&rest, &found))
        return false;
    if (!take_separator(&rest, ',') && rest.size)
        return false;
    *members = rest;
    *name = view_slice(written, 1, written.size - 2);
    *value = found;
    return true;
}

bool json_text_find(struct view object, struct view name, struct view *value)
{
    struct view members;
    struct view written;
    struct view found;
    if (!json_text_members(object, &members))
        return false;
    while (json_text_next_member(&members, &written, &found)) {
        if (json_text_is_named(written, name)) {
            *value = found;
            return true;
        }
    }
    return false;
}

/* ---- what strings say ---- */

/* The four digits of a \u at the front of `text`; -1: there are none. */
static int32_t read_unit(struct view text)
{
    int32_t unit = 0;
    if (text.size < 6 || text.at[0] != '\\' || text.at[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static size_t write_utf8(uint32_t code, uint8_t out[4])
{
    static const uint8_t FIRST[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t size = 4;
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800)
        size = 2;
    else if (code < 0x10000)
        size = 3;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)(FIRST[size] | code);
    return size;
}

/* Reads the escape at the front of `text` (RFC 8259, section 7).  Gives the bytes of what it says,
 * 0 when it is none; *used says how long it is. */
static size_t read_escape(struct view text, uint8_t out[4], size_t *used)
{
    static const char LETTERS[] = "\"\\/bfnrt";
    static const char MEANS[] = "\"\\/\b\f\n\r\t";
    int32_t unit = read_unit(text);
    *used = 2;
    if (unit < 0) {
        const char *letter = text.size > 1 && text.at[1] ? strchr(LETTERS, text.at[1]) : NULL;
        if (!letter)
            return 0;
        out[0] = (uint8_t)MEANS[letter - LETTERS];
        return 1;
    }
    *used = 6;
    if (unit == 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    if (unit < 0xd800 || unit > 0xdbff)
        return write_utf8((uint32_t)unit, out);
    int32_t low = read_unit(behind(text, 6));
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *used = 12;
    return write_utf8(0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00), out);
}

static int unescape(struct view written, uint8_t *out, size_t capacity, size_t *size)
{
    size_t at = 0;
    size_t filled = 0;
    while (at < written.size) {
        uint8_t character[4] = { written.at[at] };
        size_t used = 1;
        size_t more = 1;
        if (written.at[at] == '\\')
            more = read_escape(behind(written, at), character, &used);
        if (more == 0)
            return ERR_MALFORMED;
        if (more > capacity - filled)
            return ERR_LIMIT;
        memcpy(out + filled, character, more);
        filled += more;
        at += used;
    }
    *size = filled;
    return OK;
}

bool json_text_is_named(struct view written, struct view name)
{
    uint8_t out[128];
    size_t size;
    if (view_find_byte(written, '\\') == written.size)
        return view_equal(written, name);
    return unescape(written, out, sizeof out, &size) == OK &&
           view_equal(view_make(out, size), name);
}

int json_text_string(struct view value, uint8_t *out, size_t capacity, struct view *text)
{
    size_t size;
    if (value.size < 2 || value.at[0] != '"' || value.at[value.size - 1] != '"')
        return ERR_MALFORMED;
    struct view written = view_slice(value, 1, value.size - 2);
    if (view_find_byte(written, '\\') == written.size) {
        *text = written;
        return OK;
    }
    int status = unescape(written, out, capacity, &size);
    if (status == OK)
        *text = view_make(out, size);
    return status;
}
