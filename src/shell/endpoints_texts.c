#include "shell/endpoints_texts.h"

#include <stdio.h>
#include <string.h>

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

#define TEXT(type, member)                                                                         \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type, member, \
                           0, CYAML_UNLIMITED)
#define LIST(type, member, schema)                                                                 \
    CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type, member,   \
                         schema, 0, CYAML_UNLIMITED)
#define MAP(type, member, fields)                                                                  \
    CYAML_FIELD_MAPPING_PTR(#member, CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,            \
                            struct type, member, fields)

static const cyaml_schema_field_t limits_fields[] = {
    TEXT(limits_texts, sessions),
    TEXT(limits_texts, message),
    TEXT(limits_texts, queue),
    TEXT(limits_texts, rooms),
    TEXT(limits_texts, kept),
    TEXT(limits_texts, subscriptions),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t sockjs_fields[] = {
    TEXT(sockjs_texts, heartbeat),
    TEXT(sockjs_texts, disconnect),
    TEXT(sockjs_texts, response),
    TEXT(sockjs_texts, websocket),
    TEXT(sockjs_texts, cookie),
    TEXT(sockjs_texts, client_url),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t engine_fields[] = {
    TEXT(engine_texts, ping_interval),
    TEXT(engine_texts, ping_timeout),
    TEXT(engine_texts, eio3),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t socketio_fields[] = {
    LIST(socketio_texts, namespaces, &text_schema),
    TEXT(socketio_texts, connect_timeout),
    TEXT(socketio_texts, recovery),
    TEXT(socketio_texts, mediasoup),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t rename_fields[] = {
    TEXT(stomp_rename, from),
    TEXT(stomp_rename, to),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t rename_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct stomp_rename, rename_fields),
};
static const cyaml_schema_field_t signals_fields[] = {
    TEXT(stomp_signals, offer),
    TEXT(stomp_signals, answer),
    TEXT(stomp_signals, candidate),
    TEXT(stomp_signals, renewed),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t signals_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct stomp_signals, signals_fields),
};
static const cyaml_schema_field_t stomp_fields[] = {
    LIST(stomp_texts, broker, &text_schema),
    LIST(stomp_texts, application, &text_schema),
    LIST(stomp_texts, rename, &rename_schema),
    LIST(stomp_texts, rooms, &text_schema),
    LIST(stomp_texts, signals, &signals_schema),
    TEXT(stomp_texts, room_rule),
    TEXT(stomp_texts, heartbeat),
    TEXT(stomp_texts, door),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t rule_fields[] = {
    TEXT(rule_texts, on),    TEXT(rule_texts, to),          TEXT(rule_texts, when),
    TEXT(rule_texts, join),  TEXT(rule_texts, leave),       TEXT(rule_texts, field),
    TEXT(rule_texts, emit),  TEXT(rule_texts, say),         LIST(rule_texts, pick, &text_schema),
    TEXT(rule_texts, keep),  TEXT(rule_texts, acknowledge), TEXT(rule_texts, amplify),
    TEXT(rule_texts, close), TEXT(rule_texts, reason),      TEXT(rule_texts, signal),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t rule_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_texts, rule_fields),
};
static const cyaml_schema_field_t endpoint_fields[] = {
    TEXT(endpoint_texts, path),
    TEXT(endpoint_texts, carry),
    TEXT(endpoint_texts, speak),
    TEXT(endpoint_texts, topology),
    TEXT(endpoint_texts, enabled),
    TEXT(endpoint_texts, event_field),
    LIST(endpoint_texts, origins, &text_schema),
    LIST(endpoint_texts, rules, &rule_schema),
    MAP(endpoint_texts, limits, limits_fields),
    MAP(endpoint_texts, sockjs, sockjs_fields),
    MAP(endpoint_texts, engine, engine_fields),
    MAP(endpoint_texts, socketio, socketio_fields),
    MAP(endpoint_texts, stomp, stomp_fields),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t endpoint_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct endpoint_texts, endpoint_fields),
};
static const cyaml_schema_value_t endpoints_schema = {
    CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, struct endpoint_texts, &endpoint_schema, 0,
                         CYAML_UNLIMITED),
};

#undef TEXT
#undef LIST
#undef MAP

bool endpoints_has_node(const struct yaml_node *node)
{
    size_t size = strlen(ENDPOINTS_KEY);
    return strncmp(node->path, ENDPOINTS_KEY, size) == 0 &&
           (node->path[size] == '\0' || node->path[size] == '[' || node->path[size] == '.');
}

static const cyaml_schema_value_t *find_field(const cyaml_schema_field_t *fields, const char *name,
                                              size_t size)
{
    for (; fields->key; fields++)
        if (strlen(fields->key) == size && memcmp(fields->key, name, size) == 0)
            return &fields->value;
    return NULL;
}

/* What the schema says of a path; NULL: it knows no such key. */
static const cyaml_schema_value_t *find_schema(const char *path)
{
    const cyaml_schema_value_t *value = &endpoints_schema;
    path += strlen(ENDPOINTS_KEY);
    while (value && *path) {
        size_t size = 1 + strcspn(path + 1, ".[");
        if (*path == '[' && value->type == CYAML_SEQUENCE)
            value = value->sequence.entry;
        else if (*path == '.' && value->type == CYAML_MAPPING)
            value = find_field(value->mapping.fields, path + 1, size - 1);
        else
            value = NULL;
        path += size;
    }
    return value;
}

/* What is wrong with the kind of a value; NULL: nothing. */
static const char *wrong_kind(const struct yaml_node *node, const cyaml_schema_value_t *value)
{
    bool is_section = value->type == CYAML_MAPPING && value->flags & CYAML_FLAG_POINTER;
    if (node->kind == YAML_KIND_NONE)
        return is_section ? NULL : "no value";
    if (value->type == CYAML_SEQUENCE && node->kind != YAML_KIND_LIST)
        return "not a list; [] is the empty one";
    if (value->type == CYAML_MAPPING && node->kind != YAML_KIND_MAP)
        return "not a map of keys, like {key: value}";
    if (value->type == CYAML_STRING && node->kind != YAML_KIND_TEXT)
        return "not a single value";
    return NULL;
}

int endpoints_check_node(struct settings_reader *reader, const char *name,
                         const struct yaml_node *node)
{
    char source[SETTINGS_SOURCE_MAX];
    char key[YAML_PATH_MAX];
    char item[16] = "";
    const cyaml_schema_value_t *value = find_schema(node->path);
    if (value && node->item != YAML_NO_ITEM) {
        value = value->type == CYAML_SEQUENCE ? value->sequence.entry : NULL;
        snprintf(item, sizeof(item), "[%u]", node->item);
    }
    const char *wrong = value ? wrong_kind(node, value) : "unknown key";
    if (!wrong)
        return OK;
    settings_name_line(name, value ? node->line : node->key_line, source);
    yaml_printable(view_of(node->path), key, sizeof(key));
    return settings_refuse(reader, source, "%s%s: %s", key, item, wrong);
}
