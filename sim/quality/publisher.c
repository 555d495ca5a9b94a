#include "quality/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "wire/rtcp_feedback.h"

#define PACE      2.5 /* times its rate: what a browser's pacer sends at most */
#define PACE_STEP ((double)WORLD_STEP / USEC_S / 8)
#define KEY_SIZE  5.0 /* times a mean frame */
#define KEY_DEBT  0.2 /* of a frame, until a key frame is paid for */

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* ---- packets ---- */

#define HEADER_SIZE 24

/* A header with the transport-wide number, and the level of sound, before a payload of that size;
 * gives its own. */
static size_t put_header(struct publisher *publisher, uint8_t *out, uint8_t type, uint16_t number,
                         uint32_t timestamp, uint32_t ssrc, size_t payload_size)
{
    uint16_t cc = uplink_sent(&publisher->uplink, publisher->end.world->now,
                              HEADER_SIZE + payload_size + WORLD_SEALED);
    out[0] = 0x90;
    out[1] = type;
    out[2] = (uint8_t)(number >> 8);
    out[3] = (uint8_t)number;
    put32(out + 4, timestamp);
    put32(out + 8, ssrc);
    memcpy(out + 12, "\xbe\xde\0\2", 4);
    out[16] = MODEL_CC_ID << 4 | 1;
    out[17] = (uint8_t)(cc >> 8);
    out[18] = (uint8_t)cc;
    out[19] = MODEL_LEVEL_ID << 4;
    out[20] = publisher->is_speaking ? 0x80 | 25 : 127;
    memset(out + 21, 0, 3);
    return HEADER_SIZE;
}

static void send_video(struct publisher *publisher, struct publisher_encoding *encoding,
                       const struct publisher_packet *packet, bool is_rtx)
{
    uint8_t out[NETEM_PACKET_MAX] = { 0 };
    uint16_t number = is_rtx ? encoding->rtx_number++ : packet->number;
    uint8_t type = is_rtx ? MODEL_VIDEO_RTX : MODEL_VIDEO;
    bool is_last = packet->model.index + 1 == packet->model.count;
    size_t at = put_header(publisher, out, (uint8_t)(type | (is_last ? 0x80 : 0)), number,
                           packet->timestamp, encoding->ssrc + is_rtx, packet->size + 2u * is_rtx);
    if (is_rtx) {
        out[at++] = (uint8_t)(packet->number >> 8);
        out[at++] = (uint8_t)packet->number;
    }
    model_write(&packet->model, out + at);
    end_send(&publisher->end, view_make(out, at + packet->size));
    publisher->sent_bytes += at + packet->size + WORLD_SEALED + WORLD_OVERHEAD;
    encoding->sent_packets += !is_rtx;
    encoding->sent_bytes += is_rtx ? 0 : packet->size;
}

/* Bytes of a packet of Opus. */
static size_t sound_size(const struct publisher *publisher)
{
    uint32_t bps = publisher->audio->receiving->wanted.sound_bps;
    size_t size = (size_t)(bps * MODEL_SOUND_EACH / USEC_S / 8);
    return publisher->obeys && bps > 0 && size < MODEL_SOUND_SIZE ? size : MODEL_SOUND_SIZE;
}

static void send_sound(struct publisher *publisher)
{
    uint8_t out[NETEM_PACKET_MAX] = { 0 };
    size_t size = sound_size(publisher);
    uint32_t timestamp = (uint32_t)(publisher->sound_at * 48 / 1000);
    size_t at = put_header(publisher, out, MODEL_SOUND, publisher->audio_number++, timestamp,
                           publisher->audio_ssrc, size);
    out[at] = 0x78;
    end_send(&publisher->end, view_make(out, at + size));
    publisher->sent_bytes += at + size + WORLD_SEALED + WORLD_OVERHEAD;
    publisher->audio_packets++;
}

/* ---- frames ---- */

static void queue(struct publisher *publisher, uint8_t which, uint16_t number, bool is_rtx)
{
    if (publisher->queue_count == PUBLISHER_QUEUE)
        return; /* an uplink that is far too slow */
    uint32_t at = (publisher->queue_first + publisher->queue_count++) % PUBLISHER_QUEUE;
    publisher->queue[at].encoding = which;
    publisher->queue[at].number = number;
    publisher->queue[at].is_rtx = is_rtx;
}

/* The size of a frame as an encoder makes it: by its layer, a fifth more or less, and less as long
 * as a key frame is not paid for. */
static double frame_size(struct publisher *publisher, struct publisher_encoding *encoding,
                         const struct model *model)
{
    double mean = encoding->bps / 8.0 / MODEL_FPS;
    double noise = 0.8 + chance_pick(&publisher->end.world->chance, 401) / 1000.0;
    if (model->is_key) {
        encoding->debt += (KEY_SIZE - 1) * mean;
        return KEY_SIZE * mean;
    }
    double size = mean * (model->temporal == 0 ? 1.6 : 0.8) * noise;
    double paid = encoding->debt < KEY_DEBT * size ? encoding->debt : KEY_DEBT * size;
    encoding->debt -= paid;
    return size - paid;
}

static struct model next_frame(struct publisher *publisher, struct publisher_encoding *encoding)
{
    static const uint8_t LAYERS[] = { 0, 2, 1, 2 };
    struct model model = { .encoding = (uint8_t)(encoding - publisher->encodings),
                           .is_key = encoding->wants_key || encoding->frame == 0,
                           .frame = ++encoding->frame,
                           .captured = (uint32_t)(publisher->frame_at / 100) };
    encoding->phase = (uint8_t)((encoding->phase + 1u) % 4);
    if (model.is_key)
        encoding->phase = 0;
    encoding->wants_key = false;
    model.temporal = LAYERS[encoding->phase];
    model.is_sync = encoding->phase == 1 || encoding->phase == 2;
    model.reference = encoding->phase == 3 ? encoding->middle : encoding->base;
    if (model.is_key)
        model.reference = model.frame;
    if (model.temporal == 0) {
        encoding->base = model.frame;
        encoding->tl0picidx++;
    } else if (model.temporal == 1) {
        encoding->middle = model.frame;
    }
    model.picture_id = encoding->picture_id = (encoding->picture_id + 1) & 0x7fff;
    model.tl0picidx = encoding->tl0picidx;
    encoding->key_frames += model.is_key;
    return model;
}

static void make_frame(struct publisher *publisher, struct publisher_encoding *encoding)
{
    struct model model = next_frame(publisher, encoding);
    double size = frame_size(publisher, encoding, &model);
    model.count = (uint16_t)(1 + (unsigned)(size / MODEL_PAYLOAD_MAX));
    unsigned each = (unsigned)(size / model.count);
    for (; model.index < model.count; model.index++) {
        uint16_t number = encoding->number++;
        encoding->history[number % PUBLISHER_HISTORY] =
            (struct publisher_packet){ .model = model,
                                       .timestamp = (uint32_t)(publisher->frame_at * 90 / 1000),
                                       .number = number,
                                       .size = (uint16_t)(each < MODEL_HEAD ? MODEL_HEAD : each) };
        queue(publisher, model.encoding, number, false);
    }
}

/* What is sent again is no more than all that may be sent, over a second. */
static void pace(struct publisher *publisher)
{
    double rate = (double)bwe_target_bps(&publisher->uplink.bwe);
    publisher->credit += PACE * rate * PACE_STEP;
    publisher->rtx_credit += rate * PACE_STEP;
    if (publisher->rtx_credit > rate / 8)
        publisher->rtx_credit = rate / 8;
    if (publisher->queue_count == 0)
        publisher->credit = 0;
    while (publisher->queue_count > 0 && publisher->credit > 0) {
        uint32_t at = publisher->queue_first;
        struct publisher_encoding *encoding = &publisher->encodings[publisher->queue[at].encoding];
        const struct publisher_packet *packet =
            &encoding->history[publisher->queue[at].number % PUBLISHER_HISTORY];
        bool is_rtx = publisher->queue[at].is_rtx;
        publisher->queue_first = (at + 1) % PUBLISHER_QUEUE;
        publisher->queue_count--;
        send_video(publisher, encoding, packet, is_rtx);
        if (is_rtx)
            uplink_repeated(&publisher->uplink, packet->size);
        publisher->credit -= packet->size;
    }
}

/* What the line is thought to take. */
static void obey(struct publisher *publisher)
{
    for (unsigned i = 0; i < MODEL_ENCODINGS && publisher->obeys && publisher->has_video; i++)
        publisher->uplink.is_wanted[i] = wanted_has(&publisher->video->receiving->wanted, i);
    uplink_turn(&publisher->uplink, publisher->end.world->now);
    for (unsigned i = 0; i < MODEL_ENCODINGS && publisher->has_video; i++) {
        struct publisher_encoding *encoding = &publisher->encodings[i];
        if (encoding->bps == 0 && publisher->uplink.rates[i])
            encoding->wants_key = true;
        encoding->bps = publisher->uplink.rates[i];
    }
}

/* Probes: what was sent last is sent again. */
static void pad(struct publisher *publisher)
{
    struct publisher_encoding *encoding = &publisher->encodings[0];
    const struct publisher_packet *packet =
        &encoding->history[(uint16_t)(encoding->number - 1) % PUBLISHER_HISTORY];
    while (publisher->has_video && packet->size > 0 &&
           uplink_wants_padding(&publisher->uplink, publisher->end.world->now))
        send_video(publisher, encoding, packet, true);
}

/* ---- RTCP ---- */

static struct rtcp_sr report_of(const struct publisher *publisher, uint32_t ssrc, uint32_t rate,
                                uint32_t packets, uint32_t bytes)
{
    uint64_t now = publisher->end.world->now;
    return (struct rtcp_sr){ .ssrc = ssrc,
                             .ntp = now / USEC_S << 32 | (now % USEC_S << 32) / USEC_S,
                             .rtp_timestamp = (uint32_t)(now * rate / 1000),
                             .packet_count = packets,
                             .octet_count = bytes };
}

static void tell_clock(struct publisher *publisher)
{
    uint8_t bytes[400];
    struct rtcp_writer writer;
    struct rtcp_sr sr = report_of(publisher, publisher->audio_ssrc, 48, publisher->audio_packets,
                                  publisher->audio_packets * MODEL_SOUND_SIZE);
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_sr(&writer, &sr, NULL, 0);
    for (unsigned i = 0; i < MODEL_ENCODINGS && publisher->has_video; i++) {
        const struct publisher_encoding *encoding = &publisher->encodings[i];
        sr = report_of(publisher, encoding->ssrc, 90, encoding->sent_packets, encoding->sent_bytes);
        if (encoding->bps)
            rtcp_add_sr(&writer, &sr, NULL, 0);
    }
    end_send(&publisher->end, view_make(bytes, writer.size));
}

static void hear_nack(struct publisher *publisher, struct publisher_encoding *encoding,
                      const struct rtcp_feedback *feedback)
{
    struct rtcp_nack nack;
    uint16_t number;
    usec now = publisher->end.world->now;
    rtcp_nack_begin(feedback, &nack);
    while (rtcp_nack_next(&nack, &number)) {
        struct publisher_packet *packet = &encoding->history[number % PUBLISHER_HISTORY];
        if (packet->size == 0 || packet->number != number ||
            now < packet->repeated_at + publisher->uplink.bwe.round_trip ||
            publisher->rtx_credit < packet->size)
            continue;
        packet->repeated_at = now;
        publisher->rtx_credit -= packet->size;
        queue(publisher, packet->model.encoding, number, true);
    }
}

static void hear(struct end *end, usec at, struct view bytes)
{
    struct publisher *publisher = (struct publisher *)(void *)end;
    struct rtcp_packet one;
    struct rtcp_feedback feedback;
    (void)at;
    if (!rtp_is_rtcp(bytes))
        return;
    while (rtcp_next(&bytes, &one) == OK) {
        if ((one.type != RTCP_RTPFB && one.type != RTCP_PSFB) ||
            rtcp_read_feedback(&one, &feedback) != OK)
            continue;
        for (unsigned i = 0; i < MODEL_ENCODINGS; i++) {
            struct publisher_encoding *encoding = &publisher->encodings[i];
            if (feedback.media_ssrc != encoding->ssrc)
                continue;
            if (one.type == RTCP_RTPFB && feedback.format == RTCP_NACK)
                hear_nack(publisher, encoding, &feedback);
            if (one.type == RTCP_PSFB && feedback.format == RTCP_PLI)
                encoding->wants_key = true;
        }
        if (one.type == RTCP_RTPFB && feedback.format == RTCP_TRANSPORT_CC)
            uplink_feedback(&publisher->uplink, end->world->now, &feedback);
    }
}

/* ---- its course ---- */

static void publish(struct publisher *publisher, bool is_video)
{
    struct world *world = publisher->end.world;
    struct peer_receiving receiving = { .is_video = is_video };
    model_terms(is_video, &receiving.terms);
    if (is_video) {
        receiving.encoding_count = MODEL_ENCODINGS;
        for (unsigned i = 0; i < MODEL_ENCODINGS; i++) {
            receiving.encodings[i].ssrc = publisher->encodings[i].ssrc;
            receiving.encodings[i].rtx_ssrc = publisher->encodings[i].ssrc + 1;
        }
    } else {
        receiving.encoding_count = 1;
        receiving.encodings[0].ssrc = publisher->audio_ssrc;
    }
    if (peer_receive(publisher->end.peer, world->now, &receiving,
                     is_video ? &publisher->video : &publisher->audio) != OK)
        abort();
}

void publisher_join(struct publisher *publisher, struct world *world, bool has_video,
                    const struct netem_script *up, const struct netem_script *down)
{
    memset(publisher, 0, sizeof *publisher);
    world_add(world, &publisher->end, up, down);
    publisher->end.hear = hear;
    uplink_init(&publisher->uplink, world->now);
    publisher->has_video = has_video;
    publisher->audio_ssrc = 1000u * (publisher->end.number + 1u);
    publisher->audio_number = (uint16_t)(1 + chance_pick(&world->chance, 30000));
    for (unsigned i = 0; i < MODEL_ENCODINGS && has_video; i++) {
        struct publisher_encoding *encoding = &publisher->encodings[i];
        encoding->ssrc = publisher->audio_ssrc + 10 * (i + 1);
        encoding->bps = publisher->uplink.rates[i];
        encoding->number = (uint16_t)(1 + chance_pick(&world->chance, 30000));
        encoding->rtx_number = 1;
        encoding->picture_id = (uint16_t)chance_pick(&world->chance, 0x8000);
    }
    publisher->frame_at = world->now + chance_pick(&world->chance, (uint32_t)MODEL_FRAME_EACH);
    publisher->sound_at = world->now + chance_pick(&world->chance, (uint32_t)MODEL_SOUND_EACH);
    publisher->report_at = world->now;
    publish(publisher, false);
    if (has_video)
        publish(publisher, true);
}

void publisher_turn(struct publisher *publisher)
{
    usec now = publisher->end.world->now;
    if (now >= publisher->sound_at) {
        send_sound(publisher);
        publisher->sound_at += MODEL_SOUND_EACH;
    }
    if (publisher->has_video && now >= publisher->frame_at) {
        for (unsigned i = 0; i < MODEL_ENCODINGS; i++)
            if (publisher->encodings[i].bps)
                make_frame(publisher, &publisher->encodings[i]);
        publisher->frame_at += MODEL_FRAME_EACH;
    }
    obey(publisher);
    pace(publisher);
    pad(publisher);
    if (now >= publisher->report_at) {
        tell_clock(publisher);
        publisher->report_at += USEC_S;
    }
}
