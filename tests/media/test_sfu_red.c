/* Redundant audio (RFC 2198): it goes on as it is to those who take it, and to all others as what
 * was wrapped in it. */
#include "sound_house.h"

#define RED  63
#define OPUS 111

#define CC_ID  3
#define CC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* Of 20 ms before, and of now. */
static const uint8_t WRAPPED[] = { 0x80 | OPUS, 0x0f, 0, 3, OPUS, 'o', 'l', 'd', 'n', 'e', 'w' };

static void audio(struct text *text, const char *direction, unsigned red, unsigned opus)
{
    head(text, 1);
    if (red)
        line(text, "m=audio 9 UDP/TLS/RTP/SAVPF %u %u", opus, red);
    else
        line(text, "m=audio 9 UDP/TLS/RTP/SAVPF %u", opus);
    line(text, "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\na=%s", direction);
    line(text, "a=extmap:%u " CC_URI, CC_ID);
    line(text, "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u useinbandfec=1", opus, opus);
    line(text, "a=rtcp-fb:%u transport-cc", opus);
    if (red)
        line(text, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u", red, red, opus, opus);
}

static void begin(unsigned red, unsigned opus)
{
    struct text offer;
    audio(&offer, "sendonly", RED, OPUS);
    line(&offer, "a=ssrc:7001 cname:a");
    enter(&alice, &offer, NULL);
    audio(&offer, "recvonly", red, opus);
    enter(&bob, &offer, announce);
    assert_int_equal(transceiver_subscribe(slot_of(&bob), port.now, track_of(&alice)), OK);
}

static void say_bytes(uint8_t type, uint16_t number, struct view payload)
{
    uint8_t room[RTC_PACKET_MAX] = { 0x80, type, 0, (uint8_t)number };
    room[10] = 7001 >> 8;
    room[11] = 7001 & 255;
    struct secure_outgoing out = { .key = alice.far->secure.rtp_out,
                                   .sent = &alice.windows[0],
                                   .at = room,
                                   .payload = payload,
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(alice.far, view_make(room, out.size));
    run();
}

static void assert_heard(unsigned count, uint8_t type, struct view payload)
{
    struct rtp_packet rtp;
    assert_int_equal(bob.far->rtp_count, count);
    assert_int_equal(rtp_read(view_make(bob.far->rtp, bob.far->rtp_size), &rtp), OK);
    assert_int_equal(rtp.payload_type, type);
    struct view got = rtp_payload(&rtp, bob.far->rtp);
    assert_int_equal(got.size, payload.size);
    assert_memory_equal(got.at, payload.at, payload.size);
}

static const struct view WHOLE = { WRAPPED, sizeof WRAPPED };

/* Browsers send it when it stands first in the answer. */
static void test_goes_on(void **state)
{
    (void)state;
    begin(RED, OPUS);
    assert_non_null(strstr(alice.answer, " UDP/TLS/RTP/SAVPF 63 111\r\n"));
    assert_non_null(strstr(alice.answer, "a=rtpmap:63 red/48000/2\r\n"));
    assert_non_null(strstr(alice.answer, "a=fmtp:63 111/111\r\n"));
    say_bytes(RED, 1, WHOLE);
    assert_heard(1, RED, WHOLE);
    say_bytes(OPUS, 2, VIEW("new"));
    assert_heard(2, OPUS, VIEW("new"));
    assert_int_equal(slot_of(&bob)->sender.bytes, sizeof WRAPPED + 3);
}

/* Browsers say of Opus alone that they give feedback, and give it of what bears Opus, too. */
static void test_is_stamped(void **state)
{
    (void)state;
    struct rtp_packet rtp;
    struct view value;
    begin(RED, OPUS);
    say_bytes(RED, 1, WHOLE);
    assert_int_equal(rtp_read(view_make(bob.far->rtp, bob.far->rtp_size), &rtp), OK);
    assert_int_equal(rtp.payload_type, RED);
    assert_true(rtp_extension_value(&rtp, bob.far->rtp, CC_ID, &value));
}

static void test_unwrapped(void **state)
{
    (void)state;
    begin(0, 109);
    say_bytes(RED, 1, WHOLE);
    assert_heard(1, 109, VIEW("new"));
    say_bytes(OPUS, 2, VIEW("plain"));
    assert_heard(2, 109, VIEW("plain"));
    assert_int_equal(slot_of(&bob)->sender.bytes, 3 + 5);
}

/* Its blocks bear the sender's type of Opus, which means something else there, or nothing. */
static void test_other_types(void **state)
{
    (void)state;
    begin(RED, 109);
    say_bytes(RED, 1, WHOLE);
    assert_heard(1, 109, VIEW("new"));
}

static void test_broken(void **state)
{
    (void)state;
    begin(RED, OPUS);
    for (size_t size = 1; size < 8; size++)
        say_bytes(RED, (uint16_t)size, view_make(WRAPPED, size));
    assert_int_equal(bob.far->rtp_count, 0);
    say_bytes(RED, 8, WHOLE);
    assert_heard(1, RED, WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_stamped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unwrapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
