/* test_endpoints_topology.c - who is at the far end of clients, as the configuration says it. */
#include "support.h"

#include "front/endpoint.h"
#include "shell/settings.h"

static int read_yaml(const char *yaml, struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    error[0] = 0;
    settings_default(settings);
    return settings_read_text(view_of(yaml), "moim.yaml", settings, error);
}

static void refuse_yaml(const char *yaml, const char *wanted)
{
    char error[SETTINGS_ERROR_MAX];
    struct settings settings;
    assert_int_equal(read_yaml(yaml, &settings, error), ERR_CONFIG);
    assert_string_equal(error, wanted);
}

static const struct endpoint_config *find(const struct settings *settings, const char *path,
                                          enum carrier_kind carrier)
{
    const struct endpoint_configs *configs = settings_endpoints(settings);
    for (uint32_t i = 0; configs && i < configs->count; i++)
        if (strcmp(configs->items[i].path, path) == 0 && configs->items[i].carrier == carrier)
            return &configs->items[i];
    return NULL;
}

/* An entry that says its topology alone leaves the rest as it was built in. */
static void test_topology(void **state)
{
    (void)state;
    char error[SETTINGS_ERROR_MAX];
    struct settings settings;
    int status = read_yaml("endpoints:\n"
                           "  - {path: /ws, topology: sfu}\n"
                           "  - {path: /signaling, carry: sockjs, topology: sfu}\n"
                           "  - path: /own\n"
                           "    event_field: what\n"
                           "    topology: sfu\n"
                           "    rules:\n"
                           "      - {on: call, to: path, signal: offer}\n"
                           "      - {on: reply, to: path, signal: answer}\n",
                           &settings, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    const struct endpoint_config *own = find(&settings, "/own", CARRIER_WEBSOCKET);
    assert_int_equal(own->topology, ENDPOINT_SFU);
    assert_int_equal(own->rules.items[1].signal, SIGNAL_ANSWER);
    const struct endpoint_config *viewers = find(&settings, "/ws", CARRIER_WEBSOCKET);
    assert_int_equal(viewers->topology, ENDPOINT_SFU);
    assert_int_equal(viewers->rules.items[0].keep, KEEP_FIRST);
    assert_int_equal(settings_endpoints(&settings)->count, 5);
    const struct endpoint_config *stomp = find(&settings, "/signaling", CARRIER_SOCKJS);
    assert_int_equal(stomp->topology, ENDPOINT_SFU);
    assert_int_equal(stomp->stomp.signals_count, 2);
    assert_string_equal(stomp->stomp.signals[0].answer, "/topic/peer/answer/*/*");
    assert_string_equal(stomp->stomp.signals[0].renewed, "true");
    assert_null(stomp->stomp.signals[1].renewed);
    settings_clear(&settings);
}

#define STOMP(rest) "endpoints: [{path: /s, carry: sockjs, " rest "}]\n"
#define WRONG       "moim.yaml:1: endpoints[0]."

static void test_refused_signals(void **state)
{
    (void)state;
    refuse_yaml(STOMP("topology: sfu"),
                WRONG "topology: sfu needs stomp.signals: where offers and answers are said");
    refuse_yaml(STOMP("stomp: {signals: [{offer: /o/*/*}]}"),
                WRONG "stomp.signals[0]: answer is missing");
    refuse_yaml(STOMP("stomp: {signals: [{answer: /o/*/*}]}"),
                WRONG "stomp.signals[0]: offer is missing");
    refuse_yaml(STOMP("stomp: {signals: [{offer: /o/*/*, answer: /a/*}]}"),
                WRONG "stomp.signals[0]: \"/a/*\" does not end with /*/*, which stands for a key "
                      "and the room, alone");
    refuse_yaml(STOMP("stomp: {signals: [{offer: x, answer: /a/*/*}]}"),
                WRONG "stomp.signals[0]: \"x\" does not begin with a slash");
    refuse_yaml(STOMP("stomp: {signals: [{offer: /o/*/*, answer: /a/*/*, candidate: c}]}"),
                WRONG "stomp.signals[0]: \"c\" does not begin with a slash");
    refuse_yaml(STOMP("stomp: {signals: [{offer: /o/*/*, answer: /a/*/*, renewed: 1}]}"),
                WRONG "stomp.signals[0]: \"1\" is not true or false");
}

static void test_refused(void **state)
{
    (void)state;
    refuse_yaml("rtc: {port: off}\nendpoints: [{path: /ws, topology: sfu}]\n",
                "moim.yaml:1: rtc.port: it is off, and the endpoint /ws has topology: sfu");
    refuse_yaml("endpoints: [{path: /x, topology: star}]\n",
                "moim.yaml:1: endpoints[0].topology: \"star\" is not one of mesh, sfu");
    refuse_yaml("endpoints: [{path: /x, topology: sfu}]\n",
                "moim.yaml:1: endpoints[0].topology: sfu needs rules with signal: offer and, "
                "behind it, answer");
    refuse_yaml("endpoints: [{path: /ws, topology: sfu, event_field: type,\n"
                "  rules: [{on: answer, to: others, signal: answer},\n"
                "          {on: offer, to: others, signal: offer}]}]\n",
                "moim.yaml:1: endpoints[0].topology: sfu needs rules with signal: offer and, "
                "behind it, answer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topology),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_signals),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
