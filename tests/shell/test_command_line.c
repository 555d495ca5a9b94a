/* test_command_line.c - arguments in every order, and the one line for each mistake. */
#include "support.h"

#include "shell/command_line.h"

#define READ(line, error, ...) read_line((char *[]){ "moim", __VA_ARGS__, NULL }, line, error)

static int read_line(char **argv, struct command_line *line, char *error)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    error[0] = '\0';
    return command_line_read(argc, argv, line, error);
}

static void test_good(void **state)
{
    (void)state;
    char error[COMMAND_ERROR_MAX];
    struct command_line line;
    char *alone[] = { "moim", NULL };
    assert_int_equal(read_line(alone, &line, error), OK);
    assert_string_equal(line.command, "serve");
    assert_null(line.config);
    assert_int_equal(line.set_count, 0);

    assert_int_equal(
        READ(&line, error, "--set", "a=b", "doctor", "--config", "x.yaml", "--set=c=d"), OK);
    assert_string_equal(line.command, "doctor");
    assert_string_equal(line.config, "x.yaml");
    assert_int_equal(line.set_count, 2);
    assert_string_equal(line.sets[0], "a=b");
    assert_string_equal(line.sets[1], "c=d");

    assert_int_equal(READ(&line, error, "--config=a=b.yaml"), OK);
    assert_string_equal(line.command, "serve");
    assert_string_equal(line.config, "a=b.yaml");
    assert_int_equal(READ(&line, error, "--room", "a", "token", "--for=1h"), OK);
    assert_string_equal(line.command, "token");
    assert_string_equal(line.options[COMMAND_ROOM], "a");
    assert_string_equal(line.options[COMMAND_FOR], "1h");
    assert_null(line.options[COMMAND_NAME]);
    assert_int_equal(READ(&line, error, "--help"), OK);
    assert_string_equal(line.command, "help");
    assert_int_equal(READ(&line, error, "-V"), OK);
    assert_string_equal(line.command, "version");
}

#define REFUSE(wanted, ...)                                                                        \
    do {                                                                                           \
        char error[COMMAND_ERROR_MAX];                                                             \
        struct command_line line;                                                                  \
        assert_int_equal(READ(&line, error, __VA_ARGS__), ERR_CONFIG);                             \
        assert_string_equal(error, wanted " (\"moim help\" tells the usage)");                     \
    } while (0)

static void test_bad(void **state)
{
    (void)state;
    REFUSE("--confg: unknown option", "--confg", "a");
    REFUSE("--configure=a: unknown option", "--configure=a");
    REFUSE("-x: unknown option", "serve", "-x");
    REFUSE("a?b: one command is enough", "serve", "a\nb");
    REFUSE("--config: a value is missing", "--config");
    REFUSE("--set: a value is missing", "--set");
    REFUSE("--room: given twice", "token", "--room=a", "--room", "b");
    REFUSE("--room: a value is missing", "token", "--room");
    REFUSE("--room: is for \"moim token\" alone", "doctor", "--room=a");
    REFUSE("--roomy=a: unknown option", "token", "--roomy=a");
    REFUSE("--config: given twice", "--config=a", "--config", "b");

    char *many[2 + COMMAND_SETS_MAX + 1] = { "moim" };
    char error[COMMAND_ERROR_MAX];
    struct command_line line;
    for (int i = 0; i < COMMAND_SETS_MAX; i++)
        many[1 + i] = "--set=a=b";
    assert_int_equal(read_line(many, &line, error), OK);
    many[1 + COMMAND_SETS_MAX] = "--set=a=b";
    assert_int_equal(read_line(many, &line, error), ERR_CONFIG);
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
