#include "agent/stun_server.h"

#include "wire/stun_turn.h"

#include <string.h>

/* Comprehension-required attributes (below 0x8000) that a binding request may bear here.  ICE's own
 * are among them, for a check that went astray is still answered by some; credentials are not asked
 * for and so not looked at. */
static bool is_known(uint16_t type)
{
    switch (type) {
    case STUN_USERNAME:
    case STUN_MESSAGE_INTEGRITY:
    case STUN_REALM:
    case STUN_NONCE:
    case STUN_MESSAGE_INTEGRITY_SHA256:
    case STUN_PASSWORD_ALGORITHM:
    case STUN_USERHASH:
    case STUN_PRIORITY:
    case STUN_USE_CANDIDATE:
        return true;
    default:
        return type >= 0x8000;
    }
}

/* Writes the types that are not known, each once; gives their size. */
static size_t list_unknown(const struct stun_msg *msg, bool with_behavior,
                           uint8_t out[STUN_ATTRS_MAX * 2])
{
    size_t size = 0;
    for (uint32_t i = 0; i < msg->attr_count; i++) {
        uint16_t type = msg->attrs[i].type;
        bool is_listed = false;
        for (size_t j = 0; j < size; j += 2)
            is_listed = is_listed || (out[j] << 8 | out[j + 1]) == type;
        bool is_behavior =
            type == STUN_CHANGE_REQUEST || type == STUN_RESPONSE_PORT || type == STUN_PADDING;
        if (is_known(type) || is_listed || (with_behavior && is_behavior))
            continue;
        out[size++] = (uint8_t)(type >> 8);
        out[size++] = (uint8_t)type;
    }
    return size;
}

size_t stun_server_datagram(struct view datagram, const struct address *from,
                            struct metrics *metrics, uint8_t *out, size_t capacity)
{
    struct stun_msg msg;
    struct stun_writer writer;
    uint8_t unknown[STUN_ATTRS_MAX * 2];
    if (stun_read(datagram, &msg) != OK || msg.class != STUN_REQUEST ||
        msg.method != STUN_BINDING) {
        metrics_add(metrics, METRIC_STUN_DROPPED, 1);
        return 0;
    }
    size_t unknown_size = list_unknown(&msg, false, unknown);
    stun_begin(&writer, out, capacity, unknown_size ? STUN_ERROR : STUN_SUCCESS, STUN_BINDING,
               msg.transaction.at);
    if (unknown_size) {
        stun_add_error(&writer, 420, VIEW(""));
        stun_add(&writer, STUN_UNKNOWN_ATTRIBUTES, view_make(unknown, unknown_size));
    } else {
        stun_add_xor_address(&writer, STUN_XOR_MAPPED_ADDRESS, from);
    }
    if (msg.has_fingerprint)
        stun_add_fingerprint(&writer);
    if (writer.overflow) {
        metrics_add(metrics, METRIC_STUN_DROPPED, 1);
        return 0;
    }
    metrics_add(metrics, unknown_size ? METRIC_STUN_REFUSED : METRIC_STUN_ANSWERED, 1);
    return writer.size;
}

/* ---- RFC 5780 ---- */

#define PADDING_LEAST_ROOM 12 /* its own header, and FINGERPRINT */

static struct address mix(const struct address *host, const struct address *port)
{
    struct address mixed = *host;
    mixed.port = port->port;
    return mixed;
}

bool stun_behavior_has(const struct stun_behavior *behavior, const struct address *at)
{
    const struct address *hosts[2] = { &behavior->primary, &behavior->alternate };
    for (int i = 0; i < 4 && behavior->primary.family; i++) {
        struct address one = mix(hosts[i / 2], hosts[i % 2]);
        if (address_equal(&one, at))
            return true;
    }
    return false;
}

/* The address with the other host or port, or both. */
static struct address change(const struct stun_behavior *behavior, const struct address *at,
                             bool host, bool port)
{
    struct address with_port = mix(&behavior->primary, at);
    bool is_first_host = address_equal(&with_port, at);
    bool is_first_port = behavior->primary.port == at->port;
    return mix(is_first_host != host ? &behavior->primary : &behavior->alternate,
               is_first_port != port ? &behavior->primary : &behavior->alternate);
}

/* False: the request is malformed (section 7). */
static bool read_way(const struct stun_behavior *behavior, const struct stun_msg *msg,
                     struct stun_way *way)
{
    const struct stun_attr *changes = stun_find(msg, STUN_CHANGE_REQUEST);
    const struct stun_attr *port = stun_find(msg, STUN_RESPONSE_PORT);
    bool other_host = false;
    bool other_port = false;
    if (changes && stun_read_change(changes, &other_host, &other_port) != OK)
        return false;
    way->from = change(behavior, &way->from, other_host, other_port);
    if (!port)
        return true;
    /* a port, and perhaps two bytes that mean nothing */
    bool is_port = (port->value.size == 2 || port->value.size == 4) &&
                   (port->value.at[0] || port->value.at[1]) && !stun_find(msg, STUN_PADDING);
    if (is_port)
        way->to.port = (uint16_t)(port->value.at[0] << 8 | port->value.at[1]);
    return is_port;
}

static void add_padding(struct stun_writer *writer, const struct stun_msg *msg)
{
    static const uint8_t ZEROS[1024];
    const struct stun_attr *padding = stun_find(msg, STUN_PADDING);
    if (!padding || writer->capacity - writer->size < PADDING_LEAST_ROOM)
        return;
    size_t size = writer->capacity - writer->size - PADDING_LEAST_ROOM;
    size = size < padding->value.size ? size : padding->value.size;
    size = size < sizeof ZEROS ? size : sizeof ZEROS;
    stun_add(writer, STUN_PADDING, view_make(ZEROS, size / 4 * 4));
}

static void write_success(struct stun_writer *writer, const struct stun_behavior *behavior,
                          const struct stun_msg *msg, const struct address *from,
                          const struct address *at, const struct stun_way *way)
{
    struct address other = change(behavior, at, true, true);
    stun_add_address(writer, STUN_MAPPED_ADDRESS, from); /* for translators that rewrite it */
    stun_add_xor_address(writer, STUN_XOR_MAPPED_ADDRESS, from);
    stun_add_address(writer, STUN_RESPONSE_ORIGIN, &way->from);
    stun_add_address(writer, STUN_OTHER_ADDRESS, &other);
    add_padding(writer, msg);
}

size_t stun_behavior_answer(const struct stun_behavior *behavior, struct view bytes,
                            const struct address *from, const struct address *at, bool is_datagram,
                            struct metrics *metrics, uint8_t *out, size_t capacity,
                            struct stun_way *way)
{
    struct stun_msg msg;
    struct stun_writer writer;
    uint8_t unknown[STUN_ATTRS_MAX * 2];
    *way = (struct stun_way){ *at, *from };
    if (stun_read(bytes, &msg) != OK || msg.class != STUN_REQUEST || msg.method != STUN_BINDING) {
        metrics_add(metrics, METRIC_STUN_DROPPED, 1);
        return 0;
    }
    /* a stream has but one way back */
    size_t unknown_size = list_unknown(&msg, is_datagram, unknown);
    bool is_bad = !unknown_size && is_datagram && !read_way(behavior, &msg, way);
    bool is_refused = unknown_size || is_bad;
    stun_begin(&writer, out, capacity, is_refused ? STUN_ERROR : STUN_SUCCESS, STUN_BINDING,
               msg.transaction.at);
    if (is_bad)
        *way = (struct stun_way){ *at, *from };
    if (is_refused)
        stun_add_error(&writer, is_bad ? 400 : 420, VIEW(""));
    if (unknown_size)
        stun_add(&writer, STUN_UNKNOWN_ATTRIBUTES, view_make(unknown, unknown_size));
    if (!is_refused)
        write_success(&writer, behavior, &msg, from, at, way);
    if (msg.has_fingerprint)
        stun_add_fingerprint(&writer);
    if (writer.overflow) {
        metrics_add(metrics, METRIC_STUN_DROPPED, 1);
        return 0;
    }
    metrics_add(metrics, is_refused ? METRIC_STUN_REFUSED : METRIC_STUN_ANSWERED, 1);
    return writer.size;
}

int stun_server_stream(struct view bytes, const struct address *from, struct metrics *metrics,
                       uint8_t *out, size_t capacity, size_t *used, size_t *size)
{
    size_t message_size;
    int status = stun_size(bytes, &message_size);
    if (status == ERR_MORE)
        return ERR_MORE;
    if (status != OK || message_size > STUN_STREAM_MESSAGE_MAX) {
        metrics_add(metrics, METRIC_STUN_DROPPED, 1);
        return ERR_MALFORMED;
    }
    if (bytes.size < message_size)
        return ERR_MORE;
    *size = stun_server_datagram(view_slice(bytes, 0, message_size), from, metrics, out, capacity);
    *used = message_size;
    return OK;
}
