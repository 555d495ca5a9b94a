/* test_stomp_standin.c - rooms of cameras over STOMP, in which the server is at all far ends: each
 * page has a connection to each of the others, and uploads on one of them. */
#include "house_stomp.h"

#include "house_page.h"

#define PEOPLE_MAX 5

static const struct stomp_signals SIGNALS[] = {
    { .offer = "/topic/peer/offer/*/*",
      .answer = "/topic/peer/answer/*/*",
      .candidate = "/topic/peer/iceCandidate/*/*",
      .renewed = "true" },
    { .offer = "/topic/simple-peer/answer/*/*",
      .answer = "/topic/simple-peer/answer/*/*",
      .candidate = "/topic/simple-peer/iceCandidate/*" },
};

static struct endpoint_config endpoint = STOMP_ENDPOINT;
static const struct endpoint_configs ENDPOINTS = { &endpoint, 1 };

static struct person {
    struct wire *wire;
    const char *key;
    bool is_simple; /* a page of simple-peer: it keeps its connections */
    bool is_gone;
} people[PEOPLE_MAX];
static unsigned people_count;

static int set_up(void **state)
{
    (void)state;
    endpoint.topology = ENDPOINT_SFU;
    endpoint.stomp.signals = SIGNALS;
    endpoint.stomp.signals_count = 2;
    memset(people, 0, sizeof people);
    people_count = 0;
    pages_open_house(&ENDPOINTS, 32);
    return 0;
}

static void go(struct person *person)
{
    wire_drop(person->wire);
    person->is_gone = true;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < people_count; i++)
        if (!people[i].is_gone)
            go(&people[i]);
    pages_close_house();
    return 0;
}

/* ---- people ---- */

static struct person *enter(const char *key, bool is_simple)
{
    char destination[100];
    struct person *person = &people[people_count++];
    *person = (struct person){ .wire = stomp_connected(house, "1.2"),
                               .key = key,
                               .is_simple = is_simple };
    const char *const what[] = { is_simple ? "simple-peer/answer" : "peer/offer", "peer/answer" };
    for (unsigned i = 0; i < (is_simple ? 1 : 2); i++) {
        snprintf(destination, sizeof destination, "/topic/%s/%s/r", what[i], key);
        stomp_subscribe(person->wire, what[i], destination);
    }
    stomp_subscribe(person->wire, "keys", "/topic/send/key");
    return person;
}

static void say(struct person *person, const char *destination, const char *key, const char *type,
                const char *sdp)
{
    static uint8_t text[SDP_MAX * 2];
    int head = snprintf((char *)text, sizeof text, "SEND\ndestination:%s\n\n", destination);
    struct json_writer writer = json_writer_make(text + head, sizeof text - (size_t)head - 1);
    json_open(&writer, '{');
    json_key(&writer, "key");
    json_string(&writer, view_of(key));
    json_key(&writer, "body");
    json_open(&writer, '{');
    json_key(&writer, "type");
    json_string(&writer, view_of(type));
    json_key(&writer, "sdp");
    json_string(&writer, view_of(sdp));
    json_close(&writer, '}');
    json_close(&writer, '}');
    assert_false(writer.overflow);
    text[(size_t)head + writer.size] = 0;
    ws_send(person->wire, WEBSOCKET_TEXT, true, view_make(text, (size_t)head + writer.size + 1));
}

static void send_to_far(struct page *page, const char *type, const char *sdp)
{
    struct person *person = page->owner;
    char destination[100];
    snprintf(destination, sizeof destination, "/app/%s/%s/%s/r",
             person->is_simple ? "simple-peer" : "peer", person->is_simple ? "offer" : type,
             page->far);
    say(person, destination, person->key, type, sdp);
}

/* The newest connection of a person to another; NULL: there is none. */
static struct page *connection(const struct person *person, const char *far)
{
    for (unsigned i = page_count; i > 0; i--)
        if (pages[i - 1].owner == person && strcmp(pages[i - 1].far, far) == 0)
            return &pages[i - 1];
    return NULL;
}

static struct page *connect_to(struct person *person, const char *far)
{
    struct page *page = &pages[page_count++];
    assert_true(page_count <= PAGES_MAX);
    *page = (struct page){ .owner = person, .far = far, .send = send_to_far, .has = { 1, 1 } };
    page_renew(page);
    return page;
}

static const char *key_in(const char *body)
{
    for (unsigned i = 0; i < people_count; i++) {
        char wanted[40];
        snprintf(wanted, sizeof wanted, "{\"key\":\"%s\"", people[i].key);
        if (strncmp(body, wanted, strlen(wanted)) == 0)
            return people[i].key;
    }
    fail_msg("of nobody: %s", body);
    return NULL;
}

static void hear(struct person *person)
{
    const char *text;
    while (*(text = stomp_hear(person->wire))) {
        const char *body = strstr(text, "\n\n{\"key\"");
        if (!body)
            continue;
        body += 2;
        const char *far = key_in(body);
        bool is_offer = strstr(body, "\"type\":\"offer\"");
        struct page *page = connection(person, far);
        if (!page || (is_offer && !person->is_simple))
            page = connect_to(person, far);
        page_hear(page, view_make(body, strlen(body) - 1), true);
    }
}

static void talk(void)
{
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < people_count; i++)
            if (!people[i].is_gone)
                hear(&people[i]);
}

static void call(struct person *person, const char *far)
{
    page_offer(connect_to(person, far));
    talk();
}

/* ---- what has come of it ---- */

/* Tracks that come in from a person, on all of its connections. */
static unsigned uploads(const struct person *person)
{
    unsigned count = 0;
    for (unsigned i = 0; i < page_count; i++)
        if (pages[i].owner == person)
            count += page_uploads(&pages[i]);
    return count;
}

/* The connection on which a person uploads. */
static struct page *source(const struct person *person)
{
    for (unsigned i = 0; i < page_count; i++)
        if (pages[i].owner == person && page_uploads(&pages[i]) > 0)
            return &pages[i];
    return NULL;
}

static void assert_sees(const struct person *person, const struct person *other)
{
    const struct page *page = connection(person, other->key);
    assert_non_null(page);
    assert_non_null(source(other));
    assert_int_equal(page_sees(page, source(other)), 2);
}

static void assert_all_see_all(void)
{
    for (unsigned i = 0; i < people_count; i++) {
        if (people[i].is_gone)
            continue;
        assert_int_equal(uploads(&people[i]), 2);
        for (unsigned k = 0; k < people_count; k++)
            if (k != i && !people[k].is_gone)
                assert_sees(&people[i], &people[k]);
    }
}

/* As when ICE and DTLS have been through: the peer's owner is told. */
static void stand(const struct page *page)
{
    struct peer *peer = page_peer(page);
    assert_non_null(peer);
    peer->state = PEER_CONNECTED;
    ((struct media_owner *)peer->owner)->changed(server, house->now, peer);
    house_drain(house);
}

/* ---- tests ---- */

static void each_has_a_connection_to_each_and_uploads_once(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    call(mina, "jun");
    assert_all_see_all();
    enter("ada", false);
    call(&people[2], "mina");
    call(&people[2], "jun");
    assert_all_see_all();
    assert_int_equal(house_metric(house, METRIC_STANDINS), 6);
    assert_ptr_equal(source(mina), connection(mina, "jun"));
    assert_ptr_equal(source(jun), connection(jun, "mina"));
    assert_int_equal(house_metric(house, METRIC_STANDIN_REFUSED), 0);
}

static void another_connection_takes_over_when_the_one_that_uploads_ends(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    struct person *ada = enter("ada", false);
    call(mina, "jun");
    call(ada, "mina");
    call(ada, "jun");
    go(jun);
    struct page *former = source(mina);
    assert_string_equal(former->far, "jun"); /* it goes on until the next one stands */
    assert_int_equal(page_sees(connection(ada, "mina"), former), 2);
    talk();
    struct page *next = connection(mina, "ada");
    assert_int_equal(next->offers, 1);
    stand(next);
    assert_null(page_peer(former));
    assert_ptr_equal(source(mina), next);
    assert_all_see_all();
}

static void the_last_one_in_a_room_uploads_to_nobody(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    call(mina, "jun");
    go(jun);
    talk();
    assert_int_equal(uploads(mina), 0);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
    enter("ada", false);
    call(mina, "ada");
    assert_all_see_all();
}

static void simple_peers_keep_their_connections(void **state)
{
    (void)state;
    struct person *door = enter("door", true);
    struct person *mina = enter("mina", true);
    struct person *jun = enter("jun", true);
    call(mina, "door");
    call(jun, "door");
    assert_sees(mina, door);
    assert_sees(jun, door);
    assert_sees(door, mina);
    assert_sees(door, jun);
    assert_ptr_equal(source(door), connection(door, "mina"));
    stand(connection(door, "jun"));
    go(mina);
    talk();
    assert_ptr_equal(source(door), connection(door, "jun"));
    assert_int_equal(connection(door, "jun")->offers, 2);
    assert_sees(jun, door);
    assert_sees(door, jun);
}

static void both_call_each_other_at_once(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    page_offer(connect_to(mina, "jun"));
    page_offer(connect_to(jun, "mina"));
    talk();
    assert_all_see_all();
    assert_int_equal(house_metric(house, METRIC_STANDINS), 2);
}

static void nobody_speaks_in_anothers_name(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    enter("jun", false);
    struct person *eve = enter("eve", false);
    call(mina, "jun");
    struct page *false_page = connect_to(eve, "jun");
    const char *offer = page_write_offer(false_page);
    say(eve, "/app/peer/offer/jun/r", "mina", "offer", offer);
    say(eve, "/app/peer/offer/jun/r", "kim", "offer", offer);
    say(eve, "/app/peer/offer/eve/r", "eve", "offer", offer);
    say(eve, "/app/peer/offer/nobody/r", "eve", "offer", offer);
    say(eve, "/app/peer/offer/jun/other", "eve", "offer", offer);
    assert_int_equal(house_metric(house, METRIC_STOMP_DROPPED), 5);
    assert_int_equal(house_metric(house, METRIC_STANDINS), 2);
    page_count--;
    go(eve);
    assert_all_see_all();
}

static void a_session_does_not_call_itself(void **state)
{
    char destination[100];
    (void)state;
    struct person *mina = enter("mina", false);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(destination, sizeof destination, "/topic/peer/%s/m%u/r",
                 i % 2 ? "offer" : "answer", i / 2);
        stomp_subscribe(mina->wire, destination, destination);
    }
    struct page *page = connect_to(mina, "m0");
    say(mina, "/app/peer/offer/m0/r", "mina", "offer", page_write_offer(page));
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
    assert_int_equal(house_metric(house, METRIC_STOMP_DROPPED), 1);
}

static void keys_go_to_all_and_candidates_to_nobody(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    stomp_subscribe(jun->wire, "ice", "/topic/peer/iceCandidate/jun/r");
    stomp_send(mina->wire, "/app/peer/iceCandidate/jun/r", "{\"key\":\"mina\",\"body\":{}}");
    stomp_send(mina->wire, "/app/send/key", "\"mina\"");
    assert_frame(jun->wire, "MESSAGE\ndestination:/topic/send/key\n", "\"mina\"^");
    assert_heard(jun->wire, "");
}

static void who_stops_listening_has_left(void **state)
{
    (void)state;
    struct person *mina = enter("mina", false);
    struct person *jun = enter("jun", false);
    call(mina, "jun");
    stomp_write(jun->wire, "UNSUBSCRIBE\nid:keys\n\n^");
    assert_all_see_all();
    stomp_write(jun->wire, "UNSUBSCRIBE\nid:peer/answer\n\n^");
    assert_int_equal(house_metric(house, METRIC_STANDINS), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_has_a_connection_to_each_and_uploads_once),
        TEST(another_connection_takes_over_when_the_one_that_uploads_ends),
        TEST(the_last_one_in_a_room_uploads_to_nobody),
        TEST(simple_peers_keep_their_connections),
        TEST(both_call_each_other_at_once),
        TEST(nobody_speaks_in_anothers_name),
        TEST(a_session_does_not_call_itself),
        TEST(keys_go_to_all_and_candidates_to_nobody),
        TEST(who_stops_listening_has_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
