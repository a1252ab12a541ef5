// SPDX-License-Identifier: Apache-2.0
#include "internal/image/confine.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/landlock.h"
#include "internal/base/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// Anonymous memory, in all. The decoder's limit (unpack.h), 16 MiB of chunks and the table of names
// fit; a library that can be talked into more gets ENOMEM.
#define DATA_MAX (UINT64_C(320) << 20)
#define CPU_MAX  3600 // seconds: an archive that decodes for an hour is no root file system
#define FDS_MAX  512  // unpacking keeps 256 directories open; comparing, one a level

bool confine_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

// Makes the directory the root of a mount namespace of its own and gives up everything else that is
// mounted. The descriptor leads through the mount that it was opened on, in the launcher's
// namespace; only the working directory moves along into a new one (unshare(2)).
static int change_root(int root_fd, struct err *err)
{
    if (fchdir(root_fd) < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_sys(err, errno, "cannot create a mount namespace");
    AUTO_FD int tree = sys_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    int r = tree < 0 ? tree : sys_move_mount(tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH);
    if (r == 0 && fchdir(tree) < 0)
        r = -errno;
    if (r < 0)
        return err_sys(err, -r, "cannot mount the directory to unpack into");
    if (sys_pivot_root(".", ".") == 0) {
        if (umount2(".", MNT_DETACH) < 0)
            return err_sys(err, errno, "cannot leave the file systems of the machine");
    } else if (mount(".", "/", NULL, MS_MOVE, NULL) < 0) {
        // Where the root is an initramfs it cannot be exchanged, only covered (pivot_root(2)).
        return err_sys(err, errno, "cannot leave the file systems of the machine");
    }
    if (chroot(".") < 0 || chdir("/") < 0)
        return err_sys(err, errno, "cannot enter the directory to unpack into");
    AUTO_FD int inside = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inside < 0 || dup3(inside, root_fd, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot enter the directory to unpack into");
    return 0;
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

static int set_limits(const struct confinement *c, struct err *err)
{
    int r = limit(RLIMIT_CORE, 0);
    if (r == 0)
        r = limit(RLIMIT_CPU, CPU_MAX);
    if (r == 0)
        r = limit(RLIMIT_NOFILE,
                  c->what == CONFINE_VERIFY || c->what == CONFINE_PACK ? 8 * FDS_MAX : FDS_MAX);
    if (r == 0 && c->max_file_size <= INT64_MAX)
        r = limit(RLIMIT_FSIZE, c->max_file_size);
    if (r == 0 && c->what == CONFINE_UNPACK && !confine_is_sanitized())
        r = limit(RLIMIT_DATA, DATA_MAX);
    return r < 0 ? err_sys(err, -r, "cannot set resource limits") : 0;
}

// Owners and modes of any file in the destination, and nothing else: not even file capabilities.
static uint64_t capabilities(enum confine_for what)
{
    switch (what) {
    case CONFINE_UNPACK:
        return UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE |
               UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_FSETID;
    case CONFINE_VERIFY:
    case CONFINE_PACK:
        return UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_DAC_OVERRIDE;
    default:
        return 0;
    }
}

static int drop_capabilities(enum confine_for what, struct err *err)
{
    uint64_t keep = capabilities(what);
    // From the bounding set only where CAP_SETPCAP says so, which is in a user namespace of ours.
    for (int cap = 0; what != CONFINE_DIGEST && cap < 64; cap++)
        if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
            return err_sys(err, errno, "cannot drop capabilities");
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
        {.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
    };
    if (syscall(SYS_capset, &head, data) < 0)
        return err_sys(err, errno, "cannot drop capabilities");
    return 0;
}

// What a hole in the list of system calls would open, once more: no program, no port, and of files
// none but below the root. Where the kernel has no Landlock, the rest must do.
static int fence(const struct confinement *c, struct err *err)
{
    // Whiteouts are device nodes.
    const struct landlock_rule root = {
        .fd = c->root_fd,
        .what =
            LANDLOCK_READ | (c->what == CONFINE_UNPACK ? LANDLOCK_WRITE | LANDLOCK_DEVICES : 0U)};
    const struct landlock_fence fence = {
        .rules = &root, .n_rules = c->root_fd >= 0, .no_tcp = true};
    int r = landlock_close(&fence, err);
    return r < 0 ? r : 0;
}

int confine(const struct confinement *c, struct err *err)
{
    // A job of the same user, in a user namespace of its own, must not look into this process; the
    // user who owns this one's namespace always may (user_namespaces(7)).
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, errno, "cannot give up privileges");
    int r = c->root_fd >= 0 ? change_root(c->root_fd, err) : 0;
    if (r == 0)
        r = set_limits(c, err);
    if (r == 0)
        r = fence(c, err);
    if (r == 0)
        r = drop_capabilities(c->what, err);
    (void)umask(0);
    return r < 0 || confine_is_sanitized() ? r : confine_calls(c->what, err);
}
