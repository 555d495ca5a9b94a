/* plot.h - draws what became of a scenario as SVG, and writes it as a table.
 *
 * Over time: what the line took, what the server believed and what it sent; the encoding that was
 * shown; the line's queue, and freezes; pictures a second.
 */
#ifndef MOIM_SIM_QUALITY_PLOT_H
#define MOIM_SIM_QUALITY_PLOT_H

#include "quality/stage.h"

#include <stdio.h>

/* Of its first viewer. */
void plot_write(FILE *file, const struct stage *stage, uint64_t seed);
/* The same in figures, a row a sample: to read causes from. */
void plot_rows(FILE *file, const struct stage *stage);

#endif
