/* command.h - plays courses with followers, and prints tables: what the programs have in common
 * that hold estimates against lines whose capacity is known.
 *
 *     [--check] [--plots FOLDER] [--recording FILE] [COURSE ...] [FIRST [COUNT]]
 *
 * Each course (of those named, or all) with so many seeds from the first on; for each follower a
 * row of means.  --check: TAP, and the first follower is held to the course's bounds.  --plots: of
 * each course's first seed and each follower an SVG, and a table.  --recording: that, instead of
 * the courses (netem/capacity.h): all of it, and a minute at least.
 */
#ifndef MOIM_SIM_BWE_COMMAND_H
#define MOIM_SIM_BWE_COMMAND_H

#include "bwe/follower.h"

/* Gives what the program is to end with: 1 when something is not within its bounds. */
int command_run(int argc, char **argv, const struct follower_kind *const *kinds, unsigned count);

#endif
