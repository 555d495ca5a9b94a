/* Fuzzes sessions of SockJS: all transports, on names that the input chooses, in any order.
 *
 * Input: a byte of settings (bit 0: hardly any memory; bit 1: short queues and responses), then
 * lines of clients.h.  At /e what is said goes to all, at /s is STOMP.  What the server says on
 * WebSockets must be UTF-8, and on requests the pieces of something.
 */
#include "base/utf8.h"
#include "clients.h"

static const struct rule RULES[] = {
    { .on = "bye", .to = TO_NOBODY, .close = 3000, .reason = "bye" },
    { .on = "big", .to = TO_ALL, .amplify = true },
    { .on = "*", .to = TO_ALL },
};
static const char *const BROKER[] = { "/topic" };
static const char *const APPLICATION[] = { "/app" };

#define COUNT(items_) (sizeof(items_) / sizeof(items_)[0])

static struct endpoint_config make_endpoint(const char *path, bool is_short)
{
    return (struct endpoint_config){
        .path = path,
        .carrier = CARRIER_SOCKJS,
        .speech = SPEECH_RELAY,
        .limits = { .sessions = 5,
                    .message_bytes = 60000,
                    .queue_bytes = is_short ? 2000 : 200000,
                    .rooms = 2,
                    .subscriptions = 3,
                    .kept = 2 },
        .sockjs = { .heartbeat = 25 * USEC_S,
                    .disconnect = 5 * USEC_S,
                    .response_max = is_short ? 500 : 128 * 1024,
                    .websocket = true,
                    .cookie_needed = is_short,
                    .client_url = "https://a.example/sockjs.js" },
        .rules = { .event_field = "type", .items = RULES, .count = COUNT(RULES) },
    };
}

static void check(enum said said, struct view body)
{
    if (said == SAID_TEXT)
        CHECK(utf8_valid(body));
    CHECK(said != SAID_BYTES || body.size < BUFFER_SIZE_MAX);
    CHECK(said != SAID_PIECE || body.size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choices = input_byte(&input);
    struct endpoint_config endpoints[] = { make_endpoint("/e", choices & 2),
                                           make_endpoint("/s", choices & 2) };
    endpoints[1].speech = SPEECH_STOMP;
    endpoints[1].stomp = (struct stomp_config){ .broker = BROKER,
                                                .broker_count = 1,
                                                .application = APPLICATION,
                                                .application_count = 1,
                                                .heartbeat = 10 * USEC_S,
                                                .door = true };
    const struct endpoint_configs all = { endpoints, COUNT(endpoints) };
    const struct clients_config config = { &all, choices & 1, check };
    clients_run(&config, input);
    return 0;
}
