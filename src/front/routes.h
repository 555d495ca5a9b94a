/* routes.h - the table of all paths. */
#ifndef MOIM_FRONT_ROUTES_H
#define MOIM_FRONT_ROUTES_H

#include "front/core.h"

#define PATH_MAX_DECODED 1024

/* A request's path without its percent-encoding, in `decoded`.  ERR_MALFORMED, ERR_LIMIT. */
MUST_USE int path_decode(struct view encoded, uint8_t decoded[PATH_MAX_DECODED], struct view *path);

/* Answers server->request, or turns the stream into a WebSocket. */
void route_request(struct server *server, usec now, struct stream *stream, struct view body);

#endif
