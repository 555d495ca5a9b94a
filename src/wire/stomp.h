/* stomp.h - reads and writes STOMP frames, versions 1.0, 1.1 and 1.2.
 *
 * Pure functions over caller memory.  A struct stomp_frame is a set of views into the bytes that
 * it was read from and lives as long as they do.  Both LF and CRLF end a line, in all versions.
 */
#ifndef MOIM_WIRE_STOMP_H
#define MOIM_WIRE_STOMP_H

#include "base/status.h"
#include "base/view.h"

#define STOMP_HEADERS_MAX 40
#define STOMP_HEAD_MAX    (8 * 1024) /* command and headers, with the empty line */

enum stomp_version { STOMP_UNKNOWN, STOMP_1_0, STOMP_1_1, STOMP_1_2 };

/* enum name, word */
#define STOMP_COMMANDS(X)                                                                          \
    X(CONNECT, "CONNECT")                                                                          \
    X(STOMP, "STOMP")                                                                              \
    X(SEND, "SEND")                                                                                \
    X(SUBSCRIBE, "SUBSCRIBE")                                                                      \
    X(UNSUBSCRIBE, "UNSUBSCRIBE")                                                                  \
    X(ACK, "ACK")                                                                                  \
    X(NACK, "NACK")                                                                                \
    X(BEGIN, "BEGIN")                                                                              \
    X(COMMIT, "COMMIT")                                                                            \
    X(ABORT, "ABORT")                                                                              \
    X(DISCONNECT, "DISCONNECT")                                                                    \
    X(CONNECTED, "CONNECTED")                                                                      \
    X(MESSAGE, "MESSAGE")                                                                          \
    X(RECEIPT, "RECEIPT")                                                                          \
    X(ERROR, "ERROR")

enum stomp_command {
    STOMP_COMMAND_BEAT, /* line ends alone: a heart-beat */
#define STOMP_ENUM(name, word) STOMP_COMMAND_##name,
    STOMP_COMMANDS(STOMP_ENUM)
#undef STOMP_ENUM
        STOMP_COMMAND_COUNT
};

struct stomp_header {
    struct view name;
    struct view value;
};

struct stomp_frame {
    enum stomp_command command;
    uint32_t header_count; /* 1.1 and later: of repeated headers the first counts */
    struct stomp_header headers[STOMP_HEADERS_MAX];
    struct view body;
};

/* Where the reading of one frame stands; zeroed memory is one at its start. */
struct stomp_reader {
    uint32_t scanned; /* nothing before it ends the head, or the body */
    uint32_t head;    /* the head's size, 0 while it is not whole */
    uint32_t length;  /* what content-length says */
    bool has_length;
};

/* Reads one frame off the front of `bytes`, and unescapes its headers in place.
 *
 *   OK             *frame borrows from `bytes`, of which *used were read; go on behind them.
 *                  STOMP_COMMAND_BEAT: line ends, as many as there were.
 *   ERR_MORE       not whole, and nothing was changed: call again with the same bytes and more
 *                  behind them.  A frame that comes byte by byte costs O(size).
 *   ERR_LIMIT      the head is over STOMP_HEAD_MAX, has over STOMP_HEADERS_MAX headers, or the body
 *                  is over body_max.  Said as soon as it is known.
 *   ERR_UNSUPPORTED  an unknown command.
 *   ERR_MALFORMED  a header without a colon or a name, NUL or a lone CR in the head, an escape that
 *                  1.2 does not know, a content-length that is no number or ends at no NUL.
 * After an error other than ERR_MORE the bytes are of no more use: send ERROR and close.
 *
 * Escapes: 1.0 has none.  1.1 has \n \c \\ and leaves all others as they are, since old clients
 * escape nothing; 1.2 has \r too.  CONNECT and CONNECTED are never escaped. */
MUST_USE int stomp_read(struct stomp_reader *reader, struct span bytes, enum stomp_version version,
                        size_t body_max, struct stomp_frame *frame, size_t *used);

/* The value of the first header of that name; an empty view with at == NULL when there is none. */
struct view stomp_header(const struct stomp_frame *frame, const char *name);

/* The command's word; "" for STOMP_COMMAND_BEAT.  Static. */
const char *stomp_command_word(enum stomp_command command);

/* "1.0", "1.1", "1.2".  Static. */
const char *stomp_version_text(enum stomp_version version);

/* The highest version that an accept-version header lists and we know; STOMP_1_0 when there is no
 * such header (at == NULL), STOMP_UNKNOWN when we know none of them. */
enum stomp_version stomp_choose_version(struct view accept);

/* Reads a heart-beat header, "<sends every ms>,<wants every ms>"; 0 means never.  ERR_MALFORMED. */
MUST_USE int stomp_read_heart_beat(struct view text, uint32_t *sends_ms, uint32_t *wants_ms);

/* Writes a frame piece by piece.  What does not fit sets `overflow` and is left out. */
struct stomp_writer {
    uint8_t *at;
    size_t size;
    size_t capacity;
    bool overflow;
    bool escapes; /* the command is one whose headers are escaped */
    enum stomp_version version;
};

void stomp_begin(struct stomp_writer *writer, void *out, size_t capacity,
                 enum stomp_version version, enum stomp_command command);
/* A header, escaped as the version says.  What a version can't escape must not break the frame: a
 * line end in 1.0 and a CR in 1.1 become spaces, and a name that would need it is left out. */
void stomp_add(struct stomp_writer *writer, const char *name, struct view value);
void stomp_add_view(struct stomp_writer *writer, struct view name, struct view value);
void stomp_add_number(struct stomp_writer *writer, const char *name, uint64_t number);
/* content-length, the empty line, the body and NUL. */
void stomp_end(struct stomp_writer *writer, struct view body);
/* The same without a content-length: for frames whose body is empty. */
void stomp_end_empty(struct stomp_writer *writer);

static inline struct view stomp_written(const struct stomp_writer *writer)
{
    return view_make(writer->at, writer->size);
}

#endif
