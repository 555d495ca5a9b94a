/* test_mediasoup.c - pages with mediasoup-client: what they say over Socket.IO, and that their
 * tracks get where they should.  What the library itself says is in tests/media/ortc_captures.h. */
#include "house_mediasoup.h"

static void test_a_track_gets_there(void **state)
{
    (void)state;
    char sending[64], receiving[64], producer[64], consumer[64], argument[100];
    struct wire *ada = join("one");
    struct wire *mina = join("one");
    struct far *camera = create(ada, false, sending);
    connect_far(ada, "transport-connect", sending, camera);
    produce(ada, producer, false);
    expect_event(mina, "new-producer", "producerId", producer);
    cJSON *list = ask(mina, "getProducers", "");
    assert_int_equal(cJSON_GetArraySize(list), 1);
    assert_string_equal(cJSON_GetArrayItem(list, 0)->valuestring, producer);
    cJSON_Delete(list);

    struct far *screen = create(mina, true, receiving);
    cJSON *answer = consume(mina, receiving, producer);
    const cJSON *params = at(answer, "params");
    const cJSON *parameters = at(params, "rtpParameters");
    const cJSON *encoding = cJSON_GetArrayItem(at(parameters, "encodings"), 0);
    uint32_t ssrc = (uint32_t)at(encoding, "ssrc")->valuedouble;
    unsigned type =
        (unsigned)at(cJSON_GetArrayItem(at(parameters, "codecs"), 0), "payloadType")->valuedouble;
    copy_text(at(params, "serverConsumerId"), consumer);
    assert_string_equal(at(params, "producerId")->valuestring, producer);
    assert_string_equal(at(params, "kind")->valuestring, "video");
    assert_string_equal(at(parameters, "mid")->valuestring, "0");
    connect_far(mina, "transport-recv-connect", receiving, screen);

    /* paused, until the page is ready */
    for (uint8_t i = 1; i < 4; i++)
        say_frame(camera, i);
    run();
    assert_int_equal(screen->rtp_count, 0);
    snprintf(argument, sizeof argument, "{'serverConsumerId':'%s'}", consumer);
    cJSON_Delete(ask(mina, "consumer-resume", argument));
    run();
    assert_true(camera->rtcp_count > 0); /* a key frame is asked for */
    for (uint8_t i = 4; i < 7; i++)
        say_frame(camera, i);
    run();
    assert_int_equal(screen->rtp_count, 3);
    assert_int_equal(screen->rtp[1] & 127, type);
    assert_int_equal((uint32_t)screen->rtp[8] << 24 | (uint32_t)screen->rtp[9] << 16 |
                         (uint32_t)screen->rtp[10] << 8 | screen->rtp[11],
                     ssrc);
    cJSON_Delete(answer);

    wire_drop(ada);
    expect_event(mina, "producer-closed", "remoteProducerId", producer);
    socket_expect(mina, "");
    run();
    assert_true(camera->is_ended);
    wire_drop(mina);
    assert_true(list_empty(&server->sfu->all));
}

/* Who runs the server is told whose the transports are. */
static void test_names(void **state)
{
    (void)state;
    char id[64];
    struct media_name names[3] = { 0 };
    struct wire *ada = join("one");
    struct wire *mina = join("one");
    uint32_t index = 0;
    create(ada, false, id);
    create(ada, true, id);
    create(mina, true, id);
    for (unsigned i = 0; i < 3; i++) {
        const struct peer *peer = sfu_next(server->sfu, &index);
        assert_non_null(peer);
        ((const struct media_owner *)peer->owner)->name(peer, &names[i]);
    }
    assert_view(names[0].path, "/socket.io");
    assert_view(names[0].room_name, "one");
    assert_int_equal(names[0].id_size, SID_SIZE);
    assert_ptr_equal(names[0].room, names[2].room);
    assert_ptr_equal(names[0].member, names[1].member);
    assert_ptr_not_equal(names[0].member, names[2].member);
    assert_memory_not_equal(names[0].id, names[2].id, SID_SIZE);
}

static void test_rooms_apart(void **state)
{
    (void)state;
    char id[64], producer[64];
    struct wire *ada = join("one");
    struct wire *mina = join("two");
    create(ada, false, id);
    produce(ada, producer, false);
    socket_expect(mina, "");
    cJSON *list = ask(mina, "getProducers", "");
    assert_int_equal(cJSON_GetArraySize(list), 0);
    cJSON_Delete(list);
    create(mina, true, id);
    cJSON *answer = consume(mina, id, producer);
    assert_string_equal(at(at(answer, "params"), "error")->valuestring,
                        "there is no such producer");
    cJSON_Delete(answer);
    /* into the other room: what it had is no more */
    cJSON_Delete(ask(mina, "join", "{'roomName':'one'}"));
    list = ask(mina, "getProducers", "");
    assert_int_equal(cJSON_GetArraySize(list), 1);
    cJSON_Delete(list);
    answer = consume(mina, id, producer);
    assert_string_equal(at(at(answer, "params"), "error")->valuestring,
                        "there is no such transport to receive on");
    cJSON_Delete(answer);
    /* where it is already, nothing changes */
    cJSON_Delete(ask(ada, "joinRoom", "{'roomName':'one'}"));
    socket_expect(mina, "");
    assert_int_equal(count_producers(mina), 1);
    /* and away */
    cJSON_Delete(ask(ada, "joinRoom", "{'roomName':'two'}"));
    socket_expect(mina, "");
    assert_int_equal(count_producers(mina), 0);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *event, *argument, *why;
    } CASES[] = {
        { "joinRoom", "{'roomName':''}", "roomName: 1 to 128 bytes are wanted" },
        { "joinRoom", "{'roomName':7}", "roomName: 1 to 128 bytes are wanted" },
        { "transport-connect", "{}", "there is no such transport" },
        { "transport-produce", PRODUCE, "there is no transport to send on" },
        { "transport-recv-connect", "{'serverConsumerTransportId':'x'}",
          "there is no such transport" },
        { "consume", "", "there is no such transport to receive on" },
        { "consumer-resume", "[]", "there is no such consumer" },
    };
    static const struct {
        const char *event, *argument, *why;
    } LATER[] = {
        { "transport-connect", "{'dtlsParameters':7}", "dtlsParameters: an object is wanted" },
        { "transport-connect", "{}", "dtlsParameters: an object is wanted" },
        { "transport-produce", "{}", "kind: audio or video is wanted" },
        { "transport-produce", "{'kind':'audio'}", "rtpParameters: an object is wanted" },
        { "transport-produce", "{'kind':'audio','rtpParameters':" TRACK "}",
          "rtpParameters.codecs[0]: it is of another kind" },
        { "transport-produce",
          "{'kind':'video','rtpParameters':{'codecs':[{'mimeType':'video/VP9','payloadType':96,"
          "'clockRate':90000,'parameters':{'profile-id':3}}],'encodings':[{'ssrc':1}]}}",
          "rtpParameters.codecs: none of them was offered" },
    };
    char id[64], argument[200];
    struct wire *wire = come();
    expect_error(wire, "createWebRtcTransport", "{'consumer':false}", "join a room first");
    wire_drop(wire);
    wire = join("one");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect_error(wire, CASES[i].event, CASES[i].argument, CASES[i].why);
    wire_drop(wire);
    wire = join("one");
    create(wire, false, id);
    for (size_t i = 0; i < sizeof LATER / sizeof LATER[0]; i++)
        expect_error(wire, LATER[i].event, LATER[i].argument, LATER[i].why);
    snprintf(argument, sizeof argument, "{'serverConsumerTransportId':'%s','remoteProducerId':'x'}",
             id);
    expect_error(wire, "consume", argument, "there is no such transport to receive on");
    assert_true(house_metric(house, METRIC_MEDIASOUP_ERRORS) > 12);
}

static void test_no_acknowledgement_wanted(void **state)
{
    (void)state;
    struct wire *wire = join("one");
    socket_say(wire, "42[\"createWebRtcTransport\",{\"consumer\":false}]");
    socket_expect(wire, "");
    cJSON *answer = ask(wire, "transport-produce", PRODUCE);
    assert_true(cJSON_IsString(at(answer, "id")));
    cJSON_Delete(answer);
}

static void test_one_ssrc_for_two(void **state)
{
    (void)state;
    char id[64], producer[64];
    struct wire *wire = join("one");
    create(wire, false, id);
    produce(wire, producer, false);
    expect_error(wire, "transport-produce", PRODUCE,
                 "rtpParameters.encodings: another track has that SSRC");
}

static void test_limits(void **state)
{
    (void)state;
    char id[64];
    struct wire *wire = join("one");
    for (unsigned i = 0; i < 4; i++)
        create(wire, i > 0, id);
    expect_error(wire, "createWebRtcTransport", "{'consumer':true}", "the server is full");
    for (unsigned i = 0; i < MEDIASOUP_PRODUCERS_MAX + 1; i++) {
        char argument[300];
        snprintf(argument, sizeof argument,
                 "{'kind':'video','rtpParameters':{'codecs':[{'mimeType':'video/VP8',"
                 "'payloadType':96,'clockRate':90000}],'encodings':[{'ssrc':%u}]}}",
                 i + 1);
        cJSON *answer = ask(wire, "transport-produce", argument);
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
        bool is_over = error != NULL;
        cJSON_Delete(answer);
        if (is_over) {
            assert_true(i > 4);
            return;
        }
    }
    fail_msg("there is no limit");
}

/* A transport that the client never connects ends, and takes along what is on it. */
static void test_transport_ends(void **state)
{
    (void)state;
    char id[64], receiving[64], producer[64];
    struct wire *ada = join("one");
    struct wire *mina = join("one");
    create(ada, false, id);
    house_wait(house, RTC_REMOTE_TIME / 2);
    create(mina, true, receiving);
    produce(ada, producer, false);
    expect_event(mina, "new-producer", "producerId", producer);
    cJSON *answer = consume(mina, receiving, producer);
    assert_non_null(at(at(answer, "params"), "rtpParameters"));
    cJSON_Delete(answer);
    house_wait(house, RTC_REMOTE_TIME / 2 + USEC_S);
    expect_event(mina, "producer-closed", "remoteProducerId", producer);
    socket_expect(ada, "");
    expect_error(ada, "transport-produce", PRODUCE, "there is no transport to send on");
}

static void test_others_rules(void **state)
{
    (void)state;
    struct wire *wire = come();
    socket_say(wire, "42[\"join\",{\"roomId\":\"one\"}]");
    socket_expect(wire, "42[\"joined\",{\"roomId\":\"one\"}]");
    socket_say(wire, "42[\"join\",\"one\"]");
    socket_expect(wire, "42[\"joined\",\"one\"]");
    socket_say(wire, "42[\"unknown\",{\"roomName\":\"one\"}]");
    socket_expect(wire, "");
}

static void test_without_media(void **state)
{
    (void)state;
    char sid[SID_SIZE + 1];
    open_house(0);
    struct wire *wire = socket_open(house, "/socket.io/?EIO=4");
    socket_say(wire, "40");
    read_sid(socket_hear(wire), sid);
    socket_expect(wire, "");
    socket_say(wire, "42[\"consume\",{}]");
    socket_expect(wire, "42[\"never\",{}]");
    house_close(house);
    port_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_track_gets_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rooms_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_acknowledgement_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_ssrc_for_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transport_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others_rules, set_up, tear_down),
        cmocka_unit_test(test_without_media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
