/* The media port: datagrams to the server and from it, and what the worker's own relays bring. */
#include "shell/worker.h"

#include "agent/rtc.h"
#include "shell/media_setup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 16 /* of reading one socket, before the others have their turn */
#define SUNK_MAX   64 /* datagrams of relays that wait */

/* What a relay of ours has sent to an address of the media port. */
struct sunk {
    struct address from, to;
    size_t size;
    uint8_t bytes[RTC_PACKET_MAX];
};

/* An address of the port, where relays of ours find it. */
struct media_sink {
    struct media *media;
    struct address address;
};

struct media {
    struct server_rtc rtc;
    struct metrics *metrics;
    int fds[2]; /* UDP over IPv4 and IPv6; -1: none */
    bool is_sending;
    bool is_taking;
    unsigned sunk_count;
    struct sunk sunk[SUNK_MAX];
    struct media_sink sinks[SERVER_CANDIDATES_MAX];
    struct udp_arena arena;
    struct udp_queue queue;
};

static int index_of(uint8_t family)
{
    return family == ADDRESS_IPV6;
}

/* ---- what relays bring ---- */

/* The TURN agent is being drained: it can only be noted. */
static void take(void *context, usec now, const struct address *from, struct view bytes)
{
    const struct media_sink *sink = context;
    struct media *media = sink->media;
    (void)now;
    if (bytes.size > RTC_PACKET_MAX || media->sunk_count == SUNK_MAX) {
        metrics_add(media->metrics, METRIC_RTC_DROPPED_LIMIT, 1);
        return;
    }
    struct sunk *sunk = &media->sunk[media->sunk_count++];
    sunk->from = *from;
    sunk->to = sink->address;
    sunk->size = bytes.size;
    if (bytes.size)
        memcpy(sunk->bytes, bytes.at, bytes.size);
}

static void feed(struct worker *worker, const struct ice_flow *flow, struct span datagram)
{
    if (server_rtc_is_full(worker->server))
        worker_flush_media(worker);
    server_rtc_feed(worker->server, worker->now, flow, datagram);
    worker_drain_relays(worker);
}

/* What comes of one may bring another. */
void worker_take_sunk(struct worker *worker)
{
    struct media *media = worker->media;
    if (!media || media->sunk_count == 0 || media->is_taking || media->is_sending)
        return;
    media->is_taking = true;
    for (unsigned i = 0; i < media->sunk_count; i++) {
        struct sunk *sunk = &media->sunk[i];
        const struct ice_flow flow = { sunk->from, sunk->to, ICE_UDP };
        feed(worker, &flow, (struct span){ sunk->bytes, sunk->size });
    }
    media->sunk_count = 0;
    media->is_taking = false;
}

/* ---- the beginning and the end ---- */

static void find_sockets(struct worker *worker, struct media *media)
{
    for (uint32_t i = 0; i < worker->config.listener_count; i++) {
        struct listener *listener = &worker->config.listeners[i];
        if (listener->kind != LISTENER_RTC_UDP)
            continue;
        udp_address(listener->fd, &listener->bound);
        media->fds[index_of(listener->bound.family)] = listener->fd;
    }
}

static void tell_candidates(struct worker *worker, struct media *media)
{
    struct worker_config *config = &worker->config;
    media->rtc.candidate_count = config->candidate_count;
    memcpy(media->rtc.candidates, config->candidates, sizeof media->rtc.candidates);
    for (uint32_t i = 0; i < config->candidate_count && config->sink_count < RELAY_SINKS_MAX; i++) {
        struct media_sink *sink = &media->sinks[i];
        *sink = (struct media_sink){ media, config->candidates[i] };
        config->sinks[config->sink_count++] = (struct relay_sink){ sink->address, take, sink };
    }
}

int worker_start_media(struct worker *worker)
{
    worker->config.server.rtc = NULL;
    if (!worker->config.media)
        return OK;
    struct media *media = calloc(1, sizeof *media);
    if (!media)
        return ERR_MEMORY;
    int status = media_setup_open(worker->config.media, &media->rtc);
    if (status != OK) {
        free(media);
        return status;
    }
    if (udp_arena_init(&media->arena) != OK) {
        media_setup_close(&media->rtc);
        free(media);
        return ERR_MEMORY;
    }
    media->metrics = worker->metrics;
    media->fds[0] = media->fds[1] = -1;
    find_sockets(worker, media);
    tell_candidates(worker, media);
    worker->media = media;
    worker->config.server.rtc = &media->rtc;
    return OK;
}

void worker_close_media(struct worker *worker)
{
    if (worker->media)
        worker->media->fds[0] = worker->media->fds[1] = -1;
}

void worker_stop_media(struct worker *worker)
{
    struct media *media = worker->media;
    if (!media)
        return;
    udp_arena_free(&media->arena);
    media_setup_close(&media->rtc);
    free(media);
    worker->media = NULL;
}

/* ---- in ---- */

static void feed_all(struct worker *worker, const struct udp_received *got,
                     const struct ice_flow *flow)
{
    for (size_t at = 0; at < got->bytes.size; at += got->segment) {
        struct view datagram = view_slice(got->bytes, at, got->segment);
        feed(worker, flow, (struct span){ (uint8_t *)(uintptr_t)datagram.at, datagram.size });
    }
}

/* All that has come is opened before anything is sealed: what goes to one receiver is then sent
 * together (worker_flush_media). */
void worker_media_ready(struct worker *worker, const struct listener *listener)
{
    struct udp_received got[UDP_RECEIVE_MAX];
    struct media *media = worker->media;
    bool is_drained = false;
    for (int i = 0; i < ROUNDS_MAX && !is_drained; i++) {
        unsigned count =
            udp_receive(&media->arena, listener->fd, UDP_RECEIVE_MAX, got, &is_drained);
        for (unsigned j = 0; j < count; j++) {
            struct ice_flow flow = { got[j].from, got[j].to, ICE_UDP };
            if (flow.local.family == ADDRESS_NONE)
                flow.local = listener->bound;
            flow.local.port = listener->port;
            if (flow.remote.family != ADDRESS_NONE)
                feed_all(worker, &got[j], &flow);
        }
        udp_arena_reset(&media->arena); /* whoever keeps a packet has copied it */
    }
}

/* ---- out ---- */

/* Whether the run is for a relay of this worker's, which has got it then. */
static bool give_to_relay(struct worker *worker, const struct rtc_run *run)
{
    bool is_given = false;
    for (size_t at = 0; at < run->bytes.size; at += run->segment) {
        struct view packet = view_slice(run->bytes, at, run->segment);
        if (!worker_feed_relay(worker, &run->flow->local, &run->flow->remote, packet))
            break;
        is_given = true;
    }
    return is_given;
}

static void send_run(struct worker *worker, const struct rtc_run *run)
{
    const struct ice_flow *flow = run->flow;
    int fd = worker->media->fds[index_of(flow->remote.family)];
    if (flow->stream != ICE_UDP || give_to_relay(worker, run) || fd < 0)
        return;
    const struct udp_datagram datagrams = {
        .fd = fd,
        .to = &flow->remote,
        .source = address_is_unspecified(&flow->local) ? NULL : &flow->local,
        .payload = run->bytes,
    };
    udp_put_run(&worker->media->queue, &datagrams, run->segment);
}

void worker_flush_media(struct worker *worker)
{
    const struct rtc_run *runs;
    uint32_t count;
    struct media *media = worker->media;
    if (!media)
        return;
    assert(!media->is_sending);
    while ((runs = server_rtc_seal(worker->server, worker->now, &count)) != NULL) {
        media->is_sending = true;
        for (uint32_t i = 0; i < count; i++)
            send_run(worker, &runs[i]);
        udp_flush(&media->queue);
        media->is_sending = false;
        server_rtc_sent(worker->server);
        worker_take_sunk(worker);
    }
    worker_drain_relays(worker);
}
