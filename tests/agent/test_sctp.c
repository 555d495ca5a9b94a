/* test_sctp.c - data channels, two associations back to back: how they come about, what they carry,
 * how they end. */
#include "sctp_pair.h"

static const struct sctp_channel_terms CHAT = { .label = { (const uint8_t *)"chat", 4 },
                                                .protocol = { (const uint8_t *)"json", 4 } };

static void test_up(void **state)
{
    (void)state;
    struct pair *pair = pair_new(1);
    assert_int_equal(pair->count, 0);
    assert_int_equal(pair->ends[0].until, USEC_NEVER);
    assert_int_equal(metrics_read(&pair->ends[0].metrics, METRIC_SCTP_UP), 1);
    pair_free(pair);
}

/* one calls, the other hears it before it has called itself; and any order of lost packets */
static void test_up_under_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct pair *pair = pair_make(seed, &PAIR_CONFIG);
        pair->loss = 300;
        pair->repeat = 200;
        pair->jitter = 100 * USEC_MS;
        pair_open(pair, seed & 1);
        pair_run(pair, pair_chance(pair, 3000) * USEC_MS);
        pair_open(pair, !(seed & 1));
        pair_run(pair, 60 * USEC_S);
        if (!pair->ends[0].is_up || !pair->ends[1].is_up || pair->ends[0].end || pair->ends[1].end)
            fail_msg("seed %u: not up", (unsigned)seed);
        pair->loss = 0;
        struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
        assert_int_equal(pair_send(&pair->ends[0], channel, 7, 100), OK);
        pair_run(pair, 10 * USEC_S);
        assert_int_equal(pair->ends[1].seen_count, 1);
        pair_free(pair);
    }
}

static void test_channel(void **state)
{
    (void)state;
    struct pair *pair = pair_new(2);
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    struct sctp_channel *theirs = pair->ends[1].opened[0];
    assert_int_equal(channel->stream, SCTP_OWN_STREAMS);
    assert_int_equal(theirs->stream, SCTP_OWN_STREAMS);
    assert_view(theirs->label, "chat");
    assert_view(theirs->protocol, "json");
    assert_view(channel->label, "chat");
    assert_false(theirs->is_unordered);
    assert_true(channel->is_acked);
    /* who is DTLS server has the odd ones */
    struct sctp_channel *back = pair_channel(pair, 1, &CHAT);
    assert_int_equal(back->stream, SCTP_OWN_STREAMS + 1);
    assert_int_equal(pair_channel(pair, 0, &CHAT)->stream, SCTP_OWN_STREAMS + 2);

    assert_int_equal(pair_send(&pair->ends[0], channel, 1, 10), OK);
    assert_int_equal(pair_send(&pair->ends[1], theirs, 2, 1000), OK);
    pair_run(pair, USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 1);
    assert_ptr_equal(pair->ends[1].seen[0].channel, theirs);
    assert_int_equal(pair->ends[1].seen[0].number, 1);
    assert_int_equal(pair->ends[0].seen_count, 1);
    assert_ptr_equal(pair->ends[0].seen[0].channel, channel);
    assert_int_equal(pair->ends[0].seen[0].size, 1000);
    assert_int_equal(sctp_queued(pair->ends[0].association), 0);
    pair_free(pair);
}

static void test_kinds(void **state)
{
    (void)state;
    struct pair *pair = pair_new(3);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    struct buffer *message;
    assert_int_equal(buffers_take(end->buffers, 10, &message), OK);
    assert_int_equal(sctp_send(&end->sctp, pair->now, channel, SCTP_STRING, message), OK);
    assert_int_equal(sctp_send(&end->sctp, pair->now, channel, SCTP_BINARY, message), OK);
    buffer_give(end->buffers, message);
    assert_int_equal(buffers_take(end->buffers, 10, &message), OK);
    message->size = 1;
    message->bytes[0] = 'x';
    assert_int_equal(sctp_send(&end->sctp, pair->now, channel, SCTP_STRING, message), OK);
    buffer_give(end->buffers, message);
    pair_run(pair, USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 3);
    assert_int_equal(pair->ends[1].seen[0].kind, SCTP_STRING);
    assert_int_equal(pair->ends[1].seen[0].size, 0);
    assert_int_equal(pair->ends[1].seen[1].kind, SCTP_BINARY);
    assert_int_equal(pair->ends[1].seen[1].size, 0);
    assert_int_equal(pair->ends[1].seen[2].kind, SCTP_STRING);
    assert_int_equal(pair->ends[1].seen[2].size, 1);
    pair_free(pair);
}

/* messages of any size, both ways, over a bad way: each once, in order, whole */
static void carry_all(uint64_t seed, unsigned loss)
{
    struct pair *pair = pair_new(seed);
    struct sctp_channel *channels[2] = { pair_channel(pair, 0, &CHAT), NULL };
    channels[1] = pair->ends[1].opened[0];
    uint32_t sent[2] = { 0 };
    pair->loss = loss;
    pair->repeat = 50;
    pair->jitter = 60 * USEC_MS;
    for (unsigned round = 0; round < 60; round++) {
        unsigned n = pair_chance(pair, 2);
        uint32_t size = 4 + (pair_chance(pair, 10) ? pair_chance(pair, 3000)
                                                   : pair_chance(pair, 256 * 1024 - 4));
        if (pair_send(&pair->ends[n], channels[n], sent[n], size) == OK)
            sent[n]++;
        pair_run(pair, pair_chance(pair, 300) * USEC_MS);
    }
    for (unsigned i = 0;
         i < 600 && (pair->ends[1].seen_count < sent[0] || pair->ends[0].seen_count < sent[1]); i++)
        pair_run(pair, USEC_S);
    for (unsigned n = 0; n < 2; n++) {
        struct pair_end *to = &pair->ends[!n];
        if (to->seen_count != sent[n] || to->end)
            fail_msg("seed %u: %u of %u came, end %d", (unsigned)seed, to->seen_count, sent[n],
                     to->end);
        for (uint32_t i = 0; i < sent[n]; i++)
            assert_int_equal(to->seen[i].number, i);
    }
    pair->loss = 0;
    pair_run(pair, 20 * USEC_S);
    assert_int_equal(pair->ends[0].association->flight, 0);
    assert_int_equal(sctp_queued(pair->ends[0].association), 0);
    assert_int_equal(pair->ends[0].until, USEC_NEVER);
    pair_free(pair);
}

static void test_bad_way(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        carry_all(seed, seed % 4 * 40);
}

static void test_unordered(void **state)
{
    (void)state;
    struct pair *pair = pair_new(4);
    struct sctp_channel_terms terms = { .label = view_of("u"), .is_unordered = true };
    struct sctp_channel *channel = pair_channel(pair, 0, &terms);
    bool has_come[500] = { 0 };
    bool is_out_of_order = false;
    assert_true(pair->ends[1].opened[0]->is_unordered);
    pair->loss = 100;
    pair->jitter = 30 * USEC_MS;
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(pair_send(&pair->ends[0], channel, i, 4 + pair_chance(pair, 3000)), OK);
        pair_run(pair, 30 * USEC_MS);
    }
    pair_run(pair, 100 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 500);
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t number = pair->ends[1].seen[i].number;
        assert_true(number < 500 && !has_come[number]);
        has_come[number] = true;
        is_out_of_order |= number != i;
    }
    assert_true(is_out_of_order);
    pair_free(pair);
}

static bool lose_all(struct pair *pair, struct pair_end *from, struct view packet)
{
    (void)pair;
    (void)from;
    (void)packet;
    return false;
}

/* nothing overtakes the OPEN, not even on a channel without order (RFC 8832, section 6) */
static void test_not_before_open(void **state)
{
    (void)state;
    struct pair *pair = pair_new(14);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel_terms terms = { .label = view_of("u"), .is_unordered = true };
    struct sctp_channel *channel;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &channel), OK);
    pair->look = lose_all;
    pair_drain(end);
    pair->look = NULL;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(pair_send(end, channel, i, 100), OK);
    pair_run(pair, 10 * USEC_S);
    assert_int_equal(pair->ends[1].opened_count, 1);
    assert_int_equal(pair->ends[1].seen_count, 3);
    pair_free(pair);
}

static void test_stream_taken(void **state)
{
    (void)state;
    struct pair *pair = pair_new(5);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel_terms terms = { .is_negotiated = true, .stream = 1000 };
    struct sctp_channel *ours;
    struct sctp_channel *again;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &ours), OK);
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &again),
        ERR_EXISTS);
    terms.stream = 65535;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &again),
        ERR_EXISTS);
    /* the other end hears of the stream before it has opened it */
    assert_int_equal(pair_send(end, ours, 1, 50), OK);
    pair_run(pair, USEC_S);
    assert_int_equal(pair->ends[1].opened_count, 0);
    assert_int_equal(pair->ends[1].seen_count, 0);
    end = &pair->ends[1];
    /* whoever walks the channels does not see it */
    assert_true(list_empty(&end->association->channels));
    assert_false(list_empty(&end->association->records));
    terms.stream = 1000;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, &terms, NULL, &again), OK);
    assert_int_equal(pair_send(&pair->ends[0], ours, 2, 50), OK);
    pair_run(pair, USEC_S);
    assert_int_equal(end->seen_count, 1);
    assert_int_equal(end->seen[0].number, 2);
    pair_free(pair);
}

static void test_close_channel(void **state)
{
    (void)state;
    struct pair *pair = pair_new(6);
    for (unsigned round = 0; round < 300; round++) {
        struct sctp_channel *channel = pair_channel(pair, round & 1, &CHAT);
        struct pair_end *end = &pair->ends[round & 1];
        struct pair_end *other = &pair->ends[!(round & 1)];
        pair->loss = round % 3 * 100;
        unsigned seen = other->seen_count;
        /* what was said before comes over, nothing more is taken, and streams are used again */
        assert_int_equal(channel->stream, SCTP_OWN_STREAMS + (round & 1));
        assert_int_equal(pair_send(end, channel, round, 3000), OK);
        assert_true(sctp_is_open(channel));
        sctp_close_channel(&end->sctp, pair->now, channel);
        sctp_close_channel(&end->sctp, pair->now, channel);
        assert_false(sctp_is_open(channel));
        assert_int_equal(pair_send(end, channel, round, 10), ERR_CLOSED);
        pair_run(pair, 30 * USEC_S);
        pair->loss = 0;
        pair_run(pair, 20 * USEC_S);
        assert_int_equal(other->seen_count, seen + 1);
        assert_int_equal(end->closed_count, round + 1);
        assert_int_equal(other->closed_count, round + 1);
        other->opened_count = 0;
    }
    assert_true(list_empty(&pair->ends[0].association->records));
    pair_free(pair);
}

/* both at once; and several, while others go on */
static void test_close_crossing(void **state)
{
    (void)state;
    struct pair *pair = pair_new(7);
    struct sctp_channel *channels[10];
    for (unsigned i = 0; i < 10; i++)
        channels[i] = pair_channel(pair, 0, &CHAT);
    pair->loss = 200;
    for (unsigned i = 0; i < 9; i++) {
        sctp_close_channel(&pair->ends[0].sctp, pair->now, channels[i]);
        if (i % 2)
            sctp_close_channel(&pair->ends[1].sctp, pair->now, pair->ends[1].opened[i]);
        assert_int_equal(pair_send(&pair->ends[0], channels[9], i, 5000), OK);
        pair_run(pair, 10 * USEC_MS);
    }
    pair_run(pair, 60 * USEC_S);
    assert_int_equal(pair->ends[0].closed_count, 9);
    assert_int_equal(pair->ends[1].closed_count, 9);
    assert_int_equal(pair->ends[1].seen_count, 9);
    pair_free(pair);
}

/* a response to a reset */
static bool is_response(struct view packet)
{
    struct sctp_packet read;
    struct sctp_chunk chunk;
    struct sctp_parameter parameter;
    assert_int_equal(sctp_read_packet(packet, &read), OK);
    while (sctp_next_chunk(&read.chunks, &chunk) == OK)
        if (chunk.type == SCTP_CHUNK_RE_CONFIG &&
            sctp_next_parameter(&chunk.value, &parameter) == OK &&
            parameter.type == SCTP_PARAMETER_RECONFIG_RESPONSE)
            return true;
    return false;
}

static bool lose_responses(struct pair *pair, struct pair_end *from, struct view packet)
{
    return from != &pair->ends[0] || !is_response(packet);
}

/* who has closed a channel, and heard so, takes its stream again before the other has heard it */
static void test_stream_again(void **state)
{
    (void)state;
    struct pair *pair = pair_new(12);
    struct pair_end *end = &pair->ends[0];
    struct pair_end *other = &pair->ends[1];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    pair->look = lose_responses;
    sctp_close_channel(&end->sctp, pair->now, channel);
    for (unsigned i = 0; i < 10; i++) {
        pair_run(pair, 300 * USEC_MS);
        assert_int_equal(end->closed_count, i + 1);
        assert_int_equal(other->closed_count, i);
        channel = pair_channel(pair, 0, &CHAT);
        assert_int_equal(channel->stream, SCTP_OWN_STREAMS);
        assert_int_equal(other->closed_count, i + 1);
        pair->look = NULL;
        pair_run(pair, 3 * USEC_S);
        assert_int_equal(pair_send(end, channel, i, 3000), OK);
        pair_run(pair, USEC_S);
        assert_int_equal(other->seen_count, i + 1);
        pair->look = lose_responses;
        sctp_close_channel(&end->sctp, pair->now, channel);
    }
    pair_free(pair);
}

static unsigned data_count;
static unsigned data_lost; /* its number */

static bool lose_one(struct pair *pair, struct pair_end *from, struct view packet)
{
    (void)packet;
    return from != &pair->ends[0] || data_count++ != data_lost;
}

/* what is lost among others is sent again when three SACKs have said so, and not only when the
 * time is up; and no more is sent at once than the way has shown to carry */
static void test_congestion(void **state)
{
    (void)state;
    struct pair *pair = pair_new(13);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    data_count = 0;
    data_lost = 20;
    pair->look = lose_one;
    assert_int_equal(pair_send(end, channel, 0, 100000), OK);
    pair_drain(end);
    assert_int_equal(data_count, 4); /* section 7.2.1: 4404 bytes */
    pair_run(pair, 2 * pair->delay);
    assert_int_equal(data_count, 10); /* slow start: as many again, and one for each SACK */
    usec began = pair->now;
    while (metrics_read(&end->metrics, METRIC_SCTP_RETRANSMITTED) == 0)
        assert_true(pair_step(pair, began + USEC_S));
    assert_true(pair->now - began < 200 * USEC_MS);
    while (pair->ends[1].seen_count == 0)
        assert_true(pair_step(pair, began + 2 * USEC_S));
    assert_int_equal(metrics_read(&end->metrics, METRIC_SCTP_RETRANSMITTED), 1);
    /* the way has shown that it does not carry all */
    assert_true(end->association->cwnd < 30000);
    pair_run(pair, 5 * USEC_S);

    data_lost = data_count; /* and all behind it */
    pair->is_cut = true;
    assert_int_equal(pair_send(end, channel, 1, 100000), OK);
    pair_drain(end);
    data_count = 0;
    pair_run(pair, 3500 * USEC_MS);
    /* once, and then after twice the time, and so on: one packet each (section 7.2.3) */
    assert_in_range(data_count, 2, 3);
    pair->is_cut = false;
    pair_run(pair, 20 * USEC_S);
    assert_int_equal(pair->ends[1].seen_count, 2);
    pair_free(pair);
}

static void test_peer_vanishes(void **state)
{
    (void)state;
    struct pair *pair = pair_new(8);
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    pair->is_cut = true;
    assert_int_equal(pair_send(&pair->ends[0], channel, 1, 5000), OK);
    uint64_t before = pair->packets;
    pair_run(pair, 300 * USEC_S);
    assert_int_equal(pair->ends[0].end, SCTP_END_TIMEOUT);
    assert_true(pair->packets - before <= 40);
    assert_int_equal(pair_send(&pair->ends[0], channel, 1, 10), ERR_CLOSED);
    /* who is silent does not miss it: that is ICE's to find out */
    assert_int_equal(pair->ends[1].end, SCTP_OPEN);
    pair_free(pair);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    struct pair *pair = pair_make(9, &PAIR_CONFIG);
    pair_open(pair, 0);
    pair_run(pair, 200 * USEC_S);
    assert_int_equal(pair->ends[0].end, SCTP_END_TIMEOUT);
    assert_int_equal(pair->packets, 1 + SCTP_RETRANSMITS_MAX);
    pair_free(pair);
}

static void test_close(void **state)
{
    (void)state;
    struct pair *pair = pair_new(10);
    struct pair_end *end = &pair->ends[0];
    struct sctp_channel *channel = pair_channel(pair, 0, &CHAT);
    assert_int_equal(pair_send(end, channel, 1, 200000), OK);
    pair_drain(end);
    struct view packet = sctp_close(&end->sctp, pair->now, end->association);
    end->association = NULL;
    assert_int_equal(packet.size, 16);
    pair_carry(pair, &pair->ends[1], packet);
    pair_drain(end);
    pair_run(pair, USEC_S);
    assert_int_equal(pair->ends[1].end, SCTP_END_BY_PEER);
    packet = sctp_close(&pair->ends[1].sctp, pair->now, pair->ends[1].association);
    assert_int_equal(packet.size, 0);
    pair->ends[1].association = NULL;
    pair_free(pair);
}

/* the other end begins anew on the same DTLS */
static void test_restart(void **state)
{
    (void)state;
    struct pair *pair = pair_new(11);
    struct pair_end *end = &pair->ends[0];
    (void)pair_channel(pair, 0, &CHAT);
    sctp_close(&end->sctp, pair->now, end->association);
    pair_drain(end);
    end->is_up = false;
    pair_open(pair, 0);
    pair_run(pair, 5 * USEC_S);
    assert_int_equal(pair->ends[1].end, SCTP_END_RESTART);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up),
        cmocka_unit_test(test_up_under_loss),
        cmocka_unit_test(test_channel),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_bad_way),
        cmocka_unit_test(test_unordered),
        cmocka_unit_test(test_not_before_open),
        cmocka_unit_test(test_stream_taken),
        cmocka_unit_test(test_close_channel),
        cmocka_unit_test(test_close_crossing),
        cmocka_unit_test(test_stream_again),
        cmocka_unit_test(test_congestion),
        cmocka_unit_test(test_peer_vanishes),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
