/* house_media.h - a house whose server has a media port, a front of the tests' own that owns peers
 * on it, and far ends for these. */
#ifndef MOIM_TESTS_FRONT_HOUSE_MEDIA_H
#define MOIM_TESTS_FRONT_HOUSE_MEDIA_H

#include "house_http.h"
#include "house_network.h"

#include "front/media.h"
#include "wire/json.h"

#define ADMIN_TOKEN "the admin's own token"

/* ---- whose peers are ---- */

struct room_of_tests {
    const char *path;
    const char *name;
};

struct person {
    struct media_owner owner; /* first */
    const struct room_of_tests *room;
    const char *id;
    const char *name;
    struct peer *peer;
    struct far *far;
    struct transceiver *publishing;
    struct transceiver *receiving;
    struct secure_window sent;
};

static inline void person_changed(struct server *of, usec now, struct peer *peer)
{
    struct person *person = peer->owner;
    (void)of;
    if (peer->state != PEER_ENDED)
        return;
    peer_close(peer, now);
    person->peer = NULL;
}

static inline void person_name(const struct peer *peer, struct media_name *name)
{
    const struct person *person = peer->owner;
    name->room = person->room;
    name->member = person->id;
    name->path = view_of(person->room->path);
    name->room_name = view_of(person->room->name);
    name->member_name = view_of(person->name);
    name->id_size = (uint8_t)strlen(person->id);
    memcpy(name->id, person->id, name->id_size);
}

static inline struct view person_source(const struct peer *peer, const struct track *track)
{
    (void)peer;
    return track->is_video ? VIEW("camera") : VIEW("microphone");
}

static inline void media_house_open(bool has_pcap)
{
    static const struct token_secrets ADMIN = { .items = { VIEW(ADMIN_TOKEN) }, .count = 1 };
    port_open(SECURE_DTLS_PROFILES);
    const struct server_rtc rtc = { .dtls = port.context,
                                    .secure = port.engine,
                                    .transports_max = 4,
                                    .candidates = { { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
                                    .candidate_count = 1 };
    house = house_build(&(struct wishes){
        .admin = &ADMIN, .rtc = &rtc, .to_network = to_network, .has_pcap = has_pcap });
    server = house->servers[0];
}

static inline void media_house_close(void)
{
    house_close(house);
    port_close();
}

/* ---- people ---- */

static const struct media_terms VP8_TERMS = {
    .formats = { { .codec = PAYLOAD_VP8,
                   .payload_type = 96,
                   .rtx = 97,
                   .feedback = MEDIA_NACK | MEDIA_PLI } },
    .format_count = 1,
    .mid = "0",
    .mid_size = 1,
};

static inline void person_come(struct person *person)
{
    struct rtc_remote remote = { .setup = RTC_PASSIVE };
    const struct peer_config config = { .owner = person, .policy = &media_policy };
    person->owner = (struct media_owner){ .changed = person_changed,
                                          .name = person_name,
                                          .source = person_source };
    memcpy(remote.fingerprint, port.far_identity.fingerprint, sizeof remote.fingerprint);
    assert_int_equal(peer_open(server->sfu, house->now, &config, &person->peer), OK);
    peer_connect(person->peer, house->now, &remote);
    person->far = far_make(person->peer->transport, "SRTP_AEAD_AES_128_GCM");
    far_check(person->far, true);
    run();
    far_begin(person->far);
    run();
    assert_int_equal(person->peer->state, PEER_CONNECTED);
}

static inline void person_go(struct person *person)
{
    if (person->peer)
        peer_close(person->peer, house->now);
    person->peer = NULL;
    run();
}

static inline void person_publish(struct person *person)
{
    const struct peer_receiving receiving = { .is_video = true,
                                              .terms = VP8_TERMS,
                                              .encoding_count = 1,
                                              .encodings = { { .ssrc = 5, .rtx_ssrc = 6 } } };
    assert_int_equal(peer_receive(person->peer, house->now, &receiving, &person->publishing), OK);
}

static inline void person_watch(struct person *person, const struct person *whom)
{
    assert_int_equal(peer_send(person->peer, house->now, true, &VP8_TERMS, &person->receiving), OK);
    assert_int_equal(
        transceiver_subscribe(person->receiving, house->now, whom->publishing->receiving), OK);
}

/* A frame in one packet. */
static inline void person_say(struct person *person, uint8_t number, bool is_key)
{
    static const char *const FRAMES[] = { "\x10\x11\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01",
                                          "\x10\x10\x01\x01\x9d\x01\x2a\x40\x01\xf0\x01" };
    uint8_t room[RTC_PACKET_MAX] = { 0x80, 0x80 | 96, 0, number, 0, 0, number, 0, 0, 0, 0, 5 };
    struct secure_outgoing out = { .key = person->far->secure.rtp_out,
                                   .sent = &person->sent,
                                   .at = room,
                                   .payload = view_of(FRAMES[is_key]),
                                   .header_size = 12 };
    secure_protect(port.far_engine, &out, 1);
    assert_int_equal(out.status, OK);
    far_send(person->far, view_make(room, out.size));
    run();
}

/* ---- asking ---- */

/* The code; *out, where it is 200, is the caller's to delete. */
static inline unsigned admin_ask(struct house *of, const char *path, cJSON **out)
{
    char request[1024];
    struct answer answer = { 0 };
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " ADMIN_TOKEN "\r\n\r\n", path);
    house_ask(of, request, &answer);
    if (out)
        *out = NULL;
    if (answer.code == 200 && out)
        assert_int_equal(json_read_object(bytes_view(&answer.body), out), OK);
    unsigned code = answer.code;
    answer_free(&answer);
    return code;
}

#endif
