/* sctp_pair.h - two associations back to back, over a way that loses, delays and repeats packets,
 * under a clock of its own.
 *
 * Messages are made of a number and bytes that follow from it, and checked as they come.
 */
#ifndef MOIM_TESTS_AGENT_SCTP_PAIR_H
#define MOIM_TESTS_AGENT_SCTP_PAIR_H

#include "support.h"

#include "agent/sctp.h"
#include "base/bytes.h"

#define PAIR_WAY_MAX    3000 /* packets on the way */
#define PAIR_PACKET_MAX 1500
#define PAIR_SEEN_MAX   8192

struct seen {
    struct sctp_channel *channel;
    uint16_t stream;
    uint8_t kind;
    uint32_t number;
    uint32_t size;
};

struct pair;

struct pair_end {
    struct pair *pair;
    struct sctp sctp;
    struct buffers *buffers;
    struct metrics metrics;
    struct sctp_association *association;
    struct sctp_channel *opened[SCTP_CHANNELS_MAX]; /* by the other end */
    unsigned opened_count;
    unsigned closed_count;
    unsigned writable_count;
    bool is_up;
    enum sctp_end end; /* why it ended */
    unsigned seen_count;
    struct seen seen[PAIR_SEEN_MAX];
    usec until;
};

struct way {
    usec at;
    struct pair_end *to;
    uint16_t size;
    uint8_t bytes[PAIR_PACKET_MAX];
};

struct pair {
    struct pair_end ends[2];
    usec now;
    uint64_t seed;
    struct random random;
    /* of a packet: in a thousand */
    unsigned loss;
    unsigned repeat;
    usec delay;
    usec jitter;
    bool is_cut;     /* nothing comes over any more */
    bool is_damaged; /* messages may be of any bytes */
    size_t count;
    uint64_t packets;
    /* looks at each before it goes; false: it is lost */
    bool (*look)(struct pair *pair, struct pair_end *from, struct view packet);
    struct way way[PAIR_WAY_MAX];
};

static inline uint32_t pair_chance(struct pair *pair, uint32_t below)
{
    uint32_t number;
    test_random_fill(&pair->seed, &number, sizeof number);
    return number % below;
}

static inline uint8_t pair_byte(uint32_t number, uint32_t i)
{
    return (uint8_t)((number + i) * 2654435761u >> 24);
}

/* Sends what sctp_send says of a message of that number and size (four at least). */
static inline int pair_send(struct pair_end *end, struct sctp_channel *channel, uint32_t number,
                            uint32_t size)
{
    struct buffer *message;
    assert_int_equal(buffers_take(end->buffers, size, &message), OK);
    bytes_write_32(message->bytes, number);
    for (uint32_t i = 4; i < size; i++)
        message->bytes[i] = pair_byte(number, i);
    message->size = size;
    int status = sctp_send(&end->sctp, end->pair->now, channel, SCTP_BINARY, message);
    buffer_give(end->buffers, message);
    return status;
}

static inline void pair_see(struct pair_end *end, const struct sctp_out *out)
{
    struct seen *seen = &end->seen[end->seen_count++];
    const struct buffer *message = out->message;
    assert_true(end->seen_count < PAIR_SEEN_MAX);
    *seen = (struct seen){ .channel = out->channel,
                           .stream = out->channel->stream,
                           .kind = out->message_kind,
                           .size = message->size };
    if (message->size < 4 || end->pair->is_damaged)
        return;
    seen->number = bytes_read_32(message->bytes);
    for (uint32_t i = 4; i < message->size; i++)
        if (message->bytes[i] != pair_byte(seen->number, i))
            fail_msg("message %u: byte %u is another", seen->number, i);
}

static inline void pair_carry(struct pair *pair, struct pair_end *to, struct view packet)
{
    struct way *way = &pair->way[pair->count];
    assert_true(pair->count < PAIR_WAY_MAX);
    assert_true(packet.size <= PAIR_PACKET_MAX && packet.size % 4 == 0);
    way->at = pair->now + pair->delay;
    if (pair->jitter)
        way->at += pair_chance(pair, (uint32_t)pair->jitter);
    way->to = to;
    way->size = (uint16_t)packet.size;
    memcpy(way->bytes, packet.at, packet.size);
    pair->count++;
}

static inline void pair_send_packet(struct pair_end *end, struct view packet)
{
    struct pair *pair = end->pair;
    struct pair_end *to = &pair->ends[end == &pair->ends[0]];
    bool is_let = !pair->look || pair->look(pair, end, packet);
    pair->packets++;
    if (!is_let || pair->is_cut || (pair->loss && pair_chance(pair, 1000) < pair->loss))
        return;
    pair_carry(pair, to, packet);
    if (pair->repeat && pair_chance(pair, 1000) < pair->repeat)
        pair_carry(pair, to, packet);
}

static inline void pair_drain(struct pair_end *end)
{
    struct sctp_out out;
    for (;;) {
        sctp_poll(&end->sctp, &out);
        switch ((enum sctp_out_kind)out.kind) {
        case SCTP_WAIT:
            end->until = out.until;
            return;
        case SCTP_SEND:
            pair_send_packet(end, out.packet);
            break;
        case SCTP_UP:
            assert_false(end->is_up);
            end->is_up = true;
            break;
        case SCTP_CHANNEL_OPENED:
            end->opened[end->opened_count++] = out.channel;
            break;
        case SCTP_MESSAGE:
            pair_see(end, &out);
            break;
        case SCTP_CHANNEL_CLOSED:
            end->closed_count++;
            break;
        case SCTP_WRITABLE:
            end->writable_count++;
            break;
        case SCTP_ENDED:
            assert_int_equal(end->end, SCTP_OPEN);
            assert_int_not_equal(out.end, SCTP_OPEN);
            end->end = out.end;
            break;
        }
    }
}

static inline void pair_drain_both(struct pair *pair)
{
    pair_drain(&pair->ends[0]);
    pair_drain(&pair->ends[1]);
}

/* The next that happens, if it does by `until`. */
static inline bool pair_step(struct pair *pair, usec until)
{
    usec at = USEC_NEVER;
    size_t next = pair->count;
    for (size_t i = 0; i < pair->count; i++) {
        if (pair->way[i].at < at) {
            at = pair->way[i].at;
            next = i;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (pair->ends[i].until < at) {
            at = pair->ends[i].until;
            next = pair->count;
        }
    }
    if (at == USEC_NEVER || at > until)
        return false;
    if (at > pair->now)
        pair->now = at;
    if (next == pair->count) {
        for (unsigned i = 0; i < 2; i++) {
            sctp_tick(&pair->ends[i].sctp, pair->now);
            pair_drain(&pair->ends[i]);
        }
        return true;
    }
    struct way way = pair->way[next];
    memmove(&pair->way[next], &pair->way[next + 1], (pair->count - next - 1) * sizeof pair->way[0]);
    pair->count--;
    if (way.to->association) {
        uint8_t *copy = test_copy(view_make(way.bytes, way.size));
        sctp_feed(&way.to->sctp, pair->now, way.to->association, view_make(copy, way.size));
        free(copy);
        pair_drain(way.to);
    }
    return true;
}

static inline void pair_run(struct pair *pair, usec time)
{
    usec until = pair->now + time;
    pair_drain_both(pair);
    while (pair_step(pair, until))
        ;
    pair->now = until;
}

static const struct sctp_config PAIR_CONFIG = {
    .associations_max = 4,
    .channels_max = 2 * SCTP_CHANNELS_MAX,
    .messages_max = 4096,
    .chunks_max = 4096,
    .pieces_max = 8192,
    .message_max = 256 * 1024,
    .receive_max = 1024 * 1024,
    .send_max = 1024 * 1024,
};

static inline void pair_make_end(struct pair *pair, unsigned n, const struct sctp_config *config)
{
    struct pair_end *end = &pair->ends[n];
    struct sctp_config own = *config;
    end->pair = pair;
    assert_int_equal(buffers_new(64 * 1024 * 1024, &end->buffers), OK);
    own.buffers = end->buffers;
    own.random = &pair->random;
    own.metrics = &end->metrics;
    assert_int_equal(sctp_init(&end->sctp, &own, pair->now), OK);
}

static inline void pair_open(struct pair *pair, unsigned n)
{
    struct pair_end *end = &pair->ends[n];
    struct sctp_terms terms = {
        .is_dtls_client = n == 0,
        .local_port = (uint16_t)(5000 + n),
        .remote_port = (uint16_t)(5001 - n),
        .remote_message_max = end->sctp.config.message_max,
    };
    assert_int_equal(sctp_open(&end->sctp, pair->now, &terms, end, &end->association), OK);
    pair_drain(end);
}

/* Two ends that have not called one another yet. */
static inline struct pair *pair_make(uint64_t seed, const struct sctp_config *config)
{
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->seed = seed;
    pair->now = 1000 * USEC_S;
    pair->delay = 20 * USEC_MS;
    pair->random = (struct random){ test_random_fill, &pair->seed };
    for (unsigned n = 0; n < 2; n++)
        pair_make_end(pair, n, config);
    return pair;
}

/* Two that are up. */
static inline struct pair *pair_new(uint64_t seed)
{
    struct pair *pair = pair_make(seed, &PAIR_CONFIG);
    pair_open(pair, 0);
    pair_open(pair, 1);
    pair_run(pair, USEC_S);
    assert_true(pair->ends[0].is_up && pair->ends[1].is_up);
    return pair;
}

/* Nothing may be left when the associations are gone. */
static inline void pair_free(struct pair *pair)
{
    for (unsigned n = 0; n < 2; n++) {
        struct pair_end *end = &pair->ends[n];
        if (end->association)
            sctp_close(&end->sctp, pair->now, end->association);
        pair_drain(end);
        assert_int_equal(buffers_used(end->buffers), 0);
        assert_int_equal(end->sctp.associations.used, 0);
        assert_int_equal(end->sctp.channels.used, 0);
        assert_int_equal(end->sctp.messages.used, 0);
        assert_int_equal(end->sctp.chunks.used, 0);
        assert_int_equal(end->sctp.pieces.used, 0);
        assert_int_equal(metrics_read(&end->metrics, METRIC_SCTP_CHANNELS), 0);
        sctp_free(&end->sctp);
        buffers_free(end->buffers);
    }
    free(pair);
}

/* A channel that end n opens, once both know it. */
static inline struct sctp_channel *pair_channel(struct pair *pair, unsigned n,
                                                const struct sctp_channel_terms *terms)
{
    struct pair_end *end = &pair->ends[n];
    struct pair_end *other = &pair->ends[!n];
    unsigned count = other->opened_count;
    struct sctp_channel *channel;
    assert_int_equal(
        sctp_open_channel(&end->sctp, pair->now, end->association, terms, NULL, &channel), OK);
    for (unsigned i = 0; i < 60 && other->opened_count == count; i++)
        pair_run(pair, USEC_S);
    assert_int_equal(other->opened_count, count + 1);
    return channel;
}

#endif
