/* client.h - one TURN client of bench/turn: an allocation with one channel to one peer.
 *
 * All but client_send and client_receive may block, and end the program when something is wrong:
 * a load is no place for half a success.
 */
#ifndef MOIM_BENCH_TURN_CLIENT_H
#define MOIM_BENCH_TURN_CLIENT_H

#include "wire/stun_credentials.h"
#include "wire/stun_turn.h"

#define CLIENT_MESSAGE_MAX 1500
#define CLIENT_CHANNEL     0x4000

/* OVER_NOTHING: the bare forwarder of floor.c, which knows no allocations. */
enum client_transport { OVER_NOTHING, OVER_UDP, OVER_TCP, OVER_TLS };

struct client {
    int fd;
    enum client_transport transport;
    struct ssl_st *tls;
    struct stun_key key;
    char nonce[128];
    size_t nonce_size;
    char realm[128];
    size_t realm_size;
    struct address relayed;
    uint64_t received; /* messages */
    size_t waiting;    /* bytes of a stream: the beginning of a message */
    uint8_t input[2 * CLIENT_MESSAGE_MAX];
};

struct client_goal {
    enum client_transport transport;
    uint16_t port; /* the server's, on 127.0.0.1 */
    const char *name, *password;
    struct ssl_ctx_st *tls; /* OVER_TLS */
};

/* Connects and allocates.  Clients are spread over 127.0.1.0/24 by their number,
 * so that their ports don't run out, nor collide with those of relays. */
void client_open(struct client *client, unsigned number, const struct client_goal *goal);
/* Binds the channel to the peer; after that, client_receive is all that reads. */
void client_bind(struct client *client, const struct client_goal *goal, const struct address *peer);
/* Sends so many bytes to the peer; what the kernel has no room for is lost. */
void client_send(struct client *client, size_t size);
/* Takes what has come, and counts it. */
void client_receive(struct client *client);

#endif
