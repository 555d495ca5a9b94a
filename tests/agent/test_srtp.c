/* test_srtp.c - what two sessions say to each other, with every profile and every backend: one
 * packet to many, rollovers, losses, replays, and the limits. */
#include "srtp_house.h"

#define SSRC 0x12345678u

/* ---- there and back ---- */

static void there_and_back(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 1);
    struct secure_window sent[2] = { 0 };
    /* sizes about each multiple of the ciphers' blocks, and none at all */
    for (size_t payload = 0; payload < 300; payload++) {
        uint8_t plain[HOUSE_ROOM], packet[HOUSE_ROOM];
        size_t size = 12 + payload;
        house_packet(plain, size, (uint16_t)payload, SSRC);
        for (int by_server = 0; by_server < 2; by_server++) {
            struct secure_session *from = by_server ? &pair.server : &pair.client;
            struct secure_session *to = by_server ? &pair.client : &pair.server;
            memcpy(packet, plain, size);
            size_t sealed = house_protect(from, &sent[by_server], packet, size);
            assert_int_equal(sealed, size + secure_session_overhead(from));
            assert_memory_equal(packet, plain, 12);
            assert_true(payload < 8 || memcmp(packet + 12, plain + 12, payload) != 0);
            assert_int_equal(house_unprotect(to, packet, &sealed), OK);
            assert_int_equal(sealed, size);
            assert_memory_equal(packet, plain, size);
        }
    }
    pair_close(&pair);
}

static void test_there_and_back(void **state)
{
    house_each(state, there_and_back);
}

/* What one has said, it does not take from itself: each direction has its own key. */
static void directions(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 2);
    struct secure_window sent = { 0 };
    uint8_t packet[HOUSE_ROOM];
    house_packet(packet, 100, 5, SSRC);
    size_t size = house_protect(&pair.client, &sent, packet, 100);
    assert_int_equal(house_unprotect(&pair.client, packet, &size), ERR_FORGED);
    house_report(packet, 100, SSRC);
    assert_int_equal(secure_protect_rtcp(&pair.client, packet, 100, &size), OK);
    assert_int_equal(house_unprotect_rtcp(&pair.client, packet, &size), ERR_FORGED);
    /* and of what is forged, nothing is kept */
    assert_int_equal(secure_engine_sources(engine), 0);
    pair_close(&pair);
}

static void test_directions(void **state)
{
    house_each(state, directions);
}

/* CSRCs and extensions are covered, not encrypted. */
static void long_header(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 3);
    struct secure_window sent = { 0 };
    uint8_t plain[HOUSE_ROOM], packet[HOUSE_ROOM];
    house_packet(plain, 200, 7, SSRC);
    plain[0] = 0x92; /* an extension, two CSRCs */
    memcpy(plain + 20, (uint8_t[]){ 0xbe, 0xde, 0, 3 }, 4);
    memcpy(packet, plain, 200);
    struct secure_outgoing job = { .key = pair.client.rtp_out,
                                   .sent = &sent,
                                   .at = packet,
                                   .header_size = 36,
                                   .payload = { plain + 36, 164 } };
    secure_protect(engine, &job, 1);
    assert_int_equal(job.status, OK);
    assert_memory_equal(packet, plain, 36);
    assert_memory_not_equal(packet + 36, plain + 36, 164);
    struct secure_incoming in = { .session = &pair.server, .packet = { packet, job.size } };
    secure_unprotect(engine, &in, 1);
    assert_int_equal(in.status, OK);
    assert_int_equal(in.packet.size, 200);
    assert_int_equal(in.header_size, 36);
    assert_int_equal(in.ssrc, SSRC);
    assert_int_equal(in.index, 7);
    assert_memory_equal(packet, plain, 200);
    pair_close(&pair);
}

static void test_long_header(void **state)
{
    house_each(state, long_header);
}

/* ---- one packet to many ---- */

enum { MANY = 150 }; /* more than two batches, and not a multiple of any number of lanes */

/* Subscribers of all profiles in turn; each gets its own header and the one payload. */
static void one_to_many(struct secure_engine *engine, size_t many)
{
    static struct pair pairs[MANY / 2];
    static struct secure_window sent[MANY];
    static uint8_t slots[MANY][HOUSE_ROOM];
    static struct secure_outgoing out[MANY];
    static struct secure_incoming in[MANY];
    uint8_t payload[900];
    uint64_t seed = 4;
    test_random_fill(&seed, payload, sizeof(payload));
    memset(sent, 0, sizeof(sent));
    for (size_t i = 0; i < (many + 1) / 2; i++)
        pair_open(&pairs[i], engine, HOUSE_PROFILES[i % HOUSE_PROFILE_COUNT], i);
    for (size_t i = 0; i < many; i++) {
        struct secure_session *from = i % 2 ? &pairs[i / 2].server : &pairs[i / 2].client;
        house_packet(slots[i], 12, (uint16_t)(1000 + i), SSRC + (uint32_t)i);
        out[i] = (struct secure_outgoing){ .key = from->rtp_out,
                                           .sent = &sent[i],
                                           .at = slots[i],
                                           .header_size = 12,
                                           .payload = { payload, sizeof(payload) - i } };
    }
    secure_protect(engine, out, many);
    for (size_t i = 0; i < many; i++) {
        assert_int_equal(out[i].status, OK);
        in[i] = (struct secure_incoming){ .session =
                                              i % 2 ? &pairs[i / 2].client : &pairs[i / 2].server,
                                          .packet = { slots[i], out[i].size } };
    }
    secure_unprotect(engine, in, many);
    for (size_t i = 0; i < many; i++) {
        assert_int_equal(in[i].status, OK);
        assert_int_equal(in[i].packet.size, 12 + sizeof(payload) - i);
        assert_int_equal(in[i].ssrc, SSRC + i);
        assert_int_equal(in[i].index, 1000 + i);
        assert_memory_equal(slots[i] + 12, payload, sizeof(payload) - i);
    }
    for (size_t i = 0; i < (many + 1) / 2; i++)
        pair_close(&pairs[i]);
}

static void test_one_to_many(void **state)
{
    struct house *house = *state;
    for (int i = 0; i < HOUSE_ENGINES; i++)
        for (size_t many = 1; many <= MANY && house->engines[i]; many += many < 70 ? 1 : 20)
            one_to_many(house->engines[i], many);
}

/* Bytes of one's own before the shared payload, padding behind it, or both. */
static void in_pieces(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 12);
    struct secure_window sent = { 0 };
    uint8_t payload[100];
    uint64_t seed = 12;
    test_random_fill(&seed, payload, sizeof(payload));
    uint16_t sequence = 1;
    for (uint16_t own = 0; own < 20; own++)
        for (int padding = 0; padding <= 255; padding += padding < 3 ? 1 : 84)
            for (size_t shared = 0; shared <= 100; shared += 50) {
                uint8_t slot[HOUSE_ROOM];
                house_packet(slot, 12 + (size_t)own, sequence++, SSRC);
                slot[0] |= padding ? 0x20 : 0;
                uint8_t head[32];
                memcpy(head, slot, 12 + (size_t)own);
                struct secure_outgoing job = { .key = pair.client.rtp_out,
                                               .sent = &sent,
                                               .at = slot,
                                               .header_size = 12,
                                               .own_size = own,
                                               .payload = { payload, shared },
                                               .padding_size = (uint8_t)padding };
                secure_protect(engine, &job, 1);
                assert_int_equal(job.status, OK);
                size_t size = job.size;
                assert_int_equal(house_unprotect(&pair.server, slot, &size), OK);
                assert_int_equal(size, 12 + own + shared + (size_t)padding);
                assert_memory_equal(slot, head, 12 + own);
                assert_memory_equal(slot + 12 + own, payload, shared);
                for (size_t i = 12 + own + shared; i < size; i++)
                    assert_int_equal(slot[i], i + 1 == size ? padding : 0);
            }
    pair_close(&pair);
}

static void test_in_pieces(void **state)
{
    house_each(state, in_pieces);
}

/* Packets stand one behind the other, without a gap, as they are sent; and behind the last, and
 * behind one that is opened, nothing is touched. */
static void side_by_side(struct secure_engine *engine, uint16_t profile)
{
    enum { COUNT = 40, ROOM = 8192 };
    static uint8_t run[ROOM], before[ROOM];
    struct secure_outgoing out[COUNT];
    struct secure_window sent[COUNT] = { 0 };
    struct pair pair;
    pair_open(&pair, engine, profile, 13);
    uint8_t payload[100];
    uint64_t seed = 13;
    test_random_fill(&seed, payload, sizeof(payload));
    memset(run, 0x5a, sizeof(run));
    uint8_t *at = run;
    for (uint32_t i = 0; i < COUNT; i++) {
        house_packet(at, 12, 1, i);
        out[i] = (struct secure_outgoing){ .key = pair.client.rtp_out,
                                           .sent = &sent[i],
                                           .at = at,
                                           .header_size = 12,
                                           .payload = { payload, 17 + i } };
        at += 12 + 17 + i + secure_session_overhead(&pair.client);
    }
    secure_protect(engine, out, COUNT);
    for (const uint8_t *behind = at; behind < run + ROOM; behind++)
        assert_int_equal(*behind, 0x5a);
    for (uint32_t i = COUNT; i-- > 0;) {
        assert_int_equal(out[i].status, OK);
        size_t size = out[i].size;
        memcpy(before, run, ROOM);
        assert_int_equal(house_unprotect(&pair.server, out[i].at, &size), OK);
        assert_int_equal(size, 12 + 17 + i);
        assert_memory_equal(out[i].at + 12, payload, size - 12);
        assert_memory_equal(run, before, (size_t)(out[i].at - run));
        size_t end = (size_t)(out[i].at - run) + out[i].size;
        assert_memory_equal(run + end, before + end, ROOM - end);
    }
    pair_close(&pair);
}

static void test_side_by_side(void **state)
{
    house_each(state, side_by_side);
}

/* Both backends make the same bytes. */
static void test_backends_agree(void **state)
{
    struct house *house = *state;
    if (!house->engines[1])
        skip();
    for (size_t p = 0; p < HOUSE_PROFILE_COUNT; p++)
        for (size_t size = 12; size < 200; size++) {
            uint8_t packets[2][HOUSE_ROOM];
            size_t sealed[2];
            for (int i = 0; i < 2; i++) {
                struct pair pair;
                struct secure_window sent = { .highest = 0x1ffff, .seen = { 0 } };
                secure_window_add(&sent, sent.highest);
                pair_open(&pair, house->engines[i], HOUSE_PROFILES[p], size);
                house_packet(packets[i], size, (uint16_t)size, SSRC);
                sealed[i] = house_protect(&pair.client, &sent, packets[i], size);
                pair_close(&pair);
            }
            assert_int_equal(sealed[0], sealed[1]);
            assert_memory_equal(packets[0], packets[1], sealed[0]);
        }
}

/* A batch of one stream, with packets that come twice, and forged ones between. */
static void batch_of_one_stream(struct secure_engine *engine, uint16_t profile)
{
    enum { COUNT = 40 };
    static uint8_t packets[COUNT][HOUSE_ROOM];
    struct secure_incoming in[COUNT];
    struct pair pair;
    pair_open(&pair, engine, profile, 5);
    struct secure_window sent = { 0 };
    uint32_t sequence = 65533; /* the first ones; then the counter moves */
    for (int i = 0; i < COUNT; i++) {
        if (i % 10 == 9) {
            memcpy(packets[i], packets[i - 1], HOUSE_ROOM);
            in[i] = in[i - 1];
            in[i].packet.at = packets[i];
            continue;
        }
        house_packet(packets[i], 120, (uint16_t)sequence++, SSRC);
        size_t size = house_protect(&pair.client, &sent, packets[i], 120);
        in[i] = (struct secure_incoming){ .session = &pair.server, .packet = { packets[i], size } };
        if (i % 10 == 6)
            packets[i][50] ^= 1;
    }
    secure_unprotect(engine, in, COUNT);
    sequence = 65533;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(in[i].status, i % 10 == 9 ? ERR_REPLAYED : i % 10 == 6 ? ERR_FORGED : OK);
        if (i % 10 == 9)
            continue;
        uint8_t plain[120];
        house_packet(plain, 120, (uint16_t)sequence, SSRC);
        assert_true(i % 10 == 6 || memcmp(plain, packets[i], 120) == 0);
        assert_int_equal(in[i].index, sequence++);
    }
    pair_close(&pair);
}

static void test_batch_of_one_stream(void **state)
{
    house_each(state, batch_of_one_stream);
}

/* A batch whose packets lie so far apart that each index depends on the one before. */
static void batch_of_jumps(struct secure_engine *engine, uint16_t profile)
{
    enum { COUNT = 30 };
    static uint8_t packets[COUNT][HOUSE_ROOM];
    struct secure_incoming in[COUNT];
    struct pair pair;
    pair_open(&pair, engine, profile, 11);
    struct secure_window sent = { 0 };
    uint64_t index = 1000;
    for (uint32_t i = 0; i < COUNT; i++) {
        house_packet(packets[i], 60, (uint16_t)index, SSRC);
        size_t size = house_protect(&pair.client, &sent, packets[i], 60);
        in[i] = (struct secure_incoming){ .session = &pair.server, .packet = { packets[i], size } };
        index += i % 3 ? 8000 * (1 + i % 4) : 1;
    }
    secure_unprotect(engine, in, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(in[i].status, OK);
    assert_int_equal(in[COUNT - 1].index, sent.highest);
    pair_close(&pair);
}

static void test_batch_of_jumps(void **state)
{
    house_each(state, batch_of_jumps);
}

/* ---- rollover ---- */

/* 200,000 packets' time: bursts are lost, some packets come late, some twice. */
static void rollover(struct secure_engine *engine, uint16_t profile)
{
    enum { LATE = 64 };
    static uint8_t late[LATE][HOUSE_ROOM];
    size_t late_size[LATE] = { 0 };
    struct pair pair;
    pair_open(&pair, engine, profile, 6);
    struct secure_window sent = { 0 };
    uint64_t chance = 7;
    for (uint64_t index = 30000; index < 230000;) {
        uint8_t packet[HOUSE_ROOM], plain[40], dice[3];
        test_random_fill(&chance, dice, sizeof(dice));
        house_packet(plain, sizeof(plain), (uint16_t)index, SSRC);
        memcpy(packet, plain, sizeof(plain));
        size_t size = house_protect(&pair.client, &sent, packet, sizeof(plain));
        assert_int_equal(sent.highest, index);
        uint8_t *kept = late[index % LATE];
        if (late_size[index % LATE] > 0) { /* comes after LATE newer ones, or some of them */
            size_t kept_size = late_size[index % LATE];
            assert_int_equal(house_unprotect(&pair.server, kept, &kept_size), OK);
            late_size[index % LATE] = 0;
        }
        if (dice[0] < 30) {
            memcpy(kept, packet, size);
            late_size[index % LATE] = size;
        } else if (dice[0] > 40) {
            uint8_t again[HOUSE_ROOM];
            memcpy(again, packet, size);
            size_t again_size = size;
            assert_int_equal(house_unprotect(&pair.server, packet, &size), OK);
            assert_memory_equal(packet, plain, sizeof(plain));
            if (dice[0] > 250)
                assert_int_equal(house_unprotect(&pair.server, again, &again_size), ERR_REPLAYED);
        }
        /* both stay below half a round, or the receiver could not know */
        index += dice[1] == 0 ? (uint64_t)dice[2] * 100 : 1;
        if (dice[1] == 0)
            memset(late_size, 0, sizeof(late_size));
    }
    assert_int_equal(secure_source_find(&pair.server, SSRC)->rtp.highest >> 16, 3);
    pair_close(&pair);
}

static void test_rollover(void **state)
{
    house_each(state, rollover);
}

/* The end of a key: the last index may be used, no other after it. */
static void end_of_key(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 8);
    struct secure_window sent = { 0 };
    secure_window_add(&sent, SECURE_INDEX_MAX - 1);
    uint8_t packet[HOUSE_ROOM];
    house_packet(packet, 60, 65535, SSRC);
    size_t size = house_protect(&pair.client, &sent, packet, 60);
    struct secure_source *source = secure_source_add(&pair.server, SSRC);
    secure_window_add(&source->rtp, SECURE_INDEX_MAX - 1);
    assert_int_equal(house_unprotect(&pair.server, packet, &size), OK);

    house_packet(packet, 60, 0, SSRC);
    struct secure_outgoing job = { .key = pair.client.rtp_out,
                                   .sent = &sent,
                                   .at = packet,
                                   .header_size = 12,
                                   .payload = { packet + 12, 48 } };
    secure_protect(engine, &job, 1);
    assert_int_equal(job.status, ERR_LIMIT);
    size = 100;
    assert_int_equal(house_unprotect(&pair.server, packet, &size), ERR_LIMIT);

    house_report(packet, 60, SSRC);
    pair.client.rtcp_index = 0x7fffffff;
    assert_int_equal(secure_protect_rtcp(&pair.client, packet, 60, &size), OK);
    assert_int_equal(house_unprotect_rtcp(&pair.server, packet, &size), OK);
    assert_int_equal(secure_protect_rtcp(&pair.client, packet, 60, &size), ERR_LIMIT);
    assert_int_equal(secure_protect_rtcp(&pair.client, packet, 60, &size), ERR_LIMIT);
    pair_close(&pair);
}

static void test_end_of_key(void **state)
{
    house_each(state, end_of_key);
}

/* ---- a sender's own list ---- */

static int try_to_send(struct pair *pair, struct secure_window *sent, uint16_t sequence,
                       bool is_repeat, uint8_t *packet)
{
    house_packet(packet, 60, sequence, SSRC);
    struct secure_outgoing job = { .key = pair->client.rtp_out,
                                   .sent = sent,
                                   .at = packet,
                                   .header_size = 12,
                                   .payload = { packet + 12, 48 },
                                   .is_repeat = is_repeat };
    secure_protect(pair->client.engine, &job, 1);
    return job.status;
}

/* No index is used for two packets. */
static void sent_once(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 9);
    struct secure_window sent = { 0 };
    uint8_t first[HOUSE_ROOM], again[HOUSE_ROOM];
    assert_int_equal(try_to_send(&pair, &sent, 1000, false, first), OK);
    assert_int_equal(try_to_send(&pair, &sent, 1000, false, again), ERR_REPLAYED);
    assert_int_equal(try_to_send(&pair, &sent, 1000, true, again), OK);
    assert_memory_equal(first, again, 60);
    assert_int_equal(try_to_send(&pair, &sent, 1003, false, again), OK);
    assert_int_equal(try_to_send(&pair, &sent, 1001, false, again), OK);
    assert_int_equal(try_to_send(&pair, &sent, 1001, false, again), ERR_REPLAYED);
    assert_int_equal(try_to_send(&pair, &sent, 1000 - SECURE_WINDOW, true, again), ERR_OLD);
    /* before the beginning */
    assert_int_equal(try_to_send(&pair, &sent, 60000, false, again), ERR_OLD);
    assert_int_equal(sent.highest, 1003);
    pair_close(&pair);
}

static void test_sent_once(void **state)
{
    house_each(state, sent_once);
}

/* ---- SRTCP ---- */

static void reports(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 10);
    uint8_t plain[HOUSE_ROOM], packet[HOUSE_ROOM], first[HOUSE_ROOM];
    size_t size, first_size = 0;
    for (size_t length = 8; length < 300; length++) {
        house_report(plain, length, SSRC + (uint32_t)length % 3);
        memcpy(packet, plain, length);
        assert_int_equal(secure_protect_rtcp(&pair.server, packet, length, &size), OK);
        assert_int_equal(size, length + 4 + secure_suite_find(profile)->rtcp_tag_size);
        if (length == 8) {
            memcpy(first, packet, size);
            first_size = size;
        }
        assert_int_equal(house_unprotect_rtcp(&pair.client, packet, &size), OK);
        assert_int_equal(size, length);
        assert_memory_equal(packet, plain, length);
    }
    assert_int_equal(house_unprotect_rtcp(&pair.client, first, &first_size), ERR_REPLAYED);
    for (uint32_t i = 0; i < SECURE_WINDOW; i++) {
        house_report(packet, 8, SSRC + 2); /* as the first one's */
        assert_int_equal(secure_protect_rtcp(&pair.server, packet, 8, &size), OK);
        assert_int_equal(house_unprotect_rtcp(&pair.client, packet, &size), OK);
    }
    assert_int_equal(house_unprotect_rtcp(&pair.client, first, &first_size), ERR_OLD);
    assert_int_equal(secure_engine_sources(engine), 3);
    pair_close(&pair);
}

static void test_reports(void **state)
{
    house_each(state, reports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_directions, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_long_header, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_one_to_many, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_in_pieces, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_side_by_side, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_backends_agree, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_batch_of_one_stream, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_batch_of_jumps, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_rollover, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_end_of_key, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_sent_once, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_reports, house_open, house_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
