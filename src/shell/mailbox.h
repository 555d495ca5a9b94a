/* mailbox.h - letters between threads: the only thing that workers share.
 *
 * Each worker has one mailbox, with one ring for every thread that may write to it, so that a ring
 * has one writer and one reader and needs no lock.  A write wakes the reader's epoll.
 *
 * Letters are for what is rare.  What comes by the packet goes as cards: bytes that are copied, for
 * which nothing is allocated but a queue when a sender posts its first.
 */
#ifndef MOIM_SHELL_MAILBOX_H
#define MOIM_SHELL_MAILBOX_H

#include "base/records.h"
#include "base/ring.h"
#include "base/usec.h"
#include "shell/connection.h"

struct errand;
struct note;
struct parcel;
struct ssl_ctx_st;
struct terms;

#define MAILBOX_RING_SIZE  1024      /* letters of one sender that wait */
#define MAILBOX_CARDS_SIZE (1 << 20) /* bytes of one sender's cards that wait */

enum letter_kind {
    LETTER_STREAM, /* a connection that is to be served here from now on */
    LETTER_TLS,    /* the keys for new connections */
    LETTER_TERMS,  /* what has been set anew */
    LETTER_ERRAND, /* a question that goes round */
    LETTER_NOTE,   /* about a meeting that is at both workers */
    LETTER_STOP,
    LETTER_DONE /* the sender is stopping, and has nothing left to give away */
};

struct letter {
    enum letter_kind kind;
    struct connection connection; /* LETTER_STREAM, with its parcel */
    struct parcel *parcel;
    struct ssl_ctx_st *tls; /* LETTER_TLS: a reference that goes along */
    struct terms *terms;    /* LETTER_TERMS: the same */
    struct errand *errand;  /* LETTER_ERRAND */
    struct note *note;      /* LETTER_NOTE */
    usec until;             /* LETTER_STOP: when to end at the latest */
};

struct mailbox {
    int wake_fd; /* readable when letters may have come */
    unsigned sender_count;
    struct ring *rings;
    _Atomic(struct records *) *cards; /* NULL: that sender has never posted any */
};

/* ERR_MEMORY; ERR_IO: no file descriptor. */
MUST_USE int mailbox_init(struct mailbox *mailbox, unsigned sender_count);
/* Letters that nobody took are closed and freed. */
void mailbox_free(struct mailbox *mailbox);

/* Copies the letter, whose contents go along.  ERR_LIMIT: the ring is full, or there is no memory;
 * they are still the caller's. */
MUST_USE int mailbox_send(struct mailbox *mailbox, unsigned sender, const struct letter *letter);

/* Takes the next letter; false when there is none.  Call it until then after each wake. */
bool mailbox_take(struct mailbox *mailbox, struct letter *letter);

/* Puts in a card that holds both views, one after the other; the reader need not wake for it before
 * mailbox_wake.  ERR_LIMIT: too many wait, there is no memory, or it is larger than 300 KiB. */
MUST_USE int mailbox_post(struct mailbox *mailbox, unsigned sender, struct view first,
                          struct view second);
void mailbox_wake(struct mailbox *mailbox);

/* The sender's oldest card, borrowed until mailbox_drop_card; false: there is none. */
bool mailbox_peek_card(struct mailbox *mailbox, unsigned sender, struct view *card);
void mailbox_drop_card(struct mailbox *mailbox, unsigned sender);

#endif
