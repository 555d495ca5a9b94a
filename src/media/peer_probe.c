/* How it is tried whether a peer's line takes more: for a moment more is sent than there is. */
#include "media/peer_inside.h"

/* Any picture's packets do.  False: there are none. */
static bool pad(struct peer *peer, usec now)
{
    uint16_t size = peer->pacer.probe.size;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (at->is_video && at->is_announced && sender_pad(&at->sender, now, size))
            return true;
    return false;
}

/* Of whom most waits is left out, up to its next key frame: so much would come too late. */
static void leave_out(struct transceiver *transceiver)
{
    struct peer *peer = transceiver->peer;
    sender_leave_out(&transceiver->sender);
    peer->left_out++;
    if (transceiver->subscription)
        transceiver->subscription->kind->wake(transceiver->subscription);
}

bool peer_pace(struct peer *peer, usec now)
{
    struct transceiver *longest = NULL;
    uint32_t bytes = 0, most = 0;
    usec since = now;
    bool is_all = true;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        usec own = now;
        if (!at->is_video || !at->is_announced)
            continue;
        is_all = is_all && sender_go_on(&at->sender, now);
        uint32_t waits = sender_waits(&at->sender, &own);
        bytes += waits;
        since = own < since ? own : since;
        if (waits > most) {
            longest = at;
            most = waits;
        }
    }
    pacer_waits(&peer->pacer, now, PACER_VIDEO, bytes, since);
    if (longest && pacer_is_over(&peer->pacer)) {
        leave_out(longest);
        pacer_waits(&peer->pacer, now, PACER_VIDEO, bytes - most, since);
    }
    list_remove(&peer->pacer.node);
    return is_all;
}

static void begin(struct peer *peer, usec now)
{
    struct bwe_probe wanted;
    if (!bwe_probe_wanted(peer->bwe, now, &wanted))
        return;
    const struct pacer_probe probe = { .cluster = wanted.cluster,
                                       .packets = wanted.packets,
                                       .size = wanted.size,
                                       .bytes = wanted.bytes,
                                       .bps = wanted.bps };
    pacer_begin_probe(&peer->pacer, now, &probe);
}

void peer_probe(struct peer *peer, usec now)
{
    if (!peer->bwe)
        return;
    if (!pacer_is_probing(&peer->pacer))
        begin(peer, now);
    while (pacer_padding(&peer->pacer, now) > 0) {
        if (rtc_is_full(peer->sfu->config.rtc))
            return; /* the rest goes with the next batch */
        if (!pad(peer, now))
            pacer_end_probe(&peer->pacer);
    }
}
