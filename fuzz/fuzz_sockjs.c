/* Fuzzes SockJS's wire: what a client sends is read, and each message, written as a server writes
 * it in pieces of any size, comes back as it was; so does any text that is UTF-8.
 *
 * Input: one byte that says how large the pieces are, then a text, or a path.
 */
#include "base/utf8.h"
#include "input.h"
#include "wire/sockjs.h"

typedef size_t escaper(struct view *text, uint8_t *out, size_t capacity);

/* Escapes all of a text behind *size, piece by piece. */
static void escape_all(escaper *escape, struct view text, size_t room, struct span out,
                       size_t *size)
{
    struct span piece = { malloc(room), room };
    CHECK(piece.at);
    while (text.size) {
        struct view before = text;
        size_t written = escape(&text, piece.at, room);
        CHECK(written > 0 && written <= room);
        CHECK(view_within(text, before) && text.size < before.size);
        CHECK(*size + written <= out.size);
        memcpy(out.at + *size, piece.at, written);
        *size += written;
    }
    free(piece.at);
}

/* Writes a text as the only message of a frame and reads it again. */
static void check_round_trip(struct view text, size_t room)
{
    struct span out = { malloc(text.size * 6 + 4), text.size * 6 + 4 };
    CHECK(out.at);
    size_t size = 2;
    memcpy(out.at, "[\"", size);
    escape_all(sockjs_escape, text, room, out, &size);
    CHECK(size == 2 + sockjs_escaped_size(text));
    memcpy(out.at + size, "\"]", 2);
    size += 2;

    struct sockjs_reader reader;
    struct view message;
    CHECK(sockjs_read(view_make(out.at, size), &reader) == OK && reader.is_array);
    struct span back = { malloc(reader.rest.size), reader.rest.size };
    CHECK(back.at);
    CHECK(sockjs_next(&reader, back.at, &message) && reader.rest.size == 0);
    CHECK(utf8_valid(message));
    if (utf8_valid(text))
        CHECK(view_equal(message, text));

    /* the frame within a page's script: no '<' is left, and as a JSON string it is the frame */
    struct span script = { malloc(size * 6 + 2), size * 6 + 2 };
    CHECK(script.at);
    size_t script_size = 1;
    script.at[0] = '"';
    escape_all(sockjs_escape_script, view_make(out.at, size), room, script, &script_size);
    CHECK(view_find_byte(view_make(script.at, script_size), '<') == script_size);
    script.at[script_size++] = '"';
    struct span frame = { malloc(script_size), script_size };
    CHECK(frame.at);
    CHECK(sockjs_read(view_make(script.at, script_size), &reader) == OK && !reader.is_array);
    CHECK(sockjs_next(&reader, frame.at, &message));
    CHECK(view_equal(message, view_make(out.at, size)));
    size_t event_size = 0;
    escape_all(sockjs_escape_event, view_make(out.at, size), room, script, &event_size);
    CHECK(event_size >= size);
    free(frame.at);
    free(script.at);
    free(back.at);
    free(out.at);
}

static void check_reading(struct view input, size_t room)
{
    struct span copy = input_copy(input);
    struct sockjs_reader reader;
    struct view message;
    if (sockjs_read(view_of_span(copy), &reader) == OK) {
        unsigned count = 0;
        while (reader.rest.size) {
            CHECK(view_within(reader.rest, view_of_span(copy)));
            struct span out = { malloc(reader.rest.size), reader.rest.size };
            CHECK(out.at);
            CHECK(sockjs_next(&reader, out.at, &message));
            CHECK(utf8_valid(message));
            check_round_trip(message, room);
            free(out.at);
            count++;
        }
        CHECK(!sockjs_next(&reader, NULL, &message));
        CHECK(reader.is_array || count == 1);
    }
    free(copy.at);
}

static void check_path(struct view input)
{
    struct span copy = input_copy(input);
    struct view path = view_of_span(copy);
    struct view session = { 0 };
    enum sockjs_place place = sockjs_read_path(path, &session);
    CHECK(place < SOCKJS_PLACES);
    if (place >= SOCKJS_WEBSOCKET) {
        CHECK(session.size > 0 && session.size <= SOCKJS_SESSION_MAX);
        CHECK(view_within(session, path));
        CHECK(view_find_byte(session, '/') == session.size);
    }
    if (sockjs_callback_valid(path))
        CHECK(view_find_byte(path, '(') == path.size && view_find_byte(path, '<') == path.size);
    uint8_t out[SOCKJS_CLOSE_MAX];
    size_t size = sockjs_write_close(3000, path, out);
    CHECK(size >= 9 && size <= sizeof out);
    struct sockjs_reader reader;
    CHECK(sockjs_read(view_make(out + 7, size - 8), &reader) == OK && !reader.is_array);
    free(copy.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    size_t room = SOCKJS_ESCAPE_MAX + input_byte(&input);
    check_reading(input, room);
    check_round_trip(input, room);
    check_path(input);
    return 0;
}
