/* house_paths.h - a house with endpoints of several kinds, for the tests of what is under them. */
#ifndef MOIM_TESTS_FRONT_HOUSE_PATHS_H
#define MOIM_TESTS_FRONT_HOUSE_PATHS_H

#include "house_endpoint.h"

static const struct rule ECHO[] = { { .on = "*", .to = TO_SENDER } };
static const struct rule OTHERS[] = { { .on = "*", .to = TO_OTHERS } };
static const char *const TOPIC[] = { "/topic" };
static const char *const GUESTS[] = { "https://a.example", "http://b.example:8080" };

#define RULES_OF(items_)                                                                           \
    {                                                                                              \
        .items = (items_), .count = sizeof(items_) / sizeof(items_)[0]                             \
    }
#define SOCKJS_AS_USUAL                                                                            \
    {                                                                                              \
        .heartbeat = 25 * USEC_S, .disconnect = 5 * USEC_S, .response_max = 4096,                  \
        .websocket = true, .client_url = ""                                                        \
    }

static const struct endpoint_config PATHS[] = {
    { .path = "/echo",
      .carrier = CARRIER_SOCKJS,
      .speech = SPEECH_RELAY,
      .limits = ROOMY,
      .sockjs = SOCKJS_AS_USUAL,
      .rules = RULES_OF(ECHO) },
    /* the two at one path, as it is by default */
    { .path = "/signaling",
      .carrier = CARRIER_SOCKJS,
      .speech = SPEECH_STOMP,
      .limits = ROOMY,
      .sockjs = SOCKJS_AS_USUAL,
      .stomp = { .broker = TOPIC, .broker_count = 1, .door = true } },
    { .path = "/signaling",
      .carrier = CARRIER_WEBSOCKET,
      .speech = SPEECH_RELAY,
      .limits = ROOMY,
      .rules = RULES_OF(OTHERS) },
    { .path = "/guarded",
      .carrier = CARRIER_WEBSOCKET,
      .speech = SPEECH_RELAY,
      .limits = ROOMY,
      .origins = GUESTS,
      .origin_count = 2,
      .rules = RULES_OF(ECHO) },
    { .path = "/guarded-sockjs",
      .carrier = CARRIER_SOCKJS,
      .speech = SPEECH_RELAY,
      .limits = ROOMY,
      .origins = GUESTS,
      .origin_count = 2,
      .sockjs = SOCKJS_AS_USUAL,
      .rules = RULES_OF(ECHO) },
    { .path = "/small",
      .carrier = CARRIER_WEBSOCKET,
      .speech = SPEECH_RELAY,
      .limits = { .sessions = 3, .message_bytes = 1000, .queue_bytes = 8000 },
      .rules = RULES_OF(OTHERS) },
};
static const struct endpoint_configs ALL_PATHS = CONFIGS(PATHS);

static inline struct house *open_paths(unsigned workers)
{
    return house_build(&(struct wishes){ .workers = workers, .endpoints = &ALL_PATHS });
}

static inline struct wire *dial(struct house *house, unsigned worker)
{
    struct wire *wire = house_dial(house, worker, STREAM_HTTP);
    assert_non_null(wire);
    return wire;
}

#endif
