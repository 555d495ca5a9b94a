/* relay_tables.h - the rules of the existing clients that need nothing but rules. */
#ifndef MOIM_TESTS_FRONT_RELAY_TABLES_H
#define MOIM_TESTS_FRONT_RELAY_TABLES_H

#include "house_endpoint.h"

/* A streamer that offers once, and viewers that only answer: the offer waits for them. */
static const struct rule STREAMER_RULES[] = {
    { .on = "offer", .to = TO_OTHERS, .keep = KEEP_FIRST },
    { .on = "candidate", .to = TO_OTHERS, .keep = KEEP_MORE },
    { .on = "*", .to = TO_OTHERS },
};

/* Whatever is said, to all others; as it was before anything was kept. */
static const struct rule OTHERS_RULES[] = { { .on = "*", .to = TO_OTHERS } };
static const struct rule PATH_RULES[] = { { .on = "*", .to = TO_PATH } };

/* Rooms of a mesh: who comes where somebody is makes the offer. */
static const char *const OFFER_FIELDS[] = { "offer" };
static const char *const ANSWER_FIELDS[] = { "answer" };
static const char *const ICE_FIELDS[] = { "iceCandidates" };
static const struct rule MESH_RULES[] = {
    { .on = "join",
      .join = "roomId",
      .to = TO_SENDER,
      .when = WHEN_OTHERS,
      .emit = "remote-offer",
      .say = "{}" },
    { .on = "new-offer",
      .to = TO_ROOM,
      .field = "roomId",
      .emit = "remote-offer",
      .pick = OFFER_FIELDS,
      .pick_count = 1 },
    { .on = "new-answer",
      .to = TO_ROOM,
      .field = "roomId",
      .emit = "remote-answer",
      .pick = ANSWER_FIELDS,
      .pick_count = 1 },
    { .on = "new-ice",
      .to = TO_ROOM,
      .field = "roomId",
      .emit = "remote-ice",
      .pick = ICE_FIELDS,
      .pick_count = 1 },
};

#define OVER_SOCKETIO(path_, items_)                                                               \
    {                                                                                              \
        .path = (path_), .carrier = CARRIER_ENGINE, .speech = SPEECH_SOCKETIO, .limits = ROOMY,    \
        .engine = { .ping_interval = 25 * USEC_S, .ping_timeout = 20 * USEC_S },                   \
        .socketio = { .connect_timeout = 45 * USEC_S }, .rules = {                                 \
            .items = (items_),                                                                     \
            .count = sizeof(items_) / sizeof(items_)[0]                                            \
        }                                                                                          \
    }

static const struct endpoint_config CLIENTS[] = {
    BARE("/ws", "type", STREAMER_RULES),       BARE("/signaling", NULL, OTHERS_RULES),
    BARE("/original", NULL, PATH_RULES),       BARE("/mesh", "type", MESH_RULES),
    OVER_SOCKETIO("/socket.io", OTHERS_RULES), OVER_SOCKETIO("/rooms.io", MESH_RULES),
};
static const struct endpoint_configs CLIENT_ENDPOINTS = CONFIGS(CLIENTS);

/* A house that serves them. */
static inline struct house *open_clients(unsigned workers)
{
    return house_build(&(struct wishes){ .workers = workers, .endpoints = &CLIENT_ENDPOINTS });
}

#endif
