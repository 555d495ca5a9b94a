#include "shell/endpoints.h"

#include "shell/endpoints_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARRIER_NAME(config) (endpoint_carrier_names[(config)->carrier])

extern const unsigned char endpoints_built_in_text[]; /* made of endpoints.yaml */
extern const unsigned endpoints_built_in_text_size;

struct view endpoints_built_in(void)
{
    return view_make(endpoints_built_in_text, endpoints_built_in_text_size);
}

struct endpoint_list *endpoints_new(void)
{
    return calloc(1, sizeof(struct endpoint_list));
}

/* The rules are the only part that is not as libcyaml made it. */
static void give_config(struct endpoint_config *config)
{
    free((void *)(uintptr_t)config->rules.items);
}

void endpoints_free(struct endpoint_list *list)
{
    if (!list)
        return;
    for (uint32_t i = 0; i < list->count; i++)
        give_config(&list->entries[i].config);
    for (uint32_t i = 0; i < list->document_count; i++)
        settings_unload_yaml(list->documents[i]);
    free(list);
}

/* ---- errors ---- */

/* "endpoints[2].rules[0].to" for "rules[0].to". */
static void name_key(const struct endpoint_reading *reading, const char *key,
                     char out[YAML_PATH_MAX])
{
    snprintf(out, YAML_PATH_MAX, ENDPOINTS_KEY "[%u]%s%s", reading->item, *key ? "." : "", key);
}

static const struct yaml_node *find_node(const struct yaml_outline *outline, const char *path)
{
    char list[YAML_PATH_MAX];
    const struct yaml_node *node = yaml_outline_find(outline, path, YAML_NO_ITEM);
    const char *bracket = strrchr(path, '[');
    if (node || !bracket || path[strlen(path) - 1] != ']')
        return node;
    snprintf(list, sizeof(list), "%.*s", (int)(bracket - path), path);
    return yaml_outline_find(outline, list, (uint32_t)strtoul(bracket + 1, NULL, 10));
}

/* The line of the key, or of the nearest that holds it and was written. */
static uint32_t find_line(const struct yaml_outline *outline, const char *key)
{
    char path[YAML_PATH_MAX];
    snprintf(path, sizeof(path), "%s", key);
    while (path[0]) {
        const struct yaml_node *node = find_node(outline, path);
        if (node)
            return node->line;
        size_t size = strlen(path) - 1;
        while (size > 0 && path[size] != '.' && path[size] != '[')
            size--;
        path[size] = '\0';
    }
    return 1;
}

int endpoint_refuse(const struct endpoint_reading *reading, const char *key, const char *format,
                    ...)
{
    char source[SETTINGS_SOURCE_MAX];
    char path[YAML_PATH_MAX];
    char reason[SETTINGS_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    name_key(reading, key, path);
    settings_name_line(reading->name, find_line(reading->outline, path), source);
    return settings_refuse(reading->reader, source, "%s: %s", path, reason);
}

bool endpoint_has(const struct endpoint_reading *reading, const char *key)
{
    char path[YAML_PATH_MAX];
    name_key(reading, key, path);
    return yaml_outline_find(reading->outline, path, YAML_NO_ITEM) != NULL;
}

/* ---- the list ---- */

static struct endpoint_entry *find_entry(struct endpoint_list *list,
                                         const struct endpoint_config *config)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct endpoint_entry *entry = &list->entries[i];
        if (entry->config.carrier == config->carrier &&
            strcmp(entry->config.path, config->path) == 0)
            return entry;
    }
    return NULL;
}

static void remove_entry(struct endpoint_list *list, struct endpoint_entry *entry)
{
    size_t behind = (size_t)(&list->entries[list->count] - (entry + 1));
    give_config(&entry->config);
    memmove(entry, entry + 1, behind * sizeof(*entry));
    list->count--;
}

/* Whether it says nothing but its topology: then all else is as it was built in. */
static bool is_topology_alone(const struct endpoint_texts *texts)
{
    return texts->topology && !texts->speak && !texts->enabled && !texts->event_field &&
           !texts->origins && !texts->rules && !texts->limits && !texts->sockjs && !texts->engine &&
           !texts->socketio && !texts->stomp;
}

/* Puts what was read into the list, which then owns it. */
static int put(struct endpoint_reading *reading, bool is_built_in, bool is_enabled)
{
    struct endpoint_list *list = reading->reader->endpoints;
    struct endpoint_config *config = &reading->config;
    struct endpoint_entry *entry = find_entry(list, config);
    if (entry && entry->is_built_in == is_built_in)
        return endpoint_refuse(reading, "path", "%s with carry: %s stands in the list already",
                               config->path, CARRIER_NAME(config));
    if (entry && is_topology_alone(reading->texts)) {
        entry->config.topology = config->topology;
        entry->is_built_in = false;
        entry->item = reading->item;
        give_config(config);
        return endpoint_check_topology(reading, &entry->config);
    }
    if (is_enabled && endpoint_check_topology(reading, config) != OK)
        return ERR_CONFIG;
    if (!is_enabled) {
        if (!entry)
            return endpoint_refuse(reading, "enabled", "%s with carry: %s is not built in",
                                   config->path, CARRIER_NAME(config));
        remove_entry(list, entry);
        give_config(config);
        return OK;
    }
    if (entry) {
        give_config(&entry->config);
    } else {
        if (list->count == ENDPOINTS_MAX)
            return endpoint_refuse(reading, "", "more than %d endpoints", ENDPOINTS_MAX);
        entry = &list->entries[list->count++];
    }
    *entry = (struct endpoint_entry){ *config, reading->item, is_built_in };
    return OK;
}

/* ---- what endpoints say of one another ---- */

static const char *clash_of(const struct endpoint_config *a, const struct endpoint_config *b)
{
    if (strcmp(a->path, b->path) == 0 && a->carrier != CARRIER_WEBSOCKET &&
        b->carrier != CARRIER_WEBSOCKET)
        return "carry";
    if (a->speech == SPEECH_STOMP && b->speech == SPEECH_STOMP && a->stomp.door && b->stomp.door)
        return "stomp.door";
    return NULL;
}

/* The two are told at the place of the one that the user wrote, or wrote later. */
static int check_together(struct endpoint_reading *reading, const struct endpoint_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct endpoint_entry *a = &list->entries[i];
            const struct endpoint_entry *b = &list->entries[j];
            const char *key = clash_of(&a->config, &b->config);
            const struct endpoint_entry *told = a->is_built_in && !b->is_built_in ? b : a;
            const struct endpoint_entry *other = told == a ? b : a;
            if (!key)
                continue;
            reading->item = told->item;
            return endpoint_refuse(reading, key, "%s with carry: %s has it already",
                                   other->config.path, CARRIER_NAME(&other->config));
        }
    }
    return OK;
}

/* The first that fits a request gets it, so those with longer paths stand first. */
static void sort(struct endpoint_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct endpoint_config *config = &list->entries[i].config;
        uint32_t at = i;
        for (; at > 0 && strlen(list->sorted[at - 1].path) < strlen(config->path); at--)
            list->sorted[at] = list->sorted[at - 1];
        list->sorted[at] = *config;
    }
    list->configs = (struct endpoint_configs){ list->sorted, list->count };
}

int endpoints_add(struct settings_reader *reader, const char *name, bool is_built_in,
                  const struct yaml_outline *outline, const struct endpoint_texts *texts,
                  uint32_t count)
{
    struct endpoint_reading reading = { .reader = reader, .name = name, .outline = outline };
    for (uint32_t i = 0; i < count; i++) {
        bool is_enabled;
        reading.item = i;
        reading.texts = &texts[i];
        reading.config = (struct endpoint_config){ 0 };
        int status = endpoint_read(&reading, &is_enabled);
        if (status == OK)
            status = put(&reading, is_built_in, is_enabled);
        if (status != OK) {
            give_config(&reading.config);
            return status;
        }
    }
    int status = check_together(&reading, reader->endpoints);
    if (status == OK)
        sort(reader->endpoints);
    return status;
}
