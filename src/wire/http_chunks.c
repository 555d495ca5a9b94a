/* The chunked transfer coding (RFC 9112, section 7.1). */
#include "wire/http.h"

#include "base/hex.h"

enum chunk_state {
    CHUNK_SIZE, /* at the first digit */
    CHUNK_SIZE_MORE,
    CHUNK_SIZE_SPACE, /* only an extension may follow, or the line's end */
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a trailer line */
    CHUNK_TRAILER_LINE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF
};

#define CHUNK_DIGITS_MAX  8
#define CHUNK_TRAILER_MAX 4096

static int step_size(struct http_chunks *chunks, uint8_t c)
{
    int digit = hex_digit(c);
    if (digit >= 0 && chunks->state != CHUNK_SIZE_SPACE) {
        if (chunks->state == CHUNK_SIZE) {
            chunks->left = 0;
            chunks->line_size = 0;
        }
        if (chunks->line_size++ == CHUNK_DIGITS_MAX)
            return ERR_MALFORMED;
        chunks->left = chunks->left << 4 | (unsigned)digit;
        chunks->state = CHUNK_SIZE_MORE;
        return ERR_MORE;
    }
    if (chunks->state == CHUNK_SIZE)
        return ERR_MALFORMED;
    if (c == '\r')
        chunks->state = CHUNK_SIZE_LF;
    else if (c == ';')
        chunks->state = CHUNK_EXTENSION;
    else if ((c == ' ' || c == '\t') && ++chunks->trailer_size <= CHUNK_TRAILER_MAX)
        chunks->state = CHUNK_SIZE_SPACE;
    else
        return ERR_MALFORMED;
    return ERR_MORE;
}

/* Extensions and trailers are read over, within a limit in all. */
static int skip(struct http_chunks *chunks, uint8_t c, enum chunk_state line_feed)
{
    if (++chunks->trailer_size > CHUNK_TRAILER_MAX)
        return ERR_LIMIT;
    if (c == '\r')
        chunks->state = (uint8_t)line_feed;
    else if (c == '\n' || (c < 0x20 && c != '\t') || c == 0x7f)
        return ERR_MALFORMED;
    return ERR_MORE;
}

static int expect(struct http_chunks *chunks, uint8_t c, uint8_t wanted, enum chunk_state next)
{
    if (c != wanted)
        return ERR_MALFORMED;
    chunks->state = (uint8_t)next;
    return ERR_MORE;
}

/* Takes one byte of framing.  OK: it was the last. */
static int step(struct http_chunks *chunks, uint8_t c)
{
    switch ((enum chunk_state)chunks->state) {
    case CHUNK_SIZE:
    case CHUNK_SIZE_MORE:
    case CHUNK_SIZE_SPACE:
        return step_size(chunks, c);
    case CHUNK_EXTENSION:
        return skip(chunks, c, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return expect(chunks, c, '\n', chunks->left ? CHUNK_DATA : CHUNK_TRAILER);
    case CHUNK_DATA_CR:
        return expect(chunks, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(chunks, c, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
        if (c == '\r')
            return expect(chunks, c, '\r', CHUNK_END_LF);
        chunks->state = CHUNK_TRAILER_LINE;
        return skip(chunks, c, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LINE:
        return skip(chunks, c, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect(chunks, c, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF:
        return c == '\n' ? OK : ERR_MALFORMED;
    case CHUNK_DATA:
        break;
    }
    return ERR_MALFORMED;
}

int http_read_chunks(struct http_chunks *chunks, struct view bytes, struct view *data, size_t *used)
{
    *data = (struct view){ NULL, 0 };
    *used = 0;
    while (*used < bytes.size) {
        if (chunks->state == CHUNK_DATA) {
            size_t size = chunks->left < bytes.size ? (size_t)chunks->left : bytes.size;
            *data = view_slice(bytes, *used, size);
            *used += data->size;
            chunks->left -= data->size;
            if (chunks->left == 0)
                chunks->state = CHUNK_DATA_CR;
            return ERR_MORE;
        }
        int status = step(chunks, bytes.at[(*used)++]);
        if (status != ERR_MORE)
            return status;
    }
    return ERR_MORE;
}
