#include "shell/settings_value.h"

#include "shell/yaml_outline.h"

#include <stdio.h>
#include <string.h>

#define HOUR (3600 * USEC_S)

const struct setting settings_table[KEY_COUNT] = {
#define ROW(name, kind, member)                                                                    \
    {                                                                                              \
        name, kind, offsetof(struct settings, member), 0, 0, false                                 \
    }
#define AMOUNT(name, kind, member, least, most, may_be_0)                                          \
    {                                                                                              \
        name, kind, offsetof(struct settings, member), least, most, may_be_0                       \
    }
/* Whoever was given what they sign may try secrets at home, as fast as the machine can. */
#define SECRETS(name, member, least) AMOUNT(name, SETTING_SECRETS, member, least, 255, false)
    [KEY_HTTP_LISTEN] = ROW("http.listen", SETTING_LISTEN, http_listen),
    [KEY_HTTPS_LISTEN] = ROW("https.listen", SETTING_LISTEN, https_listen),
    [KEY_HTTPS_CERT] = ROW("https.cert", SETTING_FILE, https_cert),
    [KEY_HTTPS_KEY] = ROW("https.key", SETTING_FILE, https_key),
    [KEY_RTC_PORT] = ROW("rtc.port", SETTING_PORT, rtc_port),
    [KEY_RTC_PUBLIC_IP] = ROW("rtc.public_ip", SETTING_HOSTS, rtc_public_ip),
    [KEY_TURN_LISTEN] = ROW("turn.listen", SETTING_LISTEN, turn_listen),
    [KEY_TURN_TLS_LISTEN] = ROW("turn.tls_listen", SETTING_LISTEN, turn_tls_listen),
    [KEY_TURN_RELAY_PORTS] = ROW("turn.relay_ports", SETTING_PORTS, turn.relay_ports),
    [KEY_TURN_SECRET] = SECRETS("turn.secret", turn.secrets, 16),
    [KEY_TURN_USERS] = ROW("turn.users", SETTING_USERS, turn.users),
    [KEY_TURN_REALM] = ROW("turn.realm", SETTING_REALM, turn.realm),
    [KEY_TURN_ALLOW_PEERS] = ROW("turn.allow_peers", SETTING_NETWORKS, turn.allow_peers),
    [KEY_TURN_SERVERS] = ROW("turn.servers", SETTING_SERVERS, turn.servers),
    [KEY_TURN_ALLOCATIONS_PER_USER] = AMOUNT("turn.allocations_per_user", SETTING_NUMBER,
                                             turn.allocations_per_user, 1, TURN_RELAYS_MAX, false),
    [KEY_TURN_ALLOCATIONS_PER_PREFIX] =
        AMOUNT("turn.allocations_per_prefix", SETTING_NUMBER, turn.allocations_per_prefix, 1,
               TURN_RELAYS_MAX, false),
    [KEY_TURN_BANDWIDTH_ALLOCATION] = AMOUNT("turn.bandwidth_allocation", SETTING_SIZE,
                                             turn.bandwidth_allocation, 4096, 1u << 30, true),
    [KEY_TURN_BANDWIDTH_ALL] =
        AMOUNT("turn.bandwidth_all", SETTING_SIZE, turn.bandwidth_all, 65536, UINT32_MAX, true),
    [KEY_TURN_LIFETIME] = AMOUNT("turn.lifetime", SETTING_DURATION, turn.lifetime,
                                 TURN_LIFETIME_S *USEC_S, 24 * HOUR, false),
    [KEY_TURN_CREDENTIAL_LIFETIME] = AMOUNT("turn.credential_lifetime", SETTING_DURATION,
                                            turn.credential_lifetime, HOUR, 168 * HOUR, false),
    [KEY_TURN_BEHAVIOR_DISCOVERY] =
        ROW("turn.behavior_discovery", SETTING_FLAG, turn.behavior_discovery),
    [KEY_AUTH_SECRET] = SECRETS("auth.secret", auth_secrets, TOKEN_SECRET_MIN),
    [KEY_ADMIN_TOKEN] = SECRETS("admin.token", admin_tokens, 16),
    [KEY_ADMIN_PCAP] = ROW("admin.pcap", SETTING_FLAG, admin_pcap),
    [KEY_ROOMS_TOPOLOGY] = ROW("rooms.topology", SETTING_TOPOLOGY, topology),
    [KEY_ROOMS_MEMBERS] =
        AMOUNT("rooms.members", SETTING_NUMBER, room_members, 3, ROOM_MEMBERS_MAX, false),
    [KEY_ROOMS_SPREAD_FROM] =
        AMOUNT("rooms.spread_from", SETTING_NUMBER, room_spread_from, 1, ROOM_MEMBERS_MAX, false),
    [KEY_ROOMS_LAST_N] =
        AMOUNT("rooms.last_n", SETTING_NUMBER, room_last_n, 0, ROOM_MEMBERS_MAX, false),
    [KEY_ROOMS_LOUDEST_N] =
        AMOUNT("rooms.loudest_n", SETTING_NUMBER, room_loudest_n, 0, ROOM_MEMBERS_MAX, false),
    [KEY_ROOMS_CAMERA] = ROW("rooms.camera", SETTING_CAMERA, room_camera),
    [KEY_STATE_DIR] = ROW("state.dir", SETTING_FOLDER, state_dir),
    [KEY_WORKERS] = ROW("workers", SETTING_WORKERS, workers),
    [KEY_LOG_LEVEL] = ROW("log.level", SETTING_LEVEL, log_level),
    [KEY_LOG_FORMAT] = ROW("log.format", SETTING_FORMAT, log_format),
#undef ROW
#undef AMOUNT
#undef SECRETS
};

int setting_refuse(char reason[SETTING_REASON_MAX], struct view text, const char *why)
{
    char shown[80];
    yaml_printable(text, shown, sizeof(shown));
    snprintf(reason, SETTING_REASON_MAX, "\"%s\" %s", shown, why);
    return ERR_CONFIG;
}

/* Groups of receivers: nobody listens at one, and nobody is reached at one. */
static bool is_group(const struct address *address)
{
    static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
    if (address->family == ADDRESS_IPV6)
        return address->bytes[0] == 0xff;
    return address->bytes[0] >> 4 == 14 || memcmp(address->bytes, broadcast, 4) == 0;
}

static int put_address(const struct setting *setting, struct view text, struct listen_list *list,
                       char *reason)
{
    struct address address = { 0 };
    if (setting->kind == SETTING_LISTEN && address_read(text, &address) != OK)
        return setting_refuse(reason, text, "is not an address with a port from 0 to 65535");
    if (setting->kind == SETTING_HOSTS && address_read_host(text, &address) != OK)
        return setting_refuse(reason, text, "is not an IP address (without a port)");
    if (is_group(&address))
        return setting_refuse(reason, text, "is a multicast or broadcast address");
    if (setting->kind == SETTING_HOSTS && address_is_unspecified(&address))
        return setting_refuse(reason, text, "is no address that others can reach");
    for (uint32_t i = 0; i < list->count; i++)
        if (address_equal(&list->items[i], &address) &&
            (address.port != 0 || setting->kind == SETTING_HOSTS))
            return setting_refuse(reason, text, "stands twice in the list");
    if (list->count == SETTINGS_LISTEN_MAX) {
        snprintf(reason, SETTING_REASON_MAX, "more than %d addresses", SETTINGS_LISTEN_MAX);
        return ERR_CONFIG;
    }
    list->items[list->count++] = address;
    return OK;
}

static int put_path(struct view text, char *path, bool may_be_empty, char *reason)
{
    if (text.size == 0 && !may_be_empty)
        return setting_refuse(reason, text, "is no path");
    if (text.size >= SETTINGS_PATH_MAX)
        return setting_refuse(reason, text, "is longer than 1023 bytes");
    memcpy(path, text.at ? text.at : (const uint8_t *)"", text.size);
    path[text.size] = '\0';
    return OK;
}

static int put_workers(struct view text, uint32_t *workers, char *reason)
{
    uint64_t number = 0;
    if (!view_read_number(text, WORKERS_MAX, &number) || number == 0)
        return setting_refuse(reason, text, "is not a number from 1 to 64");
    *workers = (uint32_t)number;
    return OK;
}

static int put_port(struct view text, uint32_t *port, char *reason)
{
    uint64_t number = 0;
    if (view_equal(text, VIEW("off"))) {
        *port = RTC_PORT_OFF;
        return OK;
    }
    if (!view_read_number(text, UINT16_MAX, &number))
        return setting_refuse(reason, text, "is not a port from 0 to 65535, or off");
    *port = (uint32_t)number;
    return OK;
}

static int put_level(struct view text, enum trace_level *level, char *reason)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    for (unsigned i = 0; i <= TRACE_ERROR; i++) {
        if (view_equal(text, view_of(names[i]))) {
            *level = (enum trace_level)i;
            return OK;
        }
    }
    return setting_refuse(reason, text, "is not one of error, warn, info, debug");
}

static int put_format(struct view text, enum log_format *format, char *reason)
{
    if (view_equal(text, VIEW("text")))
        *format = LOG_TEXT;
    else if (view_equal(text, VIEW("json")))
        *format = LOG_JSON;
    else
        return setting_refuse(reason, text, "is not one of text, json");
    return OK;
}

static int put_topology(struct view text, enum topology_wish *topology, char *reason)
{
    static const char *const names[] = {
        [TOPOLOGY_AUTO] = "auto", [TOPOLOGY_ALWAYS_MESH] = "mesh", [TOPOLOGY_ALWAYS_SFU] = "sfu"
    };
    for (unsigned i = 0; i <= TOPOLOGY_ALWAYS_SFU; i++) {
        if (view_equal(text, view_of(names[i]))) {
            *topology = (enum topology_wish)i;
            return OK;
        }
    }
    return setting_refuse(reason, text, "is not one of auto, mesh, sfu");
}

static int put_camera(struct view text, enum camera_form *camera, char *reason)
{
    for (unsigned i = 0; i < CAMERA_FORMS; i++) {
        if (view_equal(text, camera_form_name((enum camera_form)i))) {
            *camera = (enum camera_form)i;
            return OK;
        }
    }
    return setting_refuse(reason, text, "is not one of simulcast, vp9-svc, av1-svc");
}

static int put_flag(struct view text, bool *flag, char *reason)
{
    *flag = view_equal(text, VIEW("true"));
    if (*flag || view_equal(text, VIEW("false")))
        return OK;
    return setting_refuse(reason, text, "is not one of true, false");
}

const char *setting_example(const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_LISTEN:
        return "0.0.0.0:8080";
    case SETTING_HOSTS:
        return "192.0.2.1";
    case SETTING_SECRETS:
        return "9f86d081884c7d65";
    case SETTING_USERS:
        return "name:password";
    case SETTING_SERVERS:
        return "turn:turn.example.com:3478";
    case SETTING_NETWORKS:
        return "10.0.0.0/8";
    default:
        return NULL;
    }
}

void setting_clear(const struct setting *setting, struct settings *settings)
{
    void *member = (char *)settings + setting->offset;
    if (setting->kind == SETTING_LISTEN || setting->kind == SETTING_HOSTS)
        ((struct listen_list *)member)->count = 0;
    else if (setting->kind == SETTING_NETWORKS)
        ((struct network_list *)member)->count = 0;
    else
        ((struct text_list *)member)->count = 0;
}

int setting_put(const struct setting *setting, struct view text, struct settings *settings,
                char reason[SETTING_REASON_MAX])
{
    void *member = (char *)settings + setting->offset;
    switch (setting->kind) {
    case SETTING_LISTEN:
    case SETTING_HOSTS:
        return put_address(setting, text, member, reason);
    case SETTING_FILE:
        return put_path(text, member, true, reason);
    case SETTING_FOLDER:
        return put_path(text, member, false, reason);
    case SETTING_WORKERS:
        return put_workers(text, member, reason);
    case SETTING_PORT:
        return put_port(text, member, reason);
    case SETTING_LEVEL:
        return put_level(text, member, reason);
    case SETTING_FORMAT:
        return put_format(text, member, reason);
    case SETTING_TOPOLOGY:
        return put_topology(text, member, reason);
    case SETTING_CAMERA:
        return put_camera(text, member, reason);
    case SETTING_FLAG:
        return put_flag(text, member, reason);
    default:
        return setting_put_turn(setting, text, member, reason);
    }
}

_Static_assert(SETTINGS_PATH_MAX == 1024 && WORKERS_MAX == 64, "the messages tell these limits");
