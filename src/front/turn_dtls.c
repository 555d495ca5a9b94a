#include "front/turn_dtls.h"

#include <stdlib.h>

/* A client's associations that wait for their end, beside those that relay. */
#define PREFIX_FACTOR 2

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

int turn_dtls_new(struct server *server, usec now)
{
    const struct turn_config *turn = &server->turn->config;
    if (!server->config.dtls)
        return OK;
    struct turn_dtls *dtls = calloc(1, sizeof *dtls);
    if (!dtls)
        return ERR_MEMORY;
    struct dtls_server_config config = {
        .context = server->config.dtls,
        .random = &server->config.random,
        .associations_max =
            least_of(turn->allocations_max, turn->relays_max) + TURN_DTLS_HANDSHAKES_MAX,
        .handshakes_max = TURN_DTLS_HANDSHAKES_MAX,
        .per_prefix_max = least_of(turn->allocations_per_prefix_max * PREFIX_FACTOR, UINT16_MAX),
        .idle_max = TURN_DTLS_IDLE,
    };
    int status = dtls_server_init(&dtls->server, &config, now);
    if (status != OK) {
        free(dtls);
        return status;
    }
    dtls->until = USEC_NEVER;
    server->turn->dtls = dtls;
    return OK;
}

void turn_dtls_free(struct server *server)
{
    if (!server->turn->dtls)
        return;
    dtls_server_free(&server->turn->dtls->server);
    free(server->turn->dtls);
    server->turn->dtls = NULL;
}

void turn_dtls_feed(struct server *server, usec now, const struct turn_flow *flow,
                    struct view datagram)
{
    struct turn_dtls *dtls = server->turn->dtls;
    if (!dtls)
        return;
    dtls_server_feed(&dtls->server, now, flow->connection, &flow->client, &flow->server, datagram);
    dtls->is_busy = true;
}

void turn_dtls_send(struct server *server, usec now, const struct turn_out *out)
{
    struct turn_dtls *dtls = server->turn->dtls;
    const struct turn_flow *flow = out->flow;
    const struct view parts[] = { out->header, out->payload, out->trailer };
    /* it may be gone, while its allocation waits to be moved (RFC 8016) */
    if (!dtls || !dtls_server_is(&dtls->server, flow->connection, &flow->client, &flow->server) ||
        dtls_server_send(&dtls->server, now, flow->connection, parts, 3) != OK) {
        metrics_add(server->metrics, METRIC_TURN_DROPPED_RATE, 1);
        return;
    }
    dtls->is_busy = true;
}

static void write_metrics(struct server *server)
{
    const struct dtls_server *dtls = &server->turn->dtls->server;
    struct metrics *metrics = server->metrics;
    metrics_set(metrics, METRIC_DTLS_ASSOCIATIONS, dtls->peers.used);
    metrics_set(metrics, METRIC_DTLS_DONE, dtls->counts.opened);
    metrics_set(metrics, METRIC_DTLS_FAILED, dtls->counts.failed);
    metrics_set(metrics, METRIC_DTLS_EVICTED, dtls->counts.evicted);
    metrics_set(metrics, METRIC_DTLS_REFUSED, dtls->counts.crowded);
    metrics_set(metrics, METRIC_DTLS_COOKIES, dtls->counts.cookies);
    metrics_set(metrics, METRIC_DTLS_STRAYS, dtls->counts.strays);
}

static void tell(struct server *server, usec now, const char *what, const struct address *client)
{
    struct trace_event *event = trace_add(&server->trace, now, TRACE_DEBUG, what);
    trace_address(event, "client", client);
}

/* What the agent is told of a connection.  It reads the flow until it has been drained. */
static void tell_agent(struct server *server, usec now, const struct dtls_server_out *in)
{
    struct turn_door *door = server->turn;
    struct turn_dtls *dtls = door->dtls;
    dtls->flow = (struct turn_flow){
        .transport = TURN_OVER_DTLS,
        .connection = in->connection,
        .client = in->client,
        .server = in->local,
    };
    if (in->kind == DTLS_SERVER_DATA) {
        turn_feed_client(&door->agent, now, &dtls->flow, in->bytes);
    } else if (in->kind == DTLS_SERVER_CLOSED) {
        tell(server, now, "dtls.closed", &in->client);
        turn_client_gone(&door->agent, now, &dtls->flow);
    } else if (!turn_has_allocation(&door->agent, &dtls->flow)) {
        dtls_server_close(&dtls->server, now, in->connection);
    }
    door->is_busy = true;
}

/* One at a time: what all of them say would not fit into memory. */
static void stop_next(struct server *server, usec now)
{
    struct turn_dtls *dtls = server->turn->dtls;
    if (dtls->stopped == dtls->server.peers.touched)
        return;
    dtls_server_close(&dtls->server, now, dtls->stopped++);
    dtls->is_busy = true;
    server->turn->is_busy = true;
}

const struct turn_out *turn_dtls_poll(struct server *server, usec now)
{
    struct turn_dtls *dtls = server->turn->dtls;
    struct dtls_server_out in;
    if (!dtls || !dtls->is_busy)
        return NULL;
    dtls_server_poll(&dtls->server, &in);
    switch ((enum dtls_server_out_kind)in.kind) {
    case DTLS_SERVER_SEND:
        dtls->way = (struct turn_flow){
            .transport = TURN_OVER_DTLS,
            .connection = in.socket,
            .client = in.client,
            .server = in.local,
        };
        dtls->out =
            (struct turn_out){ .kind = TURN_CLIENT, .flow = &dtls->way, .payload = in.bytes };
        return &dtls->out;
    case DTLS_SERVER_OPENED:
        tell(server, now, "dtls.opened", &in.client);
        server->turn->is_busy = true;
        break;
    case DTLS_SERVER_DATA:
    case DTLS_SERVER_IDLE:
    case DTLS_SERVER_CLOSED:
        tell_agent(server, now, &in);
        break;
    case DTLS_SERVER_WAIT:
        dtls->until = in.until;
        dtls->is_busy = false;
        if (dtls->is_stopping)
            stop_next(server, now);
        write_metrics(server);
        break;
    }
    return NULL;
}

void turn_dtls_stop(struct server *server)
{
    if (!server->turn || !server->turn->dtls)
        return;
    server->turn->dtls->is_stopping = true;
    server->turn->dtls->is_busy = true;
    server->turn->is_busy = true;
}

void turn_dtls_tick(struct server *server, usec now)
{
    struct turn_dtls *dtls = server->turn->dtls;
    if (!dtls || now < dtls->until)
        return;
    dtls_server_tick(&dtls->server, now);
    dtls->is_busy = true;
}

usec turn_dtls_until(const struct server *server)
{
    return server->turn->dtls ? server->turn->dtls->until : USEC_NEVER;
}
