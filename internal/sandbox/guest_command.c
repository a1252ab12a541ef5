// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_command.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/sys.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_exec.h"
#include "internal/sandbox/guest_fence.h"
#include "internal/sandbox/guest_privileges.h"
#include "internal/sandbox/guest_seccomp.h"
#include "internal/sandbox/guest_stack.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// In a session of its own the job has no controlling terminal but the one it is given: what it
// could otherwise type into the user's (TIOCSTI) has nowhere to go.
static int set_stdio(const struct sandbox_config *c, const struct guest_tty *tty, struct err *err)
{
    int high[3];
    if (setsid() < 0)
        return err_sys(err, errno, "cannot make a session for the command");
    if (c->tty && ioctl(tty->slave, TIOCSCTTY, 0) < 0)
        return err_sys(err, errno, "cannot make the terminal the command's own");
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        int from = c->tty ? tty->slave : c->stdio[i] >= 0 ? c->stdio[i] : null;
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

// Whoever possesses the launcher's session keyring (session-keyring(7)) may read what is in it, in
// whatever user namespace: the job gets one of its own. Where the call itself is refused (a
// container's seccomp profile, a kernel without keys) the job is refused it as well.
static int leave_keyring(struct err *err)
{
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS ||
        errno == EPERM)
        return 0;
    (void)err_sys(err, errno, "cannot give the job a session keyring of its own");
    return err_hint(err, "the user's quota of keys may be used up (/proc/key-users); as root: "
                         "sysctl -w kernel.keys.maxkeys=2000");
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

static int become_command(const struct sandbox_config *c, const struct guest_tty *tty, int chan,
                          struct err *err)
{
    if (set_stdio(c, tty, err) < 0)
        return err_stage(err, STAGE_TTY);
    if (set_limits(c, err) < 0)
        return err_stage(err, STAGE_LIMITS);
    if (guest_privileges_drop(c, err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    if (enter_workdir(c, err) < 0)
        return err_stage(err, STAGE_WORKDIR);
    if (leave_keyring(err) < 0 || clean_slate(c, err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    if (c->landlock && guest_fence_close(err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    if (guest_seccomp_install(&c->seccomp, chan, err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    (void)guest_exec(c, err); // returns only on failure
    return err_stage(err, STAGE_EXEC);
}

struct start {
    const struct sandbox_config *config;
    const struct guest_tty *tty;
    int chan;
    struct err *err; // num stays 0 where the program runs
};

static int command_main(void *arg)
{
    struct start *start = arg;
    (void)become_command(start->config, start->tty, start->chan, start->err);
    _exit(125);
}

int guest_command_start(const struct sandbox_config *c, const struct guest_tty *tty, int chan,
                        pid_t *ret_pid, struct err *err)
{
    // As vfork(2): this process stands still until the program runs or has failed to, the two share
    // their memory until then, and so the failure is simply there. No page table is copied.
    struct start start = {.config = c, .tty = tty, .chan = chan, .err = err};
    err->num = 0;
    struct guest_stack stack;
    pid_t pid =
        clone(command_main, guest_stack_top(&stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
    if (pid < 0)
        return err_sys(err, errno, "cannot create a process for the command");
    if (err->num) {
        int status;
        (void)waitpid(pid, &status, __WALL);
        return -err->num;
    }
    *ret_pid = pid;
    return 0;
}
