/* udp.h - datagrams by the batch: many in with one call, many out.
 *
 * What comes in may be several datagrams of one sender and of equal size in one piece (UDP_GRO).
 * What goes out is queued by reference, and runs of equal size to one destination go out as one
 * message (UDP_SEGMENT), for the kernel's cost is by the message.  Where the kernel refuses that,
 * they go out one by one.  What can't be sent is dropped, as networks do.
 */
#ifndef MOIM_SHELL_UDP_H
#define MOIM_SHELL_UDP_H

#include "base/address.h"

#include <sys/socket.h>
#include <sys/uio.h>

/* ---- in ---- */

#define UDP_SLOTS_MAX     32
#define UDP_SLOT_SIZE     (65536 + 320) /* any datagram; and slots don't share places in caches */
#define UDP_RECEIVE_MAX   16
#define UDP_CONTROL_SIZE  128
#define UDP_DATAGRAMS_MAX 64 /* in one piece */

/* Where datagrams lie from udp_receive to udp_reset. */
struct udp_arena {
    uint8_t *bytes; /* UDP_SLOTS_MAX of UDP_SLOT_SIZE; touched as they are used */
    unsigned used;
};

/* ERR_MEMORY */
MUST_USE int udp_arena_init(struct udp_arena *arena);
void udp_arena_free(struct udp_arena *arena);
static inline bool udp_arena_is_full(const struct udp_arena *arena)
{
    return arena->used == UDP_SLOTS_MAX;
}
static inline void udp_arena_reset(struct udp_arena *arena)
{
    arena->used = 0;
}
/* Whether the bytes lie in it. */
static inline bool udp_arena_has(const struct udp_arena *arena, struct view bytes)
{
    return bytes.at >= arena->bytes &&
           bytes.at < arena->bytes + (size_t)UDP_SLOTS_MAX * UDP_SLOT_SIZE;
}

/* Lets the kernel put datagrams together, where it can. */
void udp_accept_runs(int fd);

/* What the socket is bound to; unspecified when that can't be told. */
void udp_address(int fd, struct address *address);

struct udp_received {
    struct view bytes;
    size_t segment; /* each of the datagrams in it has this size, but for the last */
    struct address from;
    struct address to; /* without a port; ADDRESS_NONE: the system doesn't tell */
};

/* Takes what waits on a socket, up to `most` pieces (1 to UDP_RECEIVE_MAX) and as far as there are
 * slots; gives how many there are.  To find out that there are fewer costs nearly as much as to
 * read one.  *is_drained: most likely nothing more waits. */
unsigned udp_receive(struct udp_arena *arena, int fd, unsigned most,
                     struct udp_received out[UDP_RECEIVE_MAX], bool *is_drained);

/* ---- out ---- */

#define UDP_RUNS_MAX     64
#define UDP_RUN_MAX      32    /* datagrams of a run */
#define UDP_RUN_SIZE_MAX 60000 /* bytes of it */
#define UDP_COPIES_SIZE  ((size_t)128 * 1024)

struct udp_run {
    int fd;
    socklen_t name_size;
    struct sockaddr_storage name;
    struct address to;
    struct address source; /* ADDRESS_NONE: as the socket is bound */
    size_t segment;        /* of each but perhaps the last */
    size_t size;
    unsigned count;       /* of datagrams */
    bool is_in_one_piece; /* all of them are parts[0] */
    bool is_whole;        /* the last is a smaller one: no more fit */
    bool is_sent;
    struct iovec parts[3 * UDP_RUN_MAX];
    unsigned part_count;
    uint8_t ends[UDP_RUN_MAX]; /* part_count after each datagram */
};

struct udp_queue {
    struct udp_run runs[UDP_RUNS_MAX];
    unsigned count;
    size_t copied;
    bool is_plain; /* the kernel knows no UDP_SEGMENT */
    uint8_t copies[UDP_COPIES_SIZE];
};

/* One datagram of three parts, perhaps empty.  The first and the last, of together at most 2 KiB,
 * are copied; the payload must stay until udp_flush, unless `copy` is set. */
struct udp_datagram {
    int fd;
    const struct address *to;
    const struct address *source; /* NULL: as the socket is bound */
    struct view header, payload, trailer;
    bool copy;
};

/* Queues it, and sends what was queued when there is no room for it. */
void udp_put(struct udp_queue *queue, const struct udp_datagram *datagram);
/* The same with datagrams that stand one behind the other in the payload (there is no header, no
 * trailer and no copy of it), each of `segment` bytes but perhaps the last: at most UDP_RUN_MAX of
 * them, and UDP_RUN_SIZE_MAX bytes. */
void udp_put_run(struct udp_queue *queue, const struct udp_datagram *run, size_t segment);
void udp_flush(struct udp_queue *queue);

#endif
