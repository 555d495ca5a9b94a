#include "media/layer_reader.h"

#include "wire/payload_av1.h"
#include "wire/payload_h26x.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"
#include "wire/picture_size.h"

#define ROW           0xfu    /* the targets of one spatial layer */
#define COLUMN        0x1111u /* and those of one temporal one */
#define BELOW_TOP_MAX 8
#define LONG_BITS     15
#define SHORT_BITS    7

/* The targets of that temporal layer and higher, of all spatial ones. */
static uint16_t from_temporal(unsigned temporal)
{
    unsigned row = temporal < LAYERS_TEMPORAL ? ROW << temporal & ROW : 8u;
    return (uint16_t)(row * COLUMN);
}

static void mark_key(struct packet *packet)
{
    packet->switches = LAYERS_ALL;
    packet->switch_base = PACKET_SWITCH_ANY;
}

/* Who has had the temporal layer below can go on as `switches`. */
static void mark_rise(struct packet *packet, unsigned switches, unsigned base)
{
    packet->switches = (uint16_t)switches;
    packet->switch_base = (uint8_t)(base < LAYERS_TEMPORAL ? base : LAYERS_TEMPORAL - 1);
}

/* ---- VP8 ---- */

static int read_vp8(struct layers_meter *meter, struct view payload, struct packet *packet)
{
    struct vp8 vp8;
    int status = vp8_read(payload, &vp8);
    if (status != OK)
        return status;
    packet->temporal = vp8.tid;
    packet->targets = from_temporal(vp8.tid);
    packet->needed = vp8.non_reference ? 0 : packet->targets;
    if (vp8.has_tid && vp8.layer_sync && vp8.tid > 0)
        mark_rise(packet, COLUMN << vp8.tid, vp8.tid - 1u);
    if (vp8.starts_frame && vp8.is_key && vp8.width > 0)
        layers_set_size(meter, 0, vp8.width, vp8.height);
    packet->has_tl0picidx = vp8.has_tl0picidx;
    packet->has_keyidx = vp8.has_keyidx;
    packet->tl0picidx = vp8.tl0picidx;
    packet->keyidx = vp8.keyidx;
    packet->picture_id = vp8.picture_id;
    if (vp8.has_picture_id)
        packet->picture_id_bits = vp8.has_long_picture_id ? LONG_BITS : SHORT_BITS;
    return OK;
}

/* ---- VP9 ---- */

/* Structures tell how many spatial layers there are; one that is not sent for a while is the
 * highest no more, until it is sent again. */
static void note_top(struct layer_reader *reader, const struct vp9 *vp9, bool begins_picture)
{
    if (begins_picture && reader->has_top) {
        reader->below_top =
            reader->picture_top < reader->top ? (uint8_t)(reader->below_top + 1) : 0;
        if (reader->below_top > BELOW_TOP_MAX) {
            reader->top = reader->picture_top;
            reader->below_top = 0;
        }
    }
    if (begins_picture)
        reader->picture_top = 0;
    if (vp9->sid > reader->picture_top)
        reader->picture_top = vp9->sid;
    if (vp9->has_structure) {
        reader->has_top = true;
        reader->top = (uint8_t)(vp9->spatial_count - 1);
        reader->below_top = 0;
    }
    if (vp9->sid > reader->top)
        reader->top = vp9->sid;
}

static void mark_vp9(const struct layer_reader *reader, const struct vp9 *vp9,
                     struct packet *packet)
{
    unsigned spatial = vp9->sid < LAYERS_SPATIAL ? vp9->sid : LAYERS_SPATIAL - 1;
    unsigned rows = LAYERS_ALL << spatial * LAYERS_TEMPORAL & LAYERS_ALL;
    bool is_top = !reader->has_top || vp9->sid >= reader->top;
    if (!is_top && !vp9->is_upper_reference)
        rows = ROW << spatial * LAYERS_TEMPORAL;
    packet->spatial = vp9->sid;
    packet->temporal = vp9->tid;
    packet->targets = packet->needed = (uint16_t)(rows & from_temporal(vp9->tid));
    if (!is_top)
        packet->highest = (uint16_t)(ROW << spatial * LAYERS_TEMPORAL);
    if (vp9->is_key)
        mark_key(packet);
    else if (vp9->switching_up)
        mark_rise(packet, from_temporal(vp9->tid), vp9->tid);
}

static int read_vp9(struct layer_reader *reader, struct layers_meter *meter, struct view payload,
                    struct packet *packet)
{
    struct vp9 vp9;
    int status = vp9_read(payload, &vp9);
    if (status != OK)
        return status;
    note_top(reader, &vp9, packet->begins_picture);
    mark_vp9(reader, &vp9, packet);
    /* its lower layers may still come, late */
    packet->begins_picture = packet->begins_picture && vp9.sid == 0;
    for (unsigned i = 0; vp9.has_resolutions && i < vp9.spatial_count; i++)
        layers_set_size(meter, i, vp9.widths[i], vp9.heights[i]);
    packet->has_tl0picidx = vp9.has_tl0picidx;
    packet->tl0picidx = vp9.tl0picidx;
    packet->picture_id = vp9.picture_id;
    if (vp9.has_picture_id)
        packet->picture_id_bits = vp9.has_long_picture_id ? LONG_BITS : SHORT_BITS;
    return OK;
}

/* ---- H.264 ---- */

/* It knows no layers, but pictures to which nothing refers can be left out: the highest temporal
 * layer of those that encoders make.  What stands before slices and refers to nothing goes with
 * them, since receivers take a packet that is of no picture for a hole. */
static int read_h264(struct layer_reader *reader, struct layers_meter *meter, struct view payload,
                     struct packet *packet)
{
    struct h26x h264;
    struct picture_size size;
    int status = h264_read(payload, &h264);
    if (status != OK)
        return status;
    if (h264.sps.size > 0 && h264_read_sps(h264.sps, &size) == OK)
        layers_set_size(meter, 0, size.width, size.height);
    bool is_aside = h264.nal_type == H264_SEI || h264.nal_type == H264_AUD;
    reader->has_disposable = reader->has_disposable || h264.is_disposable;
    if (h264.is_disposable)
        packet->temporal = 1;
    else if (!reader->has_disposable || h264.has_slice || h264.has_parameters || !is_aside)
        return OK;
    packet->targets = from_temporal(1);
    packet->needed = 0;
    mark_rise(packet, from_temporal(1), 0);
    return OK;
}

/* ---- H.265 ---- */

static int read_h265(struct layer_reader *reader, struct layers_meter *meter, struct view payload,
                     struct packet *packet)
{
    struct h26x h265;
    struct h265_sps sps;
    int status = h265_read(payload, &h265);
    if (status != OK)
        return status;
    if (h265.sps.size > 0 && h265_read_sps(h265.sps, &sps) == OK) {
        layers_set_size(meter, 0, sps.size.width, sps.size.height);
        reader->has_nesting = sps.has_temporal_nesting;
    }
    unsigned temporal = h265.temporal_id;
    packet->temporal = h265.temporal_id;
    packet->targets = from_temporal(temporal);
    packet->needed = from_temporal(h265.is_disposable ? temporal + 1 : temporal);
    if (temporal == 0 || !h265.has_slice)
        return OK;
    /* TSA: this layer and those above can be begun with; STSA: this one */
    bool is_tsa = h265.slice_type == H265_TSA_N || h265.slice_type == H265_TSA_N + 1;
    bool is_stsa = h265.slice_type == H265_STSA_N || h265.slice_type == H265_STSA_N + 1;
    if (is_tsa || reader->has_nesting)
        mark_rise(packet, from_temporal(temporal), temporal - 1);
    else if (is_stsa && temporal < LAYERS_TEMPORAL)
        mark_rise(packet, COLUMN << temporal, temporal - 1);
    return OK;
}

/* ---- AV1 ---- */

/* Its layers are told by descriptors alone; without one, all of it is taken for one layer. */
static int read_av1(struct layers_meter *meter, struct view payload, bool has_descriptor)
{
    struct av1 av1;
    struct av1_sequence sequence;
    struct picture_size size;
    int status = av1_read(payload, &av1);
    if (status != OK || av1.sequence.size == 0)
        return status;
    if (av1_read_sequence(av1.sequence, &sequence) != OK)
        return OK;
    unsigned top = has_descriptor ? sequence.spatial_count - 1u : 0;
    if (sequence.spatial_count > 1 || av1_read_key_size(av1.frame, &sequence, &size) != OK)
        size = sequence.most;
    layers_set_size(meter, top, size.width, size.height);
    return OK;
}

/* ---- dependency descriptors ---- */

/* Whether a decode target is nearer to (spatial, temporal) than another; both are up to it, or the
 * lowest of all is looked for. */
static bool is_nearer(const struct dd_structure *structure, unsigned a, unsigned b, bool is_up_to)
{
    int spatial = structure->target_spatial_ids[a] - structure->target_spatial_ids[b];
    int temporal = structure->target_temporal_ids[a] - structure->target_temporal_ids[b];
    int order = spatial ? spatial : temporal;
    return is_up_to ? order > 0 : order < 0;
}

/* The best of the active targets up to ours; if there is none, the lowest. */
static uint8_t find_target(const struct dd_structure *structure, unsigned ours)
{
    unsigned best = DD_TARGETS_MAX, lowest = DD_TARGETS_MAX;
    unsigned spatial = ours / LAYERS_TEMPORAL, temporal = ours % LAYERS_TEMPORAL;
    for (unsigned i = 0; i < structure->target_count; i++) {
        if (!(structure->active_targets >> i & 1))
            continue;
        if (lowest == DD_TARGETS_MAX || is_nearer(structure, i, lowest, false))
            lowest = i;
        bool is_up_to =
            (spatial == LAYERS_SPATIAL - 1 || structure->target_spatial_ids[i] <= spatial) &&
            (temporal == LAYERS_TEMPORAL - 1 || structure->target_temporal_ids[i] <= temporal);
        if (is_up_to && (best == DD_TARGETS_MAX || is_nearer(structure, i, best, true)))
            best = i;
    }
    if (best == DD_TARGETS_MAX)
        best = lowest;
    return (uint8_t)(best == DD_TARGETS_MAX ? 0 : best);
}

static void note_structure(struct layer_reader *reader, struct layers_meter *meter)
{
    const struct dd_structure *structure = reader->structure;
    for (unsigned i = 0; i < LAYERS_TARGETS; i++)
        reader->dd_targets[i] = find_target(structure, i);
    for (unsigned i = 0; structure->has_resolutions && i < structure->spatial_count; i++)
        layers_set_size(meter, i, structure->widths[i], structure->heights[i]);
}

static void mark_targets(const struct layer_reader *reader, const struct dd_frame *frame,
                         struct packet *packet)
{
    const struct dd_dependencies *dependencies = &frame->dependencies;
    packet->targets = packet->needed = packet->switches = packet->highest = 0;
    packet->switch_base = PACKET_SWITCH_ANY;
    for (unsigned i = 0; i < LAYERS_TARGETS; i++) {
        unsigned target = reader->dd_targets[i];
        enum dd_indication indication = dd_indication_of(dependencies, target);
        unsigned bit = 1u << i;
        if (indication != DD_NOT_PRESENT)
            packet->targets |= (uint16_t)bit;
        if (indication == DD_SWITCH || indication == DD_REQUIRED)
            packet->needed |= (uint16_t)bit;
        if (indication == DD_SWITCH)
            packet->switches |= (uint16_t)bit;
        if (reader->structure->target_spatial_ids[target] == dependencies->spatial_id)
            packet->highest |= (uint16_t)bit;
    }
}

/* One that is late and tells a structure: that may be an old one, which is of no use any more. */
static bool is_old_structure(const struct layer_reader *reader, struct view descriptor,
                             const struct packet *packet)
{
    return descriptor.size > 3 && descriptor.at[3] & 0x80 &&
           reader->picture != packet->rtp.timestamp;
}

static void mark_frame(const struct dd_frame *frame, bool is_new, struct packet *packet)
{
    packet->has_frame_number = true;
    packet->frame_number = frame->frame_number;
    packet->begins_frame = frame->start_of_frame;
    packet->ends_frame = frame->end_of_frame;
    packet->spatial = frame->dependencies.spatial_id;
    packet->temporal = frame->dependencies.temporal_id;
    packet->begins_picture = is_new && frame->start_of_frame && packet->spatial == 0;
}

static void read_old(struct layers_meter *meter, struct view descriptor, struct packet *packet)
{
    struct dd_structure old = { 0 };
    struct layer_reader reader = { .structure = &old };
    struct dd_frame frame;
    if (dd_read(descriptor, &old, &frame) != OK)
        return;
    note_structure(&reader, meter);
    mark_frame(&frame, false, packet);
    mark_targets(&reader, &frame, packet);
}

/* What can't be read is as if it were not there. */
static void read_descriptor(struct layer_reader *reader, struct layers_meter *meter,
                            struct view descriptor, bool is_new, struct packet *packet)
{
    struct dd_frame frame;
    if (!reader->structure || descriptor.size == 0)
        return;
    if (is_old_structure(reader, descriptor, packet)) {
        read_old(meter, descriptor, packet);
        return;
    }
    if (dd_read(descriptor, reader->structure, &frame) != OK)
        return;
    if (frame.has_active)
        note_structure(reader, meter);
    mark_frame(&frame, is_new, packet);
    mark_targets(reader, &frame, packet);
}

/* ---- any ---- */

/* Whether it is of another picture than all before. */
static bool is_new_picture(struct layer_reader *reader, uint32_t timestamp)
{
    if (reader->has_picture && (int32_t)(timestamp - reader->picture) <= 0)
        return false;
    reader->has_picture = true;
    reader->picture = timestamp;
    return true;
}

static void note_key(struct layer_reader *reader, struct packet *packet)
{
    if (reader->has_key && reader->key_timestamp == packet->rtp.timestamp)
        return;
    packet->begins_key_frame = true;
    reader->has_key = true;
    reader->key_timestamp = packet->rtp.timestamp;
}

/* Whether it is the first packet of its picture for sure: the one before it is there, and of
 * another picture. */
static bool is_surely_first(const struct layer_reader *reader, bool is_new,
                            const struct packet *packet)
{
    return is_new && packet->rtp.sequence_number == (uint16_t)(reader->newest + 1);
}

static void note_newest(struct layer_reader *reader, const struct packet *packet)
{
    if (reader->picture == packet->rtp.timestamp)
        reader->newest = packet->rtp.sequence_number;
}

static int read_codec(struct layer_reader *reader, struct layers_meter *meter,
                      enum payload_codec codec, struct view view, bool has_descriptor,
                      struct packet *packet)
{
    switch (codec) {
    case PAYLOAD_VP8:
        return read_vp8(meter, view, packet);
    case PAYLOAD_VP9:
        return read_vp9(reader, meter, view, packet);
    case PAYLOAD_H264:
        return read_h264(reader, meter, view, packet);
    case PAYLOAD_H265:
        return read_h265(reader, meter, view, packet);
    case PAYLOAD_AV1:
        return read_av1(meter, view, has_descriptor);
    default:
        return OK;
    }
}

int layer_reader_read(struct layer_reader *reader, struct layers_meter *meter,
                      enum payload_codec codec, struct view bytes, struct view descriptor,
                      struct packet *packet)
{
    struct payload payload;
    struct view view = rtp_payload(&packet->rtp, bytes.at);
    packet->codec = (uint8_t)codec;
    packet->begins_frame = packet->ends_frame = true;
    packet->targets = packet->needed = packet->highest = LAYERS_ALL;
    if (view.size == 0 || (!payload_is_video(codec) && codec != PAYLOAD_RED))
        return OK;
    int status = payload_read(codec, view, packet->rtp.marker, &payload);
    if (status != OK)
        return status == ERR_UNSUPPORTED ? OK : status;
    packet->begins_frame = payload.starts_frame;
    packet->ends_frame = payload.ends_frame;
    bool is_new = is_new_picture(reader, packet->rtp.timestamp);
    packet->begins_picture = is_new && payload.starts_frame;
    status = read_codec(reader, meter, codec, view, descriptor.size > 0, packet);
    if (status != OK)
        return status;
    read_descriptor(reader, meter, descriptor, is_new, packet);
    /* one that began without its parameter sets, since they are late, could not be decoded */
    bool is_cut = payload.may_be_behind_sets && !is_surely_first(reader, is_new, packet);
    if (payload.starts_key) {
        mark_key(packet);
        if (!is_cut)
            note_key(reader, packet);
    }
    note_newest(reader, packet);
    return OK;
}
