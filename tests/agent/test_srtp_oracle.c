/* test_srtp_oracle.c - libsrtp2 is the other side: byte for byte the same, with every profile and
 * every backend, in both roles, over rollovers with loss and disorder. */
#include "srtp_house.h"
#include "srtp_oracle.h"

#define SSRC 0x12345678u

struct ends {
    struct secure_session ours;
    struct oracle theirs;
    struct secure_window sent;
};

static void ends_open(struct ends *ends, struct secure_engine *engine, uint16_t profile,
                      bool is_client)
{
    struct view material = house_material(profile, 1 + is_client);
    *ends = (struct ends){ 0 };
    assert_int_equal(secure_session_open(&ends->ours, engine, profile, is_client, material), OK);
    oracle_open(&ends->theirs, profile, !is_client, material);
}

static void ends_close(struct ends *ends)
{
    secure_session_close(&ends->ours);
    oracle_close(&ends->theirs);
}

/* Ours to them, of any size. */
static void ours(struct ends *ends, uint16_t sequence, size_t size)
{
    uint8_t packet[HOUSE_ROOM], plain[HOUSE_ROOM];
    house_packet(plain, size, sequence, SSRC);
    memcpy(packet, plain, size);
    size_t sealed = house_protect(&ends->ours, &ends->sent, packet, size);
    assert_int_equal(oracle_unprotect(&ends->theirs, packet, &sealed), srtp_err_status_ok);
    assert_int_equal(sealed, size);
    assert_memory_equal(packet, plain, size);
}

static size_t theirs_sealed(struct ends *ends, uint16_t sequence, size_t size, uint8_t *packet)
{
    house_packet(packet, size, sequence, SSRC);
    size_t sealed = size;
    assert_true(oracle_protect(&ends->theirs, packet, &sealed));
    return sealed;
}

static void assert_taken(struct ends *ends, uint16_t sequence, size_t size, uint8_t *packet,
                         size_t sealed)
{
    uint8_t plain[HOUSE_ROOM];
    assert_int_equal(house_unprotect(&ends->ours, packet, &sealed), OK);
    assert_int_equal(sealed, size);
    house_packet(plain, size, sequence, SSRC);
    assert_memory_equal(packet, plain, size);
}

static void both_ways(struct secure_engine *engine, uint16_t profile)
{
    for (int is_client = 0; is_client < 2; is_client++) {
        struct ends ends;
        ends_open(&ends, engine, profile, is_client);
        for (size_t size = 12; size < 1300; size += size < 150 ? 1 : 97) {
            uint8_t packet[HOUSE_ROOM];
            ours(&ends, (uint16_t)size, size);
            size_t sealed = theirs_sealed(&ends, (uint16_t)size, size, packet);
            assert_taken(&ends, (uint16_t)size, size, packet, sealed);
        }
        ends_close(&ends);
    }
}

static void test_both_ways(void **state)
{
    house_each(state, both_ways);
}

static void reports(struct secure_engine *engine, uint16_t profile)
{
    for (int is_client = 0; is_client < 2; is_client++) {
        struct ends ends;
        ends_open(&ends, engine, profile, is_client);
        for (size_t size = 8; size < 200; size++) {
            uint8_t packet[HOUSE_ROOM], plain[HOUSE_ROOM];
            size_t sealed;
            house_report(plain, size, SSRC);
            memcpy(packet, plain, size);
            assert_int_equal(secure_protect_rtcp(&ends.ours, packet, size, &sealed), OK);
            assert_int_equal(oracle_unprotect_rtcp(&ends.theirs, packet, &sealed),
                             srtp_err_status_ok);
            assert_int_equal(sealed, size);
            assert_memory_equal(packet, plain, size);
            assert_true(oracle_protect_rtcp(&ends.theirs, packet, &sealed));
            assert_int_equal(house_unprotect_rtcp(&ends.ours, packet, &sealed), OK);
            assert_int_equal(sealed, size);
            assert_memory_equal(packet, plain, size);
        }
        ends_close(&ends);
    }
}

static void test_reports(void **state)
{
    house_each(state, reports);
}

/* CSRCs and an extension. */
static void long_header(struct secure_engine *engine, uint16_t profile)
{
    struct ends ends;
    ends_open(&ends, engine, profile, true);
    uint8_t packet[HOUSE_ROOM], plain[HOUSE_ROOM];
    house_packet(plain, 300, 5, SSRC);
    plain[0] = 0x93;
    memcpy(plain + 24, (uint8_t[]){ 0xbe, 0xde, 0, 2 }, 4);
    memcpy(packet, plain, 300);
    size_t size = 300;
    assert_true(oracle_protect(&ends.theirs, packet, &size));
    assert_int_equal(house_unprotect(&ends.ours, packet, &size), OK);
    assert_memory_equal(packet, plain, 300);
    struct secure_outgoing job = { .key = ends.ours.rtp_out,
                                   .sent = &ends.sent,
                                   .at = packet,
                                   .header_size = 36,
                                   .payload = { plain + 36, 264 } };
    secure_protect(engine, &job, 1);
    assert_int_equal(job.status, OK);
    size = job.size;
    assert_int_equal(oracle_unprotect(&ends.theirs, packet, &size), srtp_err_status_ok);
    assert_int_equal(size, 300);
    assert_memory_equal(packet, plain, 300);
    ends_close(&ends);
}

static void test_long_header(void **state)
{
    house_each(state, long_header);
}

/* Three rollovers both ways, with holes, and pairs that change places. */
static void rollovers(struct secure_engine *engine, uint16_t profile)
{
    struct ends ends;
    ends_open(&ends, engine, profile, false);
    uint64_t chance = profile;
    for (uint64_t index = 20000; index < 3 * 65536 + 20000;) {
        uint8_t dice[2], first[HOUSE_ROOM], second[HOUSE_ROOM];
        test_random_fill(&chance, dice, sizeof(dice));
        ours(&ends, (uint16_t)(index + 1), 40);
        ours(&ends, (uint16_t)index, 40);
        size_t one = theirs_sealed(&ends, (uint16_t)index, 40, first);
        size_t two = theirs_sealed(&ends, (uint16_t)(index + 1), 40, second);
        assert_taken(&ends, (uint16_t)(index + 1), 40, second, two);
        assert_taken(&ends, (uint16_t)index, 40, first, one);
        assert_int_equal(ends.sent.highest, index + 1);
        assert_int_equal(ends.ours.sources[0]->rtp.highest, index + 1);
        index += 2 + (uint64_t)dice[0] * dice[1] / 20 % 9000;
    }
    ends_close(&ends);
}

static void test_rollovers(void **state)
{
    house_each(state, rollovers);
}

/* Each index about the ends of the window: taken or refused by both. */
static void windows(struct secure_engine *engine, uint16_t profile)
{
    static uint8_t packets[3 * SECURE_WINDOW][64];
    size_t sealed[3 * SECURE_WINDOW];
    struct ends ends, peers;
    ends_open(&ends, engine, profile, false);
    ends_open(&peers, engine, profile, true); /* only to send to both */
    for (uint16_t i = 0; i < 3 * SECURE_WINDOW; i++) {
        house_packet(packets[i], 20, (uint16_t)(65000 + i), SSRC);
        struct secure_window *sent = &peers.sent;
        sealed[i] = house_protect(&peers.ours, sent, packets[i], 20);
    }
    struct view material = house_material(profile, 2);
    struct secure_session ours;
    struct oracle theirs;
    assert_int_equal(secure_session_open(&ours, engine, profile, false, material), OK);
    oracle_open(&theirs, profile, false, material);
    uint64_t chance = 3;
    unsigned taken = 0, refused = 0;
    for (int i = 0; i < 3000; i++) {
        uint16_t dice;
        uint8_t a[64], b[64];
        test_random_fill(&chance, &dice, sizeof(dice));
        size_t which = dice % (SECURE_WINDOW + 1 + (size_t)i);
        if (which >= 3 * SECURE_WINDOW)
            continue;
        size_t a_size = sealed[which], b_size = sealed[which];
        memcpy(a, packets[which], a_size);
        memcpy(b, packets[which], b_size);
        int status = house_unprotect(&ours, a, &a_size);
        srtp_err_status_t wanted = oracle_unprotect(&theirs, b, &b_size);
        assert_int_equal(status, wanted == srtp_err_status_ok            ? OK
                                 : wanted == srtp_err_status_replay_fail ? ERR_REPLAYED
                                 : wanted == srtp_err_status_replay_old  ? ERR_OLD
                                                                         : ERR_FORGED);
        taken += status == OK;
        refused += status == ERR_OLD;
    }
    assert_true(taken > 100 && refused > 100);
    secure_session_close(&ours);
    oracle_close(&theirs);
    ends_close(&peers);
    ends_close(&ends);
}

static void test_windows(void **state)
{
    house_each(state, windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_ways, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_reports, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_long_header, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_rollovers, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_windows, house_open, house_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    oracle_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
