// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/rootfs.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/job/idmap.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_unpack.h"
#include "internal/roots/merged.h"
#include "internal/roots/scratch_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERS_FILE_MAX (1U << 20)

static struct rootfs no_rootfs(void)
{
    return (struct rootfs){.fd = -1, .image = {.rootfs_fd = -1, .lock_fd = -1}};
}

void rootfs_close(struct rootfs *root)
{
    free(root->source);
    free(root->lower);
    if (root->fd != root->image.rootfs_fd)
        fd_closep(&root->fd);
    strv_done(&root->host_dirs);
    strv_done(&root->top_dirs);
    strv_done(&root->top_links);
    image_ref_done(&root->image);
    *root = no_rootfs();
}

static int open_tree_at(struct rootfs *root, struct err *err)
{
    root->fd = open(root->lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return err_sys(err, errno, "cannot open the root file system %s", root->lower);
    return 0;
}

static int add_link(struct rootfs *root, const char *name)
{
    char target[PATH_MAX];
    char path[64];
    (void)snprintf(path, sizeof(path), "/%s", name);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    if (n <= 0)
        return 0;
    target[n] = '\0';
    struct buf both = {0};
    buf_add(&both, name, strlen(name) + 1);
    buf_add(&both, target, (size_t)n + 1);
    strv_take(&root->top_links, buf_take(&both));
    return 1;
}

// The system's own directories, those that hold what was installed; what belongs to people and to
// what runs now (home, root, run, tmp, mnt, media ...) stays outside, as empty directories.
static void plan_host(struct rootfs *root)
{
    static const char *const shown[] = {"usr",    "bin", "sbin", "lib", "lib32", "lib64",
                                        "libx32", "etc", "var",  "opt", "nix",   "gnu"};
    static const char *const empty[] = {"proc", "sys",  "dev", "tmp", "run",
                                        "root", "home", "srv", "mnt", "media"};
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char path[64];
        struct stat st;
        (void)snprintf(path, sizeof(path), "/%s", shown[i]);
        if (add_link(root, shown[i]) || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
            continue;
        strv_add(&root->top_dirs, shown[i]);
        if (st.st_nlink != 2 || strcmp(shown[i], "opt") != 0) // an empty /opt needs no layer
            strv_add(&root->host_dirs, shown[i]);
    }
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        strv_add(&root->top_dirs, empty[i]);
}

static int open_host(struct rootfs *root, struct err *err)
{
    root->is_host = true;
    root->source = str_dup("host");
    root->lower = str_dup("/");
    plan_host(root);
    return open_tree_at(root, err);
}

static int open_tarball(const struct job_spec *spec, const struct idmaps *maps,
                        const char *cache_dir, struct rootfs *root, struct err *err)
{
    char key[17];
    struct image_ops ops;
    struct unpack_context unpack = {.maps = maps};
    struct image_limits limits = {.max_bytes = spec->max_unpacked,
                                  .max_entries = spec->max_entries};
    struct store *store = NULL;
    idmaps_key(maps, key);
    host_unpack_ops(&unpack, &ops);
    int r = store_open(cache_dir, &store, err);
    if (r == 0)
        r = store_ensure(store, root->source, key, &limits, &ops, isatty(STDERR_FILENO),
                         &root->image, err);
    store_close(store);
    if (r < 0)
        return err_stage(err, STAGE_STORE);
    root->fd = root->image.rootfs_fd;
    root->lower = str_fmt("%s/bryo/store/%s/rootfs", cache_dir, root->image.entry);
    if (root->image.unpacked)
        host_unpack_tell(&root->image.stats);
    return 0;
}

static int open_path(const struct job_spec *spec, const struct idmaps *maps, const char *cache_dir,
                     struct rootfs *root, struct err *err)
{
    struct stat st;
    if (stat(spec->rootfs, &st) < 0) {
        (void)err_sys(err, errno, "--rootfs %s", spec->rootfs);
        return err_hint(err, "give a tarball (.tar, .tar.xz, .tar.gz, .tar.zst, .tar.bz2), a "
                             "directory, or \"host\"");
    }
    root->source = realpath(spec->rootfs, NULL);
    if (!root->source)
        return err_sys(err, errno, "--rootfs %s", spec->rootfs);
    if (S_ISREG(st.st_mode))
        return open_tarball(spec, maps, cache_dir, root, err);
    if (!S_ISDIR(st.st_mode)) {
        (void)err_set(err, EINVAL, "--rootfs %s is neither a file nor a directory", spec->rootfs);
        return err_hint(err, "give a tarball (.tar, .tar.xz, .tar.gz, .tar.zst, .tar.bz2), a "
                             "directory, or \"host\"");
    }
    root->lower = str_dup(root->source);
    return open_tree_at(root, err);
}

int rootfs_open(const struct job_spec *spec, const struct idmaps *maps, const char *cache_dir,
                struct rootfs *ret, struct err *err)
{
    struct rootfs root = no_rootfs();
    int r = !spec->rootfs || strcmp(spec->rootfs, "host") == 0
                ? open_host(&root, err)
                : open_path(spec, maps, cache_dir, &root, err);
    if (r < 0) {
        rootfs_close(&root);
        return err_stage(err, STAGE_IMAGE);
    }
    *ret = root;
    return 0;
}

int rootfs_reopen(const struct scratch_record *record, struct rootfs *ret, struct err *err)
{
    struct rootfs root = no_rootfs();
    int r = 0;
    if (strcmp(record->rootfs, "host") == 0) {
        r = open_host(&root, err);
    } else {
        root.source = str_dup(record->rootfs);
        root.lower = str_dup(record->lower);
        r = open_tree_at(&root, err);
        if (r < 0)
            (void)err_hint(err, "the kept job stands on %s: import it again with bryo image import",
                           record->rootfs);
    }
    if (r < 0) {
        rootfs_close(&root);
        return err_stage(err, STAGE_IMAGE);
    }
    *ret = root;
    return 0;
}

static int read_fd(int fd, struct buf *out)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? fd_read_all(fd, USERS_FILE_MAX, out) : -EINVAL;
}

static int read_users_file(const struct rootfs *root, const struct merged *stack, const char *name,
                           struct buf *out, struct err *err)
{
    char path[32];
    // Of a host root /etc has an upper layer of its own.
    (void)snprintf(path, sizeof(path), "%s%s", stack && root->is_host ? "" : "etc/", name);
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    AUTO_FD int fd =
        stack ? merged_open(stack, path, flags) : fspath_open(root->fd, path, (uint64_t)flags);
    int r = fd < 0 ? fd : read_fd(fd, out);
    if (r == 0 || r == -ENOENT || r == -ENOTDIR)
        return 0;
    (void)err_sys(err, -r, "cannot read /etc/%s of the root file system", name);
    return err_hint(err, "it has to be a regular file of at most 1 MiB");
}

int rootfs_read_users(const struct rootfs *root, const struct merged *stack, struct buf *passwd,
                      struct buf *group, struct err *err)
{
    int r = read_users_file(root, stack, "passwd", passwd, err);
    if (r == 0)
        r = read_users_file(root, stack, "group", group, err);
    return r < 0 ? err_stage(err, STAGE_USER) : 0;
}

bool rootfs_etc_is_odd(const struct rootfs *root, const struct merged *stack)
{
    struct stat st;
    int r =
        stack ? merged_stat(stack, "etc", &st) : fstatat(root->fd, "etc", &st, AT_SYMLINK_NOFOLLOW);
    return r >= 0 && !S_ISDIR(st.st_mode);
}
