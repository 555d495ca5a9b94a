#include "front/ice.h"

#include "base/base64.h"
#include "front/respond.h"
#include "front/routes.h"
#include "wire/stun_credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define URI_MAX  (HOST_MAX + 40)
#define NAME_MAX 80
#define WHO_SIZE 12 /* bytes of chance, of a client that is no member */

#define HTTPS_PORT 443 /* where a Host names none */

bool ice_host_valid(struct view host)
{
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && !strchr(".-_:[]", c))
            return false;
    }
    return host.size > 0 && host.size <= HOST_MAX;
}

/* The host without its port. */
static struct view host_alone(struct view host)
{
    if (host.size && host.at[0] == '[')
        return view_slice(host, 0, view_find_byte(host, ']') + 1);
    return view_slice(host, 0, view_find_byte(host, ':'));
}

/* The port that a Host of HTTPS means; 0: none. */
static uint16_t https_port(struct view host)
{
    struct view rest = view_slice(host, host_alone(host).size, host.size);
    uint64_t port;
    if (rest.size == 0)
        return HTTPS_PORT;
    return view_read_number(view_slice(rest, 1, rest.size), UINT16_MAX, &port) ? (uint16_t)port : 0;
}

/* ---- credentials ---- */

struct credentials {
    char name[NAME_MAX];
    char password[STUN_REST_SIZE];
};

static void make_credentials(const struct server *server, usec now, const struct ice_asker *asker,
                             struct credentials *out)
{
    const struct ice_config *config = &server->config.ice;
    uint64_t hash = siphash(asker->room, server->config.room_secret);
    uint64_t expiry = (server->config.unix_at_zero + now) / USEC_S + config->lifetime_s;
    char text[BASE64_SIZE(sizeof hash)];
    base64url_write(view_make(&hash, sizeof hash), text);
    snprintf(out->name, sizeof out->name, "%llu:%s.%s", (unsigned long long)expiry, text,
             asker->who);
    stun_rest_password(config->secret, view_of(out->name), out->password);
}

static void write_credentials(struct json_writer *writer, const struct credentials *credentials)
{
    json_key(writer, "username");
    json_string(writer, view_of(credentials->name));
    json_key(writer, "credential");
    json_string(writer, view_make(credentials->password, sizeof credentials->password));
}

/* ---- servers ---- */

__attribute__((format(printf, 2, 3))) static void write_uri(struct json_writer *writer,
                                                            const char *format, ...)
{
    char uri[URI_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(uri, sizeof uri, format, arguments);
    va_end(arguments);
    json_string(writer, view_of(uri));
}

static void open_server(struct json_writer *writer)
{
    json_open(writer, '{');
    json_key(writer, "urls");
    json_open(writer, '[');
}

/* Ours, on the host by which the client reached us. */
static void write_own(struct json_writer *writer, const struct ice_config *config, struct view host,
                      const struct credentials *credentials)
{
    open_server(writer);
    write_uri(writer, "stun:%.*s:%u", VIEW_ARGS(host), config->port);
    json_close(writer, ']');
    json_close(writer, '}');
    if (!config->relays)
        return;
    open_server(writer);
    write_uri(writer, "turn:%.*s:%u?transport=udp", VIEW_ARGS(host), config->port);
    write_uri(writer, "turn:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->port);
    if (config->https_port)
        write_uri(writer, "turn:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->https_port);
    if (config->tls_port)
        write_uri(writer, "turns:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->tls_port);
    json_close(writer, ']');
    write_credentials(writer, credentials);
    json_close(writer, '}');
}

/* Others: those of STUN, then those of TURN. */
static void write_others(struct json_writer *writer, const struct ice_config *config,
                         const struct credentials *credentials)
{
    for (int with_relays = 0; with_relays < 2; with_relays++) {
        bool is_open = false;
        for (uint32_t i = 0; i < config->server_count; i++) {
            struct view uri = config->servers[i];
            if (view_starts(uri, VIEW("turn")) != (with_relays == 1))
                continue;
            if (!is_open)
                open_server(writer);
            is_open = true;
            json_string(writer, uri);
        }
        if (!is_open)
            continue;
        json_close(writer, ']');
        if (with_relays)
            write_credentials(writer, credentials);
        json_close(writer, '}');
    }
}

void ice_write(struct json_writer *writer, const struct server *server, usec now,
               const struct ice_asker *asker)
{
    struct ice_config config = server->config.ice;
    struct credentials credentials;
    if (asker->secure && !config.host.size && config.https_port)
        config.https_port = https_port(asker->host);
    if (asker->secure && !config.host.size && config.tls_port)
        config.tls_port = https_port(asker->host);
    struct view host = config.host.size ? config.host : host_alone(asker->host);
    make_credentials(server, now, asker, &credentials);
    json_key(writer, "iceServers");
    json_open(writer, '[');
    if (config.server_count)
        write_others(writer, &config, &credentials);
    else if (config.port && host.size && host.size <= HOST_MAX)
        write_own(writer, &config, host, &credentials);
    json_close(writer, ']');
}

/* ---- /api/v1/ice ---- */

/* False: the address has had its share.  Addresses share a place by a hash that nobody can guess;
 * what a place knows is when it will have forgotten all answers. */
static bool take_turn(struct server *server, usec now, const struct address *peer)
{
    size_t size = peer->family == ADDRESS_IPV6 ? 8 : 4;
    uint64_t hash = siphash(view_make(peer->bytes, size), server->config.room_secret);
    usec *free_at = &server->ice_free_at[hash % ICE_PLACES];
    usec from = *free_at > now ? *free_at : now;
    if (from - now > (ICE_BURST - 1) * ICE_EACH)
        return false;
    *free_at = from + ICE_EACH;
    return true;
}

/* The room that the query names; false: it is no room's name. */
static bool read_room(const struct server *server, uint8_t decoded[PATH_MAX_DECODED],
                      struct view *room)
{
    struct view encoded;
    *room = view_make(NULL, 0);
    if (!http_query_find(server->request.query, "room", &encoded))
        return true;
    if (path_decode(encoded, decoded, room) != OK)
        return false;
    *room = view_trim(*room);
    return room_name_valid(*room);
}

void ice_answer(struct server *server, usec now, struct stream *stream, struct view body)
{
    uint8_t decoded[PATH_MAX_DECODED];
    uint8_t chance[WHO_SIZE];
    char who[BASE64_SIZE(WHO_SIZE) + 1] = ".";
    struct ice_asker asker = {
        .host = http_header(&server->request, "Host"),
        .secure = stream->secure,
        .who = who,
    };
    struct json_writer writer = json_writer_make(server->scratch, sizeof server->scratch);
    struct response refusal = { .type = "text/plain; charset=utf-8", .cors = true };
    (void)body;
    if (!read_room(server, decoded, &asker.room)) {
        refusal.code = 400;
        refusal.body = VIEW("400 that is no room's name\n");
        respond(server, now, stream, &refusal);
        return;
    }
    if (!take_turn(server, now, &stream->peer)) {
        refusal.code = 429;
        refusal.headers = "Retry-After: 1\r\n";
        refusal.body = VIEW("429 too many from this address\n");
        respond(server, now, stream, &refusal);
        return;
    }
    random_fill(&server->config.random, chance, sizeof chance);
    base64url_write(view_make(chance, sizeof chance), who + 1); /* no member's is like it */
    if (!ice_host_valid(asker.host))
        asker.host = VIEW("");
    json_open(&writer, '{');
    ice_write(&writer, server, now, &asker);
    json_key(&writer, "ttl");
    json_number(&writer, server->config.ice.lifetime_s);
    json_close(&writer, '}');
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "application/json",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = json_written(&writer),
                                .cors = true });
}
