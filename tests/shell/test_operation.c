/* test_operation.c - the manual's table of metrics is that of the program. */
#include "support.h"

#include "base/metrics.h"
#include "repository_file.h"

static const struct {
    const char *exposed, *labels, *kind;
} METRICS[] = {
#define ROW(name, exposed, labels, kind, help) { exposed, labels, #kind },
    METRICS_TABLE(ROW)
#undef ROW
};

/* The line of the table that is this metric's; of its end, the manual's. */
static struct view find_row(const char *manual, const char *exposed, const char *kind)
{
    char begin[128];
    snprintf(begin, sizeof(begin), "\n| `%s` | %s | ", exposed, kind);
    const char *found = strstr(manual, begin);
    if (!found)
        fail_msg("the manual lacks %s, a %s", exposed, kind);
    return view_make(found + 1, strcspn(found + 1, "\n"));
}

static void test_metrics(void **state)
{
    static char manual[64 * 1024];
    (void)state;
    read_repository_file("docs/OPERATION.md", manual, sizeof(manual));
    for (size_t i = 0; i < sizeof(METRICS) / sizeof(METRICS[0]); i++) {
        struct view row = find_row(manual, METRICS[i].exposed, METRICS[i].kind);
        struct view rest = view_of(METRICS[i].labels);
        struct view label;
        while (view_split(&rest, '"', &label) && view_split(&rest, '"', &label))
            if (view_find(row, label) == row.size)
                fail_msg("the manual lacks %s{%s}", METRICS[i].exposed, METRICS[i].labels);
    }
}

/* And it has none that there isn't. */
static void test_no_others(void **state)
{
    static char manual[64 * 1024];
    static const char BEGIN[] = "\n| `moim_";
    (void)state;
    read_repository_file("docs/OPERATION.md", manual, sizeof(manual));
    for (const char *at = manual; (at = strstr(at, BEGIN)) != NULL; at++) {
        struct view name = view_make(at + 4, strcspn(at + 4, "`"));
        bool is_there = false;
        for (size_t i = 0; i < sizeof(METRICS) / sizeof(METRICS[0]); i++)
            is_there |= view_equal(name, view_of(METRICS[i].exposed));
        if (!is_there)
            fail_msg("there is no %.*s", VIEW_ARGS(name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_no_others),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
