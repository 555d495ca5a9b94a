#include "wire/sockjs.h"

static const char *const TRANSPORTS[SOCKJS_PLACES] = {
    [SOCKJS_WEBSOCKET] = "websocket",
    [SOCKJS_XHR] = "xhr",
    [SOCKJS_XHR_SEND] = "xhr_send",
    [SOCKJS_XHR_STREAMING] = "xhr_streaming",
    [SOCKJS_EVENTSOURCE] = "eventsource",
    [SOCKJS_HTMLFILE] = "htmlfile",
    [SOCKJS_JSONP] = "jsonp",
    [SOCKJS_JSONP_SEND] = "jsonp_send",
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_small_letter(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

/* "iframe", what names a version, ".html" */
static bool is_iframe(struct view name)
{
    struct view end = VIEW(".html");
    if (!view_starts(name, VIEW("iframe")) || name.size < 6 + end.size ||
        !view_equal(view_slice(name, name.size - end.size, end.size), end))
        return false;
    for (size_t i = 6; i < name.size - end.size; i++) {
        uint8_t c = name.at[i];
        if (!is_digit(c) && !is_small_letter(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static bool is_name(struct view name)
{
    return name.size > 0 && view_find_byte(name, '.') == name.size;
}

enum sockjs_place sockjs_read_path(struct view path, struct view *session)
{
    struct view parts[3];
    size_t count = 0;
    if (path.size > 1 && path.at[path.size - 1] == '/')
        path.size--;
    else if (path.size == 0 || view_equal(path, VIEW("/")))
        return SOCKJS_GREETING;
    if (path.at[0] != '/')
        return SOCKJS_NOWHERE;
    path = view_slice(path, 1, path.size);
    while (count < 3 && view_split(&path, '/', &parts[count]))
        count++;
    if (path.at)
        return SOCKJS_NOWHERE;

    if (count == 1) {
        if (view_equal(parts[0], VIEW("info")))
            return SOCKJS_INFO;
        if (view_equal(parts[0], VIEW("websocket")))
            return SOCKJS_RAW_WEBSOCKET;
        return is_iframe(parts[0]) ? SOCKJS_IFRAME : SOCKJS_NOWHERE;
    }
    if (count != 3 || !is_name(parts[0]) || !is_name(parts[1]) ||
        parts[1].size > SOCKJS_SESSION_MAX)
        return SOCKJS_NOWHERE;
    for (unsigned place = SOCKJS_WEBSOCKET; place < SOCKJS_PLACES; place++) {
        if (!view_equal(parts[2], view_of(TRANSPORTS[place])))
            continue;
        *session = parts[1];
        return (enum sockjs_place)place;
    }
    return SOCKJS_NOWHERE;
}

bool sockjs_callback_valid(struct view callback)
{
    if (callback.size == 0 || callback.size > SOCKJS_CALLBACK_MAX)
        return false;
    for (size_t i = 0; i < callback.size; i++) {
        uint8_t c = callback.at[i];
        if (!is_digit(c) && !is_small_letter((uint8_t)(c | 0x20)) && c != '-' && c != '_' &&
            c != '.')
            return false;
    }
    return true;
}
