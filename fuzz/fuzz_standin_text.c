/* Fuzzes descriptions in messages: what was written into any message is read again from it.
 *
 * Input: one byte (its lowest bit: an answer), then a message.
 */
#include "front/standin/standin_text.h"
#include "input.h"

#define OURS "v=0\r\ns=\"ours\"\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct standin_text ours = { .kind = input_byte(&input) & 1, .sdp = VIEW(OURS) };
    struct span copy = input_copy(input);
    struct view message = view_of_span(copy);
    struct span sdp = { malloc(size + 64), size + 64 };
    size_t enough = standin_text_size(message, &ours, VIEW("key"));
    struct span out = { malloc(enough), enough };
    struct standin_text text;
    CHECK(sdp.at && out.at);
    int status = standin_text_read(message, STANDIN_OFFER, sdp.at, sdp.size, &text);
    if (status == OK) {
        size_t written;
        CHECK(view_within(text.sdp, message) || view_within(text.sdp, view_of_span(sdp)));
        CHECK(view_starts(text.sdp, VIEW("v=")));
        if (standin_text_write(message, &ours, VIEW("key"), out, &written) == OK) {
            struct view made = view_make(out.at, written);
            CHECK(standin_text_read(made, STANDIN_OFFER, sdp.at, sdp.size, &text) == OK);
            CHECK(view_equal(text.sdp, VIEW(OURS)));
        }
    }
    free(out.at);
    free(sdp.at);
    free(copy.at);
    return 0;
}
