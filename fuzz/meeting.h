/* meeting.h - for fuzz_meet: two workers' servers and a few clients, joined without a network.
 *
 * A client writes bytes into its stream and reads what comes out at once.  Clients that have become
 * WebSockets check every frame that they get: framing, JSON, and numbers that grow.
 */
#ifndef MOIM_FUZZ_MEETING_H
#define MOIM_FUZZ_MEETING_H

#include "front/server.h"
#include "input.h"

#define MEETING_WORKERS 2
#define MEETING_LINKS   4

enum link_state { LINK_CLOSED, LINK_HTTP, LINK_UPGRADING, LINK_WEBSOCKET, LINK_STUN };

/* One client's connection, and what the client remembers over connections. */
struct link {
    enum link_state state;
    unsigned worker;
    uint32_t stream;
    bool is_blocked;  /* reads nothing */
    bool is_slow;     /* reads half of what it is sent, then nothing */
    bool is_numbered; /* gives its messages ids */
    struct span come; /* bytes that came and make no whole frame yet */
    size_t come_size;
    struct span waiting; /* bytes that the server does not take yet */
    uint64_t next_id;
    uint64_t seq; /* the last event seen */
    char room[8];
    char session[40];
    uint8_t ping[125]; /* the last ping's payload */
    size_t ping_size;
};

struct meeting {
    usec now;
    uint64_t chance;
    struct server *servers[MEETING_WORKERS];
    struct metrics metrics[MEETING_WORKERS];
    bool is_lossy; /* streams that are handed over are lost */
    bool is_lazy;  /* what the servers ask for is done only at meeting_drain and meeting_wait */
    struct link links[MEETING_LINKS];
};

/* Two fresh servers; `is_tight`: with hardly any memory for messages. */
void meeting_begin(struct meeting *meeting, bool is_tight);
/* Everybody goes, time passes, and nothing may be left. */
void meeting_end(struct meeting *meeting);

/* A new stream, its old one cut.  For LINK_UPGRADING the handshake is sent. */
void meeting_open(struct meeting *meeting, struct link *link, enum link_state state);
void meeting_cut(struct meeting *meeting, struct link *link);
/* It says that nothing more comes, and still reads. */
void meeting_finish(struct meeting *meeting, struct link *link);

/* Bytes as they are; one frame with a mask of zeros (flags: FIN 0x80, RSV1 0x40). */
void meeting_send(struct meeting *meeting, struct link *link, struct view bytes);
void meeting_send_frame(struct meeting *meeting, struct link *link, uint8_t flags,
                        struct view payload);

/* Does all that the servers ask for. */
void meeting_drain(struct meeting *meeting);
/* It reads again. */
void meeting_unblock(struct meeting *meeting, struct link *link);
/* Time passes, timers expire as they should. */
void meeting_wait(struct meeting *meeting, usec time);
void meeting_stop(struct meeting *meeting, unsigned worker);

#endif
