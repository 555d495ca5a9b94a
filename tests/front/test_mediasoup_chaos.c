/* test_mediasoup_chaos.c - clients that come, go, open, send and receive in any order, and whose
 * transports end by themselves: nothing is left behind, and nobody hears of another room. */
#include "house_mediasoup.h"

#define SEEDS   60
#define STEPS   120
#define CLIENTS 5
#define IDS     8 /* the last ones of each kind */

static uint64_t chance;
static struct wire *wires[CLIENTS];
/* Transports are by their client. */
enum { PRODUCER, CONSUMER, TRANSPORT, KINDS = TRANSPORT + CLIENTS };
static char ids[KINDS][IDS][64];
static unsigned id_counts[KINDS];

static unsigned pick(unsigned count)
{
    uint64_t z = chance += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % count);
}

static const char *any_id(unsigned kind)
{
    unsigned count = id_counts[kind];
    return count ? ids[kind][pick(count < IDS ? count : IDS)] : "none";
}

static void note_id(unsigned kind, const cJSON *answer)
{
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(answer, "params");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(params ? params : answer, "id");
    if (cJSON_IsString(id))
        copy_text(id, ids[kind][id_counts[kind]++ % IDS]);
}

/* `kind`: of what is made, if something is. */
static void say(unsigned client, unsigned kind, const char *event, const char *argument)
{
    cJSON *answer = ask_through(wires[client], event, argument);
    note_id(kind, answer);
    cJSON_Delete(answer);
}

static void say_consume(unsigned client)
{
    static char argument[12 * 1024];
    snprintf(argument, sizeof argument,
             "{'rtpCapabilities':%s,'remoteProducerId':'%s','serverConsumerTransportId':'%s'}",
             CAPTURED_CAPABILITIES, any_id(PRODUCER), any_id(TRANSPORT + client));
    say(client, CONSUMER, "consume", argument);
}

static void say_produce(unsigned client)
{
    char argument[400];
    snprintf(argument, sizeof argument,
             "{'kind':'video','rtpParameters':{'codecs':[{'mimeType':'video/VP8',"
             "'payloadType':%u,'clockRate':90000}],'encodings':[{'ssrc':%u}]}}",
             96 + pick(8), 1 + pick(20));
    say(client, PRODUCER, "transport-produce", argument);
}

static void say_connect(unsigned client)
{
    char argument[400];
    snprintf(argument, sizeof argument,
             "{'serverConsumerTransportId':'%s','dtlsParameters':{'fingerprints':[{"
             "'algorithm':'sha-256','value':'00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
             "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF'}]}}",
             any_id(TRANSPORT + client));
    say(client, TRANSPORT + client, pick(2) ? "transport-connect" : "transport-recv-connect",
        argument);
}

static void step(void)
{
    char argument[100];
    unsigned client = pick(CLIENTS);
    struct wire **wire = &wires[client];
    if (*wire && wire_is_closed(*wire)) { /* it has been silent for too long */
        wire_drop(*wire);
        *wire = NULL;
    }
    if (!*wire) {
        *wire = come();
        return;
    }
    switch (pick(24)) {
    case 0:
        wire_drop(*wire);
        *wire = NULL;
        break;
    case 1:
        say(client, TRANSPORT + client, "joinRoom",
            pick(4) ? "{'roomName':'one'}" : "{'roomName':'two'}");
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        say(client, TRANSPORT + client, "createWebRtcTransport",
            pick(2) ? "{'consumer':true}" : "{'consumer':false}");
        break;
    case 6:
        say_connect(client);
        break;
    case 7:
    case 8:
        say_produce(client);
        break;
    case 9:
        snprintf(argument, sizeof argument, "{'serverConsumerId':'%s'}", any_id(CONSUMER));
        say(client, CONSUMER, "consumer-resume", argument);
        break;
    case 10:
        house_wait(house, pick(20) * USEC_S);
        break;
    default:
        say_consume(client);
    }
}

static unsigned length(const struct list *list)
{
    unsigned count = 0;
    for (const struct list *node = list->next; node != list; node = node->next)
        count++;
    return count;
}

/* What is counted is what there is. */
static unsigned check(void)
{
    const struct socketio *socketio = server->endpoints[0].context;
    const struct mediasoup *mediasoup = socketio->mediasoup;
    unsigned transceivers = mediasoup->producers.used + mediasoup->consumers.used;
    assert_int_equal(length(&server->sfu->all), mediasoup->transports.used);
    assert_int_equal(server->sfu->transceivers.used, transceivers);
    unsigned members = 0;
    for (uint32_t i = 0; i < mediasoup->by_name.place_count; i++) {
        const struct mediasoup_room *room = mediasoup->by_name.places[i].value;
        members += room ? length(&room->members) : 0;
    }
    assert_int_equal(members, mediasoup->members.used);
    assert_int_equal(mediasoup->by_name.count, mediasoup->rooms.used);
    assert_true(mediasoup->rooms.used <= 2);
    return mediasoup->consumers.used;
}

static void test_chaos(void **state)
{
    (void)state;
    unsigned consumers = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        chance = seed;
        memset(id_counts, 0, sizeof id_counts);
        memset(wires, 0, sizeof wires);
        open_house(16);
        for (unsigned i = 0; i < STEPS; i++) {
            step();
            consumers += check();
        }
        for (unsigned i = 0; i < CLIENTS; i++)
            if (wires[i])
                wire_drop(wires[i]);
        check();
        assert_int_equal(server->sfu->transceivers.used, 0);
        assert_true(list_empty(&server->sfu->all));
        house_close(house);
        port_close();
    }
    assert_true(consumers > 10 * SEEDS); /* it got that far */
}

/* A server that is freed while all is under way. */
static void test_stopped(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 5; seed++) {
        chance = 1000 + seed;
        memset(id_counts, 0, sizeof id_counts);
        memset(wires, 0, sizeof wires);
        open_house(16);
        for (unsigned i = 0; i < STEPS; i++)
            step();
        server_stop(server, house->now);
        house_drain(house);
        house_close(house);
        port_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chaos),
        cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
