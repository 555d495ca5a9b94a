#include "structure.h"

#include <assert.h>
#include <string.h>

static unsigned temporal_of(const struct structure *structure)
{
    static const uint8_t OF_THREE[] = { 0, 2, 1, 2 };
    if (structure->temporal_count == 3)
        return OF_THREE[structure->since_key % 4];
    return structure->temporal_count == 2 ? structure->since_key % 2 : 0;
}

static int slot_of(const struct structure *structure, unsigned spatial, unsigned temporal)
{
    unsigned slot = temporal * structure->spatial_count + spatial;
    return slot < SLOTS ? (int)slot : NO_SLOT;
}

bool frame_is_for(const struct structure *structure, const struct frame *frame, unsigned spatial,
                  unsigned temporal)
{
    if (frame->temporal > temporal || frame->spatial > spatial)
        return false;
    return !structure->is_key_mode || frame->is_key || frame->spatial == spatial;
}

static enum dd_indication indication_of(const struct structure *structure,
                                        const struct frame *frame, unsigned spatial,
                                        unsigned temporal)
{
    if (!frame_is_for(structure, frame, spatial, temporal))
        return DD_NOT_PRESENT;
    if (frame->is_key)
        return DD_SWITCH;
    if (frame->spatial < spatial)
        return DD_REQUIRED;
    return temporal == frame->temporal && temporal > 0 ? DD_DISCARDABLE : DD_SWITCH;
}

static void add_fdiff(struct dd_dependencies *dependencies, uint16_t number, uint16_t to)
{
    dependencies->fdiffs[dependencies->fdiff_count++] = (uint16_t)(number - to);
}

/* What the frame depends on, and who depends on it, by numbers; then it is one that others do. */
static void depend(struct structure *structure, struct frame *frame)
{
    struct dd_dependencies *dependencies = &frame->dependencies;
    *dependencies =
        (struct dd_dependencies){ .spatial_id = frame->spatial, .temporal_id = frame->temporal };
    if (frame->lower_slot != NO_SLOT)
        add_fdiff(dependencies, frame->number, (uint16_t)(frame->number - 1));
    if (frame->own_slot != NO_SLOT)
        add_fdiff(dependencies, frame->number, structure->slots[frame->own_slot]);
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        if (frame->begins_key)
            structure->has_chain[i] = false;
        if (structure->has_chain[i])
            dependencies->chain_fdiffs[i] = (uint8_t)(frame->number - structure->chains[i]);
        for (unsigned t = 0; t < structure->temporal_count; t++)
            dependencies->indications |= (uint64_t)indication_of(structure, frame, i, t)
                                         << 2 * (i * structure->temporal_count + t);
    }
    for (unsigned i = 0; i < structure->spatial_count; i++)
        if (frame->temporal == 0 && frame_is_for(structure, frame, i, 0)) {
            structure->chains[i] = frame->number;
            structure->has_chain[i] = true;
        }
    if (frame->begins_key)
        for (unsigned i = 0; i < SLOTS; i++)
            structure->slots[i] = frame->number;
    if (frame->update_slot != NO_SLOT)
        structure->slots[frame->update_slot] = frame->number;
}

static void describe(const struct structure *structure, unsigned spatial, bool is_key,
                     struct frame *frame)
{
    unsigned temporal = temporal_of(structure);
    bool has_lower = spatial > 0 && (is_key || !structure->is_key_mode);
    bool is_top = spatial + 1u == structure->spatial_count;
    /* the second frame of the highest rate has one of the middle one behind it */
    unsigned base = structure->temporal_count == 3 && structure->since_key % 4 == 3 ? 1 : 0;
    *frame = (struct frame){ .spatial = (uint8_t)spatial,
                             .temporal = (uint8_t)temporal,
                             .is_key = is_key,
                             .begins_key = is_key && spatial == 0,
                             .is_sync = temporal > 0 && base == 0,
                             .own_slot = NO_SLOT,
                             .lower_slot = NO_SLOT,
                             .update_slot = NO_SLOT };
    frame->is_upper_reference = !is_top && (is_key || !structure->is_key_mode);
    if (!is_key)
        frame->own_slot = slot_of(structure, spatial, base);
    if (has_lower)
        frame->lower_slot = slot_of(structure, spatial - 1, temporal);
    if (temporal + 1u < structure->temporal_count || temporal == 0 || frame->is_upper_reference)
        frame->update_slot = slot_of(structure, spatial, temporal);
}

static bool is_same(const struct dd_dependencies *a, const struct dd_dependencies *b)
{
    return a->spatial_id == b->spatial_id && a->temporal_id == b->temporal_id &&
           a->fdiff_count == b->fdiff_count && a->indications == b->indications &&
           memcmp(a->fdiffs, b->fdiffs, sizeof a->fdiffs) == 0 &&
           memcmp(a->chain_fdiffs, b->chain_fdiffs, sizeof a->chain_fdiffs) == 0;
}

static void next(struct structure *structure, bool is_key, struct frame *frames)
{
    if (is_key)
        structure->since_key = 0;
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        describe(structure, i, is_key, &frames[i]);
        frames[i].number = structure->number++;
        depend(structure, &frames[i]);
    }
    structure->since_key++;
}

/* Templates stand by layers. */
static void add_template(struct dd_structure *told, const struct dd_dependencies *new)
{
    unsigned at = 0;
    for (unsigned i = 0; i < told->template_count; i++)
        if (is_same(&told->templates[i], new))
            return;
    while (at < told->template_count &&
           told->templates[at].spatial_id * 8 + told->templates[at].temporal_id <=
               new->spatial_id * 8 + new->temporal_id)
        at++;
    assert(told->template_count < DD_TEMPLATES_MAX);
    memmove(&told->templates[at + 1], &told->templates[at],
            (told->template_count - at) * sizeof *new);
    told->templates[at] = *new;
    told->template_count++;
}

void structure_init(struct structure *structure, unsigned spatial_count, unsigned temporal_count,
                    bool is_key_mode, uint16_t number)
{
    struct frame frames[SPATIAL_MAX];
    *structure = (struct structure){ .spatial_count = (uint8_t)spatial_count,
                                     .temporal_count = (uint8_t)temporal_count,
                                     .is_key_mode = is_key_mode };
    /* all kinds of frames that there are, as they come */
    for (unsigned i = 0; i < 13; i++) {
        next(structure, i == 0, frames);
        for (unsigned k = 0; k < spatial_count; k++)
            add_template(&structure->told, &frames[k].dependencies);
    }
    structure->told.target_count = (uint8_t)(spatial_count * temporal_count);
    structure->told.chain_count = (uint8_t)spatial_count;
    structure->number = number;
}

void structure_next(struct structure *structure, bool is_key, struct frame *frames)
{
    next(structure, is_key, frames);
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        unsigned at = 0;
        while (!is_same(&structure->told.templates[at], &frames[i].dependencies))
            assert(++at < structure->told.template_count);
        frames[i].template_id = (uint8_t)at;
    }
}

/* ---- bits ---- */

struct writer {
    uint8_t *at;
    size_t capacity; /* in bits */
    size_t written;
};

static void put(struct writer *writer, uint32_t value, unsigned count)
{
    assert(writer->written + count <= writer->capacity);
    while (count-- > 0) {
        uint8_t bit = (uint8_t)(0x80 >> writer->written % 8);
        uint8_t *byte = &writer->at[writer->written++ / 8];
        *byte = value >> count & 1 ? *byte | bit : *byte & (uint8_t)~bit;
    }
}

/* ns(n): AV1, section 4.10.7. */
static void put_ns(struct writer *writer, uint32_t value, uint32_t most)
{
    unsigned width = 0;
    for (uint32_t x = most; x; x >>= 1)
        width++;
    uint32_t short_ones = (1u << width) - most;
    if (value < short_ones)
        put(writer, value, width - 1);
    else
        put(writer, value + short_ones, width);
}

static void put_layers(struct writer *writer, const struct dd_structure *told)
{
    for (unsigned i = 0; i < told->template_count; i++) {
        const struct dd_dependencies *at = &told->templates[i], *after = at + 1;
        if (i + 1u == told->template_count)
            put(writer, 3, 2);
        else if (after->spatial_id != at->spatial_id)
            put(writer, 2, 2);
        else
            put(writer, after->temporal_id != at->temporal_id, 2);
    }
}

static void put_structure(struct writer *writer, const struct structure *structure)
{
    const struct dd_structure *told = &structure->told;
    put(writer, 0, 6);
    put(writer, told->target_count - 1u, 5);
    put_layers(writer, told);
    for (unsigned i = 0; i < told->template_count; i++)
        for (unsigned k = 0; k < told->target_count; k++)
            put(writer, dd_indication_of(&told->templates[i], k), 2);
    for (unsigned i = 0; i < told->template_count; i++) {
        for (unsigned k = 0; k < told->templates[i].fdiff_count; k++) {
            put(writer, 1, 1);
            put(writer, told->templates[i].fdiffs[k] - 1u, 4);
        }
        put(writer, 0, 1);
    }
    put_ns(writer, told->chain_count, told->target_count + 1u);
    for (unsigned i = 0; i < told->target_count; i++)
        put_ns(writer, i / structure->temporal_count, told->chain_count);
    for (unsigned i = 0; i < told->template_count; i++)
        for (unsigned k = 0; k < told->chain_count; k++)
            put(writer, told->templates[i].chain_fdiffs[k], 4);
    put(writer, 1, 1); /* resolutions */
    for (unsigned i = 0; i < structure->spatial_count; i++) {
        put(writer, structure->widths[i] - 1u, 16);
        put(writer, structure->heights[i] - 1u, 16);
    }
}

size_t structure_write(const struct structure *structure, const struct frame *frame, bool is_first,
                       bool is_last, uint8_t *out, size_t capacity)
{
    struct writer writer = { .at = out, .capacity = capacity * 8 };
    put(&writer, is_first, 1);
    put(&writer, is_last, 1);
    put(&writer, frame->template_id, 6);
    put(&writer, frame->number, 16);
    if (frame->begins_key && is_first) {
        put(&writer, 0x10, 5);
        put_structure(&writer, structure);
    }
    size_t size = (writer.written + 7) / 8;
    put(&writer, 0, (unsigned)(size * 8 - writer.written));
    return size;
}
