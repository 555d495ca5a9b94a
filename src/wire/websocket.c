#include "wire/websocket.h"

#include "base/base64.h"

#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

/* XORs with the mask, eight bytes at a time. */
static void apply_mask(struct span payload, const uint8_t mask[4])
{
    uint64_t wide;
    uint8_t twice[8];
    size_t i = 0;
    memcpy(twice, mask, 4);
    memcpy(twice + 4, mask, 4);
    memcpy(&wide, twice, sizeof wide);
    for (; i + sizeof wide <= payload.size; i += sizeof wide) {
        uint64_t word;
        memcpy(&word, payload.at + i, sizeof word);
        word ^= wide;
        memcpy(payload.at + i, &word, sizeof word);
    }
    for (; i < payload.size; i++)
        payload.at[i] ^= mask[i & 3];
}

/* Checks the first two bytes (RFC 6455, section 5.2). */
static bool header_valid(uint8_t first, uint8_t second, enum websocket_role role)
{
    uint8_t opcode = first & 0x0f;
    bool fin = first & 0x80;
    bool deflated = first & 0x40;
    bool masked = second & 0x80;
    bool is_control = opcode >= WEBSOCKET_CLOSE;

    if (first & 0x30 || masked != (role == WEBSOCKET_SERVER))
        return false;
    if ((opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_CLOSE) || opcode > WEBSOCKET_PONG)
        return false;
    if (is_control && (!fin || (second & 0x7f) > WEBSOCKET_CONTROL_MAX))
        return false;
    return !(deflated && (is_control || opcode == WEBSOCKET_CONTINUATION));
}

/* Reads the payload's length.  ERR_MORE with *header_size the size that is needed. */
static int read_length(struct span bytes, uint64_t *length, size_t *header_size)
{
    uint8_t code = bytes.at[1] & 0x7f;
    size_t extended = code == 126 ? 2 : code == 127 ? 8 : 0;
    *header_size = 2 + extended;
    *length = code;
    if (extended == 0)
        return OK;
    if (bytes.size < *header_size)
        return ERR_MORE;
    *length = 0;
    for (size_t i = 0; i < extended; i++)
        *length = *length << 8 | bytes.at[2 + i];
    bool shortest = *length > (extended == 2 ? 125u : 65535u);
    return shortest && *length >> 63 == 0 ? OK : ERR_MALFORMED;
}

int websocket_read(struct span bytes, enum websocket_role role, size_t payload_max,
                   struct websocket_frame *frame, size_t *used)
{
    uint64_t length;
    size_t header_size;
    if (bytes.size < 2) {
        *used = 2;
        return ERR_MORE;
    }
    if (!header_valid(bytes.at[0], bytes.at[1], role))
        return ERR_MALFORMED;
    int status = read_length(bytes, &length, &header_size);
    if (status == ERR_MORE)
        *used = header_size;
    if (status != OK)
        return status;
    if (length > payload_max)
        return ERR_LIMIT;
    size_t mask_size = role == WEBSOCKET_SERVER ? 4 : 0;
    size_t whole = header_size + mask_size + (size_t)length;
    if (bytes.size < whole) {
        *used = whole;
        return ERR_MORE;
    }
    *frame = (struct websocket_frame){
        .fin = bytes.at[0] & 0x80,
        .deflated = bytes.at[0] & 0x40,
        .opcode = bytes.at[0] & 0x0f,
        .payload = { bytes.at + header_size + mask_size, (size_t)length },
    };
    if (mask_size)
        apply_mask(frame->payload, bytes.at + header_size);
    *used = whole;
    return OK;
}

size_t websocket_write_header(uint8_t opcode, bool fin, bool deflated, size_t payload_size,
                              uint8_t out[WEBSOCKET_HEADER_MAX])
{
    size_t extended = payload_size <= 125 ? 0 : payload_size <= 65535 ? 2 : 8;
    out[0] = (uint8_t)(opcode | (fin ? 0x80 : 0) | (deflated ? 0x40 : 0));
    out[1] = (uint8_t)(extended == 0 ? payload_size : extended == 2 ? 126 : 127);
    for (size_t i = 0; i < extended; i++)
        out[2 + i] = (uint8_t)((uint64_t)payload_size >> (8 * (extended - 1 - i)));
    return 2 + extended;
}

size_t websocket_write_masked(uint8_t opcode, bool fin, bool deflated, const uint8_t mask[4],
                              struct span payload, uint8_t out[WEBSOCKET_HEADER_MAX])
{
    size_t size = websocket_write_header(opcode, fin, deflated, payload.size, out);
    out[1] |= 0x80;
    memcpy(out + size, mask, 4);
    apply_mask(payload, mask);
    return size + 4;
}

bool websocket_close_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

void websocket_accept(struct view key, char out[WEBSOCKET_ACCEPT_SIZE])
{
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[64 + sizeof GUID];
    uint8_t digest[SHA_DIGEST_LENGTH];
    key = view_slice(key, 0, 64);
    if (key.size)
        memcpy(text, key.at, key.size);
    memcpy(text + key.size, GUID, sizeof GUID - 1);
    SHA1(text, key.size + sizeof GUID - 1, digest);
    base64_write(view_make(digest, sizeof digest), out);
}

static bool is_base64_digit(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

bool websocket_key_valid(struct view key)
{
    /* 16 bytes are 22 digits and two equals signs */
    if (key.size != 24 || key.at[22] != '=' || key.at[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!is_base64_digit(key.at[i]))
            return false;
    return true;
}

struct offer {
    uint8_t server_window_bits;
    bool server_window;
    bool client_window;
    bool server_no_takeover;
    bool client_no_takeover;
};

/* RFC 7692, section 7.1.2: 8 to 15, in decimal, perhaps in quotes. */
static bool read_window_bits(struct view value, uint8_t *bits)
{
    uint64_t number;
    if (value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"')
        value = view_slice(value, 1, value.size - 2);
    if (!view_read_number(value, 15, &number) || number < 8 || value.at[0] == '0')
        return false;
    *bits = (uint8_t)number;
    return true;
}

/* One parameter of an offer; a name may stand but once. */
static bool read_parameter(struct view text, struct offer *offer)
{
    size_t equals = view_find_byte(text, '=');
    bool has_value = equals < text.size;
    struct view name = view_trim(view_slice(text, 0, equals));
    struct view value = view_trim(view_slice(text, equals + 1, text.size));
    bool *seen = NULL;
    uint8_t bits = 15;

    if (view_equal_nocase(name, VIEW("server_no_context_takeover")))
        seen = &offer->server_no_takeover;
    else if (view_equal_nocase(name, VIEW("client_no_context_takeover")))
        seen = &offer->client_no_takeover;
    else if (view_equal_nocase(name, VIEW("server_max_window_bits")))
        seen = &offer->server_window;
    else if (view_equal_nocase(name, VIEW("client_max_window_bits")))
        seen = &offer->client_window;
    if (!seen || *seen)
        return false;
    *seen = true;
    bool is_window = seen == &offer->server_window || seen == &offer->client_window;
    if (!is_window)
        return !has_value;
    if (!has_value)
        return seen == &offer->client_window;
    if (!read_window_bits(value, &bits))
        return false;
    if (seen == &offer->server_window)
        offer->server_window_bits = bits;
    return true;
}

static bool read_offer(struct view text, struct offer *offer)
{
    struct view part;
    bool is_first = true;
    *offer = (struct offer){ .server_window_bits = 15 };
    while (view_split(&text, ';', &part)) {
        part = view_trim(part);
        if (is_first ? !view_equal_nocase(part, VIEW("permessage-deflate"))
                     : !read_parameter(part, offer))
            return false;
        is_first = false;
    }
    return !is_first;
}

bool websocket_accept_deflate(struct view header, char out[WEBSOCKET_EXTENSION_MAX],
                              uint8_t *server_window_bits)
{
    struct view text;
    struct offer offer;
    while (view_split(&header, ',', &text)) {
        if (!read_offer(text, &offer))
            continue;
        int size = snprintf(out, WEBSOCKET_EXTENSION_MAX,
                            "permessage-deflate; server_no_context_takeover; "
                            "client_no_context_takeover");
        if (offer.server_window)
            snprintf(out + size, WEBSOCKET_EXTENSION_MAX - (size_t)size,
                     "; server_max_window_bits=%u", offer.server_window_bits);
        *server_window_bits = offer.server_window_bits;
        return true;
    }
    return false;
}
