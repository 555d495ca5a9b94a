/* test_standin_text.c - descriptions in the messages of each kind of client. */
#include "front/standin/standin_text.h"
#include "support.h"

#define SDP      "v=0\\r\\no=- 1 1 IN IP4 0.0.0.0\\r\\n"
#define SDP_TEXT "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"
#define OURS     "v=0\r\ns=\"ours\"\r\n"
#define OURS_IN  "\"v=0\\r\\ns=\\\"ours\\\"\\r\\n\""

/* Messages as clients write them, and the same with a description of ours. */
static const struct row {
    const char *message;
    enum standin_kind kind;
    enum standin_kind to;
    const char *written;
} ROWS[] = {
    { "{\"type\":\"offer\",\"sdp\":\"" SDP "\"}", STANDIN_OFFER, STANDIN_ANSWER,
      "{\"type\":\"answer\",\"sdp\":" OURS_IN "}" },
    { "{ \"type\" : \"offer\" , \"sdp\" : {\"sdp\":\"" SDP "\",\"type\":\"offer\"} }",
      STANDIN_OFFER, STANDIN_ANSWER,
      "{\"type\":\"answer\",\"sdp\":{\"sdp\":" OURS_IN ",\"type\":\"answer\"}}" },
    { "{\"offer\":{\"type\":\"offer\",\"sdp\":\"" SDP "\"},\"roomId\":\"r\"}", STANDIN_OFFER,
      STANDIN_ANSWER, "{\"answer\":{\"type\":\"answer\",\"sdp\":" OURS_IN "},\"roomId\":\"r\"}" },
    { "{\"answer\":{\"type\":\"answer\",\"sdp\":\"" SDP "\"},\"n\":[1,{}]}", STANDIN_ANSWER,
      STANDIN_OFFER, "{\"offer\":{\"type\":\"offer\",\"sdp\":" OURS_IN "},\"n\":[1,{}]}" },
    { "{\"key\":\"mina\",\"body\":{\"type\":\"offer\",\"sdp\":\"" SDP "\"}}", STANDIN_OFFER,
      STANDIN_OFFER, "{\"key\":\"jun\",\"body\":{\"type\":\"offer\",\"sdp\":" OURS_IN "}}" },
    { "\"room\",{\"sdp\":\"" SDP "\"},7", STANDIN_OFFER, STANDIN_OFFER,
      "\"room\",{\"sdp\":" OURS_IN "},7" },
};

static void messages_of_each_kind_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct standin_text text = { 0 };
        uint8_t sdp[256];
        uint8_t out[1024];
        size_t size = 0;
        struct view message = view_of(ROWS[i].message);
        assert_int_equal(standin_text_read(message, STANDIN_OFFER, sdp, sizeof sdp, &text), OK);
        assert_int_equal(text.kind, ROWS[i].kind);
        assert_view(text.sdp, SDP_TEXT);

        const struct standin_text ours = { .kind = ROWS[i].to, .sdp = VIEW(OURS) };
        size_t enough = standin_text_size(message, &ours, VIEW("jun"));
        assert_true(enough <= sizeof out);
        assert_int_equal(
            standin_text_write(message, &ours, VIEW("jun"), (struct span){ out, enough }, &size),
            OK);
        assert_view(view_make(out, size), ROWS[i].written);
        for (size_t room = 0; room < size; room++)
            assert_int_equal(standin_text_write(message, &ours, VIEW("jun"),
                                                (struct span){ out, room }, &(size_t){ 0 }),
                             ERR_LIMIT);
    }
}

static int read_text(const char *message, size_t capacity)
{
    struct standin_text text;
    uint8_t sdp[256];
    return standin_text_read(view_of(message), STANDIN_OFFER, sdp, capacity, &text);
}

static void what_is_no_description_is_told(void **state)
{
    (void)state;
    assert_int_equal(read_text("", 256), ERR_NOT_FOUND);
    assert_int_equal(read_text("{}", 256), ERR_NOT_FOUND);
    assert_int_equal(read_text("{\"type\":\"candidate\",\"candidate\":{}}", 256), ERR_NOT_FOUND);
    assert_int_equal(read_text("{\"type\":\"rollback\",\"sdp\":\"\"}", 256), ERR_NOT_FOUND);
    assert_int_equal(read_text("{\"type\":\"rollback\",\"sdp\":\"v=0\"}", 256), ERR_MALFORMED);
    assert_int_equal(read_text("{\"type\":7,\"sdp\":\"v=0\"}", 256), ERR_MALFORMED);
    assert_int_equal(read_text("{\"sdp\":\"v=\\q\"}", 256), ERR_MALFORMED);
    assert_int_equal(read_text("{\"sdp\":\"v=0\\r\\n\"}", 4), ERR_LIMIT);
    assert_int_equal(read_text("{\"sdp\":\"v=0 s=-\"}", 4), ERR_LIMIT);
    assert_int_equal(read_text("{\"a\":{\"b\":{\"c\":{\"sdp\":\"v=0\"}}}}", 256), OK);
    assert_int_equal(read_text("{\"a\":{\"b\":{\"c\":{\"d\":{\"sdp\":\"v=0\"}}}}}", 256),
                     ERR_NOT_FOUND);
}

/* Whatever is left of a message, reading and writing it stays within it. */
static void every_beginning_and_every_bit_is_survived(void **state)
{
    const struct standin_text ours = { .kind = STANDIN_ANSWER, .sdp = VIEW(OURS) };
    uint8_t sdp[256];
    uint8_t out[1024];
    size_t size;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct view message = view_of(ROWS[i].message);
        for (size_t at = 0; at < message.size * 9; at++) {
            size_t length = at < message.size ? at : message.size;
            struct standin_text text;
            uint8_t *copy = test_copy(view_slice(message, 0, length));
            if (at >= message.size)
                copy[(at - message.size) / 8] ^= (uint8_t)(1u << at % 8);
            struct view seen = view_make(copy, length);
            if (standin_text_read(seen, STANDIN_OFFER, sdp, sizeof sdp, &text) == OK)
                assert_true(view_starts(text.sdp, VIEW("v=")));
            size_t enough = standin_text_size(seen, &ours, VIEW("jun"));
            assert_true(enough <= sizeof out);
            if (standin_text_write(seen, &ours, VIEW("jun"), (struct span){ out, enough }, &size) ==
                OK)
                assert_true(size <= enough);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_each_kind_are_read_and_written),
        cmocka_unit_test(what_is_no_description_is_told),
        cmocka_unit_test(every_beginning_and_every_bit_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
