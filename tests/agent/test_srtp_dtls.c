/* test_srtp_dtls.c - from a DTLS handshake to packets, with every profile that it can agree on. */
#include "srtp_house.h"

#include "dtls_house.h"

static struct end client, server;

static void shake_hands(struct dtls_context *ours, struct dtls_context *theirs)
{
    memset(&client, 0, sizeof(client));
    memset(&server, 0, sizeof(server));
    assert_int_equal(dtls_init(&server.dtls, ours, DTLS_SERVER, 0), OK);
    assert_int_equal(dtls_init(&client.dtls, theirs, DTLS_CLIENT, 0), OK);
    end_drain(&client, &server);
    while (client.count > 0 || server.count > 0) {
        if (server.count > 0)
            end_receive(&server, &client, 0);
        if (client.count > 0)
            end_receive(&client, &server, 0);
    }
    assert_int_equal(client.connected, 1);
    assert_int_equal(server.connected, 1);
}

static void open_session(struct secure_session *session, struct secure_engine *engine,
                         const struct end *end, bool is_client)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    uint16_t profile = dtls_srtp_profile(&end->dtls);
    size_t size = secure_material_size(profile);
    assert_in_range(size, 1, DTLS_SRTP_KEYS_MAX);
    assert_int_equal(dtls_srtp_keys(&end->dtls, material, size), OK);
    assert_int_equal(
        secure_session_open(session, engine, profile, is_client, view_make(material, size)), OK);
}

static void talk(struct secure_session *from, struct secure_session *to)
{
    struct secure_window sent = { 0 };
    uint8_t plain[HOUSE_ROOM], packet[HOUSE_ROOM];
    house_packet(plain, 500, 1, 4711);
    memcpy(packet, plain, 500);
    size_t size = house_protect(from, &sent, packet, 500);
    assert_int_equal(house_unprotect(to, packet, &size), OK);
    assert_int_equal(size, 500);
    assert_memory_equal(packet, plain, 500);
    house_report(plain, 80, 4711);
    memcpy(packet, plain, 80);
    assert_int_equal(secure_protect_rtcp(from, packet, 80, &size), OK);
    assert_int_equal(house_unprotect_rtcp(to, packet, &size), OK);
    assert_int_equal(size, 80);
    assert_memory_equal(packet, plain, 80);
}

static void test_from_dtls(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *offered;
        uint16_t profile;
    } CASES[] = {
        { SECURE_DTLS_PROFILES, SECURE_AEAD_AES_128_GCM },
        { "SRTP_AEAD_AES_256_GCM", SECURE_AEAD_AES_256_GCM },
        { "SRTP_AES128_CM_SHA1_80", SECURE_AES128_CM_HMAC_SHA1_80 },
        /* as Chromium offers them; the server's order counts */
        { "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
          SECURE_AEAD_AES_128_GCM },
    };
    struct identity identity;
    identity_make(&identity);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct dtls_context *ours = context_make(&identity, SECURE_DTLS_PROFILES, false);
        struct dtls_context *theirs = context_make(&identity, CASES[i].offered, false);
        shake_hands(ours, theirs);
        assert_int_equal(dtls_srtp_profile(&server.dtls), CASES[i].profile);
        for (int e = 0; e < HOUSE_ENGINES && house->engines[e]; e++) {
            struct secure_session sessions[2];
            open_session(&sessions[0], house->engines[e], &client, true);
            open_session(&sessions[1], house->engines[e], &server, false);
            talk(&sessions[0], &sessions[1]);
            talk(&sessions[1], &sessions[0]);
            secure_session_close(&sessions[0]);
            secure_session_close(&sessions[1]);
        }
        dtls_free(&client.dtls);
        dtls_free(&server.dtls);
        dtls_context_free(ours);
        dtls_context_free(theirs);
    }
    identity_free(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_dtls, house_open, house_close),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
