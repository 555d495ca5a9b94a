#include "shell/command_token.h"

#include "room/room.h"
#include "shell/endpoints_options.h"

#include <stdio.h>
#include <time.h>

#define USUAL_S   (12 * 3600)
#define LEAST_S   1
#define LONGEST_S (10 * 366 * 86400)

static int refuse(char *error, const char *what, const char *why)
{
    snprintf(error, SETTINGS_ERROR_MAX, "%s: %s", what, why);
    return ERR_CONFIG;
}

static int put_room(const struct command_line *line, struct token *token, char *error)
{
    struct view room = view_trim(view_of(line->options[COMMAND_ROOM]));
    if (!room.at)
        return refuse(error, "--room",
                      "which room is it for? \"--room standup\", or \"--room "
                      "'team-*'\" for all whose names begin so");
    if (!room_name_valid(room) || token_set(&token->room, room) != OK)
        return refuse(error, "--room",
                      "a room's name is 1 to 128 bytes without control characters and without '/'");
    return OK;
}

static int put_names(const struct command_line *line, struct token *token, char *error)
{
    struct view name = view_trim(view_of(line->options[COMMAND_NAME]));
    struct view user = view_trim(view_of(line->options[COMMAND_USER]));
    if (name.at && (!member_name_valid(name) || token_set(&token->name, name) != OK))
        return refuse(error, "--name", "a name is 1 to 128 bytes without control characters");
    if (user.at && (!member_name_valid(user) || token_set(&token->subject, user) != OK))
        return refuse(error, "--user", "a name is 1 to 128 bytes without control characters");
    return OK;
}

static int put_time(const struct command_line *line, uint64_t unix_s, struct token *token,
                    char *error)
{
    char reason[OPTION_REASON_MAX];
    struct view text = view_of(line->options[COMMAND_FOR]);
    uint64_t duration = USUAL_S * USEC_S;
    if (text.at && option_read_amount(OPTION_DURATION, LEAST_S * USEC_S, LONGEST_S * USEC_S, text,
                                      &duration, reason) != OK)
        return refuse(error, "--for", reason);
    token->expires_s = unix_s + duration / USEC_S;
    return OK;
}

static int put_permissions(const struct command_line *line, struct token *token, char *error)
{
    struct view rest = view_of(line->options[COMMAND_MAY]);
    struct view name;
    token->permissions = rest.at ? 0 : TOKEN_PERMISSIONS_USUAL;
    while (view_split(&rest, ',', &name)) {
        unsigned permission = token_permission(view_trim(name));
        if (!permission)
            return refuse(error, "--may", "is a list of publish, subscribe, moderate");
        token->permissions |= permission;
    }
    return OK;
}

int command_token_make(const struct settings *settings, const struct command_line *line,
                       uint64_t unix_s, char out[TOKEN_SIZE_MAX + 1],
                       char error[SETTINGS_ERROR_MAX])
{
    struct token token = { 0 };
    size_t size;
    if (settings->auth_secrets.count == 0)
        return refuse(error, "auth.secret",
                      "is not set, so rooms are open, and no token is needed");
    int status = put_room(line, &token, error);
    if (status == OK)
        status = put_names(line, &token, error);
    if (status == OK)
        status = put_time(line, unix_s, &token, error);
    if (status == OK)
        status = put_permissions(line, &token, error);
    if (status != OK)
        return status;
    status =
        token_write(&token, view_of(settings->auth_secrets.items[0]), out, TOKEN_SIZE_MAX, &size);
    if (status != OK)
        return refuse(error, "token", status_text(status));
    out[size] = '\0';
    return OK;
}

int command_token(const struct settings *settings, const struct command_line *line)
{
    char token[TOKEN_SIZE_MAX + 1];
    char error[SETTINGS_ERROR_MAX];
    if (command_token_make(settings, line, (uint64_t)time(NULL), token, error) != OK) {
        fprintf(stderr, "moim token: %s\n", error);
        return 2;
    }
    puts(token);
    return 0;
}
