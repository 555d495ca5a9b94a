/* house_spread.h - a meeting whose members' media is at two workers, in one thread. */
#ifndef MOIM_TESTS_FRONT_HOUSE_SPREAD_H
#define MOIM_TESTS_FRONT_HOUSE_SPREAD_H

#define FARS_MAX 12
#include "house_sfu.h"

#include "house_http.h"
#include "house_network.h"

#include "front/meet/links.h"
#include "front/meet/spread.h"
#include "media/sfu.h"

#define GUESTS_MAX 6
#define TOKEN      "the admin's own token"

static const struct token_secrets ADMIN = { .items = { VIEW(TOKEN) }, .count = 1 };

static struct guest guests[GUESTS_MAX]; /* m1, m2, ... */
static struct far *fars[GUESTS_MAX];
static struct secure_window windows[GUESTS_MAX];
static unsigned home; /* the room's worker */
static uint32_t last_n, loudest_n;

static inline struct room *the_room(void)
{
    for (unsigned i = 0; i < house->workers; i++) {
        struct room *room = map_find(&house->servers[i]->rooms.by_name, VIEW("a"));
        home = room ? i : home;
        if (room)
            return room;
    }
    return NULL;
}

static inline void open_house(unsigned spread_from)
{
    port_open("SRTP_AEAD_AES_128_GCM");
    struct server_rtc rtc = { .dtls = port.context,
                              .secure = port.engine,
                              .transports_max = 8,
                              .candidates = { { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
                              .candidate_count = 1 };
    house = house_build(&(struct wishes){ .admin = &ADMIN,
                                          .workers = 2,
                                          .rtc = &rtc,
                                          .spread_from = spread_from,
                                          .last_n = last_n,
                                          .loudest_n = loudest_n,
                                          .to_network = to_network });
    server = house->servers[0];
    memset(far_workers, 0, sizeof far_workers);
}

/* Four guests, in a room that is sfu. */
static inline int set_up(void **state)
{
    (void)state;
    open_house(2);
    for (unsigned i = 0; i < 4; i++) {
        char name[2] = { (char)('a' + i), 0 };
        guests[i] = sfu_guest(house, name);
        fars[i] = NULL;
        windows[i] = (struct secure_window){ 0 };
    }
    for (unsigned i = 0; i < 4; i++)
        hear_all(guests[i].wire);
    assert_non_null(the_room());
    return 0;
}

static inline void check_empty(void)
{
    for (unsigned i = 0; i < house->workers; i++) {
        const struct server *at = house->servers[i];
        assert_int_equal(at->seats.used, 0);
        assert_int_equal(at->sfu->tracks.tracks.used, 0);
        assert_int_equal(at->spread->inlets.used, 0);
        assert_int_equal(at->spread->outlets.used, 0);
        assert_int_equal(at->spread->seats.count, 0);
        assert_int_equal(at->spread->outlets_by_key.count, 0);
        assert_true(list_empty(&at->spread->stages));
        assert_null(at->notes);
        assert_int_equal(at->sfu->data_far.used, 0);
    }
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_PEERS), 0);
}

static inline int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++)
        if (house->wires[i].state != WIRE_UNUSED)
            wire_drop(&house->wires[i]);
    house_wait(house, 31 * USEC_S);
    check_empty();
    house_wait(house, 60 * USEC_S);
    house_close(house);
    port_close();
    return 0;
}

/* ---- members ---- */

/* Where the guest's peer is; NULL: nowhere. */
static inline struct seat *seat_of(unsigned guest, unsigned *worker)
{
    const struct room *room = the_room();
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct seat *seat = room->members[i]->seat;
        if (room->members[i]->number != guest + 1 || !seat)
            continue;
        *worker = seat->peer ? home : seat->show.row.worker;
        return seat->peer ? seat : spread_find(house->servers[*worker], seat->id);
    }
    return NULL;
}

static inline void offer(unsigned guest, const char *sections)
{
    say_offer(guests[guest].wire, sections, "'new':true," BOTH_SOURCES);
    expect_event(guests[guest].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
}

/* Connects it with the port where its peer is; gives the worker. */
static inline unsigned connect_guest(unsigned guest, const char *sections)
{
    unsigned worker;
    offer(guest, sections);
    struct seat *seat = seat_of(guest, &worker);
    assert_non_null(seat);
    struct far *far = far_make(seat->peer->transport, "SRTP_AEAD_AES_128_GCM");
    far_workers[far - port.fars] = worker;
    fars[guest] = far;
    far_check(far, true);
    run();
    far_begin(far);
    run();
    assert_int_equal(seat->peer->state, PEER_CONNECTED);
    return worker;
}

static inline void connect_all(const char *sections)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned worker = connect_guest(i, sections);
        assert_int_equal(worker, i < 2 ? home : 1 - home);
    }
    for (unsigned i = 0; i < 4; i++)
        hear_all(guests[i].wire);
}

/* Drops all that the guest has been told, but for the last of that type; empty: there was none. */
static inline const char *last_told(unsigned guest, const char *type)
{
    static char last[4000];
    char begin[40];
    struct frame frame;
    snprintf(begin, sizeof begin, "{\"type\":\"%s\"", type);
    last[0] = 0;
    while (ws_poll(guests[guest].wire, &frame)) {
        if (!view_starts(view_of(frame.payload), view_of(begin)))
            continue;
        assert_true(frame.size < sizeof last);
        memcpy(last, frame.payload, frame.size + 1);
    }
    return last;
}

/* A frame of the camera in one packet. */
static inline void say_frame_of(unsigned guest, uint8_t number, bool is_key, uint32_t timestamp)
{
    static const char *const FRAMES[] = { "\x10\x11\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01",
                                          "\x10\x10\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01" };
    uint32_t ssrc = OFFER_SSRC + 1;
    uint8_t packet[RTC_PACKET_MAX] = {
        0x80, 0x80 | 96, 0, number, 0, 0, 0, 0, 0, 0, (uint8_t)(ssrc >> 8), (uint8_t)ssrc
    };
    for (unsigned i = 0; i < 4; i++)
        packet[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
    struct secure_outgoing out = { .key = fars[guest]->secure.rtp_out,
                                   .sent = &windows[guest],
                                   .at = packet,
                                   .payload = view_of(FRAMES[is_key]),
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(fars[guest], view_make(packet, out.size));
    run();
}

static inline void say_frame(unsigned guest, uint8_t number, bool is_key)
{
    say_frame_of(guest, number, is_key, (uint32_t)number << 8);
}

static inline void forget_heard(void)
{
    for (unsigned i = 0; i < 4; i++)
        fars[i]->rtp_count = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
