#include "media/link.h"

#include <assert.h>
#include <string.h>

#define COUNT_EACH (1 * USEC_S)
#define PATIENCE   (250 * USEC_MS) /* whoever the track comes from has its own */

/* ---- at the track ---- */

static bool put(struct link_out *out, const struct link_record *record, struct view bytes)
{
    bool is_put = out->way.put(out->way.context, record, bytes);
    out->lost += !is_put;
    return is_put;
}

static bool say(struct link_out *out, struct link_record record)
{
    record.link = out->number;
    return put(out, &record, view_make(NULL, 0));
}

static void tell_clock(struct link_sink *sink, const struct reception *reception)
{
    const struct link_record record = { .kind = LINK_CLOCK,
                                        .encoding = sink->encoding,
                                        .clock = { .ntp = reception->sr_ntp,
                                                   .rtp_timestamp = reception->sr_timestamp } };
    if (reception->has_sr && reception->sr_at != sink->clock_at && say(sink->out, record))
        sink->clock_at = reception->sr_at;
}

/* The packet begins a key frame. */
static void tell_sizes(struct link_sink *sink, const struct layers_meter *meter)
{
    struct link_record record = { .kind = LINK_SIZES, .encoding = sink->encoding };
    memcpy(record.sizes.widths, meter->widths, sizeof record.sizes.widths);
    memcpy(record.sizes.heights, meter->heights, sizeof record.sizes.heights);
    if (memcmp(&record.sizes, &sink->sizes, sizeof sink->sizes) != 0 && say(sink->out, record))
        sink->sizes = record.sizes;
}

static bool take(struct sink *sink, usec now, const struct rtp_stream *stream,
                 const struct packet *packet)
{
    struct link_sink *end = LIST_ENTRY(sink, struct link_sink, sink);
    const struct link_record record = {
        .link = end->out->number, .kind = LINK_PACKET, .encoding = end->encoding, .packet = *packet
    };
    (void)now;
    tell_clock(end, &stream->reception);
    if (packet->begins_key_frame)
        tell_sizes(end, &LIST_ENTRY(stream, struct encoding, stream)->meter);
    (void)put(end->out, &record, view_make(packet_bytes(&stream->ring, packet), packet->size));
    return true;
}

/* Its encoding begins anew, or is no more: aim sees to it. */
static void sink_ended(struct sink *sink)
{
    (void)sink;
}

static const struct sink_kind SINK = { .take = take, .ended = sink_ended };

static void want_key(struct track *track, uint8_t encoding)
{
    key_requests_want(&track->encodings[encoding]->stream.key_requests);
    track->kind->wake(track);
}

static void aim(struct subscriber *subscriber, usec now)
{
    struct link_out *out = LIST_ENTRY(subscriber, struct link_out, subscriber);
    struct track *track = subscriber->track;
    (void)now;
    if (!out->has_told_terms)
        out->has_told_terms =
            say(out, (struct link_record){ .kind = LINK_TERMS, .terms = track->terms });
    for (uint8_t i = 0; i < track->encoding_count && out->has_told_terms; i++) {
        struct encoding *encoding = track->encodings[i];
        struct link_sink *end = &out->sinks[i];
        const struct link_record record = { .kind = LINK_BEGINS,
                                            .encoding = i,
                                            .ssrc = encoding->ssrc };
        if (!encoding->memory || end->sink.stream || !say(out, record))
            continue; /* what finds no room is tried again when it is aimed next */
        end->clock_at = 0;
        end->sizes = (struct link_sizes){ .widths = { 0 } };
        rtp_stream_add_sink(&encoding->stream, &end->sink);
        /* whoever waits there can't ask before something comes, and a screen may be silent */
        if (track->is_video && encoding->stream.pumped > 0)
            want_key(track, i);
    }
}

static void leave_all(struct link_out *out)
{
    for (unsigned i = 0; i < TRACK_ENCODINGS_MAX; i++)
        rtp_stream_remove_sink(&out->sinks[i].sink);
}

static void stop(struct subscriber *subscriber)
{
    struct link_out *out = LIST_ENTRY(subscriber, struct link_out, subscriber);
    leave_all(out);
    out->has_told_terms = false;
}

static void ended(struct subscriber *subscriber, usec now)
{
    struct link_out *out = LIST_ENTRY(subscriber, struct link_out, subscriber);
    (void)now;
    leave_all(out);
    (void)say(out, (struct link_record){ .kind = LINK_ENDED });
}

static struct wanted_use use(const struct subscriber *subscriber)
{
    const struct link_out *out = LIST_ENTRY(subscriber, struct link_out, subscriber);
    return (struct wanted_use){ .wished = out->wants.encodings, .sound_bps = out->wants.sound_bps };
}

static const struct subscriber_kind SUBSCRIBER = { aim, stop, ended, use };

void link_out_open(struct link_out *out, usec now, struct track *track, uint64_t number,
                   const struct link_way *way)
{
    *out = (struct link_out){ .owner = out->owner,
                              .subscriber.kind = &SUBSCRIBER,
                              .way = *way,
                              .number = number,
                              .wants.encodings = WANTED_ALL };
    for (uint8_t i = 0; i < TRACK_ENCODINGS_MAX; i++) {
        out->sinks[i] = (struct link_sink){ .sink.kind = &SINK, .out = out, .encoding = i };
        list_init(&out->sinks[i].sink.node);
    }
    track_subscribe(track, &out->subscriber);
    aim(&out->subscriber, now);
}

void link_out_close(struct link_out *out)
{
    leave_all(out);
    track_unsubscribe(&out->subscriber);
}

void link_out_take(struct link_out *out, const struct link_record *record)
{
    struct track *track = out->subscriber.track;
    assert(link_goes_back(record));
    if (track && record->kind == LINK_WANTS) {
        out->wants = record->wants;
        wanted_look(track);
        return;
    }
    if (!track || record->encoding >= track->encoding_count ||
        !track->encodings[record->encoding]->memory)
        return;
    want_key(track, record->encoding);
}

/* ---- at the other worker ---- */

static void wake(struct track *track)
{
    struct link_in *in = track->source;
    for (uint8_t i = 0; i < track->encoding_count; i++) {
        const struct rtp_stream *stream = &track->encodings[i]->stream;
        const struct link_record record = { .link = in->number,
                                            .kind = LINK_WANTS_KEY,
                                            .encoding = i };
        if (!track->encodings[i]->memory || !stream->key_requests.is_wanted ||
            in->asked_at[i] == *in->now)
            continue;
        if (in->way.put(in->way.context, &record, view_make(NULL, 0)))
            in->asked_at[i] = *in->now;
    }
}

/* Before the other end has said anything, it is not there for certain. */
static bool wanted(struct track *track)
{
    struct link_in *in = track->source;
    const struct link_record record = { .link = in->number,
                                        .kind = LINK_WANTS,
                                        .wants = { .encodings = track->wanted.told,
                                                   .sound_bps = track->wanted.sound_bps } };
    return track->terms.format_count > 0 &&
           in->way.put(in->way.context, &record, view_make(NULL, 0));
}

static const struct track_kind KIND = { .wake = wake, .wanted = wanted, .patience = PATIENCE };

int link_in_open(struct link_in *in, const usec *now, struct tracks *tracks, bool is_video,
                 uint64_t number, const struct link_way *way)
{
    const struct media_terms none = { .format_count = 0 };
    *in = (struct link_in){ .way = *way, .number = number, .now = now };
    in->track = track_open(tracks, &KIND, in, is_video, &none);
    return in->track ? OK : ERR_LIMIT;
}

void link_in_close(struct link_in *in, usec now)
{
    track_close(in->track, now);
    in->track = NULL;
}

/* NULL: there is no room for so many. */
static struct encoding *encoding_at(struct link_in *in, uint8_t number)
{
    struct track *track = in->track;
    struct encoding *encoding;
    while (track->encoding_count <= number)
        if (track_add_encoding(track, 0, 0, view_make(NULL, 0), &encoding) != OK)
            return NULL;
    return track->encodings[number];
}

/* A wish for a key frame that found no room is told again, as long as it is one. */
static void ask_again(struct link_in *in, usec now, const struct link_record *record)
{
    const struct encoding *encoding = in->track->encodings[record->encoding];
    if (encoding->stream.key_requests.is_wanted &&
        now - in->asked_at[record->encoding] >= KEY_REQUEST_EACH)
        wake(in->track);
}

static void take_packet(struct link_in *in, usec now, struct encoding *encoding,
                        const struct link_record *record, struct view bytes)
{
    if (record->packet.format >= in->track->terms.format_count ||
        encoding_store(encoding, now, &record->packet, bytes) != OK)
        return; /* its terms were lost on the way; or there is no memory */
    missing_forget(&encoding->stream.missing); /* nothing comes twice by this way */
    ask_again(in, now, record);
    if (now - in->track->counted_at < COUNT_EACH)
        return;
    track_count(in->track, now);
    track_aim(in->track, now);
}

static void take_sizes(struct encoding *encoding, const struct link_sizes *sizes)
{
    for (unsigned i = 0; i < LAYERS_SPATIAL; i++)
        if (sizes->widths[i] && sizes->heights[i])
            layers_set_size(&encoding->meter, i, sizes->widths[i], sizes->heights[i]);
    wanted_look(encoding->track);
}

static void take_of_encoding(struct link_in *in, usec now, const struct link_record *record,
                             struct view bytes)
{
    struct encoding *encoding = encoding_at(in, record->encoding);
    if (!encoding)
        return;
    if (record->kind == LINK_BEGINS)
        encoding_restart(encoding, record->ssrc);
    else if (record->kind == LINK_PACKET)
        take_packet(in, now, encoding, record, bytes);
    else if (record->kind == LINK_SIZES)
        take_sizes(encoding, &record->sizes);
    else if (encoding->memory)
        reception_sr(&encoding->stream.reception, now, &record->clock);
}

void link_in_take(struct link_in *in, usec now, const struct link_record *record, struct view bytes)
{
    switch (record->kind) {
    case LINK_TERMS:
        in->track->terms = record->terms;
        wanted_look(in->track);
        track_stop(in->track);
        track_aim(in->track, now);
        break;
    case LINK_ENDED:
        in->has_ended = true;
        break;
    default:
        take_of_encoding(in, now, record, bytes);
        break;
    }
}
