// SPDX-License-Identifier: Apache-2.0
// The system calls of bryo-unpack, by what needs them. Everything else gives EPERM: no exec, no
// socket, no mount, no tracing, no other process to signal.
#include "internal/image/confine.h"

#include "internal/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>

// libc, for memory and threads
static const int basic[] = {
    SCMP_SYS(brk),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(fstat),
    SCMP_SYS(futex),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettid),
    SCMP_SYS(lseek),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(newfstatat),
    SCMP_SYS(pread64),
    SCMP_SYS(read),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendto), // the report, over the socket it was given
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

// creating files below the destination
static const int creating[] = {
    SCMP_SYS(fchmod),    SCMP_SYS(fchmodat),  SCMP_SYS(fchown),     SCMP_SYS(fchownat),
    SCMP_SYS(fsetxattr), SCMP_SYS(ftruncate), SCMP_SYS(getdents64), SCMP_SYS(linkat),
    SCMP_SYS(mkdirat),   SCMP_SYS(mknodat),   SCMP_SYS(openat),     SCMP_SYS(openat2),
    SCMP_SYS(symlinkat), SCMP_SYS(unlinkat),  SCMP_SYS(utimensat),  SCMP_SYS(fcntl),
    SCMP_SYS(fgetxattr),
};

// comparing them
static const int comparing[] = {
    SCMP_SYS(fcntl),   SCMP_SYS(getdents64), SCMP_SYS(openat),
    SCMP_SYS(openat2), SCMP_SYS(readlinkat), SCMP_SYS(statx),
};

// reading what is packed
static const int packing[] = {
    SCMP_SYS(fgetxattr),
    SCMP_SYS(flistxattr),
};

static int allow(scmp_filter_ctx f, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
        if (r < 0)
            return r;
    }
    return 0;
}

#define ALLOW(f, list) allow(f, list, sizeof(list) / sizeof((list)[0]))

// What a thread is; anything else that clone(2) makes lacks one of these.
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static int build(scmp_filter_ctx f, enum confine_for what)
{
    int r = ALLOW(f, basic);
    // Nothing new becomes code: all libraries are loaded by now.
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0 && what == CONFINE_UNPACK)
        r = ALLOW(f, creating);
    if (r == 0 && (what == CONFINE_UNPACK || what == CONFINE_PACK || what == CONFINE_REPACK)) {
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS, THREAD_FLAGS));
        // Its flags lie in memory, where a filter cannot look: libc then takes clone(2).
        if (r == 0)
            r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    }
    if (r == 0 && (what == CONFINE_VERIFY || what == CONFINE_PACK))
        r = ALLOW(f, comparing);
    if (r == 0 && what == CONFINE_PACK)
        r = ALLOW(f, packing);
    return r == 0 ? seccomp_load(f) : r;
}

int confine_calls(enum confine_for what, struct err *err)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r = f ? build(f, what) : -ENOMEM;
    seccomp_release(f);
    return r < 0 ? err_sys(err, -r, "cannot limit the system calls") : 0;
}
