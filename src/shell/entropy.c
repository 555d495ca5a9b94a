#include "shell/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void fill(void *context, void *into, size_t size)
{
    char *at = into;
    (void)context;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            perror("moim: getrandom");
            abort();
        }
        at += got;
        size -= (size_t)got;
    }
}

struct random entropy_random(void)
{
    return (struct random){ .fill = fill };
}
