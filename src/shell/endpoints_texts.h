/* endpoints_texts.h - the key `endpoints` as it stands in a file: texts, their lists and maps.
 *
 * The schema fills these structs, and says of every node of an outline whether it belongs there.
 * For endpoints_*.c and settings_yaml.c alone.
 */
#ifndef MOIM_SHELL_ENDPOINTS_TEXTS_H
#define MOIM_SHELL_ENDPOINTS_TEXTS_H

#include "front/endpoint.h"
#include "shell/settings_reader.h"
#include "shell/yaml_outline.h"

#include <cyaml/cyaml.h>

/* What is not set is NULL. */
struct limits_texts {
    char *sessions, *message, *queue, *rooms, *subscriptions, *kept;
};

struct sockjs_texts {
    char *heartbeat, *disconnect, *response, *websocket, *cookie, *client_url;
};

struct engine_texts {
    char *ping_interval, *ping_timeout, *eio3;
};

struct socketio_texts {
    char **namespaces;
    char *connect_timeout, *recovery, *mediasoup;
    uint32_t namespaces_count;
};

struct stomp_texts {
    char **broker, **application, **rooms;
    struct stomp_rename *rename;
    struct stomp_signals *signals;
    char *room_rule, *heartbeat, *door;
    uint32_t broker_count, application_count, rooms_count, rename_count, signals_count;
};

struct rule_texts {
    char *on, *to, *when, *join, *leave, *field, *emit, *say, *keep, *signal, *acknowledge,
        *amplify, *close, *reason;
    char **pick;
    uint32_t pick_count;
};

struct endpoint_texts {
    char *path, *carry, *speak, *topology, *enabled, *event_field;
    char **origins;
    struct rule_texts *rules;
    struct limits_texts *limits;
    struct sockjs_texts *sockjs;
    struct engine_texts *engine;
    struct socketio_texts *socketio;
    struct stomp_texts *stomp;
    uint32_t origins_count, rules_count;
};

#define ENDPOINTS_KEY "endpoints"

/* Of one endpoint. */
extern const cyaml_schema_value_t endpoint_schema;

/* Whether it is the key itself or anything in it. */
bool endpoints_has_node(const struct yaml_node *node);

/* Checks one node of the file `name`: that its key is known, and its value of the right kind. */
MUST_USE int endpoints_check_node(struct settings_reader *reader, const char *name,
                                  const struct yaml_node *node);

#endif
