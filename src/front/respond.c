#include "front/respond.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD_MAX 2048

struct head {
    size_t size;
    char text[HEAD_MAX];
};

__attribute__((format(printf, 2, 3))) static void add(struct head *head, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(head->text + head->size, HEAD_MAX - head->size, format, arguments);
    va_end(arguments);
    head->size += (size_t)size;
    if (head->size > HEAD_MAX - 1)
        head->size = HEAD_MAX - 1;
}

/* RFC 9110, section 5.6.7: in English whatever the locale. */
size_t respond_date(usec unix_time, char out[RESPOND_DATE_SIZE])
{
    static const char DAYS[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char MONTHS[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(unix_time / USEC_S);
    struct tm t;
    out[0] = 0;
    if (!gmtime_r(&seconds, &t))
        return 0;
    int size = snprintf(out, RESPOND_DATE_SIZE, "%s, %02d %s %d %02d:%02d:%02d GMT",
                        DAYS[t.tm_wday], t.tm_mday, MONTHS[t.tm_mon], (t.tm_year + 1900) % 10000,
                        t.tm_hour, t.tm_min, t.tm_sec);
    return size < RESPOND_DATE_SIZE ? (size_t)size : RESPOND_DATE_SIZE - 1;
}

static bool says_policy(const char *headers)
{
    struct view all = view_of(headers);
    return view_find(all, VIEW("Cross-Origin-Resource-Policy:")) < all.size;
}

static void count(struct server *server, unsigned code)
{
    enum metric metric = code < 300   ? METRIC_HTTP_2XX
                         : code < 400 ? METRIC_HTTP_3XX
                         : code < 500 ? METRIC_HTTP_4XX
                                      : METRIC_HTTP_5XX;
    metrics_add(server->metrics, metric, 1);
}

static void write_head(struct server *server, usec now, const struct response *response, bool close,
                       struct head *head)
{
    bool bodiless = response->code == 204 || response->code == 304;
    char date[RESPOND_DATE_SIZE];
    head->size = 0;
    add(head, "HTTP/1.1 %u %s\r\n", response->code, http_reason(response->code));
    if (respond_date(server->config.unix_at_zero + now, date))
        add(head, "Date: %s\r\n", date);
    if (response->type)
        add(head, "Content-Type: %s\r\n", response->type);
    if (response->pieces == PIECES_CHUNKED)
        add(head, "Transfer-Encoding: chunked\r\n");
    else if (response->pieces == PIECES_NONE && !bodiless)
        add(head, "Content-Length: %zu\r\n", response->body.size);
    add(head, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
    if (response->cors)
        add(head, "Access-Control-Allow-Origin: *\r\n");
    else if (!says_policy(response->headers))
        add(head, "Cross-Origin-Resource-Policy: same-origin\r\n");
    if (response->headers)
        add(head, "%s", response->headers);
    add(head, "Connection: %s\r\n\r\n", close ? "close" : "keep-alive");
}

/* A buffer holds the head, and the body behind it where both are small. */
static int send_bytes(struct server *server, usec now, struct stream *stream,
                      const struct head *head, struct view body, bool body_is_static)
{
    struct buffer *buffer;
    struct view copied = body_is_static ? (struct view){ NULL, 0 } : body;
    int status = buffers_take(server->buffers, head->size + copied.size, &buffer);
    if (status != OK)
        return status;
    memcpy(buffer->bytes, head->text, head->size);
    if (copied.size)
        memcpy(buffer->bytes + head->size, copied.at, copied.size);
    buffer->size = (uint32_t)(head->size + copied.size);
    stream_send_give(server, now, stream, buffer);
    if (body_is_static && !stream->is_failing)
        return outbox_put_static(&stream->outbox, &server->outboxes, body, HTTP_QUEUE_MAX);
    return OK;
}

void respond(struct server *server, usec now, struct stream *stream,
             const struct response *response)
{
    struct respond_to to = { .is_head = server->request.method == METHOD_HEAD,
                             .keep_alive = server->request.keep_alive };
    respond_late(server, now, stream, to, response);
}

void respond_late(struct server *server, usec now, struct stream *stream, struct respond_to to,
                  const struct response *response)
{
    struct head head;
    bool close = response->close || !to.keep_alive || server->is_stopping ||
                 response->pieces == PIECES_TO_THE_END;
    bool bodiless = to.is_head || response->code == 304;
    struct view body = bodiless ? (struct view){ NULL, 0 } : response->body;

    write_head(server, now, response, close, &head);
    count(server, response->code);
    int status =
        send_bytes(server, now, stream, &head, body, response->body_is_static && !bodiless);
    if (status != OK)
        outbox_clear(&stream->outbox, &server->outboxes);
    if ((close && response->pieces == PIECES_NONE) || status != OK)
        stream_end(server, now, stream);
}

void respond_code(struct server *server, usec now, struct stream *stream, unsigned code,
                  const char *headers)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%u %s\n", code, http_reason(code));
    struct response response = {
        .code = code,
        .type = code == 204 ? NULL : "text/plain; charset=utf-8",
        .headers = headers,
        .body = view_make(text, code == 204 ? 0 : (size_t)size),
    };
    respond(server, now, stream, &response);
}

void respond_failed(struct server *server, usec now, struct stream *stream, unsigned code)
{
    server->request = (struct http_request){ .method = METHOD_OTHER };
    metrics_add(server->metrics, METRIC_CLOSED_PROTOCOL, 1);
    respond_code(server, now, stream, code, NULL);
}
