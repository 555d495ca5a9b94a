/* A meeting at two workers: data channels, and what the admin is told. */
#include "house_spread.h"

/* ---- for whoever runs the server ---- */

static cJSON *ask_json(const char *path)
{
    char request[300];
    struct answer answer = { 0 };
    cJSON *json;
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n", path);
    house_ask(house, request, &answer);
    assert_int_equal(answer.code, 200);
    assert_int_equal(json_read_object(bytes_view(&answer.body), &json), OK);
    answer_free(&answer);
    return json;
}

static double number_in(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* Members' connections are told, wherever they are. */
static void test_admin(void **state)
{
    (void)state;
    connect_all("AVavavav");
    say_frame(0, 1, true);
    house_wait(house, 3 * USEC_S);
    cJSON *room = ask_json("/api/v1/rooms/a");
    const cJSON *members = cJSON_GetObjectItemCaseSensitive(room, "members");
    assert_int_equal(cJSON_GetArraySize(members), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *member = cJSON_GetArrayItem(members, i);
        assert_true(number_in(member, "connected") == 1);
        assert_true(number_in(member, "tracks") == 2);
        assert_true(number_in(member, "subscriptions") == 6);
    }
    cJSON_Delete(room);
    for (unsigned i = 1; i <= 4; i++) {
        char path[60];
        snprintf(path, sizeof path, "/api/v1/rooms/a/members/m%u", i);
        cJSON *member = ask_json(path);
        const cJSON *connections = cJSON_GetObjectItemCaseSensitive(member, "connections");
        assert_int_equal(cJSON_GetArraySize(connections), 1);
        cJSON_Delete(member);
    }
}

/* ---- data channels ---- */

static struct sctp ends; /* the far ends' */
static struct buffers *end_buffers;
static struct sctp_association *associations[GUESTS_MAX];
static unsigned opened[GUESTS_MAX], closed[GUESTS_MAX], messages[GUESTS_MAX];

static unsigned guest_of(const struct far *far)
{
    unsigned guest = 0;
    while (fars[guest] != far)
        guest++;
    return guest;
}

static void drain_ends(void)
{
    struct sctp_out out;
    for (sctp_poll(&ends, &out); out.kind != SCTP_WAIT; sctp_poll(&ends, &out)) {
        struct far *far = out.association->owner;
        unsigned guest = guest_of(far);
        opened[guest] += out.kind == SCTP_CHANNEL_OPENED;
        closed[guest] += out.kind == SCTP_CHANNEL_CLOSED;
        messages[guest] += out.kind == SCTP_MESSAGE && out.message->size == 5;
        if (out.kind != SCTP_SEND)
            continue;
        assert_int_equal(dtls_send(&far->dtls, port.now, out.packet), OK);
        far_drain(far);
    }
}

static void hear_data(struct far *far, struct view data)
{
    unsigned guest = guest_of(far);
    if (!associations[guest])
        return;
    sctp_feed(&ends, port.now, associations[guest], data);
    drain_ends();
}

static void run_data(void)
{
    for (unsigned i = 0; i < 20; i++) {
        house_wait(house, 100 * USEC_MS);
        run();
        sctp_tick(&ends, port.now);
        drain_ends();
        run();
    }
}

static void connect_data(unsigned guest)
{
    const struct sctp_terms terms = { .is_dtls_client = true,
                                      .local_port = 5000,
                                      .remote_port = 5000,
                                      .remote_message_max = SFU_MESSAGE_MAX };
    connect_guest(guest, "AVavavD");
    fars[guest]->hear_data = hear_data;
    opened[guest] = closed[guest] = messages[guest] = 0;
    assert_int_equal(sctp_open(&ends, port.now, &terms, fars[guest], &associations[guest]), OK);
    drain_ends();
    run_data();
}

static int data_up(void **state)
{
    set_up(state);
    memset(associations, 0, sizeof associations);
    assert_int_equal(buffers_new(4 << 20, &end_buffers), OK);
    const struct sctp_config config = { .buffers = end_buffers,
                                        .random = &port.random,
                                        .metrics = &port.metrics,
                                        .associations_max = 8,
                                        .channels_max = 64,
                                        .messages_max = 256,
                                        .chunks_max = 1024,
                                        .pieces_max = 1024,
                                        .message_max = SFU_MESSAGE_MAX,
                                        .receive_max = 2 * SFU_MESSAGE_MAX,
                                        .send_max = 2 * SFU_MESSAGE_MAX };
    assert_int_equal(sctp_init(&ends, &config, house->now), OK);
    return 0;
}

static int data_down(void **state)
{
    sctp_free(&ends);
    buffers_free(end_buffers);
    return tear_down(state);
}

static struct sctp_channel *open_channel(unsigned guest)
{
    struct sctp_channel *channel;
    const struct sctp_channel_terms terms = { .label = VIEW("notes"), .protocol = VIEW("p") };
    assert_int_equal(
        sctp_open_channel(&ends, port.now, associations[guest], &terms, NULL, &channel), OK);
    drain_ends();
    run_data();
    return channel;
}

static void say_data(struct sctp_channel *channel)
{
    struct buffer *message;
    assert_int_equal(buffers_take(end_buffers, 5, &message), OK);
    memcpy(message->bytes, "hello", 5);
    message->size = 5;
    assert_int_equal(sctp_send(&ends, port.now, channel, SCTP_STRING, message), OK);
    buffer_give(end_buffers, message);
    drain_ends();
    run_data();
}

/* Two are at each worker; the fourth comes when the channel is there. */
static void test_data(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_data(i);
    struct sctp_channel *channel = open_channel(0);
    assert_int_equal(opened[1], 1);
    assert_int_equal(opened[2], 1);
    connect_data(3);
    assert_int_equal(opened[3], 1);
    say_data(channel);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(messages[i], 1);
    assert_int_equal(messages[0], 0);

    /* from there, too: to both at home, and once to the one beside */
    struct sctp_channel *other = open_channel(2);
    say_data(other);
    assert_int_equal(messages[0], 1);
    assert_int_equal(messages[1], 2);
    assert_int_equal(messages[2], 1);
    assert_int_equal(messages[3], 2);

    /* it stays open while there is one who has opened it, wherever that is */
    ws_say(guests[0].wire, "{'type':'sfu-close'}");
    run_data();
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(closed[i], 0);
    say_data(other);
    assert_int_equal(messages[1], 3);
    ws_say(guests[2].wire, "{'type':'sfu-close'}");
    run_data();
    assert_int_equal(closed[1], 1);
    assert_int_equal(closed[3], 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(house->servers[i]->sfu->data_far.used, 0);
}

/* On a channel that may lose nothing, who has missed a message hears no more of it. */
static void test_data_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        connect_data(i);
    struct sctp_channel *channel = open_channel(0);
    house->roads[home].is_blocked = true;
    say_data(channel);
    house->roads[home].is_blocked = false;
    assert_int_equal(messages[1], 1);
    assert_int_equal(messages[2], 0);
    assert_int_equal(closed[1], 0);
    assert_int_equal(closed[2], 1);
    assert_true(house_metric(house, METRIC_MEDIA_DATA_LOST) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_admin),
        cmocka_unit_test_setup_teardown(test_data, data_up, data_down),
        cmocka_unit_test_setup_teardown(test_data_lost, data_up, data_down),
    };
    return cmocka_run_group_tests_name("meet_spread_more", tests, NULL, NULL);
}
