// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_dev.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TTY_GID 5 // what devpts and every distribution give a terminal

struct node {
    const char *name;
    unsigned major;
    unsigned minor;
};

static const struct node nodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                    {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

// mknod(2) of a device is for the machine's root only; its nodes are bound one by one instead. What
// is bound is looked at first: a container may have put something else in their place.
static int bind_node(int dev, const struct node *node, struct err *err)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/dev/%s", node->name);
    AUTO_FD int tree = guest_mnt_clone(AT_FDCWD, path, false);
    struct stat st;
    if (tree < 0 || fstat(tree, &st) < 0)
        return err_sys(err, tree < 0 ? -tree : errno, "cannot take %s from the machine", path);
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(node->major, node->minor))
        return err_set(err, ENODEV, "%s of this machine is not character device %u:%u", path,
                       node->major, node->minor);
    int r = mknodat(dev, node->name, S_IFREG | 0666, 0) < 0 ? -errno : 0;
    if (r == 0)
        r = guest_mnt_attach_at(tree, dev, node->name);
    return r < 0 ? err_sys(err, -r, "cannot mount %s", path) : 0;
}

static int make_links(int dev)
{
    static const char *const links[][2] = {
        {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
        {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
    };
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlinkat(links[i][0], dev, links[i][1]) < 0)
            return -errno;
    return 0;
}

static int mount_below(int dev, const char *name, const char *type, unsigned long flags,
                       const char *options)
{
    if (mkdirat(dev, name, 0755) < 0)
        return -errno;
    AUTO_FD int dir = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return dir < 0 ? -errno : guest_mnt_new(dir, type, flags, options);
}

static int mount_pts(int dev, const struct idmaps *maps)
{
    uint32_t outside;
    bool has_tty = idmap_to_outside(&maps->gid, TTY_GID, &outside);
    return mount_below(dev, "pts", "devpts", MS_NOSUID | MS_NOEXEC,
                       has_tty ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                               : "newinstance,ptmxmode=0666,mode=0620");
}

static int fill(int dev, const struct idmaps *maps, struct err *err)
{
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        int r = bind_node(dev, &nodes[i], err);
        if (r < 0)
            return r;
    }
    int r = make_links(dev);
    if (r < 0)
        return err_sys(err, -r, "cannot make the links of /dev");
    r = mount_pts(dev, maps);
    if (r < 0)
        return err_sys(err, -r, "cannot mount /dev/pts");
    r = mount_below(dev, "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777");
    if (r < 0)
        return err_sys(err, -r, "cannot mount /dev/shm");
    r = mount_below(dev, "mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (r < 0 && r != -ENODEV) // a kernel without POSIX message queues has no such file system
        return err_sys(err, -r, "cannot mount /dev/mqueue");
    return 0;
}

int guest_dev_mount(int rootfd, const struct idmaps *maps, struct err *err)
{
    AUTO_FD int below = guest_mnt_own_dir(rootfd, "dev");
    int r = below < 0
                ? below
                : guest_mnt_new(below, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=65536k");
    AUTO_FD int dev = r < 0 ? -1 : guest_mnt_own_dir(rootfd, "dev");
    if (r < 0 || dev < 0)
        (void)err_sys(err, r < 0 ? -r : -dev, "cannot mount /dev");
    else
        r = fill(dev, maps, err);
    return r < 0 || dev < 0 ? err_stage(err, STAGE_MOUNT) : 0;
}
