/* The rules of an endpoint: texts to struct rule, and whether the fields of one fit together. */
#include "shell/endpoints.h"
#include "shell/endpoints_options.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX  80
#define REASON_MAX 123 /* of a WebSocket's close */

static const char *const scope_names[] = { "nobody", "sender", "others", "all",
                                           "path",   "room",   "peer" };
static const char *const when_names[] = { "always", "alone", "others" };
static const char *const keep_names[] = { "nothing", "first", "more" };
static const char *const signal_names[] = { "nothing", "offer", "answer", "candidate" };

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

/* One rule while it is being read. */
struct reading {
    const struct endpoint_reading *of;
    uint32_t number;
    const struct rule_texts *texts;
    struct rule *rule;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct reading *reading,
                                                        const char *field, const char *format, ...)
{
    char key[YAML_PATH_MAX];
    char reason[SETTINGS_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    snprintf(key, sizeof(key), "rules[%u]%s%s", reading->number, *field ? "." : "", field);
    return endpoint_refuse(reading->of, key, "%s", reason);
}

/* ---- single fields ---- */

/* `list` is what the message tells of the names. */
static int read_name(const struct reading *reading, const char *field, const char *text,
                     const char *const *names, size_t count, const char *list, unsigned *value)
{
    char shown[SHOWN_MAX];
    *value = 0;
    if (!text)
        return OK;
    while (*value < count && strcmp(text, names[*value]) != 0)
        (*value)++;
    if (*value < count)
        return OK;
    yaml_printable(view_of(text), shown, sizeof(shown));
    return refuse(reading, field, "\"%s\" is not one of %s", shown, list);
}

static int read_names(struct reading *reading)
{
    const struct rule_texts *texts = reading->texts;
    struct rule *rule = reading->rule;
    unsigned to;
    unsigned when = 0;
    unsigned keep = 0;
    unsigned signal = 0;
    int status = read_name(reading, "to", texts->to, scope_names, COUNT(scope_names),
                           "nobody, sender, others, all, path, room, peer", &to);
    if (status == OK)
        status = read_name(reading, "when", texts->when, when_names, COUNT(when_names),
                           "always, alone, others", &when);
    if (status == OK)
        status = read_name(reading, "keep", texts->keep, keep_names, COUNT(keep_names),
                           "nothing, first, more", &keep);
    if (status == OK)
        status = read_name(reading, "signal", texts->signal, signal_names, COUNT(signal_names),
                           "nothing, offer, answer, candidate", &signal);
    if (status != OK)
        return status;
    rule->to = (enum rule_scope)to;
    rule->when = (enum rule_when)when;
    rule->keep = (enum rule_keep)keep;
    rule->signal = (enum rule_signal)signal;
    return OK;
}

static int read_switches(struct reading *reading)
{
    const struct rule_texts *texts = reading->texts;
    struct rule *rule = reading->rule;
    char reason[OPTION_REASON_MAX];
    if (texts->acknowledge && option_read_switch(texts->acknowledge, &rule->acknowledge, reason))
        return refuse(reading, "acknowledge", "%s", reason);
    if (texts->amplify && option_read_switch(texts->amplify, &rule->amplify, reason))
        return refuse(reading, "amplify", "%s", reason);
    return OK;
}

/* Codes that a server may close with on its own account (RFC 6455, section 7.4.2). */
static int read_close(struct reading *reading)
{
    const char *text = reading->texts->close;
    char shown[SHOWN_MAX];
    uint64_t code = 0;
    if (!text)
        return OK;
    if (!view_read_number(view_of(text), 4999, &code) || (code != 1000 && code < 3000)) {
        yaml_printable(view_of(text), shown, sizeof(shown));
        return refuse(reading, "close", "\"%s\" is not 1000 or a number from 3000 to 4999", shown);
    }
    reading->rule->close = (uint16_t)code;
    return OK;
}

/* The arguments of an event: one value of JSON, or some with commas between them. */
static bool is_json(const char *text)
{
    char list[ENDPOINT_TEXT_MAX + 3];
    const char *end = NULL;
    snprintf(list, sizeof(list), "[%s]", text);
    cJSON *tree = cJSON_ParseWithOpts(list, &end, 1);
    bool is_good = cJSON_IsArray(tree) && tree->child;
    cJSON_Delete(tree);
    return is_good;
}

static int read_texts(struct reading *reading)
{
    const struct rule_texts *texts = reading->texts;
    const struct {
        const char *field;
        const char *text;
    } all[] = {
        { "on", texts->on },     { "join", texts->join }, { "leave", texts->leave },
        { "emit", texts->emit }, { "say", texts->say },   { "field", texts->field },
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        if (all[i].text && all[i].text[0] == '\0')
            return refuse(reading, all[i].field, "is empty");
        if (all[i].text && strlen(all[i].text) > ENDPOINT_TEXT_MAX)
            return refuse(reading, all[i].field, "is longer than 1024 bytes");
    }
    if (!texts->on)
        return refuse(reading, "", "on is missing: which event is it about?");
    if (texts->say && !is_json(texts->say))
        return refuse(reading, "say", "is not JSON (in YAML, put '...' around it)");
    if (texts->reason && strlen(texts->reason) > REASON_MAX)
        return refuse(reading, "reason", "is longer than %d bytes", REASON_MAX);
    if (texts->pick_count > ENDPOINT_ENTRIES_MAX)
        return refuse(reading, "pick", "more than %d entries", ENDPOINT_ENTRIES_MAX);
    *reading->rule = (struct rule){
        .on = texts->on,
        .join = texts->join,
        .leave = texts->leave,
        .field = texts->field,
        .emit = texts->emit,
        .say = texts->say,
        .pick = (const char *const *)texts->pick,
        .pick_count = texts->pick_count,
        .reason = texts->reason,
    };
    return OK;
}

/* ---- fields together ---- */

static bool is_on(const struct rule *rule, const char *event)
{
    return strcmp(rule->on, event) == 0;
}

/* Rules of "open" and "close" have no message to pass on or to look into. */
static int check_own_events(const struct reading *reading)
{
    const struct rule *rule = reading->rule;
    if (rule->join)
        return refuse(reading, "join", "\"%s\" brings no message with fields", rule->on);
    if (rule->leave && strcmp(rule->leave, "*") != 0)
        return refuse(reading, "leave", "\"%s\" brings no message with fields", rule->on);
    if (rule->field || rule->pick_count)
        return refuse(reading, rule->field ? "field" : "pick",
                      "\"%s\" brings no message with fields", rule->on);
    if (rule->amplify || rule->acknowledge)
        return refuse(reading, rule->amplify ? "amplify" : "acknowledge",
                      "\"%s\" brings no message", rule->on);
    if (rule->to != TO_NOBODY && !rule->say && !rule->emit)
        return refuse(reading, "to", "\"%s\" brings no message: say tells what goes out", rule->on);
    if (is_on(rule, "close") && (rule->to == TO_SENDER || rule->close))
        return refuse(reading, rule->close ? "close" : "to", "the sender has gone");
    return OK;
}

static int check_scope(const struct reading *reading)
{
    const struct rule *rule = reading->rule;
    bool needs_field = rule->to == TO_ROOM || rule->to == TO_PEER;
    if (needs_field && !rule->field)
        return refuse(reading, "to", "%s needs field: where the %s is named", scope_names[rule->to],
                      rule->to == TO_ROOM ? "room" : "peer");
    if (!needs_field && rule->field)
        return refuse(reading, "field", "only together with to: room or to: peer");
    if (rule->to == TO_NOBODY && !rule->join && !rule->leave && !rule->close && !rule->acknowledge)
        return refuse(reading, "", "does nothing: to is missing (or join, leave, close)");
    if (rule->to == TO_NOBODY && (rule->emit || rule->say || rule->pick_count || rule->amplify))
        return refuse(reading, "", "changes what goes out, and to is missing");
    if (rule->keep && (rule->to == TO_NOBODY || rule->to == TO_SENDER || rule->to == TO_PEER))
        return refuse(reading, "keep", "only together with to: others, all, path or room");
    return OK;
}

static int check_change(const struct reading *reading)
{
    const struct rule *rule = reading->rule;
    const struct endpoint_config *config = &reading->of->config;
    bool is_socketio = config->speech == SPEECH_SOCKETIO;
    if (rule->say && (rule->pick_count || rule->amplify))
        return refuse(reading, "say", "not together with pick or amplify");
    if (rule->pick_count && rule->amplify)
        return refuse(reading, "amplify", "not together with pick");
    if (rule->acknowledge && !is_socketio)
        return refuse(reading, "acknowledge", "only with speak: socket.io");
    if (rule->amplify && is_socketio)
        return refuse(reading, "amplify", "only with speak: relay");
    if (rule->emit && !is_socketio && !config->rules.event_field)
        return refuse(reading, "emit", "needs event_field: where an event's name stands");
    if (!is_socketio && !config->rules.event_field && !is_on(rule, "*") && !is_on(rule, "open") &&
        !is_on(rule, "close"))
        return refuse(reading, "on", "needs event_field: where an event's name stands");
    if (rule->reason && !rule->close)
        return refuse(reading, "reason", "only together with close");
    return OK;
}

/* Stand-ins talk to whom the rule would reach, in its words. */
static int check_signal(const struct reading *reading)
{
    const struct rule *rule = reading->rule;
    if (!rule->signal)
        return OK;
    if (rule->to == TO_NOBODY || rule->to == TO_SENDER || rule->to == TO_PEER)
        return refuse(reading, "signal", "only together with to: others, all, path or room");
    if (is_on(rule, "*") || rule->say || rule->amplify)
        return refuse(reading, "signal", "not together with on: \"*\", say or amplify");
    return OK;
}

static int read_rule(struct reading *reading)
{
    int status = read_texts(reading);
    if (status == OK)
        status = read_names(reading);
    if (status == OK)
        status = read_switches(reading);
    if (status == OK)
        status = read_close(reading);
    if (status == OK)
        status = check_scope(reading);
    if (status == OK && (is_on(reading->rule, "open") || is_on(reading->rule, "close")))
        status = check_own_events(reading);
    if (status == OK)
        status = check_signal(reading);
    return status == OK ? check_change(reading) : status;
}

/* ---- all of them ---- */

static int read_event_field(struct endpoint_reading *reading)
{
    const char *field = reading->texts->event_field;
    if (!field)
        return OK;
    if (reading->config.speech != SPEECH_RELAY)
        return endpoint_refuse(reading, "event_field", "only with speak: relay");
    if (field[0] == '\0' || strlen(field) > ENDPOINT_TEXT_MAX)
        return endpoint_refuse(reading, "event_field", "is not the name of a field");
    reading->config.rules.event_field = field;
    return OK;
}

int endpoint_read_rules(struct endpoint_reading *reading)
{
    static const struct rule relay_all = { .on = "*", .to = TO_OTHERS };
    struct rules *rules = &reading->config.rules;
    uint32_t count = reading->texts->rules_count;
    bool has_rules = endpoint_has(reading, "rules");
    int status = read_event_field(reading);
    if (status != OK)
        return status;
    if (reading->config.speech == SPEECH_STOMP)
        return has_rules ? endpoint_refuse(reading, "rules",
                                           "stomp has none: its broker knows where messages go")
                         : OK;
    if (count > ENDPOINT_RULES_MAX)
        return endpoint_refuse(reading, "rules", "more than %d rules", ENDPOINT_RULES_MAX);
    struct rule *items = calloc(count ? count : 1, sizeof(*items));
    if (!items) {
        endpoint_refuse(reading, "rules", "%s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    rules->items = items;
    rules->count = has_rules ? count : 1;
    if (!has_rules)
        items[0] = relay_all;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct reading one = { reading, i, &reading->texts->rules[i], &items[i] };
        status = read_rule(&one);
    }
    return status;
}
