/* srtp.h - SRTP and SRTCP (RFC 3711, 7714) under the keys that DTLS agreed on (RFC 5764): packets
 * are protected by the batch, each under a key of its own, and unprotected in place.
 *
 * It asks no clock and no chance, and takes no memory from the heap but when an engine is made and,
 * with OpenSSL's ciphers, when a session is.  It keeps nothing for a stream that has not shown the
 * key.  One thread an engine.  Of RFC 3711 it has what RFC 5764 asks for: no MKI, one derivation of
 * keys, and SRTCP always encrypted.
 *
 * (Its names begin with secure_, for srtp_ belongs to libsrtp2, which the tests set beside it.)
 */
#ifndef MOIM_AGENT_SRTP_H
#define MOIM_AGENT_SRTP_H

#include "agent/srtp_window.h"
#include "base/view.h"

/* ---- limits ---- */

#define SECURE_RTP_OVERHEAD  16    /* what a packet may become longer by */
#define SECURE_RTCP_OVERHEAD 20    /* the same, with SRTCP's index */
#define SECURE_PACKET_MAX    65535 /* bytes; a longer one is malformed, or the programmer's error */
#define SECURE_SOURCES_MAX   64    /* SSRCs that a session's peer may send with */
#define SECURE_MATERIAL_MAX  88    /* bytes: DTLS_SRTP_KEYS_MAX */

/* ---- profiles: the numbers of RFC 5764, section 4.1.2, and RFC 7714, section 14.2 ---- */

enum secure_profile {
    SECURE_AES128_CM_HMAC_SHA1_80 = 0x0001,
    SECURE_AES128_CM_HMAC_SHA1_32 = 0x0002, /* SRTCP's tags have 80 bits here, too */
    SECURE_AEAD_AES_128_GCM = 0x0007,
    SECURE_AEAD_AES_256_GCM = 0x0008
};

/* Those that DTLS is to offer, and to choose from, best first, by OpenSSL's names (dtls_config):
 * tags of 32 bits are for those who ask for them. */
#define SECURE_DTLS_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

/* How many bytes dtls_srtp_keys is to give; 0: the profile is not known here. */
size_t secure_material_size(uint16_t profile);

/* ---- the engine: ciphers and memory that the sessions of one worker share ---- */

struct secure_engine;

enum secure_choice {
    SECURE_BEST, /* libipsec-mb where it can be used, else OpenSSL */
    SECURE_EVP,
    SECURE_IPSEC_MB
};

struct secure_config {
    enum secure_choice choice;
    uint32_t sessions_max;
    uint32_t sources_max; /* SSRCs that are received, in all sessions */
};

/* Memory of keys (a session: 4.3 KiB with libipsec-mb's GCM, else about 1.3) and of sources (128
 * bytes each) is reserved here, and touched as it is used.  ERR_UNSUPPORTED: these ciphers are not
 * on this machine, or not in this build.  ERR_MEMORY.  On error *out is untouched. */
MUST_USE int secure_engine_new(const struct secure_config *config, struct secure_engine **out);

/* After its sessions.  NULL is accepted. */
void secure_engine_free(struct secure_engine *engine);

/* Of the ciphers, for people. */
const char *secure_engine_name(const struct secure_engine *engine);

uint32_t secure_engine_sessions(const struct secure_engine *engine);
uint32_t secure_engine_sources(const struct secure_engine *engine);

/* ---- a session: what one DTLS association protects ---- */

struct secure_key;    /* of one direction, and of RTP or of RTCP */
struct secure_source; /* an SSRC that is received */

/* To be embedded; its members are srtp*.c's, but rtp_out, which is for secure_outgoing. */
struct secure_session {
    struct secure_engine *engine; /* NULL: none is open */
    struct secure_key *rtp_out;
    struct secure_key *rtp_in;
    struct secure_key *rtcp_out;
    struct secure_key *rtcp_in;
    uint32_t rtcp_index; /* of the next SRTCP packet that is sent */
    uint32_t source_count;
    uint32_t ssrcs[SECURE_SOURCES_MAX];
    struct secure_source *sources[SECURE_SOURCES_MAX];
};

/* `material` is as dtls_srtp_keys gives it, of secure_material_size bytes; wipe it afterwards.
 *   OK              open; secure_session_close is to follow.
 *   ERR_UNSUPPORTED the profile is not known.
 *   ERR_LIMIT       sessions_max are open.
 *   ERR_MEMORY
 * On error nothing is open. */
MUST_USE int secure_session_open(struct secure_session *session, struct secure_engine *engine,
                                 uint16_t profile, bool is_client, struct view material);

/* What an RTP packet becomes longer by: 4 to SECURE_RTP_OVERHEAD. */
size_t secure_session_overhead(const struct secure_session *session);

/* Wipes the keys.  Zeroed memory is accepted, and what is closed already. */
void secure_session_close(struct secure_session *session);

/* Forgets what was received with this SSRC, so that another may come in its place: for sources that
 * have ended.  What someone has kept of its packets would be taken once more, if its rollover
 * counter never moved; so have them refused by SSRC. */
void secure_session_forget(struct secure_session *session, uint32_t ssrc);

/* ---- sending: one packet to many ----
 *
 * Each job has its own key, its own header, and the bytes of a payload that all may share.  At `at`
 * the caller has written the header (12 bytes, CSRCs, extensions) and, behind it, what of the
 * payload is this receiver's own (an RTX packet's sequence number, a descriptor).  The shared rest
 * is encrypted from where it lies to behind these; it may lie there already.  The room at `at` is
 * header_size + own_size + payload.size + padding_size and what secure_session_overhead says; not
 * a byte more is written, so packets may stand one behind the other.
 *
 * With own or padding bytes the payload is copied first: 20 ns more for 1200 bytes, to 140.
 *
 * `sent` is what has been sent with this key and this SSRC: zeroed before the first packet, kept as
 * long as the session.  It gives the packet its rollover counter, and sees to it that no index is
 * used twice, which would give both packets away.  Packets may go out of order, within
 * SECURE_WINDOW; the first is best not near 65535, or a receiver that loses some misses that the
 * counter has moved.
 *
 * A packet that is sent once more must be the same to the bit; say so with is_repeat. */
struct secure_outgoing {
    struct secure_key *key; /* session->rtp_out */
    struct secure_window *sent;
    uint8_t *at;
    struct view payload;
    uint16_t header_size;
    uint16_t own_size;    /* bytes of the payload behind the header, before `payload` */
    uint8_t padding_size; /* bytes behind it, made here (RFC 3550, section 5.1); the header's P bit
                             is set, then */
    bool is_repeat;

    uint16_t size; /* of the packet as it is now to be sent */
    int status;
};

/* Sets size and status of each: OK, and
 *   ERR_REPLAYED  this sequence number was sent, and is_repeat is not set.
 *   ERR_OLD       SECURE_WINDOW or more behind the highest, or before the beginning.
 *   ERR_LIMIT     2^48 packets: the key is used up.
 *   ERR_MEMORY    the ciphers failed.
 * What was at `at` behind the header is then of no use.  Any number of jobs. */
void secure_protect(struct secure_engine *engine, struct secure_outgoing *all, size_t count);

/* An RTCP packet, compound or not, of at least 8 bytes, in place; the room at `at` is
 * size + SECURE_RTCP_OVERHEAD.  OK, with *sealed the new size; ERR_LIMIT: 2^31 packets, the key is
 * used up; ERR_MEMORY: the ciphers failed. */
MUST_USE int secure_protect_rtcp(struct secure_session *session, uint8_t *at, size_t size,
                                 size_t *sealed);

/* ---- receiving ---- */

struct secure_incoming {
    struct secure_session *session;
    struct span packet; /* as it came; afterwards RTP, shorter */

    uint64_t index; /* rollover counter and sequence number */
    uint32_t ssrc;
    uint16_t header_size; /* with CSRCs and extensions: the payload is behind it */
    int status;
};

/* Sets the lower members of each.  Where status is not OK, drop the packet, whose bytes are no
 * longer what they were, and count it by the reason:
 *   ERR_MALFORMED  no RTP packet.
 *   ERR_FORGED     the tag is wrong.
 *   ERR_REPLAYED   it came before.
 *   ERR_OLD        SECURE_WINDOW or more behind the highest.
 *   ERR_LIMIT      no room for another SSRC, or the peer's key is used up.
 * Any number of jobs, of any sessions of this engine; what is taken is the same as one by one. */
void secure_unprotect(struct secure_engine *engine, struct secure_incoming *all, size_t count);

/* The same for an SRTCP packet, in place. */
MUST_USE int secure_unprotect_rtcp(struct secure_session *session, struct span *packet);

#endif
