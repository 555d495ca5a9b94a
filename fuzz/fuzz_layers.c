/* Packets of any bytes, of one stream, with whatever layers they say that they have: which ones go
 * on, and as what.
 *
 * The first byte says which codec; then packets, each of a byte of choices, one of what is wanted,
 * one of how far its number is from the last, and the sizes of its descriptor and its payload. */
#include "media/layer_reader.h"
#include "media/pictures.h"
#include "media/renumbering.h"
#include "media/selection.h"

#include "input.h"

#define PAYLOAD_MAX 64
#define KEPT        16

struct kept {
    struct packet packet;
    uint8_t bytes[12 + PAYLOAD_MAX];
    uint8_t own[PICTURES_OWN_MAX];
    size_t own_size;
    uint64_t number;
    bool is_there;
};

struct state {
    struct dd_structure structure;
    struct layer_reader reader;
    struct layers_meter meter;
    struct selection selection;
    struct renumbering numbers;
    struct pictures pictures;
    struct kept kept[KEPT]; /* that went on */
    unsigned count;
    uint64_t sequence;
    uint64_t highest; /* ours */
    bool has_begun;
};

static struct view payload_of(const struct kept *kept)
{
    return rtp_payload(&kept->packet.rtp, kept->bytes);
}

/* What went on before goes on as the same when it is sent again. */
static void check_again(const struct state *state)
{
    for (unsigned i = 0; i < KEPT; i++) {
        const struct kept *kept = &state->kept[i];
        uint8_t own[PICTURES_OWN_MAX];
        uint64_t number, sequence;
        bool is_last;
        if (!kept->is_there || !renumbering_out(&state->numbers, kept->packet.sequence, &number))
            continue;
        CHECK(number == kept->number && number <= state->highest);
        CHECK(renumbering_in(&state->numbers, number, &sequence));
        CHECK(sequence == kept->packet.sequence);
        CHECK(selection_of(&state->selection, &kept->packet, &is_last) != SELECTION_STAYS);
        if (kept->packet.picture_id_bits > 0)
            continue; /* a stream whose ids jump may leave the window of those that are known */
        /* as it was, or with the same bytes in the place of its own */
        size_t size = pictures_write(&state->pictures, &kept->packet, payload_of(kept), own);
        const uint8_t *went = kept->own_size ? kept->own : kept->bytes + 12;
        CHECK(size <= kept->packet.rtp.payload_size && size >= kept->own_size);
        CHECK(memcmp(own, went, size) == 0);
    }
}

static void begin(struct state *state, const struct packet *packet)
{
    renumbering_begin(&state->numbers, packet->sequence - 1, state->highest);
    selection_begin(&state->selection, packet->sequence);
    pictures_begin(&state->pictures, packet);
    memset(state->kept, 0, sizeof state->kept);
    state->has_begun = true;
}

static void go(struct state *state, struct kept *next)
{
    const struct packet *packet = &next->packet;
    bool is_last;
    bool has_gap = packet->sequence - state->numbers.in > 1;
    uint64_t before = state->numbers.out, missing = packet->sequence - state->numbers.in - 1;
    unsigned temporal = state->selection.at % LAYERS_TEMPORAL;
    bool goes = selection_next(&state->selection, packet, has_gap);
    renumbering_add(&state->numbers, packet->sequence, goes);
    pictures_next(&state->pictures, packet, goes, temporal);
    CHECK(state->numbers.out == before + missing + goes);
    state->highest = state->numbers.out;
    CHECK((selection_of(&state->selection, packet, &is_last) == SELECTION_GOES) == goes);
    if (!goes || !pictures_have(&state->pictures, packet))
        return;
    next->number = state->numbers.out;
    next->own_size = pictures_write(&state->pictures, packet, payload_of(next), next->own);
    CHECK(next->own_size <= PICTURES_OWN_MAX && next->own_size <= packet->rtp.payload_size);
    next->is_there = true;
    state->kept[state->count++ % KEPT] = *next;
}

static void take(struct state *state, enum payload_codec codec, struct view *input)
{
    struct kept next = { .is_there = false };
    uint8_t choice = input_byte(input), wanted = input_byte(input), step = input_byte(input);
    struct span descriptor = input_copy(input_take(input, input_byte(input) & 63));
    struct view payload = input_take(input, input_byte(input) % PAYLOAD_MAX);
    memcpy(next.bytes + 12, payload.at ? payload.at : next.bytes, payload.size);
    state->sequence += step >> 7 ? step : step & 3;
    next.packet.sequence = state->sequence;
    next.packet.rtp =
        (struct rtp_packet){ .header_size = 12,
                             .payload_size = (uint16_t)payload.size,
                             .marker = choice & 1,
                             .timestamp = (uint32_t)state->sequence * 100 * (choice >> 1 & 3) };
    int status = layer_reader_read(&state->reader, &state->meter, codec,
                                   view_make(next.bytes, 12 + payload.size),
                                   view_of_span(descriptor), &next.packet);
    free(descriptor.at);
    if (status != OK)
        return;
    CHECK((next.packet.needed & ~next.packet.targets) == 0);
    layers_measure(&state->meter, state->sequence * 1000, &next.packet, payload.size + 12);
    if (choice & 8)
        selection_want(&state->selection, wanted & 7, wanted >> 3 & 7);
    if (next.packet.begins_key_frame && (!state->has_begun || choice & 16))
        begin(state, &next.packet);
    if (state->has_begun && next.packet.sequence > state->numbers.in)
        go(state, &next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum payload_codec CODECS[] = { PAYLOAD_VP8, PAYLOAD_VP9, PAYLOAD_AV1,
                                                 PAYLOAD_H264, PAYLOAD_H265 };
    static struct state state;
    struct view input = view_make(data, size);
    enum payload_codec codec = CODECS[input_byte(&input) % 5];
    memset(&state, 0, sizeof state);
    state.sequence = 1 << 20;
    state.highest = 0x10000;
    state.reader.structure = &state.structure;
    while (input.size > 0) {
        take(&state, codec, &input);
        check_again(&state);
    }
    return 0;
}
