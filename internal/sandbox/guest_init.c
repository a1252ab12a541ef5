// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_init.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_binds.h"
#include "internal/sandbox/guest_command.h"
#include "internal/sandbox/guest_dev.h"
#include "internal/sandbox/guest_execs.h"
#include "internal/sandbox/guest_kernelfs.h"
#include "internal/sandbox/guest_netns.h"
#include "internal/sandbox/guest_pivot.h"
#include "internal/sandbox/guest_root.h"
#include "internal/sandbox/guest_secrets.h"
#include "internal/sandbox/guest_userns.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void note(int chan, const char *text)
{
    struct channel_msg msg = {.type = CHANNEL_NOTE};
    (void)strncpy(msg.err.text, text, sizeof(msg.err.text) - 1);
    (void)channel_send(chan, &msg, -1);
}

// /proc/1/cmdline would show the launcher's arguments, host paths and all, to the job.
static void hide_cmdline(const struct sandbox_config *c)
{
    static const char name[] = "bryo-init";
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    if (c->cmdline_len == 0)
        return;
    memset(c->cmdline, 0, c->cmdline_len);
    (void)strncpy(c->cmdline, name, c->cmdline_len - 1);
}

static int set_names(const struct sandbox_config *c, struct err *err)
{
    if (sethostname(c->hostname, strlen(c->hostname)) < 0) {
        (void)err_sys(err, errno, "cannot set the host name \"%s\"", c->hostname);
        return err_stage(err, STAGE_NAMESPACES);
    }
    return 0;
}

// The network namespace comes as late as it can: it is made meanwhile.
static int mount_kernelfs(int rootfd, const struct sandbox_config *c,
                          const struct guest_netns *netns, struct err *err)
{
    struct guest_blanks blanks;
    int r = guest_kernelfs_proc(rootfd, c, &blanks, err);
    if (r == 0 && netns && (r = guest_netns_enter(netns)) < 0) {
        (void)err_sys(err, -r, "cannot enter the job's network namespace");
        r = err_stage(err, STAGE_NAMESPACES);
    }
    if (r == 0)
        r = guest_kernelfs_rest(rootfd, c, &blanks, err);
    fd_closep(&blanks.file);
    fd_closep(&blanks.dir);
    return r;
}

// The whole of what is done to a root before a job sees it, in order.
static int build(const struct sandbox_config *c, const struct guest_netns *netns, int chan,
                 struct guest_tty *tty, struct err *err)
{
    AUTO_BINDS struct guest_binds binds = {0};
    struct guest_root root = {.fd = -1};
    const char *notice = NULL;
    int r = set_names(c, err);
    if (r == 0)
        r = guest_root_detach(err);
    if (r == 0)
        r = guest_binds_collect(&binds, c, err); // before anything covers the sources
    if (r == 0)
        r = guest_root_mount(&c->root, &root, err);
    if (r == 0 && root.notice[0])
        note(chan, root.notice);
    if (r == 0 && root.bind_etc)
        r = guest_binds_etc(root.fd, c->root.init_layer, err);
    if (r == 0)
        r = guest_dev_mount(root.fd, c->maps, err);
    if (r == 0)
        r = mount_kernelfs(root.fd, c, netns, err);
    if (r == 0)
        r = guest_binds_attach(&binds, root.fd, c, err);
    if (r == 0)
        r = guest_secrets_mount(root.fd, c, err);
    if (r == 0 && c->workdir_create)
        r = guest_binds_workdir(root.fd, c, err);
    if (r == 0 && c->tty)
        r = guest_tty_open(root.fd, c, tty, err);
    if (r == 0)
        r = guest_root_seal(root.fd, &c->root, err);
    if (r == 0)
        r = guest_pivot(root.fd, &notice, err);
    if (r == 0 && notice)
        note(chan, notice);
    fd_closep(&root.fd);
    return r;
}

static int is_for_the_group(int sig)
{
    // What a terminal sends, and what asks a job to end, concerns all of it; the others are words
    // between the user and one program.
    return sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
}

static void forward(pid_t command, int sig)
{
    if (!is_for_the_group(sig) || kill(-command, sig) < 0)
        (void)kill(command, sig);
}

// Reaps what is there. Returns 1 when the command was among it.
static int reap(pid_t command, struct guest_execs *execs, int *ret_status)
{
    int status;
    int found = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid == command) {
            *ret_status = status;
            found = 1;
        } else {
            guest_execs_reaped(execs, pid, status);
        }
    }
    return found;
}

static int take_signal(pid_t command, int sigfd, struct err *err)
{
    struct signalfd_siginfo info;
    ssize_t n = read(sigfd, &info, sizeof(info));
    if (n < 0 && errno != EINTR)
        return err_sys(err, errno, "the job's init cannot read signals");
    if (n == (ssize_t)sizeof(info) && (int)info.ssi_signo != SIGCHLD)
        forward(command, (int)info.ssi_signo);
    return 0;
}

static int watch(pid_t command, int sigfd, struct guest_execs *execs, int *ret_status,
                 struct err *err)
{
    struct pollfd fds[] = {{.fd = sigfd, .events = POLLIN}, {.fd = execs->chan, .events = POLLIN}};
    while (!reap(command, execs, ret_status)) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_sys(err, errno, "the job's init cannot wait");
        int r = fds[0].revents ? take_signal(command, sigfd, err) : 0;
        if (r < 0)
            return r;
        // A launcher that is gone takes this process with it (PR_SET_PDEATHSIG).
        if (fds[1].revents && guest_execs_message(execs) < 0)
            fds[1].fd = -1;
    }
    return 0;
}

static int open_signals(struct err *err)
{
    sigset_t set;
    (void)sigfillset(&set);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    (void)sigemptyset(&set);
    static const int signals[] = {SIGCHLD, SIGINT,  SIGTERM, SIGHUP,
                                  SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], SIG_DFL); // one that is ignored does not arrive
        (void)sigaddset(&set, signals[i]);
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    return fd < 0 ? err_sys(err, errno, "the job's init cannot open a signalfd") : fd;
}

_Noreturn void guest_init_main(const struct sandbox_config *c, const struct guest_netns *netns,
                               int chan, int launcher_pidfd)
{
    struct err err = {0};
    struct guest_tty tty = {.master = -1, .slave = -1};
    struct guest_command command;
    guest_die_with(launcher_pidfd);
    hide_cmdline(c);
    for (size_t i = 0; i < sizeof(c->outer) / sizeof(c->outer[0]); i++)
        if (c->outer[i] >= 0)
            (void)close(c->outer[i]);
    if (netns)
        guest_netns_await(netns);
    int sigfd = open_signals(&err);
    if (sigfd < 0)
        guest_fail(chan, &err, STAGE_INIT);
    if (guest_command_bear(c, netns, chan, &command, &err) < 0)
        guest_fail(chan, &err, STAGE_INIT);
    if (build(c, netns, chan, &tty, &err) < 0) {
        if (err.num == ENOSYS && !err.hint[0])
            (void)err_hint(&err, "this kernel lacks a system call that bryo needs (openat2, "
                                 "close_range, mount_setattr): Linux 5.12 or later has them all");
        guest_fail(chan, &err, STAGE_ROOT);
    }
    if (c->network.ready && c->network.ready(c->network.ctx, &err) < 0)
        guest_fail(chan, &err, STAGE_NETWORK);
    if (guest_command_start(&command, &tty, &err) < 0)
        guest_fail(chan, &err, STAGE_INIT);
    if (netns)
        guest_netns_done(netns);
    guest_secrets_forget(c);
    struct channel_msg started = {.type = CHANNEL_STARTED};
    if (channel_send(chan, &started, tty.master) < 0)
        _exit(125);
    fd_closep(&tty.master);
    fd_closep(&tty.slave);
    struct channel_msg exited = {.type = CHANNEL_EXITED};
    struct guest_execs execs;
    guest_execs_init(&execs, c, chan);
    if (watch(command.pid, sigfd, &execs, &exited.wait_status, &err) < 0)
        guest_fail(chan, &err, STAGE_INIT);
    // Whatever runs here descends from this process.
    exited.alone = waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD;
    _exit(channel_send(chan, &exited, -1) < 0 ? 125 : 0);
}
