#include "base/view.h"

#include <string.h>

struct view view_of(const char *text)
{
    return (struct view){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

struct view view_slice(struct view v, size_t from, size_t size)
{
    if (from > v.size)
        from = v.size;
    if (size > v.size - from)
        size = v.size - from;
    return (struct view){ v.at ? v.at + from : NULL, size };
}

bool view_equal(struct view a, struct view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool view_equal_nocase(struct view a, struct view b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
            return false;
    return true;
}

bool view_starts(struct view v, struct view prefix)
{
    return v.size >= prefix.size && view_equal(view_slice(v, 0, prefix.size), prefix);
}

bool view_equal_secret(struct view a, struct view b)
{
    if (a.size != b.size)
        return false;
    uint8_t differ = 0;
    for (size_t i = 0; i < a.size; i++)
        differ = (uint8_t)(differ | (a.at[i] ^ b.at[i]));
    return differ == 0;
}

size_t view_find_byte(struct view v, uint8_t byte)
{
    const uint8_t *found = v.size ? memchr(v.at, byte, v.size) : NULL;
    return found ? (size_t)(found - v.at) : v.size;
}

size_t view_find(struct view v, struct view needle)
{
    if (needle.size == 0)
        return 0;
    for (size_t i = 0; needle.size <= v.size && i <= v.size - needle.size; i++) {
        i += view_find_byte(view_slice(v, i, v.size - needle.size + 1 - i), needle.at[0]);
        if (i <= v.size - needle.size && memcmp(v.at + i, needle.at, needle.size) == 0)
            return i;
    }
    return v.size;
}

struct view view_trim(struct view v)
{
    while (v.size && (v.at[0] == ' ' || v.at[0] == '\t'))
        v = view_slice(v, 1, v.size);
    while (v.size && (v.at[v.size - 1] == ' ' || v.at[v.size - 1] == '\t'))
        v.size--;
    return v;
}

bool view_split(struct view *rest, uint8_t separator, struct view *part)
{
    if (!rest->at)
        return false;
    size_t end = view_find_byte(*rest, separator);
    *part = view_slice(*rest, 0, end);
    if (end < rest->size)
        *rest = view_slice(*rest, end + 1, rest->size);
    else
        *rest = (struct view){ NULL, 0 };
    return true;
}

bool view_read_number(struct view v, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    if (v.size == 0)
        return false;
    for (size_t i = 0; i < v.size; i++) {
        if (v.at[i] < '0' || v.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(v.at[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > most)
        return false;
    *number = value;
    return true;
}
