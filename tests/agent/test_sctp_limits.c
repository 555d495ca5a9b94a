/* test_sctp_limits.c - data channels at their limits: messages that are given up, that are too long
 * or too many, pools that are empty, numbers that wrap, and packets that nobody should send. */
#include "sctp_pair.h"

static const struct sctp_channel_terms CHAT = { .label = { (const uint8_t *)"chat", 4 } };

/* ---- partial reliability ---- */

static void give_up(uint64_t seed, uint8_t reliability, uint32_t parameter, bool is_unordered)
{
    struct pair *pair = pair_new(seed);
    struct pair_end *to = &pair->ends[1];
    struct sctp_channel_terms terms = CHAT;
    terms.reliability = reliability;
    terms.parameter = parameter;
    terms.is_unordered = is_unordered;
    struct sctp_channel *channel = pair_channel(pair, 0, &terms);
    assert_int_equal(to->opened[0]->reliability, reliability);
    assert_int_equal(to->opened[0]->parameter, parameter);
    pair->loss = 250;
    pair->jitter = 20 * USEC_MS;
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(pair_send(&pair->ends[0], channel, i, 4 + pair_chance(pair, 6000)), OK);
        pair_run(pair, pair_chance(pair, 60) * USEC_MS);
    }
    for (unsigned i = 0; i < 1000 && sctp_queued(pair->ends[0].association); i++)
        pair_run(pair, USEC_S);
    unsigned seen = to->seen_count;
    if (seen > 295 || seen < 10)
        fail_msg("seed %u: %u of 300 came", (unsigned)seed, seen);
    for (unsigned i = 1; !is_unordered && i < seen; i++)
        assert_true(to->seen[i].number > to->seen[i - 1].number);
    /* nothing is stuck: what is sent now comes at once */
    pair->loss = 0;
    pair_run(pair, 20 * USEC_S);
    assert_int_equal(sctp_queued(pair->ends[0].association), 0);
    assert_int_equal(pair->ends[0].sctp.chunks.used, 0);
    assert_int_equal(to->association->held, 0);
    assert_int_equal(pair_send(&pair->ends[0], channel, 1000, 1000), OK);
    pair_run(pair, USEC_S);
    assert_int_equal(to->seen_count, seen + 1);
    pair_free(pair);
}

static void test_give_up(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        give_up(seed, DCEP_RETRANSMITS, seed % 3, seed & 1);
        give_up(seed, DCEP_LIFETIME, 20 + 100 * (seed % 3), seed & 1);
    }
}

/* the other end is away longer than a message lives: it hears only of what came later */
static void test_lifetime(void **state)
{
    (void)state;
    struct pair *pair = pair_new(20);
    struct sctp_channel_terms terms = CHAT;
    terms.reliability = DCEP_LIFETIME;
    terms.parameter = 500;
    struct sctp_channel *channel = pair_channel(pair, 0, &terms);
    pair->is_cut = true;
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(pair_send(&pair->ends[0], channel, i, 3000), OK);
    pair_run(pair, 2 * USEC_S);
    pair->is_cut = false;
    assert_int_equal(pair_send(&pair->ends[0], channel, 100, 3000), OK);
    pair_run(pair, 20 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 1);
    assert_int_equal(pair->ends[1].seen[0].number, 100);
    pair_free(pair);
}

/* ---- sizes ---- */

static void test_large(void **state)
{
    (void)state;
    struct pair *pair = pair_new(21);
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    uint32_t most = PAIR_CONFIG.message_max;
    assert_int_equal(pair_send(&pair->ends[0], channel, 1, most + 1), ERR_LIMIT);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(pair_send(&pair->ends[0], channel, i, most), OK);
    pair_run(pair, 30 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 3);
    assert_int_equal(pair->ends[1].seen[2].size, most);
    pair_free(pair);
}

/* a peer that does not keep to what we said of messages, or of the window */
static void test_too_large(void **state)
{
    static const uint32_t SIZES[] = { 256 * 1024 + 1, 2000 * 1024 };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct sctp_config config = PAIR_CONFIG;
        config.message_max = BUFFER_LARGE_MAX;
        config.receive_max = 2 * BUFFER_LARGE_MAX;
        config.send_max = 2 * BUFFER_LARGE_MAX;
        struct pair *pair = pair_make(22, &config);
        pair->ends[1].sctp.config.message_max = PAIR_CONFIG.message_max;
        pair->ends[1].sctp.config.receive_max = PAIR_CONFIG.receive_max;
        pair_open(pair, 0);
        pair_open(pair, 1);
        pair_run(pair, USEC_S);
        struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
        assert_int_equal(pair_send(&pair->ends[0], channel, 1, SIZES[i]), OK);
        pair_run(pair, 1000 * USEC_S);
        assert_int_equal(pair->ends[1].seen_count, 0);
        assert_int_equal(pair->ends[1].end, SCTP_END_PROTOCOL);
        assert_true(pair->ends[1].association->held <= 2 * PAIR_CONFIG.receive_max);
        pair_free(pair);
    }
}

#define SMALL_WINDOW 20000

static bool check_window(struct pair *pair, struct pair_end *from, struct view packet)
{
    (void)packet;
    if (from == &pair->ends[0])
        assert_true(from->association->flight <= SMALL_WINDOW);
    return true;
}

/* no more is on the way than the other end has room for, however much the way would carry */
static void test_window(void **state)
{
    (void)state;
    struct sctp_config config = PAIR_CONFIG;
    struct pair *pair = pair_make(34, &config);
    pair->ends[1].sctp.config.message_max = SMALL_WINDOW / 2;
    pair->ends[1].sctp.config.receive_max = SMALL_WINDOW;
    pair_open(pair, 0);
    pair_open(pair, 1);
    pair_run(pair, USEC_S);
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    pair->look = check_window;
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(pair_send(&pair->ends[0], channel, i, SMALL_WINDOW / 2), OK);
    pair_run(pair, 60 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 100);
    assert_true(pair->ends[0].association->cwnd > SMALL_WINDOW / 2);
    assert_int_equal(metrics_read(&pair->ends[0].metrics, METRIC_SCTP_RETRANSMITTED), 0);
    pair_free(pair);
}

static void test_full(void **state)
{
    (void)state;
    struct pair *pair = pair_new(23);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    uint32_t count = 0;
    pair->is_cut = true;
    while (pair_send(end, channel, count, 10000) == OK)
        count++;
    assert_int_equal(count, PAIR_CONFIG.send_max / 10000);
    assert_int_equal(pair_send(end, channel, count, 10000), ERR_AGAIN);
    assert_int_equal(end->writable_count, 0);
    pair->is_cut = false;
    pair_run(pair, 30 * USEC_S);
    assert_int_equal(end->writable_count, 1);
    assert_int_equal(pair->ends[1].seen_count, count);
    assert_int_equal(pair_send(end, channel, count, 10000), OK);
    pair_free(pair);
}

/* ---- numbers ---- */

static void test_channels(void **state)
{
    (void)state;
    struct pair *pair = pair_new(24);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel *channels[SCTP_CHANNELS_MAX];
    struct sctp_channel *more;
    char label[SCTP_LABEL_MAX + 1];
    struct sctp_channel_terms terms = { .label = view_make(label, sizeof label) };
    memset(label, 'x', sizeof label);
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &more), ERR_LIMIT);
    terms.label.size = SCTP_LABEL_MAX;
    for (unsigned i = 0; i < SCTP_CHANNELS_MAX; i++) {
        channels[i] = pair_channel(pair, 0, &terms);
        assert_int_equal(channels[i]->stream, SCTP_OWN_STREAMS + 2 * i);
    }
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &more), ERR_LIMIT);
    sctp_close_channel(&end->sctp, pair->now, channels[3]);
    pair_run(pair, 5 * USEC_S);
    pair->ends[1].opened_count = 0;
    assert_int_equal(pair_channel(pair, 0, &terms)->stream, SCTP_OWN_STREAMS + 6);
    pair_free(pair);
}

/* the other end opens more than we have room for: those are never answered, the rest goes on */
static void test_too_many_channels(void **state)
{
    (void)state;
    struct sctp_config config = PAIR_CONFIG;
    struct pair *pair = pair_make(25, &config);
    struct pair_end *end = &pair->ends[0];
    pair_open(pair, 0);
    pair_open(pair, 1);
    pair->ends[1].sctp.channels.count_max = 3;
    struct sctp_channel *first = pair_channel(pair, 0, &CHAT);
    for (unsigned i = 0; i < 10; i++) {
        struct sctp_channel *more;
        assert_int_equal(
            sctp_open_channel(&end->sctp, pair->now, end->association, &CHAT, NULL, &more), OK);
        assert_int_equal(pair_send(end, more, i, 5000), OK);
    }
    pair_run(pair, 10 * USEC_S);
    assert_int_equal(pair->ends[1].opened_count, 3);
    assert_int_equal(pair->ends[1].seen_count, 2);
    assert_int_equal(pair_send(end, first, 77, 5000), OK);
    pair_run(pair, 10 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 3);
    assert_true(metrics_read(&pair->ends[1].metrics, METRIC_SCTP_DROPPED_LIMIT) > 0);
    pair_free(pair);
}

static void test_associations(void **state)
{
    (void)state;
    struct pair *pair = pair_new(26);
    struct sctp *sctp = &pair->ends[0].sctp;
    struct sctp_terms terms = { .local_port = 1, .remote_port = 2 };
    struct sctp_association *more[4];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sctp_open(sctp, pair->now, &terms, NULL, &more[i]), OK);
    assert_int_equal(sctp_open(sctp, pair->now, &terms, NULL, &more[3]), ERR_LIMIT);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sctp_close(sctp, pair->now, more[i]).size, 0); /* nobody to tell */
    pair_free(pair);
}

/* with hardly anything to work with, all goes on, if slowly */
static void test_small_pools(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct sctp_config config = PAIR_CONFIG;
        if (i == 0)
            config.chunks_max = 3;
        else if (i == 1)
            config.messages_max = 2;
        else
            config.pieces_max = 8;
        struct pair *pair = pair_make(27 + i, &config);
        pair_open(pair, 0);
        pair_open(pair, 1);
        pair_run(pair, USEC_S);
        struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
        uint32_t sent = 0;
        pair->loss = 50;
        for (unsigned n = 0; n < 100; n++) {
            int status = pair_send(&pair->ends[0], channel, sent, 8000);
            assert_true(status == OK || (i == 1 && status == ERR_LIMIT));
            sent += status == OK;
            pair_run(pair, 100 * USEC_MS);
        }
        pair_run(pair, 400 * USEC_S);
        if (pair->ends[1].seen_count != sent)
            fail_msg("%u: %u of %u came", i, pair->ends[1].seen_count, sent);
        for (uint32_t n = 0; n < sent; n++)
            assert_int_equal(pair->ends[1].seen[n].number, n);
        pair_free(pair);
    }
}

/* no memory for messages: it is as if packets were lost, and what can't be helped is said */
static void test_no_buffers(void **state)
{
    (void)state;
    struct pair *pair = pair_new(31);
    struct pair_end *to = &pair->ends[1];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    struct buffer *hogs[4096];
    unsigned count = 0;
    while (buffers_take(to->buffers, 60000, &hogs[count]) == OK)
        count++;
    while (buffers_take(to->buffers, 16, &hogs[count]) == OK && count < 4095)
        count++;
    assert_int_equal(pair_send(&pair->ends[0], channel, 1, 3000), OK);
    pair_run(pair, 3 * USEC_S);
    assert_int_equal(to->seen_count, 0);
    while (count)
        buffer_give(to->buffers, hogs[--count]);
    pair_run(pair, 10 * USEC_S);
    assert_int_equal(to->seen_count, 1);
    assert_int_equal(to->end, SCTP_OPEN);
    pair_free(pair);
}

/* ---- numbers that wrap ---- */

static void high_fill(void *context, void *into, size_t size)
{
    (void)context;
    memset(into, 0xff, size);
    if (size > 4)
        ((uint8_t *)into)[4] = 0xf0; /* of the first TSN, on a machine of either order */
}

static void test_wraps(void **state)
{
    (void)state;
    struct pair *pair = pair_make(32, &PAIR_CONFIG);
    struct random high = { high_fill, NULL };
    struct sctp_channel_terms partial = { .reliability = DCEP_RETRANSMITS };
    pair->random = high;
    pair->delay = USEC_MS;
    pair_open(pair, 0);
    pair_open(pair, 1);
    pair_run(pair, USEC_S);
    assert_true(pair->ends[0].association->initial_tsn > 0xf0000000);
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    struct sctp_channel *other = pair_channel(pair, 0, &partial);
    pair->loss = 20;
    /* more than there are SSNs; and the TSNs begin shortly before their end */
    uint32_t upto = 0;
    uint32_t sent = 0;
    for (unsigned round = 0; round < 100000 && upto < 70000; round++) {
        struct pair_end *to = &pair->ends[1];
        for (unsigned i = 0; i < 50 && sent < 70000; i++)
            sent += pair_send(&pair->ends[0], channel, sent, 8) == OK;
        (void)pair_send(&pair->ends[0], other, 0, 2000);
        pair_run(pair, 4 * USEC_MS);
        for (unsigned n = 0; n < to->seen_count; n++)
            if (to->seen[n].channel == pair->ends[1].opened[0])
                assert_int_equal(to->seen[n].number, upto++);
        to->seen_count = 0;
    }
    assert_int_equal(upto, 70000);
    pair_free(pair);
}

/* ---- what nobody should send ---- */

static void test_damage(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct pair *pair = pair_new(seed);
        struct sctp_channel_terms terms = CHAT;
        pair->is_damaged = true;
        terms.reliability = (uint8_t)(seed % 3);
        struct sctp_channel *channel = pair_channel(pair, 0, &terms);
        for (uint32_t i = 0; i < 200 && pair->ends[1].end == SCTP_OPEN; i++) {
            (void)pair_send(&pair->ends[0], channel, i, 4 + pair_chance(pair, 2000));
            pair_drain(&pair->ends[0]);
            if (pair->count == 0) {
                pair_run(pair, 30 * USEC_MS);
                continue;
            }
            struct way *way = &pair->way[pair_chance(pair, (uint32_t)pair->count)];
            uint32_t at = 12 + pair_chance(pair, way->size - 12u);
            way->bytes[at] ^= (uint8_t)(1u << pair_chance(pair, 8));
            uint32_t crc = sctp_crc32c(view_make(way->bytes, way->size), 8);
            for (unsigned n = 0; n < 4; n++)
                way->bytes[8 + n] = (uint8_t)(crc >> 8 * n);
            /* what it says may be anything: it is only not to break us */
            uint8_t *copy = test_copy(view_make(way->bytes, way->size));
            struct sctp *sctp = &way->to->sctp;
            struct sctp_out out;
            sctp_feed(sctp, pair->now, way->to->association, view_make(copy, way->size));
            free(copy);
            do {
                sctp_poll(sctp, &out);
                if (out.kind == SCTP_ENDED)
                    way->to->end = out.end;
            } while (out.kind != SCTP_WAIT);
            pair->count = 0;
            pair->now += 10 * USEC_MS;
        }
        pair_free(pair);
    }
}

static void add_sack(struct sctp_writer *writer, uint32_t tsn)
{
    uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_SACK, 0, 12);
    assert_non_null(at);
    memset(at, 0, 12);
    bytes_write_32(at, tsn);
}

/* of many SACKs in a packet, one is read: each costs as much as is on the way */
static void test_many_sacks(void **state)
{
    uint8_t bytes[SCTP_PACKET_MAX];
    struct sctp_writer writer;
    (void)state;
    struct pair *pair = pair_new(35);
    struct pair_end *end = &pair->ends[0];
    struct sctp_association *association = end->association;
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    pair->is_cut = true;
    assert_int_equal(pair_send(end, channel, 1, 100), OK);
    pair_drain(end);
    for (unsigned first = 0; first < 2; first++) {
        sctp_begin(&writer, bytes, sizeof bytes, 5001, 5000, association->local_tag);
        add_sack(&writer, association->cumulative_out + first);
        add_sack(&writer, association->cumulative_out + 1);
        sctp_seal(&writer);
        sctp_feed(&end->sctp, pair->now, association, view_make(bytes, writer.size));
        pair_drain(end);
        assert_int_equal(sctp_queued(association), first ? 0 : 100);
    }
    pair_free(pair);
}

/* packets under another tag or port, or with another checksum, are not heard */
static void test_strangers(void **state)
{
    uint8_t bytes[16];
    struct sctp_writer writer;
    (void)state;
    struct pair *pair = pair_new(33);
    struct pair_end *end = &pair->ends[0];
    struct sctp_association *association = end->association;
    static const struct {
        uint16_t from;
        uint16_t to;
        bool is_ours;
        uint8_t flags;
        bool is_heard;
    } CASES[] = {
        { 5001, 5000, false, 0, false }, { 5001, 5000, false, 1, false },
        { 5002, 5000, true, 0, false },  { 5001, 5002, true, 0, false },
        { 5001, 5000, true, 0, true },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint32_t tag = association->local_tag + !CASES[i].is_ours;
        sctp_begin(&writer, bytes, sizeof bytes, CASES[i].from, CASES[i].to, tag);
        assert_non_null(sctp_add_chunk(&writer, SCTP_CHUNK_ABORT, CASES[i].flags, 0));
        sctp_seal(&writer);
        for (unsigned bit = 0; bit < 32 && !CASES[i].is_heard; bit++) {
            uint8_t damaged[16];
            memcpy(damaged, bytes, sizeof bytes);
            damaged[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
            sctp_feed(&end->sctp, pair->now, association, view_make(damaged, sizeof damaged));
            pair_drain(end);
        }
        sctp_feed(&end->sctp, pair->now, association, view_make(bytes, sizeof bytes));
        pair_drain(end);
        assert_int_equal(end->end, CASES[i].is_heard ? SCTP_END_BY_PEER : SCTP_OPEN);
    }
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_give_up),      cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_large),        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_window),       cmocka_unit_test(test_full),
        cmocka_unit_test(test_channels),     cmocka_unit_test(test_too_many_channels),
        cmocka_unit_test(test_associations), cmocka_unit_test(test_small_pools),
        cmocka_unit_test(test_no_buffers),   cmocka_unit_test(test_wraps),
        cmocka_unit_test(test_damage),       cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_many_sacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
