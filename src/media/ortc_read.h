/* ortc_read.h - the way through a tree of JSON, with the places of what is wrong; for ortc_*.c.
 *
 * Places are on the stack of who reads, each within the one that it is in.
 */
#ifndef MOIM_MEDIA_ORTC_READ_H
#define MOIM_MEDIA_ORTC_READ_H

#include "media/ortc.h"

#define ORTC_NO_INDEX UINT32_MAX

struct ortc_place {
    const struct ortc_place *within; /* NULL: nowhere, it is the tree itself */
    const cJSON *item;               /* NULL: it is not there */
    const char *name;
    uint32_t index; /* in an array; ORTC_NO_INDEX */
    struct ortc_error *error;
};

struct ortc_place ortc_root(const cJSON *json, const char *name, struct ortc_error *error);
/* Absent where the object has none, or null.  The object is one. */
struct ortc_place ortc_member(const struct ortc_place *object, const char *name);
struct ortc_place ortc_element(const struct ortc_place *array, const cJSON *item, uint32_t index);

/* Writes the error; ERR_MALFORMED. */
MUST_USE int ortc_refuse(const struct ortc_place *place, const char *what);

/* Each is OK, or says what is wanted: ERR_MALFORMED.  What is absent is wrong for the first three,
 * and an empty array. */
MUST_USE int ortc_object(const struct ortc_place *place);
MUST_USE int ortc_string(const struct ortc_place *place, struct view *text);
MUST_USE int ortc_number(const struct ortc_place *place, uint64_t least, uint64_t most,
                         uint64_t *number);
MUST_USE int ortc_array(const struct ortc_place *place, uint32_t most);

/* ---- ortc_codec.c: what capabilities and parameters have in common ---- */

/* The formats of an array of codecs, with RTX put to the ones that it repairs.  `type_name`:
 * payloadType or preferredPayloadType.  `kind`: the one that all are of; SDP_OTHER: either. */
MUST_USE int ortc_read_codecs(const struct ortc_place *array, const char *type_name,
                              enum sdp_kind kind, struct media_format *formats, uint32_t most,
                              uint32_t *count);

/* Both objects of a format, its own and that of RTX.  With `with_kind`, each says its kind. */
void ortc_write_codec(struct json_writer *writer, const struct media_format *format,
                      const char *type_name, bool with_kind);

/* "uri" and an id of the extension at `place`.  *kind is RTP_EXTENSION_KINDS when it is not
 * known. */
MUST_USE int ortc_read_extension(const struct ortc_place *place, const char *id_name,
                                 enum rtp_extension_kind *kind, uint8_t *id);

static inline enum sdp_kind ortc_kind_of(const struct media_format *format)
{
    return payload_is_video(format->codec) ? SDP_VIDEO : SDP_AUDIO;
}

static inline const char *ortc_kind_name(enum sdp_kind kind)
{
    return kind == SDP_VIDEO ? "video" : "audio";
}

#endif
