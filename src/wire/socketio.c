#include "wire/socketio.h"

#include <stdio.h>
#include <string.h>

static bool is_binary(enum socketio_type type)
{
    return type == SOCKETIO_BINARY_EVENT || type == SOCKETIO_BINARY_ACK;
}

/* Takes a number off the front of *rest; false when none stands there, or one over `most`. */
static bool take_number(struct view *rest, uint64_t most, uint64_t *number)
{
    size_t digits = 0;
    while (digits < rest->size && rest->at[digits] >= '0' && rest->at[digits] <= '9')
        digits++;
    if (!view_read_number(view_slice(*rest, 0, digits), most, number))
        return false;
    *rest = view_slice(*rest, digits, rest->size);
    return true;
}

static int take_attachments(struct view *rest, struct socketio_packet *packet)
{
    uint64_t count;
    if (!take_number(rest, UINT32_MAX, &count) || rest->size == 0 || rest->at[0] != '-')
        return ERR_MALFORMED;
    if (count > SOCKETIO_ATTACHMENTS_MAX)
        return ERR_LIMIT;
    packet->attachments = (unsigned)count;
    *rest = view_slice(*rest, 1, rest->size);
    return OK;
}

/* A namespace goes up to a comma, or to the end. */
static int take_namespace(struct view *rest, struct socketio_packet *packet)
{
    packet->name_space = VIEW("/");
    if (rest->size == 0 || rest->at[0] != '/')
        return OK;
    size_t size = view_find_byte(*rest, ',');
    struct view whole = view_slice(*rest, 0, size);
    size_t mark = view_find_byte(whole, '?');
    if (mark > SOCKETIO_NAMESPACE_MAX)
        return ERR_LIMIT;
    packet->name_space = view_slice(whole, 0, mark);
    packet->query = view_slice(whole, mark + 1, whole.size);
    *rest = view_slice(*rest, size + 1, rest->size);
    return OK;
}

static bool is_reserved(struct view event)
{
    static const char *const NAMES[] = { "connect",       "connect_error", "disconnect",
                                         "disconnecting", "newListener",   "removeListener" };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (view_equal(event, view_of(NAMES[i])))
            return true;
    return false;
}

/* The first argument of an event and what stands behind it.  The JSON has been checked. */
static int read_event(struct socketio_packet *packet)
{
    struct view inner = view_slice(packet->data, 1, packet->data.size - 2);
    struct view name;
    if (socketio_skip_value(&inner, -1, &name) != OK)
        return ERR_MALFORMED; /* an empty array */
    if (name.at[0] == '"')
        packet->event = view_slice(name, 1, name.size - 2);
    else if (name.at[0] != '-' && (name.at[0] < '0' || name.at[0] > '9'))
        return ERR_MALFORMED;
    if (is_reserved(packet->event))
        return ERR_MALFORMED;
    packet->rest = inner.size ? view_slice(inner, 1, inner.size) : inner;
    return OK;
}

static int read_data(struct view rest, struct socketio_packet *packet)
{
    uint8_t first = 0;
    if (rest.size) {
        int attachments = is_binary(packet->type) ? (int)packet->attachments : -1;
        int status = socketio_skip_value(&rest, attachments, &packet->data);
        if (status != OK)
            return status;
        if (rest.size)
            return ERR_MALFORMED;
        first = packet->data.at[0];
    }
    switch (packet->type) {
    case SOCKETIO_CONNECT:
        return first == '{' || first == 0 ? OK : ERR_MALFORMED;
    case SOCKETIO_DISCONNECT:
        return first == 0 ? OK : ERR_MALFORMED;
    case SOCKETIO_ERROR:
        return first == '{' || first == '"' ? OK : ERR_MALFORMED;
    case SOCKETIO_EVENT:
    case SOCKETIO_BINARY_EVENT:
        return first == '[' ? read_event(packet) : ERR_MALFORMED;
    case SOCKETIO_ACK:
    case SOCKETIO_BINARY_ACK:
        return first == '[' && packet->has_id ? OK : ERR_MALFORMED;
    }
    return ERR_MALFORMED;
}

int socketio_read(struct view text, struct socketio_packet *packet)
{
    struct socketio_packet read = { 0 };
    struct view rest = view_slice(text, 1, text.size);
    int status = OK;
    if (text.size == 0 || text.at[0] < '0' || text.at[0] > '0' + SOCKETIO_BINARY_ACK)
        return ERR_MALFORMED;
    read.type = (enum socketio_type)(text.at[0] - '0');
    if (is_binary(read.type))
        status = take_attachments(&rest, &read);
    if (status == OK)
        status = take_namespace(&rest, &read);
    if (status != OK)
        return status;
    if (rest.size && rest.at[0] >= '0' && rest.at[0] <= '9') {
        if (!take_number(&rest, SOCKETIO_ID_MAX, &read.id))
            return ERR_MALFORMED;
        read.has_id = true;
    }
    status = read_data(rest, &read);
    if (status == OK)
        *packet = read;
    return status;
}

int socketio_write(const struct socketio_packet *packet, uint8_t *out, size_t capacity,
                   size_t *size)
{
    char head[SOCKETIO_FRAMING_MAX];
    char id[24] = "";
    bool is_named = packet->name_space.size > 1;
    int head_size = is_binary(packet->type)
                        ? snprintf(head, sizeof head, "%d%u-", packet->type, packet->attachments)
                        : snprintf(head, sizeof head, "%d", packet->type);
    int id_size =
        packet->has_id ? snprintf(id, sizeof id, "%llu", (unsigned long long)packet->id) : 0;
    struct view parts[] = { view_make(head, (size_t)head_size),
                            is_named ? packet->name_space : VIEW(""),
                            is_named ? VIEW(",") : VIEW(""), view_make(id, (size_t)id_size),
                            packet->data };
    size_t written = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > capacity - written)
            return ERR_LIMIT;
        if (parts[i].size)
            memcpy(out + written, parts[i].at, parts[i].size);
        written += parts[i].size;
    }
    *size = written;
    return OK;
}
