/* What goes out: other names, other arguments.  Where a rule passes an event on as it came, nothing
 * is read or copied. */
#include "front/relay/relay_inside.h"
#include "wire/json_text.h"

#include <string.h>

static bool first_argument(const struct relay_event *event, struct view *first)
{
    struct view list = event->arguments;
    return !event->is_binary && json_text_next(&list, first);
}

static bool is_number(struct view value)
{
    uint8_t c = value.size ? value.at[0] : 0;
    return (c >= '0' && c <= '9') || c == '-';
}

int relay_field(const struct relay_event *event, const char *field,
                uint8_t out[RELAY_ROOM_NAME_MAX], struct view *text)
{
    struct view value;
    if (!first_argument(event, &value))
        return ERR_NOT_FOUND;
    if (*field && !json_text_find(value, view_of(field), &value))
        return ERR_NOT_FOUND;
    if (is_number(value)) {
        *text = value;
    } else {
        int status = json_text_string(value, out, RELAY_ROOM_NAME_MAX, text);
        if (status != OK)
            return status == ERR_LIMIT ? ERR_LIMIT : ERR_NOT_FOUND;
    }
    return text->size <= RELAY_ROOM_NAME_MAX ? OK : ERR_LIMIT;
}

/* ---- pick ---- */

static bool is_picked(const struct rule *rule, struct view written)
{
    for (uint32_t i = 0; i < rule->pick_count; i++)
        if (json_text_is_named(written, view_of(rule->pick[i])))
            return true;
    return false;
}

static void append(struct buffer *buffer, struct view bytes)
{
    if (bytes.size)
        memcpy(buffer->bytes + buffer->size, bytes.at, bytes.size);
    buffer->size += (uint32_t)bytes.size;
}

/* Writes the first argument with the picked fields alone: no longer than it was. */
static int pick(struct server *server, const struct rule *rule, const struct relay_event *in,
                struct buffer **made)
{
    struct view first = VIEW("{}");
    struct view members = VIEW("");
    struct view name;
    struct view value;
    if (first_argument(in, &first) && !json_text_members(first, &members))
        members = VIEW("");
    int status = buffers_take(server->buffers, first.size + 2, made);
    if (status != OK)
        return status;
    append(*made, VIEW("{"));
    while (json_text_next_member(&members, &name, &value)) {
        if (!is_picked(rule, name))
            continue;
        append(*made, (*made)->size > 1 ? VIEW(",\"") : VIEW("\""));
        append(*made, name);
        append(*made, VIEW("\":"));
        append(*made, value);
    }
    append(*made, VIEW("}"));
    return OK;
}

/* ---- say ---- */

/* What stands for something else at the front of `text`, in *used bytes; or its first byte. */
static struct view substitute(const struct relay_party *party, struct view text, size_t *used)
{
    struct view auth = party->auth.size ? party->auth : VIEW("{}");
    *used = 7;
    if (view_starts(text, VIEW("\"$auth\"")))
        return auth;
    *used = 5;
    if (view_starts(text, VIEW("$auth")))
        return auth;
    *used = 3;
    if (view_starts(text, VIEW("$id")))
        return party->id;
    *used = 1;
    return view_slice(text, 0, 1);
}

static int say(struct server *server, const struct relay_party *party, const struct rule *rule,
               struct buffer **made)
{
    struct view text = view_of(rule->say);
    size_t size = 0;
    size_t used;
    for (size_t at = 0; at < text.size; at += used)
        size += substitute(party, view_slice(text, at, text.size), &used).size;
    int status = buffers_take(server->buffers, size, made);
    if (status != OK)
        return status;
    for (size_t at = 0; at < text.size; at += used)
        append(*made, substitute(party, view_slice(text, at, text.size), &used));
    return OK;
}

/* ---- amplify ---- */

/* What is no number from 1 on counts as 1, as it does in the services that this is made after. */
static int amplify(const struct relay *relay, const struct relay_event *in, struct relay_event *out)
{
    uint8_t digits[RELAY_ROOM_NAME_MAX];
    struct view text;
    uint64_t n = 0;
    if (in->name.size || in->is_binary)
        return ERR_MALFORMED;
    if (relay_field(in, "", digits, &text) != OK || !view_read_number(text, 19, &n) || n == 0)
        n = 1;
    out->original = view_make(relay->letters, (size_t)1 << n);
    out->arguments = out->original;
    return OK;
}

int relay_event_make(struct server *server, const struct relay *relay,
                     const struct relay_party *party, const struct rule *rule,
                     const struct relay_event *in, struct relay_event *out, struct buffer **made)
{
    int status = OK;
    struct view name = rule->emit ? view_of(rule->emit) : in->name;
    *out = *in;
    if (rule->amplify)
        return amplify(relay, in, out);
    if (rule->say)
        status = say(server, party, rule, made);
    else if (rule->pick_count)
        status = pick(server, rule, in, made);
    if (status != OK)
        return status;
    if (!*made && view_equal(name, in->name))
        return OK;
    out->name = name;
    out->is_changed = true;
    out->original = (struct view){ NULL, 0 };
    if (*made) {
        out->arguments = buffer_view(*made);
        out->is_binary = false;
    }
    if (rule->say) {
        out->attachment_count = 0;
        out->is_own = !rule->emit;
    }
    return OK;
}
