/* urls.h - the addresses that people can open.  Pure. */
#ifndef MOIM_SHELL_URLS_H
#define MOIM_SHELL_URLS_H

#include "shell/settings.h"

#define URL_SIZE 64
#define URLS_MAX 96

struct urls {
    char items[URLS_MAX][URL_SIZE]; /* "https://192.0.2.1:8443/", without doubles */
    uint32_t count;
};

/* `machine` are the machine's own addresses.  A wildcard stands for those of its family, and for
 * localhost when it is HTTP, or when there are none: browsers give camera and microphone to pages
 * from localhost and over HTTPS alone. */
void urls_list(const struct settings *settings, const struct address *machine, uint32_t count,
               struct urls *out);

#endif
