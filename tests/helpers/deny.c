// SPDX-License-Identifier: Apache-2.0
// deny WHAT COMMAND [ARGUMENT...]: runs a command on a machine that refuses something, by a seccomp
// filter, as containers do.
//
//   userns    user namespaces by any call, as docker's profile: EPERM; clone3 ENOSYS
//   landlock  as a kernel without it: ENOSYS
//   keyctl    EPERM, as docker's profile
//   seccomp   further filters, and asking for no_new_privs' sake: EINVAL
//   pivot     pivot_root: EINVAL, as on an initramfs
//   netfilter netlink sockets of netfilter: EPROTONOSUPPORT, as a kernel without it
//
// Without CAP_SYS_ADMIN, no_new_privs is set, which takes newuidmap its privilege.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_NOT(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define IF_NONE(bits, n) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (n))
#define FAIL(num)        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (num))
#define ALLOW            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install(struct sock_filter *filter, unsigned short n)
{
    struct sock_fprog prog = {.len = n, .filter = filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static int deny_one(unsigned nr, unsigned num)
{
    struct sock_filter filter[] = {LOAD(nr), IF_NOT(nr, 1), FAIL(num), ALLOW};
    return install(filter, sizeof(filter) / sizeof(filter[0]));
}

static int deny_userns(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        IF_NOT(SYS_clone3, 1),
        FAIL(ENOSYS),
        IF_NOT(SYS_clone, 3),
        LOAD(args[0]),
        IF_NONE(CLONE_NEWUSER, 1),
        FAIL(EPERM),
        LOAD(nr),
        IF_NOT(SYS_unshare, 3),
        LOAD(args[0]),
        IF_NONE(CLONE_NEWUSER, 1),
        FAIL(EPERM),
        ALLOW,
    };
    return install(filter, sizeof(filter) / sizeof(filter[0]));
}

static int deny_netfilter(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),      IF_NOT(SYS_socket, 5),        LOAD(args[0]),         IF_NOT(AF_NETLINK, 3),
        LOAD(args[2]), IF_NOT(NETLINK_NETFILTER, 1), FAIL(EPROTONOSUPPORT), ALLOW,
    };
    return install(filter, sizeof(filter) / sizeof(filter[0]));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        unsigned nr;
        unsigned num;
    } calls[] = {{"landlock", SYS_landlock_create_ruleset, ENOSYS},
                 {"keyctl", SYS_keyctl, EPERM},
                 {"pivot", SYS_pivot_root, EINVAL},
                 {"seccomp", SYS_seccomp, EINVAL}};
    int r = -1;
    errno = EINVAL;
    if (argc > 2 && strcmp(argv[1], "userns") == 0)
        r = deny_userns();
    if (argc > 2 && strcmp(argv[1], "netfilter") == 0)
        r = deny_netfilter();
    for (size_t i = 0; argc > 2 && i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(argv[1], calls[i].what) == 0)
            r = deny_one(calls[i].nr, calls[i].num);
    if (r == 0)
        execvp(argv[2], argv + 2);
    fprintf(stderr, "deny: %s: %s\n", argc > 2 ? argv[1] : "usage: deny WHAT COMMAND",
            strerror(errno));
    return 126;
}
