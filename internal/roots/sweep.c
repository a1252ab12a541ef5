// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/sweep.h"

#include "internal/base/proc.h"
#include "internal/job/spec.h"
#include "internal/roots/scratch.h"
#include "internal/sandbox/host_identity.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

// With the widest maps that this user can have: the dead job may have had more ids than this one.
static void sweep_all(const struct scratch *own)
{
    struct job_spec spec;
    struct host_identity identity;
    job_spec_init(&spec);
    if (host_identity_choose(&spec, 0, 0, &identity, NULL) < 0)
        return;
    scratch_sweep(own, &identity.maps);
}

void sweep_start(struct sweep *sweep, const struct scratch *own)
{
    if (scratch_find_dead(own) == 0)
        return;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            sweep_all(own);
        _exit(0);
    }
    if (pid > 0)
        sweep->pid = pid;
}

void sweep_finish(struct sweep *sweep)
{
    int status;
    if (sweep->pid > 0)
        (void)proc_wait(sweep->pid, &status);
    sweep->pid = 0;
}
