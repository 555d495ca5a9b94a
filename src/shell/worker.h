/* worker.h - the inside of one worker, for the files worker_*.c alone.
 *
 * worker.c          its life: the loop, letters, the end
 * worker_accept.c   what comes in: connections and datagrams
 * worker_stream.c   connections: from the socket to the server, and back
 * worker_plain.c    plain HTTP and plain TURN on a TLS port
 * worker_splice.c   clients' connections that are joined to relays'
 * worker_turn.c     relays: the sockets between clients and peers, and what is sent from them
 * worker_datagrams.c   what comes to them, and from UDP clients
 * worker_dtls.c     what clients are shown over DTLS
 * worker_rtc.c      the media port
 * worker_forward.c  what comes by the packet from other workers, and goes to them
 *
 * The clock is read once a turn of the loop, so that all that one turn decides sees one instant.
 */
#ifndef MOIM_SHELL_WORKER_H
#define MOIM_SHELL_WORKER_H

#include "agent/turn.h"
#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/wheel.h"
#include "front/server.h"
#include "shell/connection.h"
#include "shell/log.h"
#include "shell/machine.h"
#include "shell/mailbox.h"
#include "shell/udp.h"

#define WORKER_LISTENERS_MAX (6 * SETTINGS_LISTEN_MAX + 4)
#define HANDSHAKE_TIME       (10 * USEC_S)
#define LINGER_TIME                                                                                \
    (2 * USEC_S) /* for the peer to read our last bytes and end its side:
                                             from when they were written */

enum listener_kind {
    LISTENER_HTTP,
    LISTENER_HTTPS,
    LISTENER_STUN_TCP,
    LISTENER_STUN_TLS,
    LISTENER_STUN_UDP,
    LISTENER_STUN_DTLS,
    LISTENER_RTC_TCP, /* the media port */
    LISTENER_RTC_UDP
};

struct listener {
    enum listener_kind kind;
    int fd;
    uint16_t port;
    struct address bound; /* of TURN's UDP: unspecified when the system tells with each datagram */
};

enum peer_state { PEER_HANDSHAKE, PEER_OPEN, PEER_LINGER, PEER_SPLICED };

/* A connection, and what it is to the server. */
struct peer {
    struct connection connection;
    struct timer timer; /* of the handshake, or of lingering */
    struct stream_origin origin;
    usec written_at;     /* when the last bytes went, or it came */
    uint32_t generation; /* of its place: events of the one before are told apart by it */
    uint32_t stream;     /* PEER_OPEN */
    uint32_t interest;   /* EPOLLIN, EPOLLOUT: what epoll has been told */
    uint8_t state;       /* enum peer_state */
    bool is_paused;      /* the server wants no bytes */
    bool has_relay;      /* it is, or is about to be, spliced to this one: */
    uint32_t relay;
};

enum relay_state {
    RELAY_FREE,
    RELAY_UDP,
    RELAY_LISTENS,
    RELAY_CONNECTS,
    RELAY_CONNECTED, /* to a peer; no byte is read before its client has come */
    RELAY_SPLICED,
    RELAY_FAILED /* the agent is to be told so */
};

struct splice;

/* A socket of the TURN agent's. */
struct relay {
    int fd;
    uint8_t state; /* enum relay_state */
    uint8_t family;
    bool dont_fragment;  /* as the socket is set */
    bool is_connection;  /* RELAY_FAILED: it was to be connected */
    uint32_t interest;   /* what epoll has been told */
    uint16_t generation; /* of its number: events of the one before are told apart by it */
    uint8_t batch;       /* RELAY_UDP: as many datagrams are asked for at once; 0: one */
    uint32_t full_turn;  /* the last turn in which it had the one that was asked for */
    uint32_t next;       /* among those that the agent is to be told of */
    struct address local;
    struct address told; /* how peers know it */
    struct peer *peer;   /* the client that it is spliced to */
    struct splice *splice;
};

struct relays {
    struct relay *items; /* by the agent's number; NULL: there are none */
    uint32_t count_max;
    uint32_t first_answer; /* what the agent is to be told when it has been drained */
    bool is_draining;
    struct udp_arena arena;
    struct udp_queue *queue;
    struct address addresses[MACHINE_ADDRESSES_MAX];
    uint32_t address_count;
};

#define FORWARDS_MAX 16384 /* flows of TURN clients that come here and are another worker's */

struct forwards {
    struct pool pool; /* empty where there is no other worker */
    struct map flows;
    struct list by_use;
    uint64_t wakes; /* a bit a worker that has got cards, and is to be told so */
};

#define RELAY_SINKS_MAX TURN_SINKS_MAX

/* A port of the worker's own, such as its media's, that its relays reach without a socket. */
struct relay_sink {
    struct address address; /* as peers know it; the TURN policy must allow it */
    /* Bytes that the relay at `from` has sent there: borrowed.  It may not call the worker. */
    void (*take)(void *context, usec now, const struct address *from, struct view bytes);
    void *context;
};

/* How many strangers the kernel lets in: see sieve.h. */
struct sieve {
    uint32_t keep; /* of 256 */
    usec since;    /* the counts below are of that time */
    uint64_t strangers;
    uint32_t dropped; /* by the kernel */
};

/* What worker threads are given, and share without writing to it. */
struct worker_config {
    struct server_config server; /* but for `worker` */
    unsigned number;
    struct mailbox *mailboxes; /* one a worker; ours is that of our number */
    const struct log *log;
    struct listener listeners[WORKER_LISTENERS_MAX]; /* the worker's own from now on */
    uint32_t listener_count;
    struct ssl_ctx_st *tls;       /* a reference that goes along; NULL: no https, no DTLS */
    struct listen_list public_ip; /* what relays are known by, where it is set */
    struct relay_sink sinks[RELAY_SINKS_MAX];
    uint32_t sink_count;
    const struct media_setup *media; /* NULL: there is no media port */
    struct address candidates[SERVER_CANDIDATES_MAX];
    uint32_t candidate_count;
};

struct media;

struct worker {
    struct worker_config config;
    usec now;
    uint32_t turns;
    int epoll;
    int reserve; /* a descriptor to give up when there are no others */
    struct server *server;
    struct metrics *metrics;
    struct pool peers;
    struct peer **of_stream; /* by the server's number */
    struct wheel wheel;
    uint32_t generation;
    bool is_stopping;
    bool is_done;        /* stopping, and had no connection left: it has told the others */
    unsigned done_count; /* of the others */
    usec stop_at;
    usec server_wakes;
    struct relays relays;
    struct forwards forwards;
    struct sieve sieve;
    struct media *media; /* NULL: there is no media port */
    struct terms *terms; /* set anew and in force, a reference; NULL: those of the start */
    usec accepts_at;     /* when listeners are looked at again; USEC_NEVER: they are */
    uint8_t input[SERVER_READ_MAX];
};

/* ERR_MEMORY, ERR_IO (errno says why): the listeners are still the caller's. */
MUST_USE int worker_new(const struct worker_config *config, struct worker **out);
/* Serves until a LETTER_STOP is obeyed: a thread's function. */
void *worker_run(void *worker);
/* One turn of its loop: waits for something to do, at most so long (-1: for ever), and does it. */
void worker_turn(struct worker *worker, int wait_ms);
/* A LETTER_STOP has been obeyed: no connection is left, here or on its way from another worker, or
 * the time is up. */
bool worker_has_ended(const struct worker *worker);
/* Closes all that is left.  NULL is accepted. */
void worker_free(struct worker *worker);

/* ---- within worker_*.c ---- */

/* What an epoll event is about: a peer by its number and generation, or one of these. */
#define TAG_LISTENER 0xffffff00u /* + its number */
#define TAG_RELAY    0xfffffffeu /* generation and number are in the upper half */
#define TAG_MAILBOX  0xffffffffu

MUST_USE int worker_watch(struct worker *worker, int fd, uint64_t tag);

void worker_listener_ready(struct worker *worker, const struct listener *listener);
void worker_accept_again(struct worker *worker);
/* Our socket for STUN by UDP of that address and port; NULL: it is closed. */
const struct listener *worker_listener_at(const struct worker *worker, const struct address *at);

/* Takes a connection in, whose handshake is done or begins; it is closed when there is no place. */
void worker_add_peer(struct worker *worker, const struct connection *connection,
                     const struct stream_origin *origin);
/* Takes one in that another worker gave. */
void worker_adopt_peer(struct worker *worker, const struct letter *letter);
void worker_peer_ready(struct worker *worker, struct peer *peer, uint32_t events);
void worker_peer_expired(struct worker *worker, struct peer *peer);
/* Does what the server wants done. */
void worker_drain_server(struct worker *worker);
/* The server is done with it, if it has had it: closes it when the last bytes have gone and the
 * peer has ended its side, or has had LINGER_TIME. */
void worker_linger_peer(struct worker *worker, struct peer *peer);
/* The connection is the server's from now on; it is closed when there is no place. */
void worker_open_stream(struct worker *worker, struct peer *peer);
/* Whether what has come where a handshake is to begin is no TLS, but HTTP, which has been answered,
 * or a message of STUN, which the server will read: then nothing is left to do, and the peer may be
 * gone. */
bool worker_take_plain(struct worker *worker, struct peer *peer);

/* ---- worker_turn.c: relays; all of it does nothing where there are none ---- */

MUST_USE int worker_start_relays(struct worker *worker); /* ERR_MEMORY */
void worker_stop_relays(struct worker *worker);
/* Whether they are datagrams that come there. */
static inline bool worker_is_datagrams(const struct listener *listener)
{
    return listener->kind == LISTENER_STUN_UDP || listener->kind == LISTENER_STUN_DTLS ||
           listener->kind == LISTENER_RTC_UDP;
}
/* Datagrams wait on a listener. */
void worker_datagrams_ready(struct worker *worker, const struct listener *listener);
/* What waits on a UDP relay, and on its queue of errors. */
void worker_read_relay(struct worker *worker, uint32_t number);
void worker_read_errors(struct worker *worker, uint32_t number);
void worker_relay_ready(struct worker *worker, uint32_t which, uint32_t events);
/* What epoll tells events of the relay by; `which` is its upper half. */
uint64_t worker_relay_tag(const struct worker *worker, uint32_t number);
/* Does what the TURN agent wants done.  What it sends only goes out with worker_flush_relays, which
 * must come before any bytes that were fed are written over. */
void worker_drain_relays(struct worker *worker);
/* Hands over what a port of the worker's own has for a relay of the worker's.  False: `to` is none,
 * so it has to go by a socket.  Not from within a sink's take. */
bool worker_feed_relay(struct worker *worker, const struct address *from, const struct address *to,
                       struct view bytes);
void worker_flush_relays(struct worker *worker);

/* ---- worker_dtls.c ---- */

/* Makes config.server.dtls from config.tls, where a listener wants it.  OK, too, when this
 * OpenSSL can't, which is logged.  ERR_MEMORY, ERR_CONFIG. */
MUST_USE int worker_start_dtls(struct worker *worker);
/* config.tls is another one: who shakes hands from now on is shown its certificate. */
void worker_renew_dtls(struct worker *worker);
/* After the server is gone. */
void worker_stop_dtls(struct worker *worker);

/* ---- worker_rtc.c: the media port; all of it does nothing where there is none ---- */

/* Before the server is made: config.server.rtc, and sinks for the worker's own relays.
 * ERR_MEMORY. */
MUST_USE int worker_start_media(struct worker *worker);
/* Nothing goes out by UDP any more. */
void worker_close_media(struct worker *worker);
/* After the server is gone. */
void worker_stop_media(struct worker *worker);
/* Datagrams wait at the media port. */
void worker_media_ready(struct worker *worker, const struct listener *listener);
/* Takes what relays of the worker's have sent there.  Not while the TURN agent is being drained. */
void worker_take_sunk(struct worker *worker);
/* Sends all that the media port has to say; worker_drain_server is to follow. */
void worker_flush_media(struct worker *worker);

/* ---- worker_forward.c: what comes by the packet and is another worker's ---- */

MUST_USE int worker_start_forwards(struct worker *worker); /* ERR_MEMORY */
void worker_stop_forwards(struct worker *worker);
/* Whether a client's datagram is another worker's; then it has been handed on, or lost. */
bool worker_forward(struct worker *worker, const struct turn_flow *flow, struct view bytes);
/* TURN_LEAVE */
void worker_forward_left(struct worker *worker, const struct turn_flow *flow);
/* Takes what other workers have handed on.  Not while the TURN agent is being drained. */
void worker_take_forwards(struct worker *worker);
/* Wakes those who have been handed something. */
void worker_flush_forwards(struct worker *worker);
/* struct server_road's put; `context` is the worker. */
bool worker_post_record(void *context, unsigned to, struct view first, struct view second);

/* ---- worker_sieve.c: floods of strangers ---- */

void worker_start_sieve(struct worker *worker);
/* A socket had more than could be read in its turn. */
void worker_sieve_behind(struct worker *worker);
/* When worker_sieve_tick has something to do; USEC_NEVER. */
usec worker_sieve_until(const struct worker *worker);
void worker_sieve_tick(struct worker *worker);

/* ---- worker_splice.c ---- */

void worker_begin_splice(struct worker *worker, struct peer *peer, const struct server_out *out);
/* Something has happened at either end. */
void worker_splice_ready(struct worker *worker, struct peer *peer, uint32_t events);
void worker_splice_expired(struct worker *worker, struct peer *peer);

/* Tells epoll what the peer waits for, when that has changed. */
void worker_update_interest(struct worker *worker, struct peer *peer);
/* Closes the connection, and tells the server if it has it. */
void worker_close_peer(struct worker *worker, struct peer *peer);

#endif
