#include "guest.h"

#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const TOPOLOGIES[] = {
    [KNOWS_BOTH] = "\"mesh\",\"sfu\"",
    [KNOWS_MESH] = "\"mesh\"",
    [KNOWS_SFU] = "\"sfu\"",
};

static void forget_sent(struct guest *guest, uint64_t id)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < guest->outbox_count; i++) {
        if (guest->outbox[i].id <= id)
            free(guest->outbox[i].text);
        else
            guest->outbox[kept++] = guest->outbox[i];
    }
    guest->outbox_count = kept;
}

void guest_init(struct guest *guest, const struct guest_config *config, unsigned number)
{
    struct net *net = config->net;
    memset(guest, 0, sizeof *guest);
    guest->world = config->world;
    guest->net = net;
    guest->config = config;
    guest->number = number;
    guest->act_at = net->now + net_pick(net, 3000) * USEC_MS;
    guest->is_on[0] = guest->is_on[1] = true;
    link_init(&guest->link, config->world, number + 1);
    far_init(&guest->far, net, number, config->context, config->engine);
    if (config->has_odd && net_chance(net, 30))
        guest->knows = net_chance(net, 30) ? KNOWS_MESH : KNOWS_SFU;
    guest->was_odd = guest->knows != KNOWS_BOTH;
    guest->is_poor = net_chance(net, 20);
    guest->has_camera = net_chance(net, 85);
}

void guest_free(struct guest *guest)
{
    forget_sent(guest, UINT64_MAX);
    link_free(&guest->link);
    far_end(&guest->far);
}

/* ---- sending ---- */

static void send_text(struct guest *guest, const char *text)
{
    link_frame(&guest->link, WEBSOCKET_TEXT, view_of(text));
}

void guest_say(struct guest *guest, const char *type, const char *rest)
{
    static char text[GUEST_MESSAGE_MAX];
    if (guest->outbox_count == GUEST_OUTBOX_MAX) {
        net_fail(guest->net, "%u says too much at once", guest->number);
        return;
    }
    uint64_t id = ++guest->next_id;
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%llu%s}", type, (unsigned long long)id,
             rest);
    guest->outbox[guest->outbox_count++] = (struct guest_sent){ id, strdup(text) };
    if (guest->state == GUEST_IN)
        send_text(guest, text);
}

/* Nothing is left of the session on this side. */
static void forget_session(struct guest *guest)
{
    guest->has_session = false;
    guest->member = 0;
    guest->next_id = 0;
    forget_sent(guest, UINT64_MAX);
    memset(guest->people, 0, sizeof guest->people);
    memset(guest->is_gone, 0, sizeof guest->is_gone);
    guest_drop_media(guest);
}

static void let_go(struct guest *guest, bool politely, bool silently)
{
    link_drop(&guest->link, politely, silently);
    guest->state = GUEST_OUT;
    guest->offer.was_cut = true;
}

static void join(struct guest *guest)
{
    char text[300];
    bool is_same = guest->names > 0 && net_chance(guest->net, 30);
    guest->names += !is_same;
    snprintf(guest->room, sizeof guest->room, "r%u",
             net_pick(guest->net, guest->config->room_count));
    snprintf(guest->name, sizeof guest->name, "g%u.%u", guest->number, guest->names);
    snprintf(text, sizeof text,
             "{\"type\":\"join\",\"version\":1,\"room\":\"%s\",\"name\":\"%s\",\"audio\":%s,"
             "\"video\":%s,\"topologies\":[%s]}",
             guest->room, guest->name, guest->is_on[0] ? "true" : "false",
             guest->is_on[1] ? "true" : "false", TOPOLOGIES[guest->knows]);
    guest->has_joined_off = !guest->is_on[0] || !guest->is_on[1];
    send_text(guest, text);
}

static void enter(struct guest *guest)
{
    char text[300];
    guest->state = GUEST_ENTERING;
    if (!guest->has_session) {
        join(guest);
        return;
    }
    snprintf(text, sizeof text,
             "{\"type\":\"resume\",\"version\":1,\"room\":\"%s\",\"session\":\"%s\",\"seq\":%llu}",
             guest->room, guest->secret, (unsigned long long)guest->seq);
    send_text(guest, text);
}

/* ---- what it hears ---- */

static uint32_t number_of_id(const char *id)
{
    return id && id[0] == 'm' ? (uint32_t)strtoul(id + 1, NULL, 10) : 0;
}

static void note_member(struct guest *guest, const cJSON *member)
{
    uint32_t number = number_of_id(cJSON_GetStringValue(cJSON_GetObjectItem(member, "id")));
    unsigned who = far_of_name(cJSON_GetStringValue(cJSON_GetObjectItem(member, "name")));
    if (number == 0 || number >= GUEST_MEMBERS_MAX || who >= NET_FARS_MAX)
        net_fail(guest->net, "%u was told of nobody", guest->number);
    else
        guest->people[number] = (uint8_t)(who + 1);
    guest->crowd_at = guest->net->now;
}

static void forget_member(struct guest *guest, const cJSON *message)
{
    uint32_t number = number_of_id(cJSON_GetStringValue(cJSON_GetObjectItem(message, "member")));
    if (number == 0 || number >= GUEST_MEMBERS_MAX || !guest->people[number] ||
        guest->is_gone[number])
        net_fail(guest->net, "%u was told that nobody left", guest->number);
    else
        guest->is_gone[number] = true;
    guest->crowd_at = guest->net->now;
}

static bool is_topology(const cJSON *message, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(message, "topology"));
    return text && strcmp(text, name) == 0;
}

static void on_welcome(struct guest *guest, const cJSON *message)
{
    const cJSON *member;
    guest->member = number_of_id(cJSON_GetStringValue(cJSON_GetObjectItem(message, "you")));
    snprintf(guest->secret, sizeof guest->secret, "%s",
             cJSON_GetStringValue(cJSON_GetObjectItem(message, "session")));
    if (guest->state != GUEST_ENTERING || guest->has_session || guest->member == 0 ||
        json_get_number(message, "seq", &guest->seq) != OK)
        return net_fail(guest->net, "%u was welcomed wrongly", guest->number);
    cJSON_ArrayForEach(member, cJSON_GetObjectItem(message, "members"))
    {
        note_member(guest, member);
    }
    guest->has_session = true;
    guest->crowd_at = guest->net->now;
    guest->state = GUEST_IN;
    guest->joins++;
    guest_join_media(guest, is_topology(message, "sfu"));
    if (guest->is_calm && guest->has_joined_off)
        guest_tell_media(guest); /* it became calm while it was on its way in */
}

static void on_resumed(struct guest *guest, const cJSON *message)
{
    uint64_t received = 0;
    if (guest->state != GUEST_ENTERING || json_get_number(message, "received", &received) != OK)
        return net_fail(guest->net, "%u was taken back wrongly", guest->number);
    guest->state = GUEST_IN;
    guest->resumes++;
    guest->offer_at = guest->net->now;
    forget_sent(guest, received);
    for (unsigned i = 0; i < guest->outbox_count; i++)
        send_text(guest, guest->outbox[i].text);
}

static void on_error(struct guest *guest, const cJSON *message)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItem(message, "code"));
    const char *re = cJSON_GetStringValue(cJSON_GetObjectItem(message, "re"));
    bool is_asked = re && (strcmp(re, "sfu-why") == 0 || strcmp(re, "sfu-quality") == 0);
    if (code && re && (is_asked || strcmp(re, "sfu-wish") == 0) && strcmp(code, "no-sfu") == 0)
        return; /* it has ended meanwhile */
    if (code && is_asked && strcmp(code, "too-often") == 0)
        return;
    if (code && re && strcmp(re, "sfu-offer") == 0) {
        guest_hear_refusal(guest, code);
    } else if (code && strcmp(code, "session-lost") == 0) {
        forget_session(guest);
        join(guest);
    } else if (code && (strcmp(code, "room-full") == 0 || strcmp(code, "no-topology") == 0 ||
                        strcmp(code, "name-taken") == 0)) {
        guest->knows = KNOWS_BOTH;
        let_go(guest, true, false);
        guest->act_at = guest->net->now + net_pick(guest->net, 1000) * USEC_MS;
    } else {
        net_fail(guest->net, "%u was refused: %s", guest->number, code ? code : "");
    }
}

/* Whatever holds meanwhile, there is one word for it. */
static void on_why(const struct guest *guest, const cJSON *why)
{
    const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItem(why, "verdict"));
    if (!verdict || !cJSON_IsArray(cJSON_GetObjectItem(why, "received")))
        net_fail(guest->net, "%u is not told why", guest->number);
}

/* An event of the room's. */
static void on_event(struct guest *guest, const cJSON *message, const char *type)
{
    uint64_t seq = 0;
    if (guest->state != GUEST_IN || json_get_number(message, "seq", &seq) != OK ||
        seq <= guest->seq)
        return net_fail(guest->net, "%u heard %s out of its turn", guest->number, type);
    guest->seq = seq;
    if (strcmp(type, "member-joined") == 0)
        note_member(guest, cJSON_GetObjectItem(message, "member"));
    else if (strcmp(type, "member-left") == 0)
        forget_member(guest, message);
    else if (strcmp(type, "topology") == 0)
        guest_join_media(guest, is_topology(message, "sfu"));
    else
        guest_hear_media(guest, type, message);
}

static void on_text(struct guest *guest, struct view text)
{
    cJSON *message = NULL;
    uint64_t id = 0;
    if (json_read_object(text, &message) != OK)
        return net_fail(guest->net, "%u heard what is no JSON", guest->number);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(message, "type"));
    if (strcmp(type, "welcome") == 0)
        on_welcome(guest, message);
    else if (strcmp(type, "resumed") == 0)
        on_resumed(guest, message);
    else if (strcmp(type, "error") == 0)
        on_error(guest, message);
    else if (strcmp(type, "ack") == 0 && json_get_number(message, "id", &id) == OK)
        forget_sent(guest, id);
    else if (strcmp(type, "sfu-state") == 0 || strcmp(type, "speakers") == 0)
        guest->states++; /* is no event, and told whenever it may be news */
    else if (strcmp(type, "sfu-wanted") == 0)
        guest_hear_wanted(guest, message); /* nor is this */
    else if (strcmp(type, "sfu-why") == 0)
        on_why(guest, cJSON_GetObjectItem(message, "why"));
    else
        on_event(guest, message, type);
    cJSON_Delete(message);
}

static void hear(struct guest *guest)
{
    struct link_event event;
    while (link_poll(&guest->link, &event)) {
        if (event.kind == LINK_OPENED) {
            enter(guest);
        } else if (event.kind == LINK_TEXT) {
            on_text(guest, event.body);
        } else {
            let_go(guest, false, false);
            guest->act_at = guest->net->now + net_pick(guest->net, 500) * USEC_MS;
        }
    }
}

void guest_turn(struct guest *guest)
{
    if (guest->state == GUEST_DONE)
        return;
    hear(guest);
    guest->far.awaits_answer = guest->offer.is_under_way;
    far_turn(&guest->far);
    if (guest->state == GUEST_OUT && guest->act_at <= guest->net->now) {
        if (guest->is_leaving) {
            guest->state = GUEST_DONE;
            return;
        }
        guest->state = GUEST_OPENING;
        link_upgrade(&guest->link, "/api/v1/meet");
    }
    if (guest->state == GUEST_IN && !guest->is_leaving)
        guest_mend(guest);
}

/* ---- what befalls it ---- */

static void leave(struct guest *guest)
{
    send_text(guest, "{\"type\":\"leave\"}");
    forget_session(guest);
    let_go(guest, true, false);
    guest->act_at = guest->net->now + net_pick(guest->net, 4000) * USEC_MS;
}

static void crash(struct guest *guest)
{
    guest->crashes++;
    forget_session(guest);
    let_go(guest, false, true);
    /* when it is back, nothing that it sent is under way any more */
    guest->act_at = guest->net->now + (1000 + net_pick(guest->net, 8000)) * USEC_MS;
}

/* Its WebSocket breaks, seldom for longer than its place is kept. */
static void lose_link(struct guest *guest)
{
    uint32_t most_ms = net_chance(guest->net, 5) ? 40000 : 4000;
    let_go(guest, false, net_chance(guest->net, 30));
    guest->act_at = guest->net->now + net_pick(guest->net, most_ms) * USEC_MS;
}

/* Its UDP, seldom for longer than consent lasts. */
static void lose_network(struct guest *guest)
{
    uint32_t time_ms = net_pick(guest->net, 3000) + (net_chance(guest->net, 15) ? 31000 : 0);
    guest->net->dead_until[guest->number] = guest->net->now + time_ms * USEC_MS;
}

static void toggle(struct guest *guest)
{
    unsigned kind = net_pick(guest->net, 2);
    guest->is_on[kind] = !guest->is_on[kind];
    guest_tell_media(guest);
}

static bool once_in(struct guest *guest, uint32_t times)
{
    return net_pick(guest->net, times) == 0;
}

void guest_befall(struct guest *guest)
{
    if (guest->is_calm || guest->state != GUEST_IN)
        return;
    if (once_in(guest, 3000))
        leave(guest);
    else if (once_in(guest, 4000))
        crash(guest);
    else if (once_in(guest, 1500))
        lose_link(guest);
    else if (once_in(guest, 1500))
        lose_network(guest);
    else if (once_in(guest, 300))
        toggle(guest);
    else if (once_in(guest, 150))
        guest->far.speaks = !guest->far.speaks;
    else if (once_in(guest, 1000))
        guest_offer_again(guest, true, once_in(guest, 3));
    else if (once_in(guest, 1000))
        guest_offer_again(guest, false, true);
    else if (once_in(guest, 500))
        guest_hide(guest);
    else if (once_in(guest, 500))
        guest_ask_why(guest);
    else if (guest->slot_count && !guest->offer.is_under_way && once_in(guest, 4000)) {
        guest_say(guest, "sfu-close", "");
        guest_drop_media(guest);
    }
}

void guest_calm(struct guest *guest)
{
    guest->is_calm = true;
    guest->net->dead_until[guest->number] = 0;
    bool was_on = guest->is_on[0] && guest->is_on[1];
    guest->is_on[0] = guest->is_on[1] = true;
    if (guest->has_session && !was_on) /* else nothing may be mended by it */
        guest_tell_media(guest);
    if (guest->has_session)
        guest_show_all(guest);
    if (guest->state == GUEST_OUT)
        guest->act_at = guest->net->now;
}

void guest_finish(struct guest *guest, bool politely)
{
    guest->is_leaving = true;
    guest->act_at = guest->net->now;
    if (politely && guest->state == GUEST_IN)
        leave(guest);
    else if (guest->state != GUEST_OUT)
        crash(guest);
    forget_session(guest);
    guest->act_at = guest->net->now;
}
