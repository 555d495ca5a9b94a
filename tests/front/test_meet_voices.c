/* Who speaks: in a meeting whose members' media is at two workers. */
#include "house_spread.h"

#include "front/meet/stage.h"
#include "front/meet/voices.h"

#define SPEECH    30
#define MURMUR    80
#define SLOTS     "AVavavav" /* of each: its own, and three of each kind */
#define HEARD_MAX 2000

/* What a guest got of the sound of all the others. */
static struct heard_sound {
    unsigned count;
    struct {
        uint32_t ssrc;
        uint16_t number;
        uint8_t guest; /* whose it is */
        usec at;
    } packets[HEARD_MAX];
} sounds[GUESTS_MAX];

static uint16_t said[GUESTS_MAX];
static struct secure_window sound_windows[GUESTS_MAX];

static void hear_sound(struct far *far, struct view bytes)
{
    struct rtp_packet rtp;
    unsigned guest = 0;
    while (fars[guest] != far)
        guest++;
    assert_int_equal(rtp_read(bytes, &rtp), OK);
    struct heard_sound *sound = &sounds[guest];
    if (rtp.payload_type != 111)
        return;
    assert_true(sound->count < HEARD_MAX);
    sound->packets[sound->count].ssrc = rtp.ssrc;
    sound->packets[sound->count].number = rtp.sequence_number;
    sound->packets[sound->count].guest = rtp_payload(&rtp, bytes.at).at[0];
    sound->packets[sound->count++].at = house->now;
}

static void begin(void)
{
    memset(sounds, 0, sizeof sounds);
    memset(said, 0, sizeof said);
    memset(sound_windows, 0, sizeof sound_windows);
    connect_all(SLOTS);
    for (unsigned i = 0; i < 4; i++)
        fars[i]->hear_rtp = hear_sound;
    house_wait(house, 200 * USEC_MS);
}

static void say_sound(unsigned guest, uint8_t level)
{
    uint16_t number = ++said[guest];
    uint8_t payload[4] = { (uint8_t)guest, 's', 'a', 'y' };
    uint8_t packet[RTC_PACKET_MAX] = { 0x90, 111, (uint8_t)(number >> 8), (uint8_t)number };
    uint32_t timestamp = (uint32_t)number * 960;
    for (unsigned i = 0; i < 4; i++) {
        packet[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        packet[8 + i] = (uint8_t)(OFFER_SSRC >> (24 - 8 * i));
    }
    memcpy(packet + 12, "\xbe\xde\0\1\x30", 5);
    packet[17] = 0x80 | level;
    struct secure_outgoing out = { .key = fars[guest]->secure.rtp_out,
                                   .sent = &sound_windows[guest],
                                   .at = packet,
                                   .payload = view_make(payload, sizeof payload),
                                   .header_size = 20 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(fars[guest], view_make(packet, out.size));
    run();
}

/* For that long those speak (a bit each), and the others of `there` murmur. */
static void talk(unsigned there, unsigned talking, usec time)
{
    for (usec end = house->now + time; house->now < end;) {
        house_wait(house, 20 * USEC_MS);
        for (unsigned i = 0; i < 4; i++)
            if (there >> i & 1)
                say_sound(i, talking >> i & 1 ? SPEECH : MURMUR);
    }
}

#define ALL 0xf

/* How many packets of that guest's sound this one got since then. */
static unsigned count_heard(unsigned listener, unsigned guest, usec since)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sounds[listener].count; i++)
        count +=
            sounds[listener].packets[i].guest == guest && sounds[listener].packets[i].at >= since;
    return count;
}

/* Each slot is one stream without a gap. */
static void check_continuous(void)
{
    for (unsigned guest = 0; guest < 4; guest++)
        for (unsigned i = 0; i < sounds[guest].count; i++)
            for (unsigned k = i; k-- > 0;) {
                if (sounds[guest].packets[k].ssrc != sounds[guest].packets[i].ssrc)
                    continue;
                uint16_t by =
                    (uint16_t)(sounds[guest].packets[i].number - sounds[guest].packets[k].number);
                assert_int_equal(by, 1);
                break;
            }
}

static unsigned count_told(unsigned guest, const char *type)
{
    struct frame frame;
    unsigned count = 0;
    while (ws_poll(guests[guest].wire, &frame))
        count += view_starts(view_of(frame.payload), view_of(type));
    return count;
}

/* ---- what members are told ---- */

static void test_told(void **state)
{
    (void)state;
    begin();
    talk(ALL, 0, USEC_S);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(last_told(i, "speakers"), "");
    talk(ALL, 1 << 3, USEC_S); /* at the other worker */
    for (unsigned i = 0; i < 4; i++) {
        const char *told = last_told(i, "speakers");
        assert_true(
            view_starts(view_of(told), VIEW("{\"type\":\"speakers\",\"dominant\":\"m4\","
                                            "\"speaking\":[{\"member\":\"m4\",\"level\":")));
        assert_null(strstr(told, "m1"));
    }
    talk(ALL, 1 << 0, 2 * USEC_S);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(strstr(last_told(i, "speakers"), "\"dominant\":\"m1\",\"speaking\":[{"
                                                         "\"member\":\"m1\""));
    unsigned count = count_told(3, "{\"type\":\"speakers\"");
    assert_in_range(count, 2, 2 * USEC_S / VOICES_TELL_EACH + 1);
    talk(ALL, 0, 3 * USEC_S);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(last_told(i, "speakers"),
                            "{\"type\":\"speakers\",\"dominant\":\"m1\",\"speaking\":[]}");
    talk(ALL, 0, 3 * USEC_S); /* and no more of it */
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(last_told(i, "speakers"), "");
    /* all the sound was heard by all */
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++)
            assert_int_equal(count_heard(i, k, 0), i == k ? 0 : said[k]);
    check_continuous();
}

static void test_comes_and_goes(void **state)
{
    (void)state;
    begin();
    talk(ALL, 1 << 2, USEC_S);
    struct guest late = sfu_guest(house, "late");
    struct frame frame;
    do
        assert_true(ws_poll(late.wire, &frame));
    while (!strstr(frame.payload, "speakers"));
    assert_non_null(strstr(frame.payload, "\"dominant\":\"m3\""));
    wire_drop(late.wire);
    for (unsigned i = 0; i < 4; i++)
        hear_all(guests[i].wire);
    ws_say(guests[2].wire, "{'type':'leave'}");
    house_wait(house, USEC_S);
    assert_string_equal(last_told(0, "speakers"), "{\"type\":\"speakers\",\"speaking\":[]}");
}

/* ---- loudest-N ---- */

static int set_up_loudest(void **state)
{
    loudest_n = 1;
    return set_up(state);
}

static int tear_down_rules(void **state)
{
    last_n = loudest_n = 0;
    return tear_down(state);
}

static void assert_only(unsigned guest, usec since)
{
    for (unsigned listener = 0; listener < 4; listener++)
        for (unsigned k = 0; k < 4; k++) {
            if (k == guest && listener != guest)
                assert_true(count_heard(listener, k, since) > 0);
            else
                assert_int_equal(count_heard(listener, k, since), 0);
        }
}

static void test_loudest(void **state)
{
    (void)state;
    begin();
    talk(ALL, 0, USEC_S);
    static const unsigned TURNS[] = { 3, 0, 2, 1, 3, 2 };
    for (unsigned i = 0; i < 6; i++) {
        talk(ALL, 0, SPEAKERS_HOLD + 200 * USEC_MS);
        usec from = house->now;
        talk(ALL, 1u << TURNS[i], 200 * USEC_MS);
        /* with the first word; and between workers after a moment */
        unsigned here = TURNS[i] < 2 ? 9 : 5;
        for (unsigned listener = 0; listener < 4; listener++)
            if (listener != TURNS[i])
                assert_in_range(count_heard(listener, TURNS[i], from), here, 11);
        talk(ALL, 1u << TURNS[i], USEC_S);
        from = house->now;
        talk(ALL, 1u << TURNS[i], 500 * USEC_MS);
        assert_only(TURNS[i], from + 1);
        talk(ALL, 0, 500 * USEC_MS); /* what it was dominant for goes on */
        assert_only(TURNS[i], from + 1);
    }
    check_continuous();
    /* what nobody hears doesn't cross */
    uint64_t before = house_metric(house, METRIC_MEDIA_PACKETS_OUT);
    talk(7, 0, USEC_S);
    assert_int_equal(house_metric(house, METRIC_MEDIA_PACKETS_OUT), before + 3 * 50);
}

/* ---- last-N ---- */

static int set_up_last(void **state)
{
    last_n = 1;
    return set_up(state);
}

/* The camera of that guest as it is where the listener's peer is. */
static const struct track *camera_at(unsigned listener, unsigned guest)
{
    unsigned here = 0, there = 0;
    const struct seat *seat = seat_of(listener, &here);
    const struct seat *other = seat_of(guest, &there);
    const struct room *room = the_room();
    const struct inlet *inlet = NULL;
    if (here == there)
        return other->tracks[SEAT_CAMERA];
    for (uint32_t i = 0; seat->stage && i < seat->stage->show_count; i++)
        if (seat->stage->shows[i].row.member == guest + 1)
            inlet = seat->stage->shows[i].inlets[SEAT_CAMERA];
    for (uint32_t i = 0; !seat->stage && i < room->member_count; i++)
        if (room->members[i]->number == guest + 1)
            inlet = ((struct seat *)room->members[i]->seat)->show.inlets[SEAT_CAMERA];
    assert_non_null(inlet);
    return inlet->in.track;
}

static struct transceiver *slot_at(unsigned listener, unsigned guest)
{
    unsigned worker;
    const struct track *track = camera_at(listener, guest);
    struct transceiver *at = NULL;
    while ((at = peer_next(seat_of(listener, &worker)->peer, at)))
        if (at->subscription == track)
            return at;
    fail();
    return NULL;
}

/* Only these (a bit each) are seen, by all others. */
static void assert_seen(unsigned seen)
{
    house_wait(house, 300 * USEC_MS);
    for (unsigned listener = 0; listener < 4; listener++)
        for (unsigned k = 0; k < 4; k++) {
            if (k == listener)
                continue;
            const struct transceiver *slot = slot_at(listener, k);
            bool is_seen = seen >> k & 1;
            assert_int_equal(slot->share.is_held_back, !is_seen);
            assert_int_equal(slot->share.reason == ALLOCATION_LAST_N, !is_seen);
        }
}

static void test_last(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 4; i++)
        ws_say(guests[i].wire, "{'type':'media','audio':true,'video':true}");
    for (unsigned i = 0; i < 4; i++)
        say_frame(i, 1, true);
    assert_seen(1 << 0); /* who came first, as long as nobody has spoken */
    static const unsigned TURNS[] = { 3, 1, 2, 0, 3 };
    for (unsigned i = 0; i < 5; i++) {
        talk(ALL, 1u << TURNS[i], 2 * USEC_S);
        assert_seen(1u << TURNS[i]);
    }
    assert_non_null(strstr(last_told(0, "sfu-state"), "\"reason\":\"last-n\",\"on\":false"));
    /* pinned, it is seen by the one who has */
    char wish[200];
    snprintf(wish, sizeof wish, "{'type':'sfu-wish','tiles':[{'mid':'%.*s','priority':2}]}",
             slot_at(2, 0)->terms.mid_size, slot_at(2, 0)->terms.mid);
    ws_say(guests[2].wire, wish);
    house_wait(house, 300 * USEC_MS);
    assert_false(slot_at(2, 0)->share.is_held_back);
    assert_true(slot_at(1, 0)->share.is_held_back);
    assert_true(slot_at(2, 1)->share.is_held_back);
    /* whose camera goes off gives its place away */
    ws_say(guests[2].wire, "{'type':'sfu-wish','tiles':[{'mid':'7','priority':0},"
                           "{'mid':'5','priority':0},{'mid':'3','priority':0}]}");
    ws_say(guests[3].wire, "{'type':'media','video':false}");
    house_wait(house, 300 * USEC_MS);
    assert_true(slot_at(1, 3)->share.is_held_back); /* whatever comes of it */
    assert_false(slot_at(1, 0)->share.is_held_back);
    ws_say(guests[3].wire, "{'type':'media','video':true}");
    assert_seen(1 << 3); /* it is dominant still */
}

/* With fewer slots than there are cameras, those who spoke last have them. */
static void test_few_slots(void **state)
{
    (void)state;
    memset(sounds, 0, sizeof sounds);
    memset(said, 0, sizeof said);
    memset(sound_windows, 0, sizeof sound_windows);
    connect_all("AVavaa");
    for (unsigned i = 0; i < 4; i++)
        ws_say(guests[i].wire, "{'type':'media','audio':true,'video':true}");
    static const unsigned TURNS[] = { 3, 1, 2 };
    for (unsigned i = 0; i < 3; i++) {
        talk(ALL, 1u << TURNS[i], 2 * USEC_S);
        (void)slot_at(0, TURNS[i]); /* there is one that bears it */
    }
}

#define WITH(name, before) cmocka_unit_test_setup_teardown(name, before, tear_down_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_told),
        TEST(test_comes_and_goes),
        WITH(test_loudest, set_up_loudest),
        WITH(test_last, set_up_last),
        WITH(test_few_slots, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
