// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_command.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/raw.h"
#include "internal/base/sys.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_exec.h"
#include "internal/sandbox/guest_fence.h"
#include "internal/sandbox/guest_netns.h"
#include "internal/sandbox/guest_seccomp.h"
#include "internal/sandbox/guest_shed.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_stdio(const struct guest_command *m, struct err *err)
{
    const struct sandbox_config *c = m->config;
    int high[3];
    if (c->tty && ioctl(m->tty->slave, TIOCSCTTY, 0) < 0)
        return err_sys(err, errno, "cannot make the terminal the command's own");
    for (int i = 0; i < 3; i++) {
        int from = c->tty ? m->tty->slave : c->stdio[i] >= 0 ? c->stdio[i] : m->null;
        high[i] = fcntl(from, F_DUPFD_CLOEXEC, 64);
        if (high[i] < 0)
            return err_sys(err, errno, "cannot prepare the command's descriptors");
    }
    for (int i = 0; i < 3; i++)
        if (dup2(high[i], i) < 0)
            return err_sys(err, errno, "cannot give the command its descriptors");
    return 0;
}

static bool has_limit(const struct sandbox_config *c, int resource)
{
    for (size_t i = 0; i < c->n_rlimits; i++)
        if (c->rlimits[i].resource == resource)
            return true;
    return false;
}

static int set_limits(const struct sandbox_config *c, struct err *err)
{
    // A core may go to a program of the machine's (core(5)), and is of no use to a job that did not
    // ask for one.
    const struct rlimit no_core = {0};
    if (!has_limit(c, RLIMIT_CORE) && setrlimit(RLIMIT_CORE, &no_core) < 0)
        return err_sys(err, errno, "cannot set the limit on core dumps");
    for (size_t i = 0; i < c->n_rlimits; i++) {
        const struct rlimit_req *q = &c->rlimits[i];
        struct rlimit limit = {.rlim_cur = q->soft, .rlim_max = q->hard};
        if (setrlimit((__rlimit_resource_t)q->resource, &limit) < 0) {
            (void)err_sys(err, errno, "cannot set the limit of --ulimit");
            return err_hint(err, "without privilege a hard limit can only be lowered");
        }
    }
    (void)umask(c->umask);
    return 0;
}

static int enter_workdir(const struct sandbox_config *c, struct err *err)
{
    char cwd[4096];
    if (chdir(c->workdir) < 0) {
        (void)err_sys(err, errno, "cannot enter the working directory %s", c->workdir);
        return err_hint(err,
                        "name one that exists in the root and that the user may enter, with -w");
    }
    // A directory outside of the root shows as "(unreachable)/..." (getcwd(3)); no job starts
    // there.
    if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
        return err_set(err, EPERM, "the working directory %s lies outside of the root", c->workdir);
    return 0;
}

static int close_descriptors(const struct sandbox_config *c, struct err *err)
{
    int r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    for (size_t i = 0; r == 0 && i < c->n_preserve_fds; i++)
        r = fcntl(c->preserve_fds[i], F_SETFD, 0) < 0 ? -errno : 0;
    return r < 0 ? err_sys(err, -r, "cannot close descriptors for the command") : 0;
}

static int clean_slate(const struct sandbox_config *c, struct err *err)
{
    int r = close_descriptors(c, err);
    if (r < 0)
        return r;
    sigset_t none; // (their dispositions are the default ones since the stager)
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return 0;
}

// Under the filter already, where that can be: bryo's own lets all of this pass.
static int become_command(const struct guest_command *m, struct err *err)
{
    const struct sandbox_config *c = m->config;
    // What it changes from here on is its own, and no longer PID 1's.
    if (unshare(CLONE_FS | CLONE_FILES) < 0) {
        (void)err_sys(err, errno, "cannot separate the command from the job's init");
        return err_stage(err, STAGE_INIT);
    }
    if (set_stdio(m, err) < 0)
        return err_stage(err, STAGE_TTY);
    if (set_limits(c, err) < 0)
        return err_stage(err, STAGE_LIMITS);
    if (enter_workdir(c, err) < 0)
        return err_stage(err, STAGE_WORKDIR);
    if (clean_slate(c, err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    if (c->landlock && guest_fence_close(err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    struct guest_fault fault = {.stage = STAGE_PRIVILEGES};
    if (!guest_shed_filter_early(c) && guest_seccomp_install(&c->seccomp, m->chan, &fault) < 0)
        return guest_fault_tell(&fault, err);
    (void)guest_exec(c, err); // returns only on failure
    return err_stage(err, STAGE_EXEC);
}

// futex(2), until *word is no longer value. Not FUTEX_PRIVATE: the kernel's own wake of
// CLONE_CHILD_CLEARTID is not private either.
static void wait_while(uint32_t *word, uint32_t value)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
        (void)raw_syscall(SYS_futex, raw_address(word), FUTEX_WAIT, value, 0, 0);
}

static int enter_network(const struct guest_netns *netns, struct guest_fault *fault)
{
    fault->stage = STAGE_NAMESPACES;
    return !netns ? 0
                  : guest_fault_note(fault, guest_netns_enter(netns),
                                     "cannot enter the job's network namespace");
}

static int command_main(void *arg)
{
    struct guest_command *m = arg;
    int r = enter_network(m->netns, &m->fault);
    if (r == 0)
        r = guest_shed(m->config, m->chan, &m->fault);
    wait_while(&m->go, 0);
    if (r < 0)
        (void)guest_fault_tell(&m->fault, m->err);
    else
        (void)become_command(m, m->err);
    _exit(125);
}

int guest_command_bear(const struct sandbox_config *c, const struct guest_netns *netns, int chan,
                       struct guest_command *ret, struct err *err)
{
    *ret = (struct guest_command){.config = c, .netns = netns, .chan = chan, .shares = 1};
    int num = -guest_stack_make(&ret->stack);
    if (num == 0) {
        // As vfork(2) no page table is copied, and as there CLONE_CHILD_CLEARTID is the kernel's
        // word that the memory is no longer shared; but both run.
        ret->pid = clone(command_main, guest_stack_top(&ret->stack),
                         CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD, ret,
                         NULL, NULL, &ret->shares);
        if (ret->pid > 0)
            return 0;
        num = errno;
        guest_stack_free(&ret->stack);
    }
    return err_sys(err, num, "cannot create a process for the command");
}

int guest_command_start(struct guest_command *m, const struct guest_tty *tty, struct err *err)
{
    err->num = 0;
    m->tty = tty;
    m->err = err;
    // By root of the namespace: the job's user may not be allowed to look for it.
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    m->null = null;
    __atomic_store_n(&m->go, 1, __ATOMIC_RELEASE);
    (void)raw_syscall(SYS_futex, raw_address(&m->go), FUTEX_WAKE, 1, 0, 0);
    wait_while(&m->shares, 1);
    guest_stack_free(&m->stack);
    if (err->num == 0)
        return 0;
    int status;
    (void)waitpid(m->pid, &status, __WALL);
    return -err->num;
}
