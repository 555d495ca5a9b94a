/* negotiation_support.h - an end of a negotiation for tests: its policy, its credentials, and its
 * descriptions as text. */
#ifndef MOIM_TESTS_MEDIA_NEGOTIATION_SUPPORT_H
#define MOIM_TESTS_MEDIA_NEGOTIATION_SUPPORT_H

#include "media/negotiation.h"

#define END_SECTIONS 12

static const struct media_format END_FORMATS[] = {
    { .codec = PAYLOAD_OPUS },
    { .codec = PAYLOAD_VP8 },
    { .codec = PAYLOAD_H264, .variant = 1 << 8, .level = 31 }, /* constrained baseline, mode 1 */
};

#define END_EXTENSION(name) (1u << RTP_EXTENSION_##name)

static const struct negotiation_policy END_POLICY = {
    .formats = END_FORMATS,
    .format_count = 3,
    .extensions = { END_EXTENSION(MID) | END_EXTENSION(AUDIO_LEVEL) | END_EXTENSION(TRANSPORT_CC),
                    END_EXTENSION(MID) | END_EXTENSION(RID) | END_EXTENSION(REPAIRED_RID) |
                        END_EXTENSION(ABS_SEND_TIME) | END_EXTENSION(TRANSPORT_CC) },
    .feedback = { MEDIA_TRANSPORT_CC, MEDIA_NACK | MEDIA_PLI | MEDIA_REMB | MEDIA_TRANSPORT_CC },
    .receive_max = { 2, 2 },
    .has_rtx = true,
    .has_simulcast = true,
    .has_data = true,
    .message_size_max = 65536,
};

static const struct description_candidate END_CANDIDATES[] = {
    { .address = { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
    { .address = { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 }, .is_tcp = true },
};

static inline struct negotiation_local end_local(const char *ufrag, uint8_t print)
{
    struct negotiation_local local = { .ufrag = view_of(ufrag),
                                       .pwd = VIEW("abcdefghijklmnopqrstuvwx"),
                                       .candidates = END_CANDIDATES,
                                       .candidate_count = 2 };
    for (unsigned i = 0; i < DESCRIPTION_FINGERPRINT_SIZE; i++)
        local.fingerprint[i] = (uint8_t)(print + i);
    return local;
}

static const struct negotiation_track END_TRACK = { .stream = { (const uint8_t *)"room", 4 },
                                                    .track = { (const uint8_t *)"eye", 3 },
                                                    .cname = { (const uint8_t *)"who", 3 } };

static inline struct negotiation_sending end_sending(uint32_t ssrc)
{
    return (struct negotiation_sending){ .track = &END_TRACK, .ssrc = ssrc, .rtx_ssrc = ssrc + 1 };
}

#endif
