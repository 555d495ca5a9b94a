/* Tracks that go out. */
#include "front/mediasoup/mediasoup.h"

#include <stdio.h>
#include <string.h>

/* ---- the end ---- */

void mediasoup_close_consumer(struct server *server, usec now, struct mediasoup_consumer *consumer)
{
    struct mediasoup_member *member = consumer->transport->member;
    (void)server;
    peer_remove(consumer->transport->peer, now, consumer->transceiver);
    list_remove(&consumer->of_transport);
    list_remove(&consumer->of_producer);
    member->consumer_count--;
    pool_give(&member->mediasoup->consumers, consumer);
}

/* ---- the beginning ---- */

static struct mediasoup_producer *find_producer(const struct mediasoup_room *room, struct view id)
{
    for (const struct list *at = room->producers.next; at != &room->producers; at = at->next) {
        struct mediasoup_producer *producer = LIST_ENTRY(at, struct mediasoup_producer, of_room);
        if (view_equal(view_of(producer->id), id))
            return producer;
    }
    return NULL;
}

/* How the track comes in, as what is to be matched. */
static void describe_source(const struct track *track, struct description_section *source)
{
    *source = (struct description_section){ .kind = track->is_video ? SDP_VIDEO : SDP_AUDIO,
                                            .format_count = track->terms.format_count };
    for (unsigned i = 0; i < track->terms.format_count; i++)
        source->formats[i] = track->terms.formats[i];
}

static void make_terms(const struct description_section *section, struct media_terms *terms)
{
    memset(terms, 0, sizeof *terms);
    terms->format_count = section->format_count;
    for (unsigned i = 0; i < section->format_count; i++)
        terms->formats[i] = section->formats[i];
    memcpy(terms->extensions, section->extensions, sizeof terms->extensions);
    terms->has_two_byte = true; /* these clients allow both forms always */
    terms->is_reduced_size = true;
    terms->mid_size = (uint8_t)section->mid.size;
    memcpy(terms->mid, section->mid.at, section->mid.size);
}

/* What a call of consume has come to. */
struct consuming {
    struct mediasoup_transport *transport;
    struct mediasoup_producer *producer;
    struct description_section section;
    char mid[12];
};

static int read_consuming(struct mediasoup_call *call, struct consuming *consuming)
{
    struct view transport = json_get_string(call->argument, "serverConsumerTransportId");
    struct view producer = json_get_string(call->argument, "remoteProducerId");
    struct ortc_capabilities theirs;
    struct description_section source;
    consuming->transport = mediasoup_find_transport(call->member, transport);
    consuming->producer = find_producer(call->member->room, producer);
    if (!consuming->transport || !consuming->transport->is_receiving)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "there is no such transport to receive on");
    if (!consuming->producer)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "there is no such producer");
    if (call->member->consumer_count == MEDIASOUP_CONSUMERS_MAX)
        return mediasoup_refuse(call, ERR_LIMIT, "there are too many tracks");
    int status = ortc_read_capabilities(
        cJSON_GetObjectItemCaseSensitive(call->argument, "rtpCapabilities"), &theirs, &call->error);
    if (status != OK)
        return status;
    describe_source(consuming->producer->transceiver->receiving, &source);
    status =
        ortc_consumer_init(&consuming->section, &source, &call->mediasoup->capabilities, &theirs);
    if (status != OK)
        return mediasoup_refuse(call, status, "rtpCapabilities: the track's codec is not in them");
    snprintf(consuming->mid, sizeof consuming->mid, "%u", consuming->transport->next_mid);
    consuming->section.mid = view_of(consuming->mid);
    return OK;
}

/* Sends nothing yet: the client says when it is ready. */
static int open_sending(struct mediasoup_call *call, struct consuming *consuming,
                        const struct mediasoup_consumer *consumer, struct transceiver **out)
{
    struct track *track = consuming->producer->transceiver->receiving;
    struct peer *peer = consuming->transport->peer;
    struct description_section *section = &consuming->section;
    struct transceiver *transceiver;
    struct media_terms terms;
    make_terms(section, &terms);
    int status = peer_send(peer, call->now, track->is_video, &terms, &transceiver);
    if (status != OK)
        return mediasoup_refuse(call, status, "the server is full");
    /* what came on one transport sounds and looks together */
    transceiver_announce(transceiver, view_of(consuming->producer->transport->id),
                         view_of(consumer->id));
    transceiver_pause(transceiver, call->now, true);
    status = transceiver_subscribe(transceiver, call->now, track);
    if (status != OK) {
        peer_remove(peer, call->now, transceiver);
        return mediasoup_refuse(call, status, "rtpCapabilities: the track's codec is not in them");
    }
    bool has_rtx = section->formats[0].rtx != MEDIA_NO_RTX;
    section->ssrcs[section->ssrc_count++] = (struct description_ssrc){
        .ssrc = transceiver->sender.config.ssrc,
        .rtx = has_rtx ? transceiver->sender.config.rtx_ssrc : 0,
    };
    section->cname = transceiver->said.cname;
    *out = transceiver;
    return OK;
}

static void write_answer(struct mediasoup_call *call, const struct consuming *consuming,
                         const struct mediasoup_consumer *consumer)
{
    bool is_video = consuming->section.kind == SDP_VIDEO;
    struct json_writer *writer = &call->answer;
    json_open(writer, '{');
    json_key(writer, "params");
    json_open(writer, '{');
    json_key(writer, "id");
    json_string(writer, view_of(consumer->id));
    json_key(writer, "producerId");
    json_string(writer, view_of(consuming->producer->id));
    json_key(writer, "kind");
    json_string(writer, is_video ? VIEW("video") : VIEW("audio"));
    json_key(writer, "rtpParameters");
    ortc_write_parameters(writer, &consuming->section);
    json_key(writer, "serverConsumerId");
    json_string(writer, view_of(consumer->id));
    json_close(writer, '}');
    json_close(writer, '}');
}

int mediasoup_consume(struct mediasoup_call *call)
{
    struct consuming consuming;
    int status = read_consuming(call, &consuming);
    if (status != OK)
        return status;
    struct mediasoup_consumer *consumer = pool_take(&call->mediasoup->consumers);
    if (!consumer)
        return mediasoup_refuse(call, ERR_LIMIT, "the server is full");
    socketio_make_secret(call->server, consumer->id);
    status = open_sending(call, &consuming, consumer, &consumer->transceiver);
    if (status != OK) {
        pool_give(&call->mediasoup->consumers, consumer);
        return status;
    }
    consumer->transport = consuming.transport;
    consumer->producer = consuming.producer;
    consumer->transport->next_mid++;
    list_append(&consumer->transport->consumers, &consumer->of_transport);
    list_append(&consumer->producer->consumers, &consumer->of_producer);
    call->member->consumer_count++;
    write_answer(call, &consuming, consumer);
    return OK;
}

/* ---- when the client is ready ---- */

static struct mediasoup_consumer *find_consumer(const struct mediasoup_member *member,
                                                struct view id)
{
    for (struct list *at = member->transports.next; at != &member->transports; at = at->next) {
        struct mediasoup_transport *transport =
            LIST_ENTRY(at, struct mediasoup_transport, of_member);
        for (struct list *of = transport->consumers.next; of != &transport->consumers;
             of = of->next) {
            struct mediasoup_consumer *consumer =
                LIST_ENTRY(of, struct mediasoup_consumer, of_transport);
            if (view_equal(view_of(consumer->id), id))
                return consumer;
        }
    }
    return NULL;
}

int mediasoup_resume(struct mediasoup_call *call)
{
    struct view id = json_get_string(call->argument, "serverConsumerId");
    struct mediasoup_consumer *consumer = find_consumer(call->member, id);
    if (!consumer)
        return mediasoup_refuse(call, ERR_NOT_FOUND, "there is no such consumer");
    transceiver_pause(consumer->transceiver, call->now, false);
    json_open(&call->answer, '{');
    json_close(&call->answer, '}');
    return OK;
}
