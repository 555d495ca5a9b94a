/* turn_setup.h - from the settings of TURN to what its agents are told: secrets, users, which peers
 * may be relayed to, and how much.
 */
#ifndef MOIM_SHELL_TURN_SETUP_H
#define MOIM_SHELL_TURN_SETUP_H

#include "front/server.h"
#include "shell/settings.h"

#define TURN_SECRET_FILE "turn-secret"

/* One for all workers; nothing writes to it once it is made. */
struct turn_setup {
    struct turn_config config; /* but for random, metrics, trace and worker */
    struct turn_policy policy;
    struct stun_behavior behavior;
    struct turn_settings settings; /* a copy, with the secrets that are in force */
    uint8_t hashes[SETTINGS_TEXTS_MAX][STUN_USERHASH_SIZE]; /* of the users */
    bool is_secret_new;                                     /* it was made just now */
};

/* Whether the settings need one: there are relays of ours, or of others that take our secret. */
bool turn_setup_wanted(const struct settings *settings);

/* Reads the secrets that are kept in state.dir, when none are set; makes one when there is none, if
 * `may_make`.  The sizes of the config are one worker's, of settings->workers.
 *   OK             *out is the caller's, until turn_setup_free.
 *   ERR_NOT_FOUND  no secret is set and none is kept (may_make is false); `error` is "".
 *   ERR_CONFIG     what is kept can't be used.
 *   ERR_IO         state.dir or the file in it can't be read or written.
 *   ERR_MEMORY
 * On error *out is untouched and `error` is one line. */
MUST_USE int turn_setup_new(const struct settings *settings, bool may_make, struct turn_setup **out,
                            char error[SETTINGS_ERROR_MAX]);
/* What clients are told of it; `settings` are those in force, with the ports that the kernel chose.
 * Its views are into both arguments.  A setup of NULL: there is no secret, so nothing relays. */
void turn_setup_tell(const struct turn_setup *setup, const struct settings *settings,
                     struct ice_config *ice);
/* NULL is accepted. */
void turn_setup_free(struct turn_setup *setup);

#endif
