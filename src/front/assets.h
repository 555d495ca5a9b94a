/* assets.h - the meeting page's files, as the build embeds them. */
#ifndef MOIM_FRONT_ASSETS_H
#define MOIM_FRONT_ASSETS_H

#include "base/view.h"

struct asset {
    const char *path; /* "/main.js" */
    const char *type; /* "text/javascript; charset=utf-8" */
    const char *etag; /* with its quotes; changes with the content */
    struct view content;
    struct view gzipped; /* the same, compressed; empty when that is no smaller */
};

struct assets {
    const struct asset *items; /* sorted by path */
    uint32_t count;
};

/* NULL when there is none of that path. */
const struct asset *assets_find(const struct assets *assets, struct view path);

/* Made by tools/embed.py from web/. */
extern const struct assets web_assets;

#endif
