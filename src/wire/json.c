#include "wire/json.h"

#include <string.h>

/* Refuses what would make cJSON recurse deeply, or cut a string short, before it sees it. */
static int check_shape(struct view text)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (in_string && c == '\\') {
            if (view_starts(view_slice(text, i, 6), VIEW("\\u0000")))
                return ERR_MALFORMED;
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            if (++depth > JSON_DEPTH_MAX)
                return ERR_LIMIT;
        } else if (!in_string && (c == '}' || c == ']')) {
            depth--;
        } else if (c == 0) {
            return ERR_MALFORMED;
        }
    }
    return OK;
}

int json_read_object(struct view text, cJSON **out)
{
    const char *end = NULL;
    int status = check_shape(text);
    if (status != OK)
        return status;
    cJSON *tree =
        cJSON_ParseWithLengthOpts((const char *)text.at, text.size, &end, /* NUL ends it */ 0);
    if (!tree)
        return ERR_MALFORMED;
    const char *text_end = (const char *)text.at + text.size;
    while (end < text_end && (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n'))
        end++;
    if (!cJSON_IsObject(tree) || end != text_end) {
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
