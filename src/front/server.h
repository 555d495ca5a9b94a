/* server.h - one worker's whole server, without I/O: streams in, streams out.
 *
 * The shell owns sockets, TLS and the clock; the server owns everything that is said on them: HTTP,
 * WebSockets, the fronts and the rooms.  A stream is a number that server_open or server_adopt
 * gave; it is valid until the server lets go of it (SERVER_CLOSE, SERVER_HAND_OVER) or the shell
 * says that it is gone (server_closed).  Numbers are below streams_max and are used again, so the
 * shell keeps its sockets in an array of that size.
 *
 * One thread.  Before it waits, the shell drains server_poll() until SERVER_WAIT (behind
 * server_rtc_seal(), where there is a media port); until then
 * calls may be made one after the other, so that what many messages have to say to one stream
 * goes out at once.
 */
#ifndef MOIM_FRONT_SERVER_H
#define MOIM_FRONT_SERVER_H

#include "base/address.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/status.h"
#include "base/trace.h"
#include "base/usec.h"
#include "base/view.h"
#include "room/topology.h"
#include "wire/token.h"

struct assets;
struct dtls_context;
struct endpoint_configs;
struct ice_flow;
struct server;
struct parcel;
struct rtc_run;
struct secure_engine;
struct stun_icmp;
struct turn_config;
struct turn_flow;
struct turn_out;

/* What is spoken on a stream at first. */
enum stream_kind {
    STREAM_HTTP,
    STREAM_STUN,
    STREAM_RTC /* ICE-TCP, at the media port */
};

struct stream_origin {
    enum stream_kind kind;
    bool secure;          /* TLS */
    struct address peer;  /* as the system says */
    struct address local; /* ours, as the client has it; ADDRESS_NONE will do for HTTP without
                             relays */
};

#define ICE_SERVERS_MAX 16

/* What clients are told of STUN and TURN servers. */
struct ice_config {
    uint16_t port;       /* ours, UDP and TCP; 0: none */
    uint16_t tls_port;   /* relays behind TLS; 0: none that browsers would take */
    uint16_t https_port; /* relays beside HTTPS, without TLS; 0: none */
    bool relays;         /* ours relay, too */
    struct view host;    /* of ours; "" : the host that the client itself used to reach us */
    struct view secret;  /* of TURN REST, the newest; may be empty when there are no relays */
    uint32_t lifetime_s; /* of what is made with it */
    struct view servers[ICE_SERVERS_MAX]; /* URIs of others, told in place of ours */
    uint32_t server_count;
};

#define SERVER_CANDIDATES_MAX   8  /* each is told twice, for UDP and for TCP */
#define SERVER_FINGERPRINT_SIZE 32 /* SHA-256 */

/* The worker's media port. */
struct server_rtc {
    struct dtls_context *dtls;    /* with SECURE_DTLS_PROFILES, and asks for a certificate; */
    struct secure_engine *secure; /* both are this server's alone, and borrowed */
    uint8_t fingerprint[SERVER_FINGERPRINT_SIZE]; /* of the certificate in `dtls` */
    uint32_t transports_max;
    /* What clients are told, the best first: addresses with ports, each for UDP and for TCP. */
    struct address candidates[SERVER_CANDIDATES_MAX];
    uint32_t candidate_count;
};

/* The way of packets to other workers' media: both views, one after the other, to server_record
 * there; in their order, and each whole or not at all.  False: there is no room now. */
struct server_road {
    bool (*put)(void *context, unsigned worker, struct view first, struct view second);
    void *context;
};

struct server_config {
    unsigned worker; /* this worker's number */
    unsigned worker_count;
    uint32_t streams_max; /* sizes of the worker's pools */
    uint32_t rooms_max;
    uint32_t members_max;
    size_t buffer_bytes;        /* budget of messages in memory */
    struct ice_config ice;      /* its views outlive the server */
    struct token_secrets auth;  /* rooms are for those with a token that one of them made; none: for
                                  everybody.  Its views outlive the server */
    struct token_secrets admin; /* tokens of the admin API, any of them; none: there is no such */
    bool has_pcap;              /* the admin may have captures made of members' media */
    struct topology_policy topology; /* of meetings' rooms */
    struct random random;
    uint64_t room_secret[2]; /* the same for all workers: it decides which worker owns a room */
    usec unix_at_zero;       /* the time of day, in microseconds since 1970, when `now` was 0 */
    struct metrics *metrics; /* worker_count of them; this worker writes its own alone */
    enum trace_level trace_level;
    const struct assets *assets;              /* the meeting page's files */
    const struct endpoint_configs *endpoints; /* what else is served; NULL: nothing */
    /* What relays for clients may do; NULL: STUN bindings alone are answered.  The server copies it
     * and fills in random, metrics, trace and worker; the rest of it, policy and users included,
     * is whoever makes the server's, and may be shared by all workers: nothing writes to it, but
     * for what they count together (`shared`).  The policy's relay ports are those that relays are
     * opened on. */
    const struct turn_config *turn;
    /* What clients of those relays are shown over DTLS; this server's alone, and borrowed.  NULL:
     * there are none. */
    struct dtls_context *dtls;
    /* Ports of this worker's that are no relays (turn_config's sinks): copied. */
    const struct address *sinks;
    uint32_t sink_count;
    const struct server_rtc *rtc; /* copied; NULL: there is no media port */
    struct server_road road;      /* put is NULL: all media of a room is at the room's worker */
    /* So many members' connections of a room are at its own worker before the next may go to
     * others. */
    uint32_t spread_from;
    /* Of a room of the SFU: how many members are seen, and heard, at once at most; 0: all. */
    uint32_t last_n;
    uint32_t loudest_n;
    enum camera_form camera; /* which meetings' members are told to send */
};

/* The usual: from about here on (SEAT_VIDEO_MAX) one member more has the others sent no more than
 * before.  The room then takes about a tenth of a processor core at its worker, and who comes costs
 * the same wherever it is, and a copy there of what is not there yet. */
#define SERVER_SPREAD_FROM 24

/* The configuration is copied; what it points to must outlive the server.  ERR_MEMORY. */
MUST_USE int server_new(const struct server_config *config, usec now, struct server **out);
/* Open streams are forgotten without a word.  NULL is accepted. */
void server_free(struct server *server);

/* What a server can be told anew.  The views last until the next server_set_terms, or until it is
 * freed. */
struct server_terms {
    struct ice_config ice;
    struct token_secrets auth;
    struct token_secrets admin;
    /* Secrets, users, policy, quotas, bandwidth and lifetime are taken over; NULL: there are no
     * relays, now as before. */
    const struct turn_config *turn;
};

/* They are in force from now on.  Who is in a room stays there; allocations keep the keys that they
 * were made with, and what they hold. */
void server_set_terms(struct server *server, const struct server_terms *terms);

/* A stream was accepted.  ERR_LIMIT: no place; close it. */
MUST_USE int server_open(struct server *server, usec now, const struct stream_origin *origin,
                         uint32_t *stream);

/* A stream came from another worker's SERVER_HAND_OVER.  The parcel is taken over, also on failure.
 * ERR_LIMIT: no place; close the stream. */
MUST_USE int server_adopt(struct server *server, usec now, struct parcel *parcel, uint32_t *stream);
/* For a parcel that could not be delivered.  NULL is accepted. */
void parcel_free(struct parcel *parcel);

/* Bytes came on a stream, at most SERVER_READ_MAX at once; they may be changed in place.  All are
 * taken.  Only while server_wants_bytes(): when it turns false, read nothing from the stream until
 * SERVER_READ names it. */
#define SERVER_READ_MAX (16 * 1024)
void server_feed(struct server *server, usec now, uint32_t stream, struct span bytes);
bool server_wants_bytes(const struct server *server, uint32_t stream);

/* The peer has ended its side: what waits for it is still sent, then SERVER_CLOSE follows. */
void server_ended(struct server *server, usec now, uint32_t stream);
/* The stream failed or is gone; its number is free again. */
void server_closed(struct server *server, usec now, uint32_t stream);

/* The first `size` bytes of the last SERVER_SEND for this stream have been taken.  When those were
 * not all, the stream is not polled again until server_writable. */
void server_sent(struct server *server, usec now, uint32_t stream, size_t size);
void server_writable(struct server *server, usec now, uint32_t stream);

/* A UDP datagram on the STUN port.  Gives the size of the answer written to out, 0 for none. */
#define SERVER_DATAGRAM_MAX 512
size_t server_datagram(struct server *server, usec now, const struct address *from,
                       struct view datagram, uint8_t out[SERVER_DATAGRAM_MAX]);

/* Begins the end: WebSockets are closed with 1001, DTLS clients are told goodbye, HTTP answers
 * under way are finished, no stream is kept alive.  The shell stops when server_streams() is 0, or
 * when it has waited long enough. */
void server_stop(struct server *server, usec now);
uint32_t server_streams(const struct server *server);

/* Call it when `now` has reached the time that SERVER_WAIT told. */
void server_tick(struct server *server, usec now);

enum server_out_kind {
    SERVER_WAIT,
    SERVER_SEND,
    SERVER_READ,
    SERVER_CLOSE,
    SERVER_HAND_OVER,
    SERVER_SPLICE
};

#define SERVER_RUNS_MAX 32

struct server_out {
    enum server_out_kind kind;
    uint32_t stream;
    /* SERVER_SEND: write these, then say how much went with server_sent.  Borrowed until then. */
    struct view runs[SERVER_RUNS_MAX];
    size_t run_count;
    bool is_apart; /* a run is a message: under TLS, a record of its own */
    /* SERVER_READ: the stream takes bytes again; read what may have come in the meantime. */
    /* SERVER_HAND_OVER: give socket, TLS state and parcel to that worker for server_adopt. */
    unsigned worker;
    struct parcel *parcel;
    /* SERVER_SPLICE: the stream's last bytes have gone out, and from now on it is the shell's: raw
     * bytes to and from that relay, beginning with those of runs[0] (borrowed until the next
     * call), which the client has sent already.  A TURN_SPLICE came before, and no TURN_CLOSE. */
    uint32_t relay;
    /* SERVER_WAIT: when to call server_tick; USEC_NEVER is possible. */
    usec until;
};

/* The next thing to do.  SERVER_CLOSE: all that was to be sent has been sent; shut the stream
 * down. */
void server_poll(struct server *server, struct server_out *out);

/* ---- questions to all workers (front/errand.h) ---- */

struct errand;

/* One that is to go to that worker's server_errand; NULL: there is none.  Look before waiting. */
struct errand *server_poll_errand(struct server *server, unsigned *worker);
/* One has come; it is taken over. */
void server_errand(struct server *server, usec now, struct errand *errand);
/* One that was polled can't be delivered; it is taken over, too. */
void server_errand_failed(struct server *server, usec now, struct errand *errand);
/* For one that nobody takes any more. */
void errand_free(struct errand *errand);

/* ---- meetings at more than one worker (front/note.h): when config.road was given ---- */

struct note;

/* One that is to go to that worker's server_note; NULL: there is none.  Look before waiting. */
struct note *server_poll_note(struct server *server, unsigned *worker);
/* The one that was polled last can't be delivered now: it is polled again.  None may be lost. */
void server_note_again(struct server *server, struct note *note);
/* One has come; it is taken over. */
void server_note(struct server *server, usec now, struct note *note);
/* For one that nobody takes any more.  NULL is accepted. */
void note_free(struct note *note);

/* What config.road has carried, from that worker: borrowed for the call.  Like what comes to the
 * media port, it counts for server_rtc_is_full, and server_rtc_seal is to follow. */
void server_record(struct server *server, usec now, unsigned from, struct view bytes);

/* ---- relays: when config.turn was given ----
 *
 * What concerns UDP clients and relays is the TURN agent's (agent/turn.h); the server stands
 * between, to give it what comes on streams, and to send there what it answers.  The calls below
 * are those of turn.h with the same names, and their contracts are written there.
 *
 * After each of them (but where it says otherwise), and after every other call of this header but
 * server_poll and server_sent, drain server_relay_poll until NULL before the next call: what was
 * fed is looked at only then, so its bytes must stay till then, too. */

/* The next of TURN_CLIENT (of UDP and DTLS flows alone), TURN_PEER, TURN_SINK, TURN_OPEN,
 * TURN_CONNECT, TURN_SPLICE (`flow->connection` is the stream), TURN_CLOSE and TURN_LEAVE; NULL:
 * there is nothing more.  For DTLS the payload of a TURN_CLIENT is the datagram as it goes out, and
 * flow->connection what it was when one came from that client.  Borrowed until the next call.
 * Between two calls of it, server_closed may be called for streams of TURN_SPLICE alone. */
const struct turn_out *server_relay_poll(struct server *server, usec now);

/* A datagram from a client; for TURN_OVER_DTLS as it came.  flow->connection is the shell's own;
 * the flow, too, must stay. */
void server_relay_client(struct server *server, usec now, const struct turn_flow *flow,
                         struct view bytes);
/* turn_has_allocation; between a call and its draining, too. */
bool server_relay_has(struct server *server, const struct turn_flow *flow);
void server_relay_peer(struct server *server, usec now, uint32_t relay, const struct address *peer,
                       struct view bytes);
/* turn_find_relay; no draining. */
bool server_relay_find(const struct server *server, const struct address *address, uint32_t *relay);
void server_relay_icmp(struct server *server, usec now, uint32_t relay, const struct address *peer,
                       const struct stun_icmp *icmp);
void server_relay_opened(struct server *server, usec now, uint32_t relay,
                         const struct address *relayed);
void server_relay_open_failed(struct server *server, usec now, uint32_t relay);
void server_relay_connected(struct server *server, usec now, uint32_t relay, int status);
MUST_USE int server_relay_accept(struct server *server, usec now, uint32_t relay,
                                 const struct address *peer, uint32_t *connection);
void server_relay_gone(struct server *server, usec now, uint32_t relay);
/* Needs no draining. */
bool server_relay_splice_may(struct server *server, usec now, uint32_t relay, size_t size);

/* ---- the media port: when config.rtc was given ----
 *
 * UDP comes and goes here.  A TCP connection to the port is a stream of kind STREAM_RTC, like all
 * others: what is not of somebody whom a transport was opened for is closed without a word.
 *
 * Feed all that one wake-up has brought; then, and whenever the port is full, and after all else of
 * a turn of the loop, before it waits:
 *
 *     while ((runs = server_rtc_seal(server, now, &count)) != NULL) {
 *         ... send them ...
 *         server_rtc_sent(server);
 *     }
 *
 * and drain server_poll behind it.  Between the two nothing is fed, and no stream is. */

/* A datagram, which is changed in place; it is not looked at any more afterwards.  flow->local is
 * the address that it came to, with the port, and flow->stream ICE_UDP. */
void server_rtc_feed(struct server *server, usec now, const struct ice_flow *flow,
                     struct span datagram);
/* What comes next may be answered to no avail unless all is sent before. */
bool server_rtc_is_full(const struct server *server);
/* Has the media port say what it has to say, as much as goes at once; NULL: nothing more, or there
 * is no port.  Of the runs, which are valid until server_rtc_sent, those are to be sent whose
 * flow->stream is ICE_UDP, from flow->local to flow->remote: the others have been queued on their
 * streams. */
const struct rtc_run *server_rtc_seal(struct server *server, usec now, uint32_t *count);
void server_rtc_sent(struct server *server);

/* The server's trace events: drain with trace_take now and then. */
struct trace *server_trace(struct server *server);

#endif
