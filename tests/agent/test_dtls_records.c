/* test_dtls_records.c - records under each cipher: nonces as the RFCs make them, replays, every
 * truncation and bit flip; and with OpenSSL's own records at the other end. */
#include "support.h"

#include "agent/dtls_records.h"
#include "dtls_house.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define ROOM (2048 + DTLS_RECORD_OVERHEAD_MAX)

static const struct dtls_secret OURS = { { 1, 2, 3 },
                                         { 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
static const struct dtls_secret THEIRS = { { 16, 17 }, { 18, 19 } };

static struct dtls_records here, there;

static void begin(enum dtls_aead aead, uint64_t next)
{
    assert_int_equal(dtls_records_init(&here, aead, &OURS, &THEIRS, next, 1000), OK);
    assert_int_equal(dtls_records_init(&there, aead, &THEIRS, &OURS, 0, 0), OK);
}

static void finish(void)
{
    dtls_records_free(&here);
    dtls_records_free(&there);
}

struct sealed {
    uint8_t bytes[ROOM];
    size_t size;
};

static struct sealed seal(struct view plain)
{
    struct sealed sealed;
    struct view parts[] = { view_slice(plain, 0, 2), VIEW(""), view_slice(plain, 2, plain.size) };
    assert_int_equal(dtls_seal(&here, DTLS_APPLICATION_DATA, parts, 3, sealed.bytes, &sealed.size),
                     OK);
    return sealed;
}

/* Opens the first record of a datagram, from memory of exactly its size. */
static int open_first(struct view datagram, uint8_t out[ROOM], struct view *plain)
{
    struct dtls_record record;
    uint8_t *copy = test_copy(datagram);
    struct view rest = view_make(copy, datagram.size);
    int status = dtls_record_next(&rest, &record);
    if (status == OK)
        status = dtls_open(&there, &record, out, plain);
    free(copy);
    return status;
}

static int open_sealed(const struct sealed *sealed)
{
    uint8_t out[ROOM];
    struct view plain;
    return open_first(view_make(sealed->bytes, sealed->size), out, &plain);
}

static void test_there_and_back(void **state)
{
    (void)state;
    uint8_t text[2048], out[ROOM];
    struct view plain;
    test_random_fill(&(uint64_t){ 5 }, text, sizeof text);
    for (int aead = 0; aead < DTLS_AEAD_COUNT; aead++) {
        begin((enum dtls_aead)aead, 7);
        for (size_t size = 0; size <= sizeof text; size += size < 40 ? 1 : 401) {
            struct sealed sealed = seal(view_make(text, size));
            assert_in_range(sealed.size, size + 29, size + DTLS_RECORD_OVERHEAD_MAX);
            assert_int_equal(open_first(view_make(sealed.bytes, sealed.size), out, &plain), OK);
            assert_int_equal(plain.size, size);
            assert_memory_equal(out, text, size);
        }
        finish();
    }
}

/* RFC 6347, 4.1; RFC 5288, 3: the header, and what it bears of the nonce. */
static void test_layout(void **state)
{
    (void)state;
    static const uint8_t GCM[] = { 23, 0xfe,       0xfd, 0, 1, 0, 0, 0, 0, 1,   2,
                                   0,  8 + 5 + 16, 0,    0, 0, 0, 0, 0, 3, 0xe8 };
    begin(DTLS_AES_128_GCM, 0x102);
    struct sealed sealed = seal(VIEW("hello"));
    assert_memory_equal(sealed.bytes, GCM, sizeof GCM);
    sealed = seal(VIEW("hello"));
    assert_int_equal(sealed.bytes[10], 3);
    assert_int_equal(sealed.bytes[20], 0xe9);
    finish();
    begin(DTLS_CHACHA20_POLY1305, 0);
    assert_int_equal(seal(VIEW("hello")).size, 13 + 5 + 16);
    finish();
}

static void test_every_truncation_and_flip(void **state)
{
    (void)state;
    ERR_clear_error();
    for (int aead = 0; aead < DTLS_AEAD_COUNT; aead++) {
        begin((enum dtls_aead)aead, 100);
        struct sealed sealed = seal(VIEW("protected"));
        for (size_t size = 0; size < sealed.size; size++) {
            struct sealed part = sealed;
            part.size = size;
            assert_int_equal(open_sealed(&part), ERR_MALFORMED);
            if (size < DTLS_RECORD_HEADER_SIZE)
                continue;
            part.bytes[11] = 0; /* and with a length that fits */
            part.bytes[12] = (uint8_t)(size - DTLS_RECORD_HEADER_SIZE);
            assert_int_equal(open_sealed(&part), ERR_MALFORMED);
        }
        for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
            struct sealed changed = sealed;
            changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(open_sealed(&changed), ERR_MALFORMED);
        }
        assert_int_equal(open_sealed(&sealed), OK); /* none of them has moved the window */
        assert_int_equal(ERR_peek_error(), 0);      /* or left an error for TLS to find */
        finish();
    }
}

/* Section 4.1.2.6: each comes once, in whatever order, unless it is older than the window. */
static void test_window(void **state)
{
    (void)state;
    enum { COUNT = 200, STEP = 67 }; /* no common factor */
    static struct sealed all[COUNT];
    begin(DTLS_AES_128_GCM, 0);
    for (unsigned i = 0; i < COUNT; i++)
        all[i] = seal(VIEW("one of many"));
    uint64_t newest = 0;
    bool opened[COUNT] = { false };
    for (unsigned i = 0; i < 3 * COUNT; i++) {
        unsigned n = i * STEP % COUNT;
        bool is_old = newest >= DTLS_REPLAY_WINDOW && n <= newest - DTLS_REPLAY_WINDOW;
        assert_int_equal(open_sealed(&all[n]), opened[n] || is_old ? ERR_EXISTS : OK);
        opened[n] |= !is_old;
        newest = n > newest ? n : newest;
    }
    finish();
    begin(DTLS_AES_128_GCM, 5); /* the first may be any */
    struct sealed first = seal(VIEW("first"));
    assert_int_equal(open_sealed(&first), OK);
    assert_int_equal(open_sealed(&first), ERR_EXISTS);
    finish();
}

static void test_the_last_number(void **state)
{
    (void)state;
    uint8_t out[ROOM];
    size_t size;
    struct view plain = VIEW("last");
    begin(DTLS_CHACHA20_POLY1305, DTLS_SEQUENCE_MAX);
    struct sealed last = seal(plain);
    assert_int_equal(open_sealed(&last), OK);
    assert_int_equal(dtls_seal(&here, DTLS_APPLICATION_DATA, &plain, 1, out, &size), ERR_CLOSED);
    finish();
}

static void test_other_epochs(void **state)
{
    (void)state;
    begin(DTLS_AES_128_GCM, 0);
    for (uint8_t epoch = 0; epoch < 4; epoch++) {
        struct sealed sealed = seal(VIEW("now"));
        sealed.bytes[4] = epoch;
        assert_int_equal(open_sealed(&sealed), epoch == 1 ? OK : ERR_MALFORMED);
    }
    finish();
}

/* ---- OpenSSL at the other end ---- */

static struct identity identity;
static struct dtls_context *context;
static struct end ours;
static struct {
    SSL_CTX *tls;
    SSL *ssl;
    BIO *in, *out;
} theirs;

#define NONCES_MAX 32
static struct {
    uint8_t items[NONCES_MAX][8];
    uint64_t sequences[NONCES_MAX];
    unsigned count;
    bool are_borne;
} nonces;

static void open_both(const char *cipher, enum dtls_role role)
{
    identity_make(&identity);
    context = context_make(&identity, NULL, false);
    ours = (struct end){ .count = 0 };
    nonces.count = 0;
    nonces.are_borne = !strstr(cipher, "CHACHA");
    assert_int_equal(dtls_init(&ours.dtls, context, role, 1), OK);
    theirs.tls = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_options(theirs.tls, SSL_OP_NO_QUERY_MTU);
    assert_int_equal(SSL_CTX_set_cipher_list(theirs.tls, cipher), 1);
    SSL_CTX_use_cert_and_key(theirs.tls, identity.certificate, identity.key, NULL, 1);
    theirs.ssl = SSL_new(theirs.tls);
    SSL_set_mtu(theirs.ssl, 1200);
    theirs.in = BIO_new(BIO_s_mem());
    theirs.out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(theirs.in, -1);
    SSL_set_bio(theirs.ssl, theirs.in, theirs.out);
    if (role == DTLS_SERVER)
        SSL_set_connect_state(theirs.ssl);
    else
        SSL_set_accept_state(theirs.ssl);
}

static void close_both(void)
{
    dtls_free(&ours.dtls);
    dtls_context_free(context);
    SSL_free(theirs.ssl);
    SSL_CTX_free(theirs.tls);
    identity_free(&identity);
}

/* No two of our records may bear one nonce, whether OpenSSL made them or we (RFC 5288, section
 * 3). */
static void check_nonces(const uint8_t *bytes, size_t size)
{
    struct view rest = view_make(bytes, size);
    struct dtls_record record;
    while (dtls_record_next(&rest, &record) == OK) {
        if (record.epoch == 0)
            continue;
        assert_in_range(nonces.count, 0, NONCES_MAX - 1);
        for (unsigned i = 0; nonces.are_borne && i < nonces.count; i++)
            assert_memory_not_equal(nonces.items[i], record.body.at, 8);
        for (unsigned i = 0; i < nonces.count; i++)
            assert_int_not_equal(nonces.sequences[i], record.sequence);
        memcpy(nonces.items[nonces.count], record.body.at, 8);
        nonces.sequences[nonces.count++] = record.sequence;
    }
}

/* What OpenSSL has sent comes to us, as one datagram. */
static void to_us(bool is_again)
{
    char *bytes;
    struct end wire = { .count = 0 };
    long size = BIO_get_mem_data(theirs.out, &bytes);
    if (size > 0) {
        uint8_t *copy = test_copy(view_make(bytes, (size_t)size));
        assert_int_equal(BIO_reset(theirs.out), 1);
        dtls_feed(&ours.dtls, 1, view_make(copy, (size_t)size));
        free(copy);
    }
    end_drain(&ours, &wire);
    for (unsigned i = 0; i < wire.count; i++) {
        ours.inbox[ours.count++] = wire.inbox[i]; /* its way to them */
        if (!is_again)
            check_nonces(wire.inbox[i].bytes, wire.inbox[i].size);
    }
}

static int to_them(void)
{
    int done;
    do {
        if (ours.count)
            BIO_write(theirs.in, ours.inbox[0].bytes, (int)ours.inbox[0].size);
        if (ours.count)
            memmove(&ours.inbox[0], &ours.inbox[1], --ours.count * sizeof ours.inbox[0]);
        done = SSL_do_handshake(theirs.ssl);
    } while (ours.count);
    return done;
}

static void shake_hands(void)
{
    for (int i = 0; !(SSL_is_init_finished(theirs.ssl) && ours.connected); i++) {
        assert_in_range(i, 0, 10);
        to_them();
        to_us(false);
    }
    to_them();
}

static void assert_talks(void)
{
    uint8_t heard[64];
    unsigned before = ours.data_count;
    assert_int_equal(SSL_write(theirs.ssl, "hello", 5), 5);
    to_us(false);
    assert_int_equal(ours.data_count, before + 1);
    assert_view(view_make(ours.data, ours.data_size), "hello");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dtls_send(&ours.dtls, 1, VIEW("salut")), OK);
        to_us(false);
        assert_int_equal(ours.count, 1);
        BIO_write(theirs.in, ours.inbox[0].bytes, (int)ours.inbox[0].size);
        ours.count = 0;
        assert_int_equal(SSL_read(theirs.ssl, heard, sizeof heard), 5);
        assert_memory_equal(heard, "salut", 5);
    }
}

static void test_with_openssl(void **state)
{
    (void)state;
    static const char *const CIPHERS[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
                                           "ECDHE-ECDSA-AES256-GCM-SHA384",
                                           "ECDHE-ECDSA-CHACHA20-POLY1305" };
    for (size_t i = 0; i < sizeof CIPHERS / sizeof CIPHERS[0]; i++) {
        for (int role = DTLS_CLIENT; role <= DTLS_SERVER; role++) {
            open_both(CIPHERS[i], (enum dtls_role)role);
            shake_hands();
            assert_talks();
            if (role == DTLS_SERVER) {
                SSL_shutdown(theirs.ssl);
                to_us(false);
                assert_int_equal(ours.why, DTLS_END_CLOSED);
            } else {
                dtls_close(&ours.dtls, 1);
                to_us(false);
            }
            to_them();
            SSL_read(theirs.ssl, (char[8]){ 0 }, 8);
            assert_true(SSL_get_shutdown(theirs.ssl) & SSL_RECEIVED_SHUTDOWN);
            close_both();
        }
    }
}

/* Our last flight is lost; OpenSSL sends its own again, under a new number, and takes the answer,
 * which has the number that it had. */
static void test_last_flight_with_openssl(void **state)
{
    (void)state;
    open_both("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS_SERVER);
    for (int i = 0; !ours.connected; i++) {
        assert_in_range(i, 0, 10);
        to_them();
        to_us(false);
    }
    ours.count = 0;
    while (DTLSv1_handle_timeout(theirs.ssl) == 0)
        ;        /* until its time has come: a second */
    to_us(true); /* the very same records: that is no nonce for another text */
    assert_int_equal(ours.count, 1);
    assert_int_equal(to_them(), 1);
    assert_talks();
    close_both();
}

/* RFC 6066, section 4: a client that wants short records gets no long ones. */
static void test_short_records(void **state)
{
    (void)state;
    uint8_t data[513] = { 0 };
    open_both("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS_SERVER);
    SSL_set_tlsext_max_fragment_length(theirs.ssl, TLSEXT_max_fragment_length_512);
    shake_hands();
    assert_int_equal(dtls_send(&ours.dtls, 1, view_make(data, 513)), ERR_LIMIT);
    assert_int_equal(dtls_send(&ours.dtls, 1, view_make(data, 512)), OK);
    to_us(false);
    ours.count = 0;
    assert_talks();
    close_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_every_truncation_and_flip),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_the_last_number),
        cmocka_unit_test(test_other_epochs),
        cmocka_unit_test(test_with_openssl),
        cmocka_unit_test(test_last_flight_with_openssl),
        cmocka_unit_test(test_short_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
