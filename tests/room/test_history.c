/* What a room keeps of its events: for whom, in what order, how much. */
#include "room/history.h"

#include "support.h"

static const struct audience ALL = { .kind = AUDIENCE_ALL, .from = 1 };

/* A store of so many entries and bytes. */
static struct history_store make_store(uint32_t entries, size_t bytes)
{
    struct history_store store = { .bytes_max = bytes };
    assert_int_equal(pool_init(&store.entries, sizeof(struct history_entry), entries), OK);
    assert_int_equal(buffers_new(8 * 1024 * 1024, &store.buffers), OK);
    return store;
}

/* Nothing is left in it. */
static void end_store(struct history_store *store)
{
    assert_int_equal(store->entries.used, 0);
    assert_int_equal(store->bytes, 0);
    pool_free(&store->entries);
    buffers_free(store->buffers); /* asserts that every buffer was given back */
}

/* Keeps an event of `size` bytes; gives the size of its whole buffer. */
static size_t add(struct history *history, struct history_store *store, uint64_t seq,
                  const struct audience *audience, size_t size)
{
    struct buffer *buffer;
    assert_int_equal(buffers_take(store->buffers, size, &buffer), OK);
    size_t capacity = buffer->capacity;
    history_add(history, store, seq, audience, buffer);
    buffer_give(store->buffers, buffer);
    return capacity;
}

/* Member `number`, who has seen `seq`, would get these and no others; 0 ends them. */
static void expect_after(const struct history *history, uint64_t seq, uint32_t number,
                         const uint64_t *wanted)
{
    const struct history_entry *entry = NULL;
    while ((entry = history_next(history, entry, seq, number)) != NULL) {
        assert_int_equal(entry->seq, *wanted);
        wanted++;
    }
    assert_int_equal(*wanted, 0);
}

#define AFTER(history, seq, number, ...)                                                           \
    expect_after(history, seq, number, (const uint64_t[]){ __VA_ARGS__ __VA_OPT__(, ) 0 })

static void test_audiences(void **state)
{
    static const struct {
        struct audience audience;
        bool has[4]; /* members 1 to 4 */
    } CASES[] = {
        { { .kind = AUDIENCE_ALL, .from = 2 }, { true, true, true, true } },
        { { .kind = AUDIENCE_OTHERS, .from = 2 }, { true, false, true, true } },
        { { .kind = AUDIENCE_ONE, .from = 2, .to = 3 }, { false, false, true, false } },
        { { .kind = AUDIENCE_PAIR, .from = 2, .to = 3 }, { false, true, true, false } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (uint32_t number = 1; number <= 4; number++)
            assert_int_equal(audience_has(&CASES[i].audience, number), CASES[i].has[number - 1]);
    assert_false(audience_has(&(struct audience){ .kind = (enum audience_kind)9 }, 1));
}

static void test_order(void **state)
{
    const struct audience to_two = { .kind = AUDIENCE_ONE, .from = 1, .to = 2 };
    const struct audience not_two = { .kind = AUDIENCE_OTHERS, .from = 2 };
    struct history_store store = make_store(64, SIZE_MAX);
    struct history history = { 0 };
    (void)state;
    AFTER(&history, 0, 1);
    add(&history, &store, 3, &ALL, 10);
    add(&history, &store, 4, &to_two, 10);
    add(&history, &store, 6, &not_two, 10);
    add(&history, &store, 9, &ALL, 10);
    AFTER(&history, 0, 2, 3, 4, 9);
    AFTER(&history, 0, 1, 3, 6, 9);
    AFTER(&history, 3, 2, 4, 9);
    AFTER(&history, 4, 3, 6, 9);
    AFTER(&history, 7, 3, 9);
    AFTER(&history, 9, 3);

    history_trim(&history, &store, 2);
    assert_int_equal(history.count, 4);
    history_trim(&history, &store, 5);
    assert_int_equal(history.count, 2);
    AFTER(&history, 0, 2, 9);
    assert_int_equal(history.dropped, 0); /* nobody needed them */
    history_trim(&history, &store, 9);
    assert_null(history.first);
    add(&history, &store, 10, &ALL, 10);
    AFTER(&history, 0, 1, 10);
    history_clear(&history, &store);
    history_clear(&history, &store);
    end_store(&store);
}

static void test_entries_max(void **state)
{
    struct history_store store = make_store(4096, SIZE_MAX);
    struct history history = { 0 };
    (void)state;
    for (uint64_t seq = 1; seq <= HISTORY_ENTRIES_MAX; seq++)
        add(&history, &store, seq, &ALL, 10);
    assert_int_equal(history.dropped, 0);
    add(&history, &store, 2000, &ALL, 10);
    assert_int_equal(history.dropped, 1);
    assert_int_equal(history.first->seq, 2);
    assert_int_equal(history.count, HISTORY_ENTRIES_MAX);
    history_clear(&history, &store);
    end_store(&store);
}

static void test_bytes_max(void **state)
{
    struct history_store store = make_store(4096, SIZE_MAX);
    struct history history = { 0 };
    size_t kept = 0;
    uint64_t seq = 1;
    (void)state;
    for (; history.dropped == 0; seq++)
        kept += add(&history, &store, seq, &ALL, 16000);
    assert_true(kept > HISTORY_BYTES_MAX);
    assert_int_equal(history.dropped, 1);
    assert_true(history.bytes <= HISTORY_BYTES_MAX);
    /* a large one makes as much place as it needs */
    size_t large = add(&history, &store, seq, &ALL, BUFFER_SIZE_MAX);
    assert_int_equal(history.bytes, store.bytes);
    assert_true(history.bytes <= HISTORY_BYTES_MAX && history.bytes > HISTORY_BYTES_MAX - large);
    assert_int_equal(history.first->seq, history.dropped + 1);
    assert_int_equal(history.last->seq, seq);
    history_clear(&history, &store);
    end_store(&store);
}

/* One room takes half of the entries, the next half of the rest ...: some are left for the last. */
static void test_share_of_entries(void **state)
{
    struct history_store store = make_store(64, SIZE_MAX);
    struct history histories[5] = { { 0 } };
    (void)state;
    for (int i = 0; i < 5; i++) {
        for (uint64_t seq = 1; seq <= 100; seq++)
            add(&histories[i], &store, seq, &ALL, 10);
        assert_int_equal(histories[i].count, 32 >> i);
        assert_int_equal(histories[i].dropped, 100 - (32 >> i));
        assert_int_equal(histories[i].last->seq, 100); /* the newest are kept */
    }
    for (int i = 0; i < 5; i++)
        history_clear(&histories[i], &store);
    end_store(&store);
}

static void test_share_of_bytes(void **state)
{
    struct history_store store = make_store(4096, (size_t)512 * 1024);
    struct history histories[3] = { { 0 } };
    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t left = store.bytes_max - store.bytes;
        for (uint64_t seq = 1; seq <= 200; seq++)
            add(&histories[i], &store, seq, &ALL, 4000);
        assert_true(histories[i].bytes <= left / 2 && histories[i].bytes > left / 2 - 4096);
        assert_int_equal(histories[i].last->seq, 200);
    }
    /* what does not fit at all is dropped at once */
    struct history late = { 0 };
    add(&late, &store, 7, &ALL, 100);
    add(&late, &store, 8, &ALL, BUFFER_SIZE_MAX);
    assert_null(late.first);
    assert_int_equal(late.dropped, 8);
    for (int i = 0; i < 3; i++)
        history_clear(&histories[i], &store);
    end_store(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audiences),        cmocka_unit_test(test_order),
        cmocka_unit_test(test_entries_max),      cmocka_unit_test(test_bytes_max),
        cmocka_unit_test(test_share_of_entries), cmocka_unit_test(test_share_of_bytes),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
