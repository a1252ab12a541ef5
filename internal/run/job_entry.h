// SPDX-License-Identifier: Apache-2.0
// A running job's entry among the user's jobs (jobs.h): made when it is detached or has run for a
// moment, gone with it unless it is detached. Host side.
#ifndef BRYO_RUN_JOB_ENTRY_H
#define BRYO_RUN_JOB_ENTRY_H

#include "internal/jobs/jobs.h"
#include "internal/jobs/log_times.h"
#include "internal/run/job_control.h"
#include "internal/run/job_users.h"
#include "internal/run/supervise.h"

struct err;
struct exec_args;
struct idmaps;
struct job_result;
struct job_spec;

struct job_entry {
    const struct job_spec *spec;
    char *const *envp;
    int detach_fd;       // whoever waits for a detached job to start reads its id from it; -1
    const char *id;      // of the job
    const char *workdir; // inside
    const char *cgroup;  // absolute path, or NULL
    char *const *env;    // of the job
    const struct job_user *user;
    struct user_source users;
    const struct idmaps *maps;
    const struct strv *ports; // published
    struct job_dir dir;
    struct job_control control;
    struct exec_args *exec; // of the command that is being started
    int log;                // of a detached job, -1
    struct log_times times; // of what is written to it
    int terminal[2];        // bryo's own 1 and 2, until a detached job runs
    bool never_ran;         // it was still bryo's own when the job was over
    int input[2];           // a pipe that stands for 0 of a detached job with -i
    struct loop *loop;
    struct supervisor *supervisor;
};

// The fields above dir are the caller's to fill in then.
void job_entry_init(struct job_entry *e);

// A detached job gets its directory and its log now, and bryo's own output goes there. Does nothing
// for another.
int job_entry_detach(struct job_entry *e, struct err *err);

// The part of the supervisor's.
struct supervise_part job_entry_part(struct job_entry *e);

// What is to be said about a detached job that never ran is said where it was asked for: bryo's own
// output is that again.
void job_entry_return(struct job_entry *e);

// The job is over, or never began: whoever waits for it hears of it. After job_entry_return().
// Closes everything; may be called without the others.
void job_entry_end(struct job_entry *e, const struct job_result *result);

#endif
