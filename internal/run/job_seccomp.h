// SPDX-License-Identifier: Apache-2.0
// A job's system call filter, and whoever answers the calls that it hands out (seccomp_unotify(2)).
// Host side.
#ifndef BRYO_RUN_JOB_SECCOMP_H
#define BRYO_RUN_JOB_SECCOMP_H

#include "internal/run/seccomp_program.h"
#include "internal/run/supervise.h"
#include "internal/sandbox/sandbox.h"

#include <stdbool.h>

struct err;
struct job_spec;
struct seccomp_notif;
struct seccomp_notif_resp;

// Answers a call of handler.calls: fills resp (its id is filled already) and returns 0, or answers
// by itself (an ioctl on the listener) and returns 1. It runs in the job's event loop: it must not
// wait for the job.
struct job_seccomp_handler {
    const char *const *calls; // names; NULL: none
    size_t n_calls;
    int (*handle)(void *ctx, int listener, const struct seccomp_notif *req,
                  struct seccomp_notif_resp *resp);
    void *ctx;
};

struct told;

struct job_seccomp {
    struct seccomp_program program;
    struct sock_filter *installed; // the program as the kernel gets it
    bool log;
    struct job_seccomp_handler handler;
    struct loop *loop;
    int listener;
    struct told *told; // the calls that were named
    size_t n_told;
};

#define JOB_SECCOMP_NONE \
    (struct job_seccomp) \
    {                    \
        .listener = -1   \
    }

// Makes ready what the spec asks; handler may be NULL. *ret_config stays empty with --seccomp
// unconfined and no handler. What it points to belongs to s.
int job_seccomp_prepare(struct job_seccomp *s, const struct job_spec *spec,
                        const struct job_seccomp_handler *handler, const char *bryo_dir,
                        struct sandbox_seccomp *ret_config, struct err *err);
void job_seccomp_done(struct job_seccomp *s);

// Takes the listener when it arrives and answers from then on.
struct supervise_part job_seccomp_part(struct job_seccomp *s);

#endif
