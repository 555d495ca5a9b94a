/* Fuzzes RTP: the reader, the header that a forwarder writes for what was read, RTX both ways.
 *
 * Input: 16 bytes of choices (which identifiers go on, CSRC and so on are the packet's own), then a
 * packet.
 */
#include "wire/rtp_header.h"

#include "input.h"

static void check_packet(const struct rtp_packet *packet, size_t size)
{
    CHECK((size_t)packet->header_size + packet->payload_size + packet->padding_size == size);
    CHECK(packet->header_size >= RTP_FIXED_SIZE + 4u * packet->csrc_count);
    CHECK(packet->extension_count <= RTP_EXTENSIONS_MAX && packet->payload_type <= 127);
    for (unsigned i = 0; i < packet->extension_count; i++) {
        const struct rtp_extension *extension = &packet->extensions[i];
        CHECK(extension->id != 0 && rtp_find_extension(packet, extension->id));
        CHECK(extension->at >= RTP_FIXED_SIZE + 4);
        CHECK(extension->at + extension->size <= packet->header_size);
    }
}

static void check_print(const struct rtp_packet *packet)
{
    char whole[1024];
    CHECK(rtp_print(packet, whole, sizeof whole) < sizeof whole);
    for (size_t capacity = 0; capacity < 80; capacity += 13) {
        struct span part = input_copy(view_make(whole, capacity));
        CHECK(rtp_print(packet, (char *)part.at, capacity) <= capacity);
        free(part.at);
    }
}

/* Gives the number of elements of our own. */
static unsigned make_plan(struct view choices, struct rtp_plan *plan)
{
    uint8_t first = input_byte(&choices);
    rtp_plan_begin(plan, first & 1);
    if (first & 2)
        CHECK(rtp_plan_add(plan, 14, view_make("sixteen bytes ..", 1 + (first >> 4))) == OK);
    if (first & 4)
        CHECK(rtp_plan_add_transport_cc(plan, 13) == OK);
    if (first & 8)
        CHECK(rtp_plan_add_abs_send_time(plan, 12) == OK);
    rtp_plan_watch(plan, (first >> 4) % 15);
    for (unsigned id = 1; choices.size; id++) {
        uint8_t to = input_byte(&choices);
        CHECK(rtp_plan_map(plan, id, to) ==
              (id <= 14 && to >= 1 && to <= 14 ? OK : ERR_UNSUPPORTED));
    }
    return (first >> 1 & 1u) + (first >> 2 & 1u) + (first >> 3 & 1u);
}

/* What is written is read back: each element that went on, in order, with its bytes. */
static void check_elements(const struct rtp_plan *plan, const struct rtp_packet *old,
                           const uint8_t *old_bytes, const struct rtp_packet *new,
                           const uint8_t *bytes, unsigned own)
{
    unsigned seen = own;
    for (unsigned i = 0; i < old->extension_count && seen < new->extension_count; i++) {
        const struct rtp_extension *from = &old->extensions[i];
        const struct rtp_extension *to = &new->extensions[seen];
        bool fits = from->size >= 1 && from->size <= 16;
        if (from->id > RTP_ID_MAX || !plan->to[from->id] || (!fits && !plan->has_two_byte))
            continue;
        CHECK(to->id == plan->to[from->id] && to->size == from->size);
        CHECK(memcmp(bytes + to->at, old_bytes + from->at, to->size) == 0);
        seen++;
    }
    CHECK(seen == new->extension_count);
}

static void check_forwarding(const struct rtp_plan *plan, const struct rtp_packet *packet,
                             const uint8_t *bytes, unsigned own)
{
    struct rtp_values values = { .ssrc = packet->ssrc + 1,
                                 .timestamp = packet->timestamp + 1,
                                 .sequence_number = 9,
                                 .payload_type = 1,
                                 .marker = true };
    struct rtp_written written;
    struct rtp_packet again;
    uint8_t *out = malloc(RTP_HEADER_MAX);
    CHECK(out);
    rtp_write_header(plan, packet, bytes, &values, out, &written);
    CHECK(written.size >= RTP_FIXED_SIZE && written.size <= RTP_HEADER_MAX);
    int status = rtp_read(view_make(out, written.size), &again);
    /* our own elements may be three more than can be read */
    CHECK(status == OK || (status == ERR_LIMIT && own));
    if (status == OK) {
        CHECK(again.header_size == written.size && again.csrc_count == packet->csrc_count);
        CHECK(again.ssrc == values.ssrc && again.timestamp == values.timestamp);
        CHECK(again.sequence_number == 9 && again.payload_type == 1 && again.marker);
        check_elements(plan, packet, bytes, &again, out, own);
        if (written.watched_at)
            CHECK(written.watched_at <= written.size && plan->to[plan->watched]);
        if (plan->transport_cc_at)
            CHECK(rtp_find_extension(&again, 13)->at == written.transport_cc_at);
        if (plan->abs_send_time_at)
            CHECK(rtp_find_extension(&again, 12)->at == written.abs_send_time_at);
    }
    rtp_write_osn(out, &written, 5);
    free(out);
}

static void check_rtx(struct span bytes, struct rtp_packet packet)
{
    struct rtp_packet again;
    struct span block = input_copy(view_of_span(bytes));
    struct span original = block;
    int status = rtp_unwrap_rtx(&original, &packet, 7, 99);
    if (status == OK) {
        CHECK(original.at == block.at + 2 && original.size == block.size - 2);
        CHECK(rtp_read(view_of_span(original), &again) == OK);
        CHECK(again.ssrc == 7 && again.payload_type == 99);
        CHECK(again.sequence_number == packet.sequence_number);
        CHECK(again.payload_size == packet.payload_size);
        CHECK(again.header_size == packet.header_size);
        check_packet(&packet, original.size);
    } else {
        CHECK(packet.payload_size < 2 && original.at == block.at);
    }
    free(block.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct view choices = input_take(&input, 16);
    struct rtp_plan plan;
    struct rtp_packet packet;
    struct span bytes = input_copy(input);
    (void)rtp_is_rtcp(input);
    unsigned own = make_plan(choices, &plan);
    if (rtp_read(view_of_span(bytes), &packet) == OK) {
        check_packet(&packet, bytes.size);
        check_print(&packet);
        check_forwarding(&plan, &packet, bytes.at, own);
        check_rtx(bytes, packet);
    }
    free(bytes.at);
    return 0;
}
