#include "room/topology.h"

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
