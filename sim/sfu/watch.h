/* watch.h - what a far end gets on one SSRC, and what must hold of it: one continuous stream,
 * whatever became of its source, and whose pictures it is pointed to.
 *
 * Payloads say what they are (struct watch_data), so that nothing comes that was not sent.  The
 * watcher is a receiver as others are: it asks for what is missing, and for a key frame when it
 * can't go on.
 */
#ifndef MOIM_SIM_SFU_WATCH_H
#define MOIM_SIM_SFU_WATCH_H

#include "net.h"
#include "wire/rtp_sequence.h"

#define WATCH_PACKETS 1024 /* that are remembered */
#define WATCH_DATA    20

/* The end of each payload. */
struct watch_data {
    uint32_t whose; /* twice the number of the far end, and one more for a picture */
    uint32_t life;  /* of the stream: a new one with each SSRC */
    uint32_t number;
    uint32_t timestamp;
    uint32_t sum; /* of the others */
};

struct watch_packet {
    uint64_t sequence; /* 0: none */
    uint32_t life, number, timestamp;
    uint32_t run;
    uint8_t whose; /* which far end's */
    bool is_key;
};

struct watch {
    struct net *net;
    uint8_t who; /* watches */
    bool is_video;
    uint32_t seen; /* bits of far ends, whose packets came */
    struct rtp_unwrapper unwrapper;
    uint64_t highest; /* 0: nothing came */
    struct watch_packet packets[WATCH_PACKETS];
    uint64_t next;  /* to be decoded; 0: waits for a key frame ... */
    uint64_t after; /* ... behind this one */
    usec waits_since;
    usec asked_at;
    usec key_asked_at;
    usec shown_at; /* when something was decoded last, ... */
    unsigned shown_whose;
    uint32_t shown_life; /* and of what; 0: nothing yet */
    uint64_t count;
};

void watch_init(struct watch *watch, struct net *net, unsigned who, bool is_video);
struct watch_data watch_data_make(unsigned whose, uint32_t life, uint32_t number,
                                  uint32_t timestamp);
/* A packet of the stream, or one that came as RTX. */
void watch_hear(struct watch *watch, uint16_t number, uint32_t timestamp, bool is_key,
                struct view payload);
/* Numbers to ask for, at most `most`. */
unsigned watch_missing(struct watch *watch, uint16_t *numbers, unsigned most);
/* Whether to ask for a key frame, now. */
bool watch_wants_key(struct watch *watch);

#endif
