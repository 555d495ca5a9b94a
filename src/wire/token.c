#include "wire/token.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "wire/json.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string.h>

#define MAC_SIZE   32
#define PART_MAX   (TOKEN_SIZE_MAX * 3 / 4)
#define HEADER     "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define NUMBER_MAX ((double)((uint64_t)1 << 53))

static const struct {
    const char *name;
    unsigned bit;
} PERMISSIONS[] = {
    { "publish", TOKEN_PUBLISH },
    { "subscribe", TOKEN_SUBSCRIBE },
    { "moderate", TOKEN_MODERATE },
};

#define PERMISSION_COUNT (sizeof PERMISSIONS / sizeof PERMISSIONS[0])

unsigned token_permission(struct view name)
{
    for (size_t i = 0; i < PERMISSION_COUNT; i++)
        if (view_equal(name, view_of(PERMISSIONS[i].name)))
            return PERMISSIONS[i].bit;
    return 0;
}

int token_set(struct token_text *text, struct view value)
{
    if (value.size > TOKEN_CLAIM_MAX)
        return ERR_LIMIT;
    text->size = (uint8_t)value.size;
    if (value.size)
        memcpy(text->at, value.at, value.size);
    return OK;
}

static bool make_mac(struct view secret, struct view signed_part, uint8_t mac[EVP_MAX_MD_SIZE])
{
    unsigned size = 0;
    return secret.size && HMAC(EVP_sha256(), secret.at, (int)secret.size, signed_part.at,
                               signed_part.size, mac, &size);
}

/* ---- reading ---- */

/* Takes a text apart; false: it has not three parts. */
static bool split_parts(struct view text, struct view *header, struct view *payload,
                        struct view *signature)
{
    *signature = text;
    return text.size <= TOKEN_SIZE_MAX && view_split(signature, '.', header) &&
           view_split(signature, '.', payload);
}

bool token_is_signed(struct view text, const struct token_secrets *secrets)
{
    uint8_t given[MAC_SIZE];
    uint8_t wanted[EVP_MAX_MD_SIZE];
    struct view header;
    struct view payload;
    struct view signature;
    bool is_valid = false;
    if (!split_parts(text, &header, &payload, &signature) ||
        base64url_read(signature, given, sizeof given) != OK)
        return false;
    struct view signed_part = view_make(text.at, header.size + 1 + payload.size);
    for (uint32_t i = 0; i < secrets->count; i++)
        if (make_mac(secrets->items[i], signed_part, wanted) &&
            view_equal_secret(view_make(given, MAC_SIZE), view_make(wanted, MAC_SIZE)))
            is_valid = true;
    return is_valid;
}

/* Of two readers of a text with one name twice, each could believe another (RFC 7515, section 4;
 * RFC 7519, section 4). */
static bool has_twins(const cJSON *object)
{
    for (const cJSON *a = object->child; a; a = a->next)
        for (const cJSON *b = a->next; b; b = b->next)
            if (strcmp(a->string, b->string) == 0)
                return true;
    return false;
}

/* One part as a tree, which is the caller's; NULL: it can't be read. */
static cJSON *read_part(struct view part)
{
    uint8_t text[PART_MAX];
    cJSON *tree;
    size_t size = part.size * 3 / 4;
    if (size > sizeof text || base64url_read(part, text, size) != OK ||
        !utf8_valid(view_make(text, size)) || json_read_object(view_make(text, size), &tree) != OK)
        return NULL;
    if (has_twins(tree)) {
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

/* "crit" names what whoever can't do it must refuse (RFC 7515, section 4.1.11). */
static bool is_header_ours(struct view part)
{
    cJSON *header = read_part(part);
    bool is_ours = header && view_equal(json_get_string(header, "alg"), VIEW("HS256")) &&
                   !cJSON_GetObjectItemCaseSensitive(header, "crit");
    cJSON_Delete(header);
    return is_ours;
}

static int read_text(const cJSON *claims, const char *name, struct token_text *text)
{
    struct view value = json_get_string(claims, name);
    if (!value.at)
        return cJSON_GetObjectItemCaseSensitive(claims, name) ? ERR_MALFORMED : OK;
    return token_set(text, value);
}

/* A NumericDate may have a fraction (RFC 7519, section 2): it is left off. */
static int read_time(const cJSON *claims, const char *name, uint64_t *seconds)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(claims, name);
    if (!item)
        return ERR_NOT_FOUND;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= NUMBER_MAX))
        return ERR_MALFORMED;
    *seconds = (uint64_t)item->valuedouble;
    return OK;
}

static int read_permissions(const cJSON *claims, unsigned *permissions)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(claims, "permissions");
    *permissions = list ? 0 : TOKEN_PERMISSIONS_USUAL;
    if (!list)
        return OK;
    if (!cJSON_IsArray(list))
        return ERR_MALFORMED;
    for (const cJSON *item = list->child; item; item = item->next) {
        if (!cJSON_IsString(item))
            return ERR_MALFORMED;
        *permissions |= token_permission(view_of(item->valuestring));
    }
    return OK;
}

/* RFC 7519, section 4.1.3: a token that is for others must be refused. */
static bool is_for_us(const cJSON *claims)
{
    const cJSON *audience = cJSON_GetObjectItemCaseSensitive(claims, "aud");
    if (!audience)
        return true;
    if (cJSON_IsString(audience))
        return strcmp(audience->valuestring, TOKEN_AUDIENCE) == 0;
    if (cJSON_IsArray(audience))
        for (const cJSON *item = audience->child; item; item = item->next)
            if (cJSON_IsString(item) && strcmp(item->valuestring, TOKEN_AUDIENCE) == 0)
                return true;
    return false;
}

static int read_claims(const cJSON *claims, struct token *token)
{
    int begins = read_time(claims, "nbf", &token->begins_s);
    bool is_good = is_for_us(claims) && read_text(claims, "room", &token->room) == OK &&
                   token->room.size && read_text(claims, "sub", &token->subject) == OK &&
                   read_text(claims, "name", &token->name) == OK &&
                   read_time(claims, "exp", &token->expires_s) == OK && begins != ERR_MALFORMED &&
                   read_permissions(claims, &token->permissions) == OK;
    return is_good ? OK : ERR_MALFORMED;
}

int token_read(struct view text, const struct token_secrets *secrets, struct token *token)
{
    struct token fresh = { 0 };
    struct view header;
    struct view payload;
    struct view signature;
    if (!token_is_signed(text, secrets) || !split_parts(text, &header, &payload, &signature) ||
        !is_header_ours(header))
        return ERR_MALFORMED;
    cJSON *claims = read_part(payload);
    int status = claims ? read_claims(claims, &fresh) : ERR_MALFORMED;
    cJSON_Delete(claims);
    if (status == OK)
        *token = fresh;
    return status;
}

enum token_time token_time(const struct token *token, uint64_t unix_s)
{
    if (unix_s + TOKEN_SKEW_S < token->begins_s)
        return TOKEN_TOO_EARLY;
    return unix_s < token->expires_s + TOKEN_SKEW_S ? TOKEN_IN_TIME : TOKEN_TOO_LATE;
}

bool token_is_pattern(const struct token *token)
{
    return token->room.size && token->room.at[token->room.size - 1] == '*';
}

bool token_opens(const struct token *token, struct view room)
{
    struct view wanted = token_view(&token->room);
    if (token_is_pattern(token))
        return view_starts(room, view_slice(wanted, 0, wanted.size - 1));
    return view_equal(room, wanted);
}

/* ---- writing ---- */

static void write_text(struct json_writer *writer, const char *key, const struct token_text *text)
{
    if (text->size == 0)
        return;
    json_key(writer, key);
    json_string(writer, token_view(text));
}

static void write_claims(struct json_writer *writer, const struct token *token)
{
    json_open(writer, '{');
    write_text(writer, "room", &token->room);
    write_text(writer, "sub", &token->subject);
    write_text(writer, "name", &token->name);
    if (token->begins_s) {
        json_key(writer, "nbf");
        json_number(writer, token->begins_s);
    }
    json_key(writer, "exp");
    json_number(writer, token->expires_s);
    if (token->permissions != TOKEN_PERMISSIONS_USUAL) {
        json_key(writer, "permissions");
        json_open(writer, '[');
        for (size_t i = 0; i < PERMISSION_COUNT; i++)
            if (token->permissions & PERMISSIONS[i].bit)
                json_string(writer, view_of(PERMISSIONS[i].name));
        json_close(writer, ']');
    }
    json_close(writer, '}');
}

/* Writes the bytes behind what is in out, with `before` in front where there is something. */
static size_t add_part(char *out, size_t size, struct view bytes)
{
    if (size)
        out[size++] = '.';
    return size + base64url_write(bytes, out + size);
}

int token_write(const struct token *token, struct view secret, char *out, size_t capacity,
                size_t *size)
{
    uint8_t claims[PART_MAX];
    uint8_t mac[EVP_MAX_MD_SIZE];
    char text[BASE64_SIZE(sizeof(HEADER)) + BASE64_SIZE(PART_MAX) + BASE64_SIZE(MAC_SIZE) + 3];
    struct json_writer writer = json_writer_make(claims, sizeof claims);
    write_claims(&writer, token);
    if (writer.overflow)
        return ERR_LIMIT;
    size_t end = add_part(text, 0, VIEW(HEADER));
    end = add_part(text, end, json_written(&writer));
    if (!make_mac(secret, view_make(text, end), mac))
        return ERR_MEMORY;
    end = add_part(text, end, view_make(mac, MAC_SIZE));
    if (end > TOKEN_SIZE_MAX || end > capacity)
        return ERR_LIMIT;
    memcpy(out, text, end);
    *size = end;
    return OK;
}
