/* Descriptions of peers that are connected: what comes, what goes, and what others see of it. */
#include "sfu_house.h"

static struct text offer;

static int take_offer(struct client *client)
{
    struct description_error error;
    return peer_take_offer(client->peer, port.now, view_make(offer.at, offer.size), &error);
}

/* What the client would send of these: sections of video with SSRCs 7001, 7101 and so on, refused
 * where the letter is '-', received where it is 'r', neither where it is 'i'. */
static void offer_sections(const char *ufrag, const char *sections)
{
    head_as(&offer, ufrag, (unsigned)strlen(sections));
    for (unsigned i = 0; sections[i]; i++) {
        size_t at = offer.size;
        video(&offer, i,
              sections[i] == 's'   ? "sendonly"
              : sections[i] == 'i' ? "inactive"
                                   : "recvonly",
              100, 5);
        if (sections[i] == '-')
            offer.at[at + 8] = '0';
        if (sections[i] == 's')
            line_ssrcs(&offer, 7001 + 100 * i);
    }
}

static struct transceiver *slot_at(const struct client *client, unsigned mid)
{
    char digits[4];
    size_t size = (size_t)sprintf(digits, "%u", mid);
    return peer_find_mid(client->peer, view_make(digits, size));
}

static void announce_all(struct client *client)
{
    char name[8];
    struct transceiver *at = NULL;
    for (unsigned i = 0; (at = peer_next(client->peer, at)); i++)
        transceiver_announce(at, VIEW("alice"), view_make(name, (size_t)sprintf(name, "t%u", i)));
}

static void subscribe(struct client *client, unsigned mid, struct track *track)
{
    assert_int_equal(transceiver_subscribe(slot_at(client, mid), port.now, track), OK);
    run();
}

/* ---- theirs ---- */

/* A second track comes and goes; who watches the first one sees nothing of it. */
static void test_more_and_less(void **state)
{
    (void)state;
    offer_sections("farr", "s");
    join(&alice, &offer, NULL);
    offer_sections("farr", "rr");
    join(&bob, &offer, announce_all);
    subscribe(&bob, 0, slot_at(&alice, 0)->receiving);
    say(&alice, 7001, 100, 10, true);
    run();
    offer_sections("farr", "ss");
    answer(&alice, &offer, NULL);
    subscribe(&bob, 1, slot_at(&alice, 1)->receiving);
    alice.far->rtcp_size = 0;
    say(&alice, 7001, 100, 11, false);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->numbers[1], bob.far->numbers[0] + 1);
    say(&alice, 7101, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 3);
    assert_int_equal(word(bob.far->rtp + 8), slot_at(&bob, 1)->sender.config.ssrc);
    offer_sections("farr", "s-");
    answer(&alice, &offer, NULL);
    assert_null(slot_at(&bob, 1)->subscription);
    assert_null(slot_at(&alice, 1));
    say(&alice, 7101, 100, 11, true);
    say(&alice, 7001, 100, 12, false);
    run();
    assert_int_equal(bob.far->rtp_count, 4);
    assert_int_equal(bob.far->numbers[3], bob.far->numbers[0] + 2);
    assert_int_equal(sfu.tracks.tracks.used, 1);
    /* and its place is used again */
    offer_sections("farr", "ss");
    answer(&alice, &offer, NULL);
    subscribe(&bob, 1, slot_at(&alice, 1)->receiving);
    say(&alice, 7101, 100, 12, true);
    run();
    assert_int_equal(bob.far->rtp_count, 5);
    assert_int_equal(sfu.tracks.tracks.used, 2);
}

/* Who wants nothing for a while gets nothing, and then goes on with a key frame. */
static void test_inactive(void **state)
{
    (void)state;
    publish(&alice);
    offer_sections("farr", "r");
    join(&bob, &offer, announce_all);
    subscribe(&bob, 0, track_of(&alice));
    say(&alice, 7001, 100, 10, true);
    run();
    offer_sections("farr", "i");
    answer(&bob, &offer, NULL);
    say(&alice, 7001, 100, 11, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
    offer_sections("farr", "r");
    answer(&bob, &offer, NULL);
    say(&alice, 7001, 100, 12, false);
    say(&alice, 7001, 100, 13, true);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(bob.far->numbers[1], bob.far->numbers[0] + 1);
}

/* New credentials: nothing stops, on the old way or on the new one. */
static void test_restart(void **state)
{
    (void)state;
    struct ice_credentials before;
    offer_sections("farr", "s");
    join(&alice, &offer, NULL);
    receive(&bob);
    subscribe(&bob, 0, track_of(&alice));
    before = *rtc_credentials(alice.peer->transport);
    offer_sections("again", "s");
    answer(&alice, &offer, NULL);
    assert_memory_not_equal(&before, rtc_credentials(alice.peer->transport), sizeof before);
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
    alice.far->to = *rtc_credentials(alice.peer->transport);
    alice.far->checked = 0;
    alice.far->flow.remote.port++;
    far_check(alice.far, true);
    run();
    assert_int_equal(alice.far->checked, 1);
    say(&alice, 7001, 100, 11, false);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
}

/* Nothing is sent before there is a way: the first that comes is a key frame. */
static void test_begins_connected(void **state)
{
    (void)state;
    struct rtcp_feedback feedback;
    publish(&alice);
    open_peer(&bob);
    offer_sections("farr", "r");
    answer(&bob, &offer, announce_all);
    subscribe(&bob, 0, track_of(&alice));
    say(&alice, 7001, 100, 10, true);
    say(&alice, 7001, 100, 11, false);
    run();
    alice.far->rtcp_size = 0;
    connect_far(&bob);
    assert_true(got(&alice, RTCP_PSFB, RTCP_PLI, &feedback));
    say(&alice, 7001, 100, 12, false);
    say(&alice, 7001, 100, 13, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
    assert_int_equal(bob.far->rtp[bob.far->rtp_size - 1], 13);
}

/* ---- ours ---- */

static char ours[65536];

static void write_offer(struct client *client)
{
    size_t size;
    assert_true(peer_needs_offer(client->peer));
    assert_int_equal(peer_write_offer(client->peer, port.now,
                                      (struct span){ (uint8_t *)ours, sizeof ours - 1 }, &size),
                     OK);
    ours[size] = 0;
}

static bool is_left_out(const char *at)
{
    static const char *const LINES[] = { "a=ice-lite", "a=candidate", "a=end-of", "a=ssrc",
                                         "a=msid",     "a=ice-",      "a=finger", "a=setup" };
    for (unsigned i = 0; i < sizeof LINES / sizeof LINES[0]; i++)
        if (strncmp(at, LINES[i], strlen(LINES[i])) == 0)
            return true;
    return false;
}

/* The answer to our offer, which takes all of it. */
static void turn_offer(struct text *out)
{
    struct text way;
    head_as(&way, "farr", 0);
    way.at[way.size] = 0;
    *out = (struct text){ 0 };
    for (char *at = strtok(ours, "\r\n"); at; at = strtok(NULL, "\r\n")) {
        if (strcmp(at, "t=0 0") == 0)
            line(out, "t=0 0\r\na=setup:active\r\n%.*s",
                 (int)(strstr(way.at, "a=setup") - strstr(way.at, "a=ice-ufrag") - 2),
                 strstr(way.at, "a=ice-ufrag"));
        if (strcmp(at, "t=0 0") == 0)
            line(out, "%.*s", (int)(strlen(strstr(way.at, "a=fingerprint")) - 2),
                 strstr(way.at, "a=fingerprint"));
        else if (strcmp(at, "a=sendonly") == 0)
            line(out, "a=recvonly");
        else if (!is_left_out(at))
            line(out, "%s", at);
    }
}

static int take_answer(struct client *client)
{
    struct description_error error;
    return peer_take_answer(client->peer, port.now, view_make(offer.at, offer.size), &error);
}

static struct transceiver *add(struct client *client, const char *name, struct track *track)
{
    struct transceiver *transceiver;
    const struct peer_adding adding = {
        .is_video = true, .track = track, .stream_name = VIEW("alice"), .track_name = view_of(name)
    };
    assert_int_equal(peer_add(client->peer, port.now, &adding, &transceiver), OK);
    return transceiver;
}

/* Offers that the server makes: one track, then another in the place of the first. */
static void test_ours(void **state)
{
    (void)state;
    publish(&alice);
    open_peer(&bob);
    struct transceiver *first = add(&bob, "one", track_of(&alice));
    write_offer(&bob);
    assert_non_null(strstr(ours, "a=msid:alice one"));
    turn_offer(&offer);
    assert_int_equal(take_answer(&bob), OK);
    assert_false(peer_needs_offer(bob.peer));
    connect_far(&bob);
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
    transceiver_stop(first, port.now);
    write_offer(&bob);
    turn_offer(&offer);
    assert_int_equal(take_answer(&bob), OK);
    assert_int_equal(bob.peer->transceiver_count, 0);
    struct transceiver *second = add(&bob, "two", track_of(&alice));
    write_offer(&bob);
    assert_null(strstr(strstr(ours, "m=video") + 1, "m=video"));
    turn_offer(&offer);
    assert_int_equal(take_answer(&bob), OK);
    run();
    say(&alice, 7001, 100, 11, true);
    run();
    assert_int_equal(bob.far->rtp_count, 2);
    assert_int_equal(word(bob.far->rtp + 8), second->sender.config.ssrc);
    assert_int_equal(take_answer(&bob), ERR_OLD);
}

/* Theirs comes while ours is on its way: ours gives way, and is made again. */
static void test_glare(void **state)
{
    (void)state;
    publish(&alice);
    receive(&bob);
    struct transceiver *second = add(&bob, "two", track_of(&alice));
    write_offer(&bob);
    offer_sections("farr", "rs");
    answer(&bob, &offer, NULL);
    assert_int_equal(bob.peer->transceiver_count, 3);
    assert_ptr_equal(slot_at(&bob, 0), peer_next(bob.peer, NULL));
    assert_non_null(slot_at(&bob, 1)->receiving);
    assert_false(second->is_agreed);
    write_offer(&bob);
    turn_offer(&offer);
    assert_int_equal(take_answer(&bob), OK);
    assert_true(second->is_agreed);
    run();
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 1);
}

/* What was to end while it was being offered is no more when the offer is rolled back. */
static void test_rollback(void **state)
{
    (void)state;
    publish(&alice);
    receive(&bob);
    struct transceiver *second = add(&bob, "two", track_of(&alice));
    struct transceiver *third = add(&bob, "three", track_of(&alice));
    write_offer(&bob);
    transceiver_stop(second, port.now);
    peer_rollback(bob.peer);
    assert_int_equal(bob.peer->transceiver_count, 2);
    assert_int_equal(track_of(&alice)->subscriber_count, 1);
    write_offer(&bob);
    transceiver_stop(third, port.now);
    offer_sections("farr", "r");
    answer(&bob, &offer, NULL);
    assert_int_equal(bob.peer->transceiver_count, 1);
    assert_int_equal(track_of(&alice)->subscriber_count, 0);
    assert_false(peer_needs_offer(bob.peer));
}

/* Credentials of a restart of ours are those of the offer that says so, not of an answer before. */
static void test_our_restart(void **state)
{
    (void)state;
    struct ice_credentials before;
    size_t size;
    receive(&bob);
    before = *rtc_credentials(bob.peer->transport);
    peer_restart(bob.peer, port.now);
    offer_sections("farr", "r");
    answer(&bob, &offer, NULL);
    assert_memory_equal(&before, rtc_credentials(bob.peer->transport), sizeof before);
    /* one for which there is no room has made them, once */
    assert_int_equal(
        peer_write_offer(bob.peer, port.now, (struct span){ (uint8_t *)ours, 100 }, &size),
        ERR_LIMIT);
    assert_memory_not_equal(&before, rtc_credentials(bob.peer->transport), sizeof before);
    before = *rtc_credentials(bob.peer->transport);
    write_offer(&bob);
    assert_memory_equal(&before, rtc_credentials(bob.peer->transport), sizeof before);
    turn_offer(&offer);
    assert_int_equal(take_answer(&bob), OK);
    assert_false(peer_needs_offer(bob.peer));
}

/* ---- limits and errors ---- */

static void test_hundred(void **state)
{
    (void)state;
    char sections[102] = { 0 };
    publish(&alice);
    memset(sections, 'r', 100);
    offer_sections("farr", "r");
    join(&bob, &offer, announce_all);
    struct transceiver *first = slot_at(&bob, 0);
    offer_sections("farr", sections);
    answer(&bob, &offer, announce_all);
    assert_ptr_equal(slot_at(&bob, 0), first);
    assert_int_equal(bob.peer->transceiver_count, 100);
    for (unsigned i = 0; i < 100; i += 33)
        subscribe(&bob, i, track_of(&alice));
    say(&alice, 7001, 100, 10, true);
    run();
    assert_int_equal(bob.far->rtp_count, 4);
    peer_close(bob.peer, port.now);
    assert_int_equal(sfu.transceivers.used, 1);
    /* there is not room for all of these */
    bob = (struct client){ 0 };
    offer_sections("farr", sections);
    open_peer(&bob);
    answer(&bob, &offer, announce_all);
    struct client carol = { 0 };
    open_peer(&carol);
    answer(&carol, &offer, announce_all);
    assert_int_equal(carol.peer->transceiver_count, TRANSCEIVERS_MAX - 101);
    assert_non_null(strstr(carol.answer, "m=video 0 "));
    offer_sections("farr", sections);
    answer(&carol, &offer, NULL);
}

/* More is offered than may be received: the answer says so. */
static void test_no_track(void **state)
{
    (void)state;
    struct client clients[5] = { 0 };
    for (unsigned i = 0; i < 5; i++) {
        open_peer(&clients[i]);
        offer_sections("farr", "sss");
        answer(&clients[i], &offer, NULL);
        /* two of a peer, and eight of all */
        unsigned received = 0;
        for (char *at = clients[i].answer; (at = strstr(at, "a=recvonly")); at++)
            received++;
        assert_int_equal(received, i < 4 ? 2 : 0);
        assert_int_equal(sfu.tracks.tracks.used, i < 4 ? 2 * (i + 1) : 8);
    }
}

static void test_errors(void **state)
{
    (void)state;
    struct peer *peers[FARS_MAX];
    const struct peer_config config = { .policy = &END_POLICY };
    receive(&bob);
    offer = (struct text){ .at = "v=1", .size = 3 };
    assert_int_not_equal(take_offer(&bob), OK);
    assert_int_not_equal(take_answer(&bob), OK);
    offer_sections("farr", "-");
    head_as(&offer, "farr", 1); /* a section less */
    assert_int_equal(take_offer(&bob), ERR_MALFORMED);
    offer_sections("farr", "r");
    char *print = strstr(offer.at, "sha-256 ") + 8;
    *print = *print == '0' ? '1' : '0';
    assert_int_equal(take_offer(&bob), ERR_UNSUPPORTED);
    assert_false(bob.peer->negotiation.state == NEGOTIATION_REMOTE_OFFER);
    assert_int_equal(bob.peer->transceiver_count, 1);
    /* an answer for which there was no room can be written again */
    size_t size;
    offer_sections("farr", "r");
    assert_int_equal(take_offer(&bob), OK);
    assert_int_equal(
        peer_write_answer(bob.peer, port.now, (struct span){ (uint8_t *)ours, 50 }, &size),
        ERR_LIMIT);
    assert_int_equal(
        peer_write_answer(bob.peer, port.now, (struct span){ (uint8_t *)ours, sizeof ours }, &size),
        OK);
    for (unsigned i = 1; i < FARS_MAX; i++)
        assert_int_equal(peer_open(&sfu, port.now, &config, &peers[i]), OK);
    assert_int_equal(peer_open(&sfu, port.now, &config, &peers[0]), ERR_LIMIT);
    /* who is not polite has theirs passed over */
    struct transceiver *added;
    const struct peer_adding adding = { .is_video = true,
                                        .stream_name = VIEW("s"),
                                        .track_name = VIEW("t") };
    assert_int_equal(peer_add(peers[1], port.now, &adding, &added), OK);
    assert_int_equal(
        peer_write_offer(peers[1], port.now, (struct span){ (uint8_t *)ours, sizeof ours }, &size),
        OK);
    bob.peer = peers[1];
    assert_int_equal(take_offer(&bob), ERR_AGAIN);
}

#define WITH_SFU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SFU(test_more_and_less),    WITH_SFU(test_inactive),    WITH_SFU(test_restart),
        WITH_SFU(test_begins_connected), WITH_SFU(test_ours),        WITH_SFU(test_glare),
        WITH_SFU(test_rollback),         WITH_SFU(test_our_restart), WITH_SFU(test_hundred),
        WITH_SFU(test_no_track),         WITH_SFU(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
