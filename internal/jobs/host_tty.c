// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/host_tty.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

struct winsize host_tty_size(void)
{
    struct winsize ws = {0};
    for (int fd = 0; fd <= 2; fd++)
        if (ioctl(fd, TIOCGWINSZ, &ws) == 0)
            return ws;
    return (struct winsize){0};
}

// Waits for its pipe to close. A byte before that says that all is well. It is in a session of its
// own: what kills bryo's process group does not reach it, and tcsetattr(3) from there is not held
// up as a background process's would be.
static _Noreturn void guard_main(int pipe_fd, const struct termios *saved)
{
    sigset_t all;
    char byte;
    ssize_t n;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)setsid();
    if (dup2(pipe_fd, 3) < 0)
        _exit(1);
    (void)sys_close_range(4, ~0U, 0);
    while ((n = read(3, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, saved);
    _exit(0);
}

static int start_guard(struct host_tty *tty)
{
    int pipefd[2];
    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int read_end = pipefd[0];
    AUTO_FD int write_end = pipefd[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        fd_closep(&write_end);
        guard_main(read_end, &tty->saved);
    }
    tty->guard = TAKE_FD(write_end);
    tty->guard_pid = pid;
    return 0;
}

int host_tty_raw(struct host_tty *tty, struct err *err)
{
    *tty = (struct host_tty){.fd = -1, .guard = -1};
    if (tcgetattr(STDIN_FILENO, &tty->saved) < 0)
        return 0;
    struct termios raw = tty->saved;
    cfmakeraw(&raw);
    int r = start_guard(tty);
    if (r == 0 && tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
        r = -errno;
    tty->fd = STDIN_FILENO;
    if (r < 0) {
        host_tty_restore(tty);
        (void)err_sys(err, -r, "cannot put the terminal into raw mode");
        return err_stage(err, STAGE_TTY);
    }
    return 0;
}

void host_tty_restore(struct host_tty *tty)
{
    if (tty->fd >= 0)
        (void)tcsetattr(tty->fd, TCSADRAIN, &tty->saved);
    tty->fd = -1;
    if (tty->guard >= 0) {
        int status;
        ssize_t n = write(tty->guard, "", 1);
        (void)n;
        fd_closep(&tty->guard);
        (void)proc_wait(tty->guard_pid, &status);
    }
}
