#include "media/verdict.h"

#include <assert.h>

static const char *const NAMES[] = {
#define VERDICT_NAME(name, text) text,
    VERDICTS(VERDICT_NAME)
#undef VERDICT_NAME
};

static const char *const LIMITS[] = {
#define VERDICT_LIMIT_NAME(name, text) text,
    VERDICT_LIMITS(VERDICT_LIMIT_NAME)
#undef VERDICT_LIMIT_NAME
};

const char *verdict_name(enum verdict verdict)
{
    assert(verdict < VERDICT_KINDS);
    return NAMES[verdict];
}

const char *verdict_limit_name(enum verdict_limit limit)
{
    assert(limit < VERDICT_LIMIT_KINDS);
    return LIMITS[limit];
}

bool verdict_limit_read(struct view name, enum verdict_limit *limit)
{
    for (unsigned i = 0; i < VERDICT_LIMIT_KINDS; i++)
        if (view_equal(name, view_of(LIMITS[i]))) {
            *limit = (enum verdict_limit)i;
            return true;
        }
    return false;
}

/* Whether its other end says that the line takes less than what goes over it, or nothing any more.
 * An estimate alone is none: where it is not followed, more may well get through. */
static bool is_held_down(const struct verdict_line *line)
{
    bool is_told = line->limit == BWE_BY_SILENCE || line->limit == BWE_BY_RECEIVER;
    return is_told && line->estimate_bps < line->given_bps;
}

enum verdict verdict_of_line(const struct verdict_line *line)
{
    bool is_bad = line->loss >= VERDICT_LOSS || line->queue >= VERDICT_QUEUE || is_held_down(line);
    return line->is_known && is_bad ? VERDICT_DOWNLINK : VERDICT_NOTHING;
}

/* Whether the way from the publisher to here is bad. */
static bool comes_badly(const struct verdict_source *source)
{
    return source->loss >= VERDICT_LOSS || source->jitter_us >= VERDICT_JITTER;
}

enum verdict verdict_of_source(const struct verdict_source *source)
{
    if (!source->is_known)
        return VERDICT_NOTHING;
    if (source->active == 0) /* it may be that nobody looks */
        return source->unwanted == source->encodings ? VERDICT_WINDOW : VERDICT_SILENT;
    if (comes_badly(source) || source->limit == VERDICT_BY_BANDWIDTH)
        return VERDICT_UPLINK;
    return source->limit == VERDICT_BY_CPU ? VERDICT_SENDER_CPU : VERDICT_NOTHING;
}

enum verdict verdict_of_picture(const struct verdict_picture *picture,
                                const struct verdict_line *line)
{
    const struct verdict_source *source = &picture->source;
    enum verdict of_source = verdict_of_source(source);
    /* what is not sent is not hurt by any line */
    switch ((enum allocation_reason)picture->reason) {
    case ALLOCATION_BANDWIDTH:
        return VERDICT_DOWNLINK;
    case ALLOCATION_HIDDEN:
        return VERDICT_WINDOW;
    case ALLOCATION_LAST_N:
    case ALLOCATION_PAUSED:
        return VERDICT_POLICY;
    case ALLOCATION_SILENT:
        if (!source->is_known)
            return VERDICT_SILENT;
        break; /* it may have begun since that was found */
    default:
        break;
    }
    if (source->is_known && source->active == 0)
        return VERDICT_SILENT;
    if (verdict_of_line(line) == VERDICT_DOWNLINK)
        return VERDICT_DOWNLINK;
    /* where the window has no use for the best encoding, what holds that down does not matter;
     * where no window has, it is not even sent */
    bool is_small = picture->reason == ALLOCATION_WINDOW || source->unwanted > 0;
    if (is_small && !comes_badly(source))
        return VERDICT_WINDOW;
    return of_source;
}
