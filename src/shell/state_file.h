/* state_file.h - small files in state.dir, which are for their owner alone. */
#ifndef MOIM_SHELL_STATE_FILE_H
#define MOIM_SHELL_STATE_FILE_H

#include "shell/settings.h"

#define STATE_PATH_SIZE (SETTINGS_PATH_MAX + 32)

/* Writes the path of `name` in state.dir; a name has up to 24 letters. */
void state_file_path(const struct settings *settings, const char *name, char out[STATE_PATH_SIZE]);

/* Replaces the file: whoever reads it sees the old one whole, or the new one.  Makes state.dir when
 * it isn't there.  ERR_IO: `error` is one line. */
MUST_USE int state_file_keep(const struct settings *settings, const char *name, struct view bytes,
                             char error[SETTINGS_ERROR_MAX]);

#endif
