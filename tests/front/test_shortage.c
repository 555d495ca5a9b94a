/* test_shortage.c - pools and buffers run out at every place in turn, one time each: nothing
 * crashes, whoever can't be served is let go, and nothing is left.
 *
 * The linker puts the functions below in the place of the program's (--wrap).
 */
#include "house_paths.h"

int __real_buffers_take(struct buffers *store, size_t size, struct buffer **out);
int __wrap_buffers_take(struct buffers *store, size_t size, struct buffer **out);
void *__real_pool_take(struct pool *pool);
void *__wrap_pool_take(struct pool *pool);

static long fails_at = -1; /* how many are still given; -1: all */
static bool has_failed;

static bool fails(void)
{
    if (fails_at < 0 || fails_at-- > 0)
        return false;
    has_failed = true;
    fails_at = -1; /* one, and those behind it are given */
    return true;
}

int __wrap_buffers_take(struct buffers *store, size_t size, struct buffer **out)
{
    return fails() ? ERR_LIMIT : __real_buffers_take(store, size, out);
}

void *__wrap_pool_take(struct pool *pool)
{
    return fails() ? NULL : __real_pool_take(pool);
}

/* A relay that does all that relays do. */
static const char *const FIELDS[] = { "sdp" };
static const struct rule ALL_RULES[] = {
    { .on = "open", .to = TO_SENDER, .say = "{\"id\":\"$id\",\"auth\":$auth}" },
    { .on = "join", .join = "room", .to = TO_ALL, .emit = "joined" },
    { .on = "offer", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "candidate", .to = TO_OTHERS, .keep = KEEP_MORE },
    { .on = "picked", .to = TO_ROOM, .field = "room", .pick = FIELDS, .pick_count = 1 },
    { .on = "peer", .to = TO_PEER, .field = "id" },
    { .on = "large", .to = TO_SENDER, .emit = "larger" },
    { .on = "leave", .leave = "*", .to = TO_PATH },
    { .on = "bye", .to = TO_NOBODY, .close = 3000, .reason = "bye" },
    { .on = "close", .to = TO_OTHERS, .emit = "left", .say = "{}" },
    { .on = "*", .to = TO_SENDER, .amplify = true },
};
static const struct endpoint_config RELAYS[] = {
    BARE("/relay", "type", ALL_RULES),
    BARE("/other", "type", ALL_RULES),
};
static const struct endpoint_configs ALL_RELAYS = CONFIGS(RELAYS);

/* As far as it comes. */
static struct wire *try_to_come(struct house *house, unsigned worker, const char *path)
{
    struct wire *wire = house_dial(house, worker, STREAM_HTTP);
    if (wire)
        ws_ask(wire, path, OFFER_DEFLATE);
    return wire;
}

static void try_to_say(struct wire *wire, const char *text)
{
    if (wire && wire->state == WIRE_OPEN)
        ws_say(wire, text);
}

static void relay(struct house *house)
{
    static const char *const SAID[] = {
        "{'type':'join','room':'r'}",
        "{'type':'offer','sdp':'1'}",
        "{'type':'candidate','n':1}",
        "{'type':'join','room':'s'}",
        "{'type':'picked','room':'r','sdp':'x','more':1}",
        "{'type':'peer','id':'AAAAAAAAAAAAAAAAAAAA'}",
        "17",
    };
    struct wire *a = try_to_come(house, 0, "/relay");
    struct wire *b = try_to_come(house, 1, "/relay");
    for (size_t i = 0; i < sizeof SAID / sizeof SAID[0]; i++) {
        try_to_say(a, SAID[i]);
        try_to_say(b, SAID[i]);
    }
    struct wire *c = try_to_come(house, 0, "/relay");
    try_to_say(c, "{'type':'join','room':'r'}");
    try_to_say(b, "{'type':'leave'}");
    try_to_say(a, "{'type':'bye'}");
    try_to_come(house, 1, "/other");
}

static void sweep(const struct wishes *wishes, void (*run)(struct house *house), long least)
{
    long i = 0;
    do {
        struct house *house = house_build(wishes);
        has_failed = false;
        fails_at = i++;
        run(house);
        fails_at = -1;
        house_wait(house, 60 * USEC_S);
        house_close(house);
    } while (has_failed);
    assert_true(i > least); /* there was something to sweep */
}

static void in_relays(void **state)
{
    (void)state;
    sweep(&(struct wishes){ .workers = 2,
                            .streams_max = 8,
                            .buffer_bytes = 4 * 1024 * 1024,
                            .endpoints = &ALL_RELAYS },
          relay, 50);
}

/* ---- requests that are held, or answered in pieces ---- */

static void write_on(struct wire *wire, const char *request)
{
    if (wire && wire->state == WIRE_OPEN)
        wire_write(wire, request);
}

#define POST(path, size, body)                                                                     \
    "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " size "\r\n\r\n" body

static void hold(struct house *house)
{
    struct wire *poll = house_dial(house, 0, STREAM_HTTP);
    struct wire *stream = house_dial(house, 1, STREAM_HTTP);
    struct wire *asks = house_dial(house, 1, STREAM_HTTP);
    write_on(poll, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET /poll/enter/room/r HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    write_on(stream, POST("/echo/000/s/xhr_streaming", "0", ""));
    for (unsigned i = 0; i < 3; i++)
        write_on(asks, POST("/echo/000/s/xhr_send", "9", "[\"hello\"]"));
    write_on(asks, POST("/receive-events/enter/room/r", "14", "{\"camKey\":\"k\"}"));
    write_on(asks, POST("/echo/000/t/xhr", "0", ""));
}

static void in_requests(void **state)
{
    (void)state;
    sweep(&(struct wishes){ .workers = 2,
                            .streams_max = 8,
                            .buffer_bytes = 4 * 1024 * 1024,
                            .endpoints = &ALL_PATHS },
          hold, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_relays),
        cmocka_unit_test(in_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
