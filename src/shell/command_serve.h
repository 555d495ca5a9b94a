/* command_serve.h - `moim serve`: runs the server until a signal ends it.
 *
 *   SIGTERM, SIGINT   a graceful end, within 5 s; a second one ends at once
 *   SIGHUP            reads the certificate's files again; the old one stays when they don't serve
 *                     (but when its terminal is closed the server ends, unless nohup started it)
 */
#ifndef MOIM_SHELL_COMMAND_SERVE_H
#define MOIM_SHELL_COMMAND_SERVE_H

#include "shell/command_line.h"
#include "shell/settings.h"

struct assets;

/* Tells on stdout what people can open (with log.format json: as log events), and logs to stderr.
 * Gives the exit code: 0 after a signal, 1 when the system refused, 2 when the configuration can't
 * be used; one line on stderr says why. */
int command_serve(const struct settings *settings, const struct command_line *line,
                  const struct assets *assets);

#endif
