#include "front/admin_rooms.h"

#include "front/admin.h"
#include "front/capture.h"
#include "front/errand.h"
#include "front/media_report.h"
#include "front/meet/seat.h"
#include "front/respond.h"

#include <stdio.h>
#include <string.h>

#define ROW_MAX      2048       /* of a room or a member, with names that are all escaped */
#define ENDPOINTS    0x80000000 /* numbers from here on are those of peers at endpoints */
#define EXAMINED_MAX 256        /* peers that one page looks at as a room's or member's first */
#define ANSWER_MAX   ((size_t)60000)
#define PARTS_MAX    4
#define ID_SIZE      16

/* ---- which room, and which member ---- */

struct asked {
    struct view parts[PARTS_MAX]; /* of the path below /api/v1/rooms/ */
    unsigned count;
    struct view path; /* of the endpoint; empty: a meeting's room */
    uint8_t decoded[HTTP_TARGET_MAX];
    size_t size;
};

/* Adds decoded bytes; false: they are none. */
static bool decode(struct asked *asked, struct view encoded, struct view *out)
{
    uint8_t *at = asked->decoded + asked->size;
    size_t size;
    if (http_decode_percent(encoded, at, sizeof asked->decoded - asked->size, &size) != OK ||
        size == 0)
        return false;
    asked->size += size;
    *out = view_make(at, size);
    return true;
}

/* False: there can be no such room. */
static bool read_asked(struct asked *asked, struct view path, struct view query)
{
    struct view rest = view_slice(path, sizeof ADMIN_ROOMS_BELOW - 1, path.size);
    struct view part;
    asked->count = 0;
    asked->size = 0;
    asked->path = view_make(NULL, 0);
    if (!view_starts(path, VIEW(ADMIN_ROOMS_BELOW)))
        return false;
    while (view_split(&rest, '/', &part))
        if (asked->count == PARTS_MAX || !decode(asked, part, &asked->parts[asked->count++]))
            return false;
    return !http_query_find(query, "path", &part) || decode(asked, part, &asked->path);
}

static unsigned owner_of(const struct server *server, const struct asked *asked)
{
    struct view key = asked->path.size ? asked->path : asked->parts[0];
    return (unsigned)(siphash(key, server->config.room_secret) % server->config.worker_count);
}

bool admin_rooms_owner(const struct server *server, struct view target, unsigned *worker)
{
    struct asked asked;
    size_t mark = view_find_byte(target, '?');
    if (!view_starts(target, VIEW(ADMIN_ROOMS_BELOW)) ||
        !read_asked(&asked, view_slice(target, 0, mark),
                    view_slice(target, mark + 1, target.size)) ||
        asked.count == 0)
        return false;
    *worker = owner_of(server, &asked);
    return true;
}

/* ---- peers ---- */

/* The next peer whose name is known. */
static const struct peer *next_named(const struct server *server, uint32_t *index,
                                     struct media_name *name)
{
    const struct peer *peer = NULL;
    while (server->sfu && (peer = sfu_next(server->sfu, index)))
        if (media_name(peer, name))
            break;
    return peer;
}

/* Whether no peer with a lower number has the same room (and member). */
static bool is_first(const struct server *server, uint32_t index, const struct media_name *name,
                     bool of_member)
{
    struct media_name other;
    uint32_t at = 0;
    while (next_named(server, &at, &other) && at < index)
        if (other.room == name->room && (!of_member || other.member == name->member))
            return false;
    return true;
}

static struct media_sum sum_of(const struct server *server, const void *room, const void *member)
{
    struct media_sum sum = { 0 };
    struct media_name name;
    const struct peer *peer;
    uint32_t at = 0;
    while ((peer = next_named(server, &at, &name)))
        if (name.room == room && (!member || name.member == member))
            media_sum_add(&sum, peer);
    return sum;
}

static uint32_t count_members(const struct server *server, const void *room)
{
    struct media_name name;
    uint32_t count = 0;
    uint32_t at = 0;
    while (next_named(server, &at, &name))
        count += name.room == room && is_first(server, at, &name, true);
    return count;
}

/* ---- rooms ---- */

static void put_text(struct json_writer *writer, const char *key, struct view text)
{
    json_key(writer, key);
    json_string(writer, text);
}

static void put_number(struct json_writer *writer, const char *key, uint64_t number)
{
    json_key(writer, key);
    json_number(writer, number);
}

static void put_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}

/* The members of a room's object, but for its sum. */
static void put_meeting(struct json_writer *writer, const struct server *server,
                        const struct room *room)
{
    put_text(writer, "name", room_name(room));
    put_number(writer, "worker", server->config.worker);
    put_text(writer, "topology", room->topology == TOPOLOGY_SFU ? VIEW("sfu") : VIEW("mesh"));
}

static void put_other(struct json_writer *writer, const struct server *server,
                      const struct media_name *name)
{
    put_text(writer, "name", name->room_name);
    put_text(writer, "path", name->path);
    put_number(writer, "worker", server->config.worker);
    put_text(writer, "topology", VIEW("sfu"));
}

/* `meeting` is the room, where it is one. */
static void end_room(struct json_writer *writer, const struct server *server, uint32_t members,
                     const void *room, const struct room *meeting)
{
    struct media_sum sum = sum_of(server, room, NULL);
    if (meeting)
        seats_sum(meeting, NULL, &sum);
    put_number(writer, "members", members);
    media_sum_write(writer, &sum);
    json_close(writer, '}');
}

static bool has_room(const struct json_writer *writer)
{
    return writer->size + ROW_MAX < ANSWER_MAX;
}

/* Rooms of meetings from errand->index on.  False: there may be more. */
static bool list_meetings(const struct server *server, struct errand *errand)
{
    const struct room *room;
    while (errand->left && has_room(&errand->writer)) {
        room = rooms_next(&server->rooms, &errand->index);
        if (!room) {
            errand->index = ENDPOINTS;
            return true;
        }
        json_open(&errand->writer, '{');
        put_meeting(&errand->writer, server, room);
        end_room(&errand->writer, server, room->member_count, room, room);
        errand->left--;
    }
    return false;
}

/* Those of endpoints. */
static bool list_others(const struct server *server, struct errand *errand)
{
    struct media_name name;
    uint32_t at = errand->index - ENDPOINTS;
    for (unsigned i = 0; i < EXAMINED_MAX && errand->left && has_room(&errand->writer); i++) {
        if (!next_named(server, &at, &name))
            return true;
        errand->index = ENDPOINTS + at;
        if (name.path.size == 0 || !is_first(server, at, &name, false))
            continue;
        json_open(&errand->writer, '{');
        put_other(&errand->writer, server, &name);
        end_room(&errand->writer, server, count_members(server, name.room), name.room, NULL);
        errand->left--;
    }
    return false;
}

static bool list_some(struct server *server, usec now, struct errand *errand)
{
    (void)now;
    bool is_all = (errand->index >= ENDPOINTS || list_meetings(server, errand)) &&
                  list_others(server, errand);
    if (!is_all) {
        admin_end_page(&errand->writer, (uint32_t[]){ server->config.worker, errand->index });
        return true;
    }
    errand->index = 0; /* of the next worker */
    if (server->config.worker + 1 < server->config.worker_count)
        return false;
    admin_end_page(&errand->writer, NULL);
    return true;
}

void admin_list_rooms(struct server *server, usec now, struct stream *stream, struct view body)
{
    (void)body;
    admin_list(server, now, stream, "rooms", list_some);
}

/* ---- one room ---- */

/* One answer, while it is written into server->scratch. */
struct answer {
    struct server *server;
    usec now;
    struct json_writer writer;
    const struct room *room; /* of a meeting; NULL: of an endpoint */
    struct media_name name;  /* of any of its peers; room is NULL: it has none */
    struct admin_page page;
};

static void reply(struct answer *answer, struct stream *stream)
{
    respond(answer->server, answer->now, stream,
            &(struct response){ .code = 200,
                                .type = "application/json",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = json_written(&answer->writer) });
}

/* Finds the room; false: it is not there. */
static bool find_room(struct answer *answer, const struct asked *asked)
{
    uint32_t at = 0;
    answer->room = asked->path.size ? NULL : rooms_find(&answer->server->rooms, asked->parts[0]);
    while (next_named(answer->server, &at, &answer->name))
        if (answer->room ? answer->name.room == answer->room
                         : asked->path.size && view_equal(answer->name.path, asked->path) &&
                               view_equal(answer->name.room_name, asked->parts[0]))
            return true;
    answer->name = (struct media_name){ .room = answer->room };
    return answer->room != NULL;
}

static void put_room(struct answer *answer)
{
    if (answer->room)
        put_meeting(&answer->writer, answer->server, answer->room);
    else
        put_other(&answer->writer, answer->server, &answer->name);
}

/* As the meeting protocol writes it. */
static struct view member_id(const struct member *member, char text[ID_SIZE])
{
    snprintf(text, ID_SIZE, "m%u", member->number);
    return view_of(text);
}

static void put_member(struct answer *answer, const struct member *member)
{
    struct json_writer *writer = &answer->writer;
    char id[ID_SIZE];
    put_text(writer, "id", member_id(member, id));
    put_text(writer, "name", member_name(member));
    put_bool(writer, "away", member->away);
    put_bool(writer, "audio", member->audio);
    put_bool(writer, "video", member->video);
    put_bool(writer, "screen", member->screen);
}

static void put_other_member(struct answer *answer, const struct media_name *name)
{
    put_text(&answer->writer, "id", view_make(name->id, name->id_size));
    if (name->member_name.size)
        put_text(&answer->writer, "name", name->member_name);
}

static void end_member(struct answer *answer, const void *member)
{
    struct media_sum sum = sum_of(answer->server, answer->name.room, member);
    if (answer->room)
        seats_sum(answer->room, member, &sum);
    media_sum_write(&answer->writer, &sum);
    json_close(&answer->writer, '}');
}

static bool has_place(struct answer *answer)
{
    return answer->page.limit > 0 && has_room(&answer->writer);
}

/* Members behind the one with the number page.place[0].  False: there are more. */
static bool list_members(struct answer *answer)
{
    for (uint32_t i = 0; i < answer->room->member_count; i++) {
        const struct member *member = answer->room->members[i];
        if (member->number <= answer->page.place[0])
            continue;
        if (!has_place(answer))
            return false;
        json_open(&answer->writer, '{');
        put_member(answer, member);
        end_member(answer, member);
        answer->page.place[0] = member->number;
        answer->page.limit--;
    }
    return true;
}

/* Those who have peers, from the peer of that number on. */
static bool list_other_members(struct answer *answer)
{
    struct media_name name;
    uint32_t at = answer->page.place[0];
    for (unsigned i = 0; i < EXAMINED_MAX && has_place(answer); i++) {
        if (!next_named(answer->server, &at, &name))
            return true;
        answer->page.place[0] = at;
        if (name.room != answer->name.room || !is_first(answer->server, at, &name, true))
            continue;
        json_open(&answer->writer, '{');
        put_other_member(answer, &name);
        end_member(answer, name.member);
        answer->page.limit--;
    }
    return false;
}

static void answer_room(struct answer *answer, struct stream *stream)
{
    json_open(&answer->writer, '{');
    put_room(answer);
    json_key(&answer->writer, "members");
    json_open(&answer->writer, '[');
    bool is_all = answer->room ? list_members(answer) : list_other_members(answer);
    admin_end_page(&answer->writer, is_all ? NULL : answer->page.place);
    reply(answer, stream);
}

/* ---- one member ---- */

/* Opens the member's object; NULL: there is none of that id. */
static const void *find_member(struct answer *answer, struct view id)
{
    struct media_name name;
    char text[ID_SIZE];
    uint32_t at = 0;
    json_open(&answer->writer, '{');
    for (uint32_t i = 0; answer->room && i < answer->room->member_count; i++) {
        const struct member *member = answer->room->members[i];
        if (!view_equal(member_id(member, text), id))
            continue;
        put_member(answer, member);
        return member;
    }
    while (!answer->room && next_named(answer->server, &at, &name))
        if (name.room == answer->name.room && view_equal(view_make(name.id, name.id_size), id)) {
            put_other_member(answer, &name);
            return name.member;
        }
    return NULL;
}

/* Its peers from the place on: a peer's number, and a row of its. */
static bool list_peers(struct answer *answer, const void *member)
{
    struct media_rows rows = { .at = answer->page.place[1], .left = answer->page.limit };
    struct media_name name;
    const struct peer *peer;
    uint32_t next = answer->page.place[0];
    for (;;) {
        uint32_t begin = next;
        peer = next_named(answer->server, &next, &name);
        if (!peer)
            return true;
        if (name.room != answer->name.room || name.member != member)
            continue;
        bool fits = answer->writer.size + MEDIA_REPORT_HEAD_MAX + MEDIA_REPORT_ROW_MAX < ANSWER_MAX;
        if (!fits || !media_report(&answer->writer, answer->now, peer, &rows)) {
            answer->page.place[0] = begin;
            answer->page.place[1] = rows.at;
            return false;
        }
        rows.at = 0;
    }
}

/* What is known of it here, and then there. */
static void ask_elsewhere(const struct answer *answer, struct stream *stream, struct view id,
                          const struct seat *seat)
{
    struct answer begun = *answer;
    struct errand *errand =
        errand_new(answer->server, answer->now, stream, seat_report, seat->show.row.worker);
    if (!errand)
        return;
    begun.writer = errand->writer;
    (void)find_member(&begun, id);
    json_key(&begun.writer, "connections");
    json_open(&begun.writer, '[');
    errand->writer = begun.writer;
    errand->serial = seat->id;
    errand->index = answer->page.place[1];
    errand->left = answer->page.limit;
    errand_run(answer->server, answer->now, errand);
}

static void answer_member(struct answer *answer, struct stream *stream, struct view id)
{
    const void *member = find_member(answer, id);
    if (!member) {
        respond_code(answer->server, answer->now, stream, 404, NULL);
        return;
    }
    if (answer->room && seat_is_elsewhere(((const struct member *)member)->seat)) {
        ask_elsewhere(answer, stream, id, ((const struct member *)member)->seat);
        return;
    }
    json_key(&answer->writer, "connections");
    json_open(&answer->writer, '[');
    bool is_all = list_peers(answer, member);
    admin_end_page(&answer->writer, is_all ? NULL : answer->page.place);
    reply(answer, stream);
}

/* ---- a capture ---- */

static void answer_pcap(struct answer *answer, struct stream *stream, struct view id)
{
    struct server *server = answer->server;
    struct view value;
    uint64_t seconds = CAPTURE_S;
    const void *member = find_member(answer, id);
    if (!server->config.has_pcap || !server->sfu || !member)
        respond_code(server, answer->now, stream, 404, NULL);
    else if (answer->room && seat_is_elsewhere(((const struct member *)member)->seat))
        respond_code(server, answer->now, stream, 501, NULL); /* it is another worker's to make */
    else if (http_query_find(server->request.query, "seconds", &value) &&
             (!view_read_number(value, CAPTURE_S_MAX, &seconds) || seconds == 0))
        respond_code(server, answer->now, stream, 400, NULL);
    else
        capture_begin(server, answer->now, stream, answer->name.room, member, (unsigned)seconds);
}

void admin_ask_room(struct server *server, usec now, struct stream *stream, struct view body)
{
    struct answer answer = { .server = server, .now = now };
    struct asked asked;
    (void)body;
    bool is_read = read_asked(&asked, server->request.path, server->request.query);
    bool is_pcap = is_read && asked.count == 4 && view_equal(asked.parts[3], VIEW("pcap"));
    if (!admin_admit(server, now, stream, is_pcap ? METHOD_POST : METHOD_GET,
                     is_pcap ? "Allow: POST\r\n" : "Allow: GET\r\n"))
        return;
    answer.writer = json_writer_make(server->scratch, ANSWER_MAX);
    if (!is_read || asked.count == 0 || asked.count == 2 || (asked.count == 4 && !is_pcap) ||
        (asked.count > 2 && !view_equal(asked.parts[1], VIEW("members"))) ||
        !find_room(&answer, &asked))
        respond_code(server, now, stream, 404, NULL);
    else if (is_pcap)
        answer_pcap(&answer, stream, asked.parts[2]);
    else if (!admin_read_page(server, &answer.page))
        respond_code(server, now, stream, 400, NULL);
    else if (asked.count == 1)
        answer_room(&answer, stream);
    else
        answer_member(&answer, stream, asked.parts[2]);
}
