// SPDX-License-Identifier: Apache-2.0
// The system calls of bryo-net, by what needs them. Everything else gives EPERM: no exec, no open,
// no process, no tracing, no signal, no mount.
#include "net/host_confine.h"

#include "internal/base/err.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

// libc, for memory and time
static const int basic[] = {
    SCMP_SYS(brk),          SCMP_SYS(clock_gettime),  SCMP_SYS(clock_nanosleep),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),     SCMP_SYS(futex),
    SCMP_SYS(getpid),       SCMP_SYS(getrandom),      SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday), SCMP_SYS(madvise),        SCMP_SYS(mremap),
    SCMP_SYS(munmap),       SCMP_SYS(nanosleep),      SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_yield),  SCMP_SYS(time),
};

// descriptors that are there: the tap, the log, pipes
static const int descriptors[] = {
    SCMP_SYS(close),      SCMP_SYS(epoll_create1),   SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait), SCMP_SYS(fcntl),           SCMP_SYS(fstat),     SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),  SCMP_SYS(lseek),           SCMP_SYS(pipe2),     SCMP_SYS(poll),
    SCMP_SYS(ppoll),      SCMP_SYS(pread64),         SCMP_SYS(pwrite64),  SCMP_SYS(read),
    SCMP_SYS(readv),      SCMP_SYS(splice),          SCMP_SYS(tee),       SCMP_SYS(write),
    SCMP_SYS(writev),     SCMP_SYS(timerfd_settime),
};

static const int sockets[] = {
    SCMP_SYS(accept),      SCMP_SYS(accept4),     SCMP_SYS(bind),       SCMP_SYS(connect),
    SCMP_SYS(getpeername), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(listen),
    SCMP_SYS(recvfrom),    SCMP_SYS(recvmsg),     SCMP_SYS(sendmsg),    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),  SCMP_SYS(shutdown),
};

static const unsigned long ioctls[] = {FIONREAD, FIONBIO, 0x8905 /* SIOCATMARK */};

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

// TCP, UDP and what ping(8) uses, of IPv4 and IPv6: no raw socket, no packet socket, no Unix socket
// and no netlink socket but the one that is open.
static int allow_inet(scmp_filter_ctx f)
{
    static const int families[] = {AF_INET, AF_INET6};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    int r = 0;
    for (int i = 0; r == 0 && i < 4; i++)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i / 2]),
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, (scmp_datum_t)types[i % 2]));
    return r;
}

static int build(scmp_filter_ctx f)
{
    int r = ALLOW(f, basic);
    if (r == 0)
        r = ALLOW(f, descriptors);
    if (r == 0)
        r = ALLOW(f, sockets);
    if (r == 0)
        r = allow_inet(f);
    for (size_t i = 0; r == 0 && i < sizeof(ioctls) / sizeof(ioctls[0]); i++)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, ioctls[i]));
    // A path of nothing: the descriptor itself.
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                             SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000, 0x1000));
    // Its own limits may be read, nobody's set (they are at the hard limit already).
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0));
    // Nothing new becomes code: all libraries are loaded by now.
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return r == 0 ? seccomp_load(f) : r;
}

int host_confine_calls(struct err *err)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r = f ? build(f) : -ENOMEM;
    seccomp_release(f);
    return r < 0 ? err_sys(err, -r, "cannot limit the system calls") : 0;
}
