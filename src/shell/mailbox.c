#include "shell/mailbox.h"

#include "front/server.h"
#include "shell/terms.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *mailbox, unsigned sender_count)
{
    *mailbox = (struct mailbox){ .wake_fd = -1, .sender_count = sender_count };
    mailbox->rings = aligned_alloc(64, sizeof(struct ring) * sender_count);
    mailbox->cards = calloc(sender_count, sizeof *mailbox->cards);
    if (!mailbox->rings || !mailbox->cards) {
        mailbox->sender_count = 0;
        goto give;
    }
    for (unsigned i = 0; i < sender_count; i++) {
        if (ring_init(&mailbox->rings[i], MAILBOX_RING_SIZE) != OK) {
            mailbox->sender_count = i;
            goto give;
        }
    }
    mailbox->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->wake_fd >= 0)
        return OK;
    mailbox_free(mailbox);
    return ERR_IO;

give:
    mailbox_free(mailbox);
    return ERR_MEMORY;
}

void mailbox_free(struct mailbox *mailbox)
{
    struct letter letter;
    while (mailbox->rings && mailbox_take(mailbox, &letter)) {
        if (letter.kind == LETTER_STREAM)
            connection_close(&letter.connection);
        parcel_free(letter.parcel);
        SSL_CTX_free(letter.tls);
        terms_give(letter.terms);
        errand_free(letter.errand);
        note_free(letter.note);
    }
    for (unsigned i = 0; i < mailbox->sender_count; i++) {
        struct records *cards = atomic_load(&mailbox->cards[i]);
        ring_free(&mailbox->rings[i]);
        if (cards)
            records_free(cards);
        free(cards);
    }
    free(mailbox->cards);
    free(mailbox->rings);
    if (mailbox->wake_fd >= 0)
        close(mailbox->wake_fd);
    *mailbox = (struct mailbox){ .wake_fd = -1 };
}

void mailbox_wake(struct mailbox *mailbox)
{
    static const uint64_t ONE = 1;
    /* it only fails when the reader has been woken 2^64 times without looking */
    ssize_t written = write(mailbox->wake_fd, &ONE, sizeof ONE);
    (void)written;
}

int mailbox_send(struct mailbox *mailbox, unsigned sender, const struct letter *letter)
{
    struct letter *copy = malloc(sizeof *copy);
    if (!copy)
        return ERR_LIMIT;
    *copy = *letter;
    if (ring_put(&mailbox->rings[sender], copy) != OK) {
        free(copy);
        return ERR_LIMIT;
    }
    mailbox_wake(mailbox);
    return OK;
}

bool mailbox_take(struct mailbox *mailbox, struct letter *letter)
{
    uint64_t count;
    /* before looking: what is put in from here on wakes again */
    ssize_t size = mailbox->wake_fd >= 0 ? read(mailbox->wake_fd, &count, sizeof count) : 0;
    (void)size;
    for (unsigned i = 0; i < mailbox->sender_count; i++) {
        struct letter *next = ring_take(&mailbox->rings[i]);
        if (next) {
            *letter = *next;
            free(next);
            return true;
        }
    }
    return false;
}

/* ---- cards ---- */

/* The sender's queue; NULL: no memory. */
static struct records *open_cards(struct mailbox *mailbox, unsigned sender)
{
    struct records *cards = atomic_load_explicit(&mailbox->cards[sender], memory_order_relaxed);
    if (cards)
        return cards;
    cards = aligned_alloc(64, sizeof *cards);
    if (!cards || records_init(cards, MAILBOX_CARDS_SIZE) != OK) {
        free(cards);
        return NULL;
    }
    atomic_store_explicit(&mailbox->cards[sender], cards, memory_order_release);
    return cards;
}

int mailbox_post(struct mailbox *mailbox, unsigned sender, struct view first, struct view second)
{
    struct records *cards = open_cards(mailbox, sender);
    return cards ? records_put(cards, first, second) : ERR_LIMIT;
}

bool mailbox_peek_card(struct mailbox *mailbox, unsigned sender, struct view *card)
{
    struct records *cards = atomic_load_explicit(&mailbox->cards[sender], memory_order_acquire);
    return cards && records_peek(cards, card);
}

void mailbox_drop_card(struct mailbox *mailbox, unsigned sender)
{
    records_drop(atomic_load_explicit(&mailbox->cards[sender], memory_order_relaxed));
}
