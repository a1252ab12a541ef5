// SPDX-License-Identifier: Apache-2.0
// Makes one system call of a program and all its children fail, or ends the process that makes it:
//
//   failat N ERROR COMMAND...    the N-th call in order, counted over all processes and threads,
//                                fails with ERROR (a number), or with "kill" its process is killed
//   failat 0 0 COMMAND...        none; the calls are counted
//
// Writes "COUNT NUMBER" to descriptor 3: how many calls there were up to the one that was hit, and
// its number (asm/unistd.h), -1: none was. The exit status is COMMAND's, 128+n for a signal; after
// a minute SIGALRM ends this program, and with it all that it traces.
//
// Calls that only look at the own process, or begin and end threads' waits, are not counted: they
// touch nothing that could be left behind.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S  60
#define MAX_PIDS 4194305 // PID_MAX_LIMIT
#define OPTIONS                                                                               \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct plan {
    long at;
    int error; // 0: kill
    long count;
    long hit;
    unsigned char *failing; // by thread: its call is to return the error
};

static void die(const char *what)
{
    perror(what);
    exit(99);
}

static bool is_counted(long nr)
{
    static const long harmless[] = {
        SYS_futex,           SYS_rt_sigaction,    SYS_rt_sigprocmask,
        SYS_rt_sigreturn,    SYS_set_robust_list, SYS_rseq,
        SYS_set_tid_address, SYS_getpid,          SYS_gettid,
        SYS_geteuid,         SYS_getuid,          SYS_getegid,
        SYS_getgid,          SYS_getppid,         SYS_exit,
        SYS_exit_group,      SYS_sched_yield,     SYS_restart_syscall,
        SYS_clock_gettime,   SYS_arch_prctl,      SYS_madvise,
        SYS_munmap,          SYS_sigaltstack,     SYS_umask,
        SYS_clock_nanosleep,
    };
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (harmless[i] == nr)
            return false;
    return true;
}

static void set_call(pid_t tid, long nr)
{
    if (ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), nr) < 0)
        die("failat: set call");
}

static void set_result(pid_t tid, long value)
{
    if (ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), value) < 0)
        die("failat: set result");
}

// A thread stopped at the beginning or the end of a system call. False: it was killed.
static bool at_call(struct plan *p, pid_t tid)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing[tid]) {
        p->failing[tid] = 0;
        set_result(tid, -p->error);
        return true;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_counted((long)info.entry.nr) ||
        ++p->count != p->at)
        return true;
    p->hit = (long)info.entry.nr;
    if (p->error == 0) {
        (void)kill(tid, SIGKILL);
        return false;
    }
    p->failing[tid] = 1;
    if (p->hit != SYS_close) // which fails only after it has closed (close(2))
        set_call(tid, -1);
    return true;
}

// What a stop means, and which signal goes along when the thread goes on.
static int handle(struct plan *p, pid_t tid, int status)
{
    int sig = WSTOPSIG(status);
    int event = status >> 16;
    if (sig == (SIGTRAP | 0x80))
        return at_call(p, tid) ? 0 : -1;
    if (event != 0)
        return 0;
    return sig;
}

static int watch(struct plan *p, pid_t child)
{
    int result = 99;
    int status;
    pid_t tid;
    while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (tid <= 0)
            continue;
        if (WIFSTOPPED(status)) {
            int sig = handle(p, tid, status);
            // Nothing more is to be seen once it was hit, but the end of that call.
            int how = p->hit < 0 || p->failing[tid] ? PTRACE_SYSCALL : PTRACE_CONT;
            if (sig >= 0)
                (void)ptrace(how, tid, NULL, (long)sig);
        } else if (tid == child) {
            result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 99;
    struct plan p = {
        .at = strtol(argv[1], NULL, 10), .error = (int)strtol(argv[2], NULL, 10), .hit = -1};
    p.failing = calloc(MAX_PIDS, 1);
    if (!p.failing)
        die("failat");
    (void)alarm(LIMIT_S);
    pid_t child = fork();
    if (child < 0)
        die("failat: fork");
    if (child == 0) {
        (void)close(3);
        (void)alarm(0);
        (void)raise(SIGSTOP);
        (void)execv(argv[3], argv + 3);
        die(argv[3]);
    }
    int status;
    if (waitpid(child, &status, WUNTRACED) != child ||
        ptrace(PTRACE_SEIZE, child, NULL, (long)OPTIONS) < 0)
        die("failat: seize");
    (void)kill(child, SIGCONT);
    int result = watch(&p, child);
    (void)dprintf(3, "%ld %ld\n", p.count, p.hit);
    free(p.failing);
    return result;
}
