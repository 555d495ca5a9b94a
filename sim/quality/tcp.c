#include "quality/tcp.h"

#include <math.h>

#define SEGMENT    1472 /* with UDP's overhead of the line a packet of 1500 */
#define CUBIC_BETA 0.7
#define CUBIC_C    0.4
#define WINDOW_MIN 2.0
#define TIMEOUT    (1 * USEC_S)
#define FIRST      10.0

static void hear(void *other, const struct netem_packet *packet)
{
    struct tcp *tcp = other;
    tcp->delivered_bytes += packet->size + WORLD_OVERHEAD;
    if (tcp->ack_count == TCP_ACKS_MAX)
        return;
    uint32_t at = (tcp->ack_first + tcp->ack_count++) % TCP_ACKS_MAX;
    tcp->acks[at].at = packet->at + tcp->back;
    tcp->acks[at].number = packet->tag;
}

void tcp_begin(struct tcp *tcp, struct end *end, usec back)
{
    *tcp = (struct tcp){ .end = end,
                         .back = back,
                         .window = FIRST,
                         .threshold = 1e9,
                         .next = 1,
                         .lowest = 1,
                         .heard_at = end->world->now };
    end->hear_other = hear;
    end->other = tcp;
}

static void lose(struct tcp *tcp, usec now)
{
    tcp->window_max = tcp->window;
    tcp->window = tcp->window * CUBIC_BETA > WINDOW_MIN ? tcp->window * CUBIC_BETA : WINDOW_MIN;
    tcp->threshold = tcp->window;
    tcp->epoch = now;
    tcp->recover = tcp->next;
}

/* One more packet has come: section 4.2 and following; K is section 4.2's, too. */
static void grow(struct tcp *tcp, usec now)
{
    if (tcp->window < tcp->threshold) {
        tcp->window += 1;
        return;
    }
    double t = (double)(now - tcp->epoch) / USEC_S;
    double k = cbrt(tcp->window_max * (1 - CUBIC_BETA) / CUBIC_C);
    double target = CUBIC_C * (t - k) * (t - k) * (t - k) + tcp->window_max;
    if (target > 1.5 * tcp->window)
        target = 1.5 * tcp->window;
    double reno = 3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA) / tcp->window;
    double cubic = target > tcp->window ? (target - tcp->window) / tcp->window : 0;
    tcp->window += cubic > reno ? cubic : reno;
}

static void acknowledge(struct tcp *tcp, usec now, uint64_t number)
{
    tcp->heard_at = now;
    if (number < tcp->lowest)
        return;
    if (number > tcp->lowest && tcp->lowest >= tcp->recover)
        lose(tcp, now);
    else
        grow(tcp, now);
    tcp->lowest = number + 1;
}

void tcp_turn(struct tcp *tcp)
{
    static const uint8_t BYTES[SEGMENT];
    usec now = tcp->end->world->now;
    while (tcp->ack_count > 0 && tcp->acks[tcp->ack_first].at <= now) {
        acknowledge(tcp, now, tcp->acks[tcp->ack_first].number);
        tcp->ack_first = (tcp->ack_first + 1) % TCP_ACKS_MAX;
        tcp->ack_count--;
    }
    if (tcp->next > tcp->lowest && now > tcp->heard_at + TIMEOUT) {
        lose(tcp, now);
        tcp->window = WINDOW_MIN;
        tcp->lowest = tcp->next;
        tcp->heard_at = now;
    }
    if (tcp->next == tcp->lowest)
        tcp->heard_at = now;
    while ((double)(tcp->next - tcp->lowest) < tcp->window)
        netem_send(&tcp->end->down, now, view_make(BYTES, sizeof BYTES), tcp->next++);
}
