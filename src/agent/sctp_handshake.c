/* INIT and COOKIE: how two ends come to know one another (RFC 9260, section 5).
 *
 * Both ends of a peer connection call at once (RFC 8831, section 6.2), so that calls cross as a
 * rule: both tags stay what they were in the calls (section 5.2.1), and whichever cookie comes
 * back first is as good as the other.
 */
#include "agent/sctp_internal.h"

#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define INIT_SIZE       16
#define COOKIE_SIZE     20
#define COOKIE_SIZE_MAX 1024 /* of the other end's */
#define COOKIE_MAGIC    0x6d6f696d
#define STREAMS         65535 /* both ways: they cost nothing until they are used */

enum cookie_flag { COOKIE_FORWARD_TSN = 1, COOKIE_RECONFIG = 2 };

/* What an INIT or INIT ACK says of the other end. */
struct other {
    uint32_t tag;
    uint32_t window;
    uint32_t initial_tsn;
    bool has_forward_tsn;
    bool has_reconfig;
    struct view cookie;
};

/* ---- writing ---- */

void sctp_begin_handshake(struct sctp *sctp, struct sctp_association *association)
{
    uint32_t chance[2];
    do
        random_fill(sctp->config.random, chance, sizeof chance);
    while (chance[0] == 0);
    association->state = SCTP_COOKIE_WAIT;
    association->local_tag = chance[0];
    association->initial_tsn = chance[1];
    association->next_tsn = chance[1];
    association->cumulative_out = chance[1] - 1;
    association->advanced = chance[1] - 1;
    association->next_request = chance[1]; /* RFC 6525, section 4.1 */
    association->is_init_due = true;
    association->handshake_at = sctp->now + association->rto;
}

/* Its fixed part, and the extensions that we know. */
static bool add_init(const struct sctp *sctp, const struct sctp_association *association,
                     struct sctp_writer *writer, uint8_t type)
{
    uint8_t *at = sctp_add_chunk(writer, type, 0, INIT_SIZE);
    if (!at)
        return false;
    bytes_write_32(at, association->local_tag);
    bytes_write_32(at + 4, sctp->config.receive_max);
    bytes_write_16(at + 8, STREAMS);
    bytes_write_16(at + 10, STREAMS);
    bytes_write_32(at + 12, association->initial_tsn);
    at = sctp_add_parameter(writer, SCTP_PARAMETER_EXTENSIONS, 2);
    if (at) {
        at[0] = SCTP_CHUNK_FORWARD_TSN;
        at[1] = SCTP_CHUNK_RE_CONFIG;
    }
    return at && sctp_add_parameter(writer, SCTP_PARAMETER_FORWARD_TSN, 0);
}

void sctp_write_handshake(struct sctp *sctp, struct sctp_association *association,
                          struct sctp_writer *writer)
{
    if (association->is_init_due && add_init(sctp, association, writer, SCTP_CHUNK_INIT))
        association->is_init_due = false;
    if (association->is_cookie_due && association->cookie) {
        struct view cookie = buffer_view(association->cookie);
        uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_COOKIE_ECHO, 0, cookie.size);
        if (at) {
            memcpy(at, cookie.at, cookie.size);
            association->is_cookie_due = false;
        }
    }
}

void sctp_handshake_timeout(struct sctp *sctp, struct sctp_association *association)
{
    if (!sctp_back_off(sctp, association))
        return;
    association->handshake_at = sctp->now + association->rto;
    if (association->state == SCTP_COOKIE_WAIT)
        association->is_init_due = true;
    else
        association->is_cookie_due = true;
}

/* ---- reading ---- */

static void read_extensions(struct view types, struct other *other)
{
    for (size_t i = 0; i < types.size; i++) {
        other->has_forward_tsn |= types.at[i] == SCTP_CHUNK_FORWARD_TSN;
        other->has_reconfig |= types.at[i] == SCTP_CHUNK_RE_CONFIG;
    }
}

static int read_other(struct view value, struct other *other)
{
    struct sctp_init_chunk init;
    struct sctp_parameter parameter;
    int status = sctp_read_init(value, &init);
    if (status != OK)
        return status;
    *other =
        (struct other){ .tag = init.tag, .window = init.window, .initial_tsn = init.initial_tsn };
    while ((status = sctp_next_parameter(&init.parameters, &parameter)) == OK) {
        if (parameter.type == SCTP_PARAMETER_FORWARD_TSN)
            other->has_forward_tsn = true;
        else if (parameter.type == SCTP_PARAMETER_EXTENSIONS)
            read_extensions(parameter.value, other);
        else if (parameter.type == SCTP_PARAMETER_STATE_COOKIE)
            other->cookie = parameter.value;
        else if (!(parameter.type & 0x8000))
            break; /* unknown, and all behind it is to be passed over (section 3.2.1) */
    }
    return status == ERR_MALFORMED ? ERR_MALFORMED : OK;
}

static void take_other(struct sctp_association *association, const struct other *other)
{
    association->remote_tag = other->tag;
    association->remote_window = other->window;
    association->cumulative_in = other->initial_tsn - 1;
    association->highest_in = other->initial_tsn - 1;
    association->expected_request = other->initial_tsn;
    association->has_forward_tsn = other->has_forward_tsn;
    association->has_reconfig = other->has_reconfig;
    association->ssthresh = other->window;
    association->cwnd = 4 * SCTP_PACKET_MAX; /* section 7.2.1 */
    if (association->cwnd > 4404)
        association->cwnd = 4404;
}

/* The cookie holds what its INIT said.  It is not signed: DTLS vouches for who sends it, and all
 * that it could say an INIT could say as well. */
static void answer_init(struct sctp *sctp, struct sctp_association *association,
                        const struct other *other)
{
    struct sctp_writer *writer = &sctp->writer;
    if (sctp->reply_to)
        return; /* an INIT comes alone (section 3.3.2) */
    sctp->reply_to = association;
    sctp->is_reply_alone = true;
    sctp_begin(writer, sctp->packet, sizeof sctp->packet, association->terms.local_port,
               association->terms.remote_port, other->tag);
    bool has_room = add_init(sctp, association, writer, SCTP_CHUNK_INIT_ACK);
    uint8_t *at = sctp_add_parameter(writer, SCTP_PARAMETER_STATE_COOKIE, COOKIE_SIZE);
    assert(has_room && at);
    bytes_write_32(at, COOKIE_MAGIC);
    bytes_write_32(at + 4, other->tag);
    bytes_write_32(at + 8, other->window);
    bytes_write_32(at + 12, other->initial_tsn);
    bytes_write_32(at + 16, (other->has_forward_tsn ? COOKIE_FORWARD_TSN : 0u) |
                                (other->has_reconfig ? COOKIE_RECONFIG : 0u));
}

static int read_cookie(struct view value, struct other *other)
{
    if (value.size != COOKIE_SIZE || bytes_read_32(value.at) != COOKIE_MAGIC)
        return ERR_MALFORMED;
    uint32_t flags = bytes_read_32(value.at + 16);
    *other = (struct other){
        .tag = bytes_read_32(value.at + 4),
        .window = bytes_read_32(value.at + 8),
        .initial_tsn = bytes_read_32(value.at + 12),
        .has_forward_tsn = flags & COOKIE_FORWARD_TSN,
        .has_reconfig = flags & COOKIE_RECONFIG,
    };
    return other->tag ? OK : ERR_MALFORMED;
}

static void establish(struct sctp *sctp, struct sctp_association *association)
{
    association->state = SCTP_ESTABLISHED;
    association->handshake_at = USEC_NEVER;
    association->is_init_due = false;
    association->is_cookie_due = false;
    association->retransmits = 0;
    association->rto = SCTP_RTO_INITIAL;
    buffer_give(sctp->config.buffers, association->cookie);
    association->cookie = NULL;
    metrics_add(sctp->config.metrics, METRIC_SCTP_UP, 1);
    sctp_want_reset(sctp, association); /* of channels that were closed before this */
}

static void read_init_ack(struct sctp *sctp, struct sctp_association *association,
                          const struct other *other)
{
    struct buffer *cookie;
    if (association->state != SCTP_COOKIE_WAIT)
        return;
    /* with no memory, it is as if it had been lost */
    if (other->cookie.size == 0 || other->cookie.size > COOKIE_SIZE_MAX ||
        buffers_take(sctp->config.buffers, other->cookie.size, &cookie) != OK) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_LIMIT);
        return;
    }
    memcpy(cookie->bytes, other->cookie.at, other->cookie.size);
    cookie->size = (uint32_t)other->cookie.size;
    association->cookie = cookie;
    take_other(association, other);
    association->state = SCTP_COOKIE_ECHOED;
    association->is_init_due = false;
    association->is_cookie_due = true;
    association->retransmits = 0;
    association->rto = SCTP_RTO_INITIAL;
    association->handshake_at = sctp->now + association->rto;
}

/* Section 5.2.4, where our tag is always the one that we had from the beginning. */
static void read_cookie_echo(struct sctp *sctp, struct sctp_association *association,
                             const struct other *other)
{
    if (association->state == SCTP_ESTABLISHED && other->tag != association->remote_tag) {
        sctp_end(sctp, association, SCTP_END_RESTART);
        return;
    }
    if (association->state != SCTP_ESTABLISHED) {
        take_other(association, other);
        establish(sctp, association);
    }
    sctp_reply(sctp, association, SCTP_CHUNK_COOKIE_ACK, 0, 0);
}

void sctp_read_handshake(struct sctp *sctp, struct sctp_association *association, uint32_t tag,
                         const struct sctp_chunk *chunk)
{
    struct other other;
    uint32_t wanted = chunk->type == SCTP_CHUNK_INIT ? 0 : association->local_tag;
    int status = chunk->type == SCTP_CHUNK_COOKIE_ECHO  ? read_cookie(chunk->value, &other)
                 : chunk->type == SCTP_CHUNK_COOKIE_ACK ? OK
                                                        : read_other(chunk->value, &other);
    if (tag != wanted || status != OK) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    switch (chunk->type) {
    case SCTP_CHUNK_INIT:
        answer_init(sctp, association, &other);
        break;
    case SCTP_CHUNK_INIT_ACK:
        read_init_ack(sctp, association, &other);
        break;
    case SCTP_CHUNK_COOKIE_ECHO:
        read_cookie_echo(sctp, association, &other);
        break;
    default:
        if (association->state == SCTP_COOKIE_ECHOED)
            establish(sctp, association);
    }
}
