#include "track.h"

#include "base/bytes.h"
#include "wire/ntp.h"
#include "wire/rtp_extensions.h"
#include "wire/rtp_sequence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DESCRIPTOR_SIZE 4 /* of VP8, with a picture id of 15 bits */

static uint32_t any(void)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        abort();
    return number;
}

void track_init(struct track *track, struct peer *peer, bool is_video,
                const struct track_rhythm *rhythm, struct track_kept *kept)
{
    assert(rhythm->fps && rhythm->packets && rhythm->group &&
           rhythm->size >= TRACK_STAMP_SIZE + 8 && rhythm->size <= TRACK_PAYLOAD_MAX);
    *track = (struct track){ .peer = peer,
                             .rhythm = *rhythm,
                             .ssrc = any() | 1,
                             .rtx_ssrc = any() | 2,
                             .clock_rate = is_video ? 90000 : 48000,
                             .rtx_payload_type = MEDIA_NO_RTX,
                             .is_video = is_video,
                             .wants_key = is_video,
                             .number = (uint16_t)(any() & 0x3fff),
                             .rtx_number = (uint16_t)(any() & 0x3fff),
                             .timestamp = any(),
                             .picture = (uint16_t)(any() & 0x7fff),
                             .kept = kept };
    for (unsigned i = 0; i < TRACK_KEPT; i++)
        kept[i].size = 0;
}

/* ---- headers ---- */

static void plan(const struct description_section *section, bool has_mid, struct rtp_plan *out)
{
    const uint8_t *ids = section->extensions;
    bool is_video = section->kind == SDP_VIDEO;
    int status = OK;
    rtp_plan_begin(out, false);
    if (!is_video && ids[RTP_EXTENSION_AUDIO_LEVEL])
        status |= rtp_plan_add(out, ids[RTP_EXTENSION_AUDIO_LEVEL], VIEW("\x90"));
    if (ids[RTP_EXTENSION_ABS_SEND_TIME])
        status |= rtp_plan_add_abs_send_time(out, ids[RTP_EXTENSION_ABS_SEND_TIME]);
    if (ids[RTP_EXTENSION_TRANSPORT_CC])
        status |= rtp_plan_add_transport_cc(out, ids[RTP_EXTENSION_TRANSPORT_CC]);
    if (has_mid && ids[RTP_EXTENSION_MID])
        status |= rtp_plan_add(out, ids[RTP_EXTENSION_MID], section->mid);
    assert(status == OK);
}

void track_describe(struct track *track, const struct description_section *section)
{
    if (section->format_count == 0)
        return;
    track->payload_type = section->formats[0].payload_type;
    track->rtx_payload_type = section->formats[0].rtx;
    plan(section, false, &track->plan);
    plan(section, true, &track->plan_with_mid);
    track->is_on = (section->direction & SDP_RECVONLY) != 0; /* as its writer sees it */
}

/* Sends a packet that is kept, under other numbers where it is RTX. */
static void send_packet(struct track *track, usec now, const struct track_kept *kept, bool is_rtx)
{
    uint8_t bytes[RTP_HEADER_MAX + RTX_OSN_SIZE + TRACK_PAYLOAD_MAX + SECURE_RTP_OVERHEAD];
    static const struct rtp_packet NONE;
    struct rtp_written written;
    struct rtp_values values = { .ssrc = track->ssrc,
                                 .timestamp = kept->timestamp,
                                 .sequence_number = kept->number,
                                 .payload_type = track->payload_type,
                                 .marker = kept->marker };
    bool is_early = now < track->begun_at + TRACK_MID_TIME;
    if (is_rtx) {
        values.ssrc = track->rtx_ssrc;
        values.sequence_number = track->rtx_number++;
        values.payload_type = track->rtx_payload_type;
    }
    rtp_write_header(is_early ? &track->plan_with_mid : &track->plan, &NONE, NULL, &values, bytes,
                     &written);
    size_t header_size = written.size;
    if (written.abs_send_time_at) {
        uint32_t time = rtp_abs_send_time_of(now);
        bytes[written.abs_send_time_at] = (uint8_t)(time >> 16);
        bytes_write_16(bytes + written.abs_send_time_at + 1, time);
    }
    if (written.transport_cc_at)
        bytes_write_16(bytes + written.transport_cc_at, (*track->transport_cc)++);
    if (is_rtx)
        rtp_write_osn(bytes, &written, kept->number);
    memcpy(bytes + written.size, kept->payload, kept->size);
    peer_send_rtp(track->peer, is_rtx ? &track->rtx_sent : &track->sent, bytes, header_size,
                  (size_t)written.size + kept->size);
}

/* ---- payloads ---- */

void track_write_stamp(uint8_t *payload, size_t size, uint64_t left_ns, uint32_t number)
{
    uint8_t *at = payload + size - TRACK_STAMP_SIZE;
    bytes_write_64(at, TRACK_MARK);
    bytes_write_64(at + 8, left_ns);
    bytes_write_32(at + 16, number);
}

bool track_read_stamp(struct view payload, uint64_t *left_ns, uint32_t *number)
{
    if (payload.size < TRACK_STAMP_SIZE)
        return false;
    const uint8_t *at = payload.at + payload.size - TRACK_STAMP_SIZE;
    if (bytes_read_64(at) != TRACK_MARK)
        return false;
    *left_ns = bytes_read_64(at + 8);
    *number = bytes_read_32(at + 16);
    return true;
}

/* RFC 7741: the descriptor, and at a frame's beginning the header of RFC 6386, section 9.1. */
static void write_vp8(const struct track *track, bool is_first, uint8_t *payload)
{
    static const uint8_t KEY[] = { 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01 };
    payload[0] = is_first ? 0x90 : 0x80;
    payload[1] = 0x80;
    bytes_write_16(payload + 2, (uint16_t)(0x8000 | track->picture));
    if (is_first && track->is_key)
        memcpy(payload + DESCRIPTOR_SIZE, KEY, sizeof KEY);
    else
        payload[DESCRIPTOR_SIZE] = is_first ? 0x11 : 0x55;
}

static void send_next(struct track *track, usec now, bool is_first)
{
    struct track_kept *kept = &track->kept[track->number % TRACK_KEPT];
    track->left--;
    *kept = (struct track_kept){ .timestamp = track->timestamp,
                                 .number = track->number++,
                                 .size = (uint16_t)track->rhythm.size,
                                 .marker = track->is_video ? track->left == 0 : false };
    memset(kept->payload, 0x55, kept->size);
    if (track->is_video)
        write_vp8(track, is_first, kept->payload);
    else
        kept->payload[0] = 0x78; /* Opus, 20 ms, mono: RFC 6716, section 3.1 */
    track_write_stamp(kept->payload, kept->size, net_now_ns(), (uint32_t)track->packets);
    track->packets++;
    track->octets += kept->size;
    send_packet(track, now, kept, false);
}

/* ---- time ---- */

static void begin_frame(struct track *track)
{
    const struct track_rhythm *rhythm = &track->rhythm;
    bool is_due = rhythm->key_every && track->frame % rhythm->key_every == 0;
    track->is_key = track->is_video && (track->wants_key || is_due);
    track->keys += track->is_key;
    track->wants_key = false;
    track->left = track->is_key ? rhythm->keys : rhythm->packets;
    track->picture = (track->picture + 1) & 0x7fff;
    track->timestamp += track->clock_rate / rhythm->fps;
    track->frame++;
    track->frame_at = track->begun_at + track->frame * USEC_S / rhythm->fps;
}

unsigned track_tick(struct track *track, usec now)
{
    unsigned count = 0;
    if (!track->is_on || track->peer->state != PEER_CONNECTED)
        return 0;
    if (track->begun_at == 0) {
        /* not all at the same moment */
        track->begun_at = now + any() % (USEC_S / track->rhythm.fps);
        track->next_at = track->frame_at = track->begun_at;
    }
    while (now >= track->next_at) {
        bool is_first = track->left == 0;
        if (is_first)
            begin_frame(track);
        for (unsigned i = 0; i < track->rhythm.group && track->left > 0; i++, count++)
            send_next(track, now, is_first && i == 0);
        net_flush(&track->peer->house->net);
        track->next_at = track->left > 0 ? track->next_at + TRACK_GROUP : track->frame_at;
    }
    return count;
}

void track_nack(struct track *track, usec now, uint16_t number)
{
    const struct track_kept *kept = &track->kept[number % TRACK_KEPT];
    if (kept->size == 0 || kept->number != number || track->rtx_payload_type == MEDIA_NO_RTX) {
        track->not_repeated++;
        return;
    }
    track->repeated++;
    send_packet(track, now, kept, true);
}

void track_report(const struct track *track, usec now, struct rtcp_writer *writer,
                  const struct rtcp_report *reports, unsigned count)
{
    usec frame_at = track->begun_at + (track->frame - 1) * USEC_S / track->rhythm.fps;
    int64_t since = (int64_t)(now - frame_at);
    struct rtcp_sr sr = {
        .ssrc = track->ssrc,
        .ntp = ntp_of_usec(now),
        .rtp_timestamp = track->timestamp + (uint32_t)(since * track->clock_rate / (int64_t)USEC_S),
        .packet_count = (uint32_t)track->packets,
        .octet_count = (uint32_t)track->octets,
    };
    rtcp_add_sr(writer, &sr, reports, count);
    rtcp_add_cname(writer, track->ssrc, VIEW("load"));
}
