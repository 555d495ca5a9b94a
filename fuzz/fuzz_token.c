/* Fuzzes the reader of tokens, and what it makes of those that are rightly signed.
 *
 * Input: one byte.  Even: the rest is a token as it stands.  Odd: the rest is a header, a line end
 * and claims, which are signed here, so that what lies behind the MAC is reached, too.
 */
#include "base/base64.h"
#include "input.h"
#include "wire/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static const struct token_secrets SECRETS = { .items = { VIEW(SECRET) }, .count = 1 };

/* What was read can be written, and is then read as it was. */
static void check_written(const struct token *token)
{
    struct token again;
    char text[TOKEN_SIZE_MAX];
    size_t size;
    if (token_write(token, VIEW(SECRET), text, sizeof text, &size) != OK)
        return; /* escapes may make it too long */
    CHECK(token_read(view_make(text, size), &SECRETS, &again) == OK);
    CHECK(view_equal(token_view(&again.room), token_view(&token->room)));
    CHECK(view_equal(token_view(&again.subject), token_view(&token->subject)));
    CHECK(view_equal(token_view(&again.name), token_view(&token->name)));
    CHECK(again.begins_s == token->begins_s && again.expires_s == token->expires_s);
    CHECK(again.permissions == token->permissions);
}

static void check(struct view text)
{
    struct token token;
    if (token_read(text, &SECRETS, &token) != OK)
        return;
    CHECK(text.size <= TOKEN_SIZE_MAX && token_is_signed(text, &SECRETS));
    CHECK(token.room.size > 0 && token.room.size <= TOKEN_CLAIM_MAX);
    CHECK(token.subject.size <= TOKEN_CLAIM_MAX && token.name.size <= TOKEN_CLAIM_MAX);
    CHECK(token_opens(&token, token_view(&token.room)));
    CHECK(token_time(&token, token.expires_s + TOKEN_SKEW_S) != TOKEN_IN_TIME);
    check_written(&token);
}

static void check_signed(struct view input)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    struct view header = view_slice(input, 0, view_find_byte(input, '\n'));
    struct view claims = view_slice(input, header.size + 1, input.size);
    char *text = malloc(BASE64_SIZE(header.size) + BASE64_SIZE(claims.size) + 64);
    CHECK(text);
    size_t size = base64url_write(header, text);
    text[size++] = '.';
    size += base64url_write(claims, text + size);
    CHECK(
        HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1, (const uint8_t *)text, size, mac, &mac_size));
    text[size++] = '.';
    size += base64url_write(view_make(mac, mac_size), text + size);
    struct span copy = input_copy(view_make(text, size));
    CHECK(token_is_signed(view_of_span(copy), &SECRETS) == (size <= TOKEN_SIZE_MAX));
    check(view_of_span(copy));
    free(copy.at);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_make(data, size);
    if (input_byte(&input) & 1) {
        check_signed(input);
        return 0;
    }
    struct span copy = input_copy(input);
    check(view_of_span(copy));
    free(copy.at);
    return 0;
}
