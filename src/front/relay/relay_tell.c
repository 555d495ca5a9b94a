/* One rule: whom it reaches, and what they are told. */
#include "front/relay/relay_inside.h"

void relay_say(struct server *server, usec now, struct relay_party *party,
               struct relay_words *words)
{
    const struct relay_voice *voice = party->space->relay->voice;
    if (voice->tell) {
        voice->tell(server, now, party, words);
        return;
    }
    for (uint32_t i = 0; i < words->count && party->session; i++)
        session_send(server, now, party->session, &words->messages[i]);
}

void relay_words_done(struct server *server, struct relay_words *words)
{
    for (uint32_t i = 0; i < words->count; i++)
        message_done(server, &words->messages[i]);
    buffer_give(server->buffers, words->text);
}

/* ---- the rooms that a rule speaks to ---- */

/* The rooms of the party in turn, the lobby when it has none; NULL: that was the last. */
static struct relay_membership *next_of_own(struct relay_party *party,
                                            struct relay_membership *last)
{
    struct list *at = last ? last->of_party.next : party->memberships.next;
    if (last == &party->in_lobby)
        return NULL;
    if (at != &party->memberships)
        return LIST_ENTRY(at, struct relay_membership, of_party);
    return last ? NULL : &party->in_lobby;
}

bool relay_has_others(const struct relay_party *party)
{
    struct relay_party *self = (struct relay_party *)party;
    for (struct relay_membership *own = next_of_own(self, NULL); own; own = next_of_own(self, own))
        if (own->room->count > 1)
            return true;
    return false;
}

/* ---- telling ---- */

/* What is under way: the words are written when the first hears them. */
struct telling {
    struct server *server;
    usec now;
    struct relay_party *from;
    const struct rule *rule;
    const struct relay_event *in;
    struct buffer *made;
    struct relay_words words;
    bool is_written;
    bool has_failed;
};

static bool write_words(struct telling *telling)
{
    struct relay *relay = telling->from->space->relay;
    struct relay_event out;
    if (telling->is_written || telling->has_failed)
        return !telling->has_failed;
    telling->words.count = 0;
    telling->words.text = NULL;
    int status = relay_event_make(telling->server, relay, telling->from, telling->rule, telling->in,
                                  &out, &telling->made);
    if (status == OK)
        status = relay->voice->write(telling->server, telling->from->space, &out, &telling->words);
    telling->is_written = status == OK;
    telling->has_failed = status != OK;
    return telling->is_written;
}

static void tell_party(struct telling *telling, struct relay_party *party)
{
    if (party->told == party->space->relay->told || !write_words(telling))
        return;
    party->told = party->space->relay->told;
    relay_say(telling->server, telling->now, party, &telling->words);
}

static void tell_room(struct telling *telling, const struct relay_room *room)
{
    const struct list *all = &room->memberships;
    for (const struct list *at = all->next; at != all; at = at->next)
        tell_party(telling, LIST_ENTRY(at, struct relay_membership, of_room)->party);
}

static void keep_in(struct telling *telling, struct relay_membership *membership)
{
    enum rule_keep keep = telling->rule->keep;
    if (keep != KEEP_NOTHING && membership && write_words(telling))
        relay_keep(telling->server, telling->from->space->relay, membership, keep, &telling->words);
}

static void tell_own_rooms(struct telling *telling, bool is_heard)
{
    struct relay_party *from = telling->from;
    for (struct relay_membership *own = next_of_own(from, NULL); own;
         own = next_of_own(from, own)) {
        if (is_heard)
            tell_room(telling, own->room);
        keep_in(telling, own);
    }
}

static void tell_named_room(struct telling *telling)
{
    struct relay_party *from = telling->from;
    uint8_t out[RELAY_ROOM_NAME_MAX];
    struct view name;
    if (relay_field(telling->in, telling->rule->field, out, &name) != OK) {
        telling->has_failed = true;
        return;
    }
    const struct relay_room *room = relay_find_room(from->space->relay, from->space, name);
    if (!room)
        return;
    tell_room(telling, room);
    keep_in(telling, relay_find_membership(from, room));
}

static void tell_peer(struct telling *telling)
{
    const struct relay_party *from = telling->from;
    uint8_t out[RELAY_ROOM_NAME_MAX];
    struct view id;
    struct relay_party *peer = NULL;
    if (relay_field(telling->in, telling->rule->field, out, &id) == OK)
        peer = map_find(&from->space->relay->parties, id);
    if (peer && peer->space == from->space)
        tell_party(telling, peer);
    else
        telling->has_failed = true;
}

void relay_tell(struct server *server, usec now, struct relay_party *party, const struct rule *rule,
                const struct relay_event *in)
{
    struct telling telling;
    telling.server = server; /* the words are large, and most of them unused */
    telling.now = now;
    telling.from = party;
    telling.rule = rule;
    telling.in = in;
    telling.made = NULL;
    telling.is_written = false;
    telling.has_failed = false;

    struct relay *relay = party->space->relay;
    relay->told++;
    if (rule->to != TO_SENDER && rule->to != TO_ALL && rule->to != TO_PEER)
        party->told = relay->told; /* as if it had heard */
    switch (rule->to) {
    case TO_NOBODY:
        tell_own_rooms(&telling, false);
        break;
    case TO_SENDER:
        tell_party(&telling, party);
        break;
    case TO_OTHERS:
    case TO_ALL:
        tell_own_rooms(&telling, true);
        break;
    case TO_PATH:
        tell_room(&telling, &party->space->everyone);
        keep_in(&telling, &party->in_everyone);
        break;
    case TO_ROOM:
        tell_named_room(&telling);
        break;
    case TO_PEER:
        tell_peer(&telling);
        break;
    }
    if (telling.has_failed)
        metrics_add(server->metrics, METRIC_RELAY_REFUSED, 1);
    if (telling.is_written)
        relay_words_done(server, &telling.words);
    buffer_give(server->buffers, telling.made);
}
