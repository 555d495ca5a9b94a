/* test_dtls_hello.c - the reader of ClientHellos on a real one, cut and changed everywhere; whose
 * cookies hold, and for how long. */
#include "support.h"

#include "agent/dtls_hello.h"
#include "dtls_house.h"

static const struct address CLIENT = { .family = ADDRESS_IPV4,
                                       .bytes = { 192, 0, 2, 1 },
                                       .port = 9 };
static const struct address LOCAL = { .family = ADDRESS_IPV4,
                                      .bytes = { 192, 0, 2, 9 },
                                      .port = 1 };
static uint64_t seed = 1;
static const struct random RANDOM = { test_random_fill, &seed };
static struct dtls_cookies cookies;

/* The first flight of a client: one datagram. */
static uint8_t first[2048];
static size_t first_size;

/* What the client says next, once it has got a cookie. */
static uint8_t second[2048];
static size_t second_size;

static size_t take_datagram(struct dtls *dtls, uint8_t *into)
{
    struct dtls_out out;
    size_t size = 0;
    for (;;) {
        dtls_poll(dtls, &out);
        if (out.kind == DTLS_WAIT)
            return size;
        assert_int_equal(out.kind, DTLS_SEND);
        assert_int_equal(size, 0);
        memcpy(into, out.bytes.at, out.bytes.size);
        size = out.bytes.size;
    }
}

static int group_setup(void **state)
{
    (void)state;
    struct identity identity;
    struct dtls client;
    struct dtls_hello hello;
    uint8_t answer[DTLS_HELLO_VERIFY_SIZE];
    identity_make(&identity);
    struct dtls_context *context = context_make(&identity, NULL, false);
    dtls_cookies_init(&cookies, &RANDOM, 1);
    assert_int_equal(dtls_init(&client, context, DTLS_CLIENT, 1), OK);
    first_size = take_datagram(&client, first);
    assert_int_equal(dtls_hello_read(view_make(first, first_size), &hello), OK);
    dtls_hello_verify(&cookies, 1, &CLIENT, &LOCAL, &hello, answer);
    dtls_feed(&client, 1, view_make(answer, sizeof answer));
    second_size = take_datagram(&client, second);
    dtls_free(&client);
    dtls_context_free(context);
    identity_free(&identity);
    return 0;
}

static int read_copy(struct view datagram, struct dtls_hello *hello)
{
    uint8_t *copy = test_copy(datagram);
    int status = dtls_hello_read(view_make(copy, datagram.size), hello);
    free(copy);
    return status;
}

static bool holds(usec now, const struct address *client, const struct address *local)
{
    struct dtls_hello hello;
    assert_int_equal(dtls_hello_read(view_make(second, second_size), &hello), OK);
    return dtls_cookie_holds(&cookies, now, client, local, &hello);
}

static void test_fields(void **state)
{
    (void)state;
    struct dtls_hello hello;
    assert_int_equal(dtls_hello_read(view_make(first, first_size), &hello), OK);
    assert_int_equal(hello.message_seq, 0);
    assert_int_equal(hello.cookie.size, 0);
    assert_int_equal(hello.random.size, 32);
    struct view random = hello.random;
    assert_int_equal(dtls_hello_read(view_make(second, second_size), &hello), OK);
    assert_int_equal(hello.message_seq, 1);
    assert_int_equal(hello.cookie.size, DTLS_COOKIE_SIZE);
    assert_true(view_equal(hello.random, random));
    assert_true(DTLS_HELLO_VERIFY_SIZE < 67);
}

static void test_every_truncation(void **state)
{
    (void)state;
    struct dtls_hello hello = { .message_seq = 77 };
    for (size_t size = 0; size < first_size; size++) {
        int status = read_copy(view_make(first, size), &hello);
        assert_int_equal(status, size < 25 ? ERR_NOT_FOUND : ERR_MALFORMED);
        assert_int_equal(hello.message_seq, 77);
    }
}

/* No bit of what a cookie covers, nor of the cookie, can change and the cookie still hold. */
static void test_every_bit_flip(void **state)
{
    (void)state;
    struct dtls_hello hello;
    uint8_t changed[sizeof second];
    assert_true(holds(1, &CLIENT, &LOCAL));
    for (size_t bit = 0; bit < 8 * second_size; bit++) {
        memcpy(changed, second, second_size);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        uint8_t *copy = test_copy(view_make(changed, second_size));
        int status = dtls_hello_read(view_make(copy, second_size), &hello);
        bool good = status == OK && dtls_cookie_holds(&cookies, 1, &CLIENT, &LOCAL, &hello);
        if (bit / 8 >= 25 && good) /* extensions are not covered */
            assert_true(copy + bit / 8 >= hello.after_cookie.at + hello.after_cookie.size);
        free(copy);
    }
}

static void test_cookie_is_of_its_address(void **state)
{
    (void)state;
    struct address other = CLIENT;
    assert_true(holds(1, &CLIENT, &LOCAL));
    other.port++;
    assert_false(holds(1, &other, &LOCAL));
    other = CLIENT;
    other.bytes[3]++;
    assert_false(holds(1, &other, &LOCAL));
    other = CLIENT;
    other.family = ADDRESS_IPV6;
    assert_false(holds(1, &other, &LOCAL));
    other = CLIENT;
    other.bytes[9] = 1; /* not part of an IPv4 address */
    assert_true(holds(1, &other, &LOCAL));
    assert_false(holds(1, &CLIENT, &other));
}

static void test_cookie_expires(void **state)
{
    (void)state;
    struct dtls_cookies kept = cookies;
    assert_true(holds(DTLS_COOKIE_SECRET_TIME, &CLIENT, &LOCAL));
    assert_true(holds(DTLS_COOKIE_SECRET_TIME + 1, &CLIENT, &LOCAL));
    assert_true(holds(2 * DTLS_COOKIE_SECRET_TIME, &CLIENT, &LOCAL));
    assert_false(holds(2 * DTLS_COOKIE_SECRET_TIME + 2, &CLIENT, &LOCAL));
    cookies = kept; /* nobody asks for long */
    assert_false(holds(2 * DTLS_COOKIE_SECRET_TIME + 2, &CLIENT, &LOCAL));
    cookies = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),         cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip), cmocka_unit_test(test_cookie_is_of_its_address),
        cmocka_unit_test(test_cookie_expires),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
