// SPDX-License-Identifier: Apache-2.0
// The launcher's side of a start:
//
//     clone3(NEWUSER)  ->  stager: waits on the channel
//     write its maps, read them back, say GO
//                          stager: unshare the rest, clone3(NEWPID|PARENT), send PID 1's pidfd, end
//                                  PID 1 (a child of the launcher): mounts, pivots, starts the
//                                  command
//     STARTED, EXITED or FAILED arrive on the channel
//
// The user namespace comes first and alone: what is created afterwards belongs to it, and nothing
// is ever owned by an unmapped id.
#include "internal/sandbox/sandbox.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_stager.h"
#include "internal/sandbox/host_diagnose.h"
#include "internal/sandbox/host_maps.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

int sandbox_start(const struct sandbox_config *config, struct sandbox *ret, struct err *err)
{
    AUTO_FD int self = sys_pidfd_open(getpid(), 0);
    AUTO_FD int ours = -1;
    AUTO_FD int theirs = -1;
    int r = self < 0 ? self : channel_pair(&ours, &theirs);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot prepare the launch");
        return err_stage(err, STAGE_USERNS);
    }
    int pidfd = -1;
    struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)&pidfd,
                              .exit_signal = SIGCHLD};
    pid_t pid = sys_clone3(&args);
    if (pid == 0) {
        fd_closep(&ours); // else the launcher's death would not end the stream
        guest_stager_main(config, theirs, self);
    }
    if (pid < 0) {
        (void)err_sys(err, -pid, "cannot create a user namespace");
        (void)host_diagnose_userns(-pid, err);
        return err_stage(err, STAGE_USERNS);
    }
    struct sandbox s = {.stager = pid, .stager_pidfd = pidfd, .channel = TAKE_FD(ours)};
    r = host_maps_write(pid, config->maps, err);
    struct channel_msg go = {.type = CHANNEL_GO};
    if (r == 0 && (r = channel_send(s.channel, &go, -1)) < 0)
        r = err_sys(err, -r, "the process in the new user namespace is gone");
    if (r < 0) {
        (void)sys_pidfd_send_signal(s.stager_pidfd, SIGKILL);
        sandbox_done(&s);
        return err_stage(err, STAGE_USERNS);
    }
    *ret = s;
    return 0;
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
