/* command_doctor.h - `moim doctor`: tells what keeps the server from serving, and what to mend.
 *
 * Changes nothing: ports are bound for a moment, no certificate is made.
 */
#ifndef MOIM_SHELL_COMMAND_DOCTOR_H
#define MOIM_SHELL_COMMAND_DOCTOR_H

#include "shell/settings.h"

#include <stdio.h>

/* Writes one line a check to `out`: "ok|warn|fail  what", then "-> what to mend" unless it is ok.
 * `config` is the configuration file or NULL.  Gives the exit code: 0, or 1 when a check failed. */
int command_doctor(const struct settings *settings, const char *config, FILE *out);

/* The same for settings that could not be read, for the reason `error`. */
int command_doctor_refused(const char *error, FILE *out);

#endif
