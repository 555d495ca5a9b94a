#include "shell/command_doctor.h"

#include "agent/srtp.h"
#include "shell/certificate.h"
#include "shell/endpoints_names.h"
#include "shell/listen.h"
#include "shell/machine.h"
#include "shell/media_setup.h"
#include "shell/port_owner.h"
#include "shell/turn_setup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Below, a busy day may bring more connections than there are descriptors. */
#define FILES_WANTED 65536
/* Below, a worker can't be started. */
#define FILES_NEEDED_A_WORKER 128
/* Below, a meeting of some people may find none left. */
#define RELAY_PORTS_WANTED 256

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
    const struct settings *settings;
    FILE *out;
    bool has_failed;
};

/* One line.  `mend` is a format for what follows it; NULL: nothing is to be mended. */
__attribute__((format(printf, 4, 5))) static void tell(struct doctor *doctor, enum verdict verdict,
                                                       const char *what, const char *mend, ...)
{
    static const char *const names[] = { "ok", "warn", "fail" };
    va_list arguments;
    fprintf(doctor->out, "%-4s  %s", names[verdict], what);
    if (mend) {
        fprintf(doctor->out, "  -> ");
        va_start(arguments, mend);
        vfprintf(doctor->out, mend, arguments);
        va_end(arguments);
    }
    fprintf(doctor->out, "\n");
    if (verdict == VERDICT_FAIL)
        doctor->has_failed = true;
}

static void list_addresses(const struct address *addresses, uint32_t count, char *out, size_t size)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < count && used < size; i++) {
        address_write(&addresses[i], text);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", text);
    }
}

/* ---- ports ---- */

static void tell_refused_port(struct doctor *doctor, const char *what, const char *key,
                              const struct address *address, enum listen_transport transport,
                              int reason)
{
    char owner[PORT_OWNER_SIZE];
    bool is_owned = reason == EADDRINUSE && port_owner_find(address->port, transport, owner);
    if (is_owned && strncmp(owner, "moim (", 6) == 0)
        tell(doctor, VERDICT_WARN, what, "%s has it: all is well if that one is to serve", owner);
    else if (is_owned)
        tell(doctor, VERDICT_FAIL, what, "%s has it: stop that, or set another port in %s", owner,
             key);
    else if (reason == EADDRINUSE)
        tell(doctor, VERDICT_FAIL, what,
             "another program has it (as root, \"moim doctor\" can tell which): stop that, or set "
             "another port in %s",
             key);
    else if (reason == EACCES)
        tell(doctor, VERDICT_FAIL, what,
             "ports below 1024 are for root: set a higher one in %s, or give the program the right "
             "with \"setcap cap_net_bind_service=+ep\"",
             key);
    else if (reason == EADDRNOTAVAIL)
        tell(doctor, VERDICT_FAIL, what,
             "this machine doesn't have that address: set one that it has, or 0.0.0.0, in %s", key);
    else
        tell(doctor, VERDICT_FAIL, what, "%s; see %s", strerror(reason), key);
}

static void check_port(struct doctor *doctor, const char *key, const struct address *address,
                       enum listen_transport transport)
{
    char what[128];
    char text[ADDRESS_TEXT_SIZE];
    address_write(address, text);
    snprintf(what, sizeof(what), "%s %s (%s)", key, text, transport == LISTEN_UDP ? "UDP" : "TCP");
    if (listen_probe(address, transport) == OK)
        tell(doctor, VERDICT_OK, what, NULL);
    else
        tell_refused_port(doctor, what, key, address, transport, errno);
}

static void check_ports(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    for (uint32_t i = 0; i < settings->http_listen.count; i++)
        check_port(doctor, "http.listen", &settings->http_listen.items[i], LISTEN_TCP);
    for (uint32_t i = 0; i < settings->https_listen.count; i++)
        check_port(doctor, "https.listen", &settings->https_listen.items[i], LISTEN_TCP);
    for (uint32_t i = 0; i < settings->turn_listen.count; i++) {
        check_port(doctor, "turn.listen", &settings->turn_listen.items[i], LISTEN_UDP);
        check_port(doctor, "turn.listen", &settings->turn_listen.items[i], LISTEN_TCP);
    }
    for (uint32_t i = 0; i < settings->turn_tls_listen.count; i++) {
        check_port(doctor, "turn.tls_listen", &settings->turn_tls_listen.items[i], LISTEN_UDP);
        check_port(doctor, "turn.tls_listen", &settings->turn_tls_listen.items[i], LISTEN_TCP);
    }
    if (settings->https_listen.count == 0)
        tell(doctor, VERDICT_WARN, "https.listen is empty",
             "browsers give camera and microphone to HTTPS pages and to localhost alone: set "
             "https.listen, unless a proxy in front of moim speaks HTTPS");
    if (settings->http_listen.count == 0 && settings->https_listen.count == 0)
        tell(doctor, VERDICT_FAIL, "nothing listens", "set http.listen or https.listen");
}

/* ---- TURN ---- */

static void check_secret(struct doctor *doctor)
{
    struct turn_setup *setup;
    char error[SETTINGS_ERROR_MAX];
    int status = turn_setup_new(doctor->settings, false, &setup, error);
    if (status == ERR_NOT_FOUND) {
        tell(doctor, VERDICT_OK, "turn.secret: one will be made at the start", NULL);
    } else if (status != OK) {
        tell(doctor, VERDICT_FAIL, error, "mend the file, or set turn.secret");
    } else {
        tell(doctor, VERDICT_OK,
             doctor->settings->turn.secrets.count ? "turn.secret is set"
                                                  : "turn.secret is kept in state.dir",
             NULL);
        turn_setup_free(setup);
    }
}

/* What is open to nobody outside is open to relays, when it listens among their ports. */
static void check_relay_ports(struct doctor *doctor)
{
    const struct listen_list *turn = &doctor->settings->turn_listen;
    struct port_range ports = doctor->settings->turn.relay_ports;
    uint32_t count = (uint32_t)ports.max - ports.min + 1;
    char what[64];
    snprintf(what, sizeof(what), "turn.relay_ports %u-%u (UDP)", ports.min, ports.max);
    for (uint32_t i = 0; i < turn->count; i++) {
        uint16_t port = turn->items[i].port;
        if (port < ports.min || port > ports.max)
            continue;
        tell(doctor, VERDICT_WARN, what, "turn.listen has %u, which is one of them: set others",
             port);
        return;
    }
    if (count < RELAY_PORTS_WANTED)
        tell(doctor, VERDICT_WARN, what,
             "%u relays at once, and each person in a meeting takes some: set a larger range",
             count);
    else
        tell(doctor, VERDICT_OK, what, NULL);
}

static void check_turn(struct doctor *doctor)
{
    const struct settings *settings = doctor->settings;
    if (settings->turn.servers.count) {
        char what[SETTINGS_TEXT_MAX + 64];
        snprintf(what, sizeof(what), "clients are told of %s%s", settings->turn.servers.items[0],
                 settings->turn.servers.count > 1 ? ", and others" : "");
        tell(doctor, VERDICT_OK, what, NULL);
    }
    if (!settings_have_turn(settings)) {
        if (settings->turn.servers.count == 0)
            tell(doctor, VERDICT_WARN, "turn.listen and turn.tls_listen are empty",
                 "people behind strict firewalls will see nobody: set turn.listen, or "
                 "turn.servers");
        return;
    }
    check_relay_ports(doctor);
    check_secret(doctor);
}

/* ---- media ---- */

/* False: what is wrong with it has been told. */
static bool check_media_port(struct doctor *doctor, uint16_t port)
{
    static const enum listen_transport BOTH[] = { LISTEN_UDP, LISTEN_TCP };
    struct address any = { .family = ADDRESS_IPV4, .port = port };
    bool is_free = true;
    for (int i = 0; i < 2; i++) {
        char what[64];
        if (listen_probe(&any, BOTH[i]) == OK)
            continue;
        int reason = errno;
        snprintf(what, sizeof(what), "rtc.port %u (%s)", port, i ? "TCP" : "UDP");
        tell_refused_port(doctor, what, "rtc.port", &any, BOTH[i], reason);
        is_free = false;
    }
    return is_free;
}

static void check_media_ports(struct doctor *doctor)
{
    uint32_t first = doctor->settings->rtc_port;
    uint32_t last = first + doctor->settings->workers - 1;
    bool are_free = true;
    char what[64];
    for (uint32_t port = first; first && port <= last; port++)
        are_free &= check_media_port(doctor, (uint16_t)port);
    if (first == 0)
        snprintf(what, sizeof(what), "rtc.port: the system chooses (UDP, TCP)");
    else if (first == last)
        snprintf(what, sizeof(what), "rtc.port %u (UDP, TCP)", first);
    else
        snprintf(what, sizeof(what), "rtc.port %u-%u (UDP, TCP)", first, last);
    if (are_free)
        tell(doctor, VERDICT_OK, what, NULL);
}

static void tell_candidates(struct doctor *doctor)
{
    static const struct address ANY = { .family = ADDRESS_IPV6 };
    struct address candidates[SERVER_CANDIDATES_MAX];
    char list[SERVER_CANDIDATES_MAX * (ADDRESS_TEXT_SIZE + 2)];
    char what[sizeof(list) + 32];
    uint32_t count = media_setup_candidates(doctor->settings, (uint16_t)doctor->settings->rtc_port,
                                            listen_probe(&ANY, LISTEN_UDP) == OK, candidates);
    list_addresses(candidates, count, list, sizeof(list));
    snprintf(what, sizeof(what), "media is sent to %s", list);
    tell(doctor, VERDICT_OK, what, NULL);
}

static void check_ciphers(struct doctor *doctor)
{
    static const struct secure_config CONFIG = { SECURE_BEST, 1, 1 };
    struct secure_engine *engine;
    struct media_setup *setup;
    char what[96];
    int status = media_setup_new((int64_t)time(NULL), &setup);
    if (status == OK) {
        media_setup_free(setup);
        status = secure_engine_new(&CONFIG, &engine);
    }
    if (status != OK) {
        tell(doctor, VERDICT_WARN, "media can't be encrypted",
             "%s by this OpenSSL: media goes "
             "from browser to browser alone",
             status_text(status));
        return;
    }
    snprintf(what, sizeof(what), "media is encrypted by %s", secure_engine_name(engine));
    tell(doctor, VERDICT_OK, what, NULL);
    secure_engine_free(engine);
}

static void check_media(struct doctor *doctor)
{
    if (!settings_have_rtc(doctor->settings)) {
        tell(doctor, VERDICT_OK, "rtc.port is off: media goes from browser to browser alone", NULL);
        return;
    }
    check_media_ports(doctor);
    tell_candidates(doctor);
    check_ciphers(doctor);
}

/* ---- endpoints ---- */

static void tell_endpoints(struct doctor *doctor)
{
    const struct endpoint_configs *endpoints = settings_endpoints(doctor->settings);
    char what[ENDPOINT_PATH_MAX + 64];
    for (uint32_t i = 0; endpoints && i < endpoints->count; i++) {
        const struct endpoint_config *endpoint = &endpoints->items[i];
        snprintf(what, sizeof(what), "endpoint %s: %s over %s", endpoint->path,
                 endpoint_speech_names[endpoint->speech],
                 endpoint_carrier_names[endpoint->carrier]);
        tell(doctor, VERDICT_OK, what, NULL);
    }
}

/* ---- the certificate ---- */

static void check_certificate(struct doctor *doctor)
{
    struct certificate certificate;
    char error[SETTINGS_ERROR_MAX];
    char what[SETTINGS_ERROR_MAX + 64];
    if (doctor->settings->https_listen.count == 0)
        return;
    int status =
        certificate_open(doctor->settings, (int64_t)time(NULL), false, &certificate, error);
    if (status == ERR_NOT_FOUND) {
        snprintf(what, sizeof(what), "certificate: a self-signed one will be made at the start%s%s",
                 error[0] ? ": " : "", error);
        tell(doctor, VERDICT_OK, what, NULL);
        return;
    }
    if (status != OK) {
        snprintf(what, sizeof(what), "certificate: %s", error);
        tell(doctor, VERDICT_FAIL, what,
             "https.cert and https.key must be PEM files, readable to moim, that belong together");
        return;
    }
    snprintf(what, sizeof(what), "certificate %s%s", certificate.fingerprint,
             certificate.is_made ? ", self-signed" : "");
    if (certificate.notice[0])
        tell(doctor, VERDICT_WARN, what, "%s: replace the files, then send moim a SIGHUP",
             certificate.notice);
    else
        tell(doctor, VERDICT_OK, what, NULL);
    certificate_close(&certificate);
}

/* ---- addresses ---- */

static bool any_public(const struct address *addresses, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (machine_is_public(&addresses[i]))
            return true;
    return false;
}

static void check_addresses(struct doctor *doctor)
{
    const struct listen_list *set = &doctor->settings->rtc_public_ip;
    struct address own[MACHINE_ADDRESSES_MAX];
    uint32_t count = machine_addresses(own);
    char list[512];
    char what[600];

    list_addresses(set->count ? set->items : own, set->count ? set->count : count, list,
                   sizeof(list));
    snprintf(what, sizeof(what), "public address: %s%s", list[0] ? list : "none",
             set->count ? " (rtc.public_ip)" : "");
    if (set->count || any_public(own, count))
        tell(doctor, VERDICT_OK, what, NULL);
    else if (count == 0)
        tell(doctor, VERDICT_WARN, what,
             "other machines can't reach this one: connect it to a network");
    else
        tell(doctor, VERDICT_WARN, what,
             "private, which is enough within this network; for people outside of it set "
             "rtc.public_ip to the router's public address, and forward the ports, those "
             "of rtc.port and turn.relay_ports too, to this machine");
}

/* ---- the system ---- */

static void check_files(struct doctor *doctor)
{
    struct rlimit limit;
    char what[64];
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    snprintf(what, sizeof(what), "open files: up to %llu", (unsigned long long)limit.rlim_max);
    if (limit.rlim_max < (rlim_t)doctor->settings->workers * FILES_NEEDED_A_WORKER)
        tell(doctor, VERDICT_FAIL, what,
             "%u workers need %u: raise it (\"ulimit -n\", or LimitNOFILE= for a service), or set "
             "fewer workers",
             doctor->settings->workers, doctor->settings->workers * FILES_NEEDED_A_WORKER);
    else if (limit.rlim_max < FILES_WANTED)
        tell(doctor, VERDICT_WARN, what,
             "each connection needs one: for many people raise it to %d (\"ulimit -n\", or "
             "LimitNOFILE= for a service)",
             FILES_WANTED);
    else
        tell(doctor, VERDICT_OK, what, NULL);
}

/* The folder in which state.dir is made when it isn't there. */
static void find_parent(const char *path, char out[SETTINGS_PATH_MAX])
{
    size_t size = strlen(path);
    memcpy(out, path, size + 1);
    while (size > 1 && out[size - 1] == '/')
        size--;
    while (size > 0 && out[size - 1] != '/')
        size--;
    while (size > 1 && out[size - 1] == '/')
        size--;
    out[size] = '\0';
    if (size == 0)
        memcpy(out, ".", 2);
}

static void check_state(struct doctor *doctor)
{
    const char *path = doctor->settings->state_dir;
    char parent[SETTINGS_PATH_MAX];
    char what[SETTINGS_PATH_MAX + 64];
    struct stat info;

    snprintf(what, sizeof(what), "state.dir %s", path);
    if (stat(path, &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            tell(doctor, VERDICT_FAIL, what, "it is no folder: set another path");
        else if (access(path, R_OK | W_OK | X_OK) != 0)
            tell(doctor, VERDICT_FAIL, what,
                 "%s: let the user that runs moim write there, or set "
                 "another path",
                 strerror(errno));
        else
            tell(doctor, VERDICT_OK, what, NULL);
        return;
    }
    find_parent(path, parent);
    if (errno != ENOENT || access(parent, W_OK | X_OK) != 0)
        tell(doctor, VERDICT_FAIL, what,
             "it can't be made (%s: %s): make it for the user that runs moim, or set another path",
             parent, strerror(errno));
    else
        tell(doctor, VERDICT_OK, what, NULL);
}

int command_doctor(const struct settings *settings, const char *config, FILE *out)
{
    struct doctor doctor = { .settings = settings, .out = out };
    char what[SETTINGS_PATH_MAX + 64];
    snprintf(what, sizeof(what), "configuration %s", config ? config : "(no file)");
    tell(&doctor, VERDICT_OK, what, NULL);
    check_ports(&doctor);
    check_turn(&doctor);
    check_media(&doctor);
    tell_endpoints(&doctor);
    check_certificate(&doctor);
    check_addresses(&doctor);
    check_state(&doctor);
    check_files(&doctor);
    return doctor.has_failed ? 1 : 0;
}

int command_doctor_refused(const char *error, FILE *out)
{
    struct doctor doctor = { .out = out };
    tell(&doctor, VERDICT_FAIL, "configuration", "%s", error);
    return 1;
}
