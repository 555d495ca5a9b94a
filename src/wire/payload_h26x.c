#include "wire/payload_h26x.h"

#include "base/bytes.h"

static void add_slice(struct h26x *h26x, unsigned type, bool is_disposable)
{
    if (!h26x->has_slice)
        h26x->slice_type = (uint8_t)type;
    h26x->is_disposable = is_disposable && (h26x->is_disposable || !h26x->has_slice);
    h26x->has_slice = true;
}

/* Its parts can't be put together here; encoders make sets that are smaller than a packet. */
static void add_parameters(struct h26x *h26x, struct view unit)
{
    h26x->has_parameters = true;
    if (!h26x->is_fragment && h26x->sps.size == 0)
        h26x->sps = unit;
}

/* ---- H.264 ---- */

#define H264_REF_IDC 0x60

/* What a NAL unit that begins here, of `header` bytes of header in all, adds.  The slice header
 * begins with first_mb_in_slice as ue(v): 0 is a bit of 1. */
static void add_h264(struct h26x *h26x, unsigned type, struct view unit, size_t header, bool begins)
{
    bool is_slice = type >= H264_SLICE && type <= H264_IDR;
    h26x->has_key = h26x->has_key || type == H264_IDR;
    if (is_slice)
        add_slice(h26x, type, !(unit.at[0] & H264_REF_IDC));
    if (!begins)
        return;
    if (type == H264_SPS)
        add_parameters(h26x, unit);
    if (type >= H264_SEI && type <= H264_AUD)
        h26x->starts_frame = true;
    if (is_slice && (type <= H264_PARTITION_A || type == H264_IDR) && unit.size > header &&
        unit.at[header] & 0x80)
        h26x->starts_frame = true;
}

static int read_stap_a(struct view rest, struct h26x *h26x)
{
    bool is_first = true;
    if (rest.size == 0)
        return ERR_MALFORMED;
    while (rest.size) {
        if (rest.size < 2)
            return ERR_MALFORMED;
        size_t size = bytes_read_16(rest.at);
        if (size == 0 || size > rest.size - 2)
            return ERR_MALFORMED;
        struct view unit = view_slice(rest, 2, size);
        unsigned type = unit.at[0] & 0x1f;
        if (type == 0 || type >= H264_STAP_A)
            return ERR_MALFORMED;
        if (is_first)
            h26x->nal_type = (uint8_t)type;
        add_h264(h26x, type, unit, 1, true);
        is_first = false;
        rest = view_slice(rest, 2 + size, rest.size);
    }
    return OK;
}

/* Section 5.8: S, E, R and the type behind the indicator; a unit never begins and ends in one. */
static int read_fu_a(struct view payload, struct h26x *h26x)
{
    if (payload.size < 3)
        return ERR_MALFORMED;
    h26x->is_fragment = true;
    h26x->starts_nal = payload.at[1] & 0x80;
    h26x->ends_nal = payload.at[1] & 0x40;
    h26x->nal_type = payload.at[1] & 0x1f;
    if (h26x->nal_type == 0 || h26x->nal_type >= H264_STAP_A)
        return ERR_MALFORMED;
    add_h264(h26x, h26x->nal_type, payload, 2, h26x->starts_nal);
    return OK;
}

int h264_read(struct view payload, struct h26x *h26x)
{
    struct h26x read = { .starts_nal = true, .ends_nal = true };
    int status = OK;
    if (payload.size < 1)
        return ERR_MALFORMED;
    unsigned type = payload.at[0] & 0x1f;
    if (type == H264_STAP_A) {
        status = read_stap_a(view_slice(payload, 1, payload.size), &read);
    } else if (type == H264_FU_A) {
        status = read_fu_a(payload, &read);
    } else if (type == 0 || type > H264_STAP_A) {
        status = ERR_UNSUPPORTED;
    } else {
        read.nal_type = (uint8_t)type;
        add_h264(&read, type, payload, 1, true);
    }
    if (status == OK)
        *h26x = read;
    return status;
}

/* ---- H.265 ---- */

#define H265_HEADER_SIZE 2

/* The slice header begins with first_slice_segment_in_pic_flag. */
static void add_h265(struct h26x *h26x, unsigned type, struct view unit, size_t header, bool begins)
{
    h26x->has_key = h26x->has_key || (type >= H265_IRAP_FIRST && type <= H265_IRAP_LAST);
    if (type < H265_VPS)
        add_slice(h26x, type, type <= H265_RSV_VCL_N14 && type % 2 == 0);
    if (!begins)
        return;
    if (type == H265_SPS)
        add_parameters(h26x, unit);
    if ((type >= H265_VPS && type <= H265_AUD) || type == H265_SEI_PREFIX)
        h26x->starts_frame = true;
    if (type < H265_VPS && unit.size > header && unit.at[header] & 0x80)
        h26x->starts_frame = true;
}

static unsigned h265_type(struct view unit)
{
    return unit.at[0] >> 1 & 0x3f;
}

static int read_ap(struct view rest, struct h26x *h26x)
{
    bool is_first = true;
    if (rest.size == 0)
        return ERR_MALFORMED;
    while (rest.size) {
        if (rest.size < 2)
            return ERR_MALFORMED;
        size_t size = bytes_read_16(rest.at);
        if (size < H265_HEADER_SIZE || size > rest.size - 2)
            return ERR_MALFORMED;
        struct view unit = view_slice(rest, 2, size);
        unsigned type = h265_type(unit);
        if (type >= H265_AP)
            return ERR_MALFORMED;
        if (is_first)
            h26x->nal_type = (uint8_t)type;
        add_h265(h26x, type, unit, H265_HEADER_SIZE, true);
        is_first = false;
        rest = view_slice(rest, 2 + size, rest.size);
    }
    return OK;
}

static int read_fu(struct view payload, struct h26x *h26x)
{
    if (payload.size < H265_HEADER_SIZE + 2)
        return ERR_MALFORMED;
    h26x->is_fragment = true;
    h26x->starts_nal = payload.at[2] & 0x80;
    h26x->ends_nal = payload.at[2] & 0x40;
    h26x->nal_type = payload.at[2] & 0x3f;
    if (h26x->nal_type >= H265_AP)
        return ERR_MALFORMED;
    add_h265(h26x, h26x->nal_type, payload, H265_HEADER_SIZE + 1, h26x->starts_nal);
    return OK;
}

int h265_read(struct view payload, struct h26x *h26x)
{
    struct h26x read = { .starts_nal = true, .ends_nal = true };
    int status = OK;
    if (payload.size < H265_HEADER_SIZE)
        return ERR_MALFORMED;
    unsigned type = h265_type(payload);
    unsigned tid_plus_one = payload.at[1] & 7;
    if (tid_plus_one == 0)
        return ERR_MALFORMED;
    read.temporal_id = (uint8_t)(tid_plus_one - 1);
    read.layer_id = (uint8_t)((payload.at[0] & 1) << 5 | payload.at[1] >> 3);
    if (type == H265_AP) {
        status = read_ap(view_slice(payload, H265_HEADER_SIZE, payload.size), &read);
    } else if (type == H265_FU) {
        status = read_fu(payload, &read);
    } else if (type > H265_FU) {
        status = ERR_UNSUPPORTED;
    } else {
        read.nal_type = (uint8_t)type;
        add_h265(&read, type, payload, H265_HEADER_SIZE, true);
    }
    if (status == OK)
        *h26x = read;
    return status;
}
