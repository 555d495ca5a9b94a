/* topology.h - how the media of a room flows: from member to member, or through the server.
 *
 * Pure functions.
 */
#ifndef MOIM_ROOM_TOPOLOGY_H
#define MOIM_ROOM_TOPOLOGY_H

#include "base/usec.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

#define TOPOLOGY_MESH_MAX 16           /* members: everyone sends to everyone */
#define TOPOLOGY_PAIR     2            /* so few have nothing from an SFU */
#define TOPOLOGY_REST     (5 * USEC_S) /* before a room that got smaller goes back to a mesh */

enum topology { TOPOLOGY_MESH, TOPOLOGY_SFU, TOPOLOGY_NONE };
#define TOPOLOGY_BIT(topology) ((uint8_t)(1u << (topology)))

enum topology_wish { TOPOLOGY_AUTO, TOPOLOGY_ALWAYS_MESH, TOPOLOGY_ALWAYS_SFU };

/* As what members are asked to send a camera to the server: in encodings of their own, or in one
 * with layers. */
enum camera_form { CAMERA_SIMULCAST, CAMERA_VP9_SVC, CAMERA_AV1_SVC, CAMERA_FORMS };
/* As settings and the meeting protocol call it; of one below CAMERA_FORMS. */
struct view camera_form_name(enum camera_form form);

struct topology_policy {
    uint8_t wish; /* enum topology_wish */
    bool has_sfu; /* the server forwards media at all; otherwise the wish is no matter */
    uint32_t sfu_members_max; /* of a room */
};

/* Who is in a room. */
struct topology_crowd {
    uint32_t count;
    uint8_t common; /* bits of what all of them know */
};

/* What suits them best; TOPOLOGY_NONE: nothing does, for what they know, or their number. */
enum topology topology_choose(const struct topology_policy *policy,
                              const struct topology_crowd *crowd);

/* Whether they may go on with what they have, though something else suits them better. */
bool topology_may_stay(const struct topology_policy *policy, const struct topology_crowd *crowd,
                       enum topology topology);

#endif
