/* turn_internal.h - what the files of the TURN agent share; nobody else includes it. */
#ifndef MOIM_AGENT_TURN_INTERNAL_H
#define MOIM_AGENT_TURN_INTERNAL_H

#include "agent/turn.h"

/* Error codes of RFC 8489, 8656, 6062 and 8016 by their names there. */
enum turn_error {
    TURN_BAD_REQUEST = 400,
    TURN_UNAUTHENTICATED = 401,
    TURN_FORBIDDEN = 403,
    TURN_MOBILITY_FORBIDDEN = 405,
    TURN_UNKNOWN_ATTRIBUTE = 420,
    TURN_ALLOCATION_MISMATCH = 437,
    TURN_STALE_NONCE = 438,
    TURN_FAMILY_NOT_SUPPORTED = 440,
    TURN_WRONG_CREDENTIALS = 441,
    TURN_TRANSPORT_NOT_SUPPORTED = 442,
    TURN_PEER_FAMILY_MISMATCH = 443,
    TURN_CONNECTION_EXISTS = 446,
    TURN_CONNECTION_FAILED = 447,
    TURN_QUOTA_REACHED = 486,
    TURN_NO_CAPACITY = 508
};

/* A request on its way through, and how its answer is signed. */
struct turn_request {
    const struct stun_msg *msg; /* NULL: the answer comes later than the call */
    const struct turn_flow *flow;
    struct turn_allocation *allocation; /* of the flow, or of the ticket; NULL: none */
    const uint8_t *transaction;
    uint16_t method;
    bool has_fingerprint;
    bool is_authentic;
    bool is_sha256;
    struct stun_key key;
    struct view name;
    uint64_t name_hash;
    uint32_t index; /* in the pool, of what a ticket names */
};

/* ---- turn.c: outputs, and what time brings ---- */

/* The next output, zeroed but for its kind. */
struct turn_out *turn_put(struct turn *turn, enum turn_out_kind kind);
void turn_drop(struct turn *turn, enum metric reason);
/* TURN_LEAVE, where the flow is forwarded. */
void turn_leave(struct turn *turn, const struct turn_flow *flow);
void turn_set_timer(struct turn *turn, struct timer *timer, uint8_t kind, uint64_t seconds);

enum turn_timer_kind { TURN_TIMER_ALLOCATION, TURN_TIMER_RELAY };

/* ---- turn_answer.c ---- */

void turn_answer_begin(struct turn *turn, struct stun_writer *writer,
                       const struct turn_request *request, enum stun_class class);
/* Signs it, and puts it out. */
void turn_answer_end(struct turn *turn, struct stun_writer *writer,
                     const struct turn_request *request);
/* An answer of ERROR-CODE alone. */
void turn_refuse(struct turn *turn, const struct turn_request *request, enum turn_error code);
/* A success without attributes. */
void turn_accept_request(struct turn *turn, const struct turn_request *request);

/* ---- turn_auth.c ---- */

/* The address's prefix as bytes. */
void turn_prefix_key(const struct address *address, uint8_t key[TURN_PREFIX_KEY_SIZE]);

/* Whether the request is a known user's; if not, it has been answered or dropped. */
bool turn_authenticate(struct turn *turn, struct turn_request *request);

/* Whether an answer of `size` bytes may go to a stranger who sent `request_size`. */
bool turn_budget_may(struct turn *turn, const struct turn_flow *flow, size_t request_size,
                     size_t size);
void turn_budget_init(struct turn *turn);

/* ---- turn_holder.c: quotas ---- */

enum turn_holder_kind { TURN_USER, TURN_PREFIX };

/* Counts one more allocation for the key.  ERR_LIMIT: its quota, or the pool, is used up. */
MUST_USE int turn_holder_take(struct turn *turn, enum turn_holder_kind kind, struct view key,
                              uint32_t most, struct turn_holder **out);
/* NULL is accepted. */
void turn_holder_give(struct turn *turn, enum turn_holder_kind kind, struct turn_holder *holder);

/* Whether so many bytes may be relayed for the allocation now. */
bool turn_rate_may(struct turn *turn, struct turn_allocation *allocation, size_t size);

/* ---- turn_allocate.c ---- */

/* NULL: none, or none any more. */
struct turn_allocation *turn_find_flow(struct turn *turn, const struct turn_flow *flow);
void turn_handle_allocate(struct turn *turn, struct turn_request *request);
/* A relay that was being opened has got its socket, or none. */
void turn_allocation_opened(struct turn *turn, struct turn_relay *relay, bool is_open);
/* Success, with all that the allocation has. */
void turn_answer_allocated(struct turn *turn, const struct turn_request *request);

/* ---- turn_refresh.c ---- */

void turn_handle_refresh(struct turn *turn, struct turn_request *request);
/* The allocation that a Refresh from elsewhere names by its ticket; NULL: none. */
struct turn_allocation *turn_find_ticket(const struct turn *turn, const struct stun_msg *msg);
void turn_make_ticket(struct turn *turn, struct turn_allocation *allocation);
/* Whose ticket it is; false: it is none. */
bool turn_ticket_worker(struct view text, uint8_t *worker);
/* LIFETIME as it is granted: *seconds is what was asked for, or TURN_LIFETIME_S. */
MUST_USE int turn_read_lifetime(const struct turn *turn, const struct stun_msg *msg,
                                uint32_t *seconds);
void turn_allocation_free(struct turn *turn, struct turn_allocation *allocation);

/* ---- turn_relays.c: the sockets ---- */

/* NULL: there are no more. */
struct turn_relay *turn_relay_take(struct turn *turn, enum turn_protocol protocol,
                                   enum address_family family, struct turn_allocation *allocation);
uint32_t turn_relay_number(const struct turn *turn, const struct turn_relay *relay);
void turn_relay_open(struct turn *turn, struct turn_relay *relay, bool even);
/* Closes it, now or when its answer has come. */
void turn_relay_close(struct turn *turn, struct turn_relay *relay);
void turn_relay_give(struct turn *turn, struct turn_relay *relay);
/* The relay that the token has reserved for the user; NULL: none. */
struct turn_relay *turn_relay_reserved(struct turn *turn, uint64_t token, uint64_t name_hash);
void turn_relay_expired(struct turn *turn, struct turn_relay *relay);

/* ---- turn_peers.c ---- */

/* What the allocation may send to; the port of a permission is 0.  NULL: nothing. */
struct turn_peer *turn_peer_of_channel(struct turn *turn, struct turn_allocation *allocation,
                                       uint16_t channel);
/* The peer's channel, or else its host's permission.  NULL: neither. */
struct turn_peer *turn_peer_of_address(struct turn *turn, struct turn_allocation *allocation,
                                       const struct address *address);
void turn_handle_create_permission(struct turn *turn, struct turn_request *request);
void turn_handle_channel_bind(struct turn *turn, struct turn_request *request);
/* The relay of that family; NULL: none. */
struct turn_relay *turn_relay_of_family(const struct turn_allocation *allocation, uint8_t family);
void turn_peers_free(struct turn *turn, struct turn_allocation *allocation);

/* ---- turn_data.c ---- */

void turn_data_channel(struct turn *turn, const struct turn_flow *flow, struct view bytes);
void turn_data_send(struct turn *turn, const struct turn_flow *flow, const struct stun_msg *msg);

/* From a peer, to the client. */
void turn_data_down(struct turn *turn, const struct turn_relay *relay, const struct address *peer,
                    struct view bytes);

/* ---- turn_join.c ---- */

/* A relay that is open, and one that won't be any more. */
void turn_join_add(struct turn *turn, struct turn_relay *relay);
void turn_join_remove(struct turn *turn, struct turn_relay *relay);
/* Hands over what would come back to us; false: it has to be sent. */
bool turn_join(struct turn *turn, const struct turn_relay *from, const struct address *to,
               struct view payload);

/* ---- turn_tcp.c ---- */

void turn_handle_connect(struct turn *turn, struct turn_request *request);
void turn_handle_connection_bind(struct turn *turn, struct turn_request *request);
/* No peer, or no client, came in time. */
void turn_connection_expired(struct turn *turn, struct turn_relay *connection);

#endif
