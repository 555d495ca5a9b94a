/* websocket.h - WebSocket frames and the opening handshake (RFC 6455), with RSV1 for RFC 7692.
 *
 * Pure functions over caller memory.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 *     |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
 *     |I|S|S|S|  (4)  |A|     (7)     |            (16/64)            |
 *     |N|V|V|V|       |S|             |                               |
 *     +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
 */
#ifndef MOIM_WIRE_WEBSOCKET_H
#define MOIM_WIRE_WEBSOCKET_H

#include "base/status.h"
#include "base/view.h"

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

enum websocket_role { WEBSOCKET_SERVER, WEBSOCKET_CLIENT };

struct websocket_frame {
    bool fin;
    bool deflated;       /* RSV1 (RFC 7692, section 6) */
    uint8_t opcode;      /* one of enum websocket_opcode */
    struct span payload; /* unmasked in place */
};

#define WEBSOCKET_HEADER_MAX  14
#define WEBSOCKET_CONTROL_MAX 125

/* Reads one frame off the front of `bytes` for a reader in `role` (a server's peer must mask, a
 * client's must not), and unmasks its payload in place.  Call it again only with the bytes behind
 * *used.
 *
 *   OK             *frame is valid, and borrows from `bytes`; *used bytes have been read.
 *   ERR_MORE       not whole.  *used is then how many bytes the whole frame has, as far as is known
 *                  (at least one more than there are).  Nothing was changed.
 *   ERR_LIMIT      the payload is over `payload_max`: close with 1009.  Said as soon as the length
 *                  has been read.
 *   ERR_MALFORMED  RSV2 or RSV3, RSV1 on a control or continuation frame, an unknown opcode, a
 *                  length not in its shortest form or of 2^63 and over, a fragmented or long
 *                  control frame, masked the wrong way: close with 1002. */
MUST_USE int websocket_read(struct span bytes, enum websocket_role role, size_t payload_max,
                            struct websocket_frame *frame, size_t *used);

/* Writes a server's frame header (no mask) into out; gives its size, 2 to 10. */
size_t websocket_write_header(uint8_t opcode, bool fin, bool deflated, size_t payload_size,
                              uint8_t out[WEBSOCKET_HEADER_MAX]);

/* Writes a client's frame header, with a mask, and masks `payload` in place. */
size_t websocket_write_masked(uint8_t opcode, bool fin, bool deflated, const uint8_t mask[4],
                              struct span payload, uint8_t out[WEBSOCKET_HEADER_MAX]);

/* A close code that may stand in a frame (RFC 6455, section 7.4, and the IANA registry). */
bool websocket_close_code_valid(uint16_t code);

/* The Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2): 28 characters and NUL. */
#define WEBSOCKET_ACCEPT_SIZE 29
void websocket_accept(struct view key, char out[WEBSOCKET_ACCEPT_SIZE]);

/* Whether a Sec-WebSocket-Key is 16 bytes in base64 (section 4.1). */
bool websocket_key_valid(struct view key);

/* What a Sec-WebSocket-Extensions header (RFC 7692, section 7) offers and we accept: the first
 * permessage-deflate whose parameters are all known and valid.  False: none.  On true the answer is
 * written into out (NUL-terminated): always with both ..._no_context_takeover. */
#define WEBSOCKET_EXTENSION_MAX 128
bool websocket_accept_deflate(struct view header, char out[WEBSOCKET_EXTENSION_MAX],
                              uint8_t *server_window_bits);

#endif
