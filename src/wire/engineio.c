#include "wire/engineio.h"

#include "base/base64.h"
#include "base/utf8.h"

#include <string.h>

struct engineio_reader engineio_reader_make(struct view payload, enum engineio_form form)
{
    return (struct engineio_reader){ .rest = payload,
                                     .form = form,
                                     .is_over = form != ENGINEIO_4 && payload.size == 0 };
}

/* A packet that stands as text: its type's digit and its data, or bytes in base64. */
static int read_text(struct view text, bool is_base64_typed, struct engineio_packet *packet)
{
    size_t head = 1;
    bool is_base64 = text.size > 0 && text.at[0] == 'b';
    if (is_base64 && is_base64_typed) {
        /* revision 3 says the type of bytes, too; nothing but messages has them */
        if (text.size < 2 || text.at[1] != '4')
            return ERR_MALFORMED;
        head = 2;
    }
    if (text.size == 0 || (!is_base64 && (text.at[0] < '0' || text.at[0] > '6')))
        return ERR_MALFORMED;
    struct view data = view_slice(text, head, text.size);
    if (!is_base64 && !utf8_valid(data))
        return ERR_MALFORMED;
    *packet = (struct engineio_packet){
        .type = is_base64 ? ENGINEIO_MESSAGE : (enum engineio_type)(text.at[0] - '0'),
        .kind = is_base64 ? ENGINEIO_BASE64 : ENGINEIO_TEXT,
        .data = data,
    };
    return OK;
}

/* How many bytes of UTF-8 hold `units` UTF-16 units.  False: there are not as many, or the count
 * ends inside a pair. */
static bool bytes_of_units(struct view text, uint64_t units, size_t *size)
{
    size_t at = 0;
    while (units > 0 && at < text.size) {
        uint8_t c = text.at[at];
        size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        uint64_t taken = bytes == 4 ? 2 : 1;
        if (taken > units || bytes > text.size - at)
            return false;
        units -= taken;
        at += bytes;
    }
    *size = at;
    return units == 0;
}

static uint64_t units_of(struct view text)
{
    uint64_t units = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if ((c & 0xc0) != 0x80)
            units += c >= 0xf0 ? 2 : 1;
    }
    return units;
}

static int read_3_text(struct engineio_reader *reader, struct engineio_packet *packet)
{
    uint64_t units;
    size_t size;
    size_t colon = view_find_byte(view_slice(reader->rest, 0, 12), ':');
    if (!view_read_number(view_slice(reader->rest, 0, colon), UINT32_MAX, &units))
        return ERR_MALFORMED;
    struct view rest = view_slice(reader->rest, colon + 1, reader->rest.size);
    if (colon >= reader->rest.size || !bytes_of_units(rest, units, &size))
        return ERR_MALFORMED;
    int status = read_text(view_slice(rest, 0, size), true, packet);
    if (status != OK)
        return status;
    reader->rest = view_slice(rest, size, rest.size);
    reader->is_over = reader->rest.size == 0;
    return OK;
}

static int read_3_binary(struct engineio_reader *reader, struct engineio_packet *packet)
{
    struct view rest = reader->rest;
    uint64_t size = 0;
    size_t at = 1;
    while (at < rest.size && at < 12 && rest.at[at] <= 9)
        size = size * 10 + rest.at[at++];
    if (rest.at[0] > 1 || at == 1 || at >= rest.size || rest.at[at] != 0xff)
        return ERR_MALFORMED;
    at++;
    if (size > rest.size - at)
        return ERR_MALFORMED;
    struct view bytes = view_slice(rest, at, (size_t)size);
    int status = rest.at[0] == 0 ? read_text(bytes, true, packet)
                                 : engineio_read_frame(bytes, true, 3, packet);
    if (status != OK)
        return status;
    reader->rest = view_slice(rest, at + (size_t)size, rest.size);
    reader->is_over = reader->rest.size == 0;
    return OK;
}

int engineio_read(struct engineio_reader *reader, struct engineio_packet *packet)
{
    if (reader->is_over)
        return ERR_NOT_FOUND;
    if (reader->form == ENGINEIO_3_TEXT)
        return read_3_text(reader, packet);
    if (reader->form == ENGINEIO_3_BINARY)
        return read_3_binary(reader, packet);
    size_t size = view_find_byte(reader->rest, ENGINEIO_SEPARATOR);
    int status = read_text(view_slice(reader->rest, 0, size), false, packet);
    if (status != OK)
        return status;
    reader->is_over = size == reader->rest.size;
    reader->rest = view_slice(reader->rest, size + 1, reader->rest.size);
    return OK;
}

int engineio_read_frame(struct view frame, bool is_binary, unsigned revision,
                        struct engineio_packet *packet)
{
    if (!is_binary)
        return read_text(frame, revision == 3, packet);
    if (revision == 3) {
        if (frame.size == 0 || frame.at[0] != ENGINEIO_MESSAGE)
            return ERR_MALFORMED;
        frame = view_slice(frame, 1, frame.size);
    }
    *packet = (struct engineio_packet){ ENGINEIO_MESSAGE, ENGINEIO_BYTES, frame };
    return OK;
}

/* 0 to 63, or -1 for what is no digit. */
static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static struct view without_padding(struct view text)
{
    if (text.size == 0 || text.size % 4)
        return text;
    for (unsigned i = 0; i < 2 && text.at[text.size - 1] == '='; i++)
        text.size--;
    return text;
}

int engineio_read_base64(struct view text, uint8_t *out, size_t capacity, size_t *size)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;
    text = without_padding(text);
    if (text.size % 4 == 1)
        return ERR_MALFORMED;
    if (text.size / 4 * 3 + text.size % 4 * 3 / 4 > capacity)
        return ERR_LIMIT;
    for (size_t i = 0; i < text.size; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0)
            return ERR_MALFORMED;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[written++] = (uint8_t)(bits >> bit_count);
        }
    }
    *size = written;
    return OK;
}

/* ---- writing ---- */

static size_t write_digits(uint64_t number, uint8_t zero, uint8_t out[20])
{
    uint8_t digits[20];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)(zero + number % 10);
        number /= 10;
    } while (number);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

/* What stands before a packet's data in the payload's form. */
static size_t write_head(const struct engineio_writer *writer, const struct engineio_packet *packet,
                         uint8_t head[ENGINEIO_FRAMING_MAX])
{
    bool is_bytes = packet->kind == ENGINEIO_BYTES;
    uint8_t digit = (uint8_t)('0' + packet->type);
    size_t at = 0;
    if (writer->form == ENGINEIO_4) {
        if (writer->size)
            head[at++] = ENGINEIO_SEPARATOR;
        head[at++] = is_bytes ? 'b' : digit;
    } else if (writer->form == ENGINEIO_3_TEXT) {
        uint64_t units =
            is_bytes ? 2 + ENGINEIO_BASE64_SIZE(packet->data.size) : 1 + units_of(packet->data);
        at = write_digits(units, '0', head);
        head[at++] = ':';
        if (is_bytes)
            head[at++] = 'b';
        head[at++] = digit;
    } else {
        head[at++] = is_bytes;
        at += write_digits(1 + packet->data.size, 0, head + at);
        head[at++] = 0xff;
        head[at++] = is_bytes ? (uint8_t)packet->type : digit;
    }
    return at;
}

int engineio_write(struct engineio_writer *writer, const struct engineio_packet *packet)
{
    uint8_t head[ENGINEIO_FRAMING_MAX];
    size_t head_size = write_head(writer, packet, head);
    bool is_base64 = packet->kind == ENGINEIO_BYTES && writer->form != ENGINEIO_3_BINARY;
    /* base64_write ends its text with a NUL */
    size_t needed = head_size + (is_base64 ? BASE64_SIZE(packet->data.size) : packet->data.size);
    if (needed > writer->capacity - writer->size)
        return ERR_LIMIT;
    memcpy(writer->at + writer->size, head, head_size);
    writer->size += head_size;
    if (is_base64) {
        writer->size += base64_write(packet->data, (char *)writer->at + writer->size);
    } else if (packet->data.size) {
        memcpy(writer->at + writer->size, packet->data.at, packet->data.size);
        writer->size += packet->data.size;
    }
    return OK;
}

size_t engineio_write_frame_head(const struct engineio_packet *packet, unsigned revision,
                                 uint8_t head[1])
{
    if (packet->kind == ENGINEIO_BYTES) {
        head[0] = (uint8_t)packet->type;
        return revision == 3;
    }
    head[0] = (uint8_t)('0' + packet->type);
    return 1;
}
