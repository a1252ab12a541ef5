// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/merged.h"

#include "internal/base/cleanup.h"
#include "internal/base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/xattr.h>

#define LINKS_MAX 40 // as path_resolution(7) has it
#define BENEATH   (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

void merged_done(struct merged *m)
{
    strv_done(&m->layers);
}

bool merged_is_opaque(int fd)
{
    char path[32];
    char value = 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return getxattr(path, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

bool merged_is_whiteout(int dirfd, const char *name, const struct stat *st)
{
    char path[48 + NAME_MAX];
    if (S_ISCHR(st->st_mode))
        return st->st_rdev == 0;
    if (!S_ISREG(st->st_mode) || st->st_size != 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
    return lgetxattr(path, "user.overlay.whiteout", NULL, 0) >= 0;
}

enum { GO_ON = 0, FOUND = 1 }; // what one layer says; or -ENOENT: nobody below is asked

// One component, from *dir to *dir. *hides: a directory on the way hides the layers below.
static int step(int *dir, const char *name, bool last, bool *hides, struct stat *ret)
{
    struct stat st;
    if (fstatat(*dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? GO_ON : -errno;
    if (merged_is_whiteout(*dir, name, &st))
        return -ENOENT;
    if (last)
        *ret = st;
    if (!S_ISDIR(st.st_mode))
        return last ? FOUND : -ENOTDIR;
    int next = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return -errno;
    fd_closep(dir);
    *dir = next;
    *hides = *hides || merged_is_opaque(next);
    return FOUND;
}

static int look(const char *layer, const char *path, bool *hides, struct stat *ret)
{
    AUTO_FD int dir = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    *hides = merged_is_opaque(dir);
    if (!*path)
        return fstat(dir, ret) < 0 ? -errno : FOUND;
    for (;;) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(path, "/");
        if (n >= sizeof(name))
            return -ENAMETOOLONG;
        memcpy(name, path, n);
        name[n] = '\0';
        int r = step(&dir, name, !path[n], hides, ret);
        if (r != FOUND || !path[n])
            return r;
        path += n + 1;
    }
}

int merged_stat(const struct merged *m, const char *path, struct stat *ret)
{
    bool hides = false;
    for (size_t i = 0; i < m->layers.n && !hides; i++) {
        int r = look(m->layers.v[i], path, &hides, ret);
        if (r != GO_ON)
            return r == FOUND ? (int)i : r;
    }
    return -ENOENT;
}

static int open_in(const struct merged *m, int layer, const char *path, int flags)
{
    AUTO_FD int dir = open(m->layers.v[layer], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    return sys_openat2(dir, *path ? path : ".", (uint64_t)(unsigned)flags, 0, BENEATH);
}

static void pop(struct buf *at)
{
    while (at->len > 0 && at->data[at->len - 1] != '/')
        at->len--;
    if (at->len > 0)
        at->len--;
    if (at->data)
        at->data[at->len] = '\0';
}

// What a link says goes in front of the rest of the path.
static int follow(const struct merged *m, int layer, struct buf *at, char **rest)
{
    char target[PATH_MAX];
    AUTO_FD int fd = open_in(m, layer, buf_str(at), O_PATH | O_NOFOLLOW);
    ssize_t n = fd < 0 ? fd : readlinkat(fd, "", target, sizeof(target) - 1);
    if (n < 0)
        return fd < 0 ? fd : -errno;
    target[n] = '\0';
    char *both = str_fmt("%s/%s", target, *rest);
    free(*rest);
    *rest = both;
    if (target[0] == '/')
        buf_clear(at);
    else
        pop(at);
    return 0;
}

// Takes the next component from rest into at. True: there was none left.
static bool next(struct buf *at, char **rest)
{
    char *from = *rest + strspn(*rest, "/");
    size_t n = strcspn(from, "/");
    bool none = n == 0;
    if (n == 2 && memcmp(from, "..", 2) == 0) {
        pop(at);
    } else if (n > 1 || (n == 1 && from[0] != '.')) {
        if (at->len)
            buf_addc(at, '/');
        buf_add(at, from, n);
    }
    char *left = str_dup(from + n);
    free(*rest);
    *rest = left;
    return none;
}

int merged_open(const struct merged *m, const char *path, int flags)
{
    AUTO_BUF struct buf at = {0};
    AUTO_FREE char *rest = str_dup(path);
    struct stat st;
    int links = 0;
    for (;;) {
        bool end = next(&at, &rest);
        int layer = merged_stat(m, buf_str(&at), &st);
        if (layer < 0)
            return layer;
        if (end)
            return open_in(m, layer, buf_str(&at), flags);
        if (!S_ISLNK(st.st_mode))
            continue;
        int r = ++links > LINKS_MAX ? -ELOOP : follow(m, layer, &at, &rest);
        if (r < 0)
            return r;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_names(const char *layer, const char *path, struct strv *ret)
{
    AUTO_FD int dir = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return;
    int fd = sys_openat2(dir, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, BENEATH);
    AUTO_DIR DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *ent;
    while (d && (ent = readdir(d))) // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
            strv_add(ret, ent->d_name);
}

void merged_list(const struct merged *m, const char *path, struct strv *ret)
{
    AUTO_STRV struct strv all = {0};
    for (size_t i = 0; i < m->layers.n; i++)
        add_names(m->layers.v[i], path, &all);
    if (all.n)
        qsort(all.v, all.n, sizeof(*all.v), by_name);
    for (size_t i = 0; i < all.n; i++) {
        struct stat st;
        AUTO_FREE char *below = str_fmt("%s%s%s", path, *path ? "/" : "", all.v[i]);
        if (i > 0 && strcmp(all.v[i - 1], all.v[i]) == 0)
            continue;
        if (merged_stat(m, below, &st) >= 0)
            strv_add(ret, all.v[i]);
    }
}
