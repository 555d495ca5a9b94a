/* token.h - tokens that let into rooms: JSON Web Tokens (RFC 7519) with a MAC of HMAC-SHA256, the
 * HS256 of RFC 7518 (section 3.2), in the compact form of RFC 7515.
 *
 * The MAC is checked before anything that the token says is looked at, its header included: so no
 * token chooses how it is checked ("none", or the key of another algorithm), and strangers reach
 * no reader of JSON.  Pure: the time is an argument.  It needs the heap for a tree of JSON, and
 * only of tokens whose MAC is right.
 *
 *     {"alg":"HS256","typ":"JWT"}
 *     {"room":"standup","sub":"u7","name":"Mina","nbf":1795219200,"exp":1795262400,
 *      "permissions":["publish","subscribe"]}
 */
#ifndef MOIM_WIRE_TOKEN_H
#define MOIM_WIRE_TOKEN_H

#include "base/status.h"
#include "base/view.h"

#define TOKEN_SIZE_MAX    2048 /* of its text */
#define TOKEN_CLAIM_MAX   128  /* bytes of a name: as rooms and members have them */
#define TOKEN_SECRETS_MAX 4
#define TOKEN_SECRET_MIN  32         /* bytes: RFC 7518, section 3.2 */
#define TOKEN_SKEW_S      30         /* the clocks of those who make tokens may differ by so much */
#define TOKEN_NEVER       UINT64_MAX /* where there is no token, nothing expires */
#define TOKEN_AUDIENCE    "moim"

/* What the bearer may do. */
enum token_permission { TOKEN_PUBLISH = 1, TOKEN_SUBSCRIBE = 2, TOKEN_MODERATE = 4 };
#define TOKEN_PERMISSIONS_USUAL (TOKEN_PUBLISH | TOKEN_SUBSCRIBE)

/* What tokens are checked with: any of these; what is made is made with the first. */
struct token_secrets {
    struct view items[TOKEN_SECRETS_MAX];
    uint32_t count;
};

struct token_text {
    uint8_t size; /* 0: it is not there */
    char at[TOKEN_CLAIM_MAX];
};

struct token {
    struct token_text room;    /* a name, or the beginning of names with a '*' behind it */
    struct token_text subject; /* who it is, to whoever made the token; may be empty */
    struct token_text name;    /* the name in the room; empty: whatever the bearer likes */
    uint64_t begins_s;         /* nbf, of Unix time; 0: long ago */
    uint64_t expires_s;        /* exp */
    unsigned permissions;      /* of enum token_permission */
};

/* Reads a token and checks its MAC, but neither time nor room.
 *   OK             *token is a copy.
 *   ERR_MALFORMED  no secret of ours made it, or it can't be used: another algorithm, "crit", a
 *                  name that stands twice, an "aud" without TOKEN_AUDIENCE, no "room" or "exp", a
 *                  claim of a wrong type or size.
 * On error *token is untouched. */
MUST_USE int token_read(struct view text, const struct token_secrets *secrets, struct token *token);

/* Whether one of the secrets made it, whatever it says. */
bool token_is_signed(struct view text, const struct token_secrets *secrets);

/* Whether it is its time: from "nbf" to before "exp", with TOKEN_SKEW_S on both sides. */
enum token_time { TOKEN_TOO_EARLY, TOKEN_IN_TIME, TOKEN_TOO_LATE };
enum token_time token_time(const struct token *token, uint64_t unix_s);

/* Whether it opens the room of that name. */
bool token_opens(const struct token *token, struct view room);
/* Whether it opens more rooms than one. */
bool token_is_pattern(const struct token *token);

static inline struct view token_view(const struct token_text *text)
{
    return view_make(text->at, text->size);
}

/* ERR_LIMIT: over TOKEN_CLAIM_MAX bytes. */
MUST_USE int token_set(struct token_text *text, struct view value);

/* The permission of that name; 0: there is none. */
unsigned token_permission(struct view name);

/* Writes the token into out; its texts are UTF-8 and its times below 2^53.
 *   ERR_LIMIT   it does not fit; TOKEN_SIZE_MAX is enough for texts without control characters.
 *   ERR_MEMORY  the library failed. */
MUST_USE int token_write(const struct token *token, struct view secret, char *out, size_t capacity,
                         size_t *size);

#endif
