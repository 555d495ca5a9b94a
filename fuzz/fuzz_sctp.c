/* Fuzzes data channels: the readers of SCTP and DCEP, and two associations back to back between
 * which packets are lost, delayed, repeated, damaged and made up.
 *
 * Input: a byte of choice.  'd': a DCEP message.  'p': a packet, whose checksum is put right.
 * Otherwise two associations: then two bytes an act, of which the first says what is done (see
 * `act`) and the second how.
 */
#include "agent/sctp.h"
#include "base/bytes.h"

#include "input.h"

#define WAY_MAX 64

struct end {
    struct sctp sctp;
    struct sctp_association *association;
    struct sctp_channel *channels[SCTP_CHANNELS_MAX];
    unsigned channel_count;
    struct buffers *buffers;
    struct metrics metrics;
    usec until;
    bool is_ended;
};

struct packet {
    size_t size;
    unsigned to;
    uint8_t bytes[SCTP_PACKET_MAX];
};

struct world {
    struct end ends[2];
    struct packet way[WAY_MAX];
    unsigned count;
    usec now;
    uint64_t chance;
    struct random random;
};

static struct world world;

/* ---- readers ---- */

static void put_checksum(struct span packet)
{
    uint32_t crc = sctp_crc32c(view_of_span(packet), 8);
    for (unsigned i = 0; i < 4; i++)
        packet.at[8 + i] = (uint8_t)(crc >> 8 * i);
}

static void check_chunk(const struct sctp_chunk *chunk)
{
    struct sctp_data data;
    struct sctp_init_chunk init;
    struct sctp_sack sack;
    struct sctp_forward_tsn forward;
    struct sctp_parameter parameter;
    if (sctp_read_data(chunk->value, &data) == OK)
        CHECK(data.payload.size > 0 && view_within(data.payload, chunk->value));
    if (sctp_read_sack(chunk->value, &sack) == OK)
        for (unsigned i = 0; i < sack.gap_count; i++)
            (void)sctp_gap_at(sack.gaps, i);
    if (sctp_read_forward_tsn(chunk->value, &forward) == OK)
        for (unsigned i = 0; i < forward.skip_count; i++)
            (void)sctp_skip_at(forward.skips, i);
    if (sctp_read_init(chunk->value, &init) == OK)
        while (sctp_next_parameter(&init.parameters, &parameter) == OK)
            CHECK(view_within(parameter.value, chunk->value));
}

static void check_packet(struct view input)
{
    struct span copy = input_copy(input);
    struct sctp_packet packet;
    struct sctp_chunk chunk;
    char line[200];
    if (copy.size >= SCTP_HEADER_SIZE)
        put_checksum(copy);
    CHECK(sctp_print(view_of_span(copy), line, sizeof line) < sizeof line);
    if (sctp_read_packet(view_of_span(copy), &packet) == OK)
        while (sctp_next_chunk(&packet.chunks, &chunk) == OK) {
            CHECK(view_within(chunk.value, view_of_span(copy)));
            check_chunk(&chunk);
        }
    free(copy.at);
}

static void check_dcep(struct view input)
{
    struct span copy = input_copy(input);
    struct dcep_open open;
    enum dcep_type type;
    int status = dcep_read_type(view_of_span(copy), &type);
    if (dcep_read_open(view_of_span(copy), &open) == OK) {
        CHECK(status == OK && type == DCEP_OPEN && dcep_open_size(&open) == copy.size);
        uint8_t *again = malloc(copy.size);
        struct dcep_open read;
        CHECK(again);
        dcep_write_open(&open, again);
        CHECK(dcep_read_open(view_make(again, copy.size), &read) == OK);
        CHECK(read.parameter == open.parameter && read.is_unordered == open.is_unordered &&
              view_equal(read.label, open.label) && view_equal(read.protocol, open.protocol));
        free(again);
    }
    free(copy.at);
}

/* ---- two ends ---- */

static void forget_channel(struct end *end, const struct sctp_channel *channel)
{
    for (unsigned i = 0; i < end->channel_count; i++)
        if (end->channels[i] == channel)
            end->channels[i--] = end->channels[--end->channel_count];
}

static void note_channel(struct end *end, struct sctp_channel *channel)
{
    CHECK(end->channel_count < SCTP_CHANNELS_MAX);
    end->channels[end->channel_count++] = channel;
}

static void carry(unsigned to, struct view packet)
{
    CHECK(packet.size <= SCTP_PACKET_MAX);
    if (world.count == WAY_MAX)
        return;
    struct packet *way = &world.way[world.count++];
    way->to = to;
    way->size = packet.size;
    memcpy(way->bytes, packet.at, packet.size);
}

static void hear(unsigned n, const struct sctp_out *out)
{
    struct end *end = &world.ends[n];
    switch ((enum sctp_out_kind)out->kind) {
    case SCTP_SEND:
        carry(!n, out->packet);
        break;
    case SCTP_CHANNEL_OPENED:
        CHECK(out->channel->association == end->association);
        note_channel(end, out->channel);
        break;
    case SCTP_CHANNEL_CLOSED:
        forget_channel(end, out->channel);
        break;
    case SCTP_MESSAGE:
        CHECK(out->message->size <= end->sctp.config.message_max);
        /* sent back, as it is, to whom it came from */
        if (out->message->size % 16 == 0)
            (void)sctp_send(&end->sctp, world.now, out->channel, SCTP_STRING, out->message);
        break;
    case SCTP_ENDED:
        CHECK(!end->is_ended && out->end != SCTP_OPEN);
        end->is_ended = true;
        break;
    default:
        break;
    }
}

static void drain(unsigned n)
{
    struct end *end = &world.ends[n];
    struct sctp_out out;
    unsigned outputs = 0;
    do {
        sctp_poll(&end->sctp, &out);
        hear(n, &out);
        CHECK(++outputs < 20000);
    } while (out.kind != SCTP_WAIT);
    end->until = out.until;
    CHECK(end->association->held <= 2 * end->sctp.config.receive_max);
    CHECK(end->is_ended == (end->association->end != SCTP_OPEN));
}

static void make_end(unsigned n, uint8_t choice)
{
    struct end *end = &world.ends[n];
    struct sctp_config config = {
        .random = &world.random,
        .metrics = &end->metrics,
        .associations_max = 1,
        .channels_max = choice & 1 ? 3 : SCTP_CHANNELS_MAX,
        .messages_max = choice & 2 ? 3 : 200,
        .chunks_max = choice & 4 ? 2 : 500,
        .pieces_max = choice & 8 ? 4 : 500,
        .message_max = 20000,
        .receive_max = 50000,
        .send_max = 60000,
    };
    struct sctp_terms terms = { n, SCTP_PORT, SCTP_PORT, choice & 16 ? 0 : 20000 };
    CHECK(buffers_new(choice & 32 ? 200 * 1024 : 1024 * 1024, &end->buffers) == OK);
    config.buffers = end->buffers;
    CHECK(sctp_init(&end->sctp, &config, world.now) == OK);
    CHECK(sctp_open(&end->sctp, world.now, &terms, NULL, &end->association) == OK);
}

static void feed(struct packet *packet)
{
    struct end *end = &world.ends[packet->to];
    unsigned to = packet->to;
    struct span copy = input_copy(view_make(packet->bytes, packet->size));
    sctp_feed(&end->sctp, world.now, end->association, view_of_span(copy));
    free(copy.at);
    drain(to);
}

static void take_off(unsigned i)
{
    world.count--;
    memmove(&world.way[i], &world.way[i + 1], (world.count - i) * sizeof world.way[0]);
}

/* One of those on the way: 0 it comes, 1 it is lost, 2 it comes and stays, 3 it is damaged. */
static void happen(uint8_t what, uint8_t which, struct view *input)
{
    if (world.count == 0)
        return;
    unsigned i = which % world.count;
    struct packet packet = world.way[i];
    if (what == 3) {
        uint8_t at = input_byte(input);
        packet.bytes[SCTP_HEADER_SIZE + at % (packet.size - SCTP_HEADER_SIZE)] ^= input_byte(input);
        put_checksum((struct span){ packet.bytes, packet.size });
    }
    if (what != 2)
        take_off(i);
    if (what != 1)
        feed(&packet);
}

/* A packet with the right tag and made-up chunks. */
static void make_up(unsigned to, struct view bytes)
{
    struct packet packet = { .to = to, .size = SCTP_HEADER_SIZE + (bytes.size & ~(size_t)3) };
    struct sctp_writer writer;
    const struct sctp_association *association = world.ends[to].association;
    bool is_init = bytes.size && bytes.at[0] == SCTP_CHUNK_INIT;
    sctp_begin(&writer, packet.bytes, SCTP_PACKET_MAX, SCTP_PORT, SCTP_PORT,
               is_init ? 0 : association->local_tag);
    if (bytes.size)
        memcpy(packet.bytes + SCTP_HEADER_SIZE, bytes.at, packet.size - SCTP_HEADER_SIZE);
    put_checksum((struct span){ packet.bytes, packet.size });
    feed(&packet);
}

static void open_channel(unsigned n, uint8_t how)
{
    struct end *end = &world.ends[n];
    struct sctp_channel *channel;
    struct sctp_channel_terms terms = {
        .label = VIEW("label"),
        .reliability = how % 3,
        .is_unordered = how & 4,
        .parameter = how >> 3 & 3,
        .is_negotiated = how & 32,
        .stream = how >> 6,
    };
    if (sctp_open_channel(&end->sctp, world.now, end->association, &terms, NULL, &channel) == OK)
        note_channel(end, channel);
}

static void send_message(unsigned n, uint8_t how)
{
    struct end *end = &world.ends[n];
    struct buffer *message;
    size_t size = how & 15 ? (size_t)how * how / 2 : 0;
    if (end->channel_count == 0 || buffers_take(end->buffers, size, &message) != OK)
        return;
    memset(message->bytes, how, size);
    message->size = (uint32_t)size;
    (void)sctp_send(&end->sctp, world.now, end->channels[how % end->channel_count],
                    how & 1 ? SCTP_STRING : SCTP_BINARY, message);
    buffer_give(end->buffers, message);
}

static void pass_time(uint8_t how)
{
    world.now += (usec)how * how * 100;
    for (unsigned n = 0; n < 2; n++) {
        sctp_tick(&world.ends[n].sctp, world.now);
        drain(n);
    }
}

static void act(uint8_t what, uint8_t how, struct view *input)
{
    unsigned n = what >> 7;
    struct end *end = &world.ends[n];
    switch (what & 15) {
    default: /* most often, what was sent comes */
        happen(0, how, input);
        break;
    case 1:
    case 2:
    case 3:
        happen(what & 15, how, input);
        break;
    case 4:
        open_channel(n, how);
        break;
    case 5:
    case 6:
        send_message(n, how);
        break;
    case 7:
        if (end->channel_count)
            sctp_close_channel(&end->sctp, world.now, end->channels[how % end->channel_count]);
        break;
    case 8:
        pass_time(how);
        break;
    case 9:
        make_up(n, input_take(input, how));
        break;
    }
    drain(n);
}

static void check_ends(struct view input)
{
    world = (struct world){ .now = 1000 * USEC_S, .chance = 7 };
    world.random = (struct random){ input_random_fill, &world.chance };
    for (unsigned n = 0; n < 2; n++)
        make_end(n, input_byte(&input));
    drain(0);
    drain(1);
    while (input.size) {
        uint8_t what = input_byte(&input);
        act(what, input_byte(&input), &input);
    }
    for (unsigned n = 0; n < 2; n++) {
        struct end *end = &world.ends[n];
        (void)sctp_close(&end->sctp, world.now, end->association);
        CHECK(end->sctp.channels.used == 0 && end->sctp.messages.used == 0);
        CHECK(end->sctp.chunks.used == 0 && end->sctp.pieces.used == 0);
        CHECK(metrics_read(&end->metrics, METRIC_SCTP_CHANNELS) == 0);
        sctp_free(&end->sctp);
        CHECK(buffers_used(end->buffers) == 0);
        buffers_free(end->buffers);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = input_byte(&input);
    if (choice == 'd')
        check_dcep(input);
    else if (choice == 'p')
        check_packet(input);
    else
        check_ends(input);
    return 0;
}
