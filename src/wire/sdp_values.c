/* The values of attributes, taken apart. */
#include "wire/sdp.h"

#define PAYLOAD_TYPE_MAX 127

/* Takes what stands before the next `separator` off, or all that is left. */
static struct view take_until(struct view *rest, uint8_t separator)
{
    size_t size = view_find_byte(*rest, separator);
    struct view part = view_slice(*rest, 0, size);
    *rest = view_slice(*rest, size + 1, rest->size);
    return part;
}

static struct view take_word(struct view *rest)
{
    *rest = view_trim(*rest);
    struct view word = take_until(rest, ' ');
    *rest = view_trim(*rest);
    return word;
}

/* "payload_type SP rest"; "*" where `all` is set. */
static int read_format(struct view value, bool all, struct sdp_format *format)
{
    uint64_t number = SDP_ALL_PAYLOADS;
    struct view word = take_word(&value);
    if (!(all && view_equal(word, VIEW("*"))) && !view_read_number(word, PAYLOAD_TYPE_MAX, &number))
        return ERR_MALFORMED;
    *format = (struct sdp_format){ .payload_type = (uint8_t)number, .parameters = value };
    return OK;
}

int sdp_read_fmtp(struct view value, struct sdp_format *format)
{
    return read_format(value, false, format);
}

int sdp_read_rtcp_fb(struct view value, struct sdp_format *format)
{
    return read_format(value, true, format);
}

int sdp_read_rtpmap(struct view value, struct sdp_rtpmap *rtpmap)
{
    struct sdp_format format;
    uint64_t clock_rate;
    uint64_t channels = 1;
    if (read_format(value, false, &format) != OK)
        return ERR_MALFORMED;
    struct view rest = take_word(&format.parameters);
    struct view encoding = take_until(&rest, '/');
    bool has_channels = view_find_byte(rest, '/') < rest.size;
    struct view clock = take_until(&rest, '/');
    if (encoding.size == 0 || !view_read_number(clock, UINT32_MAX, &clock_rate) ||
        clock_rate == 0 || (has_channels && !view_read_number(rest, UINT8_MAX, &channels)))
        return ERR_MALFORMED;
    *rtpmap = (struct sdp_rtpmap){ .encoding = encoding,
                                   .clock_rate = (uint32_t)clock_rate,
                                   .payload_type = format.payload_type,
                                   .channels = (uint8_t)channels };
    return OK;
}

bool sdp_parameter(struct view parameters, struct view key, struct view *value)
{
    struct view part;
    while (view_split(&parameters, ';', &part)) {
        part = view_trim(part);
        struct view name = view_trim(take_until(&part, '='));
        if (!view_equal_nocase(name, key))
            continue;
        *value = view_trim(part);
        return true;
    }
    return false;
}

static bool read_direction(struct view word, uint8_t *direction)
{
    for (unsigned i = 0; i < 4; i++)
        if (view_equal(word, view_of(sdp_direction_name((enum sdp_direction)i)))) {
            *direction = (uint8_t)i;
            return true;
        }
    return false;
}

int sdp_read_extmap(struct view value, struct sdp_extmap *extmap)
{
    uint64_t id;
    uint8_t direction = SDP_SENDRECV;
    struct view word = take_word(&value);
    bool has_direction = view_find_byte(word, '/') < word.size;
    struct view number = take_until(&word, '/');
    struct view uri = take_word(&value);
    if (!view_read_number(number, 4095 + 255, &id) || id == 0 || uri.size == 0 ||
        (has_direction && !read_direction(word, &direction)))
        return ERR_MALFORMED;
    *extmap = (struct sdp_extmap){ .uri = uri, .id = (uint16_t)id, .direction = direction };
    return OK;
}

int sdp_read_ssrc(struct view value, struct sdp_ssrc *ssrc)
{
    uint64_t number;
    if (!view_read_number(take_word(&value), UINT32_MAX, &number))
        return ERR_MALFORMED;
    struct view attribute = take_until(&value, ':');
    *ssrc = (struct sdp_ssrc){ .ssrc = (uint32_t)number, .attribute = attribute, .value = value };
    return OK;
}

int sdp_read_ssrc_group(struct view value, struct view *semantics, struct view *numbers)
{
    struct view word = take_word(&value);
    if (!sdp_is_token(word))
        return ERR_MALFORMED;
    *semantics = word;
    *numbers = value;
    return OK;
}

bool sdp_next_ssrc(struct view *numbers, uint32_t *ssrc)
{
    uint64_t number;
    if (numbers->size == 0 || !view_read_number(take_word(numbers), UINT32_MAX, &number))
        return false;
    *ssrc = (uint32_t)number;
    return true;
}

static bool read_way(struct view word, uint8_t *direction)
{
    bool is_send = view_equal(word, VIEW("send"));
    if (!is_send && !view_equal(word, VIEW("recv")))
        return false;
    *direction = is_send ? SDP_SENDONLY : SDP_RECVONLY;
    return true;
}

int sdp_read_rid(struct view value, struct sdp_rid *rid)
{
    uint8_t direction;
    struct view id = take_word(&value);
    if (!sdp_is_token(id) || !read_way(take_word(&value), &direction))
        return ERR_MALFORMED;
    *rid = (struct sdp_rid){ .id = id, .restrictions = value, .direction = direction };
    return OK;
}

int sdp_read_simulcast(struct view value, enum sdp_direction direction, struct view *rids)
{
    struct view found = { NULL, 0 };
    while (value.size > 0) {
        uint8_t way;
        if (!read_way(take_word(&value), &way))
            return ERR_MALFORMED;
        struct view list = take_word(&value);
        if (list.size == 0)
            return ERR_MALFORMED;
        if (way == direction)
            found = list;
    }
    *rids = found;
    return OK;
}

bool sdp_next_rid(struct view *rids, struct view *rid, bool *paused)
{
    while (rids->size > 0) {
        struct view group = take_until(rids, ';');
        struct view one = take_until(&group, ',');
        *paused = one.size > 0 && one.at[0] == '~';
        one = view_slice(one, *paused ? 1 : 0, one.size);
        if (!sdp_is_token(one))
            continue;
        *rid = one;
        return true;
    }
    return false;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int sdp_read_fingerprint(struct view value, struct view hash, uint8_t *out, size_t size)
{
    if (!view_equal_nocase(take_word(&value), hash))
        return ERR_UNSUPPORTED;
    if (value.size != 3 * size - 1)
        return ERR_MALFORMED;
    for (size_t i = 0; i < value.size; i++)
        if (i % 3 == 2 ? value.at[i] != ':' : hex_digit(value.at[i]) < 0)
            return ERR_MALFORMED;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_digit(value.at[3 * i]) << 4 | hex_digit(value.at[3 * i + 1]));
    return OK;
}

enum sdp_setup sdp_read_setup(struct view value)
{
    value = view_trim(value);
    return view_equal(value, VIEW("actpass"))   ? SDP_SETUP_ACTPASS
           : view_equal(value, VIEW("active"))  ? SDP_SETUP_ACTIVE
           : view_equal(value, VIEW("passive")) ? SDP_SETUP_PASSIVE
                                                : SDP_SETUP_NONE;
}

int sdp_read_candidate(struct view value, struct sdp_candidate *candidate)
{
    struct sdp_candidate read = { 0 };
    uint64_t component, priority, port;
    if (view_starts(value, VIEW("candidate:")))
        value = view_slice(value, 10, value.size);
    struct view foundation = take_word(&value);
    bool has_component = view_read_number(take_word(&value), 256, &component);
    struct view protocol = take_word(&value);
    bool has_priority = view_read_number(take_word(&value), UINT32_MAX, &priority);
    struct view host = take_word(&value);
    bool has_port = view_read_number(take_word(&value), UINT16_MAX, &port);
    if (foundation.size == 0 || !has_component || !has_priority || !has_port ||
        !view_equal(take_word(&value), VIEW("typ")))
        return ERR_MALFORMED;
    read.type = take_word(&value);
    read.is_tcp = view_equal_nocase(protocol, VIEW("tcp"));
    if (read.type.size == 0)
        return ERR_MALFORMED;
    if ((!read.is_tcp && !view_equal_nocase(protocol, VIEW("udp"))) ||
        address_read_host(host, &read.address) != OK)
        return ERR_UNSUPPORTED;
    read.address.port = (uint16_t)port;
    read.priority = (uint32_t)priority;
    read.component = (uint16_t)component;
    *candidate = read;
    return OK;
}

int sdp_read_msid(struct view value, struct view *stream, struct view *track)
{
    struct view first = take_word(&value);
    if (!sdp_is_token(first))
        return ERR_MALFORMED;
    *stream = first;
    *track = take_word(&value);
    return OK;
}

bool sdp_is_token(struct view text)
{
    const struct view separators = VIEW("\"(),/:;<=>?@[]\\");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c <= ' ' || c >= 0x7f || view_find_byte(separators, c) < separators.size)
            return false;
    }
    return text.size > 0;
}
