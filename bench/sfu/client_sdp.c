/* A client's descriptions: as a browser's, with VP8 and Opus alone. */
#include "client.h"

#include <stdio.h>
#include <string.h>

static const struct media_format VP8 = {
    .codec = PAYLOAD_VP8,
    .payload_type = 96,
    .rtx = 97,
    .feedback = MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB | MEDIA_TRANSPORT_CC,
};
static const struct media_format OPUS = {
    .codec = PAYLOAD_OPUS,
    .payload_type = 111,
    .rtx = MEDIA_NO_RTX,
    .feedback = MEDIA_TRANSPORT_CC,
    .options = MEDIA_OPUS_FEC,
};

/* The identifiers are Chromium's. */
static const uint8_t EXTENSIONS[RTP_EXTENSION_KINDS] = {
    [RTP_EXTENSION_AUDIO_LEVEL] = 1,
    [RTP_EXTENSION_ABS_SEND_TIME] = 2,
    [RTP_EXTENSION_TRANSPORT_CC] = 3,
    [RTP_EXTENSION_MID] = 4,
};

/* Without feedback on arrivals nothing is offered or taken that serves for it. */
static struct media_format format_of(const struct client *client, bool is_video)
{
    struct media_format format = is_video ? VP8 : OPUS;
    if (!client->peer.house->has_feedback)
        format.feedback &= (uint8_t) ~(MEDIA_REMB | MEDIA_TRANSPORT_CC);
    return format;
}

static uint8_t extension_of(const struct client *client, unsigned kind)
{
    bool is_out = kind == RTP_EXTENSION_TRANSPORT_CC && !client->peer.house->has_feedback;
    return is_out ? 0 : EXTENSIONS[kind];
}

static struct description_head head_of(struct client *client, enum sdp_setup setup)
{
    struct description_head head = { .session_id = 1 + client->peer.host,
                                     .version = ++client->version,
                                     .ufrag = view_of(client->peer.ufrag),
                                     .pwd = view_of(client->peer.pwd),
                                     .setup = (uint8_t)setup,
                                     .allows_mixed = true,
                                     .has_bundle = true };
    memcpy(head.fingerprint, client->peer.house->fingerprint, sizeof head.fingerprint);
    return head;
}

static void add_track(struct description_section *section, const struct track *track)
{
    section->direction |= SDP_SENDONLY;
    section->stream = VIEW("load");
    section->track = track->is_video ? VIEW("video") : VIEW("audio");
    section->cname = VIEW("load");
    section->ssrc_count = 1;
    section->ssrcs[0].ssrc = track->ssrc;
    section->ssrcs[0].rtx = section->formats[0].rtx == MEDIA_NO_RTX ? 0 : track->rtx_ssrc;
}

static void write_all(struct client *client, const struct description_head *head,
                      const struct description_section *sections, unsigned count,
                      struct sdp_writer *out)
{
    const struct description_candidate own = { .address = net_address(&client->peer.house->net,
                                                                      client->peer.host) };
    bool has_candidate = false;
    description_write_head(out, head);
    for (unsigned i = 0; i < count; i++)
        if (!sections[i].is_refused)
            description_write_mid(out, sections[i].mid);
    for (unsigned i = 0; i < count; i++) {
        bool is_first = !has_candidate && !sections[i].is_refused;
        description_write_section(out, head, &sections[i], &own, is_first ? 1 : 0);
        has_candidate |= is_first;
    }
}

/* ---- offers of ours ---- */

static bool add_section(struct client *client, uint8_t kind, struct track *track)
{
    if (client->section_count == CLIENT_SECTIONS_MAX)
        return false;
    client->sections[client->section_count++] = (struct client_section){ kind, track };
    return true;
}

bool client_offer(struct client *client, unsigned audio, unsigned video, struct sdp_writer *out)
{
    static struct description_section sections[CLIENT_SECTIONS_MAX];
    char mids[CLIENT_SECTIONS_MAX][4];
    struct description_head head = head_of(client, SDP_SETUP_ACTPASS);
    bool has_room = true;
    if (client->section_count == 0)
        for (unsigned i = 0; i < client->track_count; i++) {
            struct track *track = client->tracks[i];
            has_room &= add_section(client, track->is_video ? SDP_VIDEO : SDP_AUDIO, track);
        }
    for (unsigned i = 0; i < audio + video; i++)
        has_room &= add_section(client, i < audio ? SDP_AUDIO : SDP_VIDEO, NULL);
    for (unsigned i = 0; i < client->section_count; i++) {
        bool is_video = client->sections[i].kind == SDP_VIDEO;
        snprintf(mids[i], sizeof mids[i], "%u", i % 100);
        sections[i] = (struct description_section){ .kind = client->sections[i].kind,
                                                    .protocol = DESCRIPTION_UDP_SAVPF,
                                                    .is_reduced_size = true,
                                                    .format_count = 1,
                                                    .mid = view_of(mids[i]) };
        sections[i].formats[0] = format_of(client, is_video);
        for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++)
            sections[i].extensions[kind] = extension_of(client, kind);
        if (is_video)
            sections[i].extensions[RTP_EXTENSION_AUDIO_LEVEL] = 0;
        if (client->sections[i].track)
            add_track(&sections[i], client->sections[i].track);
        else
            sections[i].direction = SDP_RECVONLY;
    }
    write_all(client, &head, sections, client->section_count, out);
    return has_room && !out->overflow;
}

/* ---- the other end's ---- */

/* The first candidate that we can reach. */
static struct address candidate_of(const struct sdp *sdp)
{
    struct sdp_candidate candidate;
    struct view value;
    for (uint32_t i = 0; i <= sdp->media_count; i++) {
        struct view lines = i < sdp->media_count ? sdp->media[i].lines : sdp->lines;
        while (sdp_next(&lines, VIEW("candidate"), &value))
            if (sdp_read_candidate(value, &candidate) == OK && !candidate.is_tcp &&
                candidate.component == 1 && candidate.address.family == ADDRESS_IPV4)
                return candidate.address;
    }
    return (struct address){ .family = ADDRESS_NONE };
}

static bool read(struct client *client, usec now, struct view text, struct description *out)
{
    static struct sdp sdp;
    struct description_error error;
    if (description_read(text, &sdp, out, &error) != OK) {
        fprintf(stderr, "load: %s: line %u: %s\n", client->name, error.line, error.what);
        return false;
    }
    struct address candidate = candidate_of(&sdp);
    return peer_describe(&client->peer, now, &out->head, &candidate);
}

bool client_take(struct client *client, usec now, struct view answer)
{
    static struct description theirs;
    if (!read(client, now, answer, &theirs))
        return false;
    for (unsigned i = 0; i < theirs.section_count && i < client->section_count; i++) {
        const struct description_section *section = &theirs.sections[i];
        if (section->is_refused || section->problem != DESCRIPTION_NO_PROBLEM)
            continue;
        hearer_describe(&client->hearer, section);
        if (client->sections[i].track)
            track_describe(client->sections[i].track, section);
    }
    return true;
}

/* The format of ours that is among theirs. */
static bool choose(const struct client *client, const struct description_section *theirs,
                   struct description_section *ours)
{
    const struct media_format own = format_of(client, theirs->kind == SDP_VIDEO);
    for (unsigned i = 0; i < theirs->format_count; i++) {
        if (!media_format_same(&theirs->formats[i], &own))
            continue;
        ours->formats[0] = theirs->formats[i];
        ours->formats[0].feedback &= own.feedback;
        ours->format_count = 1;
        return true;
    }
    return false;
}

static struct track *unplaced(struct client *client, uint8_t kind, uint32_t placed)
{
    for (unsigned i = 0; i < client->track_count; i++)
        if (client->tracks[i]->is_video == (kind == SDP_VIDEO) && !(placed & 1u << i))
            return client->tracks[i];
    return NULL;
}

static void answer_section(struct client *client, const struct description_section *theirs,
                           struct description_section *ours, uint32_t *placed)
{
    *ours = (struct description_section){ .kind = theirs->kind,
                                          .protocol = theirs->protocol,
                                          .is_reduced_size = theirs->is_reduced_size,
                                          .sctp_port = theirs->sctp_port,
                                          .mid = theirs->mid };
    bool is_media = theirs->kind == SDP_AUDIO || theirs->kind == SDP_VIDEO;
    if (!is_media || theirs->is_refused || theirs->problem != DESCRIPTION_NO_PROBLEM ||
        !choose(client, theirs, ours)) {
        ours->is_refused = true;
        return;
    }
    for (unsigned i = 0; i < RTP_EXTENSION_KINDS; i++)
        ours->extensions[i] = extension_of(client, i) ? theirs->extensions[i] : 0;
    if (theirs->direction & SDP_SENDONLY)
        ours->direction |= SDP_RECVONLY;
    struct track *track = unplaced(client, theirs->kind, *placed);
    if ((theirs->direction & SDP_RECVONLY) && track) {
        for (unsigned i = 0; i < client->track_count; i++)
            *placed |= client->tracks[i] == track ? 1u << i : 0;
        add_track(ours, track);
        /* what we send by is what both have, under their identifiers */
        struct description_section agreed = *ours;
        agreed.direction = theirs->direction;
        track_describe(track, &agreed);
    }
    hearer_describe(&client->hearer, ours);
}

bool client_answer(struct client *client, usec now, struct view offer, struct sdp_writer *out)
{
    static struct description theirs;
    static struct description_section sections[SDP_MEDIA_MAX];
    uint32_t placed = 0;
    if (!read(client, now, offer, &theirs))
        return false;
    for (unsigned i = 0; i < theirs.section_count; i++)
        answer_section(client, &theirs.sections[i], &sections[i], &placed);
    struct description_head head =
        head_of(client, client->peer.is_dtls_client ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE);
    write_all(client, &head, sections, theirs.section_count, out);
    return !out->overflow;
}
