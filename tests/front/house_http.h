/* house_http.h - an HTTP client's end of a wire: it asks, and takes answers apart. */
#ifndef MOIM_TESTS_FRONT_HOUSE_HTTP_H
#define MOIM_TESTS_FRONT_HOUSE_HTTP_H

#include "house.h"

struct answer {
    unsigned code;
    char head[4096]; /* with its empty line */
    struct bytes body;
};

/* The value of a header of an answer, "" when it is not there; it may stand but once. */
static inline struct view answer_header(const struct answer *answer, const char *name)
{
    struct view rest = view_of(answer->head);
    struct view line;
    struct view value = VIEW("");
    unsigned count = 0;
    while (view_split(&rest, '\n', &line)) {
        size_t colon = view_find_byte(line, ':');
        if (!view_equal_nocase(view_slice(line, 0, colon), view_of(name)))
            continue;
        value = view_trim(view_slice(line, colon + 1, line.size - colon - 2));
        count++;
    }
    assert_true(count <= 1);
    return value;
}

/* Whether a whole answer has come; takes it off the wire then.  `is_head`: it answers HEAD. */
static inline bool wire_poll_answer(struct wire *wire, struct answer *answer, bool is_head)
{
    struct view got = bytes_view(&wire->got);
    size_t head_size = view_find(got, VIEW("\r\n\r\n")) + 4;
    uint64_t size = 0;
    if (head_size > got.size)
        return false;
    assert_true(head_size < sizeof answer->head);
    assert_true(view_starts(got, VIEW("HTTP/1.1 ")));
    memcpy(answer->head, got.at, head_size);
    answer->head[head_size] = 0;
    answer->code = (unsigned)strtoul(answer->head + 9, NULL, 10);
    bool bodiless = is_head || answer->code < 200 || answer->code == 204 || answer->code == 304;
    struct view length = answer_header(answer, "Content-Length");
    if (!bodiless)
        assert_true(view_read_number(length, SIZE_MAX, &size));
    if (got.size < head_size + size)
        return false;
    answer->body.size = 0;
    bytes_add(&answer->body, view_slice(got, head_size, (size_t)size));
    bytes_used(&wire->got, head_size + (size_t)size);
    return true;
}

static inline void wire_answer(struct wire *wire, struct answer *answer)
{
    if (wire_poll_answer(wire, answer, false))
        return;
    fail_msg("no whole answer came: \"%.*s\"", VIEW_ARGS(bytes_view(&wire->got)));
}

static inline void wire_answer_head(struct wire *wire, struct answer *answer)
{
    if (!wire_poll_answer(wire, answer, true) || wire->got.size)
        fail_msg("not a head alone: \"%.*s\"", VIEW_ARGS(bytes_view(&wire->got)));
}

static inline void wire_ask(struct wire *wire, const char *request, struct answer *answer)
{
    wire_write(wire, request);
    wire_answer(wire, answer);
}

/* Asks on a new wire, and lets it go. */
static inline void house_ask(struct house *house, const char *request, struct answer *answer)
{
    struct wire *wire = house_connect(house);
    wire_write(wire, request);
    if (strncmp(request, "HEAD ", 5) == 0)
        wire_answer_head(wire, answer);
    else
        wire_answer(wire, answer);
    wire_drop(wire);
}

static inline void answer_free(struct answer *answer)
{
    free(answer->body.at);
    answer->body = (struct bytes){ NULL, 0, 0 };
}

#define assert_header(answer, name, wanted) assert_view(answer_header(answer, name), wanted)

/* Nothing came, and the stream stands. */
static inline void assert_quiet(const struct wire *wire)
{
    assert_view(bytes_view(&wire->got), "");
    assert_false(wire_is_closed(wire));
}

#endif
