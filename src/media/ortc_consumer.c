/* How a track that came goes on to somebody else. */
#include "media/ortc_read.h"

static const struct media_format *find(const struct ortc_capabilities *capabilities,
                                       const struct media_format *format)
{
    for (uint32_t i = 0; i < capabilities->format_count; i++)
        if (media_format_same(&capabilities->formats[i], format))
            return &capabilities->formats[i];
    return NULL;
}

/* One estimate of the way's width is enough: the feedback of the better extension that there is. */
static uint8_t without_doubles(uint8_t feedback, const uint8_t extensions[RTP_EXTENSION_KINDS])
{
    bool has_cc = extensions[RTP_EXTENSION_TRANSPORT_CC] != 0;
    bool has_time = extensions[RTP_EXTENSION_ABS_SEND_TIME] != 0;
    if (!has_cc)
        feedback &= (uint8_t)~MEDIA_TRANSPORT_CC;
    if (has_cc || !has_time)
        feedback &= (uint8_t)~MEDIA_REMB;
    return feedback;
}

int ortc_consumer_init(struct description_section *section,
                       const struct description_section *source,
                       const struct ortc_capabilities *ours, const struct ortc_capabilities *theirs)
{
    struct description_section made = { .kind = source->kind,
                                        .protocol = DESCRIPTION_UDP_SAVPF,
                                        .direction = SDP_SENDONLY,
                                        .is_reduced_size = true };
    unsigned index = source->kind == SDP_VIDEO;
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++)
        if (kind != RTP_EXTENSION_RID && kind != RTP_EXTENSION_REPAIRED_RID &&
            theirs->extensions[index][kind] != 0)
            made.extensions[kind] = ours->extensions[index][kind];
    for (unsigned i = 0; i < source->format_count; i++) {
        const struct media_format *sent = &source->formats[i];
        const struct media_format *our = find(ours, sent);
        const struct media_format *their = find(theirs, sent);
        if (!our || !their)
            continue;
        struct media_format *format = &made.formats[made.format_count++];
        *format = *sent; /* what its sender says of stereo and levels is for its receivers */
        format->payload_type = our->payload_type;
        format->rtx = their->rtx == MEDIA_NO_RTX ? MEDIA_NO_RTX : our->rtx;
        format->feedback = without_doubles(our->feedback & their->feedback, made.extensions);
    }
    if (made.format_count == 0)
        return ERR_UNSUPPORTED;
    *section = made;
    return OK;
}
