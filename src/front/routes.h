/* routes.h - one table of all paths that the HTTP port serves. */
#ifndef MOIM_FRONT_ROUTES_H
#define MOIM_FRONT_ROUTES_H

#include "front/core.h"

/* Answers server->request: by its route, by a file of the page, or with 404. */
void route_request(struct server *server, usec now, struct stream *stream, struct view body);

#endif
