#include "front/admin_rooms.h"

#include "front/admin.h"
#include "front/errand.h"
#include "front/media_report.h"
#include "front/meet/seat.h"
#include "front/put.h"
#include "front/respond.h"

#include <stdio.h>
#include <string.h>

#define ROW_MAX      2048       /* of a room or a member, with names that are all escaped */
#define ENDPOINTS    0x80000000 /* numbers from here on are those of peers at endpoints */
#define EXAMINED_MAX 256        /* peers that one page looks at as a room's or member's first */
#define PARTS_MAX    4

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

const struct peer *admin_next_peer(const struct server *server, uint32_t *index,
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
    while (admin_next_peer(server, &at, &other) && at < index)
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
    while ((peer = admin_next_peer(server, &at, &name)))
        if (name.room == room && (!member || name.member == member))
            media_sum_add(&sum, peer);
    return sum;
}

static uint32_t count_members(const struct server *server, const void *room)
{
    struct media_name name;
    uint32_t count = 0;
    uint32_t at = 0;
    while (admin_next_peer(server, &at, &name))
        count += name.room == room && is_first(server, at, &name, true);
    return count;
}

/* ---- rooms ---- */

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
    return writer->size + ROW_MAX < ADMIN_ANSWER_MAX;
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
        if (!admin_next_peer(server, &at, &name))
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

void admin_reply(struct admin_answer *answer, struct stream *stream)
{
    respond(answer->server, answer->now, stream,
            &(struct response){ .code = 200,
                                .type = "application/json",
                                .headers = "Cache-Control: no-store\r\n",
                                .body = json_written(&answer->writer) });
}

/* Finds the room; false: it is not there. */
static bool find_room(struct admin_answer *answer, const struct asked *asked)
{
    uint32_t at = 0;
    answer->room = asked->path.size ? NULL : rooms_find(&answer->server->rooms, asked->parts[0]);
    while (admin_next_peer(answer->server, &at, &answer->name))
        if (answer->room ? answer->name.room == answer->room
                         : asked->path.size && view_equal(answer->name.path, asked->path) &&
                               view_equal(answer->name.room_name, asked->parts[0]))
            return true;
    answer->name = (struct media_name){ .room = answer->room };
    return answer->room != NULL;
}

static void put_room(struct admin_answer *answer)
{
    if (answer->room)
        put_meeting(&answer->writer, answer->server, answer->room);
    else
        put_other(&answer->writer, answer->server, &answer->name);
}

struct view admin_member_id(const struct member *member, char text[ADMIN_ID_SIZE])
{
    snprintf(text, ADMIN_ID_SIZE, "m%u", member->number);
    return view_of(text);
}

void admin_put_member(struct admin_answer *answer, const struct member *member)
{
    struct json_writer *writer = &answer->writer;
    char id[ADMIN_ID_SIZE];
    put_text(writer, "id", admin_member_id(member, id));
    put_text(writer, "name", member_name(member));
    put_bool(writer, "away", member->away);
    put_bool(writer, "audio", member->audio);
    put_bool(writer, "video", member->video);
    put_bool(writer, "screen", member->screen);
}

void admin_put_other_member(struct admin_answer *answer, const struct media_name *name)
{
    put_text(&answer->writer, "id", view_make(name->id, name->id_size));
    if (name->member_name.size)
        put_text(&answer->writer, "name", name->member_name);
}

static void end_member(struct admin_answer *answer, const void *member)
{
    struct media_sum sum = sum_of(answer->server, answer->name.room, member);
    if (answer->room)
        seats_sum(answer->room, member, &sum);
    media_sum_write(&answer->writer, &sum);
    json_close(&answer->writer, '}');
}

static bool has_place(struct admin_answer *answer)
{
    return answer->page.limit > 0 && has_room(&answer->writer);
}

/* Members behind the one with the number page.place[0].  False: there are more. */
static bool list_members(struct admin_answer *answer)
{
    for (uint32_t i = 0; i < answer->room->member_count; i++) {
        const struct member *member = answer->room->members[i];
        if (member->number <= answer->page.place[0])
            continue;
        if (!has_place(answer))
            return false;
        json_open(&answer->writer, '{');
        admin_put_member(answer, member);
        end_member(answer, member);
        answer->page.place[0] = member->number;
        answer->page.limit--;
    }
    return true;
}

/* Those who have peers, from the peer of that number on. */
static bool list_other_members(struct admin_answer *answer)
{
    struct media_name name;
    uint32_t at = answer->page.place[0];
    for (unsigned i = 0; i < EXAMINED_MAX && has_place(answer); i++) {
        if (!admin_next_peer(answer->server, &at, &name))
            return true;
        answer->page.place[0] = at;
        if (name.room != answer->name.room || !is_first(answer->server, at, &name, true))
            continue;
        json_open(&answer->writer, '{');
        admin_put_other_member(answer, &name);
        end_member(answer, name.member);
        answer->page.limit--;
    }
    return false;
}

static void answer_room(struct admin_answer *answer, struct stream *stream)
{
    json_open(&answer->writer, '{');
    put_room(answer);
    json_key(&answer->writer, "members");
    json_open(&answer->writer, '[');
    bool is_all = answer->room ? list_members(answer) : list_other_members(answer);
    admin_end_page(&answer->writer, is_all ? NULL : answer->page.place);
    admin_reply(answer, stream);
}

void admin_ask_room(struct server *server, usec now, struct stream *stream, struct view body)
{
    struct admin_answer answer = { .server = server, .now = now };
    struct asked asked;
    (void)body;
    bool is_read = read_asked(&asked, server->request.path, server->request.query);
    bool is_pcap = is_read && asked.count == 4 && view_equal(asked.parts[3], VIEW("pcap"));
    bool is_why = is_read && asked.count == 4 && view_equal(asked.parts[3], VIEW("why"));
    if (!admin_admit(server, now, stream, is_pcap ? METHOD_POST : METHOD_GET,
                     is_pcap ? "Allow: POST\r\n" : "Allow: GET\r\n"))
        return;
    answer.writer = json_writer_make(server->scratch, ADMIN_ANSWER_MAX);
    if (!is_read || asked.count == 0 || asked.count == 2 ||
        (asked.count == 4 && !is_pcap && !is_why) ||
        (asked.count > 2 && !view_equal(asked.parts[1], VIEW("members"))) ||
        !find_room(&answer, &asked))
        respond_code(server, now, stream, 404, NULL);
    else if (is_pcap)
        admin_answer_pcap(&answer, stream, asked.parts[2]);
    else if (is_why)
        admin_answer_why(&answer, stream, asked.parts[2]);
    else if (!admin_read_page(server, &answer.page))
        respond_code(server, now, stream, 400, NULL);
    else if (asked.count == 1)
        answer_room(&answer, stream);
    else
        admin_answer_member(&answer, stream, asked.parts[2]);
}
