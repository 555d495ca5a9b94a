/* What the admin API says of one member, and does with it. */
#include "front/admin_rooms.h"

#include "front/capture.h"
#include "front/errand.h"
#include "front/media_report.h"
#include "front/meet/seat.h"
#include "front/respond.h"
#include "front/why.h"

#define WHY_PEERS_MAX 8 /* of one member: pages with mediasoup-client have two */

/* ---- one member ---- */

/* Opens the member's object; NULL: there is none of that id. */
static const void *find_member(struct admin_answer *answer, struct view id)
{
    struct media_name name;
    char text[ADMIN_ID_SIZE];
    uint32_t at = 0;
    json_open(&answer->writer, '{');
    for (uint32_t i = 0; answer->room && i < answer->room->member_count; i++) {
        const struct member *member = answer->room->members[i];
        if (!view_equal(admin_member_id(member, text), id))
            continue;
        admin_put_member(answer, member);
        return member;
    }
    while (!answer->room && admin_next_peer(answer->server, &at, &name))
        if (name.room == answer->name.room && view_equal(view_make(name.id, name.id_size), id)) {
            admin_put_other_member(answer, &name);
            return name.member;
        }
    return NULL;
}

/* Its peers from the place on: a peer's number, and a row of its. */
static bool list_peers(struct admin_answer *answer, const void *member)
{
    struct media_rows rows = { .at = answer->page.place[1], .left = answer->page.limit };
    struct media_name name;
    const struct peer *peer;
    uint32_t next = answer->page.place[0];
    for (;;) {
        uint32_t begin = next;
        peer = admin_next_peer(answer->server, &next, &name);
        if (!peer)
            return true;
        if (name.room != answer->name.room || name.member != member)
            continue;
        bool fits =
            answer->writer.size + MEDIA_REPORT_HEAD_MAX + MEDIA_REPORT_ROW_MAX < ADMIN_ANSWER_MAX;
        if (!fits || !media_report(&answer->writer, answer->now, peer, &rows)) {
            answer->page.place[0] = begin;
            answer->page.place[1] = rows.at;
            return false;
        }
        rows.at = 0;
    }
}

/* What is known of it here, and then there. */
static void ask_elsewhere(const struct admin_answer *answer, struct stream *stream, struct view id,
                          const struct seat *seat)
{
    struct admin_answer begun = *answer;
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

void admin_answer_member(struct admin_answer *answer, struct stream *stream, struct view id)
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
    admin_reply(answer, stream);
}

/* ---- why its pictures look as they do ---- */

static void write_why(struct admin_answer *answer, const void *member)
{
    const struct peer *peers[WHY_PEERS_MAX];
    struct media_name name;
    const struct peer *peer;
    uint32_t at = 0;
    size_t count = 0;
    while (count < WHY_PEERS_MAX && (peer = admin_next_peer(answer->server, &at, &name)))
        if (name.room == answer->name.room && name.member == member)
            peers[count++] = peer;
    why_write(&answer->writer, answer->now, peers, count);
    json_close(&answer->writer, '}');
}

void admin_answer_why(struct admin_answer *answer, struct stream *stream, struct view id)
{
    const void *member = find_member(answer, id);
    const struct seat *seat = answer->room && member ? ((const struct member *)member)->seat : NULL;
    if (!member) {
        respond_code(answer->server, answer->now, stream, 404, NULL);
        return;
    }
    if (seat_is_elsewhere(seat)) {
        struct errand *errand =
            errand_new(answer->server, answer->now, stream, seat_report_why, seat->show.row.worker);
        if (!errand)
            return;
        struct admin_answer begun = *answer;
        begun.writer = errand->writer;
        (void)find_member(&begun, id);
        errand->writer = begun.writer;
        errand->serial = seat->id;
        errand_run(answer->server, answer->now, errand);
        return;
    }
    write_why(answer, member);
    admin_reply(answer, stream);
}

/* ---- a capture ---- */

void admin_answer_pcap(struct admin_answer *answer, struct stream *stream, struct view id)
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
