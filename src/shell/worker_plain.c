/* What comes to a port of TLS and is none: HTTP, as somebody has typed the address without
 * "https://"; and TURN, of clients whose network lets nothing out but the port of HTTPS.  That way
 * they need no certificate that is trusted; what is relayed is encrypted anyway. */
#include "shell/worker.h"

#include "wire/http.h"

#include <stdio.h>

#define HOST_SHOWN_MAX   255
#define TARGET_SHOWN_MAX 512
#define TEXT_SIZE        (128 + HOST_SHOWN_MAX + TARGET_SHOWN_MAX)
#define ANSWER_SIZE      (256 + TEXT_SIZE)

/* What to do about it, as far as the request's head tells it; gives its length. */
static size_t write_text(struct view head, char out[TEXT_SIZE])
{
    struct http_request request;
    struct view host = { NULL, 0 };
    struct view target = { NULL, 0 };
    size_t scanned = 0;
    size_t used;
    if (http_read_head(head, &scanned, &request, &used) == OK) {
        host = http_header(&request, "Host");
        target = request.target;
    }
    if (host.size == 0 || host.size > HOST_SHOWN_MAX)
        return (size_t)snprintf(out, TEXT_SIZE,
                                "This port speaks HTTPS: begin the address with https://\n");
    if (target.size > TARGET_SHOWN_MAX || !view_starts(target, VIEW("/")))
        target = VIEW("/");
    return (size_t)snprintf(out, TEXT_SIZE, "This port speaks HTTPS: https://%.*s%.*s\n",
                            VIEW_ARGS(host), VIEW_ARGS(target));
}

static size_t write_answer(struct view head, char out[ANSWER_SIZE])
{
    char text[TEXT_SIZE];
    size_t size = write_text(head, text);
    return (size_t)snprintf(out, ANSWER_SIZE,
                            "HTTP/1.1 400 Bad Request\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "Content-Length: %zu\r\n"
                            "X-Content-Type-Options: nosniff\r\n"
                            "Connection: close\r\n\r\n%s",
                            size, text);
}

static void answer_http(struct worker *worker, struct peer *peer, struct view head)
{
    char answer[ANSWER_SIZE];
    size_t sent;
    struct view run = view_make(answer, write_answer(head, answer));
    metrics_add(worker->metrics, METRIC_TLS_FAILED, 1);
    connection_give_up_tls(&peer->connection);
    peer->written_at = worker->now;
    if (connection_write(&peer->connection, &run, 1, &sent) == OK && sent == run.size)
        worker_linger_peer(worker, peer);
    else
        worker_close_peer(worker, peer);
}

bool worker_take_plain(struct worker *worker, struct peer *peer)
{
    struct span input = { worker->input, sizeof worker->input };
    struct view head = connection_peek(&peer->connection, input);
    /* TLS begins with a record's type, 22; a STUN request with 0; one of HTTP with its method */
    if (head.size && head.at[0] == 0 && worker->relays.items) {
        connection_give_up_tls(&peer->connection);
        peer->origin.kind = STREAM_STUN;
        peer->origin.secure = false;
        worker_open_stream(worker, peer);
        return true;
    }
    if (head.size == 0 || head.at[0] < 'A' || head.at[0] > 'Z')
        return false;
    answer_http(worker, peer, head);
    return true;
}
