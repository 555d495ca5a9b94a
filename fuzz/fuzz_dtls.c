/* Fuzzes DTLS: the reader of hellos, and a server with real clients whose datagrams are lost,
 * broken and mixed with anyone's.
 *
 * Input: operations, each of a byte for what it is, one for whom, and what it needs (below).  The
 * random numbers are OpenSSL's own, so a run is not the same twice beyond the first hello.
 */
#include "agent/dtls_server.h"
#include "input.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define CLIENTS   3
#define DATAGRAMS 32
#define IDLE      (60 * USEC_S)

struct client {
    struct dtls dtls;
    struct address address;
    struct {
        size_t size;
        uint8_t bytes[2048];
    } inbox[DATAGRAMS];
    unsigned count;
};

static struct client clients[CLIENTS];
static struct dtls_context *server_context, *client_context;
static struct dtls_server server;
static usec now;
static size_t answered; /* bytes sent since the last datagram was fed */
static unsigned open_count;
static uint64_t seed;

static void fill(void *context, void *into, size_t size)
{
    uint8_t *out = into;
    (void)context;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)input_mix(seed++);
}

static const struct random RANDOM = { fill, NULL };
static const struct address LOCAL = { .family = ADDRESS_IPV4,
                                      .bytes = { 192, 0, 2, 9 },
                                      .port = 1 };

static void make_contexts(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    CHECK(key && x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    struct dtls_config config = { .certificate = x, .key = key };
    CHECK(dtls_context_new(&config, &server_context) == OK);
    CHECK(dtls_context_new(&config, &client_context) == OK);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void drain(void)
{
    struct dtls_server_out out;
    for (;;) {
        dtls_server_poll(&server, &out);
        switch (out.kind) {
        case DTLS_SERVER_SEND:
            answered += out.bytes.size;
            CHECK(out.socket == 3);
            for (unsigned i = 0; i < CLIENTS; i++) {
                struct client *client = &clients[i];
                if (!address_equal(&client->address, &out.client) || client->count == DATAGRAMS)
                    continue;
                CHECK(out.bytes.size <= sizeof client->inbox[0].bytes);
                client->inbox[client->count].size = out.bytes.size;
                memcpy(client->inbox[client->count++].bytes, out.bytes.at, out.bytes.size);
            }
            break;
        case DTLS_SERVER_OPENED:
            open_count++;
            break;
        case DTLS_SERVER_IDLE:
            CHECK(dtls_server_is(&server, out.connection, &out.client, &LOCAL));
            dtls_server_close(&server, now, out.connection);
            break;
        case DTLS_SERVER_CLOSED:
            CHECK(open_count > 0);
            open_count--;
            break;
        case DTLS_SERVER_DATA:
            CHECK(out.bytes.size > 0 && out.bytes.size <= DTLS_DATAGRAM_MAX);
            break;
        default:
            CHECK(out.until == USEC_NEVER || out.until > now);
            return;
        }
    }
}

static void feed(const struct address *from, struct view datagram)
{
    struct span copy = input_copy(datagram);
    bool is_stranger = server.peers.used == 0;
    answered = 0;
    dtls_server_feed(&server, now, 3, from, &LOCAL, view_of_span(copy));
    drain();
    if (is_stranger && server.peers.used == 0)
        CHECK(answered <= datagram.size);
    free(copy.at);
}

/* What the client says, broken at `place` (or not: past its end), comes to the server. */
static void speak(struct client *client, size_t place)
{
    struct dtls_out out;
    for (;;) {
        dtls_poll(&client->dtls, &out);
        if (out.kind == DTLS_WAIT)
            return;
        if (out.kind != DTLS_SEND)
            continue;
        struct span copy = input_copy(out.bytes);
        if (place < copy.size)
            copy.at[place] ^= (uint8_t)(1 << place % 8);
        feed(&client->address, view_of_span(copy));
        free(copy.at);
    }
}

static void start(struct client *client, size_t place)
{
    dtls_free(&client->dtls);
    client->count = 0;
    CHECK(dtls_init(&client->dtls, client_context, DTLS_CLIENT, now) == OK);
    speak(client, place);
}

/* The client hears all that was sent to it, the newest first if `is_reversed`. */
static void listen_to(struct client *client, bool is_reversed, size_t place)
{
    for (unsigned turns = 0; client->dtls.context && client->count > 0 && turns < 64; turns++) {
        unsigned at = is_reversed ? client->count - 1 : 0;
        struct span copy = input_copy(view_make(client->inbox[at].bytes, client->inbox[at].size));
        client->count--;
        memmove(&client->inbox[at], &client->inbox[at + 1],
                (client->count - at) * sizeof client->inbox[0]);
        dtls_feed(&client->dtls, now, view_of_span(copy));
        free(copy.at);
        speak(client, place);
    }
}

static void run_operation(struct view *input)
{
    uint8_t what = input_byte(input);
    struct client *client = &clients[input_byte(input) % CLIENTS];
    struct view part;
    size_t place = what & 8 ? SIZE_MAX : input_byte(input);
    switch (what & 7) {
    case 0:
        start(client, place);
        break;
    case 1:
    case 2:
        listen_to(client, what & 1, place);
        break;
    case 3:
        feed(&client->address, input_take(input, input_byte(input) * 2u));
        break;
    case 4:
        now += (usec)input_byte(input) * 100 * USEC_MS;
        dtls_server_tick(&server, now);
        drain();
        break;
    case 5:
        if (client->dtls.context) {
            dtls_tick(&client->dtls, now);
            speak(client, place);
        }
        break;
    case 6:
        part = input_take(input, input_byte(input));
        (void)!dtls_server_send(&server, now, (uint32_t)(client - clients), &part, 1);
        drain();
        if (client->dtls.context) {
            (void)!dtls_send(&client->dtls, now, part);
            speak(client, place);
        }
        break;
    default:
        dtls_server_close(&server, now, (uint32_t)(client - clients));
        drain();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    struct dtls_hello hello;
    if (!server_context)
        make_contexts();
    struct dtls_server_config config = { .context = server_context,
                                         .random = &RANDOM,
                                         .associations_max = 2,
                                         .handshakes_max = 1,
                                         .per_prefix_max = 2,
                                         .idle_max = IDLE };
    now = USEC_S;
    seed = 1;
    open_count = 0;
    CHECK(dtls_server_init(&server, &config, now) == OK);
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i].address =
            (struct address){ .family = ADDRESS_IPV4, .bytes = { 10, (uint8_t)i }, .port = 5000 };
    struct span copy = input_copy(input);
    (void)!dtls_hello_read(view_of_span(copy), &hello);
    free(copy.at);
    for (unsigned i = 0; i < 64 && input.size > 0; i++)
        run_operation(&input);
    /* all fall silent */
    for (unsigned i = 0; i < 64 && server.peers.used > 0; i++) {
        now += 10 * USEC_S;
        dtls_server_tick(&server, now);
        drain();
    }
    CHECK(server.peers.used == 0 && server.by_key.count == 0 && open_count == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        dtls_free(&clients[i].dtls);
        clients[i].count = 0;
    }
    dtls_server_free(&server);
    return 0;
}
