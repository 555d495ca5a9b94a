/* workers.h - the threads that serve: each has its own epoll loop, listeners, server and pools.
 *
 * The main thread starts them, tells them of new certificates and of the end, and waits for them.
 * Between workers, and from the main thread to them, there are only mailboxes.
 */
#ifndef MOIM_SHELL_WORKERS_H
#define MOIM_SHELL_WORKERS_H

#include "base/usec.h"
#include "shell/settings.h"

struct assets;     /* front/assets.h: the page's files */
struct log;        /* shell/log.h: lines from many threads to one place */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct workers;

/* Binds every address and starts settings->workers threads.  `tls` may be NULL when no https
 * address is set; the workers take references of their own.  `assets` may be NULL: no page; it,
 * the log and the endpoints of the settings outlive the workers.
 *   ERR_IO      an address can't be bound, or there are too few file descriptors: `error` is one
 *               line that names the key and the address.
 *   ERR_MEMORY  `error` says so.
 * On error nothing is left running. */
MUST_USE int workers_start(const struct settings *settings, struct ssl_ctx_st *tls,
                           const struct log *log, const struct assets *assets, struct workers **out,
                           char error[SETTINGS_ERROR_MAX]);

/* The settings as they are in force: where a port was 0, the one that the kernel chose. */
const struct settings *workers_settings(const struct workers *workers);

/* New connections use these keys from now on; those that are open keep theirs.  Takes references of
 * its own. */
void workers_set_tls(struct workers *workers, struct ssl_ctx_st *tls);

/* What of `fresh` may change without a new start (shell/terms.h) is in force from now on, on every
 * worker as soon as it comes to it; relays and meetings under way go on.  Errors are those of
 * terms_new, and then all stays as it was. */
MUST_USE int workers_set_terms(struct workers *workers, const struct settings *fresh,
                               char error[SETTINGS_ERROR_MAX]);

/* Stops taking connections, closes WebSockets with 1001, lets answers under way go out, and returns
 * when all threads have ended: after `grace` at the latest.  Frees everything. */
void workers_stop(struct workers *workers, usec grace);

#endif
