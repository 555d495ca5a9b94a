#include "front/admin.h"

#include "base/utf8.h"
#include "front/errand.h"
#include "front/put.h"
#include "front/respond.h"
#include "front/turn.h"

#include <stdio.h>

#define ALLOCATIONS "/api/v1/turn/allocations/"
#define ROW_MAX     4096 /* of an allocation, with a name of 508 bytes that are all escaped */
#define TEXT_SIZE   64

/* ---- who asks ---- */

static bool is_admin(const struct server *server)
{
    const struct token_secrets *tokens = &server->config.admin;
    struct view rest = http_header(&server->request, "Authorization");
    struct view scheme;
    bool is_one = false;
    if (!view_split(&rest, ' ', &scheme) || !view_equal_nocase(scheme, VIEW("Bearer")))
        return false;
    for (uint32_t i = 0; i < tokens->count; i++)
        if (view_equal_secret(view_trim(rest), tokens->items[i]))
            is_one = true;
    return is_one;
}

bool admin_admit(struct server *server, usec now, struct stream *stream, enum request_method method,
                 const char *allow)
{
    if (server->config.admin.count == 0)
        respond_code(server, now, stream, 404, NULL);
    else if (!is_admin(server))
        respond_code(server, now, stream, 401, "WWW-Authenticate: Bearer\r\n");
    else if (server->request.method != method)
        respond_code(server, now, stream, 405, allow);
    else
        return true;
    return false;
}

bool admin_read_numbers(struct view text, uint64_t *numbers, size_t count)
{
    struct view part;
    for (size_t i = 0; i < count; i++)
        if (!view_split(&text, '-', &part) || !view_read_number(part, UINT64_MAX, &numbers[i]))
            return false;
    return text.at == NULL;
}

/* ---- pages ---- */

bool admin_read_page(const struct server *server, struct admin_page *page)
{
    struct view value;
    uint64_t limit = ADMIN_PAGE_MAX;
    uint64_t place[2] = { 0, 0 };
    if (http_query_find(server->request.query, "limit", &value) &&
        (!view_read_number(value, ADMIN_PAGE_MAX, &limit) || limit == 0))
        return false;
    if (http_query_find(server->request.query, "after", &value) &&
        (!admin_read_numbers(value, place, 2) || place[0] > UINT32_MAX || place[1] > UINT32_MAX))
        return false;
    *page = (struct admin_page){ .limit = (uint32_t)limit,
                                 .place = { (uint32_t)place[0], (uint32_t)place[1] } };
    return true;
}

void admin_end_page(struct json_writer *writer, const uint32_t *next)
{
    char text[TEXT_SIZE];
    json_close(writer, ']');
    if (next) {
        snprintf(text, sizeof text, "%u-%u", next[0], next[1]);
        json_key(writer, "next");
        json_string(writer, view_of(text));
    }
    json_close(writer, '}');
}

/* ---- the list ---- */

static void put_address(struct json_writer *writer, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    json_string(writer, view_make(text, address_write(address, text)));
}

static void put_count(struct json_writer *writer, const char *key, uint64_t packets, uint64_t bytes)
{
    json_key(writer, key);
    json_open(writer, '{');
    put_number(writer, "packets", packets);
    put_number(writer, "bytes", bytes);
    json_close(writer, '}');
}

static void put_allocation(struct json_writer *writer, unsigned worker, usec now,
                           const struct turn_report *report)
{
    static const char *const TRANSPORTS[] = { "udp", "tcp", "tls", "dtls" };
    char id[TEXT_SIZE];
    snprintf(id, sizeof id, "%u-%u-%llu", worker, report->index,
             (unsigned long long)report->serial);
    json_open(writer, '{');
    json_key(writer, "id");
    json_string(writer, view_of(id));
    json_key(writer, "user");
    json_string(writer, utf8_valid(report->user) ? report->user : VIEW("?"));
    json_key(writer, "transport");
    json_string(writer, view_of(TRANSPORTS[report->flow->transport]));
    json_key(writer, "client");
    put_address(writer, &report->flow->client);
    json_key(writer, "relayed");
    json_open(writer, '[');
    for (int i = 0; i < 2; i++)
        if (report->relayed[i].family != ADDRESS_NONE)
            put_address(writer, &report->relayed[i]);
    json_close(writer, ']');
    put_number(writer, "lifetime",
               report->expires_at > now ? (report->expires_at - now) / USEC_S : 0);
    put_number(writer, "permissions", report->peers - report->channels);
    put_number(writer, "channels", report->channels);
    put_count(writer, "up", report->packets_up, report->bytes_up);
    put_count(writer, "down", report->packets_down, report->bytes_down);
    json_close(writer, '}');
}

static bool list_some(struct server *server, usec now, struct errand *errand)
{
    struct turn_report report;
    while (errand->left && errand->writer.size + ROW_MAX < errand->writer.capacity) {
        if (!turn_door_report(server, &errand->index, &report)) {
            errand->index = 0; /* of the next worker */
            if (server->config.worker + 1 < server->config.worker_count)
                return false;
            admin_end_page(&errand->writer, NULL);
            return true;
        }
        put_allocation(&errand->writer, server->config.worker, now, &report);
        errand->left--;
    }
    admin_end_page(&errand->writer, (uint32_t[]){ server->config.worker, errand->index });
    return true;
}

void admin_list(struct server *server, usec now, struct stream *stream, const char *name,
                errand_visit visit)
{
    struct admin_page page;
    if (!admin_admit(server, now, stream, METHOD_GET, "Allow: GET\r\n"))
        return;
    if (!admin_read_page(server, &page) || page.place[0] >= server->config.worker_count) {
        respond_code(server, now, stream, 400, NULL);
        return;
    }
    struct errand *errand = errand_new(server, now, stream, visit, page.place[0]);
    if (!errand)
        return;
    errand->index = page.place[1];
    errand->left = page.limit;
    json_open(&errand->writer, '{');
    json_key(&errand->writer, name);
    json_open(&errand->writer, '[');
    errand_run(server, now, errand);
}

void admin_list_allocations(struct server *server, usec now, struct stream *stream,
                            struct view body)
{
    (void)body;
    admin_list(server, now, stream, "allocations", list_some);
}

/* ---- the end of one ---- */

static bool end_one(struct server *server, usec now, struct errand *errand)
{
    int status = turn_door_end(server, now, errand->index, errand->serial);
    errand->code = status == OK ? 204 : 404;
    return true;
}

void admin_end_allocation(struct server *server, usec now, struct stream *stream, struct view body)
{
    uint64_t id[3];
    struct view path = server->request.path;
    (void)body;
    if (!admin_admit(server, now, stream, METHOD_DELETE, "Allow: DELETE\r\n"))
        return;
    struct view name = view_slice(path, sizeof ALLOCATIONS - 1, path.size);
    if (!admin_read_numbers(name, id, 3) || id[0] >= server->config.worker_count ||
        id[1] > UINT32_MAX) {
        respond_code(server, now, stream, 404, NULL);
        return;
    }
    struct errand *errand = errand_new(server, now, stream, end_one, (unsigned)id[0]);
    if (!errand)
        return;
    errand->index = (uint32_t)id[1];
    errand->serial = id[2];
    errand_run(server, now, errand);
}
