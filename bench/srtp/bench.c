/* bench.c - what protecting a packet costs: our own layer over each of its libraries of ciphers,
 * and libsrtp2, in turns, in one run.
 *
 *     bench_srtp [ROUNDS [SIZE]]      5 rounds; 1200 bytes of payload
 *
 * Nanoseconds of CPU a packet, the median of the rounds.  "1 to N": one packet is protected for N
 * subscribers, each under its own key, out of one payload into N slots, as a forwarder does it
 * (libsrtp2 works in place, so the payload is copied for it first); "own" bytes are 4 of each
 * subscriber's before the payload that they share.  "32 from 1": a burst of one
 * publisher is unprotected in place; the copy that each round needs is taken off. */
#include "agent/srtp.h"

#include <assert.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MANY = 500, BURST = 32, SLOT = 1536, HEADER = 12, ROUNDS_MAX = 101, PACKETS = 20000 };

static const struct {
    uint16_t number;
    const char *name;
} PROFILES[] = {
    { SECURE_AEAD_AES_128_GCM, "AEAD_AES_128_GCM" },
    { SECURE_AEAD_AES_256_GCM, "AEAD_AES_256_GCM" },
    { SECURE_AES128_CM_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80" },
};

static uint8_t slots[MANY][SLOT];
static uint8_t burst[BURST][SLOT], copies[BURST][SLOT];
static uint8_t payload[SLOT];
static size_t payload_size = 1200;

struct subject {
    const char *name;
    struct secure_engine *engine; /* NULL: libsrtp2 */
    struct secure_session sessions[MANY];
    struct secure_session publisher;
    struct secure_window sent[MANY];
    struct secure_window published;
    srtp_t theirs[MANY];
    srtp_t their_publisher;
    uint16_t sequence, burst_sequence;
};

static double cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void write_header(uint8_t *at, uint16_t sequence, uint32_t ssrc)
{
    memcpy(at, (uint8_t[HEADER]){ 0x80, 96 }, HEADER);
    at[2] = (uint8_t)(sequence >> 8);
    at[3] = (uint8_t)sequence;
    memcpy(at + 8, &ssrc, 4);
}

/* ---- keys: the client's are what a subscriber is sent with, or a publisher sends with ---- */

static struct view material(uint16_t profile, unsigned seed)
{
    static uint8_t bytes[SECURE_MATERIAL_MAX];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(seed * 31 + i * 7 + (seed >> 8));
    return view_make(bytes, secure_material_size(profile));
}

static srtp_t their_stream(uint16_t number, bool sends, unsigned seed)
{
    srtp_profile_t profile = (srtp_profile_t)number;
    size_t key_size = srtp_profile_get_master_key_length(profile);
    struct view bytes = material(number, seed);
    uint8_t keys[SECURE_MATERIAL_MAX];
    memcpy(keys, bytes.at, key_size);
    memcpy(keys + key_size, bytes.at + 2 * key_size, srtp_profile_get_master_salt_length(profile));
    srtp_policy_t policy;
    memset(&policy, 0, sizeof(policy));
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
    policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = keys;
    policy.window_size = SECURE_WINDOW;
    srtp_t made;
    if (srtp_create(&made, &policy) != srtp_err_status_ok) {
        fprintf(stderr, "libsrtp2 refuses profile %u\n", number);
        exit(1);
    }
    return made;
}

static void open_subject(struct subject *subject, uint16_t profile)
{
    memset(subject->sent, 0, sizeof(subject->sent));
    subject->published = (struct secure_window){ 0 };
    subject->sequence = subject->burst_sequence = 1;
    for (unsigned i = 0; i < MANY; i++) {
        if (!subject->engine)
            subject->theirs[i] = their_stream(profile, true, i);
        else if (secure_session_open(&subject->sessions[i], subject->engine, profile, true,
                                     material(profile, i)) != OK)
            exit(1);
    }
    if (!subject->engine)
        subject->their_publisher = their_stream(profile, false, MANY);
    else if (secure_session_open(&subject->publisher, subject->engine, profile, false,
                                 material(profile, MANY)) != OK)
        exit(1);
}

static void close_subject(struct subject *subject)
{
    for (unsigned i = 0; i < MANY; i++)
        if (subject->engine)
            secure_session_close(&subject->sessions[i]);
        else
            srtp_dealloc(subject->theirs[i]);
    if (subject->engine)
        secure_session_close(&subject->publisher);
    else
        srtp_dealloc(subject->their_publisher);
}

/* ---- what is measured ---- */

static void protect_ours(struct subject *subject, unsigned many, uint16_t own)
{
    static struct secure_outgoing jobs[MANY];
    for (unsigned i = 0; i < many; i++) {
        write_header(slots[i], subject->sequence, i);
        jobs[i] = (struct secure_outgoing){ .key = subject->sessions[i].rtp_out,
                                            .sent = &subject->sent[i],
                                            .at = slots[i],
                                            .header_size = HEADER,
                                            .own_size = own,
                                            .payload = { payload, payload_size - own } };
    }
    secure_protect(subject->engine, jobs, many);
    for (unsigned i = 0; i < many; i++)
        assert(jobs[i].status == OK);
}

static void protect_theirs(struct subject *subject, unsigned many)
{
    for (unsigned i = 0; i < many; i++) {
        write_header(slots[i], subject->sequence, i);
        memcpy(slots[i] + HEADER, payload, payload_size);
        int size = (int)(HEADER + payload_size);
        srtp_err_status_t status = srtp_protect(subject->theirs[i], slots[i], &size);
        assert(status == srtp_err_status_ok);
        (void)status;
    }
}

static double one_to_many(struct subject *subject, unsigned many, uint16_t own)
{
    unsigned times = PACKETS / many;
    double from = cpu_ns();
    for (unsigned i = 0; i < times; i++) {
        subject->engine ? protect_ours(subject, many, own) : protect_theirs(subject, many);
        subject->sequence++;
    }
    return (cpu_ns() - from) / (times * many);
}

/* The next burst as a publisher would send it; out of the time that is measured. */
static size_t make_burst(struct subject *subject, srtp_t publisher)
{
    int size = 0;
    for (unsigned i = 0; i < BURST; i++) {
        write_header(burst[i], subject->burst_sequence++, MANY);
        memcpy(burst[i] + HEADER, payload, payload_size);
        size = (int)(HEADER + payload_size);
        srtp_protect(publisher, burst[i], &size);
    }
    return (size_t)size;
}

static void unprotect_burst(struct subject *subject, size_t size)
{
    struct secure_incoming jobs[BURST];
    for (unsigned i = 0; i < BURST; i++) {
        if (subject->engine) {
            jobs[i] = (struct secure_incoming){ .session = &subject->publisher,
                                                .packet = { copies[i], size } };
            continue;
        }
        int length = (int)size;
        srtp_err_status_t status = srtp_unprotect(subject->their_publisher, copies[i], &length);
        assert(status == srtp_err_status_ok);
        (void)status;
    }
    if (!subject->engine)
        return;
    secure_unprotect(subject->engine, jobs, BURST);
    for (unsigned i = 0; i < BURST; i++)
        assert(jobs[i].status == OK);
}

static double many_from_one(struct subject *subject, srtp_t publisher)
{
    unsigned times = PACKETS / 10 / BURST;
    double spent = 0;
    for (unsigned i = 0; i < times; i++) {
        size_t size = make_burst(subject, publisher);
        memcpy(copies, burst, sizeof(copies));
        double from = cpu_ns();
        unprotect_burst(subject, size);
        spent += cpu_ns() - from;
    }
    return spent / (times * BURST);
}

/* ---- the table ---- */

enum { TO_1, TO_40, TO_40_OWN, TO_MANY, FROM_1, COLUMNS };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct subject *subjects, size_t count, size_t which, int rounds)
{
    static double seen[3][COLUMNS][ROUNDS_MAX];
    uint16_t profile = PROFILES[which].number;
    srtp_t publishers[3];
    for (size_t s = 0; s < count; s++) {
        open_subject(&subjects[s], profile);
        publishers[s] = their_stream(profile, true, MANY);
    }
    for (int round = 0; round < rounds; round++)
        for (size_t s = 0; s < count; s++) {
            seen[s][TO_1][round] = one_to_many(&subjects[s], 1, 0);
            seen[s][TO_40][round] = one_to_many(&subjects[s], 40, 0);
            seen[s][TO_40_OWN][round] = one_to_many(&subjects[s], 40, 4);
            seen[s][TO_MANY][round] = one_to_many(&subjects[s], MANY, 0);
            seen[s][FROM_1][round] = many_from_one(&subjects[s], publishers[s]);
        }
    for (size_t s = 0; s < count; s++) {
        printf("%-24s %-14s", PROFILES[which].name, subjects[s].name);
        for (int column = 0; column < COLUMNS; column++) {
            double *all = seen[s][column];
            qsort(all, (size_t)rounds, sizeof(*all), by_value);
            printf(" %9.0f", all[rounds / 2]);
        }
        printf("\n");
        close_subject(&subjects[s]);
        srtp_dealloc(publishers[s]);
    }
}

int main(int argc, char **argv)
{
    static struct subject subjects[3];
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    payload_size = argc > 2 ? (size_t)atoi(argv[2]) : payload_size;
    if (rounds < 1 || rounds > ROUNDS_MAX || payload_size < 4 ||
        payload_size > SLOT - HEADER - SECURE_RTP_OVERHEAD) {
        fprintf(stderr, "usage: bench_srtp [ROUNDS [SIZE]]\n");
        return 2;
    }
    for (size_t i = 0; i < payload_size; i++)
        payload[i] = (uint8_t)(i * 13);
    if (srtp_init() != srtp_err_status_ok)
        return 1;

    size_t count = 0;
    struct secure_config config = { SECURE_EVP, MANY + 1, MANY + 1 };
    if (secure_engine_new(&config, &subjects[count].engine) == OK)
        subjects[count++].name = "ours, OpenSSL";
    config.choice = SECURE_IPSEC_MB;
    if (secure_engine_new(&config, &subjects[count].engine) == OK)
        subjects[count++].name = "ours, ipsec-mb";
    subjects[count].engine = NULL;
    subjects[count++].name = "libsrtp2";

    printf("%zu bytes of payload; ns of CPU a packet\n", payload_size);
    printf("%-24s %-14s %9s %9s %9s %9s %9s\n", "", "", "1 to 1", "1 to 40", "own", "1 to 500",
           "32 from 1");
    for (size_t i = 0; i < sizeof(PROFILES) / sizeof(PROFILES[0]); i++)
        measure(subjects, count, i, rounds);
    for (size_t s = 0; s + 1 < count; s++)
        secure_engine_free(subjects[s].engine);
    srtp_shutdown();
    return 0;
}
