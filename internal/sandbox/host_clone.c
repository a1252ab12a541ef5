// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/host_clone.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/host_diagnose.h"
#include "internal/sandbox/host_maps.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

static void abandon(struct host_child *child)
{
    int status;
    (void)sys_pidfd_send_signal(child->pidfd, SIGKILL);
    (void)proc_wait(child->pid, &status);
    fd_closep(&child->pidfd);
    fd_closep(&child->channel);
}

static int map_and_go(const struct host_child *child, const struct idmaps *maps, struct err *err)
{
    struct channel_msg go = {.type = CHANNEL_GO};
    int r = host_maps_write(child->pid, maps, err);
    if (r == 0 && (r = channel_send(child->channel, &go, -1)) < 0)
        r = err_sys(err, -r, "the process in the new user namespace is gone");
    return r;
}

// What only the birth in a cgroup can have failed of.
static bool is_of_cgroup(int num)
{
    return num == EACCES || num == EBUSY || num == ENODEV || num == EOPNOTSUPP || num == E2BIG;
}

static int explain(int num, int cgroup, struct err *err)
{
    if (cgroup >= 0 && is_of_cgroup(num)) {
        (void)err_sys(err, num, "cannot create a process in the job's cgroup");
        if (num == E2BIG)
            (void)err_hint(err, "that needs Linux 5.7 (CLONE_INTO_CGROUP)");
        if (num == EACCES)
            (void)err_hint(err, "the launcher's own cgroup and the job's lie below one whose "
                                "cgroup.procs this user may not write to");
        return err_stage(err, STAGE_CGROUP);
    }
    (void)err_sys(err, num, "cannot create a user namespace");
    (void)host_diagnose_userns(num, err);
    return err_stage(err, STAGE_USERNS);
}

int host_clone(const struct idmaps *maps, int cgroup, host_clone_fn *fn, void *ctx,
               struct host_child *ret, struct err *err)
{
    AUTO_FD int self = sys_pidfd_open(getpid(), 0);
    AUTO_FD int ours = -1;
    AUTO_FD int theirs = -1;
    int r = self < 0 ? self : channel_pair(&ours, &theirs);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot prepare a user namespace");
        return err_stage(err, STAGE_USERNS);
    }
    int pidfd = -1;
    struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)&pidfd,
                              .exit_signal = SIGCHLD};
    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    pid_t pid = sys_clone3(&args);
    if (pid == 0) {
        fd_closep(&ours); // else the launcher's death would not end the stream
        fn(ctx, theirs, self);
        _exit(125);
    }
    if (pid < 0)
        return explain(-pid, cgroup, err);
    struct host_child child = {.pid = pid, .pidfd = pidfd, .channel = TAKE_FD(ours)};
    r = map_and_go(&child, maps, err);
    if (r < 0) {
        abandon(&child);
        return err_stage(err, STAGE_USERNS);
    }
    *ret = child;
    return 0;
}
