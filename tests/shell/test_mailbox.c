/* test_mailbox.c - letters between threads: their order, their limits, and what nobody took. */
#include "support.h"

#include "front/parcel.h"
#include "shell/mailbox.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define SENDERS 3

/* What a test waits at most, so that a fault ends it. */
#define PATIENCE_MS 20000

static void send_number(struct mailbox *mailbox, unsigned sender, usec number)
{
    struct letter letter = { .kind = LETTER_STOP, .until = number };
    assert_int_equal(mailbox_send(mailbox, sender, &letter), OK);
}

static void expect_number(struct mailbox *mailbox, usec number)
{
    struct letter letter;
    assert_true(mailbox_take(mailbox, &letter));
    assert_int_equal(letter.kind, LETTER_STOP);
    assert_int_equal(letter.until, number);
}

static bool is_awake(const struct mailbox *mailbox, int wait_ms)
{
    struct pollfd wait = { .fd = mailbox->wake_fd, .events = POLLIN };
    return poll(&wait, 1, wait_ms) == 1;
}

static void test_wake(void **state)
{
    struct mailbox mailbox;
    struct letter letter;
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, SENDERS), OK);
    assert_false(is_awake(&mailbox, 0));
    assert_false(mailbox_take(&mailbox, &letter));
    send_number(&mailbox, 2, 1);
    send_number(&mailbox, 2, 2);
    assert_true(is_awake(&mailbox, 0));
    expect_number(&mailbox, 1);
    send_number(&mailbox, 2, 3); /* while it is being read */
    assert_true(is_awake(&mailbox, 0));
    expect_number(&mailbox, 2);
    expect_number(&mailbox, 3);
    assert_false(mailbox_take(&mailbox, &letter));
    assert_false(is_awake(&mailbox, 0));
    mailbox_free(&mailbox);
}

/* One sender that sends too much does not take the place of others. */
static void test_full(void **state)
{
    struct mailbox mailbox;
    struct letter letter = { .kind = LETTER_STOP, .until = 7 };
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, SENDERS), OK);
    for (usec i = 0; i < MAILBOX_RING_SIZE; i++)
        send_number(&mailbox, 1, i);
    assert_int_equal(mailbox_send(&mailbox, 1, &letter), ERR_LIMIT);
    send_number(&mailbox, 0, 1000000);
    expect_number(&mailbox, 1000000);
    expect_number(&mailbox, 0);
    assert_int_equal(mailbox_send(&mailbox, 1, &letter), OK);
    for (usec i = 1; i < MAILBOX_RING_SIZE; i++)
        expect_number(&mailbox, i);
    expect_number(&mailbox, 7);
    assert_false(mailbox_take(&mailbox, &letter));
    mailbox_free(&mailbox);
}

/* Letters that nobody took: the connection is closed, the rest given back (the leak sanitizer
 * looks). */
static void test_not_taken(void **state)
{
    struct mailbox mailbox;
    struct letter stream = { .kind = LETTER_STREAM };
    struct letter keys = { .kind = LETTER_TLS, .tls = SSL_CTX_new(TLS_server_method()) };
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, SENDERS), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    stream.connection = (struct connection){ .fd = ends[0] };
    stream.parcel = calloc(1, sizeof *stream.parcel);
    assert_true(stream.parcel && keys.tls);
    assert_int_equal(mailbox_send(&mailbox, 0, &stream), OK);
    assert_int_equal(mailbox_send(&mailbox, 1, &keys), OK);
    mailbox_free(&mailbox);
    assert_int_equal(recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
    close(ends[1]);
    mailbox_free(&mailbox); /* one that is freed, or was never made */
    mailbox = (struct mailbox){ .wake_fd = -1 };
    mailbox_free(&mailbox);
}

/* ---- threads ---- */

#define LETTERS 20000

struct sender {
    struct mailbox *mailbox;
    unsigned number;
};

static void *send_all(void *argument)
{
    const struct sender *sender = argument;
    for (usec i = 0; i < LETTERS; i++) {
        struct letter letter = { .kind = LETTER_STOP, .until = i * SENDERS + sender->number };
        while (mailbox_send(sender->mailbox, sender->number, &letter) != OK)
            sched_yield();
    }
    return NULL;
}

/* A reader that sleeps whenever nothing is there gets all, each sender's in order. */
static void test_threads(void **state)
{
    struct mailbox mailbox;
    pthread_t threads[SENDERS];
    struct sender senders[SENDERS];
    usec next[SENDERS] = { 0 };
    unsigned total = 0;
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, SENDERS), OK);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ &mailbox, i };
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    while (total < SENDERS * LETTERS) {
        struct letter letter;
        assert_true(is_awake(&mailbox, PATIENCE_MS));
        while (mailbox_take(&mailbox, &letter)) {
            assert_int_equal(letter.until / SENDERS, next[letter.until % SENDERS]);
            next[letter.until % SENDERS]++;
            total++;
        }
    }
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    mailbox_free(&mailbox);
}

/* Cards have a queue of their own for each sender, and wake only when that is asked for. */
static void test_cards(void **state)
{
    struct mailbox mailbox;
    struct view card;
    static uint8_t large[300 * 1024];
    unsigned count = 0;
    (void)state;
    assert_int_equal(mailbox_init(&mailbox, SENDERS), OK);
    assert_false(mailbox_peek_card(&mailbox, 1, &card));
    assert_int_equal(mailbox_post(&mailbox, 1, VIEW("a"), VIEW("b")), OK);
    assert_int_equal(mailbox_post(&mailbox, 1, VIEW("c"), VIEW("")), OK);
    assert_false(is_awake(&mailbox, 0));
    mailbox_wake(&mailbox);
    assert_true(is_awake(&mailbox, 0));
    send_number(&mailbox, 1, 5); /* beside them */
    expect_number(&mailbox, 5);
    assert_false(mailbox_peek_card(&mailbox, 2, &card));
    assert_true(mailbox_peek_card(&mailbox, 1, &card));
    assert_true(view_equal(card, VIEW("ab")));
    mailbox_drop_card(&mailbox, 1);
    while (mailbox_post(&mailbox, 0, view_make(large, sizeof large), VIEW("")) == OK)
        assert_in_range(++count, 1, 3);
    assert_int_equal(mailbox_post(&mailbox, 2, VIEW("d"), VIEW("")), OK);
    assert_true(mailbox_peek_card(&mailbox, 2, &card));
    assert_true(view_equal(card, VIEW("d")));
    mailbox_free(&mailbox); /* and what nobody took */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wake),      cmocka_unit_test(test_full),
        cmocka_unit_test(test_not_taken), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_cards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
