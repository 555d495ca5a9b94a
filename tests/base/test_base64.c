/* test_base64.c - the vectors of RFC 4648, section 10, and both alphabets in full. */
#include "support.h"

#include "base/base64.h"

struct pair {
    const char *bytes;
    const char *text;
};

static const struct pair VECTORS[] = { { "", "" },
                                       { "f", "Zg==" },
                                       { "fo", "Zm8=" },
                                       { "foo", "Zm9v" },
                                       { "foob", "Zm9vYg==" },
                                       { "fooba", "Zm9vYmE=" },
                                       { "foobar", "Zm9vYmFy" } };

#define VECTOR_COUNT (sizeof(VECTORS) / sizeof(VECTORS[0]))

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        char out[BASE64_SIZE(6)];
        assert_int_equal(base64_write(view_of(VECTORS[i].bytes), out), strlen(VECTORS[i].text));
        assert_string_equal(out, VECTORS[i].text);
    }
}

static void test_vectors_without_padding(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        char out[BASE64_SIZE(6)];
        size_t size = strcspn(VECTORS[i].text, "=");
        assert_int_equal(base64url_write(view_of(VECTORS[i].bytes), out), size);
        assert_view(view_make(VECTORS[i].text, size), out);
    }
}

/* All 64 digits in their order, out of 48 bytes. */
static void test_alphabets(void **state)
{
    (void)state;
    uint8_t bytes[48];
    char out[BASE64_SIZE(48)];
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bits = (4 * i) << 18 | (4 * i + 1) << 12 | (4 * i + 2) << 6 | (4 * i + 3);
        bytes[3 * i] = (uint8_t)(bits >> 16);
        bytes[3 * i + 1] = (uint8_t)(bits >> 8);
        bytes[3 * i + 2] = (uint8_t)bits;
    }
    base64_write(view_make(bytes, sizeof(bytes)), out);
    assert_string_equal(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    base64url_write(view_make(bytes, sizeof(bytes)), out);
    assert_string_equal(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

static void test_size_is_enough(void **state)
{
    (void)state;
    uint8_t bytes[100] = { 0 };
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        char *out = malloc(BASE64_SIZE(size));
        assert_int_equal(base64_write(view_make(bytes, size), out), BASE64_SIZE(size) - 1);
        free(out);
    }
}

static void test_there_and_back(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t size = 0; size < 50; size++) {
        uint8_t bytes[50];
        char text[BASE64_SIZE(50)];
        test_random_fill(&seed, bytes, size);
        size_t text_size = base64url_write(view_make(bytes, size), text);
        uint8_t *back = malloc(size ? size : 1);
        assert_int_equal(base64url_read(view_make(text, text_size), back, size), OK);
        assert_memory_equal(back, bytes, size);
        free(back);
    }
}

static void check_refused(const char *text, size_t size)
{
    uint8_t out[16];
    uint8_t *copy = test_copy(view_of(text));
    assert_int_equal(base64url_read(view_make(copy, strlen(text)), out, size), ERR_MALFORMED);
    free(copy);
}

static void test_bad_texts(void **state)
{
    (void)state;
    check_refused("Zm9vYg==", 4);
    check_refused("Zm9vY", 4);
    check_refused("Zm9vYgA", 4);
    check_refused("", 4);
    check_refused("Z", 0);
    check_refused("Zm9v+g", 4);
    check_refused("Zm9v/g", 4);
    check_refused("Zm9 Yg", 4);
    check_refused("Zm9\nYg", 4);
    check_refused("Zm9\xffYg", 4);
    uint8_t out[4];
    assert_int_equal(base64url_read(VIEW("Zm9vY\0"), out, 4), ERR_MALFORMED);
}

/* Section 3.5: one value has one text. */
static void test_bits_left_over(void **state)
{
    (void)state;
    uint8_t out[16];
    unsigned accepted = 0;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[6] = { 'Z', 'm', '9', 'v', 'Y', (uint8_t)c };
        accepted += base64url_read(view_make(text, 6), out, 4) == OK;
    }
    assert_int_equal(accepted, 4); /* two bits of the last digit are used */
    accepted = 0;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[7] = { 'Z', 'm', '9', 'v', 'Y', 'm', (uint8_t)c };
        accepted += base64url_read(view_make(text, 7), out, 5) == OK;
    }
    assert_int_equal(accepted, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),        cmocka_unit_test(test_vectors_without_padding),
        cmocka_unit_test(test_alphabets),      cmocka_unit_test(test_size_is_enough),
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_bits_left_over),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
