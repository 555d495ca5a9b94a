/* peer_inside.h - what the files of a peer share, and sfu.c.
 *
 * peer.c           peers and transceivers: how they begin and end
 * peer_describe.c  in SDP
 * peer_pieces.c    without it
 * peer_receive.c   RTP that comes in: whose it is
 * peer_send.c      what goes out on a transceiver
 * peer_heard.c     RTCP that comes in
 * peer_report.c    RTCP that goes out, and when
 * peer_data.c      data channels
 * peer_share.c     what of its line each track gets
 * peer_sound.c     in which form sound goes
 * peer_probe.c     how it is tried whether its line takes more
 */
#ifndef MOIM_MEDIA_PEER_INSIDE_H
#define MOIM_MEDIA_PEER_INSIDE_H

#include "media/peer.h"
#include "media/sfu.h"

/* ---- peer.c ---- */

/* Has the peer's RTCP looked at with the next packets that go out. */
void peer_touch(struct peer *peer);
/* NULL: there are as many as may be. */
struct transceiver *transceiver_open(struct peer *peer, bool is_video);
void transceiver_close(struct transceiver *transceiver);
/* A track that comes in on it, without encodings.  NULL: as above. */
struct track *transceiver_receive(struct transceiver *transceiver);
void transceiver_end_track(struct transceiver *transceiver);
/* ERR_LIMIT. */
MUST_USE int transceiver_add_encoding(struct transceiver *transceiver, uint32_t ssrc,
                                      uint32_t rtx_ssrc, struct view rid);
uint32_t peer_random(struct peer *peer);
/* It has ended by peer->end: counts it. */
void peer_count_end(struct peer *peer);
static inline enum metric peer_connected_metric(const struct peer *peer)
{
    return peer->is_tcp ? METRIC_MEDIA_CONNECTED_TCP : METRIC_MEDIA_CONNECTED_UDP;
}

/* ---- peer_describe.c ---- */

void peer_free_sections(struct peer *peer);

/* ---- peer_receive.c ---- */

void peer_rtp(struct peer *peer, usec now, struct span packet);

/* ---- peer_send.c ---- */

/* Its terms, or what is sent, have changed: goes on as they say.  False: none of the track's
 * formats can be taken. */
bool transceiver_aim(struct transceiver *transceiver, usec now);
extern const struct subscriber_kind transceiver_subscriber;
/* The peer is connected: what it gets can begin. */
void peer_aim(struct peer *peer, usec now);
/* As transceiver_set_layers, by what its line takes. */
void transceiver_aim_at(struct transceiver *transceiver, usec now, struct layer_target target);
/* Its sender pauses, or goes on, by what is paused and what is held back. */
void transceiver_settle_pause(struct transceiver *transceiver);
void transceiver_name(struct transceiver *transceiver, struct view stream, struct view track);

/* ---- peer_heard.c ---- */

void peer_rtcp(struct peer *peer, usec now, struct view packet);

/* ---- peer_report.c ---- */

/* Where nothing is known of it: something usual. */
static inline usec peer_round_trip(const struct peer *peer)
{
    return peer->round_trip ? peer->round_trip : 100 * USEC_MS;
}
/* What is agreed on for what comes in (enum media_feedback's). */
static inline uint8_t peer_feedback_of(const struct track *track)
{
    return track->terms.format_count ? track->terms.formats[0].feedback : 0;
}

/* A second is too short to say how well it comes: `loss`, with what one more report says. */
#define PEER_LOSS_SMOOTH 4
static inline uint16_t peer_smooth_loss(uint16_t loss, uint8_t fraction_lost)
{
    return (uint16_t)(loss + ((fraction_lost << 8) - loss) / PEER_LOSS_SMOOTH);
}

/* Says what is due, and sets the timer for what will be. */
void peer_report(struct peer *peer, usec now);

/* ---- peer_share.c ---- */

struct sfu_shares {
    struct allocation_track tracks[ALLOCATION_TRACKS_MAX];
    struct transceiver *transceivers[ALLOCATION_TRACKS_MAX];
};

/* Something has changed that its line's shares depend on: they are made again soon. */
void peer_share_soon(struct peer *peer, usec now);
/* The estimate of its line may be another one: if so, that is looked at with the next packets. */
void peer_hear_line(struct peer *peer);
/* Another track goes out on it: what was held of the one before is forgotten. */
void transceiver_share_anew(struct transceiver *transceiver, usec now);
/* Makes them, where it is time to; sets peer->allocate_at. */
void peer_share(struct peer *peer, usec now);

bool transceiver_has_share(const struct transceiver *transceiver);

/* ---- peer_sound.c ---- */

/* Looks how much of its line sound takes: before shares are made. */
void peer_sound(struct peer *peer, usec now);
/* The bitrate that is enough of it; 0: any. */
uint32_t transceiver_sound_bps(const struct transceiver *transceiver);

/* ---- peer_probe.c ---- */

/* Lets what waited for the pacer go on, as far as may be.  False: the batch is full. */
bool peer_pace(struct peer *peer, usec now);
/* Sends what is due of a probe, if one is wanted. */
void peer_probe(struct peer *peer, usec now);

/* ---- peer_data.c ---- */

/* It is connected, or its descriptions have changed: whether it has an association. */
void peer_settle_data(struct peer *peer, usec now);
void peer_end_data(struct peer *peer, usec now);
/* What DTLS carried. */
void peer_data(struct peer *peer, usec now, struct view datagram);
/* Of an item of sfu->data_far. */
size_t data_far_size(void);
/* To follow every call of agent/sctp.h. */
void peer_drain_data(struct sfu *sfu, usec now);

#endif
