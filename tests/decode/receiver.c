#include "receiver.h"

#include "support.h"

#include "base/bytes.h"
#include "wire/payload_h26x.h"
#include "wire/payload_vp8.h"
#include "wire/payload_vp9.h"
#include "wire/rtp_extensions.h"

static struct received *slot_at(struct receiver *receiver, uint64_t number)
{
    return &receiver->slots[number % RECEIVER_SLOTS];
}

void receiver_init(struct receiver *receiver, const struct mode *mode,
                   const struct decoder_kind *kind)
{
    memset(receiver, 0, sizeof *receiver);
    receiver->mode = mode;
    receiver->kind = kind;
    receiver->decoder = kind->open();
}

void receiver_free(struct receiver *receiver)
{
    receiver->kind->close(receiver->decoder);
}

void receiver_hear(struct receiver *receiver, struct view bytes, bool is_repeat)
{
    struct rtp_packet rtp;
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    struct view payload = rtp_payload(&rtp, bytes.at);
    uint16_t number = rtp.sequence_number;
    if (is_repeat) {
        number = (uint16_t)bytes_read_16(payload.at);
        payload = view_slice(payload, 2, payload.size);
    }
    if (receiver->highest == 0)
        receiver->highest = receiver->next = 0x10000u + number;
    uint64_t whole =
        receiver->highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(number - receiver->highest);
    if (whole < receiver->next)
        return;
    assert_true(whole < receiver->next + RECEIVER_SLOTS);
    for (; receiver->highest < whole; receiver->highest++)
        slot_at(receiver, receiver->highest + 1)->since = receiver->now;
    struct received *slot = slot_at(receiver, whole);
    if (slot->is_there)
        return;
    assert_true(bytes.size <= sizeof slot->sent.bytes);
    receiver->repeated += is_repeat;
    slot->is_there = true;
    slot->is_empty = payload.size == 0;
    slot->rtp = rtp;
    slot->sent.size = bytes.size;
    memcpy(slot->sent.bytes, bytes.at, bytes.size);
    slot->rtp.header_size = (uint16_t)(payload.at - bytes.at);
    slot->rtp.payload_size = (uint16_t)payload.size;
}

/* ---- a picture ---- */

static void forget(struct receiver *receiver, uint64_t until)
{
    for (; receiver->next < until; receiver->next++)
        *slot_at(receiver, receiver->next) = (struct received){ 0 };
}

static bool is_key_at(const struct receiver *receiver, const struct received *slot)
{
    struct payload payload;
    struct view view = rtp_payload(&slot->rtp, slot->sent.bytes);
    return payload_read(receiver->mode->codec, view, slot->rtp.marker, &payload) == OK &&
           payload.starts_key;
}

/* The first packet behind those of the next picture; 0: it is not whole.  One whose end does not
 * come, for another encoding is sent instead, is left out. */
static uint64_t end_of(struct receiver *receiver)
{
    const struct received *first = NULL;
    for (uint64_t at = receiver->next; at <= receiver->highest; at++) {
        const struct received *slot = slot_at(receiver, at);
        if (!slot->is_there)
            return 0;
        if (!slot->is_empty && first && first->rtp.timestamp != slot->rtp.timestamp) {
            assert_true(is_key_at(receiver, slot));
            forget(receiver, at);
            return end_of(receiver);
        }
        if (slot->rtp.marker)
            return at + 1;
        if (!slot->is_empty && !first)
            first = slot;
    }
    return 0;
}

static void read_descriptor(struct receiver *receiver, const struct received *slot)
{
    struct told *told = &receiver->told;
    struct dd_frame frame;
    struct view value;
    assert_true(rtp_extension_value(&slot->rtp, slot->sent.bytes, DD_ID, &value));
    /* what is behind a gap may speak of a structure that was lost */
    if (receiver->needs_key && !told->is_key && !told->has_frame && value.size < 8)
        return;
    assert_int_equal(dd_read(value, &receiver->structure, &frame), OK);
    if (frame.has_structure)
        memset(receiver->had_frame, 0, sizeof receiver->had_frame);
    if (!told->has_frame)
        told->temporal = frame.dependencies.temporal_id;
    told->has_frame = true;
    told->spatial = frame.dependencies.spatial_id;
    if (frame.start_of_frame) {
        assert_true(told->frame_count < SPATIAL_MAX);
        told->frame_numbers[told->frame_count++] = frame.frame_number;
        for (unsigned i = 0; i < frame.dependencies.fdiff_count && !receiver->needs_key; i++) {
            uint16_t to = (uint16_t)(frame.frame_number - frame.dependencies.fdiffs[i]);
            if (!receiver->had_frame[to])
                fail_msg("%s: frame %u (%u.%u) refers to %u, which was not there",
                         receiver->mode->name, frame.frame_number, frame.dependencies.spatial_id,
                         frame.dependencies.temporal_id, to);
        }
    }
    receiver->had_frame[frame.frame_number] = true;
    for (unsigned i = 0; i < receiver->structure.target_count; i++) {
        unsigned spatial = receiver->structure.target_spatial_ids[i];
        unsigned temporal = receiver->structure.target_temporal_ids[i];
        if (!(receiver->structure.active_targets >> i & 1))
            continue;
        told->active_spatial = spatial > told->active_spatial ? spatial : told->active_spatial;
        told->active_temporal = temporal > told->active_temporal ? temporal : told->active_temporal;
    }
}

static void read_ids(struct receiver *receiver, struct view payload)
{
    struct told *told = &receiver->told;
    struct vp8 vp8;
    struct vp9 vp9;
    struct h26x h264;
    if (receiver->mode->codec == PAYLOAD_VP8) {
        assert_int_equal(vp8_read(payload, &vp8), OK);
        told->has_picture_id = vp8.has_picture_id;
        told->picture_id = vp8.picture_id;
        told->has_tl0picidx = vp8.has_tl0picidx;
        told->tl0picidx = vp8.tl0picidx;
        told->temporal = vp8.tid;
    } else if (receiver->mode->codec == PAYLOAD_VP9) {
        assert_int_equal(vp9_read(payload, &vp9), OK);
        told->has_picture_id = vp9.has_picture_id;
        told->picture_id = vp9.picture_id;
        told->has_tl0picidx = vp9.has_tl0picidx;
        told->tl0picidx = vp9.tl0picidx;
        told->temporal = vp9.tid;
        told->spatial = vp9.sid;
    } else if (receiver->mode->codec == PAYLOAD_H264) {
        assert_int_equal(h264_read(payload, &h264), OK);
        told->temporal = h264.is_disposable; /* of two layers */
    }
}

/* Whether a decoder could begin with what is told. */
static void read_packet(struct receiver *receiver, const struct received *slot, bool is_first)
{
    struct view view = rtp_payload(&slot->rtp, slot->sent.bytes);
    if (is_first)
        receiver->told.is_key = is_key_at(receiver, slot);
    read_ids(receiver, view);
    if (receiver->mode->has_descriptors && !receiver->mode->hides_descriptors)
        read_descriptor(receiver, slot);
    if (!unit_add(&receiver->unit, receiver->mode->codec, view))
        fail_msg("%s: a packet does not follow the one before", receiver->mode->name);
}

bool receiver_decode(struct receiver *receiver)
{
    uint64_t end = end_of(receiver);
    bool is_first = true;
    if (end == 0)
        return false;
    receiver->unit.size = 0;
    receiver->unit.is_open = false;
    receiver->told = (struct told){ 0 };
    for (uint64_t at = receiver->next; at < end; at++) {
        const struct received *slot = slot_at(receiver, at);
        if (slot->is_empty)
            continue;
        read_packet(receiver, slot, is_first);
        is_first = false;
    }
    forget(receiver, end);
    if (receiver->needs_key && !receiver->told.is_key)
        return receiver_decode(receiver);
    receiver->needs_key = false;
    struct view bytes = view_make(receiver->unit.bytes, receiver->unit.size);
    if (!receiver->kind->decode(receiver->decoder, bytes, &receiver->image))
        fail_msg("%s: a picture can't be decoded (key %d, spatial %u, temporal %u)",
                 receiver->mode->name, receiver->told.is_key, receiver->told.spatial,
                 receiver->told.temporal);
    return true;
}

/* ---- what is lacking ---- */

/* Nothing can be done without what is missing: goes on behind it, from a key frame. */
static void give_up(struct receiver *receiver)
{
    uint64_t at = receiver->next;
    while (at <= receiver->highest && slot_at(receiver, at)->is_there)
        at++;
    while (at <= receiver->highest && !slot_at(receiver, at)->is_there)
        at++;
    /* the rest of a picture of which something is lacking */
    while (at <= receiver->highest && slot_at(receiver, at)->is_there &&
           !slot_at(receiver, at)->rtp.marker)
        at++;
    forget(receiver, at <= receiver->highest ? at + slot_at(receiver, at)->is_there : at);
    receiver->needs_key = true;
}

unsigned receiver_missing(struct receiver *receiver, uint16_t *numbers, unsigned max,
                          bool *wants_key)
{
    unsigned count = 0;
    receiver->now++;
    for (uint64_t at = receiver->next; at < receiver->highest && count < max; at++) {
        struct received *slot = slot_at(receiver, at);
        if (slot->is_there)
            continue;
        if (receiver->now - slot->since > GIVES_UP) {
            give_up(receiver);
            break;
        }
        if ((receiver->now - slot->since) % 2 == 1)
            numbers[count++] = (uint16_t)at;
    }
    *wants_key = receiver->needs_key && receiver->now % 6 == 0;
    receiver->key_asks += *wants_key;
    return count;
}
