#include "describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- an offer ---- */

struct text {
    char *at;
    size_t size;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->at + text->size, DESCRIBE_OFFER_MAX - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

static const char *direction(const struct offer *offer, unsigned section)
{
    if (section >= 2)
        return "recvonly";
    return section == 1 && !offer->has_camera ? "inactive" : "sendonly";
}

static void add_section(struct text *text, const struct offer *offer, unsigned section)
{
    bool is_video = section & 1;
    add(text, "m=%s\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:%u\r\na=%s\r\n",
        is_video ? "video 9 UDP/TLS/RTP/SAVPF 100 101" : "audio 9 UDP/TLS/RTP/SAVPF 111", section,
        direction(offer, section));
    add(text, "%s",
        is_video ? "a=rtpmap:100 VP8/90000\r\na=rtcp-fb:100 nack\r\na=rtcp-fb:100 nack pli\r\n"
                   "a=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100\r\n"
                 : "a=rtpmap:111 opus/48000/2\r\n"
                   "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n");
    if (section == 0)
        add(text, "a=ssrc:%u cname:a\r\n", offer->ssrc + 2);
    if (section == 1 && offer->has_camera)
        add(text, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:a\r\na=ssrc:%u cname:a\r\n",
            offer->ssrc, offer->ssrc + 1, offer->ssrc, offer->ssrc + 1);
}

size_t offer_write(const struct offer *offer, char *at)
{
    struct text text = { at, 0 };
    unsigned count = 2 + 2 * offer->slots;
    add(&text, "v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for (unsigned i = 0; i < count; i++)
        add(&text, " %u", i);
    add(&text,
        "\r\na=ice-ufrag:f%03u\r\na=ice-pwd:farfarfarfarfarfarfarfa\r\na=setup:actpass\r\n"
        "a=fingerprint:sha-256 ",
        offer->restarts);
    for (unsigned i = 0; i < DTLS_FINGERPRINT_SIZE; i++)
        add(&text, "%s%02X", i ? ":" : "", offer->fingerprint[i]);
    add(&text, "\r\n");
    for (unsigned i = 0; i < count; i++)
        add_section(&text, offer, i);
    return text.size;
}

/* ---- an answer ---- */

/* What stands behind the words with which the line begins. */
static bool begins(struct view line, const char *words, struct view *rest)
{
    if (!view_starts(line, view_of(words)))
        return false;
    *rest = view_slice(line, strlen(words), line.size);
    return true;
}

static uint32_t number_at(struct view text)
{
    char digits[16] = { 0 };
    memcpy(digits, text.at, text.size < 15 ? text.size : 15);
    return (uint32_t)strtoul(digits, NULL, 10);
}

/* "1 1 udp 2130706431 198.51.100.1 7000 typ host", of which only that address is one of ours. */
static void read_candidate(struct view line, struct answer *answer)
{
    struct view words = line;
    struct view word;
    bool is_udp = false;
    for (unsigned i = 0; view_split(&words, ' ', &word); i++) {
        if (i == 2)
            is_udp = view_equal_nocase(word, VIEW("udp"));
        if (i == 4 && !view_equal(word, VIEW("198.51.100.1")))
            return;
        if (i == 5 && is_udp)
            answer->way.port = (uint16_t)number_at(word);
    }
}

static bool read_line(struct view line, struct answer *answer)
{
    struct view rest;
    unsigned count = answer->section_count;
    if (begins(line, "m=", &rest))
        answer->section_count++;
    else if (begins(line, "a=mid:", &rest))
        return count > 0 && number_at(rest) == count - 1;
    else if (begins(line, "a=ice-ufrag:", &rest) && rest.size == ICE_UFRAG_SIZE)
        memcpy(answer->way.to.ufrag, rest.at, rest.size);
    else if (begins(line, "a=ice-pwd:", &rest) && rest.size == ICE_PWD_SIZE)
        memcpy(answer->way.to.pwd, rest.at, rest.size);
    else if (begins(line, "a=candidate:", &rest))
        read_candidate(rest, answer);
    else if (begins(line, "a=ssrc-group:FID ", &rest) && count > 0)
        answer->sections[count - 1].rtx_ssrc =
            number_at(view_slice(rest, view_find_byte(rest, ' ') + 1, rest.size));
    else if (begins(line, "a=ssrc:", &rest) && count > 0 && !answer->sections[count - 1].ssrc)
        answer->sections[count - 1].ssrc = number_at(rest);
    return answer->section_count <= SECTIONS_MAX;
}

bool answer_read(struct view text, struct answer *answer)
{
    struct view rest = text;
    struct view line;
    *answer = (struct answer){ .section_count = 0 };
    while (view_split(&rest, '\n', &line))
        if (line.size && !read_line(view_slice(line, 0, view_find_byte(line, '\r')), answer))
            return false;
    return answer->way.port && answer->way.to.ufrag[0] && answer->way.to.pwd[0];
}
