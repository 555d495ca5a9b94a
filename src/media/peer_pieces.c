/* A peer that is told piece by piece what it is to be, without SDP. */
#include "media/peer_inside.h"

#include <string.h>

void peer_connect(struct peer *peer, usec now, const struct rtc_remote *remote)
{
    rtc_set_remote(peer->sfu->config.rtc, now, peer->transport, remote);
}

static bool is_taken(const struct peer *peer, uint32_t ssrc)
{
    for (uint8_t i = 0; i < peer->encoding_count && ssrc != 0; i++)
        if (peer->encodings[i]->ssrc == ssrc || peer->encodings[i]->rtx_ssrc == ssrc)
            return true;
    return false;
}

int peer_receive(struct peer *peer, usec now, const struct peer_receiving *receiving,
                 struct transceiver **out)
{
    int status = OK;
    (void)now;
    for (unsigned i = 0; i < receiving->encoding_count; i++)
        if (is_taken(peer, receiving->encodings[i].ssrc) ||
            is_taken(peer, receiving->encodings[i].rtx_ssrc))
            return ERR_EXISTS;
    struct transceiver *transceiver = transceiver_open(peer, receiving->is_video);
    if (!transceiver)
        return ERR_LIMIT;
    transceiver->terms = receiving->terms;
    transceiver->is_agreed = true;
    if (!transceiver_receive(transceiver))
        status = ERR_LIMIT;
    for (unsigned i = 0; i < receiving->encoding_count && status == OK; i++)
        status =
            transceiver_add_encoding(transceiver, receiving->encodings[i].ssrc,
                                     receiving->encodings[i].rtx_ssrc, receiving->encodings[i].rid);
    if (status == OK)
        *out = transceiver;
    else
        transceiver_close(transceiver);
    return status;
}

int peer_send(struct peer *peer, usec now, bool is_video, const struct media_terms *terms,
              struct transceiver **out)
{
    struct transceiver *transceiver = transceiver_open(peer, is_video);
    (void)now;
    if (!transceiver)
        return ERR_LIMIT;
    transceiver->terms = *terms;
    transceiver->is_agreed = true;
    transceiver->may_send = true;
    transceiver_announce(transceiver, VIEW("-"), VIEW("-"));
    *out = transceiver;
    return OK;
}

void peer_remove(struct peer *peer, usec now, struct transceiver *transceiver)
{
    (void)peer;
    (void)now;
    transceiver_close(transceiver);
}
