#include "shell/command_serve.h"

#include "shell/certificate.h"
#include "shell/endpoints_names.h"
#include "shell/log.h"
#include "shell/machine.h"
#include "shell/urls.h"
#include "shell/workers.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* For answers under way and the closing of WebSockets; a second less than the 5 s promised. */
#define STOP_GRACE (4 * USEC_S)

struct serving {
    const struct settings *settings;
    const struct command_line *line; /* NULL: they came from nowhere that could be read again */
    struct log log;
    struct certificate certificate; /* zeroed when nothing listens for TLS */
    struct workers *workers;
};

static void log_text(const struct serving *serving, enum trace_level level, const char *name,
                     const char *field, const char *text)
{
    struct trace_event event;
    log_begin(&event, level, name);
    trace_text(&event, field, view_of(text));
    log_event(&serving->log, LOG_NO_WORKER, &event);
}

/* ---- what people can open ---- */

/* The n-th endpoint; NULL behind the last. */
static const struct endpoint_config *endpoint_at(const struct serving *serving, uint32_t n)
{
    const struct endpoint_configs *all = settings_endpoints(serving->settings);
    return all && n < all->count ? &all->items[n] : NULL;
}

static void log_endpoints(const struct serving *serving)
{
    const struct endpoint_config *endpoint;
    for (uint32_t i = 0; (endpoint = endpoint_at(serving, i)) != NULL; i++) {
        struct trace_event event;
        log_begin(&event, TRACE_INFO, "endpoint.open");
        trace_text(&event, "path", view_of(endpoint->path));
        trace_text(&event, "carry", view_of(endpoint_carrier_names[endpoint->carrier]));
        trace_text(&event, "speak", view_of(endpoint_speech_names[endpoint->speech]));
        log_event(&serving->log, LOG_NO_WORKER, &event);
    }
}

static void print_endpoints(const struct serving *serving)
{
    const struct endpoint_config *endpoint;
    for (uint32_t i = 0; (endpoint = endpoint_at(serving, i)) != NULL; i++)
        printf("%s    %-24s %s over %s\n", i ? "" : "\nand clients of other servers find there\n\n",
               endpoint->path, endpoint_speech_names[endpoint->speech],
               endpoint_carrier_names[endpoint->carrier]);
}

static void log_media(const struct serving *serving)
{
    struct trace_event event;
    const struct settings *settings = workers_settings(serving->workers);
    if (!settings_have_rtc(settings))
        return;
    log_begin(&event, TRACE_INFO, "rtc.listening");
    trace_number(&event, "port", settings->rtc_port);
    trace_number(&event, "count", settings->workers);
    log_event(&serving->log, LOG_NO_WORKER, &event);
}

static void print_media(const struct serving *serving)
{
    const struct settings *settings = workers_settings(serving->workers);
    uint32_t last = settings->rtc_port + settings->workers - 1;
    if (!settings_have_rtc(settings))
        return;
    printf("\nMedia comes and goes on port %u", settings->rtc_port);
    if (last > settings->rtc_port)
        printf(" to %u", last);
    printf(", by UDP and TCP\n");
}

static void announce_to_programs(const struct serving *serving, const struct urls *urls)
{
    for (uint32_t i = 0; i < urls->count; i++)
        log_text(serving, TRACE_INFO, "server.listening", "url", urls->items[i]);
    log_endpoints(serving);
    log_media(serving);
    if (serving->certificate.tls)
        log_text(serving, TRACE_INFO, "certificate.in_use", "sha256",
                 serving->certificate.fingerprint);
}

static void announce_to_people(const struct serving *serving, const struct urls *urls)
{
    const struct certificate *certificate = &serving->certificate;
    printf("moim " MOIM_VERSION " is open at\n\n");
    for (uint32_t i = 0; i < urls->count; i++)
        printf("    %s\n", urls->items[i]);
    if (urls->count == 0)
        printf("    (nowhere: http.listen and https.listen are empty)\n");
    print_endpoints(serving);
    print_media(serving);
    if (certificate->tls)
        printf("\n%s SHA-256 fingerprint is\n    %s\n",
               certificate->is_made ? "The certificate is self-signed, so browsers ask once; its"
                                    : "The certificate's",
               certificate->fingerprint);
    printf("\n");
    fflush(stdout);
}

static void announce(const struct serving *serving)
{
    struct address addresses[MACHINE_ADDRESSES_MAX];
    struct urls urls;
    uint32_t count = machine_addresses(addresses);
    urls_list(workers_settings(serving->workers), addresses, count, &urls);
    if (serving->settings->log_format == LOG_JSON)
        announce_to_programs(serving, &urls);
    else
        announce_to_people(serving, &urls);
}

/* ---- the certificate ---- */

static int open_certificate(const struct settings *settings, struct certificate *out, char *error)
{
    if (settings->https_listen.count == 0 && settings->turn_tls_listen.count == 0)
        return OK;
    return certificate_open(settings, (int64_t)time(NULL), true, out, error);
}

static void log_notice(const struct serving *serving)
{
    if (serving->certificate.notice[0])
        log_text(serving, TRACE_WARN, "certificate.notice", "notice", serving->certificate.notice);
}

static void reload_certificate(struct serving *serving)
{
    struct certificate fresh = { 0 };
    char error[SETTINGS_ERROR_MAX] = "";
    if (!serving->certificate.tls)
        return;
    if (open_certificate(serving->settings, &fresh, error) != OK) {
        log_text(serving, TRACE_ERROR, "certificate.reload_failed", "reason", error);
        return;
    }
    workers_set_tls(serving->workers, fresh.tls);
    certificate_close(&serving->certificate);
    serving->certificate = fresh;
    log_text(serving, TRACE_INFO, "certificate.reloaded", "sha256", fresh.fingerprint);
    log_notice(serving);
}

/* ---- the settings ---- */

static int read_again(const struct serving *serving, char *error)
{
    struct settings fresh;
    const struct command_line *line = serving->line;
    if (!line)
        return workers_set_terms(serving->workers, serving->settings, error);
    int status = settings_read(line->config, environ, line->sets, line->set_count, &fresh, error);
    if (status != OK)
        return status;
    status = workers_set_terms(serving->workers, &fresh, error);
    settings_clear(&fresh);
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return status;
}

static void reload_settings(const struct serving *serving)
{
    struct trace_event event;
    char error[SETTINGS_ERROR_MAX] = "";
    if (read_again(serving, error) != OK) {
        log_text(serving, TRACE_ERROR, "settings.reload_failed", "reason", error);
        return;
    }
    log_begin(&event, TRACE_INFO, "settings.reloaded");
    log_event(&serving->log, LOG_NO_WORKER, &event);
}

/* ---- signals ---- */

struct signals {
    sigset_t waited;
    bool outlives_terminal; /* started with nohup */
};

static void block_signals(struct signals *signals)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction hangup;
    sigaction(SIGPIPE, &ignore, NULL); /* who writes sees EPIPE */
    signals->outlives_terminal =
        sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
    sigemptyset(&signals->waited);
    sigaddset(&signals->waited, SIGTERM);
    sigaddset(&signals->waited, SIGINT);
    sigaddset(&signals->waited, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals->waited, NULL);
}

/* The kernel's own SIGHUP says that the terminal is gone; kill's asks for a reload. */
static bool is_end(const struct signals *signals, const siginfo_t *info)
{
    if (info->si_signo == SIGHUP)
        return info->si_code == SI_KERNEL && !signals->outlives_terminal;
    return true;
}

static void reload(struct serving *serving)
{
    reload_certificate(serving);
    reload_settings(serving);
}

static void wait_for_end(struct serving *serving, const struct signals *signals)
{
    siginfo_t info = { 0 };
    bool is_over = false;
    while (!is_over) {
        if (sigwaitinfo(&signals->waited, &info) < 0)
            continue;
        is_over = is_end(signals, &info);
        if (!is_over && info.si_code != SI_KERNEL)
            reload(serving);
    }
    log_text(serving, TRACE_INFO, "server.stopping", "signal",
             info.si_signo == SIGINT   ? "SIGINT"
             : info.si_signo == SIGHUP ? "SIGHUP"
                                       : "SIGTERM");
    /* who doesn't want to wait signals again */
    pthread_sigmask(SIG_UNBLOCK, &signals->waited, NULL);
}

int command_serve(const struct settings *settings, const struct command_line *line,
                  const struct assets *assets)
{
    struct serving serving = { .settings = settings, .line = line };
    char error[SETTINGS_ERROR_MAX] = "";
    struct signals signals;

    block_signals(&signals);
    log_init(&serving.log, STDERR_FILENO, settings->log_format, settings->log_level);
    int status = open_certificate(settings, &serving.certificate, error);
    if (status == OK)
        status = workers_start(settings, serving.certificate.tls, &serving.log, assets,
                               &serving.workers, error);
    if (status != OK) {
        fprintf(stderr, "%s\n", error);
        certificate_close(&serving.certificate);
        return status == ERR_CONFIG ? 2 : 1;
    }
    announce(&serving);
    log_notice(&serving);
    wait_for_end(&serving, &signals);
    workers_stop(serving.workers, STOP_GRACE);
    certificate_close(&serving.certificate);
    return 0;
}
