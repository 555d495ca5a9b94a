/* test_certificate.c - certificates made, kept, given and broken; and handshakes in memory. */
#include "support.h"

#include "shell/certificate.h"
#include "shell/certificate_make.h"
#include "shell/machine.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* 2026-11-21T04:30:00Z */
#define NOW ((int64_t)1795235400)

struct folder {
    char path[64];
    struct settings settings; /* whose state.dir is path/state */
    char kept[128];           /* where its certificate is */
};

static void folder_begin(struct folder *folder)
{
    snprintf(folder->path, sizeof(folder->path), "/tmp/moim-certificate-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    settings_default(&folder->settings);
    snprintf(folder->settings.state_dir, SETTINGS_PATH_MAX, "%s/state", folder->path);
    char path[CERTIFICATE_PATH_SIZE];
    certificate_path(&folder->settings, path);
    assert_in_range(strlen(path), 1, sizeof(folder->kept) - 1);
    memcpy(folder->kept, path, strlen(path) + 1);
}

/* Fails when a file is left over. */
static void folder_end(const struct folder *folder)
{
    unlink(folder->kept);
    rmdir(folder->settings.state_dir);
    assert_int_equal(rmdir(folder->path), 0);
}

static void open_it(const struct settings *settings, int64_t now, struct certificate *out)
{
    char error[SETTINGS_ERROR_MAX] = "";
    int status = certificate_open(settings, now, true, out, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
}

static void refuse(const struct settings *settings, int wanted_status, const char *wanted)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct certificate certificate;
    int status = certificate_open(settings, NOW, true, &certificate, error);
    assert_string_equal(error, wanted);
    assert_int_equal(status, wanted_status);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_made(void **state)
{
    (void)state;
    struct folder folder;
    struct certificate made;
    struct address addresses[MACHINE_ADDRESSES_MAX];
    char name[MACHINE_NAME_SIZE];
    folder_begin(&folder);
    folder.settings.rtc_public_ip.count = 1;
    assert_int_equal(address_read_host(VIEW("192.0.2.77"), &folder.settings.rtc_public_ip.items[0]),
                     OK);
    open_it(&folder.settings, NOW, &made);
    assert_true(made.is_made);
    assert_true(made.is_new);
    assert_string_equal(made.notice, "");
    assert_int_equal(made.expires_at_s, NOW + 3650 * CERTIFICATE_DAY);
    assert_int_equal(strlen(made.fingerprint), CERTIFICATE_FINGERPRINT_SIZE - 1);
    assert_int_equal(mode_of(folder.settings.state_dir), 0700);
    assert_int_equal(mode_of(folder.kept), 0600);

    X509 *x509 = SSL_CTX_get0_certificate(made.tls);
    time_t yesterday = (time_t)(NOW - CERTIFICATE_DAY);
    assert_int_equal(X509_cmp_time(X509_get0_notBefore(x509), &yesterday), -1); /* not after it */
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(x509)), 256);
    assert_int_equal(X509_verify(x509, X509_get0_pubkey(x509)), 1);
    assert_int_equal(X509_check_host(x509, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x509, "example.com", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, "192.0.2.77", 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, "192.0.2.78", 0), 0);
    machine_name(name);
    if (name[0])
        assert_int_equal(X509_check_host(x509, name, 0, 0, NULL), 1);
    uint32_t count = machine_addresses(addresses);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = addresses[i].family == ADDRESS_IPV4 ? 4 : 16;
        assert_int_equal(X509_check_ip(x509, addresses[i].bytes, size, 0), 1);
    }
    certificate_close(&made);
    folder_end(&folder);
}

static void test_kept(void **state)
{
    (void)state;
    struct folder folder;
    struct certificate first;
    struct certificate second;
    char error[SETTINGS_ERROR_MAX] = "-";
    folder_begin(&folder);
    assert_int_equal(certificate_open(&folder.settings, NOW, false, &first, error), ERR_NOT_FOUND);
    assert_string_equal(error, "");
    assert_int_not_equal(access(folder.settings.state_dir, F_OK), 0);

    open_it(&folder.settings, NOW, &first);
    open_it(&folder.settings, NOW + CERTIFICATE_DAY, &second);
    assert_true(second.is_made);
    assert_false(second.is_new);
    assert_string_equal(second.fingerprint, first.fingerprint);
    certificate_close(&second);

    /* expired */
    open_it(&folder.settings, NOW + 3650 * CERTIFICATE_DAY, &second);
    assert_true(second.is_new);
    assert_string_equal(second.notice,
                        "a new certificate was made: the certificate expired on 2036-11-18");
    assert_string_not_equal(second.fingerprint, first.fingerprint);
    certificate_close(&second);

    /* broken */
    write_file(folder.kept, "-----BEGIN CERTIFICATE-----\nnonsense\n");
    assert_int_equal(certificate_open(&folder.settings, NOW, false, &second, error), ERR_NOT_FOUND);
    assert_non_null(strstr(error, "no usable certificate in PEM"));
    open_it(&folder.settings, NOW, &second);
    assert_true(second.is_new);
    assert_non_null(strstr(second.notice, "a new certificate was made: state.dir: "));
    assert_null(strchr(second.notice, '\n'));
    certificate_close(&second);
    certificate_close(&first);
    folder_end(&folder);
}

static void test_given(void **state)
{
    (void)state;
    struct folder one;
    struct folder two;
    struct certificate made;
    struct certificate given;
    char wanted[SETTINGS_ERROR_MAX];
    struct settings settings;
    folder_begin(&one);
    folder_begin(&two);
    open_it(&one.settings, NOW, &made);
    certificate_close(&made);
    open_it(&two.settings, NOW, &made);

    /* each file holds a certificate and its key */
    settings_default(&settings);
    snprintf(settings.state_dir, SETTINGS_PATH_MAX, "/nonexistent/state");
    snprintf(settings.https_cert, SETTINGS_PATH_MAX, "%s", two.kept);
    snprintf(settings.https_key, SETTINGS_PATH_MAX, "%s", two.kept);
    open_it(&settings, NOW, &given);
    assert_false(given.is_made);
    assert_string_equal(given.fingerprint, made.fingerprint);
    assert_string_equal(given.notice, "");
    certificate_close(&given);
    certificate_close(&made);

    /* what is given is used as it is, with a word about its dates */
    open_it(&settings, NOW + 3650 * CERTIFICATE_DAY, &given);
    assert_string_equal(given.notice, "the certificate expired on 2036-11-18");
    certificate_close(&given);
    open_it(&settings, NOW + 3640 * CERTIFICATE_DAY, &given);
    assert_string_equal(given.notice, "the certificate expires on 2036-11-18");
    certificate_close(&given);
    open_it(&settings, NOW - 2 * CERTIFICATE_DAY, &given);
    assert_string_equal(given.notice, "the certificate is not valid before 2026-11-20");
    certificate_close(&given);

    snprintf(settings.https_key, SETTINGS_PATH_MAX, "%s", one.kept);
    snprintf(wanted, sizeof(wanted),
             "https.key: %s: the key doesn't belong to the certificate in https.cert", one.kept);
    refuse(&settings, ERR_CONFIG, wanted);
    folder_end(&one);
    folder_end(&two);
}

static void write_key(const char *path, const char *password)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0,
                                          NULL, (void *)password),
                     1);
    fclose(file);
    EVP_PKEY_free(key);
}

static void test_given_broken(void **state)
{
    (void)state;
    struct folder folder;
    struct certificate made;
    struct settings settings;
    char key[80];
    char wanted[SETTINGS_ERROR_MAX];
    folder_begin(&folder);
    open_it(&folder.settings, NOW, &made);
    certificate_close(&made);
    settings = folder.settings;
    snprintf(key, sizeof(key), "%s/key.pem", folder.path);
    snprintf(settings.https_key, SETTINGS_PATH_MAX, "%s", key);

    snprintf(settings.https_cert, SETTINGS_PATH_MAX, "/nonexistent/cert.pem");
    refuse(&settings, ERR_CONFIG, "https.cert: /nonexistent/cert.pem: No such file or directory");
    snprintf(settings.https_cert, SETTINGS_PATH_MAX, "%s", folder.path);
    snprintf(wanted, sizeof(wanted), "https.cert: %s: Is a directory", folder.path);
    refuse(&settings, ERR_CONFIG, wanted);

    snprintf(settings.https_cert, SETTINGS_PATH_MAX, "%s", folder.kept);
    snprintf(wanted, sizeof(wanted), "https.key: %s: No such file or directory", key);
    refuse(&settings, ERR_CONFIG, wanted);
    write_file(key, "");
    snprintf(wanted, sizeof(wanted), "https.key: %s: the file is empty", key);
    refuse(&settings, ERR_CONFIG, wanted);
    write_key(key, NULL); /* of another kind than the certificate's */
    snprintf(wanted, sizeof(wanted),
             "https.key: %s: the key doesn't belong to the certificate in https.cert", key);
    refuse(&settings, ERR_CONFIG, wanted);
    unlink(key);
    write_key(key, "secret");
    char error[SETTINGS_ERROR_MAX];
    assert_int_equal(certificate_open(&settings, NOW, true, &made, error), ERR_CONFIG);
    snprintf(wanted, sizeof(wanted),
             "https.key: %s: no private key in PEM without a password can be read from it (", key);
    assert_memory_equal(error, wanted, strlen(wanted));

    snprintf(settings.https_cert, SETTINGS_PATH_MAX, "%s", key);
    assert_int_equal(certificate_open(&settings, NOW, true, &made, error), ERR_CONFIG);
    snprintf(wanted, sizeof(wanted), "https.cert: %s: no usable certificate in PEM (", key);
    assert_memory_equal(error, wanted, strlen(wanted));
    unlink(key);
    folder_end(&folder);
}

static void test_unwritable_state(void **state)
{
    (void)state;
    struct folder folder;
    char wanted[SETTINGS_ERROR_MAX];
    folder_begin(&folder);
    snprintf(folder.settings.state_dir, SETTINGS_PATH_MAX, "%s/a/b", folder.path);
    snprintf(wanted, sizeof(wanted), "state.dir: %s/a/b: No such file or directory", folder.path);
    refuse(&folder.settings, ERR_IO, wanted);

    /* a file stands in the folder's place */
    snprintf(folder.settings.state_dir, SETTINGS_PATH_MAX, "%s/state", folder.path);
    write_file(folder.settings.state_dir, "");
    char error[SETTINGS_ERROR_MAX];
    struct certificate made;
    assert_int_equal(certificate_open(&folder.settings, NOW, true, &made, error), ERR_IO);
    assert_non_null(strstr(error, "Not a directory"));
    unlink(folder.settings.state_dir);
    folder_end(&folder);
}

/* A client and the server in memory, until neither goes on.  Whether the handshake was done. */
static bool shake_hands(SSL *client, SSL *server)
{
    BIO *ends[2];
    assert_int_equal(BIO_new_bio_pair(&ends[0], 0, &ends[1], 0), 1);
    SSL_set_bio(client, ends[0], ends[0]);
    SSL_set_bio(server, ends[1], ends[1]);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    char byte;
    for (int i = 0; i < 10; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    SSL_read(client, &byte, 1); /* whatever the server sends afterwards: tickets */
    return SSL_is_init_finished(client) && SSL_is_init_finished(server);
}

struct meeting {
    SSL_CTX *context;
    SSL *client;
    SSL *server;
};

static bool meet(struct meeting *meeting, const struct certificate *certificate, int version,
                 const char *alpn)
{
    meeting->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(meeting->context, 0); /* the client would dare anything */
    SSL_CTX_set_min_proto_version(meeting->context, version);
    SSL_CTX_set_max_proto_version(meeting->context, version);
    if (alpn)
        SSL_CTX_set_alpn_protos(meeting->context, (const uint8_t *)alpn, (unsigned)strlen(alpn));
    meeting->client = SSL_new(meeting->context);
    meeting->server = SSL_new(certificate->tls);
    return shake_hands(meeting->client, meeting->server);
}

static void part(struct meeting *meeting)
{
    SSL_free(meeting->client);
    SSL_free(meeting->server);
    SSL_CTX_free(meeting->context);
}

static void test_handshakes(void **state)
{
    (void)state;
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    struct folder folder;
    struct certificate made;
    struct meeting meeting;
    const unsigned char *chosen;
    unsigned size;
    folder_begin(&folder);
    open_it(&folder.settings, NOW, &made);
    for (int i = 0; i < 2; i++) {
        assert_true(meet(&meeting, &made, versions[i], "\x02h2\x08http/1.1"));
        SSL_get0_alpn_selected(meeting.client, &chosen, &size);
        assert_view(view_make(chosen, size), "http/1.1");
        assert_int_equal(SSL_version(meeting.client), versions[i]);
        assert_false(SSL_SESSION_is_resumable(SSL_get0_session(meeting.client)));
        assert_false(SSL_SESSION_has_ticket(SSL_get0_session(meeting.client)));
        assert_non_null(strstr(SSL_get_cipher_name(meeting.client), "GCM"));
        part(&meeting);
        assert_true(meet(&meeting, &made, versions[i], NULL));
        part(&meeting);
        assert_false(meet(&meeting, &made, versions[i], "\x02h2"));
        part(&meeting);
    }
    assert_false(meet(&meeting, &made, TLS1_1_VERSION, NULL));
    part(&meeting);
    assert_int_equal(SSL_CTX_sess_number(made.tls), 0);
    certificate_close(&made);
    folder_end(&folder);
}

static void test_public_addresses(void **state)
{
    (void)state;
    static const char *const inward[] = {
        "10.0.0.1",  "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.1.1",
        "127.0.0.1", "0.0.0.0",    "198.51.100.1",   "224.0.0.1",   "::",         "::1",
        "fe80::1",   "febf::1",    "fd00::1",        "fc00::1",     "ff02::1",    "2001:db8::1",
    };
    static const char *const outward[] = { "8.8.8.8",     "172.32.0.1",  "172.15.0.1",
                                           "100.128.0.1", "192.167.0.1", "223.255.255.255",
                                           "2001:4860::1" };
    struct address address;
    for (size_t i = 0; i < sizeof(inward) / sizeof(inward[0]); i++) {
        assert_int_equal(address_read_host(view_of(inward[i]), &address), OK);
        if (machine_is_public(&address))
            fail_msg("%s is public", inward[i]);
    }
    for (size_t i = 0; i < sizeof(outward) / sizeof(outward[0]); i++) {
        assert_int_equal(address_read_host(view_of(outward[i]), &address), OK);
        if (!machine_is_public(&address))
            fail_msg("%s is not public", outward[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_given_broken),
        cmocka_unit_test(test_unwritable_state),
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_public_addresses),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
