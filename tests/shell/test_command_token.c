/* test_command_token.c - the tokens that the command makes, and the one line for each mistake. */
#include "support.h"

#include "shell/command_token.h"

#define NOW    1000000u
#define SECRET "0123456789abcdef0123456789abcdef"
#define OLD    "fedcba9876543210fedcba9876543210"

static const struct token_secrets NEWEST = { .items = { VIEW(SECRET) }, .count = 1 };

/* Makes one with these options after "moim token"; its text or the error is in out. */
static int make(char **argv, bool has_secret, char out[TOKEN_SIZE_MAX + 1])
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings settings;
    struct command_line line;
    int argc = 0;
    while (argv[argc])
        argc++;
    assert_int_equal(command_line_read(argc, argv, &line, out), OK);
    settings_default(&settings);
    if (has_secret)
        assert_int_equal(
            settings_read_text(VIEW("auth: {secret: [" SECRET "," OLD "]}"), "a", &settings, error),
            OK);
    int status = command_token_make(&settings, &line, NOW, out, error);
    if (status != OK)
        snprintf(out, TOKEN_SIZE_MAX, "%s", error);
    settings_clear(&settings);
    return status;
}

#define ARGUMENTS(...) ((char *[]){ "moim", "token", __VA_ARGS__, NULL })

static struct token make_good(char **argv)
{
    char text[TOKEN_SIZE_MAX + 1];
    struct token token;
    if (make(argv, true, text) != OK)
        fail_msg("%s", text);
    assert_int_equal(token_read(view_of(text), &NEWEST, &token), OK);
    return token;
}

static void test_good(void **state)
{
    (void)state;
    struct token token = make_good(ARGUMENTS("--room", "standup"));
    assert_view(token_view(&token.room), "standup");
    assert_int_equal(token.name.size, 0);
    assert_int_equal(token.subject.size, 0);
    assert_int_equal(token.begins_s, 0);
    assert_int_equal(token.expires_s, NOW + 12 * 3600);
    assert_int_equal(token.permissions, TOKEN_PERMISSIONS_USUAL);

    token = make_good(ARGUMENTS("--room=team-*", "--name", " Mina ", "--user", "u7", "--for", "25s",
                                "--may", "moderate, subscribe"));
    assert_view(token_view(&token.room), "team-*");
    assert_view(token_view(&token.name), "Mina");
    assert_view(token_view(&token.subject), "u7");
    assert_int_equal(token.expires_s, NOW + 25);
    assert_int_equal(token.permissions, TOKEN_MODERATE | TOKEN_SUBSCRIBE);
}

static void test_bad(void **state)
{
    static const struct {
        char *option;
        const char *error;
    } CASES[] = {
        { "--room=a/b",
          "--room: a room's name is 1 to 128 bytes without control characters and without '/'" },
        { "--room=",
          "--room: a room's name is 1 to 128 bytes without control characters and without '/'" },
        { "--name=", "--name: a name is 1 to 128 bytes without control characters" },
        { "--user=a\x01", "--user: a name is 1 to 128 bytes without control characters" },
        { "--may=fly", "--may: is a list of publish, subscribe, moderate" },
        { "--may=", "--may: is a list of publish, subscribe, moderate" },
    };
    char text[TOKEN_SIZE_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        bool is_room = strncmp(CASES[i].option, "--room", 6) == 0;
        assert_int_equal(make(ARGUMENTS(CASES[i].option, is_room ? NULL : "--room=a"), true, text),
                         ERR_CONFIG);
        assert_string_equal(text, CASES[i].error);
    }
    assert_int_equal(make(ARGUMENTS("--room=a", "--for=soon"), true, text), ERR_CONFIG);
    assert_memory_equal(text, "--for: ", 7);
    assert_int_equal(make(ARGUMENTS("--room=a"), false, text), ERR_CONFIG);
    assert_string_equal(text, "auth.secret: is not set, so rooms are open, and no token is needed");
    assert_int_equal(make((char *[]){ "moim", "token", NULL }, true, text), ERR_CONFIG);
    assert_memory_equal(text, "--room: which room is it for?", 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
