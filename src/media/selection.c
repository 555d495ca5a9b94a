#include "media/selection.h"

#define ROW    0xfu
#define COLUMN 0x1111u

static unsigned bit(unsigned target)
{
    return 1u << target;
}

static void change(struct selection *selection, uint64_t sequence, uint8_t target)
{
    uint8_t slot = selection->change_count % SELECTION_CHANGES;
    selection->skips_lower = true; /* until the next picture tells */
    selection->at = target;
    selection->targets[slot] = target;
    selection->from[slot] = sequence;
    selection->change_count++;
    if (selection->change_count == 0)
        selection->change_count = SELECTION_CHANGES;
}

void selection_begin(struct selection *selection, uint64_t sequence)
{
    selection->change_count = 0;
    selection->intact = LAYERS_ALL;
    selection->needs_key = false;
    change(selection, sequence, selection->wanted);
}

void selection_want(struct selection *selection, unsigned spatial, unsigned temporal)
{
    selection->wanted = (uint8_t)layers_target(spatial, temporal);
}

/* A key frame, or as good. */
static bool begins_all(const struct packet *packet)
{
    return packet->switch_base == PACKET_SWITCH_ANY && packet->switches == LAYERS_ALL;
}

/* Those of which all has been had once this packet has: it may be the beginning of some. */
static uint16_t intact_with(const struct selection *selection, const struct packet *packet)
{
    unsigned intact = selection->intact;
    if (packet->switches == 0)
        return (uint16_t)intact;
    if (packet->switch_base == PACKET_SWITCH_ANY) {
        /* what it refers to has been sent, or there is nothing */
        bool is_whole = packet->begins_key_frame || (packet->targets & intact);
        return (uint16_t)(is_whole ? intact | packet->switches : intact);
    }
    /* of each spatial layer by itself */
    unsigned rows = (intact >> packet->switch_base & COLUMN) * ROW;
    return (uint16_t)(intact | (rows & packet->switches));
}

/* The highest of those up to what is wanted: size before rate.  LAYERS_TARGETS: there is none. */
static unsigned highest_of(unsigned targets, unsigned wanted)
{
    for (unsigned spatial = wanted / LAYERS_TEMPORAL + 1; spatial-- > 0;)
        for (unsigned temporal = wanted % LAYERS_TEMPORAL + 1; temporal-- > 0;)
            if (targets & bit(layers_target(spatial, temporal)))
                return layers_target(spatial, temporal);
    return LAYERS_TARGETS;
}

static void go_on(struct selection *selection, const struct packet *packet)
{
    unsigned row = ROW << selection->at / LAYERS_TEMPORAL * LAYERS_TEMPORAL;
    unsigned possible = selection->intact;
    if (selection->skips_lower && !begins_all(packet))
        possible &= row;
    unsigned target = highest_of(possible, selection->wanted);
    if (target < LAYERS_TARGETS && target != selection->at)
        change(selection, packet->sequence, (uint8_t)target);
}

/* Of higher layers, something that will not go on may be missing. */
static unsigned sure_of(const struct selection *selection)
{
    unsigned spatial = selection->at / LAYERS_TEMPORAL, temporal = selection->at % LAYERS_TEMPORAL;
    unsigned row = ROW >> (LAYERS_TEMPORAL - 1 - temporal);
    unsigned rows = LAYERS_ALL >> (LAYERS_SPATIAL - 1 - spatial) * LAYERS_TEMPORAL;
    if (selection->skips_lower)
        rows = ROW << spatial * LAYERS_TEMPORAL;
    return rows & row * COLUMN;
}

/* Where spatial layers are not sent because nothing above needs them, they are not sent until a
 * picture that all can be begun with. */
static void note_lower(struct selection *selection, const struct packet *packet, bool goes)
{
    bool is_lower = packet->spatial == 0 && selection->at / LAYERS_TEMPORAL > 0 &&
                    packet->temporal <= selection->at % LAYERS_TEMPORAL;
    if (is_lower && !begins_all(packet))
        selection->skips_lower = !goes;
}

bool selection_next(struct selection *selection, const struct packet *packet, bool has_gap)
{
    if (has_gap)
        selection->intact = (uint16_t)(selection->intact & sure_of(selection));
    selection->intact = intact_with(selection, packet);
    if (packet->begins_picture && selection->at != selection->wanted)
        go_on(selection, packet);
    bool goes = packet->targets & bit(selection->at);
    note_lower(selection, packet, goes);
    if (goes)
        return true;
    selection->intact = (uint16_t)(selection->intact & ~packet->needed);
    selection->needs_key = (packet->targets & bit(selection->wanted)) &&
                           selection->at / LAYERS_TEMPORAL != selection->wanted / LAYERS_TEMPORAL;
    return false;
}

enum selection_fate selection_of(const struct selection *selection, const struct packet *packet,
                                 bool *is_last)
{
    unsigned known =
        selection->change_count < SELECTION_CHANGES ? selection->change_count : SELECTION_CHANGES;
    for (unsigned i = 1; i <= known; i++) {
        unsigned slot = (selection->change_count - i) % SELECTION_CHANGES;
        if (packet->sequence < selection->from[slot])
            continue;
        unsigned target = selection->targets[slot];
        *is_last = packet->ends_frame && (packet->highest & bit(target));
        return packet->targets & bit(target) ? SELECTION_GOES : SELECTION_STAYS;
    }
    return SELECTION_FORGOTTEN;
}
