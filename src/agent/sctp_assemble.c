/* Messages of the pieces that have come, each stream's in order (RFC 9260, sections 6.5 to 6.9). */
#include "agent/sctp_internal.h"

#include <string.h>

static struct sctp_piece *piece_at(struct list *node)
{
    return LIST_ENTRY(node, struct sctp_piece, node);
}

/* Off the list of pieces that wait. */
static void take_off(struct sctp_piece *piece)
{
    list_remove(&piece->node);
    piece->channel->association->held -= piece->bytes->size + SCTP_PIECE_COST;
    piece->channel->association->piece_count--;
}

void sctp_drop_piece(struct sctp *sctp, struct sctp_piece *piece)
{
    if (!piece->is_whole)
        take_off(piece);
    list_remove(&piece->node);
    buffer_give(sctp->config.buffers, piece->bytes);
    pool_give(&sctp->pieces, piece);
}

/* Whether b goes on where a ends. */
static bool goes_on(const struct sctp_piece *a, const struct sctp_piece *b)
{
    return !(a->flags & SCTP_DATA_E) && !(b->flags & SCTP_DATA_B) && b->tsn == a->tsn + 1 &&
           b->ssn == a->ssn && ((a->flags ^ b->flags) & SCTP_DATA_U) == 0;
}

/* The message that a piece is of. */
struct whole {
    struct sctp_piece *first;
    struct sctp_piece *last;
    size_t size;
};

/* False: parts of it are missing.  The end is looked for first: pieces that come in turn, as most
 * do, have not to be gone through for each of them. */
static bool find_whole(struct sctp_piece *piece, struct whole *whole)
{
    struct list *head = &piece->channel->pieces;
    *whole = (struct whole){ piece, piece, piece->bytes->size };
    while (!(whole->last->flags & SCTP_DATA_E)) {
        struct list *next = whole->last->node.next;
        if (next == head || !goes_on(whole->last, piece_at(next)))
            return false;
        whole->last = piece_at(next);
        whole->size += whole->last->bytes->size;
    }
    while (!(whole->first->flags & SCTP_DATA_B)) {
        struct list *prev = whole->first->node.prev;
        if (prev == head || !goes_on(piece_at(prev), whole->first))
            return false;
        whole->first = piece_at(prev);
        whole->size += whole->first->bytes->size;
    }
    return true;
}

static void append(struct buffer *bytes, const struct sctp_piece *piece)
{
    memcpy(bytes->bytes + bytes->size, piece->bytes->bytes, piece->bytes->size);
    bytes->size += piece->bytes->size;
}

/* Makes one piece of many.  False: the association has ended. */
static bool join(struct sctp *sctp, const struct whole *whole)
{
    struct sctp_piece *first = whole->first;
    struct buffer *bytes;
    bool is_last;
    if (buffers_take(sctp->config.buffers, whole->size, &bytes) != OK) {
        /* all of it has been acknowledged: it can't be had again */
        sctp_end(sctp, first->channel->association, SCTP_END_LIMIT);
        return false;
    }
    append(bytes, first);
    do {
        struct sctp_piece *piece = piece_at(first->node.next);
        is_last = piece == whole->last;
        append(bytes, piece);
        sctp_drop_piece(sctp, piece);
    } while (!is_last);
    take_off(first);
    buffer_give(sctp->config.buffers, first->bytes);
    first->bytes = bytes;
    return true;
}

/* The message is told.  False: the association has ended. */
static bool tell(struct sctp *sctp, const struct whole *whole)
{
    struct sctp_piece *first = whole->first;
    if (whole->size > sctp->config.message_max) {
        sctp_end(sctp, first->channel->association, SCTP_END_PROTOCOL);
        return false;
    }
    if (first == whole->last)
        take_off(first);
    else if (!join(sctp, whole))
        return false;
    first->is_whole = true;
    sctp_deliver(sctp, first);
    return true;
}

/* The stream's next message, if it is whole.  False: it is not there. */
static bool tell_next(struct sctp *sctp, struct sctp_channel *channel)
{
    struct list *node;
    for (node = channel->pieces.next; node != &channel->pieces; node = node->next) {
        struct sctp_piece *piece = piece_at(node);
        struct whole whole;
        if ((piece->flags & SCTP_DATA_U) || !(piece->flags & SCTP_DATA_B) ||
            piece->ssn != channel->next_ssn_in)
            continue;
        if (!find_whole(piece, &whole))
            return false;
        channel->next_ssn_in++;
        return tell(sctp, &whole);
    }
    return false;
}

void sctp_assemble(struct sctp *sctp, struct sctp_piece *piece)
{
    struct sctp_channel *channel = piece->channel;
    struct whole whole;
    if (!(piece->flags & SCTP_DATA_U) && sctp_ssn_before(piece->ssn, channel->next_ssn_in)) {
        sctp_drop_piece(sctp, piece); /* it was given up */
        return;
    }
    if (!find_whole(piece, &whole))
        return;
    if (piece->flags & SCTP_DATA_U) {
        (void)tell(sctp, &whole);
        return;
    }
    while (tell_next(sctp, channel))
        ;
}

/* Of the ordered messages that are whole and no later than `ssn`, the earliest.  False: none. */
static bool find_earliest(struct sctp_channel *channel, uint16_t ssn, struct whole *whole)
{
    struct list *node;
    bool is_found = false;
    for (node = channel->pieces.next; node != &channel->pieces; node = node->next) {
        struct sctp_piece *piece = piece_at(node);
        struct whole found;
        if ((piece->flags & SCTP_DATA_U) || !(piece->flags & SCTP_DATA_B) ||
            sctp_ssn_before(ssn, piece->ssn))
            continue;
        if (is_found && !sctp_ssn_before(piece->ssn, whole->first->ssn))
            continue;
        if (find_whole(piece, &found)) {
            *whole = found;
            is_found = true;
        }
    }
    return is_found;
}

void sctp_skip_ordered(struct sctp *sctp, struct sctp_channel *channel, uint16_t ssn)
{
    struct whole whole;
    struct list *node;
    if (sctp_ssn_before(ssn, channel->next_ssn_in))
        return;
    /* those that are whole have only waited for their turn */
    while (find_earliest(channel, ssn, &whole))
        if (!tell(sctp, &whole))
            return;
    channel->next_ssn_in = (uint16_t)(ssn + 1);
    node = channel->pieces.next;
    while (node != &channel->pieces) {
        struct sctp_piece *piece = piece_at(node);
        node = node->next;
        if (!(piece->flags & SCTP_DATA_U) && sctp_ssn_before(piece->ssn, channel->next_ssn_in))
            sctp_drop_piece(sctp, piece);
    }
    while (tell_next(sctp, channel))
        ;
}
