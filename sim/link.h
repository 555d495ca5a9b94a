/* link.h - a client's connection in the simulation: HTTP/1.1 requests, or a WebSocket.
 *
 * One request at a time; the connection is kept for the next one while it is fresh.
 */
#ifndef MOIM_SIM_LINK_H
#define MOIM_SIM_LINK_H

#include "world.h"

enum link_phase { LINK_IDLE, LINK_HEAD, LINK_BODY, LINK_CHUNKS, LINK_UPGRADING, LINK_WEBSOCKET };

struct link {
    struct world *world;
    uint32_t owner;
    struct wire *wire; /* NULL: there is no connection */
    enum link_phase phase;
    usec used_at;   /* when a request was last made */
    unsigned code;  /* of the answer under way */
    bool is_octets; /* its body is application/octet-stream */
    size_t body_size;
    uint8_t *input;
    size_t capacity;
    size_t size;
    size_t taken; /* bytes of the last event: gone with the next call */
};

enum link_kind {
    LINK_PIECE,  /* a chunk of an answer that comes in chunks */
    LINK_ANSWER, /* an answer is whole; `body` is empty when it came in chunks */
    LINK_OPENED, /* the WebSocket is open */
    LINK_TEXT,
    LINK_BYTES,
    LINK_ENDED /* there is no connection any more, and something was under way */
};

struct link_event {
    enum link_kind kind;
    unsigned code;
    bool is_octets;
    struct view body; /* valid until the next call for the link */
};

void link_init(struct link *link, struct world *world, uint32_t owner);
/* Without a word; the wire must be dropped. */
void link_free(struct link *link);

/* Makes a request, on the connection that there is or on a new one. */
void link_request(struct link *link, const char *method, const char *path, bool is_octets,
                  struct view body);
/* Asks for a WebSocket, on a new connection; frames may be sent at once. */
void link_upgrade(struct link *link, const char *path);
/* A frame of a WebSocket; opcode as in wire/websocket.h. */
void link_frame(struct link *link, uint8_t opcode, struct view payload);

/* Whether a request may be made. */
bool link_is_idle(const struct link *link);
/* The next that has come; false: nothing.  Answers pings. */
bool link_poll(struct link *link, struct link_event *event);
/* Lets go, as world_drop does; nothing, when there is no connection. */
void link_drop(struct link *link, bool politely, bool silently);

#endif
