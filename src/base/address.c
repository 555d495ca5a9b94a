#include "base/address.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

static size_t write_ipv6(const uint8_t bytes[16], char *out)
{
    uint16_t words[8];
    int run_at = -1;
    int run_size = 1; /* RFC 5952, section 4.2.2: a single zero word is not shortened */

    for (int i = 0; i < 8; i++)
        words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    for (int i = 0; i < 8; i++) {
        int size = 0;
        while (i + size < 8 && words[i + size] == 0)
            size++;
        if (size > run_size) {
            run_at = i;
            run_size = size;
        }
    }
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (i == run_at) {
            n += (size_t)sprintf(out + n, "::");
            i += run_size - 1;
            continue;
        }
        bool colon = i > 0 && i != run_at + run_size;
        n += (size_t)sprintf(out + n, "%s%x", colon ? ":" : "", words[i]);
    }
    return n;
}

size_t address_write(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
    const uint8_t *b = address->bytes;
    size_t n = 0;

    if (address->family == ADDRESS_IPV4) {
        n = (size_t)sprintf(out, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    } else if (address->family == ADDRESS_IPV6) {
        if (address->port)
            out[n++] = '[';
        n += write_ipv6(b, out + n);
        if (address->port)
            out[n++] = ']';
    } else {
        n = (size_t)sprintf(out, "none");
    }
    if (address->port)
        n += (size_t)sprintf(out + n, ":%u", address->port);
    out[n] = '\0';
    return n;
}

static bool read_ipv4(struct view text, uint8_t out[4])
{
    struct view part;
    int count = 0;
    while (view_split(&text, '.', &part)) {
        uint64_t number;
        bool leading_zero = part.size > 1 && part.at[0] == '0';
        if (count == 4 || leading_zero || part.size > 3 || !view_read_number(part, 255, &number))
            return false;
        out[count++] = (uint8_t)number;
    }
    return count == 4;
}

static bool read_word(struct view part, uint8_t out[2])
{
    unsigned word = 0;
    if (part.size < 1 || part.size > 4)
        return false;
    for (size_t i = 0; i < part.size; i++) {
        int digit = hex_digit(part.at[i]);
        if (digit < 0)
            return false;
        word = word << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(word >> 8);
    out[1] = (uint8_t)word;
    return true;
}

/* Reads "1:2:3" into out; *size is how many bytes it gave.  Where the address ends (is_tail), its
 * last four may stand as IPv4 (RFC 4291, section 2.2). */
static bool read_words(struct view text, bool is_tail, uint8_t out[16], size_t *size)
{
    struct view part;
    *size = 0;
    if (text.size == 0)
        return true;
    while (view_split(&text, ':', &part)) {
        bool is_last = is_tail && text.at == NULL;
        if (is_last && *size <= 12 && view_find_byte(part, '.') < part.size) {
            if (!read_ipv4(part, out + *size))
                return false;
            *size += 4;
            return true;
        }
        if (*size >= 16 || !read_word(part, out + *size))
            return false;
        *size += 2;
    }
    return true;
}

static bool read_ipv6(struct view text, uint8_t out[16])
{
    uint8_t head[16];
    uint8_t tail[16];
    size_t head_size;
    size_t tail_size;
    size_t gap = view_find(text, VIEW("::"));

    if (gap == text.size) {
        return read_words(text, true, out, &head_size) && text.size > 0 && head_size == 16;
    }
    if (!read_words(view_slice(text, 0, gap), false, head, &head_size) ||
        !read_words(view_slice(text, gap + 2, text.size), true, tail, &tail_size) ||
        head_size + tail_size > 14)
        return false;
    memset(out, 0, 16);
    memcpy(out, head, head_size);
    memcpy(out + 16 - tail_size, tail, tail_size);
    return true;
}

int address_read_host(struct view text, struct address *address)
{
    struct address read = { 0 };
    if (read_ipv4(text, read.bytes))
        read.family = ADDRESS_IPV4;
    else if (read_ipv6(text, read.bytes))
        read.family = ADDRESS_IPV6;
    else
        return ERR_MALFORMED;
    *address = read;
    return OK;
}

int address_read(struct view text, struct address *address)
{
    struct address read;
    struct view host;
    struct view port;
    uint64_t number;
    bool bracketed = text.size && text.at[0] == '[';

    if (bracketed) {
        size_t end = view_find_byte(text, ']');
        host = view_slice(text, 1, end - 1);
        port = view_slice(text, end + 1, text.size);
    } else {
        size_t end = view_find_byte(text, ':');
        host = view_slice(text, 0, end);
        port = view_slice(text, end, text.size);
    }
    if (port.size < 2 || port.at[0] != ':' ||
        !view_read_number(view_slice(port, 1, port.size), 65535, &number))
        return ERR_MALFORMED;
    if (address_read_host(host, &read) != OK || bracketed != (read.family == ADDRESS_IPV6))
        return ERR_MALFORMED;
    read.port = (uint16_t)number;
    *address = read;
    return OK;
}

bool address_is_unspecified(const struct address *address)
{
    size_t size = address->family == ADDRESS_IPV4 ? 4 : 16;
    for (size_t i = 0; i < size; i++)
        if (address->bytes[i])
            return false;
    return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
    size_t size = a->family == ADDRESS_IPV4 ? 4 : 16;
    return a->family == b->family && a->port == b->port && memcmp(a->bytes, b->bytes, size) == 0;
}
