#include "base/utf8.h"

#include <string.h>

/* How long the sequence at p is; 0 when it is not a valid one (RFC 3629, section 4). */
static size_t sequence_size(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t size;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        size = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        size = 3;
        if (p[0] == 0xe0)
            low = 0xa0;
        if (p[0] == 0xed)
            high = 0x9f;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        size = 4;
        if (p[0] == 0xf0)
            low = 0x90;
        if (p[0] == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (left < size || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool utf8_valid(struct view v)
{
    size_t i = 0;
    while (i < v.size) {
        uint64_t eight;
        if (v.size - i >= sizeof eight) {
            memcpy(&eight, v.at + i, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        size_t size = sequence_size(v.at + i, v.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

bool utf8_has_control(struct view v)
{
    for (size_t i = 0; i < v.size; i++) {
        if (v.at[i] < 0x20 || v.at[i] == 0x7f)
            return true;
        if (v.at[i] == 0xc2 && i + 1 < v.size && v.at[i + 1] < 0xa0)
            return true;
    }
    return false;
}
