/* load.h - the whole load: all clients, what is measured, and the lines that steer it.
 *
 * Lines on the standard input, and what comes of them on the standard output; `SDP` is in base64url
 * without padding, NAME is any word, and a client of that name is made when there is none:
 *
 *     server PID [PID ...]              whose CPU and memory are measured
 *     publish NAME [audio] [video]      a client that has these to send
 *     offer NAME [AUDIO VIDEO]          -> offer NAME SDP: of what it sends, and so many sections
 *                                       more to receive
 *     take NAME SDP                     the answer to that
 *     answer NAME SDP                   -> answer NAME SDP: to an offer of the server
 *     plain NAME PROFILE                a client without ICE and DTLS, for the floor
 *     close NAME
 *     mark                              memory from here on is that of the clients to come
 *     measure SECONDS                   -> result KEY=VALUE ...
 *     state                             -> state clients=N connected=N streams=N keys=N (of these,
 *                                       so many have shown a picture) sent_keys=N port=N
 *     quit
 *
 * By themselves come `connected NAME`, `ended NAME WHY`, and `error TEXT` for a line that was
 * wrong.
 */
#ifndef MOIM_BENCH_SFU_LOAD_H
#define MOIM_BENCH_SFU_LOAD_H

#include "client.h"

#define LOAD_CLIENTS_MAX 4096
#define LOAD_PIDS_MAX    4

/* What was so when measuring began. */
struct load_mark {
    usec until; /* 0: nothing is being measured */
    double wall, cpu, own_cpu;
    uint64_t lost;
    uint64_t keys;
};

struct load {
    struct house house;
    struct tally tally;
    struct track_rhythm video, audio;
    bool has_nack;
    double loss;
    uint16_t profile;
    struct client *clients[LOAD_CLIENTS_MAX];
    uint32_t client_count; /* that ever were: one's host is its place here */
    unsigned open_count;
    int pids[LOAD_PIDS_MAX];
    unsigned pid_count;
    double marked_kib;
    unsigned marked_count;
    struct load_mark mark;
    bool is_over;
};

/* Carries out a line, which is changed. */
void load_command(struct load *load, usec now, char *line);

/* Says what has been measured, when the time for it is over. */
void load_measure(struct load *load, usec now, double seconds);
void load_measured(struct load *load, usec now);

double load_memory_kib(const struct load *load);
/* Key frames that our cameras have sent. */
uint64_t load_keys(const struct load *load);

/* Key material for clients without DTLS: the same in the floor. */
struct view load_material(uint16_t profile, uint32_t host, uint8_t out[SECURE_MATERIAL_MAX]);

#endif
