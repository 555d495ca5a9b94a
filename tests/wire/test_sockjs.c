/* test_sockjs.c - SockJS messages in and frames out: what the protocol's own test suite sends,
 * every truncation and bit flip of it, and every character there is. */
#include "support.h"

#include "base/utf8.h"
#include "wire/sockjs.h"

/* Reads a text from memory of its exact size, and joins its messages with '|'.  The output ends
 * where memory does, too. */
static int read_joined(struct view text, char *joined, size_t capacity, bool *is_array)
{
    struct sockjs_reader reader = { .rest = VIEW("untouched") };
    uint8_t *copy = test_copy(text);
    int status = sockjs_read(view_make(copy, text.size), &reader);
    if (status != OK) {
        assert_view(reader.rest, "untouched");
        free(copy);
        return status;
    }
    size_t size = 0;
    struct view message;
    while (reader.rest.size) {
        uint8_t *out = test_copy(reader.rest);
        assert_true(sockjs_next(&reader, out, &message));
        assert_true(utf8_valid(message));
        assert_true(size + message.size + 2 <= capacity);
        memcpy(joined + size, message.at ? message.at : out, message.size);
        size += message.size;
        joined[size++] = '|';
        free(out);
    }
    assert_false(sockjs_next(&reader, NULL, &message));
    joined[size] = '\0';
    if (is_array)
        *is_array = reader.is_array;
    free(copy);
    return OK;
}

static void check(const char *text, const char *wanted, bool wanted_array)
{
    char joined[256];
    bool is_array = !wanted_array;
    assert_int_equal(read_joined(view_of(text), joined, sizeof joined, &is_array), OK);
    assert_string_equal(joined, wanted);
    assert_int_equal(is_array, wanted_array);
}

static void test_reads_messages(void **state)
{
    (void)state;
    check("[\"a\"]", "a|", true);
    check("\"a\"", "a|", false);
    check("[\"a\",\"b\",\"\"]", "a|b||", true);
    check("[]", "", true);
    check(" [ \"a\" ,\t\"b\"\r\n] \n", "a|b|", true);
    check(" \"a\" ", "a|", false);
    check("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "\"\\/\b\f\n\r\t|", true);
    check("[\"\\u0041\\u00e9\\uAC00x\"]", "A\xc3\xa9\xea\xb0\x80x|", true);
    check("[\"\xeb\xaa\xa8\xec\x9e\x84\"]", "\xeb\xaa\xa8\xec\x9e\x84|", true);
    check("[\"[\\\"a\\\",\\\"b\\\"]\"]", "[\"a\",\"b\"]|", true);
    /* what the mobile client's STOMP looks like */
    check("[\"SEND\\ndestination:/app/a\\n\\n{}\"]", "SEND\ndestination:/app/a\n\n{}|", true);
}

static void test_reads_nul(void **state)
{
    (void)state;
    struct sockjs_reader reader;
    uint8_t out[32];
    struct view message;
    assert_int_equal(sockjs_read(VIEW("[\"a\\u0000b\"]"), &reader), OK);
    assert_true(sockjs_next(&reader, out, &message));
    assert_int_equal(message.size, 3);
    assert_memory_equal(message.at, "a\0b", 3);
}

/* A message without escapes is not copied. */
static void test_borrows(void **state)
{
    (void)state;
    struct view text = VIEW("[\"plain\"]");
    struct sockjs_reader reader;
    struct view message;
    assert_int_equal(sockjs_read(text, &reader), OK);
    assert_true(sockjs_next(&reader, NULL, &message));
    assert_ptr_equal(message.at, text.at + 2);
}

static void test_reads_surrogates(void **state)
{
    (void)state;
    check("[\"\\ud83d\\ude00\"]", "\xf0\x9f\x98\x80|", true);
    check("[\"\\uD83D\\uDE00!\"]", "\xf0\x9f\x98\x80!|", true);
    check("[\"\\udbff\\udfff\"]", "\xf4\x8f\xbf\xbf|", true);
    check("[\"\\ud83d\"]", "\xef\xbf\xbd|", true);
    check("[\"\\ude00\\ud83d\"]", "\xef\xbf\xbd\xef\xbf\xbd|", true);
    check("[\"\\ud83dx\"]", "\xef\xbf\xbdx|", true);
    check("[\"\\ud83d\\u0041\"]",
          "\xef\xbf\xbd"
          "A|",
          true);
    check("[\"\\ud83d\\ud83d\\ude00\"]", "\xef\xbf\xbd\xf0\x9f\x98\x80|", true);
    check("[\"\\ud83d\\n\"]", "\xef\xbf\xbd\n|", true);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        " ",
        "[",
        "]",
        "[\"a",
        "[\"a\"",
        "[\"a\",]",
        "[,\"a\"]",
        "[\"a\" \"b\"]",
        "\"a\",\"b\"",
        "[\"a\"]]",
        "[\"a\"]x",
        "[1]",
        "1",
        "null",
        "[null]",
        "{\"a\":\"b\"}",
        "[[\"a\"]]",
        "['a']",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\u12g4\"]",
        "[\"\\ud83d\\uzz\"]",
        "[\"a\nb\"]",
        "[\"\x01\"]",
        "[\"\xff\"]",
        "[\"\xed\xa0\x80\"]",
        "\xef\xbb\xbf[\"a\"]",
        "[\"a\\\"]",
        "a[\"a\"]",
        "[\"ok\",\"broken\\q\"]",
        "[\"a\"\v]",
    };
    char joined[256];
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (read_joined(view_of(BAD[i]), joined, sizeof joined, NULL) != ERR_MALFORMED) {
            print_error("taken: %s\n", BAD[i]);
            fail();
        }
    assert_int_equal(read_joined(VIEW("[\"a\0\"]"), joined, sizeof joined, NULL), ERR_MALFORMED);
    assert_int_equal(read_joined(VIEW("[\"\\\0\"]"), joined, sizeof joined, NULL), ERR_MALFORMED);
}

static const char SAMPLE[] =
    " [ \"SEND\\n\\u0000\" , \"\\ud83d\\ude00 \xeb\xaa\xa8\", \"\\\"\\\\\" ] ";

static void test_truncated(void **state)
{
    (void)state;
    char joined[256];
    struct view sample = view_make(SAMPLE, sizeof SAMPLE - 1);
    for (size_t size = 0; size < sample.size; size++) {
        int status = read_joined(view_slice(sample, 0, size), joined, sizeof joined, NULL);
        assert_int_equal(status, size == sample.size - 1 ? OK : ERR_MALFORMED);
    }
}

static void test_bit_flips(void **state)
{
    (void)state;
    char joined[256];
    uint8_t bytes[sizeof SAMPLE - 1];
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        memcpy(bytes, SAMPLE, sizeof bytes);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int status = read_joined(view_make(bytes, sizeof bytes), joined, sizeof joined, NULL);
        assert_true(status == OK || status == ERR_MALFORMED);
    }
}

/* ---- writing ---- */

static void check_escape(struct view text, const char *wanted)
{
    uint8_t out[256];
    struct view rest = text;
    size_t size = sockjs_escape(&rest, out, sizeof out);
    assert_int_equal(rest.size, 0);
    assert_view(view_make(out, size), wanted);
    assert_int_equal(sockjs_escaped_size(text), size);
}

static void test_escapes(void **state)
{
    (void)state;
    check_escape(VIEW(""), "");
    check_escape(VIEW("x"), "x");
    check_escape(VIEW("\"\\/"), "\\\"\\\\/");
    check_escape(VIEW("\b\f\n\r\t"), "\\b\\f\\n\\r\\t");
    check_escape(VIEW("  \0\n\r "), "  \\u0000\\n\\r ");
    check_escape(VIEW("\x1f\x7f"), "\\u001f\x7f");
    check_escape(VIEW("\xeb\xaa\xa8\xec\x9e\x84"), "\xeb\xaa\xa8\xec\x9e\x84");
    check_escape(VIEW("\xf0\x9f\x98\x80"), "\\ud83d\\ude00");
    check_escape(VIEW("\xf4\x8f\xbf\xbf"), "\\udbff\\udfff");
    check_escape(VIEW("</script>"), "</script>");
}

static void test_escapes_what_is_no_utf8(void **state)
{
    (void)state;
    check_escape(VIEW("a\xff"
                      "b"),
                 "a\\ufffdb");
    check_escape(VIEW("\xeb\xaa"), "\\ufffd\\ufffd");
    check_escape(VIEW("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd");
    check_escape(VIEW("\xc0\x80"), "\\ufffd\\ufffd");
    check_escape(VIEW("\xf5\x80\x80\x80!"), "\\ufffd\\ufffd\\ufffd\\ufffd!");
    check_escape(VIEW("\xf0\x9f\x98"), "\\ufffd\\ufffd\\ufffd");
}

static size_t utf8_of(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The characters that a server escapes, as the protocol's test suite lists them; and each comes
 * back as it was. */
static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c += c < 0x20000 ? 1 : 0x101) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        char utf8[4];
        struct view text = view_make(utf8, utf8_of(c, utf8));
        bool listed = c < 0x20 || (c >= 0x200c && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
                      (c >= 0x2060 && c <= 0x206f) || (c >= 0xfff0 && c <= 0xffff);
        bool escaped = listed || c == '"' || c == '\\' || c > 0xffff;
        uint8_t out[2 + SOCKJS_ESCAPE_MAX] = { '"' };
        struct view rest = text;
        size_t size = sockjs_escape(&rest, out + 1, SOCKJS_ESCAPE_MAX);
        assert_int_equal(rest.size, 0);
        assert_int_equal(out[1] == '\\', escaped);
        if (listed && c >= 0x20) {
            char wanted[16];
            snprintf(wanted, sizeof wanted, "\\u%04x", (unsigned)c);
            assert_view(view_make(out + 1, size), wanted);
        }
        out[size + 1] = '"';
        struct sockjs_reader reader;
        struct view message;
        uint8_t back[16];
        assert_int_equal(sockjs_read(view_make(out, size + 2), &reader), OK);
        assert_true(sockjs_next(&reader, back, &message));
        assert_true(view_equal(message, text));
    }
}

/* In pieces of any size the same comes out, and no escape is cut. */
static void test_escapes_in_pieces(void **state)
{
    (void)state;
    struct view text = VIEW("a\"\n\xe2\x80\xa8\xf0\x9f\x98\x80 \xff\0z");
    static const char WANTED[] = "a\\\"\\n\\u2028\\ud83d\\ude00 \\ufffd\\u0000z";
    for (size_t room = SOCKJS_ESCAPE_MAX; room < 40; room++) {
        char joined[128];
        size_t size = 0;
        struct view rest = text;
        while (rest.size) {
            uint8_t *piece = malloc(room);
            size_t written = sockjs_escape(&rest, piece, room);
            assert_in_range(written, 1, room);
            assert_true(written < 1 || piece[written - 1] != '\\' || piece[0] == '\\');
            memcpy(joined + size, piece, written);
            size += written;
            free(piece);
        }
        assert_view(view_make(joined, size), WANTED);
    }
    struct view rest = text;
    assert_int_equal(sockjs_escape(&rest, NULL, 0), 0);
    assert_int_equal(rest.size, text.size);
}

static void test_escapes_for_scripts(void **state)
{
    (void)state;
    uint8_t out[128];
    struct view frame = VIEW("a[\"x\\n</script>\"]");
    size_t size = sockjs_escape_script(&frame, out, sizeof out);
    assert_int_equal(frame.size, 0);
    assert_view(view_make(out, size), "a[\\\"x\\\\n\\u003c/script>\\\"]");
}

static void test_escapes_for_events(void **state)
{
    (void)state;
    struct view frame = VIEW("a[\"100%, %41%%\"]%");
    static const char WANTED[] = "a[\"100%25, %2541%25%25\"]%25";
    for (size_t room = SOCKJS_ESCAPE_MAX; room < 40; room++) {
        char joined[128];
        size_t size = 0;
        struct view rest = frame;
        while (rest.size) {
            uint8_t *piece = malloc(room);
            size_t written = sockjs_escape_event(&rest, piece, room);
            assert_in_range(written, 1, room);
            memcpy(joined + size, piece, written);
            size += written;
            free(piece);
        }
        assert_view(view_make(joined, size), WANTED);
    }
}

static void test_writes_close(void **state)
{
    (void)state;
    uint8_t out[SOCKJS_CLOSE_MAX];
    size_t size = sockjs_write_close(3000, VIEW("Go away!"), out);
    assert_view(view_make(out, size), "c[3000,\"Go away!\"]");
    size = sockjs_write_close(2010, VIEW("Another connection still open"), out);
    assert_view(view_make(out, size), "c[2010,\"Another connection still open\"]");
    size = sockjs_write_close(1000, VIEW(""), out);
    assert_view(view_make(out, size), "c[1000,\"\"]");
    size = sockjs_write_close(1000, VIEW("\"\n"), out);
    assert_view(view_make(out, size), "c[1000,\"\\\"\\n\"]");

    static uint8_t quotes[SOCKJS_CLOSE_MAX];
    memset(quotes, '"', sizeof quotes);
    size = sockjs_write_close(UINT32_MAX, view_make(quotes, sizeof quotes), out);
    assert_in_range(size, SOCKJS_CLOSE_MAX - 2, SOCKJS_CLOSE_MAX);
    assert_memory_equal(out + size - 4, "\\\"\"]", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_messages),
        cmocka_unit_test(test_reads_nul),
        cmocka_unit_test(test_borrows),
        cmocka_unit_test(test_reads_surrogates),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_escapes_what_is_no_utf8),
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_escapes_in_pieces),
        cmocka_unit_test(test_escapes_for_scripts),
        cmocka_unit_test(test_escapes_for_events),
        cmocka_unit_test(test_writes_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
