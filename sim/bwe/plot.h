/* plot.h - draws what became of a course as SVG: over time what the line took, what was estimated
 * and what came; and how long packets waited.
 */
#ifndef MOIM_SIM_BWE_PLOT_H
#define MOIM_SIM_BWE_PLOT_H

#include "bwe/play.h"

#include <stdio.h>

void plot_course(FILE *file, const struct play *play, uint64_t seed);
/* The same in figures, a row a sample. */
void plot_rows(FILE *file, const struct play *play);

#endif
