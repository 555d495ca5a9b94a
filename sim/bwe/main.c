/* The estimate of what lines take (media/bwe, with media/pacer), alone, on lines whose capacity is
 * known: sim_bwe, with the words of bwe/command.h. */
#include "bwe/command.h"

int main(int argc, char **argv)
{
    const struct follower_kind *const kinds[] = { &follower_ours };
    return command_run(argc, argv, kinds, 1);
}
