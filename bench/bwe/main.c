/* Estimates of what lines take, ours and mediasoup's, on lines whose capacity is known: bench_bwe,
 * with the words of bwe/command.h.  bench/bwe/run builds it. */
#include "bwe/command.h"

extern const struct follower_kind follower_mediasoup;

int main(int argc, char **argv)
{
    const struct follower_kind *const kinds[] = { &follower_ours, &follower_mediasoup };
    return command_run(argc, argv, kinds, sizeof kinds / sizeof kinds[0]);
}
