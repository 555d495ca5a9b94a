/* status.h - every result that a function of this program can return.
 *
 * OK is 0, errors are negative.  A status never shares a return value with a size.
 */
#ifndef MOIM_BASE_STATUS_H
#define MOIM_BASE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))

/* name, value, what it tells a person */
#define STATUS_TABLE(X)                                                                            \
    X(OK, 0, "ok")                                                                                 \
    X(ERR_MORE, -1, "more bytes are needed")                                                       \
    X(ERR_MALFORMED, -2, "malformed")                                                              \
    X(ERR_LIMIT, -3, "a limit is reached")                                                         \
    X(ERR_MEMORY, -4, "out of memory")                                                             \
    X(ERR_NOT_FOUND, -5, "not found")                                                              \
    X(ERR_EXISTS, -6, "it exists already")                                                         \
    X(ERR_NOT_STUN, -7, "not a STUN message")                                                      \
    X(ERR_UTF8, -8, "not valid UTF-8")                                                             \
    X(ERR_IO, -9, "the system refused")                                                            \
    X(ERR_AGAIN, -10, "try again later")                                                           \
    X(ERR_CONFIG, -11, "the configuration can't be used")                                          \
    X(ERR_UNSUPPORTED, -12, "not supported")                                                       \
    X(ERR_CLOSED, -13, "closed")                                                                   \
    X(ERR_FORGED, -14, "not authentic")                                                            \
    X(ERR_REPLAYED, -15, "it came before")                                                         \
    X(ERR_OLD, -16, "too old")

enum status {
#define STATUS_ENUM(name, value, text) name = (value),
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* The status as words, for logs; "unknown status" for any other number.  Static. */
const char *status_text(int status);

#endif
