/* test_list.c - the linked list against a plain table, and nodes that are in none. */
#include "support.h"

#include "base/list.h"

struct item {
    unsigned number;
    struct list node;
};

/* Walks both ways, and sees the numbers in their order. */
static void assert_numbers(const struct list *head, const unsigned *numbers, size_t count)
{
    const struct list *node = head->next;
    assert_int_equal(list_empty(head), count == 0);
    for (size_t i = 0; i < count; i++, node = node->next)
        assert_int_equal(LIST_ENTRY(node, struct item, node)->number, numbers[i]);
    assert_ptr_equal(node, head);
    node = head->prev;
    for (size_t i = count; i > 0; i--, node = node->prev)
        assert_int_equal(LIST_ENTRY(node, struct item, node)->number, numbers[i - 1]);
    assert_ptr_equal(node, head);
}

static void test_order(void **state)
{
    (void)state;
    struct list head;
    struct item items[4];
    list_init(&head);
    assert_numbers(&head, NULL, 0);
    for (unsigned i = 0; i < 4; i++) {
        items[i].number = i;
        list_append(&head, &items[i].node);
    }
    assert_numbers(&head, (unsigned[]){ 0, 1, 2, 3 }, 4);
    list_remove(&items[0].node); /* the first */
    assert_numbers(&head, (unsigned[]){ 1, 2, 3 }, 3);
    list_remove(&items[2].node); /* one in the middle */
    assert_numbers(&head, (unsigned[]){ 1, 3 }, 2);
    list_remove(&items[3].node); /* the last */
    assert_numbers(&head, (unsigned[]){ 1 }, 1);
    list_append(&head, &items[0].node);
    assert_numbers(&head, (unsigned[]){ 1, 0 }, 2);
    list_remove(&items[1].node);
    list_remove(&items[0].node); /* the only one */
    assert_numbers(&head, NULL, 0);
}

static void test_removed_twice(void **state)
{
    (void)state;
    struct list head;
    struct item items[2] = { { .number = 0 }, { .number = 1 } };
    list_init(&head);
    list_init(&items[0].node);
    list_remove(&items[0].node); /* never in one */
    list_append(&head, &items[0].node);
    list_append(&head, &items[1].node);
    list_remove(&items[0].node);
    assert_true(list_empty(&items[0].node));
    list_remove(&items[0].node);
    assert_numbers(&head, (unsigned[]){ 1 }, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_removed_twice),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
