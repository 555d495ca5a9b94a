/* certificate.h - the certificate that HTTPS shows, and the TLS settings that go with it.
 *
 * Either the user's own (https.cert, https.key), or one that is made at the first start and kept in
 * state.dir, so that its fingerprint stays the same.
 */
#ifndef MOIM_SHELL_CERTIFICATE_H
#define MOIM_SHELL_CERTIFICATE_H

#include "shell/settings.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

#define CERTIFICATE_FINGERPRINT_SIZE 96 /* 32 bytes as "AB:CD:...", NUL */
#define CERTIFICATE_DAY              ((int64_t)24 * 3600)
/* From how many days before its end on a notice is given. */
#define CERTIFICATE_NOTICE_DAYS 14

struct certificate {
    struct ssl_ctx_st *tls;
    char fingerprint[CERTIFICATE_FINGERPRINT_SIZE]; /* SHA-256 */
    int64_t expires_at_s;                           /* since 1970 */
    bool is_made;                                   /* by us, now or at an earlier start */
    bool is_new;                                    /* made just now */
    /* One line that the user should read: expired, about to expire, not valid yet, or why a kept
     * one was made anew.  "" when there is nothing to tell. */
    char notice[SETTINGS_ERROR_MAX];
};

/* Loads the certificate; makes one when none is set and none that serves is kept, if `may_make`.
 * `unix_now_s` is the time of day in seconds since 1970.
 *   OK             *out is the caller's, until certificate_close.
 *   ERR_NOT_FOUND  none is set and none that serves is kept (may_make is false).
 *   ERR_CONFIG     a file that was set can't be used.
 *   ERR_IO         state.dir or the file in it can't be written.
 *   ERR_MEMORY
 * On error *out is untouched and `error` is one line that names the file; with ERR_NOT_FOUND it is
 * "" when no file is there at all. */
MUST_USE int certificate_open(const struct settings *settings, int64_t unix_now_s, bool may_make,
                              struct certificate *out, char error[SETTINGS_ERROR_MAX]);

/* Sessions that began with it go on.  A zeroed certificate is accepted. */
void certificate_close(struct certificate *certificate);

#endif
