/* test_dependency_descriptor.c - descriptors as an encoder of the test's own writes them, bit by
 * bit after appendix A of the RTP payload format for AV1. */
#include "support.h"

#include "wire/dependency_descriptor.h"

/* Writes bits in the order of the document; a value may be cut to any size. */
struct pen {
    uint8_t bytes[256];
    size_t bits;
};

static void put(struct pen *pen, unsigned count, uint32_t value)
{
    while (count--) {
        if (value >> count & 1)
            pen->bytes[pen->bits / 8] |= (uint8_t)(0x80 >> pen->bits % 8);
        pen->bits++;
    }
}

static int read_pen(const struct pen *pen, struct dd_structure *structure, struct dd_frame *frame)
{
    size_t size = (pen->bits + 7) / 8;
    uint8_t *copy = test_copy(view_make(pen->bytes, size));
    int status = dd_read(view_make(copy, size), structure, frame);
    free(copy);
    return status;
}

static void put_mandatory(struct pen *pen, unsigned start, unsigned end, unsigned template,
                          unsigned number)
{
    put(pen, 1, start);
    put(pen, 1, end);
    put(pen, 6, template);
    put(pen, 16, number);
}

static void put_flags(struct pen *pen, unsigned five)
{
    put(pen, 5, five);
}

/* Digits of numbers below 16 bits' width, one each: "0123" puts 0, 1, 2, 3. */
static void put_digits(struct pen *pen, unsigned count, const char *digits)
{
    for (; *digits; digits++)
        if (*digits != ' ')
            put(pen, count, (uint32_t)(*digits - '0'));
}

/* Two spatial and two temporal layers, four decode targets, two chains; templates from 50 on:
 *   0: s0 t0 key   1: s0 t0   2: s0 t1   3: s1 t0 of a key   4: s1 t0   5: s1 t1
 * Decode targets: s0t0, s0t1, s1t0, s1t1. */
static void put_l2t2(struct pen *pen)
{
    put(pen, 6, 50);
    put(pen, 5, 4 - 1);
    put_digits(pen, 2, "0 1 2 0 1 3");
    put_digits(pen, 2, "2222 2222 0101 0022 0022 0001");
    put_digits(pen, 1, "0"); /* a key frame refers to none */
    put_digits(pen, 1, "1"); /* 1: four back */
    put(pen, 4, 4 - 1);
    put_digits(pen, 1, "0 1");
    put(pen, 4, 2 - 1); /* 2: two back */
    put_digits(pen, 1, "0 1");
    put(pen, 4, 1 - 1); /* 3: one back */
    put_digits(pen, 1, "0 1");
    put(pen, 4, 4 - 1); /* 4: four and one back */
    put_digits(pen, 1, "1");
    put(pen, 4, 1 - 1);
    put_digits(pen, 1, "0 1");
    put(pen, 4, 2 - 1); /* 5: two and one back */
    put_digits(pen, 1, "1");
    put(pen, 4, 1 - 1);
    put_digits(pen, 1, "0");
    put(pen, 2, 2);             /* ns(5) of 2: two chains */
    put_digits(pen, 1, "0011"); /* ns(2) */
    put_digits(pen, 4, "00 43 22 11 11 33");
    put(pen, 1, 1);
    put(pen, 16, 640 - 1);
    put(pen, 16, 360 - 1);
    put(pen, 16, 1280 - 1);
    put(pen, 16, 720 - 1);
}

static void put_key(struct pen *pen)
{
    put_mandatory(pen, 1, 0, 50, 1000);
    put_flags(pen, 0x10);
    put_l2t2(pen);
}

static void test_structure(void **state)
{
    (void)state;
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_key(&pen);
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    assert_true(frame.start_of_frame && !frame.end_of_frame);
    assert_true(frame.has_structure && frame.has_active);
    assert_int_equal(frame.frame_number, 1000);
    assert_int_equal(structure.frame_number, 1000);
    assert_int_equal(structure.template_count, 6);
    assert_int_equal(structure.target_count, 4);
    assert_int_equal(structure.chain_count, 2);
    assert_int_equal(structure.spatial_count, 2);
    assert_int_equal(structure.active_targets, 0xf);
    assert_true(structure.has_resolutions);
    assert_int_equal(structure.widths[0], 640);
    assert_int_equal(structure.heights[1], 720);
    for (unsigned target = 0; target < 4; target++) {
        assert_int_equal(structure.protected_by[target], target / 2);
        assert_int_equal(structure.target_spatial_ids[target], target / 2);
        assert_int_equal(structure.target_temporal_ids[target], target % 2);
    }
    const struct dd_dependencies *last = &structure.templates[5];
    assert_int_equal(last->spatial_id, 1);
    assert_int_equal(last->temporal_id, 1);
    assert_int_equal(last->fdiff_count, 2);
    assert_int_equal(last->fdiffs[0], 2);
    assert_int_equal(last->fdiffs[1], 1);
    assert_int_equal(last->chain_fdiffs[0], 3);
    assert_int_equal(dd_indication_of(last, 2), DD_NOT_PRESENT);
    assert_int_equal(dd_indication_of(last, 3), DD_DISCARDABLE);
    assert_int_equal(dd_indication_of(&structure.templates[4], 3), DD_SWITCH);
}

/* Appendix A: of the template, where nothing is said of the frame itself. */
static void test_frames_of_templates(void **state)
{
    (void)state;
    struct pen key = { 0 };
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_key(&key);
    assert_int_equal(read_pen(&key, &structure, &frame), OK);
    put_mandatory(&pen, 0, 1, 54, 1005);
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    assert_false(frame.has_structure || frame.has_active || frame.start_of_frame);
    assert_true(frame.end_of_frame);
    assert_int_equal(frame.dependencies.spatial_id, 1);
    assert_int_equal(frame.dependencies.fdiff_count, 2);
    assert_int_equal(frame.dependencies.fdiffs[0], 4);
    assert_int_equal(frame.dependencies.chain_fdiffs[1], 1);
    assert_int_equal(structure.frame_number, 1000);
}

static void test_frames_that_say_all_themselves(void **state)
{
    (void)state;
    struct pen key = { 0 };
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_key(&key);
    assert_int_equal(read_pen(&key, &structure, &frame), OK);
    put_mandatory(&pen, 1, 1, 51, 1010);
    put_flags(&pen, 0x0f);
    put(&pen, 4, 0x3); /* the first two decode targets are active */
    put_digits(&pen, 2, "3210");
    put(&pen, 2, 1);
    put(&pen, 4, 15);
    put(&pen, 2, 2);
    put(&pen, 8, 255);
    put(&pen, 2, 3);
    put(&pen, 12, 4095);
    put(&pen, 2, 0);
    put(&pen, 8, 255);
    put(&pen, 8, 7);
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    assert_true(frame.has_active);
    assert_int_equal(structure.active_targets, 3);
    assert_int_equal(dd_indication_of(&frame.dependencies, 0), DD_REQUIRED);
    assert_int_equal(dd_indication_of(&frame.dependencies, 3), DD_NOT_PRESENT);
    assert_int_equal(frame.dependencies.fdiff_count, 3);
    assert_int_equal(frame.dependencies.fdiffs[0], 16);
    assert_int_equal(frame.dependencies.fdiffs[1], 256);
    assert_int_equal(frame.dependencies.fdiffs[2], 4096);
    assert_int_equal(frame.dependencies.chain_fdiffs[0], 255);
    assert_int_equal(frame.dependencies.chain_fdiffs[1], 7);
}

static void test_templates_that_are_not_known(void **state)
{
    (void)state;
    struct pen key = { 0 };
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame = { .frame_number = 77 };
    put_mandatory(&pen, 1, 1, 56, 1001);
    assert_int_equal(read_pen(&pen, &structure, &frame), ERR_NOT_FOUND);
    put_key(&key);
    assert_int_equal(read_pen(&key, &structure, &frame), OK);
    frame.frame_number = 77;
    assert_int_equal(read_pen(&pen, &structure, &frame), ERR_NOT_FOUND);
    assert_int_equal(frame.frame_number, 77);
    /* a key frame of a template that it does not tell of itself */
    struct pen wrong = { 0 };
    put_mandatory(&wrong, 1, 0, 49, 2000);
    put_flags(&wrong, 0x10);
    put_l2t2(&wrong);
    assert_int_equal(read_pen(&wrong, &structure, &frame), ERR_MALFORMED);
    assert_int_equal(structure.frame_number, 1000);
}

/* Identifiers wrap at 64. */
static void test_template_identifiers_wrap(void **state)
{
    (void)state;
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_mandatory(&pen, 1, 1, 1, 5);
    put_flags(&pen, 0x18);
    put(&pen, 6, 62);
    put(&pen, 5, 0);
    put_digits(&pen, 2, "1113"); /* four temporal layers */
    put_digits(&pen, 2, "2222");
    put_digits(&pen, 1, "0000");
    put(&pen, 1, 0); /* ns(2) of 0: no chains */
    put(&pen, 1, 0); /* no resolutions */
    put(&pen, 1, 0); /* nothing is active */
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    assert_int_equal(frame.dependencies.temporal_id, 3);
    assert_int_equal(structure.active_targets, 0);
    assert_false(structure.has_resolutions);
    assert_int_equal(structure.target_temporal_ids[0], 3);
}

static int read_layers(const char *steps)
{
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_mandatory(&pen, 1, 1, 0, 5);
    put_flags(&pen, 0x10);
    put(&pen, 6, 0);
    put(&pen, 5, 0);
    put_digits(&pen, 2, steps);
    pen.bits += 64 * 4;
    return read_pen(&pen, &structure, &frame);
}

static void test_limits(void **state)
{
    (void)state;
    char steps[70];
    assert_int_equal(read_layers("2223"), OK);
    assert_int_equal(read_layers("22223"), ERR_LIMIT);
    assert_int_equal(read_layers("11111113"), OK);
    assert_int_equal(read_layers("111111113"), ERR_LIMIT);
    memset(steps, '0', sizeof(steps));
    memcpy(steps + 63, "3", 2);
    assert_int_equal(read_layers(steps), OK);
    memcpy(steps + 63, "03", 3);
    assert_int_equal(read_layers(steps), ERR_LIMIT);
    for (unsigned count = DD_FDIFFS_MAX; count <= DD_FDIFFS_MAX + 1; count++) {
        struct pen key = { 0 };
        struct pen pen = { 0 };
        struct dd_structure structure = { 0 };
        struct dd_frame frame;
        put_key(&key);
        assert_int_equal(read_pen(&key, &structure, &frame), OK);
        put_mandatory(&pen, 1, 1, 51, 1010);
        put_flags(&pen, 2);
        for (unsigned i = 0; i < count; i++)
            put(&pen, 6, 0x10);
        put(&pen, 2, 0);
        assert_int_equal(read_pen(&pen, &structure, &frame),
                         count > DD_FDIFFS_MAX ? ERR_LIMIT : OK);
    }
}

static void test_every_truncation(void **state)
{
    (void)state;
    struct pen pen = { 0 };
    put_key(&pen);
    size_t size = (pen.bits + 7) / 8;
    for (size_t cut = 0; cut <= size; cut++) {
        struct dd_structure structure = { 0 };
        struct dd_frame frame = { .frame_number = 77 };
        uint8_t *copy = test_copy(view_make(pen.bytes, cut));
        int status = dd_read(view_make(copy, cut), &structure, &frame);
        int wanted = cut == size ? OK : cut == 3 ? ERR_NOT_FOUND : ERR_MALFORMED;
        assert_int_equal(status, wanted);
        assert_int_equal(frame.frame_number, cut == size ? 1000 : 77);
        assert_int_equal(structure.template_count, cut == size ? 6 : 0);
        free(copy);
    }
}

static void test_every_bit_flip(void **state)
{
    (void)state;
    struct pen pen = { 0 };
    put_key(&pen);
    size_t size = (pen.bits + 7) / 8;
    for (size_t bit = 0; bit < pen.bits; bit++) {
        struct dd_structure structure = { 0 };
        struct dd_frame frame;
        uint8_t *copy = test_copy(view_make(pen.bytes, size));
        copy[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        if (dd_read(view_make(copy, size), &structure, &frame) == OK) {
            assert_in_range(structure.target_count, 1, DD_TARGETS_MAX);
            assert_in_range(structure.chain_count, 0, structure.target_count);
            assert_in_range(frame.dependencies.spatial_id, 0, structure.spatial_count - 1);
            assert_in_range(frame.dependencies.fdiff_count, 0, DD_FDIFFS_MAX);
        }
        free(copy);
    }
}

static void test_rewritten(void **state)
{
    (void)state;
    struct pen key = { 0 };
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame, again;
    put_key(&key);
    assert_int_equal(read_pen(&key, &structure, &frame), OK);
    put_mandatory(&pen, 0, 1, 54, 1005);
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    dd_rewrite(pen.bytes, 0xfffe);
    assert_int_equal(read_pen(&pen, &structure, &again), OK);
    assert_int_equal(again.frame_number, 0xfffe);
    assert_int_equal(again.template_id, 54);
    assert_false(again.start_of_frame);
    assert_true(again.end_of_frame);
    assert_int_equal(again.dependencies.fdiffs[0], frame.dependencies.fdiffs[0]);
}

static void test_print(void **state)
{
    (void)state;
    static const char LINE[] = "dd frame=1000 template=50 s0 t0 start structure SSSS active=f";
    struct pen pen = { 0 };
    struct dd_structure structure = { 0 };
    struct dd_frame frame;
    put_key(&pen);
    assert_int_equal(read_pen(&pen, &structure, &frame), OK);
    for (size_t capacity = 1; capacity < sizeof(LINE) + 10; capacity++) {
        char *out = malloc(capacity);
        size_t size = dd_print(&structure, &frame, out, capacity);
        assert_int_equal(size, capacity < sizeof(LINE) ? capacity - 1 : sizeof(LINE) - 1);
        assert_memory_equal(out, LINE, size);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_frames_of_templates),
        cmocka_unit_test(test_frames_that_say_all_themselves),
        cmocka_unit_test(test_templates_that_are_not_known),
        cmocka_unit_test(test_template_identifiers_wrap),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_rewritten),
        cmocka_unit_test(test_print),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
