/* turn_client.h - a TURN client on a socket of its own, which waits for each answer. */
#ifndef MOIM_TESTS_SHELL_TURN_CLIENT_H
#define MOIM_TESTS_SHELL_TURN_CLIENT_H

#include "support.h"

#include "agent/turn.h"
#include "shell/sockaddr.h"

#include <sys/socket.h>
#include <unistd.h>

#define TURN_CLIENT_USER     "flora"
#define TURN_CLIENT_PASSWORD "secret"
#define TURN_CLIENT_REALM    "test.example"

/* What a client waits at most, so that a fault ends the test. */
#define TURN_CLIENT_PATIENCE_S 20

struct turn_client {
    int fd;
    void (*wait)(void *context, int fd); /* until something has come; NULL: recv waits */
    void *context;
    uint8_t transaction[STUN_TRANSACTION_SIZE];
    uint8_t nonce[64];
    size_t nonce_size;
    struct stun_writer writer;
    uint8_t bytes[512];
    uint8_t heard[2048]; /* the last that came */
    size_t heard_size;
    struct stun_msg answer;
    struct address relayed;
    uint8_t ticket[TURN_TICKET_SIZE];
    uint64_t token;
};

/* A socket of 127.0.0.1 that talks to one address. */
static inline int udp_dial(const struct address *to)
{
    struct sockaddr_storage name;
    struct timeval patience = { TURN_CLIENT_PATIENCE_S, 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sockaddr_from(to, &name)), 0);
    return fd;
}

/* A socket that anyone may send to. */
static inline int udp_open(struct address *local)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    const struct address any = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } };
    struct timeval patience = { TURN_CLIENT_PATIENCE_S, 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sockaddr_from(&any, &name)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    sockaddr_read(&name, local);
    return fd;
}

static inline void client_open(struct turn_client *client, const struct address *server)
{
    *client = (struct turn_client){ .fd = udp_dial(server) };
}

static inline void client_close(struct turn_client *client)
{
    close(client->fd);
    client->fd = -1;
}

static inline void client_begin(struct turn_client *client, uint16_t method)
{
    client->transaction[0]++;
    stun_begin(&client->writer, client->bytes, sizeof client->bytes, STUN_REQUEST, method,
               client->transaction);
}

static inline void client_hear(struct turn_client *client)
{
    if (client->wait)
        client->wait(client->context, client->fd);
    ssize_t size = recv(client->fd, client->heard, sizeof client->heard, 0);
    assert_true(size > 0);
    client->heard_size = (size_t)size;
}

/* Sends what was begun, and gives 200 or the answer's error code. */
static inline unsigned client_send(struct turn_client *client)
{
    unsigned code = 200;
    struct view reason;
    assert_false(client->writer.overflow);
    assert_int_equal(send(client->fd, client->bytes, client->writer.size, 0), client->writer.size);
    client_hear(client);
    assert_int_equal(stun_read(view_make(client->heard, client->heard_size), &client->answer), OK);
    assert_memory_equal(client->answer.transaction.at, client->transaction, STUN_TRANSACTION_SIZE);
    if (client->answer.class != STUN_SUCCESS)
        assert_int_equal(
            stun_read_error(stun_find(&client->answer, STUN_ERROR_CODE), &code, &reason), OK);
    const struct stun_attr *nonce = stun_find(&client->answer, STUN_NONCE);
    if (nonce) {
        assert_in_range(nonce->value.size, 1, sizeof client->nonce);
        memcpy(client->nonce, nonce->value.at, nonce->value.size);
        client->nonce_size = nonce->value.size;
    }
    return code;
}

static inline void client_keep(struct turn_client *client)
{
    const struct stun_attr *relayed = stun_find(&client->answer, STUN_XOR_RELAYED_ADDRESS);
    const struct stun_attr *ticket = stun_find(&client->answer, STUN_MOBILITY_TICKET);
    const struct stun_attr *token = stun_find(&client->answer, STUN_RESERVATION_TOKEN);
    if (relayed)
        assert_int_equal(stun_read_xor_address(&client->answer, relayed, &client->relayed), OK);
    if (token)
        assert_int_equal(stun_read_64(token, &client->token), OK);
    if (ticket) {
        assert_int_equal(ticket->value.size, TURN_TICKET_SIZE);
        memcpy(client->ticket, ticket->value.at, TURN_TICKET_SIZE);
    }
}

/* Signs what was begun and sends it, with another nonce where it is asked for. */
static inline unsigned client_ask(struct turn_client *client)
{
    struct stun_key key;
    struct stun_writer begun = client->writer;
    unsigned code = 0;
    assert_int_equal(stun_key_make(STUN_ALGORITHM_MD5, VIEW(TURN_CLIENT_USER),
                                   VIEW(TURN_CLIENT_REALM), VIEW(TURN_CLIENT_PASSWORD), &key),
                     OK);
    for (int i = 0; i < 3; i++) {
        client->writer = begun;
        if (client->nonce_size) {
            stun_add(&client->writer, STUN_USERNAME, VIEW(TURN_CLIENT_USER));
            stun_add(&client->writer, STUN_REALM, VIEW(TURN_CLIENT_REALM));
            stun_add(&client->writer, STUN_NONCE, view_make(client->nonce, client->nonce_size));
            stun_add_integrity(&client->writer, stun_key_view(&key));
        }
        code = client_send(client);
        if (code != 401 && code != 438)
            break;
    }
    if (code == 200)
        client_keep(client);
    return code;
}

static inline unsigned client_allocate(struct turn_client *client)
{
    client_begin(client, STUN_ALLOCATE);
    stun_add_protocol(&client->writer, TURN_UDP);
    stun_add(&client->writer, STUN_MOBILITY_TICKET, VIEW(""));
    return client_ask(client);
}

static inline unsigned client_refresh(struct turn_client *client, uint32_t lifetime_s)
{
    client_begin(client, STUN_REFRESH);
    stun_add_32(&client->writer, STUN_LIFETIME, lifetime_s);
    return client_ask(client);
}

/* Takes over the allocation that a ticket names. */
static inline unsigned client_move(struct turn_client *client,
                                   const uint8_t ticket[TURN_TICKET_SIZE])
{
    client_begin(client, STUN_REFRESH);
    stun_add_32(&client->writer, STUN_LIFETIME, 600);
    stun_add(&client->writer, STUN_MOBILITY_TICKET, view_make(ticket, TURN_TICKET_SIZE));
    return client_ask(client);
}

static inline unsigned client_bind(struct turn_client *client, uint16_t channel,
                                   const struct address *peer)
{
    client_begin(client, STUN_CHANNEL_BIND);
    stun_add_channel(&client->writer, channel);
    stun_add_xor_address(&client->writer, STUN_XOR_PEER_ADDRESS, peer);
    return client_ask(client);
}

static inline void client_say(struct turn_client *client, uint16_t channel, struct view data)
{
    turn_channel_write(client->bytes, channel, data.size);
    memcpy(client->bytes + TURN_CHANNEL_HEADER_SIZE, data.at, data.size);
    size_t size = TURN_CHANNEL_HEADER_SIZE + data.size;
    assert_int_equal(send(client->fd, client->bytes, size, 0), size);
}

static inline void client_expect(struct turn_client *client, uint16_t channel, struct view data)
{
    uint16_t from;
    struct view got;
    client_hear(client);
    assert_int_equal(turn_channel_read(view_make(client->heard, client->heard_size), &from, &got),
                     OK);
    assert_int_equal(from, channel);
    assert_true(view_equal(got, data));
}

#endif
