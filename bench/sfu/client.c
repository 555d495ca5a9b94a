#include "client.h"

#include "process.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void client_open(struct client *client, struct house *house, struct tally *tally, uint32_t host,
                 const char *name, bool is_offerer)
{
    snprintf(client->name, sizeof client->name, "%s", name);
    peer_open(&client->peer, house, host, is_offerer);
    hearer_init(&client->hearer, &client->peer, tally);
}

void client_close(struct client *client, usec now)
{
    peer_close(&client->peer, now);
    hearer_free(&client->hearer);
    for (unsigned i = 0; i < client->track_count; i++) {
        free(client->tracks[i]->kept);
        free(client->tracks[i]);
    }
    client->track_count = 0;
}

void client_add_track(struct client *client, bool is_video, const struct track_rhythm *rhythm)
{
    struct track *track = malloc(sizeof *track);
    struct track_kept *kept = malloc(TRACK_KEPT * sizeof *kept);
    if (!track || !kept || client->track_count == CLIENT_TRACKS_MAX)
        fail("tracks");
    track_init(track, &client->peer, is_video, rhythm, kept);
    track->transport_cc = &client->transport_cc;
    client->tracks[client->track_count++] = track;
}

/* ---- feedback ---- */

static struct track *find_track(struct client *client, uint32_t ssrc)
{
    for (unsigned i = 0; i < client->track_count; i++)
        if (client->tracks[i]->ssrc == ssrc)
            return client->tracks[i];
    return NULL;
}

static void want_key(struct client *client, uint32_t ssrc)
{
    struct track *track = find_track(client, ssrc);
    if (track) {
        track->wants_key = true;
        track->key_requests++;
    }
}

static void hear_nack(struct client *client, usec now, const struct rtcp_feedback *feedback)
{
    struct track *track = find_track(client, feedback->media_ssrc);
    struct rtcp_nack nack;
    uint16_t number;
    rtcp_nack_begin(feedback, &nack);
    while (track && rtcp_nack_next(&nack, &number))
        track_nack(track, now, number);
}

static void hear_feedback(struct client *client, usec now, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    struct rtcp_fir fir;
    if (rtcp_read_feedback(packet, &feedback) != OK)
        return;
    if (packet->type == RTCP_RTPFB) {
        if (feedback.format == RTCP_NACK)
            hear_nack(client, now, &feedback);
        return;
    }
    if (feedback.format == RTCP_PLI)
        want_key(client, feedback.media_ssrc);
    for (unsigned i = 0; feedback.format == RTCP_FIR && rtcp_fir_at(&feedback, i, &fir); i++)
        want_key(client, fir.ssrc);
}

void client_feed_rtcp(struct client *client, usec now, struct view packet)
{
    struct rtcp_packet part;
    struct rtcp_sr sr;
    while (rtcp_next(&packet, &part) == OK) {
        if (part.type == RTCP_SR && rtcp_read_sr(&part, &sr) == OK)
            hearer_feed_sr(&client->hearer, now, &sr);
        else if (part.type == RTCP_RTPFB || part.type == RTCP_PSFB)
            hear_feedback(client, now, &part);
    }
}

void client_tick(struct client *client, usec now)
{
    peer_tick(&client->peer, now);
    for (unsigned i = 0; i < client->track_count; i++)
        client->hearer.tally->gone_up += track_tick(client->tracks[i], now);
    hearer_tick(&client->hearer, now, client->tracks, client->track_count);
}
