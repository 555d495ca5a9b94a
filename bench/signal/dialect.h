/* dialect.h - what a signaling client says to each of the servers, so that they do the same work:
 * take a message of 200 bytes that names another client, find it, and pass the message on. */
#ifndef MOIM_BENCH_SIGNAL_DIALECT_H
#define MOIM_BENCH_SIGNAL_DIALECT_H

#include "wire/websocket.h"

#define MESSAGE_SIZE     200
#define CLIENT_TEXT_MAX  512
#define CLIENT_BURST_MAX 16

struct client {
    int fd;
    unsigned number;
    struct client *peer;
    bool is_open;
    bool is_ready;
    char id[64]; /* as the server named it */
    size_t size;
    unsigned heard;      /* of the burst that is coming */
    unsigned said_last;  /* the number in the last message to its peer */
    unsigned heard_last; /* ... and in the last that came from it */
    size_t output_size;
    uint8_t input[4096];
    uint8_t output[4096];
};

struct dialect {
    const char *name;
    const char *path;
    const char *path_end; /* behind the client's number; NULL: all have the same path */
    void (*opened)(struct client *client);
    void (*heard)(struct client *client, struct view text);
    void (*say)(struct client *client); /* a message to its peer */
};

const struct dialect *dialect_find(const char *name); /* NULL: none */

/* ---- what a dialect uses ---- */
/* Queues a message of up to CLIENT_TEXT_MAX bytes; it goes with what else is said in this turn. */
void client_send(struct client *client, enum websocket_opcode opcode, const char *text,
                 size_t size);
void client_is_ready(struct client *client);
/* A message of its peer has come; it may answer at once. */
void client_relayed(struct client *client, struct view text);

#endif
