/* command_line.h - takes the program's arguments apart.  Pure. */
#ifndef MOIM_SHELL_COMMAND_LINE_H
#define MOIM_SHELL_COMMAND_LINE_H

#include "base/status.h"
#include "base/view.h"

#define COMMAND_SETS_MAX  64
#define COMMAND_ERROR_MAX 256

/* Options that "moim token" alone has. */
enum command_option {
    COMMAND_ROOM,
    COMMAND_NAME,
    COMMAND_USER,
    COMMAND_FOR,
    COMMAND_MAY,
    COMMAND_OPTION_COUNT
};

struct command_line {
    const char *command; /* "serve" when none was given */
    const char *config;  /* the file that --config names; NULL */
    char *sets[COMMAND_SETS_MAX];
    int set_count;
    const char *options[COMMAND_OPTION_COUNT]; /* NULL: not given */
};

/* moim [command] [--config FILE] [--set key.path=value]..., in any order; "--config=FILE", too.
 * After "token" also --room, --name, --user, --for and --may with a value.
 * -h and --help are the command help, -V and --version the command version.  Borrows argv.
 * ERR_CONFIG: `error` is one line; *out has no meaning. */
MUST_USE int command_line_read(int argc, char **argv, struct command_line *out,
                               char error[COMMAND_ERROR_MAX]);

#endif
