#include "shell/turn_setup.h"

#include "base/base64.h"
#include "shell/entropy.h"
#include "shell/machine.h"
#include "shell/settings_value.h"
#include "shell/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES   32 /* of chance, in one that we make */
#define SECRETS_SIZE   (TURN_SECRETS_MAX * SETTINGS_TEXT_MAX)
#define PEERS_EACH     16 /* permissions and channels of an allocation, on an average */
#define PEERS_MAX      256
#define CONNECTIONS    16
#define PEERS_POOL_MAX (1024 * 1024)
#define HTTPS_PORT     443

/* ---- the secrets that are kept ---- */

static int refuse(char *error, const char *path, const char *reason)
{
    snprintf(error, SETTINGS_ERROR_MAX, "turn.secret: %.300s: %.190s", path, reason);
    return ERR_CONFIG;
}

static int refuse_io(char *error, const char *path)
{
    refuse(error, path, strerror(errno));
    return ERR_IO;
}

/* One secret on each line, as the setting takes them. */
static int put_lines(struct view text, struct turn_setup *setup, const char *path, char *error)
{
    struct settings *read = calloc(1, sizeof(*read));
    struct view line;
    char reason[SETTING_REASON_MAX];
    int status = read ? OK : ERR_MEMORY;
    if (status != OK)
        refuse(error, path, status_text(status));
    while (status == OK && view_split(&text, '\n', &line)) {
        if (view_trim(line).size == 0)
            continue;
        status = setting_put(&settings_table[KEY_TURN_SECRET], view_trim(line), read, reason);
        if (status != OK)
            refuse(error, path, reason);
    }
    if (status == OK && read->turn.secrets.count == 0)
        status = refuse(error, path, "holds no secret: remove it, and one is made");
    if (status == OK)
        setup->settings.secrets = read->turn.secrets;
    if (read)
        OPENSSL_cleanse(read, sizeof(*read));
    free(read);
    return status;
}

static int read_open(int fd, struct turn_setup *setup, const char *path, char *error)
{
    struct stat info;
    char bytes[SECRETS_SIZE + 1];
    size_t size = 0;
    ssize_t got = 1;
    if (fstat(fd, &info) != 0)
        return refuse_io(error, path);
    if (!S_ISREG(info.st_mode))
        return refuse(error, path, "is no file");
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return refuse(error, path,
                      "others may read or write it: \"chmod 600\" it, and if they may "
                      "have, remove it, so that a new one is made");
    while (got != 0 && size < sizeof(bytes)) {
        got = read(fd, bytes + size, sizeof(bytes) - size);
        if (got < 0 && errno != EINTR)
            return refuse_io(error, path);
        size += got > 0 ? (size_t)got : 0;
    }
    int status = size > SECRETS_SIZE ? refuse(error, path, "is too long")
                                     : put_lines(view_make(bytes, size), setup, path, error);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return status;
}

static int read_kept(const struct settings *settings, struct turn_setup *setup, char *error)
{
    char path[STATE_PATH_SIZE];
    state_file_path(settings, TURN_SECRET_FILE, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        error[0] = '\0';
        return ERR_NOT_FOUND;
    }
    if (fd < 0)
        return refuse_io(error, path);
    int status = read_open(fd, setup, path, error);
    close(fd);
    return status;
}

static int make_secret(const struct settings *settings, struct turn_setup *setup, char *error)
{
    struct random random = entropy_random();
    struct text_list *secrets = &setup->settings.secrets;
    uint8_t bytes[SECRET_BYTES];
    char line[BASE64_SIZE(SECRET_BYTES) + 1];
    random_fill(&random, bytes, sizeof(bytes));
    base64url_write(view_make(bytes, sizeof(bytes)), secrets->items[0]);
    int size =
        snprintf(line, sizeof(line), "%.*s\n", (int)BASE64_SIZE(SECRET_BYTES), secrets->items[0]);
    int status = state_file_keep(settings, TURN_SECRET_FILE, view_make(line, (size_t)size), error);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(line, sizeof(line));
    secrets->count = 1;
    setup->is_secret_new = true;
    return status;
}

/* ---- users ---- */

static struct view user_name(const struct turn_setup *setup, uint32_t i)
{
    struct view user = view_of(setup->settings.users.items[i]);
    return view_slice(user, 0, view_find_byte(user, ':'));
}

static struct view user_password(const struct turn_setup *setup, uint32_t i)
{
    struct view user = view_of(setup->settings.users.items[i]);
    return view_slice(user, view_find_byte(user, ':') + 1, user.size);
}

static int find_name(void *context, struct view name, struct view *password)
{
    const struct turn_setup *setup = context;
    for (uint32_t i = 0; i < setup->settings.users.count; i++) {
        if (!view_equal(user_name(setup, i), name))
            continue;
        *password = user_password(setup, i);
        return OK;
    }
    return ERR_NOT_FOUND;
}

static int find_hash(void *context, struct view hash, struct view *name, struct view *password)
{
    const struct turn_setup *setup = context;
    for (uint32_t i = 0; i < setup->settings.users.count; i++) {
        if (!view_equal(view_make(setup->hashes[i], STUN_USERHASH_SIZE), hash))
            continue;
        *name = user_name(setup, i);
        *password = user_password(setup, i);
        return OK;
    }
    return ERR_NOT_FOUND;
}

static int hash_users(struct turn_setup *setup)
{
    struct view realm = view_of(setup->settings.realm);
    int status = OK;
    for (uint32_t i = 0; i < setup->settings.users.count && status == OK; i++)
        status = stun_userhash(user_name(setup, i), realm, setup->hashes[i]);
    return status;
}

/* ---- the rest ---- */

static void add_own(struct turn_policy *policy, const struct address *addresses, uint32_t count)
{
    static const uint8_t zeros[16];
    for (uint32_t i = 0; i < count && policy->own_count < TURN_OWN_MAX; i++)
        if (memcmp(addresses[i].bytes, zeros, sizeof(zeros)) != 0)
            policy->own[policy->own_count++] = addresses[i];
}

static void fill_policy(struct turn_policy *policy, const struct settings *settings)
{
    const struct network_list *allowed = &settings->turn.allow_peers;
    struct address addresses[MACHINE_ADDRESSES_MAX];
    memcpy(policy->allowed, allowed->items, allowed->count * sizeof(allowed->items[0]));
    policy->allowed_count = allowed->count;
    add_own(policy, settings->rtc_public_ip.items, settings->rtc_public_ip.count);
    add_own(policy, addresses, machine_addresses(addresses));
    policy->relay_port_min = settings->turn.relay_ports.min;
    policy->relay_port_max = settings->turn.relay_ports.max;
    if (settings_have_rtc(settings) && settings->rtc_port) {
        policy->media_port_min = (uint16_t)settings->rtc_port;
        policy->media_port_max = (uint16_t)(settings->rtc_port + settings->workers - 1);
    }
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Whatever the agent could have an allocation for has a port: more of them than ports are never. */
static void fill_sizes(struct turn_config *config, const struct settings *settings)
{
    const struct turn_settings *turn = &settings->turn;
    uint32_t ports = (uint32_t)turn->relay_ports.max - turn->relay_ports.min + 1;
    config->allocations_max = ports;
    config->relays_max = least_of(ports + ports / 2 + CONNECTIONS, TURN_RELAYS_MAX);
    config->peers_max = least_of(ports * PEERS_EACH + PEERS_MAX, PEERS_POOL_MAX);
    config->peers_per_allocation_max = PEERS_MAX;
    config->connections_per_allocation_max = CONNECTIONS;
    config->allocations_per_user_max = turn->allocations_per_user;
    config->allocations_per_prefix_max = turn->allocations_per_prefix;
    config->lifetime_s_max = (uint32_t)(turn->lifetime / USEC_S);
    config->bytes_per_s_allocation = turn->bandwidth_allocation;
    config->bytes_per_s_all = turn->bandwidth_all;
}

static void fill_config(struct turn_setup *setup, const struct settings *settings)
{
    struct turn_config *config = &setup->config;
    *config = (struct turn_config){
        .realm = view_of(setup->settings.realm),
        .secret_count = setup->settings.secrets.count,
        .policy = &setup->policy,
        .relays_ipv4 = true,
        .relays_ipv6 = true,
        .relays_tcp = true,
        .mobility = true,
    };
    for (uint32_t i = 0; i < config->secret_count; i++)
        config->secrets[i] = view_of(setup->settings.secrets.items[i]);
    if (setup->settings.users.count)
        config->users = (struct turn_users){ find_name, find_hash, setup };
    fill_sizes(config, settings);
    if (settings->turn.behavior_discovery && settings_find_behavior(settings, &setup->behavior))
        config->behavior = &setup->behavior;
}

bool turn_setup_wanted(const struct settings *settings)
{
    return settings_have_turn(settings) || settings->turn.secrets.count;
}

int turn_setup_new(const struct settings *settings, bool may_make, struct turn_setup **out,
                   char error[SETTINGS_ERROR_MAX])
{
    int status = OK;
    struct turn_setup *setup = calloc(1, sizeof(*setup));
    if (!setup) {
        snprintf(error, SETTINGS_ERROR_MAX, "turn: %s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    setup->settings = settings->turn;
    if (settings->turn.secrets.count == 0)
        status = read_kept(settings, setup, error);
    if (status == ERR_NOT_FOUND && may_make)
        status = make_secret(settings, setup, error);
    if (status != OK)
        goto give;
    status = hash_users(setup);
    if (status != OK) {
        snprintf(error, SETTINGS_ERROR_MAX, "turn.users: %s", status_text(status));
        goto give;
    }
    fill_policy(&setup->policy, settings);
    fill_config(setup, settings);
    *out = setup;
    return OK;

give:
    turn_setup_free(setup);
    return status;
}

/* Where relays are beside HTTPS: on 443 if possible, which gets through where others don't. */
static uint16_t find_https_port(const struct settings *settings)
{
    const struct listen_list *https = &settings->https_listen;
    for (uint32_t i = 0; i < https->count; i++)
        if (https->items[i].port == HTTPS_PORT)
            return HTTPS_PORT;
    return https->count ? https->items[0].port : 0;
}

/* Browsers take a relay behind TLS only with a certificate that they trust: one that we made is
 * none. */
static uint16_t find_tls_port(const struct settings *settings)
{
    uint16_t beside = find_https_port(settings);
    if (!settings->https_cert[0])
        return 0;
    if (beside != HTTPS_PORT && settings->turn_tls_listen.count)
        return settings->turn_tls_listen.items[0].port;
    return beside;
}

void turn_setup_tell(const struct turn_setup *setup, const struct settings *settings,
                     struct ice_config *ice)
{
    const struct text_list *servers = &settings->turn.servers;
    *ice = (struct ice_config){
        .lifetime_s = (uint32_t)(settings->turn.credential_lifetime / USEC_S),
        .server_count = servers->count,
    };
    for (uint32_t i = 0; i < servers->count; i++)
        ice->servers[i] = view_of(servers->items[i]);
    if (setup)
        ice->secret = setup->config.secrets[0];
    if (!settings_have_turn(settings))
        return;
    ice->port = settings->turn_listen.count ? settings->turn_listen.items[0].port : 0;
    ice->tls_port = find_tls_port(settings);
    ice->https_port = find_https_port(settings);
    ice->relays = setup != NULL;
}

void turn_setup_free(struct turn_setup *setup)
{
    if (setup)
        OPENSSL_cleanse(setup, sizeof(*setup));
    free(setup);
}
