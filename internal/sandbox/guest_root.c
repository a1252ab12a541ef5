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
#include "internal/sandbox/guest_bare.h"
#include "internal/sandbox/guest_cover.h"
#include "internal/sandbox/guest_layers.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/guest_overlay.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int guest_root_detach(struct err *err)
{
    AUTO_FD int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    // The machine's "/" is usually shared (systemd makes it so): without this, what is mounted here
    // would show there, and what is mounted there later would show here.
    int r = top < 0 ? -errno : guest_mnt_new(top, NULL, MS_REC | MS_PRIVATE, NULL);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make the mounts private");
        return err_stage(err, STAGE_ROOT);
    }
    return 0;
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

// Overlay of o's layers onto target, a read-only bind of the lowest where the kernel takes no
// overlay. Returns 1 for that, 0 for an overlay, -errno.
static int layer(const struct guest_overlay *o, int target)
{
    int r = guest_overlay_mount(o, target);
    if (r != -EINVAL)
        return r;
    AUTO_FD int tree = guest_mnt_clone(o->lowers[o->n_lowers - 1], "", true);
    r = tree < 0 ? tree : guest_mnt_set_readonly(tree, true);
    if (r == 0)
        r = guest_mnt_attach(tree, target);
    return r < 0 ? r : 1;
}

static int cannot_mount(const struct sandbox_root *root, int num, struct err *err)
{
    (void)err_sys(err, num, "cannot mount the root file system %s%s", root->lower,
                  root->n_layers ? " with its layers" : "");
    if (num == ELOOP && root->n_layers)
        return err_hint(err, "one of the layers, or bryo's store, lies inside of another");
    if (num == ELOOP)
        return err_hint(err, "bryo's store lies inside of it; set XDG_CACHE_HOME to a directory "
                             "elsewhere");
    if (num == E2BIG)
        return err_hint(err, "more than about 180 layers need Linux 6.7");
    if (num == EINVAL)
        return err_hint(err, "overlays stack only two deep, and this one would be deeper; set "
                             "XDG_CACHE_HOME to a directory that is on none, such as one in /tmp");
    return -num;
}

static int mount_layers(const struct sandbox_root *root, const struct guest_layers *layers,
                        int scratch, struct err *err)
{
    struct guest_overlay o = {
        .lowers = layers->fds, .n_lowers = layers->n, .scratch = scratch, .dir = ""};
    // Without its layers a root is another one: there is nothing less to fall back to.
    int r = root->n_layers ? guest_overlay_mount(&o, scratch) : layer(&o, scratch);
    return r < 0 ? cannot_mount(root, -r, err) : r;
}

static int mount_tree(const struct sandbox_root *root, int scratch, struct guest_root *ret,
                      struct err *err)
{
    AUTO_LAYERS struct guest_layers layers = {0};
    int r = guest_layers_open(&layers, root, err);
    if (r == 0)
        r = mount_layers(root, &layers, scratch, err);
    if (r < 0)
        return r;
    ret->bind_etc = r == 1 || root->bind_init_files;
    if (r == 1)
        (void)snprintf(ret->notice, sizeof(ret->notice),
                       "the root is read-only: overlays stack only two deep, and this one would be "
                       "deeper; write to the workspace, /tmp or a --tmpfs");
    ret->fd = open_dir(root->scratch, err);
    return ret->fd < 0 ? ret->fd : 0;
}

// /var/tmp as an empty directory of the job's own: as with /tmp, what lies in the machine's is
// nobody else's business. And overlayfs could not make anything in it, whose owner has no id in the
// job: the copy that it wants to make of the directory first ends in EOVERFLOW.
static int make_var_tmp(int scratch, const char *upper)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/upper/tmp", upper);
    if (mkdirat(scratch, path, 0700) < 0 && errno != EEXIST)
        return -errno;
    AUTO_FD int dir = openat(scratch, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fchmod(dir, 01777) < 0)
        return -errno;
    // overlayfs.rst, "whiteouts and opaque directories". Without it (a file system that has no such
    // attributes) the machine's files show, and the job can still write.
    (void)fsetxattr(dir, "user.overlay.opaque", "y", 1, 0);
    return 0;
}

static int show_bare(int machine_usr, int rootfd, struct err *err)
{
    AUTO_FD int usr = openat(rootfd, "usr", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (usr < 0)
        return err_sys(err, errno, "cannot open the root's /usr");
    return guest_bare_show(machine_usr, usr, err);
}

// One of the machine's own directories, below a layer that takes what is written there.
static int mount_host_dir(int init, int scratch, const char *name, struct guest_root *ret,
                          struct err *err)
{
    char path[64];
    char dir[64];
    (void)snprintf(path, sizeof(path), "/%s", name);
    (void)snprintf(dir, sizeof(dir), "host/%s", name);
    AUTO_FD int lower = open_dir(path, err);
    AUTO_FD int target = openat(ret->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    // /etc gets bryo's own hosts, hostname and resolv.conf from the init layer's directory. For the
    // others that would be an empty layer, and not a free one: two lower layers of which one lies
    // inside of the other are refused (ELOOP), and the user's cache may well lie below /var.
    bool is_etc = strcmp(name, "etc") == 0;
    AUTO_FD int above =
        is_etc ? openat(init, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (lower < 0)
        return lower;
    int r = target < 0 || (is_etc && above < 0) ? -errno : guest_overlay_make_dirs(scratch, dir);
    if (r == 0 && strcmp(name, "var") == 0)
        r = make_var_tmp(scratch, dir);
    const int lowers[] = {above, lower};
    struct guest_overlay o = {.lowers = above >= 0 ? lowers : lowers + 1,
                              .n_lowers = above >= 0 ? 2 : 1,
                              .scratch = scratch,
                              .dir = dir};
    if (r == 0)
        r = layer(&o, target);
    if (r < 0)
        return err_sys(err, -r, "cannot mount the machine's %s into the root", path);
    if (r == 1) {
        size_t len = strlen(ret->notice);
        (void)snprintf(ret->notice + len, sizeof(ret->notice) - len, "%s%s",
                       len ? ", "
                           : "read-only in the job, since something is mounted below it or "
                             "overlays would stack more than two deep: ",
                       path);
        ret->bind_etc = ret->bind_etc || is_etc;
    }
    return r == 0 && strcmp(name, "usr") == 0 ? show_bare(lower, ret->fd, err) : 0;
}

// The names at the top of the init layer, once more in upper/ of the scratch.
static int copy_top(int init, int upper)
{
    int again = openat(init, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    if (!dir)
        return -errno;
    while ((ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        char target[256];
        if (ent->d_name[0] == '.')
            continue;
        ssize_t n = readlinkat(init, ent->d_name, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        if (n > 0 ? symlinkat(target, upper, ent->d_name) < 0
                  : mkdirat(upper, ent->d_name, 0755) < 0)
            if (errno != EEXIST)
                return -errno;
    }
    return 0;
}

// The top of a "host" root: the init layer below an overlay, or a plain copy of it.
static int mount_top(int init, int scratch)
{
    struct guest_overlay o = {.lowers = &init, .n_lowers = 1, .scratch = scratch, .dir = ""};
    int r = guest_overlay_mount(&o, scratch);
    if (r != -EINVAL)
        return r;
    AUTO_FD int upper = openat(scratch, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
    r = upper < 0 ? -errno : copy_top(init, upper);
    AUTO_FD int tree = r < 0 ? r : guest_mnt_clone(upper, "", false);
    return tree < 0 ? tree : guest_mnt_attach(tree, scratch);
}

static int mount_host(const struct sandbox_root *root, int scratch, struct guest_root *ret,
                      struct err *err)
{
    AUTO_FD int init = open_dir(root->init_layer, err);
    if (init < 0)
        return init;
    int r = mount_top(init, scratch);
    if (r < 0)
        return err_sys(err, -r, "cannot mount the top of the root");
    ret->fd = open_dir(root->scratch, err);
    if (ret->fd < 0)
        return ret->fd;
    if (mkdirat(scratch, "host", 0700) < 0 && errno != EEXIST)
        return err_sys(err, errno, "cannot make a directory in the scratch layer");
    for (size_t i = 0; i < root->n_host_dirs && r == 0; i++)
        r = mount_host_dir(init, scratch, root->host_dirs[i], ret, err);
    if (r < 0)
        return r;
    r = guest_cover_in_root(ret->fd, root->store);
    if (r == 0 && root->home)
        r = guest_cover_in_root(ret->fd, root->home);
    return r < 0 ? err_sys(err, -r, "cannot hide the user's own files from the job") : 0;
}

int guest_root_mount(const struct sandbox_root *root, struct guest_root *ret, struct err *err)
{
    AUTO_FD int scratch = open_dir(root->scratch, err);
    int r = scratch < 0 ? scratch : 0;
    if (r == 0 && root->on_tmpfs)
        r = tmpfs_scratch(&scratch, root->scratch, err);
    if (r == 0)
        r = root->kind == SANDBOX_ROOT_HOST ? mount_host(root, scratch, ret, err)
                                            : mount_tree(root, scratch, ret, err);
    return r < 0 ? err_stage(err, STAGE_ROOT) : 0;
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
