/* dtls_house.h - certificates, and two associations with a link between them that loses, doubles,
 * turns round and breaks what the test says. */
#ifndef MOIM_TESTS_AGENT_DTLS_HOUSE_H
#define MOIM_TESTS_AGENT_DTLS_HOUSE_H

#include "agent/dtls.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define DATAGRAMS_MAX 64

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
};

static inline void identity_make(struct identity *identity)
{
    unsigned size = DTLS_FINGERPRINT_SIZE;
    identity->key = EVP_EC_gen("P-256");
    identity->certificate = X509_new();
    assert_non_null(identity->key);
    X509 *x = identity->certificate;
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, identity->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, identity->key, EVP_sha256()) > 0);
    assert_true(X509_digest(x, EVP_sha256(), identity->fingerprint, &size));
}

static inline void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

static inline struct dtls_context *context_make(const struct identity *identity,
                                                const char *profiles, bool asks)
{
    struct dtls_context *context = NULL;
    struct dtls_config config = { .certificate = identity->certificate,
                                  .key = identity->key,
                                  .srtp_profiles = profiles,
                                  .asks_certificate = asks };
    assert_int_equal(dtls_context_new(&config, &context), OK);
    return context;
}

/* What is on the way to one end, and what that end has told. */
struct end {
    struct dtls dtls;
    struct {
        size_t size;
        uint8_t bytes[DTLS_DATA_MAX + DTLS_OVERHEAD_MAX];
    } inbox[DATAGRAMS_MAX];
    unsigned count;
    unsigned sent; /* datagrams, ever */
    unsigned connected, ended, data_count;
    uint8_t why;
    uint8_t data[DTLS_DATAGRAM_MAX];
    size_t data_size; /* of the last */
    usec until;
};

/* Takes all outputs; those to be sent go into the other's inbox. */
static inline void end_drain(struct end *end, struct end *other)
{
    struct dtls_out out;
    for (;;) {
        dtls_poll(&end->dtls, &out);
        switch (out.kind) {
        case DTLS_SEND:
            end->sent++;
            assert_in_range(out.bytes.size, 1, sizeof other->inbox[0].bytes);
            assert_true(other->count < DATAGRAMS_MAX);
            other->inbox[other->count].size = out.bytes.size;
            memcpy(other->inbox[other->count++].bytes, out.bytes.at, out.bytes.size);
            break;
        case DTLS_CONNECTED:
            end->connected++;
            break;
        case DTLS_DATA:
            end->data_count++;
            end->data_size = out.bytes.size;
            memcpy(end->data, out.bytes.at, out.bytes.size);
            break;
        case DTLS_ENDED:
            end->ended++;
            end->why = out.end;
            break;
        default:
            end->until = out.until;
            return;
        }
    }
}

/* The oldest datagram on the way to `end` arrives, from memory of exactly its size. */
static inline void end_receive(struct end *end, struct end *other, usec now)
{
    assert_true(end->count > 0);
    struct view datagram = view_make(end->inbox[0].bytes, end->inbox[0].size);
    uint8_t *copy = test_copy(datagram);
    dtls_feed(&end->dtls, now, view_make(copy, datagram.size));
    free(copy);
    end->count--;
    memmove(&end->inbox[0], &end->inbox[1], end->count * sizeof end->inbox[0]);
    end_drain(end, other);
}

#endif
