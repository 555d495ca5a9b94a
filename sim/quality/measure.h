/* measure.h - what is measured of a scenario that has been played, between two times in seconds.
 *
 * Where there are many viewers, it is of the one who fares worst.
 */
#ifndef MOIM_SIM_QUALITY_MEASURE_H
#define MOIM_SIM_QUALITY_MEASURE_H

#include "quality/stage.h"

/* What the server sent, as a part of what the line takes. */
double measure_use(const struct stage *stage, double from, double to);
/* The same of the first publisher. */
double measure_uplink_use(const struct stage *stage, double from, double to);
/* What it sent, in Mbit/s. */
double measure_upload(const struct stage *stage, double from, double to);
/* How many pictures a second were shown. */
double measure_fps(const struct stage *stage, double from, double to);
/* Seconds: the longest freeze, and all together. */
double measure_freeze(const struct stage *stage, double from, double to);
double measure_frozen(const struct stage *stage, double from, double to);
/* Seconds from `from` until what is sent has come down to what the line takes, over half a second;
 * to - from when it never does. */
double measure_down(const struct stage *stage, double from, double to);
/* The same until it is four fifths of it again, over a second. */
double measure_up(const struct stage *stage, double from, double to);
/* ms that a packet waits in the line's queue, in the mean, and for 95 of 100. */
double measure_queue(const struct stage *stage, double from, double to);
double measure_queue_95(const struct stage *stage, double from, double to);
/* The encoding that is shown, from 1 on, in the mean. */
double measure_layer(const struct stage *stage, double from, double to);
/* The same of whoever speaks, at the first viewer. */
double measure_speaker(const struct stage *stage, double from, double to);
/* How often another one became dominant, all in all. */
double measure_turns(const struct stage *stage, double from, double to);
/* Seconds: the longest freeze of any picture. */
double measure_freeze_of_all(const struct stage *stage, double from, double to);
/* Of what came over the line, the part that was the server's and not TCP's. */
double measure_share(const struct stage *stage, double from, double to);
/* What was received, as a part of the best that the line takes with a bit to spare: sound, and the
 * highest encoding that fits (of the lowest, perhaps not all temporal layers). */
double measure_ladder(const struct stage *stage, double from, double to);
/* Sound: frames that came, of those that were sent; and the longest time without any, in s. */
double measure_sound(const struct stage *stage, double from, double to);
double measure_sound_gap(const struct stage *stage, double from, double to);
/* The rung of the ladder (media/sound.h) on which it is, in the mean; 0: it goes as it came. */
double measure_rung(const struct stage *stage, double from, double to);
/* Pictures that could not have been decoded, though nothing was missing; of the whole time. */
double measure_corrupt(const struct stage *stage, double from, double to);
/* Switches to another encoding, of the whole time. */
double measure_switches(const struct stage *stage, double from, double to);

#endif
