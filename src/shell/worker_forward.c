/* worker_forward.c - datagrams that come to one worker (the door) and are another's (the owner).
 *
 * The kernel gives a client's datagrams to a worker by their addresses.  Who has moved to another
 * address, or asks for a port that was reserved from another, may come to a worker that does not
 * have his allocation.  What he bears (turn_worker_of) says whose he is; the door hands that on as
 * it is, and keeps nothing.  Only when the owner has found an allocation for it, so that it was
 * authentic, is the flow noted at the door, and all that comes of it handed on, until the owner
 * says that it has left.  Answers go out at the owner's own socket, whose address is the same.
 *
 * Records of links between the workers' media take the same road: as cards in a mailbox.
 */
#include "shell/worker.h"

#include "agent/turn.h"
#include "media/link.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_MAX 4096 /* of one sender, before others have their turn */

enum card_kind {
    CARD_DATAGRAM, /* to the owner; its bytes follow */
    CARD_KEEP,     /* to the door: the flow is mine */
    CARD_LEAVE,    /* to the door: it is no more */
    CARD_RECORD    /* of a link between the workers' media: a record_card */
};

struct card {
    uint8_t kind;  /* enum card_kind */
    bool is_noted; /* CARD_DATAGRAM: the flow is known to be the owner's */
    struct turn_flow flow;
};

#define RECORD_FIRST_MAX 248
_Static_assert(sizeof(struct link_record) <= RECORD_FIRST_MAX, "it is put whole");

struct record_card {
    uint8_t kind; /* CARD_RECORD */
    uint8_t reserved[7];
    uint8_t first[RECORD_FIRST_MAX];
};

/* A flow that is another worker's. */
struct forward {
    struct list node; /* among all, the latest used last */
    usec used_at;
    uint8_t key[TURN_FLOW_KEY_SIZE];
    uint8_t owner;
};

int worker_start_forwards(struct worker *worker)
{
    struct forwards *forwards = &worker->forwards;
    list_init(&forwards->by_use);
    if (!worker->config.server.turn || worker->config.server.worker_count == 1)
        return OK;
    if (pool_init(&forwards->pool, sizeof(struct forward), FORWARDS_MAX) != OK)
        return ERR_MEMORY;
    return map_init(&forwards->flows, FORWARDS_MAX, &worker->config.server.random);
}

void worker_stop_forwards(struct worker *worker)
{
    map_free(&worker->forwards.flows);
    pool_free(&worker->forwards.pool);
}

/* ---- sending ---- */

static void post(struct worker *worker, unsigned to, const struct card *card, struct view bytes)
{
    struct view head = view_make((const uint8_t *)card, sizeof *card);
    if (mailbox_post(&worker->config.mailboxes[to], worker->config.number, head, bytes) != OK) {
        metrics_add(worker->metrics, METRIC_TURN_DROPPED_FORWARD, 1);
        return;
    }
    worker->forwards.wakes |= UINT64_C(1) << to;
}

void worker_flush_forwards(struct worker *worker)
{
    for (uint64_t wakes = worker->forwards.wakes; wakes; wakes &= wakes - 1)
        mailbox_wake(&worker->config.mailboxes[__builtin_ctzll(wakes)]);
    worker->forwards.wakes = 0;
}

static struct view key_of(const struct forward *forward)
{
    return view_make(forward->key, sizeof forward->key);
}

static struct forward *find(struct worker *worker, const struct turn_flow *flow)
{
    uint8_t key[TURN_FLOW_KEY_SIZE];
    if (worker->forwards.pool.used == 0)
        return NULL;
    turn_flow_key(flow, key);
    return map_find(&worker->forwards.flows, view_make(key, sizeof key));
}

static void touch(struct worker *worker, struct forward *forward)
{
    list_remove(&forward->node);
    list_append(&worker->forwards.by_use, &forward->node);
    forward->used_at = worker->now;
}

bool worker_forward(struct worker *worker, const struct turn_flow *flow, struct view bytes)
{
    uint8_t owner;
    /* a DTLS association is where its keys are */
    if (worker->forwards.pool.count_max == 0 || flow->transport != TURN_OVER_UDP)
        return false;
    struct forward *forward = find(worker, flow);
    if (forward) {
        owner = forward->owner;
        touch(worker, forward);
    } else if (!turn_worker_of(bytes, &owner) || owner == worker->config.number ||
               owner >= worker->config.server.worker_count ||
               server_relay_has(worker->server, flow)) {
        return false;
    }
    struct card card = { .kind = CARD_DATAGRAM, .is_noted = forward, .flow = *flow };
    metrics_add(worker->metrics, METRIC_TURN_FORWARDED, 1);
    post(worker, owner, &card, bytes);
    return true;
}

void worker_forward_left(struct worker *worker, const struct turn_flow *flow)
{
    struct card card = { .kind = CARD_LEAVE, .flow = *flow };
    post(worker, flow->door, &card, VIEW(""));
}

bool worker_post_record(void *context, unsigned to, struct view first, struct view second)
{
    struct worker *worker = context;
    struct record_card card;
    assert(first.size <= sizeof card.first);
    card.kind = CARD_RECORD;
    memset(card.reserved, 0, sizeof card.reserved);
    memcpy(card.first, first.at, first.size);
    struct view head =
        view_make((const uint8_t *)&card, offsetof(struct record_card, first) + first.size);
    if (mailbox_post(&worker->config.mailboxes[to], worker->config.number, head, second) != OK)
        return false;
    worker->forwards.wakes |= UINT64_C(1) << to;
    return true;
}

/* ---- receiving ---- */

/* The client's datagram, at the owner.  Whether the flow is ours is told before the answer goes
 * out, so that the door knows it when the client's next one comes. */
static void take_datagram(struct worker *worker, const struct card *card, struct view bytes)
{
    const struct turn_flow *flow = &card->flow;
    server_relay_client(worker->server, worker->now, flow, bytes);
    bool is_ours = server_relay_has(worker->server, flow);
    if (is_ours != card->is_noted) {
        struct card answer = { .kind = is_ours ? CARD_KEEP : CARD_LEAVE, .flow = *flow };
        post(worker, flow->door, &answer, VIEW(""));
    }
    worker_drain_relays(worker);
}

static void drop(struct worker *worker, struct forward *forward)
{
    map_remove(&worker->forwards.flows, key_of(forward));
    list_remove(&forward->node);
    pool_give(&worker->forwards.pool, forward);
}

/* What has been silent for longer than an allocation lives: the owner's word was lost. */
static void drop_old(struct worker *worker)
{
    struct list *all = &worker->forwards.by_use;
    usec most = worker->config.server.turn->lifetime_s_max * USEC_S;
    while (!list_empty(all)) {
        struct forward *oldest = LIST_ENTRY(all->next, struct forward, node);
        if (worker->now - oldest->used_at <= most)
            return;
        drop(worker, oldest);
    }
}

static void note(struct worker *worker, const struct turn_flow *flow, unsigned owner)
{
    struct forward *forward = find(worker, flow);
    if (!forward) {
        drop_old(worker);
        forward = pool_take(&worker->forwards.pool);
        if (!forward)
            return; /* each of its requests still finds the owner by what it bears */
        list_init(&forward->node);
        turn_flow_key(flow, forward->key);
        int status = map_add(&worker->forwards.flows, key_of(forward), forward);
        assert(status == OK);
    }
    forward->owner = (uint8_t)owner;
    touch(worker, forward);
}

/* All that a wake-up brings is stored before anything is sent, as far as there is room. */
static void take_record(struct worker *worker, unsigned sender, struct view bytes)
{
    if (server_rtc_is_full(worker->server))
        worker_flush_media(worker);
    server_record(worker->server, worker->now, sender, bytes);
}

static void take_card(struct worker *worker, unsigned sender, struct view bytes)
{
    struct card card;
    if (bytes.at[0] == CARD_RECORD) {
        take_record(worker, sender,
                    view_slice(bytes, offsetof(struct record_card, first), bytes.size));
        return;
    }
    assert(bytes.size >= sizeof card);
    memcpy(&card, bytes.at, sizeof card);
    struct forward *forward;
    switch ((enum card_kind)card.kind) {
    case CARD_DATAGRAM:
        card.flow.is_forwarded = true;
        card.flow.door = (uint8_t)sender;
        take_datagram(worker, &card, view_slice(bytes, sizeof card, bytes.size));
        break;
    case CARD_KEEP:
        note(worker, &card.flow, sender);
        break;
    case CARD_LEAVE:
        forward = find(worker, &card.flow);
        if (forward && forward->owner == sender)
            drop(worker, forward);
        break;
    case CARD_RECORD:
        break;
    }
}

void worker_take_forwards(struct worker *worker)
{
    struct mailbox *mailbox = &worker->config.mailboxes[worker->config.number];
    struct view card;
    if (worker->config.server.worker_count == 1)
        return;
    for (unsigned sender = 0; sender < worker->config.server.worker_count; sender++) {
        unsigned count = 0;
        while (count < CARDS_MAX && mailbox_peek_card(mailbox, sender, &card)) {
            take_card(worker, sender, card);
            mailbox_drop_card(mailbox, sender);
            count++;
        }
        if (count == CARDS_MAX)
            worker->forwards.wakes |= UINT64_C(1) << worker->config.number;
    }
}
