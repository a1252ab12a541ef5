// SPDX-License-Identifier: Apache-2.0
#include "internal/image/upper.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(int fd, struct strv *names)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    if (!dir)
        return -errno;
    while ((ent = readdir(dir))) // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
            strv_add(names, ent->d_name);
    if (names->n)
        qsort(names->v, names->n, sizeof(*names->v), by_name);
    return 0;
}

static bool is_opaque(int fd)
{
    char value = 0;
    return fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

struct walk {
    upper_fn *fn;
    void *ctx;
    struct buf path;
    const char *own; // a directory that bryo put there, and not the job; or NULL
};

static int fail(const struct walk *w, int num, struct err *err)
{
    return err_sys(err, num, "cannot read what the job wrote at /%.300s", buf_str(&w->path));
}

static int walk_dir(struct walk *w, int fd, bool alone, struct err *err);

// Whether bryo mounts something of its own there in every job: what is below is no more than the
// place for it, and no job can write there.
static bool is_mounted(const char *path)
{
    static const char *const names[] = {"proc", "sys", "dev", "tmp"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than PATH_MAX allows
static int walk_one(struct walk *w, int dirfd, const char *name, bool alone, struct err *err)
{
    struct stat st;
    struct upper_entry e = {.dirfd = dirfd, .name = name, .st = &st, .alone = alone};
    if (w->path.len >= PATH_MAX)
        return fail(w, ENAMETOOLONG, err);
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(w, errno, err);
    e.path = w->path.data;
    if (is_mounted(e.path))
        return 0;
    if (!S_ISDIR(st.st_mode)) {
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
            e.mark = UPPER_WHITEOUT;
        return w->fn(w->ctx, &e, err);
    }
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(w, errno, err);
    if (is_opaque(fd))
        e.mark = UPPER_OPAQUE;
    e.alone = alone || e.mark == UPPER_OPAQUE;
    if (w->own && strcmp(e.path, w->own) == 0)
        return walk_dir(w, fd, false, err);
    int r = w->fn(w->ctx, &e, err);
    return r < 0 ? r : walk_dir(w, fd, e.alone, err);
}

// NOLINTNEXTLINE(misc-no-recursion)
static int walk_dir(struct walk *w, int fd, bool alone, struct err *err)
{
    AUTO_STRV struct strv names = {0};
    size_t len = w->path.len;
    int r = list(fd, &names);
    if (r < 0)
        return fail(w, -r, err);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        if (len)
            buf_addc(&w->path, '/');
        buf_adds(&w->path, names.v[i]);
        r = walk_one(w, fd, names.v[i], alone, err);
        w->path.len = len;
        w->path.data[len] = '\0';
    }
    return r;
}

static int walk_upper(struct walk *w, int dirfd, const char *name, const char *prefix,
                      struct err *err)
{
    buf_clear(&w->path);
    buf_adds(&w->path, prefix);
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail(w, errno, err) : walk_dir(w, fd, false, err);
}

// A host root has a /var/tmp of its own, which hides the machine's.
static int walk_host(struct walk *w, int host, struct err *err)
{
    AUTO_STRV struct strv names = {0};
    int r = list(host, &names);
    if (r < 0)
        return err_sys(err, -r, "cannot read what the job wrote");
    w->own = "var/tmp";
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        AUTO_FREE char *path = str_fmt("%s/upper", names.v[i]);
        r = walk_upper(w, host, path, names.v[i], err);
    }
    return r;
}

int upper_walk_scratch(int scratchfd, upper_fn *fn, void *ctx, struct err *err)
{
    struct walk w = {.fn = fn, .ctx = ctx};
    int r = walk_upper(&w, scratchfd, "upper", "", err);
    AUTO_FD int host = openat(scratchfd, "host", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (r == 0 && host >= 0)
        r = walk_host(&w, host, err);
    else if (r == 0 && errno != ENOENT)
        r = err_sys(err, errno, "cannot read what the job wrote");
    buf_done(&w.path);
    return r;
}
