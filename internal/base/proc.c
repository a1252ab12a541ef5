// SPDX-License-Identifier: Apache-2.0
#include "internal/base/proc.h"

#include "internal/base/cleanup.h"
#include "internal/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARKED_FD = 64, REPORT_FD = 128 }; // above every number that a program is promised

static char *const minimal_env[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                    (char *)"LANG=C.UTF-8", NULL};

static int is_listed(const struct proc_fd *fds, size_t n, int to)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i].to == to)
            return 1;
    return 0;
}

// Two rounds, so that a number which is both a source and a target is not overwritten too early.
static int place_fds(const struct proc_fd *fds, size_t n)
{
    int high[16];
    if (n > sizeof(high) / sizeof(high[0]))
        return -E2BIG;
    for (size_t i = 0; i < n; i++) {
        high[i] = fcntl(fds[i].from, F_DUPFD_CLOEXEC, PARKED_FD);
        if (high[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < n; i++)
        if (dup2(high[i], fds[i].to) < 0)
            return -errno;
    if (!is_listed(fds, n, 0)) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        // When 0 was closed it is 0 itself, and dup2(2) would leave it to be closed by the exec.
        if (null < 0 || (null == 0 ? fcntl(0, F_SETFD, 0) : dup2(null, 0)) < 0)
            return -errno;
    }
    return 0;
}

static int close_others(const struct proc_fd *fds, size_t n)
{
    unsigned next = 3;
    for (;;) {
        unsigned lowest = ~0U;
        for (size_t i = 0; i < n; i++)
            if ((unsigned)fds[i].to >= next && (unsigned)fds[i].to < lowest)
                lowest = (unsigned)fds[i].to;
        if (lowest > next) {
            int r = sys_close_range(next, lowest == ~0U ? ~0U : lowest - 1, CLOSE_RANGE_CLOEXEC);
            if (r < 0)
                return r;
        }
        if (lowest == ~0U)
            return 0;
        next = lowest + 1;
    }
}

static void reset_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &dfl, NULL); // KILL, STOP and libc's own refuse: they are as they are
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int proc_exec(char *const argv[], char *const envp[], const struct proc_fd *fds, size_t n_fds)
{
    int r = place_fds(fds, n_fds);
    if (r == 0)
        r = close_others(fds, n_fds);
    if (r < 0)
        return r;
    reset_signals();
    (void)execve(argv[0], argv, envp ? envp : minimal_env);
    return -errno;
}

int proc_spawn_begin(char *const argv[], char *const envp[], const struct proc_fd *fds,
                     size_t n_fds, pid_t *ret_pid, int *ret_report)
{
    int pipefd[2];
    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int read_end = pipefd[0];
    AUTO_FD int write_end = pipefd[1];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        // The pipe leaves with the exec; what comes through it is why the exec did not happen.
        int r = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
        if (r == 0 && getppid() != parent)
            r = -EOWNERDEAD;
        // Out of the way of the numbers that the program is promised.
        int report = fcntl(write_end, F_DUPFD_CLOEXEC, REPORT_FD);
        if (r == 0 && report < 0)
            r = -errno;
        int num = r < 0 ? -r : -proc_exec(argv, envp, fds, n_fds);
        ssize_t n = write(report < 0 ? write_end : report, &num, sizeof(num));
        (void)n;
        _exit(127);
    }
    *ret_pid = pid;
    *ret_report = TAKE_FD(read_end);
    return 0;
}

int proc_spawn_check(pid_t pid, int *report)
{
    int num = 0;
    ssize_t got;
    while ((got = read(*report, &num, sizeof(num))) < 0 && errno == EINTR)
        ;
    fd_closep(report);
    if (got != (ssize_t)sizeof(num))
        return 0;
    int status;
    (void)proc_wait(pid, &status);
    return -num;
}

int proc_spawn(char *const argv[], char *const envp[], const struct proc_fd *fds, size_t n_fds,
               pid_t *ret_pid)
{
    pid_t pid;
    int report;
    int r = proc_spawn_begin(argv, envp, fds, n_fds, &pid, &report);
    if (r == 0)
        r = proc_spawn_check(pid, &report);
    if (r == 0)
        *ret_pid = pid;
    return r;
}

int proc_wait(pid_t pid, int *ret_status)
{
    for (;;) {
        int status = 0;
        pid_t r = waitpid(pid, &status, __WALL);
        if (r == pid) {
            *ret_status = status;
            return 0;
        }
        if (r < 0 && errno != EINTR)
            return -errno;
    }
}

int proc_shell_status(int wait_status)
{
    if (WIFEXITED(wait_status))
        return WEXITSTATUS(wait_status);
    if (WIFSIGNALED(wait_status))
        return 128 + WTERMSIG(wait_status);
    return 125;
}
