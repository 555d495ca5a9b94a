#include "quality/decoder.h"

#include <string.h>

#define BUFFER_FALL 0.01 /* of the difference, a picture */
#define FREEZE_MIN  (150 * USEC_MS)
#define MEAN_WEIGHT (1.0 / 30)
#define FRAME_EACH  ((double)USEC_S / MODEL_FPS)
#define BUFFER_MAX  (2.0 * USEC_S)

static struct decoder_packet *packet_of(struct decoder *decoder, uint64_t sequence)
{
    struct decoder_packet *packet = &decoder->packets[sequence % DECODER_PACKETS];
    return packet->sequence == sequence ? packet : NULL;
}

/* ---- pictures ---- */

static double freeze_threshold(const struct decoder *decoder)
{
    double mean = decoder->frame_each > 0 ? decoder->frame_each : FRAME_EACH;
    double longer = mean + FREEZE_MIN;
    return 3 * mean > longer ? 3 * mean : longer;
}

static void note_gap(struct decoder *decoder, usec shown_at)
{
    double gap = (double)(shown_at - decoder->shown_at);
    if (gap > freeze_threshold(decoder)) {
        decoder->frozen += (usec)gap;
        decoder->frozen_from = decoder->shown_at;
        decoder->frozen_to = shown_at;
        if ((usec)gap > decoder->frozen_most)
            decoder->frozen_most = (usec)gap;
    } else if (decoder->frame_each > 0) {
        decoder->frame_each += (gap - decoder->frame_each) * MEAN_WEIGHT;
    } else {
        decoder->frame_each = gap;
    }
}

/* The buffer grows at once, and shrinks slowly. */
static void show(struct decoder *decoder, usec now, const struct model *model)
{
    double late = (double)now - 100.0 * model->captured;
    if (late > decoder->buffer)
        decoder->buffer = late;
    else
        decoder->buffer -= (decoder->buffer - late) * BUFFER_FALL;
    if (decoder->buffer > late + BUFFER_MAX)
        decoder->buffer = late + BUFFER_MAX;
    usec at = (usec)(100.0 * model->captured + decoder->buffer);
    at = at > now ? at : now;
    if (decoder->shown_at && at > decoder->shown_at)
        note_gap(decoder, at);
    decoder->shown_at = at > decoder->shown_at ? at : decoder->shown_at;
    decoder->shown++;
}

/* ---- frames ---- */

static bool is_decodable(const struct decoder *decoder, const struct model *model)
{
    if (model->is_key)
        return true;
    return model->encoding == decoder->encoding &&
           decoder->decoded[model->reference % DECODER_FRAMES] == model->reference;
}

/* Whether a frame that begins there has come whole. */
static bool is_whole(struct decoder *decoder, uint64_t first, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        const struct decoder_packet *packet = packet_of(decoder, first + i);
        if (!packet || packet->is_padding)
            return false;
    }
    return true;
}

static bool belongs_together(struct decoder *decoder, uint64_t first, const struct model *model)
{
    for (uint16_t i = 0; i < model->count; i++) {
        const struct model *other = &packet_of(decoder, first + i)->model;
        if (other->index != i || other->frame != model->frame || other->encoding != model->encoding)
            return false;
    }
    return true;
}

static void decode(struct decoder *decoder, usec now, const struct model *model, bool is_next)
{
    if (model->is_key) {
        memset(decoder->decoded, 0, sizeof decoder->decoded);
        decoder->key_frames++;
        decoder->has_skipped = false;
    }
    decoder->switches += decoder->has_picture && decoder->encoding != model->encoding;
    decoder->jumps += decoder->has_picture && is_next &&
                      model->picture_id != ((decoder->picture_id + 1) & 0x7fff);
    decoder->decoded[model->frame % DECODER_FRAMES] = model->frame;
    decoder->encoding = model->encoding;
    decoder->temporal = model->temporal;
    decoder->picture_id = model->picture_id;
    decoder->has_picture = true;
    show(decoder, now, model);
}

/* The frame that is next is not sent to its end, for a key frame begins there: a switch, which need
 * not wait for what of the frame is missing. */
static bool is_cut(struct decoder *decoder, const struct model *model)
{
    for (uint16_t i = 1; i < model->count; i++) {
        const struct decoder_packet *packet = packet_of(decoder, decoder->next + i);
        if (!packet || packet->is_padding)
            return false;
        if (packet->model.frame == model->frame && packet->model.encoding == model->encoding)
            continue;
        if (!packet->model.is_key || packet->model.index != 0)
            return false;
        decoder->next += i;
        decoder->cut++;
        return true;
    }
    return false;
}

/* The next frame, if it is there.  False: it is not, or can't be decoded. */
static bool go_on(struct decoder *decoder, usec now)
{
    const struct decoder_packet *packet = decoder->next ? packet_of(decoder, decoder->next) : NULL;
    if (!packet)
        return false;
    if (packet->is_padding) {
        decoder->next++;
        return true;
    }
    const struct model *model = &packet->model;
    if (is_cut(decoder, model))
        return true;
    if (!is_whole(decoder, decoder->next, model->count))
        return false;
    bool is_frame = model->index == 0 && belongs_together(decoder, decoder->next, model);
    if (is_frame && decoder->has_skipped && model->temporal > 0 && !is_decodable(decoder, model)) {
        decoder->next += model->count; /* it refers to what was skipped */
        return true;
    }
    if (!is_frame || !is_decodable(decoder, model)) {
        decoder->corrupt += !(is_frame && decoder->has_skipped);
        decoder->after = decoder->next;
        decoder->next = 0;
        return false;
    }
    decode(decoder, now, model, true);
    decoder->next += model->count;
    decoder->stuck_at = 0;
    return true;
}

/* Goes on behind what is missing, with a key frame, or with whatever can be decoded. */
static bool skip(struct decoder *decoder, usec now, bool with_key_alone)
{
    uint64_t from = (decoder->next ? decoder->next : decoder->after) + 1;
    if (from + DECODER_PACKETS <= decoder->highest)
        from = decoder->highest - DECODER_PACKETS + 1;
    for (; from <= decoder->highest; from++) {
        const struct decoder_packet *packet = packet_of(decoder, from);
        if (!packet || packet->is_padding || packet->model.index != 0)
            continue;
        const struct model *model = &packet->model;
        if ((with_key_alone && !model->is_key) || !is_decodable(decoder, model) ||
            !is_whole(decoder, from, model->count) || !belongs_together(decoder, from, model))
            continue;
        decoder->skipped += decoder->next != 0;
        decoder->has_skipped = true;
        decode(decoder, now, model, false);
        decoder->next = from + model->count;
        decoder->stuck_at = 0;
        return true;
    }
    return false;
}

static void decode_all(struct decoder *decoder, usec now)
{
    do {
        while (go_on(decoder, now))
            continue;
    } while ((decoder->next == 0 || decoder->next <= decoder->highest) && skip(decoder, now, true));
    if (decoder->next && decoder->next <= decoder->highest && decoder->stuck_at == 0)
        decoder->stuck_at = now;
}

/* ---- what comes ---- */

bool decoder_hear(struct decoder *decoder, usec at, uint64_t sequence, struct view payload)
{
    struct decoder_packet *packet = &decoder->packets[sequence % DECODER_PACKETS];
    struct model model = { 0 };
    if (payload.size > 0 && !model_read(payload, &model))
        return false;
    if (packet->sequence >= sequence || sequence + DECODER_PACKETS <= decoder->highest)
        return true;
    *packet = (struct decoder_packet){
        .sequence = sequence, .model = model, .is_padding = payload.size == 0, .at = at
    };
    if (decoder->highest == 0)
        decoder->after = sequence - 1;
    if (sequence > decoder->highest)
        decoder->highest = sequence;
    decode_all(decoder, at);
    return true;
}

void decoder_turn(struct decoder *decoder, usec now)
{
    if (decoder->stuck_at && now > decoder->stuck_at + DECODER_PATIENCE &&
        skip(decoder, now, false))
        decode_all(decoder, now);
}

void decoder_give_up(struct decoder *decoder)
{
    if (decoder->next == 0)
        return;
    decoder->after = decoder->next;
    decoder->next = 0;
    decoder->stuck_at = 0;
}

usec decoder_frozen(const struct decoder *decoder, usec now)
{
    if (decoder->shown_at == 0 || now <= decoder->shown_at)
        return 0;
    usec gap = now - decoder->shown_at;
    return (double)gap > freeze_threshold(decoder) ? gap : 0;
}

void decoder_rest(struct decoder *decoder)
{
    decoder->shown_at = 0;
    decoder->frame_each = 0;
}
