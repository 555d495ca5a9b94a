#include "media/ortc_read.h"

#include <assert.h>
#include <stdio.h>

#define PLACES_MAX 8 /* an error is no deeper */

struct ortc_place ortc_root(const cJSON *json, const char *name, struct ortc_error *error)
{
    return (
        struct ortc_place){ .item = json, .name = name, .index = ORTC_NO_INDEX, .error = error };
}

struct ortc_place ortc_member(const struct ortc_place *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object->item, name);
    if (cJSON_IsNull(item))
        item = NULL;
    return (struct ortc_place){
        .within = object, .item = item, .name = name, .index = ORTC_NO_INDEX, .error = object->error
    };
}

struct ortc_place ortc_element(const struct ortc_place *array, const cJSON *item, uint32_t index)
{
    return (
        struct ortc_place){ .within = array, .item = item, .index = index, .error = array->error };
}

int ortc_refuse(const struct ortc_place *place, const char *what)
{
    const struct ortc_place *way[PLACES_MAX];
    unsigned depth = 0;
    int size = 0;
    for (const struct ortc_place *at = place; at; at = at->within) {
        assert(depth < PLACES_MAX);
        way[depth++] = at;
    }
    while (depth > 0 && size < ORTC_ERROR_SIZE) {
        const struct ortc_place *at = way[--depth];
        char *out = place->error->text + size;
        size_t room = (size_t)(ORTC_ERROR_SIZE - size);
        if (at->index != ORTC_NO_INDEX)
            size += snprintf(out, room, "[%u]", at->index);
        else
            size += snprintf(out, room, "%s%s", at->within ? "." : "", at->name);
    }
    if (size < ORTC_ERROR_SIZE)
        snprintf(place->error->text + size, (size_t)(ORTC_ERROR_SIZE - size), ": %s", what);
    return ERR_MALFORMED;
}

int ortc_object(const struct ortc_place *place)
{
    return cJSON_IsObject(place->item) ? OK : ortc_refuse(place, "an object is wanted");
}

int ortc_string(const struct ortc_place *place, struct view *text)
{
    if (!cJSON_IsString(place->item))
        return ortc_refuse(place, "a string is wanted");
    struct view read = view_of(place->item->valuestring);
    if (read.size > ORTC_TEXT_MAX)
        return ortc_refuse(place, "it is too long");
    *text = read;
    return OK;
}

int ortc_number(const struct ortc_place *place, uint64_t least, uint64_t most, uint64_t *number)
{
    char what[80];
    double value = cJSON_IsNumber(place->item) ? place->item->valuedouble : -1;
    /* `most` is below 2^53, so that what passes is whole and exact */
    if (value >= (double)least && value <= (double)most) {
        uint64_t whole = (uint64_t)value;
        if (!((double)whole < value)) {
            *number = whole;
            return OK;
        }
    }
    snprintf(what, sizeof what, "a whole number from %llu to %llu is wanted",
             (unsigned long long)least, (unsigned long long)most);
    return ortc_refuse(place, what);
}

int ortc_array(const struct ortc_place *place, uint32_t most)
{
    if (!place->item)
        return OK;
    if (!cJSON_IsArray(place->item))
        return ortc_refuse(place, "an array is wanted");
    uint32_t count = 0;
    for (const cJSON *item = place->item->child; item && count <= most; item = item->next)
        count++;
    return count <= most ? OK : ortc_refuse(place, "it has too many elements");
}
