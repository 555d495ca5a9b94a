/* ortc.h - peer connections without session descriptions: what mediasoup's clients and its server
 * tell one another as JSON, after the ORTC draft of the W3C.  It is read into, and written from,
 * the structs that descriptions have, too: a format, a section, a fingerprint.
 *
 * Pure functions over caller memory, but for cJSON's trees, which are the caller's.  Views are
 * borrowed from the tree that was read.  Readers are total: what is not of the right kind, or over
 * a limit, is refused with its place; codecs and extensions that are not known are passed over.
 *
 * ortc_read.c           the way through a tree, and the places of errors
 * ortc_codec.c          codecs and extensions, wherever they stand
 * ortc_capabilities.c   what either end can do
 * ortc_parameters.c     what a track is sent as
 * ortc_transport.c      the way: ICE, DTLS, SCTP
 * ortc_consumer.c       how a track that came goes on to somebody else
 */
#ifndef MOIM_MEDIA_ORTC_H
#define MOIM_MEDIA_ORTC_H

#include "media/negotiation.h"
#include "wire/json.h"

#define ORTC_FORMATS_MAX    32
#define ORTC_CODECS_MAX     128 /* in JSON, RTX and what is not known included */
#define ORTC_EXTENSIONS_MAX 64  /* in JSON */
#define ORTC_PARAMETERS_MAX 32  /* of one codec, and its feedback */
#define ORTC_ENCODINGS_MAX  DESCRIPTION_RIDS_MAX
#define ORTC_PRINTS_MAX     16
#define ORTC_TEXT_MAX       256 /* bytes of any string */
#define ORTC_ERROR_SIZE     160

/* Mediasoup's clients take 127 for streams that only probe the way. */
#define ORTC_PAYLOAD_TYPE_MAX 126
#define ORTC_EXTENSION_ID_MAX 14 /* of a one-byte header (RFC 8285, section 4.2) */

/* What is wrong, and where: "rtpParameters.codecs[0].payloadType: ...". */
struct ortc_error {
    char text[ORTC_ERROR_SIZE];
};

/* ---- capabilities ---- */

/* What an end can do.  Indices: 0 audio, 1 video. */
struct ortc_capabilities {
    uint32_t format_count;
    struct media_format formats[ORTC_FORMATS_MAX]; /* the one that is liked best first */
    uint8_t extensions[2][RTP_EXTENSION_KINDS];    /* ids; 0: not there */
};

/* Ours, with numbers for all that the policy names: everything that is sent later is sent with
 * these.  Where any variant of a codec is liked, those that browsers have. */
void ortc_capabilities_init(struct ortc_capabilities *capabilities,
                            const struct negotiation_policy *policy);

void ortc_write_capabilities(struct json_writer *writer,
                             const struct ortc_capabilities *capabilities);

/* Theirs: `rtpCapabilities`.  ERR_MALFORMED: *error says what. */
MUST_USE int ortc_read_capabilities(const cJSON *json, struct ortc_capabilities *capabilities,
                                    struct ortc_error *error);

/* ---- parameters of a track ---- */

/* `rtpParameters` of a track of that kind which the other end sends, as a section that is sendonly:
 * formats, extensions, SSRCs or rids, cname, mid.
 *   ERR_MALFORMED    *error says what.
 *   ERR_UNSUPPORTED  no codec is known; *error says so. */
MUST_USE int ortc_read_parameters(const cJSON *json, enum sdp_kind kind,
                                  struct description_section *section, struct ortc_error *error);

/* The same of a section of audio or video that is sent. */
void ortc_write_parameters(struct json_writer *writer, const struct description_section *section);

/* How a track that is sent to us as `source` goes on to an end with the capabilities `theirs`: with
 * the numbers of `ours`.  SSRCs, mid and names are left empty, for the caller to fill in.
 *   ERR_UNSUPPORTED  that end can't receive any of its formats. */
MUST_USE int ortc_consumer_init(struct description_section *section,
                                const struct description_section *source,
                                const struct ortc_capabilities *ours,
                                const struct ortc_capabilities *theirs);

/* ---- the way ---- */

struct ortc_transport {
    struct view id;
    struct view ufrag;
    struct view pwd;
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    const struct description_candidate *candidates;
    uint32_t candidate_count;
    bool has_data;
    uint32_t message_size_max; /* of data channels */
};

/* What createWebRtcTransport gives: an object of id, iceParameters, iceCandidates, dtlsParameters,
 * and sctpParameters where there is data. */
void ortc_write_transport(struct json_writer *writer, const struct ortc_transport *transport);

struct ortc_dtls {
    uint8_t fingerprint[DESCRIPTION_FINGERPRINT_SIZE];
    uint8_t setup; /* theirs: SDP_SETUP_ACTIVE, _PASSIVE, or _ACTPASS when it is left to us */
};

/* `dtlsParameters` of the other end.
 *   ERR_MALFORMED    *error says what.
 *   ERR_UNSUPPORTED  no fingerprint is of SHA-256; *error says so. */
MUST_USE int ortc_read_dtls(const cJSON *json, struct ortc_dtls *dtls, struct ortc_error *error);

#endif
