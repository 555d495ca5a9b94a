#include "wire/rtcp_twcc.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define HEADER_SIZE   8
#define CHUNK_SIZE    2
#define RUN_MAX       0x1fff
#define ONE_BIT_COUNT 14 /* symbols of a status vector chunk, of one bit or of two */
#define TWO_BIT_COUNT 7

/* Section 3.1.1: what is a packet's symbol, and so its delta's size. */
enum symbol { NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA, RESERVED };

static unsigned chunk_count(uint16_t chunk)
{
    if (!(chunk & 0x8000))
        return chunk & RUN_MAX;
    return chunk & 0x4000 ? TWO_BIT_COUNT : ONE_BIT_COUNT;
}

/* The symbol that has `left` symbols of its chunk before the end, itself included. */
static enum symbol chunk_symbol(uint16_t chunk, unsigned left)
{
    if (!(chunk & 0x8000))
        return (enum symbol)(chunk >> 13 & 3);
    if (chunk & 0x4000)
        return (enum symbol)(chunk >> (2 * (left - 1)) & 3);
    return (enum symbol)(chunk >> (left - 1) & 1);
}

/* Walks over the statuses; false where the chunks end before them, or one is reserved. */
static bool measure(struct view rest, unsigned status_count, size_t *chunks_size,
                    size_t *deltas_size)
{
    size_t deltas = 0;
    size_t at = 0;
    while (status_count) {
        if (rest.size - at < CHUNK_SIZE)
            return false;
        uint16_t chunk = bytes_read_16(rest.at + at);
        unsigned count = chunk_count(chunk);
        unsigned used = count < status_count ? count : status_count;
        bool is_run = !(chunk & 0x8000);
        for (unsigned i = 0; i < (is_run ? 1 : used); i++) {
            enum symbol symbol = chunk_symbol(chunk, count - i);
            if (symbol == RESERVED)
                return false;
            deltas += (size_t)symbol * (is_run ? used : 1); /* 0, 1 or 2 bytes */
        }
        status_count -= used;
        at += CHUNK_SIZE;
    }
    *chunks_size = at;
    *deltas_size = deltas;
    return deltas <= rest.size - at;
}

int twcc_read(const struct rtcp_feedback *feedback, struct twcc *twcc)
{
    struct view fci = feedback->fci;
    size_t chunks_size, deltas_size;
    if (fci.size < HEADER_SIZE)
        return ERR_MALFORMED;
    uint16_t status_count = bytes_read_16(fci.at + 2);
    struct view rest = view_slice(fci, HEADER_SIZE, fci.size);
    if (status_count == 0 || !measure(rest, status_count, &chunks_size, &deltas_size))
        return ERR_MALFORMED;
    *twcc = (struct twcc){
        .base_sequence_number = bytes_read_16(fci.at),
        .status_count = status_count,
        .reference_time = bytes_read_24(fci.at + 4),
        .feedback_count = fci.at[7],
        .chunks = view_slice(rest, 0, chunks_size),
        .deltas = view_slice(rest, chunks_size, deltas_size),
    };
    return OK;
}

void twcc_reader_begin(const struct twcc *twcc, struct twcc_reader *reader)
{
    *reader = (struct twcc_reader){
        .chunks = twcc->chunks,
        .deltas = twcc->deltas,
        .sequence_number = twcc->base_sequence_number,
        .statuses_left = twcc->status_count,
    };
}

bool twcc_reader_next(struct twcc_reader *reader, struct twcc_status *status)
{
    int delta = 0;
    if (reader->statuses_left == 0)
        return false;
    while (reader->symbols_left == 0) { /* a run may be of none */
        reader->chunk = bytes_read_16(reader->chunks.at);
        reader->chunks = view_slice(reader->chunks, CHUNK_SIZE, reader->chunks.size);
        reader->symbols_left = chunk_count(reader->chunk);
    }
    enum symbol symbol = chunk_symbol(reader->chunk, reader->symbols_left);
    if (symbol == SMALL_DELTA)
        delta = reader->deltas.at[0];
    if (symbol == LARGE_DELTA)
        delta = (int16_t)bytes_read_16(reader->deltas.at);
    reader->deltas = view_slice(reader->deltas, (size_t)symbol, reader->deltas.size);
    reader->at_us += delta * TWCC_DELTA_US;
    *status = (struct twcc_status){
        .sequence_number = reader->sequence_number,
        .received = symbol != NOT_RECEIVED,
        .at_us = reader->at_us,
    };
    reader->sequence_number++;
    reader->statuses_left--;
    reader->symbols_left--;
    return true;
}

/* ---- writing ---- */

/* What goes into one feedback: the statuses from the base on, and the deltas of those received. */
struct draft {
    uint64_t base;
    uint64_t reference_time; /* unwrapped */
    size_t arrival_count;
    size_t symbol_count;
    size_t delta_count;
    uint8_t symbols[TWCC_STATUSES_MAX];
    int16_t deltas[TWCC_STATUSES_MAX];
};

/* The size of all, where no chunk holds more than the least. */
static size_t size_bound(size_t symbol_count, size_t deltas_size)
{
    size_t chunks = (symbol_count + TWO_BIT_COUNT - 1) / TWO_BIT_COUNT;
    size_t size = HEADER_SIZE + chunks * CHUNK_SIZE + deltas_size;
    return (size + 3) / 4 * 4;
}

/* From a to b in steps of 250 us, rounded down; a is whole steps. */
static int64_t steps_between(usec a, usec b)
{
    if (b >= a)
        return (int64_t)((b - a) / TWCC_DELTA_US);
    return -(int64_t)((a - b + TWCC_DELTA_US - 1) / TWCC_DELTA_US);
}

static void make_draft(struct draft *draft, uint64_t base, const struct twcc_arrival *arrivals,
                       size_t count, size_t room)
{
    size_t deltas_size = 0;
    assert(base <= arrivals[0].sequence_number);
    if (arrivals[0].sequence_number - base >= TWCC_STATUSES_MAX)
        base = arrivals[0].sequence_number;
    draft->base = base;
    draft->reference_time = arrivals[0].at / TWCC_REFERENCE_US;
    draft->arrival_count = draft->symbol_count = draft->delta_count = 0;
    usec time = draft->reference_time * TWCC_REFERENCE_US;

    for (size_t i = 0; i < count; i++) {
        uint64_t place = arrivals[i].sequence_number - base;
        int64_t steps = steps_between(time, arrivals[i].at);
        assert(i == 0 || arrivals[i].sequence_number > arrivals[i - 1].sequence_number);
        if (place >= TWCC_STATUSES_MAX || steps < INT16_MIN || steps > INT16_MAX)
            break;
        enum symbol symbol = steps >= 0 && steps <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;
        if (size_bound(place + 1, deltas_size + symbol) > room)
            break;
        while (draft->symbol_count < place)
            draft->symbols[draft->symbol_count++] = NOT_RECEIVED;
        draft->symbols[draft->symbol_count++] = (uint8_t)symbol;
        draft->deltas[draft->delta_count++] = (int16_t)steps;
        deltas_size += symbol;
        draft->arrival_count++;
        time += (usec)steps * TWCC_DELTA_US;
    }
}

/* How many of the symbols are like the first. */
static size_t run_length(const uint8_t *symbols, size_t count)
{
    size_t run = 1;
    while (run < count && symbols[run] == symbols[0])
        run++;
    return run;
}

/* One chunk for the first symbols; gives how many it holds. */
static size_t make_chunk(const uint8_t *symbols, size_t count, uint16_t *chunk)
{
    size_t run = run_length(symbols, count);
    size_t vector = count < ONE_BIT_COUNT ? count : ONE_BIT_COUNT;
    bool is_one_bit = memchr(symbols, LARGE_DELTA, vector) == NULL;
    if (run == count || run >= (is_one_bit ? ONE_BIT_COUNT : TWO_BIT_COUNT)) {
        *chunk = (uint16_t)((unsigned)symbols[0] << 13 | run); /* below TWCC_STATUSES_MAX */
        return run;
    }
    unsigned width = is_one_bit ? 1 : 2;
    unsigned slots = is_one_bit ? ONE_BIT_COUNT : TWO_BIT_COUNT;
    unsigned bits = is_one_bit ? 2 : 3;
    vector = count < slots ? count : slots;
    for (unsigned i = 0; i < slots; i++)
        bits = bits << width | (i < vector ? symbols[i] : 0u);
    *chunk = (uint16_t)bits;
    return vector;
}

static uint8_t *write_chunks(const struct draft *draft, uint8_t *at)
{
    for (size_t done = 0; done < draft->symbol_count; at += CHUNK_SIZE) {
        uint16_t chunk;
        done += make_chunk(draft->symbols + done, draft->symbol_count - done, &chunk);
        bytes_write_16(at, chunk);
    }
    return at;
}

static uint8_t *write_deltas(const struct draft *draft, uint8_t *at)
{
    for (size_t i = 0; i < draft->delta_count; i++) {
        int16_t delta = draft->deltas[i];
        if (delta >= 0 && delta <= UINT8_MAX) {
            *at++ = (uint8_t)delta;
        } else {
            bytes_write_16(at, (uint32_t)delta);
            at += 2;
        }
    }
    return at;
}

size_t twcc_add(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                uint8_t feedback_count, uint64_t base, const struct twcc_arrival *arrivals,
                size_t count)
{
    uint8_t body[RTCP_FEEDBACK_SIZE + HEADER_SIZE + 2 * TWCC_STATUSES_MAX + 4 * TWCC_STATUSES_MAX];
    struct draft draft;
    size_t room = writer->capacity - writer->size;
    if (count == 0)
        return 0;
    room = room < RTCP_HEADER_SIZE + RTCP_FEEDBACK_SIZE
               ? 0
               : room - RTCP_HEADER_SIZE - RTCP_FEEDBACK_SIZE;
    make_draft(&draft, base, arrivals, count, room);
    if (draft.arrival_count == 0) {
        writer->overflow = true;
        return 0;
    }
    bytes_write_32(body, sender_ssrc);
    bytes_write_32(body + 4, media_ssrc);
    bytes_write_16(body + 8, (uint32_t)(draft.base & 0xffff));
    bytes_write_16(body + 10, (uint32_t)draft.symbol_count);
    bytes_write_24(body + 12, (uint32_t)(draft.reference_time % TWCC_REFERENCE_MAX));
    body[15] = feedback_count;
    uint8_t *end = write_deltas(&draft, write_chunks(&draft, body + 16));
    size_t size = (size_t)(end - body);
    uint8_t *at = rtcp_add(writer, RTCP_RTPFB, RTCP_TRANSPORT_CC, (size + 3) / 4 * 4);
    if (at)
        memcpy(at, body, size);
    return draft.arrival_count;
}
