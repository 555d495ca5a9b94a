#include "road.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A note, or a record. */
struct letter {
    struct letter *next;
    usec at;
    struct note *note; /* NULL: a record */
    size_t size;
    uint8_t bytes[];
};

void road_init(struct road *road, struct chance *chance, const usec *now, unsigned from)
{
    *road = (struct road){ .chance = chance, .now = now, .from = from };
}

static struct letter *take_first(struct way *way)
{
    struct letter *letter = way->first;
    way->first = letter->next;
    way->count--;
    if (!way->first)
        way->last = NULL;
    return letter;
}

static void free_way(struct way *way)
{
    while (way->first) {
        struct letter *letter = take_first(way);
        note_free(letter->note);
        free(letter);
    }
}

void road_free(struct road *road)
{
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        free_way(&road->notes[i]);
        free_way(&road->records[i]);
    }
}

static struct letter *put(struct road *road, struct way *way, size_t size)
{
    struct letter *letter = malloc(sizeof *letter + size);
    assert(letter);
    *letter = (struct letter){ .size = size };
    letter->at = *road->now + chance_pick(road->chance, ROAD_TIME_MS_MAX) * USEC_MS;
    if (way->last && way->last->at > letter->at)
        letter->at = way->last->at;
    if (way->last)
        way->last->next = letter;
    else
        way->first = letter;
    way->last = letter;
    way->count++;
    return letter;
}

static bool put_record(void *context, unsigned worker, struct view first, struct view second)
{
    struct road *road = context;
    struct way *way = &road->records[worker];
    if (way->count == ROAD_RECORDS_MAX || chance_pick(road->chance, 500) == 0)
        return false;
    struct letter *letter = put(road, way, first.size + second.size);
    road->recorded++;
    memcpy(letter->bytes, first.at, first.size);
    if (second.size)
        memcpy(letter->bytes + first.size, second.at, second.size);
    return true;
}

struct server_road road_way(struct road *road)
{
    return (struct server_road){ put_record, road };
}

void road_take(struct road *road, struct server *server)
{
    struct note *note;
    unsigned to;
    while ((note = server_poll_note(server, &to)) != NULL) {
        assert(to < ROAD_WORKERS_MAX && to != road->from);
        if (chance_of(road->chance, 5)) {
            server_note_again(server, note);
            return;
        }
        put(road, &road->notes[to], 0)->note = note;
        road->noted++;
    }
}

static bool carry(struct road *road, struct way *way, struct server *server)
{
    bool is_busy = false;
    while (way->first && way->first->at <= *road->now) {
        struct letter *letter = take_first(way);
        if (letter->note)
            server_note(server, *road->now, letter->note);
        else
            server_record(server, *road->now, road->from, view_make(letter->bytes, letter->size));
        free(letter);
        is_busy = true;
        if (server_rtc_is_full(server))
            return true; /* the rest follows when it has sent */
    }
    return is_busy;
}

uint32_t road_carry(struct road *road, struct server **servers)
{
    uint32_t busy = 0;
    for (unsigned i = 0; i < ROAD_WORKERS_MAX; i++) {
        if (!servers[i])
            continue;
        bool is_busy = carry(road, &road->notes[i], servers[i]);
        is_busy |= carry(road, &road->records[i], servers[i]);
        busy |= is_busy ? 1u << i : 0;
    }
    return busy;
}
