#include "front/rtc.h"

#include <stdlib.h>

int rtc_door_new(struct server *server, usec now)
{
    const struct server_rtc *config = server->config.rtc;
    struct rtc_door *door = calloc(1, sizeof *door);
    if (!door)
        return ERR_MEMORY;
    door->config = *config;
    list_init(&door->strangers);
    list_init(&door->waiting);
    list_init(&door->known);
    const struct rtc_config port = {
        .dtls = config->dtls,
        .secure = config->secure,
        .random = &server->config.random,
        .metrics = server->metrics,
        .transports_max = config->transports_max,
    };
    int status = rtc_init(&door->port, &port, now);
    if (status != OK) {
        free(door);
        return status;
    }
    server->config.rtc = &door->config;
    server->rtc = door;
    return OK;
}

void rtc_door_free(struct server *server)
{
    if (!server->rtc)
        return;
    rtc_free(&server->rtc->port);
    free(server->rtc);
    server->rtc = NULL;
}

void rtc_door_serve(struct server *server, const struct rtc_users *users, void *context)
{
    if (!server->rtc)
        return;
    server->rtc->users = users;
    server->rtc->context = context;
}

void rtc_door_hear(struct server *server, usec now)
{
    struct rtc_door *door = server->rtc;
    struct rtc_out out;
    if (!door)
        return;
    for (rtc_poll(&door->port, &out); out.kind != RTC_WAIT; rtc_poll(&door->port, &out)) {
        door->heard += out.kind == RTC_RTP;
        if (door->users)
            door->users->hear(door->context, now, &out);
        else if (out.kind == RTC_ENDED)
            rtc_close(&door->port, now, out.transport);
    }
}

void rtc_door_tick(struct server *server, usec now)
{
    struct rtc_door *door = server->rtc;
    if (!door)
        return;
    rtc_tick(&door->port, now);
    rtc_door_hear(server, now);
    if (door->users)
        door->users->tick(door->context, now);
    streams_settle(server, now);
}

/* What was begun since the port was drained last (a stream has asked for it) is due at once. */
usec rtc_door_until(const struct server *server)
{
    const struct rtc_door *door = server->rtc;
    if (!door)
        return USEC_NEVER;
    if (rtc_is_busy(&door->port))
        return 0;
    usec until = rtc_until(&door->port);
    usec users = door->users ? door->users->until(door->context) : USEC_NEVER;
    return users < until ? users : until;
}

/* ---- the shell's calls ---- */

void server_rtc_feed(struct server *server, usec now, const struct ice_flow *flow,
                     struct span datagram)
{
    if (!server->rtc)
        return;
    rtc_feed(&server->rtc->port, now, flow, datagram);
    rtc_door_hear(server, now);
    streams_settle(server, now);
}

bool server_rtc_is_full(const struct server *server)
{
    const struct rtc_door *door = server->rtc;
    return door && (rtc_is_full(&door->port) || door->heard >= RTC_HEARD_MAX);
}

/* Fills the batch; false: there is nothing more to fill it with. */
static bool pump(struct rtc_door *door, usec now)
{
    if (door->users && !door->users->pump(door->context, now))
        return rtc_is_full(&door->port);
    door->heard = 0;
    return false;
}

/* All has been said. */
static void rest(struct server *server, usec now)
{
    struct rtc_door *door = server->rtc;
    if (!server->is_stopping || door->is_stopped)
        return;
    door->is_stopped = true; /* goodbyes have been said */
    rtc_door_end_streams(server, now);
}

const struct rtc_run *server_rtc_seal(struct server *server, usec now, uint32_t *count)
{
    struct rtc_door *door = server->rtc;
    const struct rtc_run *runs = NULL;
    bool has_more = true;
    *count = 0;
    if (!door)
        return NULL;
    while (has_more && *count == 0) {
        rtc_door_hear(server, now);
        has_more = pump(door, now);
        runs = rtc_seal(&door->port, count);
        if (*count)
            break;
        rtc_sent(&door->port); /* nothing of it could be encrypted */
        has_more = has_more || rtc_door_read_on(server, now);
    }
    for (uint32_t i = 0; i < *count; i++)
        if (runs[i].flow->stream != ICE_UDP)
            rtc_door_send(server, now, &runs[i]);
        else
            metrics_add(server->metrics, METRIC_RTC_RUNS, 1);
    if (*count == 0)
        rest(server, now);
    streams_settle(server, now);
    return *count ? runs : NULL;
}

void server_rtc_sent(struct server *server)
{
    rtc_sent(&server->rtc->port);
}
