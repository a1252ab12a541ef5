// SPDX-License-Identifier: Apache-2.0
// The system calls of bryo-net, by what needs them. Everything else gives EPERM: no exec, no open,
// no process, no tracing, no signal, no mount.
//
// Written as the kernel takes it: libseccomp is half a millisecond to load and two to think about a
// list of this size, at each start of a job.
#include "net/confine.h"

#include "internal/base/err.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "which AUDIT_ARCH_* is this machine's?"
#endif

static const int allowed[] = {
    // libc, for memory and time
    SYS_brk,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_exit,
    SYS_exit_group,
    SYS_futex,
    SYS_getpid,
    SYS_getrandom,
    SYS_gettid,
    SYS_gettimeofday,
    SYS_madvise,
    SYS_mremap,
    SYS_munmap,
    SYS_nanosleep,
    SYS_restart_syscall,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sched_yield,
    // descriptors that are there: the tap, the log, pipes
    SYS_close,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_fcntl,
    SYS_fstat,
    SYS_fsync,
    SYS_ftruncate,
    SYS_lseek,
    SYS_pipe2,
    SYS_ppoll,
    SYS_pread64,
    SYS_pwrite64,
    SYS_read,
    SYS_readv,
    SYS_splice,
    SYS_tee,
    SYS_write,
    SYS_writev,
    // sockets
    SYS_accept,
    SYS_accept4,
    SYS_bind,
    SYS_connect,
    SYS_getpeername,
    SYS_getsockname,
    SYS_getsockopt,
    SYS_listen,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_sendto,
    SYS_setsockopt,
    SYS_shutdown,
#ifdef SYS_poll // newer architectures do without
    SYS_epoll_wait,
    SYS_poll,
    SYS_time,
#endif
};

#define CODE_MAX 256

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    if (p->n < CODE_MAX)
        p->code[p->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

// The low half of an argument. (The kernel itself looks at no more of those that are asked for.)
static void load_arg(struct program *p, unsigned i)
{
    load(p, offsetof(struct seccomp_data, args[0]) + i * sizeof(uint64_t));
}

static void ret(struct program *p, uint32_t action)
{
    emit(p, BPF_RET | BPF_K, action, 0, 0);
}

#define DENY (SECCOMP_RET_ERRNO | EPERM)

// The call is allowed where all bits of mask in the argument are as in value; else refused.
static void allow_masked(struct program *p, int nr, unsigned arg, uint32_t mask, uint32_t value)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 5);
    load_arg(p, arg);
    emit(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, DENY);
}

// What libslirp asks of a socket, and whether urgent data is next.
static void allow_ioctls(struct program *p)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 6);
    load_arg(p, 1);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 2, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, FIONBIO, 1, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SIOCATMARK, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, DENY);
}

// TCP, UDP and what ping(8) uses, of IPv4 and IPv6: no raw socket, no packet socket, no Unix socket
// and no netlink socket but the one that is open.
static void allow_inet(struct program *p)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 9);
    load_arg(p, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 5);
    load_arg(p, 1);
    emit(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, DENY);
}

static void build(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    ret(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], 0, 1);
        ret(p, SECCOMP_RET_ALLOW);
    }
    // Nothing new becomes code: all libraries are loaded by now.
    allow_masked(p, SYS_mmap, 2, PROT_EXEC, 0);
    allow_masked(p, SYS_mprotect, 2, PROT_EXEC, 0);
    // A path of nothing: the descriptor itself (AT_EMPTY_PATH).
    allow_masked(p, SYS_newfstatat, 3, 0x1000, 0x1000);
    // Its own limits may be read (they are at the hard limit already).
    allow_masked(p, SYS_prlimit64, 0, UINT32_MAX, 0);
    allow_ioctls(p);
    allow_inet(p);
    ret(p, DENY);
}

int net_confine_calls(struct err *err)
{
    struct program p = {.n = 0};
    build(&p);
    const struct sock_fprog prog = {.len = p.n, .filter = p.code};
    if (p.n == CODE_MAX)
        return err_set(err, E2BIG, "the list of system calls does not fit");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
        return err_sys(err, errno, "cannot limit the system calls");
    return 0;
}
