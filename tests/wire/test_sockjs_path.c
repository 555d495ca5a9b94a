/* test_sockjs_path.c - where SockJS clients ask: the paths of the protocol's own test suite, and
 * callback names. */
#include "support.h"

#include "wire/sockjs.h"

static void check(const char *path, enum sockjs_place place, const char *wanted_session)
{
    struct view session = VIEW("untouched");
    uint8_t *copy = test_copy(view_of(path));
    enum sockjs_place seen = sockjs_read_path(view_make(copy, strlen(path)), &session);
    if (seen != place)
        print_error("%s: seen %d, wanted %d\n", path, seen, place);
    assert_int_equal(seen, place);
    assert_view(session, wanted_session ? wanted_session : "untouched");
    free(copy);
}

static void test_services(void **state)
{
    (void)state;
    check("", SOCKJS_GREETING, NULL);
    check("/", SOCKJS_GREETING, NULL);
    check("/info", SOCKJS_INFO, NULL);
    check("/info/", SOCKJS_INFO, NULL);
    check("/websocket", SOCKJS_RAW_WEBSOCKET, NULL);
    check("/websocket/", SOCKJS_RAW_WEBSOCKET, NULL);
    static const char *const NOWHERE[] = {
        "//",           "///",   "/a",   "/a/",     "/a.html",      "/a/a", "/a/a/",
        "/information", "/Info", "info", "/info//", "/websocket/x", "x",
    };
    for (size_t i = 0; i < sizeof NOWHERE / sizeof NOWHERE[0]; i++)
        check(NOWHERE[i], SOCKJS_NOWHERE, NULL);
}

static void test_iframe(void **state)
{
    (void)state;
    static const char *const FOUND[] = {
        "/iframe.html",       "/iframe-a.html", "/iframe-.html",
        "/iframe-0.1.2.html", "/iframe1.html",  "/iframe-0.1.2abc-dirty.2144.html",
    };
    static const char *const NOWHERE[] = {
        "/iframe.htm",     "/iframe",     "/IFRAME.HTML",   "/IFRAME",
        "/iframe.HTML",    "/iframe.xml", "/iframe-/.html", "/iframe-A.html",
        "/iframe%2e.html", "/ifram.html", "/iframehtml",    "/xiframe.html",
    };
    for (size_t i = 0; i < sizeof FOUND / sizeof FOUND[0]; i++)
        check(FOUND[i], SOCKJS_IFRAME, NULL);
    for (size_t i = 0; i < sizeof NOWHERE / sizeof NOWHERE[0]; i++)
        check(NOWHERE[i], SOCKJS_NOWHERE, NULL);
}

static void test_sessions(void **state)
{
    (void)state;
    check("/000/abc/websocket", SOCKJS_WEBSOCKET, "abc");
    check("/000/abc/xhr", SOCKJS_XHR, "abc");
    check("/000/abc/xhr/", SOCKJS_XHR, "abc");
    check("/999/abc/xhr_send", SOCKJS_XHR_SEND, "abc");
    check("/a/a/xhr_streaming", SOCKJS_XHR_STREAMING, "a");
    check("/_/_/eventsource", SOCKJS_EVENTSOURCE, "_");
    check("/1/1/htmlfile", SOCKJS_HTMLFILE, "1");
    check("/abcdefgh_i-j%20/abcdefg_i-j%20/jsonp", SOCKJS_JSONP, "abcdefg_i-j%20");
    check("/a/websocket/jsonp_send", SOCKJS_JSONP_SEND, "websocket");
    static const char *const NOWHERE[] = {
        "///xhr",     "/a./a/xhr",  "/a/a./xhr", "/./a/xhr",  "//xhr",     "////xhr",
        "/a//xhr",    "//a/xhr",    "/./.",      "/a/a/XHR",  "/a/a/xhr.", "/a/b/c/xhr",
        "/a/a/xhr//", "/a/a/xhr/x", "/a/a/x",    "/a/a/xhr_", "/a/a/",     "/a/.b/xhr",
    };
    for (size_t i = 0; i < sizeof NOWHERE / sizeof NOWHERE[0]; i++)
        check(NOWHERE[i], SOCKJS_NOWHERE, NULL);
}

static void test_session_size(void **state)
{
    (void)state;
    char path[SOCKJS_SESSION_MAX + 16];
    char session[SOCKJS_SESSION_MAX + 2] = { 0 };
    memset(session, 's', SOCKJS_SESSION_MAX);
    snprintf(path, sizeof path, "/0/%s/xhr", session);
    check(path, SOCKJS_XHR, session);
    session[SOCKJS_SESSION_MAX] = 's';
    snprintf(path, sizeof path, "/0/%s/xhr", session);
    check(path, SOCKJS_NOWHERE, NULL);
}

static void test_cut(void **state)
{
    (void)state;
    struct view whole = VIEW("/000/abc/xhr_streaming");
    for (size_t size = 1; size < whole.size; size++) {
        struct view session;
        uint8_t *copy = test_copy(view_slice(whole, 0, size));
        enum sockjs_place place = sockjs_read_path(view_make(copy, size), &session);
        bool is_xhr = view_equal(view_slice(whole, 0, size), VIEW("/000/abc/xhr"));
        assert_int_equal(place, size == 1 ? SOCKJS_GREETING : is_xhr ? SOCKJS_XHR : SOCKJS_NOWHERE);
        free(copy);
    }
}

static void test_callbacks(void **state)
{
    (void)state;
    assert_true(sockjs_callback_valid(VIEW("callback")));
    assert_true(sockjs_callback_valid(VIEW("_jp.abC012")));
    assert_true(sockjs_callback_valid(VIEW("_sockjs_global-1")));
    assert_false(sockjs_callback_valid(VIEW("")));
    assert_false(sockjs_callback_valid(VIEW("alert(1)")));
    assert_false(sockjs_callback_valid(VIEW("a b")));
    assert_false(sockjs_callback_valid(VIEW("a\0")));
    for (unsigned c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        assert_int_equal(sockjs_callback_valid(view_make(&byte, 1)),
                         letter || digit || c == '-' || c == '_' || c == '.');
    }
    uint8_t name[SOCKJS_CALLBACK_MAX + 1];
    memset(name, 'c', sizeof name);
    assert_true(sockjs_callback_valid(view_make(name, SOCKJS_CALLBACK_MAX)));
    assert_false(sockjs_callback_valid(view_make(name, SOCKJS_CALLBACK_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services), cmocka_unit_test(test_iframe),
        cmocka_unit_test(test_sessions), cmocka_unit_test(test_session_size),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
