/* test_media_setup.c - what a media port is made of: addresses, a certificate, ciphers. */
#include "support.h"

#include "agent/dtls.h"
#include "agent/srtp.h"
#include "shell/machine.h"
#include "shell/media_setup.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define NOW 1700000000

static void add_public(struct settings *settings, const char *host)
{
    struct listen_list *list = &settings->rtc_public_ip;
    assert_int_equal(address_read_host(view_of(host), &list->items[list->count++]), OK);
}

static bool is_among(const struct address *all, uint32_t count, struct address address,
                     uint16_t port)
{
    address.port = port;
    for (uint32_t i = 0; i < count; i++)
        if (address_equal(&all[i], &address))
            return true;
    return false;
}

/* Those that were set stand first, then the machine's own; each once. */
static void test_candidates(void **state)
{
    (void)state;
    struct settings settings = { 0 };
    struct address all[SERVER_CANDIDATES_MAX];
    struct address own[MACHINE_ADDRESSES_MAX];
    char text[ADDRESS_TEXT_SIZE];
    uint32_t own_count = machine_addresses(own);
    add_public(&settings, "203.0.113.7");
    add_public(&settings, "2001:db8::7");
    uint32_t count = media_setup_candidates(&settings, 7001, true, all);
    assert_in_range(count, 2, SERVER_CANDIDATES_MAX);
    address_write(&all[0], text);
    assert_string_equal(text, "203.0.113.7:7001");
    address_write(&all[1], text);
    assert_string_equal(text, "[2001:db8::7]:7001");
    for (uint32_t i = 0; i < own_count && i + 2 < SERVER_CANDIDATES_MAX; i++)
        assert_true(is_among(all, count, own[i], 7001));

    count = media_setup_candidates(&settings, 7001, false, all);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(all[i].family, ADDRESS_IPV4);

    if (own_count) /* named by hand: not once more */
        settings.rtc_public_ip = (struct listen_list){ { own[0] }, 1 };
    count = media_setup_candidates(&settings, 7001, true, all);
    for (uint32_t i = 0; i < count; i++)
        assert_false(is_among(all, i, all[i], 7001));
}

static void test_many_candidates(void **state)
{
    (void)state;
    struct settings settings = { 0 };
    struct address all[SERVER_CANDIDATES_MAX];
    for (uint8_t i = 0; i < SETTINGS_LISTEN_MAX; i++)
        settings.rtc_public_ip.items[i] = (struct address){ ADDRESS_IPV4, { 8, 8, 8, i }, 0 };
    settings.rtc_public_ip.count = SETTINGS_LISTEN_MAX;
    assert_int_equal(media_setup_candidates(&settings, 1, true, all), SERVER_CANDIDATES_MAX);
    assert_int_equal(all[SERVER_CANDIDATES_MAX - 1].bytes[3], SERVER_CANDIDATES_MAX - 1);
}

/* All workers show one certificate, and nobody else does. */
static void test_certificate(void **state)
{
    (void)state;
    struct media_setup *setups[2];
    struct server_rtc workers[2] = { 0 };
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = sizeof digest;
    for (int i = 0; i < 2; i++)
        assert_int_equal(media_setup_new(NOW, &setups[i]), OK);
    assert_memory_not_equal(setups[0]->fingerprint, setups[1]->fingerprint,
                            SERVER_FINGERPRINT_SIZE);
    assert_true(X509_digest(setups[0]->certificate, EVP_sha256(), digest, &size));
    assert_int_equal(size, SERVER_FINGERPRINT_SIZE);
    assert_memory_equal(digest, setups[0]->fingerprint, size);
    assert_true(X509_check_private_key(setups[0]->certificate, setups[0]->key));
    assert_int_equal(EVP_PKEY_get_bits(setups[0]->key), 256);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(media_setup_open(setups[0], &workers[i]), OK);
        assert_memory_equal(workers[i].fingerprint, digest, SERVER_FINGERPRINT_SIZE);
        assert_non_null(workers[i].dtls);
        assert_non_null(workers[i].secure);
        assert_int_equal(workers[i].transports_max, RTC_TRANSPORTS_MAX);
    }
    for (int i = 0; i < 2; i++) {
        media_setup_close(&workers[i]);
        media_setup_free(setups[i]);
    }
    media_setup_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_many_candidates),
        cmocka_unit_test(test_certificate),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
