#include "wire/sdp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- lines ---- */

/* Takes a line off, without its end. */
static bool take_line(struct view *rest, struct view *line)
{
    if (rest->size == 0)
        return false;
    size_t size = view_find_byte(*rest, '\n');
    *line = view_slice(*rest, 0, size);
    *rest = view_slice(*rest, size + 1, rest->size);
    if (line->size > 0 && line->at[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* Takes the word before the next space off, and the spaces. */
static bool take_word(struct view *rest, struct view *word)
{
    size_t from = 0;
    while (from < rest->size && rest->at[from] == ' ')
        from++;
    struct view text = view_slice(*rest, from, rest->size);
    size_t size = view_find_byte(text, ' ');
    if (size == 0)
        return false;
    *word = view_slice(text, 0, size);
    *rest = view_slice(text, size, text.size);
    return true;
}

static struct view rest_of(struct view text)
{
    return view_trim(text);
}

/* ---- sections ---- */

static uint8_t kind_of(struct view name)
{
    return view_equal(name, VIEW("audio"))         ? SDP_AUDIO
           : view_equal(name, VIEW("video"))       ? SDP_VIDEO
           : view_equal(name, VIEW("application")) ? SDP_APPLICATION
                                                   : SDP_OTHER;
}

/* audio 9 UDP/TLS/RTP/SAVPF 111 0 8 */
static int read_media_line(struct view value, struct sdp_media *media)
{
    struct view kind, port, protocol;
    uint64_t number;
    if (!take_word(&value, &kind) || !take_word(&value, &port) || !take_word(&value, &protocol))
        return ERR_MALFORMED;
    port = view_slice(port, 0, view_find_byte(port, '/'));
    if (!view_read_number(port, UINT16_MAX, &number))
        return ERR_MALFORMED;
    *media = (struct sdp_media){ .kind = kind_of(kind),
                                 .port = (uint16_t)number,
                                 .protocol = protocol,
                                 .formats = rest_of(value) };
    return OK;
}

static int read_line(struct sdp *sdp, struct view line, struct view behind)
{
    if (line.size < 2 || line.at[1] != '=' || line.at[0] < 'a' || line.at[0] > 'z' ||
        view_find_byte(line, 0) < line.size)
        return ERR_MALFORMED;
    if (line.at[0] != 'm')
        return OK;
    if (sdp->media_count == SDP_MEDIA_MAX)
        return ERR_LIMIT;
    struct sdp_media *media = &sdp->media[sdp->media_count];
    int status = read_media_line(view_slice(line, 2, line.size), media);
    if (status != OK)
        return status;
    sdp->media_count++;
    media->lines = view_make(behind.at, 0);
    return OK;
}

int sdp_read(struct view text, struct sdp *sdp, uint32_t *line_number)
{
    struct view rest = text;
    struct view line;
    sdp->media_count = 0;
    *line_number = 1;
    if (text.size > SDP_SIZE_MAX)
        return ERR_LIMIT;
    if (!take_line(&rest, &line) || !view_equal(line, VIEW("v=0")))
        return ERR_MALFORMED;
    sdp->lines = view_make(rest.at, 0);
    while (take_line(&rest, &line)) {
        ++*line_number;
        if (line.size == 0 && rest.size == 0)
            break; /* some end with an empty line */
        int status = read_line(sdp, line, rest);
        if (status != OK)
            return status;
        struct view *lines =
            sdp->media_count ? &sdp->media[sdp->media_count - 1].lines : &sdp->lines;
        if (line.at[0] != 'm')
            lines->size = (size_t)(line.at + line.size - lines->at);
    }
    return OK;
}

/* ---- attributes ---- */

bool sdp_next(struct view *lines, struct view name, struct view *value)
{
    struct view line;
    while (take_line(lines, &line)) {
        if (!view_starts(line, VIEW("a=")))
            continue;
        line = view_slice(line, 2, line.size);
        if (!view_starts(line, name) || (line.size > name.size && line.at[name.size] != ':'))
            continue;
        *value = view_slice(line, name.size + 1, line.size);
        return true;
    }
    return false;
}

bool sdp_find(struct view lines, struct view name, struct view *value)
{
    return sdp_next(&lines, name, value);
}

bool sdp_find_either(const struct sdp *sdp, const struct sdp_media *media, struct view name,
                     struct view *value)
{
    return sdp_find(media->lines, name, value) || sdp_find(sdp->lines, name, value);
}

static const char *const DIRECTIONS[] = { "inactive", "sendonly", "recvonly", "sendrecv" };

static bool find_direction(struct view lines, enum sdp_direction *direction)
{
    struct view value;
    for (unsigned i = 0; i < 4; i++)
        if (sdp_find(lines, view_of(DIRECTIONS[i]), &value)) {
            *direction = (enum sdp_direction)i;
            return true;
        }
    return false;
}

enum sdp_direction sdp_direction_of(const struct sdp *sdp, const struct sdp_media *media)
{
    enum sdp_direction direction;
    if (find_direction(media->lines, &direction) || find_direction(sdp->lines, &direction))
        return direction;
    return SDP_SENDRECV;
}

enum sdp_direction sdp_direction_turned(enum sdp_direction direction)
{
    return direction == SDP_SENDONLY   ? SDP_RECVONLY
           : direction == SDP_RECVONLY ? SDP_SENDONLY
                                       : direction;
}

const char *sdp_direction_name(enum sdp_direction direction)
{
    return DIRECTIONS[direction & 3];
}

/* ---- writing ---- */

static void add(struct sdp_writer *writer, const char *format, va_list arguments)
{
    size_t room = writer->capacity - writer->size;
    int size = vsnprintf(writer->at + writer->size, room, format, arguments);
    if (size < 0 || (size_t)size >= room) {
        writer->overflow = true;
        return;
    }
    writer->size += (size_t)size;
}

static void add_end(struct sdp_writer *writer)
{
    if (writer->capacity - writer->size < 3) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->at + writer->size, "\r\n", 3);
    writer->size += 2;
}

void sdp_line(struct sdp_writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(writer, format, arguments);
    va_end(arguments);
    add_end(writer);
}

void sdp_more(struct sdp_writer *writer, const char *format, ...)
{
    va_list arguments;
    if (writer->size >= 2 && !writer->overflow)
        writer->size -= 2;
    va_start(arguments, format);
    add(writer, format, arguments);
    va_end(arguments);
    add_end(writer);
}
