/* test_stun_turn.c - the values of TURN's attributes, and ChannelData in datagrams and streams. */
#include "support.h"

#include "wire/stun_turn.h"

static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 1, 2, 3 };

/* ChannelData of a datagram of exactly that size. */
static int read_channel(const char *hex, uint16_t *channel, size_t *size)
{
    uint8_t bytes[64];
    struct view data = { 0 };
    size_t all = test_read_hex(hex, bytes);
    uint8_t *copy = test_copy(view_make(bytes, all));
    int status = turn_channel_read(view_make(copy, all), channel, &data);
    *size = data.size;
    if (status == OK && data.size)
        assert_ptr_equal(data.at, copy + 4);
    free(copy);
    return status;
}

static void test_channel_data(void **state)
{
    (void)state;
    uint16_t channel = 0;
    size_t size;
    assert_int_equal(read_channel("4001 0003 616263", &channel, &size), OK);
    assert_int_equal(channel, 0x4001);
    assert_int_equal(size, 3);
    assert_int_equal(read_channel("7fff 0003 616263 00", &channel, &size), OK); /* padded */
    assert_int_equal(channel, 0x7fff);
    assert_int_equal(size, 3);
    assert_int_equal(read_channel("4000 0000", &channel, &size), OK);
    assert_int_equal(size, 0);
    assert_int_equal(read_channel("4000 0001", &channel, &size), ERR_MALFORMED);
    assert_int_equal(read_channel("4000 ffff 00", &channel, &size), ERR_MALFORMED);
    assert_int_equal(read_channel("4000 00", &channel, &size), ERR_MALFORMED);
    assert_int_equal(read_channel("40", &channel, &size), ERR_MALFORMED);
    assert_int_equal(read_channel("", &channel, &size), ERR_NOT_FOUND);
    assert_int_equal(read_channel("3fff 0000", &channel, &size), ERR_NOT_FOUND);
    assert_int_equal(read_channel("8000 0000", &channel, &size), ERR_NOT_FOUND);
}

static void test_channel_header(void **state)
{
    (void)state;
    uint8_t out[TURN_CHANNEL_HEADER_SIZE];
    turn_channel_write(out, 0x4abc, 0x1234);
    assert_memory_equal(out, "\x4a\xbc\x12\x34", 4);
    turn_channel_write(out, 0x7fff, 65535);
    assert_memory_equal(out, "\x7f\xff\xff\xff", 4);
    assert_int_equal(turn_channel_padding(0), 0);
    assert_int_equal(turn_channel_padding(1), 3);
    assert_int_equal(turn_channel_padding(3), 1);
    assert_int_equal(turn_channel_padding(4), 0);
}

static int stream_size(const char *hex, size_t *size)
{
    uint8_t bytes[64];
    size_t all = test_read_hex(hex, bytes);
    uint8_t *copy = test_copy(view_make(bytes, all));
    int status = turn_stream_size(view_make(copy, all), size);
    free(copy);
    return status;
}

static void test_messages_of_a_stream(void **state)
{
    (void)state;
    size_t size = 99;
    assert_int_equal(stream_size("", &size), ERR_MORE);
    assert_int_equal(stream_size("400000", &size), ERR_MORE);
    assert_int_equal(size, 99);
    assert_int_equal(stream_size("4000 0000", &size), OK);
    assert_int_equal(size, 4);
    assert_int_equal(stream_size("4000 0001 00", &size), OK);
    assert_int_equal(size, 8); /* padded over streams */
    assert_int_equal(stream_size("4000 ffff", &size), OK);
    assert_int_equal(size, 4 + 65536);
    assert_int_equal(stream_size("0001 0008 2112a442 000102030405060708090a0b", &size), OK);
    assert_int_equal(size, 28);
    assert_int_equal(stream_size("0001 0008", &size), ERR_MORE);
    assert_int_equal(stream_size("0001 0008 2112a443 000102030405060708090a0b", &size),
                     ERR_MALFORMED);
    assert_int_equal(stream_size("80", &size), ERR_MALFORMED);
    assert_int_equal(stream_size("47455420", &size), OK);     /* "GET " would be channel 0x4745 */
    assert_int_equal(stream_size("160301", &size), ERR_MORE); /* TLS is told apart before */
}

static void read_back(struct stun_writer *writer, struct stun_msg *msg)
{
    assert_false(writer->overflow);
    assert_int_equal(stun_read(view_make(writer->at, writer->size), msg), OK);
}

static void test_attributes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct stun_writer writer;
    struct stun_msg msg;
    uint32_t lifetime;
    uint64_t token;
    uint16_t channel;
    uint8_t protocol;
    bool reserve;
    unsigned code;
    enum address_family family;
    struct stun_icmp icmp;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_ALLOCATE, TRANSACTION);
    stun_add_32(&writer, STUN_LIFETIME, 0xfedcba98);
    stun_add_64(&writer, STUN_RESERVATION_TOKEN, 0x0123456789abcdef);
    stun_add_channel(&writer, 0x4abc);
    stun_add_protocol(&writer, TURN_UDP);
    stun_add_even_port(&writer, true);
    stun_add_family(&writer, STUN_REQUESTED_ADDRESS_FAMILY, ADDRESS_IPV6);
    stun_add_address_error(&writer, ADDRESS_IPV4, 440);
    stun_add_icmp(&writer, &(struct stun_icmp){ 3, 4, 1280 });
    read_back(&writer, &msg);
    assert_int_equal(stun_read_32(&msg.attrs[0], &lifetime), OK);
    assert_int_equal(lifetime, 0xfedcba98);
    assert_int_equal(stun_read_64(&msg.attrs[1], &token), OK);
    assert_true(token == 0x0123456789abcdef);
    assert_int_equal(stun_read_channel(&msg.attrs[2], &channel), OK);
    assert_int_equal(channel, 0x4abc);
    assert_int_equal(stun_read_protocol(&msg.attrs[3], &protocol), OK);
    assert_int_equal(protocol, 17);
    assert_int_equal(stun_read_even_port(&msg.attrs[4], &reserve), OK);
    assert_true(reserve);
    assert_int_equal(stun_read_family(&msg.attrs[5], &family), OK);
    assert_int_equal(family, ADDRESS_IPV6);
    assert_int_equal(stun_read_address_error(&msg.attrs[6], &family, &code), OK);
    assert_int_equal(family, ADDRESS_IPV4);
    assert_int_equal(code, 440);
    assert_memory_equal(msg.attrs[6].value.at, "\x01\x00\x04\x28", 4);
    assert_int_equal(stun_read_icmp(&msg.attrs[7], &icmp), OK);
    assert_int_equal(icmp.type, 3);
    assert_int_equal(icmp.code, 4);
    assert_int_equal(icmp.data, 1280);
    assert_memory_equal(msg.attrs[7].value.at, "\0\0\x06\x04\0\0\x05\0", 8);
}

/* Every reader at every size but its own. */
static void test_values_of_other_sizes(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 16; size++) {
        uint8_t *bytes = calloc(1, size ? size : 1);
        struct stun_attr attr = { .value = view_make(bytes, size) };
        uint8_t v8;
        uint16_t v16;
        uint32_t v32;
        uint64_t v64;
        bool yes, no;
        struct stun_icmp icmp;
        enum address_family family;
        unsigned code;
        assert_int_equal(stun_read_8(&attr, &v8), size == 1 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_even_port(&attr, &yes), size == 1 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_32(&attr, &v32), size == 4 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_channel(&attr, &v16), size == 4 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_protocol(&attr, &v8), size == 4 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_change(&attr, &yes, &no), size == 4 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_family(&attr, &family),
                         size == 4 ? ERR_UNSUPPORTED : ERR_MALFORMED);
        assert_int_equal(stun_read_64(&attr, &v64), size == 8 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_icmp(&attr, &icmp), size == 8 ? OK : ERR_MALFORMED);
        assert_int_equal(stun_read_address_error(&attr, &family, &code), ERR_MALFORMED);
        free(bytes);
    }
}

static void test_change_request(void **state)
{
    (void)state;
    for (uint8_t flags = 0; flags < 8; flags++) {
        bool address, port;
        const uint8_t value[4] = { 0, 0, 0, flags };
        struct stun_attr attr = { .value = view_make(value, 4) };
        assert_int_equal(stun_read_change(&attr, &address, &port), OK);
        assert_int_equal(address, flags >> 2 & 1);
        assert_int_equal(port, flags >> 1 & 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_data),
        cmocka_unit_test(test_channel_header),
        cmocka_unit_test(test_messages_of_a_stream),
        cmocka_unit_test(test_attributes_there_and_back),
        cmocka_unit_test(test_values_of_other_sizes),
        cmocka_unit_test(test_change_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
