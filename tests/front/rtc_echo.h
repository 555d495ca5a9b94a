/* rtc_echo.h - who opens transports on a server's media port, for tests: it says back what comes,
 * and as much more as it is asked for. */
#ifndef MOIM_TESTS_FRONT_RTC_ECHO_H
#define MOIM_TESTS_FRONT_RTC_ECHO_H

#include "support.h"

#include "front/rtc.h"

#define PACKET 100 /* bytes of payload of what is said */

static struct {
    struct server *server;
    unsigned connected, rtp, data, ended, ticks;
    struct rtc_transport *transport; /* of the last */
    unsigned to_pump;
    unsigned heard, heard_max; /* packets, between two times that it was asked for some */
    uint16_t number;
    struct secure_window sent;
    bool stays; /* what has ended is not closed */
    usec until;
} users;

static const uint8_t PAYLOAD[PACKET];

static void users_hear(void *context, usec now, const struct rtc_out *out)
{
    assert_ptr_equal(context, &users);
    users.connected += out->kind == RTC_CONNECTED;
    users.rtp += out->kind == RTC_RTP;
    users.data += out->kind == RTC_DATA;
    users.to_pump += out->kind == RTC_RTP;
    users.heard += out->kind == RTC_RTP;
    users.heard_max = users.heard > users.heard_max ? users.heard : users.heard_max;
    users.transport = out->transport;
    if (out->kind != RTC_ENDED)
        return;
    users.ended++;
    if (!users.stays)
        rtc_close(rtc_door_port(users.server), now, out->transport);
}

static bool users_pump(void *context, usec now)
{
    (void)context;
    (void)now;
    while (users.to_pump > 0) {
        uint8_t *at = rtc_begin_rtp(rtc_door_port(users.server), users.transport);
        if (!at && rtc_is_full(rtc_door_port(users.server)))
            return false;
        if (!at)
            break; /* there is no way to it */
        memcpy(at, "\x80\x60\0\0\0\0\0\0\0\0\0\x07", 12);
        at[2] = (uint8_t)(users.number >> 8);
        at[3] = (uint8_t)users.number++;
        const struct rtc_rtp rtp = { .header_size = 12,
                                     .payload = view_make(PAYLOAD, PACKET),
                                     .sent = &users.sent };
        rtc_end_rtp(rtc_door_port(users.server), users.transport, &rtp);
        users.to_pump--;
    }
    users.to_pump = 0;
    users.heard = 0;
    return true;
}

static void users_tick(void *context, usec now)
{
    (void)context;
    users.ticks++;
    if (now >= users.until)
        users.until = USEC_NEVER;
}

static usec users_until(void *context)
{
    (void)context;
    return users.until;
}

static const struct rtc_users USERS = { users_hear, users_pump, users_tick, users_until };

static inline void users_serve(struct server *server)
{
    memset(&users, 0, sizeof users);
    users.server = server;
    users.until = USEC_NEVER;
    rtc_door_serve(server, &USERS, &users);
}

#endif
