/* The lite end of ICE: whom it answers, which pair it uses, what a restart leaves as it was. */
#include "support.h"

#include "agent/ice_lite.h"
#include "wire/stun.h"

#define NOW (1000 * USEC_S)

static uint64_t chance;

static void fill(void *context, void *into, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)into)[i] = (uint8_t)(chance >> 33);
    }
}

static const struct random RANDOM = { fill, NULL };

static struct ice_flow flow_of(uint8_t host)
{
    return (struct ice_flow){ .remote = { ADDRESS_IPV4, { 192, 0, 2, host }, 5000 },
                              .local = { ADDRESS_IPV4, { 192, 0, 2, 100 }, 7000 },
                              .stream = ICE_UDP };
}

/* A check as a browser makes it. */
struct check {
    const struct ice_credentials *to;
    const struct ice_credentials *signed_by; /* NULL: as `to` */
    uint32_t priority;
    bool use_candidate;
    bool controlled;
    bool unsigned_;
    uint16_t more; /* an attribute of that type, too; 0: none */
};

static size_t write_check(const struct check *check, uint8_t *out, size_t capacity)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = "transaction";
    struct stun_writer writer;
    uint8_t name[ICE_UFRAG_SIZE + 5];
    const uint8_t tie[8] = { 1, 2, 3 };
    const uint8_t priority[4] = { (uint8_t)(check->priority >> 24),
                                  (uint8_t)(check->priority >> 16), (uint8_t)(check->priority >> 8),
                                  (uint8_t)check->priority };
    const struct ice_credentials *key = check->signed_by ? check->signed_by : check->to;
    memcpy(name, check->to->ufrag, ICE_UFRAG_SIZE);
    memcpy(name + ICE_UFRAG_SIZE, ":abcd", 5);
    stun_begin(&writer, out, capacity, STUN_REQUEST, STUN_BINDING, TRANSACTION);
    stun_add(&writer, STUN_USERNAME, view_make(name, sizeof name));
    stun_add(&writer, check->controlled ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING,
             view_make(tie, sizeof tie));
    stun_add(&writer, STUN_PRIORITY, view_make(priority, sizeof priority));
    if (check->use_candidate)
        stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    if (check->more)
        stun_add(&writer, check->more, VIEW("more"));
    if (!check->unsigned_)
        stun_add_integrity(&writer, view_make(key->pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(&writer);
    assert_false(writer.overflow);
    return writer.size;
}

static struct ice_result feed(struct ice_lite *ice, usec now, const struct ice_flow *flow,
                              const struct check *check, uint8_t answer[ICE_ANSWER_MAX])
{
    uint8_t datagram[256];
    struct stun_msg msg;
    struct ice_result result;
    size_t size = write_check(check, datagram, sizeof datagram);
    assert_int_equal(stun_read(view_make(datagram, size), &msg), OK);
    ice_lite_feed(ice, now, flow, &msg, answer, &result);
    return result;
}

static struct ice_result nominate(struct ice_lite *ice, usec now, uint8_t host, uint32_t priority)
{
    uint8_t answer[ICE_ANSWER_MAX];
    const struct ice_flow flow = flow_of(host);
    const struct ice_credentials to = ice->local;
    return feed(ice, now, &flow,
                &(struct check){ .to = &to, .priority = priority, .use_candidate = true }, answer);
}

static struct ice_result check_from(struct ice_lite *ice, usec now, uint8_t host)
{
    uint8_t answer[ICE_ANSWER_MAX];
    const struct ice_flow flow = flow_of(host);
    const struct ice_credentials to = ice->local;
    return feed(ice, now, &flow, &(struct check){ .to = &to, .priority = 1 }, answer);
}

static void assert_selected(const struct ice_lite *ice, uint8_t host)
{
    const struct ice_flow *flow = ice_lite_selected(ice);
    if (!flow) {
        assert_int_equal(host, 0);
        return;
    }
    assert_int_equal(flow->remote.bytes[3], host);
}

static void assert_error(const uint8_t *answer, size_t size, unsigned code,
                         const struct ice_credentials *key)
{
    struct stun_msg msg;
    struct view reason;
    unsigned told;
    assert_int_equal(stun_read(view_make(answer, size), &msg), OK);
    assert_int_equal(msg.class, STUN_ERROR);
    assert_true(msg.has_fingerprint);
    assert_true(stun_integrity_valid(&msg, view_make(key->pwd, ICE_PWD_SIZE)));
    assert_int_equal(stun_read_error(stun_find(&msg, STUN_ERROR_CODE), &told, &reason), OK);
    assert_int_equal(told, code);
}

/* ---- */

static void test_a_check_is_answered(void **state)
{
    (void)state;
    struct ice_lite ice;
    uint8_t answer[ICE_ANSWER_MAX];
    struct stun_msg msg;
    struct address mapped;
    const struct ice_flow flow = flow_of(7);
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials to = ice.local;
    assert_selected(&ice, 0);
    struct ice_result result = feed(&ice, NOW + 5, &flow, &(struct check){ .to = &to }, answer);
    assert_true(result.is_checked && result.is_new);
    assert_false(result.has_evicted || result.is_selected_new);
    assert_int_equal(stun_read(view_make(answer, result.answer_size), &msg), OK);
    assert_int_equal(msg.class, STUN_SUCCESS);
    assert_true(msg.has_fingerprint);
    assert_true(stun_integrity_valid(&msg, view_make(to.pwd, ICE_PWD_SIZE)));
    assert_int_equal(stun_read_xor_address(&msg, stun_find(&msg, STUN_XOR_MAPPED_ADDRESS), &mapped),
                     OK);
    assert_true(address_equal(&mapped, &flow.remote));
    assert_selected(&ice, 0); /* not before it is nominated */
    assert_true(ice_lite_until(&ice) == NOW + 5 + ICE_CONSENT_TIME);
}

/* Nothing comes back, nothing is kept. */
static void test_strangers_hear_nothing(void **state)
{
    (void)state;
    struct ice_lite ice;
    uint8_t answer[ICE_ANSWER_MAX];
    const struct ice_flow flow = flow_of(7);
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials to = ice.local;
    struct ice_credentials wrong = to;
    wrong.pwd[3] ^= 1;
    struct ice_credentials other = to;
    other.ufrag[0] ^= 1;
    const struct check checks[] = { { .to = &to, .signed_by = &wrong },
                                    { .to = &other },
                                    { .to = &to, .unsigned_ = true },
                                    { .to = &to, .signed_by = &wrong, .controlled = true },
                                    { .to = &to, .signed_by = &wrong, .more = 0x7777 } };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct ice_result result = feed(&ice, NOW + USEC_S, &flow, &checks[i], answer);
        assert_int_equal(result.answer_size, 0);
        assert_false(result.is_checked);
    }
    assert_int_equal(ice.pair_count, 0);
    assert_true(ice_lite_until(&ice) == NOW + ICE_CONSENT_TIME);
}

static void test_role_conflict(void **state)
{
    (void)state;
    struct ice_lite ice;
    uint8_t answer[ICE_ANSWER_MAX];
    const struct ice_flow flow = flow_of(7);
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials to = ice.local;
    struct ice_result result =
        feed(&ice, NOW, &flow, &(struct check){ .to = &to, .controlled = true }, answer);
    assert_false(result.is_checked);
    assert_error(answer, result.answer_size, 487, &to);
}

static void test_unknown_attribute(void **state)
{
    (void)state;
    struct ice_lite ice;
    struct stun_msg msg;
    uint8_t answer[ICE_ANSWER_MAX];
    const struct ice_flow flow = flow_of(7);
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials to = ice.local;
    struct ice_result result =
        feed(&ice, NOW, &flow, &(struct check){ .to = &to, .more = 0x7777 }, answer);
    assert_false(result.is_checked);
    assert_error(answer, result.answer_size, 420, &to);
    assert_int_equal(stun_read(view_make(answer, result.answer_size), &msg), OK);
    assert_memory_equal(stun_find(&msg, STUN_UNKNOWN_ATTRIBUTES)->value.at, "\x77\x77", 2);
    /* a browser's own, which may be ignored */
    result = feed(&ice, NOW, &flow, &(struct check){ .to = &to, .more = 0xc057 }, answer);
    assert_true(result.is_checked);
}

/* While all pairs are being nominated the best one counts; afterwards the last. */
static void test_nomination(void **state)
{
    (void)state;
    struct ice_lite ice;
    ice_lite_init(&ice, NOW, &RANDOM);
    assert_true(nominate(&ice, NOW, 1, 100).is_selected_new);
    assert_true(nominate(&ice, NOW, 2, 200).is_selected_new);
    assert_false(nominate(&ice, NOW + USEC_S, 3, 50).is_selected_new);
    assert_selected(&ice, 2);
    assert_false(nominate(&ice, NOW + ICE_SETTLE_TIME + 1, 2, 200).is_selected_new);
    assert_true(nominate(&ice, NOW + ICE_SETTLE_TIME + 1, 3, 50).is_selected_new);
    assert_selected(&ice, 3);
}

static void test_media_on_another_pair(void **state)
{
    (void)state;
    struct ice_lite ice;
    const struct ice_flow other = flow_of(2);
    const struct ice_flow stranger = flow_of(9);
    ice_lite_init(&ice, NOW, &RANDOM);
    nominate(&ice, NOW, 1, 100);
    check_from(&ice, NOW, 2);
    assert_false(ice_lite_heard(&ice, NOW + ICE_SILENCE_TIME - 1, &other));
    assert_selected(&ice, 1);
    assert_false(ice_lite_heard(&ice, NOW + ICE_SILENCE_TIME, &stranger));
    assert_true(ice_lite_heard(&ice, NOW + ICE_SILENCE_TIME, &other));
    assert_selected(&ice, 2);
}

/* DTLS may come before any nomination: it is to be answered. */
static void test_heard_before_nomination(void **state)
{
    (void)state;
    struct ice_lite ice;
    const struct ice_flow flow = flow_of(2);
    ice_lite_init(&ice, NOW, &RANDOM);
    check_from(&ice, NOW, 1);
    check_from(&ice, NOW, 2);
    assert_true(ice_lite_heard(&ice, NOW, &flow));
    assert_selected(&ice, 2);
    assert_true(nominate(&ice, NOW, 1, 5).is_selected_new);
    assert_selected(&ice, 1);
}

static void test_restart_without_a_gap(void **state)
{
    (void)state;
    struct ice_lite ice;
    uint8_t answer[ICE_ANSWER_MAX];
    bool former;
    const struct ice_flow flow = flow_of(1);
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials old = ice.local;
    nominate(&ice, NOW, 1, 200);
    ice_lite_restart(&ice, NOW + USEC_S, &RANDOM);
    assert_memory_not_equal(old.ufrag, ice.local.ufrag, ICE_UFRAG_SIZE);
    assert_selected(&ice, 1);
    /* consent with the old ones goes on, but they nominate nothing new */
    struct ice_result result =
        feed(&ice, NOW + 2 * USEC_S, &flow, &(struct check){ .to = &old }, answer);
    assert_true(result.is_checked);
    assert_true(nominate(&ice, NOW + 3 * USEC_S, 2, 100).is_selected_new);
    assert_selected(&ice, 2);
    result = feed(&ice, NOW + 3 * USEC_S, &flow, &(struct check){ .to = &old }, answer);
    assert_int_equal(result.answer_size, 0);
    assert_false(ice_lite_is_for(&ice, view_make(old.ufrag, ICE_UFRAG_SIZE), &former));
}

static void test_pairs_have_a_limit(void **state)
{
    (void)state;
    struct ice_lite ice;
    ice_lite_init(&ice, NOW, &RANDOM);
    nominate(&ice, NOW, 1, 100);
    for (uint8_t host = 2; host <= ICE_PAIRS_MAX; host++)
        assert_false(check_from(&ice, NOW + host, host).has_evicted);
    struct ice_result result = check_from(&ice, NOW + 100, 50);
    assert_true(result.is_new && result.has_evicted);
    assert_int_equal(result.evicted.remote.bytes[3], 2); /* the selected one stays */
    assert_int_equal(ice.pair_count, ICE_PAIRS_MAX);
    assert_selected(&ice, 1);
    assert_false(check_from(&ice, NOW + 200, 50).is_new);
}

static void test_stream_gone(void **state)
{
    (void)state;
    struct ice_lite ice;
    uint8_t answer[ICE_ANSWER_MAX];
    struct ice_flow tcp = flow_of(3);
    tcp.stream = 5;
    ice_lite_init(&ice, NOW, &RANDOM);
    const struct ice_credentials to = ice.local;
    check_from(&ice, NOW, 1);
    feed(&ice, NOW, &tcp, &(struct check){ .to = &to, .use_candidate = true }, answer);
    check_from(&ice, NOW, 2);
    assert_selected(&ice, 3);
    ice_lite_stream_gone(&ice, 4);
    assert_selected(&ice, 3);
    ice_lite_stream_gone(&ice, 5);
    assert_selected(&ice, 0);
    assert_int_equal(ice.pair_count, 2);
    nominate(&ice, NOW, 2, 1);
    tcp.remote.port++;
    feed(&ice, NOW, &tcp, &(struct check){ .to = &to }, answer);
    ice_lite_stream_gone(&ice, 5);
    assert_selected(&ice, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_check_is_answered),
        cmocka_unit_test(test_strangers_hear_nothing),
        cmocka_unit_test(test_role_conflict),
        cmocka_unit_test(test_unknown_attribute),
        cmocka_unit_test(test_nomination),
        cmocka_unit_test(test_media_on_another_pair),
        cmocka_unit_test(test_heard_before_nomination),
        cmocka_unit_test(test_restart_without_a_gap),
        cmocka_unit_test(test_pairs_have_a_limit),
        cmocka_unit_test(test_stream_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
