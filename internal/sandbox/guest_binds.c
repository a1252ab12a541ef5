// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_binds.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_cover.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <sys/stat.h>

void guest_binds_done(struct guest_binds *b)
{
    for (size_t i = 0; i < b->n; i++)
        fd_closep(&b->trees[i]);
    free(b->trees);
    *b = (struct guest_binds){0};
}

static int collect_one(const struct mount_req *m, struct err *err)
{
    AUTO_FD int tree = guest_mnt_clone(AT_FDCWD, m->source, true);
    if (tree < 0)
        return err_sys(err, -tree, "cannot take %s from the machine", m->source);
    struct stat st;
    if (fstat(tree, &st) < 0)
        return err_sys(err, errno, "cannot look at %s", m->source);
    if (m->kind == MOUNT_DEVICE && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(err, ENODEV, "--device: %s is not a device", m->source);
    int r = m->read_only ? guest_mnt_set_readonly(tree, true) : 0;
    if (r == -ENOSYS)
        return err_set(err, ENOSYS, "read-only mounts need Linux 5.12 (mount_setattr)");
    if (r < 0)
        return err_sys(err, -r, "cannot make the mount of %s read-only", m->source);
    return TAKE_FD(tree);
}

int guest_binds_collect(struct guest_binds *b, const struct sandbox_config *c, struct err *err)
{
    b->trees = mem_grow(NULL, c->n_mounts, sizeof(int));
    for (size_t i = 0; i < c->n_mounts; i++) {
        int tree = c->mounts[i].kind == MOUNT_TMPFS ? -1 : collect_one(&c->mounts[i], err);
        if (tree < 0 && c->mounts[i].kind != MOUNT_TMPFS)
            return err_stage(err, STAGE_MOUNT);
        b->trees[b->n++] = tree;
    }
    return 0;
}

static int attach_tmpfs(int rootfd, const struct mount_req *m)
{
    AUTO_FD int dir = fspath_mkdirs(rootfd, m->target);
    if (dir < 0)
        return dir;
    char options[96];
    size_t n;
    unsigned long flags = MS_NOSUID | MS_NODEV | (m->exec ? 0 : MS_NOEXEC) |
                          (m->read_only ? (unsigned long)MS_RDONLY : 0);
    n = (size_t)snprintf(options, sizeof(options), "mode=%o", m->mode);
    if (m->size)
        n += (size_t)snprintf(options + n, sizeof(options) - n, ",size=%" PRIu64, m->size);
    if (m->inodes)
        (void)snprintf(options + n, sizeof(options) - n, ",nr_inodes=%" PRIu64, m->inodes);
    return guest_mnt_new(dir, "tmpfs", flags, options);
}

static int attach_tree(int rootfd, int tree, const struct mount_req *m, const char *store)
{
    struct stat st;
    if (fstat(tree, &st) < 0)
        return -errno;
    AUTO_FD int target =
        S_ISDIR(st.st_mode) ? fspath_mkdirs(rootfd, m->target) : fspath_touch(rootfd, m->target);
    int r = target < 0 ? target : guest_mnt_attach(tree, target);
    return r == 0 && S_ISDIR(st.st_mode) ? guest_cover_in_tree(tree, store) : r;
}

static const char *target_hint(int r)
{
    return r == -EROFS || r == -EACCES || r == -EPERM
               ? "the mount point is not there and cannot be made: make it in the image, or mount "
                 "where something is already"
           : r == -ENOTDIR ? "the target, or something on the way to it, is a file in the root; a "
                             "directory can be mounted only onto a directory"
           : r == -EISDIR
               ? "the target is a directory in the root; a file can be mounted only onto a "
                 "file"
           : r == -EEXIST || r == -ELOOP || r == -ENOENT
               ? "a link in the root leads nowhere, or in a circle, on the way to the target"
               : "";
}

int guest_binds_attach(struct guest_binds *b, int rootfd, const struct sandbox_config *c,
                       struct err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct mount_req *m = &c->mounts[i];
        int r = m->kind == MOUNT_TMPFS ? attach_tmpfs(rootfd, m)
                                       : attach_tree(rootfd, b->trees[i], m, c->root.store);
        if (r < 0) {
            (void)err_sys(err, -r, "cannot mount %s onto %s", m->source ? m->source : "a tmpfs",
                          m->target);
            (void)err_hint(err, "%s", target_hint(r));
            return err_stage(err, STAGE_MOUNT);
        }
    }
    return 0;
}

int guest_binds_workdir(int rootfd, const struct sandbox_config *c, struct err *err)
{
    AUTO_FD int dir = fspath_mkdirs(rootfd, c->workdir);
    if (dir >= 0)
        return 0;
    (void)err_sys(err, -dir, "cannot make the working directory %s", c->workdir);
    if (dir == -ENOTDIR)
        (void)err_hint(err, "it, or something on the way to it, is a file in the root");
    return err_stage(err, STAGE_WORKDIR);
}

static int bind_etc_file(int etc, int from, const char *name)
{
    AUTO_FD int tree = guest_mnt_clone(from, name, false);
    // Other jobs use the same file: none may write to it.
    int r = tree < 0 ? tree : guest_mnt_set_readonly(tree, false);
    if (r < 0)
        return r;
    AUTO_FD int target = fspath_touch(etc, name);
    if (target >= 0)
        return guest_mnt_attach(tree, target);
    if (target == -EROFS)
        return 0; // nothing there to mount onto, and no way to make it
    // A dangling link, as Ubuntu's resolv.conf: replaced in the scratch layer.
    if (unlinkat(etc, name, 0) < 0)
        return -errno;
    AUTO_FD int again = fspath_touch(etc, name);
    return again < 0 ? again : guest_mnt_attach(tree, again);
}

int guest_binds_etc(int rootfd, const char *init_layer, struct err *err)
{
    static const char *const names[] = {"hosts", "hostname", "resolv.conf"};
    AUTO_FREE char *path = str_fmt("%s/etc", init_layer);
    AUTO_FD int from = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int etc = fspath_mkdirs(rootfd, "etc");
    if (etc == -EROFS)
        return 0;
    int r = from < 0 ? -errno : etc < 0 ? etc : 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && r == 0; i++)
        r = bind_etc_file(etc, from, names[i]);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot mount the job's hosts, hostname and resolv.conf onto /etc");
        return err_stage(err, STAGE_MOUNT);
    }
    return 0;
}
