/* floor.c - what forwarding costs when there is nothing else to do: of packets that are there
 * already, headers are rewritten for each receiver, payloads are encrypted for each, and runs are
 * sent to each; at the rhythm of a camera, until it is ended.
 *
 *     floor PORT RECEIVERS PROFILE [FPS [PACKETS [SIZE [GROUP]]]]
 *
 * PORT is that of the load (`state` tells it), whose clients are the first RECEIVERS ones and
 * `plain`; PROFILE is a number of enum secure_profile.  The rest is as in load.c.
 */
#include "load.h"
#include "track.h"

#include "base/bytes.h"
#include "process.h"
#include "wire/rtp_extensions.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BATCH       256 /* packets that are encrypted together */
#define MESSAGES    64
#define PACKET_MAX  1500
#define GROUP_MAX   32
#define SOCKET_SIZE (8 * 1024 * 1024)

struct receiver {
    struct secure_session secure;
    struct secure_window sent;
    struct sockaddr_in name;
    uint32_t ssrc, timestamp_offset;
    uint16_t number, transport_cc;
};

static struct receiver *receivers;
static unsigned receiver_count;
static struct secure_engine *engine;
static struct rtp_plan plan;
static int fd;

static uint8_t arena[BATCH * PACKET_MAX];
static struct secure_outgoing jobs[BATCH];
static struct {
    struct receiver *to;
    uint8_t *at;
    size_t size;
    uint16_t segment;
} runs[BATCH];
static unsigned job_count, run_count;
static uint8_t *arena_end = arena;

/* ---- out ---- */

static void prepare(struct mmsghdr *message, struct iovec *vector, uint8_t *control, unsigned run)
{
    *vector = (struct iovec){ runs[run].at, runs[run].size };
    message->msg_hdr = (struct msghdr){ .msg_name = &runs[run].to->name,
                                        .msg_namelen = sizeof runs[run].to->name,
                                        .msg_iov = vector,
                                        .msg_iovlen = 1 };
    if (runs[run].size <= runs[run].segment)
        return;
    message->msg_hdr.msg_control = control;
    message->msg_hdr.msg_controllen = CMSG_SPACE(sizeof(uint16_t));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message->msg_hdr);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), &runs[run].segment, sizeof(uint16_t));
}

static void flush(void)
{
    struct mmsghdr messages[MESSAGES];
    struct iovec vectors[MESSAGES];
    _Alignas(struct cmsghdr) uint8_t control[MESSAGES][CMSG_SPACE(sizeof(uint16_t))];
    secure_protect(engine, jobs, job_count);
    for (unsigned from = 0; from < run_count;) {
        unsigned count = 0;
        for (; count < MESSAGES && from + count < run_count; count++)
            prepare(&messages[count], &vectors[count], control[count], from + count);
        int step = sendmmsg(fd, messages, count, 0);
        if (step <= 0 && errno != EINTR && errno != ECONNREFUSED)
            fail("sendmmsg");
        from += step > 0 ? (unsigned)step : 0;
    }
    job_count = run_count = 0;
    arena_end = arena;
}

/* The group for one receiver: one run. */
static void put_group(struct receiver *to, uint8_t payloads[][TRACK_PAYLOAD_MAX], unsigned count,
                      size_t size, uint32_t timestamp, uint32_t time, bool ends)
{
    static const struct rtp_packet NONE;
    if (job_count + count > BATCH)
        flush();
    runs[run_count].to = to;
    runs[run_count].at = arena_end;
    runs[run_count].size = 0;
    for (unsigned i = 0; i < count; i++) {
        struct rtp_written written;
        const struct rtp_values values = { .ssrc = to->ssrc,
                                           .timestamp = timestamp + to->timestamp_offset,
                                           .sequence_number = to->number++,
                                           .payload_type = 96,
                                           .marker = ends && i + 1 == count };
        rtp_write_header(&plan, &NONE, NULL, &values, arena_end, &written);
        bytes_write_24(arena_end + written.abs_send_time_at, time);
        bytes_write_16(arena_end + written.transport_cc_at, to->transport_cc++);
        jobs[job_count++] = (struct secure_outgoing){ .key = to->secure.rtp_out,
                                                      .sent = &to->sent,
                                                      .at = arena_end,
                                                      .payload = view_make(payloads[i], size),
                                                      .header_size = written.size };
        size_t whole = written.size + size + secure_session_overhead(&to->secure);
        runs[run_count].segment = (uint16_t)whole;
        runs[run_count].size += whole;
        arena_end += whole;
    }
    run_count++;
}

/* ---- start ---- */

static void open_all(uint16_t port, uint16_t profile)
{
    const struct secure_config config = { SECURE_BEST, receiver_count, receiver_count };
    const struct net net = { .port = port };
    uint8_t material[SECURE_MATERIAL_MAX];
    int size = SOCKET_SIZE;
    if (secure_engine_new(&config, &engine) != OK)
        fail("SRTP");
    receivers = calloc(receiver_count, sizeof *receivers);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (!receivers || fd < 0)
        fail("start");
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    for (unsigned i = 0; i < receiver_count; i++) {
        struct address address = net_address(&net, i);
        struct receiver *to = &receivers[i];
        to->name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
        memcpy(&to->name.sin_addr, address.bytes, 4);
        to->ssrc = 1000 + i;
        to->timestamp_offset = i * 77777;
        if (secure_session_open(&to->secure, engine, profile, false,
                                load_material(profile, i, material)) != OK)
            fail("keys");
    }
    rtp_plan_begin(&plan, false);
    if (rtp_plan_add_abs_send_time(&plan, 2) != OK || rtp_plan_add_transport_cc(&plan, 3) != OK)
        fail("plan");
}

static void sleep_until(uint64_t ns)
{
    const struct timespec until = { .tv_sec = (time_t)(ns / 1000000000u),
                                    .tv_nsec = (long)(ns % 1000000000u) };
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static void send_group(unsigned count, size_t size, uint32_t timestamp, uint32_t *number, bool ends)
{
    static uint8_t payloads[GROUP_MAX][TRACK_PAYLOAD_MAX];
    uint64_t now = net_now_ns();
    for (unsigned i = 0; i < count; i++)
        track_write_stamp(payloads[i], size, now, (*number)++);
    for (unsigned r = 0; r < receiver_count; r++)
        put_group(&receivers[r], payloads, count, size, timestamp, rtp_abs_send_time_of(now / 1000),
                  ends);
    flush();
}

int main(int argc, char **argv)
{
    unsigned long numbers[] = { 0, 0, 0, 30, 4, 1020, 4 };
    uint32_t number = 0;
    if (argc < 4)
        return 2;
    for (int i = 1; i < argc && i <= 7; i++)
        numbers[i - 1] = strtoul(argv[i], NULL, 10);
    unsigned long fps = numbers[3], packets = numbers[4], size = numbers[5], group = numbers[6];
    receiver_count = (unsigned)numbers[1];
    if (!receiver_count || !fps || !packets || size < TRACK_STAMP_SIZE ||
        size > TRACK_PAYLOAD_MAX || !group || group > GROUP_MAX)
        return 2;
    open_all((uint16_t)numbers[0], (uint16_t)numbers[2]);
    uint64_t begun = net_now_ns();
    for (uint64_t frame = 0;; frame++) {
        uint64_t at = begun + frame * 1000000000u / fps;
        for (unsigned long left = packets; left > 0; at += TRACK_GROUP * 1000) {
            unsigned long count = left < group ? left : group;
            left -= count;
            sleep_until(at);
            send_group((unsigned)count, size, (uint32_t)(frame * 90000 / fps), &number, left == 0);
        }
    }
}
