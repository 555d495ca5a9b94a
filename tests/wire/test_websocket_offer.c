/* test_websocket_offer.c - which offers of permessage-deflate are taken, and with what answer
 * (RFC 7692, sections 5 and 7.1). */
#include "support.h"

#include "wire/websocket.h"

#define ANSWER "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

static void check(const char *header, const char *answer, unsigned bits)
{
    char out[WEBSOCKET_EXTENSION_MAX] = "";
    uint8_t server_window_bits = 0;
    bool is_taken = websocket_accept_deflate(view_of(header), out, &server_window_bits);
    if (!answer) {
        assert_false(is_taken);
        return;
    }
    assert_true(is_taken);
    assert_string_equal(out, answer);
    assert_int_equal(server_window_bits, bits);
}

static void test_what_browsers_offer(void **state)
{
    (void)state;
    check("permessage-deflate; client_max_window_bits", ANSWER, 15);
    check("permessage-deflate", ANSWER, 15);
}

static void test_every_parameter(void **state)
{
    (void)state;
    check("permessage-deflate; server_no_context_takeover", ANSWER, 15);
    check("permessage-deflate; client_no_context_takeover", ANSWER, 15);
    check("permessage-deflate; client_max_window_bits=9", ANSWER, 15);
    check("permessage-deflate; server_max_window_bits=15", ANSWER "; server_max_window_bits=15",
          15);
    check("permessage-deflate; server_max_window_bits=8", ANSWER "; server_max_window_bits=8", 8);
    check("permessage-deflate; server_max_window_bits=\"10\"", ANSWER "; server_max_window_bits=10",
          10);
    check("PerMessage-Deflate;\tServer_No_Context_Takeover ;client_max_window_bits = 10", ANSWER,
          15);
    check("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
          "server_max_window_bits=12; client_max_window_bits=11",
          ANSWER "; server_max_window_bits=12", 12);
}

/* Section 7.1: an offer with an unknown, doubled or bad parameter is declined. */
static void test_offers_that_are_declined(void **state)
{
    (void)state;
    check(NULL, NULL, 0);
    check("", NULL, 0);
    check(",", NULL, 0);
    check(";", NULL, 0);
    check("permessage-bzip2", NULL, 0);
    check("permessage-deflate;", NULL, 0);
    check("permessage-deflate; unknown", NULL, 0);
    check("permessage-deflate; server_no_context_takeover=1", NULL, 0);
    check("permessage-deflate; server_no_context_takeover=", NULL, 0);
    check("permessage-deflate; server_no_context_takeover; server_no_context_takeover", NULL, 0);
    check("permessage-deflate; client_max_window_bits; client_max_window_bits=9", NULL, 0);
    check("permessage-deflate; server_max_window_bits", NULL, 0);
}

static void test_window_bits_out_of_range(void **state)
{
    (void)state;
    static const char *const VALUES[] = { "",    "7",    "16",     "08",
                                          "010", "1e1",  "-8",     "+10",
                                          "\"",  "\"\"", "\"16\"", "99999999999999999999" };
    for (size_t i = 0; i < sizeof(VALUES) / sizeof(VALUES[0]); i++) {
        char header[128];
        snprintf(header, sizeof(header), "permessage-deflate; server_max_window_bits=%s",
                 VALUES[i]);
        check(header, NULL, 0);
        snprintf(header, sizeof(header), "permessage-deflate; client_max_window_bits=%s",
                 VALUES[i]);
        check(header, NULL, 0);
    }
}

static void test_the_first_that_can_be_taken(void **state)
{
    (void)state;
    check("x-other, permessage-deflate; server_max_window_bits=99, "
          "permessage-deflate; server_max_window_bits=9, permessage-deflate",
          ANSWER "; server_max_window_bits=9", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_browsers_offer),
        cmocka_unit_test(test_every_parameter),
        cmocka_unit_test(test_offers_that_are_declined),
        cmocka_unit_test(test_window_bits_out_of_range),
        cmocka_unit_test(test_the_first_that_can_be_taken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
