/* What a member wants of its slots, by how they are shown, and what it gets of that. */
#include "front/meet/seat.h"

#include <assert.h>
#include <string.h>

#define PRIORITY_MAX TRANSCEIVER_PINNED /* 1: those who speak */
#define STATE_MAX    ((size_t)4096)

/* ---- what it wants ---- */

/* A size that is not said is not known, and one that is too large is as large as can be. */
static bool read_size(const cJSON *item, const char *name, uint16_t *size)
{
    uint64_t number = ALLOCATION_ANY_SIZE;
    if (json_get_number(item, name, &number) == ERR_MALFORMED)
        return false;
    *size = number < ALLOCATION_ANY_SIZE ? (uint16_t)number : ALLOCATION_ANY_SIZE;
    return true;
}

static bool read_tile(const cJSON *item, struct seat_tile *tile)
{
    struct view mid = json_get_string(item, "mid");
    uint64_t priority = 0;
    if (mid.size == 0 || mid.size > sizeof tile->mid)
        return false;
    *tile = (struct seat_tile){ .mid_size = (uint8_t)mid.size };
    memcpy(tile->mid, mid.at, mid.size);
    if (json_get_number(item, "priority", &priority) == ERR_MALFORMED || priority > PRIORITY_MAX)
        return false;
    tile->priority = (uint8_t)priority;
    return read_size(item, "width", &tile->width) && read_size(item, "height", &tile->height);
}

static size_t count_pinned_beside(const struct transceiver *slot)
{
    size_t count = 0;
    for (const struct transceiver *at = NULL; (at = peer_next(slot->peer, at));)
        count += at != slot && at->wish.priority == TRANSCEIVER_PINNED;
    return count;
}

static void take_tile(const struct seat *seat, usec now, const struct seat_tile *tile)
{
    struct transceiver *slot = peer_find_mid(seat->peer, view_make(tile->mid, tile->mid_size));
    if (!slot || !slot->is_video || !slot->is_announced)
        return; /* it was one when this was said, or never */
    struct transceiver_wish wish = slot->wish;
    wish.width = tile->width;
    wish.height = tile->height;
    wish.priority = tile->priority;
    if (tile->priority == TRANSCEIVER_PINNED && count_pinned_beside(slot) >= SEAT_PINNED_MAX)
        wish.priority = TRANSCEIVER_PINNED - 1;
    transceiver_want(slot, now, &wish);
}

/* Pins go last, so that one may take the place of another that ends with the same message. */
void seat_take_wish(struct seat *seat, usec now, const struct seat_tile *tiles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tiles[i].priority < TRANSCEIVER_PINNED)
            take_tile(seat, now, &tiles[i]);
    for (size_t i = 0; i < count; i++)
        if (tiles[i].priority == TRANSCEIVER_PINNED)
            take_tile(seat, now, &tiles[i]);
}

void seat_wish(struct meet_call *call)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(call->message, "tiles");
    struct seat *seat = call->member->seat;
    struct seat_tile tiles[SEAT_VIDEO_MAX];
    const cJSON *item;
    size_t count = 0;
    bool is_right = cJSON_IsArray(list);
    cJSON_ArrayForEach(item, list)
    {
        is_right = is_right && count < SEAT_VIDEO_MAX && read_tile(item, &tiles[count++]);
    }
    if (!is_right) {
        meet_refuse(call, "bad-message",
                    "\"tiles\" must be a list of up to 24, with a \"mid\" in each, and \"width\", "
                    "\"height\" and \"priority\" (0 to 2) as whole numbers");
        return;
    }
    if (!seat)
        meet_refuse(call, "no-sfu", "there is no connection: begin one with \"new\":true");
    else if (seat->peer)
        seat_take_wish(seat, call->now, tiles, count);
    else
        seat_far_wish(seat, tiles, count);
}

void seat_forget_wish(struct transceiver *slot, usec now, bool is_left_out)
{
    struct transceiver_wish wish = slot->wish;
    wish.width = wish.height = ALLOCATION_ANY_SIZE;
    wish.priority = 0;
    wish.is_left_out = is_left_out;
    transceiver_want(slot, now, &wish);
}

/* ---- what it gets ---- */

static void write_layer(struct json_writer *writer, const struct layer *layer)
{
    if (layer->width > 0 && layer->height > 0) {
        json_key(writer, "width");
        json_number(writer, layer->width);
        json_key(writer, "height");
        json_number(writer, layer->height);
    }
    if (layer->fps > 0) {
        json_key(writer, "fps");
        json_number(writer, layer->fps);
    }
}

static void write_slot(struct json_writer *writer, const struct transceiver *slot)
{
    const struct transceiver_share *share = &slot->share;
    json_open(writer, '{');
    json_key(writer, "mid");
    json_string(writer, transceiver_mid(slot));
    json_key(writer, "reason");
    json_string(writer, view_of(allocation_reason_name((enum allocation_reason)share->reason)));
    json_key(writer, "on");
    json_bool(writer, !share->is_held_back);
    if (!share->is_held_back)
        write_layer(writer, &share->layer);
    json_close(writer, '}');
}

/* Those of pictures that are not as good as they could be. */
static void write_state(const struct peer *peer, struct json_writer *writer)
{
    json_open(writer, '[');
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (at->is_video && at->subscription && at->is_announced &&
            at->share.reason != ALLOCATION_FULL && at->share.reason != ALLOCATION_SILENT)
            write_slot(writer, at);
    json_close(writer, ']');
}

void seat_tell_tracks(const struct seat *seat, usec now, const char *type, struct view tracks)
{
    struct server *server = seat->server;
    struct stream *stream = seat->member ? seat->member->link : NULL;
    if (!stream)
        return; /* it is told when it is back */
    struct json_writer writer = meet_begin(server, type);
    json_key(&writer, "tracks");
    json_raw(&writer, tracks);
    meet_send(server, now, stream, &writer);
}

void seat_tell_state(const struct seat *seat, usec now, struct view state)
{
    seat_tell_tracks(seat, now, "sfu-state", state);
}

void seat_tell_again(struct seat *seat, usec now)
{
    if (!seat->peer) {
        seat_far_tell_again(seat);
        return;
    }
    seat->told_state = 1; /* is the hash of nothing */
    seat->told_wanted = seat->told_wanted != 0;
    seat_shared(seat->server, now, seat->peer);
    seat_wanted(seat->server, now, seat->peer);
}

void seat_shared(struct server *server, usec now, struct peer *peer)
{
    struct seat *seat = peer->owner;
    char text[STATE_MAX];
    struct json_writer writer = json_writer_make(text, sizeof text);
    write_state(peer, &writer);
    assert(!writer.overflow);
    bool is_empty = json_written(&writer).size == strlen("[]");
    uint64_t told = siphash(json_written(&writer), server->config.room_secret) | 1;
    if (told == seat->told_state || (is_empty && seat->told_state == 0))
        return; /* what has changed is none of these */
    seat->told_state = told;
    if (seat->stage)
        stage_tell_state(seat, json_written(&writer));
    else
        seat_tell_state(seat, now, json_written(&writer));
}
