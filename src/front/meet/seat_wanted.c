/* Which of the encodings that a member publishes nobody has use for: it is told, and need not send
 * them; and the bitrate that is enough of its sound. */
#include "front/meet/seat.h"
#include "front/meet/stage.h"

#include <assert.h>
#include <string.h>

#define WANTED_MAX ((size_t)2048) /* bytes of the list: four tracks of TRACK_ENCODINGS_MAX rids */

static bool has_any(const struct track *track)
{
    bool has = track->encoding_count == 0;
    for (unsigned i = 0; i < track->encoding_count; i++)
        has |= wanted_has(&track->wanted, i);
    return has;
}

static bool has_all(const struct track *track)
{
    bool has = track->wanted.sound_bps == 0;
    for (unsigned i = 0; i < track->encoding_count; i++)
        has &= wanted_has(&track->wanted, i);
    return has;
}

static void write_track(struct json_writer *writer, const struct transceiver *transceiver)
{
    const struct track *track = transceiver->receiving;
    bool is_on = has_any(track);
    json_open(writer, '{');
    json_key(writer, "mid");
    json_string(writer, transceiver_mid(transceiver));
    json_key(writer, "on");
    json_bool(writer, is_on);
    if (is_on) {
        json_key(writer, "off");
        json_open(writer, '[');
        for (unsigned i = 0; i < track->encoding_count; i++) {
            const struct encoding *encoding = track->encodings[i];
            if (!wanted_has(&track->wanted, i) && encoding->rid_size > 0)
                json_string(writer, view_make(encoding->rid, encoding->rid_size));
        }
        json_close(writer, ']');
    }
    if (track->wanted.sound_bps > 0) {
        json_key(writer, "bps");
        json_number(writer, track->wanted.sound_bps);
    }
    json_close(writer, '}');
}

/* Those that are not wanted whole. */
static void write_list(const struct peer *peer, struct json_writer *writer)
{
    json_open(writer, '[');
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (at->receiving && !has_all(at->receiving))
            write_track(writer, at);
    json_close(writer, ']');
}

void seat_tell_wanted(const struct seat *seat, usec now, struct view wanted)
{
    seat_tell_tracks(seat, now, "sfu-wanted", wanted);
}

void seat_wanted(struct server *server, usec now, struct peer *peer)
{
    struct seat *seat = peer->owner;
    char text[WANTED_MAX];
    struct json_writer writer = json_writer_make(text, sizeof text);
    if (peer->state != PEER_CONNECTED)
        return; /* it sends nothing yet */
    write_list(peer, &writer);
    assert(!writer.overflow);
    bool is_empty = json_written(&writer).size == strlen("[]");
    uint64_t told = siphash(json_written(&writer), server->config.room_secret) | 1;
    if (told == seat->told_wanted || (is_empty && seat->told_wanted == 0))
        return;
    seat->told_wanted = told;
    if (seat->stage)
        stage_tell_wanted(seat, json_written(&writer));
    else
        seat_tell_wanted(seat, now, json_written(&writer));
}
