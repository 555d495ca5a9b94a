/* clients.h - clients that send a server anything, over HTTP and WebSockets, as lines of text say.
 *
 * A line is a letter, in most cases the number of a connection (0 to 5), and what the letter needs:
 *
 *     g0PATH        GET                  p0PATH|BODY   POST           P0PATH|BODY  POST of bytes
 *     w0PATH        opens a WebSocket    m0... a text  n0... bytes    f0... bytes as they are, with
 *     x0 cut        e0 half-closed             CR LF for each '|'
 *     b0 takes nothing any more    u0 takes N bytes (2^the digit behind it)    B0 takes all
 *     tN            time passes: 2^N ms (a hexadecimal digit)      s  the server stops
 *     *N...         the line behind it 2^N times
 *
 * In paths, '$' stands for the last "sid" that was told.  In all else '^' stands for NUL, '&' for
 * the byte 0xff, '%' for 0x1e.  A request or an upgrade connects where nothing is connected.
 */
#ifndef MOIM_FUZZ_CLIENTS_H
#define MOIM_FUZZ_CLIENTS_H

#include "front/session.h"
#include "input.h"

/* What the server says: a WebSocket's message, or a piece of a 200's body (all of it, where it does
 * not come in chunks). */
enum said { SAID_TEXT, SAID_BYTES, SAID_BODY, SAID_OCTETS, SAID_PIECE };

struct clients_config {
    const struct endpoint_configs *endpoints;
    bool is_scarce; /* hardly any memory */
    void (*check)(enum said said, struct view body);
};

/* A whole run: the lines, then all go, and nothing may be left. */
void clients_run(const struct clients_config *config, struct view lines);

#endif
