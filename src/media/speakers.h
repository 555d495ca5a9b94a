/* speakers.h - who speaks in a room: the levels of all, the dominant speaker, the last N that were
 * dominant, and the N that are loudest; from the audio levels that packets bear (RFC 6464).
 *
 * Time is cut into slots of 20 ms.  In a slot one speaks or does not: so much louder than one's own
 * noise, which is followed.  After Volfin and Cohen (Dominant Speaker Identification for Multipoint
 * Videoconferencing, 2012), what counts is in how many of the last slots one spoke, over a short
 * time and a longer one, compared with who is dominant: a cough does not make a speaker, nor does a
 * pause for breath end one, and who is only louder does not win.  Of their three scales of time two
 * are kept, and their likelihoods are counts: a word of 64 bits is the whole memory of a speaker.
 *
 * Who is dominant is among the seen at once.  Who begins to speak is let in among the loud with
 * that very packet, in the place of one who has been silent for SPEAKERS_HOLD; only where all
 * speak, the quietest must be much quieter.  Who is in stays until the place is needed.
 *
 * Where the packets of a room come in at several places, each but one has speakers that only listen
 * (speakers_listen) and report; who is seen and loud is decided at the one, and told to them.
 *
 * Some 10 ns a packet; no memory of its own; time is an argument and does not go back.
 */
#ifndef MOIM_MEDIA_SPEAKERS_H
#define MOIM_MEDIA_SPEAKERS_H

#include <stdbool.h>

#include "base/list.h"
#include "base/usec.h"

#define SPEAKERS_SLOT (20 * USEC_MS)
#define SPEAKERS_EACH (100 * USEC_MS) /* how often to look */
#define SPEAKERS_HOLD (2 * USEC_S)
#define SPEAKERS_STAY (5 * USEC_S) /* who has become seen for less than this is the last to go */

#define SPEAKERS_SILENCE 127 /* -dBov, as in RFC 6464 */

/* What a call has changed. */
enum speakers_change {
    SPEAKERS_DOMINANT = 1,
    SPEAKERS_SEEN = 2, /* is_seen of some */
    SPEAKERS_LOUD = 4  /* is_loud of some */
};

struct speakers;

/* What is known elsewhere of one who may speak. */
struct speaker_report {
    uint64_t spoken; /* as in struct speaker, at the time of the report */
    uint16_t loudness;
    bool has_level;
};

/* One who may speak; embedded in what it is the voice of, zeroed at first.  Members but `owner` and
 * `is_shown` are read by anybody, and written by speakers.c. */
struct speaker {
    void *owner;
    bool is_shown;  /* it has a picture, and so may be among the seen */
    bool has_level; /* its packets bear levels; without them it is always among the loud */
    bool is_seen;
    bool is_loud;
    struct speakers *of; /* NULL: nobody's */
    struct list node;
    uint64_t spoken; /* in which of the last 64 slots; the lowest bit is `slot` */
    uint64_t slot;
    uint64_t tried_slot; /* in which it last tried to be let in */
    uint64_t turn;       /* when it was dominant last: higher is later; 0: never */
    usec spoke_at;
    usec seen_at;       /* since when it is seen */
    usec loud_at;       /* since when it is loud */
    uint16_t loudness;  /* smoothed: 16ths of a dB above silence */
    uint16_t noise;     /* the same */
    uint64_t loud_slot; /* up to which `loudness` is */
};

/* A room's. */
struct speakers {
    struct list all; /* in the order in which they came */
    uint32_t count;
    uint32_t last_n;    /* 0: all are seen */
    uint32_t loudest_n; /* 0: all are loud */
    uint32_t seen_count;
    uint32_t loud_count;
    struct speaker *dominant; /* NULL: nobody has spoken yet, or it has left */
    uint64_t turns;
    usec looked_at;
    bool is_listening;  /* who is loud is decided elsewhere */
    unsigned changes;   /* the caller's: enum speakers_change that it has not looked at */
    struct list waking; /* the caller's, too: among those of whom somebody has been heard */
};

void speakers_init(struct speakers *speakers, uint32_t last_n, uint32_t loudest_n);
/* The same for those that only listen: nobody is seen, and all are loud until it is said. */
void speakers_listen(struct speakers *speakers);
/* All are nobody's: before its memory goes. */
void speakers_end(struct speakers *speakers);
/* These, and speakers_show, give what they have changed: enum speakers_change, or'ed. */
unsigned speakers_add(struct speakers *speakers, usec now, struct speaker *speaker);
/* Nothing happens when it is nobody's. */
unsigned speakers_remove(struct speaker *speaker, usec now);
unsigned speakers_show(struct speaker *speaker, usec now, bool is_shown);

/* A packet of it bore this level: 0 (loudest) to 127 (silence).  Gives most often 0. */
unsigned speakers_heard(struct speaker *speaker, usec now, uint8_t level);

/* What has been heard of it where it only listens; and the same where that is told: as though it
 * had been heard here.  A report that is late by some slots does no harm. */
void speaker_report(const struct speaker *speaker, usec now, struct speaker_report *report);
unsigned speakers_told(struct speaker *speaker, usec now, const struct speaker_report *report);
/* Where it only listens: what has been decided. */
static inline void speaker_decided(struct speaker *speaker, bool is_loud)
{
    speaker->is_loud = is_loud;
}

/* Looks who is dominant: every SPEAKERS_EACH while anybody is heard.  O(count). */
unsigned speakers_look(struct speakers *speakers, usec now);

/* How loud it is, smoothed, as in packets: 0 to 127. */
uint8_t speaker_level(const struct speaker *speaker, usec now);
/* Whether it is to be marked as one who speaks: more than a click, within a second. */
bool speaker_talks(const struct speaker *speaker, usec now);
/* Whether it spoke lately: for SPEAKERS_HOLD at least. */
static inline bool speaker_speaks(const struct speaker *speaker, usec now)
{
    return speaker->spoke_at > 0 && now - speaker->spoke_at < SPEAKERS_HOLD;
}

#endif
