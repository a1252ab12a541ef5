// SPDX-License-Identifier: Apache-2.0
// Makes one system call of a program and all its children fail, or ends the process that makes it:
//
//   failat CALL N ERROR COMMAND...   the N-th call of that number (asm/unistd.h), counted over all
//                                    processes and threads, fails with ERROR (a number); 0: the
//                                    process that makes it is killed
//   failat all COMMAND...            none; the calls are counted
//
// Counted by number, since how often a thread waits differs from run to run, and would shift all
// that comes after.
//
// Writes to descriptor 3: 1 if that call was made, else 0; or "CALL COUNT" lines. The exit status
// is COMMAND's, 128+n for a signal; after a minute SIGALRM ends this program, and with it all that
// it traces.
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
#define MAX_CALL 1024
#define OPTIONS                                                                               \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct plan {
    long call; // -1: they are counted, and none fails
    long at;
    int error; // 0: kill
    long count[MAX_CALL];
    bool hit;
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
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= MAX_CALL ||
        !is_counted((long)info.entry.nr))
        return true;
    long call = (long)info.entry.nr;
    if (++p->count[call] != p->at || call != p->call)
        return true;
    p->hit = true;
    if (p->error == 0) {
        (void)kill(tid, SIGKILL);
        return false;
    }
    p->failing[tid] = 1;
    if (call != SYS_close) // which fails only after it has closed (close(2))
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
            int how = !p->hit || p->failing[tid] ? PTRACE_SYSCALL : PTRACE_CONT;
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
    static struct plan p = {.call = -1};
    bool all = argc > 2 && strcmp(argv[1], "all") == 0;
    char **command = argv + (all ? 2 : 4);
    if (!all && argc < 5)
        return 99;
    if (!all) {
        p.call = strtol(argv[1], NULL, 10);
        p.at = strtol(argv[2], NULL, 10);
        p.error = (int)strtol(argv[3], NULL, 10);
    }
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
        (void)execv(command[0], command);
        die(command[0]);
    }
    int status;
    if (waitpid(child, &status, WUNTRACED) != child ||
        ptrace(PTRACE_SEIZE, child, NULL, (long)OPTIONS) < 0)
        die("failat: seize");
    (void)kill(child, SIGCONT);
    int result = watch(&p, child);
    for (long i = 0; all && i < MAX_CALL; i++)
        if (p.count[i])
            (void)dprintf(3, "%ld %ld\n", i, p.count[i]);
    if (!all)
        (void)dprintf(3, "%d\n", p.hit);
    free(p.failing);
    return result;
}
