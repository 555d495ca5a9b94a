#include "agent/rtc_tap.h"

#include <assert.h>
#include <string.h>

#define FIRST_SIZE 12 /* bytes of a packet that are put before the rest: any number would do */

int rtc_tap_init(struct rtc_tap *tap)
{
    tap->dropped = 0;
    return records_init(&tap->queue, RTC_TAP_QUEUE);
}

void rtc_tap_free(struct rtc_tap *tap)
{
    records_free(&tap->queue);
}

bool rtc_tap_peek(struct rtc_tap *tap, struct rtc_tap_head *head, struct view *packet)
{
    struct view record;
    if (!records_peek(&tap->queue, &record))
        return false;
    memcpy(head, record.at, sizeof *head);
    *packet = view_slice(record, sizeof *head, record.size);
    return true;
}

static void note(struct rtc_tap *tap, const struct rtc_tap_head *head, struct view first,
                 struct view rest)
{
    uint8_t begin[sizeof *head + RTC_PACKET_MAX];
    assert(first.size <= RTC_PACKET_MAX);
    memcpy(begin, head, sizeof *head);
    memcpy(begin + sizeof *head, first.at, first.size);
    if (records_put(&tap->queue, view_make(begin, sizeof *head + first.size), rest) != OK)
        tap->dropped++;
}

void rtc_tap_note_in(struct rtc_tap *tap, usec now, const struct ice_flow *flow, struct view packet)
{
    const struct rtc_tap_head head = { .at = now, .from = flow->remote, .to = flow->local };
    note(tap, &head, view_slice(packet, 0, FIRST_SIZE),
         view_slice(packet, FIRST_SIZE, packet.size));
}

void rtc_tap_note_out(struct rtc_tap *tap, usec now, const struct ice_flow *flow,
                      struct view header, struct view payload)
{
    const struct rtc_tap_head head = { .at = now, .from = flow->local, .to = flow->remote };
    note(tap, &head, header, payload);
}
