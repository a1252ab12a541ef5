// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_mnt.h"

#include "internal/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> cannot both be included with glibc 2.36 and this kernel's
// headers.
extern int mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);

int guest_mnt_new(int fd, const char *type, unsigned long flags, const char *options)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return mount(type, path, type, flags, options) < 0 ? -errno : 0;
}

int guest_mnt_own_dir(int root, const char *name)
{
    for (int tries = 0; tries < 2; tries++) {
        int fd = sys_openat2(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (fd >= 0)
            return fd;
        if (fd == -ELOOP || fd == -ENOTDIR) {
            if (unlinkat(root, name, 0) < 0)
                return -errno;
        } else if (fd != -ENOENT) {
            return fd;
        }
        if (mkdirat(root, name, 0755) < 0)
            return -errno;
    }
    return -ENOTDIR;
}

int guest_mnt_clone(int dirfd, const char *path, bool recursive)
{
    return sys_open_tree(dirfd, path,
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                             (*path ? 0U : (unsigned)AT_EMPTY_PATH) |
                             (recursive ? (unsigned)AT_RECURSIVE : 0U));
}

int guest_mnt_set_readonly(int tree, bool recursive)
{
    return sys_mount_setattr(tree, "", recursive ? (unsigned)AT_RECURSIVE : 0U, MOUNT_ATTR_RDONLY,
                             0);
}

int guest_mnt_attach(int tree, int target)
{
    return sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int guest_mnt_attach_at(int tree, int dir, const char *name)
{
    return sys_move_mount(tree, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH);
}
