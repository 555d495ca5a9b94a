/* bench.h - what the two programs share: what is measured, and how it is said.
 *
 * A thread has two ends of its own, and messages of one size go from each to the other by turns;
 * what is sent is fed to the other end at once.  Threads share nothing but the process.
 */
#ifndef MOIM_BENCH_SCTP_BENCH_H
#define MOIM_BENCH_SCTP_BENCH_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 8
#define WAY_MAX     1024
#define PACKET_MAX  1500

struct way {
    void *to;
    size_t size;
    uint8_t bytes[PACKET_MAX];
};

/* Packets on the way between a thread's ends. */
struct link {
    unsigned first;
    unsigned next;
    struct way ways[WAY_MAX];
};

static inline void link_put(struct link *link, void *to, const void *bytes, size_t size)
{
    struct way *way = &link->ways[link->next++ % WAY_MAX];
    if (size > PACKET_MAX || link->next - link->first > WAY_MAX)
        abort();
    way->to = to;
    way->size = size;
    memcpy(way->bytes, bytes, size);
}

/* CPU time of this thread, in microseconds. */
static inline double cpu_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

struct work {
    void *ends; /* the program's */
    unsigned messages;
    size_t size;
    double us; /* a message */
};

/* The program's: sends so many messages. */
void work_run(struct work *work);

static inline void *work_thread(void *context)
{
    struct work *work = context;
    double before = cpu_us();
    work_run(work);
    work->us = (cpu_us() - before) / work->messages;
    return NULL;
}

/* All at once; prints the mean. */
static inline void work_all(const char *name, struct work *works, unsigned count)
{
    pthread_t threads[THREADS_MAX];
    double sum = 0;
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work_thread, &works[i]) != 0)
            abort();
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        sum += works[i].us;
    }
    printf("%-10s %u thread%s  %7.2f us of CPU a message of %zu bytes\n", name, count,
           count == 1 ? " " : "s", sum / count, works[0].size);
}

#endif
