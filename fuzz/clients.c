#include "clients.h"

#include "wire/websocket.h"

#define LINKS     6
#define LINES_MAX 400
#define TEXT_MAX  1500
#define COME_MAX  (4 * 1024 * 1024)
#define SID_SIZE  20

struct link {
    bool is_open;
    bool is_websocket;
    bool is_checked;  /* what comes is read: requests were only such as are made here */
    bool is_awaiting; /* a WebSocket was asked for */
    size_t room;      /* bytes that the socket takes */
    uint32_t stream;
    size_t come_size;
    size_t come_capacity;
    uint8_t *come; /* what came and makes nothing whole yet */
};

static struct {
    const struct clients_config *config;
    usec now;
    uint64_t chance;
    struct server *server;
    struct metrics metrics;
    struct link links[LINKS];
    char sid[SID_SIZE + 1];
} world;

/* ---- what comes ---- */

static void used(struct link *link, size_t size)
{
    link->come_size -= size;
    memmove(link->come, link->come + size, link->come_size);
}

static bool read_message(struct link *link)
{
    struct websocket_frame frame;
    size_t size;
    struct span come = { link->come, link->come_size };
    int status = websocket_read(come, WEBSOCKET_CLIENT, COME_MAX, &frame, &size);
    if (status == ERR_MORE)
        return false;
    CHECK(status == OK);
    if (frame.opcode == WEBSOCKET_TEXT || frame.opcode == WEBSOCKET_BINARY)
        world.config->check(frame.opcode == WEBSOCKET_TEXT ? SAID_TEXT : SAID_BYTES,
                            view_of_span(frame.payload));
    used(link, size);
    return true;
}

static struct view header_of(struct view head, const char *name)
{
    size_t at = view_find(head, view_of(name)) + strlen(name);
    struct view rest = view_slice(head, at, head.size);
    return view_slice(rest, 0, view_find(rest, VIEW("\r\n")));
}

static void note_sid(struct view body)
{
    size_t at = view_find(body, VIEW("\"sid\":\"")) + 7;
    if (at + SID_SIZE <= body.size)
        memcpy(world.sid, body.at + at, SID_SIZE);
}

/* Chunks of a body.  Gives what they take with all before them; 0: it is not whole. */
static size_t read_chunks(struct view come, size_t at, bool is_good)
{
    for (;;) {
        struct view rest = view_slice(come, at, come.size);
        size_t line = view_find(rest, VIEW("\r\n"));
        if (line == rest.size)
            return 0;
        size_t size = strtoul((const char *)rest.at, NULL, 16);
        if (rest.size < line + 2 + size + 2)
            return 0;
        CHECK(line > 0 && rest.at[line + 2 + size] == '\r');
        at += line + 2 + size + 2;
        if (size == 0)
            return at;
        if (is_good)
            world.config->check(SAID_PIECE, view_slice(rest, line + 2, size));
    }
}

static bool read_answer(struct link *link)
{
    struct view come = view_make(link->come, link->come_size);
    size_t end = view_find(come, VIEW("\r\n\r\n")) + 4;
    if (end > come.size)
        return false;
    struct view head = view_slice(come, 0, end - 2);
    CHECK(view_starts(head, VIEW("HTTP/1.1 ")));
    unsigned code = (unsigned)strtoul((const char *)head.at + 9, NULL, 10);
    if (code == 101 && link->is_awaiting) {
        link->is_websocket = true;
        used(link, end);
        return true;
    }
    bool is_good = code == 200;
    if (view_equal(header_of(head, "\r\nTransfer-Encoding: "), VIEW("chunked"))) {
        size_t size = read_chunks(come, end, false);
        if (size == 0)
            return false;
        read_chunks(come, end, is_good);
        used(link, size);
        return true;
    }
    struct view length = header_of(head, "\r\nContent-Length: ");
    size_t size = length.size ? strtoul((const char *)length.at, NULL, 10) : 0;
    if (come.size < end + size)
        return false;
    struct view body = view_slice(come, end, size);
    struct view type = header_of(head, "\r\nContent-Type: ");
    note_sid(body);
    if (is_good)
        world.config->check(
            view_equal(type, VIEW("application/octet-stream")) ? SAID_OCTETS : SAID_BODY, body);
    used(link, end + size);
    return true;
}

static void take(struct link *link, const struct server_out *out)
{
    size_t taken = 0;
    for (size_t i = 0; i < out->run_count; i++) {
        size_t size = out->runs[i].size;
        size = size < link->room - taken ? size : link->room - taken;
        CHECK(link->come_size + size <= COME_MAX);
        if (link->come_capacity < link->come_size + size) {
            link->come_capacity = 2 * (link->come_size + size);
            link->come = realloc(link->come, link->come_capacity);
            CHECK(link->come);
        }
        memcpy(link->come + link->come_size, out->runs[i].at, size);
        link->come_size += size;
        taken += size;
    }
    link->room -= link->room == SIZE_MAX ? 0 : taken;
    server_sent(world.server, world.now, link->stream, taken);
    if (!link->is_checked)
        link->come_size = 0;
    while (link->come_size && (link->is_websocket ? read_message(link) : read_answer(link)))
        continue;
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

/* ---- what goes ---- */

static void cut(struct link *link)
{
    if (link->is_open)
        server_closed(world.server, world.now, link->stream);
    link->is_open = false;
    drain();
}

static void connect(struct link *link)
{
    struct stream_origin origin = { .kind = STREAM_HTTP };
    if (link->is_open)
        return;
    link->is_websocket = false;
    link->is_awaiting = false;
    link->is_checked = true;
    link->come_size = 0;
    link->room = SIZE_MAX;
    link->is_open = server_open(world.server, world.now, &origin, &link->stream) == OK;
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

/* A line's rest with its signs for bytes that can't stand in one. */
static struct view spelled(struct view text, bool is_raw, uint8_t out[TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size + 2 < TEXT_MAX; i++) {
        uint8_t c = text.at[i];
        if (c == '|' && is_raw)
            out[size++] = '\r';
        if (c == '|' && is_raw)
            c = '\n';
        out[size++] = c == '^' ? 0 : c == '&' ? 0xff : c == '%' ? 0x1e : c;
    }
    return view_make(out, size);
}

/* Paths may hold anything but what ends them. */
static void add_path(char *out, size_t capacity, struct view path)
{
    size_t size = 0;
    for (size_t i = 0; i < path.size && size + SID_SIZE + 1 < capacity; i++) {
        if (path.at[i] == '$') {
            memcpy(out + size, world.sid, SID_SIZE);
            size += SID_SIZE;
        } else if (path.at[i] > ' ' && path.at[i] < 0x7f) {
            out[size++] = (char)path.at[i];
        }
    }
    out[size] = 0;
}

/* The server has other paths, too, whose answers are other texts. */
static bool is_of_endpoint(const char *path)
{
    const struct endpoint_configs *all = world.config->endpoints;
    for (uint32_t i = 0; i < all->count; i++) {
        size_t size = strlen(all->items[i].path) - 1; /* without the first '/' */
        if (strncmp(path, all->items[i].path + 1, size) == 0)
            return true;
    }
    return false;
}

static void request(struct link *link, uint8_t letter, struct view line)
{
    uint8_t body[TEXT_MAX];
    char text[2 * TEXT_MAX + 300];
    char path[300];
    size_t bar = view_find_byte(line, '|');
    struct view said = spelled(view_slice(line, bar + 1, line.size), false, body);
    add_path(path, sizeof path, view_slice(line, 0, bar));
    connect(link);
    /* what follows a request on its way may be of another kind */
    link->is_checked = link->is_checked && !link->is_websocket && is_of_endpoint(path);
    link->is_awaiting = letter == 'w';
    int size = snprintf(text, sizeof text, "%s /%s HTTP/1.1\r\nHost: a\r\n",
                        letter == 'p' || letter == 'P' ? "POST" : "GET", path);
    if (letter == 'w')
        size += sprintf(text + size, "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                     "Sec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    else if (letter == 'g')
        size += sprintf(text + size, "\r\n");
    else
        size += sprintf(text + size, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                        letter == 'P' ? "application/octet-stream" : "text/plain", said.size);
    if (letter == 'p' || letter == 'P') {
        memcpy(text + size, said.at, said.size);
        size += (int)said.size;
    }
    send_bytes(link, view_make(text, (size_t)size));
}

static void say(struct link *link, bool is_binary, struct view line)
{
    static const uint8_t MASK[4] = { 0 };
    uint8_t text[TEXT_MAX];
    uint8_t frame[WEBSOCKET_HEADER_MAX + TEXT_MAX];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    struct view said = spelled(line, false, text);
    if (!link->is_websocket)
        return;
    size_t size = websocket_write_masked(is_binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, true, false,
                                         MASK, (struct span){ text, said.size }, header);
    memcpy(frame, header, size);
    memcpy(frame + size, text, said.size);
    send_bytes(link, view_make(frame, size + said.size));
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

static void give_room(struct link *link, uint8_t letter, struct view line)
{
    link->room = letter == 'B' ? SIZE_MAX : letter == 'u' ? 1u << digit_of(input_byte(&line)) : 0;
    if (link->is_open && link->room)
        server_writable(world.server, world.now, link->stream);
    drain();
}

static void do_link(struct link *link, uint8_t letter, struct view line)
{
    uint8_t out[TEXT_MAX];
    switch (letter) {
    case 'g':
    case 'p':
    case 'P':
    case 'w':
        request(link, letter, line);
        break;
    case 'm':
    case 'n':
        say(link, letter == 'n', line);
        break;
    case 'f':
        connect(link);
        link->is_checked = false;
        send_bytes(link, spelled(line, true, out));
        break;
    case 'x':
        cut(link);
        break;
    case 'e':
        if (link->is_open)
            server_ended(world.server, world.now, link->stream);
        drain();
        break;
    case 'b':
    case 'u':
    case 'B':
        give_room(link, letter, line);
        break;
    default:
        break;
    }
}

static void do_line(struct view line)
{
    uint8_t letter = input_byte(&line);
    if (letter == 't') {
        wait_for(USEC_MS << digit_of(input_byte(&line)));
    } else if (letter == 's') {
        server_stop(world.server, world.now);
        drain();
    } else {
        do_link(&world.links[digit_of(input_byte(&line)) % LINKS], letter, line);
    }
}

static void begin(void)
{
    struct server_config config = {
        .worker_count = 1,
        .streams_max = LINKS,
        .rooms_max = 2,
        .members_max = 2,
        .buffer_bytes = (size_t)(world.config->is_scarce ? 256 * 1024 : 8 * 1024 * 1024),
        .random = { input_random_fill, &world.chance },
        .room_secret = { 1, 2 },
        .metrics = &world.metrics,
        .endpoints = world.config->endpoints,
    };
    memset(&world.metrics, 0, sizeof world.metrics);
    world.now = 1000 * USEC_S;
    world.chance = 1;
    memset(world.sid, 'A', SID_SIZE);
    CHECK(server_new(&config, world.now, &world.server) == OK);
    for (unsigned i = 0; i < LINKS; i++)
        world.links[i].is_open = false;
}

static void end(void)
{
    static const enum metric LEFT[] = { METRIC_SESSIONS, METRIC_WEBSOCKETS, METRIC_RELAY_ROOMS,
                                        METRIC_RELAY_KEPT, METRIC_STOMP_SUBSCRIPTIONS };
    for (unsigned i = 0; i < LINKS; i++)
        cut(&world.links[i]);
    wait_for(100 * USEC_S);
    CHECK(server_streams(world.server) == 0);
    for (size_t i = 0; i < sizeof LEFT / sizeof LEFT[0]; i++)
        CHECK(metrics_read(&world.metrics, LEFT[i]) == 0);
    CHECK(drain() == USEC_NEVER);
    server_free(world.server); /* asserts that nothing is left */
}

void clients_run(const struct clients_config *config, struct view lines)
{
    struct view line;
    world.config = config;
    begin();
    for (unsigned count = 0; count < LINES_MAX && view_split(&lines, '\n', &line); count++) {
        unsigned times = 1;
        if (line.size > 1 && line.at[0] == '*') {
            times = 1u << digit_of(line.at[1]) % 9;
            line = view_slice(line, 2, line.size);
        }
        for (; times && count < LINES_MAX; times--, count++)
            do_line(line);
    }
    end();
}
