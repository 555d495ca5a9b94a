/* test_token.c - tokens: the RFC's own, ours, and what is refused however well it is signed. */
#include "support.h"

#include "base/base64.h"
#include "wire/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER  "fedcba9876543210fedcba9876543210"
#define HS256  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS "{\"room\":\"standup\",\"exp\":1000}"

static const struct token_secrets BOTH = { .items = { VIEW(OTHER), VIEW(SECRET) }, .count = 2 };
static const struct token_secrets ONE = { .items = { VIEW(OTHER) }, .count = 1 };
static const struct token_secrets NONE;

/* RFC 7515, appendix A.1 */
static const char RFC_KEY[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
static const char RFC_TOKEN[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
                                ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtc"
                                "GxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/* Signs any header and any claims, with the library itself. */
static size_t sign(struct view header, struct view claims, const char *secret, char out[8192])
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    size_t size = base64url_write(header, out);
    out[size++] = '.';
    size += base64url_write(claims, out + size);
    assert_non_null(
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (uint8_t *)out, size, mac, &mac_size));
    out[size++] = '.';
    return size + base64url_write(view_make(mac, mac_size), out + size);
}

/* Reads it from memory of exactly its size. */
static int read_exactly(struct view text, const struct token_secrets *secrets, struct token *token)
{
    uint8_t *copy = test_copy(text);
    int status = token_read(view_make(copy, text.size), secrets, token);
    free(copy);
    return status;
}

static int read_json(const char *header, const char *claims, struct token *token)
{
    char text[8192];
    size_t size = sign(view_of(header), view_of(claims), SECRET, text);
    return read_exactly(view_make(text, size), &BOTH, token);
}

static void test_rfc(void **state)
{
    uint8_t key[64];
    struct token token;
    (void)state;
    assert_int_equal(base64url_read(view_of(RFC_KEY), key, sizeof key), OK);
    struct token_secrets secrets = { .items = { view_make(key, sizeof key) }, .count = 1 };
    assert_true(token_is_signed(view_of(RFC_TOKEN), &secrets));
    assert_false(token_is_signed(view_of(RFC_TOKEN), &BOTH));
    /* it is no token of ours: it opens no room */
    assert_int_equal(token_read(view_of(RFC_TOKEN), &secrets, &token), ERR_MALFORMED);
}

static void test_claims(void **state)
{
    struct token token;
    (void)state;
    assert_int_equal(read_json(HS256, CLAIMS, &token), OK);
    assert_view(token_view(&token.room), "standup");
    assert_int_equal(token.subject.size, 0);
    assert_int_equal(token.name.size, 0);
    assert_int_equal(token.begins_s, 0);
    assert_int_equal(token.expires_s, 1000);
    assert_int_equal(token.permissions, TOKEN_PUBLISH | TOKEN_SUBSCRIBE);

    assert_int_equal(
        read_json(
            "{\"typ\":\"JWT\",\r\n \"kid\":\"1\",\"alg\":\"HS256\"}",
            "{\"iss\":\"us\",\"aud\":[\"them\",\"moim\"],\"sub\":\"u7\",\"name\":\"M\\u00edna\","
            "\"room\":\"team-*\",\"nbf\":999.5,\"exp\":1e9,\"x\":{\"y\":[1]},"
            "\"permissions\":[\"moderate\",\"fly\",\"subscribe\"]}",
            &token),
        OK);
    assert_view(token_view(&token.room), "team-*");
    assert_view(token_view(&token.subject), "u7");
    assert_view(token_view(&token.name), "M\xc3\xadna");
    assert_int_equal(token.begins_s, 999);
    assert_int_equal(token.expires_s, 1000000000);
    assert_int_equal(token.permissions, TOKEN_MODERATE | TOKEN_SUBSCRIBE);
    assert_int_equal(
        read_json(HS256, "{\"room\":\"a\",\"exp\":1,\"aud\":\"moim\",\"permissions\":[]}", &token),
        OK);
    assert_int_equal(token.permissions, 0);
}

/* Rightly signed, and refused all the same. */
static void test_refused(void **state)
{
    static const char *const HEADERS[] = {
        "{\"alg\":\"none\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS384\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"hs256\"}",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":256}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
        "[\"HS256\"]",
        "{\"alg\":\"HS256\"",
        "{\"alg\":\"HS256\"}x",
        "",
    };
    static const char *const CLAIM_SETS[] = {
        "{\"exp\":1000}",
        "{\"room\":\"\",\"exp\":1000}",
        "{\"room\":7,\"exp\":1000}",
        "{\"room\":[\"a\"],\"exp\":1000}",
        "{\"room\":\"a\"}",
        "{\"room\":\"a\",\"exp\":\"1000\"}",
        "{\"room\":\"a\",\"exp\":-1}",
        "{\"room\":\"a\",\"exp\":1e300}",
        "{\"room\":\"a\",\"exp\":null}",
        "{\"room\":\"a\",\"exp\":1000,\"nbf\":\"1\"}",
        "{\"room\":\"a\",\"exp\":1000,\"nbf\":true}",
        "{\"room\":\"a\",\"exp\":1000,\"exp\":9000}",
        "{\"room\":\"a\",\"room\":\"*\",\"exp\":1000}",
        "{\"room\":\"a\",\"exp\":1000,\"name\":7}",
        "{\"room\":\"a\",\"exp\":1000,\"sub\":{}}",
        "{\"room\":\"a\",\"exp\":1000,\"aud\":\"them\"}",
        "{\"room\":\"a\",\"exp\":1000,\"aud\":[\"them\",7]}",
        "{\"room\":\"a\",\"exp\":1000,\"aud\":7}",
        "{\"room\":\"a\",\"exp\":1000,\"permissions\":\"publish\"}",
        "{\"room\":\"a\",\"exp\":1000,\"permissions\":[7]}",
        "{\"room\":\"\xff\",\"exp\":1000}",
        "{\"room\":\"a\\u0000b\",\"exp\":1000}",
        "",
        "null",
    };
    struct token token;
    (void)state;
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++)
        if (read_json(HEADERS[i], CLAIMS, &token) != ERR_MALFORMED)
            fail_msg("taken: %s", HEADERS[i]);
    for (size_t i = 0; i < sizeof CLAIM_SETS / sizeof CLAIM_SETS[0]; i++)
        if (read_json(HS256, CLAIM_SETS[i], &token) != ERR_MALFORMED)
            fail_msg("taken: %s", CLAIM_SETS[i]);
}

static void test_secrets(void **state)
{
    char text[8192];
    struct token token;
    (void)state;
    size_t size = sign(VIEW(HS256), VIEW(CLAIMS), SECRET, text);
    assert_int_equal(token_read(view_make(text, size), &BOTH, &token), OK);
    assert_int_equal(token_read(view_make(text, size), &ONE, &token), ERR_MALFORMED);
    assert_int_equal(token_read(view_make(text, size), &NONE, &token), ERR_MALFORMED);
    /* nobody makes one with the empty key */
    static const struct token_secrets empty = { .items = { { NULL, 0 } }, .count = 1 };
    size = sign(VIEW(HS256), VIEW(CLAIMS), "", text);
    assert_int_equal(token_read(view_make(text, size), &empty, &token), ERR_MALFORMED);
}

/* No part of one can be left out, added or changed. */
static void test_broken(void **state)
{
    char text[8192];
    struct token token;
    (void)state;
    size_t size = sign(VIEW(HS256), VIEW(CLAIMS), SECRET, text);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(read_exactly(view_make(text, cut), &BOTH, &token), ERR_MALFORMED);
    for (size_t bit = 0; bit < size * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        if (read_exactly(view_make(text, size), &BOTH, &token) == OK)
            fail_msg("taken with bit %zu flipped", bit);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    static const char *const BEHIND[] = { ".", "=", "A", ".e30", "\n" };
    for (size_t i = 0; i < sizeof BEHIND / sizeof BEHIND[0]; i++) {
        strcpy(text + size, BEHIND[i]);
        assert_int_equal(token_read(view_of(text), &BOTH, &token), ERR_MALFORMED);
    }
    assert_int_equal(token_read(view_make(NULL, 0), &BOTH, &token), ERR_MALFORMED);
}

static void test_sizes(void **state)
{
    char claims[4096];
    struct token token;
    char name[TOKEN_CLAIM_MAX + 2];
    (void)state;
    for (size_t size = TOKEN_CLAIM_MAX; size <= TOKEN_CLAIM_MAX + 1; size++) {
        memset(name, 'a', size);
        name[size] = '\0';
        snprintf(claims, sizeof claims, "{\"room\":\"%s\",\"exp\":1000}", name);
        assert_int_equal(read_json(HS256, claims, &token),
                         size <= TOKEN_CLAIM_MAX ? OK : ERR_MALFORMED);
    }
    for (size_t more = 1400; more < 1600; more++) {
        char text[8192];
        snprintf(claims, sizeof claims, "{\"room\":\"a\",\"exp\":1000,\"x\":\"%*s\"}", (int)more,
                 "");
        size_t size = sign(VIEW(HS256), view_of(claims), SECRET, text);
        int wanted = size <= TOKEN_SIZE_MAX ? OK : ERR_MALFORMED;
        assert_int_equal(read_exactly(view_make(text, size), &BOTH, &token), wanted);
    }
}

static void test_time(void **state)
{
    const struct token token = { .begins_s = 500, .expires_s = 1000 };
    const struct token always = { .expires_s = (uint64_t)1 << 53 };
    (void)state;
    assert_int_equal(token_time(&token, 500 - TOKEN_SKEW_S - 1), TOKEN_TOO_EARLY);
    assert_int_equal(token_time(&token, 500 - TOKEN_SKEW_S), TOKEN_IN_TIME);
    assert_int_equal(token_time(&token, 999 + TOKEN_SKEW_S), TOKEN_IN_TIME);
    assert_int_equal(token_time(&token, 1000 + TOKEN_SKEW_S), TOKEN_TOO_LATE);
    assert_int_equal(token_time(&always, 0), TOKEN_IN_TIME);
}

static void test_rooms(void **state)
{
    static const struct {
        const char *pattern, *room;
        bool opens;
    } CASES[] = {
        { "standup", "standup", true }, { "standup", "standup2", false },
        { "standup", "standu", false }, { "standup", "Standup", false },
        { "*", "anything", true },      { "team-*", "team-7", true },
        { "team-*", "team-", true },    { "team-*", "team", false },
        { "t*m", "team", false },       { "t*m", "t*m", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct token token = { 0 };
        assert_int_equal(token_set(&token.room, view_of(CASES[i].pattern)), OK);
        if (token_opens(&token, view_of(CASES[i].room)) != CASES[i].opens)
            fail_msg("%s and %s", CASES[i].pattern, CASES[i].room);
    }
}

static void test_written(void **state)
{
    struct token token = { .begins_s = 7, .expires_s = (uint64_t)1 << 53, .permissions = 7 };
    struct token read;
    char text[TOKEN_SIZE_MAX];
    size_t size;
    uint8_t quotes[TOKEN_CLAIM_MAX];
    (void)state;
    memset(quotes, '"', sizeof quotes);
    assert_int_equal(token_set(&token.room, view_make(quotes, sizeof quotes)), OK);
    assert_int_equal(token_set(&token.subject, view_make(quotes, sizeof quotes)), OK);
    assert_int_equal(token_set(&token.name, view_make(quotes, sizeof quotes)), OK);
    assert_int_equal(token_write(&token, VIEW(SECRET), text, sizeof text, &size), OK);
    assert_int_equal(token_read(view_make(text, size), &BOTH, &read), OK);
    assert_memory_equal(&read, &token, sizeof token);
    assert_int_equal(token_write(&token, VIEW(SECRET), text, size - 1, &size), ERR_LIMIT);
    assert_int_equal(token_set(&token.name, view_make(text, TOKEN_CLAIM_MAX + 1)), ERR_LIMIT);

    memset(&token, 0, sizeof token);
    token.expires_s = 1000;
    token.permissions = TOKEN_PERMISSIONS_USUAL;
    assert_int_equal(token_set(&token.room, VIEW("standup")), OK);
    assert_int_equal(token_write(&token, VIEW(SECRET), text, sizeof text, &size), OK);
    char wanted[8192];
    assert_int_equal(sign(VIEW(HS256), VIEW(CLAIMS), SECRET, wanted), size);
    assert_memory_equal(text, wanted, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc),     cmocka_unit_test(test_claims),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_broken),  cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_time),    cmocka_unit_test(test_rooms),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
