/* The kinds of settings that only TURN has, and secrets. */
#include "shell/endpoints_options.h"
#include "shell/settings_value.h"

#include <stdio.h>
#include <string.h>

#define PORT_LEAST 1024

static int refuse_quietly(char *reason, const char *why)
{
    snprintf(reason, SETTING_REASON_MAX, "%s", why);
    return ERR_CONFIG;
}

static bool is_printable(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < ' ' || text.at[i] == 0x7f)
            return false;
    return true;
}

static bool is_digits(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}

static int put_ports(struct view text, struct port_range *range, char *reason)
{
    uint64_t min;
    uint64_t max;
    struct view rest = text;
    struct view first;
    bool has_both = view_split(&rest, '-', &first);
    if (!has_both || !view_read_number(view_trim(first), 65535, &min) ||
        !view_read_number(view_trim(rest), 65535, &max) || min < PORT_LEAST || max < min)
        return setting_refuse(reason, text,
                              "is not a range of ports from 1024 to 65535, like 49152-65535");
    *range = (struct port_range){ (uint16_t)min, (uint16_t)max };
    return OK;
}

/* ---- lists of texts ---- */

static int add_text(struct view text, struct text_list *list, uint32_t most, char *reason)
{
    if (list->count == most) {
        snprintf(reason, SETTING_REASON_MAX, "more than %u entries", most);
        return ERR_CONFIG;
    }
    char *item = list->items[list->count++];
    memcpy(item, text.at, text.size);
    item[text.size] = '\0';
    return OK;
}

static bool has_text(const struct text_list *list, struct view text)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (view_equal(view_of(list->items[i]), text))
            return true;
    return false;
}

static int put_secret(const struct setting *setting, struct view text, struct text_list *list,
                      char *reason)
{
    if (text.size < setting->least || text.size > setting->most || !is_printable(text)) {
        snprintf(reason, SETTING_REASON_MAX,
                 "a secret has %u to %u bytes without control characters (\"openssl rand -hex 32\" "
                 "makes one)",
                 (unsigned)setting->least, (unsigned)setting->most);
        return ERR_CONFIG;
    }
    if (has_text(list, text))
        return refuse_quietly(reason, "a secret stands twice in the list");
    return add_text(text, list, TURN_SECRETS_MAX, reason);
}

static struct view name_of(struct view user)
{
    return view_slice(user, 0, view_find_byte(user, ':'));
}

static int put_user(struct view text, struct text_list *list, char *reason)
{
    struct view name = name_of(text);
    if (name.size == 0 || name.size + 1 >= text.size || text.size >= SETTINGS_TEXT_MAX ||
        !is_printable(text))
        return refuse_quietly(reason, "a user is name:password, up to 255 bytes together, without "
                                      "control characters");
    if (is_digits(name))
        return setting_refuse(reason, name,
                              "is no name of a user: digits alone are the time of TURN REST");
    for (uint32_t i = 0; i < list->count; i++)
        if (view_equal(name_of(view_of(list->items[i])), name))
            return setting_refuse(reason, name, "stands twice in the list");
    return add_text(text, list, SETTINGS_TEXTS_MAX, reason);
}

/* ---- URIs (RFC 7064, RFC 7065) ---- */

static bool is_host(struct view host)
{
    struct address address;
    if (host.size > 2 && host.at[0] == '[' && host.at[host.size - 1] == ']')
        return address_read_host(view_make(host.at + 1, host.size - 2), &address) == OK;
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            return false;
    }
    return host.size > 0;
}

/* Takes "host" and its ":port" off the front of *rest. */
static bool read_place(struct view *rest)
{
    uint64_t port;
    size_t end = rest->size && rest->at[0] == '[' ? view_find_byte(*rest, ']') + 1 : 0;
    while (end < rest->size && rest->at[end] != ':' && rest->at[end] != '?')
        end++;
    if (end > rest->size || !is_host(view_slice(*rest, 0, end)))
        return false;
    *rest = view_slice(*rest, end, rest->size);
    if (rest->size == 0 || rest->at[0] != ':')
        return true;
    *rest = view_slice(*rest, 1, rest->size);
    end = view_find_byte(*rest, '?');
    bool is_port = view_read_number(view_slice(*rest, 0, end), 65535, &port) && port > 0;
    *rest = view_slice(*rest, end, rest->size);
    return is_port;
}

static bool is_uri(struct view text)
{
    struct view scheme;
    struct view rest = text;
    if (!view_split(&rest, ':', &scheme))
        return false;
    bool is_stun = view_equal(scheme, VIEW("stun")) || view_equal(scheme, VIEW("stuns"));
    bool is_turn = view_equal(scheme, VIEW("turn")) || view_equal(scheme, VIEW("turns"));
    if ((!is_stun && !is_turn) || !read_place(&rest))
        return false;
    return rest.size == 0 || (is_turn && (view_equal(rest, VIEW("?transport=udp")) ||
                                          view_equal(rest, VIEW("?transport=tcp"))));
}

static int put_server(struct view text, struct text_list *list, char *reason)
{
    if (text.size >= SETTINGS_TEXT_MAX || !is_uri(text))
        return setting_refuse(reason, text,
                              "is not like turn:turn.example.com:3478?transport=udp (or stun:, "
                              "stuns:, turns:)");
    if (has_text(list, text))
        return setting_refuse(reason, text, "stands twice in the list");
    return add_text(text, list, SETTINGS_LISTEN_MAX, reason);
}

/* ---- the others ---- */

static int put_network(struct view text, struct network_list *list, char *reason)
{
    struct turn_network network;
    if (turn_network_read(text, &network) != OK)
        return setting_refuse(
            reason, text, "is not a network like 10.0.0.0/8 (its bits behind the prefix are 0)");
    if (list->count == TURN_NETWORKS_MAX) {
        snprintf(reason, SETTING_REASON_MAX, "more than %d networks", TURN_NETWORKS_MAX);
        return ERR_CONFIG;
    }
    list->items[list->count++] = network;
    return OK;
}

/* It stands between quotes in old clients' texts, and is part of what users' keys are made of. */
static int put_realm(struct view text, char *realm, char *reason)
{
    if (text.size == 0 || text.size > TURN_REALM_MAX || !is_printable(text) ||
        view_find_byte(text, '"') < text.size)
        return setting_refuse(reason, text,
                              "is not 1 to 64 bytes without control characters and quotes");
    memcpy(realm, text.at, text.size);
    realm[text.size] = '\0';
    return OK;
}

static int put_amount(const struct setting *setting, struct view text, void *member, char *reason)
{
    enum option_kind kind = setting->kind == SETTING_NUMBER ? OPTION_NUMBER
                            : setting->kind == SETTING_SIZE ? OPTION_SIZE
                                                            : OPTION_DURATION;
    char why[OPTION_REASON_MAX];
    uint64_t value = 0;
    bool is_0 = setting->may_be_0 && view_equal(text, VIEW("0"));
    if (!is_0 && option_read_amount(kind, setting->least, setting->most, text, &value, why) != OK) {
        snprintf(reason, SETTING_REASON_MAX, "%s%s", why, setting->may_be_0 ? ", or 0" : "");
        return ERR_CONFIG;
    }
    if (kind == OPTION_DURATION)
        *(usec *)member = value;
    else
        *(uint32_t *)member = (uint32_t)value;
    return OK;
}

int setting_put_turn(const struct setting *setting, struct view text, void *member,
                     char reason[SETTING_REASON_MAX])
{
    switch (setting->kind) {
    case SETTING_PORTS:
        return put_ports(text, member, reason);
    case SETTING_SECRETS:
        return put_secret(setting, text, member, reason);
    case SETTING_USERS:
        return put_user(text, member, reason);
    case SETTING_SERVERS:
        return put_server(text, member, reason);
    case SETTING_NETWORKS:
        return put_network(text, member, reason);
    case SETTING_REALM:
        return put_realm(text, member, reason);
    default:
        return put_amount(setting, text, member, reason);
    }
}
