// SPDX-License-Identifier: Apache-2.0
// When what stands in a detached job's log was printed. Beside the log lies a file of marks, each a
// time and the size that the log had then: what stands at or behind it was printed then or later.
// The log itself is what the job printed and nothing else. Host side.
#ifndef BRYO_JOBS_LOG_TIMES_H
#define BRYO_JOBS_LOG_TIMES_H

#include <stddef.h>
#include <stdint.h>

#define JOBS_TIMES "times"

struct log_mark {
    uint64_t time_us; // CLOCK_REALTIME
    uint64_t offset;
};

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

struct log_marks {
    struct log_mark *v; // in the order of the log
    size_t n;
};

// Adds those of the file that are not in *m yet. 0 or -errno.
int log_marks_read(int fd, struct log_marks *m);
void log_marks_done(struct log_marks *m);

// Pure: when the byte there was printed; 0 where no mark tells.
uint64_t log_marks_at(const struct log_marks *m, uint64_t offset);

#endif
