// SPDX-License-Identifier: Apache-2.0
#include "net/confine.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

// Ten thousand connections take some tens of megabytes; a parser that is talked into more gets
// ENOMEM.
#define DATA_MAX (UINT64_C(512) << 20)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 // it needs more memory and more system calls than the program does
#else
#define SANITIZED 0
#endif

// An empty directory in memory becomes "/", and the machine's tree goes out of reach.
static int empty_root(struct err *err)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return 0; // no room for another one: see the header
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
              "size=4k,mode=555") < 0 ||
        chdir("/proc") < 0)
        return err_sys(err, errno, "cannot make an empty root for bryo-net");
    if (sys_pivot_root(".", ".") == 0) {
        if (umount2(".", MNT_DETACH) < 0)
            return err_sys(err, errno, "cannot leave the machine's files");
    } else if (mount(".", "/", NULL, MS_MOVE, NULL) < 0) {
        // Where the root is an initramfs it cannot be exchanged, only covered (pivot_root(2)).
        return err_sys(err, errno, "cannot leave the machine's files");
    }
    if (chroot(".") < 0 || chdir("/") < 0)
        return err_sys(err, errno, "cannot leave the machine's files");
    return 0;
}

static int drop_capabilities(struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    // In a user namespace of its own it has the right to; outside of one there is nothing to drop.
    for (int cap = 0; cap < 64; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
            return err_sys(err, errno, "cannot drop capabilities");
    if (syscall(SYS_capset, &head, data) < 0)
        return err_sys(err, errno, "cannot drop capabilities");
    return 0;
}

// Every right that this header and the kernel both know is handled, and none is granted.
static void landlock(void)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return; // before Linux 5.13, or turned off
    // The bits of each version follow each other: 13 of version 1, then refer, truncate, ioctl.
    unsigned bits = 13U + (abi >= 2) + (abi >= 3) + (abi >= 5);
    struct {
        uint64_t fs;
        uint64_t net;
        uint64_t scoped; // version 6: abstract sockets and signals
    } attr = {.fs = (UINT64_C(1) << bits) - 1, .scoped = abi >= 6 ? 3 : 0};
    size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 16 : 8;
    AUTO_FD int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (rules >= 0)
        (void)syscall(SYS_landlock_restrict_self, rules, 0);
}

static int limit(int resource, uint64_t most)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return -errno;
    rlim_t to = most < now.rlim_max ? (rlim_t)most : now.rlim_max;
    struct rlimit l = {to, to};
    return setrlimit((__rlimit_resource_t)resource, &l) < 0 ? -errno : 0;
}

int net_confine(struct err *err)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, errno, "cannot give up privileges");
    int r = empty_root(err);
    // The change of namespace made the process forget both.
    if (r == 0 &&
        (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
        r = err_sys(err, errno, "cannot give up privileges");
    if (r == 0)
        r = drop_capabilities(err);
    if (r < 0)
        return r;
    landlock();
    r = limit(RLIMIT_CORE, 0);
    if (r == 0 && !SANITIZED)
        r = limit(RLIMIT_DATA, DATA_MAX);
    if (r < 0)
        return err_sys(err, -r, "cannot set resource limits");
    return SANITIZED ? 0 : net_confine_calls(err);
}
