/* A seat where its peer is: offers and answers. */
#include "front/meet/seat.h"

#include "media/sfu.h"

#include <stdio.h>
#include <string.h>

int seat_open_peer(struct seat *seat, usec now, struct data_circle *circle)
{
    struct server *server = seat->server;
    const struct peer_config config = { .owner = seat, .policy = &media_policy, .may_join = true };
    int status = peer_open(server->sfu, now, &config, &seat->peer);
    if (status == OK && seat->permissions & TOKEN_SUBSCRIBE)
        peer_join_circle(seat->peer, now, circle, seat->permissions & TOKEN_PUBLISH);
    return status;
}

struct view seat_reason(const struct peer *peer)
{
    switch (peer->end) {
    case RTC_END_CLOSED:
    case RTC_END_BY_PEER:
        return VIEW("closed");
    case RTC_END_NO_CONSENT:
        return VIEW("lost");
    default:
        return VIEW("failed");
    }
}

struct view seat_source_of(const struct peer *peer, const struct track *track)
{
    const struct seat *seat = peer->owner;
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        if (seat->tracks[i] == track)
            return view_of(seat_source_kinds[i].name);
    return view_make(NULL, 0);
}

/* ---- an offer ---- */

/* The n-th of a kind, in one stream with the n-th of the other. */
static void name_slot(struct seat *seat, struct transceiver *slot)
{
    char stream[16];
    char track[16];
    uint32_t number = ++seat->named[slot->is_video];
    snprintf(stream, sizeof stream, "slot%u", (unsigned)number);
    snprintf(track, sizeof track, "%c%u", slot->is_video ? 'v' : 'a', (unsigned)number);
    transceiver_announce(slot, view_of(stream), view_of(track));
}

/* What is received of the member, and what will be sent to it. */
static void arrange(struct seat *seat, usec now, const struct seat_offer *offer)
{
    struct negotiation *negotiation = &seat->peer->negotiation;
    uint8_t permissions = seat->permissions;
    struct transceiver *at = NULL;
    while ((at = peer_next(seat->peer, at)) != NULL) {
        const struct negotiation_section *section = negotiation_find_owner(negotiation, at);
        bool is_named = false;
        for (unsigned i = 0; section && i < SEAT_SOURCES; i++)
            is_named |= seat_source_kinds[i].is_video == at->is_video &&
                        view_equal(offer->mids[i], view_make(section->mid, section->mid_size));
        if (at->receiving && !(is_named && permissions & TOKEN_PUBLISH))
            transceiver_refuse(at, now);
        if (section && section->direction == SDP_SENDONLY && permissions & TOKEN_SUBSCRIBE &&
            !at->is_announced && seat->named[at->is_video] < SEAT_KIND_MAX[at->is_video])
            name_slot(seat, at);
    }
}

static void note_tracks(struct seat *seat, const struct seat_offer *offer)
{
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        const struct transceiver *from =
            offer->mids[i].size ? peer_find_mid(seat->peer, offer->mids[i]) : NULL;
        bool is_right = from && from->is_video == seat_source_kinds[i].is_video;
        struct track *track = is_right ? from->receiving : NULL;
        if (track && !track->owner) {
            track->owner = seat; /* it is a new one, also where the former lay */
            seat->serials[i] = ++seat->last_serial;
        }
        seat->tracks[i] = track;
        if (track && i == SEAT_MICROPHONE)
            track->voice = &seat->voice;
    }
}

/* Gives the answer in a buffer of the server's: ERR_LIMIT, it is longer than a message may be;
 * ERR_MEMORY. */
static int write_answer(struct seat *seat, usec now, struct buffer **out)
{
    struct buffers *buffers = seat->server->buffers;
    struct buffer *buffer;
    size_t size;
    int status = buffers_take(buffers, MEET_SDP_MAX, &buffer);
    if (status != OK)
        return ERR_MEMORY;
    struct span room = { buffer->bytes, MEET_SDP_MAX };
    status = peer_write_answer(seat->peer, now, room, &size);
    if (status == OK) {
        buffer->size = (uint32_t)size;
        if (!meet_fits(seat->server, buffer_view(buffer)))
            status = ERR_LIMIT;
    }
    if (status == OK)
        *out = buffer;
    else
        buffer_give(buffers, buffer);
    return status;
}

static void refuse(struct note_refused *refused, const char *code, const char *words)
{
    *refused = (struct note_refused){ .is_over = false };
    snprintf(refused->code, sizeof refused->code, "%s", code);
    snprintf(refused->words, sizeof refused->words, "%s", words);
}

static void refuse_sdp(struct note_refused *refused, const struct description_error *error)
{
    char where[40] = "";
    refuse(refused, "bad-sdp", "");
    if (error->line)
        snprintf(where, sizeof where, "line %u: ", (unsigned)error->line);
    else if (error->section != DESCRIPTION_WHOLE)
        snprintf(where, sizeof where, "section %u: ", (unsigned)error->section);
    snprintf(refused->words, sizeof refused->words, "%s%s", where, error->what);
}

int seat_take_offer(struct seat *seat, usec now, const struct seat_offer *offer,
                    struct buffer **answer, struct note_refused *refused)
{
    struct description_error error;
    int status = peer_take_offer(seat->peer, now, offer->sdp, &error);
    if (status != OK) {
        if (status == ERR_MEMORY)
            refuse(refused, "sfu-full", "the server has no memory for it");
        else
            refuse_sdp(refused, &error);
        refused->is_over = offer->is_new; /* nothing has come of it */
        return status;
    }
    arrange(seat, now, offer);
    status = write_answer(seat, now, answer);
    if (status == OK) {
        note_tracks(seat, offer);
        return OK;
    }
    if (status == ERR_LIMIT)
        refuse(refused, "bad-sdp", "its answer would be too long: offer less");
    else
        refuse(refused, "sfu-full", "the server has no memory for the answer");
    refused->is_over = refused->is_told = true;
    return status;
}
