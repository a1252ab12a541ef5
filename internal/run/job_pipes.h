// SPDX-License-Identifier: Apache-2.0
// Pipes in the place of a job's 1 and 2. Host side.
#ifndef BRYO_RUN_JOB_PIPES_H
#define BRYO_RUN_JOB_PIPES_H

struct err;
struct job_spec;

struct job_pipes {
    int output[2]; // what bryo reads; -1: none
    int inside[2]; // the job's ends
};

#define JOB_PIPES_NONE ((struct job_pipes){{-1, -1}, {-1, -1}})

// Where the spec wants to see what passes, and for a detached job, whose log "> /dev/stderr" would
// empty if it were the job's own. One for both where bryo's 1 and 2 are one file: the order of what
// is written to it stays.
int job_pipes_make(struct job_pipes *p, const struct job_spec *spec, struct err *err);

#endif
