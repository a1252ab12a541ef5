// SPDX-License-Identifier: Apache-2.0
#include "internal/cgroup/host_leaf.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/cgroup/host_place.h"
#include "internal/job/limits.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// The disk that a limit of the user names: MAJOR:MINOR. A partition stands for its disk, since the
// kernel counts whole disks.
static int device_number(const char *device, struct buf *out, struct err *err)
{
    struct stat st;
    if (device[0] != '/') {
        buf_adds(out, device);
        return 0;
    }
    if (stat(device, &st) < 0)
        return err_sys(err, errno, "--io-max: %s", device);
    if (!S_ISBLK(st.st_mode))
        return err_set(err, ENOTBLK, "--io-max: %s is not a disk", device);
    AUTO_FREE char *disk =
        str_fmt("/sys/dev/block/%u:%u/../dev", major(st.st_rdev), minor(st.st_rdev));
    AUTO_FREE char *partition =
        str_fmt("/sys/dev/block/%u:%u/partition", major(st.st_rdev), minor(st.st_rdev));
    AUTO_BUF struct buf text = {0};
    if (access(partition, F_OK) == 0 && fd_read_file(AT_FDCWD, disk, 64, &text) == 0)
        buf_add(out, buf_str(&text), strcspn(buf_str(&text), "\n"));
    else
        buf_addf(out, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
    return 0;
}

int host_leaf_check(const struct limit_files *files, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < files->n && r == 0; i++) {
        AUTO_BUF struct buf number = {0};
        if (files->v[i].device)
            r = device_number(files->v[i].device, &number, err);
    }
    return r;
}

static int refused(const struct limit_file *f, const char *value, int r, struct err *err)
{
    (void)err_sys(err, -r, "%s: cannot write \"%s\" to %s of the job's cgroup", f->option, value,
                  f->file);
    if (r == -ENOENT)
        return err_hint(err, "this kernel, or this machine's device, has no such control");
    if (r == -ENODEV)
        return err_hint(err, "no disk has that number; lsblk lists them");
    return r;
}

static int set_one(const struct leaf *leaf, const struct limit_file *f, struct err *err)
{
    AUTO_BUF struct buf value = {0};
    int r = f->device ? device_number(f->device, &value, err) : 0;
    if (r < 0)
        return r;
    buf_addf(&value, "%s%s", value.len ? " " : "", f->value);
    r = fd_write_file(leaf->outer, f->file, buf_str(&value), value.len);
    // The same weight by its other scheduler.
    if (r == -ENOENT && strcmp(f->file, "io.weight") == 0)
        r = fd_write_file(leaf->outer, "io.bfq.weight", buf_str(&value), value.len);
    if (r == 0 && f->visible)
        (void)fd_write_file(leaf->inner, f->file, buf_str(&value), value.len);
    return r == 0 || !f->asked ? 0 : refused(f, buf_str(&value), r, err);
}

// What a job may make of groups, so that removing them stays possible, and quick. --cgroup-set
// overrides it.
static int bound_tree(const struct leaf *leaf, struct err *err)
{
    int r = fd_write_file(leaf->outer, "cgroup.max.depth", "50", 2);
    if (r == 0)
        r = fd_write_file(leaf->outer, "cgroup.max.descendants", "10000", 5);
    return r < 0 ? err_sys(err, -r, "cannot bound the groups that the job may make") : 0;
}

// What the leaf has of controllers it hands on to the job's own tree.
static int hand_on(const struct leaf *leaf, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_BUF struct buf words = {0};
    int r = fd_read_file(leaf->outer, "cgroup.controllers", 4096, &text);
    limits_format_controllers(limits_parse_controllers(buf_str(&text)), "+", &words);
    if (r == 0 && words.len)
        r = fd_write_file(leaf->outer, "cgroup.subtree_control", buf_str(&words), words.len);
    return r < 0 ? err_sys(err, -r, "cannot hand controllers on to the job") : 0;
}

static int open_dir(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

// A sweep may have come between mkdir and flock, and have taken the directory away.
static int make_outer(struct leaf *leaf)
{
    for (int i = 0; i < 10; i++) {
        struct stat held;
        struct stat named;
        if (mkdirat(leaf->place, leaf->name, 0755) < 0 && errno != EEXIST)
            return -errno;
        AUTO_FD int fd = open_dir(leaf->place, leaf->name);
        if (fd == -ENOENT)
            continue;
        if (fd < 0)
            return fd;
        if (flock(fd, LOCK_EX) < 0)
            return -errno;
        if (fstat(fd, &held) == 0 &&
            fstatat(leaf->place, leaf->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            held.st_ino == named.st_ino) {
            leaf->outer = TAKE_FD(fd);
            return 0;
        }
    }
    return -EBUSY;
}

static const char *make_hint(int r)
{
    return r == -EAGAIN ? "a limit on the number of cgroups is reached (cgroup.max.descendants or "
                          "cgroup.max.depth of one above)"
           : r == -ENOMEM || r == -ENOSPC ? "the kernel has no room for another cgroup"
                                          : "";
}

static int make_dirs(struct leaf *leaf, struct err *err)
{
    int r = make_outer(leaf);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make the cgroup %s", leaf->path);
        return err_hint(err, "%s", make_hint(r));
    }
    r = bound_tree(leaf, err);
    if (r == 0)
        r = hand_on(leaf, err);
    if (r < 0)
        return r;
    if (mkdirat(leaf->outer, "job", 0755) < 0)
        r = -errno;
    else
        leaf->inner = open_dir(leaf->outer, "job");
    if (r == 0 && leaf->inner < 0)
        r = leaf->inner;
    if (r == 0)
        return 0;
    (void)err_sys(err, -r, "cannot make the cgroup %s/job", leaf->path);
    return err_hint(err, "%s", make_hint(r));
}

int host_leaf_create(const struct place *place, const char *id, const struct limit_files *files,
                     struct leaf *ret, struct err *err)
{
    struct leaf leaf = LEAF_INIT;
    leaf.place = place->fd;
    (void)snprintf(leaf.name, sizeof(leaf.name), "bryo-%.12s", id);
    leaf.path = str_fmt("%s/%s", place->path, leaf.name);
    int r = make_dirs(&leaf, err);
    for (size_t i = 0; r == 0 && i < files->n; i++)
        r = set_one(&leaf, &files->v[i], err);
    if (r < 0) {
        (void)host_leaf_remove(&leaf);
        return err_stage(err, STAGE_CGROUP);
    }
    *ret = leaf;
    return 0;
}

int host_leaf_remove(struct leaf *leaf)
{
    int r = leaf->outer >= 0 ? host_cgroup_remove(leaf->place, leaf->name) : 0;
    fd_closep(&leaf->inner);
    fd_closep(&leaf->outer);
    free(leaf->path);
    *leaf = LEAF_INIT;
    return r;
}
