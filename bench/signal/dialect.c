#include "dialect.h"

#include <stdio.h>
#include <string.h>

static void send_text(struct client *client, const char *text)
{
    client_send(client, WEBSOCKET_TEXT, text, strlen(text));
}

/* Sends a message of MESSAGE_SIZE bytes: `before`, its number, filling, `after`. */
static void send_filled(struct client *client, const char *before, const char *after)
{
    char text[MESSAGE_SIZE];
    char number[16];
    size_t before_size = strlen(before);
    size_t after_size = strlen(after);
    memset(text, 'x', sizeof text);
    memcpy(text, before, before_size);
    int number_size = snprintf(number, sizeof number, "#%08u", ++client->said_last);
    memcpy(text + before_size, number, (size_t)number_size);
    memcpy(text + sizeof text - after_size, after, after_size);
    client_send(client, WEBSOCKET_TEXT, text, sizeof text);
}

/* Takes what stands between `before` and the next quote as the client's id. */
static bool take_id(struct client *client, struct view text, const char *before)
{
    size_t at = view_find(text, view_of(before));
    if (at == text.size)
        return false;
    struct view rest = view_slice(text, at + strlen(before), text.size);
    struct view id = view_slice(rest, 0, view_find_byte(rest, '"'));
    snprintf(client->id, sizeof client->id, "%.*s", VIEW_ARGS(id));
    return true;
}

static bool says(struct view text, const char *what)
{
    return view_find(text, view_of(what)) < text.size;
}

/* ---- moim: the meeting protocol ---- */

static void meet_opened(struct client *client)
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"type\":\"join\",\"version\":1,\"room\":\"r%u\",\"name\":\"%u\"}",
             client->number / 2, client->number);
    send_text(client, text);
}

static void meet_heard(struct client *client, struct view text)
{
    if (says(text, "\"type\":\"offer\"")) {
        client_relayed(client, text);
    } else if (says(text, "\"type\":\"welcome\"")) {
        take_id(client, text, "\"you\":\"");
        client_is_ready(client);
    }
}

static void meet_say(struct client *client)
{
    char text[128];
    snprintf(text, sizeof text, "{\"type\":\"offer\",\"to\":\"%s\",\"sdp\":\"", client->peer->id);
    send_filled(client, text, "\"}");
}

/* ---- a relay on ws: what is described in ws-relay.mjs ---- */

static void ws_opened(struct client *client)
{
    (void)client; /* the server speaks first */
}

static void ws_heard(struct client *client, struct view text)
{
    if (says(text, "\"from\":"))
        client_relayed(client, text);
    else if (take_id(client, text, "\"you\":\""))
        client_is_ready(client);
}

static void ws_say(struct client *client)
{
    char text[128];
    snprintf(text, sizeof text, "{\"to\":\"%s\",\"data\":\"", client->peer->id);
    send_filled(client, text, "\"}");
}

/* ---- socket.io: Engine.IO 4 over WebSocket ---- */

static void io_opened(struct client *client)
{
    send_text(client, "40");
}

static void io_heard(struct client *client, struct view text)
{
    if (view_starts(text, VIEW("42")))
        client_relayed(client, text);
    else if (view_equal(text, VIEW("2")))
        send_text(client, "3");
    else if (view_starts(text, VIEW("40")) && take_id(client, text, "\"sid\":\""))
        client_is_ready(client);
}

static void io_say(struct client *client)
{
    char text[128];
    snprintf(text, sizeof text, "42[\"signal\",{\"to\":\"%s\",\"data\":\"", client->peer->id);
    send_filled(client, text, "\"}]");
}

/* ---- a bare WebSocket to moim: a room a pair ---- */

static void plain_opened(struct client *client)
{
    char text[64];
    snprintf(text, sizeof text, "{\"type\":\"join\",\"room\":\"r%u\"}", client->number / 2);
    send_text(client, text);
    client_is_ready(client);
}

static void plain_heard(struct client *client, struct view text)
{
    if (says(text, "\"type\":\"signal\""))
        client_relayed(client, text);
}

static void plain_say(struct client *client)
{
    send_filled(client, "{\"type\":\"signal\",\"data\":\"", "\"}");
}

/* ---- STOMP over SockJS: a destination a client ---- */

static void stomp_opened(struct client *client)
{
    (void)client; /* the server speaks first */
}

static void stomp_heard(struct client *client, struct view text)
{
    char frames[256];
    if (view_equal(text, VIEW("o"))) {
        send_text(client, "[\"CONNECT\\naccept-version:1.1\\nheart-beat:0,0\\n\\n\\u0000\"]");
    } else if (view_starts(text, VIEW("a[\"CONNECTED"))) {
        snprintf(frames, sizeof frames,
                 "[\"SUBSCRIBE\\nid:sub-0\\ndestination:/topic/peer/offer/c%u/r%u\\n\\n\\u0000\"]",
                 client->number, client->number / 2);
        send_text(client, frames);
        client_is_ready(client);
    } else if (view_starts(text, VIEW("a[\"MESSAGE"))) {
        client_relayed(client, text);
    }
}

static void stomp_say(struct client *client)
{
    char before[128];
    snprintf(before, sizeof before, "[\"SEND\\ndestination:/app/peer/offer/c%u/r%u\\n\\n",
             client->number ^ 1, client->number / 2);
    send_filled(client, before, "\\u0000\"]");
}

static const struct dialect DIALECTS[] = {
    { "moim", "/api/v1/meet", NULL, meet_opened, meet_heard, meet_say },
    { "ws", "/", NULL, ws_opened, ws_heard, ws_say },
    { "socket.io", "/socket.io/?EIO=4&transport=websocket", NULL, io_opened, io_heard, io_say },
    { "plain", "/bench", NULL, plain_opened, plain_heard, plain_say },
    { "stomp", "/signaling/000/s", "/websocket", stomp_opened, stomp_heard, stomp_say },
};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof DIALECTS / sizeof DIALECTS[0]; i++)
        if (strcmp(DIALECTS[i].name, name) == 0)
            return &DIALECTS[i];
    return NULL;
}
