/* Fuzzes WebSocket: the frame reader, the handshake's fields, and whole sessions.
 *
 * Input: one byte that says how the bytes are split, one that says whether deflate was agreed (odd,
 * as 'a') or not (even, as 'b'), then a client's frames.  A session that gets the bytes in pieces
 * must tell the same as one that gets them at once; what is written must be read back.
 */
#include "agent/ws_session.h"
#include "base/utf8.h"
#include "input.h"

static struct ws_workshop workshop;

static void check_frames(struct view input, enum websocket_role role)
{
    struct span bytes = input_copy(input);
    struct span rest = bytes;
    while (rest.size) {
        struct websocket_frame frame;
        size_t used = 0;
        int status = websocket_read(rest, role, 1000, &frame, &used);
        if (status == ERR_MORE)
            CHECK(used > rest.size);
        if (status != OK)
            break;
        CHECK(used >= 2 && used <= rest.size && frame.payload.size <= 1000);
        CHECK(view_within(view_of_span(frame.payload), view_of_span(rest)));
        CHECK(frame.opcode < WEBSOCKET_CLOSE ||
              (frame.fin && frame.payload.size <= WEBSOCKET_CONTROL_MAX));
        rest = (struct span){ rest.at + used, rest.size - used };
    }
    free(bytes.at);
}

static void check_fields(struct view input)
{
    char extension[WEBSOCKET_EXTENSION_MAX];
    char accept[WEBSOCKET_ACCEPT_SIZE];
    uint8_t bits = 0;
    struct span copy = input_copy(input);
    if (websocket_accept_deflate(view_of_span(copy), extension, &bits)) {
        CHECK(strlen(extension) < sizeof extension);
        CHECK(bits >= 8 && bits <= 15);
    }
    if (websocket_key_valid(view_of_span(copy)))
        CHECK(copy.size == 24);
    websocket_accept(view_of_span(copy), accept);
    CHECK(strlen(accept) == sizeof accept - 1);
    free(copy.at);
}

/* True: the session goes on. */
static bool digest_event(uint64_t *digest, const struct ws_event *event)
{
    CHECK(event->payload.size <= WS_MESSAGE_MAX + 1);
    digest_number(digest, event->kind);
    digest_number(digest, event->code);
    if (event->kind == WS_FAILED)
        return false;
    if (event->kind == WS_TEXT)
        CHECK(utf8_valid(event->payload));
    digest_add(digest, event->payload.at, event->payload.size);
    return event->kind != WS_CLOSE;
}

static uint64_t digest_session(struct view bytes, uint8_t choice, bool deflate)
{
    struct ws_session session = { .deflate = deflate };
    struct inbox inbox = { 0 };
    uint64_t digest = 0;
    uint64_t state = 0;
    bool goes_on = true;
    while (bytes.size && goes_on) {
        size_t room = BUFFER_SIZE_MAX - inbox_bytes(&inbox).size;
        size_t take = input_split(choice, &state, bytes.size);
        struct view piece = input_take(&bytes, take < room ? take : room);
        if (piece.size == 0 || inbox_add(&inbox, workshop.buffers, piece) != OK)
            break;
        struct ws_event event;
        do {
            struct span waiting = inbox_bytes(&inbox);
            size_t used;
            ws_session_read(&session, &workshop, waiting, &used, &event);
            CHECK(used <= waiting.size);
            if (event.kind != WS_WAIT)
                goes_on = digest_event(&digest, &event);
            inbox_used(&inbox, workshop.buffers, used);
        } while (event.kind != WS_WAIT && goes_on);
    }
    ws_session_clear(&session, workshop.buffers);
    inbox_clear(&inbox, workshop.buffers);
    CHECK(buffers_used(workshop.buffers) == 0);
    return digest;
}

/* What a client makes of a frame of ours. */
static void check_sent(const struct buffer *frame, struct view message)
{
    struct span copy = input_copy(buffer_view(frame));
    struct websocket_frame read;
    size_t used;
    CHECK(websocket_read(copy, WEBSOCKET_CLIENT, WS_MESSAGE_MAX, &read, &used) == OK);
    CHECK(used == copy.size && read.fin && read.opcode == WEBSOCKET_TEXT);
    struct view payload = view_of_span(read.payload);
    if (read.deflated) {
        size_t size;
        CHECK(deflate_read(workshop.deflater, payload, workshop.inflated, sizeof workshop.inflated,
                           &size) == OK);
        payload = view_make(workshop.inflated, size);
    }
    CHECK(view_equal(payload, message));
    free(copy.at);
}

static void check_writing(struct view message)
{
    struct ws_session session = { .deflate = true };
    struct buffer *frame;
    CHECK(ws_frame(workshop.buffers, WEBSOCKET_TEXT, message, &frame) == OK);
    check_sent(frame, message);
    check_sent(ws_frame_for(&session, &workshop, frame), message);
    buffer_give(workshop.buffers, frame);
}

static void check_masking(struct view message)
{
    static const uint8_t MASK[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t header[WEBSOCKET_HEADER_MAX];
    struct span payload = input_copy(message);
    size_t size = websocket_write_masked(WEBSOCKET_BINARY, true, false, MASK, payload, header);
    struct span bytes = { malloc(size + payload.size), size + payload.size };
    CHECK(bytes.at && size <= sizeof header);
    memcpy(bytes.at, header, size);
    memcpy(bytes.at + size, payload.at, payload.size);

    struct websocket_frame frame;
    size_t used;
    CHECK(websocket_read(bytes, WEBSOCKET_SERVER, WS_MESSAGE_MAX, &frame, &used) == OK);
    CHECK(used == bytes.size && view_equal(view_of_span(frame.payload), message));
    free(bytes.at);
    free(payload.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = input_byte(&input);
    bool deflate = input_byte(&input) & 1;
    if (!workshop.buffers) {
        CHECK(buffers_new((size_t)1 << 20, &workshop.buffers) == OK);
        CHECK(deflate_new(&workshop.deflater) == OK);
    }
    check_frames(input, WEBSOCKET_SERVER);
    check_frames(input, WEBSOCKET_CLIENT);
    check_fields(input);
    struct view message = view_slice(input, 0, WS_MESSAGE_MAX);
    check_writing(message);
    check_masking(message);
    CHECK(digest_session(input, '0', deflate) == digest_session(input, choice, deflate));
    return 0;
}
