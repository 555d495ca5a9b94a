/* line.h - what carries a caller's messages in the simulation, as existing clients do it.
 *
 * line.c         messages in and out; bare WebSockets
 * line_sockjs.c  SockJS: WebSockets, polling and streaming
 * line_engine.c  Engine.IO 4 and 3: polling, WebSockets, and the one that becomes the other
 */
#ifndef MOIM_SIM_LINE_H
#define MOIM_SIM_LINE_H

#include "link.h"

enum line_kind {
    LINE_BARE,
    LINE_SOCKJS_WEBSOCKET,
    LINE_SOCKJS_RAW,
    LINE_SOCKJS_POLLING,
    LINE_SOCKJS_STREAMING,
    LINE_ENGINE_POLLING,
    LINE_ENGINE_WEBSOCKET,
    LINE_ENGINE_BOTH /* polling first, then the upgrade */
};

#define LINE_PENDING_MAX 64
#define LINE_AT_ONCE_MAX 4 /* messages in one request */

/* What waits until it can be sent. */
struct line_pending {
    uint8_t *at;
    size_t size;
    bool is_binary;
    uint8_t packet; /* enum engineio_type; Engine.IO's own beside messages */
};

struct line {
    struct world *world;
    enum line_kind kind;
    unsigned revision;  /* of Engine.IO: 4 or 3 */
    bool is_base64;     /* an Engine.IO 3 client that takes no bytes in polls */
    const char *path;   /* the endpoint's */
    char base[200];     /* the session's, beneath it */
    struct link socket; /* WebSocket */
    struct link poll;   /* what waits for messages */
    struct link post;   /* what says some */
    bool is_open;       /* the server said so */
    bool is_quiet;      /* of SockJS: it only listens from now on */
    bool is_paused;     /* it reads nothing just now, or has read a part */
    usec turned_at;
    usec paused;      /* of SockJS: for how long it read nothing since its last poll */
    bool is_over;     /* nothing comes any more; to be dropped */
    bool is_probed;   /* polls and posts end, then the WebSocket takes over */
    bool is_upgraded; /* it has */
    usec upgrade_at;  /* USEC_NEVER: not, or it was begun */
    usec beat_at;     /* of Engine.IO 3: the next ping */
    struct line_pending pending[LINE_PENDING_MAX];
    uint32_t pending_count;
    uint8_t *text; /* what came in pieces and makes no whole frame yet */
    size_t text_size;
    size_t text_capacity;
    /* What the line brings; `opened` once. */
    void *context;
    void (*opened)(void *context);
    void (*heard)(void *context, struct view message, bool is_binary);
};

/* Begins: `name` is one that no other session has.  context, opened and heard are set by the
 * caller. */
void line_open(struct line *line, struct world *world, enum line_kind kind, const char *path,
               unsigned revision, uint64_t name);
/* Says a message, as soon as it can be.  False: too much waits. */
bool line_say(struct line *line, struct view message, bool is_binary);
/* Hears what has come (unless it reads nothing just now), and goes on with what is to be done. */
void line_turn(struct line *line, bool reads);
/* When it has something to do, whatever comes. */
usec line_next(const struct line *line);
/* Ends it.  Politely: as clients do on purpose; else as world_drop does it. */
void line_drop(struct line *line, bool politely, bool silently);

/* ---- within line*.c ---- */

/* One more that waits. */
bool line_add(struct line *line, uint8_t packet, struct view data, bool is_binary);
/* The first that waits has been sent; frees it. */
void line_sent(struct line *line);
/* Adds to line->text. */
void line_gather(struct line *line, struct view piece);

void sockjs_line_open(struct line *line, uint64_t name);
void sockjs_line_turn(struct line *line, bool reads);
void engine_line_open(struct line *line);
void engine_line_turn(struct line *line, bool reads);
void engine_line_close(struct line *line);

#endif
