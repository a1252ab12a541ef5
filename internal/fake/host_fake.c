// SPDX-License-Identifier: Apache-2.0
#include "internal/fake/host_fake.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/fake/guest_fake.h"
#include "internal/fake/host_fake_calls.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Its descriptors, next to standard error.
enum { FD_LISTENER = 3, FD_PROC, FD_END };

// What answers for a few microseconds while somebody waits has its turn before who compiles.
#define SLICE_NS 100000

static void leave_nothing_open(int listener, int proc)
{
    // Out of the way first: either may have the number that the other is to get.
    int l = fcntl(listener, F_DUPFD_CLOEXEC, FD_END);
    int p = fcntl(proc, F_DUPFD_CLOEXEC, FD_END);
    if (l < 0 || p < 0 || dup2(l, FD_LISTENER) < 0 || dup2(p, FD_PROC) < 0)
        _exit(125);
    (void)sys_close_range(FD_END, ~0U, 0);
    (void)sys_close_range(0, 1, 0);
}

static _Noreturn void run(int launcher, int listener, int proc, uint32_t uid, uint32_t gid,
                          host_fake_serve *serve, void *ctx)
{
    const struct rlimit no_core = {0};
    struct pollfd gone = {.fd = launcher, .events = POLLIN};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (poll(&gone, 1, 0) != 0)
        _exit(125);
    (void)prctl(PR_SET_NAME, "bryo-fake", 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)umask(0); // the callers' own count
    (void)sys_sched_slice(SLICE_NS);
    leave_nothing_open(listener, proc);
    struct fake_calls f = {
        .server = {.listener = FD_LISTENER, .proc = FD_PROC, .uid = uid, .gid = gid}};
    if (guest_fake_confine() < 0)
        _exit(125);
    serve(ctx, &f);
    _exit(0);
}

int host_fake_start(struct host_fake *h, int listener, uint32_t uid, uint32_t gid,
                    host_fake_serve *serve, void *ctx, struct err *err)
{
    AUTO_FD int self = sys_pidfd_open(getpid(), 0);
    AUTO_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    pid_t pid = self < 0 || proc < 0 ? -errno : sys_clone3(&args);
    if (pid == 0)
        run(self, listener, proc, uid, gid, serve, ctx);
    if (pid < 0) {
        (void)err_sys(err, -pid, "cannot start the process for --fake-root");
        return err_stage(err, STAGE_SUPERVISE);
    }
    *h = (struct host_fake){.pid = pid, .pidfd = pidfd};
    return 0;
}

void host_fake_end(struct host_fake *h)
{
    int status;
    if (h->pid <= 0)
        return;
    (void)sys_pidfd_send_signal(h->pidfd, SIGKILL);
    (void)proc_wait(h->pid, &status);
    fd_closep(&h->pidfd);
    *h = HOST_FAKE_NONE;
}
