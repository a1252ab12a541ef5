// SPDX-License-Identifier: Apache-2.0
// The log of a detached job, to standard output. Host side.
#ifndef BRYO_JOBS_JOB_LOG_H
#define BRYO_JOBS_JOB_LOG_H

#include <stdint.h>

struct err;
struct job_info;
struct loop;

struct job_log {
    int fd;
    struct loop *loop;
};

#define JOB_LOG_NONE ((struct job_log){.fd = -1})

// Stands before its last so many lines; UINT64_MAX: at its start. -ENOENT: the job has none, since
// it prints where it was started.
int job_log_open(struct job_log *l, const struct job_info *job, uint64_t tail, struct err *err);

// Prints what there is. 0 or -errno (-EPIPE: nobody reads).
int job_log_print(struct job_log *l);

// Prints what comes, a twentieth of a second after it came at most.
int job_log_follow(struct job_log *l, struct loop *loop, struct err *err);

void job_log_close(struct job_log *l);

#endif
