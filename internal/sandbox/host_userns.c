// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/userns.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_userns.h"
#include "internal/sandbox/host_clone.h"

#include <sys/socket.h>

struct task_args {
    uint64_t ns_flags;
    userns_fn *fn;
    void *ctx;
};

static _Noreturn void task(void *ctx, int chan, int launcher)
{
    const struct task_args *args = ctx;
    guest_userns_main(chan, launcher, args->ns_flags, args->fn, args->ctx);
}

int userns_start(const struct idmaps *maps, uint64_t ns_flags, userns_fn *fn, void *ctx,
                 struct userns_task *ret, struct err *err)
{
    struct task_args args = {.ns_flags = ns_flags, .fn = fn, .ctx = ctx};
    struct host_child child;
    int r = host_clone(maps, -1, task, &args, &child, err);
    if (r == 0)
        *ret =
            (struct userns_task){.pid = child.pid, .pidfd = child.pidfd, .channel = child.channel};
    return r;
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
