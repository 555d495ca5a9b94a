/* Data channels of usrsctp, measured: see bench.h. */
#include "bench.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <usrsctp.h>

struct end {
    struct ends *ends;
    struct end *other;
    struct socket *socket;
};

struct ends {
    struct end two[2];
    struct link link;
    unsigned heard;
};

static int output(void *address, void *bytes, size_t size, uint8_t tos, uint8_t df)
{
    struct end *end = address;
    (void)tos;
    (void)df;
    link_put(&end->ends->link, end->other, bytes, size);
    return 0;
}

static int input(struct socket *socket, union sctp_sockstore address, void *data, size_t size,
                 struct sctp_rcvinfo info, int flags, void *context)
{
    struct end *end = context;
    (void)socket;
    (void)address;
    (void)size;
    (void)info;
    if (data && !(flags & MSG_NOTIFICATION))
        end->ends->heard++;
    free(data);
    return 1;
}

static void deliver(struct ends *ends)
{
    while (ends->link.first != ends->link.next) {
        struct way *way = &ends->link.ways[ends->link.first++ % WAY_MAX];
        usrsctp_conninput(way->to, way->bytes, way->size, 0);
    }
}

static void make_end(struct ends *ends, unsigned n)
{
    struct end *end = &ends->two[n];
    struct sctp_initmsg init = { .sinit_num_ostreams = 64, .sinit_max_instreams = 64 };
    struct sockaddr_conn self = { .sconn_family = AF_CONN, .sconn_port = htons(5000), end };
    int on = 1;
    end->ends = ends;
    end->other = &ends->two[!n];
    usrsctp_register_address(end);
    end->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, input, NULL, 0, end);
    if (!end->socket || usrsctp_set_non_blocking(end->socket, 1) ||
        usrsctp_setsockopt(end->socket, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) ||
        usrsctp_setsockopt(end->socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) ||
        usrsctp_bind(end->socket, (struct sockaddr *)&self, sizeof self))
        abort();
}

static struct ends *make(void)
{
    struct ends *ends = calloc(1, sizeof *ends);
    if (!ends)
        abort();
    for (unsigned n = 0; n < 2; n++)
        make_end(ends, n);
    for (unsigned n = 0; n < 2; n++) {
        struct sockaddr_conn other = { .sconn_family = AF_CONN,
                                       .sconn_port = htons(5000),
                                       &ends->two[n] };
        (void)usrsctp_connect(ends->two[n].socket, (struct sockaddr *)&other, sizeof other);
    }
    deliver(ends);
    return ends;
}

void work_run(struct work *work)
{
    static const uint8_t MESSAGE[200];
    struct ends *ends = work->ends;
    struct sctp_sendv_spa spa = { .sendv_flags = SCTP_SEND_SNDINFO_VALID };
    spa.sendv_sndinfo.snd_ppid = htonl(53);
    spa.sendv_sndinfo.snd_flags = SCTP_EOR;
    for (unsigned i = 0; i < work->messages; i++) {
        if (usrsctp_sendv(ends->two[i % 2].socket, MESSAGE, work->size, NULL, 0, &spa, sizeof spa,
                          SCTP_SENDV_SPA, 0) < 0)
            abort();
        deliver(ends);
    }
    if (ends->heard != work->messages)
        abort();
}

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int main(int count, char **arguments)
{
    unsigned threads = count > 1 ? (unsigned)atoi(arguments[1]) : 1;
    struct work works[THREADS_MAX] = { 0 };
    struct timespec before;
    struct timespec after;
    if (threads < 1 || threads > THREADS_MAX)
        return 2;
    usrsctp_init_nothreads(0, output, NULL);
    for (unsigned i = 0; i < threads; i++)
        works[i] = (struct work){ .ends = make(), .messages = 200000, .size = 200 };
    work_all("usrsctp", works, threads);
    size_t empty = used();
    for (unsigned i = 0; i < 200; i++)
        (void)make();
    printf("usrsctp    %zu bytes an association\n",
           (used() - empty) / 400 - sizeof(struct link) / 2);
    for (unsigned i = 0; i < 100; i++) /* what is still to be said */
        usrsctp_handle_timers(10);
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (unsigned i = 0; i < 100; i++)
        usrsctp_handle_timers(10);
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("usrsctp    %.1f us every 10 ms for the timers of 400 idle associations\n",
           ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)after.tv_nsec -
            (double)before.tv_nsec) /
               1e5);
    fflush(stdout);
    _Exit(0); /* it has threads of its own */
}
