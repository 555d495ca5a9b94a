/* Fuzzes STOMP sessions: a server with one endpoint, and a few clients over bare WebSockets.
 *
 * Input: a byte of settings (bit 0: hardly any memory; bit 1: no room rule), then lines.  A line is
 * a letter, in most cases the number of a client (0 to 3), and what the letter needs:
 *
 *     w0       opens a WebSocket            x0 cuts it         h0 opens for HTTP
 *     m0...    a message, with NUL for '^', a line end for '|' and a CR for '~'
 *     <0...    bytes as they are, with CR LF for each '|'
 *     c0...    CONNECT of 1.2, and more headers    s0...    SUBSCRIBE to it, the id is its length
 *     p0...    SEND to it
 *     tN       time passes: 2^N ms (a hexadecimal digit)
 *     *N...    the line behind it 2^N times
 *
 * Whatever the server says must be frames of STOMP.  At the end everybody goes, and nothing may be
 * left.
 */
#include "front/session.h"
#include "input.h"
#include "wire/stomp.h"

#define LINKS     4
#define LINES_MAX 600
#define TEXT_MAX  1500
#define COME_MAX  (256 * 1024)

struct link {
    bool is_open;
    bool is_websocket;
    uint32_t stream;
    size_t come_size;
    uint8_t *come; /* what came and makes no whole frame yet */
};

static struct {
    usec now;
    uint64_t chance;
    struct server *server;
    struct metrics metrics;
    struct link links[LINKS];
} world;

static const char *const BROKER[] = { "/topic", "/queue" };
static const char *const APPLICATION[] = { "/app" };
static const struct stomp_rename RENAMES[] = { { "/app/o/*/*", "/topic/a/*/*" } };
static const char *const ROOMS[] = { "/topic/a/*/*", "/topic/r/*" };

static struct endpoint_config make_config(uint8_t choices)
{
    return (struct endpoint_config){
        .path = "/s",
        .carrier = CARRIER_WEBSOCKET,
        .speech = SPEECH_STOMP,
        .limits = { .sessions = 3,
                    .message_bytes = 65536,
                    .queue_bytes = 20000,
                    .rooms = 2,
                    .subscriptions = 9 },
        .stomp = { .broker = BROKER,
                   .broker_count = 2,
                   .application = APPLICATION,
                   .application_count = 1,
                   .renames = RENAMES,
                   .rename_count = 1,
                   .rooms = ROOMS,
                   .room_count = 2,
                   .room_rule = !(choices & 2),
                   .heartbeat = 10 * USEC_S,
                   .door = true },
    };
}

static void check_frame(struct view text)
{
    struct span copy = input_copy(text);
    struct stomp_reader reader = { 0 };
    struct stomp_frame frame;
    size_t used = 0;
    /* 1.1 leaves alone what other versions don't escape */
    CHECK(stomp_read(&reader, copy, STOMP_1_1, BUFFER_SIZE_MAX, &frame, &used) == OK);
    CHECK(used == copy.size);
    CHECK(frame.command == STOMP_COMMAND_BEAT || frame.command >= STOMP_COMMAND_CONNECTED);
    if (frame.command == STOMP_COMMAND_MESSAGE)
        CHECK(stomp_header(&frame, "subscription").size &&
              stomp_header(&frame, "message-id").size && stomp_header(&frame, "destination").size &&
              stomp_header(&frame, "content-type").size);
    free(copy.at);
}

static void read_websocket(struct link *link)
{
    size_t at = 0;
    for (;;) {
        struct websocket_frame frame;
        size_t used;
        struct span rest = { link->come + at, link->come_size - at };
        int status = websocket_read(rest, WEBSOCKET_CLIENT, COME_MAX, &frame, &used);
        if (status == ERR_MORE)
            break;
        CHECK(status == OK);
        if (frame.opcode == WEBSOCKET_TEXT || frame.opcode == WEBSOCKET_BINARY)
            check_frame(view_of_span(frame.payload));
        at += used;
    }
    link->come_size -= at;
    memmove(link->come, link->come + at, link->come_size);
}

static void take(struct link *link, const struct server_out *out)
{
    size_t size = 0;
    for (size_t i = 0; i < out->run_count; i++) {
        CHECK(link->come_size + out->runs[i].size <= COME_MAX);
        memcpy(link->come + link->come_size, out->runs[i].at, out->runs[i].size);
        link->come_size += out->runs[i].size;
        size += out->runs[i].size;
    }
    server_sent(world.server, world.now, link->stream, size);
    size_t head = view_find(view_make(link->come, link->come_size), VIEW("\r\n\r\n")) + 4;
    struct view come = view_make(link->come, link->come_size);
    if (!link->is_websocket && head <= come.size && view_starts(come, VIEW("HTTP/1.1 101"))) {
        link->is_websocket = true;
        link->come_size -= head;
        memmove(link->come, link->come + head, link->come_size);
    } else if (!link->is_websocket) {
        link->come_size = 0;
    }
    if (link->is_websocket)
        read_websocket(link);
}

/* Does all that the server asks for; gives the time until which it waits. */
static usec drain(void)
{
    struct server_out out;
    for (server_poll(world.server, &out); out.kind != SERVER_WAIT;
         server_poll(world.server, &out)) {
        for (unsigned i = 0; i < LINKS; i++) {
            struct link *link = &world.links[i];
            if (!link->is_open || link->stream != out.stream)
                continue;
            if (out.kind == SERVER_SEND)
                take(link, &out);
            if (out.kind == SERVER_CLOSE)
                link->is_open = false;
            break;
        }
    }
    return out.until;
}

static void cut(struct link *link)
{
    if (link->is_open)
        server_closed(world.server, world.now, link->stream);
    link->is_open = false;
    drain();
}

static void send_bytes(struct link *link, struct view bytes)
{
    if (!link->is_open || !server_wants_bytes(world.server, link->stream))
        return;
    struct span copy = input_copy(bytes);
    server_feed(world.server, world.now, link->stream, copy);
    free(copy.at);
    drain();
}

static void open_link(struct link *link, bool is_websocket)
{
    struct stream_origin origin = { .kind = STREAM_HTTP };
    cut(link);
    link->is_websocket = false;
    link->come_size = 0;
    link->is_open = server_open(world.server, world.now, &origin, &link->stream) == OK;
    if (is_websocket)
        send_bytes(link, VIEW("GET /s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Protocol: v12.stomp\r\n\r\n"));
}

static void say(struct link *link, struct view text)
{
    static const uint8_t MASK[4] = { 0 };
    uint8_t frame[WEBSOCKET_HEADER_MAX + TEXT_MAX];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    struct span copy = input_copy(view_slice(text, 0, TEXT_MAX));
    if (link->is_websocket) {
        size_t size = websocket_write_masked(WEBSOCKET_BINARY, true, false, MASK, copy, header);
        memcpy(frame, header, size);
        memcpy(frame + size, copy.at, copy.size);
        send_bytes(link, view_make(frame, size + copy.size));
    }
    free(copy.at);
}

/* The rest of a line with its signs for bytes that can't stand in one. */
static struct view spelled(struct view text, bool is_http, uint8_t out[TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size + 2 < TEXT_MAX; i++) {
        uint8_t c = text.at[i];
        if (c == '|' && is_http)
            out[size++] = '\r';
        out[size++] = c == '|' ? '\n' : c == '^' && !is_http ? 0 : c == '~' && !is_http ? '\r' : c;
    }
    return view_make(out, size);
}

static void say_made(struct link *link, const char *begin, struct view rest, const char *end)
{
    char text[TEXT_MAX];
    int size = snprintf(text, sizeof text, "%s%.*s%s", begin, (int)(rest.size % 400), rest.at, end);
    say(link, view_make(text, (size_t)size + 1));
}

static void wait_for(usec time)
{
    usec until = world.now + time;
    usec next;
    while ((next = drain()) <= until) {
        world.now = next > world.now ? next : world.now;
        server_tick(world.server, world.now);
    }
    world.now = until;
}

static unsigned digit_of(uint8_t c)
{
    return c >= 'a' ? (c - 'a' + 10u) & 15 : (unsigned)(c - '0') & 15;
}

static void do_line(struct view line)
{
    uint8_t out[TEXT_MAX];
    char id[40];
    uint8_t letter = input_byte(&line);
    if (letter == 't') {
        wait_for(USEC_MS << digit_of(input_byte(&line)));
        return;
    }
    struct link *link = &world.links[digit_of(input_byte(&line)) % LINKS];
    if (letter == 'w' || letter == 'h')
        open_link(link, letter == 'w');
    else if (letter == 'x')
        cut(link);
    else if (letter == 'm')
        say(link, spelled(line, false, out));
    else if (letter == '<')
        send_bytes(link, spelled(line, true, out));
    else if (letter == 'c')
        say_made(link, "CONNECT\naccept-version:1.2\nheart-beat:9000,9000\n",
                 spelled(line, false, out), "\n\n");
    else if (letter == 'p')
        say_made(link, "SEND\ndestination:", line, "\n\n{}");
    else if (letter == 's') {
        snprintf(id, sizeof id, "SUBSCRIBE\nid:%zu\ndestination:", line.size);
        say_made(link, id, line, "\n\n");
    }
}

static void begin(uint8_t choices, const struct endpoint_configs *configs)
{
    struct server_config config = {
        .worker_count = 1,
        .streams_max = LINKS,
        .rooms_max = 2,
        .members_max = 2,
        .buffer_bytes = (size_t)(choices & 1 ? 512 * 1024 : 8 * 1024 * 1024),
        .random = { input_random_fill, &world.chance },
        .room_secret = { 1, 2 },
        .metrics = &world.metrics,
        .endpoints = configs,
    };
    memset(&world.metrics, 0, sizeof world.metrics);
    world.now = 1000 * USEC_S;
    world.chance = 1;
    CHECK(server_new(&config, world.now, &world.server) == OK);
    for (unsigned i = 0; i < LINKS; i++) {
        world.links[i].is_open = false;
        if (!world.links[i].come)
            world.links[i].come = malloc(COME_MAX);
        CHECK(world.links[i].come);
    }
}

static void end(void)
{
    for (unsigned i = 0; i < LINKS; i++)
        cut(&world.links[i]);
    wait_for(60 * USEC_S);
    CHECK(server_streams(world.server) == 0);
    CHECK(metrics_read(&world.metrics, METRIC_STOMP_SUBSCRIPTIONS) == 0);
    CHECK(metrics_read(&world.metrics, METRIC_DOOR_WAITS) == 0);
    CHECK(metrics_read(&world.metrics, METRIC_SESSIONS) == 0);
    CHECK(drain() == USEC_NEVER);
    server_free(world.server); /* asserts that nothing is left */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct view line;
    uint8_t choices = input_byte(&input);
    struct endpoint_config config = make_config(choices);
    struct endpoint_configs configs = { &config, 1 };
    begin(choices, &configs);
    for (unsigned lines = 0; lines < LINES_MAX && view_split(&input, '\n', &line); lines++) {
        unsigned times = 1;
        if (line.size > 1 && line.at[0] == '*') {
            times = 1u << digit_of(line.at[1]) % 9;
            line = view_slice(line, 2, line.size);
        }
        for (; times; times--, lines++)
            do_line(line);
    }
    end();
    return 0;
}
