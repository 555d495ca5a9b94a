/* hold.h - an HTTP request that is not answered at once: later, or in pieces.
 *
 * While it is held, requests behind it on the same stream wait.  The holder is told when the client
 * has gone, and then must not answer any more.
 */
#ifndef MOIM_FRONT_HOLD_H
#define MOIM_FRONT_HOLD_H

#include "front/core.h"

/* Who holds a request.  stream->context is its own. */
struct holder {
    /* The client has gone, or takes too little: the stream is no longer the holder's. */
    void (*gone)(struct server *server, usec now, struct stream *stream);
    /* The server stops: answer, or end the pieces. */
    void (*stopping)(struct server *server, usec now, struct stream *stream);
};

/* Holds server->request.  `headers` (each with its CRLF) will be in its answer, and are copied.
 * False: there is no memory, and it was answered with 503. */
bool http_hold(struct server *server, usec now, struct stream *stream, const struct holder *holder,
               void *context, const char *headers);
/* Answers a held request; the stream is no longer the holder's. */
void http_answer_held(struct server *server, usec now, struct stream *stream, unsigned code,
                      const char *type, struct view body);

/* Begins to answer server->request with 200, and holds it.  The body comes in pieces: chunked (RFC
 * 9112, 7.1), or to an HTTP/1.0 client until the connection ends. */
void http_begin_pieces(struct server *server, usec now, struct stream *stream,
                       const struct holder *holder, void *context, const char *type,
                       const char *headers);
/* One piece more, which is copied.  What waits is bounded by the stream's queue: see
 * stream_fail. */
void http_piece(struct server *server, usec now, struct stream *stream, struct view piece);
/* The body is whole; the stream is no longer the holder's. */
void http_end_pieces(struct server *server, usec now, struct stream *stream);

/* For the stream: it takes no answer any more.  Tells the holder, if there is one. */
void http_held_gone(struct server *server, usec now, struct stream *stream);

#endif
