/* settings_value.h - the settings' table: each key, what its value is, and how text becomes it.
 *
 * For settings.c alone.  Pure.
 */
#ifndef MOIM_SHELL_SETTINGS_VALUE_H
#define MOIM_SHELL_SETTINGS_VALUE_H

#include "shell/settings.h"

enum setting_kind {
    SETTING_LISTEN, /* a list of addresses with ports */
    SETTING_HOSTS,  /* a list of addresses without */
    SETTING_FILE,   /* a path, or "" for none */
    SETTING_FOLDER, /* a path */
    SETTING_WORKERS,
    SETTING_LEVEL,
    SETTING_FORMAT,
};

enum setting_key {
    KEY_HTTP_LISTEN,
    KEY_HTTPS_LISTEN,
    KEY_HTTPS_CERT,
    KEY_HTTPS_KEY,
    KEY_RTC_PUBLIC_IP,
    KEY_TURN_LISTEN,
    KEY_STATE_DIR,
    KEY_WORKERS,
    KEY_LOG_LEVEL,
    KEY_LOG_FORMAT,
    KEY_COUNT,
};

struct setting {
    const char *name; /* "http.listen" */
    enum setting_kind kind;
    size_t offset; /* in struct settings */
};

extern const struct setting settings_table[KEY_COUNT];

#define SETTING_REASON_MAX 256

static inline bool setting_is_list(const struct setting *setting)
{
    return setting->kind == SETTING_LISTEN || setting->kind == SETTING_HOSTS;
}

/* Empties a list before its entries are added. */
void setting_clear(const struct setting *setting, struct settings *settings);

/* Sets the value, or adds an entry to a list.  ERR_CONFIG: `reason` says why not. */
MUST_USE int setting_put(const struct setting *setting, struct view text, struct settings *settings,
                         char reason[SETTING_REASON_MAX]);

#endif
