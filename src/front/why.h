/* why.h - one answer to "why does this look bad": the figures of a member's pictures, and the
 * verdict that follows from them (media/verdict.h), as JSON for whoever runs the server and for the
 * member itself.  The fields are in docs/OPERATION.md.
 */
#ifndef MOIM_FRONT_WHY_H
#define MOIM_FRONT_WHY_H

#include "front/media.h"
#include "media/verdict.h"
#include "wire/json.h"

#define WHY_ROWS_MAX 48             /* pictures that are written: all are judged */
#define WHY_ROW_MAX  ((size_t)1024) /* bytes of one */
#define WHY_TEXT_MAX ((size_t)52000)

/* Who publishes a picture, and how it comes in. */
struct media_look {
    uint8_t id_size; /* 0: nobody can say */
    char id[MEDIA_ID_MAX];
    struct view source; /* "camera"; empty: nobody can say */
    struct verdict_source how;
    uint32_t last_n; /* so many pictures the room shows; 0: all */
};

/* How the track comes in, as far as its encodings say: nothing of one that comes from another
 * worker, and no limit. */
void why_measure(const struct track *track, usec now, struct verdict_source *out);

/* Writes the members of an object whose '{' is open, of a member that has these peers: at most
 * WHY_TEXT_MAX bytes. */
void why_write(struct json_writer *writer, usec now, const struct peer *const *peers, size_t count);

#endif
