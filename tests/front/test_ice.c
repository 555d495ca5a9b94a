/* test_ice.c - which STUN and TURN servers clients are told of, and with what credentials. */
#include "front/ice.h"
#include "house_http.h"
#include "house_meet.h"
#include "wire/stun_credentials.h"

#define NOW_S   784111777u /* house.h's */
#define EXPIRY  "784154977:"
#define SECRET  "the newest secret"
#define HEAD    "GET /api/v1/ice HTTP/1.1\r\nHost: moim.example:8443\r\n"
#define REQUEST HEAD "\r\n"

static struct ice_config relays(void)
{
    return (struct ice_config){
        .port = 3478, .relays = true, .secret = VIEW(SECRET), .lifetime_s = 43200
    };
}

/* ---- what is in an answer ---- */

struct told {
    char text[4096];
    char name[128];
    char credential[64];
};

static void copy(struct view from, char *to, size_t size)
{
    assert_true(from.size < size);
    memcpy(to, from.at, from.size);
    to[from.size] = 0;
}

static void ask(struct house *house, const char *request, struct told *told)
{
    struct answer answer = { 0 };
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, 200);
    assert_header(&answer, "Content-Type", "application/json");
    assert_header(&answer, "Access-Control-Allow-Origin", "*");
    assert_header(&answer, "Cache-Control", "no-store");
    copy(bytes_view(&answer.body), told->text, sizeof told->text);
    answer_free(&answer);
}

/* Reads name and password, and checks that they belong together. */
static void read_credentials(struct told *told)
{
    char password[STUN_REST_SIZE + 1] = "";
    copy(between(told->text, "'username':'", "\""), told->name, sizeof told->name);
    copy(between(told->text, "'credential':'", "\""), told->credential, sizeof told->credential);
    stun_rest_password(VIEW(SECRET), view_of(told->name), password);
    assert_string_equal(told->credential, password);
}

static struct view room_of(const struct told *told)
{
    struct view name = view_of(told->name);
    assert_true(view_starts(name, VIEW(EXPIRY)));
    name = view_slice(name, sizeof EXPIRY - 1, name.size);
    return view_slice(name, 0, view_find_byte(name, '.'));
}

static void expect(struct told *told, const char *wanted)
{
    char *text = quoted(wanted);
    if (!strstr(told->text, text))
        fail_msg("no %s in %s", text, told->text);
    free(text);
}

#define OF_3478                                                                                    \
    "{'iceServers':[{'urls':['stun:moim.example:3478']},"                                          \
    "{'urls':['turn:moim.example:3478?transport=udp','turn:moim.example:3478?transport=tcp'"

/* Who came by HTTPS gets relays on the port that it came by, whatever number that has here. */
static void test_urls(void **state)
{
    static const struct {
        uint16_t https_port;
        uint16_t tls_port;
        const char *host;
        bool secure;
        const char *more;
    } CASES[] = {
        { 0, 0, "moim.example", false, "" },
        { 0, 5349, "moim.example", false, ",'turns:moim.example:5349?transport=tcp'" },
        { 8443, 0, "moim.example:8080", false, ",'turn:moim.example:8443?transport=tcp'" },
        { 8443, 0, "moim.example:8443", true, ",'turn:moim.example:8443?transport=tcp'" },
        { 8443, 0, "moim.example:444", true, ",'turn:moim.example:444?transport=tcp'" },
        { 8443, 0, "moim.example", true, ",'turn:moim.example:443?transport=tcp'" },
        { 8443, 5349, "moim.example", false,
          ",'turn:moim.example:8443?transport=tcp','turns:moim.example:5349?transport=tcp'" },
        { 8443, 5349, "moim.example", true,
          ",'turn:moim.example:443?transport=tcp','turns:moim.example:443?transport=tcp'" },
        { 8443, 5349, "moim.example:", true, "" },
        { 8443, 5349, "moim.example:65536", true, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct ice_config config = relays();
        struct told told;
        char text[512];
        config.https_port = CASES[i].https_port;
        config.tls_port = CASES[i].tls_port;
        struct house *house = house_build(&(struct wishes){ .ice = &config });
        house->secure = CASES[i].secure;
        snprintf(text, sizeof text, "GET /api/v1/ice HTTP/1.1\r\nHost: %s\r\n\r\n", CASES[i].host);
        ask(house, text, &told);
        snprintf(text, sizeof text, OF_3478 "%s],'username':'" EXPIRY, CASES[i].more);
        expect(&told, text);
        expect(&told, "'}],'ttl':43200}");
        read_credentials(&told);
        house_close(house);
    }
}

/* Relays behind TLS alone: there is no STUN that a browser could ask. */
static void test_tls_alone(void **state)
{
    struct ice_config config = relays();
    struct told told;
    (void)state;
    config.port = 0;
    config.tls_port = 5349;
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    ask(house, "GET /api/v1/ice HTTP/1.1\r\nHost: moim.example\r\n\r\n", &told);
    expect(&told, "{'iceServers':[{'urls':['turns:moim.example:5349?transport=tcp'],'username':'");
    house_close(house);
    config.tls_port = 0;
    house = house_build(&(struct wishes){ .ice = &config });
    ask(house, "GET /api/v1/ice HTTP/1.1\r\nHost: moim.example\r\n\r\n", &told);
    expect(&told, "{'iceServers':[],'ttl':");
    house_close(house);
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        const char *servers;
    } CASES[] = {
        { "[2001:db8::1]:80", "'stun:[2001:db8::1]:3478'" },
        { "192.0.2.1", "'turn:192.0.2.1:3478?transport=udp'" },
        { "\xff\"<", "{'iceServers':[],'ttl':43200}" },
    };
    const struct ice_config config = relays();
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char request[200];
        struct told told;
        snprintf(request, sizeof request, "GET /api/v1/ice HTTP/1.1\r\nHost: %s\r\n\r\n",
                 CASES[i].host);
        struct answer answer = { 0 };
        house_ask(house, request, &answer);
        if (answer.code == 200) {
            copy(bytes_view(&answer.body), told.text, sizeof told.text);
            expect(&told, CASES[i].servers);
        } else {
            assert_int_equal(answer.code, 400); /* HTTP's reader refuses it already */
        }
        answer_free(&answer);
    }
    house_close(house);
}

/* Without relays there is nothing that credentials are for; without STUN there is nothing. */
static void test_no_relays(void **state)
{
    struct ice_config config = relays();
    struct told told;
    (void)state;
    config.relays = false;
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    ask(house, REQUEST, &told);
    expect(&told, "{'iceServers':[{'urls':['stun:moim.example:3478']}],'ttl':43200}");
    house_close(house);
    config.port = 0;
    house = house_build(&(struct wishes){ .ice = &config });
    ask(house, REQUEST, &told);
    expect(&told, "{'iceServers':[],'ttl':43200}");
    house_close(house);
}

static void test_others(void **state)
{
    struct ice_config config = relays();
    struct told told;
    (void)state;
    config.servers[0] = VIEW("turn:a.example:1?transport=udp");
    config.servers[1] = VIEW("stun:b.example");
    config.servers[2] = VIEW("turns:c.example");
    config.server_count = 3;
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    ask(house, REQUEST, &told);
    expect(&told, "{'iceServers':[{'urls':['stun:b.example']},"
                  "{'urls':['turn:a.example:1?transport=udp','turns:c.example'],'username':'");
    read_credentials(&told);
    house_close(house);
    config.server_count = 2;
    config.servers[0] = config.servers[1];
    config.server_count = 1;
    config.secret = VIEW("");
    house = house_build(&(struct wishes){ .ice = &config });
    ask(house, REQUEST, &told);
    expect(&told, "{'iceServers':[{'urls':['stun:b.example']}],'ttl':43200}");
    house_close(house);
}

/* Names tell rooms and clients apart, and tell nobody the room's name. */
static void test_rooms(void **state)
{
    const struct ice_config config = relays();
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    struct told told[4];
    struct answer answer = { 0 };
    (void)state;
    ask(house, "GET /api/v1/ice?room=stand%20up HTTP/1.1\r\nHost: a\r\n\r\n", &told[0]);
    ask(house, "GET /api/v1/ice?a=b&room=stand%20up HTTP/1.1\r\nHost: a\r\n\r\n", &told[1]);
    ask(house, "GET /api/v1/ice?room=other HTTP/1.1\r\nHost: a\r\n\r\n", &told[2]);
    ask(house, REQUEST, &told[3]);
    for (int i = 0; i < 4; i++)
        read_credentials(&told[i]);
    assert_string_not_equal(told[0].name, told[1].name);
    assert_true(view_equal(room_of(&told[0]), room_of(&told[1])));
    assert_false(view_equal(room_of(&told[0]), room_of(&told[2])));
    assert_false(view_equal(room_of(&told[0]), room_of(&told[3])));
    assert_null(strstr(told[0].text, "stand"));
    house_ask(house, "GET /api/v1/ice?room=a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 400);
    house_ask(house, "GET /api/v1/ice?room=%zz HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.code, 400);
    answer_free(&answer);
    house_close(house);
}

/* Whoever is in the room gets them with `welcome`, and anew with `resumed`: under one name. */
static void test_meeting(void **state)
{
    const struct ice_config config = relays();
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    struct told told[3];
    struct frame frame;
    (void)state;
    struct guest mina = house_guest(house, "standup", "Mina");
    struct guest jun = house_guest(house, "standup", "Jun");
    copy(view_of(mina.welcome), told[0].text, sizeof told[0].text);
    copy(view_of(jun.welcome), told[1].text, sizeof told[1].text);
    house_wait(house, 10 * USEC_S);
    wire_drop(jun.wire);
    jun.wire = house_ws(house);
    say_resume(jun.wire, "standup", jun.session, jun.seq);
    ws_hear(jun.wire, &frame);
    copy(view_of(frame.payload), told[2].text, sizeof told[2].text);
    for (int i = 0; i < 3; i++)
        read_credentials(&told[i]);
    assert_true(view_equal(room_of(&told[0]), room_of(&told[1])));
    assert_string_equal(strchr(told[0].name, '.'), ".1");
    assert_string_equal(strchr(told[1].name, '.'), ".2");
    assert_string_equal(strchr(told[2].name, '.'), ".2");
    assert_int_equal(strtoull(told[2].name, NULL, 10), NOW_S + 43200 + 10);
    house_close(house);
}

static unsigned ask_code(struct house *house)
{
    struct answer answer = { 0 };
    house_ask(house, REQUEST, &answer);
    if (answer.code == 429) {
        assert_header(&answer, "Retry-After", "1");
        assert_header(&answer, "Access-Control-Allow-Origin", "*");
    }
    answer_free(&answer);
    return answer.code;
}

static void ask_until_refused(struct house *house)
{
    for (int i = 0; i < ICE_BURST; i++)
        assert_int_equal(ask_code(house), 200);
    assert_int_equal(ask_code(house), 429);
}

static void test_limit(void **state)
{
    const struct ice_config config = relays();
    struct house *house = house_build(&(struct wishes){ .ice = &config });
    (void)state;
    house->peer = (struct address){ .family = ADDRESS_IPV4, .bytes = { 192, 0, 2, 1 } };
    ask_until_refused(house);
    house->peer.port = 7; /* another connection of the same */
    assert_int_equal(ask_code(house), 429);
    house->peer.bytes[3] = 2;
    ask_until_refused(house);
    house_wait(house, ICE_EACH);
    assert_int_equal(ask_code(house), 200);
    assert_int_equal(ask_code(house), 429);
    house_wait(house, 2 * ICE_BURST * ICE_EACH); /* it saves up no more than a burst */
    ask_until_refused(house);

    house->peer = (struct address){ .family = ADDRESS_IPV6, .bytes = { 0x20, 1, 0xd, 0xb8 } };
    ask_until_refused(house);
    house->peer.bytes[15] = 1;
    assert_int_equal(ask_code(house), 429);
    house->peer.bytes[7] = 1;
    assert_int_equal(ask_code(house), 200);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_tls_alone), cmocka_unit_test(test_no_relays),
        cmocka_unit_test(test_others),    cmocka_unit_test(test_rooms),
        cmocka_unit_test(test_meeting),   cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests_name("ice", tests, NULL, NULL);
}
