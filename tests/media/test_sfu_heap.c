/* No heap on the way of a packet: from one publisher to forty, with all that they say to it.
 *
 * The linker puts the functions below in the place of the C library's (--wrap), and OpenSSL is
 * given others of ours.  What is allocated is counted while the server is at work, not while the
 * far ends are. */
#include <stddef.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#define FARS_MAX 42
#include "sfu_house.h"

#define SUBSCRIBERS 40
#define STEP        (10 * USEC_MS)
#define MID_ID      5
#define CC_ID       6

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static bool is_counting;
static unsigned allocations;

void *__wrap_malloc(size_t size)
{
    allocations += is_counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations += is_counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    allocations += is_counting;
    return __real_realloc(at, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations += is_counting;
    return __real_aligned_alloc(alignment, size);
}

static void *openssl_malloc(size_t size, const char *file, int where)
{
    (void)file;
    (void)where;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *at, size_t size, const char *file, int where)
{
    (void)file;
    (void)where;
    return __wrap_realloc(at, size);
}

static void openssl_free(void *at, const char *file, int where)
{
    (void)file;
    (void)where;
    free(at);
}

/* ---- the room ---- */

static struct client subscribers[SUBSCRIBERS];
static uint16_t number, sequence, transport_number;

static void join_all(void)
{
    struct text offer;
    head(&offer, 1);
    video(&offer, 0, "sendonly", 100, MID_ID);
    line(&offer,
         "a=rtcp-fb:100 transport-cc\r\na=extmap:%u http://www.ietf.org/id/"
         "draft-holmer-rmcat-transport-wide-cc-extensions-01",
         CC_ID);
    line_ssrcs(&offer, 7001);
    join(&alice, &offer, NULL);
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        receive(&subscribers[i]);
        assert_int_equal(
            transceiver_subscribe(slot_of(&subscribers[i]), port.now, track_of(&alice)), OK);
    }
    run();
}

/* As run(), but that only the server's part is counted. */
static void run_counted(void)
{
    static uint8_t bytes[RTC_PACKET_MAX];
    while (network.count > 0) {
        unsigned at = network.first;
        struct far *far = network.queue[at].far;
        size_t size = network.queue[at].size;
        bool is_to_port = network.queue[at].is_to_port;
        memcpy(bytes, network.queue[at].bytes, size);
        network.first = (at + 1) % NETWORK_MAX;
        network.count--;
        if (is_to_port) {
            is_counting = true;
            rtc_feed(&port.rtc, port.now, &far->flow, (struct span){ bytes, size });
            drain();
            is_counting = false;
        } else {
            far_hear(far, view_make(bytes, size));
        }
    }
}

static void pass(void)
{
    port.now += STEP;
    is_counting = true;
    sfu_tick(&sfu, port.now);
    drain();
    is_counting = false;
    run_counted();
}

/* ---- what they say ---- */

static void publish_packet(bool is_key)
{
    number++;
    if (number % 50 == 0)
        return; /* lost */
    say_this(&alice, &(struct saying){ .ssrc = 7001,
                                       .type = 100,
                                       .number = number,
                                       .is_key = is_key,
                                       .mid_id = MID_ID,
                                       .mid = '0',
                                       .cc_id = CC_ID,
                                       .cc = transport_number++,
                                       .size = 1100 });
}

static void answer_nacks(void)
{
    struct rtcp_feedback feedback;
    struct rtcp_nack nack;
    uint16_t missing;
    if (!got(&alice, RTCP_RTPFB, RTCP_NACK, &feedback))
        return;
    rtcp_nack_begin(&feedback, &nack);
    while (rtcp_nack_next(&nack, &missing))
        say_this(&alice, &(struct saying){ .ssrc = 7002,
                                           .type = 101,
                                           .number = sequence++,
                                           .is_rtx = true,
                                           .repeated = missing,
                                           .cc_id = CC_ID,
                                           .cc = transport_number++ });
    alice.far->rtcp_size = 0;
}

static void report_clock(void)
{
    uint8_t bytes[64];
    struct rtcp_writer writer;
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_sr(
        &writer,
        &(struct rtcp_sr){ .ssrc = 7001, .ntp = 5ull << 32, .rtp_timestamp = number * 3000u }, NULL,
        0);
    far_say_rtcp(alice.far, view_make(bytes, writer.size));
}

static void report_back(const struct client *client, bool wants_key)
{
    uint8_t bytes[128];
    struct rtcp_writer writer;
    uint32_t ssrc = slot_of(client)->sender.config.ssrc;
    uint16_t lost = (uint16_t)slot_of(client)->sender.highest;
    const struct rtcp_report block = { .ssrc = ssrc, .fraction_lost = 3, .packets_lost = 1 };
    rtcp_begin(&writer, bytes, sizeof bytes);
    rtcp_add_rr(&writer, 1, &block, 1);
    rtcp_add_nack(&writer, 1, ssrc, &lost, 1);
    rtcp_add_remb(&writer, 1, 20000000, &ssrc, 1);
    if (wants_key)
        rtcp_add_pli(&writer, 1, ssrc);
    far_say_rtcp(client->far, view_make(bytes, writer.size));
}

static void step(unsigned at)
{
    for (unsigned i = 0; i < 3; i++)
        publish_packet(i == 0 && at % 50 == 0);
    answer_nacks();
    if (at % 100 == 0)
        report_clock();
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        if ((at + i) % 20 == 0)
            report_back(&subscribers[i], (at + i) % 100 == 0);
    pass();
}

/* ---- tests ---- */

static void assert_no_heap(enum secure_choice ciphers)
{
    struct rtcp_feedback feedback;
    uint64_t before;
    port_ciphers = ciphers;
    memset(subscribers, 0, sizeof subscribers);
    number = 100;
    sequence = transport_number = 1;
    set_up(NULL);
    join_all();
    for (unsigned i = 0; i < 150; i++)
        step(i);
    assert_true(allocations > 0); /* for the stream, when it began */
    allocations = 0;
    before = metrics_read(&port.metrics, METRIC_MEDIA_PACKETS_OUT);
    for (unsigned i = 0; i < 300; i++)
        step(i);
    assert_int_equal(allocations, 0);
    /* and all of it has happened */
    assert_true(metrics_read(&port.metrics, METRIC_MEDIA_PACKETS_OUT) - before > 30000);
    assert_true(metrics_read(&port.metrics, METRIC_MEDIA_REPEATED) > SUBSCRIBERS);
    assert_true(metrics_read(&port.metrics, METRIC_MEDIA_NACKS_OUT) > 10);
    assert_true(metrics_read(&port.metrics, METRIC_MEDIA_KEYS_ASKED) > 2);
    assert_true(subscribers[7].far->rtcp_count > 2);
    alice.far->rtcp_size = 0;
    for (unsigned i = 0; i < 30 && !got(&alice, RTCP_RTPFB, RTCP_TRANSPORT_CC, &feedback); i++)
        step(1);
    assert_true(got(&alice, RTCP_RTPFB, RTCP_TRANSPORT_CC, &feedback));
    tear_down(NULL);
}

static void test_best_ciphers(void **state)
{
    (void)state;
    assert_no_heap(SECURE_BEST);
}

static void test_openssl(void **state)
{
    (void)state;
    assert_no_heap(SECURE_EVP);
}

int main(void)
{
    if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_ciphers),
        cmocka_unit_test(test_openssl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
