// SPDX-License-Identifier: Apache-2.0
// What the files of the supervisor share: supervise.c, which hears of the job, and supervise_end.c,
// which has it end. Host side.
#ifndef BRYO_RUN_SUPERVISE_PRIV_H
#define BRYO_RUN_SUPERVISE_PRIV_H

#include "internal/jobs/job_output.h"
#include "internal/run/supervise.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct supervisor {
    const struct supervise_config *config;
    struct job_result *result;
    struct loop *loop;
    pid_t init;     // PID 1 of the job; 0 until the stager has told
    int init_pidfd; // readable when everything inside has ended
    int sigfd;
    struct job_output output;
    bool have_status;
    int wait_status;
    bool killed;    // by us
    int abort_with; // a signal that came before the command ran
    bool ended;     // PID 1 is reaped; what is left is output on its way
    int deadline;
    int grace_timer;
    int stall_timer;
    uint64_t started_us;
};

// The job's deadline counts from now; setup_us: what is granted besides, before the command runs.
void supervise_start_deadline(struct supervisor *s, uint64_t setup_us);

// The job printed something, or begins to.
void supervise_restart_stall_timer(struct supervisor *s);

// A callback of the loop: a signal came to bryo.
int supervise_on_signal(void *ctx, uint32_t events);

#endif
