/* house_sfu.h - a house with an SFU, and offers to it.  No media flows here: what is negotiated,
 * and what is told, is all that there is. */
#ifndef MOIM_TESTS_FRONT_HOUSE_SFU_H
#define MOIM_TESTS_FRONT_HOUSE_SFU_H

#include "house_meet.h"

#include "agent/rtc_house.h"
#include "front/meet/seat.h"

#define OFFER_SIZE 60000
#define OFFER_SSRC 7000u /* of a section, and its mid */

static inline struct house *sfu_house(struct wishes wishes, uint32_t transports_max)
{
    port_open("SRTP_AEAD_AES_128_GCM");
    struct server_rtc rtc = { .dtls = port.context,
                              .secure = port.engine,
                              .transports_max = transports_max,
                              .candidates = { { ADDRESS_IPV4, { 192, 0, 2, 1 }, 7000 } },
                              .candidate_count = 1 };
    wishes.rtc = &rtc;
    return house_build(&wishes);
}

/* All seats are given back. */
static inline void sfu_house_close(struct house *house)
{
    for (size_t i = 0; i < HOUSE_WIRES_MAX; i++)
        if (house->wires[i].state != WIRE_UNUSED)
            wire_drop(&house->wires[i]);
    house_wait(house, 31 * USEC_S);
    assert_int_equal(house->servers[0]->seats.used, 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_PEERS), 0);
    house_wait(house, 60 * USEC_S);
    house_close(house);
    port_close();
}

static inline void offer_add(char *text, const char *more)
{
    assert_true(strlen(text) + strlen(more) < OFFER_SIZE);
    strcat(text, more);
}

static inline void offer_section(char *text, unsigned mid, bool is_data, bool is_video,
                                 bool is_sent)
{
    char line[700];
    if (is_data) {
        snprintf(line, sizeof line,
                 "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\\r\\nc=IN IP4 0.0.0.0\\r\\n"
                 "a=mid:%u\\r\\na=sctp-port:5000\\r\\na=max-message-size:262144\\r\\n",
                 mid);
        offer_add(text, line);
        return;
    }
    snprintf(line, sizeof line,
             "m=%s 9 UDP/TLS/RTP/SAVPF %d\\r\\nc=IN IP4 0.0.0.0\\r\\na=ice-ufrag:4aBc\\r\\n"
             "a=ice-pwd:Kx8cml/YzichV2+XlhiMu8gT\\r\\na=fingerprint:sha-256 ",
             is_video ? "video" : "audio", is_video ? 96 : 111);
    offer_add(text, line);
    for (unsigned i = 0; i < 32; i++) {
        snprintf(line, sizeof line, "%s%02X", i ? ":" : "", port.far_identity.fingerprint[i]);
        offer_add(text, line);
    }
    snprintf(
        line, sizeof line,
        "\\r\\na=setup:actpass\\r\\na=mid:%u\\r\\na=%s\\r\\na=rtcp-mux\\r\\na=rtpmap:%d %s\\r\\n",
        mid, is_sent ? "sendonly" : "recvonly", is_video ? 96 : 111,
        is_video ? "VP8/90000" : "opus/48000/2");
    offer_add(text, line);
    if (!is_video)
        offer_add(text, "a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level\\r\\n");
    if (is_video)
        offer_add(text, "a=rtcp-fb:96 nack\\r\\na=rtcp-fb:96 nack pli\\r\\n");
    if (is_sent) {
        snprintf(line, sizeof line, "a=ssrc:%u cname:a\\r\\n", OFFER_SSRC + mid);
        offer_add(text, line);
    }
}

/* Says an offer: a letter a section, "AV" sent audio and video, "av" slots, "D" data; their mids
 * are their places.  `more` stands before "sdp" in the message. */
static inline void say_offer(struct wire *wire, const char *sections, const char *more)
{
    static char text[OFFER_SIZE];
    char mid[16];
    snprintf(text, sizeof text,
             "{'type':'sfu-offer',%s'sdp':'v=0\\r\\no=- 46 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\n"
             "t=0 0\\r\\na=group:BUNDLE",
             more);
    for (unsigned i = 0; sections[i]; i++) {
        snprintf(mid, sizeof mid, " %u", i);
        offer_add(text, mid);
    }
    offer_add(text, "\\r\\n");
    for (unsigned i = 0; sections[i]; i++)
        offer_section(text, i, sections[i] == 'D', strchr("Vv", sections[i]) != NULL,
                      strchr("AV", sections[i]) != NULL);
    offer_add(text, "'}");
    ws_say(wire, text);
}

#define BOTH_SOURCES "'tracks':[{'mid':'0','source':'microphone'},{'mid':'1','source':'camera'}],"

/* The next event is of that type, and ends so (behind its number); gives all of it. */
static inline struct frame expect_event(struct wire *wire, const char *type, const char *rest)
{
    char begin[100];
    struct frame frame;
    char *wanted = quoted(rest);
    hear_past_pings(wire, &frame);
    snprintf(begin, sizeof begin, "{\"type\":\"%s\",\"seq\":", type);
    if (!view_starts(view_of(frame.payload), view_of(begin)))
        fail_msg("seen %s, wanted %s", frame.payload, type);
    const char *behind = frame.payload + strlen(begin);
    behind += strspn(behind, "0123456789");
    if (strncmp(behind, wanted, strlen(wanted)) != 0)
        fail_msg("seen %s, wanted %s", behind, wanted);
    free(wanted);
    return frame;
}

static inline void expect_tracks(struct wire *wire, const char *tracks, unsigned audio,
                                 unsigned video)
{
    char rest[2000];
    snprintf(rest, sizeof rest, ",'tracks':[%s],'wanted':{'audio':%u,'video':%u}}", tracks, audio,
             video);
    expect_event(wire, "tracks", rest);
}

/* A guest who knows both topologies. */
static inline struct guest sfu_guest(struct house *house, const char *name)
{
    struct guest guest = { .wire = house_ws(house) };
    char text[300];
    snprintf(text, sizeof text,
             "{'type':'join','version':1,'room':'a','name':'%s','topologies':['mesh','sfu']}",
             name);
    ws_say(guest.wire, text);
    hear_welcome(&guest);
    return guest;
}

#endif
