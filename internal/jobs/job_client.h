// SPDX-License-Identifier: Apache-2.0
// What can be done to a job that another bryo supervises. Host side. All want a job that runs:
// -ESRCH with words when it does not.
#ifndef BRYO_JOBS_JOB_CLIENT_H
#define BRYO_JOBS_JOB_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

struct control_exec;
struct err;
struct job_info;
struct job_log_view;
struct usage;

// -EAGAIN with words where the job is paused: nothing can be done in it then.
int job_client_not_paused(const struct job_info *job, struct err *err);

// A connection to its supervisor, the caller's to close; or -errno.
int job_client_connect(const struct job_info *job, struct err *err);

// One of the signals that reach a job's command, or SIGKILL for all of it.
int job_client_signal(const struct job_info *job, int sig, struct err *err);

// Stops all of it where it is (cgroup.freeze, else SIGSTOP), and lets it go on.
int job_client_pause(const struct job_info *job, bool pause, struct err *err);

// Waits for its end, at most so long (UINT64_MAX: for ever). 1: it has ended, *ret_status is its
// exit status; 0: it has not.
int job_client_wait(struct job_info *job, uint64_t timeout_us, int *ret_status, struct err *err);

struct exec_how {
    bool tty;                   // a terminal of its own
    bool interactive;           // it reads standard input
    bool silent;                // it has /dev/null for 0, 1 and 2
    void (*started)(void *ctx); // it runs; may be NULL
    void *ctx;
};

// Starts a command in it and stays until that ends; 0, 1 and 2 are the command's own, or the user's
// terminal is its. *ret_status: the command's exit status, 128+n for signal n.
int job_client_exec(const struct job_info *job, const struct control_exec *e,
                    const struct exec_how *how, int *ret_status, struct err *err);

// Prints what a detached job prints from now on, until it ends. input: hands it what is typed;
// signals: and the signals, which else only end the looking. *ret_status: the job's, or 0 where it
// was left before.
int job_client_attach(const struct job_info *job, bool input, bool signals, int *ret_status,
                      struct err *err);

// Prints the log of a detached job; follow: and what comes, until the job ends.
int job_client_logs(const struct job_info *job, bool follow, const struct job_log_view *view,
                    struct err *err);

// What it uses, as its cgroup counts, or where it has none as /proc says of its processes.
int job_client_usage(const struct job_info *job, struct usage *ret, struct err *err);

#endif
