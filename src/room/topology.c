#include "room/topology.h"

#include <assert.h>

struct view camera_form_name(enum camera_form form)
{
    static const char *const NAMES[] = {
        [CAMERA_SIMULCAST] = "simulcast", [CAMERA_VP9_SVC] = "vp9-svc", [CAMERA_AV1_SVC] = "av1-svc"
    };
    assert(form < CAMERA_FORMS);
    return view_of(NAMES[form]);
}

static bool can_mesh(const struct topology_policy *policy, const struct topology_crowd *crowd)
{
    bool is_allowed = policy->wish != TOPOLOGY_ALWAYS_SFU || !policy->has_sfu;
    return is_allowed && (crowd->common & TOPOLOGY_BIT(TOPOLOGY_MESH)) &&
           crowd->count <= TOPOLOGY_MESH_MAX;
}

static bool can_sfu(const struct topology_policy *policy, const struct topology_crowd *crowd)
{
    return policy->has_sfu && policy->wish != TOPOLOGY_ALWAYS_MESH &&
           (crowd->common & TOPOLOGY_BIT(TOPOLOGY_SFU)) && crowd->count <= policy->sfu_members_max;
}

enum topology topology_choose(const struct topology_policy *policy,
                              const struct topology_crowd *crowd)
{
    if (can_sfu(policy, crowd) && (crowd->count > TOPOLOGY_PAIR || !can_mesh(policy, crowd)))
        return TOPOLOGY_SFU;
    return can_mesh(policy, crowd) ? TOPOLOGY_MESH : TOPOLOGY_NONE;
}

bool topology_may_stay(const struct topology_policy *policy, const struct topology_crowd *crowd,
                       enum topology topology)
{
    return topology == TOPOLOGY_SFU && can_sfu(policy, crowd);
}
