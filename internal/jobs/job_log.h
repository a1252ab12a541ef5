// SPDX-License-Identifier: Apache-2.0
// The log of a detached job, to standard output. Host side.
#ifndef BRYO_JOBS_JOB_LOG_H
#define BRYO_JOBS_JOB_LOG_H

#include "internal/jobs/log_times.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct job_info;
struct loop;

// What of it is printed. A line's time is that of its beginning.
struct job_log_view {
    uint64_t tail;     // only so many last lines; UINT64_MAX: all
    uint64_t since_us; // CLOCK_REALTIME; 0: from its start
    uint64_t until_us; // UINT64_MAX: to its end
    bool timestamps;   // in front of each line
};

#define JOB_LOG_ALL ((struct job_log_view){.tail = UINT64_MAX, .until_us = UINT64_MAX})

struct job_log {
    int fd;
    int times; // -1: nobody wants to know
    struct loop *loop;
    struct job_log_view view;
    struct log_marks marks;
    uint64_t at;      // what was read
    bool inside_line; // of that, whether a line is unfinished
    bool hidden;      // the line that is read is not to be shown
    bool over;        // all that is behind is too late
};

#define JOB_LOG_NONE ((struct job_log){.fd = -1, .times = -1})

// Stands before what is to be printed. -ENOENT: the job has no log, since it prints where it was
// started; or nothing tells the time of its lines, and the view asks for it.
int job_log_open(struct job_log *l, const struct job_info *job, const struct job_log_view *view,
                 struct err *err);

// Prints what there is. 0 or -errno (-EPIPE: nobody reads).
int job_log_print(struct job_log *l);

// Prints what comes, a twentieth of a second after it came at most; stops the loop when all that
// could come is too late.
int job_log_follow(struct job_log *l, struct loop *loop, struct err *err);

void job_log_close(struct job_log *l);

#endif
