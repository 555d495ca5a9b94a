/* process.h - what a server's process has used, as /proc tells it. */
#ifndef MOIM_BENCH_PROCESS_H
#define MOIM_BENCH_PROCESS_H

/* Ends the program of a bench: a load is no place for half a success. */
_Noreturn void fail(const char *what);

/* The time, in seconds since some moment. */
double now_s(void);
/* CPU time of the process, all its threads, in seconds: finer than the ticks of its stat. */
double cpu_s(int pid);
/* Resident memory of the process, in KiB. */
double resident_kib(int pid);
/* What of that is its own and no file's: who else runs the same program does not change it. */
double anonymous_kib(int pid);

#endif
