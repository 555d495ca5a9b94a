#include "wire/sockjs.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffdu

/* ---- reading ---- */

static struct view skip_space(struct view text)
{
    size_t i = 0;
    while (i < text.size &&
           (text.at[i] == ' ' || text.at[i] == '\t' || text.at[i] == '\r' || text.at[i] == '\n'))
        i++;
    return view_slice(text, i, text.size);
}

/* The four digits behind "\u" at the front of `text`; -1: it is no such escape. */
static int read_unit(struct view text)
{
    int unit = 0;
    if (text.size < 6 || text.at[0] != '\\' || text.at[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Reads the escape at the front of `text`, of one unit or of a pair of surrogates; gives its size,
 * or 0 when it is none. */
static size_t read_escape(struct view text, uint32_t *character)
{
    static const char LETTERS[] = "\"\\/bfnrt";
    static const char MEANINGS[] = "\"\\/\b\f\n\r\t";
    if (text.size < 2)
        return 0;
    if (text.at[1] != 'u') {
        const char *letter = text.at[1] ? strchr(LETTERS, text.at[1]) : NULL;
        if (!letter)
            return 0;
        *character = (uint32_t)MEANINGS[letter - LETTERS];
        return 2;
    }
    int unit = read_unit(text);
    if (unit < 0)
        return 0;
    *character = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    int low = unit < 0xdc00 ? read_unit(view_slice(text, 6, 6)) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        *character = REPLACEMENT;
        return 6;
    }
    *character = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    return 12;
}

static size_t write_utf8(uint32_t character, uint8_t *out)
{
    if (character < 0x80) {
        out[0] = (uint8_t)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const uint8_t MARKS[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = size; i-- > 1;) {
        out[i] = (uint8_t)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    out[0] = (uint8_t)(MARKS[size] | character);
    return size;
}

/* How far bytes go that stand for themselves in a JSON string. */
static size_t plain_size(struct view text)
{
    size_t i = 0;
    while (i < text.size && text.at[i] != '"' && text.at[i] != '\\' && text.at[i] >= 0x20)
        i++;
    return i;
}

/* The size of the string at the front of `text`, with its quotation marks; 0: it is none. */
static size_t string_size(struct view text)
{
    if (text.size == 0 || text.at[0] != '"')
        return 0;
    size_t at = 1;
    for (;;) {
        uint32_t character;
        at += plain_size(view_slice(text, at, text.size));
        if (at >= text.size || text.at[at] < 0x20)
            return 0;
        if (text.at[at] == '"')
            return at + 1;
        size_t escape = read_escape(view_slice(text, at, text.size), &character);
        if (escape == 0)
            return 0;
        at += escape;
    }
}

int sockjs_read(struct view text, struct sockjs_reader *reader)
{
    struct view rest = skip_space(text);
    if (!utf8_valid(text) || rest.size == 0)
        return ERR_MALFORMED;
    bool is_array = rest.at[0] == '[';
    if (is_array)
        rest = skip_space(view_slice(rest, 1, rest.size));
    struct view first = rest;

    bool is_empty = is_array && rest.size > 0 && rest.at[0] == ']';
    while (!is_empty) {
        size_t size = string_size(rest);
        if (size == 0)
            return ERR_MALFORMED;
        rest = skip_space(view_slice(rest, size, rest.size));
        if (!is_array || rest.size == 0 || rest.at[0] != ',')
            break;
        rest = skip_space(view_slice(rest, 1, rest.size));
    }
    if (is_array) {
        if (rest.size == 0 || rest.at[0] != ']')
            return ERR_MALFORMED;
        rest = skip_space(view_slice(rest, 1, rest.size));
    }
    if (rest.size)
        return ERR_MALFORMED;
    *reader = (struct sockjs_reader){ .is_array = is_array };
    if (!is_empty)
        reader->rest = first;
    return OK;
}

bool sockjs_next(struct sockjs_reader *reader, uint8_t *out, struct view *message)
{
    struct view rest = reader->rest;
    if (rest.size == 0)
        return false;
    rest = view_slice(rest, 1, rest.size);
    size_t plain = plain_size(rest);
    struct view found = view_slice(rest, 0, plain);
    rest = view_slice(rest, plain, rest.size);
    if (rest.at[0] != '"') {
        size_t size = found.size;
        memcpy(out, found.at, size);
        while (rest.at[0] != '"') {
            uint32_t character = 0;
            size_t escape = read_escape(rest, &character);
            size += write_utf8(character, out + size);
            rest = view_slice(rest, escape, rest.size);
            plain = plain_size(rest);
            memcpy(out + size, rest.at, plain);
            size += plain;
            rest = view_slice(rest, plain, rest.size);
        }
        found = view_make(out, size);
    }
    rest = skip_space(view_slice(rest, 1, rest.size));
    if (rest.size && rest.at[0] == ',')
        reader->rest = skip_space(view_slice(rest, 1, rest.size));
    else
        reader->rest = (struct view){ 0 };
    *message = found;
    return true;
}

/* ---- writing ---- */

/* Reads the character at the front of `text`, which begins with a byte of 0x80 or over; gives its
 * size.  A byte that begins none is U+FFFD. */
static size_t read_utf8(struct view text, uint32_t *character)
{
    size_t size = text.at[0] < 0xe0 ? 2 : text.at[0] < 0xf0 ? 3 : 4;
    if (!utf8_valid(view_slice(text, 0, size)) || text.size < size) {
        *character = REPLACEMENT;
        return 1;
    }
    uint32_t value = text.at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        value = value << 6 | (text.at[i] & 0x3f);
    *character = value;
    return size;
}

/* Whether a character of U+0080 or over is escaped. */
static bool is_mangled(uint32_t c)
{
    return (c >= 0x200c && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           (c >= 0x2060 && c <= 0x206f) || c >= 0xfff0;
}

static size_t write_unit(uint32_t unit, uint8_t *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        out[2 + i] = (uint8_t)DIGITS[(unit >> (12 - 4 * i)) & 15];
    return 6;
}

static size_t write_escape(uint32_t character, uint8_t out[SOCKJS_ESCAPE_MAX])
{
    static const char LETTERS[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    if (character == '"' || character == '\\' || (character < 0x20 && LETTERS[character])) {
        out[0] = '\\';
        out[1] = character < 0x20 ? (uint8_t)LETTERS[character] : (uint8_t)character;
        return 2;
    }
    if (character < 0x10000)
        return write_unit(character, out);
    write_unit(0xd800 + ((character - 0x10000) >> 10), out);
    write_unit(0xdc00 + ((character - 0x10000) & 0x3ff), out + 6);
    return 12;
}

/* Writes the character at the front of `text` as it is to be seen; gives the bytes written, and in
 * *used those read. */
static size_t escape_one(struct view text, uint8_t out[SOCKJS_ESCAPE_MAX], size_t *used)
{
    uint32_t character = text.at[0];
    *used = 1;
    if (character < 0x80)
        return write_escape(character, out);
    *used = read_utf8(text, &character);
    if (is_mangled(character))
        return write_escape(character, out);
    memcpy(out, text.at, *used);
    return *used;
}

/* How far bytes go that stand for themselves: plain ASCII without `also`. */
static size_t ascii_size(struct view text, uint8_t also)
{
    size_t i = 0;
    while (i < text.size && text.at[i] >= 0x20 && text.at[i] < 0x80 && text.at[i] != '"' &&
           text.at[i] != '\\' && text.at[i] != also)
        i++;
    return i;
}

static size_t escape(struct view *text, uint8_t also, uint8_t *out, size_t capacity)
{
    size_t size = 0;
    while (text->size) {
        size_t used = ascii_size(view_slice(*text, 0, capacity - size), also);
        if (used) {
            memcpy(out + size, text->at, used);
            size += used;
        } else {
            uint8_t one[SOCKJS_ESCAPE_MAX];
            size_t written = escape_one(*text, one, &used);
            if (written > capacity - size)
                break;
            memcpy(out + size, one, written);
            size += written;
        }
        *text = view_slice(*text, used, text->size);
    }
    return size;
}

/* '"' is escaped anyway: no further byte is. */
size_t sockjs_escape(struct view *text, uint8_t *out, size_t capacity)
{
    return escape(text, '"', out, capacity);
}

size_t sockjs_escape_script(struct view *frame, uint8_t *out, size_t capacity)
{
    return escape(frame, '<', out, capacity);
}

size_t sockjs_escape_event(struct view *frame, uint8_t *out, size_t capacity)
{
    size_t size = 0;
    while (frame->size) {
        struct view rest = view_slice(*frame, 0, capacity - size);
        size_t plain = view_find_byte(rest, '%');
        if (plain)
            memcpy(out + size, rest.at, plain);
        size += plain;
        *frame = view_slice(*frame, plain, frame->size);
        if (frame->size == 0 || capacity - size < 3)
            break;
        memcpy(out + size, "%25", 3);
        size += 3;
        *frame = view_slice(*frame, 1, frame->size);
    }
    return size;
}

size_t sockjs_escaped_size(struct view text)
{
    size_t size = 0;
    while (text.size) {
        size_t used = ascii_size(text, '"');
        if (used) {
            size += used;
        } else {
            uint8_t one[SOCKJS_ESCAPE_MAX];
            size += escape_one(text, one, &used);
        }
        text = view_slice(text, used, text.size);
    }
    return size;
}

size_t sockjs_write_close(unsigned code, struct view reason, uint8_t out[SOCKJS_CLOSE_MAX])
{
    size_t size = (size_t)snprintf((char *)out, SOCKJS_CLOSE_MAX, "c[%u,\"", code);
    size += sockjs_escape(&reason, out + size, SOCKJS_CLOSE_MAX - size - 2);
    out[size++] = '"';
    out[size++] = ']';
    return size;
}
