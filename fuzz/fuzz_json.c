/* Fuzzes JSON: reading an object and its members, and writing text that must be read back.
 *
 * Input: one byte that says how little room the writer has, then a text.
 */
#include "base/utf8.h"
#include "input.h"
#include "wire/json.h"

static void check_members(const cJSON *object, unsigned depth)
{
    CHECK(depth <= JSON_DEPTH_MAX);
    for (const cJSON *item = object->child; item; item = item->next) {
        if (item->child)
            check_members(item, depth + 1);
        if (!item->string)
            continue;
        uint64_t number = 0;
        bool value = false;
        struct view text = json_get_string(object, item->string);
        CHECK(view_find_byte(text, 0) == text.size);
        if (json_get_number(object, item->string, &number) == OK)
            CHECK(number <= (uint64_t)1 << 53);
        CHECK(json_get_bool(object, item->string, &value) != ERR_NOT_FOUND);
    }
}

static void check_reading(struct view input)
{
    struct span copy = input_copy(input);
    cJSON *tree = NULL;
    int status = json_read_object(view_of_span(copy), &tree);
    CHECK((status == OK) == (tree != NULL));
    if (status == OK) {
        CHECK(cJSON_IsObject(tree));
        check_members(tree, 1);
        CHECK(json_get_string(tree, "no such member").at == NULL ||
              view_find(input, VIEW("no such member")) < input.size);
        cJSON_Delete(tree);
    }
    free(copy.at);
}

static struct json_writer write_all(struct view text, void *at, size_t capacity)
{
    struct json_writer writer = json_writer_make(at, capacity);
    json_open(&writer, '{');
    json_key(&writer, "text");
    json_string(&writer, text);
    json_key(&writer, "list");
    json_open(&writer, '[');
    json_number(&writer, text.size);
    json_bool(&writer, true);
    json_open(&writer, '[');
    json_close(&writer, ']');
    json_raw(&writer, VIEW("null"));
    json_close(&writer, ']');
    json_key(&writer, "size");
    json_number(&writer, text.size);
    json_key(&writer, "yes");
    json_bool(&writer, true);
    json_close(&writer, '}');
    return writer;
}

/* Any UTF-8 without U+0000 comes back as it was. */
static void check_writing(struct view text, uint8_t room)
{
    size_t capacity = text.size * 6 + 100;
    struct span out = { malloc(capacity), capacity };
    CHECK(out.at);
    struct json_writer writer = write_all(text, out.at, out.size);
    CHECK(!writer.overflow);

    if (view_find_byte(text, 0) == text.size) {
        cJSON *tree = NULL;
        uint64_t size = 0;
        bool yes = false;
        CHECK(json_read_object(json_written(&writer), &tree) == OK);
        CHECK(view_equal(json_get_string(tree, "text"), text));
        CHECK(json_get_number(tree, "size", &size) == OK && size == text.size);
        CHECK(json_get_bool(tree, "yes", &yes) == OK && yes);
        cJSON_Delete(tree);
    }
    /* with less room it stops in time, and says so */
    struct span small = { malloc((size_t)room + 1), room };
    CHECK(small.at);
    struct json_writer cut = write_all(text, small.at, small.size);
    CHECK(cut.size <= room && cut.overflow == (writer.size > room));
    free(small.at);
    free(out.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    uint8_t room = input_byte(&input);
    check_reading(input);
    if (utf8_valid(input))
        check_writing(input, room);
    return 0;
}
