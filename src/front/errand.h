/* errand.h - a question about what all workers have: it goes from one to the next, is answered a
 * little on each, and comes home with the answer to the HTTP request that asked.
 *
 * There is one for a request, so that an answer is as long as its limit and no longer, whatever
 * the workers have.  Who waits when the server stops, or when it can't leave home, is told 503; an
 * errand that is lost further away (a mailbox is full) is waited for until the client goes.
 */
#ifndef MOIM_FRONT_ERRAND_H
#define MOIM_FRONT_ERRAND_H

#include "front/core.h"
#include "wire/json.h"

#define ERRAND_TEXT_MAX 60000

struct errand;

/* What is done on a worker; it writes to `errand`, and says whether that was all. */
typedef bool (*errand_visit)(struct server *server, usec now, struct errand *errand);

struct errand {
    struct errand *next; /* among those that leave the server */
    errand_visit visit;
    unsigned home;   /* the worker that is waited at */
    unsigned at;     /* the one that it is for */
    uint64_t ticket; /* who waits for it */
    bool is_done;
    unsigned code; /* of the answer */
    /* the visit's own */
    uint32_t index;
    uint32_t left;
    uint64_t serial;
    struct json_writer writer; /* into text */
    uint8_t text[ERRAND_TEXT_MAX];
};

/* Holds server->request, and sends an errand out, beginning with the worker `at`.  NULL: too many
 * are under way, or there is no memory; it was answered with 503.  Fill it in, then errand_run. */
struct errand *errand_new(struct server *server, usec now, struct stream *stream,
                          errand_visit visit, unsigned at);
/* Does what is to be done here, and has it go on, or answers with it.  The errand is not the
 * caller's any more. */
void errand_run(struct server *server, usec now, struct errand *errand);

#endif
