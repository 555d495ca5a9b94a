/* http_session.h - the server's end of one HTTP/1.1 connection (RFC 9112): requests, one at a time.
 *
 * Bytes come in, whole requests with their bodies go out.  It writes nothing: the caller answers
 * each request before it reads the next, so pipelined requests are answered in their order.  A
 * session that waits for a request owns no memory.
 */
#ifndef MOIM_AGENT_HTTP_SESSION_H
#define MOIM_AGENT_HTTP_SESSION_H

#include "base/inbox.h"
#include "wire/http.h"

/* The largest body, where nothing else is set. */
#define HTTP_BODY_MAX (64 * 1024)

enum http_phase { HTTP_PHASE_HEAD, HTTP_PHASE_BODY, HTTP_PHASE_DONE };

struct http_session {
    uint8_t phase; /* enum http_phase */
    uint32_t scanned;
    uint32_t body_left; /* HTTP_BODY_LENGTH */
    /* The largest body of the request whose head is read next, up to BUFFER_LARGE_MAX; 0 stands for
     * HTTP_BODY_MAX. */
    uint32_t body_max;
    struct http_chunks chunks;
    struct inbox head; /* kept while the body comes */
    struct inbox body;
};

enum http_event_kind {
    HTTP_EVENT_WAIT,
    HTTP_EVENT_REQUEST,  /* *request and `body` are valid until the next call */
    HTTP_EVENT_CONTINUE, /* the client waits for "100 Continue": send it */
    HTTP_EVENT_FAILED    /* answer with `code`, and end the connection */
};

struct http_event {
    enum http_event_kind kind;
    unsigned code;
    struct view body;
};

/* Reads on from the front of `bytes`; *used says how many it took.  Call it with the bytes behind
 * them until HTTP_EVENT_WAIT.  After a request with `upgrade` that was accepted, call it no
 * more. */
void http_session_read(struct http_session *session, struct buffers *buffers, struct view bytes,
                       size_t *used, struct http_request *request, struct http_event *event);

/* Whether the next byte begins a request, or is in one's head. */
bool http_session_in_head(const struct http_session *session);

/* Whether a request has begun and is not whole. */
bool http_session_in_body(const struct http_session *session);

void http_session_clear(struct http_session *session, struct buffers *buffers);

#endif
