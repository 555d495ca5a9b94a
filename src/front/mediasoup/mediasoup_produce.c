/* Tracks that come in. */
#include "front/mediasoup/mediasoup.h"

#include <string.h>

#define FORMATS_MAX (sizeof((struct media_terms *)0)->formats / sizeof(struct media_format))

/* ---- the end ---- */

void mediasoup_close_producer(struct server *server, usec now, struct mediasoup_producer *producer)
{
    struct mediasoup_transport *transport = producer->transport;
    while (!list_empty(&producer->consumers)) {
        struct mediasoup_consumer *consumer =
            LIST_ENTRY(producer->consumers.next, struct mediasoup_consumer, of_producer);
        struct mediasoup_member *member = consumer->transport->member;
        mediasoup_close_consumer(server, now, consumer);
        mediasoup_tell(server, now, member, VIEW("producer-closed"), "remoteProducerId",
                       producer->id);
    }
    peer_remove(transport->peer, now, producer->transceiver);
    list_remove(&producer->of_transport);
    list_remove(&producer->of_room);
    transport->member->producer_count--;
    pool_give(&transport->member->mediasoup->producers, producer);
}

/* ---- what the client says of it ---- */

static bool is_ours(const struct ortc_capabilities *ours, const struct media_format *format,
                    uint8_t *feedback)
{
    for (uint32_t i = 0; i < ours->format_count; i++)
        if (media_format_same(&ours->formats[i], format)) {
            *feedback = ours->formats[i].feedback;
            return true;
        }
    return false;
}

/* Of what it says, what we told it that we take. */
static void make_terms(const struct ortc_capabilities *ours,
                       const struct description_section *section, struct media_terms *terms)
{
    uint8_t feedback;
    memset(terms, 0, sizeof *terms);
    for (unsigned i = 0; i < section->format_count && terms->format_count < FORMATS_MAX; i++) {
        if (!is_ours(ours, &section->formats[i], &feedback))
            continue;
        struct media_format *format = &terms->formats[terms->format_count++];
        *format = section->formats[i];
        format->feedback &= feedback;
    }
    for (unsigned kind = 0; kind < RTP_EXTENSION_KINDS; kind++)
        if (ours->extensions[section->kind == SDP_VIDEO][kind] != 0)
            terms->extensions[kind] = section->extensions[kind];
    terms->has_two_byte = true; /* these clients allow both forms always */
    terms->is_reduced_size = section->is_reduced_size;
    terms->mid_size = (uint8_t)section->mid.size;
    if (section->mid.size > 0)
        memcpy(terms->mid, section->mid.at, section->mid.size);
}

static void take_encodings(const struct description_section *section,
                           struct peer_receiving *receiving)
{
    unsigned count =
        section->ssrc_count > section->rid_count ? section->ssrc_count : section->rid_count;
    for (unsigned i = 0; i < count && i < TRACK_ENCODINGS_MAX; i++) {
        if (i < section->ssrc_count) {
            receiving->encodings[i].ssrc = section->ssrcs[i].ssrc;
            receiving->encodings[i].rtx_ssrc = section->ssrcs[i].rtx;
        }
        if (i < section->rid_count)
            receiving->encodings[i].rid = section->rids[i].id;
        receiving->encoding_count++;
    }
}

static int read_receiving(struct mediasoup_call *call, struct peer_receiving *receiving)
{
    struct view kind = json_get_string(call->argument, "kind");
    struct description_section section;
    bool is_video = view_equal(kind, VIEW("video"));
    if (!is_video && !view_equal(kind, VIEW("audio")))
        return mediasoup_refuse(call, ERR_MALFORMED, "kind: audio or video is wanted");
    int status =
        ortc_read_parameters(cJSON_GetObjectItemCaseSensitive(call->argument, "rtpParameters"),
                             is_video ? SDP_VIDEO : SDP_AUDIO, &section, &call->error);
    if (status != OK)
        return status;
    *receiving = (struct peer_receiving){ .is_video = is_video };
    make_terms(&call->mediasoup->capabilities, &section, &receiving->terms);
    take_encodings(&section, receiving);
    if (receiving->terms.format_count == 0)
        return mediasoup_refuse(call, ERR_UNSUPPORTED,
                                "rtpParameters.codecs: none of them was offered");
    return OK;
}

/* ---- the beginning ---- */

static bool has_others(const struct mediasoup_member *member)
{
    const struct list *producers = &member->room->producers;
    for (const struct list *at = producers->next; at != producers; at = at->next)
        if (LIST_ENTRY(at, struct mediasoup_producer, of_room)->transport->member != member)
            return true;
    return false;
}

static void tell_others(struct mediasoup_call *call, const struct mediasoup_producer *producer)
{
    struct list *members = &call->member->room->members;
    for (struct list *at = members->next; at != members; at = at->next) {
        struct mediasoup_member *member = LIST_ENTRY(at, struct mediasoup_member, of_room);
        if (member != call->member)
            mediasoup_tell(call->server, call->now, member, VIEW("new-producer"), "producerId",
                           producer->id);
    }
}

static int open_producer(struct mediasoup_call *call, struct mediasoup_transport *transport,
                         const struct peer_receiving *receiving, struct mediasoup_producer **out)
{
    struct mediasoup_producer *producer = pool_take(&call->mediasoup->producers);
    if (!producer)
        return mediasoup_refuse(call, ERR_LIMIT, "the server is full");
    int status = peer_receive(transport->peer, call->now, receiving, &producer->transceiver);
    if (status != OK) {
        pool_give(&call->mediasoup->producers, producer);
        return mediasoup_refuse(call, status,
                                status == ERR_EXISTS
                                    ? "rtpParameters.encodings: another track has that SSRC"
                                    : "the server is full");
    }
    producer->transport = transport;
    list_init(&producer->consumers);
    list_append(&transport->producers, &producer->of_transport);
    list_append(&call->member->room->producers, &producer->of_room);
    call->member->producer_count++;
    socketio_make_secret(call->server, producer->id);
    *out = producer;
    return OK;
}

int mediasoup_produce(struct mediasoup_call *call)
{
    struct mediasoup_transport *transport = mediasoup_sending(call->member);
    struct mediasoup_producer *producer = NULL;
    struct peer_receiving receiving;
    if (!transport)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "there is no transport to send on");
    if (call->member->producer_count == MEDIASOUP_PRODUCERS_MAX)
        return mediasoup_refuse(call, ERR_LIMIT, "there are too many tracks");
    int status = read_receiving(call, &receiving);
    if (status == OK)
        status = open_producer(call, transport, &receiving, &producer);
    if (status != OK)
        return status;
    bool exist = has_others(call->member);
    json_open(&call->answer, '{');
    json_key(&call->answer, "id");
    json_string(&call->answer, view_of(producer->id));
    json_key(&call->answer, "producersExist"); /* pages read the one or the other */
    json_bool(&call->answer, exist);
    json_key(&call->answer, "producerExist");
    json_bool(&call->answer, exist);
    json_close(&call->answer, '}');
    tell_others(call, producer);
    return OK;
}

int mediasoup_get_producers(struct mediasoup_call *call)
{
    const struct list *producers = &call->member->room->producers;
    json_open(&call->answer, '[');
    for (const struct list *at = producers->next; at != producers; at = at->next) {
        const struct mediasoup_producer *producer =
            LIST_ENTRY(at, struct mediasoup_producer, of_room);
        if (producer->transport->member != call->member)
            json_string(&call->answer, view_of(producer->id));
    }
    json_close(&call->answer, ']');
    return OK;
}
