#include "wire/deflate.h"

#include <stdlib.h>
#include <zlib.h>

/* Messages are short and many: a fast level and little memory. */
#define LEVEL     3
#define MEM_LEVEL 8

/* a bit of z_stream.data_type, where zlib's manual describes inflate */
#define AT_BLOCK_END 128

struct deflater {
    z_stream in;
    z_stream out;
};

int deflate_new(struct deflater **out)
{
    struct deflater *deflater = calloc(1, sizeof *deflater);
    if (!deflater)
        return ERR_MEMORY;
    if (inflateInit2(&deflater->in, -15) != Z_OK)
        goto give_deflater;
    if (deflateInit2(&deflater->out, LEVEL, Z_DEFLATED, -15, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        goto give_in;
    *out = deflater;
    return OK;

give_in:
    inflateEnd(&deflater->in);
give_deflater:
    free(deflater);
    return ERR_MEMORY;
}

void deflate_free(struct deflater *deflater)
{
    if (!deflater)
        return;
    inflateEnd(&deflater->in);
    deflateEnd(&deflater->out);
    free(deflater);
}

/* Runs the inflater over some input.  ERR_LIMIT: it wants more room than there is. */
static int inflate_some(z_stream *z, struct view input)
{
    z->next_in = (z_const Bytef *)(uintptr_t)input.at;
    z->avail_in = (uInt)input.size;
    while (z->avail_in > 0) {
        if (z->avail_out == 0)
            return ERR_LIMIT;
        int result = inflate(z, Z_SYNC_FLUSH);
        if (result == Z_STREAM_END)
            result = inflateReset(z); /* a final block: more may follow (RFC 7692, 7.2.3.4) */
        if (result != Z_OK)
            return ERR_MALFORMED;
    }
    return OK;
}

int deflate_read(struct deflater *deflater, struct view message, uint8_t *out, size_t capacity,
                 size_t *size)
{
    z_stream *z = &deflater->in;
    if (inflateReset(z) != Z_OK)
        return ERR_MALFORMED;
    z->next_out = out;
    z->avail_out = (uInt)capacity;
    int status = inflate_some(z, message);
    /* nothing is begun in an empty message, and behind a final block */
    if (status == OK && z->total_in > 0) {
        status = inflate_some(z, VIEW("\x00\x00\xff\xff"));
        if (status == OK && !(z->data_type & AT_BLOCK_END))
            status = ERR_MALFORMED;
    }
    if (status == OK && z->avail_out == 0)
        status = ERR_LIMIT; /* the last byte is there to tell that more may come */
    if (status != OK)
        return status;
    *size = capacity - z->avail_out;
    return OK;
}

int deflate_write(struct deflater *deflater, struct view message, uint8_t *out, size_t capacity,
                  size_t *size)
{
    z_stream *z = &deflater->out;
    if (deflateReset(z) != Z_OK)
        return ERR_LIMIT;
    z->next_in = (z_const Bytef *)(uintptr_t)message.at;
    z->avail_in = (uInt)message.size;
    z->next_out = out;
    z->avail_out = (uInt)capacity;
    /* an empty block ends it, whose last four bytes are left off (RFC 7692, section 7.2.1) */
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in > 0 || z->avail_out == 0)
        return ERR_LIMIT;
    *size = capacity - z->avail_out - 4;
    return OK;
}
