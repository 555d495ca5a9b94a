#include "shell/mailbox.h"

#include "front/server.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *mailbox, unsigned sender_count)
{
    *mailbox = (struct mailbox){ .wake_fd = -1, .sender_count = sender_count };
    mailbox->rings = aligned_alloc(64, sizeof(struct ring) * sender_count);
    if (!mailbox->rings)
        return ERR_MEMORY;
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
    }
    for (unsigned i = 0; i < mailbox->sender_count; i++)
        ring_free(&mailbox->rings[i]);
    free(mailbox->rings);
    if (mailbox->wake_fd >= 0)
        close(mailbox->wake_fd);
    *mailbox = (struct mailbox){ .wake_fd = -1 };
}

int mailbox_send(struct mailbox *mailbox, unsigned sender, const struct letter *letter)
{
    static const uint64_t ONE = 1;
    struct letter *copy = malloc(sizeof *copy);
    if (!copy)
        return ERR_LIMIT;
    *copy = *letter;
    if (ring_put(&mailbox->rings[sender], copy) != OK) {
        free(copy);
        return ERR_LIMIT;
    }
    /* it only fails when the reader has been woken 2^64 times without looking */
    ssize_t written = write(mailbox->wake_fd, &ONE, sizeof ONE);
    (void)written;
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
