#include "wire/payload_vp9.h"

#include "wire/bits.h"

static void read_picture_id(struct bits *bits, struct vp9 *vp9)
{
    vp9->has_picture_id = true;
    vp9->has_long_picture_id = bits_take_flag(bits);
    vp9->picture_id = (uint16_t)bits_take(bits, vp9->has_long_picture_id ? 15 : 7);
}

static void read_layers(struct bits *bits, struct vp9 *vp9)
{
    vp9->has_layers = true;
    vp9->tid = (uint8_t)bits_take(bits, 3);
    vp9->switching_up = bits_take_flag(bits);
    vp9->sid = (uint8_t)bits_take(bits, 3);
    vp9->inter_layer = bits_take_flag(bits);
    if (!vp9->is_flexible) {
        vp9->has_tl0picidx = true;
        vp9->tl0picidx = (uint8_t)bits_take(bits, 8);
    }
}

static int read_pdiffs(struct bits *bits, struct vp9 *vp9)
{
    bool more = true;
    while (more) {
        if (vp9->pdiff_count == VP9_PDIFFS_MAX)
            return ERR_MALFORMED;
        vp9->pdiffs[vp9->pdiff_count++] = (uint8_t)bits_take(bits, 7);
        more = bits_take_flag(bits);
    }
    return OK;
}

/* Section 4.2.1.  Of the picture group, no more is kept than that it is there. */
static void read_structure(struct bits *bits, struct vp9 *vp9)
{
    vp9->has_structure = true;
    vp9->spatial_count = (uint8_t)(bits_take(bits, 3) + 1);
    vp9->has_resolutions = bits_take_flag(bits);
    bool has_pictures = bits_take_flag(bits);
    bits_skip(bits, 3);
    for (unsigned i = 0; vp9->has_resolutions && i < vp9->spatial_count; i++) {
        vp9->widths[i] = (uint16_t)bits_take(bits, 16);
        vp9->heights[i] = (uint16_t)bits_take(bits, 16);
    }
    if (!has_pictures)
        return;
    vp9->picture_count = (uint8_t)bits_take(bits, 8);
    for (unsigned i = 0; i < vp9->picture_count && !bits->overrun; i++) {
        bits_skip(bits, 4); /* TID and U */
        unsigned pdiffs = bits_take(bits, 2);
        bits_skip(bits, 2 + 8 * (size_t)pdiffs);
    }
}

int vp9_read(struct view payload, struct vp9 *vp9)
{
    struct bits bits = bits_of(payload);
    struct vp9 read = { 0 };
    bool has_picture_id = bits_take_flag(&bits);
    read.inter_picture = bits_take_flag(&bits);
    bool has_layers = bits_take_flag(&bits);
    read.is_flexible = bits_take_flag(&bits);
    read.starts_frame = bits_take_flag(&bits);
    read.ends_frame = bits_take_flag(&bits);
    bool has_structure = bits_take_flag(&bits);
    read.is_upper_reference = !bits_take_flag(&bits);
    if (has_picture_id)
        read_picture_id(&bits, &read);
    if (has_layers)
        read_layers(&bits, &read);
    if (read.inter_picture && read.is_flexible) {
        int status = read_pdiffs(&bits, &read);
        if (status != OK)
            return status;
    }
    if (has_structure)
        read_structure(&bits, &read);
    if (bits.overrun || bits_left(&bits) == 0)
        return ERR_MALFORMED;
    read.size = (uint16_t)(bits.read / 8);
    read.is_key = !read.inter_picture && !read.inter_layer && read.sid == 0;
    *vp9 = read;
    return OK;
}
