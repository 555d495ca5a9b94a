#include "front/errand.h"

#include "front/hold.h"
#include "front/respond.h"

#include <stdlib.h>

/* ---- who waits ---- */

static void forget(struct server *server, usec now, struct stream *stream)
{
    struct errand_wait *wait = stream->context;
    (void)server;
    (void)now;
    *wait = (struct errand_wait){ 0 };
    stream->context = NULL;
}

static void answer(struct server *server, usec now, struct errand_wait *wait, unsigned code,
                   struct view body)
{
    struct stream *stream = wait->stream;
    *wait = (struct errand_wait){ 0 };
    stream->context = NULL;
    http_answer_held(server, now, stream, code, body.size ? "application/json" : NULL, body);
}

static void refuse(struct server *server, usec now, struct stream *stream)
{
    answer(server, now, stream->context, 503, view_make(NULL, 0));
}

static const struct holder HOLDER = { .gone = forget, .stopping = refuse };

static struct errand_wait *find_wait(struct server *server, uint64_t ticket)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (server->errand_waits[i].ticket == ticket)
            return &server->errand_waits[i];
    return NULL;
}

struct errand *errand_new(struct server *server, usec now, struct stream *stream,
                          errand_visit visit, unsigned at)
{
    struct errand_wait *wait = find_wait(server, 0);
    struct errand *errand = wait ? malloc(sizeof *errand) : NULL;
    if (!errand) {
        respond_code(server, now, stream, 503, "Retry-After: 1\r\n");
        return NULL;
    }
    if (!http_hold(server, now, stream, &HOLDER, wait, "Cache-Control: no-store\r\n")) {
        free(errand);
        return NULL;
    }
    *wait = (struct errand_wait){ .stream = stream, .ticket = ++server->errand_ticket };
    errand->next = NULL;
    errand->visit = visit;
    errand->home = server->config.worker;
    errand->at = at;
    errand->ticket = wait->ticket;
    errand->is_done = false;
    errand->code = 200;
    errand->writer = json_writer_make(errand->text, sizeof errand->text);
    return errand;
}

void errand_free(struct errand *errand)
{
    free(errand);
}

/* ---- its way ---- */

static void come_home(struct server *server, usec now, struct errand *errand)
{
    struct errand_wait *wait = find_wait(server, errand->ticket);
    if (wait)
        answer(server, now, wait, errand->code, json_written(&errand->writer));
    errand_free(errand);
}

static void leave(struct server *server, struct errand *errand, unsigned worker)
{
    struct errand **last = &server->errands;
    while (*last)
        last = &(*last)->next;
    errand->at = worker;
    errand->next = NULL;
    *last = errand;
}

void errand_run(struct server *server, usec now, struct errand *errand)
{
    unsigned here = server->config.worker;
    while (!errand->is_done && errand->at == here) {
        errand->is_done = errand->visit(server, now, errand);
        if (!errand->is_done)
            errand->at++;
    }
    if (!errand->is_done)
        leave(server, errand, errand->at);
    else if (errand->home == here)
        come_home(server, now, errand);
    else
        leave(server, errand, errand->home);
}

void server_errand(struct server *server, usec now, struct errand *errand)
{
    errand_run(server, now, errand);
    streams_settle(server, now);
}

struct errand *server_poll_errand(struct server *server, unsigned *worker)
{
    struct errand *errand = server->errands;
    if (!errand)
        return NULL;
    server->errands = errand->next;
    *worker = errand->at;
    return errand;
}

void server_errand_failed(struct server *server, usec now, struct errand *errand)
{
    struct errand_wait *wait = NULL;
    if (errand->home == server->config.worker)
        wait = find_wait(server, errand->ticket);
    if (wait)
        answer(server, now, wait, 503, view_make(NULL, 0));
    errand_free(errand);
    streams_settle(server, now);
}
