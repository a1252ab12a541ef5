// SPDX-License-Identifier: Apache-2.0
// What a further command of a job prints (bryo exec) is masked and guarded as the job's own output
// is. It passes by whoever asked for it, not by the job's bryo: so that one is handed the values,
// by a descriptor of memory over the job's control socket. It is the same user's, who could have
// the job print them. Host side.
#ifndef BRYO_RUN_EXEC_GUARD_H
#define BRYO_RUN_EXEC_GUARD_H

#include "internal/job/spec.h"
#include "internal/run/job_guard.h"

// The supervisor's side: a descriptor to be handed on; -ENOENT: the job's output stays as it is.
int exec_guard_pack(const struct job_spec *spec);

struct exec_guard {
    struct job_spec spec; // of it only what concerns the output; secrets are owned
    struct job_guard guard;
    bool on;
    int read[2];  // of the pipes that stand for 1 and 2, or -1
    int write[2]; // their other ends
    int rest[2];  // read once more, for who is left behind
};

#define EXEC_GUARD_NONE                                         \
    (struct exec_guard)                                         \
    {                                                           \
        .read = {-1, -1}, .write = {-1, -1}, .rest = { -1, -1 } \
    }

// What came by the descriptor. Sets g->guard.filter, and without a terminal (tty) opens the pipes:
// one for both where bryo's own 1 and 2 are one file, so that the order of what is written stays.
int exec_guard_take(struct exec_guard *g, int fd, bool tty, struct err *err);

// The command has ended. What it left behind in the job may hold the pipes: once g->read is closed
// and nothing else is to be done, a process in the background reads on until nobody does, since
// who writes would else end by SIGPIPE. What is written is lost, since bryo exec is over.
void exec_guard_ended(struct exec_guard *g);
void exec_guard_leave(struct exec_guard *g);

void exec_guard_done(struct exec_guard *g);

#endif
