#include "room/room.h"

#include "base/utf8.h"

#include <assert.h>
#include <string.h>

int rooms_init(struct rooms *rooms, const struct rooms_config *config)
{
    *rooms = (struct rooms){
        .wheel = config->wheel,
        .random = config->random,
        .metrics = config->metrics,
        .away_timer_kind = config->away_timer_kind,
        .topology_timer_kind = config->topology_timer_kind,
        .topology = config->topology,
        .history.buffers = config->buffers,
        .history.bytes_max = config->history_bytes_max,
    };
    int status = pool_init(&rooms->room_pool, sizeof(struct room), config->rooms_max);
    if (status != OK)
        return status;
    status = pool_init(&rooms->member_pool, sizeof(struct member), config->members_max);
    if (status != OK)
        goto give_rooms;
    status = map_init(&rooms->by_name, config->rooms_max, &config->random);
    if (status != OK)
        goto give_members;
    status = pool_init(&rooms->history.entries, sizeof(struct history_entry),
                       config->history_entries_max);
    if (status != OK)
        goto give_map;
    return OK;

give_map:
    map_free(&rooms->by_name);
give_members:
    pool_free(&rooms->member_pool);
give_rooms:
    pool_free(&rooms->room_pool);
    return status;
}

void rooms_free(struct rooms *rooms)
{
    for (uint32_t i = 0; i < rooms->by_name.place_count; i++) {
        struct room *room = rooms->by_name.places[i].value;
        if (room)
            history_clear(&room->history, &rooms->history);
    }
    pool_free(&rooms->history.entries);
    map_free(&rooms->by_name);
    pool_free(&rooms->member_pool);
    pool_free(&rooms->room_pool);
}

bool room_name_valid(struct view name)
{
    return member_name_valid(name) && view_find_byte(name, '/') == name.size;
}

bool member_name_valid(struct view name)
{
    return name.size >= 1 && name.size <= MEMBER_NAME_MAX && utf8_valid(name) &&
           !utf8_has_control(name);
}

static void emit(struct rooms *rooms, struct room_event event)
{
    assert(rooms->event_count < ROOMS_EVENTS_MAX);
    event.seq = ++event.room->seq;
    rooms->events[(rooms->event_first + rooms->event_count++) % ROOMS_EVENTS_MAX] = event;
}

static void emit_to_others(struct rooms *rooms, enum room_event_kind kind, struct member *member)
{
    emit(rooms, (struct room_event){
                    .kind = kind,
                    .room = member->room,
                    .member = member,
                    .number = member->number,
                    .audience = { .kind = AUDIENCE_OTHERS, .from = member->number },
                });
}

bool rooms_poll(struct rooms *rooms, struct room_event *event)
{
    if (rooms->event_count == 0)
        return false;
    *event = rooms->events[rooms->event_first];
    rooms->event_first = (rooms->event_first + 1) % ROOMS_EVENTS_MAX;
    rooms->event_count--;
    return true;
}

/* What every member has needs no keeping. */
static void trim(struct rooms *rooms, struct room *room)
{
    uint64_t least = room->seq;
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room->members[i]->acked < least)
            least = room->members[i]->acked;
    history_trim(&room->history, &rooms->history, least);
}

static struct member *find_name(const struct room *room, struct view name)
{
    for (uint32_t i = 0; i < room->member_count; i++)
        if (view_equal(member_name(room->members[i]), name))
            return room->members[i];
    return NULL;
}

static struct member *find_number(const struct room *room, uint32_t number)
{
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room->members[i]->number == number)
            return room->members[i];
    return NULL;
}

static struct room *open_room(struct rooms *rooms, struct view name)
{
    struct room *room = pool_take(&rooms->room_pool);
    if (!room)
        return NULL;
    room->serial = (uint64_t)++rooms->last_serial << 32 | pool_index(&rooms->room_pool, room);
    room->name_size = (uint8_t)name.size;
    memcpy(room->name, name.at, name.size);
    data_circle_init(&room->data);
    speakers_init(&room->voices.speakers, 0, 0);
    int status = map_add(&rooms->by_name, room_name(room), room);
    assert(status == OK); /* the pool and the map are of one size, and the name was not in */
    (void)status;
    metrics_add(rooms->metrics, METRIC_ROOMS, 1);
    return room;
}

/* One that was given back has no members. */
const struct room *rooms_next(const struct rooms *rooms, uint32_t *index)
{
    while (*index < rooms->room_pool.touched) {
        const struct room *room = pool_at(&rooms->room_pool, (*index)++);
        if (room->member_count > 0)
            return room;
    }
    return NULL;
}

struct room *rooms_of_serial(const struct rooms *rooms, uint64_t serial)
{
    uint32_t index = (uint32_t)serial;
    struct room *room = index < rooms->room_pool.touched ? pool_at(&rooms->room_pool, index) : NULL;
    return room && room->serial == serial ? room : NULL;
}

const struct room *rooms_find(const struct rooms *rooms, struct view name)
{
    return map_find(&rooms->by_name, name);
}

static void close_room(struct rooms *rooms, struct room *room)
{
    assert(room->member_count == 0);
    wheel_cancel(rooms->wheel, &room->topology_timer);
    history_clear(&room->history, &rooms->history);
    map_remove(&rooms->by_name, room_name(room));
    data_circle_end(&room->data);
    wheel_cancel(rooms->wheel, &room->voices.timer);
    speakers_end(&room->voices.speakers);
    room->serial = 0;
    pool_give(&rooms->room_pool, room);
    metrics_subtract(rooms->metrics, METRIC_ROOMS, 1);
}

static void add_member(struct room *room, struct member *member, const struct join *join)
{
    *member = (struct member){
        .room = room,
        .number = ++room->last_number,
        .audio = join->audio,
        .video = join->video,
        .screen = join->screen,
        .topologies = join->topologies ? join->topologies : TOPOLOGY_BIT(TOPOLOGY_MESH),
        .name_size = (uint8_t)join->name.size,
        .link = join->link,
        .pass = join->pass,
    };
    memcpy(member->name, join->name.at, join->name.size);
    room->members[room->member_count++] = member;
}

static struct topology_crowd crowd_of(const struct room *room)
{
    struct topology_crowd crowd = { .common = UINT8_MAX };
    if (!room)
        return crowd;
    crowd.count = room->member_count;
    for (uint32_t i = 0; i < room->member_count; i++)
        crowd.common &= room->members[i]->topologies;
    return crowd;
}

static void change_topology(struct rooms *rooms, struct room *room, enum topology topology)
{
    room->topology = (uint8_t)topology;
    emit(rooms, (struct room_event){
                    .kind = ROOM_TOPOLOGY,
                    .room = room,
                    .audience = { .kind = AUDIENCE_ALL },
                });
}

/* Who is there has changed. */
static void settle_topology(struct rooms *rooms, usec now, struct room *room)
{
    struct topology_crowd crowd = crowd_of(room);
    enum topology wanted = topology_choose(&rooms->topology, &crowd);
    assert(wanted != TOPOLOGY_NONE);
    if (wanted == room->topology) {
        wheel_cancel(rooms->wheel, &room->topology_timer);
    } else if (topology_may_stay(&rooms->topology, &crowd, room->topology)) {
        room->topology_timer.kind = rooms->topology_timer_kind;
        if (!room->topology_timer.is_set)
            wheel_set(rooms->wheel, &room->topology_timer, now + TOPOLOGY_REST);
    } else {
        wheel_cancel(rooms->wheel, &room->topology_timer);
        change_topology(rooms, room, wanted);
    }
}

void rooms_topology_expired(struct rooms *rooms, struct timer *timer)
{
    struct room *room = LIST_ENTRY(timer, struct room, topology_timer);
    struct topology_crowd crowd = crowd_of(room);
    enum topology wanted = topology_choose(&rooms->topology, &crowd);
    if (wanted != room->topology)
        change_topology(rooms, room, wanted);
}

/* Whether one more, who knows those, fits in: OK, or as rooms_join has it. */
static int find_place(const struct rooms *rooms, const struct room *room, uint8_t topologies,
                      enum topology *topology, bool *room_full)
{
    struct topology_crowd crowd = crowd_of(room);
    crowd.count++;
    crowd.common &= topologies ? topologies : TOPOLOGY_BIT(TOPOLOGY_MESH);
    *topology = topology_choose(&rooms->topology, &crowd);
    if (*topology != TOPOLOGY_NONE)
        return OK;
    crowd.count = 1;
    *room_full = topology_choose(&rooms->topology, &crowd) != TOPOLOGY_NONE;
    return *room_full ? ERR_LIMIT : ERR_UNSUPPORTED;
}

int rooms_join(struct rooms *rooms, usec now, const struct join *join, struct member **out,
               bool *room_full)
{
    assert(room_name_valid(join->room) && member_name_valid(join->name));
    struct room *room = map_find(&rooms->by_name, join->room);
    struct member *namesake = room ? find_name(room, join->name) : NULL;
    *room_full = false;
    if (namesake && !namesake->away)
        return ERR_EXISTS;
    if (namesake) {
        rooms_leave(rooms, now, namesake, LEAVE_REPLACED);
        room = map_find(&rooms->by_name, join->room); /* it may have ended with that */
    }
    enum topology topology;
    int status = find_place(rooms, room, join->topologies, &topology, room_full);
    if (status != OK)
        return status;
    struct member *member = pool_take(&rooms->member_pool);
    if (!member)
        return ERR_LIMIT;
    if (!room) {
        room = open_room(rooms, join->room);
        if (room)
            room->topology = (uint8_t)topology;
    }
    if (!room) {
        pool_give(&rooms->member_pool, member);
        return ERR_LIMIT;
    }
    add_member(room, member, join);
    random_fill(&rooms->random, member->session, SESSION_SIZE);
    metrics_add(rooms->metrics, METRIC_MEMBERS, 1);
    metrics_add(rooms->metrics, METRIC_JOINS, 1);
    emit_to_others(rooms, ROOM_JOINED, member);
    settle_topology(rooms, now, room);
    member->acked = room->seq; /* what came before it is not its own to hear */
    member->told = room->seq;
    *out = member;
    return OK;
}

int rooms_find_session(struct rooms *rooms, struct view room_name_,
                       const uint8_t session[SESSION_SIZE], uint64_t seq, struct member **out)
{
    struct room *room = map_find(&rooms->by_name, room_name_);
    struct member *found = NULL;
    for (uint32_t i = 0; room && i < room->member_count; i++)
        if (view_equal_secret(view_make(room->members[i]->session, SESSION_SIZE),
                              view_make(session, SESSION_SIZE)))
            found = room->members[i];
    if (!found || seq > room->seq)
        return ERR_NOT_FOUND;
    if (seq < found->told || (seq < room->history.dropped && found->acked < room->history.dropped))
        return ERR_LIMIT;
    *out = found;
    return OK;
}

void rooms_away(struct rooms *rooms, usec now, struct member *member)
{
    assert(!member->away);
    member->away = true;
    member->link = NULL;
    member->away_timer.kind = rooms->away_timer_kind;
    wheel_set(rooms->wheel, &member->away_timer, now + ROOM_KEEP_AWAY);
    metrics_add(rooms->metrics, METRIC_MEMBERS_AWAY, 1);
    emit_to_others(rooms, ROOM_AWAY, member);
}

void rooms_back(struct rooms *rooms, struct member *member, void *link)
{
    assert(member->away);
    member->away = false;
    member->link = link;
    wheel_cancel(rooms->wheel, &member->away_timer);
    metrics_subtract(rooms->metrics, METRIC_MEMBERS_AWAY, 1);
    emit_to_others(rooms, ROOM_BACK, member);
}

void *rooms_poll_seat(struct rooms *rooms)
{
    return rooms->seat_count ? rooms->seats[--rooms->seat_count] : NULL;
}

void rooms_leave(struct rooms *rooms, usec now, struct member *member, enum leave_reason reason)
{
    struct room *room = member->room;
    uint32_t number = member->number;
    uint32_t at = 0;

    while (room->members[at] != member)
        at++;
    room->member_count--;
    memmove(&room->members[at], &room->members[at + 1],
            (room->member_count - at) * sizeof(struct member *));
    if (member->away)
        metrics_subtract(rooms->metrics, METRIC_MEMBERS_AWAY, 1);
    metrics_subtract(rooms->metrics, METRIC_MEMBERS, 1);
    wheel_cancel(rooms->wheel, &member->away_timer);
    if (member->seat) {
        assert(rooms->seat_count < ROOMS_EVENTS_MAX);
        rooms->seats[rooms->seat_count++] = member->seat;
    }
    pool_give(&rooms->member_pool, member);

    if (room->member_count == 0) {
        close_room(rooms, room);
        return;
    }
    trim(rooms, room);
    emit(rooms, (struct room_event){
                    .kind = ROOM_LEFT,
                    .reason = reason,
                    .room = room,
                    .number = number,
                    .audience = { .kind = AUDIENCE_OTHERS, .from = number },
                });
    settle_topology(rooms, now, room);
}

void rooms_expired(struct rooms *rooms, usec now, struct timer *timer)
{
    rooms_leave(rooms, now, LIST_ENTRY(timer, struct member, away_timer), LEAVE_LOST);
}

int rooms_say(struct rooms *rooms, struct member *from, enum room_event_kind kind, uint32_t to,
              struct view body)
{
    struct audience audience = { .kind = AUDIENCE_ALL, .from = from->number, .to = to };
    assert(to != 0 || kind == ROOM_CHAT);
    if (to != 0) {
        if (to == from->number || !find_number(from->room, to))
            return ERR_NOT_FOUND;
        audience.kind = kind == ROOM_CHAT ? AUDIENCE_PAIR : AUDIENCE_ONE;
    }
    emit(rooms, (struct room_event){
                    .kind = kind,
                    .room = from->room,
                    .member = from,
                    .number = from->number,
                    .audience = audience,
                    .body = body,
                });
    return OK;
}

void rooms_tell(struct rooms *rooms, struct member *member, enum room_event_kind kind,
                struct view body)
{
    assert(kind >= ROOM_SFU_ANSWER);
    emit(rooms, (struct room_event){
                    .kind = kind,
                    .room = member->room,
                    .member = member,
                    .number = member->number,
                    .audience = { .kind = AUDIENCE_ONE, .to = member->number },
                    .body = body,
                });
}

void rooms_tell_media(struct rooms *rooms, struct member *member)
{
    emit_to_others(rooms, ROOM_MEDIA, member);
}

void rooms_tell_hand(struct rooms *rooms, struct member *member)
{
    emit(rooms, (struct room_event){
                    .kind = ROOM_HAND,
                    .room = member->room,
                    .member = member,
                    .number = member->number,
                    .audience = { .kind = AUDIENCE_ALL, .from = member->number },
                });
}

void rooms_acked(struct rooms *rooms, struct member *member, uint64_t seq)
{
    const struct history *history = &member->room->history;
    const struct history_entry *entry = NULL;
    if (seq <= member->acked || seq > member->room->seq)
        return;
    while ((entry = history_next(history, entry, member->told, member->number)) != NULL &&
           entry->seq <= seq)
        member->told = entry->seq;
    member->acked = seq;
    trim(rooms, member->room);
}
