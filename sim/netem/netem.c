#include "netem/netem.h"

#include <assert.h>
#include <string.h>

#include "netem/script.h"

#define WORK_BIT ((uint64_t)1000000) /* at a rate of 1 bit/s, a microsecond does 1 of it */

static uint64_t next_random(struct netem *line)
{
    uint64_t z = line->random_state += 0x9e3779b97f4a7c15u; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool chance(struct netem *line, uint32_t of_a_million)
{
    return of_a_million > 0 && next_random(line) % NETEM_ALL < of_a_million;
}

static struct netem_packet *first_of(const struct list *list)
{
    return list_empty(list) ? NULL : LIST_ENTRY(list->next, struct netem_packet, node);
}

static uint64_t size_of(const struct netem *line, const struct netem_packet *packet)
{
    return packet->size + line->overhead;
}

int netem_store_init(struct pool *store, uint32_t packets_max)
{
    return pool_init(store, sizeof(struct netem_packet), packets_max);
}

void netem_init(struct netem *line, struct pool *store, uint64_t seed, uint32_t overhead, usec now)
{
    *line = (struct netem){ .store = store,
                            .overhead = overhead,
                            .random_state = seed * 0x2545f4914f6cdd1du + 1,
                            .now = now };
    list_init(&line->queue);
    list_init(&line->way);
}

void netem_give(struct netem *line, struct netem_packet *packet)
{
    pool_give(line->store, packet);
}

static void give_all(struct netem *line, struct list *list)
{
    for (struct netem_packet *packet; (packet = first_of(list));) {
        list_remove(&packet->node);
        netem_give(line, packet);
    }
}

void netem_free(struct netem *line)
{
    give_all(line, &line->queue);
    give_all(line, &line->way);
    line->queue_count = line->way_count = 0;
    line->queued = line->work = 0;
}

/* ---- behind the bottleneck ---- */

static void go_way(struct netem *line, usec now, struct netem_packet *packet)
{
    const struct netem_setting *setting = &line->setting;
    struct list *behind = &line->way;
    packet->at = now + setting->delay;
    if (setting->jitter)
        packet->at += next_random(line) % (setting->jitter + 1);
    if (chance(line, setting->reorder)) {
        packet->at += setting->reorder_by;
    } else if (!setting->reorders) {
        packet->at = packet->at > line->last_at ? packet->at : line->last_at;
        line->last_at = packet->at;
    }
    while (behind->prev != &line->way &&
           LIST_ENTRY(behind->prev, struct netem_packet, node)->at > packet->at)
        behind = behind->prev;
    list_append(behind, &packet->node);
    line->way_count++;
}

static bool is_lost(struct netem *line)
{
    const struct netem_setting *setting = &line->setting;
    if (chance(line, line->is_bad ? setting->burst_end : setting->burst_begin))
        line->is_bad = !line->is_bad;
    return line->is_bad || chance(line, setting->loss);
}

static void pass(struct netem *line, usec now, struct netem_packet *packet)
{
    line->counts.bytes += size_of(line, packet);
    if (is_lost(line)) {
        line->counts.lost++;
        netem_give(line, packet);
        return;
    }
    struct netem_packet *copy =
        chance(line, line->setting.duplicate) ? pool_take(line->store) : NULL;
    if (copy) {
        memcpy(copy, packet, offsetof(struct netem_packet, bytes) + packet->size);
        list_init(&copy->node);
        line->counts.doubled++;
        go_way(line, now, copy);
    }
    go_way(line, now, packet);
}

/* ---- the queue ---- */

/* When the first of the queue has been sent. */
static usec sent_at(const struct netem *line)
{
    uint64_t rate = line->setting.rate_bps;
    if (line->queue_count == 0)
        return USEC_NEVER;
    return rate == 0 ? line->work_at : line->work_at + (line->work + rate - 1) / rate;
}

/* It has been, at `at`: what is left of that microsecond is the next one's. */
static void send_first(struct netem *line, usec at)
{
    struct netem_packet *packet = first_of(&line->queue);
    uint64_t credit = (at - line->work_at) * line->setting.rate_bps - line->work;
    credit = line->setting.rate_bps ? credit : 0;
    list_remove(&packet->node);
    line->queue_count--;
    line->queued -= size_of(line, packet);
    pass(line, at, packet);
    line->work_at = at;
    line->work = 0;
    packet = first_of(&line->queue);
    if (!packet)
        return;
    uint64_t work = size_of(line, packet) * 8 * WORK_BIT;
    line->work = work > credit ? work - credit : 0;
}

static void work_until(struct netem *line, usec now)
{
    for (usec at; (at = sent_at(line)) <= now;)
        send_first(line, at);
    if (line->queue_count > 0) {
        line->work -= (now - line->work_at) * line->setting.rate_bps;
        line->work_at = now;
    }
}

/* ---- time ---- */

static usec step_at(const struct netem *line)
{
    if (!line->script || line->step >= line->script->count)
        return USEC_NEVER;
    return line->script_from + line->script->steps[line->step].at;
}

static void go_on(struct netem *line, usec now)
{
    assert(now >= line->now);
    for (usec at; (at = step_at(line)) <= now; line->step++) {
        work_until(line, at > line->now ? at : line->now);
        line->now = at > line->now ? at : line->now;
        netem_step_apply(&line->script->steps[line->step], &line->setting);
    }
    work_until(line, now);
    line->now = now;
}

void netem_set(struct netem *line, usec now, const struct netem_setting *setting)
{
    assert(setting->rate_bps <= NETEM_RATE_MAX);
    go_on(line, now);
    line->setting = *setting;
}

void netem_follow(struct netem *line, usec now, const struct netem_script *script, usec from)
{
    go_on(line, now);
    line->script = script;
    line->script_from = from;
    line->step = 0;
    go_on(line, now);
}

usec netem_until(const struct netem *line)
{
    const struct netem_packet *packet = first_of(&line->way);
    usec until = sent_at(line);
    if (packet && packet->at < until)
        until = packet->at;
    /* a step matters only to what is waiting */
    if (line->queue_count > 0 && step_at(line) < until)
        until = step_at(line);
    return until;
}

/* ---- packets ---- */

static usec queue_time(const struct netem *line)
{
    const struct netem_packet *first = first_of(&line->queue);
    if (!first || line->setting.rate_bps == 0)
        return 0;
    uint64_t bytes = line->queued - size_of(line, first);
    return (line->work + bytes * 8 * WORK_BIT) / line->setting.rate_bps;
}

usec netem_queue_time(const struct netem *line, usec now)
{
    usec time = queue_time(line);
    usec passed = now - line->now;
    return time > passed ? time - passed : 0;
}

static bool is_full(const struct netem *line, size_t size)
{
    const struct netem_setting *setting = &line->setting;
    if (setting->rate_bps == 0)
        return false;
    return (setting->queue_bytes && line->queued + size + line->overhead > setting->queue_bytes) ||
           (setting->queue_time && queue_time(line) > setting->queue_time);
}

bool netem_send(struct netem *line, usec now, struct view bytes, uint64_t tag)
{
    assert(bytes.size <= NETEM_PACKET_MAX);
    go_on(line, now);
    line->counts.sent++;
    if (line->setting.is_blocked) {
        line->counts.lost++;
        return false;
    }
    struct netem_packet *packet = is_full(line, bytes.size) ? NULL : pool_take(line->store);
    if (!packet) {
        line->counts.overflowed++;
        return false;
    }
    packet->sent_at = now;
    packet->tag = tag;
    packet->size = (uint16_t)bytes.size;
    if (bytes.size)
        memcpy(packet->bytes, bytes.at, bytes.size);
    list_init(&packet->node);
    if (line->queue_count == 0) {
        line->work = size_of(line, packet) * 8 * WORK_BIT;
        line->work_at = now;
    }
    list_append(&line->queue, &packet->node);
    line->queue_count++;
    line->queued += size_of(line, packet);
    work_until(line, now);
    return true;
}

struct netem_packet *netem_take(struct netem *line, usec now)
{
    go_on(line, now);
    struct netem_packet *packet = first_of(&line->way);
    if (!packet || packet->at > now)
        return NULL;
    list_remove(&packet->node);
    line->way_count--;
    line->counts.arrived++;
    return packet;
}
