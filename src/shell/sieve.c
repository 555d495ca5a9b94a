#include "shell/sieve.h"

#include "wire/stun.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#define UDP_HEADER   8     /* where the datagram begins, as filters see it */
#define CLASS_BITS   0x110 /* of the message's type: 0 in a request (RFC 8489, section 5) */
#define CHANNEL_BITS 0x40  /* the least first byte of what is no STUN message */

uint32_t sieve_keep(uint64_t strangers_per_s)
{
    if (strangers_per_s <= 2 * SIEVE_PER_S)
        return SIEVE_ALL;
    uint32_t keep = (uint32_t)(SIEVE_PER_S * (uint64_t)SIEVE_ALL / strangers_per_s);
    return keep < SIEVE_LEAST ? SIEVE_LEAST : keep;
}

int sieve_set(int fd, uint32_t keep)
{
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, UDP_HEADER),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, CHANNEL_BITS, 7, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, UDP_HEADER),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLASS_BITS, 5, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, UDP_HEADER + 2), /* its length */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SIEVE_SIGNED_MIN, 3, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SIEVE_ALL - 1),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, keep, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* the whole datagram */
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = { sizeof code / sizeof code[0],
                                        (struct sock_filter *)(uintptr_t)code };
    int ignored = 0;
    if (keep >= SIEVE_ALL)
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
    else if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        return ERR_IO;
    return OK;
}

uint32_t sieve_dropped(int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}
