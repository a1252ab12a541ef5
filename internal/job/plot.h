// SPDX-License-Identifier: Apache-2.0
// Samples of --stats-log as one SVG: processor time, memory against its limit, input and output,
// stalls, over time. Pure.
#ifndef BRYO_JOB_PLOT_H
#define BRYO_JOB_PLOT_H

#include <stddef.h>

struct buf;
struct stats_row;

// title: shown at the top, any text. 0, or -EINVAL where there are fewer than two samples.
int plot_svg(const struct stats_row *rows, size_t n, const char *title, struct buf *out);

#endif
