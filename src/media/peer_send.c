/* What goes out on a transceiver: of whose track, and how it is called there. */
#include "media/peer_inside.h"

#include <assert.h>
#include <string.h>

#define FIRST_NUMBER_MASK 0x7fff

/* ---- names ---- */

void transceiver_name(struct transceiver *transceiver, struct view stream, struct view track)
{
    const struct view names[2] = { stream, track };
    for (unsigned i = 0; i < 2; i++) {
        assert(names[i].size > 0 && names[i].size <= PEER_NAME_MAX);
        memcpy(transceiver->names[i], names[i].at, names[i].size);
        transceiver->name_sizes[i] = (uint8_t)names[i].size;
    }
    transceiver->said.stream = view_make(transceiver->names[0], transceiver->name_sizes[0]);
    transceiver->said.track = view_make(transceiver->names[1], transceiver->name_sizes[1]);
    transceiver->said.cname = transceiver->said.stream;
}

/* A first number far from wrapping, as SRTP's receivers want it. */
static uint16_t first_number(struct peer *peer)
{
    return (uint16_t)((peer_random(peer) & FIRST_NUMBER_MASK) % (FIRST_NUMBER_MASK - 1) + 1);
}

static void begin_estimate(struct peer *peer)
{
    static const struct bwe_settings SETTINGS = { .min_bps = BWE_MIN_BPS,
                                                  .start_bps = BWE_START_BPS,
                                                  .max_bps = BWE_MAX_BPS };
    if (peer->bwe)
        return;
    peer->bwe = pool_take(&peer->sfu->estimates);
    assert(peer->bwe); /* there are as many as peers */
    bwe_init(peer->bwe, peer->sfu->now, &SETTINGS);
    peer->bwe->history.store = &peer->sfu->histories;
}

static void begin_sending(struct transceiver *transceiver)
{
    struct peer *peer = transceiver->peer;
    begin_estimate(peer);
    const struct sender_config config = {
        .rtc = peer->sfu->config.rtc,
        .transport = peer->transport,
        .bwe = peer->bwe,
        .pacer = &peer->pacer,
        .ssrc = peer_random(peer),
        .rtx_ssrc = transceiver->is_video ? peer_random(peer) : 0,
        .timestamp = peer_random(peer),
        .clock_rate = transceiver->is_video ? 90000 : 48000,
        .sequence = first_number(peer),
        .rtx_sequence = first_number(peer),
        .is_video = transceiver->is_video,
    };
    sender_init(&transceiver->sender, &config);
    transceiver->is_announced = true;
    transceiver_settle_pause(transceiver);
}

void transceiver_announce(struct transceiver *transceiver, struct view stream, struct view track)
{
    struct negotiation *negotiation = &transceiver->peer->negotiation;
    struct negotiation_section *section = negotiation_find_owner(negotiation, transceiver);
    transceiver_name(transceiver, stream, track);
    if (!transceiver->is_announced)
        begin_sending(transceiver);
    const struct negotiation_sending sending = { .track = &transceiver->said,
                                                 .ssrc = transceiver->sender.config.ssrc,
                                                 .rtx_ssrc = transceiver->sender.config.rtx_ssrc };
    if (section)
        negotiation_send(negotiation, section, &sending);
}

/* ---- what it says of a track ---- */

static uint8_t opus_type(const struct media_terms *terms)
{
    for (unsigned i = 0; i < terms->format_count; i++)
        if (terms->formats[i].codec == PAYLOAD_OPUS)
            return terms->formats[i].payload_type;
    return SENDER_NO_PAYLOAD;
}

/* RED that can't go on as it is: its blocks bear the sender's payload type of Opus. */
static bool is_wrapped(const struct transceiver *transceiver, const struct track *track, unsigned i)
{
    const struct media_terms *terms = &transceiver->terms;
    if (track->terms.formats[i].codec != PAYLOAD_RED)
        return false;
    for (unsigned k = 0; k < terms->format_count; k++)
        if (terms->formats[k].codec == PAYLOAD_RED)
            return opus_type(terms) != opus_type(&track->terms);
    return true;
}

/* How packets in the track's formats go out.  False: none can. */
static bool match_formats(const struct transceiver *transceiver, const struct track *track,
                          struct sender_formats *out)
{
    bool has_any = false;
    sender_formats_init(out);
    out->opus = opus_type(&transceiver->terms);
    out->level = track->terms.extensions[RTP_EXTENSION_AUDIO_LEVEL];
    for (unsigned i = 0; i < track->terms.format_count; i++) {
        if (is_wrapped(transceiver, track, i)) {
            out->payload_types[i] = opus_type(&transceiver->terms);
            out->unwrapped |= (uint8_t)(1u << i);
            has_any |= out->payload_types[i] != SENDER_NO_PAYLOAD;
            continue;
        }
        for (unsigned k = 0; k < transceiver->terms.format_count; k++) {
            const struct media_format *format = &transceiver->terms.formats[k];
            if (!media_format_same(&track->terms.formats[i], format))
                continue;
            out->payload_types[i] = format->payload_type;
            if (format->rtx != MEDIA_NO_RTX)
                out->rtx_payload_types[i] = format->rtx;
            has_any = true;
            break;
        }
    }
    return has_any;
}

/* What is true of one way alone does not go on. */
static bool goes_on(enum rtp_extension_kind kind)
{
    switch (kind) {
    case RTP_EXTENSION_MID:
    case RTP_EXTENSION_RID:
    case RTP_EXTENSION_REPAIRED_RID:
    case RTP_EXTENSION_ABS_SEND_TIME:
    case RTP_EXTENSION_TRANSPORT_CC:
    case RTP_EXTENSION_TRANSPORT_CC_02:
    case RTP_EXTENSION_TRANSMISSION_OFFSET:
    case RTP_EXTENSION_VIDEO_LAYERS_ALLOCATION:
        return false;
    default:
        return true;
    }
}

/* What changes whenever a packet is sent can't be in one that is sent again as it was. */
static bool may_stamp(const struct media_terms *terms)
{
    for (unsigned i = 0; i < terms->format_count; i++)
        if (terms->formats[i].rtx == MEDIA_NO_RTX && terms->formats[i].feedback & MEDIA_NACK)
            return false;
    return true;
}

/* For the other end's feedback, or for its own estimate (REMB): one of them is enough. */
static void plan_stamp(const struct media_terms *terms, struct rtp_plan *plan)
{
    uint8_t cc = terms->extensions[RTP_EXTENSION_TRANSPORT_CC];
    uint8_t send_time = terms->extensions[RTP_EXTENSION_ABS_SEND_TIME];
    uint8_t feedback = 0; /* browsers say it of Opus alone, not of RED, which bears Opus */
    int status = OK;
    for (unsigned i = 0; i < terms->format_count; i++)
        feedback |= terms->formats[i].feedback;
    if (!may_stamp(terms))
        return;
    if (cc && feedback & MEDIA_TRANSPORT_CC)
        status = rtp_plan_add_transport_cc(plan, cc);
    else if (send_time && feedback & MEDIA_REMB)
        status = rtp_plan_add_abs_send_time(plan, send_time);
    (void)status; /* an id of the two-byte form: left out */
}

/* Its frames are numbered anew.  Who can't be told the structure, which is long, can't make
 * anything of the rest. */
static void plan_descriptor(uint8_t id, struct rtp_plan *plan)
{
    if (id == 0 || id > RTP_ID_MAX || plan->to[id] == 0)
        return;
    if (plan->has_two_byte)
        rtp_plan_watch(plan, id);
    else
        plan->to[id] = 0;
}

static void make_plan(const struct transceiver *transceiver, const struct track *track,
                      struct rtp_plan *plan)
{
    const struct media_terms *terms = &transceiver->terms;
    rtp_plan_begin(plan, terms->has_two_byte);
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++)
        if (goes_on(kind) && track->terms.extensions[kind] && terms->extensions[kind] &&
            rtp_plan_map(plan, track->terms.extensions[kind], terms->extensions[kind]) != OK)
            continue; /* an id of the two-byte form: left out */
    plan_descriptor(track->terms.extensions[RTP_EXTENSION_DEPENDENCY_DESCRIPTOR], plan);
    plan_stamp(terms, plan);
    if (terms->extensions[RTP_EXTENSION_MID] && terms->mid_size > 0 &&
        rtp_plan_add(plan, terms->extensions[RTP_EXTENSION_MID], transceiver_mid(transceiver)) !=
            OK)
        return; /* as above */
}

/* ---- where it is pointed ---- */

/* The encoding to go on with. */
static struct encoding *choose(const struct transceiver *transceiver, usec now)
{
    if (!transceiver->is_agreed || !transceiver->may_send ||
        transceiver->peer->state != PEER_CONNECTED)
        return NULL;
    const struct track *track = transceiver->subscription;
    uint8_t wanted = transceiver->target.encoding;
    if (wanted < track->encoding_count && encoding_is_heard(track->encodings[wanted], now))
        return track->encodings[wanted];
    return track_best(track, now, sender_stream(&transceiver->sender));
}

static void want_key(struct transceiver *transceiver)
{
    sender_wants_key(&transceiver->sender);
    transceiver->subscription->kind->wake(transceiver->subscription);
}

static bool is_of(const struct track *track, const struct rtp_stream *stream)
{
    for (unsigned i = 0; i < track->encoding_count; i++)
        if (&track->encodings[i]->stream == stream)
            return true;
    return false;
}

/* From a better encoding to a poorer one it is gone over because less is to be sent; soon, unless
 * that is for a smaller window alone. */
static bool is_urgent(const struct transceiver *transceiver, const struct encoding *encoding,
                      usec now)
{
    const struct track *track = transceiver->subscription;
    const struct rtp_stream *before = sender_stream(&transceiver->sender);
    for (unsigned i = 0; i < track->encoding_count; i++)
        if (&track->encodings[i]->stream == before)
            return !encoding_is_heard(track->encodings[i], now) ||
                   (encoding->bps < track->encodings[i]->bps &&
                    transceiver->share.reason == ALLOCATION_BANDWIDTH);
    return false;
}

bool transceiver_aim(struct transceiver *transceiver, usec now)
{
    struct track *track = transceiver->subscription;
    struct sender *sender = &transceiver->sender;
    struct sender_formats formats;
    struct rtp_plan plan;
    if (!transceiver->is_announced)
        return true;
    if (track)
        wanted_look(track);
    bool has_any = !track || !transceiver->is_agreed || match_formats(transceiver, track, &formats);
    struct encoding *encoding = track && has_any ? choose(transceiver, now) : NULL;
    if (!encoding) {
        sender_switch(sender, NULL);
        return has_any;
    }
    if (sender_target(sender) != &encoding->stream) {
        if (is_of(track, sender_stream(sender))) {
            sender_go_over(sender, &encoding->stream, is_urgent(transceiver, encoding, now));
            track->kind->wake(track);
        } else {
            make_plan(transceiver, track, &plan);
            sender_set_plan(sender, &plan, &formats);
            sender_switch(sender, &encoding->stream);
            want_key(transceiver);
        }
    }
    sender_set_layers(sender, transceiver->target.spatial, transceiver->target.temporal);
    return true;
}

void peer_aim(struct peer *peer, usec now)
{
    for (struct transceiver *at = NULL; (at = peer_next(peer, at));)
        (void)transceiver_aim(at, now);
}

static void aim(struct subscriber *subscriber, usec now)
{
    struct transceiver *transceiver = LIST_ENTRY(subscriber, struct transceiver, subscriber);
    (void)transceiver_aim(transceiver, now);
    peer_share_soon(transceiver->peer, now);
}

static void stop(struct subscriber *subscriber)
{
    sender_switch(&LIST_ENTRY(subscriber, struct transceiver, subscriber)->sender, NULL);
}

static void ended(struct subscriber *subscriber, usec now)
{
    struct transceiver *transceiver = LIST_ENTRY(subscriber, struct transceiver, subscriber);
    transceiver->subscription = NULL;
    (void)transceiver_aim(transceiver, now);
}

/* Which of the track's encodings is going out; 0: none. */
static uint8_t held(const struct transceiver *transceiver, const struct track *track)
{
    const struct rtp_stream *stream = sender_stream(&transceiver->sender);
    for (unsigned i = 0; i < track->encoding_count; i++)
        if (stream && &track->encodings[i]->stream == stream && !transceiver->sender.is_paused)
            return (uint8_t)(1u << i);
    return 0;
}

static uint8_t wished(const struct transceiver *transceiver, const struct track *track)
{
    const struct transceiver_wish *wish = &transceiver->wish;
    const struct layer *layer = &transceiver->share.held.layer;
    uint8_t fixed = transceiver->target.encoding;
    if (transceiver->is_paused || transceiver_is_left_out(wish) || wish->width == 0 ||
        wish->height == 0)
        return 0;
    if (transceiver->is_layer_fixed)
        return (uint8_t)(fixed < track->encoding_count ? 1u << fixed : WANTED_ALL);
    bool has_layer = transceiver->share.held.has_layer;
    return wanted_by_window(track, wish->width, wish->height,
                            has_layer ? (uint32_t)layer->width * layer->height : 0);
}

static struct wanted_use use(const struct subscriber *subscriber)
{
    const struct transceiver *transceiver = LIST_ENTRY(subscriber, struct transceiver, subscriber);
    const struct track *track = transceiver->subscription;
    if (!transceiver->is_announced || !transceiver->is_agreed || !transceiver->may_send)
        return (struct wanted_use){ .wished = 0 };
    if (!transceiver->is_video)
        return (struct wanted_use){ .sound_bps = transceiver_sound_bps(transceiver) };
    return (struct wanted_use){ .wished = wished(transceiver, track),
                                .held = held(transceiver, track) };
}

const struct subscriber_kind transceiver_subscriber = { aim, stop, ended, use };

int transceiver_subscribe(struct transceiver *transceiver, usec now, struct track *track)
{
    if (transceiver->subscription == track)
        return OK;
    track_unsubscribe(&transceiver->subscriber);
    transceiver->subscription = track;
    transceiver_share_anew(transceiver, now);
    if (track) {
        assert(track->is_video == transceiver->is_video);
        track_subscribe(track, &transceiver->subscriber);
    }
    if (transceiver_aim(transceiver, now))
        return OK;
    int status = transceiver_subscribe(transceiver, now, NULL);
    return status == OK ? ERR_UNSUPPORTED : status;
}

void transceiver_aim_at(struct transceiver *transceiver, usec now, struct layer_target target)
{
    transceiver->target = target;
    (void)transceiver_aim(transceiver, now);
}

void transceiver_set_layers(struct transceiver *transceiver, usec now, struct layer_target target)
{
    transceiver->is_layer_fixed = target.encoding != LAYER_BEST || target.spatial != LAYER_BEST ||
                                  target.temporal != LAYER_BEST;
    transceiver_aim_at(transceiver, now, target);
    peer_share_soon(transceiver->peer, now);
}

void transceiver_settle_pause(struct transceiver *transceiver)
{
    bool was_paused = transceiver->sender.is_paused;
    bool is_paused = transceiver->is_paused || transceiver->share.is_held_back;
    if (!transceiver->is_announced)
        return;
    sender_pause(&transceiver->sender, is_paused);
    if (was_paused && !is_paused && transceiver->subscription)
        want_key(transceiver);
}

void transceiver_pause(struct transceiver *transceiver, usec now, bool is_paused)
{
    transceiver->is_paused = is_paused;
    if (transceiver->subscription)
        wanted_look(transceiver->subscription);
    transceiver_settle_pause(transceiver);
    peer_share_soon(transceiver->peer, now);
}
