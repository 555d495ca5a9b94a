#include "media/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/payload.h"

/* An encoding's ring grows until what came within that time is there: what is asked for again after
 * it comes too late to be shown. */
#define KEPT          USEC_S
#define BYTES_LEAST   ((uint32_t)16 * 1024)  /* of any; doubled */
#define BYTES_MOST    ((uint32_t)512 * 1024) /* 4 Mbit/s for that time */
#define PACKETS_LEAST 32
#define PACKETS_MOST  512

/* One that is better by less than this part is not worth the key frame that going over to it
 * costs. */
#define WORTH_IT 4

int tracks_init(struct tracks *tracks, uint32_t tracks_max, struct metrics *metrics)
{
    *tracks = (struct tracks){ .metrics = metrics, .waiting_until = USEC_NEVER };
    list_init(&tracks->pumping);
    list_init(&tracks->unsettled);
    list_init(&tracks->waiting);
    int status = pool_init(&tracks->tracks, sizeof(struct track), tracks_max);
    if (status != OK)
        return status;
    status =
        pool_init(&tracks->encodings, sizeof(struct encoding), tracks_max * TRACK_ENCODINGS_MAX);
    if (status != OK)
        pool_free(&tracks->tracks);
    return status;
}

void tracks_free(struct tracks *tracks)
{
    assert(tracks->tracks.used == 0 && tracks->encodings.used == 0);
    pool_free(&tracks->encodings);
    pool_free(&tracks->tracks);
}

struct track *track_open(struct tracks *tracks, const struct track_kind *kind, void *source,
                         bool is_video, const struct media_terms *terms)
{
    struct track *track = pool_take(&tracks->tracks);
    if (!track)
        return NULL;
    track->kind = kind;
    track->source = source;
    track->tracks = tracks;
    track->is_video = is_video;
    track->terms = *terms;
    list_init(&track->subscribers);
    wanted_begin(track);
    metrics_add(tracks->metrics, METRIC_MEDIA_TRACKS, 1);
    return track;
}

static void drop_stream(struct encoding *encoding)
{
    if (encoding->memory)
        rtp_stream_end(&encoding->stream);
    free(encoding->memory);
    free(encoding->reader.structure);
    encoding->memory = NULL;
    encoding->reader.structure = NULL;
}

/* ---- subscribers ---- */

static struct subscriber *subscriber_at(const struct list *node)
{
    return LIST_ENTRY(node, struct subscriber, node);
}

void track_subscribe(struct track *track, struct subscriber *subscriber)
{
    assert(!subscriber->track);
    subscriber->track = track;
    list_append(&track->subscribers, &subscriber->node);
    track->subscriber_count++;
    wanted_look(track);
}

void track_unsubscribe(struct subscriber *subscriber)
{
    if (!subscriber->track)
        return;
    subscriber->track->subscriber_count--;
    wanted_look(subscriber->track);
    subscriber->track = NULL;
    list_remove(&subscriber->node);
}

void track_aim(struct track *track, usec now)
{
    for (const struct list *node = track->subscribers.next; node != &track->subscribers;
         node = node->next)
        subscriber_at(node)->kind->aim(subscriber_at(node), now);
}

void track_stop(struct track *track)
{
    for (const struct list *node = track->subscribers.next; node != &track->subscribers;
         node = node->next)
        subscriber_at(node)->kind->stop(subscriber_at(node));
}

void track_close(struct track *track, usec now)
{
    while (!list_empty(&track->subscribers)) {
        struct subscriber *subscriber = subscriber_at(track->subscribers.next);
        track_unsubscribe(subscriber);
        subscriber->kind->ended(subscriber, now);
    }
    for (unsigned i = 0; i < track->encoding_count; i++) {
        drop_stream(track->encodings[i]);
        pool_give(&track->tracks->encodings, track->encodings[i]);
    }
    wanted_end(track);
    metrics_subtract(track->tracks->metrics, METRIC_MEDIA_TRACKS, 1);
    pool_give(&track->tracks->tracks, track);
}

/* ---- encodings ---- */

int track_add_encoding(struct track *track, uint32_t ssrc, uint32_t rtx_ssrc, struct view rid,
                       struct encoding **out)
{
    struct encoding *encoding = NULL;
    if (track->encoding_count < TRACK_ENCODINGS_MAX)
        encoding = pool_take(&track->tracks->encodings);
    if (!encoding)
        return ERR_LIMIT;
    assert(rid.size <= sizeof encoding->rid);
    encoding->track = track;
    encoding->ssrc = ssrc;
    encoding->rtx_ssrc = rtx_ssrc;
    encoding->rid_size = (uint8_t)rid.size;
    if (rid.size > 0)
        memcpy(encoding->rid, rid.at, rid.size);
    track->encodings[track->encoding_count++] = encoding;
    *out = encoding;
    return OK;
}

static void note_former(struct encoding *encoding, uint32_t ssrc)
{
    encoding->former[encoding->former_count++ % ENCODING_FORMER_MAX] = ssrc;
}

void encoding_restart(struct encoding *encoding, uint32_t ssrc)
{
    drop_stream(encoding);
    note_former(encoding, encoding->ssrc);
    encoding->ssrc = ssrc;
    encoding->key_frames = encoding->key_asks = encoding->nacks = encoding->lost_most = 0;
    encoding->heard_at = 0;
    encoding->apart = 0;
    encoding->behind = 0;
    encoding->has_stopped = false;
    encoding->loss = 0;
    encoding->counted = 0;
    encoding->bps = 0;
    encoding->meter = (struct layers_meter){ 0 };
    encoding->reader = (struct layer_reader){ 0 };
}

void encoding_set_rtx(struct encoding *encoding, uint32_t ssrc)
{
    if (encoding->rtx_ssrc == ssrc)
        return;
    note_former(encoding, encoding->rtx_ssrc);
    encoding->rtx_ssrc = ssrc;
}

bool encoding_is_former(const struct encoding *encoding, uint32_t ssrc)
{
    for (unsigned i = 0; i < ENCODING_FORMER_MAX; i++)
        if (encoding->former[i] == ssrc)
            return true;
    return false;
}

static void *ring_memory(uint32_t size, uint32_t count)
{
    return aligned_alloc(64, (packet_ring_memory(size, count) + 63) / 64 * 64);
}

static int begin_stream(struct encoding *encoding, uint32_t clock_rate)
{
    bool has_descriptors = encoding->track->terms.extensions[RTP_EXTENSION_DEPENDENCY_DESCRIPTOR];
    struct dd_structure *structure = NULL;
    void *memory = ring_memory(BYTES_LEAST, PACKETS_LEAST);
    if (!memory || (has_descriptors && !(structure = calloc(1, sizeof *structure)))) {
        free(memory);
        return ERR_MEMORY;
    }
    encoding->memory = memory;
    encoding->reader.structure = structure;
    rtp_stream_init(&encoding->stream, memory, BYTES_LEAST, PACKETS_LEAST, clock_rate,
                    encoding->track->is_video);
    encoding->stream.ssrc = encoding->ssrc;
    return OK;
}

/* Where there is no memory for more, what is older gives way. */
static void make_room(struct encoding *encoding, usec now, size_t bytes)
{
    struct packet_ring *ring = &encoding->stream.ring;
    uint32_t size, count;
    if (!packet_ring_wants(ring, now, KEPT, bytes, BYTES_MOST, PACKETS_MOST, &size, &count))
        return;
    void *memory = ring_memory(size, count);
    if (!memory)
        return;
    packet_ring_move(ring, memory, size, count);
    free(encoding->memory);
    encoding->memory = memory;
}

/* ---- packets ---- */

uint8_t track_format(const struct track *track, uint8_t payload_type, bool *is_rtx)
{
    for (uint8_t i = 0; i < track->terms.format_count; i++) {
        const struct media_format *format = &track->terms.formats[i];
        *is_rtx = format->rtx == payload_type;
        if (*is_rtx || format->payload_type == payload_type)
            return i;
    }
    *is_rtx = false;
    return TRACK_NO_FORMAT;
}

/* Whether its sender has stopped an encoding is seen by the others going on.  A picture of this one
 * begins.  True: another one is found to have stopped. */
static bool note_picture(struct encoding *encoding, usec now)
{
    const struct track *track = encoding->track;
    usec apart = encoding->heard_at ? now - encoding->heard_at : 0;
    usec before = encoding->apart - encoding->apart / 16;
    bool has_any = false;
    encoding->apart = apart > before && apart < TRACK_SILENCE ? apart : before;
    for (unsigned i = 0; i < track->encoding_count; i++) {
        struct encoding *other = track->encodings[i];
        if (other == encoding || !encoding_is_heard(other, now))
            continue;
        other->behind++;
        other->has_stopped = other->behind >= TRACK_STOPPED_PICTURES &&
                             now - other->heard_at >= TRACK_STOPPED &&
                             now - other->heard_at >= 2 * other->apart;
        has_any |= other->has_stopped;
    }
    return has_any;
}

/* By something new: what was lost before and comes late does not say that it goes on. */
static void heard(struct encoding *encoding, usec now)
{
    encoding->heard_at = now;
    encoding->behind = 0;
    encoding->has_stopped = false;
}

int encoding_store(struct encoding *encoding, usec now, const struct packet *packet,
                   struct view bytes)
{
    struct track *track = encoding->track;
    enum payload_codec codec = track->terms.formats[packet->format].codec;
    bool has_changed = !encoding_is_heard(encoding, now);
    bool needs_key;
    int status = encoding->memory ? OK : begin_stream(encoding, payload_clock(codec));
    uint64_t highest = encoding->stream.unwrapper.highest;
    encoding->stream.is_mute = track->voice && track->voice->of && !track->voice->is_loud;
    if (status != OK)
        return status;
    make_room(encoding, now, bytes.size);
    status = rtp_stream_feed(&encoding->stream, now, packet, bytes, &needs_key);
    if (status != OK)
        return status;
    if (needs_key)
        key_requests_want(&encoding->stream.key_requests);
    layers_measure(&encoding->meter, now, packet, bytes.size);
    if (list_empty(&encoding->stream.pumping))
        list_append(&track->tracks->pumping, &encoding->stream.pumping);
    if (packet->begins_picture)
        has_changed |= note_picture(encoding, now);
    if (encoding->stream.unwrapper.highest != highest)
        heard(encoding, now);
    if (has_changed && encoding_is_heard(encoding, now))
        track_aim(track, now);
    return OK;
}

int encoding_feed(struct encoding *encoding, usec now, const struct rtp_packet *rtp,
                  struct view bytes)
{
    struct packet packet = { .rtp = *rtp };
    const struct track *track = encoding->track;
    bool is_rtx;
    packet.format = track_format(track, rtp->payload_type, &is_rtx);
    if (packet.format == TRACK_NO_FORMAT || is_rtx)
        return ERR_NOT_FOUND;
    enum payload_codec codec = track->terms.formats[packet.format].codec;
    struct view descriptor = view_make(NULL, 0);
    uint8_t id = track->terms.extensions[RTP_EXTENSION_DEPENDENCY_DESCRIPTOR];
    if (id > 0)
        (void)rtp_extension_value(rtp, bytes.at, id, &descriptor);
    int status = encoding->memory ? OK : begin_stream(encoding, payload_clock(codec));
    if (status == OK)
        status = layer_reader_read(&encoding->reader, &encoding->meter, codec, bytes, descriptor,
                                   &packet);
    if (status == OK)
        status = encoding_store(encoding, now, &packet, bytes);
    if (status == OK && packet.begins_key_frame) {
        encoding->key_frames++;
        wanted_look(encoding->track); /* its pictures may have another size */
    }
    return status;
}

/* ---- which one ---- */

bool encoding_is_heard(const struct encoding *encoding, usec now)
{
    return encoding->memory && encoding->stream.ring.arrived > 0 && !encoding->has_stopped &&
           now - encoding->heard_at < TRACK_SILENCE;
}

bool encoding_is_resting(const struct encoding *encoding, usec now)
{
    unsigned index = 0;
    while (encoding->track->encodings[index] != encoding)
        index++;
    return !wanted_has(&encoding->track->wanted, index) && !encoding_is_heard(encoding, now);
}

void track_count(struct track *track, usec now)
{
    usec time = now - track->counted_at;
    for (unsigned i = 0; i < track->encoding_count && time > 0; i++) {
        struct encoding *encoding = track->encodings[i];
        uint64_t bytes = encoding->memory ? encoding->stream.reception.bytes : 0;
        encoding->bps = (bytes - encoding->counted) * 8 * USEC_S / time;
        encoding->counted = bytes;
    }
    track->counted_at = now;
}

/* NULL: it is none of the track's. */
static struct encoding *find_stream(const struct track *track, const struct rtp_stream *stream)
{
    for (unsigned i = 0; i < track->encoding_count; i++)
        if (track->encodings[i]->memory && &track->encodings[i]->stream == stream)
            return track->encodings[i];
    return NULL;
}

static struct encoding *heard_last(const struct track *track)
{
    struct encoding *last = NULL;
    for (unsigned i = 0; i < track->encoding_count; i++) {
        struct encoding *encoding = track->encodings[i];
        if (encoding->memory && encoding->stream.ring.arrived > 0 &&
            (!last || encoding->heard_at > last->heard_at))
            last = encoding;
    }
    return last;
}

struct encoding *track_best(const struct track *track, usec now, const struct rtp_stream *current)
{
    struct encoding *best = NULL;
    for (unsigned i = 0; i < track->encoding_count; i++) {
        struct encoding *encoding = track->encodings[i];
        if (encoding_is_heard(encoding, now) && (!best || encoding->bps > best->bps))
            best = encoding;
    }
    struct encoding *own = find_stream(track, current);
    if (!best)
        return own ? own : heard_last(track);
    if (own && encoding_is_heard(own, now) && best->bps < own->bps + own->bps / WORTH_IT)
        return own;
    return best;
}
