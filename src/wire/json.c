#include "wire/json.h"

#include "base/hex.h"

#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The bytes of the escape at the front of `text`; 0: none that C strings can hold.  (Which letters
 * may follow the backslash is left to cJSON, but it takes bad digits for zeros.) */
static size_t escape_size(struct view text)
{
    if (text.size < 2 || text.at[1] != 'u')
        return text.size < 2 ? 0 : 2;
    bool is_zero = true;
    for (size_t i = 2; i < 6; i++) {
        if (i >= text.size)
            return 0;
        if (hex_digit(text.at[i]) < 0)
            return 0;
        is_zero = is_zero && text.at[i] == '0';
    }
    return is_zero ? 0 : 6;
}

static size_t digits_size(struct view text, size_t from)
{
    size_t at = from;
    while (at < text.size && is_digit(text.at[at]))
        at++;
    return at - from;
}

/* The bytes of the number at the front of `text` (RFC 8259, section 6); 0: it is none. */
static size_t number_size(struct view text)
{
    size_t at = text.at[0] == '-';
    size_t digits = digits_size(text, at);
    if (digits == 0 || (digits > 1 && text.at[at] == '0'))
        return 0;
    at += digits;
    if (at < text.size && text.at[at] == '.') {
        digits = digits_size(text, at + 1);
        if (digits == 0)
            return 0;
        at += 1 + digits;
    }
    if (at < text.size && (text.at[at] == 'e' || text.at[at] == 'E')) {
        at++;
        at += at < text.size && (text.at[at] == '+' || text.at[at] == '-');
        digits = digits_size(text, at);
        if (digits == 0)
            return 0;
        at += digits;
    }
    return at;
}

/* What stands at the front of `text` outside of a string: its bytes, 0 when it can't stand
 * there. */
static size_t token_size(struct view text, int *depth)
{
    uint8_t c = text.at[0];
    if (is_digit(c) || c == '-')
        return number_size(text);
    if (c == '{' || c == '[')
        ++*depth;
    else if (c == '}' || c == ']')
        --*depth;
    else if (c < 0x20 && !is_space(c))
        return 0;
    return 1;
}

/* Refuses what would make cJSON recurse deeply or cut a string short, and what it lets pass though
 * it is no JSON: bad numbers, controls. */
static int check_shape(struct view text)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size;) {
        struct view rest = view_slice(text, i, text.size);
        size_t size = 1;
        if (rest.at[0] == '"')
            in_string = !in_string;
        else if (!in_string)
            size = token_size(rest, &depth);
        else if (rest.at[0] == '\\')
            size = escape_size(rest);
        else if (rest.at[0] < 0x20)
            size = 0;
        if (size == 0)
            return ERR_MALFORMED;
        if (depth > JSON_DEPTH_MAX)
            return ERR_LIMIT;
        i += size;
    }
    return OK;
}

int json_read_object(struct view text, cJSON **out)
{
    const char *end = NULL;
    while (text.size && is_space(text.at[0]))
        text = view_slice(text, 1, text.size);
    while (text.size && is_space(text.at[text.size - 1]))
        text.size--;
    if (text.size < 2 || text.at[0] != '{' || text.at[text.size - 1] != '}')
        return ERR_MALFORMED;
    int status = check_shape(text);
    if (status != OK)
        return status;
    cJSON *tree =
        cJSON_ParseWithLengthOpts((const char *)text.at, text.size, &end, /* NUL ends it */ 0);
    if (!tree)
        return ERR_MALFORMED;
    if (end != (const char *)text.at + text.size) {
        cJSON_Delete(tree);
        return ERR_MALFORMED;
    }
    *out = tree;
    return OK;
}

struct view json_get_string(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? view_of(item->valuestring) : view_of(NULL);
}

int json_get_number(const cJSON *object, const char *name, uint64_t *number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return ERR_NOT_FOUND;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
        item->valuedouble > 9007199254740992.0)
        return ERR_MALFORMED;
    uint64_t whole = (uint64_t)item->valuedouble;
    if ((double)whole < item->valuedouble || (double)whole > item->valuedouble)
        return ERR_MALFORMED;
    *number = whole;
    return OK;
}

int json_get_bool(const cJSON *object, const char *name, bool *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return ERR_NOT_FOUND;
    if (!cJSON_IsBool(item))
        return ERR_MALFORMED;
    *value = cJSON_IsTrue(item);
    return OK;
}

static void put(struct json_writer *writer, const void *bytes, size_t size)
{
    if (writer->overflow || size > writer->capacity - writer->size) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->at + writer->size, bytes, size);
    writer->size += size;
}

static void put_comma(struct json_writer *writer)
{
    if (writer->needs_comma)
        put(writer, ",", 1);
    writer->needs_comma = true;
}

void json_open(struct json_writer *writer, char bracket)
{
    put_comma(writer);
    put(writer, &bracket, 1);
    writer->needs_comma = false;
}

void json_close(struct json_writer *writer, char bracket)
{
    put(writer, &bracket, 1);
    writer->needs_comma = true;
}

void json_key(struct json_writer *writer, const char *name)
{
    put_comma(writer);
    put(writer, "\"", 1);
    put(writer, name, strlen(name));
    put(writer, "\":", 2);
    writer->needs_comma = false;
}

static void put_escape(struct json_writer *writer, uint8_t c)
{
    static const char SHORT[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    static const char HEX[] = "0123456789abcdef";
    char escape[6] = { '\\', 'u', '0', '0', HEX[(c >> 4) & 15], HEX[c & 15] };
    if (c == '"' || c == '\\')
        escape[1] = (char)c;
    else if (c < 32 && SHORT[c])
        escape[1] = SHORT[c];
    put(writer, escape, escape[1] == 'u' ? 6 : 2);
}

void json_string(struct json_writer *writer, struct view text)
{
    size_t plain_from = 0;
    put_comma(writer);
    put(writer, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c >= 32 && c != '"' && c != '\\')
            continue;
        put(writer, text.at + plain_from, i - plain_from);
        put_escape(writer, c);
        plain_from = i + 1;
    }
    if (plain_from < text.size)
        put(writer, text.at + plain_from, text.size - plain_from);
    put(writer, "\"", 1);
}

void json_number(struct json_writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put_comma(writer);
    put(writer, digits + at, sizeof digits - at);
}

void json_bool(struct json_writer *writer, bool value)
{
    put_comma(writer);
    if (value)
        put(writer, "true", 4);
    else
        put(writer, "false", 5);
}

void json_raw(struct json_writer *writer, struct view json)
{
    put_comma(writer);
    put(writer, json.at, json.size);
}
