/* house_meet.h - guests: clients of the meeting protocol on wires of a house. */
#ifndef MOIM_TESTS_FRONT_HOUSE_MEET_H
#define MOIM_TESTS_FRONT_HOUSE_MEET_H

#include "house_ws.h"

#define SESSION_TEXT 22 /* characters */

struct guest {
    struct wire *wire;
    uint64_t seq; /* of the welcome */
    char session[SESSION_TEXT + 1];
    char welcome[8192];
};

/* The text between `before` and the next `end` in JSON; fails when it is not there. */
static inline struct view between(const char *json, const char *before, const char *end)
{
    char *from = quoted(before);
    struct view rest = view_of(json);
    size_t at = view_find(rest, view_of(from));
    if (at == rest.size)
        fail_msg("no %s in %s", from, json);
    rest = view_slice(rest, at + strlen(from), rest.size);
    free(from);
    return view_slice(rest, 0, view_find_byte(rest, (uint8_t)*end));
}

/* Reads the welcome that is the wire's next frame. */
static inline void hear_welcome(struct guest *guest)
{
    struct frame frame;
    ws_hear(guest->wire, &frame);
    if (!view_starts(view_of(frame.payload), VIEW("{\"type\":\"welcome\",")))
        fail_msg("no welcome: %s", frame.payload);
    assert_true(frame.size < sizeof guest->welcome);
    memcpy(guest->welcome, frame.payload, frame.size + 1);
    struct view session = between(frame.payload, "'session':'", "\"");
    assert_int_equal(session.size, SESSION_TEXT);
    memcpy(guest->session, session.at, SESSION_TEXT);
    guest->session[SESSION_TEXT] = 0;
    struct view seq = between(frame.payload, "'seq':", ",");
    assert_true(view_read_number(seq, UINT64_MAX, &guest->seq));
}

static inline void say_join(struct wire *wire, const char *room, const char *name)
{
    char text[2000];
    snprintf(text, sizeof text, "{'type':'join','version':1,'room':'%s','name':'%s'}", room, name);
    ws_say(wire, text);
}

/* A guest on an open WebSocket comes into a room. */
static inline struct guest guest_join(struct wire *wire, const char *room, const char *name)
{
    struct guest guest = { .wire = wire };
    say_join(wire, room, name);
    hear_welcome(&guest);
    return guest;
}

/* On a new one. */
static inline struct guest house_guest(struct house *house, const char *room, const char *name)
{
    return guest_join(house_ws(house), room, name);
}

static inline void say_resume(struct wire *wire, const char *room, const char *session,
                              uint64_t seq)
{
    char text[2000];
    snprintf(text, sizeof text,
             "{'type':'resume','version':1,'room':'%s','session':'%s','seq':%llu}", room, session,
             (unsigned long long)seq);
    ws_say(wire, text);
}

/* The next frame that is no ping. */
static inline void hear_past_pings(struct wire *wire, struct frame *frame)
{
    do {
        ws_hear(wire, frame);
    } while (frame->opcode == WEBSOCKET_PING);
}

/* ... is this text. */
static inline void expect_past_pings(struct wire *wire, const char *text)
{
    struct frame frame;
    char *wanted = quoted(text);
    hear_past_pings(wire, &frame);
    assert_string_equal(frame.payload, wanted);
    free(wanted);
}

/* Drops all frames that have come. */
static inline void hear_all(struct wire *wire)
{
    struct frame frame;
    while (ws_poll(wire, &frame))
        continue;
}

/* The next frame is an error with that code; fields of it as they stand behind the message. */
static inline void expect_error(struct wire *wire, const char *code, const char *behind)
{
    char begin[100];
    char end[200];
    struct frame frame;
    ws_hear(wire, &frame);
    snprintf(begin, sizeof begin, "{\"type\":\"error\",\"code\":\"%s\",\"message\":\"", code);
    char *quoted_behind = quoted(behind);
    snprintf(end, sizeof end, "\"%s}", quoted_behind);
    free(quoted_behind);
    size_t end_size = strlen(end);
    bool is_right = view_starts(view_of(frame.payload), view_of(begin)) && frame.size > end_size &&
                    strcmp(frame.payload + frame.size - end_size, end) == 0;
    if (!is_right)
        fail_msg("seen %s, wanted %s...%s", frame.payload, begin, end);
}

#endif
