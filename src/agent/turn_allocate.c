/* turn_allocate.c - Allocate (RFC 8656, section 7.2; RFC 6062, section 5.1). */
#include "agent/turn_internal.h"

#include <string.h>

/* What a request asks for. */
struct wish {
    enum turn_protocol protocol;
    enum address_family family;
    bool additional; /* IPv6, too */
    bool even;
    bool reserve;
    bool has_token;
    bool has_ticket;
    uint64_t token;
    uint32_t lifetime_s;
};

struct turn_allocation *turn_find_flow(struct turn *turn, const struct turn_flow *flow)
{
    uint8_t key[TURN_FLOW_KEY_SIZE];
    turn_flow_key(flow, key);
    struct turn_allocation *allocation = map_find(&turn->flows, view_make(key, sizeof key));
    if (!allocation || wheel_time(&allocation->timer) > turn->now)
        return allocation;
    turn_allocation_free(turn, allocation); /* its timer is about to tell */
    return NULL;
}

/* ---- reading ---- */

static int read_protocol(const struct turn *turn, const struct turn_request *request,
                         struct wish *wish)
{
    const struct stun_attr *attr = stun_find(request->msg, STUN_REQUESTED_TRANSPORT);
    uint8_t protocol;
    bool is_stream =
        request->flow->transport == TURN_OVER_TCP || request->flow->transport == TURN_OVER_TLS;
    if (!attr || stun_read_protocol(attr, &protocol) != OK)
        return TURN_BAD_REQUEST;
    if (protocol != TURN_UDP && (protocol != TURN_TCP || !turn->config->relays_tcp))
        return TURN_TRANSPORT_NOT_SUPPORTED;
    wish->protocol = (enum turn_protocol)protocol;
    if (protocol == TURN_UDP)
        return 0;
    bool is_bad = stun_find(request->msg, STUN_EVEN_PORT) ||
                  stun_find(request->msg, STUN_RESERVATION_TOKEN) ||
                  stun_find(request->msg, STUN_DONT_FRAGMENT) || !is_stream;
    return is_bad ? TURN_BAD_REQUEST : 0;
}

static const struct stun_attr *find_additional(const struct stun_msg *msg)
{
    const struct stun_attr *additional = stun_find(msg, STUN_ADDITIONAL_ADDRESS_FAMILY);
    return additional ? additional : stun_find(msg, STUN_ADDITIONAL_FAMILY_DRAFT);
}

static int read_family(const struct turn *turn, const struct stun_msg *msg, struct wish *wish)
{
    const struct stun_attr *requested = stun_find(msg, STUN_REQUESTED_ADDRESS_FAMILY);
    const struct stun_attr *additional = find_additional(msg);
    int status = OK;
    wish->family = ADDRESS_IPV4;
    if (requested && additional)
        return TURN_BAD_REQUEST;
    if (requested)
        status = stun_read_family(requested, &wish->family);
    if (additional) {
        enum address_family family;
        wish->additional = true;
        if (stun_read_family(additional, &family) != OK || family != ADDRESS_IPV6 || wish->reserve)
            return TURN_BAD_REQUEST;
    }
    if (status == ERR_MALFORMED)
        return TURN_BAD_REQUEST;
    bool is_had =
        wish->family == ADDRESS_IPV4 ? turn->config->relays_ipv4 : turn->config->relays_ipv6;
    if (status != OK || (!is_had && !(wish->additional && turn->config->relays_ipv6)))
        return TURN_FAMILY_NOT_SUPPORTED;
    return 0;
}

static int read_ports(const struct stun_msg *msg, struct wish *wish)
{
    const struct stun_attr *even = stun_find(msg, STUN_EVEN_PORT);
    const struct stun_attr *token = stun_find(msg, STUN_RESERVATION_TOKEN);
    if (even && stun_read_even_port(even, &wish->reserve) != OK)
        return TURN_BAD_REQUEST;
    wish->even = even;
    if (!token)
        return 0;
    wish->has_token = true;
    bool is_alone =
        !even && !stun_find(msg, STUN_REQUESTED_ADDRESS_FAMILY) && !find_additional(msg);
    return is_alone && stun_read_64(token, &wish->token) == OK ? 0 : TURN_BAD_REQUEST;
}

/* Gives the error code, or 0. */
static int read_wish(const struct turn *turn, const struct turn_request *request, struct wish *wish)
{
    const struct stun_msg *msg = request->msg;
    const struct stun_attr *ticket = stun_find(msg, STUN_MOBILITY_TICKET);
    *wish = (struct wish){ .has_ticket = ticket };
    int code = read_protocol(turn, request, wish);
    if (!code)
        code = read_ports(msg, wish);
    if (!code)
        code = read_family(turn, msg, wish);
    if (!code && turn_read_lifetime(turn, msg, &wish->lifetime_s) != OK)
        code = TURN_BAD_REQUEST;
    if (!code && ticket && !turn->config->mobility)
        code = TURN_MOBILITY_FORBIDDEN;
    if (!code && ticket && ticket->value.size)
        code = TURN_BAD_REQUEST;
    return code;
}

/* ---- making ---- */

/* Quotas count TURN REST names without their expiry, so that new credentials bring nothing. */
static struct view holder_name(struct view name)
{
    uint64_t expiry;
    size_t colon = view_find_byte(name, ':');
    if (colon + 1 >= name.size || !stun_rest_expiry(name, &expiry))
        return name;
    return view_slice(name, colon + 1, name.size);
}

static int take_quotas(struct turn *turn, const struct turn_request *request,
                       struct turn_allocation *allocation)
{
    const struct turn_config *config = turn->config;
    uint8_t key[TURN_PREFIX_KEY_SIZE];
    turn_prefix_key(&request->flow->client, key);
    int status = turn_holder_take(turn, TURN_USER, holder_name(request->name),
                                  config->allocations_per_user_max, &allocation->user);
    if (status == OK)
        status = turn_holder_take(turn, TURN_PREFIX, view_make(key, sizeof key),
                                  config->allocations_per_prefix_max, &allocation->prefix);
    return status;
}

static void fill(struct turn *turn, struct turn_allocation *allocation,
                 const struct turn_request *request, const struct wish *wish)
{
    allocation->flow = *request->flow;
    allocation->serial = ++turn->last_serial;
    turn_flow_key(request->flow, allocation->flow_key);
    allocation->state = TURN_ALLOCATION_OPENING;
    allocation->protocol = (uint8_t)wish->protocol;
    allocation->is_sha256 = request->is_sha256;
    allocation->has_fingerprint = request->has_fingerprint;
    memcpy(allocation->transaction, request->transaction, STUN_TRANSACTION_SIZE);
    allocation->key = request->key;
    allocation->name_hash = request->name_hash;
    allocation->lifetime_s = wish->lifetime_s;
    allocation->rate = (struct turn_rate){ turn->config->bytes_per_s_allocation, turn->now };
    if (wish->has_ticket)
        turn_make_ticket(turn, allocation);
}

/* The sockets: a reserved one, or new ones that are yet to be opened.  ERR_LIMIT: there are too
 * few; those taken are the allocation's, and go with it. */
static int take_relays(struct turn *turn, struct turn_allocation *allocation,
                       const struct wish *wish)
{
    const struct turn_config *config = turn->config;
    if (wish->has_token) {
        struct turn_relay *relay = turn_relay_reserved(turn, wish->token, allocation->name_hash);
        if (!relay)
            return ERR_LIMIT;
        wheel_cancel(&turn->wheel, &relay->timer);
        relay->state = TURN_RELAY_OPEN;
        relay->allocation = allocation;
        allocation->relays[0] = relay;
        return OK;
    }
    bool is_wanted[2] = { wish->family == ADDRESS_IPV4 ? config->relays_ipv4 : config->relays_ipv6,
                          wish->additional && config->relays_ipv6 };
    for (int i = 0; i < 2; i++) {
        enum address_family family = i ? ADDRESS_IPV6 : wish->family;
        if (!is_wanted[i]) {
            bool is_missed = i == 0 || wish->additional;
            allocation->failed_family = is_missed ? (uint16_t)family : allocation->failed_family;
            allocation->failed_code =
                is_missed ? TURN_FAMILY_NOT_SUPPORTED : allocation->failed_code;
            continue;
        }
        struct turn_relay *relay = turn_relay_take(turn, wish->protocol, family, allocation);
        allocation->relays[i] = relay;
        if (!relay)
            return ERR_LIMIT;
        allocation->waiting++;
        if (!wish->reserve)
            continue;
        relay->next_port = turn_relay_take(turn, wish->protocol, family, NULL);
        if (!relay->next_port)
            return ERR_LIMIT;
    }
    return OK;
}

/* Those that nobody was asked to open yet. */
static void give_relays(struct turn *turn, struct turn_allocation *allocation)
{
    for (int i = 0; i < 2; i++) {
        struct turn_relay *relay = allocation->relays[i];
        if (!relay || relay->state != TURN_RELAY_OPENING)
            continue;
        if (relay->next_port)
            turn_relay_give(turn, relay->next_port);
        turn_relay_give(turn, relay);
        allocation->relays[i] = NULL;
    }
}

static void count_allocated(struct turn *turn, const struct turn_flow *flow)
{
    static const enum metric BY_TRANSPORT[] = {
        [TURN_OVER_UDP] = METRIC_TURN_ALLOCATED_UDP,
        [TURN_OVER_TCP] = METRIC_TURN_ALLOCATED_TCP,
        [TURN_OVER_TLS] = METRIC_TURN_ALLOCATED_TLS,
        [TURN_OVER_DTLS] = METRIC_TURN_ALLOCATED_DTLS,
    };
    metrics_add(turn->config->metrics, BY_TRANSPORT[flow->transport], 1);
}

/* Gives the error code, or 0 with the request's allocation made. */
static int make_allocation(struct turn *turn, struct turn_request *request, const struct wish *wish)
{
    struct turn_allocation *allocation = pool_take(&turn->allocations);
    if (!allocation)
        return TURN_NO_CAPACITY;
    list_init(&allocation->connections);
    timer_init(&allocation->timer);
    metrics_add(turn->config->metrics, METRIC_TURN_ALLOCATIONS, 1);
    fill(turn, allocation, request, wish);
    if (take_quotas(turn, request, allocation) != OK) {
        turn_allocation_free(turn, allocation);
        return TURN_QUOTA_REACHED;
    }
    struct view key = view_make(allocation->flow_key, sizeof allocation->flow_key);
    if (take_relays(turn, allocation, wish) != OK || map_add(&turn->flows, key, allocation) != OK) {
        give_relays(turn, allocation);
        turn_allocation_free(turn, allocation);
        return TURN_NO_CAPACITY;
    }
    turn_set_timer(turn, &allocation->timer, TURN_TIMER_ALLOCATION, allocation->lifetime_s);
    request->allocation = allocation;
    return 0;
}

void turn_handle_allocate(struct turn *turn, struct turn_request *request)
{
    struct turn_allocation *allocation = request->allocation;
    struct wish wish;
    if (allocation) {
        bool is_same =
            !memcmp(allocation->transaction, request->transaction, STUN_TRANSACTION_SIZE);
        if (!is_same)
            turn_refuse(turn, request, TURN_ALLOCATION_MISMATCH);
        else if (allocation->state == TURN_ALLOCATION_OPEN)
            turn_answer_allocated(turn, request);
        return; /* else the answer is on its way */
    }
    int code = read_wish(turn, request, &wish);
    if (!code)
        code = make_allocation(turn, request, &wish);
    if (code) {
        turn_refuse(turn, request, (enum turn_error)code);
        return;
    }
    allocation = request->allocation;
    if (allocation->waiting == 0) { /* it had been reserved */
        allocation->state = TURN_ALLOCATION_OPEN;
        count_allocated(turn, &allocation->flow);
        turn_answer_allocated(turn, request);
    }
    for (int i = 0; i < 2; i++)
        if (allocation->relays[i] && allocation->relays[i]->state == TURN_RELAY_OPENING)
            turn_relay_open(turn, allocation->relays[i], wish.even);
}

/* ---- answering ---- */

void turn_answer_allocated(struct turn *turn, const struct turn_request *request)
{
    const struct turn_allocation *allocation = request->allocation;
    struct stun_writer writer;
    turn_answer_begin(turn, &writer, request, STUN_SUCCESS);
    for (int i = 0; i < 2; i++)
        if (allocation->relays[i])
            stun_add_xor_address(&writer, STUN_XOR_RELAYED_ADDRESS,
                                 &allocation->relays[i]->relayed);
    stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, &allocation->flow.client);
    stun_add_32(&writer, STUN_LIFETIME, allocation->lifetime_s);
    if (allocation->token)
        stun_add_64(&writer, STUN_RESERVATION_TOKEN, allocation->token);
    if (allocation->has_ticket)
        stun_add(&writer, STUN_MOBILITY_TICKET,
                 view_make(allocation->ticket, sizeof allocation->ticket));
    if (allocation->failed_family)
        stun_add_address_error(&writer, (enum address_family)allocation->failed_family,
                               allocation->failed_code);
    turn_answer_end(turn, &writer, request);
}

void turn_allocation_opened(struct turn *turn, struct turn_relay *relay, bool is_open)
{
    struct turn_allocation *allocation = relay->allocation;
    if (wheel_time(&allocation->timer) <= turn->now) {
        turn_allocation_free(turn, allocation); /* its timer is about to tell */
        return;
    }
    if (!is_open) {
        allocation->relays[allocation->relays[1] == relay] = NULL;
        allocation->failed_family = relay->family;
        allocation->failed_code = TURN_NO_CAPACITY;
    }
    if (--allocation->waiting)
        return;
    struct turn_request request = {
        .flow = &allocation->flow,
        .allocation = allocation,
        .transaction = allocation->transaction,
        .method = STUN_ALLOCATE,
        .has_fingerprint = allocation->has_fingerprint,
        .is_authentic = true,
        .is_sha256 = allocation->is_sha256,
        .key = allocation->key,
    };
    if (allocation->relays[0] || allocation->relays[1]) {
        allocation->state = TURN_ALLOCATION_OPEN;
        count_allocated(turn, &allocation->flow);
        turn_answer_allocated(turn, &request);
        return;
    }
    turn->late_flow = allocation->flow; /* the allocation goes before the answer is taken */
    request.flow = &turn->late_flow;
    turn_refuse(turn, &request, TURN_NO_CAPACITY);
    turn_allocation_free(turn, allocation);
}
