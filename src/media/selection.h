/* selection.h - which packets of an encoding go on to a receiver that gets some of its layers.
 *
 * It goes from one decode target to another at the beginning of a picture: to one of which the
 * receiver has had all that is needed, or that can be begun with at this picture.  Down in frame
 * rate is always possible; up waits for a switch point; up in size for one, too, or a key frame,
 * as is down in size where the layers below have not been sent because nothing needed them.
 *
 * Packets that came late are decided as those around them were.  Pure functions over the caller's
 * memory.
 */
#ifndef MOIM_MEDIA_SELECTION_H
#define MOIM_MEDIA_SELECTION_H

#include "media/layers.h"
#include "media/packet_ring.h"

#define SELECTION_CHANGES 8 /* that are remembered */

struct selection {
    uint8_t wanted;       /* a target's number */
    uint8_t at;           /* that which it gets */
    bool needs_key;       /* of what is wanted a packet came, but it can't be begun with */
    bool skips_lower;     /* spatial layers below the one that it gets, for they are not needed */
    uint16_t intact;      /* targets of which the receiver has had all that is needed */
    uint8_t change_count; /* since it began, modulo 256 but never back to 0 */
    uint8_t targets[SELECTION_CHANGES];
    uint64_t from[SELECTION_CHANGES]; /* of the packet that it was changed with */
};

/* Begins with a key frame's packet, at what is wanted. */
void selection_begin(struct selection *selection, uint64_t sequence);
/* What is wanted from now on; before it begins, too. */
void selection_want(struct selection *selection, unsigned spatial, unsigned temporal);
/* Whether a packet goes on that is later than all before; `has_gap`: some are missing just before
 * it.  What these are is not known, but that they will be decided as those before. */
bool selection_next(struct selection *selection, const struct packet *packet, bool has_gap);

enum selection_fate { SELECTION_GOES, SELECTION_STAYS, SELECTION_FORGOTTEN };
/* Whether any packet goes on, or went; FORGOTTEN: it is from before what is remembered.  *is_last:
 * of its picture, it is the last one that goes. */
enum selection_fate selection_of(const struct selection *selection, const struct packet *packet,
                                 bool *is_last);

#endif
