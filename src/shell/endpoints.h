/* endpoints.h - the endpoints that are served: the built-in ones, and the user's over them.
 *
 * For settings*.c and endpoints_*.c; all others see the list alone (settings_endpoints).
 */
#ifndef MOIM_SHELL_ENDPOINTS_H
#define MOIM_SHELL_ENDPOINTS_H

#include "shell/endpoints_names.h"
#include "shell/endpoints_texts.h"

#define ENDPOINT_SOURCES_MAX 2 /* the built-in list and one file */

#define ENDPOINT_RULES_MAX   128
#define ENDPOINT_ENTRIES_MAX 64 /* of any other list of an endpoint */
#define ENDPOINT_TEXT_MAX    1024

struct endpoint_entry {
    struct endpoint_config config;
    uint32_t item; /* which of its source's list it is */
    bool is_built_in;
};

struct endpoint_list {
    struct endpoint_configs configs; /* of `sorted` */
    struct endpoint_entry entries[ENDPOINTS_MAX];
    uint32_t count;
    struct endpoint_config sorted[ENDPOINTS_MAX]; /* paths below others' paths come first */
    void *documents[ENDPOINT_SOURCES_MAX];        /* all texts are theirs */
    uint32_t document_count;
};

/* What is served when nothing is set: endpoints.yaml, as a part of the binary. */
struct view endpoints_built_in(void);
#define ENDPOINTS_BUILT_IN_NAME "endpoints.yaml"

/* NULL: no memory. */
struct endpoint_list *endpoints_new(void);
/* NULL is accepted. */
void endpoints_free(struct endpoint_list *list);

/* Takes the endpoints of a file into reader->endpoints.  Those that were built in give way to the
 * user's with the same path and carrier.  `texts` must live as long as the list.  ERR_CONFIG,
 * ERR_MEMORY: the error is written, and the list is good for endpoints_free alone. */
MUST_USE int endpoints_add(struct settings_reader *reader, const char *name, bool is_built_in,
                           const struct yaml_outline *outline, const struct endpoint_texts *texts,
                           uint32_t count);

/* ---- between endpoints_*.c ---- */

/* One endpoint while it is being read. */
struct endpoint_reading {
    struct settings_reader *reader;
    const char *name; /* of the file */
    const struct yaml_outline *outline;
    uint32_t item;
    const struct endpoint_texts *texts;
    struct endpoint_config config;
};

/* Reads reading->texts into reading->config, which the caller gives back, also on failure. */
MUST_USE int endpoint_read(struct endpoint_reading *reading, bool *is_enabled);

/* Whether it can be served as its topology wants it.  ERR_CONFIG: the error is written. */
MUST_USE int endpoint_check_topology(const struct endpoint_reading *reading,
                                     const struct endpoint_config *config);

/* Writes "moim.yaml:7: endpoints[2].rules[0].to: ..." as the error, and gives ERR_CONFIG.  `key` is
 * the part behind "endpoints[2].", or "". */
__attribute__((format(printf, 3, 4))) int endpoint_refuse(const struct endpoint_reading *reading,
                                                          const char *key, const char *format, ...);

/* Whether the file has the key, with whatever value. */
bool endpoint_has(const struct endpoint_reading *reading, const char *key);

/* Reads the rules; reading->config.rules.items is then endpoints_free's. */
MUST_USE int endpoint_read_rules(struct endpoint_reading *reading);

#endif
