/* srtp_house.h - what the tests of SRTP share: an engine of each kind that this machine has, two
 * sessions that are each other's peer, and packets. */
#ifndef MOIM_TESTS_AGENT_SRTP_HOUSE_H
#define MOIM_TESTS_AGENT_SRTP_HOUSE_H

#include "support.h"

#include "agent/srtp_internal.h"

#define HOUSE_ENGINES  2
#define HOUSE_SESSIONS 200
#define HOUSE_SOURCES  1000
#define HOUSE_ROOM     2048 /* bytes of a packet and what it becomes longer by */

static const uint16_t HOUSE_PROFILES[] = { SECURE_AES128_CM_HMAC_SHA1_80,
                                           SECURE_AES128_CM_HMAC_SHA1_32, SECURE_AEAD_AES_128_GCM,
                                           SECURE_AEAD_AES_256_GCM };

#define HOUSE_PROFILE_COUNT (sizeof(HOUSE_PROFILES) / sizeof(HOUSE_PROFILES[0]))

struct house {
    struct secure_engine *engines[HOUSE_ENGINES]; /* OpenSSL's; libipsec-mb's or NULL */
};

static inline int house_open(void **state)
{
    static struct house house;
    house = (struct house){ 0 };
    struct secure_config config = { SECURE_EVP, HOUSE_SESSIONS, HOUSE_SOURCES };
    assert_int_equal(secure_engine_new(&config, &house.engines[0]), OK);
    config.choice = SECURE_IPSEC_MB;
    int status = secure_engine_new(&config, &house.engines[1]);
    assert_true(status == OK || status == ERR_UNSUPPORTED);
    *state = &house;
    return 0;
}

/* All that was taken has been given back. */
static inline int house_close(void **state)
{
    struct house *house = *state;
    for (int i = 0; i < HOUSE_ENGINES; i++) {
        if (!house->engines[i])
            continue;
        assert_int_equal(secure_engine_sessions(house->engines[i]), 0);
        assert_int_equal(secure_engine_sources(house->engines[i]), 0);
        for (int cipher = 0; cipher < SECURE_CIPHERS; cipher++)
            assert_int_equal(house->engines[i]->keys[cipher].used, 0);
        secure_engine_free(house->engines[i]);
    }
    return 0;
}

/* For each engine and each profile. */
static inline void house_each(void **state, void (*run)(struct secure_engine *, uint16_t profile))
{
    struct house *house = *state;
    for (int i = 0; i < HOUSE_ENGINES; i++)
        for (size_t p = 0; p < HOUSE_PROFILE_COUNT && house->engines[i]; p++)
            run(house->engines[i], HOUSE_PROFILES[p]);
}

/* ---- two that talk ---- */

struct pair {
    struct secure_session client, server;
};

static inline struct view house_material(uint16_t profile, uint64_t seed)
{
    static uint8_t material[SECURE_MATERIAL_MAX];
    size_t size = secure_material_size(profile);
    assert_in_range(size, 1, sizeof(material));
    test_random_fill(&seed, material, sizeof(material));
    return view_make(material, size);
}

static inline void pair_open(struct pair *pair, struct secure_engine *engine, uint16_t profile,
                             uint64_t seed)
{
    struct view material = house_material(profile, seed);
    assert_int_equal(secure_session_open(&pair->client, engine, profile, true, material), OK);
    assert_int_equal(secure_session_open(&pair->server, engine, profile, false, material), OK);
}

static inline void pair_close(struct pair *pair)
{
    secure_session_close(&pair->client);
    secure_session_close(&pair->server);
}

/* ---- packets ---- */

/* `size` bytes, of which 12 are the header; the payload says which packet it is. */
static inline void house_packet(uint8_t *at, size_t size, uint16_t sequence, uint32_t ssrc)
{
    uint64_t seed = (uint64_t)ssrc << 16 | sequence;
    assert_true(size >= 12);
    test_random_fill(&seed, at, size);
    at[0] = 0x80;
    at[1] = 96;
    at[2] = (uint8_t)(sequence >> 8);
    at[3] = (uint8_t)sequence;
    secure_write32(at + 8, ssrc);
}

/* A receiver report of `size` bytes, as far as SRTCP reads it. */
static inline void house_report(uint8_t *at, size_t size, uint32_t ssrc)
{
    uint64_t seed = ssrc;
    assert_true(size >= 8);
    test_random_fill(&seed, at, size);
    memcpy(at, (uint8_t[]){ 0x81, 201, 0, 7 }, 4);
    secure_write32(at + 4, ssrc);
}

/* Protects one packet in place, with a header of 12 bytes; gives its new size. */
static inline size_t house_protect(struct secure_session *session, struct secure_window *sent,
                                   uint8_t *at, size_t size)
{
    struct secure_outgoing job = { .key = session->rtp_out,
                                   .sent = sent,
                                   .at = at,
                                   .header_size = 12,
                                   .payload = view_make(at + 12, size - 12) };
    secure_protect(session->engine, &job, 1);
    assert_int_equal(job.status, OK);
    assert_in_range(job.size, size, size + SECURE_RTP_OVERHEAD);
    return job.size;
}

/* Unprotects one in place. */
static inline int house_unprotect(struct secure_session *session, uint8_t *at, size_t *size)
{
    struct secure_incoming job = { .session = session, .packet = { at, *size } };
    secure_unprotect(session->engine, &job, 1);
    if (job.status == OK)
        *size = job.packet.size;
    return job.status;
}

static inline int house_unprotect_rtcp(struct secure_session *session, uint8_t *at, size_t *size)
{
    struct span packet = { at, *size };
    int status = secure_unprotect_rtcp(session, &packet);
    if (status == OK)
        *size = packet.size;
    return status;
}

#endif
