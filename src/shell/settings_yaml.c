#include "shell/endpoints.h"
#include "shell/settings_reader.h"
#include "shell/yaml_outline.h"

#include <assert.h>
#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>

/* What a file holds: texts and lists of them, as libcyaml fills it in.  All sections share a shape,
 * and each uses the members that its keys need. */
struct section {
    char **list;
    unsigned list_count;
    char *first;
    char *second;
};

struct document {
    struct section *http;
    struct section *https;
    struct section *rtc;
    struct section *turn;
    struct section *state;
    struct section *log;
    char *workers;
    struct endpoint_texts *endpoints;
    uint32_t endpoints_count;
};

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

#define LIST(key)                                                                                  \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct section, list,      \
                         &text_schema, 0, CYAML_UNLIMITED)
#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,         \
                           CYAML_UNLIMITED)
#define SECTION(key, member, fields)                                                               \
    CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,                \
                            struct document, member, fields)

static const cyaml_schema_field_t listen_fields[] = { LIST("listen"), CYAML_FIELD_END };
static const cyaml_schema_field_t https_fields[] = {
    LIST("listen"),
    TEXT("cert", struct section, first),
    TEXT("key", struct section, second),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t rtc_fields[] = { LIST("public_ip"), CYAML_FIELD_END };
static const cyaml_schema_field_t state_fields[] = {
    TEXT("dir", struct section, first),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t log_fields[] = {
    TEXT("level", struct section, first),
    TEXT("format", struct section, second),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t document_fields[] = {
    SECTION("http", http, listen_fields),
    SECTION("https", https, https_fields),
    SECTION("rtc", rtc, rtc_fields),
    SECTION("turn", turn, listen_fields),
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
/* A list alone, for the environment and --set. */
static const cyaml_schema_value_t list_schema = {
    CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, char *, &text_schema, 0, CYAML_UNLIMITED),
};

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
                const cyaml_schema_value_t *schema, void **out, unsigned *count)
{
    struct cyaml_words words;
    cyaml_config_t config;
    cyaml_err_t refused = cyaml_load_data(yaml.at, yaml.size, cyaml_configuration(&words, &config),
                                          schema, out, count);
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
    if (setting_is_list(setting) && node->kind != YAML_KIND_LIST)
        return settings_refuse(reader, source, "%s: not a list, like [\"%s\"]; [] is the empty one",
                               node->path,
                               setting->kind == SETTING_LISTEN ? "0.0.0.0:8080" : "192.0.2.1");
    if (node->kind == YAML_KIND_NONE)
        return settings_refuse(reader, source, "%s: no value", node->path);
    if (!setting_is_list(setting) && node->kind != YAML_KIND_TEXT)
        return settings_refuse(reader, source, "%s: not a single value", node->path);
    return OK;
}

static const struct section *section_of(const struct document *document, enum setting_key key)
{
    switch (key) {
    case KEY_HTTP_LISTEN:
        return document->http;
    case KEY_HTTPS_LISTEN:
    case KEY_HTTPS_CERT:
    case KEY_HTTPS_KEY:
        return document->https;
    case KEY_RTC_PUBLIC_IP:
        return document->rtc;
    case KEY_TURN_LISTEN:
        return document->turn;
    case KEY_STATE_DIR:
        return document->state;
    default:
        return document->log;
    }
}

/* The texts that the document has for a key; *count of them. */
static char *const *texts_of(const struct document *document, enum setting_key key, unsigned *count)
{
    const struct section *section = section_of(document, key);
    *count = 1;
    if (key == KEY_WORKERS)
        return &document->workers;
    if (setting_is_list(&settings_table[key])) {
        *count = section->list_count;
        return section->list;
    }
    bool is_second = key == KEY_HTTPS_KEY || key == KEY_LOG_FORMAT;
    return is_second ? &section->second : &section->first;
}

/* Takes over all keys that the outline has, in its order. */
static int put_document(struct settings_reader *reader, const char *name,
                        const struct document *document, const struct yaml_outline *outline)
{
    char source[SETTINGS_SOURCE_MAX];
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct yaml_node *node = &outline->nodes[i];
        enum setting_key key;
        unsigned count;
        int status = OK;
        if (!settings_find(view_of(node->path), &key))
            continue;
        char *const *texts = texts_of(document, key, &count);
        settings_name_line(name, node->line, source);
        if (node->item == YAML_NO_ITEM)
            settings_begin(reader, source, key);
        if (node->item != YAML_NO_ITEM)
            status = settings_put(reader, source, key, view_of(texts[node->item]));
        else if (!setting_is_list(&settings_table[key]))
            status = settings_put(reader, source, key, view_of(texts[0]));
        if (status != OK)
            return status;
    }
    return OK;
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
    status = load(reader, name, yaml, &document_schema, &loaded, NULL);
    if (status != OK)
        return status;
    const struct document *document = loaded;
    status = put_document(reader, name, document, &outline);
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
    status = load(reader, source, yaml, &list_schema, &texts, &count);
    if (status != OK)
        return status;
    for (unsigned i = 0; status == OK && i < count; i++)
        status = settings_put(reader, source, key, view_of(((char **)texts)[i]));
    unload(&list_schema, texts, count);
    return status;
}
