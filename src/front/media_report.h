/* media_report.h - what the SFU knows of a peer, written as JSON for whoever runs the server: its
 * way, what it publishes, what it is sent.  The fields are in docs/OPERATION.md.
 */
#ifndef MOIM_FRONT_MEDIA_REPORT_H
#define MOIM_FRONT_MEDIA_REPORT_H

#include "front/media.h"
#include "wire/json.h"

#define MEDIA_REPORT_ROW_MAX  ((size_t)3072) /* of a track or a subscription */
#define MEDIA_REPORT_HEAD_MAX ((size_t)1024) /* of what stands before and behind these */

/* Which tracks and subscriptions are written: those from `at` on, which is then the next one. */
struct media_rows {
    uint32_t at;
    uint32_t left;
};

/* What all peers of one member or room have. */
struct media_sum {
    uint32_t connections;
    uint32_t connected;
    uint32_t tracks;
    uint32_t subscriptions;
    uint64_t in_bps; /* of tracks */
};

/* Who has the peer.  False: nobody can say. */
bool media_name(const struct peer *peer, struct media_name *name);

/* Adds what the peer has. */
void media_sum_add(struct media_sum *sum, const struct peer *peer);
/* Writes the sum's members, within an object. */
void media_sum_write(struct json_writer *writer, const struct media_sum *sum);

/* Writes the peer as one JSON object; there is room for MEDIA_REPORT_HEAD_MAX.  True: with all of
 * its rows, and rows->at is 0; false: there are more, for which there is no room, or of which
 * rows->left were enough. */
bool media_report(struct json_writer *writer, usec now, const struct peer *peer,
                  struct media_rows *rows);

#endif
