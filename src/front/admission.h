/* admission.h - whom a room lets in: everybody, or the bearers of a token where auth.secret is set.
 */
#ifndef MOIM_FRONT_ADMISSION_H
#define MOIM_FRONT_ADMISSION_H

#include "front/core.h"

enum admission {
    ADMITTED,
    ADMISSION_NO_TOKEN,   /* one is needed, and none was shown */
    ADMISSION_BAD_TOKEN,  /* it can't be read, or none of our secrets made it */
    ADMISSION_TOO_EARLY,  /* its time has not come */
    ADMISSION_TOO_LATE,   /* its time is over */
    ADMISSION_NOT_ALLOWED /* it is for other rooms, or not for taking part */
};

/* Looks at a token (at NULL: none was shown) for that room; empty: the one that the token names.
 * ADMITTED: *pass is what the bearer may do, and who it is.  Where no secret is set everyone is
 * admitted, tokens are not looked at, and the pass is the usual one, without names or an end. */
enum admission admission_check(const struct server *server, usec now, struct view token,
                               struct view room, struct token *pass);

/* A hash of who the token says it is; 0: it does not say. */
uint64_t admission_user(const struct server *server, const struct token *pass);

/* What a refusal is called in the meeting protocol, and what it tells a person. */
const char *admission_code(enum admission admission);
const char *admission_words(enum admission admission);

/* The time of day, in seconds since 1970. */
uint64_t admission_unix_s(const struct server *server, usec now);

#endif
