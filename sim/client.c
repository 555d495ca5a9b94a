#include "client.h"

#include "room/room.h"
#include "wire/json.h"
#include "wire/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (512 * 1024)

static const char UPGRADE[] = "GET /api/v1/meet HTTP/1.1\r\nHost: sim.example:8080\r\n"
                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";

void client_init(struct client *client, struct world *world, uint32_t number)
{
    memset(client, 0, sizeof *client);
    client->world = world;
    client->number = number;
    client->act_at = world->now + world_pick(world, 2000) * USEC_MS;
    client->input = malloc(INPUT_MAX);
    assert(client->input);
}

static void forget_sent(struct client *client, uint64_t id)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < client->outbox_count; i++) {
        if (client->outbox[i].id <= id)
            free(client->outbox[i].text);
        else
            client->outbox[kept++] = client->outbox[i];
    }
    client->outbox_count = kept;
}

void client_free(struct client *client)
{
    forget_sent(client, UINT64_MAX);
    for (uint32_t i = 0; i < client->session_count; i++) {
        free(client->sessions[i].others);
        free(client->sessions[i].heard);
        free(client->sessions[i].said);
    }
    free(client->input);
}

/* ---- sending ---- */

static void send_frame(struct client *client, uint8_t opcode, struct view payload)
{
    uint8_t frame[WEBSOCKET_HEADER_MAX + 70000];
    uint8_t header[WEBSOCKET_HEADER_MAX];
    uint8_t mask[4] = { 1, 2, 3, (uint8_t)world_pick(client->world, 256) };
    assert(payload.size <= 70000);
    if (!client->wire)
        return;
    memcpy(frame + WEBSOCKET_HEADER_MAX, payload.at, payload.size);
    size_t size =
        websocket_write_masked(opcode, true, false, mask,
                               (struct span){ frame + WEBSOCKET_HEADER_MAX, payload.size }, header);
    memcpy(frame + WEBSOCKET_HEADER_MAX - size, header, size);
    world_send(client->world, client->wire,
               view_make(frame + WEBSOCKET_HEADER_MAX - size, size + payload.size));
}

static void send_text(struct client *client, const char *text)
{
    send_frame(client, WEBSOCKET_TEXT, view_of(text));
}

/* A message with a number, kept until it is known to have been received. */
static void send_numbered(struct client *client, const char *type, const char *rest)
{
    char text[9000];
    if (client->outbox_count == CLIENT_OUTBOX_MAX)
        return;
    uint64_t id = ++client->next_id;
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%llu%s}", type, (unsigned long long)id,
             rest);
    client->outbox[client->outbox_count++] = (struct sent){ id, strdup(text) };
    send_text(client, text);
}

static void say_something(struct client *client)
{
    struct world *world = client->world;
    struct session *session = client->session;
    static uint64_t chat_number;
    char rest[8300];
    if (client->outbox_count == CLIENT_OUTBOX_MAX)
        return;
    uint64_t chat = (uint64_t)client->number * 1000000000 + ++chat_number;
    session->said = realloc(session->said, (session->said_count + 1) * sizeof *session->said);
    session->said[session->said_count++] = chat;
    uint32_t long_percent = world->is_loud ? 90 : 10;
    int padding = world_chance(world, long_percent) ? (int)world_pick(world, 7900) : 0;
    snprintf(rest, sizeof rest, ",\"text\":\"%llu %*s\"", (unsigned long long)chat, padding, "");
    send_numbered(client, "chat", rest);
}

static void send_join(struct client *client)
{
    char text[512];
    struct session *session = client->session;
    snprintf(text, sizeof text,
             "{\"type\":\"join\",\"version\":1,\"room\":\"%s\",\"name\":\"%s\",\"audio\":true}",
             session->room, session->name);
    send_text(client, text);
}

static void begin_session(struct client *client)
{
    struct world *world = client->world;
    if (client->session_count == CLIENT_SESSIONS_MAX) {
        client->state = CLIENT_DONE;
        return;
    }
    struct session *session = &client->sessions[client->session_count++];
    snprintf(session->room, sizeof session->room, "room%u",
             world_pick(world, world->is_loud ? 1 : 3));
    snprintf(session->name, sizeof session->name, "c%u.%u", client->number, client->session_count);
    client->session = session;
    client->has_session = false;
    client->next_id = 0;
    forget_sent(client, UINT64_MAX);
    send_join(client);
    if (world_chance(world, 50))
        say_something(client); /* without waiting for the welcome */
}

static void send_entry(struct client *client)
{
    char text[512];
    client->state = CLIENT_ENTERING;
    if (!client->has_session) {
        begin_session(client);
        return;
    }
    snprintf(text, sizeof text,
             "{\"type\":\"resume\",\"version\":1,\"room\":\"%s\",\"session\":\"%s\",\"seq\":%llu}",
             client->session->room, client->secret, (unsigned long long)client->session->last_seq);
    send_text(client, text);
}

/* ---- what comes ---- */

static uint64_t hash_of(const char *text)
{
    static const uint64_t KEY[2] = { 1, 2 };
    return siphash(view_of(text), KEY);
}

static uint32_t member_number(const cJSON *message, const char *key)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(message, key));
    if (!id) {
        const cJSON *member = cJSON_GetObjectItem(message, key);
        id = cJSON_GetStringValue(cJSON_GetObjectItem(member, "id"));
    }
    return id && id[0] == 'm' ? (uint32_t)strtoul(id + 1, NULL, 10) : 0;
}

/* Who is away says nothing until it is told to be back. */
static void follow_presence(struct session *session, const char *type, uint32_t number)
{
    bool *is_away = &session->away[number % AWAY_MAX];
    bool ends = strcmp(type, "member-back") == 0 || strcmp(type, "member-left") == 0;
    if (strcmp(type, "member-away") == 0) {
        *is_away = true;
        return;
    }
    if ((*is_away && !ends) || (strcmp(type, "member-back") == 0 && !*is_away)) {
        fprintf(stderr, "%s heard %s of m%u, which is%s away\n", session->name, type, number,
                *is_away ? "" : " not");
        abort();
    }
    *is_away = false;
}

static void hear(struct client *client, const cJSON *message, const char *type)
{
    struct session *session = client->session;
    uint64_t seq = 0;
    int status = json_get_number(message, "seq", &seq);
    assert(status == OK && client->state == CLIENT_IN);
    (void)status;
    if (seq <= session->last_seq) {
        fprintf(stderr, "%s heard %llu after %llu\n", session->name, (unsigned long long)seq,
                (unsigned long long)session->last_seq);
        abort();
    }
    session->last_seq = seq;
    session->heard = realloc(session->heard, (session->heard_count + 1) * sizeof *session->heard);
    struct heard *heard = &session->heard[session->heard_count++];
    bool is_presence = strncmp(type, "member-", 7) == 0;
    bool is_chat = strcmp(type, "chat") == 0;
    char *text = cJSON_PrintUnformatted(message);
    *heard = (struct heard){
        .seq = seq,
        .content = hash_of(text),
        .about = member_number(message, is_presence ? "member" : "from"),
        .for_others = is_presence || strcmp(type, "media") == 0,
        .for_all = strcmp(type, "hand") == 0 || (is_chat && !cJSON_GetObjectItem(message, "to")),
    };
    free(text);
    follow_presence(session, type, heard->about);
    if (is_chat) {
        const char *said = cJSON_GetStringValue(cJSON_GetObjectItem(message, "text"));
        heard->chat = heard->for_all ? strtoull(said, NULL, 10) : 0;
    }
}

static void let_go(struct client *client, bool politely, bool silently)
{
    if (client->wire)
        world_drop(client->world, client->wire, politely, silently);
    client->wire = NULL;
    client->input_size = 0;
    client->read_at = 0;
    client->state = CLIENT_OUT;
    if (client->session)
        client->session->is_here = false;
}

static void note_others(struct session *session, const cJSON *members)
{
    uint32_t count = (uint32_t)cJSON_GetArraySize(members);
    session->others = calloc(count + 1, sizeof *session->others);
    for (uint32_t i = 0; i < count; i++) {
        const cJSON *member = cJSON_GetArrayItem(members, (int)i);
        snprintf(session->others[i], sizeof session->others[i], "%s",
                 cJSON_GetStringValue(cJSON_GetObjectItem(member, "name")));
        uint32_t number = (uint32_t)strtoul(
            cJSON_GetStringValue(cJSON_GetObjectItem(member, "id")) + 1, NULL, 10);
        session->away[number % AWAY_MAX] = cJSON_IsTrue(cJSON_GetObjectItem(member, "away"));
    }
    session->other_count = count;
}

static void on_welcome(struct client *client, const cJSON *message)
{
    struct session *session = client->session;
    assert(client->state == CLIENT_ENTERING && !client->has_session);
    session->number = member_number(message, "you");
    int status = json_get_number(message, "seq", &session->welcome_seq);
    assert(status == OK && session->number > 0);
    (void)status;
    session->last_seq = session->welcome_seq;
    note_others(session, cJSON_GetObjectItem(message, "members"));
    snprintf(client->secret, sizeof client->secret, "%s",
             cJSON_GetStringValue(cJSON_GetObjectItem(message, "session")));
    client->has_session = true;
    client->state = CLIENT_IN;
}

/* Chats up to the id are known to be in the room. */
static void on_received(struct client *client, uint64_t id)
{
    struct session *session = client->session;
    forget_sent(client, id);
    uint32_t unsure = 0;
    for (uint32_t i = 0; i < client->outbox_count; i++)
        if (strstr(client->outbox[i].text, "\"chat\"") && !strstr(client->outbox[i].text, "\"to\""))
            unsure++;
    session->said_sure = session->said_count - unsure;
}

static void on_resumed(struct client *client, const cJSON *message)
{
    uint64_t received = 0;
    int status = json_get_number(message, "received", &received);
    assert(status == OK && client->state == CLIENT_ENTERING);
    (void)status;
    client->state = CLIENT_IN;
    client->resumes++;
    for (uint32_t i = 0; i < client->outbox_count && world_chance(client->world, 50); i++)
        send_text(client, client->outbox[i].text); /* doubles, in part: to be dropped */
    on_received(client, received);
    for (uint32_t i = 0; i < client->outbox_count; i++)
        send_text(client, client->outbox[i].text);
}

static void on_error(struct client *client, const cJSON *message)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItem(message, "code"));
    assert(code);
    if (strcmp(code, "session-lost") == 0) {
        client->lost++;
        client->has_session = false;
        begin_session(client);
    } else if (strcmp(code, "room-full") == 0) {
        let_go(client, true, false);
        client->act_at = client->world->now + 5 * USEC_S;
    } else if (strcmp(code, "no-such-member") != 0) {
        fprintf(stderr, "%s was refused: %s\n", client->session->name, code);
        client->errors++;
    }
}

static void on_text(struct client *client, struct view text)
{
    cJSON *message = NULL;
    int status = json_read_object(text, &message);
    assert(status == OK);
    (void)status;
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(message, "type"));
    uint64_t id = 0;
    if (strcmp(type, "welcome") == 0)
        on_welcome(client, message);
    else if (strcmp(type, "resumed") == 0)
        on_resumed(client, message);
    else if (strcmp(type, "error") == 0)
        on_error(client, message);
    else if (strcmp(type, "ack") == 0 && json_get_number(message, "id", &id) == OK)
        on_received(client, id);
    else if (strcmp(type, "pong") != 0)
        hear(client, message, type);
    cJSON_Delete(message);
}

/* Takes the answer to the upgrade off the front; false: it is not whole. */
static bool read_head(struct client *client)
{
    struct view input = view_make(client->input, client->input_size);
    size_t end = view_find(input, VIEW("\r\n\r\n"));
    if (end == input.size)
        return false;
    if (!view_starts(input, VIEW("HTTP/1.1 101 "))) {
        assert(client->world->is_stopping);
        let_go(client, true, false);
        return false;
    }
    client->input_size -= end + 4;
    memmove(client->input, client->input + end + 4, client->input_size);
    send_entry(client);
    return true;
}

static void read_frames(struct client *client)
{
    size_t at = 0;
    while (client->wire && client->state != CLIENT_HEAD) {
        struct websocket_frame frame;
        size_t used;
        int status = websocket_read((struct span){ client->input + at, client->input_size - at },
                                    WEBSOCKET_CLIENT, WORLD_PIPE_SIZE, &frame, &used);
        if (status == ERR_MORE)
            break;
        assert(status == OK && frame.fin);
        at += used;
        struct view payload = view_of_span(frame.payload);
        if (frame.opcode == WEBSOCKET_PING)
            send_frame(client, WEBSOCKET_PONG, payload);
        else if (frame.opcode == WEBSOCKET_TEXT)
            on_text(client, payload);
        else if (frame.opcode == WEBSOCKET_CLOSE) {
            let_go(client, true, false);
            return;
        }
    }
    if (!client->wire)
        return;
    client->input_size -= at;
    memmove(client->input, client->input + at, client->input_size);
}

static void read_all(struct client *client)
{
    while (client->wire) {
        size_t size = world_receive(client->world, client->wire, client->input + client->input_size,
                                    INPUT_MAX - client->input_size);
        if (size == 0)
            break;
        client->input_size += size;
        if (client->state == CLIENT_HEAD && !read_head(client))
            continue;
        read_frames(client);
    }
    if (client->wire && world_ended(client->world, client->wire))
        let_go(client, false, false);
}

/* ---- what it does ---- */

static void do_something(struct client *client)
{
    struct world *world = client->world;
    char rest[200];
    uint32_t to = 1 + world_pick(world, 12);
    switch (world_pick(world, 6)) {
    case 0:
        snprintf(rest, sizeof rest, ",\"raised\":%s", world_chance(world, 50) ? "true" : "false");
        send_numbered(client, "hand", rest);
        break;
    case 1:
        send_numbered(client, "media", ",\"video\":true");
        break;
    case 2:
        snprintf(rest, sizeof rest, ",\"to\":\"m%u\",\"candidate\":{\"candidate\":\"x\"}", to);
        send_numbered(client, "candidate", rest);
        break;
    case 3:
        snprintf(rest, sizeof rest, ",\"to\":\"m%u\",\"sdp\":\"v=0\\r\\n\"", to);
        send_numbered(client, "offer", rest);
        break;
    case 4:
        snprintf(rest, sizeof rest, ",\"to\":\"m%u\",\"text\":\"psst\"", to);
        send_numbered(client, "chat", rest);
        break;
    default:
        send_text(client, "{\"type\":\"ping\"}");
    }
}

static void leave(struct client *client)
{
    send_text(client, "{\"type\":\"leave\"}");
    client->has_session = false;
    let_go(client, true, false);
}

static void act(struct client *client)
{
    struct world *world = client->world;
    uint32_t dice = world_pick(world, 1000);
    client->act_at = world->now + (1 + world_pick(world, world->is_loud ? 500 : 1500)) * USEC_MS;
    if (client->state == CLIENT_OUT) {
        if (client->leaving && (!client->has_session || world->is_stopping)) {
            client->state = CLIENT_DONE;
            return;
        }
        client->wire = world_connect(world, client->number);
        client->state = CLIENT_HEAD;
        world_send(world, client->wire, view_of(UPGRADE));
        return;
    }
    if (client->is_calm) {
        if (client->session)
            client->session->is_here = client->state == CLIENT_IN;
        return;
    }
    if (dice < (world->is_loud ? 10 : 60) && !client->leaving) {
        let_go(client, false, dice % 3 == 0);
        bool too_long = dice < 4;
        client->act_at = world->now + (usec)world_pick(world, too_long ? 60000 : 8000) * USEC_MS;
        return;
    }
    if (client->state != CLIENT_IN)
        return;
    if (client->leaving || dice < 75)
        leave(client);
    else if (dice < 85)
        client->read_at = world->now + world_pick(world, world->is_loud ? 70000 : 5000) * USEC_MS;
    else if (dice < 600)
        say_something(client);
    else
        do_something(client);
}

void client_turn(struct client *client)
{
    if (client->state == CLIENT_DONE)
        return;
    if (client->read_at <= client->world->now)
        read_all(client);
    if (client->act_at <= client->world->now && client->state != CLIENT_DONE)
        act(client);
}

usec client_next(const struct client *client)
{
    usec next = USEC_NEVER;
    if (client->state == CLIENT_DONE)
        return next;
    next = client->act_at;
    if (client->read_at > client->world->now && client->read_at < next)
        next = client->read_at;
    return next;
}

void client_calm(struct client *client)
{
    client->is_calm = true;
    client->read_at = 0;
}

void client_stir(struct client *client)
{
    client->is_calm = false;
    if (client->session)
        client->session->is_here = false;
}

void client_finish(struct client *client)
{
    client->leaving = true;
    client_stir(client);
}
