// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_stager.h"

#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_init.h"
#include "internal/sandbox/guest_privileges.h"
#include "internal/sandbox/guest_stack.h"
#include "internal/sandbox/guest_userns.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const char *namespaces_hint(int num)
{
    return num == ENOSPC ? "a limit in /proc/sys/user/ is reached (max_mnt_namespaces, "
                           "max_net_namespaces ...); as root: raise it with sysctl"
           : num == EAGAIN || num == ENOMEM ? "the machine, or the limit on the user's processes "
                                              "(ulimit -u), leaves no room for "
                                              "another process"
           : num == EINVAL
               ? "the kernel was built without one of mount, UTS, IPC, network, cgroup or "
                 "time namespaces"
               : "a security module or a container's seccomp profile refuses namespaces "
                 "even to the root of a user namespace";
}

static void make_namespaces(const struct sandbox_config *c, int chan)
{
    int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
    if (c->own_network)
        flags |= CLONE_NEWNET;
    if (c->time_offsets)
        flags |= CLONE_NEWTIME;
    if (unshare(flags) < 0) {
        struct err err;
        int num = errno;
        (void)err_sys(&err, num, "cannot create the job's namespaces");
        (void)err_hint(&err, "%s", namespaces_hint(num));
        guest_fail(chan, &err, STAGE_NAMESPACES);
    }
}

// time_namespaces(7): offsets can be set until the first process is born into the namespace.
static void set_time(const struct sandbox_config *c, int chan)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "monotonic %" PRId64 " 0\nboottime %" PRId64 " 0\n",
                     c->monotonic_s, c->boottime_s);
    int r = fd_write_file(AT_FDCWD, "/proc/self/timens_offsets", text, (size_t)n);
    if (r < 0) {
        struct err err;
        (void)err_sys(&err, -r, "cannot set the job's time offsets");
        if (r == -ERANGE)
            (void)err_hint(&err,
                           "the clocks would become negative, or pass 146 years: give smaller "
                           "numbers to --time-offset");
        guest_fail(chan, &err, STAGE_TIME);
    }
}

// Where memory runs out, what the job runs is to be killed, and not the machine's own. Done here,
// since /proc/self can no longer be written once the process is not dumpable. A container around
// bryo may have its files read-only: no reason to fail.
static void offer_to_oom_killer(void)
{
    static const char most[] = "1000"; // OOM_SCORE_ADJ_MAX
    (void)fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", most, sizeof(most) - 1);
}

// What the command is to be born with and nobody in between is bothered by: whatever the launcher's
// parent ignored is handled by default, and no program can ever gain a capability that the job is
// not to have. Done while the launcher writes the maps, when there is nothing to do but wait:
// behind that it would make the job wait.
static void prepare(const struct sandbox_config *c, int chan)
{
    struct err err = {0};
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &dfl, NULL); // KILL, STOP and libc's own refuse: they are as they are
    int r = guest_privileges_bound(c->caps, &err);
    guest_wait_for_maps(chan);
    if (r < 0)
        guest_fail(chan, &err, STAGE_PRIVILEGES);
}

struct birth {
    const struct sandbox_config *config;
    int chan;
    int launcher_pidfd;
};

static int init_main(void *arg)
{
    const struct birth *birth = arg;
    guest_init_main(birth->config, birth->chan, birth->launcher_pidfd);
}

_Noreturn void guest_stager_main(const struct sandbox_config *c, int chan, int launcher_pidfd)
{
    guest_die_with(launcher_pidfd);
    prepare(c, chan);
    make_namespaces(c, chan);
    if (c->network.made) {
        struct err err = {0};
        if (c->network.made(c->network.ctx, &err) < 0)
            guest_fail(chan, &err, STAGE_NETWORK);
    }
    if (c->time_offsets)
        set_time(c, chan);
    offer_to_oom_killer();
    // From here on nobody who shares the user's ids can look into this process, nor into PID 1,
    // which inherits it: neither the job nor, through it, a stranger reads what the launcher had in
    // memory.
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // PID 1 takes this process's memory over instead of getting a copy: all that is left to do here
    // is one message, which touches nothing that PID 1 writes (but errno, and that only when it
    // fails). Not across time namespaces: Linux before 6.3 has processes that share memory share
    // their clocks too (EINVAL).
    const int memory = c->time_offsets ? 0 : CLONE_VM;
    struct birth birth = {.config = c, .chan = chan, .launcher_pidfd = launcher_pidfd};
    int pidfd = -1;
    struct guest_stack stack;
    pid_t pid = clone(init_main, guest_stack_top(&stack),
                      memory | CLONE_NEWPID | CLONE_PARENT | CLONE_PIDFD, &birth, &pidfd);
    if (pid < 0) {
        struct err err;
        int num = errno;
        (void)err_sys(&err, num, "cannot create the job's PID namespace");
        (void)err_hint(&err, "%s", namespaces_hint(num));
        guest_fail(chan, &err, STAGE_INIT);
    }
    // The stager is in the launcher's PID namespace, so this number means the same there.
    struct channel_msg msg = {.type = CHANNEL_INIT, .pid = pid};
    _exit(channel_send(chan, &msg, pidfd) < 0 ? 125 : 0);
}
