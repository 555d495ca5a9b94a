#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double cpu_s(int pid)
{
    char path[512];
    double ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        fail(path);
    for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
        unsigned long long run;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%llu", &run) == 1)
            ns += (double)run;
        fclose(file);
    }
    closedir(tasks);
    return ns / 1e9;
}

/* The number behind `name` in a file of /proc/PID. */
static double read_kib(int pid, const char *name, const char *key)
{
    char path[64];
    char line[256];
    double kib = -1;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while (kib < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtod(line + strlen(key), NULL);
    fclose(file);
    return kib;
}

double resident_kib(int pid)
{
    return read_kib(pid, "status", "VmRSS:");
}

double anonymous_kib(int pid)
{
    return read_kib(pid, "smaps_rollup", "Anonymous:");
}
