#include "front/meet/stage.h"

#include "front/admin.h"
#include "front/meet/data.h"
#include "front/meet/links.h"
#include "front/meet/spread.h"
#include "front/meet/voices.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- the stage ---- */

struct stage *stage_find(const struct server *server, unsigned home, uint64_t room)
{
    struct list *all = &server->spread->stages;
    for (struct list *node = all->next; node != all; node = node->next) {
        struct stage *stage = LIST_ENTRY(node, struct stage, node);
        if (stage->home == home && stage->room == room)
            return stage;
    }
    return NULL;
}

static struct stage *open_stage(struct server *server, usec now, const struct note *note)
{
    struct spread *spread = server->spread;
    struct stage *stage = stage_find(server, note->from, note->room);
    if (stage)
        return stage;
    stage = pool_take(&server->spread->stage_pool);
    if (!stage)
        return NULL;
    stage->server = server;
    stage->home = note->from;
    stage->room = note->room;
    stage->name_size = note->offer.name_sizes[0];
    memcpy(stage->name, note->offer.names[0], sizeof stage->name);
    list_init(&stage->seats);
    list_init(&stage->node);
    data_circle_init(&stage->data);
    speakers_listen(&stage->voices.speakers);
    data_serve_stage(stage);
    list_append(&spread->stages, &stage->node);
    spread->timer.kind = TIMER_SPREAD;
    if (!spread->timer.is_set)
        wheel_set(&server->wheel, &spread->timer, now + SPREAD_SUMS_EACH);
    return stage;
}

void stage_free(struct stage *stage)
{
    struct spread *spread = stage->server->spread;
    list_remove(&stage->node);
    if (list_empty(&spread->stages))
        wheel_cancel(&stage->server->wheel, &spread->timer);
    data_circle_end(&stage->data);
    wheel_cancel(&stage->server->wheel, &stage->voices.timer);
    speakers_end(&stage->voices.speakers);
    pool_give(&stage->server->spread->stage_pool, stage);
}

void stage_leave(struct seat *seat, usec now)
{
    struct stage *stage = seat->stage;
    list_remove(&seat->of_stage);
    for (uint32_t i = 0; i < stage->show_count; i++)
        if (stage->shows[i].here == seat)
            stage->shows[i].here = NULL;
    if (!list_empty(&stage->seats))
        return;
    for (uint32_t i = 0; i < stage->show_count; i++)
        inlets_close(&stage->shows[i], now, false);
    stage_free(stage);
}

void stage_end(struct stage *stage, usec now)
{
    bool is_last;
    do {
        struct seat *seat = LIST_ENTRY(stage->seats.next, struct seat, of_stage);
        is_last = seat->of_stage.next == &stage->seats;
        seat_close(seat, now);
    } while (!is_last);
}

/* ---- its seats ---- */

static void send_text(struct server *server, const struct seat *seat, enum note_kind kind,
                      struct view text)
{
    struct note *note = note_new(server, seat->stage->home, kind, text);
    if (!note)
        return; /* whoever waits for it connects anew in the end */
    note->seat = seat->id;
    note_send(server, note);
}

void stage_tell(struct seat *seat, struct view tracks)
{
    send_text(seat->server, seat, NOTE_TRACKS, tracks);
}

void stage_tell_state(struct seat *seat, struct view state)
{
    send_text(seat->server, seat, NOTE_STATE, state);
}

void stage_tell_wanted(struct seat *seat, struct view wanted)
{
    send_text(seat->server, seat, NOTE_WANTED, wanted);
}

void stage_tell_why(struct seat *seat, struct view why)
{
    send_text(seat->server, seat, NOTE_BECAUSE, why);
}

void stage_tell_sums(const struct stage *stage, usec now)
{
    struct note_sum sums[ROOM_MEMBERS_MAX];
    size_t count = 0;
    for (struct list *node = stage->seats.next; node != &stage->seats; node = node->next) {
        const struct seat *seat = LIST_ENTRY(node, struct seat, of_stage);
        struct note_sum *sum = &sums[count++];
        *sum = (struct note_sum){ .seat = seat->id };
        media_sum_add(&sum->sum, seat->peer);
        seat_measure(seat, now, sum->looks);
    }
    struct note *note = note_new(stage->server, stage->home, NOTE_SUMS,
                                 view_make((uint8_t *)sums, count * sizeof sums[0]));
    if (note)
        note_send(stage->server, note);
}

static void peer_changed(struct server *server, usec now, struct peer *peer)
{
    struct seat *seat = peer->owner;
    if (peer->state != PEER_ENDED)
        return;
    send_text(server, seat, NOTE_ENDED, seat_reason(peer));
    seat_close(seat, now);
}

static void name_of(const struct peer *peer, struct media_name *name)
{
    const struct seat *seat = peer->owner;
    const struct stage *stage = seat->stage;
    name->room = stage;
    name->member = seat;
    name->room_name = view_make(stage->name, stage->name_size);
    name->member_name = view_make(seat->name, seat->name_size);
    name->id_size = (uint8_t)snprintf(name->id, sizeof name->id, "m%u", seat->number);
}

static void refuse(struct server *server, const struct note *offer,
                   const struct note_refused *refused)
{
    struct note *note = note_new(server, offer->from, NOTE_REFUSED, view_make(NULL, 0));
    if (!note)
        return;
    note->seat = offer->seat;
    note->refused = *refused;
    note_send(server, note);
}

static struct seat *open_seat(struct server *server, usec now, const struct note *note)
{
    struct seat *seat = server->is_stopping ? NULL : pool_take(&server->seats);
    struct stage *stage = seat ? open_stage(server, now, note) : NULL;
    if (!stage) {
        pool_give(&server->seats, seat);
        return NULL;
    }
    seat->owner = (struct media_owner){ peer_changed, name_of,   seat_source_of,
                                        seat_shared,  seat_look, seat_wanted };
    seat->server = server;
    seat->stage = stage;
    seat->id = note->seat;
    seat->number = note->offer.member;
    seat->permissions = note->offer.permissions;
    seat->timer.kind = TIMER_SEAT;
    seat->name_size = note->offer.name_sizes[1];
    memcpy(seat->name, note->offer.names[1], sizeof seat->name);
    list_init(&seat->of_stage);
    list_append(&stage->seats, &seat->of_stage);
    int status = spread_add(server, seat);
    if (status == OK) {
        status = seat_open_peer(seat, now, &stage->data);
        if (status == OK) {
            voices_join(seat, now);
            return seat;
        }
        spread_forget(server, seat);
    }
    stage_leave(seat, now);
    pool_give(&server->seats, seat);
    return NULL;
}

static bool send_answer(struct server *server, const struct seat *seat, struct view text)
{
    struct note *note = note_new(server, seat->stage->home, NOTE_ANSWER, text);
    if (!note)
        return false;
    note->seat = seat->id;
    memcpy(note->serials, seat->serials, sizeof note->serials);
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        if (!seat->tracks[i])
            note->serials[i] = 0;
    note_send(server, note);
    return true;
}

static void take_offer(struct server *server, usec now, const struct note *note)
{
    static const struct note_refused FULL = { "sfu-full",
                                              "the server has no place for more connections",
                                              .is_over = true };
    struct note_refused refused = FULL;
    struct seat_offer offer = { .sdp = note_view(note), .is_new = note->offer.is_new };
    struct buffer *text;
    for (unsigned i = 0; i < SEAT_SOURCES; i++)
        offer.mids[i] = view_make(note->offer.mids[i], note->offer.mid_sizes[i]);
    struct seat *seat =
        offer.is_new ? open_seat(server, now, note) : spread_find(server, note->seat);
    if (!seat) {
        if (offer.is_new) /* otherwise it has been told already that it has ended */
            refuse(server, note, &refused);
        return;
    }
    if (seat_take_offer(seat, now, &offer, &text, &refused) == OK) {
        bool is_sent = send_answer(server, seat, buffer_view(text));
        buffer_give(server->buffers, text);
        if (is_sent)
            return;
        refused = FULL;
    }
    refuse(server, note, &refused);
    if (refused.is_over)
        seat_close(seat, now);
}

bool seat_report(struct server *server, usec now, struct errand *errand)
{
    const struct seat *seat = spread_find(server, errand->serial);
    struct media_rows rows = { .at = errand->index, .left = errand->left };
    bool is_all = !seat || !seat->peer || media_report(&errand->writer, now, seat->peer, &rows);
    admin_end_page(&errand->writer, is_all ? NULL : (uint32_t[]){ 0, rows.at });
    return true;
}

/* ---- what there is in the room ---- */

/* Links go on for tracks that are still there. */
static void keep_inlets(struct show *show, struct show *before)
{
    if (before->row.seat != show->row.seat)
        return;
    memcpy(show->looks, before->looks, sizeof show->looks);
    for (unsigned i = 0; i < SEAT_SOURCES; i++) {
        struct inlet *inlet = before->inlets[i];
        if (!inlet || inlet->serial != show->row.serials[i])
            continue;
        show->inlets[i] = inlet;
        before->inlets[i] = NULL;
    }
}

static void take_bill(struct stage *stage, usec now, const struct note *note)
{
    struct show before[ROOM_MEMBERS_MAX];
    uint32_t before_count = stage->show_count;
    uint32_t count = (uint32_t)(note->size / sizeof(struct show_row));
    assert(count <= ROOM_MEMBERS_MAX);
    memcpy(before, stage->shows, before_count * sizeof before[0]);
    for (uint32_t i = 0; i < count; i++) {
        struct show *show = &stage->shows[i];
        *show = (struct show){ .here = NULL };
        memcpy(&show->row, note->bytes + i * sizeof show->row, sizeof show->row);
        if (show->row.worker == stage->server->config.worker)
            show->here = spread_find(stage->server, show->row.seat);
        if (show->here)
            speaker_decided(&show->here->voice, show->row.is_loud);
        for (uint32_t k = 0; k < before_count; k++)
            keep_inlets(show, &before[k]);
    }
    stage->show_count = count;
    for (uint32_t k = 0; k < before_count; k++)
        inlets_close(&before[k], now, false);
    stage_point(stage, now);
}

/* ---- notes ---- */

static void take_wish(struct server *server, usec now, const struct note *note)
{
    struct seat_tile tiles[SEAT_VIDEO_MAX];
    struct seat *seat = spread_find(server, note->seat);
    assert(note->size <= sizeof tiles);
    memcpy(tiles, note->bytes, note->size);
    if (seat && seat->peer)
        seat_take_wish(seat, now, tiles, note->size / sizeof tiles[0]);
}

void stage_note(struct server *server, usec now, const struct note *note)
{
    struct stage *stage;
    struct seat *seat;
    switch (note->kind) {
    case NOTE_OFFER:
        take_offer(server, now, note);
        break;
    case NOTE_WISH:
        take_wish(server, now, note);
        break;
    case NOTE_AGAIN:
        seat = spread_find(server, note->seat);
        if (seat && seat->peer)
            seat_tell_again(seat, now);
        break;
    case NOTE_CLOSE:
        seat = spread_find(server, note->seat);
        if (seat)
            seat_close(seat, now);
        break;
    case NOTE_WHY:
        seat = spread_find(server, note->seat);
        if (seat && seat->peer)
            seat_answer_why(seat, now);
        break;
    default:
        stage = stage_find(server, note->from, note->room);
        if (stage && note->kind == NOTE_LOOKS)
            stage_take_looks(stage, note_view(note));
        else if (stage)
            take_bill(stage, now, note);
        break;
    }
}
