/* test_http_fields.c - percent-encoding, queries, byte ranges, entity tags and reason phrases. */
#include "support.h"

#include "wire/http.h"

static void check_decoded(const char *text, const char *wanted)
{
    uint8_t out[64];
    size_t size;
    assert_int_equal(http_decode_percent(view_of(text), out, sizeof(out), &size), OK);
    assert_view(view_make(out, size), wanted);
}

static void check_not_decoded(struct view text, int wanted)
{
    uint8_t out[64];
    size_t size = 99;
    uint8_t *copy = test_copy(text);
    assert_int_equal(http_decode_percent(view_make(copy, text.size), out, sizeof(out), &size),
                     wanted);
    assert_int_equal(size, 99);
    free(copy);
}

static void test_decode(void **state)
{
    (void)state;
    check_decoded("", "");
    check_decoded("plain+text", "plain+text");
    check_decoded("a%20b%2Fc%2fd", "a b/c/d");
    check_decoded("%25%32%35", "%25"); /* once, not twice */
    check_decoded("%EB%AA%A8%ec%9e%84", "\ubaa8\uc784");
    check_decoded("\ubaa8", "\ubaa8");
}

static void test_decode_every_escape(void **state)
{
    (void)state;
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    for (unsigned high = 0; high < 256; high++) {
        for (unsigned low = 0; low < 256; low++) {
            uint8_t text[3] = { '%', (uint8_t)high, (uint8_t)low };
            uint8_t out[1];
            size_t size = 0;
            bool is_hex = high && low && strchr(DIGITS, (int)high) && strchr(DIGITS, (int)low);
            bool is_nul = high == '0' && low == '0';
            int status = http_decode_percent(view_make(text, 3), out, 1, &size);
            assert_int_equal(status, is_hex && !is_nul ? OK : ERR_MALFORMED);
            if (status == OK) {
                char pair[3] = { (char)high, (char)low, 0 };
                assert_int_equal(size, 1);
                assert_int_equal(out[0], strtoul(pair, NULL, 16));
            }
        }
    }
}

static void test_decode_cut_escapes_and_nul(void **state)
{
    (void)state;
    check_not_decoded(VIEW("a%"), ERR_MALFORMED);
    check_not_decoded(VIEW("a%2"), ERR_MALFORMED);
    check_not_decoded(VIEW("%%20"), ERR_MALFORMED);
    check_not_decoded(VIEW("a%00"), ERR_MALFORMED);
    check_not_decoded(VIEW("a\0b"), ERR_MALFORMED);
}

static void test_decode_at_every_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 6; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        size_t size;
        int status = http_decode_percent(VIEW("a%20bc"), out, capacity, &size);
        assert_int_equal(status, capacity < 4 ? ERR_LIMIT : OK);
        free(out);
    }
}

static void check_query(const char *query, const char *name, const char *wanted)
{
    struct view value = VIEW("untouched");
    bool is_found = http_query_find(view_of(query), name, &value);
    assert_int_equal(is_found, wanted != NULL);
    assert_view(value, wanted ? wanted : "untouched");
}

static void test_queries(void **state)
{
    (void)state;
    check_query("", "a", NULL);
    check_query(NULL, "a", NULL);
    check_query("a=1&b=2", "a", "1");
    check_query("a=1&b=2", "b", "2");
    check_query("ba=1&b=2", "a", NULL);
    check_query("a=1&a=2", "a", "1");
    check_query("a", "a", "");
    check_query("b&a=", "a", "");
    check_query("a=x=y%20", "a", "x=y%20");
    check_query("&&a=1", "a", "1");
    check_query("A=1", "a", NULL);
}

static void check_range(const char *header, uint64_t size, uint64_t first, uint64_t count)
{
    uint64_t seen_first, seen_count;
    assert_int_equal(http_read_range(view_of(header), size, &seen_first, &seen_count), OK);
    assert_int_equal(seen_first, first);
    assert_int_equal(seen_count, count);
}

static void check_no_range(const char *header, uint64_t size, int wanted)
{
    uint64_t first, count;
    assert_int_equal(http_read_range(view_of(header), size, &first, &count), wanted);
}

/* RFC 9110, section 14.1.2, of 10,000 bytes */
static void test_ranges(void **state)
{
    (void)state;
    check_range("bytes=0-499", 10000, 0, 500);
    check_range("bytes=500-999", 10000, 500, 500);
    check_range("bytes=-500", 10000, 9500, 500);
    check_range("bytes=9500-", 10000, 9500, 500);
    check_range("bytes=0-0", 10000, 0, 1);
    check_range("bytes=-1", 10000, 9999, 1);
    check_range("bytes=9999-9999", 10000, 9999, 1);
}

static void test_ranges_are_cut_to_what_is_there(void **state)
{
    (void)state;
    check_range("bytes=9500-10000", 10000, 9500, 500);
    check_range("bytes=0-18446744073709551615", 10000, 0, 10000);
    check_range("bytes=-10001", 10000, 0, 10000);
    check_range("bytes=0-18446744073709551615", UINT64_MAX, 0, UINT64_MAX);
    check_range("Bytes= 0-1 ", 10000, 0, 2);
}

static void test_ranges_past_the_end(void **state)
{
    (void)state;
    check_no_range("bytes=10000-", 10000, ERR_LIMIT);
    check_no_range("bytes=10000-10001", 10000, ERR_LIMIT);
    check_no_range("bytes=18446744073709551615-", 10000, ERR_LIMIT);
    check_no_range("bytes=-0", 10000, ERR_LIMIT);
    check_no_range("bytes=0-", 0, ERR_LIMIT);
    check_no_range("bytes=-1", 0, ERR_LIMIT);
}

static void test_ranges_that_are_ignored(void **state)
{
    (void)state;
    check_no_range(NULL, 10000, ERR_MALFORMED);
    check_no_range("", 10000, ERR_MALFORMED);
    check_no_range("bytes=", 10000, ERR_MALFORMED);
    check_no_range("bytes=-", 10000, ERR_MALFORMED);
    check_no_range("bytes=5", 10000, ERR_MALFORMED);
    check_no_range("bytes=5-4", 10000, ERR_MALFORMED);
    check_no_range("bytes=0-0,-1", 10000, ERR_MALFORMED);
    check_no_range("bytes=-1,0-0", 10000, ERR_MALFORMED);
    check_no_range("bytes=a-b", 10000, ERR_MALFORMED);
    check_no_range("bytes=0-4-5", 10000, ERR_MALFORMED);
    check_no_range("bytes=0x0-1", 10000, ERR_MALFORMED);
    check_no_range("items=0-4", 10000, ERR_MALFORMED);
    check_no_range("bytes=0-18446744073709551616", 10000, ERR_MALFORMED);
}

/* RFC 9110, section 13.1.2 */
static void test_entity_tags(void **state)
{
    (void)state;
    struct view etag = VIEW("\"xyzzy\"");
    assert_true(http_etag_matches(VIEW("\"xyzzy\""), etag));
    assert_true(http_etag_matches(VIEW("W/\"xyzzy\""), etag));
    assert_true(http_etag_matches(VIEW("\"a\", \"xyzzy\" ,\"b\""), etag));
    assert_true(http_etag_matches(VIEW("*"), etag));
    assert_false(http_etag_matches(VIEW(""), etag));
    assert_false(http_etag_matches((struct view){ NULL, 0 }, etag));
    assert_false(http_etag_matches(VIEW("xyzzy"), etag));
    assert_false(http_etag_matches(VIEW("\"xyzz\""), etag));
    assert_false(http_etag_matches(VIEW("w/\"xyzzy\""), etag));
    assert_false(http_etag_matches(VIEW("\"XYZZY\""), etag));
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(http_reason(101), "Switching Protocols");
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(401), "Unauthorized");
    assert_string_equal(http_reason(403), "Forbidden");
    assert_string_equal(http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_every_escape),
        cmocka_unit_test(test_decode_cut_escapes_and_nul),
        cmocka_unit_test(test_decode_at_every_capacity),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_are_cut_to_what_is_there),
        cmocka_unit_test(test_ranges_past_the_end),
        cmocka_unit_test(test_ranges_that_are_ignored),
        cmocka_unit_test(test_entity_tags),
        cmocka_unit_test(test_reasons),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
