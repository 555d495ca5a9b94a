/* rtc.h - a worker's media port: all WebRTC transports on it (ICE, DTLS, SRTP), sans-IO.
 *
 * A transport is one peer connection's way: BUNDLE and rtcp-mux are taken for granted (RFC 8843,
 * 5761).  Datagrams go in, whoever they are from; what a transport's other end said comes out, and
 * packets are queued for it, sealed in batches, and given out as runs.
 *
 * How to drive it.  In: after EVERY rtc_feed, rtc_tick and rtc_close, call rtc_poll until RTC_WAIT;
 * what an output borrows is valid until the next rtc_* call.  Out: rtc_end_rtp and rtc_send_...
 * queue; rtc_seal encrypts all that is queued and gives it as runs, which are to be sent before
 * rtc_sent.  One thread.
 *
 * To strangers the port is silent: it answers STUN that bears the ufrag of a transport and is
 * signed with its password, and everything else is read only on flows on which that has come.  A
 * stranger's packet costs a look into a table, and leaves nothing behind.
 */
#ifndef MOIM_AGENT_RTC_H
#define MOIM_AGENT_RTC_H

#include "agent/dtls.h"
#include "agent/ice_lite.h"
#include "agent/srtp.h"
#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/pool.h"
#include "base/wheel.h"

/* ---- limits ---- */

#define RTC_PACKET_MAX   1500 /* of RTP and RTCP, sealed; what is longer is refused */
#define RTC_BATCH_MAX    256  /* packets that are queued at once */
#define RTC_ARENA_SIZE   ((size_t)384 * 1024)
#define RTC_RUN_MAX      32            /* packets of one run */
#define RTC_HEADER_MAX   264           /* what a writer of headers may touch */
#define RTC_REMOTE_TIME  (60 * USEC_S) /* for the other end's description to come */
#define RTC_CONNECT_TIME (30 * USEC_S) /* then, for ICE and DTLS together */

struct rtc_config {
    struct dtls_context *dtls;    /* borrowed; with SECURE_DTLS_PROFILES */
    struct secure_engine *secure; /* borrowed */
    const struct random *random;
    struct metrics *metrics;
    uint32_t transports_max;
};

enum rtc_setup { RTC_PASSIVE, RTC_ACTIVE }; /* ours (RFC 4145): DTLS server, or client */

/* What the other end's description says of its end. */
struct rtc_remote {
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE]; /* of its certificate, SHA-256 */
    enum rtc_setup setup;                       /* which role that leaves to us */
};

enum rtc_end {
    RTC_OPEN,
    RTC_END_CLOSED,      /* by rtc_close */
    RTC_END_BY_PEER,     /* its DTLS said close_notify */
    RTC_END_NO_CONSENT,  /* no check in ICE_CONSENT_TIME: it is gone */
    RTC_END_TIMEOUT,     /* it did not connect in RTC_CONNECT_TIME */
    RTC_END_HANDSHAKE,   /* DTLS failed */
    RTC_END_CERTIFICATE, /* the certificate is not the one that was described */
    RTC_END_PROFILE,     /* no SRTP profile in common */
    RTC_END_LIMIT        /* no memory for its keys */
};

struct rtc_flow;
struct rtc_tap;

/* Its members are rtc*.c's, but for `owner` and `tap`. */
struct rtc_transport {
    void *owner;         /* the caller's */
    struct rtc_tap *tap; /* the caller's: who looks at its packets (rtc_tap.h); NULL: nobody */
    struct ice_lite ice;
    struct dtls dtls;
    struct secure_session secure;
    struct rtc_flow *flows[ICE_PAIRS_MAX]; /* of the pairs, in any order; NULL: none */
    struct ice_flow way; /* where to send: the selected pair's, or the last one's */
    struct rtc_remote remote;
    struct timer timer;
    struct list touched; /* among those that rtc_poll looks at */
    struct list all;
    usec connect_until;
    usec dtls_until;
    bool has_way;
    bool has_remote;
    bool has_dtls;
    bool is_connected;
    bool is_end_told;
    uint8_t overhead; /* what SRTP makes a packet longer by */
    uint8_t end;      /* enum rtc_end */
};

/* Packets that stand behind one another, each of `segment` bytes but perhaps the last. */
struct rtc_run {
    const struct ice_flow *flow;
    struct view bytes;
    uint16_t segment;
    uint16_t count;
};

enum rtc_out_kind {
    RTC_WAIT,      /* nothing more; rtc_tick when `until` has come */
    RTC_CONNECTED, /* packets may be sent, and come from now on */
    RTC_RTP,       /* `packet`, opened in place: plain RTP, whose header has not been looked at */
    RTC_RTCP,      /* a compound packet, as above */
    RTC_DATA,      /* `data`, which DTLS carried: SCTP */
    RTC_ENDED      /* `end` says why; the transport is to be closed */
};

struct rtc_out {
    uint8_t kind; /* enum rtc_out_kind */
    uint8_t end;  /* enum rtc_end */
    struct rtc_transport *transport;
    struct span packet;
    struct view data;
    usec until;
};

struct rtc_batch;

struct rtc {
    struct rtc_config config;
    struct pool transports;
    struct pool flows;
    struct map by_ufrag; /* of the transports' credentials, former ones too */
    struct map by_flow;
    struct wheel wheel;
    struct list touched;
    struct list all;
    usec now;
    struct rtc_flow *last_flow; /* of the last datagram: the next is most likely of the same */
    bool has_packet;
    struct rtc_out packet;
    struct rtc_batch *batch;
};

/* ERR_MEMORY: nothing was made. */
MUST_USE int rtc_init(struct rtc *rtc, const struct rtc_config *config, usec now);
/* Transports are forgotten without a word. */
void rtc_free(struct rtc *rtc);

/* ---- transports ---- */

/* A new one, ready for checks.  ERR_LIMIT: transports_max are there.  ERR_MEMORY. */
MUST_USE int rtc_open(struct rtc *rtc, usec now, void *owner, struct rtc_transport **out);

static inline const struct ice_credentials *rtc_credentials(const struct rtc_transport *transport)
{
    return &transport->ice.local;
}

/* What the other end's description says, once; then DTLS begins as soon as a check has come. */
void rtc_set_remote(struct rtc *rtc, usec now, struct rtc_transport *transport,
                    const struct rtc_remote *remote);

/* New credentials (RFC 8445, section 9); nothing stops meanwhile. */
void rtc_restart(struct rtc *rtc, usec now, struct rtc_transport *transport);

/* Says close_notify to the other end and frees the transport; nothing comes of it any more. */
void rtc_close(struct rtc *rtc, usec now, struct rtc_transport *transport);

/* ---- in ---- */

/* A datagram, or a frame of a TCP connection (RFC 4571) without its length.  It is changed in
 * place. */
void rtc_feed(struct rtc *rtc, usec now, const struct ice_flow *flow, struct span datagram);
/* Whether a transport's other end has been heard on the flow. */
bool rtc_knows(struct rtc *rtc, const struct ice_flow *flow);
/* A TCP connection is gone. */
void rtc_stream_gone(struct rtc *rtc, usec now, const struct ice_flow *flow);
void rtc_tick(struct rtc *rtc, usec now);
void rtc_poll(struct rtc *rtc, struct rtc_out *out);

/* Whether rtc_poll or rtc_seal have something to give. */
bool rtc_is_busy(const struct rtc *rtc);
/* As RTC_WAIT says it. */
static inline usec rtc_until(const struct rtc *rtc)
{
    return wheel_next(&rtc->wheel);
}

/* ---- out ---- */

/* Begins an RTP packet: the caller writes its header to what it gets, where RTC_HEADER_MAX bytes
 * may be touched, and ends it with rtc_end_rtp, or not at all.  NULL: the transport is not
 * connected, or the batch is full (rtc_is_full): seal and send it, then go on. */
uint8_t *rtc_begin_rtp(struct rtc *rtc, struct rtc_transport *transport);
bool rtc_is_full(const struct rtc *rtc);

/* As secure_protect has it. */
struct rtc_rtp {
    size_t header_size;
    size_t own_size;            /* of the payload's beginning, written behind the header */
    struct view payload;        /* the rest of it; must stay as it is until rtc_seal */
    struct secure_window *sent; /* what was sent with its SSRC */
    bool is_repeat;
};
/* One that would be longer than RTC_PACKET_MAX is dropped, and counted. */
void rtc_end_rtp(struct rtc *rtc, struct rtc_transport *transport, const struct rtc_rtp *rtp);

/* Queues a compound RTCP packet, which is copied.  One that finds no room is lost, as on the
 * way. */
void rtc_send_rtcp(struct rtc *rtc, struct rtc_transport *transport, struct view packet);

/* Data for SCTP's other end, up to DTLS_DATA_MAX; lost as above. */
void rtc_send_data(struct rtc *rtc, usec now, struct rtc_transport *transport, struct view data);

/* Encrypts what is queued and gives it as runs, in the order of each transport; valid until
 * rtc_sent, which must follow before anything more is queued. */
const struct rtc_run *rtc_seal(struct rtc *rtc, uint32_t *count);
void rtc_sent(struct rtc *rtc);

#endif
