#include "front/session.h"

static const char ID_LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void make_id(struct server *server, struct session *session)
{
    uint8_t chance[SESSION_ID_SIZE];
    random_fill(&server->config.random, chance, sizeof chance);
    for (unsigned i = 0; i < SESSION_ID_SIZE; i++)
        session->id[i] = ID_LETTERS[chance[i] % 64];
}

struct session *session_new(struct server *server, struct endpoint *endpoint,
                            const struct carrier *carrier)
{
    const struct speech *speech = endpoint->speech;
    struct session *session = NULL;
    if (!server->is_stopping && endpoint->session_count < endpoint->config->limits.sessions)
        session = pool_take(&server->sessions[carrier->kind]);
    if (session && speech->state_size) {
        session->state = pool_take(&endpoint->states);
        if (!session->state) {
            pool_give(&server->sessions[carrier->kind], session);
            session = NULL;
        }
    }
    if (!session) {
        metrics_add(server->metrics, METRIC_SESSIONS_REFUSED, 1);
        return NULL;
    }
    session->endpoint = endpoint;
    session->carrier = carrier;
    session->timer.kind = TIMER_SESSION;
    session->speech_timer.kind = TIMER_SPEECH;
    list_init(&session->closing);
    list_append(&endpoint->sessions, &session->of_endpoint);
    endpoint->session_count++;
    make_id(server, session);
    return session;
}

void session_open(struct server *server, usec now, struct session *session)
{
    session->is_open = true;
    metrics_add(server->metrics, METRIC_SESSIONS, 1);
    metrics_add(server->metrics, METRIC_SESSIONS_OPENED, 1);
    session->endpoint->speech->opened(server, now, session);
}

void session_hear(struct server *server, usec now, struct session *session, struct view body,
                  bool is_binary)
{
    if (!session->is_open || session->is_closing)
        return;
    metrics_add(server->metrics, METRIC_SESSION_IN, 1);
    session->endpoint->speech->message(server, now, session, body, is_binary);
}

void session_send(struct server *server, usec now, struct session *session, struct message *message)
{
    if (!session->is_open || session->is_closing)
        return;
    metrics_add(server->metrics, METRIC_SESSION_OUT, 1);
    session->carrier->send(server, now, session, message);
}

void session_close(struct server *server, struct session *session, uint16_t code,
                   const char *reason)
{
    if (!session->is_open || session->is_closing)
        return;
    session->is_closing = true;
    session->close_code = code;
    session->close_reason = reason;
    list_append(&server->closing, &session->closing);
}

void session_end(struct server *server, usec now, struct session *session, bool clean)
{
    list_remove(&session->closing);
    if (!session->is_open)
        return;
    session->is_open = false;
    wheel_cancel(&server->wheel, &session->speech_timer);
    metrics_subtract(server->metrics, METRIC_SESSIONS, 1);
    session->endpoint->speech->closed(server, now, session, clean);
    pool_give(&session->endpoint->states, session->state);
    session->state = NULL;
}

void session_free(struct server *server, struct session *session)
{
    struct endpoint *endpoint = session->endpoint;
    list_remove(&session->closing);
    list_remove(&session->of_endpoint);
    wheel_cancel(&server->wheel, &session->timer);
    wheel_cancel(&server->wheel, &session->speech_timer);
    if (session->is_open)
        metrics_subtract(server->metrics, METRIC_SESSIONS, 1);
    pool_give(&endpoint->states, session->state);
    endpoint->session_count--;
    pool_give(&server->sessions[session->carrier->kind], session);
}

void sessions_settle(struct server *server, usec now)
{
    while (!list_empty(&server->closing)) {
        struct session *session = LIST_ENTRY(server->closing.next, struct session, closing);
        session_end(server, now, session, false);
        session->carrier->close(server, now, session, session->close_code, session->close_reason);
    }
}

void sessions_stop(struct server *server, usec now)
{
    for (uint32_t i = 0; i < server->endpoint_count; i++) {
        struct list *sessions = &server->endpoints[i].sessions;
        for (struct list *at = sessions->next; at != sessions; at = at->next)
            session_close(server, LIST_ENTRY(at, struct session, of_endpoint), 1001,
                          "the server stops");
    }
    sessions_settle(server, now);
}

void session_expired(struct server *server, usec now, struct timer *timer)
{
    if (timer->kind == TIMER_ENDPOINT) {
        struct endpoint *endpoint = LIST_ENTRY(timer, struct endpoint, timer);
        endpoint->speech->endpoint_timer(server, now, endpoint);
    } else if (timer->kind == TIMER_SPEECH) {
        struct session *session = LIST_ENTRY(timer, struct session, speech_timer);
        session->endpoint->speech->timer(server, now, session);
    } else {
        struct session *session = LIST_ENTRY(timer, struct session, timer);
        session->carrier->timer(server, now, session);
    }
}

void message_done(struct server *server, struct message *message)
{
    for (unsigned i = 0; i < FORM_COUNT; i++) {
        buffer_give(server->buffers, message->forms[i]);
        message->forms[i] = NULL;
    }
}
