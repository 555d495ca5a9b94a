/* admin.h - /api/v1 for whoever runs the server: "Authorization: Bearer" and one of admin.token.
 *
 * Without such tokens there is no such API: all is answered with 404.  No page of another origin
 * may use it (no CORS).
 */
#ifndef MOIM_FRONT_ADMIN_H
#define MOIM_FRONT_ADMIN_H

#include "front/core.h"

#define ADMIN_PAGE_MAX 100 /* entries of one answer */

/* GET /api/v1/turn/allocations?limit=N&after=PLACE: those of all workers, in pages. */
void admin_list_allocations(struct server *server, usec now, struct stream *stream,
                            struct view body);
/* DELETE /api/v1/turn/allocations/{id} */
void admin_end_allocation(struct server *server, usec now, struct stream *stream, struct view body);

#endif
