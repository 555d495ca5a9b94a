/* main.c - the program: which command is meant, and what it gets. */
#include "front/assets.h"
#include "shell/command_doctor.h"
#include "shell/command_line.h"
#include "shell/command_serve.h"
#include "shell/command_token.h"
#include "shell/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2

struct command {
    const char *name;
    const char *what;
    int (*run)(const struct command_line *line);
};

static int run_serve(const struct command_line *line)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX];
    if (settings_read(line->config, environ, line->sets, line->set_count, &settings, error) != OK) {
        fprintf(stderr, "%s\n", error);
        return EXIT_USAGE;
    }
    int code = command_serve(&settings, line, &web_assets);
    settings_clear(&settings);
    return code;
}

static int run_doctor(const struct command_line *line)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX];
    if (settings_read(line->config, environ, line->sets, line->set_count, &settings, error) != OK)
        return command_doctor_refused(error, stdout);
    int code = command_doctor(&settings, line->config, stdout);
    settings_clear(&settings);
    return code;
}

static int run_token(const struct command_line *line)
{
    struct settings settings;
    char error[SETTINGS_ERROR_MAX];
    if (settings_read(line->config, environ, line->sets, line->set_count, &settings, error) != OK) {
        fprintf(stderr, "%s\n", error);
        return EXIT_USAGE;
    }
    int code = command_token(&settings, line);
    settings_clear(&settings);
    return code;
}

static int run_version(const struct command_line *line)
{
    (void)line;
    printf("moim " MOIM_VERSION "\n");
    return 0;
}

static int run_help(const struct command_line *line);

static const struct command commands[] = {
    { "serve", "serves meetings; what moim does when no command is given", run_serve },
    { "doctor", "checks ports, certificate and addresses, and tells what to mend", run_doctor },
    { "token", "makes a token that lets into a room, where auth.secret is set", run_token },
    { "version", "tells the version", run_version },
    { "help", "tells this", run_help },
};

static int run_help(const struct command_line *line)
{
    (void)line;
    printf("moim - video meetings from one server\n\n"
           "    moim [command] [--config FILE] [--set key.path=value]...\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("    %-8s %s\n", commands[i].name, commands[i].what);
    printf("\n    --config FILE            reads the settings from a YAML file\n"
           "    --set key.path=value     sets one of them: --set http.listen=127.0.0.1:8080\n\n"
           "    moim token --room ROOM   which may end with a '*': all rooms whose names begin so\n"
           "        --name NAME          of the member; else whoever has the token chooses one\n"
           "        --user USER          who it is, to you\n"
           "        --for 12h            how long it serves\n"
           "        --may LIST           of publish, subscribe, moderate\n\n"
           "Settings can come from the environment, too: MOIM_HTTP_LISTEN=127.0.0.1:8080.\n"
           "docs/CONFIGURATION.md tells them all; every one has a value that serves.\n");
    return 0;
}

int main(int argc, char **argv)
{
    struct command_line line;
    char error[COMMAND_ERROR_MAX];
    if (command_line_read(argc, argv, &line, error) != OK) {
        fprintf(stderr, "moim: %s\n", error);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(line.command, commands[i].name) == 0)
            return commands[i].run(&line);
    fprintf(stderr, "moim: %s: unknown command (\"moim help\" tells the usage)\n", line.command);
    return EXIT_USAGE;
}
