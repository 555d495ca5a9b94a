/* pages.h - answers with a file of the meeting page: caching, ranges, compression. */
#ifndef MOIM_FRONT_PAGES_H
#define MOIM_FRONT_PAGES_H

#include "front/core.h"

/* Answers server->request with the file of that path, or 404. */
void pages_answer(struct server *server, usec now, struct stream *stream, struct view path);

#endif
