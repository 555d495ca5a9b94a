#include "shell/yaml_outline.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct frame {
    enum yaml_kind kind;
    size_t path_size;  /* of the container itself */
    uint32_t items;    /* entries of a list so far */
    uint32_t key_line; /* in a map: of the key that waits for its value; 0: a key is next */
};

struct walk {
    struct yaml_outline *outline;
    struct yaml_problem *problem;
    struct frame frames[YAML_DEPTH_MAX];
    uint32_t depth;
    uint32_t documents;
    char path[YAML_PATH_MAX];
    size_t path_size;
};

void yaml_printable(struct view text, char *out, size_t size)
{
    size_t n = 0;
    assert(size > 4);
    for (; n < text.size && n < size - 4; n++) {
        uint8_t c = text.at[n];
        out[n] = (char)(c < ' ' || c == 0x7f ? '?' : c);
    }
    if (n < text.size) {
        while (n > 0 && (text.at[n] & 0xc0) == 0x80)
            n--;
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
}

__attribute__((format(printf, 3, 4))) static int refuse(struct walk *walk, size_t line,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(walk->problem->reason, sizeof(walk->problem->reason), format, arguments);
    va_end(arguments);
    walk->problem->line = (uint32_t)line;
    return ERR_MALFORMED;
}

static uint32_t line_of(const yaml_event_t *event)
{
    return (uint32_t)event->start_mark.line + 1;
}

const struct yaml_node *yaml_outline_find(const struct yaml_outline *outline, const char *path,
                                          uint32_t item)
{
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct yaml_node *node = &outline->nodes[i];
        if (node->item == item && strcmp(node->path, path) == 0)
            return node;
    }
    return NULL;
}

static int read_key(struct walk *walk, struct frame *map, const yaml_event_t *event)
{
    char shown[64];
    struct view key = { 0 };
    uint32_t line = line_of(event);

    if (event->type == YAML_SCALAR_EVENT)
        key = view_make(event->data.scalar.value, event->data.scalar.length);
    if (key.size == 0)
        return refuse(walk, line, "a key must be a word");
    yaml_printable(key, shown, sizeof(shown));
    if (view_find_byte(key, '.') < key.size || view_find_byte(key, 0) < key.size)
        return refuse(walk, line,
                      "\"%s\" is not a key: what follows a dot is a key of its own, "
                      "indented on the next line",
                      shown);

    size_t dot = map->path_size > 0;
    if (map->path_size + dot + key.size >= YAML_PATH_MAX || view_find_byte(key, '[') < key.size)
        return refuse(walk, line, "%s: unknown key", shown);
    if (dot)
        walk->path[map->path_size] = '.';
    memcpy(walk->path + map->path_size + dot, key.at, key.size);
    walk->path_size = map->path_size + dot + key.size;
    walk->path[walk->path_size] = '\0';

    const struct yaml_node *other = yaml_outline_find(walk->outline, walk->path, YAML_NO_ITEM);
    yaml_printable(view_of(walk->path), shown, sizeof(shown));
    if (other)
        return refuse(walk, line, "%s: the key stands on line %u already", shown, other->key_line);
    map->key_line = line;
    return OK;
}

static enum yaml_kind kind_of(const yaml_event_t *event)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
    if (event->type == YAML_MAPPING_START_EVENT)
        return YAML_KIND_MAP;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return YAML_KIND_LIST;
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return YAML_KIND_TEXT;
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        if (strcmp((const char *)event->data.scalar.value, nulls[i]) == 0)
            return YAML_KIND_NONE;
    return YAML_KIND_TEXT;
}

/* Adds "[2]" to the path: what stands in an entry has a path of its own. */
static bool enter_item(struct walk *walk, uint32_t item)
{
    size_t room = YAML_PATH_MAX - walk->path_size;
    int size = snprintf(walk->path + walk->path_size, room, "[%u]", item);
    if ((size_t)size >= room)
        return false;
    walk->path_size += (size_t)size;
    return true;
}

/* A scalar, a list or a map begins: a key, or a node. */
static int read_node(struct walk *walk, const yaml_event_t *event)
{
    struct frame *parent = walk->depth ? &walk->frames[walk->depth - 1] : NULL;
    uint32_t line = line_of(event);

    if (parent && parent->kind == YAML_KIND_MAP && parent->key_line == 0)
        return read_key(walk, parent, event);
    if (event->type == YAML_SCALAR_EVENT &&
        strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return refuse(walk, line, "a value holds a NUL character");
    if (walk->outline->count == YAML_NODES_MAX)
        return refuse(walk, line, "more than %d keys and values", YAML_NODES_MAX);

    struct yaml_node *node = &walk->outline->nodes[walk->outline->count++];
    node->kind = kind_of(event);
    node->item = YAML_NO_ITEM;
    node->key_line = line;
    node->line = line;
    if (parent && parent->kind == YAML_KIND_LIST) {
        node->item = parent->items++;
    } else if (parent) {
        node->key_line = parent->key_line;
        if (event->type != YAML_SCALAR_EVENT)
            node->line = parent->key_line;
        parent->key_line = 0;
    }
    memcpy(node->path, walk->path, walk->path_size);
    node->path[walk->path_size] = '\0';

    if (event->type != YAML_SCALAR_EVENT) {
        if (walk->depth == YAML_DEPTH_MAX)
            return refuse(walk, line, "nested too deeply");
        if (node->item != YAML_NO_ITEM && !enter_item(walk, node->item))
            return refuse(walk, line, "nested too deeply");
        walk->frames[walk->depth++] =
            (struct frame){ .kind = node->kind, .path_size = walk->path_size };
    } else if (parent) {
        walk->path_size = parent->path_size;
        walk->path[walk->path_size] = '\0';
    }
    return OK;
}

static void end_container(struct walk *walk)
{
    walk->depth--;
    walk->path_size = walk->depth ? walk->frames[walk->depth - 1].path_size : 0;
    walk->path[walk->path_size] = '\0';
}

static int read_event(struct walk *walk, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (walk->documents++ > 0)
            return refuse(walk, line_of(event), "a second document begins here");
        return OK;
    case YAML_ALIAS_EVENT:
        return refuse(walk, line_of(event), "aliases (*name) are not supported");
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_node(walk, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end_container(walk);
        return OK;
    default:
        return OK;
    }
}

static size_t count_lines(struct view text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.at[i] == '\n' || i == text.size - 1;
    return lines;
}

/* What the parser refused.  Its reader tells an offset, all else a line, which may be one too many
 * at the text's end. */
static int read_parser_error(struct walk *walk, const yaml_parser_t *parser, struct view text)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return ERR_MEMORY;
    if (parser->error == YAML_READER_ERROR) {
        size_t line = count_lines(view_slice(text, 0, parser->problem_offset + 1));
        return refuse(walk, line, "not valid UTF-8 text (%s)", parser->problem);
    }
    size_t line = parser->problem_mark.line + 1;
    size_t lines = count_lines(text);
    return refuse(walk, line > lines ? lines : line, "not valid YAML: %s%s%s", parser->problem,
                  parser->context ? ", " : "", parser->context ? parser->context : "");
}

int yaml_outline_read(struct view text, struct yaml_outline *outline, struct yaml_problem *problem)
{
    struct walk walk = { .outline = outline, .problem = problem };
    yaml_parser_t parser;
    bool at_end = false;
    int status = OK;

    outline->count = 0;
    if (!yaml_parser_initialize(&parser))
        return ERR_MEMORY;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.at ? text.at : (const uint8_t *)"", text.size);
    while (status == OK && !at_end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = read_parser_error(&walk, &parser, text);
            break;
        }
        at_end = event.type == YAML_STREAM_END_EVENT;
        status = read_event(&walk, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}
