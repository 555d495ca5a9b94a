/* test_records.c - records between two threads: order, limits, the turn at the end of the memory,
 * and two threads at once. */
#include "support.h"

#include "base/records.h"

#include <pthread.h>
#include <sched.h>

static void put(struct records *records, const char *first, const char *second)
{
    assert_int_equal(records_put(records, view_of(first), view_of(second)), OK);
}

static void expect(struct records *records, const char *text)
{
    struct view record;
    assert_true(records_peek(records, &record));
    assert_true(view_equal(record, view_of(text)));
    assert_int_equal((uintptr_t)record.at % 8, 0);
    assert_true(records_peek(records, &record)); /* it stays */
    assert_true(view_equal(record, view_of(text)));
    records_drop(records);
}

static void test_order(void **state)
{
    struct records records;
    struct view record;
    (void)state;
    assert_int_equal(records_init(&records, 256), OK);
    assert_false(records_peek(&records, &record));
    for (int i = 0; i < 1000; i++) {
        put(&records, "one", "");
        put(&records, "", "");
        expect(&records, "one");
        put(&records, "seven", "teen");
        put(&records, "", "a longer one, of 29 bytes....");
        expect(&records, "");
        expect(&records, "seventeen");
        expect(&records, "a longer one, of 29 bytes....");
        assert_false(records_peek(&records, &record));
    }
    records_free(&records);
}

/* Whatever the sizes and wherever they begin, what is refused leaves what is in untouched. */
static void test_limits(void **state)
{
    static uint8_t bytes[1024];
    struct records records;
    struct view record;
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(records_init(&records, 1024), OK);
    assert_int_equal(records_put(&records, view_make(bytes, 342), VIEW("")), ERR_LIMIT);
    assert_int_equal(records_put(&records, view_make(bytes, 1), view_make(bytes, 341)), ERR_LIMIT);
    assert_int_equal(records_put(&records, VIEW(""), view_make(bytes, SIZE_MAX)), ERR_LIMIT);
    for (size_t size = 0; size <= 341; size++) {
        unsigned count = 0;
        while (records_put(&records, view_make(bytes, size / 2),
                           view_make(bytes + size / 2, size - size / 2)) == OK)
            assert_in_range(++count, 1, 128);
        assert_true(count > 0);
        for (unsigned i = 0; i < count; i++) {
            assert_true(records_peek(&records, &record));
            assert_true(view_equal(record, view_make(bytes, size)));
            records_drop(&records);
        }
        assert_false(records_peek(&records, &record));
    }
    records_free(&records);
}

/* The counters run over their 32 bits. */
static void test_counters_wrap(void **state)
{
    struct records records;
    (void)state;
    assert_int_equal(records_init(&records, 64), OK);
    atomic_store(&records.put_at, UINT32_MAX - 63);
    atomic_store(&records.take_at, UINT32_MAX - 63);
    for (unsigned i = 0; i < 20; i++) {
        put(&records, "twelve", "inside");
        put(&records, "eight in", "");
        assert_int_equal(records_put(&records, VIEW("no room for all of it"), VIEW("")), ERR_LIMIT);
        expect(&records, "twelveinside");
        expect(&records, "eight in");
    }
    records_free(&records);
}

#define RECORDS 20000

static size_t size_of(unsigned i)
{
    return sizeof i + i * 7 % 90;
}

static void *put_all(void *context)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        uint8_t bytes[128];
        memset(bytes, (uint8_t)i, sizeof bytes);
        memcpy(bytes, &i, sizeof i);
        while (records_put(context, view_make(bytes, 2), view_make(bytes + 2, size_of(i) - 2)) !=
               OK)
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct records records;
    pthread_t thread;
    (void)state;
    assert_int_equal(records_init(&records, 512), OK);
    assert_int_equal(pthread_create(&thread, NULL, put_all, &records), 0);
    for (unsigned i = 0; i < RECORDS;) {
        struct view record;
        unsigned number;
        if (!records_peek(&records, &record)) {
            sched_yield();
            continue;
        }
        assert_int_equal(record.size, size_of(i));
        memcpy(&number, record.at, sizeof number);
        assert_int_equal(number, i);
        for (size_t k = sizeof number; k < record.size; k++)
            assert_int_equal(record.at[k], (uint8_t)i);
        records_drop(&records);
        i++;
    }
    pthread_join(thread, NULL);
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_counters_wrap),
        cmocka_unit_test(test_two_threads),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
