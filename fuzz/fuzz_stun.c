/* Fuzzes STUN: the reader and all that looks into a message, the writer, the server.
 *
 * Input: one byte that says how a stream's bytes are split, then a datagram, or the bytes of a
 * stream.  The same bytes are also taken as attributes that are written, and must be read back.
 */
#include "agent/stun_server.h"
#include "input.h"

static struct metrics metrics;
static const struct address FROM = { .family = ADDRESS_IPV6, .bytes = { 0x20, 1 }, .port = 5000 };

static void check_attr(const struct stun_msg *msg, const struct stun_attr *attr)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    unsigned code;
    struct view reason;
    CHECK(view_within(attr->value, msg->datagram));
    CHECK(stun_find(msg, attr->type) != NULL);
    if (stun_read_address(attr, &address) == OK)
        CHECK(address_write(&address, text) < sizeof text);
    if (stun_read_xor_address(msg, attr, &address) == OK)
        CHECK(address_write(&address, text) < sizeof text);
    if (stun_read_error(attr, &code, &reason) == OK)
        CHECK(code >= 300 && code <= 699 && view_within(reason, attr->value));
}

static void check_print(const struct stun_msg *msg)
{
    char whole[4096];
    size_t size = stun_print(msg, whole, sizeof whole);
    CHECK(size < sizeof whole);
    for (size_t capacity = 0; capacity < 80; capacity += 13) {
        struct span part = input_copy(view_make(whole, capacity));
        CHECK(stun_print(msg, (char *)part.at, capacity) <= capacity);
        free(part.at);
    }
}

static void check_datagram(struct view input)
{
    struct span copy = input_copy(input);
    struct view datagram = view_of_span(copy);
    struct stun_msg msg;
    size_t size;
    if (stun_read(datagram, &msg) == OK) {
        CHECK(stun_size(datagram, &size) == OK && size == datagram.size);
        CHECK(msg.attr_count <= STUN_ATTRS_MAX && msg.transaction.size == STUN_TRANSACTION_SIZE);
        for (uint32_t i = 0; i < msg.attr_count; i++)
            check_attr(&msg, &msg.attrs[i]);
        (void)stun_integrity_valid(&msg, VIEW("key"));
        (void)stun_integrity_sha256_valid(&msg, VIEW("key"));
        check_print(&msg);
    }
    free(copy.at);
}

/* An answer is smaller than 512 bytes, well-formed, and bears the request's transaction. */
static void check_answer(struct view answer)
{
    struct stun_msg msg;
    if (answer.size == 0)
        return;
    CHECK(answer.size <= 512 && stun_read(answer, &msg) == OK);
    CHECK(msg.class == STUN_SUCCESS || msg.class == STUN_ERROR);
}

static void check_server(struct view input)
{
    uint8_t answer[512];
    struct span copy = input_copy(input);
    size_t size = stun_server_datagram(view_of_span(copy), &FROM, &metrics, answer, sizeof answer);
    check_answer(view_make(answer, size));
    for (size_t capacity = 0; capacity < size; capacity += 7) {
        struct span small = input_copy(view_make(answer, capacity));
        CHECK(stun_server_datagram(view_of_span(copy), &FROM, &metrics, small.at, capacity) == 0);
        free(small.at);
    }
    free(copy.at);
}

/* RFC 5780: answers go to the host that asked, from one of the four places. */
static void check_behavior(struct view input)
{
    static const struct stun_behavior BEHAVIOR = {
        .primary = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 }, .port = 3478 },
        .alternate = { .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 2 }, .port = 3479 },
    };
    struct span copy = input_copy(input);
    for (size_t capacity = 0; capacity <= 512; capacity += 16) {
        struct stun_way way;
        struct stun_msg msg;
        struct span answer = input_copy(view_make(copy.at, capacity < copy.size ? capacity : 0));
        size_t size =
            stun_behavior_answer(&BEHAVIOR, view_of_span(copy), &FROM, &BEHAVIOR.alternate,
                                 capacity & 16, &metrics, answer.at, answer.size, &way);
        CHECK(size <= answer.size && stun_behavior_has(&BEHAVIOR, &way.from));
        CHECK(memcmp(way.to.bytes, FROM.bytes, sizeof FROM.bytes) == 0);
        CHECK(size == 0 || stun_read(view_make(answer.at, size), &msg) == OK);
        free(answer.at);
    }
    free(copy.at);
}

static uint64_t digest_stream(struct view bytes, uint8_t choice)
{
    uint8_t answer[512];
    uint64_t digest = 0;
    uint64_t state = 0;
    size_t begun = 0; /* of the message under way */
    size_t come = 0;
    int status = ERR_MORE;
    while (come < bytes.size && (status == OK || status == ERR_MORE)) {
        come += input_split(choice, &state, bytes.size - come);
        do {
            struct span copy = input_copy(view_slice(bytes, begun, come - begun));
            size_t used = 0;
            size_t size = 0;
            status = stun_server_stream(view_of_span(copy), &FROM, &metrics, answer, sizeof answer,
                                        &used, &size);
            free(copy.at);
            if (status != OK)
                break;
            CHECK(used >= STUN_HEADER_SIZE && used <= come - begun);
            check_answer(view_make(answer, size));
            digest_add(&digest, answer, size);
            begun += used;
        } while (begun < come);
    }
    digest_number(&digest, begun);
    digest_number(&digest, status == ERR_MALFORMED);
    return digest;
}

/* Attributes of one byte type, one byte size, and so many bytes. */
static void check_writing(struct view input)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = "twelve bytes";
    uint8_t out[1024];
    struct stun_writer writer;
    struct stun_msg msg;
    uint32_t count = 0;
    uint8_t first = input_byte(&input);
    stun_begin(&writer, out, sizeof out, first & 3, STUN_BINDING, TRANSACTION);
    while (input.size && count < STUN_ATTRS_MAX - 3) {
        uint8_t type = input_byte(&input);
        struct view value = input_take(&input, input_byte(&input));
        stun_add(&writer, (uint16_t)(0x8100 + type), value);
        count++;
    }
    stun_add_integrity(&writer, VIEW("key"));
    stun_add_integrity_sha256(&writer, VIEW("key"));
    stun_add_fingerprint(&writer);
    CHECK(writer.size <= sizeof out);
    if (writer.overflow)
        return;
    CHECK(stun_read(view_make(out, writer.size), &msg) == OK);
    CHECK(msg.attr_count == count + 3 && msg.has_fingerprint && msg.class == (first & 3));
    CHECK(stun_integrity_valid(&msg, VIEW("key")) && !stun_integrity_valid(&msg, VIEW("kez")));
    CHECK(stun_integrity_sha256_valid(&msg, VIEW("key")));
    CHECK(!stun_integrity_sha256_valid(&msg, VIEW("kez")));
    out[first % writer.size] ^= 1; /* FINGERPRINT covers every bit but those that name it */
    CHECK(stun_read(view_make(out, writer.size), &msg) != OK || !msg.has_fingerprint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t choice = input_byte(&input);
    check_datagram(input);
    check_server(input);
    check_behavior(input);
    check_writing(input);
    CHECK(digest_stream(input, '0') == digest_stream(input, choice));
    return 0;
}
