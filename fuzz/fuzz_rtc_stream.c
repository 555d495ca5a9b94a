/* Fuzzes ICE-TCP: connections to a server's media port that say anything, in any pieces, among
 * them checks that are right.
 *
 * Input: operations, each of a byte for what it is (high half) and for whom (low half), and what
 * it needs:
 *   0x  connection x is made            1x  it sends bytes: size, bytes
 *   2x  ... a frame: size, bytes        3x  ... a check: a byte of flags (1 nominates, 2 wrongly
 *       signed, 4 of the other transport), a byte of how it is split
 *   4x  it takes so many bytes x 16     5x  it ends its side      6x  it breaks
 *   7x  time passes: 2^byte ms          8x  a transport is closed, and another opened
 *   9x  datagrams are fed: size, bytes
 *
 * What is checked: nobody gets a byte but behind a right check, what comes is whole frames, a
 * connection that was nobody's at its first frame is closed, and all is given back in the end.
 */
#include "front/rtc.h"
#include "input.h"
#include "wire/stun.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { LINKS = 6, TRANSPORTS = 2, OPERATIONS_MAX = 300 };

struct link {
    bool is_open;
    bool was_right; /* a right check has been sent on it */
    bool is_torn;   /* what it has sent need not be frames */
    bool is_wrong;  /* none was, but a frame of something else */
    uint32_t stream;
    size_t room;
    size_t frame_left; /* of the frame that is coming */
    unsigned length_left;
    size_t length;
};

static struct {
    usec now;
    uint64_t seed;
    struct server *server;
    struct metrics metrics;
    struct link links[LINKS];
    struct rtc_transport *transports[TRANSPORTS];
} world;

static struct dtls_context *context;
static struct secure_engine *engine;

static void make_context(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    CHECK(key && x);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    const struct dtls_config config = { .certificate = x,
                                        .key = key,
                                        .srtp_profiles = SECURE_DTLS_PROFILES,
                                        .asks_certificate = true };
    CHECK(dtls_context_new(&config, &context) == OK);
    X509_free(x);
    EVP_PKEY_free(key);
    const struct secure_config secure = { SECURE_BEST, TRANSPORTS, 8 };
    CHECK(secure_engine_new(&secure, &engine) == OK);
}

/* Transports are the test's own. */
static void hear(void *opaque, usec now, const struct rtc_out *out)
{
    (void)opaque;
    CHECK(out->kind == RTC_ENDED); /* no hands are ever shaken */
    for (unsigned i = 0; i < TRANSPORTS; i++)
        if (world.transports[i] == out->transport)
            world.transports[i] = NULL;
    rtc_close(rtc_door_port(world.server), now, out->transport);
}

static bool pump(void *opaque, usec now)
{
    (void)opaque;
    (void)now;
    return true;
}

static void tick(void *opaque, usec now)
{
    (void)opaque;
    (void)now;
}

static usec until(void *opaque)
{
    (void)opaque;
    return USEC_NEVER;
}

static const struct rtc_users USERS = { hear, pump, tick, until };

/* ---- the server ---- */

static struct link *link_of(uint32_t stream)
{
    for (unsigned i = 0; i < LINKS; i++)
        if (world.links[i].is_open && world.links[i].stream == stream)
            return &world.links[i];
    CHECK(false); /* a stream that is not open */
    return NULL;
}

/* Whole frames alone, one behind the other. */
static void take(struct link *link, struct view bytes)
{
    CHECK(link->was_right);
    for (size_t i = 0; i < bytes.size; i++) {
        if (link->frame_left) {
            link->frame_left--;
            continue;
        }
        link->length = (link->length << 8 | bytes.at[i]) & 0xffff;
        if (++link->length_left < 2)
            continue;
        link->length_left = 0;
        link->frame_left = link->length;
        CHECK(link->frame_left > 0 && link->frame_left <= RTC_PACKET_MAX + RTC_HEADER_MAX);
    }
}

static void send_out(struct link *link, const struct server_out *out)
{
    size_t taken = 0;
    for (size_t i = 0; i < out->run_count; i++) {
        size_t size = out->runs[i].size < link->room ? out->runs[i].size : link->room;
        take(link, view_slice(out->runs[i], 0, size));
        link->room -= size;
        taken += size;
        if (size < out->runs[i].size)
            break;
    }
    server_sent(world.server, world.now, link->stream, taken);
}

static void drain(void)
{
    struct server_out out;
    uint32_t count;
    while (server_rtc_seal(world.server, world.now, &count)) {
        CHECK(count > 0);
        server_rtc_sent(world.server);
    }
    for (server_poll(world.server, &out); out.kind != SERVER_WAIT;
         server_poll(world.server, &out)) {
        if (out.kind == SERVER_SEND)
            send_out(link_of(out.stream), &out);
        else if (out.kind == SERVER_CLOSE)
            link_of(out.stream)->is_open = false;
        else
            CHECK(out.kind == SERVER_READ);
    }
}

static void feed(struct link *link, struct view bytes)
{
    while (bytes.size && link->is_open && server_wants_bytes(world.server, link->stream)) {
        struct span copy = input_copy(input_take(&bytes, SERVER_READ_MAX));
        server_feed(world.server, world.now, link->stream, copy);
        free(copy.at);
        drain();
    }
}

/* ---- operations ---- */

static void open_transport(unsigned which)
{
    struct rtc *port = rtc_door_port(world.server);
    struct rtc_transport **transport = &world.transports[which % TRANSPORTS];
    if (*transport)
        rtc_close(port, world.now, *transport);
    CHECK(rtc_open(port, world.now, NULL, transport) == OK);
    drain();
}

static void dial(struct link *link)
{
    struct stream_origin origin = {
        .kind = STREAM_RTC,
        .peer = { ADDRESS_IPV4, { 192, 0, 2, 1 }, (uint16_t)(5000 + (link - world.links)) },
        .local = { ADDRESS_IPV4, { 198, 51, 100, 1 }, 7000 },
    };
    if (link->is_open)
        return;
    *link = (struct link){ .room = 4096 };
    link->is_open = server_open(world.server, world.now, &origin, &link->stream) == OK;
    drain();
}

static void send_bytes(struct link *link, struct view *input, bool is_frame)
{
    uint8_t frame[2 + 255] = { 0 };
    struct view bytes = input_take(input, input_byte(input));
    if (!link->is_open)
        return;
    frame[1] = (uint8_t)bytes.size;
    if (bytes.size)
        memcpy(frame + 2, bytes.at, bytes.size);
    link->is_torn |= !is_frame;
    link->is_wrong |= !link->is_torn && !link->was_right;
    feed(link, is_frame ? view_make(frame, bytes.size + 2) : bytes);
}

static void check(struct link *link, uint8_t flags, uint8_t split)
{
    static const uint8_t TRANSACTION[STUN_TRANSACTION_SIZE] = { 1 };
    struct rtc_transport *transport = world.transports[flags >> 2 & 1];
    struct stun_writer writer;
    uint8_t frame[202];
    uint8_t name[ICE_UFRAG_SIZE + 2];
    uint64_t state = 0;
    if (!transport || !link->is_open)
        return;
    struct ice_credentials to = *rtc_credentials(transport);
    to.pwd[0] ^= flags & 2;
    memcpy(name, to.ufrag, ICE_UFRAG_SIZE);
    memcpy(name + ICE_UFRAG_SIZE, ":x", 2);
    stun_begin(&writer, frame + 2, sizeof frame - 2, STUN_REQUEST, STUN_BINDING, TRANSACTION);
    stun_add(&writer, STUN_USERNAME, view_make(name, sizeof name));
    stun_add(&writer, STUN_ICE_CONTROLLING, VIEW("12345678"));
    if (flags & 1)
        stun_add(&writer, STUN_USE_CANDIDATE, VIEW(""));
    stun_add_integrity(&writer, view_make(to.pwd, ICE_PWD_SIZE));
    stun_add_fingerprint(&writer);
    frame[0] = 0;
    frame[1] = (uint8_t)writer.size;
    link->was_right |= !(flags & 2);
    for (struct view rest = view_make(frame, writer.size + 2); rest.size;)
        feed(link, input_take(&rest, input_split(split, &state, rest.size)));
}

static void take_more(struct link *link, size_t size)
{
    if (!link->is_open)
        return;
    link->room += size;
    server_writable(world.server, world.now, link->stream);
    drain();
}

static void end(struct link *link, bool breaks)
{
    if (!link->is_open)
        return;
    if (breaks)
        server_closed(world.server, world.now, link->stream);
    else
        server_ended(world.server, world.now, link->stream);
    link->is_open = link->is_open && !breaks;
    drain();
}

static void wait_for(usec duration)
{
    world.now += duration;
    server_tick(world.server, world.now);
    drain();
}

static void feed_datagrams(struct view bytes)
{
    const struct ice_flow flow = { { ADDRESS_IPV4, { 192, 0, 2, 9 }, 9 },
                                   { ADDRESS_IPV4, { 198, 51, 100, 1 }, 7000 },
                                   ICE_UDP };
    struct span copy = input_copy(bytes);
    server_rtc_feed(world.server, world.now, &flow, copy);
    free(copy.at);
    drain();
}

static void operate(uint8_t what, struct view *input)
{
    struct link *link = &world.links[(what & 15) % LINKS];
    uint8_t flags;
    switch (what >> 4) {
    case 0:
        dial(link);
        break;
    case 1:
    case 2:
        send_bytes(link, input, what >> 4 == 2);
        break;
    case 3:
        flags = input_byte(input);
        check(link, flags, input_byte(input));
        break;
    case 4:
        take_more(link, (size_t)input_byte(input) * 16);
        break;
    case 5:
    case 6:
        end(link, what >> 4 == 6);
        break;
    case 7:
        wait_for(USEC_MS << (input_byte(input) & 15));
        break;
    case 8:
        open_transport(what & 15);
        break;
    default:
        feed_datagrams(input_take(input, input_byte(input)));
        break;
    }
}

/* Whoever began with something else is not there any more. */
static void check_links(void)
{
    for (unsigned i = 0; i < LINKS; i++) {
        const struct link *link = &world.links[i];
        CHECK(!link->is_open || !link->is_wrong || link->was_right);
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < LINKS; i++)
        end(&world.links[i], true);
    CHECK(server_streams(world.server) == 0);
    CHECK(world.server->rtc->stranger_count == 0);
    CHECK(metrics_read(&world.metrics, METRIC_RTC_STREAMS) == 0);
    wait_for(RTC_REMOTE_TIME + USEC_S);
    CHECK(rtc_door_port(world.server)->transports.used == 0);
    CHECK(rtc_door_port(world.server)->flows.used == 0);
    server_free(world.server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (!context)
        make_context();
    memset(&world, 0, sizeof world);
    world.now = 1000 * USEC_S;
    const struct server_rtc rtc = { .dtls = context,
                                    .secure = engine,
                                    .transports_max = TRANSPORTS };
    const struct server_config config = {
        .worker_count = 1,
        .streams_max = LINKS,
        .rooms_max = 1,
        .members_max = 1,
        .buffer_bytes = 2 * 1024 * 1024,
        .random = { input_random_fill, &world.seed },
        .metrics = &world.metrics,
        .trace_level = TRACE_ERROR,
        .rtc = &rtc,
    };
    CHECK(server_new(&config, world.now, &world.server) == OK);
    rtc_door_serve(world.server, &USERS, NULL);
    for (unsigned i = 0; i < TRANSPORTS; i++)
        open_transport(i);
    for (unsigned i = 0; i < OPERATIONS_MAX && input.size; i++) {
        operate(input_byte(&input), &input);
        check_links();
    }
    finish();
    return 0;
}
