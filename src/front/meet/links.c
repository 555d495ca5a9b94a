#include "front/meet/links.h"

#include "front/meet/data.h"
#include "front/meet/spread.h"
#include "front/meet/stage.h"
#include "front/rtc.h"

#include <assert.h>
#include <string.h>

/* ---- the way ---- */

static bool put(struct server *server, unsigned worker, const struct link_record *record,
                struct view bytes)
{
    const struct server_road *road = &server->config.road;
    struct view head = view_make((const uint8_t *)record, sizeof *record);
    bool is_put = road->put(road->context, worker, head, bytes);
    metrics_add(server->metrics, METRIC_MEDIA_LINK_LOST, !is_put);
    return is_put;
}

static bool put_there(void *context, const struct link_record *record, struct view bytes)
{
    const struct outlet *outlet = context;
    return put(outlet->server, (unsigned)outlet->key.worker, record, bytes);
}

static bool put_back(void *context, const struct link_record *record, struct view bytes)
{
    const struct inlet *inlet = context;
    return put(inlet->server, inlet->worker, record, bytes);
}

/* ---- where a track is wanted ---- */

static struct note *make_note(const struct inlet *inlet, enum note_kind kind)
{
    struct note *note = note_new(inlet->server, inlet->worker, kind, view_make(NULL, 0));
    if (note)
        note->link = (struct note_link){ .number = inlet->in.number, .serial = inlet->serial };
    return note;
}

/* The track is asked for; what ends that is made now, so that it can't fail. */
static bool ask(struct inlet *inlet, uint64_t seat, unsigned source)
{
    struct note *note = make_note(inlet, NOTE_LINK);
    inlet->goodbye = make_note(inlet, NOTE_UNLINK);
    if (!note || !inlet->goodbye) {
        note_free(note);
        note_free(inlet->goodbye);
        return false;
    }
    note->seat = seat;
    note->link.source = (uint8_t)source;
    note_send(inlet->server, note);
    return true;
}

/* Index and generation: what still comes for one that was there before is told apart. */
static uint64_t number_of(struct spread *spread, const struct inlet *inlet)
{
    if (++spread->last_inlet == 0)
        spread->last_inlet = 1;
    return (uint64_t)spread->last_inlet << 32 | pool_index(&spread->inlets, inlet);
}

struct inlet *inlet_open(struct show *show, usec now, unsigned source, struct server *server,
                         struct stage *stage, struct room *room)
{
    struct spread *spread = server->spread;
    struct inlet *inlet = pool_take(&spread->inlets);
    (void)now;
    if (!inlet)
        return NULL;
    const struct link_way way = { put_back, inlet };
    inlet->server = server;
    inlet->stage = stage;
    inlet->room = room;
    inlet->serial = show->row.serials[source];
    inlet->worker = show->row.worker;
    list_init(&inlet->fresh);
    if (link_in_open(&inlet->in, &server->sfu->now, &server->sfu->tracks,
                     seat_source_kinds[source].is_video, number_of(spread, inlet), &way) != OK)
        goto give;
    if (!ask(inlet, show->row.seat, source))
        goto close;
    metrics_add(server->metrics, METRIC_MEDIA_LINKS, 1);
    show->inlets[source] = inlet;
    return inlet;

close:
    link_in_close(&inlet->in, now);
give:
    inlet->in.number = 0;
    pool_give(&spread->inlets, inlet);
    return NULL;
}

void inlet_close(struct inlet *inlet, usec now)
{
    struct server *server = inlet->server;
    note_send(server, inlet->goodbye);
    link_in_close(&inlet->in, now);
    inlet->in.number = 0;
    list_remove(&inlet->fresh);
    pool_give(&server->spread->inlets, inlet);
    metrics_subtract(server->metrics, METRIC_MEDIA_LINKS, 1);
}

void inlets_close(struct show *show, usec now, bool unused)
{
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        struct inlet *inlet = show->inlets[i];
        if (!inlet || (unused && inlet->pass == inlet->server->spread->pass))
            continue;
        inlet_close(inlet, now);
        show->inlets[i] = NULL;
    }
}

void links_settle(struct server *server, usec now)
{
    struct list *fresh = server->spread ? &server->spread->fresh : NULL;
    while (fresh && !list_empty(fresh)) {
        const struct inlet *first = LIST_ENTRY(fresh->next, struct inlet, fresh);
        struct stage *stage = first->stage;
        struct room *room = first->room;
        struct list *next;
        for (struct list *node = fresh->next; node != fresh; node = next) {
            const struct inlet *inlet = LIST_ENTRY(node, struct inlet, fresh);
            next = node->next;
            if (inlet->stage == stage && inlet->room == room)
                list_remove(node);
        }
        if (stage)
            stage_point(stage, now);
        else
            seats_point(server, now, room);
    }
}

/* ---- where it is ---- */

static struct view key_of(const struct outlet *outlet)
{
    return view_make((const uint8_t *)&outlet->key, sizeof outlet->key);
}

static struct outlet *find_outlet(const struct server *server, unsigned worker, uint64_t number)
{
    const struct outlet wanted = { .key = { number, worker } };
    return map_find(&server->spread->outlets_by_key, key_of(&wanted));
}

static void close_outlet(struct outlet *outlet)
{
    struct spread *spread = outlet->server->spread;
    map_remove(&spread->outlets_by_key, key_of(outlet));
    link_out_close(&outlet->out);
    outlet->out.number = 0;
    pool_give(&spread->outlets, outlet);
}

/* A track that is no more, or not yet, is not linked: the next bill says so there, too. */
static void open_outlet(struct server *server, usec now, const struct note *note)
{
    struct spread *spread = server->spread;
    const struct note_link *link = &note->link;
    const struct seat *seat = spread_find(server, note->seat);
    struct track *track = seat ? seat->tracks[link->source] : NULL;
    if (!track || seat->serials[link->source] != link->serial)
        return;
    struct outlet *outlet = pool_take(&spread->outlets);
    if (!outlet)
        return;
    const struct link_way way = { put_there, outlet };
    outlet->server = server;
    outlet->key.number = link->number;
    outlet->key.worker = note->from;
    if (map_add(&spread->outlets_by_key, key_of(outlet), outlet) != OK) {
        pool_give(&spread->outlets, outlet);
        return;
    }
    link_out_open(&outlet->out, now, track, link->number, &way);
}

void links_note(struct server *server, usec now, const struct note *note)
{
    if (note->kind == NOTE_LINK) {
        open_outlet(server, now, note);
        return;
    }
    struct outlet *outlet = find_outlet(server, note->from, note->link.number);
    if (outlet)
        close_outlet(outlet);
}

/* ---- both ---- */

static void take(struct server *server, usec now, const struct link_record *record,
                 struct view bytes)
{
    struct spread *spread = server->spread;
    uint32_t index = (uint32_t)record->link;
    struct inlet *inlet = index < spread->inlets.touched ? pool_at(&spread->inlets, index) : NULL;
    if (!inlet || inlet->in.number != record->link)
        return; /* it was closed while this was on its way */
    link_in_take(&inlet->in, now, record, bytes);
    server->rtc->heard++;
    if (record->kind == LINK_TERMS && list_empty(&inlet->fresh))
        list_append(&spread->fresh, &inlet->fresh);
}

void server_record(struct server *server, usec now, unsigned from, struct view bytes)
{
    struct link_record record;
    assert(bytes.size >= sizeof record);
    memcpy(&record, bytes.at, sizeof record);
    if (!server->spread)
        return;
    if (record.link == 0) {
        data_record(server, now, from, bytes);
        return;
    }
    if (!link_goes_back(&record)) {
        take(server, now, &record, view_slice(bytes, sizeof record, bytes.size));
        return;
    }
    struct outlet *outlet = find_outlet(server, from, record.link);
    if (outlet)
        link_out_take(&outlet->out, &record);
}

void links_end(struct server *server)
{
    struct spread *spread = server->spread;
    for (uint32_t i = 0; i < spread->inlets.touched; i++) {
        struct inlet *inlet = pool_at(&spread->inlets, i);
        if (!inlet->in.number)
            continue;
        note_free(inlet->goodbye);
        link_in_close(&inlet->in, server->sfu->now);
    }
    for (uint32_t i = 0; i < spread->outlets.touched; i++) {
        struct outlet *outlet = pool_at(&spread->outlets, i);
        if (outlet->out.number)
            link_out_close(&outlet->out);
    }
}
