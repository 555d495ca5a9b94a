/* history.h - the events of a room that some member may still have to be told.
 *
 * Entries are kept in the form in which they were sent, oldest first, until every member has them
 * (history_trim) or a limit is reached: then the oldest are dropped, and `dropped` says up to
 * where.
 */
#ifndef MOIM_ROOM_HISTORY_H
#define MOIM_ROOM_HISTORY_H

#include "base/buffer.h"
#include "base/pool.h"

#define HISTORY_ENTRIES_MAX 1024          /* a room */
#define HISTORY_BYTES_MAX   (1024 * 1024) /* a room, counted in whole buffers */

/* Whom an event is for. */
enum audience_kind { AUDIENCE_ALL, AUDIENCE_OTHERS, AUDIENCE_ONE, AUDIENCE_PAIR };

struct audience {
    enum audience_kind kind;
    uint32_t from; /* OTHERS: all but this member; PAIR: this one and `to` */
    uint32_t to;   /* ONE, PAIR */
};

bool audience_has(const struct audience *audience, uint32_t number);

struct history_entry {
    struct history_entry *next;
    uint64_t seq;
    struct audience audience;
    struct buffer *buffer;
};

struct history {
    struct history_entry *first;
    struct history_entry *last;
    uint32_t count;
    uint32_t bytes;
    uint64_t dropped; /* the last event that was dropped though somebody might have needed it */
};

/* Shared by all histories of a worker.  One may have as much as is left for all the others, so that
 * no number of rooms takes the last. */
struct history_store {
    struct pool entries;
    struct buffers *buffers;
    size_t bytes_max; /* of all together, in whole buffers */
    size_t bytes;
};

/* Keeps an event; its seq is greater than all before.  What has to make place for it is dropped;
 * when there is none even so, the event itself counts as dropped at once. */
void history_add(struct history *history, struct history_store *store, uint64_t seq,
                 const struct audience *audience, struct buffer *buffer);

/* Events up to seq are needed by nobody. */
void history_trim(struct history *history, struct history_store *store, uint64_t seq);

/* The first entry after `seq` for member `number`; NULL when there is none.  `after` is the entry
 * to go on from, NULL at first. */
const struct history_entry *history_next(const struct history *history,
                                         const struct history_entry *after, uint64_t seq,
                                         uint32_t number);

void history_clear(struct history *history, struct history_store *store);

#endif
