#include "wire/stomp.h"

#include <stdio.h>
#include <string.h>

static const char *const WORDS[STOMP_COMMAND_COUNT] = { "",
#define STOMP_WORD(name, word) word,
                                                        STOMP_COMMANDS(STOMP_WORD)
#undef STOMP_WORD
};

const char *stomp_command_word(enum stomp_command command)
{
    return WORDS[command];
}

const char *stomp_version_text(enum stomp_version version)
{
    static const char *const TEXTS[] = { "", "1.0", "1.1", "1.2" };
    return TEXTS[version];
}

/* ---- reading ---- */

/* Line ends at the front.  ERR_NOT_FOUND: none, a frame begins here. */
static int read_beats(struct span bytes, size_t *used)
{
    size_t at = 0;
    while (at < bytes.size) {
        if (bytes.at[at] == '\n')
            at++;
        else if (bytes.at[at] == '\r' && at + 1 < bytes.size && bytes.at[at + 1] == '\n')
            at += 2;
        else
            break;
    }
    if (at == 0 && bytes.size == 1 && bytes.at[0] == '\r')
        return ERR_MORE;
    *used = at;
    return at ? OK : ERR_NOT_FOUND;
}

/* Looks for the head's end from where the last look ended. */
static int find_head(struct stomp_reader *reader, struct span bytes)
{
    size_t most = bytes.size < STOMP_HEAD_MAX ? bytes.size : STOMP_HEAD_MAX;
    for (size_t at = reader->scanned; at < most; at++) {
        if (bytes.at[at] == 0)
            return ERR_MALFORMED;
        if (bytes.at[at] != '\n')
            continue;
        size_t before = at && bytes.at[at - 1] == '\r' ? at - 1 : at;
        if (before > 0 && bytes.at[before - 1] == '\n') {
            reader->head = (uint32_t)(at + 1);
            reader->scanned = reader->head;
            return OK;
        }
    }
    reader->scanned = (uint32_t)most;
    return most == STOMP_HEAD_MAX ? ERR_LIMIT : ERR_MORE;
}

/* Takes the next line off the head, without its end. */
static struct span take_line(struct span *head)
{
    size_t end = 0;
    while (end < head->size && head->at[end] != '\n')
        end++;
    size_t size = end && head->at[end - 1] == '\r' ? end - 1 : end;
    struct span line = { head->at, size };
    *head = span_behind(*head, end < head->size ? end + 1 : end);
    return line;
}

static int read_length(struct stomp_reader *reader, struct span bytes, size_t body_max)
{
    struct span head = { bytes.at, reader->head };
    take_line(&head);
    while (head.size) {
        struct view line = view_of_span(take_line(&head));
        size_t colon = view_find_byte(line, ':');
        uint64_t length;
        if (!view_equal(view_trim(view_slice(line, 0, colon)), VIEW("content-length")))
            continue;
        struct view value = view_trim(view_slice(line, colon + 1, line.size));
        if (!view_read_number(value, UINT64_MAX, &length))
            return ERR_MALFORMED;
        if (length > body_max)
            return ERR_LIMIT;
        reader->length = (uint32_t)length;
        reader->has_length = true;
        return OK;
    }
    return OK;
}

static int find_body(struct stomp_reader *reader, struct span bytes, size_t body_max, size_t *size)
{
    size_t there = bytes.size - reader->head;
    if (reader->has_length) {
        if (there <= reader->length)
            return ERR_MORE;
        *size = reader->length;
        return bytes.at[reader->head + reader->length] ? ERR_MALFORMED : OK;
    }
    const uint8_t *from = bytes.at + reader->scanned;
    const uint8_t *end = memchr(from, 0, bytes.size - reader->scanned);
    reader->scanned = (uint32_t)bytes.size;
    if (end)
        there = (size_t)(end - (bytes.at + reader->head));
    *size = there;
    if (there > body_max)
        return ERR_LIMIT;
    return end ? OK : ERR_MORE;
}

static int escaped_byte(uint8_t letter, enum stomp_version version)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 'c':
        return ':';
    case '\\':
        return '\\';
    case 'r':
        return version == STOMP_1_2 ? '\r' : -1;
    default:
        return -1;
    }
}

/* Unescapes in place. */
static int unescape(struct span text, enum stomp_version version, struct view *out)
{
    size_t size = 0;
    for (size_t at = 0; at < text.size; at++) {
        int byte = -1;
        if (text.at[at] == '\r')
            return ERR_MALFORMED;
        if (text.at[at] == '\\' && version >= STOMP_1_1) {
            byte = at + 1 < text.size ? escaped_byte(text.at[at + 1], version) : -1;
            if (byte < 0 && version == STOMP_1_2)
                return ERR_MALFORMED;
        }
        if (byte >= 0)
            at++;
        text.at[size++] = byte >= 0 ? (uint8_t)byte : text.at[at];
    }
    *out = view_make(text.at, size);
    return OK;
}

static int read_header(struct span line, enum stomp_version version, struct stomp_header *header)
{
    size_t colon = view_find_byte(view_of_span(line), ':');
    if (colon == line.size || colon == 0)
        return ERR_MALFORMED;
    int status = unescape((struct span){ line.at, colon }, version, &header->name);
    if (status == OK)
        status = unescape(span_behind(line, colon + 1), version, &header->value);
    if (status == OK && version == STOMP_1_0) {
        /* its examples have spaces behind the colon */
        header->name = view_trim(header->name);
        header->value = view_trim(header->value);
    }
    return status;
}

static bool has_header(const struct stomp_frame *frame, struct view name)
{
    for (uint32_t i = 0; i < frame->header_count; i++)
        if (view_equal(frame->headers[i].name, name))
            return true;
    return false;
}

static enum stomp_command find_command(struct view word)
{
    for (int i = 1; i < STOMP_COMMAND_COUNT; i++)
        if (view_equal(word, view_of(WORDS[i])))
            return (enum stomp_command)i;
    return STOMP_COMMAND_BEAT;
}

/* Which escapes hold in a frame of that command. */
static enum stomp_version escapes_of(enum stomp_command command, enum stomp_version version)
{
    if (command == STOMP_COMMAND_CONNECT || command == STOMP_COMMAND_CONNECTED)
        return STOMP_1_0;
    /* before a version is agreed: leave alone what might not be an escape */
    return version == STOMP_UNKNOWN ? STOMP_1_1 : version;
}

static int read_head(struct span head, enum stomp_version version, struct stomp_frame *frame)
{
    frame->command = find_command(view_of_span(take_line(&head)));
    frame->header_count = 0;
    if (frame->command == STOMP_COMMAND_BEAT)
        return ERR_UNSUPPORTED;
    version = escapes_of(frame->command, version);
    while (head.size) {
        struct span line = take_line(&head);
        struct stomp_header header;
        if (line.size == 0)
            break;
        int status = read_header(line, version, &header);
        if (status != OK)
            return status;
        if (has_header(frame, header.name))
            continue;
        if (frame->header_count == STOMP_HEADERS_MAX)
            return ERR_LIMIT;
        frame->headers[frame->header_count++] = header;
    }
    return OK;
}

int stomp_read(struct stomp_reader *reader, struct span bytes, enum stomp_version version,
               size_t body_max, struct stomp_frame *frame, size_t *used)
{
    size_t body = 0;
    int status;
    if (reader->head == 0) {
        status = read_beats(bytes, used);
        if (status == OK) {
            frame->command = STOMP_COMMAND_BEAT;
            frame->header_count = 0;
            frame->body = (struct view){ NULL, 0 };
            return OK;
        }
        if (status == ERR_MORE)
            return ERR_MORE;
        status = find_head(reader, bytes);
        if (status == OK)
            status = read_length(reader, bytes, body_max);
        if (status != OK)
            return status;
    }
    status = find_body(reader, bytes, body_max, &body);
    if (status != OK)
        return status;
    size_t head = reader->head;
    *reader = (struct stomp_reader){ 0 };
    status = read_head((struct span){ bytes.at, head }, version, frame);
    if (status != OK)
        return status;
    frame->body = view_make(bytes.at + head, body);
    *used = head + body + 1;
    return OK;
}

struct view stomp_header(const struct stomp_frame *frame, const char *name)
{
    struct view wanted = view_of(name);
    for (uint32_t i = 0; i < frame->header_count; i++)
        if (view_equal(frame->headers[i].name, wanted))
            return frame->headers[i].value;
    return (struct view){ NULL, 0 };
}

enum stomp_version stomp_choose_version(struct view accept)
{
    enum stomp_version best = accept.at ? STOMP_UNKNOWN : STOMP_1_0;
    struct view part;
    while (view_split(&accept, ',', &part))
        for (enum stomp_version v = STOMP_1_0; v <= STOMP_1_2; v++)
            if (v > best && view_equal(view_trim(part), view_of(stomp_version_text(v))))
                best = v;
    return best;
}

int stomp_read_heart_beat(struct view text, uint32_t *sends_ms, uint32_t *wants_ms)
{
    size_t comma = view_find_byte(text, ',');
    uint64_t sends, wants;
    if (!view_read_number(view_trim(view_slice(text, 0, comma)), UINT32_MAX, &sends) ||
        !view_read_number(view_trim(view_slice(text, comma + 1, text.size)), UINT32_MAX, &wants))
        return ERR_MALFORMED;
    *sends_ms = (uint32_t)sends;
    *wants_ms = (uint32_t)wants;
    return OK;
}
