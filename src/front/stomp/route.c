#include "front/stomp/route.h"

#include "room/pattern.h"

#include <string.h>

#define CAPTURES_MAX 8

/* Text that grows in a route's bytes. */
struct text {
    struct stomp_route *route;
    size_t size;
    bool overflow;
};

static void add(struct text *text, struct view more)
{
    if (more.size > BROKER_NAME_MAX - text->size) {
        text->overflow = true;
        return;
    }
    if (more.size)
        memcpy(text->route->bytes + text->size, more.at, more.size);
    text->size += more.size;
}

static void finish(const struct text *text, enum stomp_route_kind kind)
{
    text->route->kind = text->overflow ? ROUTE_NOWHERE : kind;
    text->route->destination = view_make(text->route->bytes, text->size);
}

/* Whether `name` is what the template says, and what stood for each "*" of it. */
static bool capture(struct view template, struct view name, struct view captured[CAPTURES_MAX])
{
    struct view want, have;
    size_t count = 0;
    while (view_split(&template, '/', &want)) {
        if (!view_split(&name, '/', &have))
            return false;
        if (!view_equal(want, VIEW("*"))) {
            if (!view_equal(want, have))
                return false;
        } else if (have.size == 0 || count == CAPTURES_MAX) {
            return false;
        } else {
            captured[count++] = have;
        }
    }
    return !view_split(&name, '/', &have);
}

static void expand(struct view template, const struct view captured[CAPTURES_MAX],
                   struct stomp_route *route)
{
    struct text text = { .route = route };
    struct view segment;
    size_t count = 0;
    bool is_first = true;
    while (view_split(&template, '/', &segment)) {
        if (!is_first)
            add(&text, VIEW("/"));
        is_first = false;
        if (view_equal(segment, VIEW("*")) && count < CAPTURES_MAX)
            segment = captured[count++];
        add(&text, segment);
    }
    finish(&text, ROUTE_TOPIC);
}

static bool route_by_rename(const struct stomp_config *config, struct view destination,
                            struct stomp_route *route)
{
    for (uint32_t i = 0; i < config->rename_count; i++) {
        struct view captured[CAPTURES_MAX] = { 0 };
        if (!capture(view_of(config->renames[i].from), destination, captured))
            continue;
        expand(view_of(config->renames[i].to), captured, route);
        return true;
    }
    return false;
}

/* "/app" is a prefix of "/app/x", not of "/apple". */
static bool route_by_application(const struct stomp_config *config, struct view destination,
                                 struct stomp_route *route)
{
    for (uint32_t i = 0; i < config->application_count && config->broker_count; i++) {
        struct view prefix = view_of(config->application[i]);
        if (!view_starts(destination, prefix) || destination.size == prefix.size ||
            destination.at[prefix.size] != '/')
            continue;
        struct text text = { .route = route };
        add(&text, view_of(config->broker[0]));
        add(&text, view_slice(destination, prefix.size, destination.size));
        finish(&text, ROUTE_TOPIC);
        return true;
    }
    return false;
}

void stomp_route_send(const struct stomp_config *config, struct view destination,
                      struct stomp_route *route)
{
    route->kind = ROUTE_NOWHERE;
    route->destination = destination;
    if (destination.size > BROKER_NAME_MAX || route_by_rename(config, destination, route) ||
        route_by_application(config, destination, route))
        return;
    if (view_starts(destination, VIEW(STOMP_USER_PREFIX)))
        route->kind = ROUTE_USER;
    for (uint32_t i = 0; i < config->broker_count; i++)
        if (view_starts(destination, view_of(config->broker[i])))
            route->kind = ROUTE_TOPIC;
}

static bool is_at(const char *template, struct view destination, struct stomp_signal *signal)
{
    struct view captured[CAPTURES_MAX] = { 0 };
    if (!template || !capture(view_of(template), destination, captured))
        return false;
    signal->key = captured[0];
    signal->room = captured[1];
    return true;
}

bool stomp_route_signal(const struct stomp_config *config, struct view destination,
                        struct stomp_signal *signal)
{
    for (uint32_t i = 0; i < config->signals_count; i++) {
        const struct stomp_signals *signals = &config->signals[i];
        *signal = (struct stomp_signal){ .number = i };
        if (is_at(signals->offer, destination, signal))
            return true;
        signal->is_answer = is_at(signals->answer, destination, signal);
        signal->is_candidate = is_at(signals->candidate, destination, signal);
        if (signal->is_answer || signal->is_candidate)
            return true;
    }
    return false;
}

void stomp_route_to(const char *template, struct view key, struct view room,
                    struct stomp_route *route)
{
    const struct view captured[CAPTURES_MAX] = { key, room };
    expand(view_of(template), captured, route);
}

void stomp_route_subscribe(struct view destination, struct view user, struct stomp_route *route)
{
    struct view prefix = VIEW(STOMP_USER_PREFIX);
    struct text text = { .route = route };
    route->kind = ROUTE_TOPIC;
    route->destination = destination;
    if (!view_starts(destination, prefix))
        return;
    add(&text, prefix);
    add(&text, user);
    add(&text, VIEW("/"));
    add(&text, view_slice(destination, prefix.size, destination.size));
    finish(&text, ROUTE_USER);
}

struct view stomp_route_user_told(const struct stomp_route *route, uint8_t bytes[BROKER_NAME_MAX])
{
    struct view prefix = VIEW(STOMP_USER_PREFIX);
    struct view rest = view_slice(route->destination, prefix.size, BROKER_NAME_MAX);
    size_t name = view_find_byte(rest, '/');
    rest = view_slice(rest, name < rest.size ? name + 1 : name, rest.size);
    memcpy(bytes, prefix.at, prefix.size);
    if (rest.size)
        memcpy(bytes + prefix.size, rest.at, rest.size);
    return view_make(bytes, prefix.size + rest.size);
}

struct view stomp_route_room(const struct stomp_config *config, struct view destination)
{
    struct view captured[CAPTURES_MAX];
    for (uint32_t i = 0; i < config->room_count; i++) {
        if (!capture(view_of(config->rooms[i]), destination, captured))
            continue;
        size_t at = destination.size;
        while (at > 0 && destination.at[at - 1] != '/')
            at--;
        struct view room = view_slice(destination, at, destination.size);
        return pattern_is(room) ? (struct view){ NULL, 0 } : room;
    }
    return (struct view){ NULL, 0 };
}

bool stomp_user_valid(struct view name)
{
    return name.size > 0 && name.size <= 64 && !pattern_is(name) &&
           view_find_byte(name, '/') == name.size;
}
