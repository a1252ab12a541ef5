// SPDX-License-Identifier: Apache-2.0
// One job from spec to result. Composes image, sandbox (and cgroup, net); the only caller of all.
#ifndef BRYO_RUN_RUN_H
#define BRYO_RUN_RUN_H

#include <stdint.h>

struct job_result;
struct job_spec;

// What the process that bryo is was started with.
struct launcher {
    char **argv;       // wiped in the copy of it that becomes the job's PID 1
    char *const *envp; // the few variables that a job inherits are taken from here
    uint64_t start_us; // CLOCK_MONOTONIC when it started
    int detach_fd;     // spec->detach: the job's id is written to it once the command runs; -1
    // Says what became of a detached job, in its log, before whoever waits for the job hears that
    // it has ended. NULL: nothing is said.
    void (*tell)(const struct job_spec *spec, const struct job_result *result);
};

// Runs the job to its end. Always fills *ret; ret->outcome is OUTCOME_FAILED with ret->err set when
// bryo itself failed. Prints nothing but notes (log.h). Everything it made is gone when it returns,
// unless the spec keeps the scratch. Blocks signals and sets the umask of the process.
void run_job(const struct job_spec *spec, const struct launcher *launcher, struct job_result *ret);

#endif
