#include "agent/stun_server.h"

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
static size_t list_unknown(const struct stun_msg *msg, uint8_t out[STUN_ATTRS_MAX * 2])
{
    size_t size = 0;
    for (uint32_t i = 0; i < msg->attr_count; i++) {
        uint16_t type = msg->attrs[i].type;
        bool is_listed = false;
        for (size_t j = 0; j < size; j += 2)
            is_listed = is_listed || (out[j] << 8 | out[j + 1]) == type;
        if (is_known(type) || is_listed)
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
    size_t unknown_size = list_unknown(&msg, unknown);
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
