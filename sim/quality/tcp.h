/* tcp.h - a download that shares a viewer's line: a TCP flow that always has something to send,
 * with CUBIC's window (RFC 9438), as far as its packets are felt by others in the queue.
 *
 * What is lost is known when something behind it is acknowledged (the line keeps the order), and
 * halts nothing: it counts as sent anew, for only its share of the line matters here.
 */
#ifndef MOIM_SIM_QUALITY_TCP_H
#define MOIM_SIM_QUALITY_TCP_H

#include "quality/world.h"

#define TCP_ACKS_MAX 4096

struct tcp {
    struct end *end; /* on whose line */
    usec back;       /* the delay of acknowledgements */
    double window;   /* packets, as are the next two */
    double threshold;
    double window_max; /* before the last loss */
    usec epoch;        /* when that was; 0: it begins slowly */
    uint64_t next;     /* packets, from 1 on */
    uint64_t lowest;   /* that is not acknowledged */
    uint64_t recover;  /* losses below this one are of the same event */
    usec heard_at;
    struct {
        usec at;
        uint64_t number;
    } acks[TCP_ACKS_MAX]; /* under way */
    uint32_t ack_first, ack_count;
    uint64_t delivered_bytes; /* with everything below TCP */
};

void tcp_begin(struct tcp *tcp, struct end *end, usec back);
void tcp_turn(struct tcp *tcp);

#endif
