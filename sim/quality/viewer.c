#include "quality/viewer.h"

#include <stdlib.h>
#include <string.h>

#include "wire/payload_audio.h"
#include "wire/rtcp_feedback.h"

#define NACK_ROUND_TRIP (100 * USEC_MS) /* receivers don't know it, and take this */
#define KEY_ASK_EACH    (500 * USEC_MS)
#define REPORT_EACH     (1 * USEC_S)
#define OURS            77 /* SSRC */

/* ---- RTP ---- */

static struct viewer_stream *find(struct viewer *viewer, uint32_t ssrc, bool *is_rtx)
{
    for (unsigned i = 0; i < viewer->stream_count; i++) {
        const struct sender_config *config = &viewer->streams[i].transceiver->sender.config;
        *is_rtx = viewer->streams[i].is_video && config->rtx_ssrc == ssrc;
        if (*is_rtx || config->ssrc == ssrc)
            return &viewer->streams[i];
    }
    return NULL;
}

static void note_cc(struct viewer *viewer, usec at, const struct rtp_packet *rtp,
                    const uint8_t *bytes)
{
    struct view value;
    struct rtp_transport_cc cc;
    if (rtp_extension_value(rtp, bytes, MODEL_CC_ID, &value) &&
        rtp_read_transport_cc(value, &cc) == OK)
        arrivals_note(&viewer->arrivals, at, cc.sequence_number);
}

static void hear_sound(struct viewer *viewer, usec at, struct viewer_stream *stream,
                       struct view payload)
{
    struct opus opus;
    if (opus_read(payload, &opus) != OK)
        return chance_fail(&viewer->end.world->chance, at, "no Opus");
    if (stream->heard_at > 0 && at - stream->heard_at > stream->longest_gap)
        stream->longest_gap = at - stream->heard_at;
    stream->heard_at = at;
    stream->frames += opus.frame_count;
}

static void hear_rtp(struct viewer *viewer, usec at, struct view bytes)
{
    struct rtp_packet rtp;
    bool is_rtx;
    if (rtp_read(bytes, &rtp) != OK)
        return chance_fail(&viewer->end.world->chance, at, "no RTP");
    struct viewer_stream *stream = find(viewer, rtp.ssrc, &is_rtx);
    struct view payload = rtp_payload(&rtp, bytes.at);
    note_cc(viewer, at, &rtp, bytes.at);
    viewer->padding += payload.size == 0;
    if (!stream)
        return chance_fail(&viewer->end.world->chance, at, "a stream of nobody");
    uint16_t number = rtp.sequence_number;
    if (is_rtx) {
        if (payload.size < 2 || stream->first == 0)
            return; /* padding */
        number = (uint16_t)(payload.at[0] << 8 | payload.at[1]);
        payload = view_slice(payload, 2, payload.size);
        viewer->repeated++;
    }
    uint64_t sequence = rtp_unwrap_sequence(&stream->unwrapper, number);
    stream->first = stream->first ? stream->first : sequence;
    if (!is_rtx)
        reception_packet(&stream->reception, at, sequence, rtp.timestamp, payload.size);
    stream->packets++;
    if (!stream->is_video)
        return hear_sound(viewer, at, stream, payload);
    if (!missing_arrived(&stream->missing, at, sequence))
        stream->wants_key = true;
    if (!decoder_hear(stream->decoder, at, sequence, payload))
        chance_fail(&viewer->end.world->chance, at, "a payload that nobody sent");
}

static void hear(struct end *end, usec at, struct view bytes)
{
    struct viewer *viewer = (struct viewer *)(void *)end;
    viewer->received_bytes += bytes.size + WORLD_OVERHEAD + WORLD_SEALED;
    if (!rtp_is_rtcp(bytes))
        hear_rtp(viewer, at, bytes);
}

/* ---- RTCP ---- */

static void ask(struct viewer *viewer, struct viewer_stream *stream, struct rtcp_writer *writer)
{
    uint16_t numbers[128];
    usec now = viewer->end.world->now;
    bool gave_up = false;
    uint32_t ssrc = stream->transceiver->sender.config.ssrc;
    uint32_t count = missing_due(&stream->missing, now, NACK_ROUND_TRIP, numbers, 128, &gave_up);
    decoder_turn(stream->decoder, now);
    if (gave_up)
        stream->wants_key = true;
    if (count)
        stream->asked += rtcp_add_nack(writer, OURS, ssrc, numbers, count);
    if (stream->wants_key) {
        decoder_give_up(stream->decoder);
        missing_forget(&stream->missing); /* a key frame makes do without them */
    }
    stream->wants_key = false;
    if (stream->first == 0 || !decoder_wants_key(stream->decoder) ||
        now < stream->key_asked_at + KEY_ASK_EACH)
        return;
    rtcp_add_pli(writer, OURS, ssrc);
    stream->key_asks++;
    stream->key_asked_at = now;
}

static void report(struct viewer *viewer, struct rtcp_writer *writer)
{
    struct rtcp_report reports[RTCP_REPORTS_MAX];
    unsigned count = 0;
    usec now = viewer->end.world->now;
    for (unsigned i = 0; i < viewer->stream_count && count < RTCP_REPORTS_MAX; i++) {
        struct viewer_stream *stream = &viewer->streams[i];
        if (stream->reception.has_begun)
            reports[count++] =
                reception_report(&stream->reception, now, stream->transceiver->sender.config.ssrc);
    }
    rtcp_add_rr(writer, OURS, reports, count);
}

static void say(struct viewer *viewer)
{
    uint8_t bytes[1300];
    struct rtcp_writer writer;
    usec now = viewer->end.world->now;
    rtcp_begin(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < viewer->stream_count; i++)
        if (viewer->streams[i].is_video)
            ask(viewer, &viewer->streams[i], &writer);
    if (now >= viewer->report_at) {
        report(viewer, &writer);
        viewer->report_at = now + REPORT_EACH;
    }
    if (writer.size > 0)
        end_send(&viewer->end, view_make(bytes, writer.size));
    while (arrivals_until(&viewer->arrivals) <= now) {
        rtcp_begin(&writer, bytes, sizeof bytes);
        if (!arrivals_write(&viewer->arrivals, now, OURS, OURS, &writer))
            break;
        end_send(&viewer->end, view_make(bytes, writer.size));
    }
}

void viewer_turn(struct viewer *viewer)
{
    say(viewer);
}

/* ---- its course ---- */

void viewer_join(struct viewer *viewer, struct world *world, const struct netem_script *up,
                 const struct netem_script *down)
{
    memset(viewer, 0, sizeof *viewer);
    world_add(world, &viewer->end, up, down);
    viewer->end.hear = hear;
    viewer->report_at = world->now + chance_pick(&world->chance, (uint32_t)REPORT_EACH);
}

void viewer_free(struct viewer *viewer)
{
    for (unsigned i = 0; i < viewer->stream_count; i++)
        free(viewer->streams[i].decoder);
    viewer->stream_count = 0;
}

struct viewer_stream *viewer_watch(struct viewer *viewer, struct track *track)
{
    struct world *world = viewer->end.world;
    struct viewer_stream *stream = &viewer->streams[viewer->stream_count];
    struct media_terms terms;
    if (viewer->stream_count == VIEWER_STREAMS_MAX)
        abort();
    viewer->stream_count++;
    model_terms(track->is_video, &terms);
    *stream = (struct viewer_stream){ .is_video = track->is_video,
                                      .reception.clock_rate = track->is_video ? 90000 : 48000 };
    if (track->is_video && !(stream->decoder = calloc(1, sizeof *stream->decoder)))
        abort();
    if (peer_send(viewer->end.peer, world->now, track->is_video, &terms, &stream->transceiver) !=
            OK ||
        transceiver_subscribe(stream->transceiver, world->now, track) != OK)
        abort();
    world_pump(world);
    return stream;
}
