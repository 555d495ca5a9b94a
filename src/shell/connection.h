/* connection.h - one accepted TCP connection, plain or under TLS: bytes between the kernel and the
 * server.
 *
 * It knows nothing of epoll or of what is said: the worker asks for reads and writes when the
 * socket is ready, and after each call `wants_write` tells whether it has to wait for that.  Every
 * call is non-blocking.
 */
#ifndef MOIM_SHELL_CONNECTION_H
#define MOIM_SHELL_CONNECTION_H

#include "base/status.h"
#include "base/view.h"

struct ssl_st;     /* OpenSSL's SSL */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* A TLS record that the socket did not take: it must be written again as it was. */
struct connection_record;

struct connection {
    int fd;
    bool wants_write;      /* something waits for the socket to take bytes */
    bool wants_only_write; /* ... and until then no read gets anywhere: don't wait for bytes */
    bool is_apart;         /* each run of a write begins a TLS record of its own */
    struct ssl_st *ssl;    /* NULL: plain */
    struct connection_record *record;
};

/* Begins TLS as the server.  ERR_MEMORY. */
MUST_USE int connection_secure(struct connection *connection, struct ssl_ctx_st *tls);

/* What has come and is read again later, as far as it fits in `into`; empty when nothing has, or
 * the TLS handshake has begun. */
struct view connection_peek(const struct connection *connection, struct span into);
/* It is a plain connection after all: TLS has been begun, but no handshake. */
void connection_give_up_tls(struct connection *connection);

/* Goes on with the TLS handshake.
 *   OK         it is done.
 *   ERR_AGAIN  more must come or go first.
 *   ERR_IO     it failed: close. */
MUST_USE int connection_handshake(struct connection *connection);

/* Reads up to `into.size` bytes; under TLS it must be 16 KiB, so that a whole record fits.
 *   OK          *size bytes, at least one.
 *   ERR_AGAIN   nothing is there.
 *   ERR_CLOSED  the peer has ended its side.
 *   ERR_IO      the connection failed. */
MUST_USE int connection_read(struct connection *connection, struct span into, size_t *size);

/* Writes from the front of the runs; *size tells how much was taken, perhaps 0 or not all: then go
 * on when connection_flush says OK.  (Mostly wants_write is set; but a TLS client that is in the
 * middle of a handshake message must say the rest first, and a later connection_read sets it.)
 *   OK
 *   ERR_IO  the connection failed. */
MUST_USE int connection_write(struct connection *connection, const struct view *runs,
                              size_t run_count, size_t *size);

/* The socket takes bytes again: gets rid of a record that waits.  Results as connection_handshake;
 * OK: nothing waits any more. */
MUST_USE int connection_flush(struct connection *connection);

/* Ends our side: close_notify, then FIN.  Results as connection_handshake: ERR_AGAIN wants another
 * call when the socket takes bytes, or has given some. */
MUST_USE int connection_finish(struct connection *connection);

/* Closes it and gives everything back; a closed one is accepted. */
void connection_close(struct connection *connection);

#endif
