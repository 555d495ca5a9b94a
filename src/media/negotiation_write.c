/* Our descriptions. */
#include "media/negotiation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "media/negotiation_bundle.h"

static struct view mid_of(const struct negotiation_section *section)
{
    return view_make(section->mid, section->mid_size);
}

static uint8_t wanted_direction(const struct negotiation_section *section)
{
    if (section->kind == SDP_APPLICATION)
        return SDP_SENDRECV;
    return (uint8_t)((section->sending.track ? SDP_SENDONLY : 0) |
                     (section->may_receive ? SDP_RECVONLY : 0));
}

/* ---- a section as a description has it ---- */

static void fill_formats(const struct negotiation *negotiation,
                         const struct negotiation_section *section, struct description_section *out)
{
    for (unsigned i = 0; i < section->format_count; i++) {
        struct media_format format = negotiation->formats[section->formats[i]];
        if (format.payload_type < 128)
            out->formats[out->format_count++] = format;
    }
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (section->extensions >> i & 1)
            out->extensions[i] = negotiation->extensions[i];
}

static void fill_sending(const struct negotiation_section *section, struct description_section *out)
{
    const struct negotiation_track *track = section->sending.track;
    bool has_rtx = false;
    for (unsigned i = 0; i < out->format_count; i++)
        has_rtx |= out->formats[i].rtx != MEDIA_NO_RTX;
    out->stream = track->stream;
    out->track = track->track;
    out->cname = track->cname;
    out->ssrcs[out->ssrc_count++] =
        (struct description_ssrc){ .ssrc = section->sending.ssrc,
                                   .rtx = has_rtx ? section->sending.rtx_ssrc : 0 };
}

static void fill_rids(const struct negotiation_section *section, struct description_section *out)
{
    struct view rest = view_make(section->rids, section->rids_size);
    struct view id;
    out->rid_direction = SDP_RECVONLY;
    while (rest.size > 0 && view_split(&rest, ';', &id))
        out->rids[out->rid_count++] = (struct description_rid){ .id = id };
}

static void fill(const struct negotiation *negotiation, const struct negotiation_section *section,
                 uint8_t direction, struct description_section *out)
{
    memset(out, 0, sizeof *out);
    out->kind = section->kind;
    out->protocol = section->protocol;
    out->mid = mid_of(section);
    out->direction = direction;
    out->is_refused = section->state == NEGOTIATION_STOPPED || section->is_stopping;
    out->is_reduced_size = section->is_reduced_size;
    out->sctp_port =
        section->protocol == DESCRIPTION_SCTP ? section->sctp_port : DESCRIPTION_SCTP_PORT;
    out->message_size_max = negotiation->policy->message_size_max;
    if (section->kind != SDP_AUDIO && section->kind != SDP_VIDEO)
        return;
    fill_formats(negotiation, section, out);
    if (direction & SDP_SENDONLY)
        fill_sending(section, out);
    if (direction & SDP_RECVONLY)
        fill_rids(section, out);
}

/* ---- the whole ---- */

static bool is_in_use(const struct negotiation_section *section)
{
    return section->state != NEGOTIATION_STOPPED && !section->is_stopping;
}

static void fill_head(const struct negotiation *negotiation, const struct negotiation_local *local,
                      struct description_head *head)
{
    *head = (struct description_head){ .session_id = negotiation->session_id,
                                       .version = negotiation->version + 1,
                                       .ufrag = local->ufrag,
                                       .pwd = local->pwd,
                                       .setup = SDP_SETUP_ACTPASS,
                                       .is_lite = true,
                                       .is_trickle = negotiation->is_trickle,
                                       .allows_mixed = negotiation->allows_mixed };
    memcpy(head->fingerprint, local->fingerprint, sizeof head->fingerprint);
    for (uint32_t i = 0; i < negotiation->described; i++)
        head->has_bundle |= is_in_use(&negotiation->sections[i]);
}

/* True: all of it found room.  `offered`: directions as we would like them; else those that hold
 * once this is written. */
static bool write_all(const struct negotiation *negotiation, const struct negotiation_local *local,
                      const struct description_head *head, struct sdp_writer *writer, bool offered)
{
    struct description_section out;
    bool is_first = true;
    description_write_head(writer, head);
    for (uint32_t i = 0; head->has_bundle && i < negotiation->described; i++)
        if (is_in_use(&negotiation->sections[i]))
            description_write_mid(writer, mid_of(&negotiation->sections[i]));
    for (uint32_t i = 0; i < negotiation->described; i++) {
        const struct negotiation_section *section = &negotiation->sections[i];
        uint8_t direction = wanted_direction(section);
        bool is_tagged = is_first && is_in_use(section);
        if (!offered)
            direction &= section->direction;
        fill(negotiation, section, direction, &out);
        description_write_section(writer, head, &out, local->candidates,
                                  is_tagged ? local->candidate_count : 0);
        is_first &= !is_tagged;
    }
    return !writer->overflow;
}

/* ---- answers ---- */

static void settle(struct negotiation_section *section)
{
    section->direction &= wanted_direction(section);
    if (section->is_stopping)
        *section = (struct negotiation_section){ .owner = section->owner,
                                                 .kind = section->kind,
                                                 .protocol = section->protocol,
                                                 .state = NEGOTIATION_STOPPED };
    else if (!section->sending.track || section->direction & SDP_SENDONLY)
        section->is_changed = false; /* else it is still to be offered */
}

int negotiation_write_answer(struct negotiation *negotiation, const struct negotiation_local *local,
                             struct sdp_writer *writer)
{
    struct description_head head;
    assert(negotiation->state == NEGOTIATION_REMOTE_OFFER);
    fill_head(negotiation, local, &head);
    head.has_bundle &= negotiation->has_bundle; /* as theirs (RFC 8843, section 7.3) */
    head.setup = negotiation->setup == SDP_SETUP_ACTIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    if (!write_all(negotiation, local, &head, writer, false))
        return ERR_LIMIT;
    for (uint32_t i = 0; i < negotiation->described; i++)
        settle(&negotiation->sections[i]);
    negotiation->agreed = negotiation->described;
    negotiation->version++;
    negotiation->state = NEGOTIATION_STABLE;
    return OK;
}

/* ---- offers ---- */

/* A name that no section has; theirs are mostly numbers. */
static void name(struct negotiation *negotiation, struct negotiation_section *section)
{
    char mid[DESCRIPTION_MID_MAX];
    size_t size;
    do
        size = (size_t)snprintf(mid, sizeof mid, "s%u", negotiation->next_mid++);
    while (negotiation_find_mid(negotiation, view_make(mid, size)));
    memcpy(section->mid, mid, size);
    section->mid_size = (uint8_t)size;
}

/* A stopped section of that kind (RFC 8829, section 5.2.2); `agreed`: there is none. */
static uint32_t find_place(const struct negotiation *negotiation, uint8_t kind)
{
    uint32_t i = 0;
    while (i < negotiation->agreed && (negotiation->sections[i].state != NEGOTIATION_STOPPED ||
                                       negotiation->sections[i].kind != kind))
        i++;
    return i;
}

/* Gives all that is wanted its place among what is described. */
static void place(struct negotiation *negotiation)
{
    negotiation->agreed = negotiation->described;
    while (negotiation->described < negotiation->count) {
        struct negotiation_section section = negotiation->sections[negotiation->described];
        uint32_t at = find_place(negotiation, section.kind);
        section.state = NEGOTIATION_OFFERED;
        name(negotiation, &section);
        if (at < negotiation->agreed) {
            negotiation->count--;
            negotiation->recycled++;
            memmove(&negotiation->sections[negotiation->described],
                    &negotiation->sections[negotiation->described + 1],
                    (negotiation->count - negotiation->described) * sizeof section);
        } else {
            at = negotiation->described++;
        }
        negotiation->sections[at] = section;
    }
    for (uint32_t i = 0; i < negotiation->described; i++)
        if (is_in_use(&negotiation->sections[i]))
            negotiation_number(negotiation, &negotiation->sections[i]);
}

int negotiation_write_offer(struct negotiation *negotiation, const struct negotiation_local *local,
                            struct sdp_writer *writer)
{
    struct description_head head;
    assert(negotiation->state == NEGOTIATION_STABLE);
    place(negotiation);
    fill_head(negotiation, local, &head);
    bool is_written = write_all(negotiation, local, &head, writer, true);
    for (uint32_t i = 0; i < negotiation->described; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        section->offered = is_in_use(section) ? wanted_direction(section) : NEGOTIATION_END;
        if (is_written)
            section->is_changed = false;
    }
    negotiation->state = NEGOTIATION_LOCAL_OFFER;
    if (!is_written) {
        negotiation_rollback(negotiation);
        return ERR_LIMIT;
    }
    negotiation->version++;
    return OK;
}
