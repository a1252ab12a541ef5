// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_attempts.h"

#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/sys.h"
#include "internal/job/checkup.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/guest_overlay.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

// r: of a call that returns >= 0 or -errno.
static bool record(const struct guest_attempts *a, enum attempt attempt, int r)
{
    struct attempt_record rec = {.attempt = attempt, .num = r < 0 ? -r : 0};
    (void)fd_write_all(a->report, &rec, sizeof(rec));
    return r >= 0;
}

static int said(int r)
{
    return r < 0 ? -errno : r;
}

// A file system of its own, not attached anywhere.
static int new_fs(const char *type, unsigned attributes)
{
    AUTO_FD int fs = sys_fsopen(type);
    int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    AUTO_FD int mnt = r < 0 ? r : sys_fsmount(fs, attributes);
    return mnt < 0 ? mnt : 0;
}

static int try_overlay(const char *dir)
{
    AUTO_FD int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int lower = openat(top, "lower", O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int merged = openat(top, "merged", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (lower < 0 || merged < 0)
        return -errno;
    struct guest_overlay o = {.lowers = &lower, .n_lowers = 1, .scratch = top, .dir = ""};
    int r = guest_overlay_mount(&o, merged);
    if (r < 0)
        return r;
    AUTO_FD int file = openat(top, "merged/file", O_WRONLY | O_APPEND | O_CLOEXEC);
    return file < 0 ? -errno : fd_write_all(file, "up\n", 3);
}

static int try_lo(void)
{
    AUTO_FD int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq req = {.ifr_name = "lo"};
    if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &req) < 0)
        return -errno;
    req.ifr_flags |= IFF_UP;
    return said(ioctl(sock, SIOCSIFFLAGS, &req));
}

static int try_tun(void)
{
    AUTO_FD int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq req = {.ifr_name = "bryo0", .ifr_flags = IFF_TAP | IFF_NO_PI};
    return tun < 0 ? -errno : said(ioctl(tun, TUNSETIFF, &req));
}

// The child is process 1 of the new PID namespace.
static int try_proc(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(-new_fs("proc", 0) & 0xff);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int try_nested(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER) < 0 ? errno & 0xff : 0);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int try_pivot(const char *dir)
{
    if (mount("tmpfs", dir, "tmpfs", MS_NODEV | MS_NOSUID, "size=64k") < 0 || chdir(dir) < 0)
        return -errno;
    return sys_pivot_root(".", ".");
}

int guest_attempts_in_userns(void *ctx, struct err *err)
{
    (void)err;
    const struct guest_attempts *a = ctx;
    // Before the others: a namespace takes part in this process's rights over what it owns.
    (void)record(a, ATTEMPT_NESTED, try_nested());
    bool mnt = record(a, ATTEMPT_MNT, said(unshare(CLONE_NEWNS)));
    (void)record(a, ATTEMPT_UTS, said(unshare(CLONE_NEWUTS)));
    (void)record(a, ATTEMPT_IPC, said(unshare(CLONE_NEWIPC)));
    bool net = record(a, ATTEMPT_NET, said(unshare(CLONE_NEWNET)));
    bool cgroup = record(a, ATTEMPT_CGROUP, said(unshare(CLONE_NEWCGROUP)));
    (void)record(a, ATTEMPT_TIME, said(unshare(CLONE_NEWTIME)));
    bool pid = record(a, ATTEMPT_PID, said(unshare(CLONE_NEWPID)));
    if (net) {
        (void)record(a, ATTEMPT_LO, try_lo());
        (void)record(a, ATTEMPT_TUN, try_tun());
    }
    if (!mnt || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 0;
    (void)record(a, ATTEMPT_TMPFS, new_fs("tmpfs", 0));
    if (pid)
        (void)record(a, ATTEMPT_PROC, try_proc());
    if (net) // read-only, as a job gets it: in a job the kernel allows no other
        (void)record(a, ATTEMPT_SYSFS, new_fs("sysfs", MOUNT_ATTR_RDONLY));
    if (cgroup)
        (void)record(a, ATTEMPT_CGROUP2, new_fs("cgroup2", 0));
    if (a->dir) {
        (void)record(a, ATTEMPT_OVERLAY, try_overlay(a->dir));
        (void)record(a, ATTEMPT_PIVOT, try_pivot(a->dir));
    }
    return 0;
}

static int try_seccomp(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog prog = {.len = 1, .filter = &allow};
    return said((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}

static int try_landlock(void)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
    AUTO_FD int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    return rules < 0 ? -errno : said((int)syscall(SYS_landlock_restrict_self, rules, 0));
}

static int try_inotify(void)
{
    AUTO_FD int fd = inotify_init1(IN_CLOEXEC);
    return fd < 0 ? -errno : said(inotify_add_watch(fd, "/", IN_DELETE_SELF));
}

static int try_ping(void)
{
    AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    return fd < 0 ? -errno : 0;
}

void guest_attempts_plain(const struct guest_attempts *a)
{
    (void)record(a, ATTEMPT_INOTIFY, try_inotify());
    (void)record(a, ATTEMPT_PING, try_ping());
    (void)record(a, ATTEMPT_KEYRING,
                 said((int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL)));
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)record(a, ATTEMPT_LANDLOCK, try_landlock());
    (void)record(a, ATTEMPT_SECCOMP, try_seccomp());
}
