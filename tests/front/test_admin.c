/* test_admin.c - the admin API: allocations of all workers in pages, and their end. */
#include "house_http.h"
#include "house_turn.h"

#include "wire/json.h"

#define TOKEN "the admin's own token"
#define OLD   "another, older token"
#define LIST  "/api/v1/turn/allocations"

static const struct token_secrets ADMIN = { .items = { VIEW(TOKEN), VIEW(OLD) }, .count = 2 };

static const struct turn_config TURN = HOUSE_TURN(300, 300);

static struct house *build(void)
{
    return house_build(
        &(struct wishes){ .workers = 2, .streams_max = 400, .turn = &TURN, .admin = &ADMIN });
}

/* ---- allocations ---- */

static void send_request(struct house *house, unsigned worker, const struct turn_flow *flow,
                         struct view nonce)
{
    static uint8_t transaction[STUN_TRANSACTION_SIZE];
    struct stun_writer writer;
    struct stun_key key;
    uint8_t bytes[512];
    transaction[0]++;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_ALLOCATE, transaction);
    stun_add_protocol(&writer, TURN_UDP);
    if (nonce.size) {
        assert_int_equal(
            stun_key_make(STUN_ALGORITHM_MD5, VIEW("alice"), VIEW("moim"), VIEW("wonder"), &key),
            OK);
        stun_add(&writer, STUN_USERNAME, VIEW("alice"));
        stun_add(&writer, STUN_REALM, VIEW("moim"));
        stun_add(&writer, STUN_NONCE, nonce);
        stun_add_integrity(&writer, stun_key_view(&key));
    }
    server_relay_client(house->servers[worker], house->now, flow, view_make(bytes, writer.size));
}

static uint8_t nonce_bytes[128];
static size_t nonce_size;

static void keep_nonce(const struct turn_out *out)
{
    struct stun_msg answer;
    if (stun_read(out->header, &answer) != OK)
        return;
    const struct stun_attr *nonce = stun_find(&answer, STUN_NONCE);
    nonce_size = nonce ? nonce->value.size : 0;
    if (nonce)
        memcpy(nonce_bytes, nonce->value.at, nonce_size);
}

/* Over UDP, from 10.0.0.1:`port`. */
static void allocate(struct house *house, unsigned worker, uint16_t port)
{
    const struct turn_flow flow = {
        .transport = TURN_OVER_UDP,
        .client = { .family = ADDRESS_IPV4, .bytes = { 10, 0, 0, 1 }, .port = port },
        .server = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 }, .port = 3478 },
    };
    uint64_t before = house_metric(house, METRIC_TURN_ALLOCATIONS);
    send_request(house, worker, &flow, view_make(NULL, 0));
    house_drain(house);
    assert_true(nonce_size > 0);
    send_request(house, worker, &flow, view_make(nonce_bytes, nonce_size));
    house_drain(house);
    assert_int_equal(house_metric(house, METRIC_TURN_ALLOCATIONS), before + 1);
}

/* ---- asking ---- */

static unsigned ask(struct house *house, const char *method, const char *path, const char *token,
                    char body[65536])
{
    char request[1024];
    char line[256] = "";
    struct answer answer = { 0 };
    if (token)
        snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", token);
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, line);
    house_ask(house, request, &answer);
    snprintf(body, 65536, "%.*s", VIEW_ARGS(bytes_view(&answer.body)));
    unsigned code = answer.code;
    answer_free(&answer);
    return code;
}

static cJSON *ask_page(struct house *house, const char *query)
{
    static char body[65536];
    char path[256];
    cJSON *page;
    snprintf(path, sizeof path, LIST "%s", query);
    assert_int_equal(ask(house, "GET", path, TOKEN, body), 200);
    assert_int_equal(json_read_object(view_of(body), &page), OK);
    return page;
}

static void test_refused(void **state)
{
    static char body[65536];
    struct house *house = build();
    (void)state;
    assert_int_equal(ask(house, "GET", LIST, NULL, body), 401);
    assert_int_equal(ask(house, "GET", LIST, "the admin's own toke", body), 401);
    assert_int_equal(ask(house, "GET", LIST, "", body), 401);
    assert_int_equal(ask(house, "DELETE", LIST "/0-0-1", "x", body), 401);
    assert_int_equal(ask(house, "GET", LIST, OLD, body), 200);
    assert_int_equal(ask(house, "POST", LIST, TOKEN, body), 405);
    assert_int_equal(ask(house, "GET", LIST "/0-0-1", TOKEN, body), 405);
    static const char *const BAD[] = { "?limit=0", "?limit=101",         "?limit=x",
                                       "?after=0", "?after=2-0",         "?after=0-0-0",
                                       "?after=",  "?after=0-4294967296" };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, LIST "%s", BAD[i]);
        assert_int_equal(ask(house, "GET", path, TOKEN, body), 400);
    }
    static const char *const STRANGE[] = { "/0",      "/0-0",   "/0-0-1-",         "/2-0-1",
                                           "/0-0-1x", "/a-b-c", "/0-4294967296-1", "/0-7-1" };
    for (size_t i = 0; i < sizeof STRANGE / sizeof STRANGE[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, LIST "%s", STRANGE[i]);
        assert_int_equal(ask(house, "DELETE", path, TOKEN, body), 404);
    }
    house_close(house);

    house = house_build(&(struct wishes){ .turn = &TURN }); /* no token: no such API */
    assert_int_equal(ask(house, "GET", LIST, TOKEN, body), 404);
    house_close(house);
}

static void test_row(void **state)
{
    static char body[65536];
    struct house *house = build();
    (void)state;
    assert_int_equal(ask(house, "GET", LIST, TOKEN, body), 200);
    assert_string_equal(body, "{\"allocations\":[]}");
    house->to_client = keep_nonce;
    allocate(house, 1, 5000);
    assert_int_equal(ask(house, "GET", LIST, TOKEN, body), 200);
    assert_string_equal(
        body, "{\"allocations\":[{\"id\":\"1-0-1\",\"user\":\"alice\",\"transport\":\"udp\","
              "\"client\":\"10.0.0.1:5000\",\"relayed\":[\"192.0.2.1:50000\"],\"lifetime\":600,"
              "\"permissions\":0,\"channels\":0,\"up\":{\"packets\":0,\"bytes\":0},"
              "\"down\":{\"packets\":0,\"bytes\":0}}]}");
    house_wait(house, 601 * USEC_S);
    house_close(house);
}

/* All are listed once, whatever the size of pages. */
static void test_pages(void **state)
{
    static const unsigned LIMITS[] = { 1, 2, 3, 7, 100 };
    struct house *house = build();
    (void)state;
    house->to_client = keep_nonce;
    for (uint16_t i = 0; i < 7; i++)
        allocate(house, i % 3 == 0, (uint16_t)(6000 + i));
    for (size_t l = 0; l < sizeof LIMITS / sizeof LIMITS[0]; l++) {
        unsigned seen = 0;
        char query[128];
        snprintf(query, sizeof query, "?limit=%u", LIMITS[l]);
        for (bool is_last = false; !is_last;) {
            cJSON *page = ask_page(house, query);
            const cJSON *list = cJSON_GetObjectItemCaseSensitive(page, "allocations");
            assert_true(cJSON_GetArraySize(list) <= (int)LIMITS[l]);
            for (const cJSON *row = list->child; row; row = row->next) {
                struct view client = json_get_string(row, "client");
                uint64_t port;
                assert_true(view_read_number(view_slice(client, 9, 4), 65535, &port));
                assert_false(seen & 1u << (port - 6000));
                seen |= 1u << (port - 6000);
            }
            struct view next = json_get_string(page, "next");
            is_last = !next.at;
            snprintf(query, sizeof query, "?limit=%u&after=%.*s", LIMITS[l], VIEW_ARGS(next));
            cJSON_Delete(page);
        }
        assert_int_equal(seen, 127);
    }
    house_wait(house, 601 * USEC_S);
    house_close(house);
}

static void test_end(void **state)
{
    static char body[65536];
    struct house *house = build();
    (void)state;
    house->to_client = keep_nonce;
    allocate(house, 0, 5000);
    allocate(house, 1, 5001);
    assert_int_equal(ask(house, "DELETE", LIST "/1-0-2", TOKEN, body), 404);
    assert_int_equal(ask(house, "DELETE", LIST "/1-0-1", TOKEN, body), 204);
    house_wait(house, USEC_S / 100); /* the wheel's next turn */
    assert_int_equal(house_metric(house, METRIC_TURN_ALLOCATIONS), 1);
    assert_int_equal(house->relay_count, 1);
    assert_int_equal(ask(house, "DELETE", LIST "/1-0-1", TOKEN, body), 404);
    assert_int_equal(ask(house, "DELETE", LIST "/0-0-1", TOKEN, body), 204);
    house_wait(house, USEC_S / 100); /* the wheel's next turn */
    assert_int_equal(house_metric(house, METRIC_TURN_ALLOCATIONS), 0);
    assert_int_equal(house->relay_count, 0);
    house_close(house);
}

/* Those that wait are told when a question gets lost, and when the server stops. */
static void test_lost(void **state)
{
    static char body[65536];
    struct house *house = build();
    (void)state;
    house->errands_fail = true;
    for (int i = 0; i < ERRANDS_MAX + 2; i++)
        assert_int_equal(ask(house, "GET", LIST, TOKEN, body), 503);
    house->errands_fail = false;
    assert_int_equal(ask(house, "GET", LIST, TOKEN, body), 200);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_row),  cmocka_unit_test(test_pages),
        cmocka_unit_test(test_end),     cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
