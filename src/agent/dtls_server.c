#include "agent/dtls_server.h"

#include "agent/dtls_internal.h"

#include <assert.h>
#include <string.h>

static void write_address(uint8_t at[19], const struct address *address)
{
    memset(at, 0, 19);
    at[0] = address->family;
    memcpy(at + 1, address->bytes, address->family == ADDRESS_IPV4 ? 4 : 16);
    at[17] = (uint8_t)(address->port >> 8);
    at[18] = (uint8_t)address->port;
}

static void write_key(uint8_t key[DTLS_PEER_KEY_SIZE], const struct address *client,
                      const struct address *local)
{
    write_address(key, client);
    write_address(key + 19, local);
}

static uint16_t prefix_of(const struct dtls_server *server, const struct address *client)
{
    unsigned bits = client->family == ADDRESS_IPV4 ? DTLS_PREFIX_IPV4 : DTLS_PREFIX_IPV6;
    uint8_t prefix[1 + 16] = { client->family };
    memcpy(prefix + 1, client->bytes, bits / 8);
    uint64_t hash = siphash(view_make(prefix, sizeof prefix), server->secret);
    return (uint16_t)(hash % DTLS_PREFIXES);
}

int dtls_server_init(struct dtls_server *server, const struct dtls_server_config *config, usec now)
{
    assert(config->handshakes_max > 0 && config->per_prefix_max > 0);
    *server = (struct dtls_server){ .config = *config, .now = now };
    if (pool_init(&server->peers, sizeof(struct dtls_peer), config->associations_max) != OK)
        return ERR_MEMORY;
    if (map_init(&server->by_key, config->associations_max, config->random) != OK) {
        pool_free(&server->peers);
        return ERR_MEMORY;
    }
    wheel_init(&server->wheel, now);
    list_init(&server->handshakes);
    list_init(&server->touched);
    random_fill(config->random, server->secret, sizeof server->secret);
    dtls_cookies_init(&server->cookies, config->random, now);
    return OK;
}

static void touch(struct dtls_server *server, struct dtls_peer *peer)
{
    if (list_empty(&peer->touched))
        list_append(&server->touched, &peer->touched);
}

static void leave_handshakes(struct dtls_server *server, struct dtls_peer *peer)
{
    if (list_empty(&peer->node))
        return;
    list_remove(&peer->node);
    server->handshake_count--;
}

static void give_peer(struct dtls_server *server, struct dtls_peer *peer)
{
    leave_handshakes(server, peer);
    list_remove(&peer->touched);
    wheel_cancel(&server->wheel, &peer->timer);
    map_remove(&server->by_key, view_make(peer->key, sizeof peer->key));
    server->prefixes[peer->prefix]--;
    peer->is_open = false;
    dtls_free(&peer->dtls);
    pool_give(&server->peers, peer);
}

void dtls_server_free(struct dtls_server *server)
{
    for (uint32_t i = 0; i < server->peers.touched; i++) {
        struct dtls_peer *peer = pool_at(&server->peers, i);
        dtls_free(&peer->dtls);
    }
    map_free(&server->by_key);
    pool_free(&server->peers);
}

/* Room for one more: the oldest handshake gives way when there is none. */
static bool make_room(struct dtls_server *server)
{
    if (server->handshake_count < server->config.handshakes_max &&
        server->peers.used < server->config.associations_max)
        return true;
    if (list_empty(&server->handshakes))
        return false;
    server->counts.evicted++;
    give_peer(server, LIST_ENTRY(server->handshakes.next, struct dtls_peer, node));
    return true;
}

/* An association for a hello whose cookie holds. */
static void open_peer(struct dtls_server *server, uint32_t socket, const struct address *client,
                      const struct address *local, struct view datagram,
                      const struct dtls_hello *hello)
{
    uint16_t prefix = prefix_of(server, client);
    if (server->prefixes[prefix] >= server->config.per_prefix_max || !make_room(server)) {
        server->counts.crowded++;
        return;
    }
    struct dtls_peer *peer = pool_take(&server->peers);
    assert(peer);
    write_key(peer->key, client, local);
    if (dtls_init_verified(&peer->dtls, server->config.context, server->now, datagram,
                           hello->cookie) != OK) {
        server->counts.crowded++;
        goto give_item;
    }
    if (map_add(&server->by_key, view_make(peer->key, sizeof peer->key), peer) != OK)
        goto free_dtls;
    timer_init(&peer->timer);
    peer->socket = socket;
    peer->client = *client;
    peer->local = *local;
    peer->prefix = prefix;
    peer->heard_at = server->now;
    memcpy(peer->random, hello->random.at, sizeof peer->random);
    server->prefixes[prefix]++;
    server->handshake_count++;
    list_init(&peer->node);
    list_append(&server->handshakes, &peer->node);
    list_init(&peer->touched);
    touch(server, peer);
    return;

free_dtls:
    dtls_free(&peer->dtls);
give_item:
    pool_give(&server->peers, peer);
}

static void begin(struct dtls_server *server, usec now)
{
    server->now = now > server->now ? now : server->now;
}

static void feed_hello(struct dtls_server *server, struct dtls_peer *peer, uint32_t socket,
                       const struct address *client, const struct address *local,
                       struct view datagram, const struct dtls_hello *hello)
{
    if (!dtls_cookie_holds(&server->cookies, server->now, client, local, hello)) {
        dtls_hello_verify(&server->cookies, server->now, client, local, hello, server->answer);
        server->counts.cookies++;
        server->has_answer = true;
        return;
    }
    if (peer && view_equal(hello->random, view_make(peer->random, sizeof peer->random))) {
        dtls_feed(&peer->dtls, server->now, datagram); /* sent again */
        touch(server, peer);
        return;
    }
    if (peer) {
        /* its client begins anew, and has shown that it is there (section 4.2.8) */
        server->has_closed = peer->is_open;
        server->closed = pool_index(&server->peers, peer);
        server->closed_socket = peer->socket;
        give_peer(server, peer);
    }
    open_peer(server, socket, client, local, datagram, hello);
}

void dtls_server_feed(struct dtls_server *server, usec now, uint32_t socket,
                      const struct address *client, const struct address *local,
                      struct view datagram)
{
    uint8_t key[DTLS_PEER_KEY_SIZE];
    struct dtls_hello hello;
    assert(!server->has_answer && !server->has_closed && list_empty(&server->touched));
    begin(server, now);
    server->socket = socket;
    server->client = *client;
    server->local = *local;
    write_key(key, client, local);
    struct dtls_peer *peer = map_find(&server->by_key, view_make(key, sizeof key));
    if (dtls_hello_read(datagram, &hello) == OK) {
        feed_hello(server, peer, socket, client, local, datagram, &hello);
    } else if (peer) {
        dtls_feed(&peer->dtls, server->now, datagram);
        touch(server, peer);
    } else {
        server->counts.strays++;
    }
}

static struct dtls_peer *find_open(struct dtls_server *server, uint32_t connection)
{
    if (connection >= server->peers.touched)
        return NULL;
    struct dtls_peer *peer = pool_at(&server->peers, connection);
    return peer->is_open ? peer : NULL;
}

bool dtls_server_is(struct dtls_server *server, uint32_t connection, const struct address *client,
                    const struct address *local)
{
    const struct dtls_peer *peer = find_open(server, connection);
    return peer && address_equal(&peer->client, client) && address_equal(&peer->local, local);
}

int dtls_server_send(struct dtls_server *server, usec now, uint32_t connection,
                     const struct view *parts, unsigned count)
{
    begin(server, now);
    struct dtls_peer *peer = find_open(server, connection);
    if (!peer)
        return ERR_CLOSED;
    touch(server, peer);
    return dtls_send_parts(&peer->dtls, server->now, parts, count);
}

void dtls_server_close(struct dtls_server *server, usec now, uint32_t connection)
{
    begin(server, now);
    struct dtls_peer *peer = find_open(server, connection);
    if (!peer)
        return;
    dtls_close(&peer->dtls, server->now);
    touch(server, peer);
}

void dtls_server_tick(struct dtls_server *server, usec now)
{
    begin(server, now);
    server->is_ticking = true; /* dtls_server_poll goes through them one by one */
}

static usec idle_until(const struct dtls_server *server, const struct dtls_peer *peer)
{
    return peer->is_open ? peer->heard_at + server->config.idle_max : USEC_NEVER;
}

/* The next peer whose timer expired has its turn. */
static bool tick_next(struct dtls_server *server)
{
    struct timer *timer = wheel_expired(&server->wheel, server->now);
    if (!timer)
        return false;
    struct dtls_peer *peer = LIST_ENTRY(timer, struct dtls_peer, timer);
    if (server->now >= idle_until(server, peer)) {
        peer->heard_at = server->now;
        server->has_idle = true;
        server->idle = pool_index(&server->peers, peer);
    }
    dtls_tick(&peer->dtls, server->now);
    touch(server, peer);
    return true;
}

/* All outputs of a peer are taken. */
static void settle(struct dtls_server *server, struct dtls_peer *peer)
{
    list_remove(&peer->touched);
    if (peer->dtls.end != DTLS_OPEN) {
        give_peer(server, peer);
        return;
    }
    usec until = dtls_next_time(&peer->dtls);
    usec idle = idle_until(server, peer);
    usec at = until < idle ? until : idle;
    /* one that expires too early is cheaper than one that is moved with each packet */
    if (at != USEC_NEVER && (!peer->timer.is_set || wheel_time(&peer->timer) > at + 2 * USEC_MS))
        wheel_set(&server->wheel, &peer->timer, at);
}

/* What an association has told, as an output; false: it is nobody's business. */
static bool translate(struct dtls_server *server, struct dtls_peer *peer,
                      const struct dtls_out *inner, struct dtls_server_out *out)
{
    static const uint8_t kinds[] = { [DTLS_SEND] = DTLS_SERVER_SEND,
                                     [DTLS_CONNECTED] = DTLS_SERVER_OPENED,
                                     [DTLS_DATA] = DTLS_SERVER_DATA,
                                     [DTLS_ENDED] = DTLS_SERVER_CLOSED };
    *out = (struct dtls_server_out){ .kind = kinds[inner->kind],
                                     .connection = pool_index(&server->peers, peer),
                                     .socket = peer->socket,
                                     .client = peer->client,
                                     .local = peer->local,
                                     .bytes = inner->bytes,
                                     .until = USEC_NEVER };
    if (inner->kind == DTLS_ENDED) {
        bool was_open = peer->is_open;
        peer->is_open = false;
        server->counts.failed += !was_open;
        return was_open;
    }
    if (inner->kind == DTLS_CONNECTED) {
        leave_handshakes(server, peer);
        peer->is_open = true;
        server->counts.opened++;
    }
    if (inner->kind != DTLS_SEND)
        peer->heard_at = server->now;
    return true;
}

static bool take_idle(struct dtls_server *server, struct dtls_server_out *out)
{
    if (!server->has_idle)
        return false;
    struct dtls_peer *peer = pool_at(&server->peers, server->idle);
    server->has_idle = false;
    if (!peer->is_open)
        return false; /* it has ended meanwhile */
    *out = (struct dtls_server_out){ .kind = DTLS_SERVER_IDLE,
                                     .connection = server->idle,
                                     .socket = peer->socket,
                                     .client = peer->client,
                                     .local = peer->local,
                                     .until = USEC_NEVER };
    return true;
}

static bool poll_peers(struct dtls_server *server, struct dtls_server_out *out)
{
    struct dtls_out inner;
    struct dtls *dtls;
    do {
        while ((dtls = dtls_take_out(server->config.context, NULL, &inner)) != NULL) {
            struct dtls_peer *peer = LIST_ENTRY(dtls, struct dtls_peer, dtls);
            if (translate(server, peer, &inner, out))
                return true;
        }
        if (take_idle(server, out))
            return true;
        while (!list_empty(&server->touched))
            settle(server, LIST_ENTRY(server->touched.next, struct dtls_peer, touched));
    } while (server->is_ticking && tick_next(server));
    server->is_ticking = false;
    return false;
}

void dtls_server_poll(struct dtls_server *server, struct dtls_server_out *out)
{
    if (server->has_closed) {
        server->has_closed = false;
        *out = (struct dtls_server_out){ .kind = DTLS_SERVER_CLOSED,
                                         .connection = server->closed,
                                         .socket = server->closed_socket,
                                         .client = server->client,
                                         .local = server->local };
    } else if (server->has_answer) {
        server->has_answer = false;
        *out =
            (struct dtls_server_out){ .kind = DTLS_SERVER_SEND,
                                      .socket = server->socket,
                                      .client = server->client,
                                      .local = server->local,
                                      .bytes = view_make(server->answer, sizeof server->answer) };
    } else if (!poll_peers(server, out)) {
        *out = (struct dtls_server_out){ .kind = DTLS_SERVER_WAIT,
                                         .until = wheel_next(&server->wheel) };
    }
}
