/* dtls.h - one DTLS 1.2 association (RFC 6347), as client or as server, sans-IO: datagrams and the
 * time go in; datagrams, data and events are polled out.
 *
 * It makes no socket and asks no clock: retransmissions are due by the caller's `now`.  (OpenSSL
 * shakes hands; its own timer is kept from ever expiring by itself, see dtls_bio.c.  Its random
 * numbers are its own: two runs differ in their bytes.  When hands are shaken it is let go, and
 * dtls_records.h goes on: an association costs 50 KiB at first, and 3 from then on.)  One thread.
 *
 * How to drive it: after EVERY dtls_* call that takes `now`, call dtls_poll until it gives
 * DTLS_WAIT.  The bytes of an output stay where they are until then, and more may be sent (and
 * associations closed) in between.  Outputs lie in memory that all associations of a context share,
 * so an association that is not polled to its end keeps room from the others.
 *
 * Who may open an association as server: whoever is known to be at its address.  Behind ICE that
 * is the pair's remote; on an open port, dtls_server.h asks for a cookie first.
 */
#ifndef MOIM_AGENT_DTLS_H
#define MOIM_AGENT_DTLS_H

#include "agent/dtls_records.h"
#include "base/status.h"
#include "base/usec.h"
#include "base/view.h"

/* ---- limits ---- */

#define DTLS_MTU              1200            /* bytes of a handshake's datagrams, at most */
#define DTLS_DATA_MAX         4096            /* of one dtls_send; it goes as one datagram, whole */
#define DTLS_DATAGRAM_MAX     16384           /* what is longer is dropped */
#define DTLS_OVERHEAD_MAX     64              /* what a datagram is longer than its data */
#define DTLS_RETRANSMIT       (250 * USEC_MS) /* the first time; then twice as long ... */
#define DTLS_RETRANSMIT_MAX   (4 * USEC_S)    /* ... up to this */
#define DTLS_HANDSHAKE_TIME   (20 * USEC_S)   /* then it has failed */
#define DTLS_FINGERPRINT_SIZE 32              /* SHA-256 */
#define DTLS_FLIGHT_MAX       96              /* a server's last: ChangeCipherSpec and Finished */
#define DTLS_SRTP_KEYS_MAX    88 /* AEAD_AES_256_GCM: two keys of 32, two salts of 12 */

/* ---- the context: what the associations of one worker share ---- */

struct x509_st;       /* OpenSSL's X509, */
struct evp_pkey_st;   /* EVP_PKEY */
struct stack_st_X509; /* and STACK_OF(X509) */
struct dtls_context;  /* about 70 KiB */

struct dtls_config {
    struct x509_st *certificate; /* borrowed for the call only, like all of these */
    struct evp_pkey_st *key;
    struct stack_st_X509 *chain; /* the certificates above it; NULL: none */
    const char *srtp_profiles;   /* "SRTP_AEAD_AES_128_GCM:...", best first; NULL: no SRTP */
    bool asks_certificate;       /* a peer must show one; the caller compares its fingerprint */
};

/* ERR_CONFIG: certificate, key or profiles can't be used.  ERR_UNSUPPORTED: this OpenSSL's timer
 * can't be taken over.  ERR_MEMORY.  On error *out is untouched. */
MUST_USE int dtls_context_new(const struct dtls_config *config, struct dtls_context **out);

/* Those that have the old certificate keep it.  OK or ERR_CONFIG, and nothing has changed. */
MUST_USE int dtls_context_set_certificate(struct dtls_context *context,
                                          const struct dtls_config *config);

/* After its associations.  NULL is accepted. */
void dtls_context_free(struct dtls_context *context);

/* Datagrams that found no room among the outputs, since the start: as good as lost on the way. */
uint64_t dtls_context_overflows(const struct dtls_context *context);

/* ---- an association ---- */

enum dtls_role { DTLS_CLIENT, DTLS_SERVER };

enum dtls_end {
    DTLS_OPEN,        /* it has not ended */
    DTLS_END_CLOSED,  /* by the peer's close_notify, which was answered */
    DTLS_END_BY_US,   /* dtls_close */
    DTLS_END_TIMEOUT, /* the handshake took too long */
    DTLS_END_ALERT,   /* the peer refused, with a fatal alert */
    DTLS_END_FAILED   /* we refused, and have said so with an alert */
};

struct ssl_st;
struct timeval;

/* To be embedded, where it stays till dtls_free; its members are dtls*.c's. */
struct dtls {
    struct dtls_context *context;
    struct ssl_st *ssl;    /* until hands are shaken */
    struct timeval *timer; /* OpenSSL's; see dtls_bio.c */
    struct view in;        /* the datagram that is being fed, while it is unread */
    usec now;
    usec retransmit_at; /* USEC_NEVER: nothing is to be sent again */
    usec retransmit_after;
    usec give_up_at;
    uint8_t role; /* enum dtls_role */
    uint8_t end;  /* enum dtls_end */
    bool is_connected;
    bool is_peeking;
    bool has_fingerprint;
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
    uint16_t srtp_profile; /* 0: none */
    uint8_t srtp_keys[DTLS_SRTP_KEYS_MAX];
    uint16_t data_max;    /* of one dtls_send */
    bool flight_is_long;  /* no last one */
    uint16_t flight_size; /* of what OpenSSL has sent last */
    uint8_t flight[DTLS_FLIGHT_MAX];
    uint64_t sealed_next; /* sequence number and nonce that OpenSSL would have used next */
    uint64_t sealed_nonce;
    struct dtls_records records; /* once hands are shaken */
};

/* A client's first flight is polled out at once.  ERR_MEMORY: nothing was made. */
MUST_USE int dtls_init(struct dtls *dtls, struct dtls_context *context, enum dtls_role role,
                       usec now);

/* As server for a client whose ClientHello bore a cookie that the caller has checked: `datagram` is
 * that hello, and `cookie` points into it.
 *   OK             as after dtls_feed.
 *   ERR_MALFORMED  OpenSSL reads it differently; nothing was made.
 *   ERR_MEMORY     nothing was made. */
MUST_USE int dtls_init_verified(struct dtls *dtls, struct dtls_context *context, usec now,
                                struct view datagram, struct view cookie);

/* Says nothing to the peer.  Zeroed memory is accepted. */
void dtls_free(struct dtls *dtls);

/* A datagram from the peer; anything may be in it.  What is forged, old or broken is dropped, but
 * the messages of a handshake, which nothing protects yet, can make it fail. */
void dtls_feed(struct dtls *dtls, usec now, struct view datagram);

/* Sends data as one record.  OK; ERR_LIMIT: longer than DTLS_DATA_MAX (or than the client wants its
 * records, RFC 6066, section 4), or empty; ERR_AGAIN: not connected yet; ERR_CLOSED: it has
 * ended. */
MUST_USE int dtls_send(struct dtls *dtls, usec now, struct view data);

/* The same, with the parts one behind the other. */
MUST_USE int dtls_send_parts(struct dtls *dtls, usec now, const struct view *parts, unsigned count);

/* Ends it, with a close_notify; DTLS_ENDED follows unless it had come. */
void dtls_close(struct dtls *dtls, usec now);

/* Time has come (DTLS_WAIT's `until`), or may have. */
void dtls_tick(struct dtls *dtls, usec now);

enum dtls_out_kind {
    DTLS_WAIT,      /* nothing more; tick when `until` has come */
    DTLS_SEND,      /* send `bytes` to the peer, as one datagram */
    DTLS_CONNECTED, /* the handshake is done; the calls below may be made now */
    DTLS_DATA,      /* `bytes` came from the peer */
    DTLS_ENDED      /* `end` says why; only dtls_free is of use now */
};

struct dtls_out {
    uint8_t kind; /* enum dtls_out_kind */
    uint8_t end;  /* enum dtls_end */
    struct view bytes;
    usec until; /* USEC_NEVER: nothing is due */
};

void dtls_poll(struct dtls *dtls, struct dtls_out *out);

/* The digest of the peer's certificate, as `a=fingerprint:sha-256` has it.  ERR_NOT_FOUND: it
 * showed none (or is not connected). */
MUST_USE int dtls_peer_fingerprint(const struct dtls *dtls, uint8_t out[DTLS_FINGERPRINT_SIZE]);

/* The SRTP profile agreed on, by its number in RFC 5764 (section 4.1.2); 0: none. */
uint16_t dtls_srtp_profile(const struct dtls *dtls);

/* `size` bytes of keying material (RFC 5764, section 4.2): the client's key, the server's key, the
 * client's salt, the server's salt.  ERR_NOT_FOUND: no SRTP was agreed on. */
MUST_USE int dtls_srtp_keys(const struct dtls *dtls, uint8_t *out, size_t size);

#endif
