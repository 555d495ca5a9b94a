/* The packets that a track keeps: found by arrival and by number, as long as they are whole. */
#include "support.h"

#include "media/packet_ring.h"

#define SIZE  1000
#define COUNT 8

static struct packet_ring ring;
static void *memory;
static usec now;

static int set_up(void **state)
{
    (void)state;
    memory = aligned_alloc(64, (packet_ring_memory(SIZE, COUNT) + 63) / 64 * 64);
    packet_ring_init(&ring, memory, SIZE, COUNT);
    now = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

/* A packet whose every byte is its number's last. */
static int add(uint64_t sequence, size_t size)
{
    uint8_t bytes[SIZE + 1];
    const struct packet *out = NULL;
    const struct packet packet = { .sequence = sequence, .received_at = now };
    memset(bytes, (int)(sequence & 255), sizeof bytes);
    int status = packet_ring_add(&ring, &packet, view_make(bytes, size), &out);
    if (status == OK) {
        assert_ptr_equal(out, packet_ring_find(&ring, sequence));
        assert_ptr_equal(out, packet_ring_arrival(&ring, ring.arrived - 1));
    } else {
        assert_null(out);
    }
    return status;
}

static bool is_whole(uint64_t sequence, size_t size)
{
    const struct packet *packet = packet_ring_find(&ring, sequence);
    if (!packet)
        return false;
    assert_int_equal(packet->size, size);
    const uint8_t *bytes = packet_bytes(&ring, packet);
    assert_true(bytes >= ring.bytes && bytes + size <= ring.bytes + ring.size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], sequence & 255);
    return true;
}

static void test_empty(void **state)
{
    (void)state;
    assert_null(packet_ring_find(&ring, 0));
    assert_null(packet_ring_find(&ring, 65536));
    assert_null(packet_ring_arrival(&ring, 0));
}

static void test_order_of_arrival(void **state)
{
    (void)state;
    static const uint64_t CAME[] = { 100, 102, 101 };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add(CAME[i], 50), OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(packet_ring_arrival(&ring, i)->sequence, CAME[i]);
        assert_true(is_whole(CAME[i], 50));
    }
    assert_null(packet_ring_arrival(&ring, 3));
    assert_null(packet_ring_find(&ring, 103));
    assert_null(packet_ring_find(&ring, 100 + 65536));
}

static void test_twice(void **state)
{
    (void)state;
    assert_int_equal(add(7, 50), OK);
    assert_int_equal(add(7, 60), ERR_EXISTS);
    assert_int_equal(ring.arrived, 1);
    assert_true(is_whole(7, 50));
}

static void test_too_long(void **state)
{
    (void)state;
    assert_int_equal(add(1, SIZE + 1), ERR_LIMIT);
    assert_int_equal(add(1, SIZE), OK);
    assert_true(is_whole(1, SIZE));
    assert_int_equal(add(2, 1), OK);
    assert_false(is_whole(1, SIZE));
}

/* Whatever is found is whole, and the youngest are found. */
static void test_the_oldest_give_way(void **state)
{
    (void)state;
    size_t sizes[300];
    for (uint64_t i = 0; i < 300; i++) {
        sizes[i] = (i * 37 + 11) % 260;
        assert_int_equal(add(i, sizes[i]), OK);
        for (uint64_t k = 0; k <= i; k++) {
            bool is_young = i - k < 3;
            bool is_found = is_whole(k, sizes[k]);
            assert_true(is_found || !is_young);
            assert_false(is_found && i - k >= COUNT);
            assert_true(is_found == (packet_ring_arrival(&ring, k) != NULL));
        }
    }
}

/* ---- a ring that grows ---- */

#define KEEP      1000
#define SIZE_MOST (8 * SIZE)

static void grow(size_t bytes)
{
    uint32_t size, count;
    if (!packet_ring_wants(&ring, now, KEEP, bytes, SIZE_MOST, 64, &size, &count))
        return;
    void *more = aligned_alloc(64, (packet_ring_memory(size, count) + 63) / 64 * 64);
    packet_ring_move(&ring, more, size, count);
    free(memory);
    memory = more;
}

/* All that came within that time is there, and whole, whatever it was before. */
static void test_it_grows_with_what_is_to_be_kept(void **state)
{
    (void)state;
    size_t sizes[300];
    for (uint64_t i = 0; i < 300; i++, now += 50) {
        sizes[i] = (i * 37 + 11) % 260;
        grow(sizes[i]);
        assert_int_equal(add(i, sizes[i]), OK);
        for (uint64_t k = 0; k <= i; k++) {
            bool is_young = (i - k) * 50 < KEEP;
            bool is_found = is_whole(k, sizes[k]);
            assert_true(is_found || !is_young);
            assert_true(is_found == (packet_ring_arrival(&ring, k) != NULL));
        }
    }
    assert_int_equal(ring.count, 32);      /* for twenty */
    assert_int_equal(ring.size, 4 * SIZE); /* for twenty of 130 */
}

/* One that is slow has what it had at first; and one that is too fast no more than the most. */
static void test_it_grows_no_further(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++, now += KEEP / COUNT) {
        grow(50);
        assert_int_equal(add(i, 50), OK);
    }
    assert_int_equal(ring.count, COUNT);
    assert_int_equal(ring.size, SIZE);
    for (uint64_t i = 100; i < 1100; i++) {
        grow(SIZE);
        assert_int_equal(add(i, SIZE), OK);
    }
    assert_int_equal(ring.size, SIZE_MOST);
    assert_true(ring.count <= 64);
    assert_true(is_whole(1099, SIZE));
}

int main(void)
{
#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_RING(test_empty),
        WITH_RING(test_order_of_arrival),
        WITH_RING(test_twice),
        WITH_RING(test_too_long),
        WITH_RING(test_the_oldest_give_way),
        WITH_RING(test_it_grows_with_what_is_to_be_kept),
        WITH_RING(test_it_grows_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
