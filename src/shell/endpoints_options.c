#include "shell/endpoints_options.h"

#include "shell/endpoints_texts.h"
#include "shell/yaml_outline.h"

#include <stdio.h>
#include <string.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define DAY (86400 * USEC_S)

#define ROW(kind, group, member, value, least, most, fallback)                                     \
    {                                                                                              \
#member, kind, offsetof(struct group##_texts, member),                                     \
            offsetof(struct endpoint_config, value), least, most, fallback                         \
    }

static const struct option limits_options[] = {
    ROW(OPTION_NUMBER, limits, sessions, limits.sessions, 1, 1000000, 65536),
    ROW(OPTION_SIZE, limits, message, limits.message_bytes, 1, ENDPOINT_MESSAGE_MAX, 64 * KIB),
    ROW(OPTION_SIZE, limits, queue, limits.queue_bytes, 4 * KIB, ENDPOINT_QUEUE_MAX, 1 * MIB),
    ROW(OPTION_NUMBER, limits, rooms, limits.rooms, 0, 1024, 16),
    ROW(OPTION_NUMBER, limits, subscriptions, limits.subscriptions, 1, 4096, 128),
    ROW(OPTION_NUMBER, limits, kept, limits.kept, 0, 1024, 64),
};
static const struct option sockjs_options[] = {
    ROW(OPTION_DURATION, sockjs, heartbeat, sockjs.heartbeat, USEC_S, DAY, 25 * USEC_S),
    ROW(OPTION_DURATION, sockjs, disconnect, sockjs.disconnect, USEC_S / 10, DAY, 5 * USEC_S),
    ROW(OPTION_SIZE, sockjs, response, sockjs.response_max, 1, 1024 * MIB, 128 * KIB),
    ROW(OPTION_SWITCH, sockjs, websocket, sockjs.websocket, 0, 1, true),
    ROW(OPTION_SWITCH, sockjs, cookie, sockjs.cookie_needed, 0, 1, false),
};
static const struct option engine_options[] = {
    ROW(OPTION_DURATION, engine, ping_interval, engine.ping_interval, USEC_S / 10, DAY,
        25 * USEC_S),
    ROW(OPTION_DURATION, engine, ping_timeout, engine.ping_timeout, USEC_S / 10, DAY, 20 * USEC_S),
    ROW(OPTION_SWITCH, engine, eio3, engine.eio3, 0, 1, true),
};
static const struct option socketio_options[] = {
    ROW(OPTION_DURATION, socketio, connect_timeout, socketio.connect_timeout, USEC_S / 10, DAY,
        45 * USEC_S),
    ROW(OPTION_DURATION, socketio, recovery, socketio.recovery, 0, DAY, 0),
    ROW(OPTION_SWITCH, socketio, mediasoup, socketio.mediasoup, 0, 1, false),
};
static const struct option stomp_options[] = {
    ROW(OPTION_SWITCH, stomp, room_rule, stomp.room_rule, 0, 1, true),
    ROW(OPTION_DURATION, stomp, heartbeat, stomp.heartbeat, 0, DAY, 10 * USEC_S),
    ROW(OPTION_SWITCH, stomp, door, stomp.door, 0, 1, false),
};

#undef ROW

#define GROUP(name)                                                                                \
    {                                                                                              \
#name, name##_options, sizeof(name##_options) / sizeof(name##_options[0])                  \
    }

const struct option_group option_groups[GROUP_COUNT] = {
    [GROUP_LIMITS] = GROUP(limits), [GROUP_SOCKJS] = GROUP(sockjs),
    [GROUP_ENGINE] = GROUP(engine), [GROUP_SOCKETIO] = GROUP(socketio),
    [GROUP_STOMP] = GROUP(stomp),
};

#undef GROUP

/* How large numbers are written. */
struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = { { "MiB", MIB }, { "KiB", KIB }, { "", 1 } };
static const struct unit duration_units[] = {
    { "ms", 1000 }, { "s", USEC_S }, { "m", 60 * USEC_S }, { "h", 3600 * USEC_S }
};
static const struct unit number_units[] = { { "", 1 } };

/* The units of a kind, largest first but for those that end like another. */
static const struct unit *units_of(enum option_kind kind, size_t *count)
{
    *count = 1;
    if (kind == OPTION_SIZE) {
        *count = sizeof(size_units) / sizeof(size_units[0]);
        return size_units;
    }
    if (kind == OPTION_DURATION) {
        *count = sizeof(duration_units) / sizeof(duration_units[0]);
        return duration_units;
    }
    return number_units;
}

static bool read_amount(struct view text, enum option_kind kind, uint64_t *value)
{
    size_t count;
    uint64_t number;
    const struct unit *units = units_of(kind, &count);
    if (kind == OPTION_DURATION && view_equal(text, VIEW("0"))) {
        *value = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(units[i].name);
        if (text.size <= size ||
            !view_equal(view_slice(text, text.size - size, text.size), view_of(units[i].name)))
            continue;
        if (!view_read_number(view_slice(text, 0, text.size - size), 1000000000, &number))
            return false;
        *value = number * units[i].factor;
        return true;
    }
    return false;
}

/* The value in the largest unit that leaves no rest. */
static void write_amount(uint64_t value, enum option_kind kind, char *out, size_t size)
{
    size_t count;
    const struct unit *units = units_of(kind, &count);
    const struct unit *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (value % units[i].factor == 0 && (!best || units[i].factor > best->factor))
            best = &units[i];
    if (!best || value == 0)
        snprintf(out, size, "%llu", (unsigned long long)value);
    else
        snprintf(out, size, "%llu%s", (unsigned long long)(value / best->factor), best->name);
}

int option_read_switch(const char *text, bool *value, char reason[OPTION_REASON_MAX])
{
    char shown[64];
    *value = strcmp(text, "true") == 0;
    if (*value || strcmp(text, "false") == 0)
        return OK;
    yaml_printable(view_of(text), shown, sizeof(shown));
    snprintf(reason, OPTION_REASON_MAX, "\"%s\" is not true or false", shown);
    return ERR_CONFIG;
}

int option_read_amount(enum option_kind kind, uint64_t least, uint64_t most, struct view text,
                       uint64_t *value, char reason[OPTION_REASON_MAX])
{
    static const char *const what[] = {
        [OPTION_NUMBER] = "a number",
        [OPTION_SIZE] = "a size (like 4096 or 64KiB)",
        [OPTION_DURATION] = "a duration (like 300ms, 25s or 2m)",
    };
    char shown[64];
    char from[32];
    char to[32];
    if (read_amount(text, kind, value) && *value >= least && *value <= most)
        return OK;
    yaml_printable(text, shown, sizeof(shown));
    write_amount(least, kind, from, sizeof(from));
    write_amount(most, kind, to, sizeof(to));
    snprintf(reason, OPTION_REASON_MAX, "\"%s\" is not %s from %s to %s", shown, what[kind], from,
             to);
    return ERR_CONFIG;
}

int option_put(const struct option *option, const char *text, struct endpoint_config *config,
               char reason[OPTION_REASON_MAX])
{
    void *member = (char *)config + option->value;
    uint64_t value = option->fallback;
    if (option->kind == OPTION_SWITCH) {
        bool is_on = value != 0;
        if (text && option_read_switch(text, &is_on, reason) != OK)
            return ERR_CONFIG;
        *(bool *)member = is_on;
        return OK;
    }
    if (text && option_read_amount(option->kind, option->least, option->most, view_of(text), &value,
                                   reason) != OK)
        return ERR_CONFIG;
    if (option->kind == OPTION_DURATION)
        *(usec *)member = value;
    else
        *(uint32_t *)member = (uint32_t)value;
    return OK;
}
