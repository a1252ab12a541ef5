// SPDX-License-Identifier: Apache-2.0
// What a further command of a job gets where the user said nothing: the job's own environment, user
// and working directory. Host side.
#ifndef BRYO_RUN_JOB_EXEC_H
#define BRYO_RUN_JOB_EXEC_H

struct control_exec;
struct err;
struct exec_request;
struct job_entry;

// For job_control.resolve and .release; ctx is the struct job_entry.
int job_exec_resolve(void *ctx, const struct control_exec *e, struct exec_request *ret,
                     struct err *err);
void job_exec_release(void *ctx);

// For job_control.guard.
int job_exec_guard(void *ctx);

#endif
