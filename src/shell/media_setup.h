/* media_setup.h - from the settings to what a worker's media port is made of: the certificate that
 * all show, the addresses that clients are told, and each worker's ciphers.
 */
#ifndef MOIM_SHELL_MEDIA_SETUP_H
#define MOIM_SHELL_MEDIA_SETUP_H

#include "front/server.h"
#include "shell/settings.h"

#define RTC_TRANSPORTS_MAX 8192 /* of a worker */

struct x509_st;
struct evp_pkey_st;

/* One for all workers; nothing writes to it once it is made. */
struct media_setup {
    struct evp_pkey_st *key;
    struct x509_st *certificate;
    uint8_t fingerprint[SERVER_FINGERPRINT_SIZE]; /* SHA-256 */
};

/* Makes a certificate (P-256, self-signed, of no name): far ends know it by its fingerprint alone,
 * so it lives as long as the program.
 *   ERR_UNSUPPORTED  this OpenSSL can't do what media needs.
 *   ERR_MEMORY
 * On error *out is untouched. */
MUST_USE int media_setup_new(int64_t unix_now_s, struct media_setup **out);
/* NULL is accepted. */
void media_setup_free(struct media_setup *setup);

/* Where clients find a port of this machine: rtc.public_ip, then the machine's own addresses; where
 * it has none that others reach, its loopback addresses.  Those of IPv6 only with `has_ipv6`.
 * Gives how many. */
uint32_t media_setup_candidates(const struct settings *settings, uint16_t port, bool has_ipv6,
                                struct address out[SERVER_CANDIDATES_MAX]);

/* Makes a worker's DTLS context and its ciphers, and tells them and the fingerprint.
 * media_setup_close follows when the server is gone.  ERR_MEMORY: nothing is open. */
MUST_USE int media_setup_open(const struct media_setup *setup, struct server_rtc *out);
void media_setup_close(struct server_rtc *rtc);

#endif
