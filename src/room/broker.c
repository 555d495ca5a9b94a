#include "room/broker.h"

#include "room/pattern.h"

#include <assert.h>
#include <string.h>

int broker_init(struct broker *broker, const struct broker_config *config)
{
    int status = pool_init(&broker->subscriptions, sizeof(struct broker_subscription),
                           config->subscriptions_max);
    if (status != OK)
        return status;
    status = pool_init(&broker->topics, sizeof(struct broker_topic), config->topics_max);
    if (status != OK)
        goto free_subscriptions;
    status = pool_init(&broker->rooms, sizeof(struct broker_room), config->rooms_max);
    if (status != OK)
        goto free_topics;
    status = map_init(&broker->topics_by_name, config->topics_max, &config->random);
    if (status != OK)
        goto free_rooms;
    status = map_init(&broker->rooms_by_name, config->rooms_max, &config->random);
    if (status != OK)
        goto free_map;
    list_init(&broker->patterns);
    broker->pattern_count = 0;
    broker->walk = 0;
    broker->buffers = config->buffers;
    return OK;

free_map:
    map_free(&broker->topics_by_name);
free_rooms:
    pool_free(&broker->rooms);
free_topics:
    pool_free(&broker->topics);
free_subscriptions:
    pool_free(&broker->subscriptions);
    return status;
}

void broker_free(struct broker *broker)
{
    assert(broker->subscriptions.used == 0 && broker->topics.used == 0 && broker->rooms.used == 0);
    map_free(&broker->rooms_by_name);
    map_free(&broker->topics_by_name);
    pool_free(&broker->rooms);
    pool_free(&broker->topics);
    pool_free(&broker->subscriptions);
}

/* Keeps a copy of the text: in `bytes` where it fits, else in a buffer. */
static int keep_text(struct broker *broker, struct view text, char *bytes, size_t size,
                     struct view *kept, struct buffer **long_text)
{
    uint8_t *into = (uint8_t *)bytes;
    if (text.size > size) {
        int status = buffers_take(broker->buffers, text.size, long_text);
        if (status != OK)
            return status;
        (*long_text)->size = (uint32_t)text.size;
        into = (*long_text)->bytes;
    }
    if (text.size)
        memcpy(into, text.at, text.size);
    *kept = view_make(into, text.size);
    return OK;
}

/* ---- rooms ---- */

static void leave_place(struct broker *broker, struct broker_place *place)
{
    struct broker_room *room = place->room;
    if (!room)
        return;
    list_remove(&place->node);
    place->room = NULL;
    place->member->rooms--;
    if (!list_empty(&room->places))
        return;
    map_remove(&broker->rooms_by_name, room->name);
    pool_give(&broker->rooms, room);
}

static struct broker_room *make_room(struct broker *broker, struct view name)
{
    struct broker_room *room = name.size > BROKER_ROOM_MAX ? NULL : pool_take(&broker->rooms);
    if (!room)
        return NULL;
    memcpy(room->bytes, name.at, name.size);
    room->name = view_make(room->bytes, name.size);
    list_init(&room->places);
    if (map_add(&broker->rooms_by_name, room->name, room) == OK)
        return room;
    pool_give(&broker->rooms, room);
    return NULL;
}

static int take_place(struct broker *broker, struct broker_place *place, struct view name)
{
    if (name.size == 0)
        return OK;
    struct broker_room *room = map_find(&broker->rooms_by_name, name);
    if (!room)
        room = make_room(broker, name);
    if (!room)
        return ERR_LIMIT;
    place->room = room;
    place->member->rooms++;
    list_append(&room->places, &place->node);
    return OK;
}

int broker_enter(struct broker *broker, struct broker_member *member, struct view room)
{
    leave_place(broker, &member->home);
    return take_place(broker, &member->home, room);
}

static uint32_t count_once(const struct broker *broker, struct broker_room *room)
{
    if (!room || room->walk == broker->walk)
        return 0;
    room->walk = broker->walk;
    return 1;
}

uint32_t broker_rooms_of(struct broker *broker, const struct broker_member *member)
{
    const struct list *head = &member->subscriptions;
    broker->walk++;
    uint32_t count = count_once(broker, member->home.room);
    for (struct list *at = head->next; at != head; at = at->next)
        count +=
            count_once(broker, LIST_ENTRY(at, struct broker_subscription, of_member)->place.room);
    return count;
}

uint32_t broker_count_room(struct broker *broker, struct view name)
{
    struct broker_room *room = map_find(&broker->rooms_by_name, name);
    uint32_t count = 0;
    if (!room)
        return 0;
    broker->walk++;
    for (struct list *at = room->places.next; at != &room->places; at = at->next) {
        struct broker_member *member = LIST_ENTRY(at, struct broker_place, node)->member;
        count += member->walk != broker->walk;
        member->walk = broker->walk;
    }
    return count;
}

/* ---- members ---- */

void broker_member_init(struct broker_member *member)
{
    *member = (struct broker_member){ .home = { .member = member } };
    list_init(&member->subscriptions);
}

void broker_leave(struct broker *broker, struct broker_member *member)
{
    while (!list_empty(&member->subscriptions))
        broker_unsubscribe(
            broker, LIST_ENTRY(member->subscriptions.next, struct broker_subscription, of_member));
    leave_place(broker, &member->home);
}

struct broker_subscription *broker_find(const struct broker_member *member, struct view id)
{
    const struct list *head = &member->subscriptions;
    for (struct list *at = head->next; at != head; at = at->next) {
        struct broker_subscription *one = LIST_ENTRY(at, struct broker_subscription, of_member);
        if (view_equal(one->id, id))
            return one;
    }
    return NULL;
}

/* ---- topics ---- */

static void give_topic(struct broker *broker, struct broker_topic *topic)
{
    if (!list_empty(&topic->subscriptions))
        return;
    if (topic->is_pattern) {
        list_remove(&topic->node);
        broker->pattern_count--;
    }
    map_remove(&broker->topics_by_name, topic->name);
    buffer_give(broker->buffers, topic->long_name);
    pool_give(&broker->topics, topic);
}

static struct broker_topic *make_topic(struct broker *broker, struct view name, bool is_pattern)
{
    if (is_pattern && broker->pattern_count == BROKER_PATTERNS_MAX)
        return NULL;
    struct broker_topic *topic = pool_take(&broker->topics);
    if (!topic)
        return NULL;
    if (keep_text(broker, name, topic->bytes, sizeof topic->bytes, &topic->name,
                  &topic->long_name) != OK)
        goto give_topic;
    if (map_add(&broker->topics_by_name, topic->name, topic) != OK)
        goto give_name;
    list_init(&topic->subscriptions);
    list_init(&topic->node);
    topic->is_pattern = is_pattern;
    if (is_pattern) {
        list_append(&broker->patterns, &topic->node);
        broker->pattern_count++;
    }
    return topic;

give_name:
    buffer_give(broker->buffers, topic->long_name);
give_topic:
    pool_give(&broker->topics, topic);
    return NULL;
}

/* ---- subscriptions ---- */

static bool within_limits(const struct broker_member *member, const struct broker_wish *wish,
                          bool is_pattern)
{
    size_t name_max = is_pattern ? BROKER_PATTERN_MAX : BROKER_NAME_MAX;
    return wish->id.size <= BROKER_ID_MAX && wish->destination.size <= name_max &&
           member->count < BROKER_SUBSCRIPTIONS_EACH &&
           (!is_pattern || member->patterns < BROKER_PATTERNS_EACH);
}

int broker_subscribe(struct broker *broker, struct broker_member *member,
                     const struct broker_wish *wish, struct broker_subscription **out)
{
    bool is_pattern = pattern_is(wish->destination);
    if (broker_find(member, wish->id))
        return ERR_EXISTS;
    if (!within_limits(member, wish, is_pattern))
        return ERR_LIMIT;
    struct broker_subscription *one = pool_take(&broker->subscriptions);
    if (!one)
        return ERR_LIMIT;
    struct broker_topic *topic = map_find(&broker->topics_by_name, wish->destination);
    if (!topic)
        topic = make_topic(broker, wish->destination, is_pattern);
    if (!topic)
        goto give_subscription;
    one->place.member = member;
    if (keep_text(broker, wish->id, one->bytes, sizeof one->bytes, &one->id, &one->long_id) != OK)
        goto give_topic;
    if (take_place(broker, &one->place, wish->room) != OK)
        goto give_id;
    one->member = member;
    one->topic = topic;
    one->kind = wish->kind;
    list_append(&member->subscriptions, &one->of_member);
    list_append(&topic->subscriptions, &one->of_topic);
    member->count++;
    member->patterns = (uint16_t)(member->patterns + is_pattern);
    *out = one;
    return OK;

give_id:
    buffer_give(broker->buffers, one->long_id);
give_topic:
    give_topic(broker, topic);
give_subscription:
    pool_give(&broker->subscriptions, one);
    return ERR_LIMIT;
}

void broker_unsubscribe(struct broker *broker, struct broker_subscription *subscription)
{
    struct broker_member *member = subscription->member;
    struct broker_topic *topic = subscription->topic;
    leave_place(broker, &subscription->place);
    list_remove(&subscription->of_member);
    list_remove(&subscription->of_topic);
    member->count--;
    member->patterns = (uint16_t)(member->patterns - topic->is_pattern);
    buffer_give(broker->buffers, subscription->long_id);
    pool_give(&broker->subscriptions, subscription);
    give_topic(broker, topic);
}

/* ---- walks ---- */

static bool topic_matches(struct broker_walk *walk, struct broker_topic *topic)
{
    if (topic->walk != walk->broker->walk) {
        topic->walk = walk->broker->walk;
        topic->matches = topic->is_pattern ? pattern_matches(topic->name, walk->name)
                                           : view_equal(topic->name, walk->name);
    }
    return topic->matches;
}

void broker_walk_begin(struct broker *broker, struct broker_walk *walk, struct view destination,
                       enum broker_reach reach, struct broker_member *sender)
{
    bool in_rooms = reach == BROKER_ROOM && sender->rooms > 0;
    broker->walk++;
    *walk = (struct broker_walk){ .broker = broker, .name = destination };
    walk->sender = in_rooms ? sender : NULL;
    walk->roomless = reach == BROKER_ROOM && !in_rooms;
    walk->next = in_rooms ? sender->subscriptions.next : broker->patterns.next;
}

/* The exact topic, then the patterns. */
static struct broker_topic *next_topic(struct broker_walk *walk)
{
    struct broker *broker = walk->broker;
    if (!walk->exact_done) {
        struct broker_topic *exact = map_find(&broker->topics_by_name, walk->name);
        walk->exact_done = true;
        if (exact && !exact->is_pattern)
            return exact;
    }
    while (walk->next != &broker->patterns) {
        struct broker_topic *topic = LIST_ENTRY(walk->next, struct broker_topic, node);
        walk->next = walk->next->next;
        if (topic_matches(walk, topic))
            return topic;
    }
    return NULL;
}

static struct broker_subscription *next_in_topics(struct broker_walk *walk)
{
    for (;;) {
        while (walk->topic && walk->at != &walk->topic->subscriptions) {
            struct broker_subscription *one =
                LIST_ENTRY(walk->at, struct broker_subscription, of_topic);
            walk->at = walk->at->next;
            if (!walk->roomless || one->member->rooms == 0)
                return one;
        }
        walk->topic = next_topic(walk);
        if (!walk->topic)
            return NULL;
        walk->at = walk->topic->subscriptions.next;
    }
}

/* The sender's next room that has not been walked. */
static struct broker_room *next_room(struct broker_walk *walk)
{
    for (;;) {
        struct broker_place *place = &walk->sender->home;
        if (walk->home_done) {
            if (walk->next == &walk->sender->subscriptions)
                return NULL;
            place = &LIST_ENTRY(walk->next, struct broker_subscription, of_member)->place;
            walk->next = walk->next->next;
        }
        walk->home_done = true;
        if (place->room && place->room->walk != walk->broker->walk) {
            place->room->walk = walk->broker->walk;
            return place->room;
        }
    }
}

/* The next member of the room that has not been walked; NULL at the room's end. */
static struct broker_member *next_member(struct broker_walk *walk)
{
    while (walk->room && walk->place != &walk->room->places) {
        struct broker_place *place = LIST_ENTRY(walk->place, struct broker_place, node);
        walk->place = walk->place->next;
        if (place->member->walk != walk->broker->walk) {
            place->member->walk = walk->broker->walk;
            return place->member;
        }
    }
    return NULL;
}

static struct broker_subscription *next_in_rooms(struct broker_walk *walk)
{
    for (;;) {
        while (walk->other && walk->at != &walk->other->subscriptions) {
            struct broker_subscription *one =
                LIST_ENTRY(walk->at, struct broker_subscription, of_member);
            walk->at = walk->at->next;
            if (topic_matches(walk, one->topic))
                return one;
        }
        walk->other = next_member(walk);
        if (walk->other) {
            walk->at = walk->other->subscriptions.next;
            continue;
        }
        walk->room = next_room(walk);
        if (!walk->room)
            return NULL;
        walk->place = walk->room->places.next;
    }
}

struct broker_subscription *broker_walk_next(struct broker_walk *walk)
{
    return walk->sender ? next_in_rooms(walk) : next_in_topics(walk);
}
