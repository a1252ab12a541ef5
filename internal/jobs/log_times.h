// SPDX-License-Identifier: Apache-2.0
// When what stands in a detached job's log was printed: beside the log lies a file of marks
// (log_marks.h), each a time and the size that the log had then. The log itself is what the job
// printed and nothing else. Host side.
#ifndef BRYO_JOBS_LOG_TIMES_H
#define BRYO_JOBS_LOG_TIMES_H

#include "internal/jobs/log_marks.h"

#include <stdint.h>

#define JOBS_TIMES "times"

// --- for the supervisor

struct log_times {
    int fd; // -1: none
    uint64_t last_us;
};

#define LOG_TIMES_NONE ((struct log_times){.fd = -1})

// In the job's directory. 0 or -errno.
int log_times_create(int dir, struct log_times *ret);

// Something is about to be written to the log. At most a hundred marks a second are made; a line is
// dated that much too early at worst. A mark that cannot be written is left out.
void log_times_mark(struct log_times *t, int log);
void log_times_close(struct log_times *t);

// --- for everyone else

// Adds those of the file that are not in *m yet. 0 or -errno.
int log_marks_read(int fd, struct log_marks *m);

#endif
