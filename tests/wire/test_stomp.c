/* test_stomp.c - STOMP frames of all three versions: whole, cut at every byte, broken, and written
 * back. */
#include "support.h"

#include "wire/stomp.h"

#define BODY_MAX 1000

/* What was read, in memory of its own. */
struct seen {
    int status;
    size_t used;
    struct stomp_frame frame;
    uint8_t *bytes;
};

/* Reads one frame that comes in two pieces; the second has all the rest. */
static void read_cut(struct view bytes, size_t cut, enum stomp_version version, struct seen *seen)
{
    struct stomp_reader reader = { 0 };
    uint8_t *piece = test_copy(view_slice(bytes, 0, cut));
    seen->used = 0;
    seen->status = stomp_read(&reader, (struct span){ piece, cut }, version, BODY_MAX, &seen->frame,
                              &seen->used);
    if (seen->status == ERR_MORE && cut)
        assert_memory_equal(piece, bytes.at, cut);
    if (seen->status != ERR_MORE) {
        seen->bytes = piece;
        return;
    }
    free(piece);
    seen->bytes = test_copy(bytes);
    seen->status = stomp_read(&reader, (struct span){ seen->bytes, bytes.size }, version, BODY_MAX,
                              &seen->frame, &seen->used);
}

static void read_whole(const char *text, size_t size, enum stomp_version version, struct seen *seen)
{
    read_cut(view_make(text, size), size, version, seen);
}

/* A literal with its NUL, so that "...\0" needs none of its own. */
#define READ(literal, version, seen) read_whole(literal, sizeof(literal), version, seen)

static void check_status(const char *text, size_t size, enum stomp_version version, int wanted)
{
    /* cut anywhere, it is the same */
    for (size_t cut = 0; cut <= size; cut++) {
        struct seen seen;
        read_cut(view_make(text, size), cut, version, &seen);
        free(seen.bytes);
        if (seen.status != wanted)
            print_error("cut at %zu of \"%.60s\"\n", cut, text);
        assert_int_equal(seen.status, wanted);
    }
}

#define REFUSED(literal, version, wanted) check_status(literal, sizeof(literal), version, wanted)

static void test_frames(void **state)
{
    struct seen seen;
    (void)state;
    READ("SEND\ndestination:/topic/a\n\nhello", STOMP_1_2, &seen);
    assert_int_equal(seen.status, OK);
    assert_int_equal(seen.frame.command, STOMP_COMMAND_SEND);
    assert_int_equal(seen.frame.header_count, 1);
    assert_view(stomp_header(&seen.frame, "destination"), "/topic/a");
    assert_null(stomp_header(&seen.frame, "id").at);
    assert_view(seen.frame.body, "hello");
    assert_int_equal(seen.used, sizeof "SEND\ndestination:/topic/a\n\nhello");
    free(seen.bytes);

    READ("CONNECT\r\naccept-version:1.1,1.0\r\nheart-beat:10000,10000\r\n\r\n", STOMP_UNKNOWN,
         &seen);
    assert_int_equal(seen.status, OK);
    assert_view(stomp_header(&seen.frame, "heart-beat"), "10000,10000");
    assert_int_equal(seen.frame.body.size, 0);
    free(seen.bytes);

    /* a value may hold colons; an empty one is a value */
    READ("SEND\na:b:c\nd:\n\n", STOMP_1_0, &seen);
    assert_view(stomp_header(&seen.frame, "a"), "b:c");
    assert_non_null(stomp_header(&seen.frame, "d").at);
    free(seen.bytes);

    /* the first of repeated headers counts */
    READ("SEND\na:1\na:2\n\n", STOMP_1_2, &seen);
    assert_view(stomp_header(&seen.frame, "a"), "1");
    assert_int_equal(seen.frame.header_count, 1);
    free(seen.bytes);
}

static void test_bodies(void **state)
{
    struct seen seen;
    (void)state;
    READ("SEND\ncontent-length:5\n\na\0b\0c", STOMP_1_2, &seen);
    assert_int_equal(seen.status, OK);
    assert_int_equal(seen.frame.body.size, 5);
    assert_memory_equal(seen.frame.body.at, "a\0b\0c", 5);
    free(seen.bytes);

    READ("SEND\ncontent-length:0\n\n", STOMP_1_2, &seen);
    assert_int_equal(seen.status, OK);
    free(seen.bytes);

    REFUSED("SEND\ncontent-length:4\n\nhello", STOMP_1_2, ERR_MALFORMED);
    REFUSED("SEND\ncontent-length:6\n\nhello", STOMP_1_2, ERR_MORE);
    REFUSED("SEND\ncontent-length:-1\n\n", STOMP_1_2, ERR_MALFORMED);
    REFUSED("SEND\ncontent-length:\n\n", STOMP_1_2, ERR_MALFORMED);
    REFUSED("SEND\ncontent-length:1001\n\n", STOMP_1_2, ERR_LIMIT);
    REFUSED("SEND\ncontent-length:4294967297\n\n", STOMP_1_2, ERR_LIMIT);
    REFUSED("SEND\ncontent-length:99999999999999999999\n\n", STOMP_1_2, ERR_MALFORMED);
}

static void test_body_limit(void **state)
{
    char text[BODY_MAX + 20] = "SEND\n\n";
    (void)state;
    memset(text + 6, 'x', BODY_MAX + 1);
    for (size_t over = 0; over <= 1; over++) {
        struct seen seen;
        text[6 + BODY_MAX + over] = 0;
        read_whole(text, 6 + BODY_MAX + over + 1, STOMP_1_2, &seen);
        assert_int_equal(seen.status, over ? ERR_LIMIT : OK);
        free(seen.bytes);
        text[6 + BODY_MAX] = 'x';
    }
    /* said before the end has come */
    struct seen seen;
    read_whole(text, 6 + BODY_MAX + 1, STOMP_1_2, &seen);
    assert_int_equal(seen.status, ERR_LIMIT);
    free(seen.bytes);
}

static void test_beats(void **state)
{
    struct seen seen;
    (void)state;
    read_whole("\n", 1, STOMP_1_2, &seen);
    assert_int_equal(seen.status, OK);
    assert_int_equal(seen.frame.command, STOMP_COMMAND_BEAT);
    assert_int_equal(seen.used, 1);
    free(seen.bytes);

    READ("\n\r\n\nSEND\n\n", STOMP_1_2, &seen);
    assert_int_equal(seen.frame.command, STOMP_COMMAND_BEAT);
    assert_int_equal(seen.used, 4);
    free(seen.bytes);

    read_whole("\r", 1, STOMP_1_2, &seen);
    assert_int_equal(seen.status, ERR_MORE);
    free(seen.bytes);
    read_whole("", 0, STOMP_1_2, &seen);
    assert_int_equal(seen.status, ERR_MORE);
    free(seen.bytes);
}

static void check_value(const char *escaped, enum stomp_version version, const char *wanted)
{
    char text[200];
    struct seen seen;
    int size = snprintf(text, sizeof text, "SEND\nh:%s\n\n", escaped);
    read_whole(text, (size_t)size + 1, version, &seen);
    if (!wanted) {
        assert_int_equal(seen.status, ERR_MALFORMED);
    } else {
        assert_int_equal(seen.status, OK);
        assert_view(stomp_header(&seen.frame, "h"), wanted);
    }
    free(seen.bytes);
}

static void test_escapes(void **state)
{
    struct seen seen;
    (void)state;
    check_value("a\\nb\\cc\\\\d", STOMP_1_0, "a\\nb\\cc\\\\d");
    check_value("a\\nb\\cc\\\\d", STOMP_1_1, "a\nb:c\\d");
    check_value("a\\nb\\cc\\\\d", STOMP_1_2, "a\nb:c\\d");
    check_value("a\\rb", STOMP_1_1, "a\\rb");
    check_value("a\\rb", STOMP_1_2, "a\rb");
    check_value("a\\tb", STOMP_1_1, "a\\tb");
    check_value("a\\tb", STOMP_1_2, NULL);
    check_value("a\\", STOMP_1_1, "a\\");
    check_value("a\\", STOMP_1_2, NULL);
    check_value("\\\\n", STOMP_1_2, "\\n");
    check_value("a\rb", STOMP_1_1, NULL);
    check_value(" a ", STOMP_1_0, "a");
    check_value(" a ", STOMP_1_1, " a ");

    READ("CONNECT\npasscode:a\\nb\\t\n\n", STOMP_1_2, &seen);
    assert_view(stomp_header(&seen.frame, "passcode"), "a\\nb\\t");
    free(seen.bytes);
    READ("STOMP\npasscode:a\\cb\\t\n\n", STOMP_UNKNOWN, &seen);
    assert_view(stomp_header(&seen.frame, "passcode"), "a:b\\t");
    free(seen.bytes);
    /* names are escaped, too */
    READ("SEND\na\\cb:1\n\n", STOMP_1_2, &seen);
    assert_view(stomp_header(&seen.frame, "a:b"), "1");
    free(seen.bytes);
}

static void test_broken(void **state)
{
    (void)state;
    REFUSED("HELLO\n\n", STOMP_1_2, ERR_UNSUPPORTED);
    REFUSED("send\n\n", STOMP_1_2, ERR_UNSUPPORTED);
    REFUSED("\rSEND\n\n", STOMP_1_2, ERR_UNSUPPORTED);
    REFUSED("SEND\nno colon\n\n", STOMP_1_2, ERR_MALFORMED);
    REFUSED("SEND\n:no name\n\n", STOMP_1_2, ERR_MALFORMED);
    REFUSED("SEND\na\rb:1\n\n", STOMP_1_2, ERR_MALFORMED);
    REFUSED("CONNECT\na\rb:1\n\n", STOMP_UNKNOWN, ERR_MALFORMED);
    REFUSED("SEND\na:b", STOMP_1_2, ERR_MALFORMED); /* its NUL stands in the head */
    check_status("SEND\na:b\n", 9, STOMP_1_2, ERR_MORE);
    check_status("SEND\na:b\n\nx", 11, STOMP_1_2, ERR_MORE);
}

static void test_head_limits(void **state)
{
    static char text[STOMP_HEAD_MAX + 100];
    struct seen seen;
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        size_t size = STOMP_HEAD_MAX + over;
        memset(text, 'x', sizeof text);
        memcpy(text, "SEND\na:", 7);
        memcpy(text + size - 2, "\n\n", 3);
        read_whole(text, size + 1, STOMP_1_2, &seen);
        assert_int_equal(seen.status, over ? ERR_LIMIT : OK);
        free(seen.bytes);
    }
    for (int over = 0; over <= 1; over++) {
        int size = snprintf(text, sizeof text, "SEND\n");
        for (int i = 0; i < STOMP_HEADERS_MAX + over; i++)
            size += snprintf(text + size, sizeof text - (size_t)size, "h%d:\n", i);
        size += snprintf(text + size, sizeof text - (size_t)size, "\n");
        read_whole(text, (size_t)size + 1, STOMP_1_2, &seen);
        assert_int_equal(seen.status, over ? ERR_LIMIT : OK);
        free(seen.bytes);
    }
}

#define SAMPLE "SEND\r\ndestination:/app/a\\cb\r\ncontent-length:3\nx:\\\\\n\na\0b"

/* Several frames with beats between them, in pieces of every size. */
static void test_pieces(void **state)
{
    static const char TEXT[] = SAMPLE "\0\n\nSEND\n\nhello\0\r\nACK\nid:1\n\n";
    static const enum stomp_command WANTED[] = { STOMP_COMMAND_SEND, STOMP_COMMAND_SEND,
                                                 STOMP_COMMAND_ACK };
    (void)state;
    for (size_t step = 1; step <= sizeof TEXT; step++) {
        struct stomp_reader reader = { 0 };
        size_t begin = 0;
        size_t count = 0;
        for (size_t end = 0; end < sizeof TEXT;) {
            int status = OK;
            end = end + step < sizeof TEXT ? end + step : sizeof TEXT;
            while (status == OK && begin < end) {
                struct stomp_frame frame;
                size_t used = 0;
                uint8_t *copy = test_copy(view_make(TEXT + begin, end - begin));
                status = stomp_read(&reader, (struct span){ copy, end - begin }, STOMP_1_2,
                                    BODY_MAX, &frame, &used);
                free(copy);
                if (status == OK && frame.command != STOMP_COMMAND_BEAT)
                    assert_int_equal(frame.command, WANTED[count++]);
                if (status == OK)
                    begin += used;
            }
            assert_true(status == OK || status == ERR_MORE);
        }
        assert_int_equal(count, 3);
    }
}

static void test_flips(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < sizeof(SAMPLE) * 8; bit++) {
        char text[sizeof(SAMPLE)] = SAMPLE;
        struct seen whole;
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        read_whole(text, sizeof text, STOMP_1_2, &whole);
        for (size_t cut = 0; cut < sizeof text; cut++) {
            struct seen seen;
            read_cut(view_make(text, sizeof text), cut, STOMP_1_2, &seen);
            /* line ends that were cut are told as two */
            if (whole.frame.command != STOMP_COMMAND_BEAT)
                assert_int_equal(seen.status, whole.status);
            free(seen.bytes);
        }
        free(whole.bytes);
    }
}

static void check_written(enum stomp_version version, enum stomp_command command,
                          const char *wanted, size_t wanted_size)
{
    uint8_t out[300];
    struct stomp_writer writer;
    stomp_begin(&writer, out, sizeof out, version, command);
    stomp_add(&writer, "a", VIEW("x:\\\n\ry"));
    stomp_add(&writer, "b:c", VIEW("1"));
    stomp_add(&writer, "d\ne", VIEW("2"));
    stomp_add(&writer, "", VIEW("3"));
    stomp_end(&writer, VIEW("b\0y"));
    assert_false(writer.overflow);
    assert_int_equal(writer.size, wanted_size);
    assert_memory_equal(out, wanted, wanted_size);
}

#define WRITTEN(version, command, literal)                                                         \
    check_written(version, STOMP_COMMAND_##command, literal, sizeof(literal))

static void test_writing(void **state)
{
    (void)state;
    WRITTEN(STOMP_1_0, MESSAGE, "MESSAGE\na:x:\\  y\ncontent-length:3\n\nb\0y");
    WRITTEN(STOMP_1_1, MESSAGE,
            "MESSAGE\na:x\\c\\\\\\n y\nb\\cc:1\nd\\ne:2\ncontent-length:3\n\nb\0y");
    WRITTEN(STOMP_1_2, MESSAGE,
            "MESSAGE\na:x\\c\\\\\\n\\ry\nb\\cc:1\nd\\ne:2\ncontent-length:3\n\nb\0y");
    WRITTEN(STOMP_1_2, CONNECTED, "CONNECTED\na:x:\\  y\ncontent-length:3\n\nb\0y");
}

static void test_overflow(void **state)
{
    static const char WHOLE[] = "RECEIPT\nreceipt-id:1\n\n";
    (void)state;
    for (size_t capacity = 0; capacity <= sizeof WHOLE; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        struct stomp_writer writer;
        stomp_begin(&writer, out, capacity, STOMP_1_2, STOMP_COMMAND_RECEIPT);
        stomp_add_number(&writer, "receipt-id", 1);
        stomp_end_empty(&writer);
        assert_int_equal(writer.overflow, capacity < sizeof WHOLE);
        assert_in_range(writer.size, 0, capacity);
        free(out);
    }
}

static void test_fields(void **state)
{
    uint32_t sends = 7, wants = 7;
    (void)state;
    assert_int_equal(stomp_choose_version((struct view){ NULL, 0 }), STOMP_1_0);
    assert_int_equal(stomp_choose_version(VIEW("1.0")), STOMP_1_0);
    assert_int_equal(stomp_choose_version(VIEW("1.1,1.0")), STOMP_1_1);
    assert_int_equal(stomp_choose_version(VIEW("1.0, 1.2 ,1.1")), STOMP_1_2);
    assert_int_equal(stomp_choose_version(VIEW("1.3,2.0")), STOMP_UNKNOWN);
    assert_int_equal(stomp_choose_version(VIEW("")), STOMP_UNKNOWN);

    assert_int_equal(stomp_read_heart_beat(VIEW("10000,5000"), &sends, &wants), OK);
    assert_int_equal(sends, 10000);
    assert_int_equal(wants, 5000);
    assert_int_equal(stomp_read_heart_beat(VIEW("0, 0"), &sends, &wants), OK);
    assert_int_equal(stomp_read_heart_beat(VIEW("1"), &sends, &wants), ERR_MALFORMED);
    assert_int_equal(stomp_read_heart_beat(VIEW("a,b"), &sends, &wants), ERR_MALFORMED);
    assert_int_equal(stomp_read_heart_beat(VIEW("-1,0"), &sends, &wants), ERR_MALFORMED);
    assert_int_equal(stomp_read_heart_beat(VIEW("1,4294967296"), &sends, &wants), ERR_MALFORMED);
    assert_int_equal(stomp_read_heart_beat(VIEW(""), &sends, &wants), ERR_MALFORMED);
    assert_int_equal(sends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),      cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_body_limit),  cmocka_unit_test(test_beats),
        cmocka_unit_test(test_escapes),     cmocka_unit_test(test_broken),
        cmocka_unit_test(test_head_limits), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_flips),       cmocka_unit_test(test_writing),
        cmocka_unit_test(test_overflow),    cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
