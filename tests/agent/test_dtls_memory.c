/* test_dtls_memory.c - what an association costs of OpenSSL's memory, counted by the byte. */
#include "support.h"

#include "dtls_house.h"

#include <openssl/crypto.h>

#define PAIRS       32
#define HEADER_SIZE 16
#define MOST        (3 * 1024)

static size_t live;

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    uint8_t *block = malloc(size + HEADER_SIZE);
    assert_non_null(block);
    memcpy(block, &size, sizeof size);
    live += size;
    return block + HEADER_SIZE;
}

static void count_free(void *at, const char *file, int line)
{
    size_t size;
    (void)file;
    (void)line;
    if (!at)
        return;
    uint8_t *block = (uint8_t *)at - HEADER_SIZE;
    memcpy(&size, block, sizeof size);
    live -= size;
    free(block);
}

static void *count_realloc(void *at, size_t size, const char *file, int line)
{
    size_t old = 0;
    void *moved = count_malloc(size, file, line);
    if (at)
        memcpy(&old, (uint8_t *)at - HEADER_SIZE, sizeof old);
    if (at)
        memcpy(moved, at, old < size ? old : size);
    count_free(at, file, line);
    return moved;
}

static struct end servers[PAIRS], clients[PAIRS];

static void connect_pair(struct end *server, struct end *client, struct dtls_context *ours,
                         struct dtls_context *theirs)
{
    assert_int_equal(dtls_init(&server->dtls, ours, DTLS_SERVER, 1), OK);
    assert_int_equal(dtls_init(&client->dtls, theirs, DTLS_CLIENT, 1), OK);
    end_drain(client, server);
    while (server->count || client->count) {
        if (server->count)
            end_receive(server, client, 1);
        if (client->count)
            end_receive(client, server, 1);
    }
    assert_true(server->connected && client->connected);
    dtls_free(&client->dtls);
}

static void test_cost(void **state)
{
    (void)state;
    struct identity identity;
    identity_make(&identity);
    struct dtls_context *ours = context_make(&identity, NULL, false);
    struct dtls_context *theirs = context_make(&identity, NULL, false);
    /* what OpenSSL fetches once is not counted */
    connect_pair(&servers[0], &clients[0], ours, theirs);
    size_t before = live;
    for (unsigned i = 1; i < PAIRS; i++)
        connect_pair(&servers[i], &clients[i], ours, theirs);
    size_t each = (live - before) / (PAIRS - 1);
    print_message("an association: %zu bytes\n", each);
    assert_in_range(each, 1, MOST);
    for (unsigned i = 1; i < PAIRS; i++)
        assert_int_equal(dtls_send(&servers[i].dtls, 1, VIEW("x")), OK);
    for (unsigned i = 1; i < PAIRS; i++)
        end_drain(&servers[i], &clients[i]);
    assert_int_equal((live - before) / (PAIRS - 1), each); /* data takes nothing */
    for (unsigned i = 1; i < PAIRS; i++)
        dtls_free(&servers[i].dtls);
    assert_int_equal(live, before);
    dtls_free(&servers[0].dtls);
    dtls_context_free(ours);
    dtls_context_free(theirs);
    identity_free(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cost) };
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
