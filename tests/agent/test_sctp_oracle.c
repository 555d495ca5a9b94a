/* test_sctp_oracle.c - data channels against usrsctp, which is what Firefox has: each hears what
 * the other says, over good ways and bad ones. */
#include "sctp_oracle.h"

static struct oracle *oracle;
static struct pair *pair;
static struct pair_end *end;

static void begin(uint64_t seed)
{
    pair = pair_make(seed, &PAIR_CONFIG);
    pair->look = oracle_look;
    end = &pair->ends[0];
    oracle = oracle_new(pair);
}

static void begin_up(uint64_t seed)
{
    begin(seed);
    pair_open(pair, 0);
    oracle_connect(oracle);
    oracle_run(pair, 2 * USEC_S);
    assert_true(end->is_up && oracle->is_up);
}

static void finish(void)
{
    oracle_free(oracle);
    pair_free(pair);
}

static void test_up(void **state)
{
    (void)state;
    for (unsigned who = 1; who <= 3; who++) {
        for (unsigned seed = 1; seed <= 10; seed++) {
            begin(seed);
            pair->loss = seed % 2 * 200;
            pair->jitter = seed % 3 * 50 * USEC_MS;
            if (who & 1)
                oracle_connect(oracle);
            oracle_run(pair, seed % 4 * 20 * USEC_MS);
            /* ours always calls, for it can't be heard otherwise: what is lost is who is first */
            pair_open(pair, 0);
            if (who & 2)
                oracle_connect(oracle);
            for (int i = 0; i < 60 && !(end->is_up && oracle->is_up); i++)
                oracle_run(pair, USEC_S);
            if (!end->is_up || !oracle->is_up || end->end)
                fail_msg("seed %u, who %u: not up", seed, who);
            finish();
        }
    }
}

static struct sctp_channel *open_channel(const struct sctp_channel_terms *terms)
{
    struct sctp_channel *channel;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, terms, NULL, &channel), OK);
    for (int i = 0; i < 60 && !channel->is_acked; i++)
        oracle_run(pair, USEC_S);
    assert_true(channel->is_acked);
    return channel;
}

static const struct sctp_channel_terms CHAT = { .label = { (const uint8_t *)"chat", 4 } };

/* it opens a channel; gives what we see of it */
static struct sctp_channel *hear_open(uint16_t stream, uint8_t reliability, bool is_unordered,
                                      uint32_t parameter)
{
    struct dcep_open open = { .reliability = reliability,
                              .is_unordered = is_unordered,
                              .parameter = parameter,
                              .label = view_of("theirs") };
    uint8_t bytes[100];
    unsigned count = end->opened_count;
    dcep_write_open(&open, bytes);
    assert_int_equal(
        oracle_send(oracle, stream, DCEP_PPID, view_make(bytes, dcep_open_size(&open)), false, -1),
        OK);
    for (int i = 0; i < 60 && end->opened_count == count; i++)
        oracle_run(pair, USEC_S);
    assert_int_equal(end->opened_count, count + 1);
    assert_view(end->opened[count]->label, "theirs");
    return end->opened[count];
}

static void carry(uint64_t seed, unsigned loss, usec jitter, bool is_unordered)
{
    begin_up(seed);
    struct sctp_channel_terms terms = CHAT;
    terms.is_unordered = is_unordered;
    struct sctp_channel *channel = open_channel(&terms);
    uint32_t sent = 0;
    uint32_t heard = 0;
    pair->loss = loss;
    pair->jitter = jitter;
    for (unsigned i = 0; i < 60; i++) {
        uint32_t size = 4 + (i % 10 ? pair_chance(pair, 3000) : pair_chance(pair, 262140));
        if (i % 2)
            sent += pair_send(end, channel, sent, size) == OK;
        else
            heard +=
                oracle_send_number(oracle, channel->stream, heard, size, is_unordered, -1) == OK;
        oracle_run(pair, pair_chance(pair, 30) * 10 * USEC_MS);
    }
    for (int i = 0; i < 900 && (oracle->seen_count < sent || end->seen_count < heard); i++)
        oracle_run(pair, USEC_S);
    if (oracle->seen_count != sent || end->seen_count != heard || end->end)
        fail_msg("seed %u: it saw %u of %u, we %u of %u, end %d", (unsigned)seed,
                 oracle->seen_count, sent, end->seen_count, heard, end->end);
    for (uint32_t i = 0; !is_unordered && i < sent; i++)
        assert_int_equal(oracle->seen[i].number, i);
    for (uint32_t i = 0; !is_unordered && i < heard; i++)
        assert_int_equal(end->seen[i].number, i);
    assert_true(sent > 10 && heard > 10);
    finish();
}

static void test_carry(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 12; seed++)
        carry(seed, seed % 3 * 30, seed % 4 * 20 * USEC_MS, seed % 2);
}

/* what is given up is told, and what follows is heard */
static void test_partial(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        begin_up(20 + i);
        struct sctp_channel_terms terms = { .label = view_of("p"),
                                            .reliability = DCEP_RETRANSMITS,
                                            .is_unordered = i & 1,
                                            .parameter = i / 2 };
        struct sctp_channel *ours = open_channel(&terms);
        struct sctp_channel *theirs = hear_open(1, DCEP_RETRANSMITS, i & 1, i / 2);
        assert_int_equal(theirs->parameter, i / 2);
        pair->loss = 200;
        for (uint32_t n = 0; n < 200; n++) {
            assert_int_equal(pair_send(end, ours, n, 4 + pair_chance(pair, 5000)), OK);
            (void)oracle_send_number(oracle, 1, n, 4 + pair_chance(pair, 5000), i & 1,
                                     (int)(i / 2));
            oracle_run(pair, 50 * USEC_MS);
        }
        oracle_run(pair, 60 * USEC_S);
        pair->loss = 0;
        oracle_run(pair, 60 * USEC_S);
        unsigned before = oracle->seen_count;
        unsigned heard = end->seen_count;
        if (i < 2) /* not once more: of a long message, a part is always lost */
            assert_true(before < 195 && heard < 195);
        assert_true(before > 20 && heard > 20);
        assert_int_equal(pair_send(end, ours, 1000, 3000), OK);
        assert_int_equal(oracle_send_number(oracle, 1, 1001, 3000, i & 1, (int)(i / 2)), OK);
        oracle_run(pair, 10 * USEC_S);
        assert_int_equal(oracle->seen_count, before + 1);
        assert_int_equal(oracle->seen[before].number, 1000);
        assert_int_equal(end->seen_count, heard + 1);
        assert_int_equal(end->seen[heard].number, 1001);
        for (unsigned n = 1; !(i & 1) && n < before; n++)
            assert_true(oracle->seen[n].number > oracle->seen[n - 1].number);
        for (unsigned n = 1; !(i & 1) && n < heard; n++)
            assert_true(end->seen[n].number > end->seen[n - 1].number);
        finish();
    }
}

static void oracle_reset(uint16_t stream)
{
    struct {
        struct sctp_reset_streams head;
        uint16_t stream;
    } reset = { .head = { .srs_flags = SCTP_STREAM_RESET_OUTGOING, .srs_number_streams = 1 },
                .stream = stream };
    size_t size = offsetof(struct sctp_reset_streams, srs_stream_list) + sizeof reset.stream;
    memcpy(reset.head.srs_stream_list, &stream, sizeof stream);
    assert_int_equal(usrsctp_setsockopt(oracle->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, &reset,
                                        (socklen_t)size),
                     0);
}

static void test_close_ours(void **state)
{
    (void)state;
    begin_up(40);
    for (unsigned round = 0; round < 20; round++) {
        struct sctp_channel *channel = open_channel(&CHAT);
        assert_int_equal(channel->stream,
                         SCTP_OWN_STREAMS + !end->association->terms.is_dtls_client);
        pair->loss = round % 3 * 100;
        assert_int_equal(pair_send(end, channel, round, 20000), OK);
        sctp_close_channel(&end->sctp, pair->now, channel);
        for (int i = 0; i < 60 && oracle->resets_in <= round; i++)
            oracle_run(pair, USEC_S);
        assert_int_equal(oracle->resets_in, round + 1);
        assert_int_equal(oracle->last_reset, channel->stream);
        assert_int_equal(oracle->seen_count, round + 1);
        assert_int_equal(end->closed_count, round);
        oracle_reset(channel->stream);
        for (int i = 0; i < 60 && end->closed_count <= round; i++)
            oracle_run(pair, USEC_S);
        assert_int_equal(end->closed_count, round + 1);
        oracle_run(pair, 10 * USEC_S);
        pair->loss = 0;
    }
    finish();
}

static void test_close_theirs(void **state)
{
    (void)state;
    begin_up(41);
    for (unsigned round = 0; round < 20; round++) {
        end->opened_count = 0;
        (void)hear_open(3, DCEP_RELIABLE, false, 0);
        pair->loss = round % 3 * 100;
        assert_int_equal(oracle_send_number(oracle, 3, round, 20000, false, -1), OK);
        oracle_run(pair, 20 * USEC_S);
        oracle_reset(3);
        for (int i = 0; i < 60 && end->closed_count <= round; i++)
            oracle_run(pair, USEC_S);
        assert_int_equal(end->closed_count, round + 1);
        assert_int_equal(end->seen_count, round + 1);
        oracle_run(pair, 10 * USEC_S);
        assert_int_equal(oracle->resets_in, round + 1);
        pair->loss = 0;
        oracle_run(pair, 10 * USEC_S);
    }
    finish();
}

static void test_ends(void **state)
{
    (void)state;
    begin_up(50);
    usrsctp_close(oracle->socket); /* with an ABORT, for it does not linger */
    oracle->socket = NULL;
    oracle_run(pair, USEC_S);
    assert_int_equal(end->end, SCTP_END_BY_PEER);
    finish();

    begin_up(51);
    struct view packet = sctp_close(&end->sctp, pair->now, end->association);
    end->association = NULL;
    pair_carry(pair, &pair->ends[1], packet);
    oracle_run(pair, USEC_S);
    assert_true(oracle->is_gone);
    finish();

    begin_up(52);
    assert_int_equal(usrsctp_shutdown(oracle->socket, SHUT_WR), 0);
    oracle_run(pair, USEC_S);
    assert_int_equal(end->end, SCTP_END_BY_PEER);
    assert_true(oracle->is_gone);
    finish();
}

static int start(void **state)
{
    (void)state;
    usrsctp_init_nothreads(0, oracle_output, NULL);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up),           cmocka_unit_test(test_carry),
        cmocka_unit_test(test_partial),      cmocka_unit_test(test_close_ours),
        cmocka_unit_test(test_close_theirs), cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
