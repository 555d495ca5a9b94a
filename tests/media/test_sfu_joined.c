/* Packets of Opus that go out as one: in numbers without a gap, in time, never what can't be. */
#include "sound_house.h"

#include "media/link.h"

#define RED  63
#define OPUS 111

#define LEVEL_ID  4
#define LEVEL_URI "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define EACH      (20 * USEC_MS)
#define TICKS     960
#define FIRST     100 /* number of the first packet */
#define HEARD_MAX 64

/* What bob has heard. */
static struct arrived {
    usec at;
    struct rtp_packet rtp;
    uint8_t level;
    uint8_t payload[400];
} heard[HEARD_MAX];
static unsigned heard_count;

static void hear(struct far *far, struct view bytes)
{
    struct arrived *one = &heard[heard_count++];
    struct view value;
    (void)far;
    assert_true(heard_count <= HEARD_MAX);
    one->at = port.now;
    assert_int_equal(rtp_read(bytes, &one->rtp), OK);
    assert_true(one->rtp.payload_size <= sizeof one->payload);
    memcpy(one->payload, bytes.at + one->rtp.header_size, one->rtp.payload_size);
    assert_true(rtp_extension_value(&one->rtp, bytes.at, LEVEL_ID + 1, &value));
    one->level = value.at[0];
}

static void offer_of(struct text *text, const char *direction, unsigned level)
{
    head(text, 1);
    line(text, "m=audio 9 UDP/TLS/RTP/SAVPF %u %u", OPUS, RED);
    line(text, "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\na=%s", direction);
    line(text, "a=extmap:%u " LEVEL_URI, level);
    line(text, "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u useinbandfec=1", OPUS, OPUS);
    line(text, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u", RED, RED, OPUS, OPUS);
}

static struct sender *begin(uint16_t ticks)
{
    struct text offer;
    offer_of(&offer, "sendonly", LEVEL_ID);
    line(&offer, "a=ssrc:7001 cname:a");
    enter(&alice, &offer, NULL);
    offer_of(&offer, "recvonly", LEVEL_ID + 1);
    enter(&bob, &offer, announce);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    bob.far->hear_rtp = hear;
    heard_count = 0;
    bob.peer->sound.rung = 1; /* so that it looks what waits */
    struct sender *sender = &slot_of(&bob)->sender;
    assert_true(sender_join(sender, port.now, ticks));
    return sender;
}

struct spoken {
    uint16_t number;
    uint8_t type; /* 0: Opus */
    uint8_t toc;  /* 0: of 20 ms */
    bool marker;
    uint8_t level; /* 0: 50 */
    uint8_t size;  /* 0: 10 */
};

static void speak_this(const struct spoken *spoken)
{
    uint8_t room[RTC_PACKET_MAX] = { 0x90, spoken->type ? spoken->type : OPUS,
                                     (uint8_t)(spoken->number >> 8), (uint8_t)spoken->number };
    uint8_t opus[255] = { spoken->toc ? spoken->toc : 0x78 };
    uint8_t red[300] = { 0x80 | OPUS, 0x0f, 0, 3, OPUS, 'o', 'l', 'd' };
    uint32_t timestamp = (uint32_t)spoken->number * TICKS;
    size_t size = spoken->size ? spoken->size : 10;
    for (size_t i = 1; i < size; i++)
        opus[i] = (uint8_t)spoken->number;
    memcpy(red + 8, opus, size);
    room[1] |= spoken->marker ? 0x80 : 0;
    for (unsigned i = 0; i < 4; i++) {
        room[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        room[8 + i] = (uint8_t)(7001 >> (24 - 8 * i));
    }
    memcpy(room + 12, "\xbe\xde\0\1", 4);
    room[16] = LEVEL_ID << 4;
    room[17] = spoken->level ? spoken->level : 50;
    bool is_red = spoken->type == RED;
    struct secure_outgoing out = { .key = alice.far->secure.rtp_out,
                                   .sent = &alice.windows[0],
                                   .at = room,
                                   .payload =
                                       is_red ? view_make(red, 8 + size) : view_make(opus, size),
                                   .header_size = 20 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(alice.far, view_make(room, out.size));
    run();
}

/* The next 20 ms of it. */
static void speak(struct spoken spoken)
{
    speak_this(&spoken);
    wait(EACH);
}

static void speak_from(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        speak((struct spoken){ .number = (uint16_t)(first + i) });
}

/* The number of the first of theirs in it; behind codes 0 and 1 there is no count. */
static unsigned first_of(const struct arrived *one)
{
    return one->payload[one->payload[0] & 2 ? 2 : 1];
}

/* The n-th packet that came begins with that one of theirs, and has so many of them. */
static void assert_packet(unsigned n, unsigned first, unsigned frames)
{
    const struct arrived *one = &heard[n];
    unsigned at = frames == 1 ? 1 : frames == 2 ? 1 : 2;
    assert_true(n < heard_count);
    assert_int_equal(one->rtp.payload_type, OPUS);
    assert_int_equal(one->rtp.sequence_number, heard[0].rtp.sequence_number + n);
    uint32_t passed = one->rtp.timestamp - heard[0].rtp.timestamp;
    assert_int_equal(passed, (first - first_of(&heard[0])) * TICKS);
    assert_int_equal(one->payload[0], frames == 1 ? 0x78 : frames == 2 ? 0x79 : 0x7b);
    assert_int_equal(one->rtp.payload_size, at + 9 * frames);
    for (unsigned i = 0; i < frames; i++)
        for (unsigned k = 0; k < 9; k++)
            assert_int_equal(one->payload[at + 9 * i + k], first + i);
}

static void test_three(void **state)
{
    (void)state;
    struct sender *sender = begin(3 * TICKS);
    usec from = port.now;
    speak_from(FIRST, 9);
    assert_int_equal(heard_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_packet(i, FIRST + 3 * i, 3);
        assert_int_equal(heard[i].payload[1], 3);
        assert_int_equal(heard[i].at, from + (3 * i + 2) * EACH); /* with the last of them */
    }
    assert_int_equal(sender->packets, 3);
    assert_int_equal(sender->bytes, 3 * 29);
}

static void test_two(void **state)
{
    (void)state;
    begin(2 * TICKS);
    speak_from(FIRST, 4);
    assert_int_equal(heard_count, 2);
    assert_packet(0, FIRST, 2);
    assert_packet(1, FIRST + 2, 2);
}

/* Where nothing can be joined, and where nothing is to be. */
static void test_one(void **state)
{
    (void)state;
    struct sender *sender = begin(TICKS);
    speak_from(FIRST, 2);
    assert_int_equal(heard_count, 2);
    assert_true(sender_join(sender, port.now, 3 * TICKS));
    speak_from(FIRST + 2, 2);
    assert_int_equal(heard_count, 2);
    assert_true(sender_join(sender, port.now, 0)); /* what waits goes at once */
    run();
    assert_int_equal(heard_count, 3);
    speak_from(FIRST + 4, 1);
    assert_int_equal(heard_count, 4);
    assert_packet(2, FIRST + 2, 2);
    assert_packet(3, FIRST + 4, 1);
}

static void test_time(void **state)
{
    (void)state;
    begin(3 * TICKS);
    usec from = port.now;
    speak_from(FIRST, 2);
    wait(10 * EACH);
    assert_int_equal(heard_count, 1);
    assert_packet(0, FIRST, 2);
    assert_in_range(heard[0].at, from + 3 * EACH,
                    from + 3 * EACH + 2 * USEC_MS); /* a packet's time after the third was due */
}

/* What is missing is waited for by nobody, and has its number when it comes. */
static void test_gap(void **state)
{
    (void)state;
    begin(3 * TICKS);
    speak_from(FIRST, 1);
    speak_from(FIRST + 2, 1);
    assert_int_equal(heard_count, 1);
    speak_from(FIRST + 1, 1);
    assert_int_equal(heard_count, 3);
    speak_from(FIRST + 3, 3);
    assert_int_equal(heard_count, 4);
    static const struct {
        unsigned number, first;
    } EXPECTED[] = { { 0, FIRST }, { 2, FIRST + 2 }, { 1, FIRST + 1 }, { 3, FIRST + 3 } };
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(heard[i].rtp.sequence_number - heard[0].rtp.sequence_number,
                         EXPECTED[i].number);
        assert_int_equal(first_of(&heard[i]), EXPECTED[i].first);
    }
}

/* Silence, another mode, a new spurt, what can't be joined: what waits goes first. */
static void test_breaks(void **state)
{
    (void)state;
    static const struct spoken OTHERS[] = { { .size = 1 },      { .size = 2 },   { .toc = 0x7c },
                                            { .marker = true }, { .toc = 0x79 }, { .toc = 0x70 },
                                            { .toc = 0x7b },    { .size = 255 } };
    begin(3 * TICKS);
    for (unsigned i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        struct spoken other = OTHERS[i];
        unsigned number = FIRST + 6 * i;
        heard_count = 0;
        other.number = (uint16_t)(number + 2);
        speak_from(number, 2);
        assert_int_equal(heard_count, 0);
        speak(other);
        assert_true(heard_count >= 1);
        wait(10 * EACH);
        bool is_joined = other.size == 255; /* of another size, but of the same kind */
        assert_int_equal(heard_count, is_joined ? 1 : 2);
        assert_int_equal(heard[0].payload[0], is_joined ? 0x7b : 0x79);
        assert_int_equal(heard[heard_count - 1].rtp.marker, other.marker);
        speak_from(number + 3, 3);
        assert_int_equal(heard_count, is_joined ? 2 : 3);
    }
}

static void test_loudest(void **state)
{
    (void)state;
    begin(3 * TICKS);
    speak((struct spoken){ .number = FIRST, .level = 60, .marker = true });
    speak((struct spoken){ .number = FIRST + 1, .level = 0x80 | 20 });
    speak((struct spoken){ .number = FIRST + 2, .level = 127 });
    assert_packet(0, FIRST, 3);
    assert_int_equal(heard[0].level, 0x80 | 20);
    assert_true(heard[0].rtp.marker);
}

/* RED is twice as much: only what is new goes. */
static void test_red(void **state)
{
    (void)state;
    struct sender *sender = begin(3 * TICKS);
    for (unsigned i = 0; i < 4; i++)
        speak((struct spoken){ .number = (uint16_t)(FIRST + i), .type = i == 1 ? OPUS : RED });
    wait(10 * EACH);
    assert_int_equal(heard_count, 2);
    assert_packet(0, FIRST, 3);
    assert_packet(1, FIRST + 3, 1);
    assert_true(sender_join(sender, port.now, 0));
    speak((struct spoken){ .number = FIRST + 4, .type = RED });
    assert_int_equal(heard[2].rtp.payload_type, RED);
    assert_int_equal(heard[2].rtp.payload_size, 18);
}

/* What is asked for again is what it was, to the bit, whatever is done now; without RTX it has its
 * number. */
static void test_again(void **state)
{
    (void)state;
    struct sender *sender = begin(3 * TICKS);
    speak_from(FIRST, 3);
    port.is_deaf = true;
    speak_from(FIRST + 3, 6);
    port.is_deaf = false;
    speak_from(FIRST + 9, 3);
    assert_int_equal(heard_count, 2);
    uint16_t lost = (uint16_t)(heard[0].rtp.sequence_number + 1);
    sender_nack(sender, port.now, lost);
    sender_nack(sender, port.now, (uint16_t)(lost + 3)); /* was never sent */
    flush();
    run();
    assert_int_equal(sender->repeated, 1);
    assert_int_equal(heard_count, 3);
    assert_int_equal(heard[2].rtp.sequence_number, lost);
    assert_int_equal(heard[2].payload[0], 0x7b);
    assert_int_equal(heard[2].rtp.payload_size, 29);
    assert_int_equal(first_of(&heard[2]), FIRST + 3);
    assert_int_equal(heard[2].payload[28], FIRST + 5);
    assert_true(sender_join(sender, port.now, 2 * TICKS));
    sender_nack(sender, port.now, (uint16_t)(lost + 1));
    assert_int_equal(sender->repeated, 1);
    assert_int_equal(sender->not_repeated, 1);
}

/* What waits when it is paused, or left, is nobody's any more. */
static void test_left(void **state)
{
    (void)state;
    begin(3 * TICKS);
    speak_from(FIRST, 4);
    assert_int_equal(heard_count, 1);
    transceiver_pause(slot_of(&bob), port.now, true);
    wait(10 * EACH);
    speak_from(FIRST + 4, 3);
    assert_int_equal(heard_count, 1);
    transceiver_pause(slot_of(&bob), port.now, false);
    speak_from(FIRST + 7, 4);
    assert_int_equal(heard_count, 2);
    assert_int_equal(heard[1].rtp.sequence_number, heard[0].rtp.sequence_number + 1);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, NULL), OK);
    wait(10 * EACH);
    assert_int_equal(heard_count, 2);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
    speak_from(FIRST + 11, 3);
    assert_int_equal(heard_count, 3);
    assert_int_equal(heard[2].rtp.sequence_number, heard[0].rtp.sequence_number + 2);
}

/* Of the narrowest line that one who listens has, here or by a link. */
static struct link_out out;
static struct link_in in;

static bool put_back(void *context, const struct link_record *record, struct view bytes)
{
    (void)context;
    (void)bytes;
    assert_int_equal(record->kind, LINK_WANTS);
    link_out_take(&out, record);
    return true;
}

static bool put_there(void *context, const struct link_record *record, struct view bytes)
{
    (void)context;
    link_in_take(&in, port.now, record, bytes);
    return true;
}

static void go_to_rung(unsigned rung)
{
    bob.peer->sound.rung = (uint8_t)rung;
    wanted_look(slot_of(&bob)->subscription);
    flush();
    flush();
}

static void test_publishers_are_told(void **state)
{
    (void)state;
    static const struct link_way THERE = { .put = put_there }, BACK = { .put = put_back };
    begin(0);
    speak_from(FIRST, 1);
    while (sfu_poll_wanted(&sfu))
        continue;
    const struct wanted *told = &track_of(&alice)->wanted;
    go_to_rung(3);
    assert_int_equal(told->sound_bps, 0);
    assert_null(sfu_poll_wanted(&sfu));
    go_to_rung(5);
    assert_int_equal(told->sound_bps, 16000); /* at once */
    assert_ptr_equal(sfu_poll_wanted(&sfu), alice.peer);
    go_to_rung(4);
    assert_int_equal(told->sound_bps, 24000);
    transceiver_pause(slot_of(&bob), port.now, true);
    flush();
    assert_int_equal(told->sound_bps, 0);
    transceiver_pause(slot_of(&bob), port.now, false);
    /* by a link */
    assert_int_equal(link_in_open(&in, &port.now, &sfu.tracks, false, 42, &BACK), OK);
    link_out_open(&out, port.now, track_of(&alice), 42, &THERE);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, in.track), OK);
    go_to_rung(5);
    assert_int_equal(told->sound_bps, 16000);
    assert_int_equal(told->told, WANTED_ALL);
    go_to_rung(0);
    assert_int_equal(told->sound_bps, 0);
    link_out_close(&out);
    link_in_close(&in, port.now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_three, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_breaks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loudest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_red, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_publishers_are_told, set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
