#include "quality/uplink.h"

#include <string.h>

#define SOUND_BPS  48000 /* with its headers */
#define PAYLOAD    0.95  /* of a packet of video */
#define HYSTERESIS 1.2
#define RTX_KEPT   0.999 /* of its rate, each ms: bytes of a second, about */

static const uint32_t LEAST_BPS[MODEL_ENCODINGS] = { 30000, 150000, 600000 };

static void allow(struct uplink *uplink)
{
    double left = ((double)bwe_target_bps(&uplink->bwe) - SOUND_BPS) * PAYLOAD;
    left -= uplink->rtx_bps < left / 2 ? uplink->rtx_bps : left / 2;
    for (unsigned i = 0; i < MODEL_ENCODINGS; i++) {
        double least = LEAST_BPS[i] * (uplink->rates[i] ? 1 : HYSTERESIS);
        double rate = left < MODEL_SIZES[i].bps ? left : MODEL_SIZES[i].bps;
        if (i == 0 && rate < LEAST_BPS[0])
            rate = LEAST_BPS[0]; /* the lowest is never off */
        else if (i > 0 && left < least)
            rate = 0;
        uplink->rates[i] = uplink->is_wanted[i] ? (uint32_t)rate : 0;
        left -= uplink->rates[i];
    }
}

/* For more than it has to send, there is no use in probing. */
static void want(struct uplink *uplink, usec now)
{
    double most = SOUND_BPS;
    for (unsigned i = 0; i < MODEL_ENCODINGS; i++)
        most += uplink->is_wanted[i] ? MODEL_SIZES[i].bps / PAYLOAD : 0;
    bwe_want(&uplink->bwe, now, (uint64_t)most, (uint64_t)most);
}

void uplink_init(struct uplink *uplink, usec now)
{
    const struct bwe_settings settings = { BWE_MIN_BPS, 300000, BWE_MAX_BPS };
    *uplink = (struct uplink){ 0 };
    bwe_init(&uplink->bwe, now, &settings);
    for (unsigned i = 0; i < MODEL_ENCODINGS; i++)
        uplink->is_wanted[i] = true;
    allow(uplink);
}

uint16_t uplink_sent(struct uplink *uplink, usec now, size_t size)
{
    if (uplink->is_probing) {
        uplink->probe_sent += (uint32_t)size;
        uplink->probe_packets++;
    }
    return bwe_sent(&uplink->bwe, now, size, uplink->is_probing ? uplink->probe.cluster : 0);
}

void uplink_repeated(struct uplink *uplink, size_t size)
{
    uplink->rtx_bps += (double)size * 8;
}

void uplink_feedback(struct uplink *uplink, usec now, const struct rtcp_feedback *feedback)
{
    struct twcc twcc;
    if (twcc_read(feedback, &twcc) == OK && bwe_feedback(&uplink->bwe, now, &twcc))
        allow(uplink);
}

static bool is_probed(const struct uplink *uplink)
{
    return uplink->probe_sent >= uplink->probe.bytes &&
           uplink->probe_packets >= uplink->probe.packets;
}

void uplink_turn(struct uplink *uplink, usec now)
{
    want(uplink, now);
    uplink->rtx_bps *= RTX_KEPT;
    if (bwe_until(&uplink->bwe) <= now) {
        bwe_tick(&uplink->bwe, now);
        allow(uplink);
    }
    if (uplink->is_probing && is_probed(uplink))
        uplink->is_probing = false;
    if (!uplink->is_probing && bwe_probe_wanted(&uplink->bwe, now, &uplink->probe)) {
        uplink->is_probing = true;
        uplink->probe_at = now;
        uplink->probe_sent = uplink->probe_packets = 0;
    }
}

bool uplink_wants_padding(const struct uplink *uplink, usec now)
{
    if (!uplink->is_probing || is_probed(uplink))
        return false;
    uint64_t due = (now - uplink->probe_at + USEC_MS) * uplink->probe.bps / 8 / USEC_S;
    return uplink->probe_sent < due;
}
