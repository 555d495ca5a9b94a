#include "media/negotiation.h"

#include <assert.h>
#include <string.h>

#include "media/negotiation_bundle.h"

void negotiation_init(struct negotiation *negotiation, const struct negotiation_policy *policy,
                      struct negotiation_section *sections, uint32_t capacity, uint64_t session_id,
                      bool is_polite)
{
    assert(capacity > 0 && capacity <= SDP_MEDIA_MAX && session_id >> 63 == 0);
    memset(negotiation, 0, sizeof *negotiation);
    negotiation->policy = policy;
    negotiation->sections = sections;
    negotiation->capacity = capacity;
    negotiation->session_id = session_id;
    negotiation->is_polite = is_polite;
    negotiation->has_bundle = true;
    negotiation->is_trickle = true;
    negotiation->allows_mixed = true;
}

struct negotiation_section *negotiation_find_mid(struct negotiation *negotiation, struct view mid)
{
    for (uint32_t i = 0; i < negotiation->described; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        if (section->mid_size == mid.size && memcmp(section->mid, mid.at, mid.size) == 0)
            return section;
    }
    return NULL;
}

struct negotiation_section *negotiation_find_owner(struct negotiation *negotiation,
                                                   const void *owner)
{
    for (uint32_t i = 0; i < negotiation->count; i++)
        if (negotiation->sections[i].owner == owner)
            return &negotiation->sections[i];
    return NULL;
}

/* ---- our end ---- */

int negotiation_add(struct negotiation *negotiation, void *owner, enum sdp_kind kind,
                    const struct negotiation_sending *sending, bool may_receive,
                    const struct media_format *formats, uint32_t count)
{
    struct negotiation_section section = { .owner = owner,
                                           .sending = *sending,
                                           .kind = (uint8_t)kind,
                                           .protocol = DESCRIPTION_UDP_SAVPF,
                                           .state = NEGOTIATION_WANTED,
                                           .may_receive = may_receive,
                                           .is_reduced_size = true,
                                           .is_changed = true };
    assert((kind == SDP_AUDIO || kind == SDP_VIDEO) && count > 0);
    assert(sending->track || may_receive);
    /* the places that an offer under way uses again come back when it is rolled back */
    if (negotiation->count + negotiation->recycled >= negotiation->capacity)
        return ERR_LIMIT;
    int status = negotiation_offer_formats(negotiation, formats, count, &section);
    if (status != OK)
        return status;
    negotiation->sections[negotiation->count++] = section;
    return OK;
}

int negotiation_add_data(struct negotiation *negotiation)
{
    for (uint32_t i = 0; i < negotiation->count; i++)
        if (negotiation->sections[i].kind == SDP_APPLICATION &&
            negotiation->sections[i].state != NEGOTIATION_STOPPED)
            return OK;
    if (negotiation->count + negotiation->recycled >= negotiation->capacity)
        return ERR_LIMIT;
    negotiation->sections[negotiation->count++] =
        (struct negotiation_section){ .kind = SDP_APPLICATION,
                                      .protocol = DESCRIPTION_UDP_SCTP,
                                      .state = NEGOTIATION_WANTED,
                                      .is_changed = true };
    return OK;
}

void negotiation_send(struct negotiation *negotiation, struct negotiation_section *section,
                      const struct negotiation_sending *sending)
{
    (void)negotiation;
    assert(section->kind == SDP_AUDIO || section->kind == SDP_VIDEO);
    section->sending = *sending;
    section->is_changed = true;
}

/* Takes one that is in no description yet out. */
static void take_out(struct negotiation *negotiation, uint32_t index)
{
    negotiation->count--;
    memmove(&negotiation->sections[index], &negotiation->sections[index + 1],
            (negotiation->count - index) * sizeof negotiation->sections[0]);
}

void negotiation_stop(struct negotiation *negotiation, struct negotiation_section *section)
{
    if (section->state == NEGOTIATION_STOPPED)
        return;
    if (section->state == NEGOTIATION_WANTED) {
        take_out(negotiation, (uint32_t)(section - negotiation->sections));
        return;
    }
    section->sending = (struct negotiation_sending){ 0 };
    section->is_stopping = true;
    section->is_changed = true;
}

void negotiation_restart(struct negotiation *negotiation)
{
    negotiation->is_restarting = true;
}

bool negotiation_needs_offer(const struct negotiation *negotiation)
{
    if (negotiation->state != NEGOTIATION_STABLE)
        return false;
    for (uint32_t i = 0; i < negotiation->count; i++)
        if (negotiation->sections[i].is_changed)
            return true;
    return negotiation->is_restarting;
}

/* ---- rolling back ---- */

void negotiation_rollback(struct negotiation *negotiation)
{
    if (negotiation->state != NEGOTIATION_LOCAL_OFFER)
        return;
    for (uint32_t i = 0; i < negotiation->described; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        if (section->state == NEGOTIATION_AGREED && section->offered != section->direction)
            section->is_changed = true;
        if (section->state != NEGOTIATION_OFFERED)
            continue;
        section->state = NEGOTIATION_WANTED;
        section->is_changed = true;
        section->mid_size = 0;
        if (i >= negotiation->agreed)
            continue;
        /* its place is free again; there is room behind for it, which negotiation_add left */
        assert(negotiation->count < negotiation->capacity);
        negotiation->sections[negotiation->count++] = *section;
        *section = (struct negotiation_section){ .kind = section->kind,
                                                 .protocol = section->protocol,
                                                 .state = NEGOTIATION_STOPPED };
    }
    negotiation->described = negotiation->agreed;
    negotiation->recycled = 0;
    negotiation->state = NEGOTIATION_STABLE;
    for (uint32_t i = 0; i < negotiation->count; i++) /* one that was to end at once */
        if (negotiation->sections[i].state == NEGOTIATION_WANTED &&
            negotiation->sections[i].is_stopping)
            take_out(negotiation, i--);
}
