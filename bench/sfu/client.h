/* client.h - one peer connection of the load: what it sends, what it hears, and its descriptions.
 */
#ifndef MOIM_BENCH_SFU_CLIENT_H
#define MOIM_BENCH_SFU_CLIENT_H

#include "hearer.h"

#define CLIENT_NAME_MAX     64
#define CLIENT_SECTIONS_MAX 64
#define CLIENT_TRACKS_MAX   2

struct client_section {
    uint8_t kind;        /* enum sdp_kind */
    struct track *track; /* NULL: we receive */
};

struct client {
    char name[CLIENT_NAME_MAX];
    struct peer peer;
    struct hearer hearer;
    struct track *tracks[CLIENT_TRACKS_MAX];
    unsigned track_count;
    uint16_t transport_cc;
    uint64_t version; /* of our descriptions */
    /* of the offers that we make */
    struct client_section sections[CLIENT_SECTIONS_MAX];
    unsigned section_count;
    bool is_told;
};

/* `client` is zeroed memory that stays. */
void client_open(struct client *client, struct house *house, struct tally *tally, uint32_t host,
                 const char *name, bool is_offerer);
void client_close(struct client *client, usec now);

/* Something to send; before the description that is to tell of it. */
void client_add_track(struct client *client, bool is_video, const struct track_rhythm *rhythm);

/* An offer: of all that was offered before, the tracks, and so many sections more to receive.
 * False: too much. */
bool client_offer(struct client *client, unsigned audio, unsigned video, struct sdp_writer *out);
/* Its answer.  False: it can't be read, or used; `why` of the peer may say more. */
bool client_take(struct client *client, usec now, struct view answer);
/* An offer of the other end; tracks of ours go into sections that want one.  False as above. */
bool client_answer(struct client *client, usec now, struct view offer, struct sdp_writer *out);

/* A compound RTCP packet, opened. */
void client_feed_rtcp(struct client *client, usec now, struct view packet);
void client_tick(struct client *client, usec now);

#endif
