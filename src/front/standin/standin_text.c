#include "front/standin/standin_text.h"

#include "wire/json.h"
#include "wire/json_text.h"

#include <string.h>

#define ESCAPE_MAX 6 /* bytes of JSON for one of text */
#define WORD_MAX   16

static bool is_string(struct view value)
{
    return value.size > 0 && value.at[0] == '"';
}

static bool is_sdp(struct view name, struct view value)
{
    return view_starts(value, VIEW("\"v=")) && json_text_is_named(name, VIEW("sdp"));
}

static bool says(struct view value, struct view word)
{
    uint8_t bytes[WORD_MAX];
    struct view text;
    return is_string(value) && json_text_string(value, bytes, sizeof bytes, &text) == OK &&
           view_equal(text, word);
}

/* ---- reading ---- */

/* A description as it stands: `type` is empty where it has none. */
struct found {
    struct view sdp;
    struct view type;
};

static bool find_here(struct view members, struct found *found)
{
    struct view name;
    struct view value;
    *found = (struct found){ .sdp = { NULL, 0 } };
    while (json_text_next_member(&members, &name, &value)) {
        if (is_sdp(name, value))
            found->sdp = value;
        else if (json_text_is_named(name, VIEW("type")))
            found->type = value;
    }
    return found->sdp.size > 0;
}

static bool find(struct view object, unsigned depth, struct found *found)
{
    struct view members;
    struct view name;
    struct view value;
    if (depth == 0 || !json_text_members(object, &members))
        return false;
    if (find_here(members, found))
        return true;
    while (json_text_next_member(&members, &name, &value))
        if (find(value, depth - 1, found))
            return true;
    return false;
}

int standin_text_read(struct view list, enum standin_kind kind, uint8_t *out, size_t capacity,
                      struct standin_text *text)
{
    struct found found;
    struct view value;
    struct view sdp;
    bool is_found = false;
    while (!is_found && json_text_next(&list, &value))
        is_found = find(value, STANDIN_DEPTH_MAX, &found);
    if (!is_found)
        return ERR_NOT_FOUND;
    if (says(found.type, VIEW("offer")))
        kind = STANDIN_OFFER;
    else if (says(found.type, VIEW("answer")) || says(found.type, VIEW("pranswer")))
        kind = STANDIN_ANSWER;
    else if (found.type.size)
        return ERR_MALFORMED;
    int status = json_text_string(found.sdp, out, capacity, &sdp);
    if (status != OK)
        return status;
    if (sdp.size > capacity)
        return ERR_LIMIT;
    *text = (struct standin_text){ .kind = kind, .sdp = sdp };
    return OK;
}

/* ---- writing ---- */

struct writing {
    struct json_writer writer;
    const struct standin_text *text;
    struct view key;
};

static void put(struct json_writer *writer, struct view bytes)
{
    if (writer->overflow || bytes.size > writer->capacity - writer->size) {
        writer->overflow = true;
        return;
    }
    if (bytes.size)
        memcpy(writer->at + writer->size, bytes.at, bytes.size);
    writer->size += bytes.size;
}

static void put_string(struct json_writer *writer, struct view text)
{
    writer->needs_comma = false;
    json_string(writer, text);
}

static struct view word_of(const struct writing *writing)
{
    return writing->text->kind == STANDIN_OFFER ? VIEW("offer") : VIEW("answer");
}

static bool is_kind_named(struct view name)
{
    return json_text_is_named(name, VIEW("offer")) || json_text_is_named(name, VIEW("answer"));
}

static void write_value(struct writing *writing, struct view value, unsigned depth);

static void write_member(struct writing *writing, struct view name, struct view value,
                         unsigned depth)
{
    struct json_writer *writer = &writing->writer;
    bool is_object = value.size > 0 && value.at[0] == '{';
    put(writer, VIEW("\""));
    put(writer, is_object && is_kind_named(name) ? word_of(writing) : name);
    put(writer, VIEW("\":"));
    if (is_sdp(name, value))
        put_string(writer, writing->text->sdp);
    else if (json_text_is_named(name, VIEW("type")) &&
             (says(value, VIEW("offer")) || says(value, VIEW("answer"))))
        put_string(writer, word_of(writing));
    else if (depth == STANDIN_DEPTH_MAX && writing->key.size && is_string(value) &&
             json_text_is_named(name, VIEW("key")))
        put_string(writer, writing->key);
    else
        write_value(writing, value, depth - 1);
}

static void write_value(struct writing *writing, struct view value, unsigned depth)
{
    struct json_writer *writer = &writing->writer;
    struct view members;
    struct view name;
    bool is_first = true;
    if (depth == 0 || !json_text_members(value, &members)) {
        put(writer, value);
        return;
    }
    put(writer, VIEW("{"));
    while (json_text_next_member(&members, &name, &value)) {
        if (!is_first)
            put(writer, VIEW(","));
        is_first = false;
        write_member(writing, name, value, depth);
    }
    put(writer, VIEW("}"));
}

size_t standin_text_size(struct view list, const struct standin_text *text, struct view key)
{
    /* members may have the shortest of names, "sdp" and "key" alone grow much, and a description
     * is written once, or twice where a message holds two */
    return list.size * 2 + (text->sdp.size + key.size) * 2 * ESCAPE_MAX + 4 * WORD_MAX;
}

int standin_text_write(struct view list, const struct standin_text *text, struct view key,
                       struct span out, size_t *size)
{
    struct writing writing = { .writer = json_writer_make(out.at, out.size),
                               .text = text,
                               .key = key };
    struct view value;
    bool is_first = true;
    while (json_text_next(&list, &value)) {
        if (!is_first)
            put(&writing.writer, VIEW(","));
        is_first = false;
        write_value(&writing, value, STANDIN_DEPTH_MAX);
    }
    if (writing.writer.overflow)
        return ERR_LIMIT;
    *size = writing.writer.size;
    return OK;
}
