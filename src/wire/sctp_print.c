/* An SCTP packet as a line of text, for traces. */
#include "wire/sctp.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

static const char *chunk_name(uint8_t type)
{
    static const struct {
        uint8_t type;
        const char *name;
    } NAMES[] = {
        { SCTP_CHUNK_DATA, "DATA" },
        { SCTP_CHUNK_INIT, "INIT" },
        { SCTP_CHUNK_INIT_ACK, "INIT-ACK" },
        { SCTP_CHUNK_SACK, "SACK" },
        { SCTP_CHUNK_HEARTBEAT, "HEARTBEAT" },
        { SCTP_CHUNK_HEARTBEAT_ACK, "HEARTBEAT-ACK" },
        { SCTP_CHUNK_ABORT, "ABORT" },
        { SCTP_CHUNK_SHUTDOWN, "SHUTDOWN" },
        { SCTP_CHUNK_SHUTDOWN_ACK, "SHUTDOWN-ACK" },
        { SCTP_CHUNK_ERROR, "ERROR" },
        { SCTP_CHUNK_COOKIE_ECHO, "COOKIE-ECHO" },
        { SCTP_CHUNK_COOKIE_ACK, "COOKIE-ACK" },
        { SCTP_CHUNK_SHUTDOWN_COMPLETE, "SHUTDOWN-COMPLETE" },
        { SCTP_CHUNK_RE_CONFIG, "RE-CONFIG" },
        { SCTP_CHUNK_FORWARD_TSN, "FORWARD-TSN" },
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (NAMES[i].type == type)
            return NAMES[i].name;
    return "?";
}

struct line {
    char *at;
    size_t capacity;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    size_t left = line->capacity - line->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line->at + line->size, left, format, arguments);
    va_end(arguments);
    if (size > 0 && left)
        line->size += (size_t)size < left ? (size_t)size : left - 1;
}

static void add_chunk(struct line *line, const struct sctp_chunk *chunk)
{
    struct sctp_data data;
    struct sctp_sack sack;
    struct sctp_init_chunk init;
    struct sctp_forward_tsn forward;
    add(line, " %s", chunk_name(chunk->type));
    if (chunk->type == SCTP_CHUNK_DATA && sctp_read_data(chunk->value, &data) == OK)
        add(line, "(tsn=%u stream=%u ssn=%u ppid=%u size=%zu%s%s%s)", data.tsn, data.stream,
            data.ssn, data.ppid, data.payload.size, chunk->flags & SCTP_DATA_B ? " B" : "",
            chunk->flags & SCTP_DATA_E ? " E" : "", chunk->flags & SCTP_DATA_U ? " U" : "");
    else if (chunk->type == SCTP_CHUNK_SACK && sctp_read_sack(chunk->value, &sack) == OK)
        add(line, "(tsn=%u window=%u gaps=%u)", sack.cumulative_tsn, sack.window, sack.gap_count);
    else if ((chunk->type == SCTP_CHUNK_INIT || chunk->type == SCTP_CHUNK_INIT_ACK) &&
             sctp_read_init(chunk->value, &init) == OK)
        add(line, "(tsn=%u window=%u out=%u in=%u)", init.initial_tsn, init.window,
            init.streams_out, init.streams_in);
    else if (chunk->type == SCTP_CHUNK_FORWARD_TSN &&
             sctp_read_forward_tsn(chunk->value, &forward) == OK)
        add(line, "(tsn=%u skips=%u)", forward.new_cumulative_tsn, forward.skip_count);
    else
        add(line, "(%zu)", chunk->value.size);
}

size_t sctp_print(struct view datagram, char *out, size_t capacity)
{
    struct line line = { .at = out, .capacity = capacity };
    struct sctp_packet packet;
    struct sctp_chunk chunk;
    int status = sctp_read_packet(datagram, &packet);
    if (status != OK) {
        add(&line, "SCTP: %s", status_text(status));
        return line.size;
    }
    add(&line, "SCTP %u>%u", packet.source_port, packet.destination_port);
    while ((status = sctp_next_chunk(&packet.chunks, &chunk)) == OK)
        add_chunk(&line, &chunk);
    if (status == ERR_MALFORMED)
        add(&line, " malformed");
    return line.size;
}
