#include "shell/command_line.h"

#include "shell/yaml_outline.h"

#include <stdio.h>
#include <string.h>

static int refuse(char *error, const char *argument, const char *why)
{
    char shown[80];
    yaml_printable(view_of(argument), shown, sizeof(shown));
    snprintf(error, COMMAND_ERROR_MAX, "%s: %s (\"moim help\" tells the usage)", shown, why);
    return ERR_CONFIG;
}

/* Takes the option's value from "--name=value", or from the next argument. */
static int take_value(int argc, char **argv, int *at, const char *name, char **value, char *error)
{
    size_t size = strlen(name);
    if (argv[*at][size] == '=') {
        *value = argv[*at] + size + 1;
        return OK;
    }
    if (*at + 1 >= argc)
        return refuse(error, name, "a value is missing");
    *value = argv[++*at];
    return OK;
}

static bool is_option(const char *argument, const char *name)
{
    size_t size = strlen(name);
    return strncmp(argument, name, size) == 0 && (argument[size] == '\0' || argument[size] == '=');
}

static const char *const option_names[COMMAND_OPTION_COUNT] = {
    [COMMAND_ROOM] = "--room", [COMMAND_NAME] = "--name", [COMMAND_USER] = "--user",
    [COMMAND_FOR] = "--for",   [COMMAND_MAY] = "--may",
};

/* Options that not every command has: whether this one does is known when all have been read. */
static int read_command_option(int argc, char **argv, int *at, struct command_line *out,
                               char *error)
{
    for (int i = 0; i < COMMAND_OPTION_COUNT; i++) {
        char *value = NULL;
        if (!is_option(argv[*at], option_names[i]))
            continue;
        if (out->options[i])
            return refuse(error, option_names[i], "given twice");
        int status = take_value(argc, argv, at, option_names[i], &value, error);
        out->options[i] = value;
        return status;
    }
    return refuse(error, argv[*at], "unknown option");
}

static int check_command_options(const struct command_line *line, char *error)
{
    for (int i = 0; i < COMMAND_OPTION_COUNT; i++)
        if (line->options[i] && strcmp(line->command, "token") != 0)
            return refuse(error, option_names[i], "is for \"moim token\" alone");
    return OK;
}

static int read_option(int argc, char **argv, int *at, struct command_line *out, char *error)
{
    const char *argument = argv[*at];
    char *value = NULL;
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        out->command = "help";
    } else if (strcmp(argument, "--version") == 0 || strcmp(argument, "-V") == 0) {
        out->command = "version";
    } else if (is_option(argument, "--config")) {
        if (out->config)
            return refuse(error, "--config", "given twice");
        int status = take_value(argc, argv, at, "--config", &value, error);
        out->config = value;
        return status;
    } else if (is_option(argument, "--set")) {
        if (out->set_count == COMMAND_SETS_MAX)
            return refuse(error, "--set", "given too often");
        int status = take_value(argc, argv, at, "--set", &value, error);
        out->sets[out->set_count++] = value;
        return status;
    } else {
        return read_command_option(argc, argv, at, out, error);
    }
    return OK;
}

int command_line_read(int argc, char **argv, struct command_line *out,
                      char error[COMMAND_ERROR_MAX])
{
    *out = (struct command_line){ 0 };
    for (int i = 1; i < argc; i++) {
        int status = OK;
        if (argv[i][0] == '-')
            status = read_option(argc, argv, &i, out, error);
        else if (out->command)
            status = refuse(error, argv[i], "one command is enough");
        else
            out->command = argv[i];
        if (status != OK)
            return status;
    }
    if (!out->command)
        out->command = "serve";
    return check_command_options(out, error);
}
