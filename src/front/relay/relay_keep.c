/* What is kept for those who come later: copies of what was said, in the order in which it was. */
#include "front/relay/relay_inside.h"

#include <string.h>

static struct relay_kept *kept_of(struct list *node)
{
    return LIST_ENTRY(node, struct relay_kept, of_membership);
}

static void forget_one(struct server *server, struct relay *relay,
                       struct relay_membership *membership, struct relay_kept *kept)
{
    membership->room->kept_bytes -= kept->body->size;
    relay->kept_memory -= kept->body->capacity;
    membership->party->kept_count--;
    list_remove(&kept->of_membership);
    list_remove(&kept->of_relay);
    buffer_give(server->buffers, kept->body);
    pool_give(&relay->kept, kept);
    metrics_subtract(server->metrics, METRIC_RELAY_KEPT, 1);
}

void relay_forget(struct server *server, struct relay *relay, struct relay_membership *membership)
{
    while (!list_empty(&membership->kept))
        forget_one(server, relay, membership, kept_of(membership->kept.next));
}

static bool keep_one(struct server *server, struct relay *relay,
                     struct relay_membership *membership, const struct message *message,
                     uint32_t behind)
{
    struct relay_room *room = membership->room;
    struct buffer *body = NULL;
    struct relay_kept *kept = NULL;
    if (membership->party->kept_count < relay->limits->kept)
        kept = pool_take(&relay->kept);
    if (!kept)
        return false;
    /* a queue must hold all that a room keeps, and leave as much again for what else is said */
    if (buffers_take(server->buffers, message->body.size, &body) != OK ||
        room->kept_bytes + message->body.size > relay->limits->queue_bytes / 2 ||
        relay->kept_memory + body->capacity > relay->kept_memory_max) {
        buffer_give(server->buffers, body);
        pool_give(&relay->kept, kept);
        return false;
    }
    if (message->body.size)
        memcpy(body->bytes, message->body.at, message->body.size);
    body->size = (uint32_t)message->body.size;
    *kept = (struct relay_kept){ .body = body,
                                 .is_binary = message->is_binary,
                                 .behind = (uint8_t)behind };
    room->kept_bytes += body->size;
    relay->kept_memory += body->capacity;
    membership->party->kept_count++;
    list_append(&membership->kept, &kept->of_membership);
    list_append(&relay->all_kept, &kept->of_relay);
    metrics_add(server->metrics, METRIC_RELAY_KEPT, 1);
    return true;
}

void relay_keep(struct server *server, struct relay *relay, struct relay_membership *membership,
                enum rule_keep keep, const struct relay_words *words)
{
    if (keep == KEEP_FIRST)
        relay_forget(server, relay, membership);
    else if (list_empty(&membership->kept))
        return;
    for (uint32_t i = 0; i < words->count; i++) {
        if (keep_one(server, relay, membership, &words->messages[i], words->count - 1 - i))
            continue;
        metrics_add(server->metrics, METRIC_RELAY_NOT_KEPT, 1);
        while (i-- > 0) /* an event is kept whole or not at all */
            forget_one(server, relay, membership, kept_of(membership->kept.prev));
        return;
    }
}

/* Tells the event that begins with `kept`; gives the last of its messages. */
static struct list *tell_one(struct server *server, usec now, struct relay_party *party,
                             struct relay_kept *kept)
{
    struct relay_words words = { .count = kept->behind + 1u };
    struct list *at = &kept->of_membership;
    for (uint32_t i = 0;; i++) {
        words.messages[i] = message_make(buffer_view(kept_of(at)->body), kept_of(at)->is_binary);
        if (kept_of(at)->behind == 0)
            break;
        at = at->next;
    }
    relay_say(server, now, party, &words);
    relay_words_done(server, &words);
    return at;
}

void relay_tell_kept(struct server *server, usec now, struct relay_party *party,
                     const struct relay_room *room)
{
    const struct list *all = &room->memberships;
    relay_call(now, party, room);
    if (!party->space->relay->keeps)
        return;
    for (const struct list *at = all->next; at != all; at = at->next) {
        struct relay_membership *other = LIST_ENTRY(at, struct relay_membership, of_room);
        if (other->party == party)
            continue;
        for (struct list *kept = other->kept.next; kept != &other->kept; kept = kept->next)
            kept = tell_one(server, now, party, kept_of(kept));
    }
}
