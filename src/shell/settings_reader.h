/* settings_reader.h - the settings while they are being read, and who set what.
 *
 * For settings.c and settings_yaml.c alone.
 */
#ifndef MOIM_SHELL_SETTINGS_READER_H
#define MOIM_SHELL_SETTINGS_READER_H

#include "shell/settings_value.h"

#define SETTINGS_SOURCE_MAX 160

/* Reads into a copy of the settings, which is given out when all went well. */
struct settings_reader {
    struct settings settings;
    char origins[KEY_COUNT][SETTINGS_SOURCE_MAX]; /* who set the key; "": nobody */
    char *error;                                  /* SETTINGS_ERROR_MAX bytes */
    struct endpoint_list *endpoints;              /* NULL: none were set */
};

/* Writes "source: ..." as the error, and gives ERR_CONFIG. */
__attribute__((format(printf, 3, 4))) int
settings_refuse(struct settings_reader *reader, const char *source, const char *format, ...);

/* Writes "moim.yaml:7", for settings_refuse. */
void settings_name_line(const char *name, uint32_t line, char out[SETTINGS_SOURCE_MAX]);

/* NULL when there is no such key. */
const struct setting *settings_find(struct view name, enum setting_key *key);

/* The source is about to set that key: a list is emptied. */
void settings_begin(struct settings_reader *reader, const char *source, enum setting_key key);
/* Sets the value, or adds an entry to a list. */
MUST_USE int settings_put(struct settings_reader *reader, const char *source, enum setting_key key,
                          struct view text);

/* Reads a whole document; `name` is the file's. */
MUST_USE int settings_read_yaml(struct settings_reader *reader, const char *name, struct view yaml);
/* Frees what libcyaml made of a document whose endpoints are in use. */
void settings_unload_yaml(void *document);
/* Has reader->endpoints be the built-in ones, where there are none yet. */
MUST_USE int settings_read_endpoints(struct settings_reader *reader);
/* Reads a list that was given as a flow list, ["a", "b"]. */
MUST_USE int settings_read_flow(struct settings_reader *reader, const char *source,
                                enum setting_key key, struct view yaml);

#endif
