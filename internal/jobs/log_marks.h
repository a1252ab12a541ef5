// SPDX-License-Identifier: Apache-2.0
// Marks of when a log grew: what stands at or behind a mark's offset was printed at its time or
// later. Pure: where they come from is log_times.h's.
#ifndef BRYO_JOBS_LOG_MARKS_H
#define BRYO_JOBS_LOG_MARKS_H

#include <stddef.h>
#include <stdint.h>

struct log_mark {
    uint64_t time_us; // CLOCK_REALTIME
    uint64_t offset;
};

struct log_marks {
    struct log_mark *v; // in the order of the log
    size_t n;
};

void log_marks_add(struct log_marks *m, const struct log_mark *v, size_t n);
void log_marks_done(struct log_marks *m);

// When the byte there was printed; 0 where no mark tells.
uint64_t log_marks_at(const struct log_marks *m, uint64_t offset);

#endif
