/* Fuzzes stand-ins: clients that come and go, call one another in any order, answer late, begin
 * anew, and say descriptions that are broken or of their own making.
 *
 * Input: a byte of what they are like (1: by names, 2: a new connection for each offer), then acts,
 * each of a byte for what it is (high half) and for whom (bits 2 and 3: the client, 0 and 1: the
 * far one), and what it needs:
 *   0x  comes, or goes                    1x  offers
 *   2x  hears what it was told last       3x  begins a new connection
 *   4x  says text: size (2), bytes        5x  says its last description, broken at a place (2)
 *   6x  its connection stands             7x  ... ends
 *   8x  time passes: 2^low half ms        9x  has tracks, or has none
 *
 * What must hold: a client uploads on its source and its heir alone; it is sent what the one
 * publishes whom it sees, and nothing else; in the end nothing is left.
 */
#include "front/rtc.h"
#include "front/standin/standin.h"
#include "input.h"
#include "negotiation_support.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { CLIENTS = 4, ACTS_MAX = 120, TEXT_SIZE = 32 * 1024 };

/* A client's connection to one of the others, or to all of them. */
struct end {
    struct negotiation negotiation;
    struct negotiation_section sections[END_SECTIONS];
    bool has_begun, has_told;
    struct standin_text told; /* by the server, last */
    char in[TEXT_SIZE];
    char out[TEXT_SIZE]; /* what it said last */
    size_t out_size;
    bool out_is_answer;
};

static struct {
    usec now;
    uint64_t seed, sessions;
    struct server *server;
    struct metrics metrics;
    struct standins standins;
    struct standin_room *room;
    struct standin_client *clients[CLIENTS]; /* NULL: not there */
    bool has_tracks[CLIENTS];
    struct end ends[CLIENTS][CLIENTS];
} world;

static struct dtls_context *context;
static struct secure_engine *engine;
static struct sdp sdp;
static struct description description;

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
    const struct secure_config secure = { SECURE_BEST, 32, 64 };
    CHECK(secure_engine_new(&secure, &engine) == OK);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* ---- the clients' ends ---- */

static unsigned index_of(const struct standin_client *client)
{
    unsigned i = 0;
    while (world.clients[i] != client)
        CHECK(++i < CLIENTS);
    return i;
}

static bool is_each(void)
{
    return world.standins.config.is_each;
}

static struct end *end_of(unsigned client, unsigned far)
{
    return &world.ends[client][is_each() ? far : 0];
}

static void begin(struct end *end)
{
    negotiation_init(&end->negotiation, &END_POLICY, end->sections, END_SECTIONS, ++world.sessions,
                     true);
    end->has_begun = true;
}

static void tell(struct server *server, usec now, const struct standin *standin,
                 const struct standin_text *text)
{
    unsigned client = index_of(standin->client);
    unsigned far = standin->far ? index_of(standin->far) : 0;
    struct end *end = end_of(client, far);
    CHECK(server == world.server && now == world.now && text->sdp.size <= TEXT_SIZE);
    memcpy(end->in, text->sdp.at, text->sdp.size);
    end->told =
        (struct standin_text){ .kind = text->kind, .sdp = view_make(end->in, text->sdp.size) };
    end->has_told = true;
}

static const struct standin_voice VOICE = { .tell = tell };

static struct negotiation_local local_of(const struct end *end)
{
    return end_local("endufrag", (uint8_t)end->negotiation.session_id);
}

static void send_text(unsigned client, unsigned far, struct view text, bool is_answer)
{
    struct standin_client *self = world.clients[client];
    struct standin_client *other = world.clients[far];
    struct standin_client *named = is_each() ? other : NULL;
    if (!self || client == far || (is_each() && !other))
        return;
    struct span copy = input_copy(text);
    if (is_answer)
        standin_hear_answer(self, world.now, named, view_of_span(copy));
    else if (standin_hear_offer(self, world.now, named, view_of_span(copy)))
        for (unsigned i = 0; i < CLIENTS; i++)
            if (world.clients[i] && i != client && (!is_each() || i == far))
                standin_invite(world.clients[i], world.now, self);
    free(copy.at);
}

static void say(unsigned client, unsigned far, struct end *end, const struct sdp_writer *writer,
                bool is_answer)
{
    CHECK(!writer->overflow);
    end->out_size = writer->size;
    end->out_is_answer = is_answer;
    send_text(client, far, view_make(end->out, writer->size), is_answer);
}

static void offer(unsigned client, unsigned far)
{
    struct end *end = end_of(client, far);
    struct sdp_writer writer = { .at = end->out, .capacity = TEXT_SIZE };
    if (!end->has_begun)
        begin(end);
    if (end->negotiation.state != NEGOTIATION_STABLE)
        return;
    for (unsigned kind = 0; kind < 2 && end->negotiation.count == 0; kind++) {
        struct negotiation_sending sending = end_sending((uint32_t)world.sessions * 8 + kind * 2);
        if (world.has_tracks[client])
            (void)!negotiation_add(&end->negotiation, &end->sections[kind],
                                   kind ? SDP_VIDEO : SDP_AUDIO, &sending, true, &END_FORMATS[kind],
                                   1);
    }
    struct negotiation_local local = local_of(end);
    if (negotiation_write_offer(&end->negotiation, &local, &writer) == OK)
        say(client, far, end, &writer, false);
}

static void answer(unsigned client, unsigned far, struct end *end)
{
    struct sdp_writer writer = { .at = end->out, .capacity = TEXT_SIZE };
    struct negotiation_local local = local_of(end);
    for (uint32_t i = 0; i < end->negotiation.described && world.has_tracks[client]; i++) {
        struct negotiation_section *section = &end->sections[i];
        struct negotiation_sending sending = end_sending((uint32_t)world.sessions * 64 + i * 2);
        if (!section->sending.track && section->direction & SDP_SENDONLY &&
            (section->kind == SDP_AUDIO || section->kind == SDP_VIDEO))
            negotiation_send(&end->negotiation, section, &sending);
    }
    if (negotiation_write_answer(&end->negotiation, &local, &writer) == OK)
        say(client, far, end, &writer, true);
}

/* The end takes what it was told last. */
static void hear(unsigned client, unsigned far)
{
    struct end *end = end_of(client, far);
    struct negotiation_remote remote;
    struct description_error error;
    if (!end->has_told)
        return;
    end->has_told = false;
    bool is_offer = end->told.kind == STANDIN_OFFER;
    CHECK(description_read(end->told.sdp, &sdp, &description, &error) == OK);
    if (!end->has_begun || (is_offer && world.standins.config.is_renewed))
        begin(end);
    if (!is_offer)
        (void)!negotiation_take_answer(&end->negotiation, &description, &remote, &error);
    else if (negotiation_take_offer(&end->negotiation, &description, &remote, &error) == OK)
        answer(client, far, end);
}

/* ---- what must hold ---- */

static bool uploads(const struct peer *peer)
{
    struct transceiver *at = NULL;
    while ((at = peer_next(peer, at)) != NULL)
        if (at->receiving)
            return true;
    return false;
}

static void check_standin(const struct standin *standin)
{
    const struct standin_client *client = standin->client;
    const struct standin_client *seen = standin_sees(standin);
    struct transceiver *at = NULL;
    CHECK(standin->peer->owner == standin && standin->peer->state != PEER_ENDED);
    CHECK(seen != client && standin->peer->negotiation.state != NEGOTIATION_REMOTE_OFFER);
    CHECK(!uploads(standin->peer) || standin == client->source || standin == client->heir);
    while ((at = peer_next(standin->peer, at)) != NULL) {
        const struct transceiver *source = at->subscription ? at->subscription->source : NULL;
        CHECK(!source || (seen && seen->source && source->peer == seen->source->peer));
    }
}

static void check(void)
{
    uint32_t standins = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct standin_client *client = world.clients[i];
        uint32_t count = 0;
        if (!client)
            continue;
        CHECK((client->source != NULL) == !list_empty(&client->publishing));
        for (const struct list *at = client->standins.next; at != &client->standins;
             at = at->next, count++)
            check_standin(LIST_ENTRY(at, struct standin, of_client));
        CHECK(count == client->standin_count && count <= STANDIN_EACH_MAX);
        CHECK(is_each() || count <= 1);
        standins += count;
    }
    CHECK(standins == world.standins.all.used);
    CHECK(standins == world.server->sfu->peers.used);
}

/* ---- acts ---- */

static void come_or_go(unsigned client)
{
    char key[2] = { (char)('a' + client), 0 };
    if (!world.clients[client]) {
        CHECK(standin_enter(world.room, NULL, is_each() ? view_of(key) : VIEW(""),
                            &world.clients[client]) == OK);
        memset(world.ends[client], 0, sizeof world.ends[client]);
        for (unsigned i = 0; i < CLIENTS; i++)
            memset(&world.ends[i][client], 0, is_each() ? sizeof(struct end) : 0);
        return;
    }
    struct standin_client *gone = world.clients[client];
    standin_leave(gone, world.now);
    world.clients[client] = NULL;
}

static void change(unsigned client, unsigned far, enum peer_state state)
{
    const struct list *all = &world.room->clients;
    const struct standin_client *self = world.clients[client];
    if (!self || list_empty(all))
        return;
    for (const struct list *at = self->standins.prev; at != &self->standins; at = at->prev) {
        struct standin *standin = LIST_ENTRY(at, struct standin, of_client);
        if (is_each() && standin->far != world.clients[far])
            continue;
        if (standin->peer->state == PEER_NEW || state == PEER_ENDED) {
            standin->peer->state = (uint8_t)state;
            standin->owner.changed(world.server, world.now, standin->peer);
        }
        return;
    }
}

static void act(uint8_t what, struct view *input)
{
    unsigned client = what >> 2 & 3;
    unsigned far = what & 3;
    struct end *end = end_of(client, far);
    uint8_t high = 0;
    switch (what >> 4) {
    case 0:
        come_or_go(client);
        break;
    case 1:
        if (world.clients[client])
            offer(client, far);
        break;
    case 2:
        if (world.clients[client])
            hear(client, far);
        break;
    case 3:
        begin(end);
        break;
    case 4:
        high = input_byte(input);
        send_text(client, far, input_take(input, (size_t)high << 8 | input_byte(input)),
                  high & 128);
        break;
    case 5:
        high = input_byte(input);
        if (end->out_size)
            end->out[((size_t)high << 8 | input_byte(input)) % end->out_size] ^= 1;
        send_text(client, far, view_make(end->out, end->out_size), end->out_is_answer);
        break;
    case 6:
        change(client, far, PEER_CONNECTED);
        break;
    case 7:
        change(client, far, PEER_ENDED);
        break;
    case 8:
        world.now += USEC_MS << (what & 15);
        break;
    case 9:
        world.has_tracks[client] = !world.has_tracks[client];
        break;
    default:
        break;
    }
}

static void open_world(uint8_t like)
{
    memset(&world, 0, sizeof world);
    world.now = 1000 * USEC_S;
    world.has_tracks[0] = world.has_tracks[1] = true;
    const struct server_rtc rtc = { .dtls = context, .secure = engine, .transports_max = 24 };
    const struct server_config config = { .worker_count = 1,
                                          .streams_max = 4,
                                          .rooms_max = 1,
                                          .members_max = 1,
                                          .buffer_bytes = 1024 * 1024,
                                          .random = { input_random_fill, &world.seed },
                                          .metrics = &world.metrics,
                                          .trace_level = TRACE_ERROR,
                                          .rtc = &rtc };
    const struct standins_config standins = {
        .voice = &VOICE, .is_each = like & 1, .is_renewed = (like & 3) == 3, .clients_max = CLIENTS
    };
    CHECK(server_new(&config, world.now, &world.server) == OK);
    CHECK(standins_init(&world.standins, world.server, &standins) == OK);
    CHECK(standin_room_open(&world.standins, NULL, &world.room) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (!context)
        make_context();
    open_world(input_byte(&input));
    for (unsigned i = 0; i < ACTS_MAX && input.size; i++) {
        act(input_byte(&input), &input);
        check();
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        if (world.clients[i])
            come_or_go(i);
    check();
    CHECK(world.server->sfu->peers.used == 0);
    standin_room_close(world.room);
    standins_free(&world.standins);
    server_free(world.server);
    return 0;
}
