/* srtp_oracle.h - libsrtp2 as the other side of a session: what it makes we must take, and the
 * other way round. */
#ifndef MOIM_TESTS_AGENT_SRTP_ORACLE_H
#define MOIM_TESTS_AGENT_SRTP_ORACLE_H

#include "agent/srtp.h"

#include <assert.h>
#include <srtp2/srtp.h>
#include <string.h>

struct oracle {
    srtp_t out, in;
};

static inline void oracle_init(void)
{
    srtp_err_status_t status = srtp_init();
    assert(status == srtp_err_status_ok);
}

static inline srtp_t oracle_stream(uint16_t number, bool is_sending, const uint8_t *key,
                                   const uint8_t *salt)
{
    /* the numbers are RFC 5764's in both */
    srtp_profile_t profile = (srtp_profile_t)number;
    uint8_t keys[SECURE_MATERIAL_MAX];
    unsigned key_size = srtp_profile_get_master_key_length(profile);
    memcpy(keys, key, key_size);
    memcpy(keys + key_size, salt, srtp_profile_get_master_salt_length(profile));
    srtp_policy_t policy;
    memset(&policy, 0, sizeof(policy));
    srtp_err_status_t status = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
    assert(status == srtp_err_status_ok);
    status = srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
    assert(status == srtp_err_status_ok);
    policy.ssrc.type = is_sending ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = keys;
    policy.window_size = SECURE_WINDOW;
    srtp_t made;
    status = srtp_create(&made, &policy);
    assert(status == srtp_err_status_ok);
    return made;
}

/* One end of it; `material` as for secure_session_open. */
static inline void oracle_open(struct oracle *oracle, uint16_t profile, bool is_client,
                               struct view material)
{
    size_t key_size = srtp_profile_get_master_key_length((srtp_profile_t)profile);
    size_t salt_size = srtp_profile_get_master_salt_length((srtp_profile_t)profile);
    assert(material.size == 2 * (key_size + salt_size));
    const uint8_t *keys[] = { material.at, material.at + key_size };
    const uint8_t *salts[] = { keys[1] + key_size, keys[1] + key_size + salt_size };
    oracle->out = oracle_stream(profile, true, keys[!is_client], salts[!is_client]);
    oracle->in = oracle_stream(profile, false, keys[is_client], salts[is_client]);
}

static inline void oracle_close(struct oracle *oracle)
{
    srtp_dealloc(oracle->out);
    srtp_dealloc(oracle->in);
}

/* Each in place; true: *size is the new one. */
static inline bool oracle_protect(struct oracle *oracle, uint8_t *at, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_protect(oracle->out, at, &length);
    *size = (size_t)length;
    return status == srtp_err_status_ok;
}

static inline srtp_err_status_t oracle_unprotect(struct oracle *oracle, uint8_t *at, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_unprotect(oracle->in, at, &length);
    *size = (size_t)length;
    return status;
}

static inline bool oracle_protect_rtcp(struct oracle *oracle, uint8_t *at, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_protect_rtcp(oracle->out, at, &length);
    *size = (size_t)length;
    return status == srtp_err_status_ok;
}

static inline srtp_err_status_t oracle_unprotect_rtcp(struct oracle *oracle, uint8_t *at,
                                                      size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_unprotect_rtcp(oracle->in, at, &length);
    *size = (size_t)length;
    return status;
}

#endif
