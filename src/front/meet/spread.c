#include "front/meet/spread.h"

#include "front/meet/data.h"
#include "front/meet/links.h"
#include "front/meet/stage.h"
#include "front/meet/voices.h"

#include <stdlib.h>

#define LINKS_EACH 4 /* of a peer, on the average */
#define ID_BITS    48

int spread_new(struct server *server)
{
    const struct server_config *config = &server->config;
    if (config->worker_count < 2 || !config->road.put)
        return OK;
    uint32_t seats_max = 2 * config->rtc->transports_max;
    uint32_t links_max = LINKS_EACH * config->rtc->transports_max;
    struct spread *spread = calloc(1, sizeof *spread);
    if (!spread)
        return ERR_MEMORY;
    server->spread = spread;
    list_init(&spread->stages);
    list_init(&spread->fresh);
    int status = map_init(&spread->seats, seats_max, &config->random);
    if (status == OK)
        status = pool_init(&spread->stage_pool, sizeof(struct stage), config->rtc->transports_max);
    if (status == OK)
        status = pool_init(&spread->inlets, sizeof(struct inlet), links_max);
    if (status == OK)
        status = pool_init(&spread->outlets, sizeof(struct outlet), links_max);
    if (status == OK)
        status = map_init(&spread->outlets_by_key, links_max, &config->random);
    if (status != OK)
        spread_free(server);
    return status;
}

void spread_close(struct server *server)
{
    unsigned to;
    struct note *note;
    while ((note = server_poll_note(server, &to)) != NULL)
        note_free(note);
    if (server->spread)
        links_end(server);
}

void spread_free(struct server *server)
{
    struct spread *spread = server->spread;
    if (!spread)
        return;
    while (!list_empty(&spread->stages))
        stage_free(LIST_ENTRY(spread->stages.next, struct stage, node));
    map_free(&spread->outlets_by_key);
    pool_free(&spread->outlets);
    pool_free(&spread->inlets);
    pool_free(&spread->stage_pool);
    map_free(&spread->seats);
    free(spread);
    server->spread = NULL;
}

void spread_stop(struct server *server, usec now)
{
    struct spread *spread = server->spread;
    while (spread && !list_empty(&spread->stages))
        stage_end(LIST_ENTRY(spread->stages.next, struct stage, node), now);
}

/* ---- seats ---- */

static struct view key_of(const struct seat *seat)
{
    return view_make((const uint8_t *)&seat->id, sizeof seat->id);
}

int spread_add(struct server *server, struct seat *seat)
{
    return map_add(&server->spread->seats, key_of(seat), seat);
}

void spread_name(struct server *server, struct seat *seat)
{
    struct spread *spread = server->spread;
    if (!spread)
        return;
    seat->id = (uint64_t)(server->config.worker + 1) << ID_BITS | ++spread->last_seat;
    int status = spread_add(server, seat); /* there are as many places as seats */
    seat->id = status == OK ? seat->id : 0;
    seat->show.row.seat = seat->id;
    seat->show.row.member = seat->number;
}

void spread_forget(struct server *server, struct seat *seat)
{
    if (server->spread && seat->id)
        map_remove(&server->spread->seats, key_of(seat));
}

struct seat *spread_find(const struct server *server, uint64_t id)
{
    return map_find(&server->spread->seats, view_make((const uint8_t *)&id, sizeof id));
}

/* ---- what there is ---- */

void spread_expired(struct server *server, usec now)
{
    struct spread *spread = server->spread;
    for (struct list *node = spread->stages.next; node != &spread->stages; node = node->next)
        stage_tell_sums(LIST_ENTRY(node, struct stage, node), now);
    if (!list_empty(&spread->stages))
        wheel_set(&server->wheel, &spread->timer, now + SPREAD_SUMS_EACH);
}

/* ---- notes ---- */

void server_note(struct server *server, usec now, struct note *note)
{
    static void (*const HEAR[NOTE_KINDS])(struct server *, usec, const struct note *) = {
        [NOTE_OFFER] = stage_note,      [NOTE_CLOSE] = stage_note,
        [NOTE_WISH] = stage_note,       [NOTE_STATE] = seat_far_note,
        [NOTE_BILL] = stage_note,       [NOTE_ANSWER] = seat_far_note,
        [NOTE_REFUSED] = seat_far_note, [NOTE_TRACKS] = seat_far_note,
        [NOTE_ENDED] = seat_far_note,   [NOTE_LINK] = links_note,
        [NOTE_DATA_OPENED] = data_note, [NOTE_DATA_CLOSED] = data_note,
        [NOTE_DATA_BROKEN] = data_note, [NOTE_AGAIN] = stage_note,
        [NOTE_SUMS] = seat_far_note,    [NOTE_UNLINK] = links_note,
        [NOTE_WHY] = stage_note,        [NOTE_BECAUSE] = seat_far_note,
        [NOTE_LOOKS] = stage_note,      [NOTE_VOICES] = voices_note,
        [NOTE_WANTED] = seat_far_note,
    };
    if (server->spread)
        HEAR[note->kind](server, now, note);
    note_free(note);
    streams_settle(server, now);
}
