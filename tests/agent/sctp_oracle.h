/* sctp_oracle.h - an end of data channels by usrsctp, as Firefox sets it up, opposite to one of
 * ours.
 *
 * It asks the C library for the time: the answer is the test's clock, by a function of our own that
 * stands before the library's.  Its tags and first TSNs are its own chance.
 */
#ifndef MOIM_TESTS_AGENT_SCTP_ORACLE_H
#define MOIM_TESTS_AGENT_SCTP_ORACLE_H

#include "sctp_pair.h"

#include "wire/dcep.h"

#include <arpa/inet.h>
#include <sys/time.h>
#include <usrsctp.h>

#define ORACLE_MESSAGE_MAX (512 * 1024)

struct oracle {
    struct pair *pair; /* whose end 0 is ours; packets to us go its way */
    struct socket *socket;
    bool is_up;
    bool is_gone;
    bool is_deaf; /* answers no OPEN */
    unsigned seen_count;
    struct seen seen[PAIR_SEEN_MAX];
    unsigned resets_in;  /* of our streams, told to it */
    unsigned resets_out; /* of its streams, done */
    uint16_t last_reset;
    size_t size;
    uint8_t message[ORACLE_MESSAGE_MAX];
};

/* One at a time. */
static struct oracle *the_oracle;

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    usec now = the_oracle ? the_oracle->pair->now : 1000 * USEC_S;
    (void)zone;
    out->tv_sec = (time_t)(now / USEC_S);
    out->tv_usec = (suseconds_t)(now % USEC_S);
    return 0;
}

static inline int oracle_output(void *address, void *bytes, size_t size, uint8_t tos, uint8_t df)
{
    struct oracle *oracle = address;
    struct pair *pair = oracle->pair;
    (void)tos;
    (void)df;
    if (pair->is_cut || (pair->loss && pair_chance(pair, 1000) < pair->loss))
        return 0;
    pair_carry(pair, &pair->ends[0], view_make(bytes, size));
    return 0;
}

static inline int oracle_send(struct oracle *oracle, uint16_t stream, uint32_t ppid,
                              struct view message, bool is_unordered, int retransmits)
{
    struct sctp_sendv_spa spa = { .sendv_flags = SCTP_SEND_SNDINFO_VALID };
    spa.sendv_sndinfo.snd_sid = stream;
    spa.sendv_sndinfo.snd_ppid = htonl(ppid);
    spa.sendv_sndinfo.snd_flags = SCTP_EOR;
    if (is_unordered)
        spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
    if (retransmits >= 0) {
        spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        spa.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
        spa.sendv_prinfo.pr_value = (uint32_t)retransmits;
    }
    return usrsctp_sendv(oracle->socket, message.at, message.size, NULL, 0, &spa, sizeof spa,
                         SCTP_SENDV_SPA, 0) < 0
               ? ERR_AGAIN
               : OK;
}

/* One of ours, by number. */
static inline int oracle_send_number(struct oracle *oracle, uint16_t stream, uint32_t number,
                                     uint32_t size, bool is_unordered, int retransmits)
{
    static uint8_t bytes[ORACLE_MESSAGE_MAX];
    bytes_write_32(bytes, number);
    for (uint32_t i = 4; i < size; i++)
        bytes[i] = pair_byte(number, i);
    return oracle_send(oracle, stream, 53, view_make(bytes, size), is_unordered, retransmits);
}

static inline void oracle_note(struct oracle *oracle, const union sctp_notification *note)
{
    const struct sctp_stream_reset_event *reset = &note->sn_strreset_event;
    switch (note->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        oracle->is_up |= note->sn_assoc_change.sac_state == SCTP_COMM_UP;
        oracle->is_gone |= note->sn_assoc_change.sac_state == SCTP_COMM_LOST ||
                           note->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP;
        break;
    case SCTP_STREAM_RESET_EVENT:
        if (reset->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED))
            break;
        oracle->resets_in += (reset->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0;
        oracle->resets_out += (reset->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN) != 0;
        if (reset->strreset_length > sizeof *reset)
            oracle->last_reset = reset->strreset_stream_list[0];
        break;
    default:
        break;
    }
}

static inline void oracle_take(struct oracle *oracle, uint32_t ppid, uint16_t stream)
{
    struct seen *seen = &oracle->seen[oracle->seen_count];
    if (ppid == DCEP_PPID) {
        if (oracle->message[0] == DCEP_OPEN && !oracle->is_deaf)
            (void)oracle_send(oracle, stream, DCEP_PPID, view_make("\2", 1), false, -1);
        return;
    }
    assert_true(oracle->seen_count < PAIR_SEEN_MAX);
    *seen = (struct seen){ .stream = stream,
                           .kind = (uint8_t)ppid,
                           .size = (uint32_t)oracle->size,
                           .number = bytes_read_32(oracle->message) };
    for (uint32_t i = 4; i < oracle->size; i++)
        assert_int_equal(oracle->message[i], pair_byte(seen->number, i));
    oracle->seen_count++;
}

static inline int oracle_input(struct socket *socket, union sctp_sockstore address, void *data,
                               size_t size, struct sctp_rcvinfo info, int flags, void *context)
{
    struct oracle *oracle = context;
    (void)socket;
    (void)address;
    if (!data)
        return 1;
    if (flags & MSG_NOTIFICATION) {
        oracle_note(oracle, data);
    } else {
        assert_true(oracle->size + size <= ORACLE_MESSAGE_MAX);
        memcpy(oracle->message + oracle->size, data, size);
        oracle->size += size;
        if (flags & MSG_EOR) {
            oracle_take(oracle, ntohl(info.rcv_ppid), info.rcv_sid);
            oracle->size = 0;
        }
    }
    free(data);
    return 1;
}

static inline void oracle_set(struct oracle *oracle)
{
    static const uint16_t EVENTS[] = { SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT };
    struct linger linger = { 1, 0 };
    struct sctp_initmsg init = { .sinit_num_ostreams = 1024, .sinit_max_instreams = 2048 };
    struct sctp_assoc_value resets = { SCTP_ALL_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ |
                                                           SCTP_ENABLE_CHANGE_ASSOC_REQ };
    struct sockaddr_conn self = { .sconn_family = AF_CONN,
                                  .sconn_port = htons(5001),
                                  .sconn_addr = oracle };
    int room = 1024 * 1024;
    int on = 1;
    int status = 0;
    status |= usrsctp_set_non_blocking(oracle->socket, 1);
    status |= usrsctp_setsockopt(oracle->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    status |= usrsctp_setsockopt(oracle->socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    status |= usrsctp_setsockopt(oracle->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    status |= usrsctp_setsockopt(oracle->socket, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init);
    status |= usrsctp_setsockopt(oracle->socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    status |= usrsctp_setsockopt(oracle->socket, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets,
                                 sizeof resets);
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++) {
        struct sctp_event event = { .se_assoc_id = SCTP_ALL_ASSOC, .se_type = EVENTS[i], 1 };
        status |=
            usrsctp_setsockopt(oracle->socket, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
    }
    status |= usrsctp_bind(oracle->socket, (struct sockaddr *)&self, sizeof self);
    assert_int_equal(status, 0);
}

/* Calls us. */
static inline void oracle_connect(struct oracle *oracle)
{
    struct sockaddr_conn other = { .sconn_family = AF_CONN,
                                   .sconn_port = htons(5000),
                                   .sconn_addr = oracle };
    (void)usrsctp_connect(oracle->socket, (struct sockaddr *)&other, sizeof other);
}

static inline struct oracle *oracle_new(struct pair *pair)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    assert_non_null(oracle);
    oracle->pair = pair;
    the_oracle = oracle;
    usrsctp_register_address(oracle);
    oracle->socket =
        usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, oracle_input, NULL, 0, oracle);
    assert_non_null(oracle->socket);
    oracle_set(oracle);
    return oracle;
}

static inline void oracle_free(struct oracle *oracle)
{
    if (oracle->socket)
        usrsctp_close(oracle->socket);
    usrsctp_deregister_address(oracle);
    the_oracle = NULL;
    free(oracle);
}

/* What we send goes to it. */
static inline bool oracle_look(struct pair *pair, struct pair_end *from, struct view packet)
{
    (void)from;
    pair_carry(pair, &pair->ends[1], packet);
    if (pair->loss && pair_chance(pair, 1000) < pair->loss)
        pair->count--;
    return false;
}

static inline void oracle_deliver(struct pair *pair)
{
    for (size_t i = 0; i < pair->count;) {
        struct way way = pair->way[i];
        if (way.at > pair->now) {
            i++;
            continue;
        }
        memmove(&pair->way[i], &pair->way[i + 1], (pair->count - i - 1) * sizeof way);
        pair->count--;
        if (way.to == &pair->ends[1]) {
            usrsctp_conninput(the_oracle, way.bytes, way.size, 0);
        } else if (way.to->association) {
            sctp_feed(&way.to->sctp, pair->now, way.to->association,
                      view_make(way.bytes, way.size));
            pair_drain(way.to);
        }
    }
}

/* In steps of 10 ms, which is what its timers know. */
static inline void oracle_run(struct pair *pair, usec time)
{
    pair_drain(&pair->ends[0]);
    for (usec until = pair->now + time; pair->now < until;) {
        pair->now += 10 * USEC_MS;
        usrsctp_handle_timers(10);
        sctp_tick(&pair->ends[0].sctp, pair->now);
        pair_drain(&pair->ends[0]);
        oracle_deliver(pair);
    }
}

#endif
