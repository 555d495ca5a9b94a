/* Fuzzes sessions of Engine.IO and Socket.IO: polls, posts and WebSockets in any order.
 *
 * Input: a byte of settings (bit 0: hardly any memory; bit 1: short queues), then lines of
 * clients.h.  Engine.IO's messages go to all at /e; at /s is Socket.IO, whose broken sockets come
 * back.  Whatever the server says must be packets of one of the two revisions.
 */
#include "base/utf8.h"
#include "clients.h"
#include "wire/engineio.h"

static const char *const NAMESPACES[] = { "/", "/a" };
static const struct rule EVERYTHING[] = { { .on = "*", .to = TO_ALL } };
static const struct rule EVENTS[] = {
    { .on = "open", .to = TO_SENDER, .emit = "you", .say = "{\"id\":\"$id\",\"auth\":$auth}" },
    { .on = "join", .join = "room", .to = TO_OTHERS, .acknowledge = true },
    { .on = "leave", .leave = "*", .to = TO_OTHERS },
    { .on = "keep", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "more", .to = TO_OTHERS, .keep = KEEP_MORE },
    { .on = "bye", .to = TO_NOBODY, .close = 1000, .reason = "bye" },
    { .on = "*", .to = TO_ALL, .acknowledge = true },
};

#define COUNT(items_) (sizeof(items_) / sizeof(items_)[0])

static struct endpoint_config make_endpoint(const char *path, bool has_short_queue)
{
    return (struct endpoint_config){
        .path = path,
        .carrier = CARRIER_ENGINE,
        .speech = SPEECH_RELAY,
        .limits = { .sessions = 5,
                    .message_bytes = 60000,
                    .queue_bytes = has_short_queue ? 2000 : 200000,
                    .rooms = 2,
                    .subscriptions = 2,
                    .kept = 3 },
        .engine = { .ping_interval = 3 * USEC_S, .ping_timeout = 2 * USEC_S, .eio3 = true },
        .rules = { .items = EVERYTHING, .count = COUNT(EVERYTHING) },
    };
}

static bool is_payload(struct view body, enum engineio_form form)
{
    struct engineio_reader reader = engineio_reader_make(body, form);
    struct engineio_packet packet;
    int status;
    do
        status = engineio_read(&reader, &packet);
    while (status == OK);
    return status == ERR_NOT_FOUND;
}

static void check(enum said said, struct view body)
{
    struct engineio_packet packet;
    bool is_good = false;
    switch (said) {
    case SAID_TEXT:
        is_good = utf8_valid(body) && engineio_read_frame(body, false, 4, &packet) == OK;
        break;
    case SAID_BYTES: /* of revision 4 they are what they are */
        is_good = engineio_read_frame(body, true, 4, &packet) == OK;
        break;
    case SAID_BODY:
        is_good = view_equal(body, VIEW("ok")) || view_starts(body, VIEW("___eio[")) ||
                  is_payload(body, ENGINEIO_4) || is_payload(body, ENGINEIO_3_TEXT);
        break;
    case SAID_OCTETS:
        is_good = is_payload(body, ENGINEIO_3_BINARY);
        break;
    case SAID_PIECE:
        break; /* nothing comes in chunks */
    }
    CHECK(is_good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choices = input_byte(&input);
    struct endpoint_config endpoints[] = { make_endpoint("/e", choices & 2),
                                           make_endpoint("/s", choices & 2) };
    endpoints[1].speech = SPEECH_SOCKETIO;
    endpoints[1].rules = (struct rules){ .items = EVENTS, .count = COUNT(EVENTS) };
    endpoints[1].socketio = (struct socketio_config){ .namespaces = NAMESPACES,
                                                      .namespace_count = COUNT(NAMESPACES),
                                                      .connect_timeout = 2 * USEC_S,
                                                      .recovery = 20 * USEC_S };
    const struct endpoint_configs all = { endpoints, COUNT(endpoints) };
    const struct clients_config config = { &all, choices & 1, check };
    clients_run(&config, input);
    return 0;
}
