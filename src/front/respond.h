/* respond.h - writes HTTP responses (RFC 9110, 9112) into a stream's outbox. */
#ifndef MOIM_FRONT_RESPOND_H
#define MOIM_FRONT_RESPOND_H

#include "front/core.h"

/* How the body's end is known. */
enum response_pieces {
    PIECES_NONE,      /* the body is whole */
    PIECES_CHUNKED,   /* it follows in chunks */
    PIECES_TO_THE_END /* it follows until the connection ends */
};

struct response {
    unsigned code;
    const char *type;    /* Content-Type; NULL: no body's type is told */
    const char *headers; /* more of them, each with its CRLF; NULL: none.  A
                          * Cross-Origin-Resource-Policy among them is in place of ours */
    struct view body;
    bool body_is_static; /* it outlives every stream: it is not copied */
    bool cors;           /* any origin may read it */
    bool close;          /* the connection ends with it */
    enum response_pieces pieces;
};

/* What an answer must know of its request. */
struct respond_to {
    bool is_head;
    bool keep_alive;
};

void respond_late(struct server *server, usec now, struct stream *stream, struct respond_to to,
                  const struct response *response);

/* Answers server->request.  HEAD requests get the head alone.  Keeps the connection alive as the
 * request allows; ends it otherwise. */
void respond(struct server *server, usec now, struct stream *stream,
             const struct response *response);

/* An answer that is its code and reason, as text.  `headers` as in struct response. */
void respond_code(struct server *server, usec now, struct stream *stream, unsigned code,
                  const char *headers);

/* A time since 1970 as headers have it (IMF-fixdate); gives its length. */
#define RESPOND_DATE_SIZE 32
size_t respond_date(usec unix_time, char out[RESPOND_DATE_SIZE]);

/* The same for a request that could not be read: ends the connection. */
void respond_failed(struct server *server, usec now, struct stream *stream, unsigned code);

#endif
