/* Fuzzes the reading of settings: a YAML text, or what the environment and the command line say.
 *
 * Input: '0' and a YAML text; or '1' and lines, each 'e' and NAME=value of the environment, or 's'
 * and the key.path=value of a --set.  A refusal is one printable line, and changes nothing.
 */
#include "base/utf8.h"
#include "front/endpoint.h"
#include "input.h"
#include "shell/settings.h"

#define LINES_MAX 8

static void check_list(const struct listen_list *list, bool has_ports)
{
    CHECK(list->count <= SETTINGS_LISTEN_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        CHECK(list->items[i].family == ADDRESS_IPV4 || list->items[i].family == ADDRESS_IPV6);
        CHECK(has_ports || list->items[i].port == 0);
    }
}

static void check_path(const char path[SETTINGS_PATH_MAX])
{
    CHECK(memchr(path, 0, SETTINGS_PATH_MAX) != NULL);
}

static void check_texts(const struct text_list *list, uint32_t most)
{
    CHECK(list->count <= most);
    for (uint32_t i = 0; i < list->count; i++) {
        const char *end = memchr(list->items[i], 0, SETTINGS_TEXT_MAX);
        CHECK(end != NULL && end > list->items[i]);
    }
}

static void check_turn(const struct turn_settings *turn)
{
    CHECK(turn->relay_ports.min > 0 && turn->relay_ports.min <= turn->relay_ports.max);
    check_texts(&turn->secrets, TURN_SECRETS_MAX);
    check_texts(&turn->users, SETTINGS_TEXTS_MAX);
    check_texts(&turn->servers, SETTINGS_LISTEN_MAX);
    CHECK(turn->realm[0] && memchr(turn->realm, 0, sizeof turn->realm) != NULL);
    CHECK(turn->allow_peers.count <= TURN_NETWORKS_MAX);
    CHECK(turn->allocations_per_user >= 1 && turn->allocations_per_user <= TURN_RELAYS_MAX);
    CHECK(turn->allocations_per_prefix >= 1 && turn->allocations_per_prefix <= TURN_RELAYS_MAX);
    CHECK(turn->lifetime >= TURN_LIFETIME_S * USEC_S && turn->credential_lifetime > 0);
}

static void check_settings(const struct settings *settings)
{
    check_list(&settings->http_listen, true);
    check_list(&settings->https_listen, true);
    check_list(&settings->rtc_public_ip, false);
    check_list(&settings->turn_listen, true);
    check_list(&settings->turn_tls_listen, true);
    check_turn(&settings->turn);
    check_path(settings->https_cert);
    check_path(settings->https_key);
    check_path(settings->state_dir);
    CHECK(settings->workers >= 1 && settings->workers <= WORKERS_MAX);
    CHECK(settings->log_level <= TRACE_ERROR && settings->log_format <= LOG_JSON);
}

static void check_endpoints(const struct endpoint_configs *endpoints)
{
    if (!endpoints)
        return;
    CHECK(endpoints->count <= ENDPOINTS_MAX);
    for (uint32_t i = 0; i < endpoints->count; i++) {
        const struct endpoint_config *config = &endpoints->items[i];
        CHECK(config->path[0] == '/' && strlen(config->path) < ENDPOINT_PATH_MAX);
        CHECK(config->carrier < CARRIER_COUNT && config->speech < SPEECH_COUNT);
        CHECK(config->limits.message_bytes <= ENDPOINT_MESSAGE_MAX);
        for (uint32_t j = 0; j < config->rules.count; j++)
            CHECK(config->rules.items[j].on[0] != '\0');
    }
}

static void check_error(const char error[SETTINGS_ERROR_MAX])
{
    const char *end = memchr(error, 0, SETTINGS_ERROR_MAX);
    CHECK(end != NULL && end > error);
    for (const char *at = error; at < end; at++)
        CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
}

static void check_result(int status, struct settings *settings, const struct settings *before,
                         const char error[SETTINGS_ERROR_MAX])
{
    if (status == OK) {
        check_settings(settings);
        check_endpoints(settings_endpoints(settings));
        settings_clear(settings);
        return;
    }
    CHECK(status == ERR_CONFIG || status == ERR_MEMORY);
    check_error(error);
    CHECK(memcmp(settings, before, sizeof *settings) == 0);
}

static void read_file(struct view text, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings before = *settings;
    struct span copy = input_copy(text);
    int status = settings_read_text(view_of_span(copy), "moim.yaml", settings, error);
    check_result(status, settings, &before, error);
    free(copy.at);
}

static void read_lines(struct view lines, struct settings *settings)
{
    char error[SETTINGS_ERROR_MAX] = "";
    struct settings before = *settings;
    char *environment[LINES_MAX + 1] = { NULL };
    char *sets[LINES_MAX + 1] = { NULL };
    int environment_count = 0;
    int set_count = 0;
    struct view line;
    for (int i = 0; i < LINES_MAX && view_split(&lines, '\n', &line); i++) {
        uint8_t kind = input_byte(&line);
        char *text = strndup((const char *)line.at, line.at ? line.size : 0);
        CHECK(text);
        if (kind == 'e')
            environment[environment_count++] = text;
        else
            sets[set_count++] = text;
    }
    int status = settings_read(NULL, environment, sets, set_count, settings, error);
    check_result(status, settings, &before, error);
    for (int i = 0; i < environment_count; i++)
        free(environment[i]);
    for (int i = 0; i < set_count; i++)
        free(sets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    struct view input = view_make(data, size);
    uint8_t kind = input_byte(&input);
    memset(&settings, 0, sizeof settings); /* the gaps, too: they are compared */
    settings_default(&settings);
    if (kind == '1')
        read_lines(input, &settings);
    else
        read_file(input, &settings);
    return 0;
}
