/* Data channels of peers that belong together. */
#include "sfu_house.h"

#include "media/data_circle.h"

/* The far ends' SCTP. */
static struct sctp ends;
static struct buffers *buffers, *end_buffers;
static struct data_circle circle;

/* What one end has heard. */
struct hearer {
    struct client client;
    struct sctp_association *association;
    unsigned opened, closed, messages;
    struct sctp_channel *channel; /* the last one that was opened to it */
    char last[64];
};

static struct hearer one, two, three;
static struct hearer *const ALL[] = { &one, &two, &three };

static struct hearer *hearer_of(const struct far *far)
{
    for (unsigned i = 0; i < 3; i++)
        if (ALL[i]->client.far == far)
            return ALL[i];
    fail_msg("a far end that is nobody's");
    return NULL;
}

static void drain_ends(void)
{
    struct sctp_out out;
    for (sctp_poll(&ends, &out); out.kind != SCTP_WAIT; sctp_poll(&ends, &out)) {
        struct hearer *hearer = out.association->owner;
        if (out.kind == SCTP_SEND) {
            struct far *far = hearer->client.far;
            assert_int_equal(dtls_send(&far->dtls, port.now, out.packet), OK);
            far_drain(far);
        } else if (out.kind == SCTP_CHANNEL_OPENED) {
            hearer->opened++;
            hearer->channel = out.channel;
        } else if (out.kind == SCTP_CHANNEL_CLOSED) {
            hearer->closed++;
        } else if (out.kind == SCTP_MESSAGE) {
            hearer->messages++;
            assert_true(out.message->size < sizeof hearer->last);
            memcpy(hearer->last, out.message->bytes, out.message->size);
            hearer->last[out.message->size] = 0;
        }
    }
}

static void hear_data(struct far *far, struct view data)
{
    struct hearer *hearer = hearer_of(far);
    if (!hearer->association)
        return;
    sctp_feed(&ends, port.now, hearer->association, data);
    drain_ends();
}

static int open_house(void **state)
{
    set_up(state);
    sfu_free(&sfu);
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    memset(&three, 0, sizeof three);
    assert_int_equal(buffers_new(4 << 20, &buffers), OK);
    assert_int_equal(buffers_new(4 << 20, &end_buffers), OK);
    struct sfu_config config = sfu.config;
    config.buffers = buffers;
    assert_int_equal(sfu_init(&sfu, &config, port.now), OK);
    const struct sctp_config sctp = { .buffers = end_buffers,
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
    assert_int_equal(sctp_init(&ends, &sctp, port.now), OK);
    data_circle_init(&circle);
    return 0;
}

static int close_house(void **state)
{
    sctp_free(&ends);
    tear_down(state);
    assert_int_equal(buffers_used(buffers), 0);
    assert_int_equal(buffers_used(end_buffers), 0);
    buffers_free(buffers);
    buffers_free(end_buffers);
    return 0;
}

/* Acknowledgements that are put off are said in time. */
static void pass_time(void)
{
    for (unsigned i = 0; i < 10; i++) {
        wait(100 * USEC_MS);
        sctp_tick(&ends, port.now);
        drain_ends();
        run();
    }
}

/* Comes with a section for data, connects, and is in the circle. */
static void come_as(struct hearer *hearer, bool is_heard)
{
    struct text offer;
    head(&offer, 1);
    line(&offer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0");
    line(&offer, "a=sctp-port:5000\r\na=max-message-size:262144");
    join(&hearer->client, &offer, NULL);
    hearer->client.far->hear_data = hear_data;
    const struct sctp_terms terms = { .is_dtls_client = true,
                                      .local_port = 5000,
                                      .remote_port = 5000,
                                      .remote_message_max = SFU_MESSAGE_MAX };
    assert_int_equal(sctp_open(&ends, port.now, &terms, hearer, &hearer->association), OK);
    drain_ends();
    peer_join_circle(hearer->client.peer, port.now, &circle, is_heard);
    run();
}

static void come(struct hearer *hearer)
{
    come_as(hearer, true);
}

static struct sctp_channel *open_channel(struct hearer *hearer, const char *label)
{
    struct sctp_channel *channel;
    const struct sctp_channel_terms terms = { .label = view_of(label),
                                              .protocol = VIEW("chat"),
                                              .reliability = DCEP_RETRANSMITS,
                                              .parameter = 3,
                                              .is_unordered = true };
    assert_int_equal(
        sctp_open_channel(&ends, port.now, hearer->association, &terms, NULL, &channel), OK);
    drain_ends();
    run();
    return channel;
}

static void say_data(struct sctp_channel *channel, const char *text)
{
    struct buffer *buffer;
    assert_int_equal(buffers_take(end_buffers, 64, &buffer), OK);
    buffer->size = (uint32_t)strlen(text);
    memcpy(buffer->bytes, text, buffer->size);
    assert_int_equal(sctp_send(&ends, port.now, channel, SCTP_STRING, buffer), OK);
    buffer_give(end_buffers, buffer);
    drain_ends();
    run();
}

static void test_all_hear(void **state)
{
    (void)state;
    come(&one);
    come(&two);
    come(&three);
    struct sctp_channel *channel = open_channel(&one, "game");
    assert_int_equal(two.opened, 1);
    assert_int_equal(three.opened, 1);
    assert_int_equal(one.opened, 0);
    /* as it was opened */
    assert_true(view_equal(two.channel->label, VIEW("game")));
    assert_true(view_equal(two.channel->protocol, VIEW("chat")));
    assert_int_equal(two.channel->reliability, DCEP_RETRANSMITS);
    assert_int_equal(two.channel->parameter, 3);
    assert_true(two.channel->is_unordered);
    say_data(channel, "hello");
    assert_string_equal(two.last, "hello");
    assert_string_equal(three.last, "hello");
    assert_int_equal(one.messages, 0);
    /* and back, to all but who says it */
    say_data(two.channel, "echo");
    assert_string_equal(one.last, "echo");
    assert_string_equal(three.last, "echo");
    assert_int_equal(two.messages, 1);
}

static void test_late_comer(void **state)
{
    (void)state;
    come(&one);
    struct sctp_channel *channel = open_channel(&one, "game");
    come(&two);
    assert_int_equal(two.opened, 1);
    say_data(channel, "hello");
    assert_string_equal(two.last, "hello");
    come(&three);
    assert_int_equal(three.opened, 1); /* once, though two have it */
}

static void test_labels_are_apart(void **state)
{
    (void)state;
    come(&one);
    come(&two);
    struct sctp_channel *game = open_channel(&one, "game");
    open_channel(&one, "talk");
    assert_int_equal(two.opened, 2);
    struct sctp_channel *talk = two.channel;
    say_data(game, "move");
    assert_int_equal(two.messages, 1);
    say_data(talk, "hi");
    assert_string_equal(one.last, "hi");
}

/* A channel ends with the last who opened it. */
static void test_close(void **state)
{
    (void)state;
    come(&one);
    come(&two);
    come(&three);
    struct sctp_channel *channel = open_channel(&one, "game");
    sctp_close_channel(&ends, port.now, channel);
    drain_ends();
    run();
    pass_time();
    assert_int_equal(two.closed, 1);
    assert_int_equal(three.closed, 1);
    open_channel(&one, "game");
    assert_int_equal(two.opened, 2);
    peer_close(one.client.peer, port.now);
    run();
    pass_time();
    assert_int_equal(two.closed, 2);
    assert_int_equal(three.closed, 2);
}

static void test_who_leaves_hears_nothing(void **state)
{
    (void)state;
    come(&one);
    come(&two);
    struct sctp_channel *channel = open_channel(&one, "game");
    peer_leave_circle(two.client.peer, port.now);
    run();
    say_data(channel, "hello");
    assert_int_equal(two.messages, 0);
}

static unsigned told;

static void tell(void *context, const struct sctp_channel_terms *terms)
{
    (void)context;
    (void)terms;
    told++;
}

static void tell_said(void *context, const struct sctp_channel_terms *terms, uint8_t message_kind,
                      const struct buffer *message)
{
    (void)message_kind;
    (void)message;
    tell(context, terms);
}

/* It ends before its peers do, which then have nobody to tell. */
static void test_ends_first(void **state)
{
    (void)state;
    told = 0;
    come(&one);
    come(&two);
    circle.way = (struct data_way){ tell, tell, tell_said, NULL };
    open_channel(&one, "chat");
    pass_time();
    assert_int_equal(told, 1);
    assert_int_equal(two.opened, 1);
    data_circle_end(&circle);
    memset(&circle, 0xaa, sizeof circle);
    peer_close(one.client.peer, port.now);
    peer_close(two.client.peer, port.now);
    assert_int_equal(told, 1);
}

static void test_who_only_hears(void **state)
{
    (void)state;
    come(&one);
    come_as(&two, false);
    struct sctp_channel *channel = open_channel(&one, "game");
    say_data(channel, "hello");
    assert_string_equal(two.last, "hello");
    say_data(two.channel, "no");
    assert_int_equal(one.messages, 0);
    open_channel(&two, "mine");
    assert_int_equal(one.opened, 0);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_all_hear),
        IN_HOUSE(test_late_comer),
        IN_HOUSE(test_labels_are_apart),
        IN_HOUSE(test_close),
        IN_HOUSE(test_who_leaves_hears_nothing),
        IN_HOUSE(test_who_only_hears),
        IN_HOUSE(test_ends_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
