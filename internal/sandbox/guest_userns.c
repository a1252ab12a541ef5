// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_userns.h"

#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void guest_die_with(int launcher_pidfd)
{
    struct pollfd p = {.fd = launcher_pidfd, .events = POLLIN};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&p, 1, 0) != 0)
        _exit(125);
}

void guest_wait_for_maps(int chan)
{
    struct channel_msg msg;
    int fd;
    if (channel_recv(chan, 0, &msg, &fd) < 0 || msg.type != CHANNEL_GO)
        _exit(125); // the launcher is gone or gave up: it knows why
}

_Noreturn void guest_fail(int chan, struct err *err, int stage)
{
    (void)err_stage(err, stage);
    struct channel_msg msg = {.type = CHANNEL_FAILED, .err = *err};
    (void)channel_send(chan, &msg, -1);
    _exit(125);
}

// With --uidmap the launcher's own id may be another than 0 inside. A change of ids takes the
// parent-death signal away (prctl(2)).
static int become_root(int launcher_pidfd, struct err *err)
{
    if (geteuid() == 0 && getegid() == 0)
        return 0;
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_sys(err, errno, "cannot become root of a user namespace");
    guest_die_with(launcher_pidfd);
    return 0;
}

_Noreturn void guest_userns_main(int chan, int launcher_pidfd, uint64_t ns_flags, userns_fn *fn,
                                 void *ctx)
{
    struct err err = {0};
    guest_die_with(launcher_pidfd);
    guest_wait_for_maps(chan);
    if (ns_flags && unshare((int)ns_flags) < 0) {
        (void)err_sys(&err, errno, "cannot create namespaces");
        guest_fail(chan, &err, STAGE_NAMESPACES);
    }
    if (become_root(launcher_pidfd, &err) < 0 || fn(ctx, &err) < 0)
        guest_fail(chan, &err, STAGE_NONE);
    _exit(0);
}
