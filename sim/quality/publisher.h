/* publisher.h - a browser with a camera and a microphone: a simulcast (model.h) of frames that vary
 * as an encoder's do, key frames when they are asked for, sent through a pacer; RTX; reports.
 */
#ifndef MOIM_SIM_QUALITY_PUBLISHER_H
#define MOIM_SIM_QUALITY_PUBLISHER_H

#include "quality/uplink.h"
#include "quality/world.h"

#define PUBLISHER_HISTORY 2048
#define PUBLISHER_QUEUE   2048

struct publisher_packet {
    struct model model;
    uint32_t timestamp;
    uint16_t number;
    uint16_t size;    /* of the payload; 0: none */
    usec repeated_at; /* 0: it was not asked for again */
};

struct publisher_encoding {
    uint32_t ssrc; /* RTX's is the next one */
    uint32_t bps;  /* 0: is not sent */
    uint32_t sent_packets, sent_bytes;
    uint16_t number, rtx_number;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint32_t frame;
    uint32_t base, middle; /* the last frames of temporal layers 0 and 1 */
    uint8_t phase;         /* of 0 2 1 2 */
    bool wants_key;
    double debt; /* bytes that key frames have taken from those to come */
    uint64_t key_frames;
    struct publisher_packet history[PUBLISHER_HISTORY];
};

struct publisher {
    struct end end;
    struct transceiver *video, *audio; /* the server's */
    struct uplink uplink;
    bool has_video;
    bool obeys; /* the server, in what is wanted */
    bool is_speaking;
    struct publisher_encoding encodings[MODEL_ENCODINGS];
    uint32_t audio_ssrc;
    uint16_t audio_number;
    uint32_t audio_packets;
    usec frame_at, sound_at, report_at;
    struct {
        uint8_t encoding;
        bool is_rtx;
        uint16_t number;
    } queue[PUBLISHER_QUEUE]; /* of the pacer */
    uint32_t queue_first, queue_count;
    double credit;       /* bytes that may be sent now */
    double rtx_credit;   /* and of these, again */
    uint64_t sent_bytes; /* with everything below RTP */
};

/* Joins, and begins to send. */
void publisher_join(struct publisher *publisher, struct world *world, bool has_video,
                    const struct netem_script *up, const struct netem_script *down);
/* Each step, after world_step. */
void publisher_turn(struct publisher *publisher);

#endif
