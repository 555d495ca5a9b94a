/* srtp_rtcp.c - RTCP packets, one at a time: they are few. */
#include "agent/srtp_internal.h"

#include <assert.h>

#define RTCP_HEADER_SIZE 8 /* in the clear: the first packet's header and the sender's SSRC */
#define INDEX_SIZE       4
#define ENCRYPTED        UINT32_C(0x80000000) /* the E flag, before the index */

/* RFC 3711, section 3.4: | 8 bytes | encrypted | E, index | tag |, and all but the tag is covered.
 * RFC 7714, section 9.2: | 8 bytes | encrypted | tag | E, index |; covered are the ends. */
struct layout {
    struct secure_transform *one;
    uint8_t *word; /* E and the index */
    uint8_t associated[RTCP_HEADER_SIZE + INDEX_SIZE];
};

static void lay_out(struct layout *layout, struct secure_engine *engine,
                    const struct secure_key *key, uint8_t *at, size_t plain)
{
    const struct secure_suite *suite = key->suite;
    bool is_aead = secure_suite_is_aead(suite);
    struct secure_transform *one = &engine->transforms[suite->cipher][0];
    one->key = (void *)(uintptr_t)key->expanded;
    one->from = one->to = at + RTCP_HEADER_SIZE;
    one->size = plain - RTCP_HEADER_SIZE;
    one->tag_size = suite->rtcp_tag_size;
    one->tag = at + plain + (is_aead ? 0 : INDEX_SIZE);
    one->covered = is_aead ? layout->associated : at;
    one->covered_size = is_aead ? sizeof(layout->associated) : plain + INDEX_SIZE;
    layout->one = one;
    layout->word = at + plain + (is_aead ? suite->rtcp_tag_size : 0);
}

static void set_index(struct layout *layout, const struct secure_key *key, const uint8_t *at)
{
    memcpy(layout->associated, at, RTCP_HEADER_SIZE);
    memcpy(layout->associated + RTCP_HEADER_SIZE, layout->word, INDEX_SIZE);
    secure_nonce(key, secure_read32(at + 4), secure_read32(layout->word) & ~ENCRYPTED,
                 layout->one->iv);
}

int secure_protect_rtcp(struct secure_session *session, uint8_t *at, size_t size, size_t *sealed)
{
    struct secure_engine *engine = session->engine;
    const struct secure_key *key = session->rtcp_out;
    assert(size >= RTCP_HEADER_SIZE && size + SECURE_RTCP_OVERHEAD <= SECURE_PACKET_MAX);
    if (session->rtcp_index & ENCRYPTED)
        return ERR_LIMIT;
    struct layout layout;
    lay_out(&layout, engine, key, at, size);
    secure_write32(layout.word, ENCRYPTED | session->rtcp_index++);
    set_index(&layout, key, at);
    engine->backend->seal(engine->state, key->suite->cipher, layout.one, 1);
    if (!layout.one->done)
        return ERR_MEMORY;
    *sealed = size + INDEX_SIZE + key->suite->rtcp_tag_size;
    return OK;
}

int secure_unprotect_rtcp(struct secure_session *session, struct span *packet)
{
    struct secure_engine *engine = session->engine;
    const struct secure_key *key = session->rtcp_in;
    size_t added = INDEX_SIZE + key->suite->rtcp_tag_size;
    if (packet->size < RTCP_HEADER_SIZE + added || packet->size > SECURE_PACKET_MAX ||
        packet->at[0] >> 6 != 2)
        return ERR_MALFORMED;
    struct layout layout;
    lay_out(&layout, engine, key, packet->at, packet->size - added);
    uint32_t word = secure_read32(layout.word);
    if (!(word & ENCRYPTED)) /* RFC 3711 lets a policy refuse it */
        return ERR_MALFORMED;

    uint32_t ssrc = secure_read32(packet->at + 4);
    struct secure_source *source = secure_source_find(session, ssrc);
    if (!source && !secure_source_has_room(session))
        return ERR_LIMIT;
    int status = source ? secure_window_check(&source->rtcp, word & ~ENCRYPTED) : OK;
    if (status != OK)
        return status;
    set_index(&layout, key, packet->at);
    engine->backend->open_sealed(engine->state, key->suite->cipher, layout.one, 1);
    if (!layout.one->done)
        return ERR_FORGED;
    if (!source)
        source = secure_source_add(session, ssrc);
    assert(source);
    secure_window_add(&source->rtcp, word & ~ENCRYPTED);
    packet->size -= added;
    return OK;
}
