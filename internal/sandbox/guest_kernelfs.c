// SPDX-License-Identifier: Apache-2.0
// Masks and nesting pull against each other. The kernel lets a user namespace mount a fresh /proc
// only where it already sees one that nothing hides any part of (mount_too_revealing() in
// fs/namespace.c), so a masked /proc would keep bryo from running inside bryo. Therefore the job's
// namespace holds two: the masked one that it sees at /proc, and below that, out of reach of any
// path, a whole one whose only purpose is to be counted by the kernel. Root of the job cannot
// uncover it (it has no CAP_SYS_ADMIN), and a nested namespace may not (mounts that it inherits are
// locked). What a nested namespace sees in a /proc of its own is what the user who started bryo may
// see anyway, file modes being what they are; only where root of the machine is in the map would
// that be more, and there the whole one is left out.
#include "internal/sandbox/guest_kernelfs.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define KERNELFS_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

// What is hidden: it tells of the machine or of the user's other work (keys), or would reach beyond
// the namespaces for a root that is root of the machine (kcore, timer_list).
static const char *const masked[] = {"acpi",          "asound",      "kcore",
                                     "keys",          "scsi",        "interrupts",
                                     "latency_stats", "sched_debug", "timer_list"};
// What can be read but not written, whoever asks: settings of the machine.
static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};

static int mask(int proc, int null, const char *name)
{
    AUTO_FD int target = openat(proc, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (target < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(target, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return guest_mnt_new(target, "tmpfs", KERNELFS_FLAGS | MS_RDONLY, "mode=0555,size=0");
    AUTO_FD int tree = guest_mnt_clone(null, "", false);
    return tree < 0 ? tree : guest_mnt_attach(tree, target);
}

static int set_read_only(int proc, const char *name)
{
    AUTO_FD int tree = guest_mnt_clone(proc, name, false);
    if (tree < 0)
        return tree == -ENOENT ? 0 : tree;
    int r = guest_mnt_set_readonly(tree, false);
    return r < 0 ? r : guest_mnt_attach_at(tree, proc, name);
}

// A descriptor of the machine's /dev/null in this mount namespace; checked, since masks are made of
// it.
static int open_null(void)
{
    AUTO_FD int null = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (null < 0 || fstat(null, &st) < 0)
        return -errno;
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return -ENODEV;
    return TAKE_FD(null);
}

static int mask_all(int proc)
{
    AUTO_FD int null = open_null();
    int r = null < 0 ? null : 0;
    for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]) && r == 0; i++)
        r = mask(proc, null, masked[i]);
    for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]) && r == 0; i++)
        r = set_read_only(proc, read_only[i]);
    return r;
}

// The whole /proc that the head of this file speaks of, in a directory that the next mount covers.
static int mount_hidden(int rootfd, int below)
{
    int r = guest_mnt_new(below, "tmpfs", KERNELFS_FLAGS, "mode=0555,size=4k,nr_inodes=4");
    if (r < 0)
        return r;
    AUTO_FD int cover = guest_mnt_own_dir(rootfd, "proc");
    if (cover < 0)
        return cover;
    AUTO_FD int dir = mkdirat(cover, "whole", 0555) < 0
                          ? -1
                          : openat(cover, "whole", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -errno : guest_mnt_new(dir, "proc", KERNELFS_FLAGS, NULL);
}

static int mount_proc(int rootfd, bool real_root, struct err *err)
{
    AUTO_FD int below = guest_mnt_own_dir(rootfd, "proc");
    int r = below < 0 ? below : 0;
    if (r == 0 && !real_root)
        r = mount_hidden(rootfd, below);
    AUTO_FD int top = r < 0 ? -1 : guest_mnt_own_dir(rootfd, "proc");
    if (r == 0)
        r = top < 0 ? top : guest_mnt_new(top, "proc", KERNELFS_FLAGS, NULL);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot mount /proc");
        return r != -EPERM ? r
                           : err_hint(err, "a container around bryo hides parts of its /proc; with "
                                           "docker: --security-opt systempaths=unconfined");
    }
    AUTO_FD int proc = guest_mnt_own_dir(rootfd, "proc");
    r = proc < 0 ? proc : mask_all(proc);
    return r < 0 ? err_sys(err, -r, "cannot mask parts of /proc") : 0;
}

// A fresh sysfs belongs to the network namespace; with the machine's own network, or where a
// container hides parts of its /sys, the one that is there is bound instead.
static int mount_sys(int rootfd, bool own_network, struct err *err)
{
    AUTO_FD int dir = guest_mnt_own_dir(rootfd, "sys");
    int r = dir < 0 ? dir : -EPERM;
    if (r == -EPERM && own_network)
        r = guest_mnt_new(dir, "sysfs", KERNELFS_FLAGS | MS_RDONLY, NULL);
    if (r == -EPERM) {
        AUTO_FD int tree = guest_mnt_clone(AT_FDCWD, "/sys", true);
        r = tree < 0 ? tree : guest_mnt_set_readonly(tree, true);
        if (r == 0)
            r = guest_mnt_attach(tree, dir);
    }
    return r < 0 ? err_sys(err, -r, "cannot mount /sys") : 0;
}

// The job's own view of its cgroup: what lies above is out of sight in a cgroup namespace. A
// machine without cgroup v2 shows an empty directory.
static int mount_cgroup(int rootfd, struct err *err)
{
    AUTO_FD int dir = fspath_open(rootfd, "sys/fs/cgroup", O_PATH | O_DIRECTORY);
    if (dir == -ENOENT)
        return 0;
    int r = dir < 0 ? dir : guest_mnt_new(dir, "cgroup2", KERNELFS_FLAGS | MS_RDONLY, NULL);
    if (r == -EPERM || r == -EBUSY || r == -ENODEV)
        r = guest_mnt_new(dir, "tmpfs", KERNELFS_FLAGS | MS_RDONLY, "mode=0555,size=0");
    return r < 0 ? err_sys(err, -r, "cannot mount /sys/fs/cgroup") : 0;
}

static bool user_mounts(const struct sandbox_config *c, const char *target)
{
    for (size_t i = 0; i < c->n_mounts; i++)
        if (strcmp(c->mounts[i].target, target) == 0)
            return true;
    return false;
}

static int mount_tmp(int rootfd, const struct sandbox_config *c, struct err *err)
{
    if (user_mounts(c, "/tmp"))
        return 0;
    AUTO_FD int dir = fspath_mkdirs(rootfd, "tmp");
    int r = dir < 0 ? dir : guest_mnt_new(dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    return r < 0 ? err_sys(err, -r, "cannot mount /tmp") : 0;
}

int guest_kernelfs_mount(int rootfd, const struct sandbox_config *c, struct err *err)
{
    int r = mount_proc(rootfd, c->real_root, err);
    if (r == 0)
        r = mount_sys(rootfd, c->own_network, err);
    if (r == 0)
        r = mount_cgroup(rootfd, err);
    if (r == 0)
        r = mount_tmp(rootfd, c, err);
    return r < 0 ? err_stage(err, STAGE_MOUNT) : 0;
}
