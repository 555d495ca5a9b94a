#include "base/base64.h"

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
    return write_with(v, out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                      true);
}

size_t base64url_write(struct view v, char *out)
{
    return write_with(v, out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                      false);
}
