// SPDX-License-Identifier: Apache-2.0
#include "internal/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

static long result(long r)
{
    return r < 0 ? -errno : r;
}

pid_t sys_clone3(struct clone_args *args)
{
    return (pid_t)result(syscall(SYS_clone3, args, sizeof(*args)));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
    return (int)result(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
    return (int)result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sys_sched_slice(uint64_t ns)
{
    struct sched_attr attr = {.size = sizeof(attr)};
    int r = (int)result(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
    if (r < 0 || attr.sched_policy != 0 /* SCHED_OTHER */)
        return r;
    attr.size = sizeof(attr);
    attr.sched_flags = 0;
    attr.sched_runtime = ns;
    return (int)result(syscall(SYS_sched_setattr, 0, &attr, 0));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)result(syscall(SYS_close_range, first, last, flags));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    long r;
    // With RESOLVE_IN_ROOT or RESOLVE_BENEATH a rename or a mount anywhere on the machine can end a
    // ".." walk with EAGAIN (openat2(2)); the caller is expected to try again. Where many jobs
    // start at once a few tries are not enough.
    for (int tries = 0; tries < 1000; tries++) {
        r = result(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
        if (r != -EAGAIN && r != -EINTR)
            break;
        if (tries >= 8)
            (void)syscall(SYS_sched_yield);
    }
    return (int)r;
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
    return (int)result(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return (int)result(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

int sys_fsopen(const char *fstype)
{
    return (int)result(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int sys_fsconfig(int fsfd, unsigned cmd, const char *key, const void *value, int aux)
{
    return (int)result(syscall(SYS_fsconfig, fsfd, cmd, key, value, aux));
}

int sys_fsmount(int fsfd, unsigned attr_flags)
{
    return (int)result(syscall(SYS_fsmount, fsfd, FSMOUNT_CLOEXEC, attr_flags));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned at_flags, uint64_t set, uint64_t clear)
{
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};
    return (int)result(
        syscall(SYS_mount_setattr, dirfd, path, at_flags | AT_EMPTY_PATH, &attr, sizeof(attr)));
}
