/* test_log.c - lines of both formats, byte for byte, and what no value may do to them. */
#include "support.h"

#include "shell/log.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <unistd.h>

/* 2026-11-21T04:30:00Z */
#define UNIX_AT_ZERO ((usec)1795235400 * USEC_S)

static const struct log text_log = { -1, LOG_TEXT, TRACE_DEBUG, UNIX_AT_ZERO };
static const struct log json_log = { -1, LOG_JSON, TRACE_DEBUG, UNIX_AT_ZERO };

static void begin(struct trace_event *event, enum trace_level level, const char *name)
{
    log_begin(event, level, name);
    event->at = 123 * USEC_MS;
}

static void check(const struct log *log, const struct trace_event *event, const char *wanted)
{
    char line[LOG_LINE_MAX];
    size_t size = log_format_event(log, 3, event, line);
    assert_view(view_make(line, size), wanted);
}

static void test_text(void **state)
{
    (void)state;
    struct trace_event event;
    begin(&event, TRACE_INFO, "room.joined");
    trace_text(&event, "room", VIEW("standup"));
    trace_number(&event, "members", 2);
    check(&text_log, &event, "2026-11-21T04:30:00.123Z info  room.joined room=standup members=2\n");
    begin(&event, TRACE_ERROR, "x.y");
    check(&text_log, &event, "2026-11-21T04:30:00.123Z error x.y\n");
}

static void test_json(void **state)
{
    (void)state;
    struct trace_event event;
    begin(&event, TRACE_WARN, "room.joined");
    trace_text(&event, "room", VIEW("stand\"up"));
    trace_number(&event, "members", UINT64_MAX);
    check(&json_log, &event,
          "{\"time\":\"2026-11-21T04:30:00.123Z\",\"level\":\"warn\",\"event\":\"room.joined\","
          "\"worker\":3,\"room\":\"stand\\\"up\",\"members\":18446744073709551615}\n");
}

static void check_value(const char *value, size_t size, const char *text, const char *json)
{
    struct trace_event event;
    char wanted[512];
    begin(&event, TRACE_INFO, "a.b");
    trace_text(&event, "v", view_make(value, size));
    snprintf(wanted, sizeof(wanted), "2026-11-21T04:30:00.123Z info  a.b v=%s\n", text);
    check(&text_log, &event, wanted);
    snprintf(wanted, sizeof(wanted),
             "{\"time\":\"2026-11-21T04:30:00.123Z\",\"level\":\"info\",\"event\":\"a.b\","
             "\"worker\":3,\"v\":%s}\n",
             json);
    check(&json_log, &event, wanted);
}

static void test_values(void **state)
{
    (void)state;
#define CHECK(value, text, json) check_value(value, sizeof(value) - 1, text, json)
    CHECK("", "\"\"", "\"\"");
    CHECK("two words", "\"two words\"", "\"two words\"");
    CHECK("a=b", "\"a=b\"", "\"a=b\"");
    CHECK("a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\"");
    CHECK("a\r\nb", "\"a\\u000d\\nb\"", "\"a\\u000d\\nb\"");
    CHECK("\0\x1b[2J\x7f", "\"\\u0000\\u001b[2J\\u007f\"", "\"\\u0000\\u001b[2J\\u007f\"");
    CHECK("모임 é 🙂", "\"모임 é 🙂\"", "\"모임 é 🙂\"");
    CHECK("\xc2\x85", "\"\\u0085\"", "\"\\u0085\""); /* next line, a C1 control */
    CHECK("a\xe2\x80\xae"
          "b",
          "\"a\\u202eb\"", "\"a\\u202eb\"");             /* right-to-left override */
    CHECK("\xe2\x80\xa8", "\"\\u2028\"", "\"\\u2028\""); /* line separator */
    CHECK("a\xff", "\"a\\xff\"", "\"a\xef\xbf\xbd\"");   /* never a UTF-8 byte */
    CHECK("\xc0\x8a", "\"\\xc0\\x8a\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong line feed */
    CHECK("\xe2\x82", "\"\\xe2\\x82\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut short */
    CHECK("\xed\xa0\x80", "\"\\xed\\xa0\\x80\"",
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
#undef CHECK
}

/* Random bytes: always one line, and JSON that another reader takes. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[TRACE_TEXT_MAX];
        char line[LOG_LINE_MAX];
        struct trace_event event;
        test_random_fill(&seed, bytes, sizeof(bytes));
        begin(&event, TRACE_INFO, "a.b");
        for (unsigned i = 0; i < TRACE_FIELDS_MAX; i++)
            trace_text(&event, "v", view_make(bytes + 32 * i, 1 + bytes[i] % 32u));
        size_t size = log_format_event(&text_log, 0, &event, line);
        assert_int_equal(view_find_byte(view_make(line, size), '\n'), size - 1);
        size = log_format_event(&json_log, LOG_NO_WORKER, &event, line);
        assert_int_equal(view_find_byte(view_make(line, size), '\n'), size - 1);
        cJSON *read = cJSON_ParseWithLength(line, size);
        assert_non_null(read);
        assert_true(cJSON_HasObjectItem(read, "v"));
        cJSON_Delete(read);
    }
}

#define LINES 200

static void *write_lines(void *context)
{
    struct log *log = context;
    for (int i = 0; i < LINES; i++) {
        struct trace_event event;
        log_begin(&event, TRACE_INFO, "a.b");
        trace_text(&event, "v", VIEW("0123456789 0123456789"));
        log_event(log, 0, &event);
        event.level = TRACE_DEBUG; /* below the level: left out */
        log_event(log, 0, &event);
    }
    return NULL;
}

static void test_threads_write_whole_lines(void **state)
{
    (void)state;
    int ends[2];
    struct log log;
    pthread_t threads[2];
    assert_int_equal(pipe(ends), 0);
    log_init(&log, ends[1], LOG_TEXT, TRACE_INFO);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &log), 0);

    int lines = 0;
    char line[256];
    FILE *reader = fdopen(ends[0], "r");
    while (lines < 2 * LINES && fgets(line, sizeof(line), reader)) {
        assert_string_equal(line + 24, " info  a.b v=\"0123456789 0123456789\"\n");
        lines++;
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    close(ends[1]);
    assert_null(fgets(line, sizeof(line), reader));
    fclose(reader);
    assert_int_equal(lines, 2 * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_threads_write_whole_lines),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
