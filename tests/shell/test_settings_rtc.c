/* test_settings_rtc.c - rtc.port, and the ports that it must not meet. */
#include "support.h"

#include "shell/settings.h"

#define NAME "a"

static int read_text(const char *yaml, struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    settings_default(settings);
    settings->workers = 1;
    return settings_read_text(view_of(yaml), NAME, settings, error);
}

static uint32_t port_of(const char *yaml)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX] = "";
    int status = read_text(yaml, &settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    assert_true(settings_have_rtc(&settings) == (settings.rtc_port != RTC_PORT_OFF));
    return settings.rtc_port;
}

static void refuse_yaml(const char *yaml, const char *wanted)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX] = "";
    assert_int_equal(read_text(yaml, &settings, error), ERR_CONFIG);
    assert_string_equal(error, wanted);
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(port_of(""), 7000);
    assert_int_equal(port_of("rtc: {port: 9000}"), 9000);
    assert_int_equal(port_of("rtc: {port: 0}"), 0);
    assert_int_equal(port_of("rtc: {port: 'off'}"), RTC_PORT_OFF);
    assert_int_equal(port_of("rtc:\n  port: off\n"), RTC_PORT_OFF);
    refuse_yaml("rtc: {port: 65536}",
                NAME ":1: rtc.port: \"65536\" is not a port from 0 to 65535, or off");
    refuse_yaml("rtc: {port: none}",
                NAME ":1: rtc.port: \"none\" is not a port from 0 to 65535, or off");
    refuse_yaml("rtc: {port: ''}", NAME ":1: rtc.port: \"\" is not a port from 0 to 65535, or off");
}

static void test_apart(void **state)
{
    (void)state;
    port_of("workers: 64\nrtc: {port: 65472}\nhttp: {listen: ['127.0.0.1:65471']}\n");
    port_of("workers: 64\nrtc: {port: 0}\nhttp: {listen: ['127.0.0.1:0']}\n");
    port_of("workers: 64\nrtc: {port: off}\nhttp: {listen: ['127.0.0.1:7000']}\n");
    refuse_yaml("rtc: {port: 65473}\nworkers: 64\n",
                NAME ":1: rtc.port: 64 workers need the ports up to 65536");
    refuse_yaml("workers: 3\nhttp: {listen: ['127.0.0.1:7002']}\n",
                NAME ":2: http.listen: rtc.port has 7000 to 7002, one a worker, and http.listen "
                     "has 7002");
    refuse_yaml("workers: 2\nrtc: {port: 3477}\n",
                NAME ":2: rtc.port: rtc.port has 3477 to 3478, one a worker, and turn.listen has "
                     "3478");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values),
                                        cmocka_unit_test(test_apart) };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
