/* RE-CONFIG: the ends of channels are resets of their streams, one for each way (RFC 6525; RFC
 * 8831, section 6.7). */
#include "agent/sctp_internal.h"

#include "base/bytes.h"

#include <assert.h>

enum result {
    RESULT_PERFORMED = 1,
    RESULT_DENIED = 2,
    RESULT_WRONG_NUMBER = 5,
    RESULT_IN_PROGRESS = 6
};

#define PARAMETER_HEADER_SIZE 4
#define OUTGOING_SIZE         12 /* of a request, before its streams */
#define RESPONSE_SIZE         12 /* with its header */

static struct sctp_channel *channel_at(struct list *node)
{
    return LIST_ENTRY(node, struct sctp_channel, record);
}

/* Both ways are done: it is told, or forgotten if nobody ever knew of it. */
static void close_if_done(struct sctp *sctp, struct sctp_channel *channel)
{
    if (channel->reset_out != SCTP_RESET_DONE || !channel->is_reset_in)
        return;
    if (!channel->is_known) {
        sctp_free_channel(sctp, channel);
        return;
    }
    list_remove(&channel->node);
    list_remove(&channel->record);
    list_append(&channel->association->closed, &channel->record);
}

/* ---- ours ---- */

static bool is_wanted(const struct sctp_channel *channel)
{
    return channel->reset_out == SCTP_RESET_WANTED && channel->waiting == 0;
}

void sctp_want_reset(struct sctp *sctp, struct sctp_association *association)
{
    struct list *node = association->records.next;
    if (association->state != SCTP_ESTABLISHED || association->is_request_out)
        return;
    association->request_count = 0;
    while (node != &association->records) {
        struct sctp_channel *channel = channel_at(node);
        node = node->next;
        if (!is_wanted(channel))
            continue;
        if (association->has_reconfig) {
            channel->reset_out = SCTP_RESET_REQUESTED;
            association->request[association->request_count++] = channel->stream;
            association->is_request_out = true;
            association->is_request_due = true;
            continue;
        }
        /* the other end has no way to be told, nor to tell */
        channel->reset_out = SCTP_RESET_DONE;
        channel->is_reset_in = true;
        close_if_done(sctp, channel);
    }
    sctp_touch(sctp, association);
}

void sctp_end_reset(struct sctp *sctp, struct sctp_channel *channel)
{
    channel->reset_out = SCTP_RESET_DONE;
    channel->next_ssn_out = 0;
    close_if_done(sctp, channel);
}

void sctp_write_reset(struct sctp *sctp, struct sctp_association *association,
                      struct sctp_writer *writer)
{
    /* sent again, it names the same streams, whatever has become of them */
    size_t count = association->request_count;
    size_t size = PARAMETER_HEADER_SIZE + OUTGOING_SIZE + 2 * count;
    uint8_t *at = sctp_add_chunk(writer, SCTP_CHUNK_RE_CONFIG, 0, size);
    if (!at)
        return;
    bytes_write_16(at, SCTP_PARAMETER_OUTGOING_RESET);
    bytes_write_16(at + 2, (uint32_t)size);
    at += PARAMETER_HEADER_SIZE;
    bytes_write_32(at, association->next_request);
    bytes_write_32(at + 4, association->expected_request - 1);
    /* all that was said on these streams is acknowledged, so this need not be the last TSN: the
     * other end has not to wait for what was said elsewhere */
    bytes_write_32(at + 8, association->cumulative_out);
    for (size_t i = 0; i < count; i++)
        bytes_write_16(at + OUTGOING_SIZE + 2 * i, association->request[i]);
    association->is_request_due = false;
    association->reset_at = sctp->now + association->rto;
}

void sctp_reset_timeout(struct sctp *sctp, struct sctp_association *association)
{
    association->reset_at = USEC_NEVER;
    if (association->is_request_out && sctp_back_off(sctp, association))
        association->is_request_due = true;
}

static void take_response(struct sctp *sctp, struct sctp_association *association,
                          struct view value)
{
    struct list *node = association->records.next;
    if (value.size < 8 || !association->is_request_out ||
        bytes_read_32(value.at) != association->next_request)
        return;
    association->retransmits = 0;
    if (bytes_read_32(value.at + 4) == RESULT_IN_PROGRESS)
        return; /* asked again when the time is up */
    /* a refusal can't be helped: the channel is closed all the same */
    association->next_request++;
    association->is_request_out = false;
    association->is_request_due = false;
    association->reset_at = USEC_NEVER;
    while (node != &association->records) {
        struct sctp_channel *channel = channel_at(node);
        node = node->next;
        if (channel->reset_out != SCTP_RESET_REQUESTED)
            continue;
        sctp_end_reset(sctp, channel);
    }
    sctp_want_reset(sctp, association);
}

/* ---- theirs ---- */

static void respond(struct sctp *sctp, struct sctp_association *association, uint32_t number,
                    enum result result)
{
    uint8_t *at = sctp_reply(sctp, association, SCTP_CHUNK_RE_CONFIG, 0, RESPONSE_SIZE);
    if (!at)
        return;
    bytes_write_16(at, SCTP_PARAMETER_RECONFIG_RESPONSE);
    bytes_write_16(at + 2, RESPONSE_SIZE);
    bytes_write_32(at + 4, number);
    bytes_write_32(at + 8, result);
}

static void reset_in(struct sctp *sctp, struct sctp_channel *channel)
{
    while (!list_empty(&channel->pieces))
        sctp_drop_piece(sctp, LIST_ENTRY(channel->pieces.next, struct sctp_piece, node));
    channel->next_ssn_in = 0;
    channel->is_reset_in = true;
    if (channel->reset_out == SCTP_RESET_NONE)
        channel->reset_out = SCTP_RESET_WANTED;
    close_if_done(sctp, channel);
}

static bool is_listed(struct view streams, uint16_t stream)
{
    for (size_t i = 0; i + 2 <= streams.size; i += 2)
        if (bytes_read_16(streams.at + i) == stream)
            return true;
    return streams.size == 0; /* none: all are meant */
}

static enum result reset_streams(struct sctp *sctp, struct sctp_association *association,
                                 struct view value)
{
    struct list *node = association->records.next;
    if (value.size < OUTGOING_SIZE)
        return RESULT_DENIED;
    /* not before all that was said on them is here (RFC 6525, section 5.2.2, E2) */
    if (sctp_tsn_before(association->cumulative_in, bytes_read_32(value.at + 8)))
        return RESULT_IN_PROGRESS;
    struct view streams = view_slice(value, OUTGOING_SIZE, value.size);
    while (node != &association->records) {
        struct sctp_channel *channel = channel_at(node);
        node = node->next;
        if (is_listed(streams, channel->stream))
            reset_in(sctp, channel);
    }
    sctp_want_reset(sctp, association);
    return RESULT_PERFORMED;
}

static enum result carry_out(struct sctp *sctp, struct sctp_association *association,
                             const struct sctp_parameter *request)
{
    switch (request->type) {
    case SCTP_PARAMETER_OUTGOING_RESET:
        return reset_streams(sctp, association, request->value);
    case SCTP_PARAMETER_ADD_OUTGOING:
        return RESULT_PERFORMED; /* all that there can be are there */
    default:
        return RESULT_DENIED;
    }
}

static void take_request(struct sctp *sctp, struct sctp_association *association,
                         const struct sctp_parameter *request)
{
    if (request->value.size < 4) {
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
        return;
    }
    uint32_t number = bytes_read_32(request->value.at);
    bool is_again = number == association->expected_request - 1;
    if (!is_again && number != association->expected_request) {
        respond(sctp, association, number, RESULT_WRONG_NUMBER);
        return;
    }
    /* what was in progress is tried again, under its old number or the next */
    if (!is_again || association->last_result == RESULT_IN_PROGRESS)
        association->last_result = carry_out(sctp, association, request);
    if (!is_again)
        association->expected_request++;
    respond(sctp, association, number, association->last_result);
}

void sctp_take_reconfig(struct sctp *sctp, struct sctp_association *association,
                        const struct sctp_chunk *chunk)
{
    struct view rest = chunk->value;
    struct sctp_parameter parameter;
    int status;
    while ((status = sctp_next_parameter(&rest, &parameter)) == OK) {
        if (parameter.type == SCTP_PARAMETER_RECONFIG_RESPONSE)
            take_response(sctp, association, parameter.value);
        else if (parameter.type >= SCTP_PARAMETER_OUTGOING_RESET &&
                 parameter.type <= SCTP_PARAMETER_ADD_INCOMING)
            take_request(sctp, association, &parameter);
    }
    if (status == ERR_MALFORMED)
        sctp_count_dropped(sctp, METRIC_SCTP_DROPPED_MALFORMED);
}
