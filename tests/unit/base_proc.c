// SPDX-License-Identifier: Apache-2.0
#include "internal/base/proc.h"

#include "internal/base/buf.h"
#include "internal/base/fd.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

#include <signal.h>

// Runs a shell script with descriptor 1 being a pipe; what it printed.
static char *output_of(const char *script, char *const envp[], const struct proc_fd *more, size_t n,
                       int *ret_status)
{
    struct buf out = {0};
    struct proc_fd fds[8];
    int p[2];
    pid_t pid = -1;
    *ret_status = -1;
    if (pipe2(p, O_CLOEXEC) < 0)
        return str_dup("no pipe");
    fds[0] = (struct proc_fd){p[1], 1};
    for (size_t i = 0; i < n; i++)
        fds[i + 1] = more[i];
    char *const argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    int r = proc_spawn(argv, envp, fds, n + 1, &pid);
    (void)close(p[1]);
    if (r == 0) {
        (void)fd_read_all(p[0], 1 << 20, &out);
        (void)proc_wait(pid, ret_status);
    }
    (void)close(p[0]);
    return buf_take(&out);
}

static void surroundings(const struct scratch *s)
{
    int status;
    AUTO_FREE char *fds =
        output_of("n=0; while [ $n -lt 256 ]; do [ ! -e /proc/$$/fd/$n ] || echo $n; "
                  "n=$((n + 1)); done",
                  NULL, NULL, 0, &status);
    is_str(fds, "0\n1\n2\n", "no descriptors but 0, 1 and 2");
    is_int(status, 0, "it ended with 0");
    AUTO_FREE char *in = output_of("readlink /proc/$$/fd/0", NULL, NULL, 0, &status);
    is_str(in, "/dev/null\n", "0 is /dev/null");
    ok(setenv("BRYO_SECRET", "x", 1) == 0, "a variable outside");
    AUTO_FREE char *env =
        output_of("env | grep -v '^_=\\|^PWD=\\|^SHLVL=' | sort", NULL, NULL, 0, &status);
    is_str(env, "LANG=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n", "is not passed on");
    char *const envp[] = {(char *)"A=1", NULL};
    AUTO_FREE char *own = output_of("echo $A", envp, NULL, 0, &status);
    is_str(own, "1\n", "one that is given is");

    // 5 to 6 and 6 to 5 at once: each must be read before it is overwritten.
    ok(scratch_file(s, "a", "A") == 0 && scratch_file(s, "b", "B") == 0, "two files");
    int a = openat(s->fd, "a", O_RDONLY | O_CLOEXEC);
    int b = openat(s->fd, "b", O_RDONLY | O_CLOEXEC);
    struct proc_fd swap[] = {{a, b}, {b, a}};
    AUTO_FREE char *script = str_fmt("cat <&%d; cat <&%d", a, b);
    AUTO_FREE char *swapped = output_of(script, NULL, swap, 2, &status);
    is_str(swapped, "BA", "descriptors change places");
    ok(fcntl(a, F_GETFD) >= 0 && fcntl(b, F_GETFD) >= 0, "the caller's stay open");
    (void)close(a);
    (void)close(b);
}

static void signals(void)
{
    int status;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGINT, SIG_IGN);
    AUTO_FREE char *mask =
        output_of("exec grep -E 'SigBlk|SigIgn' /proc/self/status", NULL, NULL, 0, &status);
    is_str(mask, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
           "no signal is blocked or ignored");
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    AUTO_FREE char *killed = output_of("kill -9 $$", NULL, NULL, 0, &status);
    is_int(proc_shell_status(status), 128 + SIGKILL, "a signal's status");
    AUTO_FREE char *seven = output_of("exit 7", NULL, NULL, 0, &status);
    is_int(proc_shell_status(status), 7, "an exit status");
    is_int(proc_shell_status(0x137f), 125, "a status that is no end");
}

static void failures(void)
{
    pid_t pid = -1;
    char *const none[] = {(char *)"/nonexistent/program", NULL};
    is_int(proc_spawn(none, NULL, NULL, 0, &pid), -ENOENT, "a program that is not there");
    char *const dir[] = {(char *)"/etc", NULL};
    is_int(proc_spawn(dir, NULL, NULL, 0, &pid), -EACCES, "one that cannot be executed");
    is_int(pid, -1, "no pid comes back");
    // The report of a failed exec must get through when its own pipe's number is promised away.
    for (int to = 3; to < 20; to++) {
        struct proc_fd fd = {1, to};
        if (proc_spawn(none, NULL, &fd, 1, &pid) != -ENOENT) {
            ok(0, "a failed exec is reported with descriptor %d placed", to);
            return;
        }
    }
    ok(1, "a failed exec is reported whichever descriptor is placed");
    ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "no child is left");
}

// The program ends when its parent does.
static void death_of_the_parent(const struct scratch *s)
{
    pid_t middle = fork();
    if (middle == 0) {
        char *const argv[] = {(char *)"/bin/sleep", (char *)"60", NULL};
        pid_t pid = -1;
        int r = proc_spawn(argv, NULL, NULL, 0, &pid);
        AUTO_FREE char *text = str_fmt("%d", (int)pid);
        _exit(r == 0 && scratch_file(s, "pid", text) == 0 ? 0 : 1);
    }
    int status = 1;
    (void)waitpid(middle, &status, 0);
    AUTO_BUF struct buf text = {0};
    ok(status == 0 && fd_read_file(s->fd, "pid", 20, &text) == 0,
       "a program of a parent that ended");
    pid_t orphan = (pid_t)strtol(buf_str(&text), NULL, 10);
    int alive = 1;
    for (int i = 0; i < 200 && alive; i++) {
        AUTO_FREE char *path = str_fmt("/proc/%d/stat", (int)orphan);
        AUTO_BUF struct buf stat = {0};
        // A zombie waits for whoever reaps orphans here.
        alive = fd_read_file(AT_FDCWD, path, 4096, &stat) == 0 && !strstr(buf_str(&stat), ") Z ");
        if (alive)
            (void)usleep(10000);
    }
    ok(orphan > 0 && !alive, "ended too");
}

int main(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    surroundings(&s);
    signals();
    failures();
    death_of_the_parent(&s);
    return done_testing();
}
