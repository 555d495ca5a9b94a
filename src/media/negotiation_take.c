/* Their descriptions. */
#include "media/negotiation.h"

#include <assert.h>
#include <string.h>

#include "media/negotiation_bundle.h"

static int refuse(struct description_error *error, int status, uint32_t section, const char *what)
{
    *error = (struct description_error){ .what = what, .section = section };
    return status;
}

static struct view mid_of(const struct negotiation_section *section)
{
    return view_make(section->mid, section->mid_size);
}

/* ---- the way ---- */

/* FNV-1a: to see a change of it, which only its writer gains or loses by. */
static uint64_t hash_ice(const struct description_head *head)
{
    const struct view parts[] = { head->ufrag, head->pwd };
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < 2; i++) {
        for (size_t k = 0; k < parts[i].size; k++)
            hash = (hash ^ parts[i].at[k]) * 0x100000001b3u;
        hash = (hash ^ ' ') * 0x100000001b3u;
    }
    return hash;
}

/* A description in which nothing is used says nothing of the way. */
static bool has_way(const struct description *description)
{
    return description->head.ufrag.size > 0;
}

static int check_way(const struct negotiation *negotiation, const struct description *theirs,
                     struct description_error *error)
{
    if (negotiation->has_remote && has_way(theirs) &&
        memcmp(negotiation->fingerprint, theirs->head.fingerprint,
               sizeof negotiation->fingerprint) != 0)
        return refuse(error, ERR_UNSUPPORTED, DESCRIPTION_WHOLE, "it is of another certificate");
    return OK;
}

static void take_way(struct negotiation *negotiation, const struct description *theirs,
                     struct negotiation_remote *remote)
{
    const struct description_head *head = &theirs->head;
    uint64_t hash = hash_ice(head);
    memset(remote, 0, sizeof *remote);
    if (has_way(theirs)) {
        remote->is_first = !negotiation->has_remote;
        remote->is_restart = negotiation->has_remote && hash != negotiation->remote_ice;
        negotiation->remote_ice = hash;
        negotiation->has_remote = true;
        memcpy(negotiation->fingerprint, head->fingerprint, sizeof head->fingerprint);
        /* roles stay as long as the certificates do (RFC 8842, section 5.5) */
        if (negotiation->setup == SDP_SETUP_NONE)
            negotiation->setup =
                head->setup == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    }
    memcpy(remote->fingerprint, negotiation->fingerprint, sizeof remote->fingerprint);
    remote->is_active = negotiation->setup == SDP_SETUP_ACTIVE;
}

/* ---- their offer ---- */

static int check_offer(const struct negotiation *negotiation, const struct description *offer,
                       struct description_error *error)
{
    uint32_t described = negotiation->state == NEGOTIATION_LOCAL_OFFER ? negotiation->agreed
                                                                       : negotiation->described;
    /* what is wanted stays behind theirs; a rollback brings back what used a place again */
    uint32_t wanted = negotiation->count - described + negotiation->recycled;
    if (offer->section_count < described)
        return refuse(error, ERR_MALFORMED, DESCRIPTION_WHOLE, "a section is missing");
    if (offer->section_count + wanted > negotiation->capacity)
        return refuse(error, ERR_LIMIT, DESCRIPTION_WHOLE, "it has too many sections");
    for (uint32_t i = 0; i < described; i++) {
        const struct negotiation_section *section = &negotiation->sections[i];
        const struct description_section *theirs = &offer->sections[i];
        bool is_free = section->state == NEGOTIATION_STOPPED ||
                       (section->state == NEGOTIATION_OFFERED && i < negotiation->agreed);
        if (is_free || theirs->is_refused)
            continue;
        if (theirs->kind != section->kind || !view_equal(theirs->mid, mid_of(section)))
            return refuse(error, ERR_MALFORMED, i, "another section was in its place");
    }
    return check_way(negotiation, offer, error);
}

/* So many sections of a kind are received already. */
static uint32_t count_received(const struct negotiation *negotiation, uint8_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < negotiation->described; i++)
        if (negotiation->sections[i].kind == kind && negotiation->sections[i].may_receive &&
            negotiation->sections[i].state != NEGOTIATION_STOPPED)
            count++;
    return count;
}

static void take_rids(const struct negotiation *negotiation,
                      const struct description_section *theirs, struct negotiation_section *section)
{
    const uint32_t needed = 1u << RTP_EXTENSION_MID | 1u << RTP_EXTENSION_RID;
    section->rids_size = 0;
    if (!negotiation->policy->has_simulcast || theirs->rid_direction != SDP_SENDONLY ||
        (section->extensions & needed) != needed)
        return;
    for (unsigned i = 0; i < theirs->rid_count; i++) {
        struct view id = theirs->rids[i].id;
        size_t more = id.size + (i > 0);
        if (section->rids_size + more > NEGOTIATION_RIDS_SIZE)
            return;
        char *at = section->rids + section->rids_size;
        if (i > 0)
            *at++ = ';';
        memcpy(at, id.at, id.size);
        section->rids_size = (uint8_t)(section->rids_size + more);
    }
}

static void stop(struct negotiation_section *section)
{
    section->state = NEGOTIATION_STOPPED;
    section->direction = SDP_INACTIVE;
    section->sending = (struct negotiation_sending){ 0 };
    section->may_receive = false;
    section->is_stopping = false;
    section->is_changed = false;
    section->rids_size = 0;
}

static bool take_media(struct negotiation *negotiation, const struct description_section *theirs,
                       struct negotiation_section *section, struct negotiation_bound *bound)
{
    unsigned kind = theirs->kind == SDP_VIDEO;
    if (!negotiation_choose(negotiation, theirs, section, bound))
        return false;
    if (!section->may_receive && theirs->direction & SDP_SENDONLY)
        section->may_receive =
            count_received(negotiation, theirs->kind) < negotiation->policy->receive_max[kind];
    section->is_reduced_size = theirs->is_reduced_size;
    take_rids(negotiation, theirs, section);
    return true;
}

/* What they would have us send and receive; sending is decided when the answer is written. */
static void take_section(struct negotiation *negotiation, uint32_t index,
                         const struct description_section *theirs, struct negotiation_bound *bound)
{
    struct negotiation_section *section = &negotiation->sections[index];
    bool is_new = section->state == NEGOTIATION_STOPPED;
    if (is_new)
        *section = (struct negotiation_section){ .kind = theirs->kind,
                                                 .state = NEGOTIATION_STOPPED,
                                                 .protocol = theirs->protocol };
    if (theirs->mid.size > 0)
        memcpy(section->mid, theirs->mid.at, theirs->mid.size);
    section->mid_size = (uint8_t)theirs->mid.size;
    bool is_kept =
        !theirs->is_refused && theirs->problem == DESCRIPTION_NO_PROBLEM && !section->is_stopping;
    if (is_kept && theirs->kind == SDP_APPLICATION) {
        is_kept = negotiation->policy->has_data;
        section->sctp_port = theirs->sctp_port;
        section->message_size_max = theirs->message_size_max;
        section->direction = SDP_SENDRECV;
    } else if (is_kept) {
        is_kept = take_media(negotiation, theirs, section, bound);
        section->direction = (uint8_t)sdp_direction_turned(theirs->direction);
    }
    if (is_kept)
        section->state = NEGOTIATION_AGREED;
    else
        stop(section);
}

int negotiation_take_offer(struct negotiation *negotiation, const struct description *offer,
                           struct negotiation_remote *remote, struct description_error *error)
{
    struct negotiation_bound bound = { 0 };
    if (negotiation->state == NEGOTIATION_LOCAL_OFFER && !negotiation->is_polite)
        return refuse(error, ERR_AGAIN, DESCRIPTION_WHOLE, "an offer is on its way to you");
    int status = check_offer(negotiation, offer, error);
    if (status != OK)
        return status;
    negotiation_rollback(negotiation);
    uint32_t more = offer->section_count - negotiation->described;
    struct negotiation_section *wanted = &negotiation->sections[negotiation->described];
    memmove(wanted + more, wanted, (negotiation->count - negotiation->described) * sizeof *wanted);
    for (uint32_t i = 0; i < more; i++)
        wanted[i] = (struct negotiation_section){ .state = NEGOTIATION_STOPPED };
    negotiation->count += more;
    negotiation->described += more;
    take_way(negotiation, offer, remote);
    negotiation->has_bundle = offer->head.has_bundle;
    negotiation->is_trickle = offer->head.is_trickle;
    negotiation->allows_mixed = offer->head.allows_mixed;
    for (uint32_t i = 0; i < offer->section_count; i++)
        take_section(negotiation, i, &offer->sections[i], &bound);
    negotiation->state = NEGOTIATION_REMOTE_OFFER;
    return OK;
}

/* ---- their answer ---- */

static int check_answer(const struct negotiation *negotiation, const struct description *answer,
                        struct description_error *error)
{
    if (answer->section_count != negotiation->described)
        return refuse(error, ERR_MALFORMED, DESCRIPTION_WHOLE,
                      "it has not as many sections as the offer");
    for (uint32_t i = 0; i < answer->section_count; i++) {
        const struct negotiation_section *section = &negotiation->sections[i];
        const struct description_section *theirs = &answer->sections[i];
        if (theirs->is_refused || theirs->problem != DESCRIPTION_NO_PROBLEM)
            continue;
        if (theirs->kind != section->kind || !view_equal(theirs->mid, mid_of(section)))
            return refuse(error, ERR_MALFORMED, i, "it answers another section");
        if (section->state == NEGOTIATION_STOPPED)
            return refuse(error, ERR_MALFORMED, i, "it accepts what was not offered");
    }
    return check_way(negotiation, answer, error);
}

static void take_answer_to(struct negotiation *negotiation, struct negotiation_section *section,
                           const struct description_section *theirs)
{
    if (theirs->is_refused || theirs->problem != DESCRIPTION_NO_PROBLEM ||
        section->state == NEGOTIATION_STOPPED || section->offered == NEGOTIATION_END) {
        stop(section);
        return;
    }
    section->state = NEGOTIATION_AGREED;
    if (theirs->kind == SDP_APPLICATION) {
        section->sctp_port = theirs->sctp_port;
        section->message_size_max = theirs->message_size_max;
    } else if (negotiation_keep(negotiation, theirs, section)) {
        section->direction = (uint8_t)sdp_direction_turned(theirs->direction) & section->offered;
        section->is_reduced_size = theirs->is_reduced_size;
    } else {
        stop(section);
    }
}

int negotiation_take_answer(struct negotiation *negotiation, const struct description *answer,
                            struct negotiation_remote *remote, struct description_error *error)
{
    if (negotiation->state != NEGOTIATION_LOCAL_OFFER)
        return refuse(error, ERR_OLD, DESCRIPTION_WHOLE, "no answer is awaited");
    int status = check_answer(negotiation, answer, error);
    if (status != OK)
        return status;
    take_way(negotiation, answer, remote);
    for (uint32_t i = 0; i < answer->section_count; i++)
        take_answer_to(negotiation, &negotiation->sections[i], &answer->sections[i]);
    negotiation->agreed = negotiation->described;
    negotiation->recycled = 0;
    negotiation->is_restarting = false;
    negotiation->state = NEGOTIATION_STABLE;
    return OK;
}
