/* A meeting whose members' media is at two workers: what is told, and what is sent. */
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

static struct room *the_room(void)
{
    for (unsigned i = 0; i < house->workers; i++) {
        struct room *room = map_find(&house->servers[i]->rooms.by_name, VIEW("a"));
        home = room ? i : home;
        if (room)
            return room;
    }
    return NULL;
}

static void open_house(unsigned spread_from)
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
                                          .to_network = to_network });
    server = house->servers[0];
    memset(far_workers, 0, sizeof far_workers);
}

/* Four guests, in a room that is sfu. */
static int set_up(void **state)
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

static void check_empty(void)
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

static int tear_down(void **state)
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
static struct seat *seat_of(unsigned guest, unsigned *worker)
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

static void offer(unsigned guest, const char *sections)
{
    say_offer(guests[guest].wire, sections, "'new':true," BOTH_SOURCES);
    expect_event(guests[guest].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
}

/* Connects it with the port where its peer is; gives the worker. */
static unsigned connect_guest(unsigned guest, const char *sections)
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

static void connect_all(const char *sections)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned worker = connect_guest(i, sections);
        assert_int_equal(worker, i < 2 ? home : 1 - home);
    }
    for (unsigned i = 0; i < 4; i++)
        hear_all(guests[i].wire);
}

/* Drops all that the guest has been told, but for the last of that type; empty: there was none. */
static const char *last_told(unsigned guest, const char *type)
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
static void say_frame(unsigned guest, uint8_t number, bool is_key)
{
    static const char *const FRAMES[] = { "\x10\x11\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01",
                                          "\x10\x10\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01" };
    uint32_t ssrc = OFFER_SSRC + 1;
    uint8_t packet[RTC_PACKET_MAX] = {
        0x80, 0x80 | 96, 0, number, 0, 0, number, 0, 0, 0, (uint8_t)(ssrc >> 8), (uint8_t)ssrc
    };
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

static void forget_heard(void)
{
    for (unsigned i = 0; i < 4; i++)
        fars[i]->rtp_count = 0;
}

/* ---- what is told ---- */

static void test_told(void **state)
{
    (void)state;
    char text[100];
    connect_all("AVavavav");
    /* the same for all: what there is, wherever it is */
    for (unsigned i = 0; i < 4; i++) {
        unsigned worker;
        const struct seat *seat = seat_of(i, &worker);
        unsigned bears = 0;
        for (struct transceiver *at = NULL; (at = peer_next(seat->peer, at));)
            bears += at->subscription != NULL;
        assert_int_equal(bears, 6);
    }
    ws_say(guests[1].wire, "{'type':'leave'}");
    ws_say(guests[2].wire, "{'type':'leave'}");
    /* the last that the others are told: the one of the other worker */
    for (unsigned i = 0; i < 4; i += 3) {
        const char *last = last_told(i, "tracks");
        snprintf(text, sizeof text, "\"member\":\"m%u\",\"source\":\"camera\"", 3 - i + 1);
        assert_non_null(strstr(last, text));
        assert_non_null(strstr(last, "\"wanted\":{\"audio\":1,\"video\":1}"));
    }
}

static void test_small_stays(void **state)
{
    (void)state;
    assert_int_equal(connect_guest(0, "AVavavav"), home);
    assert_int_equal(connect_guest(1, "AVavavav"), home);
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 0);
    assert_int_equal(house->servers[1 - home]->seats.used, 0);
}

/* What is hidden is not sent, wherever its peer is, and who hides it is told. */
static void test_hidden(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    for (unsigned i = 1; i < 4; i++) {
        ws_say(guests[i].wire,
               "{'type':'sfu-wish','tiles':[{'mid':'3','width':0,'height':0},"
               "{'mid':'5','width':0,'height':0},{'mid':'7','width':0,'height':0}]}");
        run();
    }
    house_wait(house, 1 * USEC_S);
    forget_heard();
    say_frame(0, 2, true);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fars[i]->rtp_count, 0);
        assert_non_null(strstr(last_told(i, "sfu-state"), "\"hidden\",\"on\":false"));
        ws_say(guests[i].wire, "{'type':'sfu-wish','tiles':[{'mid':'3'},{'mid':'5'},{'mid':'7'}]}");
        run();
    }
    house_wait(house, 1 * USEC_S);
    say_frame(0, 3, true);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fars[i]->rtp_count, 1);
        assert_non_null(strstr(last_told(i, "sfu-state"), "\"tracks\":[]"));
    }
}

/* ---- what is sent ---- */

static void test_packets_there(void **state)
{
    (void)state;
    connect_all("AVavavav");
    forget_heard();
    say_frame(0, 1, true);
    say_frame(0, 2, false);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(fars[i]->rtp_count, 2);
    forget_heard();
    say_frame(2, 1, true);
    assert_int_equal(fars[0]->rtp_count, 1);
    assert_int_equal(fars[1]->rtp_count, 1);
    assert_int_equal(fars[2]->rtp_count, 0);
    assert_int_equal(fars[3]->rtp_count, 1);
    /* one link a track: two members, with two tracks each, both ways */
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 8);
}

/* Who comes later, there, is given a key frame. */
static void test_late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_guest(i, "AVavavav");
    say_frame(0, 1, true);
    say_frame(0, 2, true);
    house_wait(house, 1 * USEC_S);
    unsigned before = fars[0]->rtcp_count;
    fars[0]->rtcp_size = 0;
    connect_guest(3, "AVavavav");
    say_frame(0, 3, false);
    assert_true(fars[0]->rtcp_count > before);
    struct rtcp_packet packet;
    struct view rest = view_make(fars[0]->rtcp, fars[0]->rtcp_size);
    bool has_pli = false;
    while (rtcp_next(&rest, &packet) == OK)
        has_pli |= packet.type == RTCP_PSFB && packet.count == RTCP_PLI;
    assert_true(has_pli);
    assert_int_equal(fars[3]->rtp_count, 0);
    say_frame(0, 4, true);
    assert_int_equal(fars[3]->rtp_count, 1);
}

/* What finds no room is lost, and no more than that. */
static void test_blocked(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    forget_heard();
    house->roads[home].is_blocked = true;
    say_frame(0, 2, false);
    house->roads[home].is_blocked = false;
    assert_int_equal(fars[1]->rtp_count, 1);
    assert_int_equal(fars[3]->rtp_count, 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINK_LOST), 1);
    say_frame(0, 3, false);
    assert_int_equal(fars[3]->rtp_count, 1);
}

/* A link is there for as long as somebody is sent what it brings. */
static void test_nobody_watches(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[3].wire, "{'type':'sfu-close'}");
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    run();
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 6);
    ws_say(guests[2].wire, "{'type':'sfu-close'}");
    run();
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 0);
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    assert_int_equal(house->servers[home]->spread->outlets.used, 0);
    forget_heard();
    say_frame(0, 1, true);
    assert_int_equal(fars[1]->rtp_count, 1);
}

/* A track that is no more, and another one in its place. */
static void test_other_track(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_offer(guests[0].wire, "AVavavav", "");
    run();
    for (unsigned i = 1; i < 4; i++) {
        const char *last = last_told(i, "tracks");
        assert_true(last[0] && !strstr(last, "\"m1\""));
    }
    assert_int_equal(house_metric(house, METRIC_MEDIA_LINKS), 6);
    say_offer(guests[0].wire, "AVavavav", BOTH_SOURCES);
    run();
    forget_heard();
    say_frame(0, 1, true);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(fars[i]->rtp_count, 1);
}

/* ---- for whoever runs the server ---- */

static cJSON *ask_json(const char *path)
{
    char request[300];
    struct answer answer = { 0 };
    cJSON *json;
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n", path);
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, 200);
    assert_int_equal(json_read_object(bytes_view(&answer.body), &json), OK);
    answer_free(&answer);
    return json;
}

static double number_in(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* Members' connections are told, wherever they are. */
static void test_admin(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    house_wait(house, 3 * USEC_S);
    cJSON *room = ask_json("/api/v1/rooms/a");
    const cJSON *members = cJSON_GetObjectItemCaseSensitive(room, "members");
    assert_int_equal(cJSON_GetArraySize(members), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *member = cJSON_GetArrayItem(members, i);
        assert_true(number_in(member, "connected") == 1);
        assert_true(number_in(member, "tracks") == 2);
        assert_true(number_in(member, "subscriptions") == 6);
    }
    cJSON_Delete(room);
    for (unsigned i = 1; i <= 4; i++) {
        char path[60];
        snprintf(path, sizeof path, "/api/v1/rooms/a/members/m%u", i);
        cJSON *member = ask_json(path);
        const cJSON *connections = cJSON_GetObjectItemCaseSensitive(member, "connections");
        assert_int_equal(cJSON_GetArraySize(connections), 1);
        cJSON_Delete(member);
    }
}

/* ---- data channels ---- */

static struct sctp ends; /* the far ends' */
static struct buffers *end_buffers;
static struct sctp_association *associations[GUESTS_MAX];
static unsigned opened[GUESTS_MAX], closed[GUESTS_MAX], messages[GUESTS_MAX];

static unsigned guest_of(const struct far *far)
{
    unsigned guest = 0;
    while (fars[guest] != far)
        guest++;
    return guest;
}

static void drain_ends(void)
{
    struct sctp_out out;
    for (sctp_poll(&ends, &out); out.kind != SCTP_WAIT; sctp_poll(&ends, &out)) {
        struct far *far = out.association->owner;
        unsigned guest = guest_of(far);
        opened[guest] += out.kind == SCTP_CHANNEL_OPENED;
        closed[guest] += out.kind == SCTP_CHANNEL_CLOSED;
        messages[guest] += out.kind == SCTP_MESSAGE && out.message->size == 5;
        if (out.kind != SCTP_SEND)
            continue;
        assert_int_equal(dtls_send(&far->dtls, port.now, out.packet), OK);
        far_drain(far);
    }
}

static void hear_data(struct far *far, struct view data)
{
    unsigned guest = guest_of(far);
    if (!associations[guest])
        return;
    sctp_feed(&ends, port.now, associations[guest], data);
    drain_ends();
}

static void run_data(void)
{
    for (unsigned i = 0; i < 20; i++) {
        house_wait(house, 100 * USEC_MS);
        run();
        sctp_tick(&ends, port.now);
        drain_ends();
        run();
    }
}

static void connect_data(unsigned guest)
{
    const struct sctp_terms terms = { .is_dtls_client = true,
                                      .local_port = 5000,
                                      .remote_port = 5000,
                                      .remote_message_max = SFU_MESSAGE_MAX };
    connect_guest(guest, "AVavavD");
    fars[guest]->hear_data = hear_data;
    opened[guest] = closed[guest] = messages[guest] = 0;
    assert_int_equal(sctp_open(&ends, port.now, &terms, fars[guest], &associations[guest]), OK);
    drain_ends();
    run_data();
}

static int data_up(void **state)
{
    set_up(state);
    memset(associations, 0, sizeof associations);
    assert_int_equal(buffers_new(4 << 20, &end_buffers), OK);
    const struct sctp_config config = { .buffers = end_buffers,
                                        .random = &port.random,
                                        .metrics = &port.metrics,
                                        .associations_max = 8,
                                        .channels_max = 64,
                                        .messages_max = 256,
                                        .chunks_max = 1024,
                                        .pieces_max = 1024,
                                        .message_max = SFU_MESSAGE_MAX,
                                        .receive_max = 2 * SFU_MESSAGE_MAX,
                                        .send_max = 2 * SFU_MESSAGE_MAX };
    assert_int_equal(sctp_init(&ends, &config, house->now), OK);
    return 0;
}

static int data_down(void **state)
{
    sctp_free(&ends);
    buffers_free(end_buffers);
    return tear_down(state);
}

static struct sctp_channel *open_channel(unsigned guest)
{
    struct sctp_channel *channel;
    const struct sctp_channel_terms terms = { .label = VIEW("notes"), .protocol = VIEW("p") };
    assert_int_equal(
        sctp_open_channel(&ends, port.now, associations[guest], &terms, NULL, &channel), OK);
    drain_ends();
    run_data();
    return channel;
}

static void say_data(struct sctp_channel *channel)
{
    struct buffer *message;
    assert_int_equal(buffers_take(end_buffers, 5, &message), OK);
    memcpy(message->bytes, "hello", 5);
    message->size = 5;
    assert_int_equal(sctp_send(&ends, port.now, channel, SCTP_STRING, message), OK);
    buffer_give(end_buffers, message);
    drain_ends();
    run_data();
}

/* Two are at each worker; the fourth comes when the channel is there. */
static void test_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_data(i);
    struct sctp_channel *channel = open_channel(0);
    assert_int_equal(opened[1], 1);
    assert_int_equal(opened[2], 1);
    connect_data(3);
    assert_int_equal(opened[3], 1);
    say_data(channel);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(messages[i], 1);
    assert_int_equal(messages[0], 0);

    /* from there, too: to both at home, and once to the one beside */
    struct sctp_channel *other = open_channel(2);
    say_data(other);
    assert_int_equal(messages[0], 1);
    assert_int_equal(messages[1], 2);
    assert_int_equal(messages[2], 1);
    assert_int_equal(messages[3], 2);

    /* it stays open while there is one who has opened it, wherever that is */
    ws_say(guests[0].wire, "{'type':'sfu-close'}");
    run_data();
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(closed[i], 0);
    say_data(other);
    assert_int_equal(messages[1], 3);
    ws_say(guests[2].wire, "{'type':'sfu-close'}");
    run_data();
    assert_int_equal(closed[1], 1);
    assert_int_equal(closed[3], 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(house->servers[i]->sfu->data_far.used, 0);
}

/* On a channel that may lose nothing, who has missed a message hears no more of it. */
static void test_data_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_data(i);
    struct sctp_channel *channel = open_channel(0);
    house->roads[home].is_blocked = true;
    say_data(channel);
    house->roads[home].is_blocked = false;
    assert_int_equal(messages[1], 1);
    assert_int_equal(messages[2], 0);
    assert_int_equal(closed[1], 0);
    assert_int_equal(closed[2], 1);
    assert_true(house_metric(house, METRIC_MEDIA_DATA_LOST) >= 1);
}

/* ---- errors and ends ---- */

static void test_refused(void **state)
{
    (void)state;
    offer(0, "AVavavav");
    offer(1, "AVavavav");
    hear_all(guests[2].wire);
    ws_say(guests[2].wire, "{'type':'sfu-offer','new':true,'id':1,'sdp':'v=0\\r\\nx'}");
    expect_error(guests[2].wire, "bad-sdp", ",'re':'sfu-offer','id':1");
    assert_true(list_empty(&house->servers[1 - home]->spread->stages));
    offer(2, "AVavavav");
    hear_all(guests[2].wire);
    ws_say(guests[2].wire, "{'type':'sfu-offer','sdp':'v=0\\r\\n'}");
    expect_error(guests[2].wire, "bad-sdp", ",'re':'sfu-offer'");
    say_offer(guests[2].wire, "AVavavavav", BOTH_SOURCES); /* what there was goes on */
    expect_event(guests[2].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    offer(0, "AVavavav");
    offer(1, "AVavavav");
    hear_all(guests[2].wire);
    house->notes_wait = true;
    say_offer(guests[2].wire, "AVavavav", "'new':true," BOTH_SOURCES);
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    expect_error(guests[2].wire, "bad-message", ",'re':'sfu-offer'");
    say_offer(guests[2].wire, "AVavavav", "'new':true," BOTH_SOURCES); /* begins anew */
    house->notes_wait = false;
    run();
    expect_event(guests[2].wire, "sfu-answer", ",'sdp':'v=0\\r\\n");
    assert_int_equal(house->servers[1 - home]->seats.used, 1);
    house->notes_wait = true;
    say_offer(guests[2].wire, "AVavavav", BOTH_SOURCES);
    ws_say(guests[2].wire, "{'type':'leave'}"); /* before the answer comes */
    house->notes_wait = false;
    run();
    assert_int_equal(house->servers[1 - home]->seats.used, 0);
}

static void test_lost(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 34; i++) { /* the third is silent */
        house_wait(house, 1 * USEC_S);
        for (unsigned k = 0; k < 4; k++)
            if (k != 2)
                far_check(fars[k], true);
        run();
    }
    assert_non_null(strstr(last_told(2, "sfu-closed"), "\"lost\""));
    const char *last = last_told(0, "tracks");
    assert_null(strstr(last, "\"m3\""));
    assert_non_null(strstr(last, "\"m4\""));
    hear_all(guests[2].wire);
    connect_guest(2, "AVavavav");
}

static void test_room_ends(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 4; i++)
        ws_say(guests[i].wire, "{'type':'leave'}");
    run();
    check_empty();
}

static void test_mesh(void **state)
{
    (void)state;
    connect_all("AVavavav");
    ws_say(guests[0].wire, "{'type':'leave'}");
    ws_say(guests[1].wire, "{'type':'leave'}");
    house_wait(house, 26 * USEC_S);
    run();
    assert_non_null(strstr(last_told(2, "sfu-closed"), "\"mesh\""));
    check_empty();
}

static void test_stopped(void **state)
{
    (void)state;
    connect_all("AVavavav");
    for (unsigned i = 0; i < 2; i++)
        server_stop(house->servers[i], house->now);
    run();
}

/* ... with all that goes on, one after the other. */
static void test_freed(void **state)
{
    (void)state;
    set_up(NULL);
    connect_all("AVavavav");
    say_frame(0, 1, true);
    house->notes_wait = true;
    ws_say(guests[1].wire, "{'type':'leave'}");
    for (unsigned i = 0; i < 2; i++)
        server_free(house->servers[i]);
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++) {
        free(house->wires[i].got.at);
        free(house->wires[i].unfed.at);
    }
    free(house->metrics);
    free(house);
    port_close();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_told),
        TEST(test_small_stays),
        TEST(test_packets_there),
        TEST(test_late),
        TEST(test_blocked),
        TEST(test_nobody_watches),
        TEST(test_other_track),
        TEST(test_refused),
        TEST(test_one_at_a_time),
        TEST(test_lost),
        TEST(test_room_ends),
        TEST(test_mesh),
        TEST(test_stopped),
        TEST(test_hidden),
        cmocka_unit_test(test_freed),
        TEST(test_admin),
        cmocka_unit_test_setup_teardown(test_data, data_up, data_down),
        cmocka_unit_test_setup_teardown(test_data_lost, data_up, data_down),
    };
    return cmocka_run_group_tests_name("meet_spread", tests, NULL, NULL);
}
