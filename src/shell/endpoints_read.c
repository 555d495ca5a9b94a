/* One endpoint of a file: texts to struct endpoint_config. */
#include "shell/endpoints.h"
#include "shell/endpoints_options.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 80

const char *const endpoint_carrier_names[CARRIER_COUNT] = { "websocket", "sockjs", "engine.io" };
const char *const endpoint_speech_names[SPEECH_COUNT] = { "relay", "stomp", "socket.io" };

/* Paths that are the server's own, with all that is below them. */
static const char *const reserved_paths[] = {
    "/r", "/api", "/metrics", "/healthz", "/readyz", "/whip", "/whep", "/poll", "/receive-events",
};

static int refuse_text(const struct endpoint_reading *reading, const char *key, const char *text,
                       const char *why)
{
    char shown[SHOWN_MAX];
    yaml_printable(view_of(text), shown, sizeof(shown));
    return endpoint_refuse(reading, key, "\"%s\" %s", shown, why);
}

/* ---- the path ---- */

static bool is_below(const char *path, const char *parent)
{
    size_t size = strlen(parent);
    return strncmp(path, parent, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

static bool has_odd_segment(const char *path)
{
    struct view rest = view_of(path + 1);
    struct view segment;
    while (view_split(&rest, '/', &segment))
        if (segment.size == 0 || view_equal(segment, VIEW(".")) || view_equal(segment, VIEW("..")))
            return true;
    return false;
}

static const char *wrong_path(const char *path)
{
    size_t size = strlen(path);
    if (path[0] != '/' || size < 2)
        return "is not a path like /chat";
    if (path[size - 1] == '/')
        return "ends with a slash: paths below it are served as they are needed";
    if (size >= ENDPOINT_PATH_MAX)
        return "is longer than 127 bytes";
    for (size_t i = 0; i < size; i++)
        if (path[i] <= ' ' || path[i] >= 0x7f || strchr("?#%\\\"<>^`{|}*", path[i]))
            return "holds a character that paths don't have";
    if (has_odd_segment(path))
        return "has an empty part, or one of dots alone";
    for (size_t i = 0; i < sizeof(reserved_paths) / sizeof(reserved_paths[0]); i++)
        if (is_below(path, reserved_paths[i]))
            return "is one of the server's own";
    return NULL;
}

static int read_path(struct endpoint_reading *reading)
{
    const char *path = reading->texts->path;
    if (!path)
        return endpoint_refuse(reading, "", "path is missing");
    const char *wrong = wrong_path(path);
    if (wrong)
        return refuse_text(reading, "path", path, wrong);
    reading->config.path = path;
    return OK;
}

/* ---- carrier and speech ---- */

/* The number of a text in a list of names; `count` when it is none of them. */
static unsigned find_name(const char *text, const char *const *names, unsigned count)
{
    unsigned i = 0;
    while (i < count && strcmp(text, names[i]) != 0)
        i++;
    return i;
}

static int read_kinds(struct endpoint_reading *reading)
{
    static const enum speech_kind usual[CARRIER_COUNT] = { SPEECH_RELAY, SPEECH_STOMP,
                                                           SPEECH_SOCKETIO };
    const struct endpoint_texts *texts = reading->texts;
    unsigned carrier = CARRIER_WEBSOCKET;
    if (texts->carry)
        carrier = find_name(texts->carry, endpoint_carrier_names, CARRIER_COUNT);
    if (carrier == CARRIER_COUNT)
        return refuse_text(reading, "carry", texts->carry,
                           "is not one of websocket, sockjs, engine.io");
    unsigned speech = usual[carrier];
    if (texts->speak)
        speech = find_name(texts->speak, endpoint_speech_names, SPEECH_COUNT);
    if (speech == SPEECH_COUNT)
        return refuse_text(reading, "speak", texts->speak, "is not one of relay, stomp, socket.io");
    if (speech == SPEECH_SOCKETIO && carrier != CARRIER_ENGINE)
        return endpoint_refuse(reading, "speak", "socket.io needs carry: engine.io");
    if (speech == SPEECH_STOMP && carrier == CARRIER_ENGINE)
        return endpoint_refuse(reading, "speak", "stomp needs carry: websocket or carry: sockjs");
    reading->config.carrier = (enum carrier_kind)carrier;
    reading->config.speech = (enum speech_kind)speech;
    return OK;
}

static int read_topology(struct endpoint_reading *reading)
{
    static const char *const names[ENDPOINT_TOPOLOGIES] = { "mesh", "sfu" };
    const char *text = reading->texts->topology;
    unsigned topology = text ? find_name(text, names, ENDPOINT_TOPOLOGIES) : ENDPOINT_MESH;
    if (topology == ENDPOINT_TOPOLOGIES)
        return refuse_text(reading, "topology", text, "is not one of mesh, sfu");
    reading->config.topology = (enum endpoint_topology)topology;
    return OK;
}

/* Whether its table says what stand-ins are to take: offers, and behind them their answers. */
static bool has_signals(const struct endpoint_config *config)
{
    const struct rules *rules = &config->rules;
    bool has_offer = false;
    if (config->speech == SPEECH_STOMP)
        return config->stomp.signals_count > 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        if (has_offer && rules->items[i].signal == SIGNAL_ANSWER)
            return true;
        has_offer |= rules->items[i].signal == SIGNAL_OFFER;
    }
    return false;
}

int endpoint_check_topology(const struct endpoint_reading *reading,
                            const struct endpoint_config *config)
{
    const char *needed = config->speech == SPEECH_STOMP
                             ? "stomp.signals: where offers and answers are said"
                             : "rules with signal: offer and, behind it, answer";
    if (config->topology == ENDPOINT_SFU && !has_signals(config))
        return endpoint_refuse(reading, "topology", "sfu needs %s", needed);
    return OK;
}

/* ---- groups of options ---- */

static const void *group_texts(const struct endpoint_texts *texts, unsigned group)
{
    const void *const all[GROUP_COUNT] = {
        [GROUP_LIMITS] = texts->limits, [GROUP_SOCKJS] = texts->sockjs,
        [GROUP_ENGINE] = texts->engine, [GROUP_SOCKETIO] = texts->socketio,
        [GROUP_STOMP] = texts->stomp,
    };
    return all[group];
}

/* What a group needs that the endpoint has not; NULL: it belongs here. */
static const char *missing_for(const struct endpoint_config *config, unsigned group)
{
    if (group == GROUP_SOCKJS && config->carrier != CARRIER_SOCKJS)
        return "carry: sockjs";
    if (group == GROUP_ENGINE && config->carrier != CARRIER_ENGINE)
        return "carry: engine.io";
    if (group == GROUP_SOCKETIO && config->speech != SPEECH_SOCKETIO)
        return "speak: socket.io";
    if (group == GROUP_STOMP && config->speech != SPEECH_STOMP)
        return "speak: stomp";
    return NULL;
}

static int read_group(struct endpoint_reading *reading, unsigned number)
{
    const struct option_group *group = &option_groups[number];
    const char *texts = group_texts(reading->texts, number);
    const char *missing = missing_for(&reading->config, number);
    if (texts && missing)
        return endpoint_refuse(reading, group->name, "only together with %s", missing);
    for (uint32_t i = 0; i < group->count; i++) {
        const struct option *option = &group->options[i];
        char reason[OPTION_REASON_MAX];
        char key[YAML_PATH_MAX];
        const char *text = NULL;
        if (texts)
            memcpy(&text, texts + option->text, sizeof(text));
        if (option_put(option, text, &reading->config, reason) == OK)
            continue;
        snprintf(key, sizeof(key), "%s.%s", group->name, option->name);
        return endpoint_refuse(reading, key, "%s", reason);
    }
    return OK;
}

/* ---- lists of texts ---- */

/* What is wrong with an entry of a list; NULL: nothing. */
typedef const char *entry_check(const char *text);

static const char *wrong_origin(const char *text)
{
    const char *host = strstr(text, "://");
    if (strcmp(text, "*") == 0)
        return "is not an origin: an empty list admits any";
    if (strcmp(text, "null") == 0)
        return NULL; /* pages of files and sandboxes */
    if (!host || host == text || host[3] == '\0' || strpbrk(host + 3, "/?# "))
        return "is not an origin like https://example.org";
    return NULL;
}

static const char *wrong_prefix(const char *text)
{
    size_t size = strlen(text);
    if (text[0] != '/' || size < 2 || text[size - 1] == '/' || strpbrk(text, "* "))
        return "is not a prefix like /topic";
    return NULL;
}

static const char *wrong_template(const char *text)
{
    struct view rest = view_of(text);
    struct view segment;
    unsigned stars = 0;
    if (text[0] != '/')
        return "does not begin with a slash";
    while (view_split(&rest, '/', &segment)) {
        bool is_star = view_equal(segment, VIEW("*"));
        if (!is_star && view_find_byte(segment, '*') < segment.size)
            return "has a * that is not a whole part of it";
        stars += is_star;
    }
    return stars > 8 ? "has more than 8 *" : NULL;
}

static const char *wrong_room(const char *text)
{
    size_t size = strlen(text);
    const char *wrong = wrong_template(text);
    if (!wrong && (size < 2 || strcmp(text + size - 2, "/*") != 0))
        wrong = "does not end with /*, which stands for the room";
    return wrong;
}

static const char *wrong_namespace(const char *text)
{
    if (text[0] != '/' || strpbrk(text, ",? "))
        return "is not a namespace like / or /chat";
    return NULL;
}

static int check_list(const struct endpoint_reading *reading, const char *key, char *const *list,
                      uint32_t count, entry_check *check)
{
    char path[YAML_PATH_MAX];
    if (count > ENDPOINT_ENTRIES_MAX)
        return endpoint_refuse(reading, key, "more than %d entries", ENDPOINT_ENTRIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const char *wrong = check(list[i]);
        if (!wrong && strlen(list[i]) > ENDPOINT_TEXT_MAX)
            wrong = "is longer than 1024 bytes";
        if (!wrong)
            continue;
        snprintf(path, sizeof(path), "%s[%u]", key, i);
        return refuse_text(reading, path, list[i], wrong);
    }
    return OK;
}

static int read_origins(struct endpoint_reading *reading)
{
    const struct endpoint_texts *texts = reading->texts;
    reading->config.origins = (const char *const *)texts->origins;
    reading->config.origin_count = texts->origins_count;
    return check_list(reading, "origins", texts->origins, texts->origins_count, wrong_origin);
}

static int read_namespaces(struct endpoint_reading *reading)
{
    const struct socketio_texts *texts = reading->texts->socketio;
    if (!texts)
        return OK;
    reading->config.socketio.namespaces = (const char *const *)texts->namespaces;
    reading->config.socketio.namespace_count = texts->namespaces_count;
    return check_list(reading, "socketio.namespaces", texts->namespaces, texts->namespaces_count,
                      wrong_namespace);
}

/* ---- STOMP ---- */

static unsigned count_stars(const char *text)
{
    unsigned count = 0;
    for (; *text; text++)
        count += *text == '*';
    return count;
}

static int check_renames(const struct endpoint_reading *reading, const struct stomp_texts *texts)
{
    char key[YAML_PATH_MAX];
    if (texts->rename_count > ENDPOINT_ENTRIES_MAX)
        return endpoint_refuse(reading, "stomp.rename", "more than %d entries",
                               ENDPOINT_ENTRIES_MAX);
    for (uint32_t i = 0; i < texts->rename_count; i++) {
        const struct stomp_rename *rename = &texts->rename[i];
        snprintf(key, sizeof(key), "stomp.rename[%u]", i);
        if (!rename->from || !rename->to)
            return endpoint_refuse(reading, key, "%s is missing", rename->from ? "to" : "from");
        const char *wrong = wrong_template(rename->from);
        if (wrong)
            return refuse_text(reading, key, rename->from, wrong);
        wrong = wrong_template(rename->to);
        if (wrong)
            return refuse_text(reading, key, rename->to, wrong);
        if (count_stars(rename->from) != count_stars(rename->to))
            return endpoint_refuse(reading, key, "from and to have not as many * as each other");
    }
    return OK;
}

/* Where an offer or an answer is said: the last two parts are whom it is for, and the room. */
static const char *wrong_signal(const char *text)
{
    size_t size = strlen(text);
    const char *wrong = wrong_template(text);
    if (!wrong && (count_stars(text) != 2 || strcmp(text + size - 4, "/*/*") != 0))
        wrong = "does not end with /*/*, which stands for a key and the room, alone";
    return wrong;
}

static int check_signals(const struct endpoint_reading *reading, const struct stomp_texts *texts)
{
    char key[YAML_PATH_MAX];
    char reason[OPTION_REASON_MAX];
    bool is_renewed;
    if (texts->signals_count > ENDPOINT_ENTRIES_MAX)
        return endpoint_refuse(reading, "stomp.signals", "more than %d entries",
                               ENDPOINT_ENTRIES_MAX);
    for (uint32_t i = 0; i < texts->signals_count; i++) {
        const struct stomp_signals *signals = &texts->signals[i];
        snprintf(key, sizeof(key), "stomp.signals[%u]", i);
        if (!signals->offer || !signals->answer)
            return endpoint_refuse(reading, key, "%s is missing",
                                   signals->offer ? "answer" : "offer");
        if (wrong_signal(signals->offer))
            return refuse_text(reading, key, signals->offer, wrong_signal(signals->offer));
        if (wrong_signal(signals->answer))
            return refuse_text(reading, key, signals->answer, wrong_signal(signals->answer));
        if (signals->candidate && wrong_template(signals->candidate))
            return refuse_text(reading, key, signals->candidate,
                               wrong_template(signals->candidate));
        if (signals->renewed && option_read_switch(signals->renewed, &is_renewed, reason) != OK)
            return endpoint_refuse(reading, key, "%s", reason);
    }
    return OK;
}

static int read_stomp(struct endpoint_reading *reading)
{
    static const char *const brokers[] = { "/topic", "/queue" };
    static const char *const applications[] = { "/app" };
    static const struct stomp_texts none;
    struct stomp_config *config = &reading->config.stomp;
    const struct stomp_texts *texts = reading->texts->stomp ? reading->texts->stomp : &none;
    if (reading->config.speech != SPEECH_STOMP)
        return OK;
    config->broker = brokers;
    config->broker_count = 2;
    config->application = applications;
    config->application_count = 1;
    if (endpoint_has(reading, "stomp.broker")) {
        config->broker = (const char *const *)texts->broker;
        config->broker_count = texts->broker_count;
    }
    if (endpoint_has(reading, "stomp.application")) {
        config->application = (const char *const *)texts->application;
        config->application_count = texts->application_count;
    }
    config->renames = texts->rename;
    config->rename_count = texts->rename_count;
    config->signals = texts->signals;
    config->signals_count = texts->signals_count;
    config->rooms = (const char *const *)texts->rooms;
    config->room_count = texts->rooms_count;
    if (config->broker_count == 0)
        return endpoint_refuse(reading, "stomp.broker", "there must be one, at least");
    int status =
        check_list(reading, "stomp.broker", texts->broker, texts->broker_count, wrong_prefix);
    if (status == OK)
        status = check_list(reading, "stomp.application", texts->application,
                            texts->application_count, wrong_prefix);
    if (status == OK)
        status = check_list(reading, "stomp.rooms", texts->rooms, texts->rooms_count, wrong_room);
    if (status == OK)
        status = check_renames(reading, texts);
    return status == OK ? check_signals(reading, texts) : status;
}

/* ---- the whole ---- */

#define CLIENT_URL "https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js"

/* It stands in a page, between quotes. */
static int read_client_url(struct endpoint_reading *reading)
{
    const struct sockjs_texts *texts = reading->texts->sockjs;
    const char *url = texts && texts->client_url ? texts->client_url : CLIENT_URL;
    reading->config.sockjs.client_url = url;
    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at >= 0x7f || strchr("\"'<>&\\", *at) ||
            (size_t)(at - url) >= ENDPOINT_TEXT_MAX)
            return refuse_text(reading, "sockjs.client_url", url, "is not a URL");
    return OK;
}

static int read_enabled(struct endpoint_reading *reading, bool *is_enabled)
{
    char reason[OPTION_REASON_MAX];
    *is_enabled = true;
    if (reading->texts->enabled &&
        option_read_switch(reading->texts->enabled, is_enabled, reason) != OK)
        return endpoint_refuse(reading, "enabled", "%s", reason);
    return OK;
}

static int check_limits(const struct endpoint_reading *reading)
{
    const struct endpoint_limits *limits = &reading->config.limits;
    if (limits->queue_bytes < limits->message_bytes)
        return endpoint_refuse(reading, "limits.queue", "less than one message (limits.message)");
    return OK;
}

int endpoint_read(struct endpoint_reading *reading, bool *is_enabled)
{
    int status = read_path(reading);
    if (status == OK)
        status = read_kinds(reading);
    if (status == OK)
        status = read_topology(reading);
    if (status == OK)
        status = read_enabled(reading, is_enabled);
    for (unsigned i = 0; status == OK && i < GROUP_COUNT; i++)
        status = read_group(reading, i);
    if (status == OK)
        status = check_limits(reading);
    if (status == OK)
        status = read_origins(reading);
    if (status == OK)
        status = read_client_url(reading);
    if (status == OK)
        status = read_namespaces(reading);
    if (status == OK)
        status = read_stomp(reading);
    return status == OK ? endpoint_read_rules(reading) : status;
}

_Static_assert(ENDPOINT_PATH_MAX == 128 && ENDPOINT_TEXT_MAX == 1024,
               "the messages tell these limits");
