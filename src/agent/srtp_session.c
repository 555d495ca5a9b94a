/* srtp_session.c - a session's keys, out of what DTLS gives, and the SSRCs of its peer. */
#include "agent/srtp_internal.h"

#include <assert.h>
#include <openssl/crypto.h>

/* RFC 3711, section 4.3.2; SRTCP's are 3 higher */
enum { LABEL_CIPHER, LABEL_AUTH, LABEL_SALT, LABEL_RTCP };

struct master {
    const uint8_t *key;
    const uint8_t *salt;
};

static int make_key(struct secure_engine *engine, const struct secure_suite *suite, bool seals,
                    const struct master *master, uint8_t labels, struct secure_key **out)
{
    uint8_t cipher_key[SECURE_CIPHER_KEY_MAX];
    uint8_t auth_key[SECURE_AUTH_KEY_SIZE];
    uint8_t salt[16];
    bool is_aead = secure_suite_is_aead(suite);
    int status = ERR_MEMORY;
    if (secure_derive(suite, master->key, master->salt, labels + LABEL_CIPHER, cipher_key,
                      suite->key_size) &&
        secure_derive(suite, master->key, master->salt, labels + LABEL_SALT, salt,
                      suite->salt_size) &&
        (is_aead || secure_derive(suite, master->key, master->salt, labels + LABEL_AUTH, auth_key,
                                  sizeof(auth_key))))
        status =
            secure_key_make(engine, suite, seals, cipher_key, salt, is_aead ? NULL : auth_key, out);
    OPENSSL_cleanse(cipher_key, sizeof(cipher_key));
    OPENSSL_cleanse(auth_key, sizeof(auth_key));
    OPENSSL_cleanse(salt, sizeof(salt));
    return status;
}

int secure_session_open(struct secure_session *session, struct secure_engine *engine,
                        uint16_t profile, bool is_client, struct view material)
{
    const struct secure_suite *suite = secure_suite_find(profile);
    if (!suite)
        return ERR_UNSUPPORTED;
    assert(material.size == secure_material_size(profile));
    if (engine->sessions == engine->sessions_max)
        return ERR_LIMIT;

    const uint8_t *salts = material.at + 2 * suite->key_size;
    struct master client = { material.at, salts };
    struct master server = { material.at + suite->key_size, salts + suite->salt_size };
    const struct master *ours = is_client ? &client : &server;
    const struct master *theirs = is_client ? &server : &client;

    *session = (struct secure_session){ .engine = engine };
    engine->sessions++;
    int status = make_key(engine, suite, true, ours, 0, &session->rtp_out);
    if (status == OK)
        status = make_key(engine, suite, true, ours, LABEL_RTCP, &session->rtcp_out);
    if (status == OK)
        status = make_key(engine, suite, false, theirs, 0, &session->rtp_in);
    if (status == OK)
        status = make_key(engine, suite, false, theirs, LABEL_RTCP, &session->rtcp_in);
    if (status != OK)
        secure_session_close(session);
    return status;
}

void secure_session_close(struct secure_session *session)
{
    struct secure_engine *engine = session->engine;
    if (!engine)
        return;
    for (uint32_t i = 0; i < session->source_count; i++)
        pool_give(&engine->sources, session->sources[i]);
    secure_key_give(engine, session->rtp_out);
    secure_key_give(engine, session->rtp_in);
    secure_key_give(engine, session->rtcp_out);
    secure_key_give(engine, session->rtcp_in);
    assert(engine->sessions > 0);
    engine->sessions--;
    *session = (struct secure_session){ 0 };
}

size_t secure_session_overhead(const struct secure_session *session)
{
    return session->rtp_out->suite->rtp_tag_size;
}

/* ---- the SSRCs of the peer ---- */

/* source_count: it is not there. */
static uint32_t place_of(const struct secure_session *session, uint32_t ssrc)
{
    uint32_t i = 0;
    while (i < session->source_count && session->ssrcs[i] != ssrc)
        i++;
    return i;
}

struct secure_source *secure_source_find(const struct secure_session *session, uint32_t ssrc)
{
    uint32_t place = place_of(session, ssrc);
    return place < session->source_count ? session->sources[place] : NULL;
}

bool secure_source_has_room(const struct secure_session *session)
{
    const struct pool *pool = &session->engine->sources;
    return session->source_count < SECURE_SOURCES_MAX && pool->used < pool->count_max;
}

struct secure_source *secure_source_add(struct secure_session *session, uint32_t ssrc)
{
    if (session->source_count == SECURE_SOURCES_MAX)
        return NULL;
    struct secure_source *source = pool_take(&session->engine->sources);
    if (!source)
        return NULL;
    session->ssrcs[session->source_count] = ssrc;
    session->sources[session->source_count++] = source;
    return source;
}

void secure_session_forget(struct secure_session *session, uint32_t ssrc)
{
    uint32_t place = place_of(session, ssrc);
    if (place == session->source_count)
        return;
    pool_give(&session->engine->sources, session->sources[place]);
    uint32_t last = --session->source_count;
    session->ssrcs[place] = session->ssrcs[last];
    session->sources[place] = session->sources[last];
}
