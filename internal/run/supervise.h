// SPDX-License-Identifier: Apache-2.0
// Watches over a job from its clone to its end: what it says on the channel, signals to hand on,
// its deadlines, its terminal. Host side.
#ifndef BRYO_RUN_SUPERVISE_H
#define BRYO_RUN_SUPERVISE_H

#include "internal/sandbox/sandbox.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct job_result;
struct job_spec;

struct channel_msg;
struct loop;
struct outfilter;
struct supervisor;
struct signalfd_siginfo;

// A process of the machine that wants a signal sent.
struct signal_sender {
    int sig;
    pid_t pid;
    uid_t uid;
};

// Something besides the job that lives as long as it does: a network process, samples of usage.
// Each function may be NULL.
struct supervise_part {
    // Adds what it watches to the loop, before the job's command runs. A failure ends the job.
    int (*start)(void *ctx, struct loop *loop, struct supervisor *s, struct err *err);
    // A descriptor from inside (channel.h). 1: taken; 0: somebody else's; -errno: the job ends.
    int (*received)(void *ctx, int tag, int fd);
    // A message that is not the supervisor's own. 1: taken; 0: somebody else's; -errno: the job
    // ends.
    int (*message)(void *ctx, const struct channel_msg *msg, int *fd);
    void (*job_started)(void *ctx); // the command runs
    // Something that the job printed is about to be handed on, where bryo does that (job_output.h).
    void (*output)(void *ctx);
    // It is about to be asked to end: by a signal that bryo got, or (from is NULL) by a deadline.
    void (*asked_to_end)(void *ctx, pid_t init, const struct signalfd_siginfo *from);
    // Another bryo (bryo kill, bryo stop) has it sent a signal that ends what does not catch it.
    void (*signalled)(void *ctx, const struct signal_sender *from);
    void (*grace_over)(void *ctx, pid_t init); // it did not, and is about to be killed
    void (*job_ended)(void *ctx);              // nothing of the job is left but output on its way
    void *ctx;
};

// What follows is for the parts.

// Everything inside is killed; the job did not end by itself.
void supervisor_kill(struct supervisor *s);
// The same, and bryo itself has failed: exit status 125.
void supervisor_fail(struct supervisor *s, const struct err *err);

// The job's PID 1, in the launcher's PID namespace; 0 before it is known.
pid_t supervisor_init(const struct supervisor *s);
// The master of the job's terminal, the supervisor's own; -1 where there is none.
int supervisor_tty(const struct supervisor *s);
// To the job's command, as another bryo asks; SIGKILL ends everything inside.
void supervisor_signal(struct supervisor *s, const struct signal_sender *from);
// To PID 1 (channel.h). 0 or -errno.
int supervisor_send(const struct supervisor *s, const struct channel_msg *msg, int fd);

struct supervise_config {
    const struct job_spec *spec;
    struct sandbox *sandbox;
    const sigset_t *signals; // blocked, to be read and handed on
    int *output; // two read ends of pipes that stand for the job's 1 and 2, -1: not relayed; closed
                 // (and -1) once nobody takes what comes out of them
    struct outfilter *filters[2];  // see job_output.h
    uint64_t start_us;             // CLOCK_MONOTONIC when bryo started
    void (*on_started)(void *ctx); // the command runs; called once
    void (*on_alone)(void *ctx);   // it ended, and nobody else is left to write
    void *ctx;
    const struct supervise_part *parts;
    size_t n_parts;
};

// Returns when nothing of the job is left. Fills the outcome, the times and the usage of *result.
void supervise(const struct supervise_config *config, struct job_result *result);

// The signals that are handed on: those of the list that were not ignored when bryo started
// (nohup(1), a shell's background jobs). Blocks them and SIGPIPE, and sets SIGCHLD to its default,
// without which nothing could be waited for.
int supervise_block_signals(sigset_t *ret, struct err *err);

#endif
