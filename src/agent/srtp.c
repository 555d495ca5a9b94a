/* srtp.c - RTP packets, by the batch: what is to be done to each is written down first, then the
 * ciphers go over all of them. */
#include "agent/srtp_internal.h"

#include <assert.h>

#define RTP_HEADER_SIZE 12

/* Where the rollover counter is hashed behind an AES-CM packet, its tag is put afterwards, which is
 * at least as long (RFC 3711, section 4.2). */
#define ROLLOVER_SIZE 4

static void begin(struct secure_engine *engine)
{
    memset(engine->ready, 0, sizeof(engine->ready));
}

static struct secure_transform *add(struct secure_engine *engine, const struct secure_key *key,
                                    uint32_t job)
{
    enum secure_cipher cipher = key->suite->cipher;
    struct secure_transform *one = &engine->transforms[cipher][engine->ready[cipher]++];
    one->key = (void *)(uintptr_t)key->expanded;
    one->tag_size = key->suite->rtp_tag_size;
    one->job = job;
    return one;
}

/* ---- sending ---- */

static int take_index(const struct secure_outgoing *job, uint64_t *index)
{
    uint16_t sequence = (uint16_t)(job->at[2] << 8 | job->at[3]);
    int status = secure_window_guess(job->sent, sequence, index);
    if (status != OK)
        return status;
    status = secure_window_check(job->sent, *index);
    if (status == ERR_REPLAYED && job->is_repeat)
        return OK;
    if (status == OK)
        secure_window_add(job->sent, *index);
    return status;
}

/* Puts together, behind the header, what does not lie in one piece. */
static const uint8_t *compose(const struct secure_outgoing *job)
{
    uint8_t *at = job->at + job->header_size + job->own_size;
    if (job->payload.size > 0 && job->payload.at != at)
        memcpy(at, job->payload.at, job->payload.size);
    if (job->padding_size > 0) {
        at += job->payload.size;
        memset(at, 0, job->padding_size - 1u);
        at[job->padding_size - 1] = job->padding_size;
    }
    return job->at + job->header_size;
}

static void prepare_outgoing(struct secure_engine *engine, struct secure_outgoing *job,
                             uint32_t number)
{
    const struct secure_suite *suite = job->key->suite;
    bool in_pieces = job->own_size > 0 || job->padding_size > 0;
    size_t size = job->own_size + job->payload.size + job->padding_size;
    size_t plain = job->header_size + size;
    assert(job->header_size >= RTP_HEADER_SIZE && plain + SECURE_RTP_OVERHEAD <= SECURE_PACKET_MAX);
    assert(job->padding_size == 0 || job->at[0] & 0x20);
    job->size = (uint16_t)(plain + suite->rtp_tag_size);
    uint64_t index;
    job->status = take_index(job, &index);
    if (job->status != OK)
        return;

    struct secure_transform *one = add(engine, job->key, number);
    one->from = in_pieces ? compose(job) : job->payload.at;
    one->to = job->at + job->header_size;
    one->size = size;
    one->covered = job->at;
    one->covered_size = job->header_size;
    one->tag = job->at + plain;
    secure_nonce(job->key, secure_read32(job->at + 8), index, one->iv);
    if (!secure_suite_is_aead(suite)) {
        secure_write32(one->tag, (uint32_t)(index >> 16));
        one->covered_size = plain + ROLLOVER_SIZE;
    }
}

void secure_protect(struct secure_engine *engine, struct secure_outgoing *all, size_t count)
{
    while (count > 0) {
        size_t batch = count < SECURE_BATCH_MAX ? count : SECURE_BATCH_MAX;
        begin(engine);
        for (uint32_t i = 0; i < batch; i++)
            prepare_outgoing(engine, &all[i], i);
        for (enum secure_cipher cipher = 0; cipher < SECURE_CIPHERS; cipher++) {
            size_t ready = engine->ready[cipher];
            struct secure_transform *transforms = engine->transforms[cipher];
            if (ready > 0)
                engine->backend->seal(engine->state, cipher, transforms, ready);
            for (size_t i = 0; i < ready; i++)
                if (!transforms[i].done)
                    all[transforms[i].job].status = ERR_MEMORY;
        }
        all += batch;
        count -= batch;
    }
}

/* ---- receiving ---- */

/* 0: no RTP packet of these bytes (RFC 3550, sections 5.1 and 5.3.1). */
static size_t header_size(struct view packet)
{
    if (packet.size < RTP_HEADER_SIZE || packet.at[0] >> 6 != 2)
        return 0;
    size_t size = RTP_HEADER_SIZE + 4 * (size_t)(packet.at[0] & 0x0f);
    if (packet.at[0] & 0x10) {
        if (packet.size < size + 4)
            return 0;
        size += 4 + 4 * (size_t)(packet.at[size + 2] << 8 | packet.at[size + 3]);
    }
    return size <= packet.size ? size : 0;
}

/* Its index, if it may be taken at all. */
static int find_index(const struct secure_incoming *job, const struct secure_source *source,
                      uint64_t *index)
{
    uint16_t sequence = (uint16_t)(job->packet.at[2] << 8 | job->packet.at[3]);
    *index = sequence;
    if (!source)
        return secure_source_has_room(job->session) ? OK : ERR_LIMIT;
    int status = secure_window_guess(&source->rtp, sequence, index);
    /* before the beginning there is nothing, so it is far ahead, or forged */
    if (status == OK || status == ERR_OLD)
        status = secure_window_check(&source->rtp, *index);
    return status;
}

/* Packets of a batch are given their indexes by what was known before it.  That is what they would
 * be given one by one, but for those that are the first of a source, or so far from its highest
 * that the ones before may make it another: such a packet is a batch by itself. */
static bool is_alone(const struct secure_source *source, uint64_t index)
{
    enum { NEAR = 0x2000 };
    return !source || index + NEAR < source->rtp.highest || index > source->rtp.highest + NEAR;
}

enum prepared { TAKEN, TAKEN_ALONE, NOT_TAKEN };

/* NOT_TAKEN: it is to be the first of the next batch. */
static enum prepared prepare_incoming(struct secure_engine *engine, struct secure_incoming *job,
                                      uint32_t number)
{
    const struct secure_key *key = job->session->rtp_in;
    const struct secure_suite *suite = key->suite;
    assert(job->session->engine == engine);
    job->status = ERR_MALFORMED;
    if (job->packet.size < suite->rtp_tag_size || job->packet.size > SECURE_PACKET_MAX)
        return TAKEN;
    struct view plain = { job->packet.at, job->packet.size - suite->rtp_tag_size };
    size_t header = header_size(plain);
    if (header == 0)
        return TAKEN;
    job->ssrc = secure_read32(job->packet.at + 8);
    job->header_size = (uint16_t)header;
    const struct secure_source *source = secure_source_find(job->session, job->ssrc);
    job->status = find_index(job, source, &job->index);
    bool alone = is_alone(source, job->index);
    if (alone && number > 0)
        return NOT_TAKEN;
    if (job->status != OK)
        return TAKEN;

    struct secure_transform *one = add(engine, key, number);
    one->from = one->to = job->packet.at + header;
    one->size = plain.size - header;
    one->covered = plain.at;
    one->covered_size = header;
    one->tag = job->packet.at + plain.size;
    secure_nonce(key, job->ssrc, job->index, one->iv);
    if (!secure_suite_is_aead(suite)) {
        memcpy(engine->tags[number], one->tag, suite->rtp_tag_size);
        secure_write32(one->tag, (uint32_t)(job->index >> 16));
        one->covered_size = plain.size + ROLLOVER_SIZE;
        one->tag = engine->tags[number];
    }
    return alone ? TAKEN_ALONE : TAKEN;
}

/* Only now does the packet change what is known of its source. */
static int accept_incoming(struct secure_incoming *job, const struct secure_transform *one)
{
    if (!one->done)
        return ERR_FORGED;
    struct secure_source *source = secure_source_find(job->session, job->ssrc);
    if (!source)
        source = secure_source_add(job->session, job->ssrc);
    if (!source)
        return ERR_LIMIT;
    int status = secure_window_check(&source->rtp, job->index); /* twice in this batch? */
    if (status != OK)
        return status;
    secure_window_add(&source->rtp, job->index);
    job->packet.size -= one->tag_size;
    return OK;
}

void secure_unprotect(struct secure_engine *engine, struct secure_incoming *all, size_t count)
{
    while (count > 0) {
        uint32_t batch = 0;
        enum prepared last = TAKEN;
        begin(engine);
        while (last == TAKEN && batch < count && batch < SECURE_BATCH_MAX) {
            last = prepare_incoming(engine, &all[batch], batch);
            batch += last != NOT_TAKEN;
        }
        for (enum secure_cipher cipher = 0; cipher < SECURE_CIPHERS; cipher++) {
            size_t ready = engine->ready[cipher];
            struct secure_transform *transforms = engine->transforms[cipher];
            if (ready > 0)
                engine->backend->open_sealed(engine->state, cipher, transforms, ready);
            for (size_t i = 0; i < ready; i++)
                all[transforms[i].job].status =
                    accept_incoming(&all[transforms[i].job], &transforms[i]);
        }
        all += batch;
        count -= batch;
    }
}
