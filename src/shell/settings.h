/* settings.h - what a user can set, as read from a file, the environment and the command line.
 *
 * Later sources win: built-in values, then the file, then MOIM_..., then --set.  The keys are
 * described in docs/CONFIGURATION.md.
 */
#ifndef MOIM_SHELL_SETTINGS_H
#define MOIM_SHELL_SETTINGS_H

#include "base/address.h"
#include "base/trace.h"

#define SETTINGS_LISTEN_MAX 16
#define SETTINGS_PATH_MAX   1024
#define SETTINGS_ERROR_MAX  512

struct listen_list {
    struct address items[SETTINGS_LISTEN_MAX];
    uint32_t count;
};

enum log_format { LOG_TEXT, LOG_JSON };

struct settings {
    struct listen_list http_listen;
    struct listen_list https_listen;
    char https_cert[SETTINGS_PATH_MAX]; /* "": one is made in state_dir */
    char https_key[SETTINGS_PATH_MAX];
    struct listen_list rtc_public_ip; /* without ports */
    struct listen_list turn_listen;   /* UDP and TCP */
    char state_dir[SETTINGS_PATH_MAX];
    uint32_t workers; /* 1 to WORKERS_MAX */
    enum trace_level log_level;
    enum log_format log_format;
};

#define WORKERS_MAX 64

/* Reads everything.
 *   file        the path of a YAML file, or NULL.
 *   environment as the process has it: "MOIM_HTTP_LISTEN=..." sets http.listen.
 *   sets        `set_count` texts "key.path=value".
 * ERR_CONFIG: `error` is one line that names the source, its line where there is one, the key and
 * the reason; *settings is untouched. */
MUST_USE int settings_read(const char *file, char *const *environment, char *const *sets,
                           int set_count, struct settings *settings,
                           char error[SETTINGS_ERROR_MAX]);

#endif
