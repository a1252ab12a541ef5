// SPDX-License-Identifier: Apache-2.0
// The supervisor's end of a job's control socket: those who wait for the job, type to it, or have
// further commands started in it. Host side.
#ifndef BRYO_RUN_JOB_CONTROL_H
#define BRYO_RUN_JOB_CONTROL_H

#include "internal/jobs/jobs.h"
#include "internal/run/supervise.h"

#include <stdbool.h>
#include <sys/types.h>

struct control_exec;
struct err;
struct exec_request;
struct job_result;
struct loop;

struct control_client {
    int sock; // -1: a free place
    int tag;  // of the command that it started; 0: none
    pid_t pid;
    uid_t uid;
    struct job_control *control;
};

enum { CONTROL_CLIENTS = 64 };

struct job_control {
    int listener;
    int input; // the write end of the job's standard input, -1: none; the caller's
    int last_tag;
    struct loop *loop;
    struct supervisor *supervisor;
    struct control_client clients[CONTROL_CLIENTS];
    // Fills in what the user left out, and finds the user's ids in the root: on success the request
    // is good until release() is called.
    int (*resolve)(void *ctx, const struct control_exec *e, struct exec_request *ret,
                   struct err *err);
    void (*release)(void *ctx);
    int (*guard)(void *ctx); // see exec_guard_pack()
    void *ctx;
};

void job_control_init(struct job_control *c);

// Listens in the job's directory.
int job_control_open(struct job_control *c, const struct job_dir *dir, struct loop *loop,
                     struct supervisor *s, struct err *err);

// For supervise_part.message.
int job_control_message(struct job_control *c, const struct channel_msg *msg, int *fd);

// Tells everyone how the job ended, and closes.
void job_control_end(struct job_control *c, int exit_status);

#endif
