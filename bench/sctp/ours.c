/* Data channels of our own, measured: see bench.h. */
#include "agent/sctp.h"

#include "bench.h"

struct end {
    struct ends *ends;
    struct sctp sctp;
    struct sctp_association *association;
    struct sctp_channel *channel;
};

struct ends {
    struct end two[2];
    struct buffers *buffers;
    struct metrics metrics;
    struct link link;
    unsigned heard;
    usec now;
};

static void fill(void *context, void *into, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)into)[i] = (uint8_t)rand();
}

static void drain(struct end *end)
{
    struct ends *ends = end->ends;
    struct sctp_out out;
    for (sctp_poll(&end->sctp, &out); out.kind != SCTP_WAIT; sctp_poll(&end->sctp, &out)) {
        if (out.kind == SCTP_SEND)
            link_put(&ends->link, &ends->two[end == &ends->two[0]], out.packet.at, out.packet.size);
        if (out.kind == SCTP_CHANNEL_OPENED)
            end->channel = out.channel;
        ends->heard += out.kind == SCTP_MESSAGE;
    }
}

static void deliver(struct ends *ends)
{
    while (ends->link.first != ends->link.next) {
        const struct way *way = &ends->link.ways[ends->link.first++ % WAY_MAX];
        struct end *to = way->to;
        sctp_feed(&to->sctp, ends->now, to->association, view_make(way->bytes, way->size));
        drain(to);
    }
}

static void make_end(struct ends *ends, unsigned n)
{
    static const struct random RANDOM = { fill, NULL };
    struct end *end = &ends->two[n];
    const struct sctp_terms terms = { n, SCTP_PORT, SCTP_PORT, 0 };
    const struct sctp_config config = {
        .buffers = ends->buffers,
        .random = &RANDOM,
        .metrics = &ends->metrics,
        .associations_max = 1,
        .channels_max = 8,
        .messages_max = 1000,
        .chunks_max = 1000,
        .pieces_max = 1000,
        .message_max = 256 * 1024,
        .receive_max = 1024 * 1024,
        .send_max = 1024 * 1024,
    };
    end->ends = ends;
    if (sctp_init(&end->sctp, &config, ends->now) != OK ||
        sctp_open(&end->sctp, ends->now, &terms, NULL, &end->association) != OK)
        abort();
    drain(end);
}

static struct ends *make(void)
{
    const struct sctp_channel_terms terms = { .label = VIEW("bench") };
    struct ends *ends = calloc(1, sizeof *ends);
    if (!ends || buffers_new(16 * 1024 * 1024, &ends->buffers) != OK)
        abort();
    ends->now = USEC_S;
    make_end(ends, 0);
    make_end(ends, 1);
    deliver(ends);
    struct end *end = &ends->two[0];
    if (sctp_open_channel(&end->sctp, ends->now, end->association, &terms, NULL, &end->channel) !=
        OK)
        abort();
    drain(end);
    deliver(ends);
    return ends;
}

void work_run(struct work *work)
{
    struct ends *ends = work->ends;
    for (unsigned i = 0; i < work->messages; i++) {
        struct end *end = &ends->two[i % 2];
        struct buffer *message;
        ends->now += 100;
        if (buffers_take(ends->buffers, work->size, &message) != OK)
            abort();
        memset(message->bytes, 0, work->size);
        message->size = (uint32_t)work->size;
        if (sctp_send(&end->sctp, ends->now, end->channel, SCTP_BINARY, message) != OK)
            abort();
        buffer_give(ends->buffers, message);
        drain(end);
        deliver(ends);
    }
    if (ends->heard != work->messages)
        abort();
}

int main(int count, char **arguments)
{
    unsigned threads = count > 1 ? (unsigned)atoi(arguments[1]) : 1;
    struct work works[THREADS_MAX] = { 0 };
    if (threads < 1 || threads > THREADS_MAX)
        return 2;
    for (unsigned i = 0; i < threads; i++)
        works[i] = (struct work){ .ends = make(), .messages = 200000, .size = 200 };
    work_all("moim", works, threads);
    printf("moim       %zu bytes an association, what waits beside it\n",
           sizeof(struct sctp_association));
    return 0;
}
