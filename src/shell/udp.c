#include "shell/udp.h"

#include "shell/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define ARENA_SIZE ((size_t)UDP_SLOTS_MAX * UDP_SLOT_SIZE)

/* ---- in ---- */

int udp_arena_init(struct udp_arena *arena)
{
    void *bytes =
        mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return ERR_MEMORY;
    *arena = (struct udp_arena){ .bytes = bytes };
    return OK;
}

void udp_arena_free(struct udp_arena *arena)
{
    if (arena->bytes)
        munmap(arena->bytes, ARENA_SIZE);
    arena->bytes = NULL;
}

void udp_accept_runs(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
}

void udp_address(int fd, struct address *address)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    *address = (struct address){ .family = ADDRESS_NONE };
    if (getsockname(fd, (struct sockaddr *)&name, &size) == 0)
        sockaddr_read(&name, address);
}

static void read_control(struct msghdr *header, struct udp_received *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            out->segment = segment > 0 ? (size_t)segment : out->bytes.size;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->to.family = ADDRESS_IPV4;
            memcpy(out->to.bytes, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->to.family = ADDRESS_IPV6;
            memcpy(out->to.bytes, &info.ipi6_addr, 16);
        }
    }
}

unsigned udp_receive(struct udp_arena *arena, int fd, unsigned most,
                     struct udp_received out[UDP_RECEIVE_MAX], bool *is_drained)
{
    struct mmsghdr messages[UDP_RECEIVE_MAX];
    struct iovec vectors[UDP_RECEIVE_MAX];
    struct sockaddr_storage names[UDP_RECEIVE_MAX];
    _Alignas(struct cmsghdr) uint8_t control[UDP_RECEIVE_MAX][UDP_CONTROL_SIZE];
    assert(most && most <= UDP_RECEIVE_MAX);
    if (most > UDP_SLOTS_MAX - arena->used)
        most = UDP_SLOTS_MAX - arena->used;
    uint8_t *slot = arena->bytes + (size_t)arena->used * UDP_SLOT_SIZE;
    for (unsigned i = 0; i < most; i++) {
        vectors[i] = (struct iovec){ slot + (size_t)i * UDP_SLOT_SIZE, UDP_SLOT_SIZE };
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i],
            .msg_namelen = sizeof names[i],
            .msg_iov = &vectors[i],
            .msg_iovlen = 1,
            .msg_control = control[i],
            .msg_controllen = UDP_CONTROL_SIZE,
        };
    }
    int got = recvmmsg(fd, messages, most, MSG_DONTWAIT, NULL);
    /* an error that an ICMP message has left on the socket is told once, then reading goes on */
    *is_drained = got >= 0 ? (unsigned)got < most : errno == EAGAIN;
    for (int i = 0; i < got; i++) {
        out[i] = (struct udp_received){ .bytes = { vectors[i].iov_base, messages[i].msg_len },
                                        .segment = messages[i].msg_len };
        sockaddr_read(&names[i], &out[i].from);
        read_control(&messages[i].msg_hdr, &out[i]);
    }
    if (got > 0)
        arena->used += (unsigned)got;
    return got > 0 ? (unsigned)got : 0;
}

/* ---- out ---- */

/* Writes the control messages of a run: the address it is sent from, and its segments' size. */
static size_t write_control(const struct udp_run *run, bool is_segmented,
                            uint8_t out[UDP_CONTROL_SIZE])
{
    struct msghdr message = { .msg_control = out, .msg_controllen = UDP_CONTROL_SIZE };
    size_t size = 0;
    memset(out, 0, UDP_CONTROL_SIZE);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (run->source.family == ADDRESS_IPV4) {
        struct in_pktinfo info = { .ipi_ifindex = 0 };
        memcpy(&info.ipi_spec_dst, run->source.bytes, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        size = CMSG_SPACE(sizeof info);
    } else if (run->source.family == ADDRESS_IPV6) {
        struct in6_pktinfo info = { .ipi6_ifindex = 0 };
        memcpy(&info.ipi6_addr, run->source.bytes, 16);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        size = CMSG_SPACE(sizeof info);
    }
    if (is_segmented) {
        uint16_t segment = (uint16_t)run->segment;
        c = (struct cmsghdr *)(void *)(out + size);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
        size += CMSG_SPACE(sizeof segment);
    }
    return size;
}

static struct msghdr header_of(struct udp_run *run, bool is_segmented,
                               uint8_t control[UDP_CONTROL_SIZE])
{
    size_t control_size = write_control(run, is_segmented, control);
    return (struct msghdr){
        .msg_name = &run->name,
        .msg_namelen = run->name_size,
        .msg_iov = run->parts,
        .msg_iovlen = run->part_count,
        .msg_control = control_size ? control : NULL,
        .msg_controllen = control_size,
    };
}

/* Whether it is worth another try: the error is that of an earlier datagram, which the kernel tells
 * now and only once (IP_RECVERR). */
static bool is_of_another(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EINTR || error == EPROTO || error == EACCES;
}

static int send_message(int fd, const struct msghdr *message)
{
    ssize_t sent = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && is_of_another(errno))
        sent = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? errno : 0;
}

/* The parts of the next datagram, behind those from `from` on; gives how many. */
static size_t next_parts(const struct udp_run *run, unsigned i, struct iovec *piece,
                         struct iovec **parts)
{
    unsigned from = i ? run->ends[i - 1] : 0;
    *parts = (struct iovec *)(uintptr_t)run->parts + from;
    if (!run->is_in_one_piece)
        return (size_t)(run->ends[i] - from);
    size_t at = i * run->segment;
    size_t left = run->size - at;
    piece->iov_base = (uint8_t *)run->parts[0].iov_base + at;
    piece->iov_len = left < run->segment ? left : run->segment;
    *parts = piece;
    return 1;
}

static void send_one_by_one(struct udp_run *run)
{
    _Alignas(struct cmsghdr) uint8_t control[UDP_CONTROL_SIZE];
    struct msghdr message = header_of(run, false, control);
    for (unsigned i = 0; i < run->count; i++) {
        struct iovec piece;
        message.msg_iovlen = next_parts(run, i, &piece, &message.msg_iov);
        send_message(run->fd, &message);
    }
}

/* The kernel did not take a run as it is. */
static void send_again(struct udp_queue *queue, struct udp_run *run, int reason)
{
    _Alignas(struct cmsghdr) uint8_t control[UDP_CONTROL_SIZE];
    bool is_segmented = run->count > 1 && !queue->is_plain;
    if (is_of_another(reason)) {
        struct msghdr message = header_of(run, is_segmented, control);
        reason = send_message(run->fd, &message);
    }
    /* no checksums in hardware, segments beyond the path's MTU, or no UDP_SEGMENT at all */
    if (is_segmented && (reason == EIO || reason == EINVAL || reason == EMSGSIZE)) {
        queue->is_plain |= reason == EIO;
        send_one_by_one(run);
    }
}

/* One datagram in one piece, as most of a relay's are: the kernel has no headers to copy. */
static void send_plain(struct udp_queue *queue, struct udp_run *run)
{
    ssize_t sent =
        sendto(run->fd, run->parts[0].iov_base, run->parts[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL,
               (struct sockaddr *)&run->name, run->name_size);
    if (sent < 0)
        send_again(queue, run, errno);
}

/* Sends all runs of one socket from `first` on. */
static void send_runs(struct udp_queue *queue, unsigned first)
{
    struct mmsghdr messages[UDP_RUNS_MAX];
    _Alignas(struct cmsghdr) uint8_t control[UDP_RUNS_MAX][UDP_CONTROL_SIZE];
    struct udp_run *runs[UDP_RUNS_MAX];
    unsigned count = 0;
    for (unsigned i = first; i < queue->count; i++) {
        struct udp_run *run = &queue->runs[i];
        if (run->is_sent || run->fd != queue->runs[first].fd)
            continue;
        run->is_sent = true;
        runs[count] = run;
        messages[count].msg_hdr = header_of(run, run->count > 1, control[count]);
        count++;
    }
    if (count == 1 && runs[0]->part_count == 1 && runs[0]->source.family == ADDRESS_NONE) {
        send_plain(queue, runs[0]);
        return;
    }
    for (unsigned sent = 0; sent < count;) {
        int step =
            sendmmsg(runs[0]->fd, messages + sent, count - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (step <= 0)
            send_again(queue, runs[sent], errno);
        sent += step > 0 ? (unsigned)step : 1;
    }
}

void udp_flush(struct udp_queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++)
        if (!queue->runs[i].is_sent)
            send_runs(queue, i);
    queue->count = 0;
    queue->copied = 0;
}

/* The run that the datagram may be added to; NULL: it needs one of its own.  Only the newest of its
 * destination will do, or it would overtake others. */
static struct udp_run *find_run(struct udp_queue *queue, const struct udp_datagram *datagram,
                                size_t size)
{
    for (unsigned i = queue->count; i-- > 0;) {
        struct udp_run *run = &queue->runs[i];
        if (run->fd != datagram->fd || !address_equal(&run->to, datagram->to))
            continue;
        bool fits = !queue->is_plain && !run->is_whole && run->count < UDP_RUN_MAX &&
                    size <= run->segment && size > 0 && run->size + size <= UDP_RUN_SIZE_MAX &&
                    (!datagram->source || !memcmp(datagram->source->bytes, run->source.bytes, 16));
        return fits ? run : NULL;
    }
    return NULL;
}

static struct udp_run *new_run(struct udp_queue *queue, const struct udp_datagram *datagram,
                               size_t size)
{
    struct udp_run *run = &queue->runs[queue->count++];
    run->fd = datagram->fd;
    run->to = *datagram->to;
    run->source = (struct address){ .family = ADDRESS_NONE };
    if (datagram->source)
        run->source = *datagram->source;
    run->name_size = sockaddr_from(datagram->to, &run->name);
    run->segment = size;
    run->size = 0;
    run->count = 0;
    run->part_count = 0;
    run->is_in_one_piece = false;
    run->is_whole = false;
    run->is_sent = false;
    return run;
}

static void add_part(struct udp_queue *queue, struct udp_run *run, struct view bytes, bool copy)
{
    if (bytes.size == 0)
        return;
    if (copy) {
        uint8_t *to = queue->copies + queue->copied;
        memcpy(to, bytes.at, bytes.size);
        queue->copied += bytes.size;
        bytes.at = to;
    }
    run->parts[run->part_count++] = (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.size };
}

void udp_put(struct udp_queue *queue, const struct udp_datagram *datagram)
{
    size_t copied = datagram->header.size + datagram->trailer.size;
    size_t size = copied + datagram->payload.size;
    copied += datagram->copy ? datagram->payload.size : 0;
    assert(copied <= UDP_COPIES_SIZE);
    if (queue->copied + copied > UDP_COPIES_SIZE)
        udp_flush(queue);
    struct udp_run *run = find_run(queue, datagram, size);
    if (!run && queue->count == UDP_RUNS_MAX)
        udp_flush(queue);
    if (!run)
        run = new_run(queue, datagram, size);
    add_part(queue, run, datagram->header, true);
    add_part(queue, run, datagram->payload, datagram->copy);
    add_part(queue, run, datagram->trailer, true);
    run->size += size;
    run->is_whole = size < run->segment;
    run->ends[run->count++] = (uint8_t)run->part_count;
}

void udp_put_run(struct udp_queue *queue, const struct udp_datagram *datagrams, size_t segment)
{
    struct view bytes = datagrams->payload;
    if (bytes.size <= segment || queue->is_plain) {
        struct udp_datagram datagram = *datagrams;
        for (size_t at = 0; at < bytes.size; at += segment) {
            datagram.payload = view_slice(bytes, at, segment);
            udp_put(queue, &datagram);
        }
        return;
    }
    assert(bytes.size <= UDP_RUN_SIZE_MAX && bytes.size <= UDP_RUN_MAX * segment);
    if (queue->count == UDP_RUNS_MAX)
        udp_flush(queue);
    struct udp_run *run = new_run(queue, datagrams, segment);
    add_part(queue, run, bytes, false);
    run->size = bytes.size;
    run->count = (unsigned)((bytes.size + segment - 1) / segment);
    run->is_in_one_piece = true;
    run->is_whole = true;
}
