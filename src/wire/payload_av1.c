#include "wire/payload_av1.h"

#include "wire/bits.h"

/* An element that begins an OBU: its header, and the extension behind it (AV1, section 5.3.2). */
static int add_obu(struct av1 *av1, struct view obu)
{
    if (obu.size == 0 || obu.at[0] & 0x80)
        return ERR_MALFORMED;
    unsigned type = obu.at[0] >> 3 & 0xf;
    bool has_extension = obu.at[0] & 4;
    if (has_extension && obu.size < 2)
        return ERR_MALFORMED;
    if (has_extension && !av1->has_layers) {
        av1->has_layers = true;
        av1->temporal_id = obu.at[1] >> 5;
        av1->spatial_id = obu.at[1] >> 3 & 3;
    }
    if (type == AV1_SEQUENCE_HEADER && !av1->has_sequence_header) {
        av1->has_sequence_header = true;
        av1->sequence = obu;
    }
    if ((type == AV1_FRAME_HEADER || type == AV1_FRAME) && !av1->starts_frame) {
        av1->starts_frame = true;
        av1->frame = obu;
    }
    return OK;
}

/* Section 4.4: W tells how many elements there are, of which the last bears no size; with 0, all
 * bear one. */
static int take_element(struct bits *bits, struct view payload, bool has_size, struct view *element)
{
    size_t size = bits_left(bits) / 8;
    if (has_size)
        size = bits_take_leb128(bits);
    if (bits->overrun || size > bits_left(bits) / 8)
        return ERR_MALFORMED;
    *element = view_slice(payload, bits->read / 8, size);
    bits_skip(bits, size * 8);
    return OK;
}

int av1_read(struct view payload, struct av1 *av1)
{
    struct bits bits = bits_of(payload);
    struct av1 read = { 0 };
    read.continues = bits_take_flag(&bits);
    read.continued = bits_take_flag(&bits);
    unsigned count = bits_take(&bits, 2);
    read.new_sequence = bits_take_flag(&bits);
    bits_skip(&bits, 3);
    if (bits.overrun || bits_left(&bits) == 0 || (read.new_sequence && read.continues))
        return ERR_MALFORMED;

    while (count ? read.element_count < count : bits_left(&bits) > 0) {
        struct view element;
        bool is_first = read.element_count == 0;
        bool is_last = count && read.element_count + 1u == count;
        int status = take_element(&bits, payload, !is_last, &element);
        if (status == OK && !(is_first && read.continues))
            status = add_obu(&read, element);
        if (status == OK && (element.size == 0 || read.element_count == UINT8_MAX))
            status = ERR_MALFORMED;
        if (status != OK)
            return status;
        read.element_count++;
    }
    read.is_key = read.new_sequence && read.has_sequence_header;
    *av1 = read;
    return OK;
}
