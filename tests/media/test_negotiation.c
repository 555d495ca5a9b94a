/* Negotiations: answers to what different programs offer, and offers of our own. */
#include "support.h"

#include "dialects.h"
#include "negotiation_support.h"

static struct sdp sdp;
static struct description described;
static struct description_error error;
static struct negotiation ours, theirs;
static struct negotiation_section our_sections[END_SECTIONS], their_sections[END_SECTIONS];
static struct negotiation_remote remote;
static char text[64 * 1024];
static struct negotiation_local our_local, their_local;

static int set_up(void **state)
{
    (void)state;
    negotiation_init(&ours, &END_POLICY, our_sections, END_SECTIONS, 7, true);
    negotiation_init(&theirs, &END_POLICY, their_sections, END_SECTIONS, 8, false);
    our_local = end_local("oursours", 1);
    their_local = end_local("theirstheirs", 100);
    return 0;
}

static void read_description(const char *from)
{
    int status = description_read(view_of(from), &sdp, &described, &error);
    if (status != OK)
        fail_msg("%s: %s in %s", status_text(status), error.what, from);
}

static int take_offer(struct negotiation *negotiation, const char *offer)
{
    read_description(offer);
    return negotiation_take_offer(negotiation, &described, &remote, &error);
}

static int take_answer(struct negotiation *negotiation, const char *answer)
{
    read_description(answer);
    return negotiation_take_answer(negotiation, &described, &remote, &error);
}

static const char *offer_of(struct negotiation *negotiation)
{
    struct sdp_writer writer = { .at = text, .capacity = sizeof text };
    struct negotiation_local *local = negotiation == &ours ? &our_local : &their_local;
    assert_int_equal(negotiation_write_offer(negotiation, local, &writer), OK);
    return text;
}

static const char *answer_of(struct negotiation *negotiation)
{
    struct sdp_writer writer = { .at = text, .capacity = sizeof text };
    struct negotiation_local *local = negotiation == &ours ? &our_local : &their_local;
    assert_int_equal(negotiation_write_answer(negotiation, local, &writer), OK);
    return text;
}

/* What we answer to an offer, read. */
static void answer_to(const char *offer)
{
    if (take_offer(&ours, offer) != OK)
        fail_msg("%s", error.what);
    read_description(answer_of(&ours));
}

/* Offer and answer, from one end to the other. */
static void agree(struct negotiation *from, struct negotiation *to)
{
    assert_int_equal(take_offer(to, offer_of(from)), OK);
    assert_int_equal(take_answer(from, answer_of(to)), OK);
}

static void assert_text(const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("no %s in %s", wanted, text);
}

static void assert_no_text(const char *unwanted)
{
    if (strstr(text, unwanted))
        fail_msg("%s in %s", unwanted, text);
}

/* ---- answers ---- */

static void test_chrome(void **state)
{
    (void)state;
    answer_to(DIALECT_CHROME);
    assert_true(remote.is_first && !remote.is_active && !remote.is_restart);
    assert_int_equal(remote.fingerprint[0], 0x5a);
    assert_int_equal(described.section_count, 2);
    assert_true(described.head.is_lite && described.head.is_trickle);
    assert_int_equal(described.head.setup, SDP_SETUP_PASSIVE);
    assert_view(described.head.ufrag, "oursours");
    assert_int_equal(described.head.fingerprint[1], 2);
    assert_text("a=group:BUNDLE 0 1\r\n");
    assert_text("m=audio 7000 UDP/TLS/RTP/SAVPF 111\r\n");
    assert_text("m=video 9 UDP/TLS/RTP/SAVPF 96 97 109 114\r\n");
    assert_text("a=rid:h recv\r\na=rid:m recv\r\na=rid:l recv\r\na=simulcast:recv h;m;l\r\n");
    assert_text("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
    assert_text("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
    assert_text("a=recvonly\r\n");
    assert_no_text("a=ssrc");
    assert_no_text("ccm fir");
    assert_no_text("playout-delay");
    assert_int_equal(described.sections[1].formats[0].feedback,
                     MEDIA_NACK | MEDIA_PLI | MEDIA_REMB | MEDIA_TRANSPORT_CC);
    assert_int_equal(ours.state, NEGOTIATION_STABLE);
    assert_false(negotiation_needs_offer(&ours));
}

/* Of H.264 they are to send what all can decode, although they have another variant before it. */
static void test_the_plain_variant_is_first(void **state)
{
    (void)state;
    static const struct media_format ANY = { .codec = PAYLOAD_H264, .variant = MEDIA_VARIANT_ANY };
    static struct negotiation_policy policy;
    policy = END_POLICY;
    policy.formats = &ANY;
    policy.format_count = 1;
    ours.policy = &policy;
    answer_to(DIALECT_CHROME);
    assert_text(" UDP/TLS/RTP/SAVPF 109 114 103 104 107 108 115 116 117 118 39 40\r\n");
    set_up(state);
    ours.policy = &policy;
    answer_to(DIALECT_SAFARI);
    assert_text(" UDP/TLS/RTP/SAVPF 98 99 96 97\r\n");
}

static void test_dialects(void **state)
{
#define ROW(name, dialect) { #name, dialect },
    static const struct {
        const char *name, *text;
    } DIALECTS[] = { DIALECT_TABLE(ROW) };
#undef ROW
    static struct description offer;
    for (size_t i = 0; i < sizeof DIALECTS / sizeof DIALECTS[0]; i++) {
        set_up(state);
        read_description(DIALECTS[i].text);
        offer = described;
        answer_to(DIALECTS[i].text);
        assert_int_equal(described.section_count, offer.section_count);
        assert_int_equal(described.head.has_bundle, offer.head.has_bundle);
        for (uint32_t k = 0; k < offer.section_count; k++) {
            const struct description_section *section = &described.sections[k];
            if (section->is_refused || section->problem != DESCRIPTION_NO_PROBLEM)
                fail_msg("%s: section %u is refused", DIALECTS[i].name, k);
            assert_int_equal(section->kind, offer.sections[k].kind);
            assert_int_equal(section->protocol, offer.sections[k].protocol);
            assert_true(view_equal(section->mid, offer.sections[k].mid));
            assert_true((section->direction & ~sdp_direction_turned(offer.sections[k].direction)) ==
                            0 ||
                        section->kind == SDP_APPLICATION);
        }
    }
}

static void test_sends_to_a_viewer(void **state)
{
    (void)state;
    struct negotiation_sending sending = end_sending(900);
    assert_int_equal(take_offer(&ours, DIALECT_VIEWER), OK);
    struct negotiation_section *section = negotiation_find_mid(&ours, VIEW("1"));
    negotiation_send(&ours, section, &sending);
    read_description(answer_of(&ours));
    assert_int_equal(described.sections[0].direction, SDP_INACTIVE);
    assert_int_equal(described.sections[1].direction, SDP_SENDONLY);
    assert_int_equal(described.sections[2].direction, SDP_INACTIVE);
    assert_text("a=msid:room eye\r\na=ssrc-group:FID 900 901\r\na=ssrc:900 cname:who\r\n");
    assert_int_equal(section->direction, SDP_SENDONLY);
    assert_false(negotiation_needs_offer(&ours));
}

static void test_refuses_politely(void **state)
{
    (void)state;
    static struct negotiation_policy policy;
    policy = END_POLICY;
    policy.has_data = false;
    policy.format_count = 1; /* Opus alone */
    ours.policy = &policy;
    answer_to(DIALECT_SIMPLE_PEER);
    assert_false(described.sections[0].is_refused);
    assert_true(described.sections[1].is_refused);
    assert_true(described.sections[2].is_refused);
    assert_text("a=group:BUNDLE 0\r\n");
    assert_text("m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n");
    assert_text("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    policy.format_count = 0;
    answer_to(DIALECT_SIMPLE_PEER);
    assert_no_text("a=group:BUNDLE");
    assert_true(our_sections[0].state == NEGOTIATION_STOPPED);
}

static void test_receives_no_more_than_it_may(void **state)
{
    (void)state;
    static struct negotiation_policy policy;
    policy = END_POLICY;
    policy.receive_max[1] = 0;
    ours.policy = &policy;
    answer_to(DIALECT_CHROME);
    assert_int_equal(described.sections[0].direction, SDP_RECVONLY);
    assert_int_equal(described.sections[1].direction, SDP_INACTIVE);
    assert_no_text("a=rid");
}

static char changed[64 * 1024];

/* A text with `from` replaced by `to`, everywhere. */
static const char *with(const char *whole, const char *from, const char *to)
{
    size_t size = 0;
    for (const char *at = whole; *at;) {
        bool is_it = strncmp(at, from, strlen(from)) == 0;
        size += (size_t)sprintf(changed + size, is_it ? "%s" : "%.1s", is_it ? to : at);
        at += is_it ? strlen(from) : 1;
    }
    return changed;
}

static void test_roles_and_restarts(void **state)
{
    (void)state;
    answer_to(with(DIALECT_CHROME, "setup:actpass", "setup:passive"));
    assert_true(remote.is_active);
    assert_int_equal(described.head.setup, SDP_SETUP_ACTIVE);
    /* the role stays, and new credentials are a restart */
    answer_to(with(DIALECT_CHROME, "ice-ufrag:4aBc", "ice-ufrag:zzzz"));
    assert_true(remote.is_active && remote.is_restart && !remote.is_first);
    assert_int_equal(described.head.setup, SDP_SETUP_ACTIVE);
    answer_to(changed);
    assert_false(remote.is_restart);
    assert_true(described.head.version == 3);
    assert_int_equal(take_offer(&ours, with(DIALECT_CHROME, "5A:2C", "5A:2D")), ERR_UNSUPPORTED);
}

static void test_sections_keep_their_places(void **state)
{
    (void)state;
    answer_to(DIALECT_CHROME);
    struct negotiation before = ours;
    assert_int_equal(take_offer(&ours, with(DIALECT_CHROME, "a=mid:1", "a=mid:2")), ERR_MALFORMED);
    assert_int_equal(error.section, 1);
    assert_int_equal(take_offer(&ours, DIALECT_MUNGED), ERR_MALFORMED);
    assert_memory_equal(&before, &ours, sizeof ours);
    /* with port 0 it ends, and the place is free */
    answer_to(with(DIALECT_CHROME, "m=video 9", "m=video 0"));
    assert_true(described.sections[1].is_refused);
    assert_int_equal(our_sections[1].state, NEGOTIATION_STOPPED);
    with(DIALECT_CHROME, "a=mid:1", "a=mid:7");
    static char again[sizeof changed];
    strcpy(again, changed);
    answer_to(with(again, "BUNDLE 0 1", "BUNDLE 0 7"));
    assert_text("a=group:BUNDLE 0 7\r\n");
    assert_int_equal(our_sections[1].state, NEGOTIATION_AGREED);
}

static void test_no_room(void **state)
{
    (void)state;
    struct sdp_writer writer = { .at = text, .capacity = 700 };
    assert_int_equal(take_offer(&ours, DIALECT_CHROME), OK);
    assert_int_equal(negotiation_write_answer(&ours, &our_local, &writer), ERR_LIMIT);
    assert_int_equal(ours.state, NEGOTIATION_REMOTE_OFFER);
    answer_of(&ours);
    ours.capacity = 2;
    assert_int_equal(take_offer(&ours, DIALECT_CHROME), OK);
    ours.capacity = 1;
    negotiation_init(&ours, &END_POLICY, our_sections, 1, 7, true);
    assert_int_equal(take_offer(&ours, DIALECT_CHROME), ERR_LIMIT);
}

/* ---- offers ---- */

static void add(struct negotiation *negotiation, void *owner, enum sdp_kind kind, uint32_t ssrc)
{
    struct negotiation_sending sending = end_sending(ssrc);
    assert_int_equal(negotiation_add(negotiation, owner, kind, &sending, false,
                                     &END_FORMATS[kind == SDP_VIDEO], 1),
                     OK);
}

static int owners[4];

static void test_offers(void **state)
{
    (void)state;
    add(&ours, &owners[0], SDP_AUDIO, 10);
    add(&ours, &owners[1], SDP_VIDEO, 20);
    assert_true(negotiation_needs_offer(&ours));
    offer_of(&ours);
    assert_text("a=setup:actpass\r\n");
    assert_text("a=group:BUNDLE s0 s1\r\n");
    assert_text("m=video 9 UDP/TLS/RTP/SAVPF 97 98\r\n");
    assert_text("a=fmtp:98 apt=97\r\n");
    assert_text("a=ssrc-group:FID 20 21\r\n");
    assert_text("o=- 7 1 IN IP4");
    assert_false(negotiation_needs_offer(&ours));
    assert_int_equal(take_offer(&theirs, text), OK);
    assert_int_equal(take_answer(&ours, answer_of(&theirs)), OK);
    assert_int_equal(negotiation_find_owner(&ours, &owners[1])->direction, SDP_SENDONLY);
    assert_int_equal(their_sections[1].direction, SDP_RECVONLY);
    assert_int_equal(take_answer(&ours, text), ERR_OLD);
}

static void test_offers_in_the_numbers_of_theirs(void **state)
{
    (void)state;
    answer_to(DIALECT_FIREFOX);
    add(&ours, &owners[0], SDP_VIDEO, 20);
    offer_of(&ours);
    assert_text("a=group:BUNDLE 0 1 s0\r\n");
    assert_text("m=video 9 UDP/TLS/RTP/SAVPF 120 124\r\nc=IN IP4 0.0.0.0\r\na=mid:s0\r\n");
    read_description(text);
    assert_int_equal(described.sections[2].extensions[RTP_EXTENSION_MID], 3);
    assert_int_equal(described.sections[2].extensions[RTP_EXTENSION_TRANSPORT_CC], 7);
}

static void test_stops_and_uses_the_place_again(void **state)
{
    (void)state;
    add(&ours, &owners[0], SDP_AUDIO, 10);
    add(&ours, &owners[1], SDP_VIDEO, 20);
    agree(&ours, &theirs);
    negotiation_stop(&ours, negotiation_find_owner(&ours, &owners[1]));
    assert_true(negotiation_needs_offer(&ours));
    agree(&ours, &theirs);
    assert_false(negotiation_needs_offer(&ours));
    assert_int_equal(our_sections[1].state, NEGOTIATION_STOPPED);
    assert_int_equal(their_sections[1].state, NEGOTIATION_STOPPED);
    add(&ours, &owners[2], SDP_VIDEO, 30);
    agree(&ours, &theirs);
    assert_int_equal(ours.count, 2);
    assert_ptr_equal(our_sections[1].owner, &owners[2]);
    assert_int_equal(our_sections[1].direction, SDP_SENDONLY);
    assert_true(our_sections[1].mid_size == 2 && our_sections[1].mid[1] == '2');
}

static void test_glare(void **state)
{
    (void)state;
    static char offer[sizeof text];
    add(&ours, &owners[0], SDP_VIDEO, 20);
    agree(&ours, &theirs);
    negotiation_stop(&ours, negotiation_find_owner(&ours, &owners[0]));
    agree(&ours, &theirs);
    add(&ours, &owners[1], SDP_VIDEO, 20); /* takes the place */
    add(&ours, &owners[3], SDP_AUDIO, 40);
    add(&theirs, &owners[2], SDP_AUDIO, 30);
    strcpy(offer, offer_of(&ours));
    assert_int_equal(take_offer(&theirs, offer_of(&theirs)), ERR_AGAIN); /* they are not polite */
    assert_int_equal(take_offer(&theirs, offer), ERR_AGAIN);
    assert_int_equal(take_offer(&ours, text), OK);
    assert_int_equal(take_answer(&theirs, answer_of(&ours)), OK);
    assert_int_equal(our_sections[0].state, NEGOTIATION_STOPPED);
    assert_int_equal(our_sections[1].direction, SDP_RECVONLY);
    assert_int_equal(take_answer(&ours, offer), ERR_OLD); /* the answer to what was withdrawn */
    /* what was withdrawn is still wanted */
    assert_true(negotiation_needs_offer(&ours));
    agree(&ours, &theirs);
    assert_int_equal(negotiation_find_owner(&ours, &owners[1])->direction, SDP_SENDONLY);
    assert_int_equal(negotiation_find_owner(&ours, &owners[3])->direction, SDP_SENDONLY);
    assert_int_equal(ours.count, 3);
}

static void test_both_ways_on_one_section(void **state)
{
    (void)state;
    struct negotiation_sending sending = end_sending(70);
    add(&theirs, &owners[0], SDP_VIDEO, 20);
    their_sections[0].may_receive = true;
    agree(&theirs, &ours);
    assert_int_equal(our_sections[0].direction, SDP_RECVONLY);
    negotiation_send(&ours, &our_sections[0], &sending);
    assert_true(negotiation_needs_offer(&ours));
    agree(&ours, &theirs);
    assert_int_equal(our_sections[0].direction, SDP_SENDRECV);
    assert_int_equal(their_sections[0].direction, SDP_SENDRECV);
    negotiation_send(&ours, &our_sections[0], &(struct negotiation_sending){ 0 });
    agree(&ours, &theirs);
    assert_text("a=sendonly\r\n"); /* they would do both, but are not asked to */
    assert_int_equal(our_sections[0].direction, SDP_RECVONLY);
}

static void test_numbers_that_they_take(void **state)
{
    (void)state;
    add(&ours, &owners[0], SDP_VIDEO, 20);
    offer_of(&ours);
    assert_text("m=video 7000 UDP/TLS/RTP/SAVPF 96 97\r\n"); /* VP8 */
    answer_to(DIALECT_GSTREAMER);                            /* 96 and 97 are H.264, 98 is Opus */
    offer_of(&ours);
    assert_text("m=video 9 UDP/TLS/RTP/SAVPF 99 100\r\n");
    assert_text("a=rtpmap:99 VP8/90000\r\n");
}

static void test_places_without_end(void **state)
{
    (void)state;
    ours.capacity = 2;
    for (unsigned i = 0; i < 5; i++) {
        add(&ours, &owners[0], SDP_VIDEO, 20);
        agree(&ours, &theirs);
        negotiation_stop(&ours, negotiation_find_owner(&ours, &owners[0]));
        agree(&ours, &theirs);
        assert_int_equal(ours.count, 1);
    }
}

static void test_our_restart(void **state)
{
    (void)state;
    add(&ours, &owners[0], SDP_AUDIO, 10);
    agree(&ours, &theirs);
    negotiation_restart(&ours);
    assert_true(negotiation_needs_offer(&ours));
    our_local.ufrag = VIEW("another1");
    assert_int_equal(take_offer(&theirs, offer_of(&ours)), OK);
    assert_true(remote.is_restart);
    their_local.ufrag = VIEW("another2");
    assert_int_equal(take_answer(&ours, answer_of(&theirs)), OK);
    assert_true(remote.is_restart && !negotiation_needs_offer(&ours));
}

static void test_answers_that_are_none(void **state)
{
    (void)state;
    add(&ours, &owners[0], SDP_AUDIO, 10);
    offer_of(&ours);
    assert_int_equal(take_answer(&ours, DIALECT_OBS), ERR_MALFORMED);
    assert_int_equal(take_answer(&ours, DIALECT_LIBDATACHANNEL), ERR_MALFORMED);
    assert_int_equal(error.section, 0);
    negotiation_rollback(&ours);
    assert_true(negotiation_needs_offer(&ours));
    assert_int_equal(ours.described, 0);
    assert_int_equal(ours.count, 1);
    negotiation_stop(&ours, &our_sections[0]);
    assert_int_equal(ours.count, 0);
    assert_false(negotiation_needs_offer(&ours));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(test_chrome),
        TEST(test_dialects),
        TEST(test_the_plain_variant_is_first),
        TEST(test_sends_to_a_viewer),
        TEST(test_refuses_politely),
        TEST(test_receives_no_more_than_it_may),
        TEST(test_roles_and_restarts),
        TEST(test_sections_keep_their_places),
        TEST(test_no_room),
        TEST(test_offers),
        TEST(test_offers_in_the_numbers_of_theirs),
        TEST(test_stops_and_uses_the_place_again),
        TEST(test_glare),
        TEST(test_both_ways_on_one_section),
        TEST(test_numbers_that_they_take),
        TEST(test_places_without_end),
        TEST(test_our_restart),
        TEST(test_answers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
