#include "front/capture.h"

#include <stdlib.h>
#include <string.h>

#include "agent/rtc_tap.h"
#include "front/hold.h"
#include "front/media_report.h"
#include "front/respond.h"
#include "front/rtc.h"
#include "wire/pcap.h"

#define LOOK_EACH  (200 * USEC_MS)      /* for what came, and for new peers of the member */
#define PACKET_MAX RTC_FRAME_MAX        /* a longer one is left out */
#define QUEUE_MAX  ((size_t)512 * 1024) /* that may wait for the client */
#define PIECE_SIZE (PACKET_MAX + (size_t)16 * 1024)

struct capture {
    struct capture *next;
    struct stream *stream;
    struct rtc_tap tap;
    const void *room;
    const void *member;
    usec until;
    usec look_at;
    uint64_t left; /* bytes that the file may still become longer by */
};

/* ---- the member's transports ---- */

/* Those that are its, and have no other tap. */
static void attach(struct server *server, struct capture *capture)
{
    struct media_name name;
    struct peer *peer;
    uint32_t index = 0;
    while ((peer = sfu_next(server->sfu, &index)))
        if (!peer->transport->tap && media_name(peer, &name) && name.room == capture->room &&
            name.member == capture->member)
            peer->transport->tap = &capture->tap;
}

static void detach(struct server *server, const struct capture *capture)
{
    struct peer *peer;
    uint32_t index = 0;
    while ((peer = sfu_next(server->sfu, &index)))
        if (peer->transport->tap == &capture->tap)
            peer->transport->tap = NULL;
}

/* ---- the end ---- */

static void forget(struct server *server, usec now, struct stream *stream)
{
    struct capture **at = &server->captures;
    struct capture *capture = stream->context;
    (void)now;
    while (*at != capture)
        at = &(*at)->next;
    *at = capture->next;
    server->capture_count--;
    detach(server, capture);
    rtc_tap_free(&capture->tap);
    free(capture);
    stream->context = NULL;
}

void captures_free(struct server *server)
{
    while (server->captures)
        forget(server, 0, server->captures->stream);
}

static void end(struct server *server, usec now, struct stream *stream)
{
    forget(server, now, stream);
    http_end_pieces(server, now, stream);
}

static const struct holder HOLDER = { .gone = forget, .stopping = end };

/* ---- the file ---- */

static uint64_t unix_time(const struct server *server, usec time)
{
    return server->config.unix_at_zero + time;
}

/* Adds a packet to the piece; false: the file has no room for it. */
static bool add(const struct server *server, struct capture *capture, struct span piece,
                size_t *size)
{
    struct rtc_tap_head head;
    struct view packet;
    uint8_t *at = piece.at + *size;
    if (!rtc_tap_peek(&capture->tap, &head, &packet))
        return false;
    size_t before = 0;
    if (packet.size <= PACKET_MAX)
        before = pcap_write_record(at, unix_time(server, head.at), &head.from, &head.to, packet);
    if (before + packet.size > capture->left) {
        capture->left = 0;
        return false;
    }
    if (before > 0) {
        memcpy(at + before, packet.at, packet.size);
        *size += before + packet.size;
        capture->left -= before + packet.size;
    }
    rtc_tap_drop(&capture->tap);
    return true;
}

static void write_some(struct server *server, usec now, struct capture *capture)
{
    const struct span piece = { server->scratch, PIECE_SIZE };
    struct stream *stream = capture->stream;
    bool has_more = true;
    while (has_more && stream->outbox.size < QUEUE_MAX) {
        size_t size = 0;
        while (has_more && size + PCAP_RECORD_MAX + PACKET_MAX <= piece.size)
            has_more = add(server, capture, piece, &size);
        if (size > 0)
            http_piece(server, now, stream, view_make(piece.at, size));
    }
}

void captures_tick(struct server *server, usec now)
{
    struct capture *next;
    for (struct capture *at = server->captures; at; at = next) {
        next = at->next;
        if (now < at->look_at)
            continue;
        write_some(server, now, at);
        if (now >= at->until || at->left == 0) {
            end(server, now, at->stream);
            continue;
        }
        attach(server, at);
        at->look_at = now + LOOK_EACH;
    }
}

usec captures_until(const struct server *server)
{
    usec until = USEC_NEVER;
    for (const struct capture *at = server->captures; at; at = at->next)
        if (at->look_at < until)
            until = at->look_at;
    return until;
}

/* ---- the beginning ---- */

void capture_begin(struct server *server, usec now, struct stream *stream, const void *room,
                   const void *member, unsigned seconds)
{
    uint8_t header[PCAP_HEADER_SIZE];
    struct capture *capture =
        server->capture_count < CAPTURES_MAX ? calloc(1, sizeof *capture) : NULL;
    if (!capture || rtc_tap_init(&capture->tap) != OK) {
        free(capture);
        respond_code(server, now, stream, 503, "Retry-After: 10\r\n");
        return;
    }
    capture->stream = stream;
    capture->room = room;
    capture->member = member;
    capture->until = now + seconds * USEC_S;
    capture->look_at = now + LOOK_EACH;
    capture->left = CAPTURE_SIZE_MAX;
    capture->next = server->captures;
    server->captures = capture;
    server->capture_count++;
    attach(server, capture);
    http_begin_pieces(server, now, stream, &HOLDER, capture, "application/vnd.tcpdump.pcap",
                      "Cache-Control: no-store\r\n");
    pcap_write_header(header);
    http_piece(server, now, stream, view_make(header, sizeof header));
}
