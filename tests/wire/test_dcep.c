/* test_dcep.c - the messages of RFC 8832 byte for byte, and what is refused. */
#include "support.h"

#include "wire/dcep.h"

/* section 5.1: unordered, at most 500 ms, "chat" of protocol "json" */
#define OPEN_HEX "03 82 0100 000001f4 0004 0004 63686174 6a736f6e"

static uint8_t bytes[100];

static struct view from_hex(const char *hex)
{
    return view_make(bytes, test_read_hex(hex, bytes));
}

static void test_open(void **state)
{
    struct dcep_open open;
    uint8_t again[100];
    struct view message = from_hex(OPEN_HEX);
    enum dcep_type type;
    (void)state;
    assert_int_equal(dcep_read_type(message, &type), OK);
    assert_int_equal(type, DCEP_OPEN);
    assert_int_equal(dcep_read_open(message, &open), OK);
    assert_int_equal(open.reliability, DCEP_LIFETIME);
    assert_true(open.is_unordered);
    assert_int_equal(open.priority, 256);
    assert_int_equal(open.parameter, 500);
    assert_view(open.label, "chat");
    assert_view(open.protocol, "json");
    assert_int_equal(dcep_open_size(&open), message.size);
    dcep_write_open(&open, again);
    assert_memory_equal(again, message.at, message.size);
}

static void test_reliable(void **state)
{
    struct dcep_open open;
    (void)state;
    /* the parameter of a reliable channel is ignored; neither text need be there */
    assert_int_equal(dcep_read_open(from_hex("03 00 0000 00000007 0000 0000"), &open), OK);
    assert_int_equal(open.parameter, 0);
    assert_false(open.is_unordered);
    assert_int_equal(open.label.size, 0);
}

static void test_refused(void **state)
{
    struct dcep_open open;
    enum dcep_type type;
    (void)state;
    assert_int_equal(dcep_read_open(from_hex("03 03 0000 00000000 0000 0000"), &open),
                     ERR_UNSUPPORTED);
    assert_int_equal(dcep_read_open(from_hex("03 00 0000 00000000 0001 0000 ff"), &open), ERR_UTF8);
    assert_int_equal(dcep_read_open(from_hex("02 00 0000 00000000 0000 0000"), &open),
                     ERR_MALFORMED);
    assert_int_equal(dcep_read_type(from_hex("02"), &type), OK);
    assert_int_equal(type, DCEP_ACK);
    assert_int_equal(dcep_read_type(from_hex("02 00"), &type), ERR_MALFORMED);
    assert_int_equal(dcep_read_type(from_hex("01"), &type), ERR_MALFORMED);
    assert_int_equal(dcep_read_type(from_hex(""), &type), ERR_MALFORMED);
}

static void test_damaged(void **state)
{
    struct view message = from_hex(OPEN_HEX);
    struct dcep_open open;
    (void)state;
    for (size_t size = 0; size < message.size; size++) {
        uint8_t *copy = test_copy(view_make(message.at, size));
        assert_int_equal(dcep_read_open(view_make(copy, size), &open), ERR_MALFORMED);
        free(copy);
    }
    for (size_t bit = 0; bit < message.size * 8; bit++) {
        uint8_t *copy = test_copy(message);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (dcep_read_open(view_make(copy, message.size), &open) == OK)
            assert_int_equal(dcep_open_size(&open), message.size);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_reliable),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
