// SPDX-License-Identifier: Apache-2.0
// One job from spec to result. Composes image, sandbox (and cgroup, net); the only caller of all.
#ifndef BRYO_RUN_RUN_H
#define BRYO_RUN_RUN_H

struct err;
struct job_result;
struct job_spec;

// Runs the job to its end. Always fills *ret; ret->outcome is OUTCOME_FAILED with ret->err set when
// bryo itself failed. Prints nothing but notes (log.h). Everything it made is gone when it returns,
// unless the spec keeps the scratch. start_us: CLOCK_MONOTONIC when bryo started. envp: the
// launcher's own environment, from which the job's few inherited variables are taken.
void run_job(const struct job_spec *spec, char *const envp[], unsigned long start_us,
             struct job_result *ret);

#endif
