#include "shell/workers.h"

#include "shell/clock.h"
#include "shell/entropy.h"
#include "shell/listen.h"
#include "shell/media_setup.h"
#include "shell/rtc_sockets.h"
#include "shell/terms.h"
#include "shell/turn_setup.h"
#include "shell/worker.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define STREAMS_MAX  65536 /* a worker */
#define MEMBERS_MORE 1024  /* members whose connection is broken have no stream */
#define BUFFER_BYTES ((size_t)256 * 1024 * 1024)
#define FDS_OF_OURS  64 /* descriptors of a worker that are no connections */
#define RELAYS_SHARE 2  /* of the rest, relays may have this part */
#define RELAYS_MAX   16384

struct workers {
    struct settings settings;
    struct turn_setup *turn; /* NULL: no TURN */
    struct turn_config turn_config;
    struct turn_shared *turn_shared;
    struct media_setup *media; /* NULL: no media port */
    struct rtc_sockets rtc[WORKERS_MAX];
    unsigned count;   /* that were made */
    unsigned started; /* of them, threads */
    struct mailbox mailboxes[WORKERS_MAX];
    struct worker *workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    struct metrics *metrics;
};

/* One list of addresses, and what is spoken there. */
struct door {
    const char *key;
    struct listen_list *addresses;
    enum listener_kind kind;
};

#define DOORS_MAX 6

static size_t list_doors(struct settings *settings, struct door doors[DOORS_MAX])
{
    doors[0] = (struct door){ "http.listen", &settings->http_listen, LISTENER_HTTP };
    doors[1] = (struct door){ "https.listen", &settings->https_listen, LISTENER_HTTPS };
    /* TCP first: the port that the kernel chooses for it is then taken for UDP, too */
    doors[2] = (struct door){ "turn.listen", &settings->turn_listen, LISTENER_STUN_TCP };
    doors[3] = (struct door){ "turn.listen", &settings->turn_listen, LISTENER_STUN_UDP };
    doors[4] = (struct door){ "turn.tls_listen", &settings->turn_tls_listen, LISTENER_STUN_TLS };
    doors[5] = (struct door){ "turn.tls_listen", &settings->turn_tls_listen, LISTENER_STUN_DTLS };
    return DOORS_MAX;
}

static enum listen_transport transport_of(const struct door *door)
{
    return door->kind == LISTENER_STUN_UDP || door->kind == LISTENER_STUN_DTLS ? LISTEN_UDP
                                                                               : LISTEN_TCP;
}

static int refuse(const struct door *door, const struct address *address, char *error)
{
    char text[ADDRESS_TEXT_SIZE];
    int reason = errno;
    address_write(address, text);
    snprintf(error, SETTINGS_ERROR_MAX, "%s: can't listen on %s%s: %s", door->key, text,
             transport_of(door) == LISTEN_UDP ? " (UDP)" : "", strerror(reason));
    return ERR_IO;
}

static int probe_all(struct settings *settings, char *error)
{
    struct door doors[DOORS_MAX];
    size_t count = list_doors(settings, doors);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < doors[i].addresses->count; j++) {
            const struct address *address = &doors[i].addresses->items[j];
            if (address->port && listen_probe(address, transport_of(&doors[i])) != OK)
                return refuse(&doors[i], address, error);
        }
    }
    return OK;
}

static void close_all(struct worker_config *config)
{
    for (uint32_t i = 0; i < config->listener_count; i++) {
        struct connection connection = { .fd = config->listeners[i].fd };
        connection_close(&connection);
    }
    config->listener_count = 0;
}

/* Opens one worker's sockets; a port of 0 becomes what the kernel chose, for those that follow. */
static int open_all(struct settings *settings, struct worker_config *config, char *error)
{
    struct door doors[DOORS_MAX];
    size_t count = list_doors(settings, doors);
    config->listener_count = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < doors[i].addresses->count; j++) {
            struct listener *listener = &config->listeners[config->listener_count];
            struct address *address = &doors[i].addresses->items[j];
            if (listen_open(address, transport_of(&doors[i]), &listener->fd) != OK) {
                int status = refuse(&doors[i], address, error);
                close_all(config);
                return status;
            }
            listener->kind = doors[i].kind;
            config->listener_count++;
            if (address->port == 0)
                address->port = listen_port(listener->fd);
            listener->port = address->port;
        }
    }
    return OK;
}

/* As many connections and relays as the system lets us have descriptors for. */
static int find_limits(unsigned worker_count, uint32_t *streams_max, uint32_t *relays_max,
                       char *error)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = limit.rlim_max = 1024;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit more = { limit.rlim_max, limit.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    uint64_t each = limit.rlim_cur / worker_count;
    if (each < 2 * FDS_OF_OURS) {
        snprintf(error, SETTINGS_ERROR_MAX,
                 "workers: %u workers need a limit of at least %u open files, and it is %llu",
                 worker_count, worker_count * 2 * FDS_OF_OURS, (unsigned long long)limit.rlim_cur);
        return ERR_IO;
    }
    each -= FDS_OF_OURS;
    uint64_t relays = each / RELAYS_SHARE;
    *relays_max = relays > RELAYS_MAX ? RELAYS_MAX : (uint32_t)relays;
    each -= *relays_max;
    *streams_max = each > STREAMS_MAX ? STREAMS_MAX : (uint32_t)each;
    return OK;
}

static struct server_config make_server_config(const struct workers *all,
                                               const struct assets *assets, uint32_t streams_max,
                                               enum trace_level level)
{
    struct server_config config = {
        .worker_count = all->settings.workers,
        .streams_max = streams_max,
        .rooms_max = streams_max,
        .members_max = streams_max + MEMBERS_MORE,
        .buffer_bytes = BUFFER_BYTES,
        .random = entropy_random(),
        .unix_at_zero = clock_unix_at_zero(),
        .metrics = all->metrics,
        .topology = { .wish = (uint8_t)all->settings.topology,
                      .sfu_members_max = all->settings.room_members },
        .spread_from = all->settings.room_spread_from,
        .last_n = all->settings.room_last_n,
        .loudest_n = all->settings.room_loudest_n,
        .camera = all->settings.room_camera,
        .trace_level = level,
        .assets = assets,
        .endpoints = settings_endpoints(&all->settings),
        .turn = settings_have_turn(&all->settings) ? &all->turn_config : NULL,
    };
    config.auth = terms_secrets(&all->settings.auth_secrets);
    config.has_pcap = all->settings.admin_pcap;
    config.admin = terms_secrets(&all->settings.admin_tokens);
    random_fill(&config.random, config.room_secret, sizeof config.room_secret);
    return config;
}

static void add_listener(struct worker_config *config, enum listener_kind kind, int *fd,
                         uint16_t port)
{
    if (*fd < 0)
        return;
    config->listeners[config->listener_count++] =
        (struct listener){ .kind = kind, .fd = *fd, .port = port };
    *fd = -1; /* the worker's */
}

/* Gives the worker its media port. */
static void add_media(struct workers *all, struct worker_config *config, unsigned number)
{
    struct rtc_sockets *sockets = &all->rtc[number];
    bool has_ipv6 = sockets->udp[1] >= 0;
    config->media = all->media;
    if (!all->media)
        return;
    for (int i = 0; i < 2; i++) {
        add_listener(config, LISTENER_RTC_UDP, &sockets->udp[i], sockets->port);
        add_listener(config, LISTENER_RTC_TCP, &sockets->tcp[i], sockets->port);
    }
    config->candidate_count =
        media_setup_candidates(&all->settings, sockets->port, has_ipv6, config->candidates);
}

/* Makes worker `number`, whose sockets are open when it is made. */
static int make_worker(struct workers *all, struct worker_config *config, unsigned number,
                       char *error)
{
    config->number = number;
    int status = open_all(&all->settings, config, error);
    if (status != OK)
        return status;
    add_media(all, config, number);
    turn_setup_tell(all->turn, &all->settings, &config->server.ice);
    status = worker_new(config, &all->workers[number]);
    if (status != OK) {
        snprintf(error, SETTINGS_ERROR_MAX, "workers: can't start worker %u: %s", number,
                 status == ERR_IO ? strerror(errno) : status_text(status));
        close_all(config);
        return status;
    }
    if (config->tls)
        SSL_CTX_up_ref(config->tls);
    all->count++;
    return OK;
}

/* Signals are the main thread's. */
static int start_threads(struct workers *all, char *error)
{
    sigset_t every;
    sigset_t before;
    int reason = 0;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    while (all->started < all->count && reason == 0) {
        reason = pthread_create(&all->threads[all->started], NULL, worker_run,
                                all->workers[all->started]);
        if (reason == 0)
            all->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason == 0)
        return OK;
    snprintf(error, SETTINGS_ERROR_MAX, "workers: can't start a thread: %s", strerror(reason));
    return ERR_IO;
}

/* Opens the workers' media ports, before anybody is told their numbers. */
static int open_media(struct workers *all, const struct log *log, char *error)
{
    struct settings *settings = &all->settings;
    int64_t unix_now_s = (int64_t)((clock_unix_at_zero() + clock_now()) / USEC_S);
    if (!settings_have_rtc(settings))
        return OK;
    int status = media_setup_new(unix_now_s, &all->media);
    if (status == ERR_UNSUPPORTED && settings_find_media(settings)) {
        snprintf(error, SETTINGS_ERROR_MAX, "%s: topology: sfu needs another version of OpenSSL",
                 settings_find_media(settings));
        return status;
    }
    if (status == ERR_UNSUPPORTED) {
        struct trace_event event;
        log_begin(&event, TRACE_WARN, "rtc.unsupported");
        trace_text(&event, "reason", VIEW("this version of OpenSSL"));
        log_event(log, LOG_NO_WORKER, &event);
        settings->rtc_port = RTC_PORT_OFF; /* the rest is served */
        return OK;
    }
    if (status != OK) {
        snprintf(error, SETTINGS_ERROR_MAX, "rtc.port: %s", status_text(status));
        return status;
    }
    status = rtc_sockets_open(settings->rtc_port, settings->workers, all->rtc, error);
    if (status == OK)
        settings->rtc_port = all->rtc[0].port;
    return status;
}

/* Makes what all workers' TURN agents share. */
static int open_turn(struct workers *all, uint32_t relays_max, char *error)
{
    int status = turn_setup_new(&all->settings, true, &all->turn, error);
    if (status != OK)
        return status;
    all->turn_shared = calloc(1, sizeof *all->turn_shared);
    if (!all->turn_shared) {
        snprintf(error, SETTINGS_ERROR_MAX, "workers: %s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    struct random random = entropy_random();
    turn_shared_init(all->turn_shared, &random);
    all->turn_config = all->turn->config;
    all->turn_config.shared = all->turn_shared;
    if (all->turn_config.relays_max > relays_max)
        all->turn_config.relays_max = relays_max;
    return OK;
}

static int make_all(struct workers *all, struct ssl_ctx_st *tls, const struct log *log,
                    const struct assets *assets, char *error)
{
    uint32_t streams_max;
    uint32_t relays_max;
    unsigned count = all->settings.workers;
    int status = find_limits(count, &streams_max, &relays_max, error);
    if (status == OK)
        status = probe_all(&all->settings, error);
    if (status != OK)
        return status;
    for (unsigned i = 0; i < count; i++) {
        if (mailbox_init(&all->mailboxes[i], count + 1) != OK) {
            snprintf(error, SETTINGS_ERROR_MAX, "workers: %s", status_text(ERR_MEMORY));
            return ERR_MEMORY;
        }
    }
    status = open_media(all, log, error);
    if (status == OK && turn_setup_wanted(&all->settings))
        status = open_turn(all, relays_max, error);
    if (status != OK)
        return status;
    struct worker_config config = {
        .public_ip = all->settings.rtc_public_ip,
        .server = make_server_config(all, assets, streams_max, log->level),
        .mailboxes = all->mailboxes,
        .log = log,
        .tls = tls,
    };
    for (unsigned i = 0; i < count && status == OK; i++)
        status = make_worker(all, &config, i, error);
    return status == OK ? start_threads(all, error) : status;
}

int workers_start(const struct settings *settings, struct ssl_ctx_st *tls, const struct log *log,
                  const struct assets *assets, struct workers **out, char error[SETTINGS_ERROR_MAX])
{
    struct workers *all = calloc(1, sizeof *all);
    if (all)
        all->metrics = aligned_alloc(64, sizeof(struct metrics) * settings->workers);
    if (!all || !all->metrics) {
        free(all);
        snprintf(error, SETTINGS_ERROR_MAX, "workers: %s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    memset(all->metrics, 0, sizeof(struct metrics) * settings->workers);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        all->mailboxes[i].wake_fd = -1;
        all->rtc[i] = (struct rtc_sockets){ .udp = { -1, -1 }, .tcp = { -1, -1 } };
    }
    all->settings = *settings;
    if (!tls)
        all->settings.https_listen.count = all->settings.turn_tls_listen.count = 0;
    int status = make_all(all, tls, log, assets, error);
    if (status != OK) {
        workers_stop(all, 0);
        return status;
    }
    *out = all;
    return OK;
}

const struct settings *workers_settings(const struct workers *workers)
{
    return &workers->settings;
}

void workers_set_tls(struct workers *all, struct ssl_ctx_st *tls)
{
    for (unsigned i = 0; i < all->started; i++) {
        struct letter letter = { .kind = LETTER_TLS, .tls = tls };
        SSL_CTX_up_ref(tls);
        if (mailbox_send(&all->mailboxes[i], all->settings.workers, &letter) != OK)
            SSL_CTX_free(tls);
    }
}

int workers_set_terms(struct workers *all, const struct settings *fresh,
                      char error[SETTINGS_ERROR_MAX])
{
    struct terms *terms;
    int status = terms_new(&all->settings, fresh, &terms, error);
    if (status != OK)
        return status;
    for (unsigned i = 0; i < all->started; i++) {
        struct letter letter = { .kind = LETTER_TERMS, .terms = terms_share(terms) };
        while (mailbox_send(&all->mailboxes[i], all->settings.workers, &letter) != OK)
            sched_yield(); /* all of them, or quotas and secrets would differ */
    }
    terms_give(terms);
    return OK;
}

void workers_stop(struct workers *all, usec grace)
{
    struct letter letter = { .kind = LETTER_STOP, .until = clock_now() + grace };
    for (unsigned i = 0; i < all->started; i++)
        while (mailbox_send(&all->mailboxes[i], all->settings.workers, &letter) != OK)
            sched_yield(); /* the ring of the main thread is never full for long */
    for (unsigned i = 0; i < all->started; i++)
        pthread_join(all->threads[i], NULL);
    for (unsigned i = 0; i < all->count; i++)
        worker_free(all->workers[i]);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        mailbox_free(&all->mailboxes[i]);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        rtc_sockets_close(&all->rtc[i]);
    media_setup_free(all->media);
    turn_setup_free(all->turn);
    free(all->turn_shared);
    free(all->metrics);
    free(all);
}
