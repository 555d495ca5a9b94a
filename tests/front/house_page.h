/* house_page.h - pages that were written to call one another, on bare WebSockets: what they say,
 * and what the server has come to be for them.  They have no media: what is looked at is who is
 * pointed at whom. */
#ifndef MOIM_TESTS_FRONT_HOUSE_PAGE_H
#define MOIM_TESTS_FRONT_HOUSE_PAGE_H

#include "house_endpoint.h"

#include "agent/rtc_house.h"
#include "front/standin/standin.h"
#include "media/negotiation_support.h"
#include "wire/json.h"

#define PAGES_MAX 12
#define SDP_MAX   20000

/* One page and its one peer connection. */
struct page {
    struct wire *wire;
    void *owner;     /* where a page has several connections: whose it is */
    const char *far; /* ... and to whom */
    void (*send)(struct page *page, const char *type, const char *sdp); /* NULL: page_say's way */
    struct negotiation negotiation;
    struct negotiation_section sections[END_SECTIONS];
    bool has[2]; /* a microphone, a camera */
    bool is_gone;
    bool is_wrapped;          /* says {"type":...,"sdp":{"type":...,"sdp":...}} */
    unsigned offers, answers; /* that came */
    char ufrag[64];           /* of the server's end */
    char stream[64];          /* of the first track that was told */
    struct frame frame;       /* the last that came */
};

static struct house *house;
static struct server *server;
static struct page pages[PAGES_MAX];
static unsigned page_count;

static struct sdp page_sdp;
static struct description page_description;
static struct description_error page_error;

static inline void pages_open_house(const struct endpoint_configs *endpoints, uint32_t peers_max)
{
    port_open(SECURE_DTLS_PROFILES);
    memset(pages, 0, sizeof pages);
    page_count = 0;
    const struct server_rtc rtc = { .dtls = port.context,
                                    .secure = port.engine,
                                    .transports_max = peers_max,
                                    .candidates = { { ADDRESS_IPV4, { 192, 0, 2, 9 }, 7000 } },
                                    .candidate_count = 1 };
    house = house_build(&(struct wishes){ .endpoints = endpoints, .rtc = &rtc });
    server = house->servers[0];
}

static inline void page_close(struct page *page)
{
    wire_drop(page->wire);
    page->is_gone = true;
}

static inline void pages_close_house(void)
{
    for (unsigned i = 0; i < page_count; i++)
        if (!pages[i].is_gone && !pages[i].send)
            page_close(&pages[i]);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
    assert_int_equal(house_metric(house, METRIC_MEDIA_PEERS), 0);
    house_close(house);
    port_close();
}

/* A new connection, of another certificate. */
static inline void page_renew(struct page *page)
{
    static uint64_t sessions;
    negotiation_init(&page->negotiation, &END_POLICY, page->sections, END_SECTIONS, ++sessions,
                     true);
}

static inline struct page *page_open(const char *path, bool has_tracks)
{
    struct page *page = &pages[page_count++];
    page->wire = house_ws_at(house, 0, path);
    page->has[0] = page->has[1] = has_tracks;
    page_renew(page);
    return page;
}

static inline struct negotiation_local page_local(const struct page *page)
{
    return end_local("pageufrag", (uint8_t)(page->negotiation.session_id * 7));
}

/* ---- what it says ---- */

static inline void page_say(struct page *page, const char *type, const char *sdp)
{
    if (page->send) {
        page->send(page, type, sdp);
        return;
    }
    static uint8_t text[SDP_MAX * 2];
    struct json_writer writer = json_writer_make(text, sizeof text);
    json_open(&writer, '{');
    json_key(&writer, "type");
    json_string(&writer, view_of(type));
    json_key(&writer, "sdp");
    if (page->is_wrapped) {
        json_open(&writer, '{');
        json_key(&writer, "type");
        json_string(&writer, view_of(type));
        json_key(&writer, "sdp");
    }
    json_string(&writer, view_of(sdp));
    if (page->is_wrapped)
        json_close(&writer, '}');
    json_key(&writer, "roomId");
    json_string(&writer, VIEW("r"));
    json_close(&writer, '}');
    assert_false(writer.overflow);
    ws_send(page->wire, WEBSOCKET_TEXT, true, json_written(&writer));
}

static inline struct negotiation_sending page_sending(const struct page *page, unsigned kind)
{
    static const struct negotiation_track tracks[2] = {
        { .stream = { (const uint8_t *)"own", 3 },
          .track = { (const uint8_t *)"ear", 3 },
          .cname = { (const uint8_t *)"who", 3 } },
        { .stream = { (const uint8_t *)"own", 3 },
          .track = { (const uint8_t *)"eye", 3 },
          .cname = { (const uint8_t *)"who", 3 } },
    };
    uint32_t ssrc = (uint32_t)(page->negotiation.session_id * 100 + kind * 10);
    return (struct negotiation_sending){ .track = &tracks[kind],
                                         .ssrc = ssrc + 1,
                                         .rtx_ssrc = kind ? ssrc + 2 : 0 };
}

/* The section on which it sends one of its tracks; else, one of that kind on which it could; NULL:
 * there is none. */
static inline struct negotiation_section *page_section(struct page *page, unsigned kind,
                                                       bool is_answering)
{
    struct negotiation *negotiation = &page->negotiation;
    struct negotiation_section *found = NULL;
    uint32_t count = is_answering ? negotiation->described : negotiation->count;
    for (uint32_t i = 0; i < count; i++) {
        struct negotiation_section *section = &negotiation->sections[i];
        if (section->kind != (kind ? SDP_VIDEO : SDP_AUDIO) ||
            (is_answering && !(section->direction & SDP_SENDONLY)))
            continue; /* as browsers, that give others a transceiver without a track */
        if (section->sending.track)
            return section;
        if (!found)
            found = section;
    }
    return found;
}

/* addTrack: its microphone and camera, where there is a section for them, and else on new ones. */
static inline void page_add_tracks(struct page *page, bool is_answering)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        const struct negotiation_sending sending = page_sending(page, kind);
        struct negotiation_section *section = page_section(page, kind, is_answering);
        if (!page->has[kind] || (section && section->sending.track))
            continue;
        if (section)
            negotiation_send(&page->negotiation, section, &sending);
        else if (!is_answering)
            assert_int_equal(negotiation_add(&page->negotiation, &page->has[kind],
                                             kind ? SDP_VIDEO : SDP_AUDIO, &sending, true,
                                             kind ? END_FORMATS + 1 : END_FORMATS, 1),
                             OK);
    }
}

static inline const char *page_write_offer(struct page *page)
{
    static char text[SDP_MAX];
    struct sdp_writer writer = { .at = text, .capacity = sizeof text };
    struct negotiation_local local = page_local(page);
    page_add_tracks(page, false);
    assert_int_equal(negotiation_write_offer(&page->negotiation, &local, &writer), OK);
    return text;
}

static inline void page_offer(struct page *page)
{
    page_say(page, "offer", page_write_offer(page));
}

/* ---- what it hears ---- */

static inline void page_read(struct page *page, struct view text, enum standin_kind kind)
{
    static uint8_t sdp[SDP_MAX];
    struct standin_text read;
    assert_int_equal(standin_text_read(text, STANDIN_OFFER, sdp, sizeof sdp, &read), OK);
    assert_int_equal(read.kind, kind);
    if (description_read(read.sdp, &page_sdp, &page_description, &page_error) != OK)
        fail_msg("%s in %.*s", page_error.what, VIEW_ARGS(read.sdp));
    snprintf(page->ufrag, sizeof page->ufrag, "%.*s", VIEW_ARGS(page_description.head.ufrag));
    if (page_description.sections[0].stream.size)
        snprintf(page->stream, sizeof page->stream, "%.*s",
                 VIEW_ARGS(page_description.sections[0].stream));
}

static inline void page_answer(struct page *page)
{
    static char text[SDP_MAX];
    struct sdp_writer writer = { .at = text, .capacity = sizeof text };
    struct negotiation_local local = page_local(page);
    struct negotiation *negotiation = &page->negotiation;
    page_add_tracks(page, true);
    assert_int_equal(negotiation_write_answer(negotiation, &local, &writer), OK);
    page_say(page, "answer", text);
}

/* A message; an offer is answered where `answers`. */
static inline void page_hear(struct page *page, struct view text, bool answers)
{
    struct negotiation_remote remote;
    struct negotiation *negotiation = &page->negotiation;
    int status = OK;
    if (view_find(text, VIEW("\"type\":\"offer\"")) < text.size) {
        page->offers++;
        page_read(page, text, STANDIN_OFFER);
        status = negotiation_take_offer(negotiation, &page_description, &remote, &page_error);
        if (status == OK && answers)
            page_answer(page);
    } else if (view_find(text, VIEW("\"type\":\"answer\"")) < text.size) {
        page->answers++;
        page_read(page, text, STANDIN_ANSWER);
        status = negotiation_take_answer(negotiation, &page_description, &remote, &page_error);
    }
    if (status != OK)
        fail_msg("%s: %s", status_text(status), page_error.what);
}

static inline void page_hear_all(struct page *page, bool answers)
{
    while (ws_poll(page->wire, &page->frame))
        page_hear(page, view_make(page->frame.payload, page->frame.size), answers);
}

/* Until nobody has anything to say. */
static inline void pages_talk(void)
{
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < page_count; i++)
            if (!pages[i].is_gone)
                page_hear_all(&pages[i], true);
}

/* ---- what the server is to it ---- */

/* Its peer; NULL: it has none. */
static inline struct peer *page_peer(const struct page *page)
{
    struct list *all = &server->sfu->all;
    for (struct list *at = all->next; at != all; at = at->next) {
        struct peer *peer = LIST_ENTRY(at, struct peer, of_sfu);
        const struct ice_credentials *ice = rtc_credentials(peer->transport);
        if (page->ufrag[0] &&
            view_equal(view_make(ice->ufrag, sizeof ice->ufrag), view_of(page->ufrag)))
            return peer;
    }
    return NULL;
}

/* How many of its tracks come in. */
static inline unsigned page_uploads(const struct page *page)
{
    struct transceiver *at = NULL;
    const struct peer *peer = page_peer(page);
    unsigned count = 0;
    while (peer && (at = peer_next(peer, at)) != NULL)
        count += at->receiving != NULL;
    return count;
}

/* How many tracks of the other's it is sent. */
static inline unsigned page_sees(const struct page *page, const struct page *other)
{
    struct transceiver *at = NULL;
    const struct peer *peer = page_peer(page);
    const struct peer *from = page_peer(other);
    unsigned count = 0;
    while (peer && (at = peer_next(peer, at)) != NULL) {
        const struct transceiver *source = at->subscription ? at->subscription->source : NULL;
        count += source && source->peer == from && at->may_send;
    }
    return count;
}

#endif
