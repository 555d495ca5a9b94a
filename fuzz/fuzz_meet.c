/* Fuzzes a whole server, or two of them, with what clients may say and do.
 *
 * Input: a byte of settings (bit 0: hardly any memory; bit 1: streams are lost on their way to
 * another worker; bit 2: what the servers ask for waits for a line "." or for time), then lines.  A
 * line is a letter, in most cases the number of a client (0 to 3), and what the letter needs:
 *
 *     w0       opens a WebSocket            o0 opens for HTTP          u0 opens for STUN
 *     x0       cuts it                      e0 it sends no more, and still reads
 *     b0       it reads nothing             P0 reads half and then nothing      B0 reads again
 *     <0...    bytes as they are, with CR LF for each '|'
 *     m0...    the rest as a text message
 *     F0...    a frame: a letter whose low bits are opcode (0x0f), RSV1 (0x10) and no FIN (0x20)
 *     j0ra     joins room "r" as "a"        r01 takes up the session of client 1
 *     O01 A01 K01   offers, answers, sends a candidate to member m1
 *     c0...    chats                        C01... to member m1 alone
 *     M05 h01  media flags, hand            l0 leaves       p0 pings       y0 pongs
 *     n0       numbers its messages from now on
 *     tN       time passes: 2^N ms (a hexadecimal digit)
 *     s0       server 0 stops               d... a datagram
 *     *N...    the line behind it 2^N times
 *
 * At the end everybody goes, and nothing may be left.
 */
#include "meeting.h"

#include "wire/json.h"

#define LINES_MAX 2500

static unsigned digit_of(uint8_t c)
{
    if (c >= 'a')
        return (c - 'a' + 10u) & 15;
    return (unsigned)(c - '0') & 15;
}

static struct json_writer begin(struct link *link, uint8_t *text, size_t capacity, const char *type)
{
    struct json_writer writer = json_writer_make(text, capacity);
    json_open(&writer, '{');
    json_key(&writer, "type");
    json_string(&writer, view_of(type));
    if (link->is_numbered) {
        json_key(&writer, "id");
        json_number(&writer, link->next_id++);
    }
    return writer;
}

static void put_text(struct json_writer *writer, const char *key, struct view text)
{
    json_key(writer, key);
    json_string(writer, text);
}

static void put_to(struct json_writer *writer, uint8_t c)
{
    char to[8];
    snprintf(to, sizeof to, "m%u", digit_of(c));
    put_text(writer, "to", view_of(to));
}

/* The message that a letter stands for; "" for others. */
static const char *type_of(uint8_t letter)
{
    switch (letter) {
    case 'j':
        return "join";
    case 'r':
        return "resume";
    case 'O':
        return "offer";
    case 'A':
        return "answer";
    case 'K':
        return "candidate";
    case 'c':
    case 'C':
        return "chat";
    case 'M':
        return "media";
    case 'h':
        return "hand";
    case 'l':
        return "leave";
    case 'p':
        return "ping";
    default:
        return "";
    }
}

static void put_join(struct json_writer *writer, struct view rest)
{
    json_key(writer, "version");
    json_number(writer, 1);
    put_text(writer, "room", view_slice(rest, 0, 1));
    put_text(writer, "name", view_slice(rest, 1, rest.size));
    json_key(writer, "audio");
    json_bool(writer, true);
}

static void put_resume(struct json_writer *writer, struct link *link, const struct link *other)
{
    json_key(writer, "version");
    json_number(writer, 1);
    put_text(writer, "room", view_of(other->room));
    put_text(writer, "session", view_of(other->session));
    json_key(writer, "seq");
    json_number(writer, other->seq);
    if (link != other) {
        memcpy(link->room, other->room, sizeof link->room);
        memcpy(link->session, other->session, sizeof link->session);
    }
}

static void put_flags(struct json_writer *writer, unsigned flags)
{
    static const char *const NAMES[] = { "audio", "video", "screen" };
    for (unsigned i = 0; i < 3; i++) {
        json_key(writer, NAMES[i]);
        json_bool(writer, flags >> i & 1);
    }
}

/* The fields of the letter's message. */
static void put_fields(struct meeting *meeting, struct link *link, struct json_writer *writer,
                       uint8_t letter, struct view rest)
{
    uint8_t first = rest.size ? rest.at[0] : '0';
    switch (letter) {
    case 'j':
        put_join(writer, rest);
        break;
    case 'r':
        put_resume(writer, link, &meeting->links[first % MEETING_LINKS]);
        break;
    case 'O':
    case 'A':
        put_to(writer, first);
        put_text(writer, "sdp", view_slice(rest, 1, rest.size));
        break;
    case 'K':
        put_to(writer, first);
        json_key(writer, "candidate");
        json_raw(writer, VIEW("{\"candidate\":\"candidate:1\",\"sdpMid\":\"0\"}"));
        break;
    case 'C':
        put_to(writer, first);
        put_text(writer, "text", view_slice(rest, 1, rest.size));
        break;
    case 'c':
        put_text(writer, "text", rest);
        break;
    case 'M':
        put_flags(writer, digit_of(first));
        break;
    case 'h':
        json_key(writer, "raised");
        json_bool(writer, first & 1);
        break;
    default:
        break;
    }
}

static void say(struct meeting *meeting, struct link *link, uint8_t letter, struct view rest)
{
    static uint8_t text[64 * 1024];
    struct json_writer writer = begin(link, text, sizeof text, type_of(letter));
    put_fields(meeting, link, &writer, letter, rest);
    json_close(&writer, '}');
    if (!writer.overflow)
        meeting_send_frame(meeting, link, 0x81, json_written(&writer));
}

static void send_raw(struct meeting *meeting, struct link *link, struct view rest)
{
    struct span out = { malloc(rest.size * 2 + 1), 0 };
    CHECK(out.at);
    for (size_t i = 0; i < rest.size; i++) {
        if (rest.at[i] == '|')
            out.at[out.size++] = '\r';
        out.at[out.size++] = rest.at[i] == '|' ? '\n' : rest.at[i];
    }
    meeting_send(meeting, link, view_of_span(out));
    free(out.at);
}

static void send_frame(struct meeting *meeting, struct link *link, struct view rest)
{
    uint8_t c = input_byte(&rest);
    uint8_t flags = (uint8_t)((c & 0x0f) | (c & 0x10) << 2 | (c & 0x20 ? 0 : 0x80));
    meeting_send_frame(meeting, link, flags, rest);
}

/* What concerns a client; its messages but for the raw ones are for `say`. */
static void act(struct meeting *meeting, struct link *link, uint8_t letter, struct view rest)
{
    switch (letter) {
    case 'w':
        meeting_open(meeting, link, LINK_UPGRADING);
        break;
    case 'o':
        meeting_open(meeting, link, LINK_HTTP);
        break;
    case 'u':
        meeting_open(meeting, link, LINK_STUN);
        break;
    case 'x':
        meeting_cut(meeting, link);
        break;
    case 'e':
        meeting_finish(meeting, link);
        break;
    case 'P':
        link->is_slow = link->state != LINK_CLOSED;
        break;
    case 'b':
        link->is_blocked = link->state != LINK_CLOSED;
        break;
    case 'B':
        meeting_unblock(meeting, link);
        break;
    case '<':
        send_raw(meeting, link, rest);
        break;
    case 'm':
        meeting_send_frame(meeting, link, 0x81, rest);
        break;
    case 'F':
        send_frame(meeting, link, rest);
        break;
    case 'y':
        meeting_send_frame(meeting, link, 0x8a, view_make(link->ping, link->ping_size));
        break;
    case 'n':
        link->is_numbered = true;
        break;
    default:
        if (*type_of(letter))
            say(meeting, link, letter, rest);
        break;
    }
}

static void run_line(struct meeting *meeting, struct view line)
{
    uint8_t letter = input_byte(&line);
    if (letter == '.') {
        meeting_drain(meeting);
    } else if (letter == 't') {
        meeting_wait(meeting, USEC_MS << digit_of(input_byte(&line)));
    } else if (letter == 's') {
        meeting_stop(meeting, input_byte(&line) % MEETING_WORKERS);
    } else if (letter == 'd') {
        struct address from = { .family = ADDRESS_IPV4, .port = 1 };
        uint8_t answer[SERVER_DATAGRAM_MAX];
        size_t size = server_datagram(meeting->servers[0], meeting->now, &from, line, answer);
        CHECK(size <= sizeof answer);
    } else {
        struct link *link = &meeting->links[input_byte(&line) % MEETING_LINKS];
        act(meeting, link, letter, line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct meeting meeting;
    struct view input = view_make(data, size);
    struct view line;
    uint8_t settings = input_byte(&input);
    meeting_begin(&meeting, settings & 1);
    meeting.is_lossy = settings & 2;
    meeting.is_lazy = settings & 4;
    unsigned lines = 0;
    while (lines < LINES_MAX && view_split(&input, '\n', &line)) {
        unsigned times = 1;
        if (line.size > 1 && line.at[0] == '*') {
            times = 1u << digit_of(line.at[1]);
            line = view_slice(line, 2, line.size);
        }
        for (unsigned i = 0; i < times && lines < LINES_MAX && line.size; i++, lines++)
            run_line(&meeting, line);
    }
    meeting_end(&meeting);
    return 0;
}
