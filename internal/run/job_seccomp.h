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
struct seccomp_data;
struct seccomp_notif;
struct seccomp_notif_resp;

struct job_seccomp;
struct supervisor;

// Somebody who answers calls that the profile allows.
struct job_seccomp_handler {
    // The front of the job's program: what it answers itself holds, what it hands out
    // (SECCOMP_RET_USER_NOTIF) goes to the handler unless the profile refuses it, and where it ends
    // the profile begins. NULL: none.
    const struct sock_filter *front;
    size_t n_front;
    // Whether a call that is handed out has to be answered, as things stand, or may go on as it is:
    // the process below costs a job that makes few of them nothing.
    bool (*matters)(const struct seccomp_data *data);
    // The first call that matters waits, or one after many that did not: a process of the handler's
    // own takes the listener over, and calls job_seccomp_serve(). -errno: it did not, and has said
    // so.
    int (*take)(void *ctx, struct job_seccomp *s, struct supervisor *supervisor);
    void (*job_ended)(void *ctx);
    // The same for a further command of the job (bryo exec), which has a listener of its own; it
    // stays the caller's. NULL: it was not taken, and that was said. drop: nobody is left under it.
    void *(*take_more)(void *ctx, struct job_seccomp *s, int listener);
    void (*drop)(void *ctx, void *taken);
    void *ctx;
};

enum { SECCOMP_MORE = 64 };

struct seccomp_more {
    int fd; // 0: a free place
    void *taken;
    struct job_seccomp *s;
};

// Fills resp, whose id is filled already.
typedef void job_seccomp_answer(void *ctx, const struct seccomp_notif *req,
                                struct seccomp_notif_resp *resp);

struct told;

struct job_seccomp {
    struct seccomp_program program;
    struct sock_filter *installed; // the program as the kernel gets it
    bool log;
    struct job_seccomp_handler handler;
    struct loop *loop;
    struct supervisor *supervisor;
    int listener;
    struct seccomp_notif *pending; // the call that made the handler's process start
    unsigned n_passed;             // calls that did not matter
    bool has_first; // the job's own command's listener came; others are of further ones
    struct seccomp_more more[SECCOMP_MORE];
    int proc; // of /proc; -1: by its name
    job_seccomp_answer *answer;
    void *answer_ctx;
    struct told *told; // the calls that were named
    size_t n_told;
};

#define JOB_SECCOMP_NONE           \
    (struct job_seccomp)           \
    {                              \
        .listener = -1, .proc = -1 \
    }

// Makes ready what the spec asks; handler may be NULL. *ret_config stays empty with --seccomp
// unconfined and no handler. What it points to belongs to s.
int job_seccomp_prepare(struct job_seccomp *s, const struct job_spec *spec,
                        const struct job_seccomp_handler *handler, const char *bryo_dir,
                        struct sandbox_seccomp *ret_config, struct err *err);
void job_seccomp_done(struct job_seccomp *s);

// Takes the listener when it arrives and answers from then on, or has the handler answer.
struct supervise_part job_seccomp_part(struct job_seccomp *s);

// In the handler's process: answers until nobody is left under the filter. What the profile refuses
// is refused (and told, with --seccomp-log); all else goes to answer.
void job_seccomp_serve(struct job_seccomp *s, int listener, int proc, job_seccomp_answer *answer,
                       void *ctx);

#endif
