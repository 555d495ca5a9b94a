/* In which form sound goes to a peer: by how much of its line it takes. */
#include "media/peer_inside.h"

#include "media/speakers.h"

#define RTP_HEADER  20 /* bytes of RTP and its usual extensions, as packets come */
#define RED_HEADERS 5  /* of one block that was sent before, and of what is new */

/* What it holds to be heard, and to be dominant. */
#define STAYS     (2 * USEC_S)
#define DOMINATES (3 * USEC_S)

/* ---- how much there is ---- */

static bool is_sound(const struct transceiver *transceiver)
{
    return !transceiver->is_video && transceiver_has_share(transceiver) &&
           !transceiver->is_paused && transceiver->subscription->layer_count > 0;
}

static uint64_t less(uint64_t bps, uint64_t bytes)
{
    return bps > bytes * 8 ? bps - bytes * 8 : 0;
}

static void add(struct sound_load *load, const struct track *track)
{
    const struct layer *layer = &track->layers[0];
    const struct media_terms *terms = &track->terms;
    bool is_red = terms->format_count > 0 && terms->formats[0].codec == PAYLOAD_RED;
    uint64_t payload = less(layer->bps, layer->fps * (uint64_t)RTP_HEADER);
    load->tracks++;
    load->packets += layer->fps;
    load->payload_bps += payload;
    load->unwrapped_bps += is_red ? less(payload, layer->fps * (uint64_t)RED_HEADERS) / 2 : payload;
}

static void gather(const struct peer *peer, struct sound_load *all, struct sound_load *heard)
{
    *all = *heard = (struct sound_load){ 0 };
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        if (!is_sound(at))
            continue;
        add(all, at->subscription);
        if (!at->share.is_unheard)
            add(heard, at->subscription);
    }
}

/* ---- who is heard ---- */

/* Later is better. */
static usec rank(const struct transceiver *transceiver)
{
    const struct speaker *voice = transceiver->subscription->voice;
    usec score = transceiver->share.is_unheard ? 0 : STAYS;
    if (!voice)
        return score;
    return score + voice->spoke_at + (voice->of && voice->of->dominant == voice ? DOMINATES : 0);
}

static uint32_t count_before(const struct peer *peer, const struct transceiver *transceiver)
{
    usec own = rank(transceiver);
    bool is_past = false;
    uint32_t count = 0;
    for (const struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        is_past |= at == transceiver;
        if (at != transceiver && is_sound(at))
            count += rank(at) > own || (rank(at) == own && !is_past);
    }
    return count;
}

static void choose(struct peer *peer, uint32_t room, uint32_t tracks)
{
    uint8_t after[ALLOCATION_TRACKS_MAX];
    uint32_t count = 0;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (is_sound(at) && count < ALLOCATION_TRACKS_MAX)
            after[count++] = room < tracks && count_before(peer, at) >= room;
    count = 0;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        if (is_sound(at) && count < ALLOCATION_TRACKS_MAX)
            at->share.is_unheard = after[count++];
}

/* ---- what comes of it ---- */

static void follow(struct peer *peer, usec now, bool has_changed)
{
    uint16_t ticks = SOUND_LADDER[peer->sound.rung].ticks;
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));) {
        if (at->is_video || !at->is_announced)
            continue;
        (void)sender_join(&at->sender, now, ticks); /* a full batch: with the next shares */
        if (has_changed && at->subscription)
            wanted_look(at->subscription);
    }
}

static struct sound_signs signs_of(const struct bwe_estimate *estimate)
{
    struct sound_signs signs = { .sign = SOUND_ENDS, .loss = (uint8_t)(estimate->loss * 100) };
    if (estimate->limit == BWE_BY_APPLICATION)
        signs.sign = SOUND_OPEN;
    else if (estimate->limit == BWE_BY_NOTHING)
        signs.sign = SOUND_GROWS;
    return signs;
}

void peer_sound(struct peer *peer, usec now)
{
    struct sound_load all, heard;
    struct bwe_estimate estimate;
    if (!peer->may_join || !peer->bwe || (peer->line_bps == 0 && peer->sound.rung == 0))
        return;
    gather(peer, &all, &heard);
    bwe_estimate(peer->bwe, now, &estimate);
    uint64_t line = sound_line(&peer->sound, &heard, peer->line_bps);
    bool has_changed = sound_run(&peer->sound, now, &all, line, signs_of(&estimate));
    follow(peer, now, has_changed);
    if (peer->arrivals) /* which tell of what comes in, but take of the same line */
        peer->arrivals->each = peer->sound.rung > 0 ? ARRIVALS_SELDOM : ARRIVALS_EACH;
    choose(peer, sound_room(&peer->sound, &all, heard.tracks, line), all.tracks);
}

uint32_t transceiver_sound_bps(const struct transceiver *transceiver)
{
    if (transceiver->is_paused || transceiver->share.is_unheard)
        return 0;
    return SOUND_LADDER[transceiver->peer->sound.rung].bps_most;
}
