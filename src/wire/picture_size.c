#include "wire/picture_size.h"

#include "wire/bits.h"
#include "wire/payload_av1.h"
#include "wire/payload_h26x.h"

#define RBSP_MAX 512 /* bytes of a parameter set that are looked at: sizes stand before its VUI */

/* ---- H.264 and H.265 ---- */

/* What is behind the unit's header, without the bytes that are there so that no start code is seen
 * (H.264, section 7.4.1). */
static struct view take_rbsp(struct view unit, size_t header, uint8_t *out)
{
    unsigned zeros = 0;
    size_t size = 0;
    for (size_t i = header; i < unit.size && size < RBSP_MAX; i++) {
        uint8_t byte = unit.at[i];
        if (zeros >= 2 && byte == 3) {
            zeros = 0;
            continue;
        }
        zeros = byte == 0 ? zeros + 1 : 0;
        out[size++] = byte;
    }
    return view_make(out, size);
}

static int make_size(uint64_t width, uint64_t height, struct picture_size *size)
{
    if (width - 1 >= PICTURE_SIZE_MAX || height - 1 >= PICTURE_SIZE_MAX)
        return ERR_MALFORMED;
    *size = (struct picture_size){ .width = (uint16_t)width, .height = (uint16_t)height };
    return OK;
}

/* What is cut off a picture of so many samples, in units of some. */
struct window {
    uint64_t across;
    uint64_t down;
};

/* Left, right, top and bottom. */
static struct window take_window(struct bits *bits, unsigned unit_across, unsigned unit_down)
{
    struct window window;
    window.across = bits_take_ue(bits);
    window.across = (window.across + bits_take_ue(bits)) * unit_across;
    window.down = bits_take_ue(bits);
    window.down = (window.down + bits_take_ue(bits)) * unit_down;
    return window;
}

/* Samples of luma to one of chroma (H.264, table 6-1). */
static unsigned chroma_across(uint32_t format)
{
    return format == 1 || format == 2 ? 2 : 1;
}

static unsigned chroma_down(uint32_t format)
{
    return format == 1 ? 2 : 1;
}

/* ---- H.264 ---- */

/* Section 7.3.2.1.1.1: a list ends early where the next scale would be 0. */
static void skip_scaling_list(struct bits *bits, unsigned count)
{
    unsigned last = 8;
    unsigned next = 8;
    for (unsigned i = 0; i < count && next != 0 && !bits->overrun; i++) {
        next = (last + (unsigned)bits_take_se(bits)) & 0xff;
        last = next ? next : last;
    }
}

static bool has_chroma_format(unsigned profile)
{
    static const uint8_t PROFILES[] = {
        100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135
    };
    for (size_t i = 0; i < sizeof PROFILES; i++)
        if (PROFILES[i] == profile)
            return true;
    return false;
}

/* Gives ChromaArrayType. */
static uint32_t take_chroma_format(struct bits *bits)
{
    uint32_t format = bits_take_ue(bits);
    bool is_separate = format == 3 && bits_take_flag(bits);
    bits_take_ue(bits); /* bit depths */
    bits_take_ue(bits);
    bits_skip(bits, 1);
    if (bits_take_flag(bits))
        for (unsigned i = 0; i < (format == 3 ? 12u : 8u); i++)
            if (bits_take_flag(bits))
                skip_scaling_list(bits, i < 6 ? 16 : 64);
    return is_separate ? 0 : format;
}

static void skip_picture_order(struct bits *bits)
{
    uint32_t type = bits_take_ue(bits);
    if (type == 0)
        bits_take_ue(bits);
    if (type != 1)
        return;
    bits_skip(bits, 1);
    bits_take_se(bits);
    bits_take_se(bits);
    uint32_t count = bits_take_ue(bits);
    for (uint32_t i = 0; i < count && !bits->overrun; i++)
        bits_take_se(bits);
}

int h264_read_sps(struct view unit, struct picture_size *size)
{
    uint8_t bytes[RBSP_MAX];
    if (unit.size == 0 || (unit.at[0] & 0x1f) != H264_SPS)
        return ERR_MALFORMED;
    struct bits bits = bits_of(take_rbsp(unit, 1, bytes));
    unsigned profile = bits_take(&bits, 8);
    bits_skip(&bits, 16); /* constraints and level */
    bits_take_ue(&bits);
    uint32_t chroma = has_chroma_format(profile) ? take_chroma_format(&bits) : 1;
    bits_take_ue(&bits); /* log2_max_frame_num_minus4 */
    skip_picture_order(&bits);
    bits_take_ue(&bits); /* max_num_ref_frames */
    bits_skip(&bits, 1);
    uint64_t width = ((uint64_t)bits_take_ue(&bits) + 1) * 16;
    uint64_t height = ((uint64_t)bits_take_ue(&bits) + 1) * 16;
    unsigned fields = bits_take_flag(&bits) ? 1 : 2;
    struct window window = { 0, 0 };
    bits_skip(&bits, fields == 2 ? 2 : 1); /* mb_adaptive_frame_field_flag, direct_8x8 */
    if (bits_take_flag(&bits))
        window = take_window(&bits, chroma_across(chroma), chroma_down(chroma) * fields);
    if (bits.overrun || chroma > 3 || window.across >= width || window.down >= height * fields)
        return ERR_MALFORMED;
    return make_size(width - window.across, height * fields - window.down, size);
}

/* ---- H.265 ---- */

#define PROFILE_BITS 88 /* of a profile_tier_level(): all but the level */
#define LEVEL_BITS   8

/* Section 7.3.3 */
static void skip_profile_tier_level(struct bits *bits, unsigned sub_layers)
{
    bits_skip(bits, PROFILE_BITS + LEVEL_BITS);
    if (sub_layers == 0)
        return;
    uint32_t present = bits_take(bits, 16); /* two bits each, of eight */
    for (unsigned i = 0; i < sub_layers; i++) {
        bits_skip(bits, present >> (15 - 2 * i) & 1 ? PROFILE_BITS : 0);
        bits_skip(bits, present >> (14 - 2 * i) & 1 ? LEVEL_BITS : 0);
    }
}

int h265_read_sps(struct view unit, struct h265_sps *sps)
{
    uint8_t bytes[RBSP_MAX];
    struct h265_sps read;
    if (unit.size < 2 || (unit.at[0] >> 1 & 0x3f) != H265_SPS)
        return ERR_MALFORMED;
    if (unit.at[0] & 1 || unit.at[1] >> 3)
        return ERR_UNSUPPORTED;
    struct bits bits = bits_of(take_rbsp(unit, 2, bytes));
    bits_skip(&bits, 4);
    unsigned sub_layers = bits_take(&bits, 3);
    read.has_temporal_nesting = bits_take_flag(&bits);
    skip_profile_tier_level(&bits, sub_layers);
    bits_take_ue(&bits);
    uint32_t chroma = bits_take_ue(&bits);
    if (chroma == 3)
        bits_skip(&bits, 1);
    uint64_t width = bits_take_ue(&bits);
    uint64_t height = bits_take_ue(&bits);
    struct window window = { 0, 0 };
    if (bits_take_flag(&bits))
        window = take_window(&bits, chroma_across(chroma), chroma_down(chroma));
    if (bits.overrun || chroma > 3 || sub_layers == 7 || window.across >= width ||
        window.down >= height)
        return ERR_MALFORMED;
    int status = make_size(width - window.across, height - window.down, &read.size);
    if (status == OK)
        *sps = read;
    return status;
}

/* ---- AV1 ---- */

/* What is behind an OBU's header, its extension and its size (section 5.3). */
static int take_obu(struct view obu, struct bits *bits, unsigned *type)
{
    *bits = bits_of(obu);
    bool is_forbidden = bits_take_flag(bits);
    *type = bits_take(bits, 4);
    bool has_extension = bits_take_flag(bits);
    bool has_size = bits_take_flag(bits);
    bits_skip(bits, has_extension ? 9 : 1);
    if (has_size)
        bits_take_leb128(bits);
    return bits->overrun || is_forbidden ? ERR_MALFORMED : OK;
}

/* timing_info() and decoder_model_info().  Gives how many bits delays have; 0: no model. */
static unsigned take_timing(struct bits *bits)
{
    bits_skip(bits, 64);
    if (bits_take_flag(bits))
        bits_take_ue(bits);
    if (!bits_take_flag(bits))
        return 0;
    unsigned delay_bits = bits_take(bits, 5) + 1;
    bits_skip(bits, 32 + 5 + 5);
    return delay_bits;
}

/* Of the first operating point, which is the best one (section 6.4.1): bits 8 to 11 are its
 * spatial layers. */
static uint8_t count_spatial(uint32_t idc)
{
    uint8_t count = 1;
    for (unsigned i = 1; i < 4; i++)
        if (idc >> (8 + i) & 1)
            count = (uint8_t)(i + 1);
    return count;
}

static void take_operating_points(struct bits *bits, struct av1_sequence *sequence)
{
    unsigned delay_bits = bits_take_flag(bits) ? take_timing(bits) : 0;
    bool has_display_delay = bits_take_flag(bits);
    unsigned count = bits_take(bits, 5) + 1;
    sequence->has_decoder_model = delay_bits > 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t idc = bits_take(bits, 12);
        if (i == 0)
            sequence->spatial_count = count_spatial(idc);
        if (bits_take(bits, 5) > 7) /* only these have a tier */
            bits_skip(bits, 1);
        if (delay_bits > 0 && bits_take_flag(bits))
            bits_skip(bits, 2 * (size_t)delay_bits + 1);
        if (has_display_delay && bits_take_flag(bits))
            bits_skip(bits, 4);
    }
}

/* From enable_interintra_compound to order_hint_bits_minus_1: a frame header has bits by them. */
static void take_tools(struct bits *bits, struct av1_sequence *sequence)
{
    bits_skip(bits, 4);
    bool has_order_hint = bits_take_flag(bits);
    bits_skip(bits, has_order_hint ? 2 : 0);
    sequence->chooses_screen_content = bits_take_flag(bits);
    sequence->forces_screen_content = !sequence->chooses_screen_content && bits_take_flag(bits);
    if (sequence->chooses_screen_content || sequence->forces_screen_content) {
        sequence->chooses_integer_mv = bits_take_flag(bits);
        bits_skip(bits, sequence->chooses_integer_mv ? 0 : 1);
    }
    if (has_order_hint)
        sequence->order_hint_bits = (uint8_t)(bits_take(bits, 3) + 1);
}

int av1_read_sequence(struct view obu, struct av1_sequence *sequence)
{
    struct av1_sequence read = { .spatial_count = 1 };
    struct bits bits;
    unsigned type;
    int status = take_obu(obu, &bits, &type);
    if (status != OK || type != AV1_SEQUENCE_HEADER)
        return ERR_MALFORMED;
    bits_skip(&bits, 4); /* seq_profile, still_picture */
    read.is_reduced = bits_take_flag(&bits);
    if (read.is_reduced)
        bits_skip(&bits, 5);
    else
        take_operating_points(&bits, &read);
    read.width_bits = (uint8_t)(bits_take(&bits, 4) + 1);
    read.height_bits = (uint8_t)(bits_take(&bits, 4) + 1);
    uint64_t width = (uint64_t)bits_take(&bits, read.width_bits) + 1;
    uint64_t height = (uint64_t)bits_take(&bits, read.height_bits) + 1;
    if (!read.is_reduced && bits_take_flag(&bits)) {
        unsigned delta_bits = bits_take(&bits, 4) + 2;
        read.frame_id_bits = (uint8_t)(bits_take(&bits, 3) + delta_bits + 1);
    }
    bits_skip(&bits, 3); /* superblocks, filters */
    if (read.is_reduced)
        read.chooses_screen_content = read.chooses_integer_mv = true;
    else
        take_tools(&bits, &read);
    if (bits.overrun)
        return ERR_MALFORMED;
    status = make_size(width, height, &read.most);
    if (status == OK)
        *sequence = read;
    return status;
}

#define KEY_FRAME 0

int av1_read_key_size(struct view obu, const struct av1_sequence *sequence,
                      struct picture_size *size)
{
    struct bits bits;
    unsigned type;
    if (take_obu(obu, &bits, &type) != OK)
        return ERR_MALFORMED;
    if ((type != AV1_FRAME && type != AV1_FRAME_HEADER) || sequence->has_decoder_model)
        return ERR_UNSUPPORTED;
    /* show_existing_frame, frame_type, show_frame */
    if (!sequence->is_reduced && bits_take(&bits, 4) != (KEY_FRAME << 1 | 1))
        return bits.overrun ? ERR_MALFORMED : ERR_UNSUPPORTED;
    bits_skip(&bits, 1); /* disable_cdf_update */
    bool has_screen_content =
        sequence->chooses_screen_content ? bits_take_flag(&bits) : sequence->forces_screen_content;
    if (has_screen_content && sequence->chooses_integer_mv)
        bits_skip(&bits, 1);
    bits_skip(&bits, sequence->frame_id_bits);
    bool is_other = !sequence->is_reduced && bits_take_flag(&bits);
    bits_skip(&bits, sequence->order_hint_bits);
    struct picture_size read = sequence->most;
    if (is_other) {
        uint32_t width = bits_take(&bits, sequence->width_bits) + 1;
        uint32_t height = bits_take(&bits, sequence->height_bits) + 1;
        if (width > read.width || height > read.height)
            return ERR_MALFORMED;
        read = (struct picture_size){ .width = (uint16_t)width, .height = (uint16_t)height };
    }
    if (bits.overrun)
        return ERR_MALFORMED;
    *size = read;
    return OK;
}
