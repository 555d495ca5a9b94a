/* What the server has cost, and what it has done for that. */
#include "load.h"

#include "process.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double server_cpu_s(const struct load *load)
{
    double sum = 0;
    for (unsigned i = 0; i < load->pid_count; i++)
        sum += cpu_s(load->pids[i]);
    return sum;
}

static double own_cpu_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double load_memory_kib(const struct load *load)
{
    double sum = 0;
    for (unsigned i = 0; i < load->pid_count; i++)
        sum += anonymous_kib(load->pids[i]);
    return sum;
}

static uint64_t lost(const struct load *load)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < load->client_count; i++)
        for (unsigned s = 0; load->clients[i] && s < load->clients[i]->hearer.stream_count; s++)
            sum += reception_lost(&load->clients[i]->hearer.streams[s]->reception);
    return sum;
}

uint64_t load_keys(const struct load *load)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < load->client_count; i++)
        for (unsigned t = 0; load->clients[i] && t < load->clients[i]->track_count; t++)
            sum += load->clients[i]->tracks[t]->keys;
    return sum;
}

void load_measure(struct load *load, usec now, double seconds)
{
    tally_clear(&load->tally);
    load->mark = (struct load_mark){ .until = now + (usec)(seconds * (double)USEC_S),
                                     .wall = now_s(),
                                     .cpu = server_cpu_s(load),
                                     .own_cpu = own_cpu_s(),
                                     .lost = lost(load),
                                     .keys = load_keys(load) };
}

void load_measured(struct load *load, usec now)
{
    const struct tally *tally = &load->tally;
    if (load->mark.until == 0 || now < load->mark.until)
        return;
    load->mark.until = 0;
    double wall = now_s() - load->mark.wall;
    double cpu = server_cpu_s(load) - load->mark.cpu;
    double own = own_cpu_s() - load->mark.own_cpu;
    double packets = tally->packets ? (double)tally->packets : 1;
    double more = (double)load->open_count - (double)load->marked_count;
    double kib = load->pid_count ? load_memory_kib(load) - load->marked_kib : 0;
    printf("result cpu_us=%.3f per_s=%.0f busy=%.1f own_busy=%.1f up_per_s=%.0f lost=%llu "
           "p50_us=%.0f p99_us=%.0f p999_us=%.0f kib=%.1f keys=%llu nacks=%llu repeats=%llu "
           "doubles=%llu others=%llu wrong=%llu plis=%llu reports=%llu feedbacks=%llu "
           "thrown=%llu\n",
           cpu / packets * 1e6, (double)tally->packets / wall, cpu / wall * 100, own / wall * 100,
           (double)tally->gone_up / wall, (unsigned long long)(lost(load) - load->mark.lost),
           tally_quantile_us(tally, 0.5), tally_quantile_us(tally, 0.99),
           tally_quantile_us(tally, 0.999), more > 0 ? kib / more : 0,
           (unsigned long long)(load_keys(load) - load->mark.keys),
           (unsigned long long)tally->nacks, (unsigned long long)tally->repeats,
           (unsigned long long)tally->doubles, (unsigned long long)tally->others,
           (unsigned long long)tally->wrong, (unsigned long long)tally->plis,
           (unsigned long long)tally->reports, (unsigned long long)tally->feedbacks,
           (unsigned long long)tally->thrown);
}
