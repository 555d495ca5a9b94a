/* test_hold.c - requests that are answered later, or in pieces: what stands behind them waits, and
 * whoever goes or stops is told. */
#include "house_paths.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
#define ENTER(r)   GET("/poll/enter/room/" r)
#define ASK(r)                                                                                     \
    "POST /receive-events/enter/room/" r " HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n"      \
    "{\"camKey\":\"k\"}"

/* Answers the polls that wait at a room. */
static void ask_for(struct house *house, const char *request)
{
    struct answer answer = { 0 };
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, 200);
    answer_free(&answer);
}

static void expect_code(struct wire *wire, unsigned code, const char *connection)
{
    struct answer answer = { 0 };
    wire_answer(wire, &answer);
    assert_int_equal(answer.code, code);
    assert_header(&answer, "Connection", connection);
    answer_free(&answer);
}

/* ---- held ---- */

static void what_is_behind_waits(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, GET("/healthz") ENTER("r") GET("/healthz") ENTER("s") GET("/nothing"));
    expect_code(wire, 200, "keep-alive");
    assert_quiet(wire);
    ask_for(house, ASK("r"));
    expect_code(wire, 200, "keep-alive"); /* the poll's */
    expect_code(wire, 200, "keep-alive");
    assert_quiet(wire);
    ask_for(house, ASK("s"));
    expect_code(wire, 200, "keep-alive");
    expect_code(wire, 404, "keep-alive");
    assert_quiet(wire);
    house_close(house);
}

/* The bytes behind a held request come one by one, before and after its answer. */
static void what_is_behind_may_be_cut_anywhere(void **state)
{
    static const char BEHIND[] = GET("/healthz") ASK("s") GET("/nothing");
    (void)state;
    for (size_t cut = 0; cut < sizeof BEHIND; cut++) {
        struct house *house = house_build(&(struct wishes){
            .streams_max = 4, .buffer_bytes = 2 * 1024 * 1024, .endpoints = &ALL_PATHS });
        struct wire *wire = dial(house, 0);
        wire_write(wire, ENTER("r"));
        wire_send(wire, view_make(BEHIND, cut));
        assert_quiet(wire);
        ask_for(house, ASK("r"));
        wire_send(wire, view_make(BEHIND + cut, sizeof BEHIND - 1 - cut));
        expect_code(wire, 200, "keep-alive");
        expect_code(wire, 200, "keep-alive");
        expect_code(wire, 200, "keep-alive"); /* the one with a body */
        expect_code(wire, 404, "keep-alive");
        assert_quiet(wire);
        house_close(house);
    }
}

static void too_much_behind_is_not_taken(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, ENTER("r"));
    for (unsigned i = 0; i < 3000 && !wire_is_closed(wire); i++)
        wire_write(wire, GET("/healthz"));
    assert_true(wire_is_closed(wire));
    assert_int_equal(wire->got.size, 0);
    assert_int_equal(house_metric(house, METRIC_CLOSED_LIMIT), 1);
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 0);
    house_close(house);
}

static void a_held_request_may_wait_for_hours(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, ENTER("r"));
    house_wait(house, 3600 * USEC_S);
    assert_quiet(wire);
    ask_for(house, ASK("r"));
    expect_code(wire, 200, "keep-alive");
    house_wait(house, 50 * USEC_S); /* and then it is idle as any other */
    assert_quiet(wire);
    house_wait(house, 15 * USEC_S);
    assert_true(wire_is_closed(wire));
    house_close(house);
}

static void clients_of_1_0_are_answered_and_closed(void **state)
{
    static const struct {
        const char *head;
        const char *connection;
    } HEADS[] = {
        { "GET /poll/enter/room/r HTTP/1.0\r\n\r\n", "close" },
        { "GET /poll/enter/room/r HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive" },
        { "GET /poll/enter/room/r HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close" },
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct house *house = open_paths(1);
        struct wire *wire = dial(house, 0);
        wire_write(wire, HEADS[i].head);
        ask_for(house, ASK("r"));
        expect_code(wire, 200, HEADS[i].connection);
        assert_int_equal(wire_is_closed(wire), strcmp(HEADS[i].connection, "close") == 0);
        house_close(house);
    }
}

static void who_goes_is_not_answered(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *gone = dial(house, 0);
    struct wire *ended = dial(house, 0);
    struct wire *stays = dial(house, 0);
    wire_write(gone, ENTER("r") GET("/healthz"));
    wire_write(ended, ENTER("r"));
    wire_write(stays, ENTER("r"));
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 3);
    wire_drop(gone);
    wire_end(ended);
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 1);
    ask_for(house, ASK("r"));
    expect_code(stays, 200, "keep-alive");
    assert_int_equal(ended->got.size, 0);
    house_close(house);
}

static void a_server_that_stops_answers(void **state)
{
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    struct answer answer = { 0 };
    wire_write(wire, ENTER("r") GET("/healthz"));
    server_stop(house->servers[0], house->now);
    house_drain(house);
    wire_answer(wire, &answer);
    assert_header(&answer, "Connection", "close");
    assert_int_equal(wire->got.size, 0);
    assert_true(wire_is_closed(wire));
    assert_int_equal(house_metric(house, METRIC_DOOR_WAITS), 0);
    answer_free(&answer);
    house_close(house);
}

/* ---- pieces ---- */

#define STREAM_PATH "/echo/000/s/xhr_streaming"
#define SEND                                                                                       \
    "POST /echo/000/s/xhr_send HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"                   \
    "[\"hello\"]"

static void skip_head(struct wire *wire, const char *line)
{
    struct view got = bytes_view(&wire->got);
    size_t head = view_find(got, VIEW("\r\n\r\n")) + 4;
    assert_true(head <= got.size);
    assert_true(view_find(view_slice(got, 0, head), view_of(line)) < head);
    bytes_used(&wire->got, head);
}

static void take(struct wire *wire, const char *bytes)
{
    size_t size = strlen(bytes);
    if (!view_starts(bytes_view(&wire->got), view_of(bytes)))
        fail_msg("seen \"%.*s\", wanted \"%s\"", VIEW_ARGS(bytes_view(&wire->got)), bytes);
    bytes_used(&wire->got, size);
}

/* What comes before the first frame: 2048 letters and a line end. */
static void skip_prelude(struct wire *wire, const char *around)
{
    assert_true(wire->got.size > strlen(around) + 2049);
    take(wire, around);
    for (size_t i = 0; i < 2048; i++)
        assert_int_equal(wire->got.at[i], 'h');
    bytes_used(&wire->got, 2048);
    take(wire, "\n");
}

static void pieces_are_chunks(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, POST(STREAM_PATH) GET("/healthz"));
    skip_head(wire, "\r\nTransfer-Encoding: chunked\r\n");
    skip_prelude(wire, "801\r\n");
    take(wire, "\r\n2\r\no\n\r\n");
    assert_quiet(wire);
    house_ask(house, SEND, &answer);
    assert_int_equal(answer.code, 204);
    take(wire, "b\r\na[\"hello\"]\n\r\n");
    assert_quiet(wire);
    for (unsigned i = 0; i < 400 && wire->got.size < 8000; i++) /* the response is full by then */
        house_ask(house, SEND, &answer);
    struct view got = bytes_view(&wire->got);
    size_t end = view_find(got, VIEW("0\r\n\r\nHTTP/1.1 200 OK\r\n")); /* and what waited follows */
    assert_true(end < got.size);
    bytes_used(&wire->got, end + 5);
    expect_code(wire, 200, "keep-alive");
    answer_free(&answer);
    house_close(house);
}

static void pieces_for_clients_of_1_0_end_with_the_connection(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, "POST " STREAM_PATH " HTTP/1.0\r\nConnection: keep-alive\r\n"
                     "Content-Length: 0\r\n\r\n");
    skip_head(wire, "\r\nConnection: close\r\n");
    skip_prelude(wire, "");
    take(wire, "o\n");
    house_ask(house, SEND, &answer);
    take(wire, "a[\"hello\"]\n");
    assert_quiet(wire);
    server_stop(house->servers[0], house->now);
    house_drain(house);
    take(wire, "c[");
    assert_true(wire_is_closed(wire));
    answer_free(&answer);
    house_close(house);
}

static void a_slow_reader_of_pieces_is_let_go(void **state)
{
    struct answer answer = { 0 };
    (void)state;
    struct house *house = open_paths(1);
    struct wire *wire = dial(house, 0);
    wire_write(wire, POST(STREAM_PATH));
    wire_give_room(wire, 0);
    house_ask(house, SEND, &answer);
    house_wait(house, 31 * USEC_S);
    assert_true(wire_is_closed(wire));
    assert_int_equal(house_metric(house, METRIC_SESSIONS), 0);
    answer_free(&answer);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_behind_waits),
        cmocka_unit_test(what_is_behind_may_be_cut_anywhere),
        cmocka_unit_test(too_much_behind_is_not_taken),
        cmocka_unit_test(a_held_request_may_wait_for_hours),
        cmocka_unit_test(clients_of_1_0_are_answered_and_closed),
        cmocka_unit_test(who_goes_is_not_answered),
        cmocka_unit_test(a_server_that_stops_answers),
        cmocka_unit_test(pieces_are_chunks),
        cmocka_unit_test(pieces_for_clients_of_1_0_end_with_the_connection),
        cmocka_unit_test(a_slow_reader_of_pieces_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
