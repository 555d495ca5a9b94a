/* Fuzzes SRTP: packets that are sealed, broken, kept and given again, and any bytes, to three
 * receivers at once: ours over OpenSSL, ours over libipsec-mb, and libsrtp2.  What one takes, all
 * take, and as the same bytes; what they seal is the same, too.
 *
 * Input: one byte for the profile, then operations of a byte each and what follows it:
 *   0x  seals an RTP packet into slot x: SSRC, 2 bytes of sequence number, size
 *   1x  seals an RTCP packet into slot x: SSRC, size
 *   2x  turns bits of slot x: where (2 bytes), which
 *   3x  cuts slot x to a size (2 bytes)
 *   4x  gives slot x as RTP;  5x  as RTCP
 *   6x  gives all slots from x on as RTP in one batch, to OpenSSL's; the others get them by one
 *   7x  gives bytes of the input, as RTP or (x odd) as RTCP: size, bytes
 *   8x  forgets an SSRC
 */
#include "agent/srtp.h"
#include "input.h"
#include "srtp_oracle.h"

enum { SLOTS = 16, SLOT = 512, SSRCS = 5 };

static struct secure_engine *engines[2]; /* OpenSSL's; libipsec-mb's or NULL */

static struct {
    struct secure_session senders[2];
    struct secure_session receivers[2];
    struct secure_window sent[2][SSRCS];
    struct oracle oracle; /* a sender and a receiver, both with the client's key */
    struct {
        uint8_t at[SLOT];
        size_t size;
    } slots[SLOTS];
    bool forgot[SSRCS]; /* libsrtp2 has not */
} it;

static void open_all(uint16_t profile)
{
    uint8_t bytes[SECURE_MATERIAL_MAX];
    uint64_t state = profile;
    input_random_fill(&state, bytes, sizeof(bytes));
    struct view material = { bytes, secure_material_size(profile) };
    memset(&it, 0, sizeof(it));
    for (int i = 0; i < 2 && engines[i]; i++) {
        CHECK(secure_session_open(&it.senders[i], engines[i], profile, true, material) == OK);
        CHECK(secure_session_open(&it.receivers[i], engines[i], profile, false, material) == OK);
    }
    size_t key_size = srtp_profile_get_master_key_length((srtp_profile_t)profile);
    const uint8_t *salt = bytes + 2 * key_size;
    it.oracle.out = oracle_stream(profile, true, bytes, salt);
    it.oracle.in = oracle_stream(profile, false, bytes, salt);
}

static void close_all(void)
{
    for (int i = 0; i < 2 && engines[i]; i++) {
        secure_session_close(&it.senders[i]);
        secure_session_close(&it.receivers[i]);
        CHECK(secure_engine_sessions(engines[i]) == 0 && secure_engine_sources(engines[i]) == 0);
    }
    oracle_close(&it.oracle);
}

/* ---- sealing ---- */

static void fill(uint8_t *at, size_t size, uint8_t ssrc, uint16_t sequence, bool is_rtcp)
{
    uint64_t state = (uint64_t)ssrc << 16 | sequence;
    input_random_fill(&state, at, size);
    memcpy(at, (uint8_t[]){ 0x80, is_rtcp ? 201 : 96, (uint8_t)(sequence >> 8), (uint8_t)sequence },
           4);
    memcpy(at + (is_rtcp ? 4 : 8), (uint8_t[]){ 0, 0, 0, ssrc }, 4);
}

static void seal_rtp(struct view *input, unsigned slot)
{
    uint8_t ssrc = input_byte(input) % SSRCS;
    uint16_t sequence = (uint16_t)(input_byte(input) << 8);
    sequence = (uint16_t)(sequence | input_byte(input));
    size_t size = 12 + (size_t)input_byte(input);
    uint8_t sealed[3][SLOT];
    struct secure_outgoing jobs[2];
    for (int i = 0; i < 2 && engines[i]; i++) {
        fill(sealed[i], size, ssrc, sequence, false);
        jobs[i] = (struct secure_outgoing){ .key = it.senders[i].rtp_out,
                                            .sent = &it.sent[i][ssrc],
                                            .at = sealed[i],
                                            .header_size = 12,
                                            .payload = { sealed[i] + 12, size - 12 } };
        secure_protect(engines[i], &jobs[i], 1);
        CHECK(jobs[i].status == jobs[0].status);
    }
    if (jobs[0].status != OK)
        return;
    fill(sealed[2], size, ssrc, sequence, false);
    CHECK(oracle_protect(&it.oracle, sealed[2], &size));
    CHECK(size == jobs[0].size && memcmp(sealed[0], sealed[2], size) == 0);
    CHECK(!engines[1] || memcmp(sealed[0], sealed[1], size) == 0);
    memcpy(it.slots[slot].at, sealed[0], size);
    it.slots[slot].size = size;
}

static void seal_rtcp(struct view *input, unsigned slot)
{
    uint8_t ssrc = input_byte(input) % SSRCS;
    size_t size = 8 + (size_t)input_byte(input), sizes[2];
    uint8_t sealed[2][SLOT];
    for (int i = 0; i < 2 && engines[i]; i++) {
        fill(sealed[i], size, ssrc, 7, true);
        CHECK(secure_protect_rtcp(&it.senders[i], sealed[i], size, &sizes[i]) == OK);
    }
    CHECK(!engines[1] || (sizes[0] == sizes[1] && memcmp(sealed[0], sealed[1], sizes[0]) == 0));
    memcpy(it.slots[slot].at, sealed[0], sizes[0]);
    it.slots[slot].size = sizes[0];
}

/* ---- opening ---- */

static int open_by(int who, bool is_rtcp, struct span *packet)
{
    if (is_rtcp)
        return secure_unprotect_rtcp(&it.receivers[who], packet);
    struct secure_incoming job = { .session = &it.receivers[who], .packet = *packet };
    secure_unprotect(engines[who], &job, 1);
    if (job.status == OK) {
        CHECK(job.packet.at == packet->at && job.packet.size < packet->size);
        CHECK(job.header_size >= 12 && job.header_size <= job.packet.size);
        CHECK((job.index & 0xffff) == (uint64_t)(packet->at[2] << 8 | packet->at[3]));
        packet->size = job.packet.size;
    }
    return job.status;
}

/* `opened` with `status` is what ours over OpenSSL made of the packet.  In a batch, one that is
 * forged is called so, even if another of that index came before it. */
static void compare(struct view packet, bool is_rtcp, bool in_batch, int status, struct view opened)
{
    if (engines[1]) {
        struct span copy = input_copy(packet);
        struct span whole = copy;
        int by_itself = open_by(1, is_rtcp, &copy);
        CHECK((by_itself == OK) == (status == OK) && (in_batch || by_itself == status));
        CHECK(status != OK || view_equal(view_of_span(copy), opened));
        free(whole.at);
    }
    if (packet.size < 12) /* it reads the header that is not there */
        return;
    struct span copy = input_copy(packet);
    size_t size = packet.size;
    srtp_err_status_t theirs = is_rtcp ? oracle_unprotect_rtcp(&it.oracle, copy.at, &size)
                                       : oracle_unprotect(&it.oracle, copy.at, &size);
    if (status == OK && theirs != srtp_err_status_ok) {
        /* of SRTCP it remembers 128; and what it was not told to forget */
        uint8_t ssrc = packet.at[is_rtcp ? 7 : 11];
        CHECK((is_rtcp && theirs == srtp_err_status_replay_old) || it.forgot[ssrc % SSRCS]);
    }
    if (status != OK)
        CHECK(theirs != srtp_err_status_ok || it.forgot[packet.at[is_rtcp ? 7 : 11] % SSRCS]);
    else if (theirs == srtp_err_status_ok)
        CHECK(view_equal(view_make(copy.at, size), opened));
    free(copy.at);
}

static void give(struct view packet, bool is_rtcp)
{
    struct span copy = input_copy(packet), opened = copy;
    int status = open_by(0, is_rtcp, &opened);
    CHECK(status == OK || status == ERR_MALFORMED || status == ERR_FORGED ||
          status == ERR_REPLAYED || status == ERR_OLD);
    compare(packet, is_rtcp, false, status, view_of_span(opened));
    free(copy.at);
}

static void give_batch(unsigned from)
{
    struct secure_incoming jobs[SLOTS];
    struct span copies[SLOTS];
    size_t count = 0;
    for (unsigned i = from; i < SLOTS; i++, count++) {
        copies[count] = input_copy(view_make(it.slots[i].at, it.slots[i].size));
        jobs[count] =
            (struct secure_incoming){ .session = &it.receivers[0], .packet = copies[count] };
    }
    secure_unprotect(engines[0], jobs, count);
    for (size_t i = 0; i < count; i++) {
        struct view packet = { it.slots[from + i].at, it.slots[from + i].size };
        compare(packet, false, true, jobs[i].status, view_of_span(jobs[i].packet));
        free(copies[i].at);
    }
}

/* ---- operations ---- */

static void run(struct view *input)
{
    uint8_t operation = input_byte(input);
    unsigned slot = operation & 0x0f;
    struct view packet = { it.slots[slot].at, it.slots[slot].size };
    size_t where;
    switch (operation >> 4) {
    case 0:
        seal_rtp(input, slot);
        break;
    case 1:
        seal_rtcp(input, slot);
        break;
    case 2:
    case 3:
        where = (size_t)input_byte(input) << 8;
        where = (where | input_byte(input)) % SLOT;
        if (operation >> 4 == 2)
            it.slots[slot].at[where] ^= input_byte(input);
        else
            it.slots[slot].size = where;
        break;
    case 4:
    case 5:
        give(packet, operation >> 4 == 5);
        break;
    case 6:
        give_batch(slot);
        break;
    case 7:
        packet = input_take(input, 2 * (size_t)input_byte(input));
        give(packet, slot & 1);
        break;
    case 8:
        for (int i = 0; i < 2 && engines[i]; i++)
            secure_session_forget(&it.receivers[i], slot % SSRCS);
        it.forgot[slot % SSRCS] = true;
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t PROFILES[] = { SECURE_AES128_CM_HMAC_SHA1_80,
                                         SECURE_AES128_CM_HMAC_SHA1_32, SECURE_AEAD_AES_128_GCM,
                                         SECURE_AEAD_AES_256_GCM };
    if (!engines[0]) {
        struct secure_config config = { SECURE_EVP, 2, 64 };
        oracle_init();
        CHECK(secure_engine_new(&config, &engines[0]) == OK);
        config.choice = SECURE_IPSEC_MB;
        int status = secure_engine_new(&config, &engines[1]);
        CHECK(status == OK || status == ERR_UNSUPPORTED);
    }
    struct view input = { data, size };
    open_all(PROFILES[input_byte(&input) % 4]);
    for (int operations = 0; input.size > 0 && operations < 400; operations++)
        run(&input);
    close_all();
    return 0;
}
