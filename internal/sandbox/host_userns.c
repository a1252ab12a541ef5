// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/userns.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_userns.h"
#include "internal/sandbox/host_diagnose.h"
#include "internal/sandbox/host_maps.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void abandon(struct userns_task *task)
{
    int status;
    (void)sys_pidfd_send_signal(task->pidfd, SIGKILL);
    (void)proc_wait(task->pid, &status);
    fd_closep(&task->pidfd);
    fd_closep(&task->channel);
}

int userns_start(const struct idmaps *maps, uint64_t ns_flags, userns_fn *fn, void *ctx,
                 struct userns_task *ret, struct err *err)
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
        guest_userns_main(theirs, self, ns_flags, fn, ctx);
    }
    if (pid < 0) {
        (void)err_sys(err, -pid, "cannot create a user namespace");
        (void)host_diagnose_userns(-pid, err);
        return err_stage(err, STAGE_USERNS);
    }
    struct userns_task task = {.pid = pid, .pidfd = pidfd, .channel = TAKE_FD(ours)};
    r = host_maps_write(pid, maps, err);
    struct channel_msg go = {.type = CHANNEL_GO};
    if (r == 0 && (r = channel_send(task.channel, &go, -1)) < 0)
        r = err_sys(err, -r, "the process in the new user namespace is gone");
    if (r < 0) {
        abandon(&task);
        return err_stage(err, STAGE_USERNS);
    }
    *ret = task;
    return 0;
}

int userns_finish(struct userns_task *task, int *ret_wait_status, struct err *err)
{
    struct channel_msg msg = {0};
    int fd = -1;
    fd_closep(&task->pidfd);
    int r = proc_wait(task->pid, ret_wait_status);
    int got = channel_recv(task->channel, MSG_DONTWAIT, &msg, &fd);
    fd_closep(&fd);
    fd_closep(&task->channel);
    if (r < 0)
        return err_sys(err, -r, "cannot wait for a helper process");
    if (got == 0 && msg.type == CHANNEL_FAILED) {
        if (err)
            *err = msg.err;
        return -msg.err.num;
    }
    return 0;
}
