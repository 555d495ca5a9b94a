/* Fuzzes the readers of payloads, and VP8's rewriting.
 *
 * Input: a byte that names the codec and the marker, then a payload.
 */
#include "wire/payload.h"
#include "wire/payload_audio.h"
#include "wire/payload_av1.h"
#include "wire/payload_h26x.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"
#include "wire/picture_size.h"

#include "input.h"

/* What is rewritten is read back, and nothing else has changed. */
static void check_vp8(struct view payload)
{
    struct vp8 vp8, again;
    if (vp8_read(payload, &vp8) != OK)
        return;
    CHECK(vp8.size >= 1 && vp8.size <= VP8_DESCRIPTOR_MAX && vp8.size < payload.size);
    CHECK(vp8.picture_id < (vp8.has_long_picture_id ? 0x8000 : 0x80) && vp8.tid < 4);
    struct span copy = input_copy(payload);
    struct span descriptor = input_copy(view_slice(payload, 0, vp8.size));
    vp8_rewrite(descriptor.at, &vp8, 0x5a5a, 0xa5, 0xff);
    memcpy(copy.at, descriptor.at, descriptor.size);
    CHECK(vp8_read(view_of_span(copy), &again) == OK && again.size == vp8.size);
    CHECK(!vp8.has_picture_id ||
          again.picture_id == (0x5a5a & (vp8.has_long_picture_id ? 0x7fff : 0x7f)));
    CHECK(!vp8.has_tl0picidx || again.tl0picidx == 0xa5);
    CHECK(!vp8.has_keyidx || again.keyidx == 31);
    CHECK(again.tid == vp8.tid && again.layer_sync == vp8.layer_sync);
    vp8_rewrite(copy.at, &again, vp8.picture_id, vp8.tl0picidx, vp8.keyidx);
    CHECK(view_equal(view_of_span(copy), payload));
    free(descriptor.at);
    free(copy.at);
}

static void check_vp9(struct view payload)
{
    struct vp9 vp9;
    if (vp9_read(payload, &vp9) != OK)
        return;
    CHECK(vp9.size >= 1 && vp9.size < payload.size);
    CHECK(vp9.pdiff_count <= VP9_PDIFFS_MAX && vp9.spatial_count <= VP9_SPATIAL_MAX);
    CHECK(vp9.has_structure == (vp9.spatial_count != 0));
}

/* Of whatever unit these bytes may be, and of what a reader found in a payload. */
static void check_sets(struct view unit)
{
    struct picture_size size;
    struct h265_sps sps;
    if (h264_read_sps(unit, &size) == OK)
        CHECK(size.width >= 1 && size.height >= 1 && (unit.at[0] & 0x1f) == H264_SPS);
    if (h265_read_sps(unit, &sps) == OK)
        CHECK(sps.size.width >= 1 && sps.size.height >= 1);
}

static void check_h26x(struct view payload)
{
    struct h26x h26x;
    if (h264_read(payload, &h26x) == OK) {
        CHECK(h26x.nal_type >= 1 && h26x.nal_type < H264_STAP_A);
        CHECK(h26x.sps.size == 0 || (h26x.has_parameters && view_within(h26x.sps, payload)));
        CHECK(!h26x.is_disposable || (h26x.has_slice && h26x.slice_type < H264_SEI));
        check_sets(h26x.sps);
    }
    if (h265_read(payload, &h26x) == OK) {
        CHECK(h26x.nal_type < H265_AP && h26x.temporal_id <= 6 && h26x.layer_id <= 63);
        CHECK(h26x.sps.size == 0 || (h26x.has_parameters && view_within(h26x.sps, payload)));
        check_sets(h26x.sps);
    }
    check_sets(payload);
}

static void check_av1_sizes(struct view sequence_obu, struct view frame)
{
    struct av1_sequence sequence;
    struct picture_size size;
    if (av1_read_sequence(sequence_obu, &sequence) != OK)
        return;
    CHECK(sequence.most.width >= 1 && sequence.most.height >= 1);
    CHECK(sequence.width_bits <= 16 && sequence.height_bits <= 16);
    if (av1_read_key_size(frame, &sequence, &size) == OK)
        CHECK(size.width >= 1 && size.width <= sequence.most.width &&
              size.height <= sequence.most.height);
}

static void check_av1(struct view payload)
{
    struct av1 av1;
    if (av1_read(payload, &av1) != OK)
        return;
    CHECK(av1.element_count >= 1 && av1.element_count < payload.size);
    CHECK(!av1.is_key || (av1.new_sequence && !av1.continues));
    CHECK(av1.has_sequence_header == (av1.sequence.size > 0));
    check_av1_sizes(av1.sequence, av1.frame);
}

/* The payload and shorter ones of it, as one packet. */
static void check_joined(struct view payload)
{
    struct view packets[OPUS_JOIN_MAX];
    struct opus opus;
    for (unsigned i = 0; i < OPUS_JOIN_MAX; i++) {
        packets[i] = view_slice(payload, 0, payload.size - i % 3 * (payload.size / 4));
        if (opus_read(packets[i], &opus) != OK || !opus_joins(&opus, packets[i]))
            return;
    }
    unsigned count = OPUS_TICKS_MAX / opus.ticks;
    count = count < OPUS_JOIN_MAX ? count : OPUS_JOIN_MAX;
    uint8_t *room = malloc(count * payload.size + OPUS_JOINED_EXTRA);
    CHECK(room);
    size_t size = opus_join(packets, count, room);
    CHECK(opus_read(view_make(room, size), &opus) == OK && opus.frame_count == count);
    free(room);
}

static void check_audio(struct view payload)
{
    struct opus opus;
    struct red red;
    size_t size = 1;
    if (opus_read(payload, &opus) == OK) {
        CHECK(opus.ticks == opus.frame_count * opus.frame_ticks && opus.ticks <= OPUS_TICKS_MAX);
        CHECK(opus.frame_count >= 1 && opus.frame_count <= 48);
    }
    check_joined(payload);
    if (red_read(payload, &red) != OK)
        return;
    for (unsigned i = 0; i < red.block_count; i++) {
        CHECK(view_within(red.blocks[i].payload, payload));
        size += red.blocks[i].payload.size;
    }
    CHECK(size + 4 * (red.block_count - 1u) == payload.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct payload payload;
    uint8_t choice = input_byte(&input);
    struct span copy = input_copy(input);
    struct view bytes = view_of_span(copy);
    enum payload_codec codec = (enum payload_codec)((choice & 0x7f) % PAYLOAD_CODECS);
    if (payload_read(codec, bytes, choice & 0x80, &payload) == OK) {
        CHECK(payload.spatial_id < 8 && payload.temporal_id < 8);
        CHECK(payload_is_video(codec) || !payload.starts_key);
    }
    check_vp8(bytes);
    check_vp9(bytes);
    check_h26x(bytes);
    check_av1(bytes);
    check_av1_sizes(view_slice(bytes, 0, 20), view_slice(bytes, 20, bytes.size));
    check_audio(bytes);
    free(copy.at);
    return 0;
}
