// SPDX-License-Identifier: Apache-2.0
// The launcher's side of a start:
//
//     clone3(NEWUSER)  ->  stager: waits on the channel
//     write its maps, read them back, say GO
//                          stager: unshare all but the network, clone(NEWPID|PARENT), send PID 1's
//                                  pidfd; make the network namespace, hand it over, end
//                                  PID 1 (a child of the launcher): gives birth to the command,
//                                  mounts, enters the network, pivots, tells the command to go on
//                                  command: enters the network, sheds privileges and system calls,
//                                  waits; its directories, descriptors and limits, exec
//     STARTED, EXITED or FAILED arrive on the channel
//
// Stager, PID 1 and command work at the same time, in one memory (base/raw.h).
//
// The user namespace comes first and alone: what is created afterwards belongs to it, and nothing
// is ever owned by an unmapped id.
#include "internal/sandbox/sandbox.h"

#include "internal/base/cleanup.h"
#include "internal/base/proc.h"
#include "internal/sandbox/guest_stager.h"
#include "internal/sandbox/host_clone.h"

static _Noreturn void stager(void *ctx, int chan, int launcher)
{
    guest_stager_main(ctx, chan, launcher);
}

int sandbox_start(const struct sandbox_config *config, struct sandbox *ret, struct err *err)
{
    struct host_child child;
    int r = host_clone(config->maps, config->cgroup, stager, (void *)config, &child, err);
    if (r == 0)
        *ret = (struct sandbox){
            .stager = child.pid, .stager_pidfd = child.pidfd, .channel = child.channel};
    return r;
}

void sandbox_reap_stager(struct sandbox *s)
{
    int status;
    if (s->stager > 0)
        (void)proc_wait(s->stager, &status);
    s->stager = 0;
}

void sandbox_done(struct sandbox *s)
{
    sandbox_reap_stager(s);
    fd_closep(&s->stager_pidfd);
    fd_closep(&s->channel);
}
