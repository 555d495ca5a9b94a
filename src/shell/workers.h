/* workers.h - the threads that serve: each has its own epoll loop, listeners, server and pools.
 *
 * The main thread starts them, tells them of new certificates and of the end, and waits for them.
 * Between workers, and from the main thread to them, there are only mailboxes.
 */
#ifndef MOIM_SHELL_WORKERS_H
#define MOIM_SHELL_WORKERS_H

#include "base/usec.h"
#include "shell/settings.h"

struct log;        /* shell/log.h: lines from many threads to one place */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct workers;

/* Binds every address and starts settings->workers threads.  `tls` may be NULL when no https
 * address is set; the workers take references of their own.
 *   ERR_IO      an address can't be bound: `error` is one line that names the key and the address.
 *   ERR_MEMORY
 * On error nothing is left running. */
MUST_USE int workers_start(const struct settings *settings, struct ssl_ctx_st *tls, struct log *log,
                           struct workers **out, char error[SETTINGS_ERROR_MAX]);

/* New connections use these keys from now on; those that are open keep theirs. */
void workers_set_tls(struct workers *workers, struct ssl_ctx_st *tls);

/* Stops taking connections, closes WebSockets with 1001, lets answers under way go out, and returns
 * when all threads have ended: after `grace` at the latest.  Frees everything. */
void workers_stop(struct workers *workers, usec grace);

#endif
