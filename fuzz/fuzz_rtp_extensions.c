/* Fuzzes the values of header extensions and the dependency descriptor.
 *
 * Input: values, each behind a byte of its size.  Every reader gets every value; the descriptors'
 * state goes on from one to the next.
 */
#include "wire/dependency_descriptor.h"
#include "wire/rtp_extensions.h"

#include "input.h"

static void check_small(struct view value)
{
    struct view text;
    uint32_t time;
    struct rtp_transport_cc cc;
    struct rtp_audio_level level;
    struct rtp_capture_time capture;
    struct rtp_orientation orientation;
    struct rtp_playout_delay delay;
    uint8_t written[RTP_PLAYOUT_DELAY_SIZE];
    if (rtp_read_rid(value, &text) == OK)
        CHECK(text.size >= 1 && text.size <= RTP_RID_MAX && rtp_read_mid(value, &text) == OK);
    if (rtp_read_abs_send_time(value, &time) == OK)
        CHECK(time < 1 << 24 && rtp_abs_send_time_distance(time, time) == 0);
    if (rtp_read_transport_cc(value, &cc) == OK)
        CHECK(cc.request_count < 0x8000);
    if (rtp_read_audio_level(value, &level) == OK)
        CHECK(level.level < 128);
    if (rtp_read_capture_time(value, &capture) == OK)
        CHECK(capture.has_offset == (value.size >= 16));
    if (rtp_read_orientation(value, &orientation) == OK)
        CHECK(orientation.rotation % 90 == 0 && orientation.rotation < 360);
    if (rtp_read_playout_delay(value, &delay) == OK) {
        rtp_write_playout_delay(written, delay);
        CHECK(memcmp(written, value.at, sizeof written) == 0);
    }
    (void)rtp_extension_kind_of(value);
}

static void check_allocation(struct view value)
{
    struct rtp_allocation allocation;
    if (rtp_read_allocation(value, &allocation) != OK)
        return;
    CHECK(allocation.stream_count <= 4 && allocation.layer_count <= RTP_ALLOCATION_LAYERS_MAX);
    CHECK(allocation.stream_count == 0 || allocation.stream < allocation.stream_count);
    for (unsigned i = 0; i < allocation.layer_count; i++) {
        const struct rtp_allocation_layer *layer = &allocation.layers[i];
        CHECK(layer->stream < allocation.stream_count && layer->spatial_id < 4);
        CHECK(layer->temporal_count >= 1 && layer->temporal_count <= 4);
        CHECK(!allocation.has_resolutions || (layer->width >= 1 && layer->width <= 65536));
    }
}

static void check_descriptor(struct view value, struct dd_structure *structure)
{
    struct dd_structure before = *structure;
    struct dd_frame frame;
    char line[512];
    if (dd_read(value, structure, &frame) != OK) {
        CHECK(memcmp(&before, structure, sizeof before) == 0);
        return;
    }
    CHECK(structure->template_count >= 1 && structure->template_count <= DD_TEMPLATES_MAX);
    CHECK(structure->target_count >= 1 && structure->target_count <= DD_TARGETS_MAX);
    CHECK(structure->chain_count <= structure->target_count);
    CHECK(structure->spatial_count >= 1 && structure->spatial_count <= DD_SPATIAL_MAX);
    CHECK(structure->active_targets >> (structure->target_count - 1) <= 1);
    CHECK(frame.dependencies.spatial_id < structure->spatial_count);
    CHECK(frame.dependencies.fdiff_count <= DD_FDIFFS_MAX);
    for (unsigned i = 0; i < frame.dependencies.fdiff_count; i++)
        CHECK(frame.dependencies.fdiffs[i] >= 1 && frame.dependencies.fdiffs[i] <= 4096);
    for (unsigned i = 0; structure->chain_count && i < structure->target_count; i++)
        CHECK(structure->protected_by[i] < structure->chain_count);
    CHECK(dd_print(structure, &frame, line, sizeof line) < sizeof line);
    CHECK(dd_print(structure, &frame, line, 9) <= 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct dd_structure structure;
    memset(&structure, 0, sizeof structure);
    while (input.size) {
        struct span value = input_copy(input_take(&input, input_byte(&input)));
        check_small(view_of_span(value));
        check_allocation(view_of_span(value));
        check_descriptor(view_of_span(value), &structure);
        free(value.at);
    }
    return 0;
}
