/* Fuzzes STOMP: the frame reader, its fields, and the writer.
 *
 * Input: one byte that says how the bytes are split, one that names the version ('0' to '3': none,
 * 1.0, 1.1, 1.2), then frames.  A reader that gets the bytes in pieces must tell the same as one
 * that gets them at once; a frame that is written again must be read as it was.
 */
#include "wire/stomp.h"

#include "input.h"

#define BODY_MAX 2000

/* What this version can say comes back as it was. */
static void check_written(const struct stomp_frame *frame)
{
    static uint8_t out[STOMP_HEAD_MAX * 2 + BODY_MAX + 100];
    struct stomp_writer writer;
    struct stomp_reader reader = { 0 };
    struct stomp_frame again;
    size_t used = 0;
    stomp_begin(&writer, out, sizeof out, STOMP_1_2, STOMP_COMMAND_MESSAGE);
    uint32_t count = 0;
    for (uint32_t i = 0; i < frame->header_count; i++) {
        const struct stomp_header *header = &frame->headers[i];
        if (header->name.size && !view_equal(header->name, VIEW("content-length"))) {
            stomp_add_view(&writer, header->name, header->value);
            count++;
        }
    }
    stomp_end(&writer, frame->body);
    CHECK(!writer.overflow && writer.size <= sizeof out);
    if (writer.size - frame->body.size > STOMP_HEAD_MAX || count == STOMP_HEADERS_MAX)
        return;
    struct span copy = input_copy(stomp_written(&writer));
    CHECK(stomp_read(&reader, copy, STOMP_1_2, BODY_MAX, &again, &used) == OK);
    CHECK(used == copy.size && again.command == STOMP_COMMAND_MESSAGE);
    CHECK(again.header_count == count + 1 && view_equal(again.body, frame->body));
    for (uint32_t i = 0, at = 0; i < frame->header_count; i++) {
        const struct stomp_header *header = &frame->headers[i];
        if (!header->name.size || view_equal(header->name, VIEW("content-length")))
            continue;
        CHECK(view_equal(again.headers[at].name, header->name));
        CHECK(view_equal(again.headers[at++].value, header->value));
    }
    free(copy.at);
}

static void check_fields(const struct stomp_frame *frame)
{
    uint32_t sends, wants;
    for (uint32_t i = 0; i < frame->header_count; i++) {
        enum stomp_version version = stomp_choose_version(frame->headers[i].value);
        CHECK(version <= STOMP_1_2);
        if (stomp_read_heart_beat(frame->headers[i].value, &sends, &wants) == OK)
            CHECK(view_find_byte(frame->headers[i].value, ',') < frame->headers[i].value.size);
    }
}

/* Line ends that were cut apart are told one by one: they don't count. */
static void digest_frame(uint64_t *digest, const struct stomp_frame *frame, struct view bytes)
{
    if (frame->command == STOMP_COMMAND_BEAT)
        return;
    digest_number(digest, frame->command);
    for (uint32_t i = 0; i < frame->header_count; i++) {
        CHECK(view_within(frame->headers[i].name, bytes));
        CHECK(view_within(frame->headers[i].value, bytes));
        digest_add(digest, frame->headers[i].name.at, frame->headers[i].name.size);
        digest_add(digest, frame->headers[i].value.at, frame->headers[i].value.size);
    }
    CHECK(view_within(frame->body, bytes) && frame->body.size <= BODY_MAX);
    digest_add(digest, frame->body.at, frame->body.size);
}

static uint64_t digest_stream(struct view input, uint8_t choice, enum stomp_version version)
{
    struct stomp_reader reader = { 0 };
    struct span bytes = input_copy(input);
    uint64_t digest = 0;
    uint64_t state = 0;
    size_t begin = 0;
    size_t end = 0;
    int status = ERR_MORE;
    while (status == ERR_MORE && end < bytes.size) {
        end += input_split(choice, &state, bytes.size - end);
        do {
            struct stomp_frame frame;
            size_t used = 0;
            struct span rest = { bytes.at + begin, end - begin };
            status = stomp_read(&reader, rest, version, BODY_MAX, &frame, &used);
            if (status != OK)
                break;
            CHECK(used > 0 && used <= rest.size);
            digest_frame(&digest, &frame, view_of_span(rest));
            if (frame.command != STOMP_COMMAND_BEAT) {
                check_written(&frame);
                check_fields(&frame);
            }
            begin += used;
        } while (begin < end);
        if (begin == end)
            status = ERR_MORE;
    }
    digest_number(&digest, (uint64_t)status);
    free(bytes.at);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = input_byte(&input);
    enum stomp_version version = (enum stomp_version)(input_byte(&input) & 3);
    CHECK(digest_stream(input, '0', version) == digest_stream(input, choice, version));
    return 0;
}
