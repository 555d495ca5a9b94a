/* A peer's descriptions, and what they change. */
#include "media/peer_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- room for sections ---- */

/* Room for `count` sections in all.  ERR_LIMIT, ERR_MEMORY. */
static int reserve(struct peer *peer, uint32_t count)
{
    struct negotiation *negotiation = &peer->negotiation;
    uint32_t capacity = negotiation->capacity;
    if (count <= capacity)
        return OK;
    if (count > SDP_MEDIA_MAX)
        return ERR_LIMIT;
    while (capacity < count)
        capacity *= 2;
    struct negotiation_section *sections = malloc(capacity * sizeof *sections);
    if (!sections)
        return ERR_MEMORY;
    memcpy(sections, negotiation->sections, negotiation->count * sizeof *sections);
    free(peer->more_sections);
    peer->more_sections = sections;
    negotiation->sections = sections;
    negotiation->capacity = capacity;
    return OK;
}

void peer_free_sections(struct peer *peer)
{
    free(peer->more_sections);
}

/* Sections of ours that will stand behind those of an offer of theirs. */
static uint32_t count_wanted(const struct negotiation *negotiation)
{
    uint32_t described = negotiation->state == NEGOTIATION_LOCAL_OFFER ? negotiation->agreed
                                                                       : negotiation->described;
    return negotiation->count - described + negotiation->recycled;
}

/* ---- sections and transceivers ---- */

static bool is_media(const struct negotiation_section *section)
{
    return section->kind == SDP_AUDIO || section->kind == SDP_VIDEO;
}

/* With all its bytes, so that two can be compared. */
static void make_terms(const struct negotiation *negotiation,
                       const struct negotiation_section *section, struct media_terms *terms)
{
    memset(terms, 0, sizeof *terms);
    terms->has_two_byte = negotiation->allows_mixed;
    terms->is_reduced_size = section->is_reduced_size;
    terms->mid_size = section->mid_size;
    memcpy(terms->mid, section->mid, section->mid_size);
    for (unsigned i = 0; i < section->format_count; i++)
        if (negotiation->formats[section->formats[i]].payload_type < 128)
            terms->formats[terms->format_count++] = negotiation->formats[section->formats[i]];
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        if (section->extensions >> i & 1)
            terms->extensions[i] = negotiation->extensions[i];
}

/* Whoever sends by the former ones stops, until it is aimed anew. */
static void take_terms(const struct negotiation *negotiation,
                       const struct negotiation_section *section, struct transceiver *transceiver)
{
    struct media_terms terms;
    struct track *track = transceiver->receiving;
    make_terms(negotiation, section, &terms);
    if (memcmp(&terms, &transceiver->terms, sizeof terms) == 0)
        return;
    memcpy(&transceiver->terms, &terms, sizeof terms);
    sender_switch(&transceiver->sender, NULL);
    if (!track)
        return;
    track->terms = terms;
    track_stop(track);
}

/* The encodings that their description names; false: there is no room for one. */
static bool take_encodings(struct transceiver *transceiver,
                           const struct negotiation_section *section,
                           const struct description_section *theirs)
{
    struct view rest = view_make(section->rids, section->rids_size);
    struct view rid;
    bool is_whole = true;
    if (transceiver->receiving->encoding_count > 0)
        return true;
    while (rest.size > 0 && view_split(&rest, ';', &rid))
        is_whole &= transceiver_add_encoding(transceiver, 0, 0, rid) == OK;
    for (unsigned i = 0; section->rids_size == 0 && i < theirs->ssrc_count; i++)
        if (i < TRACK_ENCODINGS_MAX)
            is_whole &= transceiver_add_encoding(transceiver, theirs->ssrcs[i].ssrc,
                                                 theirs->ssrcs[i].rtx, view_make(NULL, 0)) == OK;
    if (transceiver->receiving->encoding_count == 0)
        is_whole &= transceiver_add_encoding(transceiver, 0, 0, view_make(NULL, 0)) == OK;
    return is_whole;
}

/* They send with other SSRCs now. */
static void renew_ssrcs(struct track *track, const struct description_section *theirs)
{
    for (unsigned i = 0; i < track->encoding_count && i < theirs->ssrc_count; i++) {
        struct encoding *encoding = track->encodings[i];
        if (encoding->rid_size > 0 || encoding->ssrc == theirs->ssrcs[i].ssrc)
            continue;
        encoding_restart(encoding, theirs->ssrcs[i].ssrc);
        encoding_set_rtx(encoding, theirs->ssrcs[i].rtx);
    }
}

/* What will be received on the section, as it stands now. */
static void take_receiving(struct transceiver *transceiver, struct negotiation_section *section,
                           const struct description_section *theirs)
{
    bool is_received = section->state == NEGOTIATION_AGREED && section->may_receive &&
                       section->direction & SDP_RECVONLY;
    if (!is_received) {
        transceiver_end_track(transceiver);
        return;
    }
    if (transceiver->receiving)
        renew_ssrcs(transceiver->receiving, theirs);
    else if (!transceiver_receive(transceiver) || !take_encodings(transceiver, section, theirs)) {
        transceiver_end_track(transceiver);
        section->may_receive = false; /* there is no room; the answer says so */
    }
}

/* A transceiver for each section that is, and none for one that is no more. */
static void match(struct peer *peer, const struct description *theirs)
{
    struct negotiation *negotiation = &peer->negotiation;
    for (uint32_t i = 0; i < negotiation->described; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        struct transceiver *transceiver = section->owner;
        if (!is_media(section))
            continue;
        if (section->state == NEGOTIATION_STOPPED) {
            if (transceiver)
                transceiver_close(transceiver);
            section->owner = NULL;
            continue;
        }
        if (!transceiver)
            transceiver = section->owner = transceiver_open(peer, section->kind == SDP_VIDEO);
        if (!transceiver) {
            negotiation_stop(negotiation, section);
            continue;
        }
        take_terms(negotiation, section, transceiver);
        take_receiving(transceiver, section, &theirs->sections[i]);
    }
}

/* What was agreed is in force. */
static void settle(struct peer *peer, usec now)
{
    struct negotiation *negotiation = &peer->negotiation;
    for (uint32_t i = 0; i < negotiation->described; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        struct transceiver *transceiver = section->owner;
        if (!transceiver || !is_media(section))
            continue;
        if (section->state == NEGOTIATION_STOPPED) {
            transceiver_close(transceiver);
            section->owner = NULL;
            continue;
        }
        transceiver->is_agreed = true;
        transceiver->may_send = section->direction & SDP_SENDONLY;
        take_terms(negotiation, section, transceiver);
        (void)transceiver_aim(transceiver, now);
        if (transceiver->receiving)
            track_aim(transceiver->receiving, now);
    }
    peer_touch(peer);
    peer_settle_data(peer, now);
}

/* Those that ended with a rollback: they were new in our offer, and stopped while it was under
 * way. */
static void drop_astray(struct peer *peer)
{
    struct transceiver *next = peer_next(peer, NULL);
    while (next) {
        struct transceiver *at = next;
        next = peer_next(peer, at);
        if (!negotiation_find_owner(&peer->negotiation, at))
            transceiver_close(at);
    }
}

/* ---- their way, and ours ---- */

static void take_way(struct peer *peer, usec now, const struct negotiation_remote *remote)
{
    struct rtc *rtc = peer->sfu->config.rtc;
    if (remote->is_first) {
        struct rtc_remote way = { .setup = remote->is_active ? RTC_ACTIVE : RTC_PASSIVE };
        memcpy(way.fingerprint, remote->fingerprint, sizeof way.fingerprint);
        rtc_set_remote(rtc, now, peer->transport, &way);
    }
}

static struct negotiation_local our_way(const struct peer *peer)
{
    const struct sfu_config *config = &peer->sfu->config;
    const struct ice_credentials *ice = rtc_credentials(peer->transport);
    struct negotiation_local local = { .ufrag = view_make(ice->ufrag, sizeof ice->ufrag),
                                       .pwd = view_make(ice->pwd, sizeof ice->pwd),
                                       .candidates = config->candidates,
                                       .candidate_count = config->candidate_count };
    memcpy(local.fingerprint, config->fingerprint, sizeof local.fingerprint);
    return local;
}

/* ---- theirs ---- */

static int no_room(struct description_error *error, int status)
{
    *error = (struct description_error){ .what = status == ERR_LIMIT ? "it has too many sections"
                                                                     : "there is no memory",
                                         .section = DESCRIPTION_WHOLE };
    return status;
}

int peer_take_offer(struct peer *peer, usec now, struct view sdp, struct description_error *error)
{
    struct sfu *sfu = peer->sfu;
    struct negotiation_remote remote;
    int status = description_read(sdp, sfu->sdp, sfu->description, error);
    if (status != OK)
        return status;
    status = reserve(peer, sfu->description->section_count + count_wanted(&peer->negotiation));
    if (status != OK)
        return no_room(error, status);
    status = negotiation_take_offer(&peer->negotiation, sfu->description, &remote, error);
    if (status != OK)
        return status;
    drop_astray(peer);
    take_way(peer, now, &remote);
    if (remote.is_restart)
        rtc_restart(sfu->config.rtc, now, peer->transport);
    match(peer, sfu->description);
    return OK;
}

int peer_take_answer(struct peer *peer, usec now, struct view sdp, struct description_error *error)
{
    struct sfu *sfu = peer->sfu;
    struct negotiation_remote remote;
    int status = description_read(sdp, sfu->sdp, sfu->description, error);
    if (status == OK)
        status = negotiation_take_answer(&peer->negotiation, sfu->description, &remote, error);
    if (status != OK)
        return status;
    take_way(peer, now, &remote);
    peer->has_new_ice = false;
    match(peer, sfu->description);
    settle(peer, now);
    return OK;
}

/* ---- ours ---- */

int peer_write_answer(struct peer *peer, usec now, struct span out, size_t *size)
{
    struct negotiation_local local = our_way(peer);
    struct sdp_writer writer = { .at = (char *)out.at, .capacity = out.size };
    int status = negotiation_write_answer(&peer->negotiation, &local, &writer);
    if (status != OK)
        return status;
    *size = writer.size;
    settle(peer, now);
    return OK;
}

int peer_write_offer(struct peer *peer, usec now, struct span out, size_t *size)
{
    struct sdp_writer writer = { .at = (char *)out.at, .capacity = out.size };
    if (peer->negotiation.is_restarting && !peer->has_new_ice) {
        rtc_restart(peer->sfu->config.rtc, now, peer->transport);
        peer->has_new_ice = true; /* the former ones must live until this offer is answered */
    }
    struct negotiation_local local = our_way(peer);
    int status = negotiation_write_offer(&peer->negotiation, &local, &writer);
    if (status == OK)
        *size = writer.size;
    return status;
}

void peer_rollback(struct peer *peer)
{
    negotiation_rollback(&peer->negotiation);
    drop_astray(peer);
}

void peer_restart(struct peer *peer, usec now)
{
    (void)now;
    negotiation_restart(&peer->negotiation);
}

/* What is offered where the caller names no track: all that the policy knows of the kind. */
static uint32_t policy_formats(const struct peer *peer, bool is_video,
                               struct media_format out[PACKET_FORMATS_MAX])
{
    const struct negotiation_policy *policy = peer->negotiation.policy;
    uint32_t count = 0;
    for (uint32_t i = 0; i < policy->format_count && count < PACKET_FORMATS_MAX; i++)
        if (payload_is_video(policy->formats[i].codec) == is_video)
            out[count++] = media_format_plain(&policy->formats[i]);
    return count;
}

int peer_add_data(struct peer *peer)
{
    struct negotiation *negotiation = &peer->negotiation;
    int status = reserve(peer, negotiation->count + negotiation->recycled + 1);
    return status == OK ? negotiation_add_data(negotiation) : status;
}

int peer_add(struct peer *peer, usec now, const struct peer_adding *adding,
             struct transceiver **out)
{
    struct media_format formats[PACKET_FORMATS_MAX];
    struct negotiation *negotiation = &peer->negotiation;
    int status = reserve(peer, negotiation->count + negotiation->recycled + 1);
    if (status != OK)
        return status;
    struct transceiver *transceiver = transceiver_open(peer, adding->is_video);
    if (!transceiver)
        return ERR_LIMIT;
    struct negotiation_sending sending = { .track = NULL };
    if (adding->stream_name.size) {
        transceiver_announce(transceiver, adding->stream_name, adding->track_name);
        sending = (struct negotiation_sending){ .track = &transceiver->said,
                                                .ssrc = transceiver->sender.config.ssrc,
                                                .rtx_ssrc = transceiver->sender.config.rtx_ssrc };
    }
    uint32_t count = policy_formats(peer, adding->is_video, formats);
    if (adding->track) {
        count = adding->track->terms.format_count;
        memcpy(formats, adding->track->terms.formats, sizeof formats);
    }
    status = negotiation_add(negotiation, transceiver, adding->is_video ? SDP_VIDEO : SDP_AUDIO,
                             &sending, adding->may_receive, formats, count);
    if (status == OK && adding->track)
        status = transceiver_subscribe(transceiver, now, (struct track *)adding->track);
    if (status == OK)
        *out = transceiver;
    else
        transceiver_close(transceiver);
    return status;
}

void transceiver_refuse(struct transceiver *transceiver, usec now)
{
    struct negotiation *negotiation = &transceiver->peer->negotiation;
    struct negotiation_section *section = negotiation_find_owner(negotiation, transceiver);
    (void)now;
    if (section) {
        section->is_changed |= section->may_receive && negotiation->state == NEGOTIATION_STABLE;
        section->may_receive = false;
    }
    transceiver_end_track(transceiver);
}

void transceiver_allow(struct transceiver *transceiver)
{
    struct negotiation *negotiation = &transceiver->peer->negotiation;
    struct negotiation_section *section = negotiation_find_owner(negotiation, transceiver);
    if (!section || section->may_receive)
        return;
    section->may_receive = true;
    section->is_changed = true;
}

void transceiver_stop(struct transceiver *transceiver, usec now)
{
    struct negotiation *negotiation = &transceiver->peer->negotiation;
    struct negotiation_section *section = negotiation_find_owner(negotiation, transceiver);
    bool is_wanted = section && section->state == NEGOTIATION_WANTED;
    int status = transceiver_subscribe(transceiver, now, NULL);
    assert(status == OK);
    (void)status;
    transceiver_end_track(transceiver);
    if (section)
        negotiation_stop(negotiation, section);
    if (is_wanted)
        transceiver_close(transceiver); /* no description knows it */
}
