/* The endpoints of the configuration: whose a path is, and who may use it. */
#include "front/engine/engine.h"
#include "front/relay/relay_plain.h"
#include "front/respond.h"
#include "front/session.h"
#include "front/socketio/socketio.h"
#include "front/sockjs/sockjs.h"
#include "front/stomp/stomp.h"

#include <stdlib.h>

#define SOCKJS_BODY_MESSAGES 4 /* of the largest, in one request */

_Static_assert(ENDPOINT_QUEUE_MAX == WS_QUEUE_MAX, "what a session may have waits on its stream");
_Static_assert(2 * ENDPOINT_MESSAGE_MAX <= WS_FRAME_MAX, "the largest message, wrapped, fits");

/* What each kind of the configuration is; NULL where this build has none. */
static const struct carrier *const CARRIERS[CARRIER_COUNT] = {
    [CARRIER_WEBSOCKET] = &plain_carrier,
    [CARRIER_ENGINE] = &engine_carrier,
    [CARRIER_SOCKJS] = &sockjs_carrier,
};

static const struct speech *const SPEECHES[SPEECH_COUNT] = {
    [SPEECH_STOMP] = &stomp_speech,
    [SPEECH_RELAY] = &relay_speech,
    [SPEECH_SOCKETIO] = &socketio_speech,
};

static int start_endpoint(struct server *server, struct endpoint *endpoint,
                          const struct endpoint_config *config)
{
    uint64_t hash = siphash(view_of(config->path), server->config.room_secret);
    const struct speech *speech = SPEECHES[config->speech];
    *endpoint = (struct endpoint){
        .config = config,
        .carrier = CARRIERS[config->carrier],
        .speech = speech,
        .worker = (unsigned)(hash % server->config.worker_count),
    };
    list_init(&endpoint->sessions);
    endpoint->timer.kind = TIMER_ENDPOINT;
    if (endpoint->worker != server->config.worker)
        return OK;
    int status = OK;
    if (speech->state_size)
        status = pool_init(&endpoint->states, speech->state_size, config->limits.sessions);
    if (status == OK && config->carrier != CARRIER_WEBSOCKET)
        status = map_init(&endpoint->names, config->limits.sessions, &server->config.random);
    if (status == OK)
        status = speech->start(server, endpoint);
    if (status != OK) {
        map_free(&endpoint->names);
        pool_free(&endpoint->states);
    }
    return status;
}

int endpoints_start(struct server *server)
{
    const struct endpoint_configs *configs = server->config.endpoints;
    int status = OK;
    if (!configs || configs->count == 0)
        return OK;
    server->endpoints = calloc(configs->count, sizeof *server->endpoints);
    if (!server->endpoints)
        return ERR_MEMORY;
    for (unsigned i = 0; i < CARRIER_COUNT && status == OK; i++)
        if (CARRIERS[i])
            status = pool_init(&server->sessions[i], CARRIERS[i]->session_size,
                               server->config.streams_max);
    for (uint32_t i = 0; i < configs->count && status == OK; i++) {
        const struct endpoint_config *config = &configs->items[i];
        if (!CARRIERS[config->carrier] || !SPEECHES[config->speech])
            continue;
        status = start_endpoint(server, &server->endpoints[server->endpoint_count], config);
        if (status == OK)
            server->endpoint_count++;
    }
    if (status != OK)
        endpoints_stop(server);
    return status;
}

static void stop_endpoint(struct server *server, struct endpoint *endpoint)
{
    if (endpoint->worker != server->config.worker)
        return;
    endpoint->speech->stop(server, endpoint);
    while (!list_empty(&endpoint->sessions)) {
        struct session *session = LIST_ENTRY(endpoint->sessions.next, struct session, of_endpoint);
        if (session->carrier->drop)
            session->carrier->drop(server, session);
        else
            session_free(server, session);
    }
    map_free(&endpoint->names);
    pool_free(&endpoint->states);
}

void endpoints_stop(struct server *server)
{
    for (uint32_t i = 0; i < server->endpoint_count; i++)
        stop_endpoint(server, &server->endpoints[i]);
    for (unsigned i = 0; i < CARRIER_COUNT; i++)
        pool_free(&server->sessions[i]);
    free(server->endpoints);
    server->endpoints = NULL;
    server->endpoint_count = 0;
}

/* ---- requests ---- */

static bool match_speech(const struct endpoint *endpoint, struct view path,
                         struct endpoint_match *match)
{
    const struct speech *speech = endpoint->speech;
    if (!speech->paths || !speech->has_paths(endpoint->config))
        return false;
    for (const char *const *own = speech->paths; *own; own++) {
        if (view_starts(path, view_of(*own))) {
            match->rest = path;
            match->is_of_speech = true;
            return true;
        }
    }
    return false;
}

/* A bare WebSocket is opened at the path itself; others have paths below theirs. */
static bool match_path(const struct endpoint *endpoint, struct view path,
                       struct endpoint_match *match)
{
    struct view own = view_of(endpoint->config->path);
    if (!view_starts(path, own))
        return false;
    match->rest = view_slice(path, own.size, path.size);
    match->is_of_speech = false;
    if (match->rest.size == 0)
        return true;
    return match->rest.at[0] == '/' && endpoint->config->carrier != CARRIER_WEBSOCKET;
}

bool endpoint_find(struct server *server, struct view path, struct endpoint_match *match)
{
    for (uint32_t i = 0; i < server->endpoint_count; i++) {
        match->endpoint = &server->endpoints[i];
        if (match_path(match->endpoint, path, match) || match_speech(match->endpoint, path, match))
            return true;
    }
    return false;
}

struct view endpoint_protocol(const struct endpoint *endpoint, const struct http_request *request)
{
    struct view offered = http_header(request, "Sec-WebSocket-Protocol");
    struct view first = view_trim(view_slice(offered, 0, view_find_byte(offered, ',')));
    if (!endpoint->speech->protocols)
        return first;
    for (const char *const *known = endpoint->speech->protocols; *known; known++)
        if (http_header_lists(request, "Sec-WebSocket-Protocol", *known))
            return view_of(*known);
    return (struct view){ NULL, 0 };
}

/* Who answers. */
struct choice {
    struct endpoint *endpoint;
    const struct carrier *carrier;
};

/* Of several endpoints with one path, a WebSocket opened at the path itself is for the one whose
 * subprotocol it asks for, else for bare WebSockets; all else is for what has paths below it. */
static struct choice choose(struct server *server, const struct endpoint_match *match)
{
    struct choice plain = { NULL, &plain_carrier };
    struct choice other = { NULL, NULL };
    bool is_websocket = server->request.upgrade && match->rest.size == 0;
    for (uint32_t i = 0; i < server->endpoint_count; i++) {
        struct endpoint *endpoint = &server->endpoints[i];
        if (!view_equal(view_of(endpoint->config->path), view_of(match->endpoint->config->path)))
            continue;
        if (is_websocket && endpoint->speech->protocols &&
            endpoint_protocol(endpoint, &server->request).size)
            return (struct choice){ endpoint, &plain_carrier };
        if (endpoint->config->carrier == CARRIER_WEBSOCKET && !plain.endpoint)
            plain.endpoint = endpoint;
        if (endpoint->config->carrier != CARRIER_WEBSOCKET && !other.endpoint)
            other = (struct choice){ endpoint, endpoint->carrier };
    }
    return (is_websocket && plain.endpoint) || !other.endpoint ? plain : other;
}

static bool admits(const struct endpoint_config *config, struct view origin)
{
    if (config->origin_count == 0 || origin.size == 0)
        return true;
    for (uint32_t i = 0; i < config->origin_count; i++)
        if (view_equal_nocase(origin, view_of(config->origins[i])))
            return true;
    return false;
}

/* What one body or one frame of a client may hold, where the endpoint takes larger messages than
 * others do: twice as much, for they are wrapped and escaped.  0: as everywhere. */
static uint32_t large_max(const struct endpoint_config *config)
{
    uint32_t most = config->limits.message_bytes;
    if (most <= WS_MESSAGE_MAX)
        return 0;
    return most < WS_FRAME_MAX / 2 ? 2 * most : WS_FRAME_MAX;
}

/* Clients of SockJS put all that waits into one request, and know no limit for it. */
static uint32_t body_max(const struct endpoint_config *config)
{
    uint64_t most = (uint64_t)SOCKJS_BODY_MESSAGES * config->limits.message_bytes;
    if (config->carrier != CARRIER_SOCKJS)
        return large_max(config);
    if (most <= HTTP_BODY_MAX)
        return 0;
    return most < BUFFER_LARGE_MAX ? (uint32_t)most : BUFFER_LARGE_MAX;
}

uint32_t endpoint_body_max(const struct server *server, const struct endpoint_match *match)
{
    struct view path = view_of(match->endpoint->config->path);
    uint32_t most = 0;
    for (uint32_t i = 0; i < server->endpoint_count; i++) {
        const struct endpoint_config *config = server->endpoints[i].config;
        if (view_equal(view_of(config->path), path) && body_max(config) > most)
            most = body_max(config);
    }
    return most;
}

void endpoint_request(struct server *server, usec now, struct stream *stream,
                      const struct endpoint_match *match, struct view body)
{
    struct choice chosen = { match->endpoint, NULL };
    if (!match->is_of_speech)
        chosen = choose(server, match);
    if (!admits(chosen.endpoint->config, http_header(&server->request, "Origin"))) {
        metrics_add(server->metrics, METRIC_ORIGIN_REFUSED, 1);
        respond_code(server, now, stream, 403, NULL);
    } else if (match->is_of_speech) {
        chosen.endpoint->speech->request(server, now, stream, chosen.endpoint, match->rest, body);
    } else {
        server->large_max = large_max(chosen.endpoint->config);
        chosen.carrier->request(server, now, stream, chosen.endpoint, match->rest, body);
        server->large_max = 0;
    }
}
