/* test_metrics.c - counters and gauges, and their Prometheus text: one HELP and one TYPE a name,
 * names that may stand there, and room for the largest numbers. */
#include "support.h"

#include "base/metrics.h"

static struct metrics all[3];
static char out[METRICS_TEXT_MAX];

static int setup(void **state)
{
    (void)state;
    memset(all, 0, sizeof(all));
    memset(out, 0, sizeof(out));
    return 0;
}

static void write_all(unsigned count)
{
    unsigned size = metrics_write(all, count, out);
    assert_int_equal(size, strlen(out));
    assert_int_equal(out[size - 1], '\n');
}

/* The number on the line that begins with `sample`, of which there is exactly one. */
static void assert_sample(const char *sample, uint64_t wanted)
{
    char line[160];
    snprintf(line, sizeof(line), "\n%s %llu\n", sample, (unsigned long long)wanted);
    const char *found = strstr(out, line);
    if (!found)
        print_error("no line \"%s\" in\n%s", line, out);
    assert_non_null(found);
    assert_null(strstr(found + 1, line));
}

static void test_add_and_subtract(void **state)
{
    (void)state;
    metrics_add(&all[0], METRIC_ROOMS, 5);
    metrics_add(&all[0], METRIC_ROOMS, 2);
    metrics_subtract(&all[0], METRIC_ROOMS, 3);
    metrics_set(&all[0], METRIC_MEMBERS, 9);
    assert_int_equal(metrics_read(&all[0], METRIC_ROOMS), 4);
    assert_int_equal(metrics_read(&all[0], METRIC_MEMBERS), 9);
    assert_int_equal(metrics_read(&all[0], METRIC_JOINS), 0);
    assert_int_equal(metrics_read(&all[1], METRIC_ROOMS), 0);
}

static void test_sums_over_the_workers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        metrics_set(&all[i], METRIC_CONNECTIONS, 1 + i);
        metrics_set(&all[i], METRIC_BYTES_IN, 10);
        metrics_set(&all[i], METRIC_BYTES_OUT, 100 * (i + 1));
    }
    write_all(3);
    assert_sample("moim_connections", 6);
    assert_sample("moim_stream_bytes_total{direction=\"in\"}", 30);
    assert_sample("moim_stream_bytes_total{direction=\"out\"}", 600);
    assert_sample("moim_rooms", 0);
    write_all(2);
    assert_sample("moim_connections", 3);
}

/* A metric that one worker adds to and another takes from is right in the sum (connections that
 * move are such), though one worker's share of it is below 0. */
static void test_shares_below_zero(void **state)
{
    (void)state;
    metrics_add(&all[0], METRIC_CONNECTIONS, 5);
    metrics_subtract(&all[1], METRIC_CONNECTIONS, 2);
    write_all(2);
    assert_sample("moim_connections", 3);
}

static bool is_name(struct view v)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    for (size_t i = 0; i < v.size; i++)
        if (!memchr(LETTERS, v.at[i], sizeof(LETTERS) - 1))
            return false;
    return v.size > 0 && v.at[0] >= 'a';
}

/* Every sample follows the HELP and TYPE of its own name, and no name has two of them; counters
 * alone end in _total. */
static void test_form(void **state)
{
    (void)state;
    struct view seen[METRIC_COUNT];
    unsigned seen_count = 0, samples = 0;
    struct view name = { NULL, 0 };
    write_all(3);
    struct view rest = view_of(out);
    rest.size--; /* the last line feed ends no line but its own */
    struct view line;
    while (view_split(&rest, '\n', &line)) {
        if (view_starts(line, VIEW("# HELP "))) {
            struct view help = view_slice(line, 7, line.size);
            size_t size = view_find_byte(help, ' ');
            name = view_slice(help, 0, size);
            assert_true(is_name(name) && view_starts(name, VIEW("moim_")));
            assert_true(help.size > size + 1 && help.at[help.size - 1] == '.');
            for (unsigned i = 0; i < seen_count; i++)
                assert_false(view_equal(seen[i], name));
            seen[seen_count++] = name;

            assert_true(view_split(&rest, '\n', &line));
            bool counts = name.size > 6 && memcmp(name.at + name.size - 6, "_total", 6) == 0;
            char type[160];
            snprintf(type, sizeof(type), "# TYPE %.*s %s", VIEW_ARGS(name),
                     counts ? "counter" : "gauge");
            assert_view(line, type);
            continue;
        }
        assert_true(view_starts(line, name));
        assert_true(line.at[name.size] == ' ' || line.at[name.size] == '{');
        samples++;
    }
    assert_int_equal(samples, METRIC_COUNT);
}

static void test_largest_numbers(void **state)
{
    (void)state;
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        metrics_set(&all[0], (enum metric)m, UINT64_MAX);
    write_all(1);
    assert_sample("moim_buffer_bytes", UINT64_MAX);
    assert_in_range(strlen(out), 1, METRICS_TEXT_MAX - 1024); /* room for some more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_add_and_subtract, setup),
        cmocka_unit_test_setup(test_sums_over_the_workers, setup),
        cmocka_unit_test_setup(test_shares_below_zero, setup),
        cmocka_unit_test_setup(test_form, setup),
        cmocka_unit_test_setup(test_largest_numbers, setup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
