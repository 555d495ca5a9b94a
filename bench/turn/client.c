#include "client.h"

#include "process.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_WAIT_MS 500
#define TRIES_MAX      8
#define LIFETIME_S     3600

/* ---- the connection ---- */

static void begin_tls(struct client *client, struct ssl_ctx_st *tls)
{
    client->tls = SSL_new(tls);
    if (!client->tls || SSL_set_fd(client->tls, client->fd) != 1 || SSL_connect(client->tls) != 1)
        fail("TLS");
}

static void connect_to(struct client *client, unsigned number, const struct client_goal *goal)
{
    int one = 1;
    bool is_stream = goal->transport == OVER_TCP || goal->transport == OVER_TLS;
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(goal->port) };
    from.sin_addr.s_addr = htonl(0x7f000101 + number % 32);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (client->fd < 0 || bind(client->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail("connect");
    if (is_stream)
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (goal->transport == OVER_TLS)
        begin_tls(client, goal->tls);
}

static void send_bytes(struct client *client, const uint8_t *bytes, size_t size)
{
    if (client->tls) {
        SSL_write(client->tls, bytes, (int)size);
        return;
    }
    ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 && (size_t)sent < size)
        fail("the server does not keep up");
}

/* At most so much of what waits; 0: nothing. */
static size_t receive_bytes(struct client *client, uint8_t *out, size_t size)
{
    if (client->tls) {
        int got = SSL_read(client->tls, out, (int)size);
        return got > 0 ? (size_t)got : 0;
    }
    ssize_t got = recv(client->fd, out, size, MSG_DONTWAIT);
    return got > 0 ? (size_t)got : 0;
}

/* ---- requests ---- */

static void begin_request(struct client *client, struct stun_writer *writer, uint8_t *out,
                          uint16_t method)
{
    static uint32_t count;
    uint8_t transaction[STUN_TRANSACTION_SIZE] = { 0 };
    count++;
    memcpy(transaction, &count, sizeof count);
    memcpy(transaction + 4, &client->fd, sizeof client->fd);
    stun_begin(writer, out, CLIENT_MESSAGE_MAX, STUN_REQUEST, method, transaction);
}

static void end_request(const struct client *client, const struct client_goal *goal,
                        struct stun_writer *writer)
{
    if (client->nonce_size) {
        stun_add(writer, STUN_USERNAME, view_of(goal->name));
        stun_add(writer, STUN_REALM, view_make(client->realm, client->realm_size));
        stun_add(writer, STUN_NONCE, view_make(client->nonce, client->nonce_size));
        stun_add_integrity(writer, stun_key_view(&client->key));
    }
    assert(!writer->overflow);
}

static bool read_answer(struct client *client, const struct stun_writer *request,
                        struct stun_msg *answer)
{
    struct pollfd wait = { .fd = client->fd, .events = POLLIN };
    while ((client->tls && SSL_pending(client->tls)) || poll(&wait, 1, ANSWER_WAIT_MS) > 0) {
        size_t size = receive_bytes(client, client->input, sizeof client->input);
        if (size && stun_read(view_make(client->input, size), answer) == OK &&
            !memcmp(answer->transaction.at, request->at + 8, STUN_TRANSACTION_SIZE))
            return true;
    }
    return false;
}

static void ask(struct client *client, const struct stun_writer *request, struct stun_msg *answer)
{
    int tries = client->transport == OVER_UDP ? TRIES_MAX : 1;
    for (int i = 0; i < tries; i++) {
        send_bytes(client, request->at, request->size);
        if (read_answer(client, request, answer))
            return;
    }
    fail("no answer");
}

/* Takes REALM and NONCE of a 401. */
static void read_challenge(struct client *client, const struct client_goal *goal,
                           const struct stun_msg *answer)
{
    const struct stun_attr *realm = stun_find(answer, STUN_REALM);
    const struct stun_attr *nonce = stun_find(answer, STUN_NONCE);
    if (!realm || !nonce) {
        const struct stun_attr *error = stun_find(answer, STUN_ERROR_CODE);
        unsigned code = 0;
        struct view reason;
        if (error && stun_read_error(error, &code, &reason) == OK)
            fprintf(stderr, "load: error %u\n", code);
        fail("Allocate was refused");
    }
    if (realm->value.size > sizeof client->realm || nonce->value.size > sizeof client->nonce)
        fail("challenge");
    client->realm_size = realm->value.size;
    client->nonce_size = nonce->value.size;
    memcpy(client->realm, realm->value.at, realm->value.size);
    memcpy(client->nonce, nonce->value.at, nonce->value.size);
    if (stun_key_make(STUN_ALGORITHM_MD5, view_of(goal->name), realm->value,
                      view_of(goal->password), &client->key) != OK)
        fail("key");
}

static void allocate(struct client *client, const struct client_goal *goal)
{
    uint8_t bytes[CLIENT_MESSAGE_MAX];
    struct stun_writer request;
    struct stun_msg answer;
    for (int i = 0; i < 3; i++) {
        begin_request(client, &request, bytes, STUN_ALLOCATE);
        stun_add_protocol(&request, TURN_UDP);
        stun_add_32(&request, STUN_LIFETIME, LIFETIME_S);
        end_request(client, goal, &request);
        ask(client, &request, &answer);
        if (answer.class == STUN_SUCCESS) {
            const struct stun_attr *relayed = stun_find(&answer, STUN_XOR_RELAYED_ADDRESS);
            if (!relayed || stun_read_xor_address(&answer, relayed, &client->relayed) != OK)
                fail("no relayed address");
            return;
        }
        read_challenge(client, goal, &answer);
    }
    fail("Allocate was refused");
}

static void bind_channel(struct client *client, const struct client_goal *goal,
                         const struct address *peer)
{
    uint8_t bytes[CLIENT_MESSAGE_MAX];
    struct stun_writer request;
    struct stun_msg answer;
    begin_request(client, &request, bytes, STUN_CHANNEL_BIND);
    stun_add_channel(&request, CLIENT_CHANNEL);
    stun_add_xor_address(&request, STUN_XOR_PEER_ADDRESS, peer);
    end_request(client, goal, &request);
    ask(client, &request, &answer);
    if (answer.class != STUN_SUCCESS)
        fail("ChannelBind was refused");
}

void client_open(struct client *client, unsigned number, const struct client_goal *goal)
{
    errno = 0;
    client->transport = goal->transport;
    connect_to(client, number, goal);
    if (goal->transport != OVER_NOTHING)
        allocate(client, goal);
}

void client_bind(struct client *client, const struct client_goal *goal, const struct address *peer)
{
    if (goal->transport != OVER_NOTHING)
        bind_channel(client, goal, peer);
    if (client->tls && BIO_socket_nbio(client->fd, 1) != 1)
        fail("non-blocking");
}

/* ---- data ---- */

void client_send(struct client *client, size_t size)
{
    uint8_t message[CLIENT_MESSAGE_MAX] = { 0 };
    size = size < CLIENT_MESSAGE_MAX - 8 ? size : CLIENT_MESSAGE_MAX - 8;
    size_t padding = client->transport >= OVER_TCP ? turn_channel_padding(size) : 0;
    turn_channel_write(message, CLIENT_CHANNEL, size);
    send_bytes(client, message, TURN_CHANNEL_HEADER_SIZE + size + padding);
}

static void count_messages(struct client *client)
{
    size_t at = 0;
    size_t size;
    for (;;) {
        struct view rest = view_make(client->input + at, client->waiting - at);
        int status = turn_stream_size(rest, &size);
        if (status != OK && status != ERR_MORE)
            fail("what came on a stream");
        if (status != OK || size > rest.size)
            break;
        at += size;
        client->received++;
    }
    client->waiting -= at;
    memmove(client->input, client->input + at, client->waiting);
}

void client_receive(struct client *client)
{
    for (;;) {
        size_t got = receive_bytes(client, client->input + client->waiting,
                                   sizeof client->input - client->waiting);
        if (got == 0)
            return;
        if (client->transport < OVER_TCP) {
            client->received++;
            continue;
        }
        client->waiting += got;
        count_messages(client);
    }
}
