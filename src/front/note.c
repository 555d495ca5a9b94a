#include "front/note.h"

#include <stdlib.h>
#include <string.h>

struct note *note_new(const struct server *server, unsigned to, enum note_kind kind,
                      struct view bytes)
{
    struct note *note = malloc(sizeof *note + bytes.size);
    if (!note)
        return NULL;
    memset(note, 0, sizeof *note);
    note->from = server->config.worker;
    note->to = to;
    note->kind = kind;
    note->size = (uint32_t)bytes.size;
    if (bytes.size)
        memcpy(note->bytes, bytes.at, bytes.size);
    return note;
}

void note_send(struct server *server, struct note *note)
{
    note->next = NULL;
    if (server->notes)
        server->last_note->next = note;
    else
        server->notes = note;
    server->last_note = note;
}

void note_free(struct note *note)
{
    free(note);
}

struct note *server_poll_note(struct server *server, unsigned *worker)
{
    struct note *note = server->notes;
    if (!note)
        return NULL;
    server->notes = note->next;
    *worker = note->to;
    return note;
}

void server_note_again(struct server *server, struct note *note)
{
    if (!server->notes)
        server->last_note = note;
    note->next = server->notes;
    server->notes = note;
}
