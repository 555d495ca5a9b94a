#include "shell/settings.h"

#include "front/server.h"
#include "shell/endpoints.h"
#include "shell/settings_reader.h"
#include "shell/yaml_outline.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int settings_refuse(struct settings_reader *reader, const char *source, const char *format, ...)
{
    va_list arguments;
    int size = snprintf(reader->error, SETTINGS_ERROR_MAX, "%s: ", source);
    va_start(arguments, format);
    vsnprintf(reader->error + size, SETTINGS_ERROR_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    return ERR_CONFIG;
}

const struct setting *settings_find(struct view name, enum setting_key *key)
{
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        if (view_equal(name, view_of(settings_table[i].name))) {
            *key = (enum setting_key)i;
            return &settings_table[i];
        }
    }
    return NULL;
}

int settings_put(struct settings_reader *reader, const char *source, enum setting_key key,
                 struct view text)
{
    char reason[SETTING_REASON_MAX];
    const struct setting *setting = &settings_table[key];
    if (setting_put(setting, text, &reader->settings, reason) != OK)
        return settings_refuse(reader, source, "%s: %s", setting->name, reason);
    return OK;
}

void settings_begin(struct settings_reader *reader, const char *source, enum setting_key key)
{
    snprintf(reader->origins[key], SETTINGS_SOURCE_MAX, "%s", source);
    if (setting_is_list(&settings_table[key]))
        setting_clear(&settings_table[key], &reader->settings);
}

/* A value as one text: a list's entries are parted by commas, or it is a YAML flow list. */
static int read_text(struct settings_reader *reader, const char *source, enum setting_key key,
                     struct view text)
{
    settings_begin(reader, source, key);
    if (!setting_is_list(&settings_table[key]))
        return settings_put(reader, source, key, text);
    struct view rest = view_trim(text);
    if (rest.size == 0)
        return OK;
    if (rest.at[0] == '[' && rest.at[rest.size - 1] == ']')
        return settings_read_flow(reader, source, key, rest);
    struct view part;
    int status = OK;
    while (status == OK && view_split(&rest, ',', &part))
        status = settings_put(reader, source, key, view_trim(part));
    return status;
}

/* "HTTPS_LISTEN" is https.listen's name. */
static bool is_named(const struct setting *setting, struct view variable)
{
    size_t size = strlen(setting->name);
    if (size != variable.size)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = setting->name[i];
        char wanted = c == '.' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (variable.at[i] != (uint8_t)wanted)
            return false;
    }
    return true;
}

/* A list of maps is more than one text can hold well. */
static int refuse_endpoints(struct settings_reader *reader, const char *source)
{
    return settings_refuse(reader, source,
                           ENDPOINTS_KEY ": a list of maps belongs into a file (--config)");
}

static int read_variable(struct settings_reader *reader, const char *variable)
{
    char source[SETTINGS_SOURCE_MAX];
    struct view prefix = VIEW("MOIM_");
    struct view text = view_of(variable);
    struct view name = view_slice(text, 0, view_find_byte(text, '='));

    if (!view_starts(name, prefix))
        return OK;
    yaml_printable(name, source, sizeof(source));
    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (is_named(&settings_table[i], view_slice(name, prefix.size, name.size)))
            return read_text(reader, source, (enum setting_key)i,
                             view_slice(text, name.size + 1, text.size));
    if (view_starts(name, VIEW("MOIM_ENDPOINTS")))
        return refuse_endpoints(reader, source);
    return settings_refuse(reader, source, "no key is set by this variable");
}

static int read_set(struct settings_reader *reader, const char *set)
{
    char shown[SETTINGS_SOURCE_MAX];
    enum setting_key key;
    struct view text = view_of(set);
    struct view name = view_slice(text, 0, view_find_byte(text, '='));

    yaml_printable(name, shown, sizeof(shown));
    if (name.size == text.size)
        return settings_refuse(reader, "--set", "\"%s\" is not key.path=value", shown);
    if (view_starts(name, VIEW(ENDPOINTS_KEY)))
        return refuse_endpoints(reader, "--set");
    if (!settings_find(name, &key))
        return settings_refuse(reader, "--set", "%s: unknown key", shown);
    return read_text(reader, "--set", key, view_slice(text, name.size + 1, text.size));
}

/* ---- what keys say of one another ---- */

static const char *origin(const struct settings_reader *reader, enum setting_key key)
{
    return reader->origins[key][0] ? reader->origins[key] : "built-in";
}

static int check_pair(struct settings_reader *reader, enum setting_key given,
                      enum setting_key missing)
{
    return settings_refuse(reader, origin(reader, given),
                           "%s: %s is missing: a certificate and its key go together",
                           settings_table[given].name, settings_table[missing].name);
}

/* With SO_REUSEPORT the kernel would bind one port twice, and give each connection to either. */
static int check_apart(struct settings_reader *reader, enum setting_key a, enum setting_key b)
{
    const struct listen_list *lists[2];
    enum setting_key keys[2] = { a, b };
    char text[ADDRESS_TEXT_SIZE];

    for (int i = 0; i < 2; i++)
        lists[i] = (const void *)((char *)&reader->settings + settings_table[keys[i]].offset);
    for (uint32_t i = 0; i < lists[0]->count; i++) {
        for (uint32_t j = 0; j < lists[1]->count; j++) {
            const struct address *address = &lists[0]->items[i];
            if (address->port == 0 || !address_equal(address, &lists[1]->items[j]))
                continue;
            enum setting_key told = reader->origins[b][0] ? b : a;
            address_write(address, text);
            return settings_refuse(reader, origin(reader, told), "%s: %s is in %s, too",
                                   settings_table[told].name, text,
                                   settings_table[told == a ? b : a].name);
        }
    }
    return OK;
}

/* What we make up is of no use to other servers. */
static int check_servers(struct settings_reader *reader)
{
    const struct turn_settings *turn = &reader->settings.turn;
    for (uint32_t i = 0; i < turn->servers.count && turn->secrets.count == 0; i++)
        if (strncmp(turn->servers.items[i], "turn", 4) == 0)
            return settings_refuse(reader, origin(reader, KEY_TURN_SERVERS),
                                   "turn.servers: turn.secret is missing: the one that these "
                                   "servers have");
    return OK;
}

static bool has_address(const struct listen_list *list, const struct address *host, uint16_t port)
{
    struct address wanted = *host;
    wanted.port = port;
    for (uint32_t i = 0; i < list->count; i++)
        if (address_equal(&list->items[i], &wanted))
            return true;
    return false;
}

static bool is_one_host(const struct address *address)
{
    static const uint8_t ZEROS[16];
    return address->port && memcmp(address->bytes, ZEROS, sizeof(ZEROS)) != 0;
}

bool settings_find_behavior(const struct settings *settings, struct stun_behavior *out)
{
    const struct listen_list *list = &settings->turn_listen;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct address *a = &list->items[i];
        for (uint32_t j = i + 1; j < list->count && is_one_host(a); j++) {
            const struct address *b = &list->items[j];
            if (a->family != b->family || a->port == b->port || !is_one_host(b) ||
                memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 ||
                !has_address(list, a, b->port) || !has_address(list, b, a->port))
                continue;
            *out = (struct stun_behavior){ .primary = *a, .alternate = *b };
            return true;
        }
    }
    return false;
}

/* Behind 0.0.0.0 nobody knows which addresses there are. */
static int check_behavior(struct settings_reader *reader)
{
    struct stun_behavior behavior;
    if (!reader->settings.turn.behavior_discovery ||
        settings_find_behavior(&reader->settings, &behavior))
        return OK;
    return settings_refuse(reader, origin(reader, KEY_TURN_BEHAVIOR_DISCOVERY),
                           "turn.behavior_discovery: turn.listen needs two addresses of this "
                           "machine, each with the same two ports");
}

static const enum setting_key listen_keys[] = { KEY_HTTP_LISTEN, KEY_HTTPS_LISTEN, KEY_TURN_LISTEN,
                                                KEY_TURN_TLS_LISTEN };
#define LISTEN_KEYS (sizeof(listen_keys) / sizeof(listen_keys[0]))

static const char *find_media(const struct endpoint_configs *configs)
{
    for (uint32_t i = 0; configs && i < configs->count; i++)
        if (configs->items[i].topology == ENDPOINT_SFU)
            return configs->items[i].path;
    return NULL;
}

/* Without a media port there is nobody to stand in for others. */
static int check_topologies(struct settings_reader *reader)
{
    const char *path = find_media(reader->endpoints ? &reader->endpoints->configs : NULL);
    if (!path)
        return OK;
    return settings_refuse(reader, origin(reader, KEY_RTC_PORT),
                           "rtc.port: it is off, and the endpoint %s has topology: sfu", path);
}

/* A worker's media port is its own, on all addresses. */
static int check_media(struct settings_reader *reader)
{
    const struct settings *settings = &reader->settings;
    uint32_t first = settings->rtc_port;
    uint32_t last = first + settings->workers - 1;
    if (!settings_have_rtc(settings))
        return check_topologies(reader);
    if (first == 0)
        return OK;
    if (last > UINT16_MAX)
        return settings_refuse(reader, origin(reader, KEY_RTC_PORT),
                               "rtc.port: %u workers need the ports up to %u", settings->workers,
                               last);
    for (size_t i = 0; i < LISTEN_KEYS; i++) {
        const struct setting *setting = &settings_table[listen_keys[i]];
        const struct listen_list *list = (const void *)((const char *)settings + setting->offset);
        enum setting_key told = reader->origins[KEY_RTC_PORT][0] ? KEY_RTC_PORT : listen_keys[i];
        for (uint32_t j = 0; j < list->count; j++)
            if (list->items[j].port >= first && list->items[j].port <= last)
                return settings_refuse(reader, origin(reader, told),
                                       "%s: rtc.port has %u to %u, one a worker, and %s has %u",
                                       settings_table[told].name, first, last, setting->name,
                                       list->items[j].port);
    }
    return OK;
}

static int check_together(struct settings_reader *reader)
{
    const struct settings *settings = &reader->settings;
    if (settings->https_cert[0] && !settings->https_key[0])
        return check_pair(reader, KEY_HTTPS_CERT, KEY_HTTPS_KEY);
    if (settings->https_key[0] && !settings->https_cert[0])
        return check_pair(reader, KEY_HTTPS_KEY, KEY_HTTPS_CERT);
    int status = OK;
    for (size_t i = 0; i < LISTEN_KEYS && status == OK; i++)
        for (size_t j = i + 1; j < LISTEN_KEYS && status == OK; j++)
            status = check_apart(reader, listen_keys[i], listen_keys[j]);
    if (status == OK)
        status = check_media(reader);
    if (status == OK)
        status = check_servers(reader);
    return status == OK ? check_behavior(reader) : status;
}

/* ---- sources ---- */

static void add_listen(struct listen_list *list, uint16_t port)
{
    list->items[list->count++] = (struct address){ .family = ADDRESS_IPV4, .port = port };
}

static void default_turn(struct turn_settings *turn)
{
    turn->relay_ports = (struct port_range){ 49152, 65535 };
    memcpy(turn->realm, "moim", sizeof("moim"));
    turn->allocations_per_user = 256;
    turn->allocations_per_prefix = 1024;
    turn->bandwidth_allocation = 4 * 1024 * 1024;
    turn->lifetime = 3600 * USEC_S;
    turn->credential_lifetime = 12 * 3600 * USEC_S;
}

void settings_default(struct settings *settings)
{
    cpu_set_t cores;
    int count = 1;
    *settings = (struct settings){ .log_level = TRACE_INFO, .log_format = LOG_TEXT };
    add_listen(&settings->http_listen, 8080);
    add_listen(&settings->https_listen, 8443);
    add_listen(&settings->turn_listen, 3478);
    add_listen(&settings->turn_tls_listen, 5349);
    settings->rtc_port = 7000;
    default_turn(&settings->turn);
    settings->room_members = 50;
    settings->room_spread_from = SERVER_SPREAD_FROM;
    snprintf(settings->state_dir, sizeof(settings->state_dir), "./moim-state");
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
        count = CPU_COUNT(&cores);
    settings->workers = count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (uint32_t)count;
}

void settings_clear(struct settings *settings)
{
    endpoints_free(settings->endpoints);
    settings->endpoints = NULL;
}

const char *settings_find_media(const struct settings *settings)
{
    return find_media(settings_endpoints(settings));
}

const struct endpoint_configs *settings_endpoints(const struct settings *settings)
{
    return settings->endpoints ? &settings->endpoints->configs : NULL;
}

/* Gives out what was read, when all went well. */
static int finish(struct settings_reader *reader, int status, struct settings *settings)
{
    if (status == OK)
        status = check_together(reader);
    if (status != OK) {
        endpoints_free(reader->endpoints);
        return status;
    }
    if (reader->endpoints) {
        endpoints_free(reader->settings.endpoints);
        reader->settings.endpoints = reader->endpoints;
    }
    *settings = reader->settings;
    return OK;
}

int settings_read_text(struct view yaml, const char *name, struct settings *settings,
                       char error[SETTINGS_ERROR_MAX])
{
    struct settings_reader reader = { .settings = *settings, .error = error };
    return finish(&reader, settings_read_yaml(&reader, name, yaml), settings);
}

static int read_file(struct settings_reader *reader, const char *file)
{
    int status = ERR_CONFIG;
    char source[SETTINGS_SOURCE_MAX];
    size_t size = 0;
    ssize_t got = 1;

    yaml_printable(view_of(file), source, sizeof(source));
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return settings_refuse(reader, source, "%s", strerror(errno));
    uint8_t *bytes = malloc(SETTINGS_FILE_MAX + 1);
    if (!bytes) {
        settings_refuse(reader, source, "%s", status_text(ERR_MEMORY));
        status = ERR_MEMORY;
        goto close_file;
    }
    while (got != 0 && size <= SETTINGS_FILE_MAX) {
        got = read(fd, bytes + size, SETTINGS_FILE_MAX + 1 - size);
        if (got < 0 && errno != EINTR) {
            status = settings_refuse(reader, source, "%s", strerror(errno));
            goto free_bytes;
        }
        size += got > 0 ? (size_t)got : 0;
    }
    if (size > SETTINGS_FILE_MAX)
        status = settings_refuse(reader, source, "larger than 1 MiB");
    else
        status = settings_read_yaml(reader, file, view_make(bytes, size));

free_bytes:
    free(bytes);
close_file:
    close(fd);
    return status;
}

int settings_read(const char *file, char *const *environment, char *const *sets, int set_count,
                  struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    struct settings_reader reader = { .error = error };
    int status = OK;

    settings_default(&reader.settings);
    if (file)
        status = read_file(&reader, file);
    for (; status == OK && environment && *environment; environment++)
        status = read_variable(&reader, *environment);
    for (int i = 0; status == OK && i < set_count; i++)
        status = read_set(&reader, sets[i]);
    if (status == OK)
        status = settings_read_endpoints(&reader);
    return finish(&reader, status, settings);
}
