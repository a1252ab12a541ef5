// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_stager.h"

#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_init.h"
#include "internal/sandbox/guest_netns.h"
#include "internal/sandbox/guest_stack.h"
#include "internal/sandbox/guest_userns.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
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

static _Noreturn void fail_namespaces(int chan, int num)
{
    struct err err;
    (void)err_sys(&err, num, "cannot create the job's namespaces");
    (void)err_hint(&err, "%s", namespaces_hint(num));
    guest_fail(chan, &err, STAGE_NAMESPACES);
}

static void make_namespaces(const struct sandbox_config *c, int chan)
{
    int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
    if (c->time_offsets)
        flags |= CLONE_NEWTIME;
    if (unshare(flags) < 0)
        fail_namespaces(chan, errno);
}

// While PID 1 makes the mounts.
static void make_network(const struct sandbox_config *c, int chan, const struct guest_netns *netns)
{
    struct err err = {0};
    int r = guest_netns_make();
    if (r < 0)
        fail_namespaces(chan, -r);
    if (c->network.made && c->network.made(c->network.ctx, &err) < 0)
        guest_fail(chan, &err, STAGE_NETWORK);
    (void)guest_netns_give(netns); // PID 1 that is gone has said why
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

struct birth {
    const struct sandbox_config *config;
    int chan;
    int launcher_pidfd;
    struct guest_netns netns;
};

static int init_main(void *arg)
{
    struct birth *birth = arg;
    guest_init_main(birth->config, birth->config->own_network ? &birth->netns : NULL, birth->chan,
                    birth->launcher_pidfd);
}

// PID 1 takes this process's memory over instead of getting a copy. Not across time namespaces:
// Linux before 6.3 has processes that share memory share their clocks too (EINVAL).
static pid_t bear_init(struct birth *birth, int *ret_pidfd)
{
    const int memory = birth->config->time_offsets ? 0 : CLONE_VM;
    struct guest_stack stack;
    struct err err;
    int num = -guest_stack_make(&stack);
    if (num == 0) {
        pid_t pid = clone(init_main, guest_stack_top(&stack),
                          memory | CLONE_NEWPID | CLONE_PARENT | CLONE_PIDFD, birth, ret_pidfd);
        if (pid > 0)
            return pid;
        num = errno;
    }
    (void)err_sys(&err, num, "cannot create the job's PID namespace");
    (void)err_hint(&err, "%s", namespaces_hint(num));
    guest_fail(birth->chan, &err, STAGE_INIT);
}

_Noreturn void guest_stager_main(const struct sandbox_config *c, int chan, int launcher_pidfd)
{
    struct birth birth = {.config = c, .chan = chan, .launcher_pidfd = launcher_pidfd};
    int r;
    guest_die_with(launcher_pidfd);
    offer_to_oom_killer(); // while the launcher writes the maps
    guest_wait_for_maps(chan);
    make_namespaces(c, chan);
    if (c->time_offsets)
        set_time(c, chan);
    if (c->own_network && (r = guest_netns_prepare(&birth.netns)) < 0)
        fail_namespaces(chan, -r);
    // From here on nobody who shares the user's ids can look into this process, nor into PID 1,
    // which inherits it: neither the job nor, through it, a stranger reads what the launcher had in
    // memory.
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    int pidfd = -1;
    // The stager is in the launcher's PID namespace, so this number means the same there.
    struct channel_msg msg = {.type = CHANNEL_INIT, .pid = bear_init(&birth, &pidfd)};
    if (channel_send(chan, &msg, pidfd) < 0)
        _exit(125);
    if (c->own_network)
        make_network(c, chan, &birth.netns);
    _exit(0);
}
