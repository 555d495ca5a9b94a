#include "wire/stun.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FINGERPRINT_XOR 0x5354554eu
#define SHA1_SIZE       20
#define SHA256_SIZE     32

/* What an integrity attribute may cover: no request comes near it. */
#define STUN_COVERED_MAX 4096

static uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_32(const uint8_t *at)
{
    return (uint32_t)read_16(at) << 16 | read_16(at + 2);
}

static void write_16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void write_32(uint8_t *at, uint32_t value)
{
    write_16(at, value >> 16);
    write_16(at + 2, value & 0xffff);
}

int stun_size(struct view bytes, size_t *size)
{
    if (bytes.size && bytes.at[0] & 0xc0)
        return ERR_NOT_STUN;
    if (bytes.size < STUN_HEADER_SIZE)
        return ERR_MORE;
    if (read_32(bytes.at + 4) != STUN_COOKIE || read_16(bytes.at + 2) % 4)
        return ERR_NOT_STUN;
    *size = STUN_HEADER_SIZE + (size_t)read_16(bytes.at + 2);
    return OK;
}

/* Section 14.7: the CRC-32 of all before the attribute, whose own size counts in the length. */
static bool fingerprint_valid(struct view datagram, const struct stun_attr *attr)
{
    bool is_last = (size_t)attr->at + 8 == datagram.size;
    if (attr->value.size != 4 || !is_last)
        return false;
    uint32_t sum = (uint32_t)crc32(0, datagram.at, attr->at);
    return (sum ^ FINGERPRINT_XOR) == read_32(attr->value.at);
}

/* Whether an attribute counts, given that integrity has been seen before it (section 14.5). */
static bool counts(uint16_t type, bool after_sha1, bool after_sha256)
{
    if (type == STUN_FINGERPRINT)
        return true;
    if (after_sha256)
        return false;
    return !after_sha1 || type == STUN_MESSAGE_INTEGRITY_SHA256;
}

static int read_attrs(struct stun_msg *msg)
{
    struct view datagram = msg->datagram;
    size_t at = STUN_HEADER_SIZE;
    bool after_sha1 = false;
    bool after_sha256 = false;

    while (at < datagram.size) {
        if (datagram.size - at < 4)
            return ERR_MALFORMED;
        struct stun_attr attr = { .type = read_16(datagram.at + at), .at = (uint16_t)at };
        size_t size = read_16(datagram.at + at + 2);
        size_t padded = (size + 3) / 4 * 4;
        if (padded > datagram.size - at - 4 || msg->has_fingerprint)
            return ERR_MALFORMED;
        attr.value = view_slice(datagram, at + 4, size);
        at += 4 + padded;
        if (!counts(attr.type, after_sha1, after_sha256))
            continue;
        if (msg->attr_count == STUN_ATTRS_MAX)
            return ERR_LIMIT;
        msg->attrs[msg->attr_count++] = attr;
        after_sha1 = after_sha1 || attr.type == STUN_MESSAGE_INTEGRITY;
        after_sha256 = after_sha256 || attr.type == STUN_MESSAGE_INTEGRITY_SHA256;
        if (attr.type == STUN_FINGERPRINT) {
            if (!fingerprint_valid(datagram, &attr))
                return ERR_MALFORMED;
            msg->has_fingerprint = true;
        }
    }
    return OK;
}

int stun_read(struct view datagram, struct stun_msg *msg)
{
    size_t size;
    if (stun_size(datagram, &size) != OK)
        return ERR_NOT_STUN;
    if (size != datagram.size || size > UINT16_MAX)
        return ERR_MALFORMED;

    unsigned type = read_16(datagram.at);
    struct stun_msg read = {
        .class = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1)),
        .method = (uint16_t)((type >> 2 & 0xf80) | (type >> 1 & 0x70) | (type & 0xf)),
        .datagram = datagram,
        .transaction = view_slice(datagram, 8, STUN_TRANSACTION_SIZE),
    };
    int status = read_attrs(&read);
    if (status == OK)
        *msg = read;
    return status;
}

const struct stun_attr *stun_find(const struct stun_msg *msg, uint16_t type)
{
    for (uint32_t i = 0; i < msg->attr_count; i++)
        if (msg->attrs[i].type == type)
            return &msg->attrs[i];
    return NULL;
}

/* The HMAC of all before `at`, with a length that ends with an attribute of `value_size` there. */
static bool hmac(const EVP_MD *hash, struct view key, const uint8_t *message, size_t at,
                 size_t value_size, uint8_t out[EVP_MAX_MD_SIZE])
{
    uint8_t covered[STUN_COVERED_MAX];
    if (at > sizeof covered)
        return false;
    memcpy(covered, message, at);
    write_16(covered + 2, (unsigned)(at + 4 + value_size - STUN_HEADER_SIZE));
    return HMAC(hash, key.size ? key.at : covered, (int)key.size, covered, at, out, NULL);
}

bool stun_integrity_valid(const struct stun_msg *msg, struct view key)
{
    uint8_t wanted[EVP_MAX_MD_SIZE];
    const struct stun_attr *attr = stun_find(msg, STUN_MESSAGE_INTEGRITY);
    return attr && attr->value.size == SHA1_SIZE &&
           hmac(EVP_sha1(), key, msg->datagram.at, attr->at, SHA1_SIZE, wanted) &&
           view_equal_secret(attr->value, view_make(wanted, SHA1_SIZE));
}

bool stun_integrity_sha256_valid(const struct stun_msg *msg, struct view key)
{
    uint8_t wanted[EVP_MAX_MD_SIZE];
    const struct stun_attr *attr = stun_find(msg, STUN_MESSAGE_INTEGRITY_SHA256);
    /* it may be cut to 16 bytes and over, in steps of four (section 14.6) */
    return attr && attr->value.size >= 16 && attr->value.size <= SHA256_SIZE &&
           attr->value.size % 4 == 0 &&
           hmac(EVP_sha256(), key, msg->datagram.at, attr->at, attr->value.size, wanted) &&
           view_equal_secret(attr->value, view_make(wanted, attr->value.size));
}

int stun_read_address(const struct stun_attr *attr, struct address *address)
{
    struct view value = attr->value;
    struct address read = { 0 };
    if (value.size == 8 && value.at[1] == 1)
        read.family = ADDRESS_IPV4;
    else if (value.size == 20 && value.at[1] == 2)
        read.family = ADDRESS_IPV6;
    else
        return ERR_MALFORMED;
    read.port = read_16(value.at + 2);
    memcpy(read.bytes, value.at + 4, value.size - 4);
    *address = read;
    return OK;
}

/* XORs port and address with the cookie and the transaction (section 14.2). */
static void xor_address(struct address *address, const uint8_t *transaction)
{
    uint8_t mask[16];
    write_32(mask, STUN_COOKIE);
    memcpy(mask + 4, transaction, STUN_TRANSACTION_SIZE);
    address->port ^= STUN_COOKIE >> 16;
    size_t size = address->family == ADDRESS_IPV4 ? 4 : 16;
    for (size_t i = 0; i < size; i++)
        address->bytes[i] ^= mask[i];
}

int stun_read_xor_address(const struct stun_msg *msg, const struct stun_attr *attr,
                          struct address *address)
{
    int status = stun_read_address(attr, address);
    if (status == OK)
        xor_address(address, msg->transaction.at);
    return status;
}

int stun_read_error(const struct stun_attr *attr, unsigned *code, struct view *reason)
{
    if (attr->value.size < 4)
        return ERR_MALFORMED;
    unsigned hundreds = attr->value.at[2] & 7;
    unsigned rest = attr->value.at[3];
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return ERR_MALFORMED;
    *code = hundreds * 100 + rest;
    *reason = view_slice(attr->value, 4, attr->value.size);
    return OK;
}

/* ---- writing ---- */

void stun_begin(struct stun_writer *writer, uint8_t *out, size_t capacity, enum stun_class class,
                uint16_t method, const uint8_t transaction[STUN_TRANSACTION_SIZE])
{
    unsigned type = (method & 0xfu) | (method & 0x70u) << 1 | (method & 0xf80u) << 2 |
                    ((unsigned)class & 1) << 4 | ((unsigned)class & 2) << 7;
    *writer = (struct stun_writer){ .at = out, .capacity = capacity };
    if (capacity < STUN_HEADER_SIZE) {
        writer->overflow = true;
        return;
    }
    write_16(out, type);
    write_16(out + 2, 0);
    write_32(out + 4, STUN_COOKIE);
    memcpy(out + 8, transaction, STUN_TRANSACTION_SIZE);
    writer->size = STUN_HEADER_SIZE;
}

void stun_add(struct stun_writer *writer, uint16_t type, struct view value)
{
    size_t padded = (value.size + 3) / 4 * 4;
    if (writer->overflow || padded + 4 > writer->capacity - writer->size ||
        writer->size + padded + 4 > UINT16_MAX) {
        writer->overflow = true;
        return;
    }
    uint8_t *at = writer->at + writer->size;
    write_16(at, type);
    write_16(at + 2, (unsigned)value.size);
    memset(at + 4, 0, padded);
    if (value.size)
        memcpy(at + 4, value.at, value.size);
    writer->size += 4 + padded;
    write_16(writer->at + 2, (unsigned)(writer->size - STUN_HEADER_SIZE));
}

void stun_add_address(struct stun_writer *writer, uint16_t type, const struct address *address)
{
    uint8_t value[20] = { 0 };
    size_t size = address->family == ADDRESS_IPV4 ? 4 : 16;
    value[1] = address->family == ADDRESS_IPV4 ? 1 : 2;
    write_16(value + 2, address->port);
    memcpy(value + 4, address->bytes, size);
    stun_add(writer, type, view_make(value, 4 + size));
}

void stun_add_xor_address(struct stun_writer *writer, uint16_t type, const struct address *address)
{
    struct address hidden = *address;
    if (writer->overflow)
        return;
    xor_address(&hidden, writer->at + 8);
    stun_add_address(writer, type, &hidden);
}

void stun_add_error(struct stun_writer *writer, unsigned code, struct view reason)
{
    uint8_t value[4 + 128] = { 0 };
    reason = view_slice(reason, 0, sizeof value - 4);
    value[2] = (uint8_t)(code / 100);
    value[3] = (uint8_t)(code % 100);
    if (reason.size)
        memcpy(value + 4, reason.at, reason.size);
    stun_add(writer, STUN_ERROR_CODE, view_make(value, 4 + reason.size));
}

static void add_hmac(struct stun_writer *writer, uint16_t type, const EVP_MD *hash, size_t size,
                     struct view key)
{
    uint8_t value[EVP_MAX_MD_SIZE];
    if (writer->overflow)
        return;
    if (!hmac(hash, key, writer->at, writer->size, size, value))
        writer->overflow = true;
    else
        stun_add(writer, type, view_make(value, size));
}

void stun_add_integrity(struct stun_writer *writer, struct view key)
{
    add_hmac(writer, STUN_MESSAGE_INTEGRITY, EVP_sha1(), SHA1_SIZE, key);
}

void stun_add_integrity_sha256_cut(struct stun_writer *writer, struct view key, size_t size)
{
    assert(size >= 16 && size <= SHA256_SIZE && size % 4 == 0);
    add_hmac(writer, STUN_MESSAGE_INTEGRITY_SHA256, EVP_sha256(), size, key);
}

void stun_add_integrity_sha256(struct stun_writer *writer, struct view key)
{
    stun_add_integrity_sha256_cut(writer, key, SHA256_SIZE);
}

void stun_add_fingerprint(struct stun_writer *writer)
{
    uint8_t value[4];
    if (writer->overflow)
        return;
    /* the length counts the attribute itself before the sum is made */
    write_16(writer->at + 2, (unsigned)(writer->size + 8 - STUN_HEADER_SIZE));
    write_32(value, (uint32_t)crc32(0, writer->at, (uInt)writer->size) ^ FINGERPRINT_XOR);
    stun_add(writer, STUN_FINGERPRINT, view_make(value, sizeof value));
}

size_t stun_print(const struct stun_msg *msg, char *out, size_t capacity)
{
    static const char *const CLASSES[] = { "request", "indication", "success", "error" };
    size_t n =
        (size_t)snprintf(out, capacity, "stun %s method=0x%03x", CLASSES[msg->class], msg->method);
    for (uint32_t i = 0; i < msg->attr_count && n < capacity; i++)
        n += (size_t)snprintf(out + n, capacity - n, " 0x%04x(%zu)", msg->attrs[i].type,
                              msg->attrs[i].value.size);
    return n < capacity ? n : capacity ? capacity - 1 : 0;
}
