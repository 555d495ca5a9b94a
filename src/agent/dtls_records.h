/* dtls_records.h - the records of a DTLS 1.2 association once its handshake is done (RFC 6347,
 * section 4.1): seals and opens those of epoch 1, under AES-GCM (RFC 5288) and ChaCha20-Poly1305
 * (RFC 7905).
 *
 * OpenSSL shakes hands and is then let go: it would keep some 35 KiB an association.  It makes no
 * record under these keys after dtls_records_init, so no nonce is used twice.
 *
 * One thread.  No heap but in dtls_records_init.
 */
#ifndef MOIM_AGENT_DTLS_RECORDS_H
#define MOIM_AGENT_DTLS_RECORDS_H

#include "base/status.h"
#include "base/view.h"

#define DTLS_RECORD_HEADER_SIZE  13
#define DTLS_RECORD_OVERHEAD_MAX (DTLS_RECORD_HEADER_SIZE + 8 + 16)
#define DTLS_REPLAY_WINDOW       64 /* records; what is older than the newest by more is dropped */
#define DTLS_SEQUENCE_MAX        ((UINT64_C(1) << 48) - 1)

/* ContentType */
enum dtls_content {
    DTLS_CHANGE_CIPHER_SPEC = 20,
    DTLS_ALERT = 21,
    DTLS_HANDSHAKE = 22,
    DTLS_APPLICATION_DATA = 23
};

enum dtls_aead { DTLS_AES_128_GCM, DTLS_AES_256_GCM, DTLS_CHACHA20_POLY1305, DTLS_AEAD_COUNT };

/* Of one direction; as many bytes of each as the cipher has (dtls_aead_sizes). */
struct dtls_secret {
    uint8_t key[32];
    uint8_t iv[12];
};

struct dtls_aead_sizes {
    uint8_t key;
    uint8_t iv;    /* what the handshake gives of the nonce; */
    uint8_t nonce; /* and what each record bears of it */
};

const struct dtls_aead_sizes *dtls_aead_sizes(enum dtls_aead aead);

struct evp_cipher_ctx_st;

/* To be embedded; some 2 KiB of OpenSSL's memory hang on it. */
struct dtls_records {
    struct evp_cipher_ctx_st *sealer, *opener;
    uint8_t aead; /* enum dtls_aead */
    uint8_t seal_iv[12], open_iv[12];
    uint64_t next;  /* the sequence number of what is sealed next */
    uint64_t nonce; /* and what it bears of the nonce, where it bears one */
    uint64_t newest;
    uint64_t seen; /* bit n: newest - n was opened; 0: none was */
};

/* Sealing begins with the sequence number `next` and, where records bear one, with `nonce`: none
 * from those on may have been used under this key.  ERR_MEMORY: nothing was made. */
MUST_USE int dtls_records_init(struct dtls_records *records, enum dtls_aead aead,
                               const struct dtls_secret *seal, const struct dtls_secret *open,
                               uint64_t next, uint64_t nonce);
/* Zeroed memory is accepted. */
void dtls_records_free(struct dtls_records *records);

/* Seals the parts together as one record of up to 2^14 bytes (the caller's part) into `out`, which
 * has room for DTLS_RECORD_OVERHEAD_MAX more than they are long.
 *   OK          *size is the record's.
 *   ERR_CLOSED  all sequence numbers have been used. */
MUST_USE int dtls_seal(struct dtls_records *records, enum dtls_content content,
                       const struct view *parts, unsigned count, uint8_t *out, size_t *size);

struct dtls_record {
    uint8_t content; /* any number, for it is not protected before dtls_open */
    uint16_t epoch;
    uint64_t sequence;
    struct view header; /* both are views into the datagram */
    struct view body;
};

/* Cuts the next record off a datagram, which may be anything.  ERR_MALFORMED: there is none more,
 * or none of DTLS 1.2. */
MUST_USE int dtls_record_next(struct view *datagram, struct dtls_record *out);

/* Opens a record of epoch 1 into `out`, which has room for its body.  (It may not lie in the
 * datagram.)
 *   OK             *plain is in `out`.
 *   ERR_EXISTS     it was opened before, or is too old to know.
 *   ERR_MALFORMED  it is broken, forged or of another epoch.  Drop it and tell nobody. */
MUST_USE int dtls_open(struct dtls_records *records, const struct dtls_record *record, uint8_t *out,
                       struct view *plain);

#endif
