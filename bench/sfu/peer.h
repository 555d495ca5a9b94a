/* peer.h - the browser's end of one peer connection, up to packets: ICE with checks, nomination and
 * consent (RFC 8445, 7675), DTLS in either role (RFC 5763), SRTP both ways.
 *
 * What a description says goes in (peer_describe), datagrams go in (peer_feed), time goes in
 * (peer_tick).  Datagrams go out by the net.  RTP and RTCP are handed on still encrypted, so that
 * they can be opened by the batch.
 */
#ifndef MOIM_BENCH_SFU_PEER_H
#define MOIM_BENCH_SFU_PEER_H

#include "net.h"

#include "agent/dtls.h"
#include "agent/srtp.h"
#include "media/description.h"
#include "wire/stun.h"

#define PEER_UFRAG_SIZE 4
#define PEER_PWD_SIZE   24
#define PEER_CHECK      (50 * USEC_MS) /* between checks, until one is answered */
#define PEER_CONSENT    (5 * USEC_S)   /* and then, give or take a fifth */
#define PEER_GIVE_UP    (30 * USEC_S)

enum peer_state {
    PEER_NEW,       /* not described yet */
    PEER_CHECKING,  /* ICE */
    PEER_SHAKING,   /* DTLS */
    PEER_CONNECTED, /* packets may be sent */
    PEER_ENDED      /* `why` says why */
};

/* What all peers of this process share. */
struct house {
    struct net net;
    struct dtls_context *dtls;
    struct secure_engine *secure;
    uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
    bool has_feedback;       /* clients say when packets came, if they are asked to */
    uint64_t datagrams_lost; /* of those that came: nobody's, or broken */
};

struct peer {
    struct house *house;
    uint32_t host;
    enum peer_state state;
    const char *why;
    char ufrag[PEER_UFRAG_SIZE + 1];
    char pwd[PEER_PWD_SIZE + 1];
    char remote_ufrag[DESCRIPTION_ICE_MAX + 1];
    char remote_pwd[DESCRIPTION_ICE_MAX + 1];
    struct address remote;
    uint8_t remote_fingerprint[DTLS_FINGERPRINT_SIZE];
    uint8_t transaction[STUN_TRANSACTION_SIZE]; /* of the last check */
    uint64_t tie_breaker;
    bool is_controlling;
    bool is_offerer;
    bool is_dtls_client;
    bool has_dtls;
    usec check_at;
    usec answered_at; /* the last check that was; at first, when it began */
    usec dtls_at;
    struct dtls dtls;
    struct secure_session secure;
};

/* Ends the program when ciphers or a certificate can't be had.  `profile` is one of enum
 * secure_profile, and the only one that is offered. */
void house_open(struct house *house, uint16_t profile, uint32_t peers_max, uint32_t sources_max);
void house_close(struct house *house);

/* A peer that has not been described.  `is_offerer`: we make the first offer. */
void peer_open(struct peer *peer, struct house *house, uint32_t host, bool is_offerer);
/* A peer that needs neither ICE nor DTLS, for the floor: keys are of the material. */
void peer_open_plain(struct peer *peer, struct house *house, uint32_t host, uint16_t profile,
                     struct view material);
void peer_close(struct peer *peer, usec now);

/* The way of the other end's description: checks begin.  With other credentials than before it is
 * an ICE restart.  False: it has no candidate of UDP and IPv4, and `why` says so. */
bool peer_describe(struct peer *peer, usec now, const struct description_head *head,
                   const struct address *candidate);

/* STUN and DTLS.  Gives true for what is neither: media. */
bool peer_feed(struct peer *peer, usec now, const struct address *from, struct view datagram);
void peer_tick(struct peer *peer, usec now);

/* A whole RTP packet, whose header is of that size, in a room for SECURE_RTP_OVERHEAD bytes more.
 * False: it can't be sent. */
bool peer_send_rtp(struct peer *peer, struct secure_window *sent, uint8_t *at, size_t header_size,
                   size_t size);
/* The same of RTCP, in a room for SECURE_RTCP_OVERHEAD bytes more. */
bool peer_send_rtcp(struct peer *peer, uint8_t *at, size_t size);

#endif
