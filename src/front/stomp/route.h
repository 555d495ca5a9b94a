/* route.h - where a STOMP destination leads, by the endpoint's configuration.  Pure functions. */
#ifndef MOIM_FRONT_STOMP_ROUTE_H
#define MOIM_FRONT_STOMP_ROUTE_H

#include "front/endpoint.h"
#include "room/broker.h"

#define STOMP_USER_PREFIX "/user/"

enum stomp_route_kind {
    ROUTE_NOWHERE, /* nobody listens there, whoever subscribes */
    ROUTE_TOPIC,   /* to whoever subscribed */
    ROUTE_USER     /* to the sessions of one user */
};

struct stomp_route {
    enum stomp_route_kind kind;
    struct view destination; /* the broker's; into `bytes` or what was given */
    uint8_t bytes[BROKER_NAME_MAX];
};

/* Where a SEND leads: by a rename, from an application prefix to the first broker prefix, or
 * straight.  What gets longer than BROKER_NAME_MAX leads nowhere. */
void stomp_route_send(const struct stomp_config *config, struct view destination,
                      struct stomp_route *route);

/* What a SUBSCRIBE listens at: its destination; or, of "/user/queue/x", "/user/NAME/queue/x", of
 * kind ROUTE_USER.  `user` holds no '/' and no wildcard. */
void stomp_route_subscribe(struct view destination, struct view user, struct stomp_route *route);

/* What is said at a destination that stand-ins take. */
struct stomp_signal {
    uint32_t number; /* of the configuration's signals */
    bool is_answer;  /* it is at the destination of answers alone */
    bool is_candidate;
    struct view key; /* whom it is for, and where: of offers and answers */
    struct view room;
};

/* False: it is none of them. */
bool stomp_route_signal(const struct stomp_config *config, struct view destination,
                        struct stomp_signal *signal);
/* The destination of an offer or an answer for that key. */
void stomp_route_to(const char *template, struct view key, struct view room,
                    struct stomp_route *route);

/* As the user subscribed: "/user/NAME/queue/x" is "/user/queue/x". */
struct view stomp_route_user_told(const struct stomp_route *route, uint8_t bytes[BROKER_NAME_MAX]);

/* The room that a destination ends with; empty: it bears none. */
struct view stomp_route_room(const struct stomp_config *config, struct view destination);

/* Whether a name can stand in a destination of a user. */
bool stomp_user_valid(struct view name);

#endif
