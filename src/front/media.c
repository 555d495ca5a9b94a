#include "front/media.h"

#include <stdlib.h>
#include <string.h>

#include "front/capture.h"
#include "front/meet/links.h"
#include "front/meet/voices.h"
#include "front/rtc.h"

/* ---- what is negotiated ---- */

#define EXTENSION(name) (1u << RTP_EXTENSION_##name)
#define OF_BOTH                                                                                    \
    (EXTENSION(MID) | EXTENSION(ABS_SEND_TIME) | EXTENSION(TRANSPORT_CC) |                         \
     EXTENSION(ABS_CAPTURE_TIME))

static const struct media_format FORMATS[] = {
    { .codec = PAYLOAD_RED }, /* before Opus: browsers send it then */
    { .codec = PAYLOAD_OPUS, .options = MEDIA_OPUS_FEC },
    { .codec = PAYLOAD_G722 },
    { .codec = PAYLOAD_PCMU },
    { .codec = PAYLOAD_PCMA },
    { .codec = PAYLOAD_VP8 },
    { .codec = PAYLOAD_VP9, .variant = MEDIA_VARIANT_ANY },
    { .codec = PAYLOAD_H264, .variant = MEDIA_VARIANT_ANY, .level = 31 },
    { .codec = PAYLOAD_AV1, .variant = MEDIA_VARIANT_ANY, .level = 5 },
    { .codec = PAYLOAD_H265, .variant = MEDIA_VARIANT_ANY, .level = 93 },
};

const struct negotiation_policy media_policy = {
    .formats = FORMATS,
    .format_count = sizeof FORMATS / sizeof FORMATS[0],
    .extensions = { OF_BOTH | EXTENSION(AUDIO_LEVEL),
                    OF_BOTH | EXTENSION(RID) | EXTENSION(REPAIRED_RID) |
                        EXTENSION(VIDEO_ORIENTATION) | EXTENSION(PLAYOUT_DELAY) |
                        EXTENSION(DEPENDENCY_DESCRIPTOR) },
    .feedback = { MEDIA_TRANSPORT_CC,
                  MEDIA_NACK | MEDIA_PLI | MEDIA_FIR | MEDIA_REMB | MEDIA_TRANSPORT_CC },
    .receive_max = { 2, 2 },
    .has_rtx = true,
    .has_simulcast = true,
    .has_data = true,
    .message_size_max = SFU_MESSAGE_MAX,
};

/* ---- on the media port ---- */

#define TRANSCEIVERS_EACH 16 /* of a peer, on the average */
#define TRACKS_EACH       2u
#define TRACKS_EACH_MORE  2u /* by links */

_Static_assert(RTC_HEARD_MAX <= SFU_HEAR_MAX, "more is not heard before it is pumped");

static void tell_shared(struct server *server, usec now)
{
    struct peer *peer;
    while ((peer = sfu_poll_shared(server->sfu))) {
        const struct media_owner *owner = peer->owner;
        if (owner->shared)
            owner->shared(server, now, peer);
    }
}

static void tell_wanted(struct server *server, usec now)
{
    struct peer *peer;
    while ((peer = sfu_poll_wanted(server->sfu))) {
        const struct media_owner *owner = peer->owner;
        if (owner->wanted)
            owner->wanted(server, now, peer);
    }
}

static void hear(void *context, usec now, const struct rtc_out *out)
{
    struct server *server = context;
    struct peer *peer;
    sfu_hear(server->sfu, now, out);
    while ((peer = sfu_poll(server->sfu)))
        ((struct media_owner *)peer->owner)->changed(server, now, peer);
}

static bool pump(void *context, usec now)
{
    struct server *server = context;
    links_settle(server, now);
    voices_settle(server, now);
    return sfu_pump(server->sfu, now);
}

static void tick(void *context, usec now)
{
    struct server *server = context;
    sfu_tick(server->sfu, now);
    tell_shared(server, now);
    tell_wanted(server, now);
    captures_tick(server, now);
}

static usec until(void *context)
{
    const struct server *server = context;
    usec sfu = sfu_until(server->sfu);
    usec captures = captures_until(server);
    if (sfu_has_shared(server->sfu) || sfu_has_wanted(server->sfu))
        return 0; /* told when nothing else is being done */
    return captures < sfu ? captures : sfu;
}

static const struct rtc_users USERS = { .hear = hear, .pump = pump, .tick = tick, .until = until };

/* Each address for UDP, then each for TCP. */
static void add_candidates(struct sfu_config *config, const struct server_rtc *rtc)
{
    for (unsigned is_tcp = 0; is_tcp < 2; is_tcp++)
        for (uint32_t i = 0; i < rtc->candidate_count; i++)
            if (config->candidate_count < SFU_CANDIDATES_MAX)
                config->candidates[config->candidate_count++] =
                    (struct description_candidate){ .address = rtc->candidates[i],
                                                    .is_tcp = is_tcp };
}

int media_new(struct server *server, usec now)
{
    const struct server_rtc *rtc = rtc_door_config(server);
    struct sfu_config config = {
        .rtc = rtc_door_port(server),
        .random = &server->config.random,
        .metrics = server->metrics,
        .buffers = server->buffers,
        .peers_max = rtc->transports_max,
        .transceivers_max = rtc->transports_max * TRANSCEIVERS_EACH,
        .tracks_max = rtc->transports_max * (TRACKS_EACH + (server->spread ? TRACKS_EACH_MORE : 0)),
    };
    memcpy(config.fingerprint, rtc->fingerprint, sizeof config.fingerprint);
    add_candidates(&config, rtc);
    struct sfu *sfu = malloc(sizeof *sfu);
    int status = sfu ? sfu_init(sfu, &config, now) : ERR_MEMORY;
    if (status != OK) {
        free(sfu);
        return status;
    }
    server->sfu = sfu;
    rtc_door_serve(server, &USERS, server);
    return OK;
}

void media_free(struct server *server)
{
    if (!server->sfu)
        return;
    rtc_door_serve(server, NULL, NULL);
    captures_free(server);
    sfu_free(server->sfu);
    free(server->sfu);
    server->sfu = NULL;
}
