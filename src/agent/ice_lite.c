#include "agent/ice_lite.h"

#include "base/base64.h"

#include <assert.h>
#include <string.h>

#define ROLE_CONFLICT     487
#define UNKNOWN_ATTRIBUTE 420

/* ---- credentials ---- */

static void make_credentials(struct ice_credentials *out, const struct random *random)
{
    static const char LETTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t chance[ICE_UFRAG_SIZE + ICE_PWD_SIZE];
    random_fill(random, chance, sizeof chance);
    for (size_t i = 0; i < ICE_UFRAG_SIZE; i++)
        out->ufrag[i] = (uint8_t)LETTERS[chance[i] & 63];
    for (size_t i = 0; i < ICE_PWD_SIZE; i++)
        out->pwd[i] = (uint8_t)LETTERS[chance[ICE_UFRAG_SIZE + i] & 63];
}

void ice_lite_init(struct ice_lite *ice, usec now, const struct random *random)
{
    *ice = (struct ice_lite){ .consent_at = now };
    make_credentials(&ice->local, random);
}

void ice_lite_restart(struct ice_lite *ice, usec now, const struct random *random)
{
    /* of two restarts in a row, the pairs belong to what came before the first */
    if (!ice->has_former)
        ice->former = ice->local;
    ice->has_former = true;
    ice->nominated_at = 0;
    ice->consent_at = now;
    make_credentials(&ice->local, random);
}

static bool has_ufrag(struct view username, const struct ice_credentials *credentials)
{
    return username.size > ICE_UFRAG_SIZE && username.at[ICE_UFRAG_SIZE] == ':' &&
           memcmp(username.at, credentials->ufrag, ICE_UFRAG_SIZE) == 0;
}

bool ice_lite_is_for(const struct ice_lite *ice, struct view username, bool *former)
{
    *former = ice->has_former && has_ufrag(username, &ice->former);
    return *former || has_ufrag(username, &ice->local);
}

/* ---- pairs ---- */

bool ice_flow_equal(const struct ice_flow *a, const struct ice_flow *b)
{
    return a->stream == b->stream && address_equal(&a->remote, &b->remote) &&
           address_equal(&a->local, &b->local);
}

static uint8_t find_pair(const struct ice_lite *ice, const struct ice_flow *flow)
{
    uint8_t i = 0;
    while (i < ice->pair_count && !ice_flow_equal(&ice->pairs[i].flow, flow))
        i++;
    return i;
}

/* The one that has been silent for longest; never the selected one. */
static uint8_t oldest_pair(const struct ice_lite *ice)
{
    uint8_t oldest = ice->selected == 0 ? 1 : 0;
    for (uint8_t i = 0; i < ice->pair_count; i++)
        if (i != ice->selected && ice->pairs[i].heard_at < ice->pairs[oldest].heard_at)
            oldest = i;
    return oldest;
}

static uint8_t add_pair(struct ice_lite *ice, const struct ice_flow *flow,
                        struct ice_result *result)
{
    uint8_t at = ice->pair_count;
    bool has_selected = ice->selected < ice->pair_count;
    if (ice->pair_count < ICE_PAIRS_MAX) {
        ice->pair_count++;
        if (!has_selected)
            ice->selected = ice->pair_count;
    } else {
        at = oldest_pair(ice);
        result->has_evicted = true;
        result->evicted = ice->pairs[at].flow;
    }
    ice->pairs[at] = (struct ice_pair){ .flow = *flow };
    result->is_new = true;
    return at;
}

static bool is_preferred(const struct ice_lite *ice, usec now, const struct ice_pair *pair)
{
    if (ice->selected >= ice->pair_count || now > ice->nominated_at + ICE_SETTLE_TIME)
        return true;
    const struct ice_pair *selected = &ice->pairs[ice->selected];
    return !selected->is_nominated || pair->priority > selected->priority;
}

static void nominate(struct ice_lite *ice, usec now, uint8_t at, struct ice_result *result)
{
    if (ice->nominated_at == 0) {
        /* what was nominated before a restart counts no more */
        for (uint8_t i = 0; i < ice->pair_count; i++)
            ice->pairs[i].is_nominated = false;
        ice->nominated_at = now;
        ice->has_former = false;
    }
    if (ice->selected != at && is_preferred(ice, now, &ice->pairs[at])) {
        ice->selected = at;
        result->is_selected_new = true;
    }
    ice->pairs[at].is_nominated = true;
}

const struct ice_flow *ice_lite_any(const struct ice_lite *ice)
{
    const struct ice_pair *last = NULL;
    for (uint8_t i = 0; i < ice->pair_count; i++)
        if (!last || ice->pairs[i].heard_at > last->heard_at)
            last = &ice->pairs[i];
    return last ? &last->flow : NULL;
}

bool ice_lite_heard(struct ice_lite *ice, usec now, const struct ice_flow *flow)
{
    uint8_t at = find_pair(ice, flow);
    if (at == ice->pair_count)
        return false;
    ice->pairs[at].heard_at = now;
    if (at == ice->selected || (ice->selected < ice->pair_count &&
                                now < ice->pairs[ice->selected].heard_at + ICE_SILENCE_TIME))
        return false;
    ice->selected = at;
    return true;
}

void ice_lite_stream_gone(struct ice_lite *ice, uint32_t stream)
{
    assert(stream != ICE_UDP);
    uint8_t kept = 0;
    uint8_t selected = UINT8_MAX;
    for (uint8_t i = 0; i < ice->pair_count; i++) {
        if (ice->pairs[i].flow.stream == stream)
            continue;
        if (i == ice->selected)
            selected = kept;
        ice->pairs[kept++] = ice->pairs[i];
    }
    ice->pair_count = kept;
    ice->selected = selected < kept ? selected : kept;
}

/* ---- checks ---- */

/* Those of ICE that must be understood (RFC 8445, section 7.1); the others' types are above. */
static bool is_known(uint16_t type)
{
    return type >= 0x8000 || type == STUN_USERNAME || type == STUN_MESSAGE_INTEGRITY ||
           type == STUN_MESSAGE_INTEGRITY_SHA256 || type == STUN_PRIORITY ||
           type == STUN_USE_CANDIDATE;
}

static bool read_priority(const struct stun_msg *msg, uint32_t *priority)
{
    const struct stun_attr *attr = stun_find(msg, STUN_PRIORITY);
    if (!attr || attr->value.size != 4)
        return false;
    const uint8_t *at = attr->value.at;
    *priority = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return true;
}

static size_t end_answer(struct stun_writer *writer, const struct ice_credentials *credentials)
{
    stun_add_integrity(writer, view_make(credentials->pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(writer);
    assert(!writer->overflow);
    return writer->size;
}

static size_t refuse(const struct stun_msg *msg, const struct ice_credentials *credentials,
                     unsigned code, uint16_t unknown, uint8_t answer[ICE_ANSWER_MAX])
{
    struct stun_writer writer;
    const uint8_t type[2] = { (uint8_t)(unknown >> 8), (uint8_t)unknown };
    stun_begin(&writer, answer, ICE_ANSWER_MAX, STUN_ERROR, STUN_BINDING, msg->transaction.at);
    stun_add_error(&writer, code, VIEW(""));
    if (unknown)
        stun_add(&writer, STUN_UNKNOWN_ATTRIBUTES, view_make(type, sizeof type));
    return end_answer(&writer, credentials);
}

static size_t accept_check(const struct stun_msg *msg, const struct ice_credentials *credentials,
                           const struct address *from, uint8_t answer[ICE_ANSWER_MAX])
{
    struct stun_writer writer;
    stun_begin(&writer, answer, ICE_ANSWER_MAX, STUN_SUCCESS, STUN_BINDING, msg->transaction.at);
    stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, from);
    return end_answer(&writer, credentials);
}

void ice_lite_feed(struct ice_lite *ice, usec now, const struct ice_flow *flow,
                   const struct stun_msg *msg, uint8_t answer[ICE_ANSWER_MAX],
                   struct ice_result *result)
{
    *result = (struct ice_result){ 0 };
    const struct stun_attr *username = stun_find(msg, STUN_USERNAME);
    bool former = false;
    uint32_t priority;
    if (msg->class != STUN_REQUEST || msg->method != STUN_BINDING || !username ||
        !ice_lite_is_for(ice, username->value, &former))
        return;
    const struct ice_credentials *credentials = former ? &ice->former : &ice->local;
    if (!stun_integrity_valid(msg, view_make(credentials->pwd, ICE_PWD_SIZE)))
        return;
    for (uint32_t i = 0; i < msg->attr_count; i++)
        if (!is_known(msg->attrs[i].type)) {
            result->answer_size =
                refuse(msg, credentials, UNKNOWN_ATTRIBUTE, msg->attrs[i].type, answer);
            return;
        }
    if (stun_find(msg, STUN_ICE_CONTROLLED)) {
        result->answer_size = refuse(msg, credentials, ROLE_CONFLICT, 0, answer);
        return;
    }
    if (!read_priority(msg, &priority))
        priority = 0;
    result->answer_size = accept_check(msg, credentials, &flow->remote, answer);
    result->is_checked = true;
    ice->consent_at = now;
    uint8_t at = find_pair(ice, flow);
    if (at == ice->pair_count)
        at = add_pair(ice, flow, result);
    ice->pairs[at].heard_at = now;
    ice->pairs[at].priority = priority;
    if (stun_find(msg, STUN_USE_CANDIDATE) && !former)
        nominate(ice, now, at, result);
}
