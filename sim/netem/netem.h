/* netem.h - a line of a network in one direction, sans-IO: a bottleneck with a queue, then a way
 * that delays, loses, doubles and reorders.
 *
 * Packets go in (netem_send), and come out when their time has come (netem_take, until NULL; then
 * there is nothing before netem_until).  What a packet passes, in this order:
 *
 *   the queue       drop-tail, limited in bytes or in the time that it takes to send what is in it.
 *                   Without a rate there is none.
 *   the bottleneck  one packet after the other, at exactly the rate; a change of the rate holds for
 *                   what is in the queue, too, and for the rest of the packet that is being sent.
 *   loss            by chance (`loss`), and in bursts (`burst`: the model of Gilbert, in whose bad
 *                   state all is lost).  It lies behind the bottleneck, as a radio's does: what is
 *                   lost has taken its share of the rate.
 *   doubling        a second copy, which takes a way of its own from here.
 *   the way         the delay, and up to `jitter` more, evenly; a packet waits for those before it,
 *                   unless `reorders`.  One in `reorder` comes `reorder_by` later than it would,
 *                   and nobody waits for it.
 *
 * All chance is from the seed.  A script (netem/script.h) changes the line as time passes.  Time
 * does not go back.  One thread; memory is the store's, which many lines may share.
 */
#ifndef MOIM_SIM_NETEM_NETEM_H
#define MOIM_SIM_NETEM_NETEM_H

#include "base/list.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/usec.h"
#include "base/view.h"

#define NETEM_PACKET_MAX 1600    /* bytes */
#define NETEM_ALL        1000000 /* chances are of a million */
#define NETEM_RATE_MAX   ((uint64_t)10000000000)
#define NETEM_TIME_MAX   (24 * 3600 * USEC_S)

/* What a line is like. */
struct netem_setting {
    uint64_t rate_bps;    /* of all bytes that are sent, overhead included; 0: there is no limit */
    uint32_t queue_bytes; /* that may wait, with the one that is being sent; 0: no limit */
    usec queue_time;      /* that they may take at the rate; 0: no limit */
    usec delay;
    usec jitter;
    uint32_t loss;        /* of a million */
    uint32_t burst_begin; /* of a million, a packet: from the good state to the bad one ... */
    uint32_t burst_end;   /* ... and back */
    uint32_t duplicate;   /* of a million */
    uint32_t reorder;     /* of a million */
    usec reorder_by;
    bool reorders;   /* jitter does */
    bool is_blocked; /* all is lost, before the queue */
};

struct netem_packet {
    struct list node;
    usec sent_at; /* when it came to the line */
    usec at;      /* when it comes out */
    uint64_t tag; /* the caller's */
    uint16_t size;
    uint8_t bytes[NETEM_PACKET_MAX];
};

/* What became of all packets: sent + doubled = arrived + lost + overflowed + those on the line. */
struct netem_counts {
    uint64_t sent;
    uint64_t arrived;
    uint64_t lost;
    uint64_t overflowed; /* the queue was full, or the store was empty */
    uint64_t doubled;
    uint64_t bytes; /* that passed the bottleneck, with overhead */
};

struct netem_script;

/* Its members are netem.c's, but that all may read setting and counts. */
struct netem {
    struct pool *store;
    struct netem_setting setting;
    struct netem_counts counts;
    uint32_t overhead; /* bytes that each packet has more on the line */
    uint64_t random_state;
    usec now;
    struct list queue; /* the first is being sent */
    uint32_t queue_count;
    uint64_t queued; /* bytes of them, with overhead */
    uint64_t work;   /* what is left of the first: bits, times a million */
    usec work_at;    /* as of that time */
    struct list way; /* by when they come out */
    uint32_t way_count;
    usec last_at; /* of the latest that others wait for */
    bool is_bad;  /* the state, of bursts */
    const struct netem_script *script;
    unsigned step; /* of the script, that is next */
    usec script_from;
};

/* A store of so many packets; pool_free when no line uses it any more.  ERR_MEMORY. */
MUST_USE int netem_store_init(struct pool *store, uint32_t packets_max);

/* A line without faults.  `overhead` is what is below what is sent: 28 bytes of IPv4 and UDP. */
void netem_init(struct netem *line, struct pool *store, uint64_t seed, uint32_t overhead, usec now);
/* Packets that are still on it go back to the store. */
void netem_free(struct netem *line);

/* It is like this from now on. */
void netem_set(struct netem *line, usec now, const struct netem_setting *setting);
/* It is as the script says, whose times count from `from`; what is due by now is done at once.  The
 * script is borrowed for as long as it is followed; NULL: stays as it is. */
void netem_follow(struct netem *line, usec now, const struct netem_script *script, usec from);

/* At most NETEM_PACKET_MAX bytes, which are copied.  False: lost at once (blocked, the queue is
 * full, or the store is empty). */
bool netem_send(struct netem *line, usec now, struct view bytes, uint64_t tag);
/* The next one that has come out by now, of which `at` says when; NULL: none.  To be given back. */
struct netem_packet *netem_take(struct netem *line, usec now);
void netem_give(struct netem *line, struct netem_packet *packet);
/* When there may be something to take; USEC_NEVER: not before something is sent. */
usec netem_until(const struct netem *line);

/* How long a packet that is sent now would wait for those before it. */
usec netem_queue_time(const struct netem *line, usec now);

#endif
