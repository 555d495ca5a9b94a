/* renumbering.h - counts anew what goes on of a numbered sequence, without gaps for what does not:
 * sequence numbers of packets, picture ids.
 *
 * A number that has not come when a later one does is held to go on: it gets its place.  Of the
 * last RENUMBERING_WINDOW it is known which ones went on, so that one that came late, or is sent
 * again, always gets the number that it had.  Pure functions over the caller's memory; O(1) in
 * order, some 10 ns otherwise.
 */
#ifndef MOIM_MEDIA_RENUMBERING_H
#define MOIM_MEDIA_RENUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#define RENUMBERING_WINDOW 512

struct renumbering {
    uint64_t in;                            /* the highest that came */
    uint64_t out;                           /* of the last up to that one which goes on */
    uint64_t kept[RENUMBERING_WINDOW / 64]; /* a bit for each of the last: n % RENUMBERING_WINDOW */
};

/* `in` goes on as `out`; what is before it would have, number by number. */
void renumbering_begin(struct renumbering *numbers, uint64_t in, uint64_t out);

/* `in`, higher than all before, goes on or does not. */
void renumbering_add(struct renumbering *numbers, uint64_t in, bool is_kept);

/* As what one goes on that is not higher than the highest.  False: it does not, or it is further
 * back than the window. */
bool renumbering_out(const struct renumbering *numbers, uint64_t in, uint64_t *out);

/* What goes on as `out`.  False: nothing does yet, or it is further back than the window. */
bool renumbering_in(const struct renumbering *numbers, uint64_t out, uint64_t *in);

#endif
