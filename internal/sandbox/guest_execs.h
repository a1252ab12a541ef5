// SPDX-License-Identifier: Apache-2.0
// Further commands that the launcher has PID 1 start in the running job, as children of it: they
// get everything that the job's command got (ids, limits, filter), and no way into the job is
// needed from outside. Guest side.
#ifndef BRYO_SANDBOX_GUEST_EXECS_H
#define BRYO_SANDBOX_GUEST_EXECS_H

#include <stdbool.h>
#include <sys/types.h>

struct channel_msg;
struct sandbox_config;

enum { GUEST_EXECS_MAX = 64 };

struct guest_execs {
    const struct sandbox_config *config;
    int chan;
    int stdio[3]; // of the next one; -1: not given
    struct {
        pid_t pid; // 0: a free place
        int tag;
    } running[GUEST_EXECS_MAX];
};

void guest_execs_init(struct guest_execs *e, const struct sandbox_config *config, int chan);

// Reads one message of the channel. -errno when the launcher is gone, or speaks nonsense.
int guest_execs_message(struct guest_execs *e);

// A child of PID 1 was reaped: tells the launcher when it was one of these.
void guest_execs_reaped(struct guest_execs *e, pid_t pid, int wait_status);

#endif
