/* Fuzzes Engine.IO and Socket.IO: payloads, frames, forms and packets; what was read is written and
 * must be read back the same.
 *
 * Input: one byte that chooses what the rest is: '0' to '2' a payload in one of the forms, '3' and
 * '4' a WebSocket message of that revision ('5' and '6' a binary one), '7' a form's body, '8' a
 * Socket.IO packet, '9' base64.
 */
#include "base/utf8.h"
#include "input.h"
#include "wire/engineio.h"
#include "wire/socketio.h"

static void check_packet(const struct engineio_packet *packet, struct view within)
{
    CHECK(packet->type <= ENGINEIO_NOOP);
    CHECK(view_within(packet->data, within));
    if (packet->kind == ENGINEIO_TEXT)
        CHECK(utf8_valid(packet->data));
    else
        CHECK(packet->type == ENGINEIO_MESSAGE);
}

static void check_base64(struct view text)
{
    size_t capacity = text.size / 4 * 3 + 3;
    struct span out = { malloc(capacity), capacity };
    size_t size = 0;
    CHECK(out.at);
    int status = engineio_read_base64(text, out.at, out.size, &size);
    CHECK(status != ERR_LIMIT && size <= capacity);
    free(out.at);
}

static void check_form(struct view body)
{
    struct span out = { malloc(body.size ? body.size : 1), body.size };
    size_t size = 0;
    CHECK(out.at);
    if (engineio_read_form(body, out.at, &size) == OK)
        CHECK(size <= body.size);
    free(out.at);
}

/* Every packet of a payload goes into another, which must hold the same packets. */
static void check_payload(struct view payload, enum engineio_form form)
{
    struct engineio_reader reader = engineio_reader_make(payload, form);
    struct engineio_packet packet;
    size_t capacity = payload.size * 3 + 1000;
    struct engineio_writer writer = { malloc(capacity), 0, capacity, form };
    uint64_t seen = 0;
    uint64_t again = 0;
    int status;
    CHECK(writer.at);
    while ((status = engineio_read(&reader, &packet)) == OK) {
        check_packet(&packet, payload);
        if (packet.kind == ENGINEIO_BASE64) {
            check_base64(packet.data);
            continue;
        }
        digest_number(&seen, packet.type);
        digest_add(&seen, packet.data.at, packet.data.size);
        CHECK(engineio_write(&writer, &packet) == OK);
    }
    CHECK(status == ERR_NOT_FOUND || status == ERR_MALFORMED);
    reader = engineio_reader_make(view_make(writer.at, writer.size), form);
    while (writer.size && (status = engineio_read(&reader, &packet)) == OK) {
        digest_number(&again, packet.type);
        digest_add(&again, packet.data.at, packet.data.size);
    }
    CHECK(seen == again);
    size_t size = 0;
    uint8_t script[512];
    if (engineio_write_jsonp(payload, VIEW("0"), script, sizeof script, &size) == OK)
        CHECK(size >= payload.size && size <= sizeof script);
    free(writer.at);
}

static void check_frame(struct view frame, bool is_binary, unsigned revision)
{
    struct engineio_packet packet;
    uint8_t head[1];
    if (engineio_read_frame(frame, is_binary, revision, &packet) != OK)
        return;
    check_packet(&packet, frame);
    if (packet.kind != ENGINEIO_BASE64)
        CHECK(engineio_write_frame_head(&packet, revision, head) + packet.data.size == frame.size);
}

static void check_message(struct view text)
{
    struct socketio_packet packet;
    struct socketio_packet again;
    if (socketio_read(text, &packet) != OK)
        return;
    CHECK(packet.attachments <= SOCKETIO_ATTACHMENTS_MAX);
    CHECK(packet.name_space.size >= 1 && packet.name_space.size <= SOCKETIO_NAMESPACE_MAX);
    CHECK(view_within(packet.data, text) && view_within(packet.event, packet.data));
    CHECK(view_within(packet.rest, packet.data) && view_within(packet.query, text));
    size_t capacity = text.size + SOCKETIO_FRAMING_MAX;
    size_t size = 0;
    struct span out = { malloc(capacity), capacity };
    CHECK(out.at && socketio_write(&packet, out.at, out.size, &size) == OK);
    CHECK(socketio_read(view_make(out.at, size), &again) == OK);
    CHECK(again.type == packet.type && again.attachments == packet.attachments);
    CHECK(again.has_id == packet.has_id && again.id == packet.id);
    CHECK(view_equal(again.name_space, packet.name_space) && view_equal(again.data, packet.data));
    free(out.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = (uint8_t)((input_byte(&input) - '0') & 15) % 10;
    struct span copy = input_copy(input);
    struct view view = view_of_span(copy);
    if (choice <= 2)
        check_payload(view, (enum engineio_form)choice);
    else if (choice <= 6)
        check_frame(view, choice >= 5, choice % 2 ? 3 : 4);
    else if (choice == 7)
        check_form(view);
    else if (choice == 8)
        check_message(view);
    else
        check_base64(view);
    free(copy.at);
    return 0;
}
