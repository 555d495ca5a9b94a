/* wanted.h - which encodings of a track anybody has use for: the others need not be sent to us.
 * And of sound, which all have use for, the bitrate that is enough.
 *
 * It goes by what subscribers wish (their windows), not by what their lines take just now: else
 * nobody could ever rise.  Encodings of which the size is not known, or that have not come yet, are
 * wanted by whoever wants any.  What goes out to somebody is held until that one has gone over to
 * another encoding, so that nothing stops before what takes its place has begun.
 *
 * The bitrate of sound follows its subscribers' lines, the narrowest of them, which change seldom
 * (media/sound.h): it is told at once.
 *
 * More encodings are told at once, less when it has been so for the kind's patience.  One thread.
 */
#ifndef MOIM_MEDIA_WANTED_H
#define MOIM_MEDIA_WANTED_H

#include "base/list.h"
#include "base/usec.h"

#include <stdbool.h>
#include <stdint.h>

#define WANTED_ALL      0xff
#define WANTED_PATIENCE (2 * USEC_S)
#define WANTED_RETRY    (1 * USEC_S) /* when the kind could not be told */

struct track;
struct tracks;

/* Of encodings, by their index: a bit each, also of those that have not come. */
struct wanted_use {
    uint8_t wished;
    uint8_t held;       /* going out, perhaps until something else does */
    uint32_t sound_bps; /* of sound: more would not come by its line; 0: there is no such end */
};

/* A track's; its members are wanted.c's. */
struct wanted {
    uint8_t told;       /* to the track's kind: WANTED_ALL at first */
    uint32_t sound_bps; /* the same: the least that one of its subscribers takes; 0 at first */
    bool is_unsettled;
    bool is_untold;   /* the kind is still to be told */
    usec until;       /* it is looked at again; USEC_NEVER: when something changes */
    struct list node; /* among those that are looked at next, or that wait */
};

void wanted_begin(struct track *track);
void wanted_end(struct track *track);

/* Something has changed of what its subscribers wish, or of what it has; in O(1). */
void wanted_look(struct track *track);

/* What a subscriber wishes that shows the track in a window of so many pixels (ALLOCATION_ANY_SIZE
 * for both: of any size), and is sent a picture of `held` pixels (0: none).  By the same rule by
 * which its line is shared (media/allocation.h). */
uint8_t wanted_by_window(const struct track *track, uint16_t width, uint16_t height, uint32_t held);

static inline bool wanted_has(const struct wanted *wanted, unsigned encoding)
{
    return (wanted->told >> encoding & 1) != 0;
}

/* Whether its publisher would send a picture of more than so many pixels, were it wanted. */
bool wanted_could_be_more(const struct track *track, uint64_t area);

/* Looks at all tracks of which something has changed, or for which it is time. */
void wanted_settle(struct tracks *tracks, usec now);
/* When to call that; 0: now. */
usec wanted_until(const struct tracks *tracks);

#endif
