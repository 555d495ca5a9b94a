/* sfu_texts.h - descriptions for fuzz_sfu.c: offers of many programs, and answers to ours. */
#ifndef MOIM_FUZZ_SFU_TEXTS_H
#define MOIM_FUZZ_SFU_TEXTS_H

#include "dialects.h"
#include "input.h"

#define TEXT_SIZE 65536

static const char VIEWER[] =
    "v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
    "a=ice-ufrag:farr\r\na=ice-pwd:farfarfarfarfarfarfarfa\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 5A:2C:9E:01:44:B7:D0:6F:83:1B:CC:27:EE:90:35:78:AA:10:4D:F2:66:0B:"
    "91:C8:3E:57:72:0D:19:BF:E4:A3\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 100 101\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\n"
    "a=sendrecv\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=extmap:6 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
    "a=extmap:7 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"
    "a=rtpmap:100 VP8/90000\r\na=rtcp-fb:100 nack\r\na=rtcp-fb:100 nack pli\r\n"
    "a=rtcp-fb:100 transport-cc\r\na=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100\r\n"
    "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 100 101\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:1\r\n"
    "a=sendrecv\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:100 VP8/90000\r\n"
    "a=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100\r\na=ssrc-group:FID 7001 7002\r\n"
    "a=ssrc:7001 cname:a\r\na=ssrc:7002 cname:a\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:2\r\n"
    "a=sendrecv\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:8001 cname:a\r\n";

static const struct view OFFERS[] = {
    { (const uint8_t *)VIEWER, sizeof VIEWER - 1 },
    { (const uint8_t *)DIALECT_CHROME, sizeof DIALECT_CHROME - 1 },
    { (const uint8_t *)DIALECT_FIREFOX, sizeof DIALECT_FIREFOX - 1 },
    { (const uint8_t *)DIALECT_SAFARI, sizeof DIALECT_SAFARI - 1 },
    { (const uint8_t *)DIALECT_GSTREAMER, sizeof DIALECT_GSTREAMER - 1 },
    { (const uint8_t *)DIALECT_OBS, sizeof DIALECT_OBS - 1 },
    { (const uint8_t *)DIALECT_VIEWER, sizeof DIALECT_VIEWER - 1 },
    { (const uint8_t *)DIALECT_MUNGED, sizeof DIALECT_MUNGED - 1 },
};

/* The text with some of its bytes changed, in a block of its own. */
static inline struct span mutate(struct view from, struct view *input)
{
    struct span copy = input_copy(from);
    uint8_t changes = input_byte(input);
    for (unsigned i = 0; i < (changes & 7u) && copy.size > 0; i++) {
        size_t at = (size_t)input_byte(input) << 8;
        at = (at | input_byte(input)) % copy.size;
        copy.at[at] = input_byte(input);
    }
    if (changes & 64)
        copy.size = copy.size * input_byte(input) / 256;
    return copy;
}

static inline bool begins(struct view line, const char *with)
{
    return line.size >= strlen(with) && memcmp(line.at, with, strlen(with)) == 0;
}

/* Our offer as its answer would be. */
static inline struct view turn(struct view rest)
{
    static char text[TEXT_SIZE];
    struct view line;
    size_t size = 0;
    while (rest.size > 0 && view_split(&rest, '\n', &line)) {
        if (begins(line, "a=ssrc") || begins(line, "a=msid") || begins(line, "a=candidate") ||
            begins(line, "a=ice-lite"))
            continue;
        if (begins(line, "a=sendonly"))
            line = VIEW("a=recvonly\r");
        if (begins(line, "a=setup"))
            line = VIEW("a=setup:active\r");
        memcpy(text + size, line.at, line.size);
        size += line.size;
        text[size++] = '\n';
    }
    return view_make(text, size);
}

#endif
