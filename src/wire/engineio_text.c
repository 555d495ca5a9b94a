/* engineio_text.c - what Engine.IO says in JSON, scripts and forms. */
#include "wire/engineio.h"

#include "base/hex.h"
#include "wire/http.h"
#include "wire/json.h"

#include <string.h>

int engineio_write_handshake(const struct engineio_handshake *handshake, uint8_t *out,
                             size_t capacity, size_t *size)
{
    struct json_writer writer = json_writer_make(out, capacity);
    json_open(&writer, '{');
    json_key(&writer, "sid");
    json_string(&writer, handshake->sid);
    json_key(&writer, "upgrades");
    json_raw(&writer, handshake->may_upgrade ? VIEW("[\"websocket\"]") : VIEW("[]"));
    json_key(&writer, "pingInterval");
    json_number(&writer, handshake->ping_interval_ms);
    json_key(&writer, "pingTimeout");
    json_number(&writer, handshake->ping_timeout_ms);
    json_key(&writer, "maxPayload");
    json_number(&writer, handshake->payload_max);
    json_close(&writer, '}');
    if (writer.overflow)
        return ERR_LIMIT;
    *size = writer.size;
    return OK;
}

struct script {
    uint8_t *at;
    size_t size;
    size_t capacity;
    bool overflow;
};

static void put(struct script *script, struct view bytes)
{
    if (bytes.size > script->capacity - script->size)
        script->overflow = true;
    if (script->overflow || bytes.size == 0)
        return;
    memcpy(script->at + script->size, bytes.at, bytes.size);
    script->size += bytes.size;
}

/* One character in a JavaScript string; gives how many bytes it took. */
static size_t put_character(struct script *script, struct view text)
{
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t c = text.at[0];
    uint8_t escape[] = { '\\', 'u', '0', '0', (uint8_t)DIGITS[c >> 4], (uint8_t)DIGITS[c & 15] };
    if (c == '"' || c == '\\') {
        put(script, VIEW("\\"));
        put(script, view_slice(text, 0, 1));
        return 1;
    }
    if (c < 0x20) {
        put(script, view_make(escape, sizeof escape));
        return 1;
    }
    /* U+2028 and U+2029 end a line in scripts before ES2019, though not in JSON */
    if (view_starts(text, VIEW("\xe2\x80\xa8")) || view_starts(text, VIEW("\xe2\x80\xa9"))) {
        put(script, text.at[2] == 0xa8 ? VIEW("\\u2028") : VIEW("\\u2029"));
        return 3;
    }
    put(script, view_slice(text, 0, 1));
    return 1;
}

int engineio_write_jsonp(struct view payload, struct view index, uint8_t *out, size_t capacity,
                         size_t *size)
{
    struct script script = { .at = out, .capacity = capacity };
    put(&script, VIEW("___eio["));
    for (size_t i = 0; i < index.size; i++)
        if (index.at[i] >= '0' && index.at[i] <= '9')
            put(&script, view_slice(index, i, 1));
    put(&script, VIEW("](\""));
    for (size_t i = 0; i < payload.size && !script.overflow;)
        i += put_character(&script, view_slice(payload, i, payload.size));
    put(&script, VIEW("\");"));
    if (script.overflow)
        return ERR_LIMIT;
    *size = script.size;
    return OK;
}

/* A form's percent-encoding, where '+' is a space.  NULs are bytes like others. */
static int decode_form(struct view text, uint8_t *out, size_t *size)
{
    size_t written = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_digit(text.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_MALFORMED;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[written++] = c;
    }
    *size = written;
    return OK;
}

/* The client writes a newline as backslash and n, lest the form make two bytes of it, and a
 * backslash and n as two backslashes and n. */
static size_t undo_newlines(uint8_t *bytes, size_t size)
{
    size_t written = 0;
    for (size_t i = 0; i < size; i++) {
        struct view rest = view_make(bytes + i, size - i);
        if (view_starts(rest, VIEW("\\\\n"))) {
            bytes[written++] = '\\';
            bytes[written++] = 'n';
            i += 2;
        } else if (view_starts(rest, VIEW("\\n"))) {
            bytes[written++] = '\n';
            i += 1;
        } else {
            bytes[written++] = bytes[i];
        }
    }
    return written;
}

int engineio_read_form(struct view body, uint8_t *out, size_t *size)
{
    struct view value;
    size_t decoded;
    if (!http_query_find(body, "d", &value) || decode_form(value, out, &decoded) != OK)
        return ERR_MALFORMED;
    *size = undo_newlines(out, decoded);
    return OK;
}
