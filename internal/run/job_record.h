// SPDX-License-Identifier: Apache-2.0
// The text of a running job's record (jobs.h). Pure.
#ifndef BRYO_RUN_JOB_RECORD_H
#define BRYO_RUN_JOB_RECORD_H

#include <stdint.h>
#include <sys/types.h>

struct buf;

struct job_record {
    char id[17];
    pid_t launcher;
    pid_t init;         // the job's PID 1, on the machine
    char *cgroup;       // the directory of its cgroup, "" where it has none
    uint64_t started_s; // CLOCK_REALTIME
    char *command;      // one line, escaped (escape.h)
};

void job_record_done(struct job_record *record);
#define AUTO_JOB_RECORD AUTO(job_record_done)

// What a record's file holds, and back: -EINVAL for what is none.
void job_record_format(const struct job_record *record, struct buf *out);
int job_record_parse(const char *text, struct job_record *ret);

#endif
