/* standin_text.h - session descriptions in the messages that clients say to one another, whatever
 * else those messages hold: {"type":"offer","sdp":"v=0..."}, {"key":"k","body":{"type":...}},
 * {"offer":{"type":...},"roomId":"r"}.
 *
 * A description is an object with a string "sdp" that begins with "v=", at the top or in objects
 * within it.  Who writes one puts it into a message that was there, and leaves the rest of that as
 * it is: what an app has put beside its descriptions arrives.
 *
 * Pure functions over caller memory, total on any bytes, O(size).
 */
#ifndef MOIM_FRONT_STANDIN_STANDIN_TEXT_H
#define MOIM_FRONT_STANDIN_STANDIN_TEXT_H

#include "base/status.h"
#include "base/view.h"

#include <stdint.h>

enum standin_kind { STANDIN_OFFER, STANDIN_ANSWER };

#define STANDIN_DEPTH_MAX 4 /* of objects in objects */

struct standin_text {
    enum standin_kind kind;
    struct view sdp;
};

/* The first description in a list of JSON values with commas between them (a message of one value
 * is such a list).  Where it does not say its type, it is of the kind that `kind` has.
 *
 *   OK             text->sdp is in `list` or in out.
 *   ERR_NOT_FOUND  there is none.
 *   ERR_MALFORMED  its type is none of ours, or its string is no JSON.
 *   ERR_LIMIT      it has more than `capacity` bytes. */
MUST_USE int standin_text_read(struct view list, enum standin_kind kind, uint8_t *out,
                               size_t capacity, struct standin_text *text);

/* Writes the list anew, with another description in the place of each: its sdp, its type, and the
 * members "offer" or "answer" that hold it are those of `text`.  `key` takes the place of what a
 * member "key" of the outermost objects says; empty: it stays.
 *
 *   ERR_LIMIT  there is no room for it; standin_text_size is enough. */
MUST_USE int standin_text_write(struct view list, const struct standin_text *text, struct view key,
                                struct span out, size_t *size);
size_t standin_text_size(struct view list, const struct standin_text *text, struct view key);

#endif
