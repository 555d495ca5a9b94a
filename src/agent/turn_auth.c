/* turn_auth.c - who may ask for anything: nonces without state, long-term credentials (RFC 8489,
 * section 9.2), and what strangers may cost. */
#include "agent/turn_internal.h"

#include "base/base64.h"

#include <string.h>

#define NONCE_BYTES     9  /* two of time, seven of a hash */
#define NONCE_SIZE      12 /* as text */
#define NONCE_LONG_SIZE (STUN_NONCE_COOKIE_SIZE + NONCE_SIZE)
#define NONCE_UNIT_S    8 /* the time wraps after six days */

/* ---- keys of flows and prefixes ---- */

static uint8_t *put_address(uint8_t *at, const struct address *address)
{
    memcpy(at, address->bytes, address->family == ADDRESS_IPV4 ? 4 : 16);
    at[16] = (uint8_t)(address->port >> 8);
    at[17] = (uint8_t)address->port;
    return at + 18;
}

void turn_flow_key(const struct turn_flow *flow, uint8_t key[TURN_FLOW_KEY_SIZE])
{
    memset(key, 0, TURN_FLOW_KEY_SIZE);
    key[0] = flow->transport;
    key[1] = flow->client.family;
    put_address(put_address(key + 2, &flow->client), &flow->server);
}

void turn_prefix_key(const struct address *address, uint8_t key[TURN_PREFIX_KEY_SIZE])
{
    size_t size = (address->family == ADDRESS_IPV4 ? TURN_PREFIX_IPV4 : TURN_PREFIX_IPV6) / 8;
    memset(key, 0, TURN_PREFIX_KEY_SIZE);
    key[0] = address->family;
    memcpy(key + 1, address->bytes, size);
}

/* ---- the budget of strangers ---- */

void turn_budget_init(struct turn *turn)
{
    turn->budget = (struct turn_budget){ TURN_BUDGET_ALL_BYTES, turn->now };
    for (int i = 0; i < TURN_BUDGET_PREFIXES; i++)
        turn->budgets[i] = (struct turn_budget){ TURN_BUDGET_PREFIX_BYTES, turn->now };
}

static void refill(struct turn_budget *budget, usec now, uint64_t rate, uint64_t most,
                   size_t request_size)
{
    usec passed = now - budget->at;
    uint64_t more = passed < 1000 * USEC_S ? passed * rate / USEC_S : most;
    if (more)
        budget->at = now;
    more += budget->bytes + (uint64_t)request_size * 6 / 5;
    budget->bytes = (uint32_t)(more < most ? more : most);
}

bool turn_budget_may(struct turn *turn, const struct turn_flow *flow, size_t request_size,
                     size_t size)
{
    uint8_t key[TURN_PREFIX_KEY_SIZE];
    /* a stream's other end has shown that it is there */
    if (flow->transport != TURN_OVER_UDP)
        return true;
    turn_prefix_key(&flow->client, key);
    uint64_t hash = siphash(view_make(key, sizeof key), turn->secret);
    struct turn_budget *own = &turn->budgets[hash % TURN_BUDGET_PREFIXES];
    refill(own, turn->now, TURN_BUDGET_PREFIX_RATE, TURN_BUDGET_PREFIX_BYTES, request_size);
    refill(&turn->budget, turn->now, TURN_BUDGET_ALL_RATE, TURN_BUDGET_ALL_BYTES, request_size);
    if (own->bytes < size || turn->budget.bytes < size)
        return false;
    own->bytes -= (uint32_t)size;
    turn->budget.bytes -= (uint32_t)size;
    return true;
}

/* ---- nonces ---- */

static uint16_t nonce_time(const struct turn *turn)
{
    return (uint16_t)(turn->now / (NONCE_UNIT_S * USEC_S));
}

/* Whom a nonce is for: the flow.  Who comes by a stream has shown where he is, and may use it on
 * his other streams, too: clients open one for each connection to a peer (RFC 6062), and some
 * (coturn's) have one nonce for all of them. */
static void nonce_key(const struct turn_flow *flow, uint8_t key[TURN_FLOW_KEY_SIZE])
{
    struct turn_flow host = { .transport = TURN_OVER_TCP, .client = flow->client };
    bool is_stream = flow->transport == TURN_OVER_TCP || flow->transport == TURN_OVER_TLS;
    host.client.port = 0;
    turn_flow_key(is_stream ? &host : flow, key);
}

/* The hash binds the nonce to the client and the time; it takes the place of a table of nonces. */
static void write_nonce(const struct turn *turn, const struct turn_flow *flow, uint16_t time,
                        bool is_long, char out[BASE64_SIZE(NONCE_BYTES)])
{
    uint8_t input[TURN_FLOW_KEY_SIZE + 3];
    uint8_t nonce[NONCE_BYTES] = { (uint8_t)(time >> 8), (uint8_t)time };
    nonce_key(flow, input);
    memcpy(input + TURN_FLOW_KEY_SIZE, nonce, 2);
    input[TURN_FLOW_KEY_SIZE + 2] = is_long;
    uint64_t hash = siphash(view_make(input, sizeof input), turn->secret);
    for (int i = 2; i < NONCE_BYTES; i++)
        nonce[i] = (uint8_t)(hash >> 8 * (i - 2));
    base64url_write(view_make(nonce, sizeof nonce), out);
}

static bool nonce_valid(const struct turn *turn, const struct turn_flow *flow, struct view nonce)
{
    uint8_t bytes[NONCE_BYTES];
    char wanted[BASE64_SIZE(NONCE_BYTES)];
    bool is_long = nonce.size == NONCE_LONG_SIZE;
    struct view text = is_long ? view_slice(nonce, STUN_NONCE_COOKIE_SIZE, NONCE_SIZE) : nonce;
    if (is_long && stun_nonce_features(nonce) != (STUN_FEATURE_ALGORITHMS | STUN_FEATURE_ANONYMITY))
        return false;
    if (text.size != NONCE_SIZE || base64url_read(text, bytes, sizeof bytes) != OK)
        return false;
    uint16_t time = (uint16_t)(bytes[0] << 8 | bytes[1]);
    uint16_t age = (uint16_t)(nonce_time(turn) - time);
    write_nonce(turn, flow, time, is_long, wanted);
    return age <= TURN_NONCE_S / NONCE_UNIT_S &&
           view_equal_secret(text, view_make(wanted, NONCE_SIZE));
}

/* 401 or 438: with REALM and a fresh NONCE.  The security features of RFC 8489 take 28 bytes more,
 * so they are told to requests that are long enough: those who want them need only pad. */
static void challenge(struct turn *turn, const struct turn_request *request, enum turn_error code)
{
    struct stun_writer writer;
    char nonce[STUN_NONCE_COOKIE_SIZE + BASE64_SIZE(NONCE_BYTES)];
    size_t realm_size = (turn->config->realm.size + 3) / 4 * 4;
    size_t long_size = STUN_HEADER_SIZE + 8 + 4 + realm_size + 4 + NONCE_LONG_SIZE + 3 + 12 +
                       (request->has_fingerprint ? 8 : 0);
    bool is_long = request->flow->transport != TURN_OVER_UDP ||
                   long_size * 5 <= request->msg->datagram.size * 6;
    size_t cookie_size = is_long ? STUN_NONCE_COOKIE_SIZE : 0;
    metrics_add(turn->config->metrics,
                code == TURN_STALE_NONCE ? METRIC_TURN_REFUSED_NONCE
                                         : METRIC_TURN_REFUSED_UNAUTHENTICATED,
                1);
    if (is_long)
        stun_nonce_cookie(STUN_FEATURE_ALGORITHMS | STUN_FEATURE_ANONYMITY, nonce);
    write_nonce(turn, request->flow, nonce_time(turn), is_long, nonce + cookie_size);
    turn_answer_begin(turn, &writer, request, STUN_ERROR);
    stun_add_error(&writer, code, VIEW(""));
    stun_add(&writer, STUN_REALM, turn->config->realm);
    stun_add(&writer, STUN_NONCE, view_make(nonce, cookie_size + NONCE_SIZE));
    if (is_long)
        stun_add_algorithms(&writer);
    turn_answer_end(turn, &writer, request);
}

/* ---- credentials ---- */

static bool is_signed_with(struct turn_request *request, const struct stun_key *key)
{
    struct view bytes = stun_key_view(key);
    bool is_valid = request->is_sha256 ? stun_integrity_sha256_valid(request->msg, bytes)
                                       : stun_integrity_valid(request->msg, bytes);
    if (is_valid)
        request->key = *key;
    return is_valid;
}

static bool is_signed_by(const struct turn *turn, struct turn_request *request,
                         enum stun_algorithm algorithm, struct view password)
{
    struct stun_key key;
    return stun_key_make(algorithm, request->name, turn->config->realm, password, &key) == OK &&
           is_signed_with(request, &key);
}

static uint64_t unix_now(const struct turn *turn)
{
    return turn->unix_s + (turn->now - turn->unix_at) / USEC_S;
}

static bool is_signed_by_secret(const struct turn *turn, struct turn_request *request,
                                enum stun_algorithm algorithm)
{
    uint64_t expiry;
    if (!stun_rest_expiry(request->name, &expiry) || expiry <= unix_now(turn))
        return false;
    for (uint32_t i = 0; i < turn->config->secret_count; i++) {
        char password[STUN_REST_SIZE];
        stun_rest_password(turn->config->secrets[i], request->name, password);
        if (is_signed_by(turn, request, algorithm, view_make(password, sizeof password)))
            return true;
    }
    return false;
}

/* Finds the name and checks the signature. */
static bool check_credentials(struct turn *turn, struct turn_request *request,
                              enum stun_algorithm algorithm)
{
    const struct turn_users *users = &turn->config->users;
    const struct stun_attr *name = stun_find(request->msg, STUN_USERNAME);
    const struct stun_attr *hash = stun_find(request->msg, STUN_USERHASH);
    const struct turn_allocation *allocation = request->allocation;
    struct view password;
    bool is_known = false;
    if (name)
        request->name = name->value;
    else if (users->by_hash && hash->value.size == STUN_USERHASH_SIZE)
        is_known = users->by_hash(users->context, hash->value, &request->name, &password) == OK;
    if (!name && !is_known)
        return false;
    if (request->name.size > STUN_USERNAME_SIZE_MAX)
        return false;
    request->name_hash = siphash(request->name, turn->secret);
    /* an allocation outlives its credentials' expiry: who made it may go on using it */
    if (allocation && allocation->name_hash == request->name_hash &&
        is_signed_with(request, &allocation->key))
        return true;
    if (!is_known && users->by_name)
        is_known = users->by_name(users->context, request->name, &password) == OK;
    if (is_known && is_signed_by(turn, request, algorithm, password))
        return true;
    return is_signed_by_secret(turn, request, algorithm);
}

/* PASSWORD-ALGORITHM (section 9.2.4): both attributes or neither; without them MD5. */
static bool read_algorithm(const struct stun_msg *msg, enum stun_algorithm *algorithm)
{
    const struct stun_attr *offered = stun_find(msg, STUN_PASSWORD_ALGORITHMS);
    const struct stun_attr *chosen = stun_find(msg, STUN_PASSWORD_ALGORITHM);
    *algorithm = STUN_ALGORITHM_MD5;
    if (!offered && !chosen)
        return true;
    return offered && chosen && stun_algorithms_are_ours(offered) &&
           stun_read_algorithm(chosen, algorithm) == OK;
}

bool turn_authenticate(struct turn *turn, struct turn_request *request)
{
    const struct stun_msg *msg = request->msg;
    const struct stun_attr *realm = stun_find(msg, STUN_REALM);
    const struct stun_attr *nonce = stun_find(msg, STUN_NONCE);
    enum stun_algorithm algorithm;
    bool has_name = stun_find(msg, STUN_USERNAME) || stun_find(msg, STUN_USERHASH);
    request->is_sha256 = stun_find(msg, STUN_MESSAGE_INTEGRITY_SHA256);
    if (!request->is_sha256 && !stun_find(msg, STUN_MESSAGE_INTEGRITY)) {
        challenge(turn, request, TURN_UNAUTHENTICATED);
        return false;
    }
    if (!has_name || !realm || !nonce || !read_algorithm(msg, &algorithm)) {
        turn_refuse(turn, request, TURN_BAD_REQUEST);
        return false;
    }
    /* before anything dear: whoever has no nonce of ours may not be where he says */
    if (!nonce_valid(turn, request->flow, nonce->value)) {
        challenge(turn, request, TURN_STALE_NONCE);
        return false;
    }
    if (!view_equal(realm->value, turn->config->realm) ||
        !check_credentials(turn, request, algorithm)) {
        challenge(turn, request, TURN_UNAUTHENTICATED);
        return false;
    }
    request->is_authentic = true;
    if (request->allocation && request->allocation->name_hash != request->name_hash) {
        turn_refuse(turn, request, TURN_WRONG_CREDENTIALS);
        return false;
    }
    return true;
}
