/* turn_answer.c - the answers to requests, now or later. */
#include "agent/turn_internal.h"

void turn_answer_begin(struct turn *turn, struct stun_writer *writer,
                       const struct turn_request *request, enum stun_class class)
{
    stun_begin(writer, turn->scratch, sizeof turn->scratch, class, request->method,
               request->transaction);
}

void turn_answer_end(struct turn *turn, struct stun_writer *writer,
                     const struct turn_request *request)
{
    struct view key = stun_key_view(&request->key);
    if (request->is_authentic && request->is_sha256)
        stun_add_integrity_sha256(writer, key);
    else if (request->is_authentic)
        stun_add_integrity(writer, key);
    if (request->has_fingerprint)
        stun_add_fingerprint(writer);
    size_t request_size = request->msg ? request->msg->datagram.size : 0;
    if (writer->overflow || (!request->is_authentic &&
                             !turn_budget_may(turn, request->flow, request_size, writer->size))) {
        turn_drop(turn, METRIC_TURN_DROPPED_BUDGET);
        return;
    }
    struct turn_out *out = turn_put(turn, TURN_CLIENT);
    out->flow = request->flow;
    out->header = view_make(writer->at, writer->size);
}

static enum metric metric_of(enum turn_error code)
{
    switch (code) {
    case TURN_UNAUTHENTICATED:
        return METRIC_TURN_REFUSED_UNAUTHENTICATED;
    case TURN_STALE_NONCE:
        return METRIC_TURN_REFUSED_NONCE;
    case TURN_FORBIDDEN:
        return METRIC_TURN_REFUSED_FORBIDDEN;
    case TURN_QUOTA_REACHED:
        return METRIC_TURN_REFUSED_QUOTA;
    case TURN_NO_CAPACITY:
        return METRIC_TURN_REFUSED_CAPACITY;
    default:
        return METRIC_TURN_REFUSED_OTHER;
    }
}

void turn_refuse(struct turn *turn, const struct turn_request *request, enum turn_error code)
{
    struct stun_writer writer;
    metrics_add(turn->config->metrics, metric_of(code), 1);
    turn_answer_begin(turn, &writer, request, STUN_ERROR);
    stun_add_error(&writer, code, VIEW(""));
    turn_answer_end(turn, &writer, request);
}

void turn_accept_request(struct turn *turn, const struct turn_request *request)
{
    struct stun_writer writer;
    turn_answer_begin(turn, &writer, request, STUN_SUCCESS);
    turn_answer_end(turn, &writer, request);
}
