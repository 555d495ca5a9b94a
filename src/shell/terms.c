#include "shell/terms.h"

#include "shell/turn_setup.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct terms {
    atomic_uint references;
    struct settings settings;
    struct turn_setup *turn; /* NULL: no TURN, and no servers of others that relay */
};

static const char *const KEYS[] = {
    "admin.token",
    "auth.secret",
    "turn.secret",
    "turn.users",
    "turn.allow_peers",
    "turn.servers",
    "turn.allocations_per_user",
    "turn.allocations_per_prefix",
    "turn.bandwidth_allocation",
    "turn.bandwidth_all",
    "turn.lifetime",
    "turn.credential_lifetime",
};

bool terms_include(const char *key)
{
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        if (strcmp(KEYS[i], key) == 0)
            return true;
    return false;
}

/* Ports that are open, and the realm that users' keys are made of, stay as they are. */
static void merge(struct settings *settings, const struct settings *fresh)
{
    struct turn_settings turn = fresh->turn;
    turn.relay_ports = settings->turn.relay_ports;
    turn.behavior_discovery = settings->turn.behavior_discovery;
    memcpy(turn.realm, settings->turn.realm, sizeof(turn.realm));
    settings->turn = turn;
    settings->auth_secrets = fresh->auth_secrets;
    settings->admin_tokens = fresh->admin_tokens;
    settings->endpoints = NULL; /* not ours */
}

int terms_new(const struct settings *in_force, const struct settings *fresh, struct terms **out,
              char error[SETTINGS_ERROR_MAX])
{
    int status = OK;
    struct terms *terms = calloc(1, sizeof(*terms));
    if (!terms) {
        snprintf(error, SETTINGS_ERROR_MAX, "%s", status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    atomic_init(&terms->references, 1);
    terms->settings = *in_force;
    merge(&terms->settings, fresh);
    if (turn_setup_wanted(&terms->settings))
        status = turn_setup_new(&terms->settings, true, &terms->turn, error);
    if (status != OK) {
        terms_give(terms);
        return status;
    }
    *out = terms;
    return OK;
}

struct terms *terms_share(struct terms *terms)
{
    if (terms)
        atomic_fetch_add_explicit(&terms->references, 1, memory_order_relaxed);
    return terms;
}

void terms_give(struct terms *terms)
{
    if (!terms || atomic_fetch_sub_explicit(&terms->references, 1, memory_order_acq_rel) != 1)
        return;
    turn_setup_free(terms->turn);
    OPENSSL_cleanse(&terms->settings, sizeof(terms->settings));
    free(terms);
}

struct token_secrets terms_secrets(const struct text_list *list)
{
    struct token_secrets secrets = { .count = list->count };
    for (uint32_t i = 0; i < list->count; i++)
        secrets.items[i] = view_of(list->items[i]);
    return secrets;
}

void terms_tell(const struct terms *terms, struct server_terms *out)
{
    *out = (struct server_terms){
        .auth = terms_secrets(&terms->settings.auth_secrets),
        .admin = terms_secrets(&terms->settings.admin_tokens),
    };
    turn_setup_tell(terms->turn, &terms->settings, &out->ice);
    out->turn = settings_have_turn(&terms->settings) ? &terms->turn->config : NULL;
}
