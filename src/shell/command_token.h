/* command_token.h - `moim token`: makes a token that lets into a room (wire/token.h), with the
 * first of auth.secret.
 */
#ifndef MOIM_SHELL_COMMAND_TOKEN_H
#define MOIM_SHELL_COMMAND_TOKEN_H

#include "shell/command_line.h"
#include "shell/settings.h"

/* What the options of the command ask for, at that time of day.
 *   ERR_CONFIG  `error` is one line: there is no secret, no room, or an option's value can't be. */
MUST_USE int command_token_make(const struct settings *settings, const struct command_line *line,
                                uint64_t unix_s, char out[TOKEN_SIZE_MAX + 1],
                                char error[SETTINGS_ERROR_MAX]);

/* Writes the token and a line end to the standard output, and nothing else.  Gives the exit code:
 * 0, or 2 with a line on the standard error output. */
int command_token(const struct settings *settings, const struct command_line *line);

#endif
