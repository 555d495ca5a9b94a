/* Offers and answers, where stand-ins take them.  Their destinations name whom they are for and the
 * room, and their bodies who says it; a client is who it says it is when it listens for answers
 * under that name. */
#include "front/standin/standin.h"
#include "front/stomp/stomp.h"
#include "wire/json_text.h"

#include <stdlib.h>
#include <string.h>

#define CALLERS_MAX 4 /* names of one session: pages have one */
#define FORM        VIEW("{\"key\":\"\",\"body\":{\"type\":\"offer\",\"sdp\":\"v=\"}}")

/* A room in which somebody has called, by destinations of one of the configuration's signals. */
struct stage {
    struct standin_room *room;
    uint32_t number; /* of the signals */
    uint32_t key_size;
    uint8_t key[1 + BROKER_ROOM_MAX]; /* the number, and the room's name */
};

/* One who has called or was called there. */
struct caller {
    struct list of_session;
    struct stomp_session *stomp;
    struct standin_client *client;
    struct buffer *form; /* the last that it said: what is told in its place has the same words */
};

struct stomp_standins {
    struct server *server;
    struct stomp_house *house;
    const struct endpoint_config *config;
    struct standins *each; /* one for each of the signals */
    uint32_t count;
    struct map stages_by_key;
    struct pool stages;
    struct pool callers;
    struct span sdp; /* scratch */
};

static struct stage *stage_of(const struct standin_client *client)
{
    return client->room->owner;
}

static struct view room_of(const struct stage *stage)
{
    return view_make(stage->key + 1, stage->key_size - 1);
}

static const struct stomp_signals *signals_of(const struct stomp_standins *standins,
                                              const struct stage *stage)
{
    return &standins->config->stomp.signals[stage->number];
}

/* ---- what is told ---- */

static struct view form_of(const struct caller *caller, const struct caller *far)
{
    if (far->form)
        return buffer_view(far->form);
    return caller->form ? buffer_view(caller->form) : FORM;
}

static void tell(struct server *server, usec now, const struct standin *standin,
                 const struct standin_text *text)
{
    const struct caller *caller = standin->client->owner;
    struct stomp_house *house = caller->stomp->session->endpoint->context;
    const struct stomp_standins *standins = house->standins;
    const struct stage *stage = stage_of(standin->client);
    const struct stomp_signals *signals = signals_of(standins, stage);
    struct stomp_call call = { .server = server,
                               .now = now,
                               .stomp = caller->stomp,
                               .house = house,
                               .config = standins->config };
    struct stomp_route route;
    struct buffer *body;
    if (!standin->far)
        return;
    struct view key = standin_key(standin->far);
    struct view form = form_of(caller, standin->far->owner);
    size_t size = standin_text_size(form, text, key);
    stomp_route_to(text->kind == STANDIN_OFFER ? signals->offer : signals->answer,
                   standin_key(standin->client), room_of(stage), &route);
    if (buffers_take(server->buffers, size, &body) != OK)
        return;
    if (route.kind != ROUTE_NOWHERE &&
        standin_text_write(form, text, key, (struct span){ body->bytes, body->capacity }, &size) ==
            OK)
        stomp_tell(&call, route.destination, view_make(body->bytes, size));
    buffer_give(server->buffers, body);
}

static void name_of(const struct standin *standin, struct media_name *name)
{
    const struct caller *caller = standin->client->owner;
    const struct stage *stage = stage_of(standin->client);
    name->room = stage;
    name->room_name = room_of(stage);
    name->path = view_of(caller->stomp->session->endpoint->config->path);
}

static const struct standin_voice VOICE = { .tell = tell, .name = name_of };

/* ---- the beginning and the end ---- */

static int make(struct server *server, struct stomp_standins *standins)
{
    const struct stomp_config *config = &standins->config->stomp;
    uint32_t clients = standins->config->limits.sessions;
    standins->sdp = (struct span){ malloc(STANDIN_SDP_MAX), STANDIN_SDP_MAX };
    standins->each = calloc(config->signals_count, sizeof *standins->each);
    int status = standins->sdp.at && standins->each ? OK : ERR_MEMORY;
    if (status == OK)
        status = map_init(&standins->stages_by_key, clients, &server->config.random);
    if (status == OK)
        status = pool_init(&standins->stages, sizeof(struct stage), clients);
    if (status == OK)
        status = pool_init(&standins->callers, sizeof(struct caller), clients);
    for (uint32_t i = 0; status == OK && i < config->signals_count; i++) {
        const char *renewed = config->signals[i].renewed;
        const struct standins_config one = {
            .voice = &VOICE,
            .is_each = true,
            .is_renewed = renewed && strcmp(renewed, "true") == 0,
            .clients_max = clients,
        };
        status = standins_init(&standins->each[i], server, &one);
        if (status == OK)
            standins->count++;
    }
    return status;
}

int stomp_standins_new(struct server *server, struct stomp_house *house,
                       const struct endpoint_config *config)
{
    if (config->topology != ENDPOINT_SFU)
        return OK;
    if (!server->sfu)
        return ERR_CONFIG;
    house->standins = calloc(1, sizeof *house->standins);
    if (!house->standins)
        return ERR_MEMORY;
    *house->standins =
        (struct stomp_standins){ .server = server, .house = house, .config = config };
    int status = make(server, house->standins);
    if (status != OK)
        stomp_standins_free(house);
    return status;
}

void stomp_standins_free(struct stomp_house *house)
{
    struct stomp_standins *standins = house->standins;
    if (!standins)
        return;
    for (uint32_t i = 0; i < standins->count; i++)
        standins_free(&standins->each[i]);
    free(standins->each);
    free(standins->sdp.at);
    map_free(&standins->stages_by_key);
    pool_free(&standins->stages);
    pool_free(&standins->callers);
    free(standins);
    house->standins = NULL;
}

/* ---- stages ---- */

static struct view make_key(uint32_t number, struct view room, uint8_t key[1 + BROKER_ROOM_MAX])
{
    key[0] = (uint8_t)number;
    memcpy(key + 1, room.at, room.size);
    return view_make(key, 1 + room.size);
}

/* The stage of a signal's room; NULL: there is no place for it. */
static struct stage *open_stage(struct stomp_standins *standins, const struct stomp_signal *signal)
{
    uint8_t key[1 + BROKER_ROOM_MAX];
    if (signal->room.size > BROKER_ROOM_MAX)
        return NULL;
    struct view name = make_key(signal->number, signal->room, key);
    struct stage *stage = map_find(&standins->stages_by_key, name);
    if (stage)
        return stage;
    stage = pool_take(&standins->stages);
    if (!stage || standin_room_open(&standins->each[signal->number], stage, &stage->room) != OK) {
        pool_give(&standins->stages, stage);
        return NULL;
    }
    stage->number = signal->number;
    stage->key_size = (uint32_t)name.size;
    memcpy(stage->key, key, name.size);
    if (map_add(&standins->stages_by_key, view_make(stage->key, stage->key_size), stage) == OK)
        return stage;
    standin_room_close(stage->room);
    pool_give(&standins->stages, stage);
    return NULL;
}

static void close_if_empty(struct stomp_standins *standins, struct stage *stage)
{
    if (stage->room->client_count > 0)
        return;
    map_remove(&standins->stages_by_key, view_make(stage->key, stage->key_size));
    standin_room_close(stage->room);
    pool_give(&standins->stages, stage);
}

/* ---- callers ---- */

/* Whether the member listens to what is for that key. */
static bool listens(const struct broker_member *member, const char *template, struct view key,
                    struct view room)
{
    struct stomp_route route;
    stomp_route_to(template, key, room, &route);
    for (const struct list *at = member->subscriptions.next; at != &member->subscriptions;
         at = at->next) {
        const struct broker_subscription *one =
            LIST_ENTRY(at, struct broker_subscription, of_member);
        if (view_equal(one->topic->name, route.destination))
            return true;
    }
    return false;
}

/* The session that listens to offers for that key; NULL: none does. */
static struct stomp_session *find_listener(struct stomp_standins *standins, const char *template,
                                           struct view key, struct view room)
{
    struct stomp_route route;
    struct broker_walk walk;
    const struct broker_subscription *one;
    stomp_route_to(template, key, room, &route);
    broker_walk_begin(&standins->house->broker, &walk, route.destination, BROKER_ALL, NULL);
    while ((one = broker_walk_next(&walk)) != NULL)
        if (view_equal(one->topic->name, route.destination))
            return STOMP_OF_MEMBER(one->member);
    return NULL;
}

static uint32_t count_callers(const struct stomp_session *stomp)
{
    uint32_t count = 0;
    for (const struct list *at = stomp->callers.next; at != &stomp->callers; at = at->next)
        count++;
    return count;
}

static struct caller *enter(struct stomp_standins *standins, struct stage *stage,
                            struct stomp_session *stomp, struct view key)
{
    struct caller *caller = NULL;
    if (count_callers(stomp) < CALLERS_MAX)
        caller = pool_take(&standins->callers);
    if (!caller || standin_enter(stage->room, caller, key, &caller->client) != OK) {
        pool_give(&standins->callers, caller);
        return NULL;
    }
    caller->stomp = stomp;
    list_append(&stomp->callers, &caller->of_session);
    return caller;
}

static void leave(struct stomp_standins *standins, usec now, struct caller *caller)
{
    struct stage *stage = stage_of(caller->client);
    list_remove(&caller->of_session);
    standin_leave(caller->client, now);
    buffer_give(standins->server->buffers, caller->form);
    pool_give(&standins->callers, caller);
    close_if_empty(standins, stage);
}

/* Who says it: the session's own, under that key; NULL: it is not the session's. */
static struct caller *find_self(struct stomp_standins *standins, struct stage *stage,
                                struct stomp_session *stomp, struct view key)
{
    const struct stomp_signals *signals = signals_of(standins, stage);
    const struct standin_client *client = standin_find(stage->room, key);
    struct caller *caller = client ? client->owner : NULL;
    if (caller)
        return caller->stomp == stomp ? caller : NULL;
    return key.size && listens(&stomp->member, signals->answer, key, room_of(stage))
               ? enter(standins, stage, stomp, key)
               : NULL;
}

/* Whom it is for; NULL: nobody listens. */
static struct caller *find_other(struct stomp_standins *standins, struct stage *stage,
                                 struct view key)
{
    const struct stomp_signals *signals = signals_of(standins, stage);
    const struct standin_client *client = standin_find(stage->room, key);
    if (client)
        return client->owner;
    struct stomp_session *stomp = find_listener(standins, signals->offer, key, room_of(stage));
    return stomp ? enter(standins, stage, stomp, key) : NULL;
}

/* ---- what clients say ---- */

static void keep_form(struct server *server, struct caller *caller, struct view body)
{
    struct buffer *form;
    if (buffers_take(server->buffers, body.size, &form) != OK)
        return;
    memcpy(form->bytes, body.at, body.size);
    form->size = (uint32_t)body.size;
    buffer_give(server->buffers, caller->form);
    caller->form = form;
}

static bool read_key(struct view body, uint8_t bytes[STANDIN_KEY_MAX], struct view *key)
{
    struct view value;
    return json_text_find(body, VIEW("key"), &value) &&
           json_text_string(value, bytes, STANDIN_KEY_MAX, key) == OK;
}

/* False: it can't be. */
static bool take(struct stomp_call *call, const struct stomp_frame *frame, struct stage *stage,
                 const struct stomp_signal *signal)
{
    struct stomp_standins *standins = call->house->standins;
    enum standin_kind kind = signal->is_answer ? STANDIN_ANSWER : STANDIN_OFFER;
    uint8_t bytes[STANDIN_KEY_MAX];
    struct standin_text text;
    struct view key;
    if (!read_key(frame->body, bytes, &key) ||
        standin_text_read(frame->body, kind, standins->sdp.at, standins->sdp.size, &text) != OK)
        return false;
    struct caller *self = find_self(standins, stage, call->stomp, key);
    struct caller *other = self ? find_other(standins, stage, signal->key) : NULL;
    if (!other || other->stomp == self->stomp)
        return false;
    keep_form(call->server, self, frame->body);
    if (text.kind == STANDIN_ANSWER)
        standin_hear_answer(self->client, call->now, other->client, text.sdp);
    else if (standin_hear_offer(self->client, call->now, other->client, text.sdp))
        standin_invite(other->client, call->now, self->client);
    return true;
}

bool stomp_signal(struct stomp_call *call, const struct stomp_frame *frame, struct view destination)
{
    struct stomp_standins *standins = call->house->standins;
    struct stomp_signal signal;
    if (!standins || !stomp_route_signal(&call->config->stomp, destination, &signal))
        return false;
    if (signal.is_candidate)
        return true;
    struct stage *stage = open_stage(standins, &signal);
    if (!stage || !take(call, frame, stage, &signal))
        metrics_add(call->server->metrics, METRIC_STOMP_DROPPED, 1);
    if (stage)
        close_if_empty(standins, stage);
    return true;
}

/* ---- sessions that go ---- */

void stomp_check_callers(struct stomp_call *call)
{
    struct stomp_session *stomp = call->stomp;
    for (struct list *at = stomp->callers.next; at != &stomp->callers;) {
        struct caller *caller = LIST_ENTRY(at, struct caller, of_session);
        const struct stage *stage = stage_of(caller->client);
        at = at->next;
        if (!listens(&stomp->member, signals_of(call->house->standins, stage)->answer,
                     standin_key(caller->client), room_of(stage)))
            leave(call->house->standins, call->now, caller);
    }
}

void stomp_hang_up(struct server *server, usec now, struct stomp_session *stomp)
{
    const struct stomp_house *house = stomp->session->endpoint->context;
    (void)server;
    while (!list_empty(&stomp->callers))
        leave(house->standins, now, LIST_ENTRY(stomp->callers.next, struct caller, of_session));
}

void stomp_drop_callers(struct server *server, struct stomp_session *stomp)
{
    for (struct list *at = stomp->callers.next; at != &stomp->callers; at = at->next)
        buffer_give(server->buffers, LIST_ENTRY(at, struct caller, of_session)->form);
}
