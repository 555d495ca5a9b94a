/* respond.h - writes HTTP responses (RFC 9110, 9112) into a stream's outbox. */
#ifndef MOIM_FRONT_RESPOND_H
#define MOIM_FRONT_RESPOND_H

#include "front/core.h"

struct response {
    unsigned code;
    const char *type;    /* Content-Type; NULL: no body's type is told */
    const char *headers; /* more of them, each with its CRLF; NULL: none */
    struct view body;
    bool body_is_static; /* it outlives every stream: it is not copied */
    bool cors;           /* any origin may read it */
    bool close;          /* the connection ends with it */
};

/* Answers server->request.  HEAD requests get the head alone.  Keeps the connection alive as the
 * request allows; ends it otherwise. */
void respond(struct server *server, usec now, struct stream *stream,
             const struct response *response);

/* An answer that is its code and reason, as text.  `headers` as in struct response. */
void respond_code(struct server *server, usec now, struct stream *stream, unsigned code,
                  const char *headers);

/* The same for a request that could not be read: ends the connection. */
void respond_failed(struct server *server, usec now, struct stream *stream, unsigned code);

#endif
