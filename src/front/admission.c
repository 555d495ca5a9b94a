#include "front/admission.h"

#include <assert.h>

static const struct {
    const char *code;
    const char *words;
    enum metric metric;
} REFUSALS[] = {
    [ADMISSION_NO_TOKEN] = { "token-missing", "this server lets in those who have a token",
                             METRIC_TOKEN_MISSING },
    [ADMISSION_BAD_TOKEN] = { "token-bad", "that is no token of this server", METRIC_TOKEN_BAD },
    [ADMISSION_TOO_EARLY] = { "token-early", "the token's time has not come yet",
                              METRIC_TOKEN_EARLY },
    [ADMISSION_TOO_LATE] = { "token-expired", "the token has expired", METRIC_TOKEN_EXPIRED },
    [ADMISSION_NOT_ALLOWED] = { "not-allowed", "the token does not open this room",
                                METRIC_TOKEN_NOT_ALLOWED },
};

const char *admission_code(enum admission admission)
{
    assert(admission != ADMITTED);
    return REFUSALS[admission].code;
}

const char *admission_words(enum admission admission)
{
    assert(admission != ADMITTED);
    return REFUSALS[admission].words;
}

uint64_t admission_unix_s(const struct server *server, usec now)
{
    return (server->config.unix_at_zero + now) / USEC_S;
}

uint64_t admission_user(const struct server *server, const struct token *pass)
{
    struct view subject = token_view(&pass->subject);
    return subject.size ? siphash(subject, server->config.room_secret) | 1 : 0;
}

static enum admission check_times(const struct server *server, usec now, const struct token *pass)
{
    enum token_time time = token_time(pass, admission_unix_s(server, now));
    if (time == TOKEN_IN_TIME)
        return ADMITTED;
    return time == TOKEN_TOO_EARLY ? ADMISSION_TOO_EARLY : ADMISSION_TOO_LATE;
}

/* Whoever may neither send nor hear has nothing to do in a room. */
static bool may_take_part(const struct token *pass, struct view room)
{
    bool opens = room.size ? token_opens(pass, room) : !token_is_pattern(pass);
    return opens && (pass->permissions & (TOKEN_PUBLISH | TOKEN_SUBSCRIBE));
}

static enum admission check(const struct server *server, usec now, struct view token,
                            struct view room, struct token *pass)
{
    struct token seen;
    const struct token_secrets *secrets = &server->config.auth;
    if (!token.at)
        return ADMISSION_NO_TOKEN;
    if (token_read(token, secrets, &seen) != OK)
        return ADMISSION_BAD_TOKEN;
    enum admission admission = check_times(server, now, &seen);
    if (admission == ADMITTED && !may_take_part(&seen, room))
        admission = ADMISSION_NOT_ALLOWED;
    if (admission == ADMITTED)
        *pass = seen;
    return admission;
}

enum admission admission_check(const struct server *server, usec now, struct view token,
                               struct view room, struct token *pass)
{
    if (server->config.auth.count == 0) {
        *pass = (struct token){ .expires_s = TOKEN_NEVER, .permissions = TOKEN_PERMISSIONS_USUAL };
        return ADMITTED;
    }
    enum admission admission = check(server, now, token, room, pass);
    if (admission != ADMITTED)
        metrics_add(server->metrics, REFUSALS[admission].metric, 1);
    return admission;
}
