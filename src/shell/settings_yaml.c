#include "shell/endpoints.h"
#include "shell/settings_reader.h"
#include "shell/yaml_outline.h"

#include <assert.h>
#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>

/* What a file holds: texts and lists of them, as libcyaml fills it in.  The small sections share a
 * shape, and each uses the members that its keys need. */
struct section {
    char **list;
    unsigned list_count;
    char *first, *second, *third, *fourth, *fifth, *sixth;
};

struct turn_section {
    char **listen, **tls_listen, **users, **allow_peers, **servers;
    unsigned listen_count, tls_listen_count, users_count, allow_peers_count, servers_count;
    char *relay_ports, *realm, *allocations_per_user, *allocations_per_prefix;
    char *bandwidth_allocation, *bandwidth_all, *lifetime, *credential_lifetime;
    char *behavior_discovery;
};

struct document {
    struct section *http;
    struct section *https;
    struct section *rtc;
    struct turn_section *turn;
    struct section *auth;
    struct section *admin;
    struct section *rooms;
    struct section *state;
    struct section *log;
    char *workers;
    struct endpoint_texts *endpoints;
    uint32_t endpoints_count;
};

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

#define LIST_OF(key, type, member)                                                                 \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member,              \
                         &text_schema, 0, CYAML_UNLIMITED)
#define LIST(key) LIST_OF(key, struct section, list)
#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,         \
                           CYAML_UNLIMITED)
#define SECTION(key, member, fields)                                                               \
    CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,                \
                            struct document, member, fields)

#define FIELDS(name, ...)                                                                          \
    static const cyaml_schema_field_t name[] = { __VA_ARGS__, CYAML_FIELD_END }
FIELDS(listen_fields, LIST("listen"));
FIELDS(https_fields, LIST("listen"), TEXT("cert", struct section, first),
       TEXT("key", struct section, second));
FIELDS(rtc_fields, LIST("public_ip"), TEXT("port", struct section, first));
static const cyaml_schema_field_t turn_fields[] = {
#define TURN_LIST(member) LIST_OF(#member, struct turn_section, member)
#define TURN_TEXT(member) TEXT(#member, struct turn_section, member)
    TURN_LIST(listen),
    TURN_LIST(tls_listen),
    TURN_LIST(users),
    TURN_LIST(allow_peers),
    TURN_LIST(servers),
    TURN_TEXT(relay_ports),
    TURN_TEXT(realm),
    TURN_TEXT(allocations_per_user),
    TURN_TEXT(allocations_per_prefix),
    TURN_TEXT(bandwidth_allocation),
    TURN_TEXT(bandwidth_all),
    TURN_TEXT(lifetime),
    TURN_TEXT(credential_lifetime),
    TURN_TEXT(behavior_discovery),
    CYAML_FIELD_IGNORE("secret", CYAML_FLAG_OPTIONAL), /* put_secrets */
    CYAML_FIELD_END,
#undef TURN_LIST
#undef TURN_TEXT
};
/* put_secrets */
FIELDS(auth_fields, CYAML_FIELD_IGNORE("secret", CYAML_FLAG_OPTIONAL));
FIELDS(admin_fields, TEXT("pcap", struct section, first),
       CYAML_FIELD_IGNORE("token", CYAML_FLAG_OPTIONAL));
FIELDS(rooms_fields, TEXT("topology", struct section, first),
       TEXT("members", struct section, second), TEXT("spread_from", struct section, third),
       TEXT("last_n", struct section, fourth), TEXT("loudest_n", struct section, fifth),
       TEXT("camera", struct section, sixth));
FIELDS(log_fields, TEXT("level", struct section, first), TEXT("format", struct section, second));
FIELDS(state_fields, TEXT("dir", struct section, first));
static const cyaml_schema_field_t document_fields[] = {
    SECTION("http", http, listen_fields),
    SECTION("https", https, https_fields),
    SECTION("rtc", rtc, rtc_fields),
    SECTION("turn", turn, turn_fields),
    SECTION("auth", auth, auth_fields),
    SECTION("admin", admin, admin_fields),
    SECTION("rooms", rooms, rooms_fields),
    SECTION("state", state, state_fields),
    SECTION("log", log, log_fields),
    TEXT("workers", struct document, workers),
    CYAML_FIELD_SEQUENCE(ENDPOINTS_KEY, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document,
                         endpoints, &endpoint_schema, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t document_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, document_fields),
};

/* The secrets of one section alone, as a list and as a text. */
struct secret_document {
    struct section *section;
};
FIELDS(secrets_fields, LIST("secret"));
FIELDS(secret_fields, TEXT("secret", struct section, first));
FIELDS(tokens_fields, LIST("token"));
FIELDS(token_fields, TEXT("token", struct section, first));
#define SECRET_SECTION(key, fields)                                                                \
    {                                                                                              \
        CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,            \
                                struct secret_document, section, fields),                          \
            CYAML_FIELD_END                                                                        \
    }
#define SECRET_SCHEMA(fields)                                                                      \
    {                                                                                              \
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct secret_document, fields)                    \
    }
static const cyaml_schema_field_t turn_secrets_fields[] = SECRET_SECTION("turn", secrets_fields);
static const cyaml_schema_field_t turn_secret_fields[] = SECRET_SECTION("turn", secret_fields);
static const cyaml_schema_field_t auth_secrets_fields[] = SECRET_SECTION("auth", secrets_fields);
static const cyaml_schema_field_t auth_secret_fields[] = SECRET_SECTION("auth", secret_fields);
static const cyaml_schema_field_t admin_tokens_fields[] = SECRET_SECTION("admin", tokens_fields);
static const cyaml_schema_field_t admin_token_fields[] = SECRET_SECTION("admin", token_fields);

static const struct {
    enum setting_key key;
    cyaml_schema_value_t list, text;
} secret_schemas[] = {
    { KEY_TURN_SECRET, SECRET_SCHEMA(turn_secrets_fields), SECRET_SCHEMA(turn_secret_fields) },
    { KEY_AUTH_SECRET, SECRET_SCHEMA(auth_secrets_fields), SECRET_SCHEMA(auth_secret_fields) },
    { KEY_ADMIN_TOKEN, SECRET_SCHEMA(admin_tokens_fields), SECRET_SCHEMA(admin_token_fields) },
};
#define SECRET_KEYS (sizeof(secret_schemas) / sizeof(secret_schemas[0]))

/* A list alone, for the environment and --set. */
static const cyaml_schema_value_t list_schema = {
    CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, char *, &text_schema, 0, CYAML_UNLIMITED),
};

#undef ONE_FIELD
#undef SECRET_SECTION
#undef SECRET_SCHEMA
#undef LIST_OF
#undef TWO_TEXTS
#undef LIST
#undef TEXT
#undef SECTION

void settings_name_line(const char *name, uint32_t line, char out[SETTINGS_SOURCE_MAX])
{
    char shown[SETTINGS_SOURCE_MAX - 16];
    yaml_printable(view_of(name), shown, sizeof(shown));
    snprintf(out, SETTINGS_SOURCE_MAX, "%s:%u", shown, line);
}

struct cyaml_words {
    char text[160];
};

/* Keeps the first line that libcyaml says. */
static void keep_words(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct cyaml_words *words = context;
    char line[160];
    (void)level;
    if (words->text[0])
        return;
    vsnprintf(line, sizeof(line), format, arguments);
    yaml_printable(view_trim(view_make(line, strcspn(line, "\n"))), words->text,
                   sizeof(words->text));
}

static const cyaml_config_t *cyaml_configuration(struct cyaml_words *words, cyaml_config_t *config)
{
    words->text[0] = '\0';
    *config = (cyaml_config_t){ .log_fn = keep_words,
                                .log_ctx = words,
                                .mem_fn = cyaml_mem,
                                .log_level = CYAML_LOG_ERROR,
                                .flags = CYAML_CFG_NO_ALIAS };
    return config;
}

/* Loads a text that the outline approved: what libcyaml still refuses is memory, or a mistake of
 * ours in the schema. */
static int load(struct settings_reader *reader, const char *source, struct view yaml,
                const cyaml_schema_value_t *schema, cyaml_cfg_flags_t flags, void **out,
                unsigned *count)
{
    struct cyaml_words words;
    cyaml_config_t config;
    cyaml_configuration(&words, &config);
    config.flags |= flags;
    cyaml_err_t refused = cyaml_load_data(yaml.at, yaml.size, &config, schema, out, count);
    if (refused == CYAML_OK)
        return OK;
    settings_refuse(reader, source, "%s", words.text[0] ? words.text : cyaml_strerror(refused));
    return refused == CYAML_ERR_OOM ? ERR_MEMORY : ERR_CONFIG;
}

static void unload(const cyaml_schema_value_t *schema, void *data, unsigned count)
{
    struct cyaml_words words;
    cyaml_config_t config;
    cyaml_free(cyaml_configuration(&words, &config), schema, data, count);
}

static bool is_section(const char *path)
{
    size_t size = strlen(path);
    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (strncmp(settings_table[i].name, path, size) == 0 && settings_table[i].name[size] == '.')
            return true;
    return false;
}

/* An entry of a list that should be a text. */
static int check_entry(struct settings_reader *reader, const char *source,
                       const struct yaml_node *node)
{
    if (node->kind == YAML_KIND_NONE)
        return settings_refuse(reader, source, "%s: entry %u is empty", node->path, node->item + 1);
    if (node->kind != YAML_KIND_TEXT)
        return settings_refuse(
            reader, source, "%s: entry %u is not a text (an IPv6 address needs quotes around it)",
            node->path, node->item + 1);
    return OK;
}

static int check_node(struct settings_reader *reader, const char *name,
                      const struct yaml_node *node)
{
    enum setting_key key;
    char source[SETTINGS_SOURCE_MAX];
    char path[YAML_PATH_MAX];

    settings_name_line(name, node->line, source);
    if (node->path[0] == '\0') {
        if (node->kind == YAML_KIND_MAP || node->kind == YAML_KIND_NONE)
            return OK;
        return settings_refuse(reader, source, "not a map of keys, like \"http:\"");
    }
    if (endpoints_has_node(node))
        return endpoints_check_node(reader, name, node);
    if (node->item != YAML_NO_ITEM)
        return check_entry(reader, source, node);
    if (is_section(node->path)) {
        if (node->kind == YAML_KIND_MAP || node->kind == YAML_KIND_NONE)
            return OK;
        return settings_refuse(reader, source,
                               "%s: its keys belong on lines of their own, indented", node->path);
    }
    const struct setting *setting = settings_find(view_of(node->path), &key);
    if (!setting) {
        settings_name_line(name, node->key_line, source);
        yaml_printable(view_of(node->path), path, sizeof(path));
        return settings_refuse(reader, source, "%s: unknown key", path);
    }
    bool is_one = setting->kind == SETTING_SECRETS && node->kind == YAML_KIND_TEXT;
    if (setting_is_list(setting) && node->kind != YAML_KIND_LIST && !is_one)
        return settings_refuse(reader, source, "%s: not a list, like [\"%s\"]; [] is the empty one",
                               node->path, setting_example(setting));
    if (node->kind == YAML_KIND_NONE)
        return settings_refuse(reader, source, "%s: no value", node->path);
    if (!setting_is_list(setting) && node->kind != YAML_KIND_TEXT)
        return settings_refuse(reader, source, "%s: not a single value", node->path);
    return OK;
}

/* Where the document has a key's texts. */
struct texts_place {
    size_t section; /* the pointer to the section, in the document; NO_SECTION: in none */
    size_t texts;   /* in the section: the text, or the pointer to the list */
    size_t count;   /* of the list */
};

#define NO_SECTION SIZE_MAX

static const struct texts_place places[KEY_COUNT] = {
#define AT_TEXT(section, type, member)                                                             \
    {                                                                                              \
        offsetof(struct document, section), offsetof(type, member), 0                              \
    }
#define AT_LIST(section, type, member)                                                             \
    {                                                                                              \
        offsetof(struct document, section), offsetof(type, member), offsetof(type, member##_count) \
    }
#define AT_TURN(member) AT_TEXT(turn, struct turn_section, member)
    [KEY_HTTP_LISTEN] = AT_LIST(http, struct section, list),
    [KEY_HTTPS_LISTEN] = AT_LIST(https, struct section, list),
    [KEY_HTTPS_CERT] = AT_TEXT(https, struct section, first),
    [KEY_HTTPS_KEY] = AT_TEXT(https, struct section, second),
    [KEY_RTC_PORT] = AT_TEXT(rtc, struct section, first),
    [KEY_RTC_PUBLIC_IP] = AT_LIST(rtc, struct section, list),
    [KEY_TURN_LISTEN] = AT_LIST(turn, struct turn_section, listen),
    [KEY_TURN_TLS_LISTEN] = AT_LIST(turn, struct turn_section, tls_listen),
    [KEY_TURN_RELAY_PORTS] = AT_TURN(relay_ports),
    [KEY_TURN_USERS] = AT_LIST(turn, struct turn_section, users),
    [KEY_TURN_REALM] = AT_TURN(realm),
    [KEY_TURN_ALLOW_PEERS] = AT_LIST(turn, struct turn_section, allow_peers),
    [KEY_TURN_SERVERS] = AT_LIST(turn, struct turn_section, servers),
    [KEY_TURN_ALLOCATIONS_PER_USER] = AT_TURN(allocations_per_user),
    [KEY_TURN_ALLOCATIONS_PER_PREFIX] = AT_TURN(allocations_per_prefix),
    [KEY_TURN_BANDWIDTH_ALLOCATION] = AT_TURN(bandwidth_allocation),
    [KEY_TURN_BANDWIDTH_ALL] = AT_TURN(bandwidth_all),
    [KEY_TURN_LIFETIME] = AT_TURN(lifetime),
    [KEY_TURN_CREDENTIAL_LIFETIME] = AT_TURN(credential_lifetime),
    [KEY_TURN_BEHAVIOR_DISCOVERY] = AT_TURN(behavior_discovery),
    [KEY_ADMIN_PCAP] = AT_TEXT(admin, struct section, first),
    [KEY_ROOMS_TOPOLOGY] = AT_TEXT(rooms, struct section, first),
    [KEY_ROOMS_MEMBERS] = AT_TEXT(rooms, struct section, second),
    [KEY_ROOMS_SPREAD_FROM] = AT_TEXT(rooms, struct section, third),
    [KEY_ROOMS_LAST_N] = AT_TEXT(rooms, struct section, fourth),
    [KEY_ROOMS_LOUDEST_N] = AT_TEXT(rooms, struct section, fifth),
    [KEY_ROOMS_CAMERA] = AT_TEXT(rooms, struct section, sixth),
    [KEY_STATE_DIR] = AT_TEXT(state, struct section, first),
    [KEY_WORKERS] = { NO_SECTION, offsetof(struct document, workers), 0 },
    [KEY_LOG_LEVEL] = AT_TEXT(log, struct section, first),
    [KEY_LOG_FORMAT] = AT_TEXT(log, struct section, second),
#undef AT_TEXT
#undef AT_LIST
#undef AT_TURN
};

/* The texts that the document has for a key: one, or as many as its outline has entries. */
static char *const *texts_of(const struct document *document, enum setting_key key)
{
    const struct texts_place *place = &places[key];
    const char *section = (const char *)document;
    if (place->section != NO_SECTION)
        section = *(const char *const *)(section + place->section);
    const void *texts = section + place->texts;
    return setting_is_list(&settings_table[key]) ? *(char *const *const *)texts : texts;
}

/* Sets one key from its texts; `node` is its value's. */
static int put_texts(struct settings_reader *reader, const char *name, enum setting_key key,
                     const struct yaml_node *node, char *const *texts)
{
    char source[SETTINGS_SOURCE_MAX];
    settings_name_line(name, node->line, source);
    if (node->item != YAML_NO_ITEM)
        return settings_put(reader, source, key, view_of(texts[node->item]));
    settings_begin(reader, source, key);
    if (node->kind == YAML_KIND_TEXT)
        return settings_put(reader, source, key, view_of(texts[0]));
    return OK;
}

/* Takes over all keys that the outline has, in its order. */
static int put_document(struct settings_reader *reader, const char *name,
                        const struct document *document, const struct yaml_outline *outline)
{
    int status = OK;
    for (uint32_t i = 0; i < outline->count && status == OK; i++) {
        const struct yaml_node *node = &outline->nodes[i];
        enum setting_key key;
        if (settings_find(view_of(node->path), &key) && settings_table[key].kind != SETTING_SECRETS)
            status = put_texts(reader, name, key, node, texts_of(document, key));
    }
    return status;
}

/* Keys that may be a list or a text are read by themselves: libcyaml wants to know which. */
static int put_secrets(struct settings_reader *reader, const char *name, struct view yaml,
                       const struct yaml_outline *outline, size_t i)
{
    enum setting_key key = secret_schemas[i].key;
    const char *path = settings_table[key].name;
    const struct yaml_node *whole = yaml_outline_find(outline, path, YAML_NO_ITEM);
    void *loaded = NULL;
    if (!whole)
        return OK;
    bool is_list = whole->kind == YAML_KIND_LIST;
    const cyaml_schema_value_t *schema =
        is_list ? &secret_schemas[i].list : &secret_schemas[i].text;
    int status = load(reader, name, yaml, schema, CYAML_CFG_IGNORE_UNKNOWN_KEYS, &loaded, NULL);
    if (status != OK)
        return status;
    const struct section *section = ((struct secret_document *)loaded)->section;
    for (uint32_t n = 0; n < outline->count && status == OK; n++)
        if (strcmp(outline->nodes[n].path, path) == 0)
            status = put_texts(reader, name, key, &outline->nodes[n],
                               is_list ? section->list : &section->first);
    unload(schema, loaded, 0);
    return status;
}

static int read_outline(struct settings_reader *reader, const char *name, struct view yaml,
                        struct yaml_outline *outline)
{
    struct yaml_problem problem;
    char source[SETTINGS_SOURCE_MAX];
    int status = yaml_outline_read(yaml, outline, &problem);
    if (status == ERR_MEMORY) {
        settings_refuse(reader, name, "%s", status_text(status));
    } else if (status != OK) {
        settings_name_line(name, problem.line, source);
        status = settings_refuse(reader, source, "%s", problem.reason);
    }
    return status;
}

/* Reads a whole document, and, for an endpoint, keeps it: the texts are used as they stand. */
static int read_document(struct settings_reader *reader, const char *name, struct view yaml,
                         bool is_built_in)
{
    struct yaml_outline outline;
    void *loaded = NULL;
    int status = read_outline(reader, name, yaml, &outline);

    for (uint32_t i = 0; status == OK && i < outline.count; i++)
        status = check_node(reader, name, &outline.nodes[i]);
    if (status != OK || outline.count == 0 || outline.nodes[0].kind == YAML_KIND_NONE)
        return status;
    status = load(reader, name, yaml, &document_schema, 0, &loaded, NULL);
    if (status != OK)
        return status;
    const struct document *document = loaded;
    status = put_document(reader, name, document, &outline);
    for (size_t i = 0; i < SECRET_KEYS && status == OK; i++)
        status = put_secrets(reader, name, yaml, &outline, i);
    if (status != OK || document->endpoints_count == 0) {
        settings_unload_yaml(loaded);
        return status;
    }
    if (!is_built_in)
        status = settings_read_endpoints(reader);
    if (status != OK) {
        settings_unload_yaml(loaded);
        return status;
    }
    assert(reader->endpoints->document_count < ENDPOINT_SOURCES_MAX);
    reader->endpoints->documents[reader->endpoints->document_count++] = loaded;
    return endpoints_add(reader, name, is_built_in, &outline, document->endpoints,
                         document->endpoints_count);
}

int settings_read_yaml(struct settings_reader *reader, const char *name, struct view yaml)
{
    return read_document(reader, name, yaml, false);
}

void settings_unload_yaml(void *document)
{
    unload(&document_schema, document, 0);
}

int settings_read_endpoints(struct settings_reader *reader)
{
    if (reader->endpoints)
        return OK;
    reader->endpoints = endpoints_new();
    if (!reader->endpoints) {
        settings_refuse(reader, ENDPOINTS_KEY, "%s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    return read_document(reader, ENDPOINTS_BUILT_IN_NAME, endpoints_built_in(), true);
}

int settings_read_flow(struct settings_reader *reader, const char *source, enum setting_key key,
                       struct view yaml)
{
    struct yaml_outline outline;
    struct yaml_problem problem;
    const char *name = settings_table[key].name;
    void *texts = NULL;
    unsigned count = 0;
    int status = yaml_outline_read(yaml, &outline, &problem);

    if (status != OK)
        return settings_refuse(reader, source, "%s: %s", name,
                               status == ERR_MEMORY ? status_text(status) : problem.reason);
    if (outline.nodes[0].kind != YAML_KIND_LIST)
        return settings_refuse(reader, source, "%s: not a list", name);
    for (uint32_t i = 1; i < outline.count; i++)
        if (outline.nodes[i].kind != YAML_KIND_TEXT)
            return settings_refuse(reader, source, "%s: entry %u is not a text", name, i);
    status = load(reader, source, yaml, &list_schema, 0, &texts, &count);
    if (status != OK)
        return status;
    for (unsigned i = 0; status == OK && i < count; i++)
        status = settings_put(reader, source, key, view_of(((char **)texts)[i]));
    unload(&list_schema, texts, count);
    return status;
}
