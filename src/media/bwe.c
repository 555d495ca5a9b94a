#include "media/bwe.h"

#include <assert.h>

#define SENT_WINDOW     (USEC_S / 2)
#define SILENCE         USEC_S /* beyond the way there and back, without feedback */
#define SILENCE_EACH    (USEC_S / 2)
#define SILENCE_FACTOR  0.7
#define SILENCE_FLOOR   0.125 /* of what was before */
#define AFTER_SILENCE   0.7   /* of what was before: so much is gone on with */
#define AFTER_LOSS_MAX  0.1   /* in what was told first; with more it is not gone on with */
#define LOOK_EACH       (USEC_S / 4)
#define QUIET           USEC_S       /* that nothing goes out which would be told of */
#define LATELY          (3 * USEC_S) /* the queue grew */
#define STEP_SECOND     3.0          /* of a probe that follows one of what was begun with */
#define STEP            2.0
#define STEP_LOSS       1.5
#define ALL_COMES       0.9
#define BROKEN_IN       0.8
#define BROKEN_IN_QUEUE 60000 /* us */
#define STALL           USEC_S
#define STALL_GONE      10000 /* us */
#define AFTER_STALL     0.9
#define KEPT_OF_RIVAL   0.85
#define RIVAL_SHARE     0.65 /* of the line: so much is tried for */
#define RIVAL_FIRST     0.25 /* of the line: so much is had at once */
#define RIVAL_ENOUGH    1.35 /* of what would be sent: a loss is not to take it away at once */
#define RIVAL_LOSS_MAX  0.25
#define REFERENCE_SHIFT 8 /* of 24 bits in 32 */

void bwe_init(struct bwe *bwe, usec now, const struct bwe_settings *settings)
{
    assert(settings->min_bps > 0 && settings->min_bps <= settings->start_bps &&
           settings->start_bps <= settings->max_bps);
    *bwe = (struct bwe){ .settings = *settings,
                         .target_bps = settings->start_bps,
                         .wanted_bps = settings->max_bps,
                         .most_bps = settings->max_bps,
                         .rate = { .bps = settings->start_bps },
                         .reports = { .bps = settings->start_bps },
                         .sent_since = now,
                         .looked_at = now };
}

/* ---- out ---- */

static void count_sent(struct bwe *bwe, usec now, size_t size)
{
    usec passed = now - bwe->sent_since;
    if (passed >= SENT_WINDOW) {
        bwe->sent_bps = (double)bwe->sent_bytes * 8 * (double)USEC_S / (double)passed;
        bwe->sent_bytes = 0;
        bwe->sent_since = now;
    }
    bwe->sent_bytes += size;
}

uint16_t bwe_sent(struct bwe *bwe, usec now, size_t size, uint8_t cluster)
{
    bool was_limited = bwe->demand.limited_since != 0;
    count_sent(bwe, now, size);
    bwe_demand_sent(&bwe->demand, now, size, bwe->target_bps);
    if (was_limited && bwe->demand.limited_since == 0)
        bwe_acknowledged_doubt(&bwe->acknowledged);
    if (bwe->unanswered_since == 0)
        bwe->unanswered_since = now;
    return bwe_history_add(&bwe->history, now, size, cluster);
}

void bwe_sent_untold(struct bwe *bwe, usec now, size_t size, bool is_timed, uint8_t cluster)
{
    count_sent(bwe, now, size);
    bwe_remb_sent(&bwe->remb, size, is_timed, cluster > 0);
    bwe_demand_sent(&bwe->demand, now, size, bwe->target_bps);
}

/* ---- the estimate ---- */

static usec round_trip_of(const struct bwe *bwe)
{
    return bwe->round_trip ? bwe->round_trip : bwe->feedback_round_trip;
}

static void set_target(struct bwe *bwe, double bps)
{
    if (bwe->remb.bps > 0 && bps > bwe_remb_most(&bwe->remb))
        bps = bwe_remb_most(&bwe->remb);
    if (bps < bwe->settings.min_bps)
        bps = bwe->settings.min_bps;
    if (bps > bwe->settings.max_bps)
        bps = bwe->settings.max_bps;
    bwe->target_bps = bps;
}

static void estimate_by_feedback(struct bwe *bwe)
{
    const struct bwe_loss_input input = { .delay_bps = bwe->rate.bps,
                                          .acknowledged_bps = bwe->acknowledged.bps,
                                          .min_bps = bwe->settings.min_bps };
    double bps = bwe_loss_update(&bwe->loss, &input);
    if (bwe->rival.is_there && bwe->loss.average < RIVAL_LOSS_MAX)
        bps = bwe->rate.bps; /* it goes by loss already */
    set_target(bwe, bps);
}

/* What the receiver says is taken as it is, unless it loses much. */
static void estimate_by_reports(struct bwe *bwe, usec now)
{
    struct bwe_reports *reports = &bwe->reports;
    bool loses = reports->reduced_at && now - reports->reduced_at < LATELY;
    double most = bwe_remb_most(&bwe->remb);
    if (bwe->remb.bps > 0 && (reports->bps > most || !loses))
        reports->bps = most;
    if (reports->bps > bwe->settings.max_bps)
        reports->bps = bwe->settings.max_bps;
    if (reports->bps < bwe->settings.min_bps)
        reports->bps = bwe->settings.min_bps;
    set_target(bwe, reports->bps);
}

static void look_for_probe(struct bwe *bwe, usec now)
{
    bool was_over = bwe->rate.reduced_at && now - bwe->rate.reduced_at < USEC_S;
    double step = bwe->loss.is_limiting ? STEP_LOSS : STEP;
    if (bwe->prober.sent == 0)
        step = 1; /* what is begun with is not known to be there */
    else if (bwe->prober.succeeded == 1)
        step = STEP_SECOND;
    double most = bwe->remb.bps > 0 ? bwe_remb_most(&bwe->remb) : bwe->settings.max_bps;
    if (bwe->rival.is_there && most > RIVAL_SHARE * bwe->rival.alone_bps)
        most = RIVAL_SHARE * bwe->rival.alone_bps;
    const struct bwe_probe_terms terms = {
        .target_bps = bwe->target_bps,
        .wanted_bps = bwe->wanted_bps < most ? bwe->wanted_bps : most,
        .most_bps = bwe->most_bps < most ? bwe->most_bps : most,
        .step = step,
        .jitter_ms = bwe->delay.jitter,
        .is_calm = bwe->has_feedback && bwe->before_silence == 0 &&
                   (bwe->rival.is_there || (!was_over && bwe->delay.usage == BWE_NORMAL)),
        .has_rival = bwe->rival.is_there,
    };
    bwe_prober_look(&bwe->prober, now, &terms);
    bwe->looked_at = now;
}

/* ---- feedback ---- */

/* What one feedback has told. */
struct news {
    unsigned received;
    unsigned lost;
    usec newest_sent; /* of what was received */
};

static void take_received(struct bwe *bwe, usec now, struct bwe_packet *packet, int64_t arrived_at,
                          struct news *news)
{
    usec sent_at = bwe_packet_sent_at(packet, now);
    bool is_limited = bwe->demand.limited_since != 0;
    bwe_acknowledged_add(&bwe->acknowledged, arrived_at, packet->size, is_limited);
    bwe_busy_packet(&bwe->busy, (int64_t)sent_at, arrived_at, packet->size);
    if (packet->cluster) {
        bwe_delay_skip(&bwe->delay);
        bwe_prober_packet(&bwe->prober, packet->cluster, (int64_t)sent_at, arrived_at,
                          packet->size);
    } else {
        bwe_delay_packet(&bwe->delay, (int64_t)sent_at, arrived_at);
        if (packet->fate == BWE_LOST)
            bwe_loss_came_late(&bwe->loss);
        else
            bwe_loss_packet(&bwe->loss, sent_at, packet->size, false);
    }
    packet->fate = BWE_RECEIVED;
    if (sent_at > news->newest_sent)
        news->newest_sent = sent_at;
    news->received++;
}

static void take_status(struct bwe *bwe, usec now, const struct twcc_status *status,
                        struct news *news)
{
    struct bwe_packet *packet = bwe_history_find(&bwe->history, status->sequence_number);
    if (!packet || packet->fate == BWE_RECEIVED)
        return;
    if (status->received) {
        take_received(bwe, now, packet, bwe->reference * TWCC_REFERENCE_US + status->at_us, news);
    } else if (packet->fate == BWE_SENT) {
        packet->fate = BWE_LOST;
        news->lost++;
        if (packet->cluster) /* that says nothing of the estimate */
            bwe_prober_lost(&bwe->prober, packet->cluster, packet->size);
        else
            bwe_loss_packet(&bwe->loss, bwe_packet_sent_at(packet, now), packet->size, true);
    }
}

static int64_t unwrap_reference(const struct bwe *bwe, uint32_t reference)
{
    uint32_t steps = (reference - (uint32_t)bwe->reference) << REFERENCE_SHIFT;
    return bwe->has_feedback ? bwe->reference + ((int32_t)steps >> REFERENCE_SHIFT)
                             : (int64_t)reference;
}

/* Feedback comes again. */
static void end_silence(struct bwe *bwe, usec now, const struct news *news)
{
    double before = bwe->before_silence;
    unsigned told = news->received + news->lost;
    bwe->before_silence = 0;
    bwe->silence_at = 0;
    bwe_acknowledged_doubt(&bwe->acknowledged);
    if (news->lost <= told * AFTER_LOSS_MAX && bwe->rate.bps < before * AFTER_SILENCE)
        bwe_rate_set(&bwe->rate, now, before * AFTER_SILENCE);
    bwe_prober_hurry(&bwe->prober, now);
}

static double least_of(double a, double b, double c)
{
    double least = a < b ? a : b;
    return least < c ? least : c;
}

static void take_probe(struct bwe *bwe, usec now)
{
    bool is_shown = bwe->prober.succeeded > 0;
    double bps = bwe_prober_result(&bwe->prober, now);
    if (bps > 0 && !is_shown && bps < bwe->rate.bps) { /* what was begun with was too much */
        double come = bwe->acknowledged.bps;
        bwe_rate_set(&bwe->rate, now, bps > come ? bps : come);
    }
    if (bwe->rival.is_there)
        bps = least_of(bps, RIVAL_ENOUGH * bwe->wanted_bps, RIVAL_SHARE * bwe->rival.alone_bps);
    if (bps == 0 || (bwe->delay.usage == BWE_OVERUSING && !bwe->rival.is_there))
        return;
    if (bps > bwe->rate.bps)
        bwe_rate_set(&bwe->rate, now, bps);
    bwe_loss_shown(&bwe->loss, bps);
}

/* More than the line loses all the time. */
static bool is_loss(const struct bwe *bwe, const struct news *news)
{
    double share = (double)news->lost / (news->lost + news->received);
    return share > 2 * bwe->loss.inherent;
}

/* Much waits, and not half of what is sent comes: for that it takes no trend. */
static bool is_broken_in(const struct bwe *bwe)
{
    double busy = bwe_busy_bps(&bwe->busy);
    return busy > 0 && busy < BROKEN_IN * bwe->sent_bps &&
           bwe_busy_queue(&bwe->busy) > BROKEN_IN_QUEUE;
}

/* What of the delay counts.  Where less is sent than might be, and all of it comes as fast as it is
 * sent, it is not we who fill a queue: packets come late by chance, and to go down to what is sent
 * would say nothing of the line. */
static enum bwe_usage usage_of(const struct bwe *bwe)
{
    if (bwe->rival.less_since) /* perhaps a rival: it will be known soon, and no queue grows */
        return BWE_UNDERUSING;
    if (is_broken_in(bwe))
        return BWE_OVERUSING;
    bool is_late = bwe->acknowledged.bps < ALL_COMES * bwe->sent_bps;
    if (bwe->delay.usage == BWE_OVERUSING && bwe->demand.limited_since && !is_late)
        return BWE_UNDERUSING;
    return bwe->delay.usage;
}

static void look_for_rival(struct bwe *bwe, usec now, const struct news *news)
{
    const struct bwe_rival_input input = {
        .queue_us = bwe_busy_queue(&bwe->busy),
        .busy_bps = bwe_busy_bps(&bwe->busy),
        .come_bps = bwe->acknowledged.bps,
        .loss = (double)news->lost / (news->lost + news->received),
        .rate_bps = bwe->rate.bps,
    };
    if (!bwe_rival_look(&bwe->rival, now, &input))
        return;
    double ours = KEPT_OF_RIVAL * bwe->rival.most_bps; /* before we gave way */
    if (ours < RIVAL_FIRST * bwe->rival.alone_bps)
        ours = RIVAL_FIRST * bwe->rival.alone_bps;
    if (bwe->rate.bps < ours)
        bwe_rate_set(&bwe->rate, now, ours);
}

/* What went down for a queue that then was gone at once, with nothing lost, was no narrow line: all
 * had stopped, and came together (a radio does so). */
static void look_for_stall(struct bwe *bwe, usec now, const struct news *news, double before)
{
    if (before > 0 && now - bwe->fell_at >= STALL) {
        bwe->before_fall = before;
        bwe->fell_at = now;
    }
    double bps = AFTER_STALL * bwe->before_fall;
    if (bwe->rival.is_there || now - bwe->fell_at >= STALL || news->lost > 0 ||
        bwe_busy_queue(&bwe->busy) > STALL_GONE || bwe->acknowledged.last < bps ||
        bps <= bwe->rate.bps)
        return;
    bwe_rate_set(&bwe->rate, now, bps);
}

static void estimate(struct bwe *bwe, usec now, const struct news *news)
{
    bwe_busy_settle(&bwe->busy, now - bwe->rate.reduced_at);
    look_for_rival(bwe, now, news);
    const struct bwe_rate_input input = { .usage = usage_of(bwe),
                                          .acknowledged_bps = bwe->acknowledged.bps,
                                          .busy_bps = bwe_busy_bps(&bwe->busy),
                                          .queue_us = bwe_busy_queue(&bwe->busy),
                                          .standing_us = bwe_busy_queue(&bwe->busy),
                                          .round_trip = round_trip_of(bwe),
                                          .has_rival = bwe->rival.is_there,
                                          .min_bps = bwe->settings.min_bps,
                                          .max_bps = bwe->settings.max_bps };
    double before = bwe->rate.bps;
    take_probe(bwe, now);
    if (bwe->demand.limited_since == 0 && is_loss(bwe, news) &&
        bwe_rival_lost(&bwe->rival, now, round_trip_of(bwe)))
        bwe_rate_lost(&bwe->rate, now, bwe->settings.min_bps);
    bool is_down = bwe_rate_update(&bwe->rate, now, &input);
    look_for_stall(bwe, now, news, is_down ? before : 0);
    estimate_by_feedback(bwe);
    if (is_down && bwe->rate.bps < before * 2 / 3)
        bwe_prober_hurry(&bwe->prober, now + LATELY); /* the line may be as it was soon */
    look_for_probe(bwe, now);
}

bool bwe_feedback(struct bwe *bwe, usec now, const struct twcc *twcc)
{
    struct twcc_reader reader;
    struct twcc_status status;
    struct news news = { 0 };
    if (twcc->status_count > BWE_STATUSES_MAX)
        return false;
    bool was_silent = bwe->before_silence > 0;
    bwe->reference = unwrap_reference(bwe, twcc->reference_time);
    if (was_silent)
        bwe_delay_reset(&bwe->delay);
    bwe_busy_begin(&bwe->busy);
    twcc_reader_begin(twcc, &reader);
    while (twcc_reader_next(&reader, &status))
        take_status(bwe, now, &status, &news);
    bwe->has_feedback = true;
    if (news.received + news.lost == 0)
        return true; /* of what it tells nothing was sent, or it was told before */
    bwe->unanswered_since = 0;
    bwe->heard_at = now;
    if (news.received > 0)
        bwe->feedback_round_trip = now - news.newest_sent;
    if (was_silent)
        end_silence(bwe, now, &news);
    estimate(bwe, now, &news);
    return true;
}

/* ---- the rest of what is heard ---- */

void bwe_reported(struct bwe *bwe, usec now, uint32_t expected, uint32_t lost, usec round_trip)
{
    if (round_trip > 0)
        bwe->round_trip = round_trip;
    if (expected > 0)
        bwe->told_loss = lost < expected ? (double)lost / expected : 1;
    if (!bwe->has_feedback &&
        bwe_reports_add(&bwe->reports, now, expected, lost, bwe->sent_bps, round_trip_of(bwe)))
        estimate_by_reports(bwe, now);
}

void bwe_remb(struct bwe *bwe, usec now, uint64_t bps)
{
    bwe_remb_heard(&bwe->remb, now, bps);
    if (bwe->has_feedback)
        estimate_by_feedback(bwe);
    else
        estimate_by_reports(bwe, now);
}

void bwe_want(struct bwe *bwe, usec now, uint64_t bps, uint64_t most_bps)
{
    double wanted = (double)bps;
    bool is_more = wanted > bwe->wanted_bps && wanted > bwe->target_bps;
    bwe->wanted_bps = wanted;
    bwe->most_bps = (double)most_bps;
    if (is_more)
        bwe_prober_hurry(&bwe->prober, now);
}

/* ---- time ---- */

usec bwe_until(const struct bwe *bwe)
{
    if (bwe->unanswered_since)
        return bwe->looked_at + LOOK_EACH;
    if (!bwe->has_feedback)
        return bwe_remb_until(&bwe->remb);
    /* nothing tells of the line, unless it is tried */
    return bwe->wanted_bps > bwe->target_bps ? bwe->looked_at + QUIET : USEC_NEVER;
}

static void look_for_silence(struct bwe *bwe, usec now)
{
    if (!bwe->has_feedback || bwe->unanswered_since == 0 ||
        now - bwe->unanswered_since < SILENCE + round_trip_of(bwe) || now < bwe->silence_at)
        return;
    if (bwe->before_silence == 0)
        bwe->before_silence = bwe->target_bps;
    double floor = bwe->before_silence * SILENCE_FLOOR;
    double bps = bwe->target_bps * SILENCE_FACTOR;
    bwe->silence_at = now + SILENCE_EACH;
    if (bps < floor)
        bps = floor;
    if (bps < bwe->settings.min_bps)
        bps = bwe->settings.min_bps;
    if (bps < bwe->rate.bps)
        bwe_rate_set(&bwe->rate, now, bps);
    set_target(bwe, bwe->rate.bps < bwe->target_bps ? bwe->rate.bps : bwe->target_bps);
}

/* 0: no more than may be sent. */
static double more_wanted(const struct bwe *bwe)
{
    if (bwe->wanted_bps <= bwe->target_bps)
        return 0;
    return bwe->wanted_bps < bwe->settings.max_bps ? bwe->wanted_bps : bwe->settings.max_bps;
}

void bwe_tick(struct bwe *bwe, usec now)
{
    if (!bwe->has_feedback && bwe->remb.bps > 0)
        bwe_remb_look(&bwe->remb, now, more_wanted(bwe));
    look_for_silence(bwe, now);
    if (bwe->unanswered_since == 0 && now - bwe->heard_at >= QUIET)
        bwe_delay_reset(&bwe->delay); /* what grew then does not hold it back for good */
    look_for_probe(bwe, now);
}

bool bwe_probe_wanted(struct bwe *bwe, usec now, struct bwe_probe *probe)
{
    return bwe_prober_take(&bwe->prober, now, probe) || bwe_remb_take(&bwe->remb, probe);
}

/* ---- what it knows ---- */

static enum bwe_limit limit_of(const struct bwe *bwe, usec now)
{
    if (bwe->before_silence > 0)
        return BWE_BY_SILENCE;
    if (bwe->remb.bps > 0 && bwe->target_bps >= bwe->remb.bps)
        return BWE_BY_RECEIVER;
    if (!bwe->has_feedback && bwe->reports.looked_at == 0)
        return BWE_UNKNOWN;
    if (bwe->has_feedback ? bwe->loss.is_limiting
                          : bwe->reports.reduced_at && now - bwe->reports.reduced_at < LATELY)
        return BWE_BY_LOSS;
    if (bwe->rival.is_there)
        return BWE_BY_RIVAL;
    if (bwe->rate.reduced_at && now - bwe->rate.reduced_at < LATELY)
        return BWE_BY_DELAY;
    if (bwe->target_bps >= bwe->settings.max_bps)
        return BWE_BY_SETTING;
    if (bwe->demand.limited_since && bwe->wanted_bps <= bwe->target_bps)
        return BWE_BY_APPLICATION;
    return BWE_BY_NOTHING;
}

void bwe_estimate(const struct bwe *bwe, usec now, struct bwe_estimate *out)
{
    *out = (struct bwe_estimate){
        .target_bps = (uint64_t)bwe->target_bps,
        .acknowledged_bps = (uint64_t)bwe->acknowledged.bps,
        .sent_bps = (uint64_t)bwe->sent_bps,
        .loss = bwe->has_feedback ? bwe->loss.average : bwe->told_loss,
        .round_trip = round_trip_of(bwe),
        .limit = limit_of(bwe, now),
        .is_limited = bwe->demand.limited_since != 0,
        .has_feedback = bwe->has_feedback,
        .probes = bwe->prober.sent,
        .probes_well = bwe->prober.succeeded,
    };
}

const char *bwe_limit_name(enum bwe_limit limit)
{
    static const char *const NAMES[] = {
        [BWE_UNKNOWN] = "unknown",      [BWE_BY_NOTHING] = "nothing",
        [BWE_BY_DELAY] = "delay",       [BWE_BY_RIVAL] = "rival",
        [BWE_BY_LOSS] = "loss",         [BWE_BY_SILENCE] = "silence",
        [BWE_BY_RECEIVER] = "receiver", [BWE_BY_APPLICATION] = "application",
        [BWE_BY_SETTING] = "setting",
    };
    return NAMES[limit];
}
