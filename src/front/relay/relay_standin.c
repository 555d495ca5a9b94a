/* Offers and answers, where stand-ins take them.  A room in which somebody has called is a stage:
 * all who are in it may be called there, and see whoever published last. */
#include "front/relay/relay_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is told ---- */

/* The rule by which an offer's answers go: the next one. */
static const struct rule *answers_of(const struct relay *relay, const struct rule *offer)
{
    const struct rule *end = relay->rules->items + relay->rules->count;
    const struct rule *at = offer;
    while (at < end && at->signal != SIGNAL_ANSWER)
        at++;
    return at < end ? at : offer;
}

/* The stage's form, with another description in it. */
static int write_arguments(struct server *server, const struct relay_stage *stage,
                           const struct standin_text *text, struct buffer **out)
{
    struct view form = buffer_view(stage->form);
    size_t size = standin_text_size(form, text, VIEW(""));
    struct buffer *buffer;
    int status = buffers_take(server->buffers, size, &buffer);
    if (status != OK)
        return status;
    status = standin_text_write(form, text, VIEW(""),
                                (struct span){ buffer->bytes, buffer->capacity }, &size);
    if (status != OK) {
        buffer_give(server->buffers, buffer);
        return status;
    }
    buffer->size = (uint32_t)size;
    *out = buffer;
    return OK;
}

/* As if another had said it, by the rule that its words would go by. */
static void tell(struct server *server, usec now, const struct standin *standin,
                 const struct standin_text *text)
{
    const struct relay_stage *stage = standin->client->room->owner;
    struct relay_party *party = standin->client->owner;
    const struct relay *relay = party->space->relay;
    const struct rule *rule = stage->rule;
    struct buffer *arguments = NULL;
    struct buffer *made = NULL;
    struct relay_event event;
    struct relay_words words;
    words.count = 0;
    words.text = NULL;
    if (text->kind == STANDIN_ANSWER)
        rule = answers_of(relay, rule);
    int status = write_arguments(server, stage, text, &arguments);
    if (status == OK) {
        const struct relay_event in = { .name = view_of(rule->on),
                                        .arguments = buffer_view(arguments),
                                        .is_changed = true };
        status = relay_event_make(server, relay, party, rule, &in, &event, &made);
    }
    if (status == OK)
        status = relay->voice->write(server, party->space, &event, &words);
    if (status == OK) {
        relay_say(server, now, party, &words);
        relay_words_done(server, &words);
    } else {
        metrics_add(server->metrics, METRIC_RELAY_REFUSED, 1);
    }
    buffer_give(server->buffers, made);
    buffer_give(server->buffers, arguments);
}

/* Rooms without a name are those of all, and of those who are in no other. */
static void name_of(const struct standin *standin, struct media_name *name)
{
    const struct relay_stage *stage = standin->client->room->owner;
    const struct relay_party *party = standin->client->owner;
    const struct relay_room *room = stage->of;
    if (!party->session)
        return;
    name->room = room;
    name->path = view_of(party->session->endpoint->config->path);
    if (room->key_size > 0)
        name->room_name = view_slice(view_make(room->key, room->key_size), 4, room->key_size);
    else
        name->room_name = room == &party->space->everyone ? VIEW("*") : VIEW("-");
}

static const struct standin_voice VOICE = { .tell = tell, .name = name_of };

/* ---- the beginning and the end ---- */

int relay_standins_new(struct server *server, struct relay *relay, enum endpoint_topology topology)
{
    const struct standins_config config = { .voice = &VOICE, .clients_max = relay->parties_max };
    if (topology != ENDPOINT_SFU)
        return OK;
    if (!server->sfu)
        return ERR_CONFIG;
    relay->sdp.at = malloc(STANDIN_SDP_MAX);
    relay->sdp.size = STANDIN_SDP_MAX;
    struct standins *standins = calloc(1, sizeof *standins);
    int status = standins && relay->sdp.at ? OK : ERR_MEMORY;
    if (status == OK)
        status = pool_init(&relay->stages, sizeof(struct relay_stage), relay->parties_max);
    if (status == OK)
        status = standins_init(standins, server, &config);
    if (status == OK)
        relay->standins = standins;
    else
        free(standins);
    return status;
}

void relay_standins_free(struct server *server, struct relay *relay)
{
    for (struct list *at = relay->all_stages.next; at != &relay->all_stages; at = at->next)
        buffer_give(server->buffers, LIST_ENTRY(at, struct relay_stage, of_relay)->form);
    if (relay->standins)
        standins_free(relay->standins);
    free(relay->standins);
    free(relay->sdp.at);
    pool_free(&relay->stages);
}

/* ---- stages ---- */

static struct relay_stage *open_stage(struct relay *relay, struct relay_room *room)
{
    struct relay_stage *stage = pool_take(&relay->stages);
    if (!stage || standin_room_open(relay->standins, stage, &stage->room) != OK) {
        pool_give(&relay->stages, stage);
        return NULL;
    }
    stage->of = room;
    room->stage = stage;
    list_append(&relay->all_stages, &stage->of_relay);
    return stage;
}

static void close_stage(struct server *server, struct relay *relay, struct relay_stage *stage)
{
    stage->of->stage = NULL;
    standin_room_close(stage->room);
    list_remove(&stage->of_relay);
    buffer_give(server->buffers, stage->form);
    pool_give(&relay->stages, stage);
}

/* The party on the room's stage; NULL: there is no place for it.  One is on one stage at a time. */
static struct standin_client *enter(struct server *server, usec now, struct relay_party *party,
                                    struct relay_room *room)
{
    struct relay *relay = party->space->relay;
    struct relay_stage *stage = room->stage;
    struct standin_client *client = party->standins;
    if (client && stage && client->room == stage->room)
        return client;
    if (client)
        relay_hang_up(server, now, party, ((const struct relay_stage *)client->room->owner)->of);
    if (!stage)
        stage = open_stage(relay, room);
    if (!stage)
        return NULL;
    if (standin_enter(stage->room, party, VIEW(""), &client) != OK) {
        if (stage->room->client_count == 0)
            close_stage(server, relay, stage);
        return NULL;
    }
    party->standins = client;
    return client;
}

void relay_hang_up(struct server *server, usec now, struct relay_party *party,
                   const struct relay_room *room)
{
    struct standin_client *client = party->standins;
    if (!client)
        return;
    struct standin_room *standins = client->room;
    struct relay_stage *stage = standins->owner;
    if (stage->of != room)
        return;
    party->standins = NULL;
    standin_leave(client, now);
    if (standins->client_count == 0)
        close_stage(server, party->space->relay, stage);
}

/* ---- what parties say ---- */

/* The room that a rule of theirs speaks to; NULL: they are not in it. */
static struct relay_room *room_of(struct relay_party *party, const struct rule *rule,
                                  const struct relay_event *event)
{
    struct relay *relay = party->space->relay;
    uint8_t out[RELAY_ROOM_NAME_MAX];
    struct view name;
    struct relay_room *room = NULL;
    if (rule->to == TO_PATH)
        return &party->space->everyone;
    if (rule->to == TO_ROOM) {
        if (relay_field(event, rule->field, out, &name) == OK)
            room = relay_find_room(relay, party->space, name);
        return room && relay_find_membership(party, room) ? room : NULL;
    }
    if (list_empty(&party->memberships))
        return &party->space->lobby;
    return LIST_ENTRY(party->memberships.next, struct relay_membership, of_party)->room;
}

/* Keeps the words of an offer. */
static bool keep_form(struct server *server, struct relay_stage *stage, const struct rule *rule,
                      struct view arguments)
{
    struct buffer *form;
    if (buffers_take(server->buffers, arguments.size, &form) != OK)
        return false;
    memcpy(form->bytes, arguments.at, arguments.size);
    form->size = (uint32_t)arguments.size;
    buffer_give(server->buffers, stage->form);
    stage->form = form;
    stage->rule = rule;
    return true;
}

static void call_others(struct server *server, usec now, struct standin_client *client,
                        struct relay_room *room)
{
    for (struct list *at = room->memberships.next; at != &room->memberships; at = at->next) {
        struct relay_party *other = LIST_ENTRY(at, struct relay_membership, of_room)->party;
        if (other == client->owner)
            continue;
        struct standin_client *called = enter(server, now, other, room);
        if (called)
            standin_invite(called, now, client);
    }
}

void relay_signal(struct server *server, usec now, struct relay_party *party,
                  const struct rule *rule, const struct relay_event *event)
{
    struct relay *relay = party->space->relay;
    enum standin_kind kind = rule->signal == SIGNAL_ANSWER ? STANDIN_ANSWER : STANDIN_OFFER;
    struct standin_text text;
    struct relay_room *room = NULL;
    struct standin_client *client = NULL;
    if (rule->signal == SIGNAL_CANDIDATE)
        return;
    if (!event->is_binary &&
        standin_text_read(event->arguments, kind, relay->sdp.at, relay->sdp.size, &text) == OK)
        room = room_of(party, rule, event);
    if (room && (room->stage || text.kind == STANDIN_OFFER))
        client = enter(server, now, party, room);
    if (client && text.kind == STANDIN_ANSWER)
        standin_hear_answer(client, now, NULL, text.sdp);
    else if (client && rule->signal == SIGNAL_OFFER &&
             keep_form(server, room->stage, rule, event->arguments)) {
        if (standin_hear_offer(client, now, NULL, text.sdp))
            call_others(server, now, client, room);
    } else {
        metrics_add(server->metrics, METRIC_RELAY_REFUSED, 1);
    }
}

void relay_call(usec now, struct relay_party *party, const struct relay_room *room)
{
    struct relay_stage *stage = room->stage;
    struct standin_client *client;
    struct standin_client *from;
    if (!stage || !stage->rule || stage->rule->keep == KEEP_NOTHING)
        return;
    client = enter(stage->room->standins->server, now, party, stage->of);
    if (client && standin_has_publisher(client, &from))
        standin_invite(client, now, from);
}
