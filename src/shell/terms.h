/* terms.h - what the server can be told anew while it runs: secrets, users, and what relays may.
 *
 * Terms are made by the main thread, and not written to afterwards; each worker has a reference to
 * those that are in force there.  Which keys they are is in terms.c; all others need a new
 * start.
 */
#ifndef MOIM_SHELL_TERMS_H
#define MOIM_SHELL_TERMS_H

#include "front/server.h"
#include "shell/settings.h"

struct terms;

/* Makes terms of the settings in force, but for the keys that may change: these are `fresh`'s.  One
 * reference is the caller's.  Secrets that are kept in state.dir are read again.
 *   ERR_CONFIG, ERR_IO  a kept secret can't be used; `error` is one line.
 *   ERR_MEMORY          the same. */
MUST_USE int terms_new(const struct settings *in_force, const struct settings *fresh,
                       struct terms **out, char error[SETTINGS_ERROR_MAX]);

/* One reference more; one less, and the last frees them.  Any thread; NULL is accepted. */
struct terms *terms_share(struct terms *terms);
void terms_give(struct terms *terms);

/* What a server is told of them; its views last as long as the terms. */
void terms_tell(const struct terms *terms, struct server_terms *out);

/* Views of a list of secrets. */
struct token_secrets terms_secrets(const struct text_list *list);

/* Whether the key is among those that may change. */
bool terms_include(const char *key);

#endif
