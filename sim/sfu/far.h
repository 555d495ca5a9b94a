/* far.h - a browser in the simulation: it checks, shakes hands, sends a picture and a sound, and
 * watches those of the others. */
#ifndef MOIM_SIM_SFU_FAR_H
#define MOIM_SIM_SFU_FAR_H

#include "watch.h"

#define FAR_HISTORY   512
#define FAR_SLOTS_MAX 16 /* of audio, and as many of video */

enum far_state { FAR_OFF, FAR_CHECKING, FAR_SHAKING, FAR_CONNECTED, FAR_FAILED, FAR_DEAD };

struct far_packet {
    uint16_t number, size;
    uint32_t timestamp;
    bool is_marked;
    uint8_t payload[600];
};

/* Where its answer says that it is to go. */
struct far_way {
    struct ice_credentials to;
    uint16_t port;
};

struct far_watch {
    uint32_t ssrc, rtx_ssrc; /* 0: none */
    struct watch watch;
};

struct far {
    struct net *net;
    uint8_t number;
    uint8_t state; /* enum far_state */
    /* its way */
    struct ice_flow flow;
    struct ice_credentials to;
    unsigned ports; /* that it has had */
    bool is_checked;
    usec began_at;
    usec checked_at; /* when a check was last answered */
    usec check_at;
    struct dtls_context *context; /* borrowed, as is the next */
    struct secure_engine *engine;
    struct dtls dtls;
    usec dtls_until;
    struct secure_session secure;
    struct secure_window windows[3]; /* video, its RTX, audio */
    /* what it sends */
    uint32_t life;
    usec life_at;
    uint32_t ssrc; /* of video; RTX's is the next one, audio's the one behind */
    bool is_on[2]; /* audio, video */
    bool speaks;   /* else it murmurs */
    bool wants_key;
    uint32_t numbers[2]; /* audio, video */
    uint16_t rtx_number;
    usec media_at, clock_at;
    uint32_t keys_heard;
    struct far_packet history[FAR_HISTORY];
    /* what it gets */
    struct far_watch watches[FAR_SLOTS_MAX][2]; /* audio, video */
    bool awaits_answer; /* there may be streams already that it does not know */
    uint64_t published, watched, repeated;
};

void far_init(struct far *far, struct net *net, unsigned number, struct dtls_context *context,
              struct secure_engine *engine);
/* The SSRC of its picture from its next life on; RTX's is the next one, audio's the one behind. */
uint32_t far_next_ssrc(const struct far *far);
/* Begins with a new connection, in its next life, and with nothing to watch. */
void far_begin(struct far *far, const struct far_way *way);
/* Forgets all of it. */
void far_end(struct far *far);
/* Goes on with other credentials, from another port. */
void far_restart(struct far *far, const struct far_way *way);
/* Its next life: sends as other streams from now on. */
void far_renew(struct far *far);
/* The number of the guest who bears that name, "g2.5"; NET_FARS_MAX or more: nobody. */
unsigned far_of_name(const char *name);
void far_hear(struct far *far, struct view datagram);
/* Does what is due. */
void far_turn(struct far *far);

#endif
