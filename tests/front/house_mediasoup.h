/* house_mediasoup.h - pages with mediasoup-client, as they speak over Socket.IO, and far ends for
 * their transports. */
#ifndef MOIM_TESTS_FRONT_HOUSE_MEDIASOUP_H
#define MOIM_TESTS_FRONT_HOUSE_MEDIASOUP_H

#include "house_engine.h"
#include "house_network.h"

#include "media/ortc_captures.h"
#include "media/ortc_support.h"

#include "front/mediasoup/mediasoup.h"

#define PROFILE "SRTP_AEAD_AES_128_GCM"
#define KEY     "\x10\x10\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01" /* VP8: a key frame of 320x240 */

static const struct rule RULES[] = {
    { .on = "join", .to = TO_SENDER, .emit = "joined" },
    { .on = "consume", .to = TO_SENDER, .emit = "never" },
};

static struct endpoint_config ENDPOINT = {
    .path = "/socket.io",
    .carrier = CARRIER_ENGINE,
    .speech = SPEECH_SOCKETIO,
    .limits = ANY_LIMIT,
    .engine = { .ping_interval = 600 * USEC_S, .ping_timeout = 600 * USEC_S, .eio3 = true },
    .socketio = { .connect_timeout = 1 * USEC_S, .mediasoup = true },
    .rules = { .items = RULES, .count = sizeof RULES / sizeof RULES[0] },
};
static const struct endpoint_configs ENDPOINT_LIST = { &ENDPOINT, 1 };

/* 0: without a media port. */
static inline void open_house(uint32_t transports_max)
{
    port_open(SECURE_DTLS_PROFILES);
    const struct server_rtc rtc = { .dtls = port.context,
                                    .secure = port.engine,
                                    .transports_max = transports_max,
                                    .candidates = { { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
                                    .candidate_count = 1 };
    house = house_build(&(struct wishes){ .endpoints = &ENDPOINT_LIST,
                                          .rtc = transports_max ? &rtc : NULL,
                                          .to_network = to_network });
    server = house->servers[0];
}

static inline int set_up(void **state)
{
    (void)state;
    open_house(4);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    house_close(house);
    port_close();
    return 0;
}

/* A frame in one packet, with SSRC 5 and payload type 96. */
static inline void say_frame(struct far *far, uint8_t number)
{
    static struct secure_window sent;
    uint8_t room[RTC_PACKET_MAX] = { 0x80, 0x80 | 96, 0, number, 0, 0, number, 0, 0, 0, 0, 5 };
    struct secure_outgoing out = { .key = far->secure.rtp_out,
                                   .sent = &sent,
                                   .at = room,
                                   .payload = VIEW(KEY),
                                   .header_size = 12 };
    sent = (struct secure_window){ 0 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(far, view_make(room, out.size));
}

/* ---- clients ---- */

static inline struct wire *come(void)
{
    char wanted[100], sid[SID_SIZE + 1];
    struct wire *wire = socket_open(house, "/socket.io/?EIO=4");
    socket_say(wire, "40");
    read_sid(socket_hear(wire), sid);
    snprintf(wanted, sizeof wanted, "42[\"connection-success\",{\"socketId\":\"%s\"}]", sid);
    socket_expect(wire, wanted);
    return wire;
}

/* Says an event with an argument in quotes of '. */
static inline void say_event(struct wire *wire, const char *event, const char *argument)
{
    static char said[16 * 1024];
    int size =
        snprintf(said, sizeof said, "427['%s'%s%s]", event, argument[0] ? "," : "", argument);
    assert_true(size > 0 && (size_t)size < sizeof said);
    for (char *at = said; *at; at++)
        if (*at == '\'')
            *at = '"';
    socket_say(wire, said);
}

static inline cJSON *read_answer(const char *event, const char *heard)
{
    if (strncmp(heard, "437", 3) != 0)
        fail_msg("%s: no acknowledgement but \"%s\"", event, heard);
    cJSON *answer = cJSON_Parse(heard + 3);
    assert_int_equal(cJSON_GetArraySize(answer), 1);
    cJSON *first = cJSON_DetachItemFromArray(answer, 0);
    cJSON_Delete(answer);
    return first;
}

/* What it is acknowledged with: nothing else comes before. */
static inline cJSON *ask(struct wire *wire, const char *event, const char *argument)
{
    say_event(wire, event, argument);
    return read_answer(event, socket_hear(wire));
}

/* The same; events that come before are passed over. */
static inline cJSON *ask_through(struct wire *wire, const char *event, const char *argument)
{
    const char *heard;
    say_event(wire, event, argument);
    do
        heard = socket_hear(wire);
    while (view_starts(view_of(heard), VIEW("42[")));
    return read_answer(event, heard);
}

static inline const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("there is no %s in %s", name, cJSON_PrintUnformatted(object));
    return item;
}

static inline void copy_text(const cJSON *item, char out[64])
{
    assert_true(cJSON_IsString(item) && strlen(item->valuestring) < 64);
    strcpy(out, item->valuestring);
}

static inline void expect_error(struct wire *wire, const char *event, const char *argument,
                                const char *why)
{
    cJSON *answer = ask(wire, event, argument);
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(answer, "params");
    assert_string_equal(at(params ? params : answer, "error")->valuestring, why);
    cJSON_Delete(answer);
}

static inline struct wire *join(const char *room)
{
    char argument[64];
    struct wire *wire = come();
    snprintf(argument, sizeof argument, "{'roomName':'%s'}", room);
    cJSON *answer = ask(wire, "joinRoom", argument);
    assert_true(cJSON_GetArraySize(at(at(answer, "rtpCapabilities"), "codecs")) > 10);
    cJSON_Delete(answer);
    return wire;
}

/* A transport, and the far end that it is for. */
static inline struct far *create(struct wire *wire, bool consumer, char id[64])
{
    cJSON *answer =
        ask(wire, "createWebRtcTransport", consumer ? "{'consumer':true}" : "{'consumer':false}");
    const cJSON *params = at(answer, "params");
    copy_text(at(params, "id"), id);
    const struct peer *peer = LIST_ENTRY(server->sfu->all.prev, struct peer, of_sfu);
    const char *ufrag = at(at(params, "iceParameters"), "usernameFragment")->valuestring;
    assert_view(view_make(peer->transport->ice.local.ufrag, ICE_UFRAG_SIZE), ufrag);
    assert_string_equal(
        at(cJSON_GetArrayItem(at(params, "iceCandidates"), 0), "address")->valuestring,
        "192.0.2.1");
    cJSON_Delete(answer);
    return far_make(peer->transport, PROFILE);
}

static inline void connect_far(struct wire *wire, const char *event, const char *id,
                               struct far *far)
{
    char argument[400], text[100];
    for (unsigned i = 0; i < 32; i++)
        snprintf(text + 3 * i, 4, "%02x:", port.far_identity.fingerprint[i]);
    snprintf(argument, sizeof argument,
             "{'serverConsumerTransportId':'%s','dtlsParameters':{'role':'client',"
             "'fingerprints':[{'algorithm':'sha-256','value':'%.95s'}]}}",
             id, text);
    cJSON_Delete(ask(wire, event, argument));
    far_check(far, true);
    run();
    far_begin(far);
    run();
    assert_true(far->is_connected);
}

#define TRACK                                                                                      \
    "{'mid':'0','codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,"             \
    "'rtcpFeedback':[{'type':'nack'},{'type':'nack','parameter':'pli'}]}],"                        \
    "'encodings':[{'ssrc':5}]}"
#define PRODUCE "{'kind':'video','rtpParameters':" TRACK "}"

static inline void produce(struct wire *wire, char id[64], bool others)
{
    cJSON *answer = ask(wire, "transport-produce", PRODUCE);
    copy_text(at(answer, "id"), id);
    assert_int_equal(cJSON_IsTrue(at(answer, "producersExist")), others);
    assert_int_equal(cJSON_IsTrue(at(answer, "producerExist")), others);
    cJSON_Delete(answer);
}

static inline cJSON *consume(struct wire *wire, const char *transport, const char *producer)
{
    static char argument[12 * 1024];
    snprintf(argument, sizeof argument,
             "{'rtpCapabilities':%s,'remoteProducerId':'%s','serverConsumerTransportId':'%s'}",
             CAPTURED_CAPABILITIES, producer, transport);
    return ask(wire, "consume", argument);
}

/* Of the others. */
static inline int count_producers(struct wire *wire)
{
    cJSON *list = ask(wire, "getProducers", "");
    int count = cJSON_GetArraySize(list);
    cJSON_Delete(list);
    return count;
}

static inline void expect_event(struct wire *wire, const char *event, const char *name,
                                const char *id)
{
    char wanted[200];
    snprintf(wanted, sizeof wanted, "42[\"%s\",{\"%s\":\"%s\"}]", event, name, id);
    socket_expect(wire, wanted);
}

#endif
