#include "wire/payload_vp8.h"

#include "base/bytes.h"

#define KEY_HEADER_SIZE 10 /* RFC 6386, section 9.1: the tag, the start code and the size */

/* Where the parts of the descriptor's extension lie. */
struct places {
    unsigned picture_id;
    unsigned tl0picidx;
    unsigned tid_keyidx;
    unsigned end;
};

static struct places find_places(const struct vp8 *vp8)
{
    struct places places = { .picture_id = 2 };
    places.tl0picidx = places.picture_id + vp8->has_picture_id + vp8->has_long_picture_id;
    places.tid_keyidx = places.tl0picidx + vp8->has_tl0picidx;
    places.end = places.tid_keyidx + (vp8->has_tid || vp8->has_keyidx);
    return places;
}

static int read_extension(struct view payload, struct vp8 *vp8)
{
    const uint8_t *at = payload.at;
    if (payload.size < 2)
        return ERR_MALFORMED;
    vp8->has_picture_id = at[1] & 0x80;
    vp8->has_tl0picidx = at[1] & 0x40;
    vp8->has_tid = at[1] & 0x20;
    vp8->has_keyidx = at[1] & 0x10;
    if (vp8->has_picture_id) {
        if (payload.size < 3)
            return ERR_MALFORMED;
        vp8->has_long_picture_id = at[2] & 0x80;
    }
    struct places places = find_places(vp8);
    if (payload.size < places.end)
        return ERR_MALFORMED;
    if (vp8->has_long_picture_id)
        vp8->picture_id = bytes_read_16(at + places.picture_id) & 0x7fff;
    else if (vp8->has_picture_id)
        vp8->picture_id = at[places.picture_id];
    if (vp8->has_tl0picidx)
        vp8->tl0picidx = at[places.tl0picidx];
    if (vp8->has_tid) {
        vp8->tid = at[places.tid_keyidx] >> 6;
        vp8->layer_sync = at[places.tid_keyidx] & 0x20;
    }
    if (vp8->has_keyidx)
        vp8->keyidx = at[places.tid_keyidx] & 0x1f;
    vp8->size = (uint8_t)places.end;
    return OK;
}

/* RFC 6386, section 9.1: of the tag, the lowest bit is 0 in a key frame. */
static void read_frame(struct view frame, struct vp8 *vp8)
{
    vp8->is_key = !(frame.at[0] & 1);
    if (!vp8->is_key || frame.size < KEY_HEADER_SIZE)
        return;
    if (bytes_read_24(frame.at + 3) != 0x9d012a)
        return;
    vp8->width = (uint16_t)((frame.at[6] | frame.at[7] << 8) & 0x3fff);
    vp8->height = (uint16_t)((frame.at[8] | frame.at[9] << 8) & 0x3fff);
}

int vp8_read(struct view payload, struct vp8 *vp8)
{
    if (payload.size < 1)
        return ERR_MALFORMED;
    struct vp8 read = {
        .size = 1,
        .non_reference = payload.at[0] & 0x20,
        .partition_start = payload.at[0] & 0x10,
        .partition = payload.at[0] & 7,
    };
    if (payload.at[0] & 0x80) {
        int status = read_extension(payload, &read);
        if (status != OK)
            return status;
    }
    if (payload.size == read.size)
        return ERR_MALFORMED;
    read.starts_frame = read.partition_start && read.partition == 0;
    if (read.starts_frame)
        read_frame(view_slice(payload, read.size, payload.size), &read);
    *vp8 = read;
    return OK;
}

void vp8_rewrite(uint8_t *descriptor, const struct vp8 *vp8, uint16_t picture_id, uint8_t tl0picidx,
                 uint8_t keyidx)
{
    struct places places = find_places(vp8);
    if (vp8->has_long_picture_id)
        bytes_write_16(descriptor + places.picture_id, 0x8000u | picture_id);
    else if (vp8->has_picture_id)
        descriptor[places.picture_id] = picture_id & 0x7f;
    if (vp8->has_tl0picidx)
        descriptor[places.tl0picidx] = tl0picidx;
    if (vp8->has_keyidx)
        descriptor[places.tid_keyidx] =
            (uint8_t)((descriptor[places.tid_keyidx] & 0xe0) | (keyidx & 0x1f));
}
