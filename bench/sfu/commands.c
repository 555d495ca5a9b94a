/* The lines that steer the load: load.h has them all. */
#include "load.h"

#include "base/base64.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8
#define TEXT_MAX  ((size_t)256 * 1024)

static uint8_t text[TEXT_MAX];

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("error ", stdout);
    vprintf(format, values);
    putchar('\n');
    va_end(values);
}

static struct client *find(const struct load *load, const char *name)
{
    for (uint32_t i = load->client_count; i-- > 0;)
        if (load->clients[i] && strcmp(load->clients[i]->name, name) == 0)
            return load->clients[i];
    return NULL;
}

static struct client *find_or_open(struct load *load, const char *name, bool is_offerer)
{
    struct client *client = find(load, name);
    if (client || load->client_count == LOAD_CLIENTS_MAX)
        return client;
    client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client_open(client, &load->house, &load->tally, load->client_count, name, is_offerer);
    client->hearer.has_nack = load->has_nack;
    client->hearer.loss = load->loss;
    load->clients[load->client_count++] = client;
    load->open_count++;
    return client;
}

/* The text of a word of base64url. */
static bool read_text(const char *word, struct view *out)
{
    size_t size = strlen(word) * 3 / 4;
    if (size > sizeof text || base64url_read(view_of(word), text, size) != OK)
        return false;
    *out = view_make(text, size);
    return true;
}

static void say_description(const char *kind, const char *name, const struct sdp_writer *sdp)
{
    static char encoded[BASE64_SIZE(TEXT_MAX)];
    base64url_write(view_make(sdp->at, sdp->size), encoded);
    printf("%s %s %s\n", kind, name, encoded);
}

static unsigned number(const char *word)
{
    return word ? (unsigned)strtoul(word, NULL, 10) : 0;
}

/* ---- each takes the words behind its own; those that are missing are NULL ---- */

static void do_server(struct load *load, usec now, char **words)
{
    (void)now;
    load->pid_count = 0;
    for (; *words && load->pid_count < LOAD_PIDS_MAX; words++)
        load->pids[load->pid_count++] = (int)strtol(*words, NULL, 10);
}

static void do_publish(struct load *load, usec now, char **words)
{
    (void)now;
    struct client *client = words[0] ? find_or_open(load, words[0], true) : NULL;
    if (!client) {
        wrong("publish");
        return;
    }
    for (words++; *words; words++) {
        bool is_video = strcmp(*words, "video") == 0;
        client_add_track(client, is_video, is_video ? &load->video : &load->audio);
    }
}

static void do_offer(struct load *load, usec now, char **words)
{
    static char sdp[TEXT_MAX];
    struct sdp_writer writer = { .at = sdp, .capacity = sizeof sdp };
    (void)now;
    struct client *client = words[0] ? find_or_open(load, words[0], true) : NULL;
    unsigned audio = number(words[1]);
    unsigned video = audio || words[1] ? number(words[2]) : 0;
    if (!client || !client_offer(client, audio, video, &writer))
        wrong("offer %s", words[0] ? words[0] : "");
    else
        say_description("offer", client->name, &writer);
}

static void do_take(struct load *load, usec now, char **words)
{
    struct view sdp;
    struct client *client = words[0] ? find(load, words[0]) : NULL;
    if (!client || !words[1] || !read_text(words[1], &sdp) || !client_take(client, now, sdp))
        wrong("take %s", words[0] ? words[0] : "");
}

static void do_answer(struct load *load, usec now, char **words)
{
    static char sdp[TEXT_MAX];
    struct sdp_writer writer = { .at = sdp, .capacity = sizeof sdp };
    struct view offer;
    struct client *client = words[0] ? find_or_open(load, words[0], false) : NULL;
    if (!client || !words[1] || !read_text(words[1], &offer) ||
        !client_answer(client, now, offer, &writer))
        wrong("answer %s", words[0] ? words[0] : "");
    else
        say_description("answer", client->name, &writer);
}

static void do_plain(struct load *load, usec now, char **words)
{
    uint8_t material[SECURE_MATERIAL_MAX];
    (void)now;
    uint16_t profile = (uint16_t)number(words[0] ? words[1] : NULL);
    struct client *client =
        words[0] && !find(load, words[0]) ? find_or_open(load, words[0], true) : NULL;
    if (!client || secure_material_size(profile) == 0) {
        wrong("plain");
        return;
    }
    uint32_t host = client->peer.host;
    peer_open_plain(&client->peer, &load->house, host, profile,
                    load_material(profile, host, material));
    client->hearer.is_silent = true;
    client->hearer.formats[96] = (struct heard_format){ .is_known = true, .is_video = true };
    client->hearer.formats[111] = (struct heard_format){ .is_known = true };
}

static void do_close(struct load *load, usec now, char **words)
{
    struct client *client = words[0] ? find(load, words[0]) : NULL;
    if (!client) {
        wrong("close");
        return;
    }
    load->clients[client->peer.host] = NULL;
    load->open_count--;
    client_close(client, now);
    free(client);
}

static void do_mark(struct load *load, usec now, char **words)
{
    (void)now, (void)words;
    load->marked_kib = load->pid_count ? load_memory_kib(load) : 0;
    load->marked_count = load->open_count;
}

static void do_measure(struct load *load, usec now, char **words)
{
    double seconds = words[0] ? strtod(words[0], NULL) : 0;
    if (seconds > 0)
        load_measure(load, now, seconds);
    else
        wrong("measure");
}

static void do_state(struct load *load, usec now, char **words)
{
    unsigned connected = 0, streams = 0, keys = 0;
    (void)now, (void)words;
    for (uint32_t i = 0; i < load->client_count; i++) {
        const struct client *client = load->clients[i];
        if (!client)
            continue;
        connected += client->peer.state == PEER_CONNECTED;
        streams += client->hearer.stream_count;
        for (unsigned s = 0; s < client->hearer.stream_count; s++)
            keys += client->hearer.streams[s]->has_key;
    }
    printf("state clients=%u connected=%u streams=%u keys=%u sent_keys=%llu port=%u\n",
           load->open_count, connected, streams, keys, (unsigned long long)load_keys(load),
           load->house.net.port);
}

static void do_quit(struct load *load, usec now, char **words)
{
    (void)now, (void)words;
    load->is_over = true;
}

static const struct {
    const char *name;
    void (*run)(struct load *load, usec now, char **words);
} COMMANDS[] = {
    { "server", do_server }, { "publish", do_publish }, { "offer", do_offer },
    { "take", do_take },     { "answer", do_answer },   { "plain", do_plain },
    { "close", do_close },   { "mark", do_mark },       { "measure", do_measure },
    { "state", do_state },   { "quit", do_quit },
};

void load_command(struct load *load, usec now, char *line)
{
    char *words[WORDS_MAX + 1] = { NULL };
    unsigned count = 0;
    char *rest = line;
    for (char *word = strtok_r(line, " \r\n", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " \r\n", &rest))
        words[count++] = word;
    if (count == 0)
        return;
    for (unsigned i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (strcmp(words[0], COMMANDS[i].name) == 0) {
            COMMANDS[i].run(load, now, words + 1);
            return;
        }
    wrong("%s", words[0]);
}
