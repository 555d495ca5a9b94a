#include "wire/dependency_descriptor.h"

#include "base/bytes.h"
#include "wire/bits.h"

#include <stdio.h>

#define MANDATORY_SIZE 3

/* A.8.3.2: next_layer_idc */
enum { SAME_LAYER, NEXT_TEMPORAL, NEXT_SPATIAL, NO_MORE_TEMPLATES };

static uint64_t take_indications(struct bits *bits, unsigned target_count)
{
    uint64_t indications = 0;
    for (unsigned target = 0; target < target_count; target++)
        indications |= (uint64_t)bits_take(bits, 2) << (2 * target);
    return indications;
}

static int read_layers(struct bits *bits, struct dd_structure *structure)
{
    uint8_t spatial_id = 0;
    uint8_t temporal_id = 0;
    uint32_t next;
    do {
        if (structure->template_count == DD_TEMPLATES_MAX || spatial_id == DD_SPATIAL_MAX ||
            temporal_id == 8)
            return ERR_LIMIT;
        struct dd_dependencies *template = &structure->templates[structure->template_count++];
        template->spatial_id = spatial_id;
        template->temporal_id = temporal_id;
        next = bits_take(bits, 2);
        if (next == NEXT_TEMPORAL)
            temporal_id++;
        if (next == NEXT_SPATIAL) {
            spatial_id++;
            temporal_id = 0;
        }
    } while (next != NO_MORE_TEMPLATES && !bits->overrun);
    structure->spatial_count = (uint8_t)(spatial_id + 1);
    return OK;
}

static int read_template_fdiffs(struct bits *bits, struct dd_structure *structure)
{
    for (unsigned i = 0; i < structure->template_count; i++) {
        struct dd_dependencies *template = &structure->templates[i];
        while (bits_take_flag(bits)) {
            if (template->fdiff_count == DD_FDIFFS_MAX)
                return ERR_LIMIT;
            template->fdiffs[template->fdiff_count++] = (uint16_t)(bits_take(bits, 4) + 1);
        }
    }
    return OK;
}

static void read_template_chains(struct bits *bits, struct dd_structure *structure)
{
    structure->chain_count = (uint8_t)bits_take_ns(bits, structure->target_count + 1u);
    if (structure->chain_count == 0)
        return;
    for (unsigned target = 0; target < structure->target_count; target++)
        structure->protected_by[target] = (uint8_t)bits_take_ns(bits, structure->chain_count);
    for (unsigned i = 0; i < structure->template_count; i++)
        for (unsigned chain = 0; chain < structure->chain_count; chain++)
            structure->templates[i].chain_fdiffs[chain] = (uint8_t)bits_take(bits, 4);
}

/* A decode target's layers are the highest of the templates that are present in it. */
static void find_target_layers(struct dd_structure *structure)
{
    for (unsigned target = 0; target < structure->target_count; target++) {
        for (unsigned i = 0; i < structure->template_count; i++) {
            const struct dd_dependencies *template = &structure->templates[i];
            if (dd_indication_of(template, target) == DD_NOT_PRESENT)
                continue;
            if (template->spatial_id > structure->target_spatial_ids[target])
                structure->target_spatial_ids[target] = template->spatial_id;
            if (template->temporal_id > structure->target_temporal_ids[target])
                structure->target_temporal_ids[target] = template->temporal_id;
        }
    }
}

/* A.8.3.2: template_dependency_structure().  *structure is all zeros. */
static int read_structure(struct bits *bits, struct dd_structure *structure)
{
    structure->template_id_offset = (uint8_t)bits_take(bits, 6);
    structure->target_count = (uint8_t)(bits_take(bits, 5) + 1);
    int status = read_layers(bits, structure);
    if (status != OK)
        return status;
    for (unsigned i = 0; i < structure->template_count; i++)
        structure->templates[i].indications = take_indications(bits, structure->target_count);
    status = read_template_fdiffs(bits, structure);
    if (status != OK)
        return status;
    read_template_chains(bits, structure);
    find_target_layers(structure);
    structure->has_resolutions = bits_take_flag(bits);
    for (unsigned i = 0; structure->has_resolutions && i < structure->spatial_count; i++) {
        structure->widths[i] = bits_take(bits, 16) + 1;
        structure->heights[i] = bits_take(bits, 16) + 1;
    }
    structure->active_targets = (uint32_t)((1ull << structure->target_count) - 1);
    return bits->overrun ? ERR_MALFORMED : OK;
}

struct custom {
    bool indications;
    bool fdiffs;
    bool chains;
};

static int read_frame_fdiffs(struct bits *bits, struct dd_dependencies *dependencies)
{
    uint32_t nibbles;
    dependencies->fdiff_count = 0;
    while ((nibbles = bits_take(bits, 2)) != 0) {
        if (dependencies->fdiff_count == DD_FDIFFS_MAX)
            return ERR_LIMIT;
        dependencies->fdiffs[dependencies->fdiff_count++] =
            (uint16_t)(bits_take(bits, 4 * nibbles) + 1);
    }
    return OK;
}

/* A.8.3.2: frame_dependency_definition() */
static int read_dependencies(struct bits *bits, const struct dd_structure *structure,
                             struct custom custom, struct dd_frame *frame)
{
    unsigned index = (frame->template_id + 64u - structure->template_id_offset) % 64;
    if (index >= structure->template_count)
        return ERR_NOT_FOUND;
    struct dd_dependencies *dependencies = &frame->dependencies;
    *dependencies = structure->templates[index];
    if (custom.indications)
        dependencies->indications = take_indications(bits, structure->target_count);
    if (custom.fdiffs) {
        int status = read_frame_fdiffs(bits, dependencies);
        if (status != OK)
            return status;
    }
    if (custom.chains)
        for (unsigned chain = 0; chain < structure->chain_count; chain++)
            dependencies->chain_fdiffs[chain] = (uint8_t)bits_take(bits, 8);
    return bits->overrun ? ERR_MALFORMED : OK;
}

/* One that tells a structure: it counts when all of the descriptor is right. */
static int read_with_structure(struct bits *bits, bool has_active, struct custom custom,
                               struct dd_structure *structure, struct dd_frame *frame)
{
    struct dd_structure told = { .frame_number = frame->frame_number };
    int status = read_structure(bits, &told);
    if (status == OK && has_active)
        told.active_targets = bits_take(bits, told.target_count);
    if (status == OK)
        status = read_dependencies(bits, &told, custom, frame);
    if (status == ERR_NOT_FOUND)
        status = ERR_MALFORMED; /* of its own templates */
    if (status == OK)
        *structure = told;
    return status;
}

static int read_without_structure(struct bits *bits, bool has_active, struct custom custom,
                                  struct dd_structure *structure, struct dd_frame *frame)
{
    uint32_t active = structure->active_targets;
    if (structure->template_count == 0)
        return ERR_NOT_FOUND;
    if (has_active)
        active = bits_take(bits, structure->target_count);
    int status = read_dependencies(bits, structure, custom, frame);
    if (status == OK)
        structure->active_targets = active;
    return status;
}

int dd_read(struct view value, struct dd_structure *structure, struct dd_frame *frame)
{
    struct bits bits = bits_of(value);
    struct custom custom = { 0 };
    bool has_structure = false;
    bool has_active = false;
    struct dd_frame read;
    int status;
    if (value.size < MANDATORY_SIZE)
        return ERR_MALFORMED;
    read.start_of_frame = bits_take_flag(&bits);
    read.end_of_frame = bits_take_flag(&bits);
    read.template_id = (uint8_t)bits_take(&bits, 6);
    read.frame_number = (uint16_t)bits_take(&bits, 16);
    if (value.size > MANDATORY_SIZE) {
        has_structure = bits_take_flag(&bits);
        has_active = bits_take_flag(&bits);
        custom.indications = bits_take_flag(&bits);
        custom.fdiffs = bits_take_flag(&bits);
        custom.chains = bits_take_flag(&bits);
    }
    if (has_structure)
        status = read_with_structure(&bits, has_active, custom, structure, &read);
    else
        status = read_without_structure(&bits, has_active, custom, structure, &read);
    if (status != OK)
        return status;
    read.has_structure = has_structure;
    read.has_active = has_structure || has_active;
    *frame = read;
    return OK;
}

void dd_rewrite(uint8_t *value, uint16_t frame_number)
{
    bytes_write_16(value + 1, frame_number);
}

size_t dd_print(const struct dd_structure *structure, const struct dd_frame *frame, char *out,
                size_t capacity)
{
    const struct dd_dependencies *dependencies = &frame->dependencies;
    size_t n = (size_t)snprintf(out, capacity, "dd frame=%u template=%u s%u t%u%s%s%s ",
                                frame->frame_number, frame->template_id, dependencies->spatial_id,
                                dependencies->temporal_id, frame->start_of_frame ? " start" : "",
                                frame->end_of_frame ? " end" : "",
                                frame->has_structure ? " structure" : "");
    for (unsigned target = 0; target < structure->target_count && n < capacity; target++)
        n += (size_t)snprintf(out + n, capacity - n, "%c",
                              "-DSR"[dd_indication_of(dependencies, target)]);
    for (unsigned i = 0; i < dependencies->fdiff_count && n < capacity; i++)
        n += (size_t)snprintf(out + n, capacity - n, " -%u", dependencies->fdiffs[i]);
    if (frame->has_active && n < capacity)
        n += (size_t)snprintf(out + n, capacity - n, " active=%x", structure->active_targets);
    return n < capacity ? n : capacity ? capacity - 1 : 0;
}
