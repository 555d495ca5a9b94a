/* test_srtp_broken.c - what is refused: packets cut and with bits turned over, floods of SSRCs,
 * sessions past the limits; and that no packet takes memory from the heap. */
#include "srtp_house.h"

#include <openssl/crypto.h>

#define SSRC 0x12345678u

TEST_ALLOCATIONS_MAY_FAIL

/* Refused, from memory of exactly its size; and nothing is kept for it. */
static void assert_refused(struct secure_session *to, const uint8_t *packet, size_t size,
                           bool is_rtcp)
{
    uint8_t *copy = test_copy(view_make(packet, size));
    size_t given = size;
    int status =
        is_rtcp ? house_unprotect_rtcp(to, copy, &given) : house_unprotect(to, copy, &given);
    if (status != ERR_MALFORMED && status != ERR_FORGED) {
        print_error("%zu bytes: %s\n", size, status_text(status));
        fail();
    }
    assert_int_equal(given, size);
    assert_int_equal(to->source_count, 0);
    free(copy);
}

static void cut_and_turned(struct secure_engine *engine, uint16_t profile, bool is_rtcp)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 1);
    struct secure_window sent = { 0 };
    uint8_t packet[HOUSE_ROOM];
    size_t size;
    if (is_rtcp) {
        house_report(packet, 60, SSRC);
        assert_int_equal(secure_protect_rtcp(&pair.client, packet, 60, &size), OK);
    } else {
        house_packet(packet, 60, 1000, SSRC);
        packet[0] = 0x91; /* a CSRC and an extension, so that these are cut, too */
        memcpy(packet + 16, (uint8_t[]){ 0xbe, 0xde, 0, 1 }, 4);
        struct secure_outgoing job = { .key = pair.client.rtp_out,
                                       .sent = &sent,
                                       .at = packet,
                                       .header_size = 24,
                                       .payload = { packet + 24, 36 } };
        secure_protect(engine, &job, 1);
        assert_int_equal(job.status, OK);
        size = job.size;
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_refused(&pair.server, packet, cut, is_rtcp);
    for (size_t bit = 0; bit < size * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        assert_refused(&pair.server, packet, size, is_rtcp);
        packet[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    }
    memset(packet + size, 0, 20);
    for (size_t more = 1; more < 20; more++)
        assert_refused(&pair.server, packet, size + more, is_rtcp);
    /* it was good */
    assert_int_equal(is_rtcp ? house_unprotect_rtcp(&pair.server, packet, &size)
                             : house_unprotect(&pair.server, packet, &size),
                     OK);
    pair_close(&pair);
}

static void broken_packets(struct secure_engine *engine, uint16_t profile)
{
    cut_and_turned(engine, profile, false);
}

static void broken_reports(struct secure_engine *engine, uint16_t profile)
{
    cut_and_turned(engine, profile, true);
}

static void test_broken_packets(void **state)
{
    house_each(state, broken_packets);
}

static void test_broken_reports(void **state)
{
    house_each(state, broken_reports);
}

/* Longer than its header says, too long, of another version. */
static void malformed(struct secure_engine *engine, uint16_t profile)
{
    static uint8_t packet[SECURE_PACKET_MAX + 1];
    struct pair pair;
    pair_open(&pair, engine, profile, 2);
    house_packet(packet, sizeof(packet), 1, SSRC);
    size_t size = sizeof(packet);
    assert_int_equal(house_unprotect(&pair.server, packet, &size), ERR_MALFORMED);
    assert_int_equal(house_unprotect_rtcp(&pair.server, packet, &size), ERR_MALFORMED);
    size = 100;
    packet[0] = 0x90; /* an extension of 65535 words */
    memset(packet + 12, 0xff, 4);
    assert_int_equal(house_unprotect(&pair.server, packet, &size), ERR_MALFORMED);
    packet[0] = 0x8f; /* 15 CSRCs in 12 + 59 bytes */
    size = 71 + secure_suite_find(profile)->rtp_tag_size;
    assert_int_equal(house_unprotect(&pair.server, packet, &size), ERR_MALFORMED);
    packet[0] = 0x40;
    assert_int_equal(house_unprotect(&pair.server, packet, &size), ERR_MALFORMED);
    assert_int_equal(house_unprotect_rtcp(&pair.server, packet, &size), ERR_MALFORMED);
    pair_close(&pair);
}

static void test_malformed(void **state)
{
    house_each(state, malformed);
}

/* A forged packet changes nothing of what is known of its source. */
static void forged_is_forgotten(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 3);
    struct secure_window sent = { 0 };
    uint8_t packet[HOUSE_ROOM];
    house_packet(packet, 60, 1000, SSRC);
    size_t size = house_protect(&pair.client, &sent, packet, 60);
    assert_int_equal(house_unprotect(&pair.server, packet, &size), OK);
    struct secure_source before = *pair.server.sources[0];
    for (uint32_t sequence = 0; sequence <= UINT16_MAX; sequence += 101) {
        house_packet(packet, 60, (uint16_t)sequence, SSRC);
        size = 60;
        assert_int_not_equal(house_unprotect(&pair.server, packet, &size), OK);
        assert_memory_equal(pair.server.sources[0], &before, sizeof(before));
    }
    pair_close(&pair);
}

static void test_forged_is_forgotten(void **state)
{
    house_each(state, forged_is_forgotten);
}

/* ---- limits ---- */

static int say(struct pair *pair, uint32_t ssrc, bool is_rtcp)
{
    struct secure_window sent = { 0 };
    uint8_t packet[HOUSE_ROOM];
    size_t size;
    if (is_rtcp) {
        house_report(packet, 60, ssrc);
        assert_int_equal(secure_protect_rtcp(&pair->client, packet, 60, &size), OK);
        return house_unprotect_rtcp(&pair->server, packet, &size);
    }
    house_packet(packet, 60, 1, ssrc);
    size = house_protect(&pair->client, &sent, packet, 60);
    return house_unprotect(&pair->server, packet, &size);
}

/* Authentic packets of too many SSRCs. */
static void sources(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 4);
    for (uint32_t i = 0; i < SECURE_SOURCES_MAX; i++)
        assert_int_equal(say(&pair, i, i % 2), OK);
    assert_int_equal(say(&pair, 1000, false), ERR_LIMIT);
    assert_int_equal(say(&pair, 1000, true), ERR_LIMIT);
    /* those that are known go on */
    assert_int_equal(say(&pair, 1, true), OK);
    assert_int_equal(say(&pair, 1, false), OK);
    assert_int_equal(say(&pair, 1, false), ERR_REPLAYED);
    /* one goes, one comes */
    secure_session_forget(&pair.server, 5);
    secure_session_forget(&pair.server, 5);
    secure_session_forget(&pair.server, 4711);
    assert_int_equal(secure_engine_sources(engine), SECURE_SOURCES_MAX - 1);
    assert_int_equal(say(&pair, 1000, false), OK);
    assert_int_equal(say(&pair, 5, false), ERR_LIMIT);
    assert_int_equal(say(&pair, SECURE_SOURCES_MAX - 1, true), OK);
    assert_int_equal(secure_engine_sources(engine), SECURE_SOURCES_MAX);
    pair_close(&pair);
    assert_int_equal(secure_engine_sources(engine), 0);
}

static void test_sources(void **state)
{
    house_each(state, sources);
}

/* Two that are new in one batch, and room for one. */
static void test_last_room_in_a_batch(void **state)
{
    (void)state;
    struct secure_config config = { SECURE_BEST, 2, 1 };
    struct secure_engine *engine;
    assert_int_equal(secure_engine_new(&config, &engine), OK);
    assert_non_null(secure_engine_name(engine));
    struct pair pair;
    pair_open(&pair, engine, SECURE_AEAD_AES_128_GCM, 5);
    uint8_t packets[3][HOUSE_ROOM];
    struct secure_incoming in[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct secure_window sent = { 0 };
        house_packet(packets[i], 60, 1, SSRC + i);
        in[i] = (struct secure_incoming){ .session = &pair.server };
        in[i].packet.at = packets[i];
        in[i].packet.size = house_protect(&pair.client, &sent, packets[i], 60);
    }
    packets[0][30] ^= 1;
    secure_unprotect(engine, in, 3);
    assert_int_equal(in[0].status, ERR_FORGED);
    assert_int_equal(in[1].status, OK);
    assert_int_equal(in[2].status, ERR_LIMIT);
    pair_close(&pair);
    secure_engine_free(engine);
}

static void test_sessions(void **state)
{
    struct house *house = *state;
    static struct pair pairs[HOUSE_SESSIONS / 2];
    for (int i = 0; i < HOUSE_ENGINES; i++) {
        struct secure_engine *engine = house->engines[i];
        if (!engine)
            continue;
        for (size_t p = 0; p < HOUSE_SESSIONS / 2; p++)
            pair_open(&pairs[p], engine, HOUSE_PROFILES[p % HOUSE_PROFILE_COUNT], p);
        struct secure_session one = { 0 };
        assert_int_equal(secure_session_open(&one, engine, SECURE_AEAD_AES_128_GCM, true,
                                             house_material(SECURE_AEAD_AES_128_GCM, 1)),
                         ERR_LIMIT);
        assert_null(one.engine);
        secure_session_close(&one);
        for (size_t p = 0; p < HOUSE_SESSIONS / 2; p++)
            pair_close(&pairs[p]);
        assert_int_equal(secure_engine_sessions(engine), 0);
        assert_int_equal(secure_session_open(&one, engine, 3, true, view_make(NULL, 0)),
                         ERR_UNSUPPORTED);
        assert_null(one.engine);
    }
    assert_int_equal(secure_material_size(0), 0);
    assert_int_equal(secure_material_size(SECURE_AES128_CM_HMAC_SHA1_80), 60);
    assert_int_equal(secure_material_size(SECURE_AEAD_AES_128_GCM), 56);
    assert_int_equal(secure_material_size(SECURE_AEAD_AES_256_GCM), SECURE_MATERIAL_MAX);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct secure_config config = { SECURE_EVP, UINT32_MAX / 4, UINT32_MAX };
    struct secure_engine *engine = (void *)&config;
    assert_int_equal(secure_engine_new(&config, &engine), ERR_MEMORY);
    assert_ptr_equal(engine, &config);
    secure_engine_free(NULL);
}

/* No key is left behind in memory: it is not found where it was. */
static void wiped(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    pair_open(&pair, engine, profile, 6);
    struct secure_key *key = pair.client.rtp_out;
    uint8_t salt[16];
    memcpy(salt, key->salt, sizeof(salt));
    pair_close(&pair);
    static const uint8_t ZEROS[64];
    assert_memory_not_equal(salt, ZEROS, sizeof(salt));
    /* the pool's chain has its first bytes */
    assert_memory_equal(key->salt + sizeof(void *), ZEROS, sizeof(salt) - sizeof(void *));
    size_t size = engine->backend->key_size(secure_suite_find(profile)->cipher);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(key->expanded[i], 0);
}

static void test_wiped(void **state)
{
    house_each(state, wiped);
}

/* ---- the heap ---- */

static unsigned long heap_calls;

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    heap_calls++;
    return malloc(size);
}

static void *count_realloc(void *at, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    heap_calls++;
    return realloc(at, size);
}

static void count_free(void *at, const char *file, int line)
{
    (void)file, (void)line;
    free(at);
}

/* What is ours can't take any (tools/tidy sees to it), so OpenSSL is asked. */
static void no_heap(struct secure_engine *engine, uint16_t profile)
{
    struct pair pair;
    unsigned long before = heap_calls;
    pair_open(&pair, engine, profile, 7);
    assert_true(heap_calls > before); /* it does count */
    before = heap_calls;
    struct secure_window sent = { 0 };
    for (uint16_t sequence = 1; sequence < 100; sequence++) {
        uint8_t packet[HOUSE_ROOM];
        house_packet(packet, 1000, sequence, SSRC);
        size_t size = house_protect(&pair.client, &sent, packet, 1000);
        packet[size / 2] ^= sequence % 2;
        assert_int_equal(house_unprotect(&pair.server, packet, &size),
                         sequence % 2 ? ERR_FORGED : OK);
        house_report(packet, 100, SSRC);
        assert_int_equal(secure_protect_rtcp(&pair.client, packet, 100, &size), OK);
        assert_int_equal(house_unprotect_rtcp(&pair.server, packet, &size), OK);
    }
    assert_int_equal(heap_calls, before);
    pair_close(&pair);
}

static void test_no_heap(void **state)
{
    house_each(state, no_heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_broken_packets, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_broken_reports, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_malformed, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_forged_is_forgotten, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_sources, house_open, house_close),
        cmocka_unit_test(test_last_room_in_a_batch),
        cmocka_unit_test_setup_teardown(test_sessions, house_open, house_close),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test_setup_teardown(test_wiped, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_no_heap, house_open, house_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    /* before OpenSSL has taken any */
    if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
