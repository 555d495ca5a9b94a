#include "agent/dtls_records.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define TAG_SIZE   16
#define NONCE_SIZE 12
#define EPOCH      1

static const struct dtls_aead_sizes SIZES[DTLS_AEAD_COUNT] = {
    [DTLS_AES_128_GCM] = { 16, 4, 8 },
    [DTLS_AES_256_GCM] = { 32, 4, 8 },
    [DTLS_CHACHA20_POLY1305] = { 32, 12, 0 },
};

const struct dtls_aead_sizes *dtls_aead_sizes(enum dtls_aead aead)
{
    return &SIZES[aead];
}

static const EVP_CIPHER *cipher_of(enum dtls_aead aead)
{
    switch (aead) {
    case DTLS_AES_128_GCM:
        return EVP_aes_128_gcm();
    case DTLS_AES_256_GCM:
        return EVP_aes_256_gcm();
    default:
        return EVP_chacha20_poly1305();
    }
}

int dtls_records_init(struct dtls_records *records, enum dtls_aead aead,
                      const struct dtls_secret *seal, const struct dtls_secret *open, uint64_t next,
                      uint64_t nonce)
{
    struct dtls_records made = {
        .sealer = EVP_CIPHER_CTX_new(),
        .opener = EVP_CIPHER_CTX_new(),
        .aead = (uint8_t)aead,
        .next = next,
        .nonce = nonce,
    };
    memcpy(made.seal_iv, seal->iv, sizeof made.seal_iv);
    memcpy(made.open_iv, open->iv, sizeof made.open_iv);
    if (!made.sealer || !made.opener ||
        EVP_EncryptInit_ex(made.sealer, cipher_of(aead), NULL, seal->key, NULL) != 1 ||
        EVP_DecryptInit_ex(made.opener, cipher_of(aead), NULL, open->key, NULL) != 1) {
        dtls_records_free(&made);
        return ERR_MEMORY;
    }
    *records = made;
    return OK;
}

void dtls_records_free(struct dtls_records *records)
{
    EVP_CIPHER_CTX_free(records->sealer);
    EVP_CIPHER_CTX_free(records->opener);
    *records = (struct dtls_records){ 0 };
}

static void write_number(uint8_t *at, uint64_t number, unsigned size)
{
    while (size-- > 0) {
        at[size] = (uint8_t)number;
        number >>= 8;
    }
}

static uint64_t read_number(const uint8_t *at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number = number << 8 | at[i];
    return number;
}

/* RFC 5288, section 3: what the handshake gave, and what the record bears; RFC 7905, section 2: the
 * former, and epoch and sequence number over its end. */
static void make_nonce(const struct dtls_records *records, const uint8_t iv[NONCE_SIZE],
                       const uint8_t *header, const uint8_t *borne, uint8_t nonce[NONCE_SIZE])
{
    memcpy(nonce, iv, NONCE_SIZE);
    if (SIZES[records->aead].nonce)
        memcpy(nonce + 4, borne, 8);
    else
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= header[3 + i];
}

/* RFC 5246, section 6.2.3.3: the sequence number (with the epoch), type, version and length. */
static void make_additional(const uint8_t *header, size_t size, uint8_t out[13])
{
    memcpy(out, header + 3, 8);
    memcpy(out + 8, header, 3);
    write_number(out + 11, size, 2);
}

int dtls_seal(struct dtls_records *records, enum dtls_content content, const struct view *parts,
              unsigned count, uint8_t *out, size_t *size)
{
    uint8_t nonce[NONCE_SIZE];
    uint8_t additional[13];
    size_t borne = SIZES[records->aead].nonce;
    size_t plain = 0;
    int done;
    if (records->next > DTLS_SEQUENCE_MAX)
        return ERR_CLOSED;
    for (unsigned i = 0; i < count; i++)
        plain += parts[i].size;
    assert(plain <= 1 << 14);
    out[0] = (uint8_t)content;
    write_number(out + 1, 0xfefd, 2);
    write_number(out + 3, EPOCH, 2);
    write_number(out + 5, records->next++, 6);
    write_number(out + 11, borne + plain + TAG_SIZE, 2);
    write_number(out + DTLS_RECORD_HEADER_SIZE, records->nonce++, (unsigned)borne);
    make_nonce(records, records->seal_iv, out, out + DTLS_RECORD_HEADER_SIZE, nonce);
    make_additional(out, plain, additional);

    uint8_t *at = out + DTLS_RECORD_HEADER_SIZE + borne;
    int failed = EVP_EncryptInit_ex(records->sealer, NULL, NULL, NULL, nonce) != 1;
    failed |= EVP_EncryptUpdate(records->sealer, NULL, &done, additional, sizeof additional) != 1;
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].size == 0)
            continue;
        failed |=
            EVP_EncryptUpdate(records->sealer, at, &done, parts[i].at, (int)parts[i].size) != 1;
        at += parts[i].size;
    }
    failed |= EVP_EncryptFinal_ex(records->sealer, at, &done) != 1;
    failed |= EVP_CIPHER_CTX_ctrl(records->sealer, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, at) != 1;
    assert(!failed); /* these ciphers have no reason to; what goes out would not be sealed */
    *size = (size_t)(at + TAG_SIZE - out);
    return OK;
}

int dtls_record_next(struct view *datagram, struct dtls_record *out)
{
    const uint8_t *at = datagram->at;
    if (datagram->size < DTLS_RECORD_HEADER_SIZE || read_number(at + 1, 2) != 0xfefd)
        return ERR_MALFORMED;
    size_t size = read_number(at + 11, 2);
    if (size > datagram->size - DTLS_RECORD_HEADER_SIZE)
        return ERR_MALFORMED;
    *out = (struct dtls_record){
        .content = at[0],
        .epoch = (uint16_t)read_number(at + 3, 2),
        .sequence = read_number(at + 5, 6),
        .header = view_make(at, DTLS_RECORD_HEADER_SIZE),
        .body = view_make(at + DTLS_RECORD_HEADER_SIZE, size),
    };
    *datagram = view_slice(*datagram, DTLS_RECORD_HEADER_SIZE + size, datagram->size);
    return OK;
}

/* Section 4.1.2.6. */
static bool is_replayed(const struct dtls_records *records, uint64_t sequence)
{
    if (!records->seen || sequence > records->newest)
        return false;
    uint64_t age = records->newest - sequence;
    return age >= DTLS_REPLAY_WINDOW || records->seen >> age & 1;
}

static void mark_seen(struct dtls_records *records, uint64_t sequence)
{
    if (records->seen && sequence <= records->newest) {
        records->seen |= UINT64_C(1) << (records->newest - sequence);
        return;
    }
    uint64_t step = sequence - records->newest;
    records->seen = step < DTLS_REPLAY_WINDOW ? records->seen << step | 1 : 1;
    records->newest = sequence;
}

int dtls_open(struct dtls_records *records, const struct dtls_record *record, uint8_t *out,
              struct view *plain)
{
    uint8_t nonce[NONCE_SIZE];
    uint8_t additional[13];
    uint8_t tag[TAG_SIZE];
    size_t borne = SIZES[records->aead].nonce;
    int done, last;
    if (record->epoch != EPOCH || record->body.size < borne + TAG_SIZE)
        return ERR_MALFORMED;
    if (is_replayed(records, record->sequence))
        return ERR_EXISTS;
    size_t size = record->body.size - borne - TAG_SIZE;
    const uint8_t *sealed = record->body.at + borne;
    make_nonce(records, records->open_iv, record->header.at, record->body.at, nonce);
    make_additional(record->header.at, size, additional);
    memcpy(tag, sealed + size, TAG_SIZE);
    if (EVP_DecryptInit_ex(records->opener, NULL, NULL, NULL, nonce) != 1 ||
        EVP_CIPHER_CTX_ctrl(records->opener, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1 ||
        EVP_DecryptUpdate(records->opener, NULL, &done, additional, sizeof additional) != 1 ||
        (size && EVP_DecryptUpdate(records->opener, out, &done, sealed, (int)size) != 1) ||
        EVP_DecryptFinal_ex(records->opener, out + size, &last) != 1)
        return ERR_MALFORMED;
    mark_seen(records, record->sequence);
    *plain = view_make(out, size);
    return OK;
}
