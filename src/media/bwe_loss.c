#include "media/bwe_loss.h"

#include <math.h>

#define WINDOW            (USEC_S / 4)
#define WINDOWS_MIN       3 /* before anything is said */
#define WINDOWS_RECENT    4
#define AGE_WEIGHT        0.9 /* of each window, against the next */
#define PACKETS_MIN       10  /* of a window: few packets say nothing of a rate */
#define INHERENT_FIRST    0.01
#define INHERENT_MIN      0.001
#define INHERENT_OFFSET   0.05    /* the line's own loss is at most so much ... */
#define INHERENT_BALANCE  40000.0 /* ... and what these bits/s are of the rate */
#define BOUND_OFFSET      0.06    /* above so much loss ... */
#define BOUND_BALANCE     75000.0 /* ... it is at most these bits/s over what is more */
#define NEWTON_STEPS      2
#define NEWTON_SIZE       0.75
#define HIGHER_BIAS       0.0002 /* for the higher of two rates that are as likely */
#define HIGHER_BIAS_LOG   0.02
#define HIGHER_BIAS_UNTIL 0.2  /* loss from which on that is no longer so */
#define KEEP              0.9  /* of what comes: it goes through, so much is sure */
#define SHOWN_MORE        1.1  /* by a probe: less than that may be by chance */
#define RISE_MAX          1.15 /* in a window, once it was limited ... */
#define RISE_LOSING_MAX   1.04 /* ... and while more is lost than this */
#define RISE_LOSING       0.02
#define RISE_OVER_COME    1.07 /* then, of what comes: if no more comes, that is all there is */

/* ---- windows ---- */

static double limit(double number, double least, double most)
{
    return number < least ? least : number > most ? most : number;
}

static void close_window(struct bwe_loss *loss)
{
    double passed = (double)(loss->last_sent - loss->first_sent) / (double)USEC_S;
    loss->windows[loss->window_count++ % BWE_LOSS_WINDOWS] = (struct bwe_loss_window){
        .packets = (float)loss->packets,
        .lost = (float)loss->lost,
        .bps = (float)((double)loss->bytes * 8 / passed),
    };
    loss->packets = loss->lost = 0;
    loss->bytes = 0;
    loss->first_sent = loss->last_sent;
}

void bwe_loss_packet(struct bwe_loss *loss, usec sent_at, unsigned size, bool is_lost)
{
    if (!loss->is_open) {
        loss->is_open = true;
        loss->first_sent = loss->last_sent = sent_at;
    }
    if (sent_at > loss->last_sent)
        loss->last_sent = sent_at;
    loss->packets++;
    loss->lost += is_lost;
    loss->bytes += size;
}

void bwe_loss_came_late(struct bwe_loss *loss)
{
    struct bwe_loss_window *last = &loss->windows[(loss->window_count - 1) % BWE_LOSS_WINDOWS];
    if (loss->lost > 0)
        loss->lost--;
    else if (loss->window_count > 0 && last->lost >= 1)
        last->lost -= 1;
}

void bwe_loss_shown(struct bwe_loss *loss, double bps)
{
    if (loss->is_limiting && bps > SHOWN_MORE * loss->bps)
        loss->bps = bps;
}

/* The windows from the newest on, each with its weight. */
struct walk {
    uint32_t left;
    uint32_t next;
    double weight;
};

static struct walk walk_begin(const struct bwe_loss *loss)
{
    uint32_t count = loss->window_count < BWE_LOSS_WINDOWS ? loss->window_count : BWE_LOSS_WINDOWS;
    return (struct walk){ .left = count, .next = loss->window_count, .weight = 1 / AGE_WEIGHT };
}

static const struct bwe_loss_window *walk_next(const struct bwe_loss *loss, struct walk *walk)
{
    if (walk->left == 0)
        return NULL;
    walk->left--;
    walk->weight *= AGE_WEIGHT;
    return &loss->windows[--walk->next % BWE_LOSS_WINDOWS];
}

static double average_loss(const struct bwe_loss *loss, unsigned count)
{
    const struct bwe_loss_window *window;
    struct walk walk = walk_begin(loss);
    double packets = 0, lost = 0;
    while (count-- > 0 && (window = walk_next(loss, &walk))) {
        packets += walk.weight * (double)window->packets;
        lost += walk.weight * (double)window->lost;
    }
    return packets > 0 ? lost / packets : 0;
}

/* ---- what is likely ---- */

/* A rate that the line might take, and the loss of its own that goes with it. */
struct candidate {
    double bps;
    double inherent;
};

/* How likely a packet is lost when that much is sent. */
static double loss_at(const struct candidate *candidate, double sent_bps)
{
    double loss = candidate->inherent;
    if (sent_bps > candidate->bps && sent_bps > 0)
        loss += (1 - loss) * (sent_bps - candidate->bps) / sent_bps;
    return limit(loss, 1e-6, 1 - 1e-6);
}

static double inherent_max(double bps)
{
    return limit(INHERENT_OFFSET + INHERENT_BALANCE / bps, INHERENT_MIN, 1);
}

/* Newton's way to the inherent loss under which what was seen is the most likely. */
static void fit_inherent(const struct bwe_loss *loss, struct candidate *candidate)
{
    for (int step = 0; step < NEWTON_STEPS; step++) {
        const struct bwe_loss_window *window;
        struct walk walk = walk_begin(loss);
        double first = 0, second = 0;
        while ((window = walk_next(loss, &walk))) {
            double p = loss_at(candidate, (double)window->bps);
            double lost = (double)window->lost;
            double came = (double)window->packets - lost;
            first += walk.weight * (lost / p - came / (1 - p));
            second -= walk.weight * (lost / (p * p) + came / ((1 - p) * (1 - p)));
        }
        if (second < 0)
            candidate->inherent -= NEWTON_SIZE * first / second;
        candidate->inherent =
            limit(candidate->inherent, INHERENT_MIN, inherent_max(candidate->bps));
    }
}

static double likelihood(const struct bwe_loss *loss, const struct candidate *candidate)
{
    const struct bwe_loss_window *window;
    struct walk walk = walk_begin(loss);
    double kbps = candidate->bps / 1000;
    double bias = 0, sum = 0;
    if (loss->average < HIGHER_BIAS_UNTIL)
        bias = (HIGHER_BIAS * kbps + HIGHER_BIAS_LOG * log(1 + kbps)) *
               (1 - loss->average / HIGHER_BIAS_UNTIL);
    while ((window = walk_next(loss, &walk))) {
        double p = loss_at(candidate, (double)window->bps);
        double lost = (double)window->lost;
        double came = (double)window->packets - lost;
        sum += walk.weight * (lost * log(p) + came * log(1 - p) + bias * (lost + came));
    }
    return sum;
}

static struct candidate choose(const struct bwe_loss *loss, double now_bps,
                               const struct bwe_loss_input *input)
{
    const double rates[] = { now_bps, now_bps * 1.02, now_bps * 0.95,
                             input->acknowledged_bps > 0 ? input->acknowledged_bps : now_bps,
                             input->delay_bps };
    struct candidate best = { .bps = now_bps, .inherent = loss->inherent };
    double most = 0;
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct candidate one = { .bps = limit(rates[i], input->min_bps, input->delay_bps),
                                 .inherent = loss->inherent };
        fit_inherent(loss, &one);
        double likely = likelihood(loss, &one);
        if (i > 0 && likely <= most)
            continue;
        most = likely;
        best = one;
    }
    return best;
}

/* ---- the limit ---- */

/* How far it may go up in a window. */
static double rise_max(const struct bwe_loss *loss, double now_bps, double acknowledged_bps)
{
    if (loss->recent <= RISE_LOSING)
        return now_bps * RISE_MAX;
    return limit(RISE_OVER_COME * acknowledged_bps, now_bps, now_bps * RISE_LOSING_MAX);
}

static void estimate(struct bwe_loss *loss, const struct bwe_loss_input *input)
{
    double now_bps =
        limit(loss->is_limiting ? loss->bps : input->delay_bps, input->min_bps, input->delay_bps);
    loss->average = average_loss(loss, BWE_LOSS_WINDOWS);
    loss->recent = average_loss(loss, WINDOWS_RECENT);
    if (loss->inherent == 0)
        loss->inherent = INHERENT_FIRST;
    if (loss->average == 0 && !loss->is_limiting)
        return; /* most of the time: there is nothing to choose between */
    struct candidate best = choose(loss, now_bps, input);
    loss->inherent = best.inherent;
    double bps = best.bps;
    if (bps > now_bps && loss->is_limiting && best.inherent < loss->average * 0.8)
        bps = now_bps; /* some of the loss is not the line's own yet */
    if (loss->is_limiting)
        bps = limit(bps, 0, rise_max(loss, now_bps, input->acknowledged_bps));
    if (loss->recent > BOUND_OFFSET) {
        double bound = BOUND_BALANCE / (loss->recent - BOUND_OFFSET);
        bps = bps < bound ? bps : bound;
    }
    if (bps < now_bps && bps < KEEP * input->acknowledged_bps)
        bps = limit(KEEP * input->acknowledged_bps, 0, now_bps);
    loss->bps = limit(bps, input->min_bps, input->delay_bps);
    loss->is_limiting = loss->bps < input->delay_bps;
}

double bwe_loss_update(struct bwe_loss *loss, const struct bwe_loss_input *input)
{
    bool is_whole = loss->is_open && loss->last_sent - loss->first_sent >= WINDOW &&
                    loss->packets >= PACKETS_MIN;
    if (is_whole) {
        close_window(loss);
        if (loss->window_count >= WINDOWS_MIN)
            estimate(loss, input);
    }
    if (!loss->is_limiting)
        return input->delay_bps;
    return loss->bps < input->delay_bps ? loss->bps : input->delay_bps;
}

/* ---- by reports alone ---- */

#define LOOK_EACH       USEC_S
#define EXPECTED_MIN    20
#define LITTLE          0.02
#define MUCH            0.10
#define GROWTH          1.08
#define GROWTH_ADDED    1000.0
#define OVER_SENT       1.5
#define OVER_SENT_ADDED 10000.0
#define REDUCE_EACH     (300 * USEC_MS)

bool bwe_reports_add(struct bwe_reports *reports, usec now, uint32_t expected, uint32_t lost,
                     double sent_bps, usec round_trip)
{
    reports->expected += expected;
    reports->lost += lost < expected ? lost : expected;
    if (reports->looked_at == 0)
        reports->looked_at = now;
    if (now - reports->looked_at < LOOK_EACH || reports->expected < EXPECTED_MIN)
        return false;
    double loss = (double)reports->lost / (double)reports->expected;
    double most = OVER_SENT * sent_bps + OVER_SENT_ADDED;
    double grown = reports->bps * GROWTH + GROWTH_ADDED;
    reports->looked_at = now;
    reports->expected = reports->lost = 0;
    if (loss > MUCH &&
        (reports->reduced_at == 0 || now - reports->reduced_at >= REDUCE_EACH + round_trip)) {
        reports->bps *= 1 - loss / 2;
        reports->reduced_at = now;
    } else if (loss < LITTLE && reports->bps < most) {
        reports->bps = grown < most ? grown : most;
    }
    return true;
}
