// SPDX-License-Identifier: Apache-2.0
// What --guard and --secret do to a job's output while it runs. Host side.
#ifndef BRYO_RUN_JOB_GUARD_H
#define BRYO_RUN_JOB_GUARD_H

#include "internal/job/outfilter.h"

#include <stdbool.h>

struct err;
struct job_spec;

struct job_guard {
    struct masker masker;
    struct outfilter *filter[2]; // of 1 and 2, NULL: what is printed stays as it is
    struct outfilter filters[2];
    char token[33]; // "": the log's reader was not asked to stop
};

// Whether the job's output has to go through bryo for it.
bool job_guard_filters(const struct job_spec *spec);

// Where secrets are given: no core of this process or of what it clones, which have them in memory.
void job_guard_protect(const struct job_spec *spec);

// With --guard below GitHub's runner: tells it to take no commands until it sees a token that the
// job cannot know. The guard of each line (guard.h) holds without that, and has to: the runner
// reads standard output and error as two streams, and may get to the token in one before it has
// read all of the other.
int job_guard_stop_commands(struct job_guard *g, const struct job_spec *spec, char *const envp[],
                            struct err *err);

// Sets the filters up. Comes after the clone: what the job's init inherits of this process has no
// automaton made of secrets in it.
void job_guard_start(struct job_guard *g, const struct job_spec *spec);

// Everything that the job printed is written. May be called without the others.
void job_guard_end(struct job_guard *g);

#endif
