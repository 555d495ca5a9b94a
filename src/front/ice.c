#include "front/ice.h"

#include "base/base64.h"
#include "front/admission.h"
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

void ice_write_user(uint64_t user, char who[ICE_WHO_SIZE])
{
    char text[BASE64_SIZE(sizeof user)];
    base64url_write(view_make(&user, sizeof user), text);
    snprintf(who, ICE_WHO_SIZE, "~%s", text);
}

/* For how many seconds the client may have them. */
static uint64_t find_lifetime(const struct server *server, usec now, const struct ice_asker *asker)
{
    uint64_t most = server->config.ice.lifetime_s;
    uint64_t unix_s = admission_unix_s(server, now);
    if (asker->expires_s <= unix_s)
        return 0;
    return asker->expires_s - unix_s < most ? asker->expires_s - unix_s : most;
}

static void make_credentials(const struct server *server, uint64_t expires_s,
                             const struct ice_asker *asker, struct credentials *out)
{
    uint64_t hash = siphash(asker->room, server->config.room_secret);
    char text[BASE64_SIZE(sizeof hash)];
    base64url_write(view_make(&hash, sizeof hash), text);
    snprintf(out->name, sizeof out->name, "%llu:%s.%s", (unsigned long long)expires_s, text,
             asker->who);
    stun_rest_password(server->config.ice.secret, view_of(out->name), out->password);
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

static bool has_own(const struct ice_config *config)
{
    return config->port || config->https_port || config->tls_port;
}

/* Ours, on the host by which the client reached us; without credentials, STUN alone. */
static void write_own(struct json_writer *writer, const struct ice_config *config, struct view host,
                      const struct credentials *credentials)
{
    if (config->port) {
        open_server(writer);
        write_uri(writer, "stun:%.*s:%u", VIEW_ARGS(host), config->port);
        json_close(writer, ']');
        json_close(writer, '}');
    }
    if (!config->relays || !credentials)
        return;
    open_server(writer);
    if (config->port) {
        write_uri(writer, "turn:%.*s:%u?transport=udp", VIEW_ARGS(host), config->port);
        write_uri(writer, "turn:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->port);
    }
    if (config->https_port)
        write_uri(writer, "turn:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->https_port);
    if (config->tls_port)
        write_uri(writer, "turns:%.*s:%u?transport=tcp", VIEW_ARGS(host), config->tls_port);
    json_close(writer, ']');
    write_credentials(writer, credentials);
    json_close(writer, '}');
}

/* Others: those of STUN, then, with credentials, those of TURN. */
static void write_others(struct json_writer *writer, const struct ice_config *config,
                         const struct credentials *credentials)
{
    for (int with_relays = 0; with_relays < (credentials ? 2 : 1); with_relays++) {
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

uint64_t ice_write(struct json_writer *writer, const struct server *server, usec now,
                   const struct ice_asker *asker)
{
    struct ice_config config = server->config.ice;
    struct credentials made;
    if (asker->secure && !config.host.size && config.https_port)
        config.https_port = https_port(asker->host);
    if (asker->secure && !config.host.size && config.tls_port)
        config.tls_port = https_port(asker->host);
    struct view host = config.host.size ? config.host : host_alone(asker->host);
    uint64_t lifetime_s = find_lifetime(server, now, asker);
    const struct credentials *credentials = lifetime_s ? &made : NULL;
    make_credentials(server, admission_unix_s(server, now) + lifetime_s, asker, &made);
    json_key(writer, "iceServers");
    json_open(writer, '[');
    if (config.server_count)
        write_others(writer, &config, credentials);
    else if (has_own(&config) && host.size && host.size <= HOST_MAX)
        write_own(writer, &config, host, credentials);
    json_close(writer, ']');
    return lifetime_s;
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

/* RFC 6750, section 2.1; or the query, for those who can set no header.  at NULL: there is none. */
static struct view find_token(const struct http_request *request)
{
    struct view scheme;
    struct view rest = http_header(request, "Authorization");
    struct view token = { NULL, 0 };
    if (view_split(&rest, ' ', &scheme) && view_equal_nocase(scheme, VIEW("Bearer")))
        return view_trim(rest);
    if (!http_query_find(request->query, "token", &token))
        return view_make(NULL, 0);
    return token;
}

static void refuse(struct server *server, usec now, struct stream *stream, unsigned code,
                   const char *headers, const char *words)
{
    char body[128];
    int size = snprintf(body, sizeof body, "%u %s\n", code, words);
    respond(server, now, stream,
            &(struct response){ .code = code,
                                .type = "text/plain; charset=utf-8",
                                .headers = headers,
                                .body = view_make(body, (size_t)size),
                                .cors = true });
}

/* RFC 6750, section 3. */
static void refuse_admission(struct server *server, usec now, struct stream *stream,
                             enum admission admission)
{
    const char *words = admission_words(admission);
    if (admission == ADMISSION_NOT_ALLOWED)
        refuse(server, now, stream, 403,
               "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n", words);
    else if (admission == ADMISSION_NO_TOKEN)
        refuse(server, now, stream, 401, "WWW-Authenticate: Bearer\r\n", words);
    else
        refuse(server, now, stream, 401, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n",
               words);
}

static void tell(struct server *server, usec now, struct stream *stream,
                 const struct ice_asker *asker)
{
    struct json_writer writer = json_writer_make(server->scratch, sizeof server->scratch);
    json_open(&writer, '{');
    uint64_t lifetime_s = ice_write(&writer, server, now, asker);
    json_key(&writer, "ttl");
    json_number(&writer, lifetime_s);
    json_close(&writer, '}');
    respond(server, now, stream,
            &(struct response){ .code = 200,
                                .type = "application/json",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = json_written(&writer),
                                .cors = true });
}

/* Nobody's name, unless a token says whose: no member's is like either. */
static void choose_who(struct server *server, const struct token *pass,
                       char who[BASE64_SIZE(WHO_SIZE) + 1])
{
    uint8_t chance[WHO_SIZE];
    uint64_t user = admission_user(server, pass);
    if (user) {
        ice_write_user(user, who);
        return;
    }
    random_fill(&server->config.random, chance, sizeof chance);
    who[0] = '.';
    base64url_write(view_make(chance, sizeof chance), who + 1);
}

void ice_answer(struct server *server, usec now, struct stream *stream, struct view body)
{
    uint8_t decoded[PATH_MAX_DECODED];
    char who[BASE64_SIZE(WHO_SIZE) + 1];
    struct token pass;
    struct view room;
    struct view host = http_header(&server->request, "Host");
    (void)body;
    if (!read_room(server, decoded, &room)) {
        refuse(server, now, stream, 400, NULL, "that is no room's name");
        return;
    }
    if (!take_turn(server, now, &stream->peer)) {
        refuse(server, now, stream, 429, "Retry-After: 1\r\n", "too many from this address");
        return;
    }
    enum admission admission =
        admission_check(server, now, find_token(&server->request), room, &pass);
    if (admission != ADMITTED) {
        refuse_admission(server, now, stream, admission);
        return;
    }
    choose_who(server, &pass, who);
    tell(server, now, stream,
         &(struct ice_asker){ .host = ice_host_valid(host) ? host : VIEW(""),
                              .secure = stream->secure,
                              .room = room.size ? room : token_view(&pass.room),
                              .who = who,
                              .expires_s = pass.expires_s });
}
