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
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define KERNELFS_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

// What is hidden, and what can only be read. "root" in the second column: file modes keep it from
// everybody but root of the machine, so that it costs a mount only where that is in the map (kcore:
// the memory of the machine; timer_list: addresses of its kernel; sysrq-trigger and the rest: its
// settings). The others any user may read: they tell of the machine, of other jobs' timing, of the
// user's keys.
enum { HIDE, READ_ONLY };

static const struct rule {
    const char *name;
    bool root_only;
    int what;
} rules[] = {
    {"acpi", false, HIDE},          {"asound", false, HIDE},
    {"interrupts", false, HIDE},    {"keys", false, HIDE},
    {"latency_stats", false, HIDE}, {"sched_debug", false, HIDE},
    {"scsi", false, HIDE},          {"kcore", true, HIDE},
    {"timer_list", true, HIDE},     {"sys", false, READ_ONLY},
    {"bus", true, READ_ONLY},       {"fs", true, READ_ONLY},
    {"irq", true, READ_ONLY},       {"sysrq-trigger", true, READ_ONLY},
};

static int hide(int proc, const struct guest_blanks *blanks, const char *name)
{
    AUTO_FD int target = openat(proc, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (target < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(target, &st) < 0)
        return -errno;
    AUTO_FD int tree = guest_mnt_clone(S_ISDIR(st.st_mode) ? blanks->dir : blanks->file, "", false);
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

static int mask_all(int proc, const struct guest_blanks *blanks, bool real_root)
{
    int r = 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && r == 0; i++) {
        if (rules[i].root_only && !real_root)
            continue;
        r = rules[i].what == HIDE ? hide(proc, blanks, rules[i].name)
                                  : set_read_only(proc, rules[i].name);
    }
    return r;
}

// The kernel counts here, for whoever looks, how often each processor ran hot: another job's work
// can be told from it as from /proc/interrupts. Machines that are virtual do not have it. The
// others of runc's list under /sys are root's by their modes, as above. (Where it is hidden, a bryo
// inside of a job binds this /sys instead of mounting its own.)
static int mask_sys(int sys, const struct guest_blanks *blanks, bool real_root)
{
    static const char *const roots[] = {"firmware", "devices/virtual/powercap", "dev/block"};
    int r = 0;
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && real_root && r == 0; i++)
        r = hide(sys, blanks, roots[i]);
    for (unsigned cpu = 0; r == 0; cpu++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "devices/system/cpu/cpu%u", cpu);
        if (faccessat(sys, path, F_OK, 0) < 0)
            break;
        (void)snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/thermal_throttle", cpu);
        if (cpu == 0 && faccessat(sys, path, F_OK, 0) < 0)
            break;
        r = hide(sys, blanks, path);
    }
    return r;
}

// A small read-only file system that the job's /proc then covers: an empty directory to hide others
// with, and (whole) the /proc that the head of this file speaks of.
static int mount_cover(int rootfd, bool whole, int *ret_blank)
{
    AUTO_FD int below = guest_mnt_own_dir(rootfd, "proc");
    int r = below < 0
                ? below
                : guest_mnt_new(below, "tmpfs", KERNELFS_FLAGS, "mode=0555,size=4k,nr_inodes=4");
    AUTO_FD int cover = r < 0 ? r : guest_mnt_own_dir(rootfd, "proc");
    if (cover < 0)
        return cover;
    if (mkdirat(cover, "blank", 0555) < 0 || mkdirat(cover, "whole", 0555) < 0)
        return -errno;
    AUTO_FD int blank = openat(cover, "blank", O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int dir = openat(cover, "whole", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (blank < 0 || dir < 0)
        return -errno;
    r = guest_mnt_set_readonly(cover, false);
    if (r == 0 && whole)
        r = guest_mnt_new(dir, "proc", KERNELFS_FLAGS, NULL);
    if (r == 0)
        *ret_blank = TAKE_FD(blank);
    return r;
}

// user_namespaces(7), namespaces(7): a limit of the job's own user namespace, counted wherever the
// call comes from. The filter of system calls refuses as well; this holds with other profiles too.
static int forbid_userns(int proc, struct err *err)
{
    int r = fd_write_file(proc, "sys/user/max_user_namespaces", "0", 1);
    return r < 0 ? err_sys(err, -r, "cannot forbid user namespaces") : 0;
}

static int mount_proc(int rootfd, bool real_root, bool no_userns, struct guest_blanks *blanks,
                      struct err *err)
{
    int r = mount_cover(rootfd, !real_root, &blanks->dir);
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
    if (proc >= 0 && no_userns && forbid_userns(proc, err) < 0)
        return -err->num;
    blanks->file = open_null();
    r = proc < 0 ? proc : blanks->file < 0 ? blanks->file : mask_all(proc, blanks, real_root);
    return r < 0 ? err_sys(err, -r, "cannot mask parts of /proc") : 0;
}

// A fresh sysfs belongs to the network namespace; with the machine's own network, or where a
// container hides parts of its /sys, the one that is there is bound instead.
static int mount_sys(int rootfd, const struct sandbox_config *c, const struct guest_blanks *blanks,
                     struct err *err)
{
    AUTO_FD int dir = guest_mnt_own_dir(rootfd, "sys");
    int r = dir < 0 ? dir : -EPERM;
    if (r == -EPERM && c->own_network)
        r = guest_mnt_new(dir, "sysfs", KERNELFS_FLAGS | MS_RDONLY, NULL);
    if (r == -EPERM) {
        AUTO_FD int tree = guest_mnt_clone(AT_FDCWD, "/sys", true);
        r = tree < 0 ? tree : guest_mnt_set_readonly(tree, true);
        if (r == 0)
            r = guest_mnt_attach(tree, dir);
    }
    AUTO_FD int sys = r < 0 ? -1 : guest_mnt_own_dir(rootfd, "sys");
    if (r == 0)
        r = sys < 0 ? sys : mask_sys(sys, blanks, c->real_root);
    return r < 0 ? err_sys(err, -r, "cannot mount /sys") : 0;
}

// The job's own view of its cgroup: what lies above is out of sight in a cgroup namespace. A
// machine without cgroup v2 shows an empty directory. One of the job's own can be written to, so
// that systemd, a container engine or another bryo divides it; what limits it lies above it.
static int mount_cgroup_once(int rootfd, const char *fstype, unsigned long flags,
                             const char *options)
{
    AUTO_FD int dir = fspath_open(rootfd, "sys/fs/cgroup", O_PATH | O_DIRECTORY);
    return dir < 0 ? dir : guest_mnt_new(dir, fstype, flags, options);
}

static int mount_cgroup(int rootfd, bool own, struct err *err)
{
    unsigned long read_only = KERNELFS_FLAGS | MS_RDONLY;
    unsigned long flags = own ? KERNELFS_FLAGS : read_only;
    const char *empty = "mode=0555,size=0";
    int r = mount_cgroup_once(rootfd, "cgroup2", flags, NULL);
    if (r == -ENOENT)
        return 0;
    // No file system is mounted onto itself: the machine's /sys came with one (--network host).
    if (r == -EBUSY) {
        r = mount_cgroup_once(rootfd, "tmpfs", read_only, empty);
        if (r == 0 && mount_cgroup_once(rootfd, "cgroup2", flags, NULL) == 0)
            return 0;
    } else if (r == -EPERM || r == -ENODEV) {
        r = mount_cgroup_once(rootfd, "tmpfs", read_only, empty);
    }
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
    // A link is followed within the root, since some have /tmp elsewhere; one that leads nowhere,
    // or a file, is replaced in the scratch layer.
    AUTO_FD int dir = fspath_mkdirs(rootfd, "tmp");
    if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
        dir = guest_mnt_own_dir(rootfd, "tmp");
    int r = dir < 0 ? dir : guest_mnt_new(dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    return r < 0 ? err_sys(err, -r, "cannot mount /tmp") : 0;
}

int guest_kernelfs_proc(int rootfd, const struct sandbox_config *c, struct guest_blanks *ret_blanks,
                        struct err *err)
{
    *ret_blanks = (struct guest_blanks){.file = -1, .dir = -1};
    int r = mount_proc(rootfd, c->real_root, c->no_userns, ret_blanks, err);
    return r < 0 ? err_stage(err, STAGE_MOUNT) : 0;
}

int guest_kernelfs_rest(int rootfd, const struct sandbox_config *c,
                        const struct guest_blanks *blanks, struct err *err)
{
    int r = mount_sys(rootfd, c, blanks, err);
    if (r == 0)
        r = mount_cgroup(rootfd, c->cgroup >= 0, err);
    if (r == 0)
        r = mount_tmp(rootfd, c, err);
    return r < 0 ? err_stage(err, STAGE_MOUNT) : 0;
}
