/* certificate_make.h - makes a self-signed certificate and keeps it in state.dir.
 *
 * Certificate and key are one PEM file, readable to its owner alone: a crash can't leave one
 * without the other.
 */
#ifndef MOIM_SHELL_CERTIFICATE_MAKE_H
#define MOIM_SHELL_CERTIFICATE_MAKE_H

#include "shell/state_file.h"

/* The file's path. */
#define CERTIFICATE_PATH_SIZE STATE_PATH_SIZE
void certificate_path(const struct settings *settings, char out[CERTIFICATE_PATH_SIZE]);

/* P-256; valid for ten years, from a day ago on (clocks differ); for localhost, the host's name,
 * both loopback addresses, all addresses of the machine and those of rtc.public_ip.  Makes
 * state.dir when it isn't there.  Replaces the file that was.
 *   ERR_IO, ERR_MEMORY   `error` is one line. */
MUST_USE int certificate_make(const struct settings *settings, int64_t unix_now_s,
                              char error[SETTINGS_ERROR_MAX]);

#endif
