/* The model of a receiver's decoder: what it shows, what it waits for, what it skips, what it calls
 * a freeze, and that it sees a picture that would be corrupt. */
#include "support.h"

#include "quality/decoder.h"

#define BEGIN (1000 * USEC_S)
#define FIRST 70000 /* sequence number */

static struct decoder decoder;
static uint64_t next; /* sequence number */
static uint16_t picture_id;

static int set_up(void **state)
{
    (void)state;
    memset(&decoder, 0, sizeof decoder);
    next = FIRST;
    picture_id = 100;
    return 0;
}

static struct model frame(uint32_t number, uint32_t reference, uint16_t count)
{
    return (struct model){ .encoding = 1,
                           .is_key = number == reference,
                           .frame = number,
                           .reference = reference,
                           .count = count,
                           .captured = (uint32_t)((BEGIN + number * MODEL_FRAME_EACH) / 100) };
}

static void hear(uint64_t sequence, usec at, const struct model *model)
{
    uint8_t payload[MODEL_HEAD + 50];
    memset(payload, 0, sizeof payload);
    model_write(model, payload);
    assert_true(decoder_hear(&decoder, at, sequence, view_make(payload, sizeof payload)));
}

/* All of a frame, ten milliseconds after it was captured, but the packets that are in `lost`. */
static void send(struct model model, uint32_t lost)
{
    usec at = BEGIN + model.frame * MODEL_FRAME_EACH + 10 * USEC_MS;
    model.picture_id = picture_id++ & 0x7fff;
    for (; model.index < model.count; model.index++, next++)
        if (!(lost >> model.index & 1))
            hear(next, at, &model);
}

static void test_frames_in_order(void **state)
{
    (void)state;
    send(frame(1, 1, 3), 0);
    for (uint32_t i = 2; i <= 60; i++)
        send(frame(i, i - 1, 2), 0);
    assert_int_equal(decoder.shown, 60);
    assert_int_equal(decoder.key_frames, 1);
    assert_int_equal(decoder.frozen, 0);
    assert_int_equal(decoder.corrupt, 0);
    assert_int_equal(decoder.jumps, 0);
    assert_int_equal(decoder.encoding, 1);
}

static void test_nothing_before_a_key_frame(void **state)
{
    (void)state;
    send(frame(5, 4, 2), 0);
    assert_int_equal(decoder.shown, 0);
    assert_true(decoder_wants_key(&decoder));
    send(frame(6, 6, 2), 0);
    assert_int_equal(decoder.shown, 1);
    assert_false(decoder_wants_key(&decoder));
    assert_int_equal(decoder.corrupt, 0);
}

/* What was lost comes again: a freeze of that time, and all are shown. */
static void test_a_freeze(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    send(frame(2, 1, 2), 0);
    struct model late = frame(3, 2, 1);
    late.picture_id = picture_id++ & 0x7fff;
    uint64_t sequence = next++;
    send(frame(4, 3, 1), 0);
    assert_int_equal(decoder.shown, 2);
    usec before = decoder.shown_at;
    assert_int_equal(decoder_frozen(&decoder, before + 100 * USEC_MS), 0);
    assert_int_equal(decoder_frozen(&decoder, before + 400 * USEC_MS), 400 * USEC_MS);
    hear(sequence, before + 500 * USEC_MS, &late);
    assert_int_equal(decoder.shown, 4);
    assert_int_equal(decoder.frozen_most, 500 * USEC_MS);
    assert_int_equal(decoder.frozen, 500 * USEC_MS);
    assert_int_equal(decoder.corrupt, 0);
}

/* A frame that nobody refers to is missing: after a while it goes on without. */
static void test_skips(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    send(frame(2, 1, 2), 2);
    send(frame(3, 1, 1), 0);
    assert_int_equal(decoder.shown, 1);
    decoder_turn(&decoder, BEGIN + 3 * MODEL_FRAME_EACH + 50 * USEC_MS);
    assert_int_equal(decoder.shown, 1);
    decoder_turn(&decoder, BEGIN + 3 * MODEL_FRAME_EACH + 111 * USEC_MS);
    assert_int_equal(decoder.shown, 2);
    assert_int_equal(decoder.skipped, 1);
    struct model model = frame(4, 2, 1); /* refers to what was skipped */
    model.temporal = 2;
    send(model, 0);
    send(frame(5, 3, 1), 0);
    assert_int_equal(decoder.shown, 3);
    assert_int_equal(decoder.corrupt, 0);
}

static void test_a_key_frame_is_not_waited_for(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    send(frame(2, 1, 2), 1);
    send(frame(3, 3, 2), 0);
    assert_int_equal(decoder.shown, 2);
    assert_int_equal(decoder.key_frames, 2);
}

/* A switch without a key frame, a frame of another, one with a hole: each is seen. */
static void test_corrupt(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    struct model other = frame(2, 1, 1);
    other.encoding = 2;
    send(other, 0);
    assert_int_equal(decoder.corrupt, 1);
    assert_true(decoder_wants_key(&decoder));

    send(frame(5, 5, 1), 0);
    send(frame(6, 4, 1), 0); /* 4 was never decoded */
    assert_int_equal(decoder.corrupt, 2);

    send(frame(7, 7, 1), 0);
    struct model half = frame(8, 7, 2);
    half.picture_id = picture_id;
    hear(next++, BEGIN + 9 * MODEL_FRAME_EACH, &half);
    send(frame(9, 7, 1), 0); /* the rest of 8 has no number */
    assert_int_equal(decoder.corrupt, 3);
}

/* At a switch what is missing of the frame before it is never sent: that is no corruption. */
static void test_cut(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    struct model half = frame(2, 1, 2);
    hear(next++, BEGIN + 3 * MODEL_FRAME_EACH, &half);
    send(frame(3, 3, 2), 0);
    assert_int_equal(decoder.shown, 2);
    assert_int_equal(decoder.corrupt, 0);
}

static void test_padding(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    assert_true(decoder_hear(&decoder, BEGIN + MODEL_FRAME_EACH, next++, VIEW("")));
    send(frame(2, 1, 2), 0);
    assert_int_equal(decoder.shown, 2);
    assert_false(decoder_hear(&decoder, BEGIN + MODEL_FRAME_EACH, next++, VIEW("rubbish")));
}

static void test_picture_ids(void **state)
{
    (void)state;
    send(frame(1, 1, 1), 0);
    picture_id += 3;
    send(frame(2, 1, 1), 0);
    assert_int_equal(decoder.jumps, 1);
    picture_id = 0x7fff;
    send(frame(3, 2, 1), 0);
    send(frame(4, 3, 1), 0); /* it wraps */
    assert_int_equal(decoder.jumps, 2);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, set_up)

int main(void)
{
    const struct CMUnitTest all[] = {
        TEST(frames_in_order),
        TEST(nothing_before_a_key_frame),
        TEST(a_freeze),
        TEST(skips),
        TEST(a_key_frame_is_not_waited_for),
        TEST(corrupt),
        TEST(cut),
        TEST(padding),
        TEST(picture_ids),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
