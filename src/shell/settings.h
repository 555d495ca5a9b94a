/* settings.h - what a user can set, as read from a file, the environment and the command line.
 *
 * Later sources win: built-in values, then the file, then MOIM_..., then --set.  The keys are
 * described in docs/CONFIGURATION.md.
 */
#ifndef MOIM_SHELL_SETTINGS_H
#define MOIM_SHELL_SETTINGS_H

#include "agent/turn.h"
#include "base/address.h"
#include "base/trace.h"
#include "room/room.h"
#include "wire/token.h"

#define SETTINGS_LISTEN_MAX 16
#define SETTINGS_PATH_MAX   1024
#define SETTINGS_ERROR_MAX  512
#define SETTINGS_FILE_MAX   (1024 * 1024)
#define SETTINGS_TEXTS_MAX  32
#define SETTINGS_TEXT_MAX   256

struct listen_list {
    struct address items[SETTINGS_LISTEN_MAX];
    uint32_t count;
};

/* Short texts, in the order in which they were written. */
struct text_list {
    char items[SETTINGS_TEXTS_MAX][SETTINGS_TEXT_MAX];
    uint32_t count;
};

struct network_list {
    struct turn_network items[TURN_NETWORKS_MAX];
    uint32_t count;
};

struct port_range {
    uint16_t min, max; /* both belong to it */
};

/* The keys of `turn` but for its addresses. */
struct turn_settings {
    struct port_range relay_ports;
    struct text_list secrets; /* up to TURN_SECRETS_MAX, the newest first; none: one is made */
    struct text_list users;   /* "name:password" */
    struct text_list servers; /* URIs that clients are told in place of ours */
    char realm[TURN_REALM_MAX + 1];
    struct network_list allow_peers;
    uint32_t allocations_per_user;
    uint32_t allocations_per_prefix;
    uint32_t bandwidth_allocation; /* bytes a second; 0: no limit */
    uint32_t bandwidth_all;
    usec lifetime;
    usec credential_lifetime;
    bool behavior_discovery; /* RFC 5780 */
};

enum log_format { LOG_TEXT, LOG_JSON };

struct endpoint_configs;
struct endpoint_list;

#define RTC_PORT_OFF UINT32_MAX

struct settings {
    struct listen_list http_listen; /* an empty list: not listening; port 0: the kernel chooses */
    struct listen_list https_listen;
    char https_cert[SETTINGS_PATH_MAX]; /* "": one is made in state_dir */
    char https_key[SETTINGS_PATH_MAX];
    uint32_t rtc_port; /* the first worker's, the n-th has n more; 0: the kernel chooses;
                          RTC_PORT_OFF: no media */
    struct listen_list rtc_public_ip;   /* without ports */
    struct listen_list turn_listen;     /* UDP and TCP */
    struct listen_list turn_tls_listen; /* DTLS and TLS */
    struct turn_settings turn;
    struct text_list auth_secrets; /* up to TOKEN_SECRETS_MAX, the newest first; none: no tokens */
    struct text_list admin_tokens; /* the same */
    bool admin_pcap;
    enum topology_wish topology;
    uint32_t room_members;     /* of a room of the SFU; a mesh has its own limit */
    uint32_t room_spread_from; /* connections of a room that are at its own worker at least */
    uint32_t room_last_n;      /* members that are seen at once in a room of the SFU; 0: all */
    uint32_t room_loudest_n;   /* the same of those who are heard */
    enum camera_form room_camera;
    char state_dir[SETTINGS_PATH_MAX];
    uint32_t workers; /* 1 to WORKERS_MAX */
    enum trace_level log_level;
    enum log_format log_format;
    struct endpoint_list *endpoints; /* NULL: none; settings_clear frees it */
};

/* Whether STUN and TURN are answered at all (beside HTTPS, too). */
static inline bool settings_have_turn(const struct settings *settings)
{
    return settings->turn_listen.count || settings->turn_tls_listen.count;
}

/* Whether there is a media port. */
static inline bool settings_have_rtc(const struct settings *settings)
{
    return settings->rtc_port != RTC_PORT_OFF;
}

/* The addresses and ports of turn.listen that behavior discovery takes turns with; false: it has no
 * two addresses, of one family, that both have the same two ports. */
bool settings_find_behavior(const struct settings *settings, struct stun_behavior *out);

#define WORKERS_MAX 64

/* The built-in values: as many workers as the process may use cores; no endpoints. */
void settings_default(struct settings *settings);
/* Frees what the settings own. */
void settings_clear(struct settings *settings);

/* What is served beside the meetings; lives as long as the settings.  NULL: nothing. */
const struct endpoint_configs *settings_endpoints(const struct settings *settings);
/* The path of an endpoint that can't be served without a media port; NULL: there is none. */
const char *settings_find_media(const struct settings *settings);

/* Reads a YAML text over what *settings holds; `name` is what messages call it.  Its `endpoints`
 * stand over the built-in ones; without that key the endpoints stay as they are.  Pure.
 *   ERR_CONFIG   `error` is one line that names the source, its line where there is one, the key
 *                and the reason.
 *   ERR_MEMORY   the same.
 * On error *settings is untouched. */
MUST_USE int settings_read_text(struct view yaml, const char *name, struct settings *settings,
                                char error[SETTINGS_ERROR_MAX]);

/* Reads everything, over the built-in values and endpoints.  What *settings held is not freed.
 *   file        the path of a YAML file of at most SETTINGS_FILE_MAX bytes, or NULL.
 *   environment as the process has it: "MOIM_HTTP_LISTEN=..." sets http.listen.
 *   sets        `set_count` texts "key.path=value"; of two for one key the later wins.
 * A list in the last two is "a, b" or a YAML flow list, ["a", "b"]; nothing at all is the empty
 * list.  Errors are those of settings_read_text. */
MUST_USE int settings_read(const char *file, char *const *environment, char *const *sets,
                           int set_count, struct settings *settings,
                           char error[SETTINGS_ERROR_MAX]);

#endif
