/* Transports: each is a peer without descriptions. */
#include "front/mediasoup/mediasoup.h"

#include <string.h>

/* ---- finding ---- */

struct mediasoup_transport *mediasoup_find_transport(struct mediasoup_member *member,
                                                     struct view id)
{
    for (struct list *at = member->transports.next; at != &member->transports; at = at->next) {
        struct mediasoup_transport *transport =
            LIST_ENTRY(at, struct mediasoup_transport, of_member);
        if (view_equal(view_of(transport->id), id))
            return transport;
    }
    return NULL;
}

struct mediasoup_transport *mediasoup_sending(struct mediasoup_member *member)
{
    for (struct list *at = member->transports.prev; at != &member->transports; at = at->prev) {
        struct mediasoup_transport *transport =
            LIST_ENTRY(at, struct mediasoup_transport, of_member);
        if (!transport->is_receiving)
            return transport;
    }
    return NULL;
}

/* ---- the end ---- */

/* Consumers first: a track that comes in on another transport of this end may go out on it. */
void mediasoup_close_transport(struct server *server, usec now,
                               struct mediasoup_transport *transport)
{
    struct mediasoup_member *member = transport->member;
    while (!list_empty(&transport->consumers))
        mediasoup_close_consumer(
            server, now,
            LIST_ENTRY(transport->consumers.next, struct mediasoup_consumer, of_transport));
    while (!list_empty(&transport->producers))
        mediasoup_close_producer(
            server, now,
            LIST_ENTRY(transport->producers.next, struct mediasoup_producer, of_transport));
    peer_close(transport->peer, now);
    list_remove(&transport->of_member);
    member->transport_count--;
    pool_give(&member->mediasoup->transports, transport);
}

static void changed(struct server *server, usec now, struct peer *peer)
{
    struct mediasoup_transport *transport = peer->owner;
    if (peer->state == PEER_ENDED)
        mediasoup_close_transport(server, now, transport);
}

/* A socket's id; of older clients in a namespace of its own, what makes it theirs. */
static void name(const struct peer *peer, struct media_name *out)
{
    const struct mediasoup_transport *transport = peer->owner;
    const struct mediasoup_member *member = transport->member;
    const struct mediasoup_room *room = member->room;
    struct view id = view_of(member->socket->id);
    if (id.size > MEDIA_ID_MAX)
        id = view_slice(id, id.size - SESSION_ID_SIZE, SESSION_ID_SIZE);
    out->room = room;
    out->member = member;
    out->path = view_of(member->mediasoup->endpoint->config->path);
    out->room_name = mediasoup_room_name(room);
    out->id_size = (uint8_t)id.size;
    memcpy(out->id, id.at, id.size);
}

/* ---- the beginning ---- */

static struct ortc_transport describe(const struct mediasoup_transport *transport)
{
    const struct sfu_config *config = &transport->peer->sfu->config;
    const struct ice_credentials *ice = rtc_credentials(transport->peer->transport);
    struct ortc_transport told = { .id = view_of(transport->id),
                                   .ufrag = view_make(ice->ufrag, sizeof ice->ufrag),
                                   .pwd = view_make(ice->pwd, sizeof ice->pwd),
                                   .candidates = config->candidates,
                                   .candidate_count = config->candidate_count };
    memcpy(told.fingerprint, config->fingerprint, sizeof told.fingerprint);
    return told;
}

/* {consumer: true}, or in older pages {sender: false}. */
static bool is_for_receiving(const cJSON *argument)
{
    const cJSON *consumer = cJSON_GetObjectItemCaseSensitive(argument, "consumer");
    const cJSON *sender = cJSON_GetObjectItemCaseSensitive(argument, "sender");
    return cJSON_IsTrue(consumer) || (!consumer && cJSON_IsFalse(sender));
}

int mediasoup_create_transport(struct mediasoup_call *call)
{
    struct mediasoup_member *member = call->member;
    if (member->transport_count == MEDIASOUP_TRANSPORTS_MAX)
        return mediasoup_refuse(call, ERR_LIMIT, "there are too many transports");
    struct mediasoup_transport *transport = pool_take(&call->mediasoup->transports);
    if (!transport)
        return mediasoup_refuse(call, ERR_LIMIT, "the server is full");
    const struct peer_config config = { .owner = transport, .policy = &media_policy };
    transport->owner = (struct media_owner){ .changed = changed, .name = name };
    int status = peer_open(call->server->sfu, call->now, &config, &transport->peer);
    if (status != OK) {
        pool_give(&call->mediasoup->transports, transport);
        return mediasoup_refuse(call, status, "the server is full");
    }
    transport->member = member;
    transport->is_receiving = is_for_receiving(call->argument);
    list_init(&transport->producers);
    list_init(&transport->consumers);
    list_append(&member->transports, &transport->of_member);
    member->transport_count++;
    socketio_make_secret(call->server, transport->id);
    const struct ortc_transport told = describe(transport);
    json_open(&call->answer, '{');
    json_key(&call->answer, "params");
    ortc_write_transport(&call->answer, &told);
    json_close(&call->answer, '}');
    return OK;
}

/* ---- the client's way ---- */

static int connect_transport(struct mediasoup_call *call, struct mediasoup_transport *transport)
{
    struct ortc_dtls dtls;
    if (!transport)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "there is no such transport");
    if (transport->is_connected)
        return mediasoup_refuse(call, ERR_EXISTS, "the transport is connected");
    int status = ortc_read_dtls(cJSON_GetObjectItemCaseSensitive(call->argument, "dtlsParameters"),
                                &dtls, &call->error);
    if (status != OK)
        return status;
    struct rtc_remote remote = { .setup =
                                     dtls.setup == SDP_SETUP_PASSIVE ? RTC_ACTIVE : RTC_PASSIVE };
    memcpy(remote.fingerprint, dtls.fingerprint, sizeof remote.fingerprint);
    peer_connect(transport->peer, call->now, &remote);
    transport->is_connected = true;
    json_open(&call->answer, '{');
    json_close(&call->answer, '}');
    return OK;
}

int mediasoup_connect_sending(struct mediasoup_call *call)
{
    return connect_transport(call, mediasoup_sending(call->member));
}

int mediasoup_connect_receiving(struct mediasoup_call *call)
{
    struct view id = json_get_string(call->argument, "serverConsumerTransportId");
    return connect_transport(call, mediasoup_find_transport(call->member, id));
}
