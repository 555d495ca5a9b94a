/* admin.h - /api/v1 for whoever runs the server: "Authorization: Bearer" and one of admin.token.
 *
 * Without such tokens there is no such API: all is answered with 404.  No page of another origin
 * may use it (no CORS).
 */
#ifndef MOIM_FRONT_ADMIN_H
#define MOIM_FRONT_ADMIN_H

#include "front/core.h"
#include "front/errand.h"
#include "wire/json.h"

#define ADMIN_PAGE_MAX 100 /* entries of one answer */

/* GET /api/v1/turn/allocations?limit=N&after=PLACE: those of all workers, in pages. */
void admin_list_allocations(struct server *server, usec now, struct stream *stream,
                            struct view body);
/* DELETE /api/v1/turn/allocations/{id} */
void admin_end_allocation(struct server *server, usec now, struct stream *stream, struct view body);

/* ---- for its other files ---- */

/* False: it was refused. */
bool admin_admit(struct server *server, usec now, struct stream *stream, enum request_method method,
                 const char *allow);

/* Numbers with '-' between them, as ids and places are written. */
bool admin_read_numbers(struct view text, uint64_t *numbers, size_t count);

/* What a query asks for: how many, from which place on. */
struct admin_page {
    uint32_t limit;
    uint32_t place[2];
};

/* False: it asks for what there can't be. */
bool admin_read_page(const struct server *server, struct admin_page *page);
/* Answers with pages of what all workers have, a list of that name, which `visit` adds to. */
void admin_list(struct server *server, usec now, struct stream *stream, const char *name,
                errand_visit visit);
/* Closes a list and the object that it is in.  `next`: the place where the next page begins; NULL:
 * this was the last. */
void admin_end_page(struct json_writer *writer, const uint32_t *next);

#endif
