// SPDX-License-Identifier: Apache-2.0
#include "internal/base/cleanup.h"
#include "net/guest_fast.h"
#include "net/guest_tproxy.h"
#include "net/netconfig.h"
#include "net/shape.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
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
#error "which architecture do the numbers of this one's system calls belong to?"
#endif

// One datagram of up to MAKER_BATCH sockets; 0 sockets when the kernel gives none.
static int send_sockets(int sock, unsigned char family, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MAKER_BATCH * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec iov = {.iov_base = &family, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(head), fds, n * sizeof(int));
    }
    ssize_t r;
    do
        r = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static int serve(int sock, unsigned char family, bool all_by_tap)
{
    int fds[MAKER_BATCH];
    size_t n = 0;
    while (n < MAKER_BATCH && (fds[n] = guest_tproxy_socket(family, all_by_tap)) >= 0)
        n++;
    int r = send_sockets(sock, family, fds, n);
    while (n > 0)
        (void)close(fds[--n]);
    return r;
}

// Of what root in the job's user namespace may do, this is left: IP_TRANSPARENT and SO_MARK.
static int keep_net_admin(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = 1U << CAP_NET_ADMIN, .permitted = 1U << CAP_NET_ADMIN}};
    return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

#define ALLOW(nr)                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##nr, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// It parses one byte. The filter is for what nobody thought of. A call of another architecture's
// numbering ends it; the native one needs no test of the numbers above.
static int few_calls(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(recvfrom),
        ALLOW(sendmsg),
        ALLOW(socket),
        ALLOW(setsockopt),
        ALLOW(close),
        ALLOW(rt_sigreturn),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog prog = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
        return -errno;
    return 0;
}

static int confine(void)
{
    // Joining the job's user namespace undid the first two.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int r = keep_net_admin();
    return r < 0 ? r : few_calls();
}

int guest_maker_main(int sock, const struct netconfig *config)
{
    int ready = confine();
    if (ready < 0)
        return ready;
    for (;;) {
        unsigned char family = 0;
        ssize_t n = recv(sock, &family, 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (family != AF_INET && family != AF_INET6)
            return -EPROTO;
        int r = serve(sock, family, shape_wanted(&config->opts));
        if (r < 0)
            return r;
    }
}
