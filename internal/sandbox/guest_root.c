// SPDX-License-Identifier: Apache-2.0
// Which root comes out depends on what the kernel takes, tried in this order:
//
//     overlay, upper on disk      the usual case
//     overlay, upper on tmpfs     the scratch is itself on an overlay (bryo inside bryo) or on a
//                                 file system that cannot carry an upper layer
//     read-only bind              overlays stack two deep (FILESYSTEM_MAX_STACK_DEPTH)
#include "internal/sandbox/guest_root.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/guest_overlay.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_private(struct err *err)
{
    AUTO_FD int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    // The machine's "/" is usually shared (systemd makes it so): without this, what is mounted here
    // would show there, and what is mounted there later would show here.
    int r = top < 0 ? -errno : guest_mnt_new(top, NULL, MS_REC | MS_PRIVATE, NULL);
    return r < 0 ? err_sys(err, -r, "cannot make the mounts private") : 0;
}

static int open_dir(const char *path, struct err *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_sys(err, errno, "cannot open %s", path) : fd;
}

// A tmpfs over the scratch directory, with the two directories that an overlay wants.
static int tmpfs_scratch(int *scratch, const char *path, struct err *err)
{
    int r = guest_mnt_new(*scratch, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    fd_closep(scratch);
    if (r == 0) {
        *scratch = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = *scratch < 0 ? -errno : 0;
    }
    if (r == 0 && (mkdirat(*scratch, "upper", 0755) < 0 || mkdirat(*scratch, "work", 0700) < 0))
        r = -errno;
    return r < 0 ? err_sys(err, -r, "cannot make a scratch layer in memory") : 0;
}

// Overlay of lower (below above, where that is >= 0) onto target; tmpfs and bind as the head of
// this file has it. where: the directory below scratch that holds upper and work.
static int layer(const struct guest_overlay *o, int target, int lower, const char **notice)
{
    int r = guest_overlay_mount(o, target);
    if (r != -EINVAL)
        return r;
    AUTO_FD int tree = guest_mnt_clone(lower, "", true);
    r = tree < 0 ? tree : guest_mnt_set_readonly(tree, true);
    if (r == 0)
        r = guest_mnt_attach(tree, target);
    *notice =
        "the root is read-only: overlays stack only two deep, and this one is deeper; write to "
        "the workspace, /tmp or a --tmpfs";
    return r;
}

static int mount_tree(const struct sandbox_root *root, int scratch, const char **notice,
                      struct err *err)
{
    AUTO_FD int lower = open_dir(root->lower, err);
    if (lower < 0)
        return lower;
    AUTO_FD int init = root->bind_init_files ? -1 : open_dir(root->init_layer, err);
    if (init < 0 && !root->bind_init_files)
        return init;
    struct guest_overlay o = {.above = init, .lower = lower, .scratch = scratch, .dir = ""};
    int r = layer(&o, scratch, lower, notice);
    return r < 0 ? err_sys(err, -r, "cannot mount the root file system %s", root->lower) : 0;
}

// One of the machine's own directories, below a layer that takes what is written there.
static int mount_host_dir(int rootfd, int scratch, int init, const char *name, const char **notice,
                          struct err *err)
{
    char path[64];
    char dir[64];
    (void)snprintf(path, sizeof(path), "/%s", name);
    (void)snprintf(dir, sizeof(dir), "host/%s", name);
    AUTO_FD int lower = open_dir(path, err);
    AUTO_FD int target = openat(rootfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    // /etc gets bryo's own hosts, hostname and resolv.conf from the init layer's directory.
    AUTO_FD int above = openat(init, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lower < 0)
        return lower;
    int r = target < 0 || above < 0 ? -errno : guest_overlay_make_dirs(scratch, dir);
    struct guest_overlay o = {.above = above, .lower = lower, .scratch = scratch, .dir = dir};
    if (r == 0)
        r = layer(&o, target, lower, notice);
    return r < 0 ? err_sys(err, -r, "cannot mount the machine's %s into the root", path) : 0;
}

static int mount_host(const struct sandbox_root *root, int scratch, int *ret_fd,
                      const char **notice, struct err *err)
{
    AUTO_FD int init = open_dir(root->init_layer, err);
    if (init < 0)
        return init;
    struct guest_overlay o = {.above = -1, .lower = init, .scratch = scratch, .dir = ""};
    int r = guest_overlay_mount(&o, scratch);
    if (r < 0)
        return err_sys(err, -r, "cannot mount an overlay for the root");
    AUTO_FD int top = open_dir(root->scratch, err);
    if (top < 0)
        return top;
    if (mkdirat(scratch, "host", 0700) < 0 && errno != EEXIST)
        return err_sys(err, errno, "cannot make a directory in the scratch layer");
    for (size_t i = 0; i < root->n_host_dirs && r == 0; i++)
        r = mount_host_dir(top, scratch, init, root->host_dirs[i], notice, err);
    *ret_fd = TAKE_FD(top);
    return r;
}

int guest_root_mount(const struct sandbox_root *root, int *ret_fd, const char **ret_notice,
                     struct err *err)
{
    AUTO_FD int scratch = open_dir(root->scratch, err);
    AUTO_FD int top = -1;
    const char *notice = NULL;
    int r = scratch < 0 ? scratch : make_private(err);
    if (r == 0 && root->on_tmpfs)
        r = tmpfs_scratch(&scratch, root->scratch, err);
    if (r == 0 && root->kind == SANDBOX_ROOT_HOST)
        r = mount_host(root, scratch, &top, &notice, err);
    if (r == 0 && root->kind == SANDBOX_ROOT_TREE) {
        r = mount_tree(root, scratch, &notice, err);
        if (r == 0)
            r = top = open_dir(root->scratch, err);
    }
    if (r < 0)
        return err_stage(err, STAGE_ROOT);
    *ret_notice = notice;
    *ret_fd = TAKE_FD(top);
    return 0;
}

int guest_root_seal(int rootfd, const struct sandbox_root *root, struct err *err)
{
    if (!root->read_only)
        return 0;
    int r = guest_mnt_set_readonly(rootfd, false);
    for (size_t i = 0; r == 0 && root->kind == SANDBOX_ROOT_HOST && i < root->n_host_dirs; i++) {
        AUTO_FD int dir = fspath_open(rootfd, root->host_dirs[i], O_PATH | O_DIRECTORY);
        r = dir < 0 ? dir : guest_mnt_set_readonly(dir, false);
    }
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make the root read-only");
        return err_stage(err, STAGE_ROOT);
    }
    return 0;
}
