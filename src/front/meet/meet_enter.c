/* Join and resume: how a connection comes into a room. */
#include "front/meet/meet.h"

#include "front/meet/seat.h"
#include "front/meet/voices.h"

#include "base/base64.h"
#include "front/admission.h"
#include "front/ice.h"

#include <stdio.h>
#include <string.h>

/* The worker that owns a room: the same answer on every worker. */
static unsigned owner_of(const struct server *server, struct view room)
{
    return (unsigned)(siphash(room, server->config.room_secret) % server->config.worker_count);
}

/* True: the connection goes on, on another worker. */
static bool goes_elsewhere(struct meet_call *call, struct view room)
{
    unsigned owner = owner_of(call->server, room);
    if (owner == call->server->config.worker)
        return false;
    stream_move(call->server, call->now, call->stream, owner, call->text);
    return true;
}

/* A member keeps its name over all that it resumes: for quotas it is one user. */
static void write_ice_servers(struct json_writer *writer, const struct meet_call *call,
                              const struct member *member)
{
    const struct stream *stream = call->stream;
    char who[ICE_WHO_SIZE];
    struct ice_asker asker = {
        .host = stream->host ? buffer_view(stream->host) : VIEW(""),
        .secure = stream->secure,
        .room = room_name(member->room),
        .who = who,
        .expires_s = member->pass.expires_s,
    };
    if (member->pass.user)
        ice_write_user(member->pass.user, who);
    else
        snprintf(who, sizeof who, "%u", member->number);
    ice_write(writer, call->server, call->now, &asker);
}

static void send_welcome(struct meet_call *call, const struct member *member)
{
    struct json_writer writer = meet_begin(call->server, "welcome");
    const struct room *room = member->room;
    char session[BASE64_SIZE(SESSION_SIZE)];

    base64url_write(view_make(member->session, SESSION_SIZE), session);
    json_key(&writer, "version");
    json_number(&writer, MEET_VERSION);
    json_key(&writer, "seq");
    json_number(&writer, member->acked);
    meet_write_number(&writer, "you", member->number);
    json_key(&writer, "session");
    json_string(&writer, view_of(session));
    json_key(&writer, "room");
    json_string(&writer, room_name(room));
    json_key(&writer, "name");
    json_string(&writer, member_name(member));
    meet_write_topology(&writer, room);
    json_key(&writer, "camera");
    json_string(&writer, camera_form_name(call->server->config.camera));
    json_key(&writer, "members");
    json_open(&writer, '[');
    for (uint32_t i = 0; i < room->member_count; i++)
        if (room->members[i] != member)
            meet_write_member(&writer, room->members[i]);
    json_close(&writer, ']');
    write_ice_servers(&writer, call, member);
    json_key(&writer, "resumeSeconds");
    json_number(&writer, ROOM_KEEP_AWAY / USEC_S);
    meet_send(call->server, call->now, call->stream, &writer);
}

static bool check_version(struct meet_call *call)
{
    uint64_t version;
    if (json_get_number(call->message, "version", &version) == OK && version == MEET_VERSION)
        return true;
    meet_refuse(call, "bad-version", "this server speaks version 1");
    return false;
}

/* Reads a name into *name: without space around it.  False: refused. */
static bool read_room(struct meet_call *call, struct view *room)
{
    *room = view_trim(json_get_string(call->message, "room"));
    if (room_name_valid(*room))
        return true;
    meet_refuse(call, "bad-room",
                "a room's name is 1 to 128 bytes without control characters and without '/'");
    return false;
}

static bool read_flags(struct meet_call *call, struct join *join)
{
    return json_get_bool(call->message, "audio", &join->audio) != ERR_MALFORMED &&
           json_get_bool(call->message, "video", &join->video) != ERR_MALFORMED &&
           json_get_bool(call->message, "screen", &join->screen) != ERR_MALFORMED;
}

/* False: it is no list.  Those in it that we do not know mean nothing. */
static bool read_topologies(struct meet_call *call, struct join *join)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(call->message, "topologies");
    const cJSON *item;
    if (!list)
        return true;
    cJSON_ArrayForEach(item, list)
    {
        const char *text = cJSON_GetStringValue(item);
        if (text && strcmp(text, "mesh") == 0)
            join->topologies |= TOPOLOGY_BIT(TOPOLOGY_MESH);
        if (text && strcmp(text, "sfu") == 0)
            join->topologies |= TOPOLOGY_BIT(TOPOLOGY_SFU);
    }
    return cJSON_IsArray(list) && join->topologies;
}

/* The stream is in a room now. */
static void enter(struct meet_call *call, struct member *member)
{
    call->stream->context = member;
    wheel_set(&call->server->wheel, &call->stream->timer, call->now + HEARTBEAT_TIME);
}

static void leave_host(struct meet_call *call)
{
    buffer_give(call->server->buffers, call->stream->host);
    call->stream->host = NULL;
}

static void refuse_join(struct meet_call *call, int status, bool room_full)
{
    if (status == ERR_EXISTS)
        meet_refuse(call, "name-taken", "somebody in the room has that name");
    else if (status == ERR_UNSUPPORTED)
        meet_refuse(call, "no-topology",
                    "those in the room know no \"topologies\" in common with you");
    else if (room_full)
        meet_refuse(call, "room-full", "the room is full");
    else
        meet_refuse(call, "server-full", "the server has no place for more");
}

/* Whether the door is open: with it go what the member may do, and the name that it has to bear.
 * False: refused. */
static bool pass_door(struct meet_call *call, struct join *join, struct token *pass)
{
    struct view token = json_get_string(call->message, "token");
    enum admission admission = admission_check(call->server, call->now, token, join->room, pass);
    if (admission != ADMITTED) {
        meet_refuse(call, admission_code(admission), admission_words(admission));
        return false;
    }
    join->pass = (struct pass){ .expires_s = pass->expires_s,
                                .user = admission_user(call->server, pass),
                                .permissions = (uint8_t)pass->permissions };
    join->name = pass->name.size ? token_view(&pass->name) : json_get_string(call->message, "name");
    join->name = view_trim(join->name);
    return true;
}

void meet_join(struct meet_call *call)
{
    struct join join = { .link = call->stream };
    struct token pass;
    struct member *member;
    bool room_full;

    if (!check_version(call) || !read_room(call, &join.room) || !pass_door(call, &join, &pass))
        return;
    if (!member_name_valid(join.name)) {
        meet_refuse(call, "bad-name", "a name is 1 to 128 bytes without control characters");
        return;
    }
    if (!read_flags(call, &join)) {
        meet_refuse(call, "bad-message", "\"audio\", \"video\" and \"screen\" are booleans");
        return;
    }
    if (!read_topologies(call, &join)) {
        meet_refuse(call, "bad-message", "\"topologies\" must be a list with one that is known");
        return;
    }
    if (goes_elsewhere(call, join.room))
        return;
    int status = rooms_join(&call->server->rooms, call->now, &join, &member, &room_full);
    if (status != OK) {
        refuse_join(call, status, room_full);
        return;
    }
    enter(call, member);
    send_welcome(call, member);
    voices_greet(call->server, call->now, member);
    leave_host(call);

    struct trace_event *event =
        trace_add(&call->server->trace, call->now, TRACE_INFO, "room.joined");
    trace_text(event, "room", join.room);
    trace_number(event, "member", member->number);
    trace_number(event, "members", member->room->member_count);
    trace_address(event, "peer", &call->stream->peer);
}

/* The connection that has the place until now, which may be dead without our knowing. */
static void close_old(struct meet_call *call, struct member *member)
{
    struct stream *old = member->link;
    if (member->away)
        return;
    old->context = NULL;
    rooms_away(&call->server->rooms, call->now, member);
    meet_drain(call->server, call->now);
    websocket_close(call->server, call->now, old, 4000, VIEW("taken up elsewhere"), true);
}

static void send_resumed(struct meet_call *call, struct member *member, uint64_t seq)
{
    struct json_writer writer = meet_begin(call->server, "resumed");
    json_key(&writer, "seq");
    json_number(&writer, seq);
    json_key(&writer, "received");
    json_number(&writer, member->received);
    member->confirmed = member->received;
    write_ice_servers(&writer, call, member);
    meet_send(call->server, call->now, call->stream, &writer);
}

void meet_resume(struct meet_call *call)
{
    struct view room;
    struct member *member;
    uint64_t seq;
    uint8_t session[SESSION_SIZE];
    struct rooms *rooms = &call->server->rooms;

    if (!check_version(call) || !read_room(call, &room))
        return;
    if (json_get_number(call->message, "seq", &seq) != OK ||
        base64url_read(json_get_string(call->message, "session"), session, SESSION_SIZE) != OK) {
        meet_refuse(call, "bad-message", "\"session\" and \"seq\" must be as they were told");
        return;
    }
    if (goes_elsewhere(call, room))
        return;
    if (rooms_find_session(rooms, room, session, seq, &member) != OK) {
        metrics_add(call->server->metrics, METRIC_RESUMES_LOST, 1);
        meet_refuse(call, "session-lost", "the place is gone: join anew");
        return;
    }
    close_old(call, member);
    enter(call, member);
    send_resumed(call, member, seq);
    leave_host(call);
    meet_replay(call->server, call->now, call->stream, member, seq);
    rooms_acked(rooms, member, seq);
    rooms_back(rooms, member, call->stream);
    voices_greet(call->server, call->now, member);
    if (member->seat)
        seat_tell_again(member->seat, call->now);
    metrics_add(call->server->metrics, METRIC_RESUMES, 1);
}
