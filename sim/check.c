#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct all {
    struct session **sessions;
    uint32_t count;
};

static uint32_t root_of(const struct all *all, uint32_t at)
{
    while (all->sessions[at]->component != at)
        at = all->sessions[at]->component;
    return at;
}

static struct all gather(struct client *clients, uint32_t count)
{
    struct all all = { calloc(count * CLIENT_SESSIONS_MAX, sizeof(struct session *)), 0 };
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < clients[i].session_count; j++) {
            struct session *session = &clients[i].sessions[j];
            if (session->number == 0)
                continue;
            session->component = all.count;
            all.sessions[all.count++] = session;
        }
    }
    return all;
}

/* Sessions that met are of one life of their room. */
static void join_components(const struct all *all)
{
    for (uint32_t i = 0; i < all->count; i++)
        for (uint32_t k = 0; k < all->sessions[i]->other_count; k++)
            for (uint32_t j = 0; j < all->count; j++)
                if (strcmp(all->sessions[i]->others[k], all->sessions[j]->name) == 0)
                    all->sessions[root_of(all, i)]->component = root_of(all, j);
}

static const struct heard *find_seq(const struct session *session, uint64_t seq)
{
    uint32_t low = 0;
    uint32_t high = session->heard_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (session->heard[middle].seq == seq)
            return &session->heard[middle];
        if (session->heard[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whether `b` heard all of what `a` heard that was for it too. */
static bool compare(const struct session *a, const struct session *b)
{
    for (uint32_t i = 0; i < a->heard_count; i++) {
        const struct heard *event = &a->heard[i];
        const struct heard *same = find_seq(b, event->seq);
        bool in_time = event->seq > b->welcome_seq && (event->seq <= b->last_seq || b->is_here);
        bool for_it = event->for_all || (event->for_others && event->about != b->number);
        if (same && same->content != event->content) {
            fprintf(stderr, "%s and %s heard different things as %llu of %s\n", a->name, b->name,
                    (unsigned long long)event->seq, a->room);
            return false;
        }
        if (!same && in_time && for_it) {
            fprintf(stderr, "%s heard %llu of %s, and %s did not\n", a->name,
                    (unsigned long long)event->seq, a->room, b->name);
            return false;
        }
    }
    return true;
}

/* What `speaker` said, as `listener` heard it. */
static bool check_order(const struct session *speaker, const struct session *listener)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < listener->heard_count; i++) {
        const struct heard *event = &listener->heard[i];
        if (!event->chat || event->about != speaker->number)
            continue;
        while (next < speaker->said_count && speaker->said[next] != event->chat)
            next++;
        if (next == speaker->said_count) {
            fprintf(stderr, "%s heard %llu of %s out of order or twice\n", listener->name,
                    (unsigned long long)event->chat, speaker->name);
            return false;
        }
        next++;
    }
    return true;
}

/* Whether everything that is known to have been received was heard by the speaker itself, for as
 * far as it listened. */
static bool check_own(const struct session *session)
{
    uint32_t heard = 0;
    for (uint32_t i = 0; i < session->heard_count; i++)
        if (session->heard[i].chat && session->heard[i].about == session->number)
            heard++;
    if (heard > session->said_count) {
        fprintf(stderr, "%s heard more of itself than it said\n", session->name);
        return false;
    }
    /* the echo of the last ones may still have been under way */
    for (uint32_t i = 0, at = 0; i < session->heard_count; i++) {
        const struct heard *event = &session->heard[i];
        if (!event->chat || event->about != session->number)
            continue;
        if (session->said[at++] != event->chat) {
            fprintf(stderr, "%s: a chat of its own was lost on the way\n", session->name);
            return false;
        }
    }
    return true;
}

bool check_all(struct client *clients, uint32_t count)
{
    struct all all = gather(clients, count);
    bool good = true;
    join_components(&all);
    for (uint32_t i = 0; i < all.count && good; i++) {
        good = check_own(all.sessions[i]);
        for (uint32_t j = 0; j < all.count && good; j++) {
            if (root_of(&all, i) != root_of(&all, j) ||
                strcmp(all.sessions[i]->room, all.sessions[j]->room) != 0)
                continue;
            good = compare(all.sessions[i], all.sessions[j]) &&
                   check_order(all.sessions[i], all.sessions[j]);
        }
    }
    free(all.sessions);
    return good;
}
