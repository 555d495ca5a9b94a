/* turn_refresh.c - Refresh, the end of allocations, and their moves to other flows (RFC 8656,
 * section 8.2; RFC 8016). */
#include "agent/turn_internal.h"

#include "base/base64.h"

#include <assert.h>
#include <string.h>

int turn_read_lifetime(const struct turn *turn, const struct stun_msg *msg, uint32_t *seconds)
{
    const struct stun_attr *attr = stun_find(msg, STUN_LIFETIME);
    uint32_t asked = TURN_LIFETIME_S;
    if (attr && stun_read_32(attr, &asked) != OK)
        return ERR_MALFORMED;
    if (asked > turn->config->lifetime_s_max)
        asked = turn->config->lifetime_s_max;
    if (asked < TURN_LIFETIME_S && !(asked == 0 && msg->method == STUN_REFRESH))
        asked = TURN_LIFETIME_S;
    *seconds = asked;
    return OK;
}

void turn_allocation_free(struct turn *turn, struct turn_allocation *allocation)
{
    struct view key = view_make(allocation->flow_key, sizeof allocation->flow_key);
    if (map_find(&turn->flows, key) == allocation) {
        map_remove(&turn->flows, key);
        turn_leave(turn, &allocation->flow);
    }
    wheel_cancel(&turn->wheel, &allocation->timer);
    while (!list_empty(&allocation->connections))
        turn_relay_close(turn, LIST_ENTRY(allocation->connections.next, struct turn_relay, node));
    for (int i = 0; i < 2; i++)
        if (allocation->relays[i])
            turn_relay_close(turn, allocation->relays[i]);
    turn_peers_free(turn, allocation);
    turn_holder_give(turn, TURN_USER, allocation->user);
    turn_holder_give(turn, TURN_PREFIX, allocation->prefix);
    memset(allocation, 0, sizeof *allocation); /* its keys, and its ticket */
    pool_give(&turn->allocations, allocation);
    metrics_subtract(turn->config->metrics, METRIC_TURN_ALLOCATIONS, 1);
}

/* ---- tickets: the worker, the allocation's number, and chance ----
 *
 * They go out as text, for there are clients (coturn's) that keep them as strings. */

void turn_make_ticket(struct turn *turn, struct turn_allocation *allocation)
{
    uint32_t index = pool_index(&turn->allocations, allocation);
    uint8_t ticket[TURN_TICKET_BYTES];
    char text[BASE64_SIZE(TURN_TICKET_BYTES)];
    random_fill(turn->config->random, ticket, sizeof ticket);
    ticket[0] = turn->config->worker;
    ticket[1] = (uint8_t)(index >> 16);
    ticket[2] = (uint8_t)(index >> 8);
    ticket[3] = (uint8_t)index;
    base64url_write(view_make(ticket, sizeof ticket), text);
    memcpy(allocation->ticket, text, TURN_TICKET_SIZE);
    allocation->has_ticket = true;
}

bool turn_ticket_worker(struct view text, uint8_t *worker)
{
    uint8_t ticket[TURN_TICKET_BYTES];
    if (base64url_read(text, ticket, sizeof ticket) != OK)
        return false;
    *worker = ticket[0];
    return true;
}

static struct view ticket_view(const uint8_t ticket[TURN_TICKET_SIZE])
{
    return view_make(ticket, TURN_TICKET_SIZE);
}

struct turn_allocation *turn_find_ticket(const struct turn *turn, const struct stun_msg *msg)
{
    const struct stun_attr *attr = stun_find(msg, STUN_MOBILITY_TICKET);
    uint8_t at[TURN_TICKET_BYTES];
    if (!attr || base64url_read(attr->value, at, sizeof at) != OK)
        return NULL;
    uint32_t index = (uint32_t)(at[1] << 16 | at[2] << 8 | at[3]);
    if (index >= turn->allocations.touched)
        return NULL;
    struct turn_allocation *allocation = pool_at(&turn->allocations, index);
    if (!allocation->has_ticket || allocation->state != TURN_ALLOCATION_OPEN ||
        wheel_time(&allocation->timer) <= turn->now)
        return NULL;
    /* the one before counts, too, till the client has shown that it knows the new one */
    bool is_it = view_equal_secret(attr->value, ticket_view(allocation->ticket));
    bool is_old = allocation->has_old_ticket &&
                  view_equal_secret(attr->value, ticket_view(allocation->old_ticket));
    return is_it || is_old ? allocation : NULL;
}

/* ---- Refresh ---- */

/* To the flow that the ticket came by.  ERR_EXISTS: another allocation has it. */
static int move(struct turn *turn, struct turn_allocation *allocation,
                const struct turn_request *request)
{
    uint8_t key[TURN_FLOW_KEY_SIZE];
    turn_flow_key(request->flow, key);
    if (map_find(&turn->flows, view_make(key, sizeof key)))
        return ERR_EXISTS;
    struct view own = view_make(allocation->flow_key, sizeof allocation->flow_key);
    map_remove(&turn->flows, own);
    memcpy(allocation->flow_key, key, sizeof key);
    int status = map_add(&turn->flows, own, allocation);
    assert(status == OK); /* into the place that was just left */
    turn_leave(turn, &allocation->flow);
    allocation->flow = *request->flow;
    /* he who got the last answer may not have got this one: keep the ticket that he has */
    const struct stun_attr *attr = stun_find(request->msg, STUN_MOBILITY_TICKET);
    memcpy(allocation->old_ticket, attr->value.at, TURN_TICKET_SIZE);
    allocation->has_old_ticket = true;
    memcpy(allocation->move_transaction, request->transaction, STUN_TRANSACTION_SIZE);
    turn_make_ticket(turn, allocation);
    return status;
}

static bool is_on_flow(const struct turn_allocation *allocation, const struct turn_flow *flow)
{
    uint8_t key[TURN_FLOW_KEY_SIZE];
    turn_flow_key(flow, key);
    return !memcmp(key, allocation->flow_key, sizeof key);
}

static void answer(struct turn *turn, const struct turn_request *request, uint32_t lifetime_s,
                   bool with_ticket)
{
    struct stun_writer writer;
    turn_answer_begin(turn, &writer, request, STUN_SUCCESS);
    stun_add_32(&writer, STUN_LIFETIME, lifetime_s);
    if (with_ticket)
        stun_add(&writer, STUN_MOBILITY_TICKET, ticket_view(request->allocation->ticket));
    turn_answer_end(turn, &writer, request);
}

/* REQUESTED-ADDRESS-FAMILY in a Refresh ends or keeps the relays of that family alone. */
static bool end_family(struct turn *turn, struct turn_allocation *allocation,
                       enum address_family family)
{
    for (int i = 0; i < 2; i++) {
        struct turn_relay *relay = allocation->relays[i];
        if (!relay || relay->family != family || !allocation->relays[!i])
            continue;
        allocation->relays[i] = NULL;
        turn_relay_close(turn, relay);
        return true;
    }
    return false;
}

void turn_handle_refresh(struct turn *turn, struct turn_request *request)
{
    struct turn_allocation *allocation = request->allocation;
    const struct stun_attr *ticket = stun_find(request->msg, STUN_MOBILITY_TICKET);
    const struct stun_attr *family_attr = stun_find(request->msg, STUN_REQUESTED_ADDRESS_FAMILY);
    enum address_family family = ADDRESS_NONE;
    uint32_t lifetime_s;
    if (turn_read_lifetime(turn, request->msg, &lifetime_s) != OK ||
        (family_attr && stun_read_family(family_attr, &family) != OK)) {
        turn_refuse(turn, request, TURN_BAD_REQUEST);
        return;
    }
    if (family && !turn_relay_of_family(allocation, (uint8_t)family)) {
        turn_refuse(turn, request, TURN_PEER_FAMILY_MISMATCH);
        return;
    }
    if (ticket && !allocation->has_ticket) {
        turn_refuse(turn, request, TURN_MOBILITY_FORBIDDEN);
        return;
    }
    bool is_elsewhere = !is_on_flow(allocation, request->flow);
    if (is_elsewhere && lifetime_s && move(turn, allocation, request) != OK) {
        turn_refuse(turn, request, TURN_ALLOCATION_MISMATCH);
        return;
    }
    bool is_move =
        allocation->has_old_ticket &&
        !memcmp(allocation->move_transaction, request->transaction, STUN_TRANSACTION_SIZE);
    if (!is_move)
        allocation->has_old_ticket = false;
    answer(turn, request, lifetime_s, ticket && lifetime_s);
    if (lifetime_s)
        turn_set_timer(turn, &allocation->timer, TURN_TIMER_ALLOCATION, lifetime_s);
    else if (!family || !end_family(turn, allocation, family))
        turn_allocation_free(turn, allocation);
}
