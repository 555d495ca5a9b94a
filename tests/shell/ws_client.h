/* ws_client.h - clients of running workers: blocking sockets, and WebSockets plain or under TLS. */
#ifndef MOIM_TESTS_SHELL_WS_CLIENT_H
#define MOIM_TESTS_SHELL_WS_CLIENT_H

#include "support.h"

#include "shell/settings.h"
#include "shell/sockaddr.h"
#include "wire/websocket.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* What a test waits at most, so that a fault ends it. */
#define PATIENCE_MS 60000

static inline int dial(const struct listen_list *list, int type)
{
    struct sockaddr_storage name;
    struct timeval patience = { PATIENCE_MS / 1000, 0 };
    socklen_t size = sockaddr_from(&list->items[0], &name);
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* A WebSocket client, blocking, plain or under TLS. */
struct client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    uint8_t input[128 * 1024];
    size_t size;
};

static inline void client_send(struct client *client, const void *bytes, size_t size)
{
    if (client->ssl)
        assert_int_equal(SSL_write(client->ssl, bytes, (int)size), size);
    else
        assert_int_equal(send(client->fd, bytes, size, MSG_NOSIGNAL), size);
}

static inline size_t client_read(struct client *client)
{
    uint8_t *into = client->input + client->size;
    size_t room = sizeof client->input - client->size;
    int got =
        client->ssl ? SSL_read(client->ssl, into, (int)room) : (int)recv(client->fd, into, room, 0);
    if (got <= 0)
        return 0;
    client->size += (size_t)got;
    return (size_t)got;
}

static inline void client_drop(struct client *client, size_t size)
{
    client->size -= size;
    memmove(client->input, client->input + size, client->size);
}

static inline void client_open(struct client *client, const struct settings *settings, bool secure)
{
    static const char UPGRADE[] =
        "GET /api/v1/meet HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    *client = (struct client){ 0 };
    client->fd = dial(secure ? &settings->https_listen : &settings->http_listen, SOCK_STREAM);
    if (secure) {
        client->context = SSL_CTX_new(TLS_client_method());
        client->ssl = SSL_new(client->context);
        SSL_set_fd(client->ssl, client->fd);
        assert_int_equal(SSL_connect(client->ssl), 1);
    }
    client_send(client, UPGRADE, sizeof UPGRADE - 1);
    size_t end;
    while ((end = view_find(view_make(client->input, client->size), VIEW("\r\n\r\n"))) ==
           client->size)
        assert_true(client_read(client) > 0);
    assert_true(view_starts(view_make(client->input, client->size), VIEW("HTTP/1.1 101 ")));
    client_drop(client, end + 4);
}

static inline void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
}

static inline void client_say(struct client *client, const char *text)
{
    static const uint8_t MASK[4] = { 9, 8, 7, 6 };
    uint8_t frame[WEBSOCKET_HEADER_MAX + 4096];
    uint8_t *payload = frame + WEBSOCKET_HEADER_MAX;
    uint8_t header[WEBSOCKET_HEADER_MAX];
    size_t size = strlen(text);
    assert_true(size <= 4096);
    memcpy(payload, text, size);
    size_t header_size = websocket_write_masked(WEBSOCKET_TEXT, true, false, MASK,
                                                (struct span){ payload, size }, header);
    memcpy(payload - header_size, header, header_size);
    client_send(client, payload - header_size, header_size + size);
}

/* The next frame that is no ping, as text; gives its opcode, 0 when the stream has ended. */
static inline int client_hear(struct client *client, char *out, size_t capacity)
{
    for (;;) {
        struct websocket_frame frame;
        size_t used;
        int status = websocket_read((struct span){ client->input, client->size }, WEBSOCKET_CLIENT,
                                    sizeof client->input, &frame, &used);
        if (status == ERR_MORE) {
            if (client_read(client) == 0)
                return 0;
            continue;
        }
        assert_int_equal(status, OK);
        snprintf(out, capacity, "%.*s", VIEW_ARGS(view_of_span(frame.payload)));
        client_drop(client, used);
        if (frame.opcode != WEBSOCKET_PING)
            return frame.opcode;
    }
}

static inline void expect(struct client *client, const char *part)
{
    char text[8192];
    assert_int_equal(client_hear(client, text, sizeof text), WEBSOCKET_TEXT);
    if (!strstr(text, part)) {
        print_error("wanted %s in %s\n", part, text);
        fail();
    }
}

#endif
