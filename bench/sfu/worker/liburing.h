/* liburing.h - what mediasoup's worker calls of a newer liburing than Debian 12's. */
#ifndef MOIM_BENCH_SFU_WORKER_LIBURING_H
#define MOIM_BENCH_SFU_WORKER_LIBURING_H

#include_next <liburing.h>

inline int io_uring_major_version()
{
    return 2;
}

inline int io_uring_minor_version()
{
    return 3;
}

inline void io_uring_prep_sendto(io_uring_sqe *sqe, int fd, const void *bytes, size_t size,
                                 int flags, const sockaddr *to, socklen_t to_size)
{
    io_uring_prep_send(sqe, fd, bytes, size, flags);
    io_uring_prep_send_set_addr(sqe, to, static_cast<uint16_t>(to_size));
}

#endif
