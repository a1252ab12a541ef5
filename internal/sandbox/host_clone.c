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

#include <sched.h>
#include <signal.h>
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

int host_clone(const struct idmaps *maps, host_clone_fn *fn, void *ctx, struct host_child *ret,
               struct err *err)
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
    pid_t pid = sys_clone3(&args);
    if (pid == 0) {
        fd_closep(&ours); // else the launcher's death would not end the stream
        fn(ctx, theirs, self);
        _exit(125);
    }
    if (pid < 0) {
        (void)err_sys(err, -pid, "cannot create a user namespace");
        (void)host_diagnose_userns(-pid, err);
        return err_stage(err, STAGE_USERNS);
    }
    struct host_child child = {.pid = pid, .pidfd = pidfd, .channel = TAKE_FD(ours)};
    r = map_and_go(&child, maps, err);
    if (r < 0) {
        abandon(&child);
        return err_stage(err, STAGE_USERNS);
    }
    *ret = child;
    return 0;
}
