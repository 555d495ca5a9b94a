/* Parties come, speak and go: which rules are carried out. */
#include "front/relay/relay_inside.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERSHIPS_MAX ((uint64_t)1 << 20)
#define KEPT_MAX        ((uint64_t)1 << 18)

/* ---- the relay ---- */

static bool is_name(struct view on)
{
    return !view_equal(on, VIEW("*")) && !view_equal(on, VIEW("open")) &&
           !view_equal(on, VIEW("close"));
}

static void learn_rules(struct relay *relay)
{
    for (uint32_t i = 0; i < relay->rules->count; i++) {
        const struct rule *rule = &relay->rules->items[i];
        relay->names[i] = view_of(rule->on);
        /* a name also stays where fields are picked */
        relay->reads_names |= is_name(relay->names[i]) || rule->pick_count > 0;
        relay->has_rooms |= rule->join != NULL;
        relay->has_peers |= rule->to == TO_PEER;
        relay->keeps |= rule->keep != KEEP_NOTHING;
    }
}

static bool amplifies(const struct rules *rules)
{
    for (uint32_t i = 0; i < rules->count; i++)
        if (rules->items[i].amplify)
            return true;
    return false;
}

static uint32_t product(uint32_t a, uint32_t b, uint64_t most)
{
    uint64_t all = (uint64_t)a * b;
    if (all > most)
        all = most;
    return all ? (uint32_t)all : 1;
}

/* Memory for what the rules make use of. */
static int make_pools(struct server *server, struct relay *relay)
{
    const struct random *random = &server->config.random;
    uint32_t parties = relay->parties_max;
    int status = OK;
    if (relay->has_rooms) {
        status = pool_init(&relay->rooms, sizeof(struct relay_room), parties);
        if (status == OK)
            status = map_init(&relay->rooms_by_key, parties, random);
        if (status == OK)
            status = pool_init(&relay->memberships, sizeof(struct relay_membership),
                               product(parties, relay->limits->rooms, MEMBERSHIPS_MAX));
    }
    if (status == OK && relay->has_peers)
        status = map_init(&relay->parties, parties, random);
    if (status == OK && relay->keeps)
        status = pool_init(&relay->kept, sizeof(struct relay_kept),
                           product(parties, relay->limits->kept, KEPT_MAX));
    if (status == OK && amplifies(relay->rules)) {
        relay->letters = malloc(RELAY_LETTERS_MAX);
        if (!relay->letters)
            return ERR_MEMORY;
        memset(relay->letters, 'x', RELAY_LETTERS_MAX);
    }
    return status;
}

int relay_new(struct server *server, const struct endpoint *endpoint,
              const struct relay_voice *voice, uint32_t parties_max, struct relay **out)
{
    const struct endpoint_config *config = endpoint->config;
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return ERR_MEMORY;
    *relay = (struct relay){
        .rules = &config->rules,
        .limits = &config->limits,
        .voice = voice,
        .kept_memory_max = server->config.buffer_bytes / 4,
        .parties_max = parties_max,
    };
    list_init(&relay->all_kept);
    list_init(&relay->all_stages);
    int status = ERR_MEMORY;
    relay->names = calloc(config->rules.count + 1u, sizeof *relay->names);
    if (relay->names) {
        learn_rules(relay);
        status = make_pools(server, relay);
        if (status == OK)
            status = relay_standins_new(server, relay, config->topology);
    }
    if (status != OK) {
        relay_free(server, relay);
        return status;
    }
    *out = relay;
    return OK;
}

void relay_free(struct server *server, struct relay *relay)
{
    if (!relay)
        return;
    for (struct list *at = relay->all_kept.next; at != &relay->all_kept; at = at->next)
        buffer_give(server->buffers, LIST_ENTRY(at, struct relay_kept, of_relay)->body);
    metrics_subtract(server->metrics, METRIC_RELAY_KEPT, relay->kept.used);
    metrics_subtract(server->metrics, METRIC_RELAY_ROOMS, relay->rooms.used);
    relay_standins_free(server, relay);
    pool_free(&relay->rooms);
    pool_free(&relay->memberships);
    pool_free(&relay->kept);
    map_free(&relay->rooms_by_key);
    map_free(&relay->parties);
    free(relay->letters);
    free(relay->names);
    free(relay);
}

bool relay_reads_names(const struct relay *relay)
{
    return relay->reads_names;
}

void relay_space_init(struct relay_space *space, struct relay *relay, void *context)
{
    *space =
        (struct relay_space){ .relay = relay, .context = context, .number = relay->space_count++ };
    relay_room_init(&space->everyone);
    relay_room_init(&space->lobby);
}

/* ---- rules ---- */

static void refuse(struct server *server)
{
    metrics_add(server->metrics, METRIC_RELAY_REFUSED, 1);
}

static bool join(struct server *server, usec now, struct relay_party *party, const char *field,
                 const struct relay_event *event)
{
    uint8_t out[RELAY_ROOM_NAME_MAX];
    struct view name;
    if (relay_field(event, field, out, &name) == OK && relay_join(server, now, party, name) == OK)
        return true;
    refuse(server);
    return false;
}

static void quit(struct server *server, usec now, struct relay_party *party, const char *field,
                 const struct relay_event *event)
{
    uint8_t out[RELAY_ROOM_NAME_MAX];
    struct view name;
    const struct relay_room *room = NULL;
    if (strcmp(field, "*") == 0) {
        relay_quit(server, now, party, NULL);
        return;
    }
    if (relay_field(event, field, out, &name) == OK)
        room = relay_find_room(party->space->relay, party->space, name);
    if (room)
        relay_quit(server, now, party, room);
    else
        refuse(server);
}

/* To whom it is meant for, or to those who stand in their places. */
static void carry_on(struct server *server, usec now, struct relay_party *party,
                     const struct rule *rule, const struct relay_event *event)
{
    if (rule->signal != SIGNAL_NOTHING && party->space->relay->standins)
        relay_signal(server, now, party, rule, event);
    else
        relay_tell(server, now, party, rule, event);
}

/* A rule that joins moves: out of rooms and into the other, and then those are told.  One that only
 * leaves tells those who stay, and then leaves. */
static void carry_out(struct server *server, usec now, struct relay_party *party,
                      const struct rule *rule, const struct relay_event *event)
{
    bool has_joined = true;
    if (rule->join) {
        if (rule->leave)
            quit(server, now, party, rule->leave, event);
        has_joined = join(server, now, party, rule->join, event);
        relay_come_back(server, now, party);
    }
    if (!has_joined)
        return;
    if (rule->when == WHEN_ALWAYS || (rule->when == WHEN_OTHERS) == relay_has_others(party))
        carry_on(server, now, party, rule, event);
    if (rule->leave && !rule->join) {
        quit(server, now, party, rule->leave, event);
        relay_come_back(server, now, party);
    }
    if (rule->close && party->session)
        session_close(server, party->session, rule->close, rule->reason ? rule->reason : "");
}

/* Carries out the rules that are on that name; false: none is. */
static bool carry_out_all(struct server *server, usec now, struct relay_party *party,
                          struct view name, const struct relay_event *event, bool *acknowledge)
{
    const struct relay *relay = party->space->relay;
    bool is_named = false;
    for (uint32_t i = 0; i < relay->rules->count; i++) {
        if (!view_equal(relay->names[i], name))
            continue;
        is_named = true;
        *acknowledge |= relay->rules->items[i].acknowledge;
        carry_out(server, now, party, &relay->rules->items[i], event);
    }
    return is_named;
}

/* ---- parties ---- */

static void come_or_go(struct server *server, usec now, struct relay_party *party, struct view name)
{
    struct relay_event event = { .name = name, .arguments = party->auth };
    bool acknowledge = false;
    carry_out_all(server, now, party, name, &event, &acknowledge);
}

int relay_enter(struct server *server, usec now, struct relay_space *space,
                struct relay_party *party)
{
    struct relay *relay = space->relay;
    if (relay->party_count == relay->parties_max)
        return ERR_LIMIT;
    if (relay->has_peers && map_add(&relay->parties, party->id, party) != OK)
        return ERR_LIMIT;
    relay->party_count++;
    party->space = space;
    list_init(&party->memberships);
    relay_come_in(party, &party->in_everyone, &space->everyone);
    relay_come_in(party, &party->in_lobby, &space->lobby);
    come_or_go(server, now, party, VIEW("open"));
    relay_tell_kept(server, now, party, &space->everyone);
    if (party->room_count == 0)
        relay_tell_kept(server, now, party, &space->lobby);
    return OK;
}

void relay_leave(struct server *server, usec now, struct relay_party *party)
{
    if (!party->space)
        return;
    struct relay *relay = party->space->relay;
    come_or_go(server, now, party, VIEW("close"));
    if (relay->has_peers)
        map_remove(&relay->parties, party->id);
    relay_quit(server, now, party, NULL);
    if (party->in_lobby.room)
        relay_go_out(server, now, relay, &party->in_lobby);
    relay_go_out(server, now, relay, &party->in_everyone);
    party->space = NULL;
    relay->party_count--;
}

bool relay_hear(struct server *server, usec now, struct relay_party *party,
                const struct relay_event *event)
{
    struct view name = event->name;
    bool acknowledge = false;
    bool is_own = view_equal(name, VIEW("open")) || view_equal(name, VIEW("close"));
    if (is_own || !name.size || !carry_out_all(server, now, party, name, event, &acknowledge))
        carry_out_all(server, now, party, VIEW("*"), event, &acknowledge);
    return acknowledge;
}
