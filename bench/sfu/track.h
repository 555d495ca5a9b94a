/* track.h - what a camera or a microphone sends: RTP whose sizes and rhythm are a browser's, and
 * whose payload says when it left.
 *
 * Video is VP8 in its form: descriptors, key frames when asked for, and filler where pictures would
 * be.  It comes by the frame; a frame goes out in groups, as a pacer lets it.  What is asked for
 * again goes out again, as RTX where it was negotiated.
 */
#ifndef MOIM_BENCH_SFU_TRACK_H
#define MOIM_BENCH_SFU_TRACK_H

#include "peer.h"

#include "media/description.h"
#include "wire/rtcp.h"
#include "wire/rtp_header.h"

#define TRACK_KEPT        512  /* packets: a power of two */
#define TRACK_PAYLOAD_MAX 1300 /* bytes */
#define TRACK_GROUP       (5 * USEC_MS)
#define TRACK_MID_TIME    (2 * USEC_S) /* so long packets tell their mid */

/* The end of each payload: a mark, when it left (net_now_ns), and which one it is of its track. */
#define TRACK_STAMP_SIZE 20
#define TRACK_MARK       0x6d6f696d6c6f6164u

struct track_rhythm {
    uint32_t fps;       /* frames a second, or packets of audio */
    uint32_t packets;   /* of a frame */
    uint32_t keys;      /* of a key frame */
    uint32_t size;      /* bytes of a payload: TRACK_STAMP_SIZE + 8 to TRACK_PAYLOAD_MAX */
    uint32_t group;     /* packets that leave together; the next ones TRACK_GROUP later */
    uint32_t key_every; /* frames; 0: only when asked for */
};

struct track_kept {
    uint32_t timestamp;
    uint16_t number;
    uint16_t size; /* 0: none */
    bool marker;
    uint8_t payload[TRACK_PAYLOAD_MAX];
};

struct track {
    struct peer *peer;
    struct track_rhythm rhythm;
    struct rtp_plan plan, plan_with_mid; /* with the mid at first */
    uint32_t ssrc, rtx_ssrc;
    uint32_t clock_rate;
    uint8_t payload_type, rtx_payload_type; /* MEDIA_NO_RTX */
    bool is_video, is_on, wants_key, is_key;
    uint16_t number, rtx_number;
    uint16_t *transport_cc; /* the peer's count */
    uint32_t timestamp;
    uint16_t picture;
    uint32_t left;  /* packets of the frame that are still to go out */
    uint64_t frame; /* since the beginning */
    usec begun_at, frame_at, next_at;
    struct secure_window sent, rtx_sent;
    struct track_kept *kept; /* TRACK_KEPT */
    uint64_t packets, octets, repeated, not_repeated, keys, key_requests;
};

/* Numbers begin by chance.  `kept` is memory for TRACK_KEPT. */
void track_init(struct track *track, struct peer *peer, bool is_video,
                const struct track_rhythm *rhythm, struct track_kept *kept);

/* As the section of an answer has it: its formats' first one is sent. */
void track_describe(struct track *track, const struct description_section *section);

/* Sends what is due; gives how many packets. */
unsigned track_tick(struct track *track, usec now);

/* A packet is asked for again. */
void track_nack(struct track *track, usec now, uint16_t number);

/* Adds a sender report. */
void track_report(const struct track *track, usec now, struct rtcp_writer *writer,
                  const struct rtcp_report *reports, unsigned count);

/* The time at which a payload that was read left; false: it bears no stamp. */
bool track_read_stamp(struct view payload, uint64_t *left_ns, uint32_t *number);
/* Writes the stamp to the end of a payload. */
void track_write_stamp(uint8_t *payload, size_t size, uint64_t left_ns, uint32_t number);

#endif
