#include "base/base64.h"

#include <string.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char STANDARD[] = ALPHANUMERIC "+/";
static const char URL_SAFE[] = ALPHANUMERIC "-_";

static size_t write_with(struct view v, char *out, const char *alphabet, bool pad)
{
    size_t n = 0;
    for (size_t i = 0; i < v.size; i += 3) {
        size_t left = v.size - i;
        uint32_t bits = (uint32_t)v.at[i] << 16;
        if (left > 1)
            bits |= (uint32_t)v.at[i + 1] << 8;
        if (left > 2)
            bits |= v.at[i + 2];
        size_t digits = left > 2 ? 4 : left + 1;
        for (size_t d = 0; d < digits; d++)
            out[n++] = alphabet[(bits >> (18 - 6 * d)) & 63];
        for (size_t d = digits; pad && d < 4; d++)
            out[n++] = '=';
    }
    out[n] = '\0';
    return n;
}

size_t base64_write(struct view v, char *out)
{
    return write_with(v, out, STANDARD, true);
}

size_t base64url_write(struct view v, char *out)
{
    return write_with(v, out, URL_SAFE, false);
}

int base64url_read(struct view text, uint8_t *out, size_t size)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;
    if (text.size != (size * 8 + 5) / 6)
        return ERR_MALFORMED;
    for (size_t i = 0; i < text.size; i++) {
        const char *found = text.at[i] ? strchr(URL_SAFE, text.at[i]) : NULL;
        if (!found)
            return ERR_MALFORMED;
        bits = bits << 6 | (uint32_t)(found - URL_SAFE);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[written++] = (uint8_t)(bits >> bit_count);
        }
    }
    return bits & ((1u << bit_count) - 1) ? ERR_MALFORMED : OK;
}
