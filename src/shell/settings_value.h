/* settings_value.h - the settings' table: each key, what its value is, and how text becomes it.
 *
 * For settings*.c alone.  Pure.  What only TURN has is read in settings_turn.c.
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
    SETTING_TOPOLOGY,
    SETTING_CAMERA,
    SETTING_PORT,     /* a port, or "off" */
    SETTING_PORTS,    /* a range of ports */
    SETTING_SECRETS,  /* a list of texts that no message shows, or one alone */
    SETTING_USERS,    /* a list of "name:password" */
    SETTING_SERVERS,  /* a list of URIs */
    SETTING_NETWORKS, /* a list of networks */
    SETTING_REALM,
    SETTING_NUMBER,   /* uint32_t */
    SETTING_SIZE,     /* uint32_t, with a unit */
    SETTING_DURATION, /* usec, with a unit */
    SETTING_FLAG,     /* true or false */
};

enum setting_key {
    KEY_HTTP_LISTEN,
    KEY_HTTPS_LISTEN,
    KEY_HTTPS_CERT,
    KEY_HTTPS_KEY,
    KEY_RTC_PORT,
    KEY_RTC_PUBLIC_IP,
    KEY_TURN_LISTEN,
    KEY_TURN_TLS_LISTEN,
    KEY_TURN_RELAY_PORTS,
    KEY_TURN_SECRET,
    KEY_TURN_USERS,
    KEY_TURN_REALM,
    KEY_TURN_ALLOW_PEERS,
    KEY_TURN_SERVERS,
    KEY_TURN_ALLOCATIONS_PER_USER,
    KEY_TURN_ALLOCATIONS_PER_PREFIX,
    KEY_TURN_BANDWIDTH_ALLOCATION,
    KEY_TURN_BANDWIDTH_ALL,
    KEY_TURN_LIFETIME,
    KEY_TURN_CREDENTIAL_LIFETIME,
    KEY_TURN_BEHAVIOR_DISCOVERY,
    KEY_AUTH_SECRET,
    KEY_ADMIN_TOKEN,
    KEY_ADMIN_PCAP,
    KEY_ROOMS_TOPOLOGY,
    KEY_ROOMS_MEMBERS,
    KEY_ROOMS_SPREAD_FROM,
    KEY_ROOMS_LAST_N,
    KEY_ROOMS_LOUDEST_N,
    KEY_ROOMS_CAMERA,
    KEY_STATE_DIR,
    KEY_WORKERS,
    KEY_LOG_LEVEL,
    KEY_LOG_FORMAT,
    KEY_COUNT,
};

struct setting {
    const char *name; /* "http.listen" */
    enum setting_kind kind;
    size_t offset;        /* in struct settings */
    uint64_t least, most; /* of a number, a size, a duration, or a secret's bytes */
    bool may_be_0;        /* ... though that is below `least`: no limit */
};

extern const struct setting settings_table[KEY_COUNT];

#define SETTING_REASON_MAX 256

/* An example of a list's entry; NULL: the setting is no list. */
const char *setting_example(const struct setting *setting);

static inline bool setting_is_list(const struct setting *setting)
{
    return setting_example(setting) != NULL;
}

/* Empties a list before its entries are added. */
void setting_clear(const struct setting *setting, struct settings *settings);

/* Sets the value, or adds an entry to a list.  ERR_CONFIG: `reason` says why not. */
MUST_USE int setting_put(const struct setting *setting, struct view text, struct settings *settings,
                         char reason[SETTING_REASON_MAX]);

/* The same for the kinds that only TURN has, and for secrets: settings_turn.c. */
MUST_USE int setting_put_turn(const struct setting *setting, struct view text, void *member,
                              char reason[SETTING_REASON_MAX]);

/* Writes that the text is refused, and gives ERR_CONFIG. */
int setting_refuse(char reason[SETTING_REASON_MAX], struct view text, const char *why);

#endif
